/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VIRQ_TIMER: singleshot, HYPERVISOR_set_timer_op.  timers_periodic.c has the rest. */

#include "timer.h"

/* Not mapped; or, where all of 4 GiB is mapped, no memory. */
#ifdef __x86_64__
#define NOWHERE 0x700000000000
#else
#define NOWHERE 0xe0000000
#endif

TEST(timer_fires_once, "")
{
    unsigned int i;

    take_timer(0);
    for (i = 0; i < 5; i++) {
        uint64_t when = system_time() + (1 + 15 * i) * MS;

        check_equal(timer_singleshot(0, when, 0), 0);
        check_fires_at(when);
    }
}

/* No event comes even a nanosecond before its deadline. */
TEST(timer_is_never_early, "seconds=60")
{
    unsigned int i;

    take_timer(0);
    for (i = 0; i < 100; i++) {
        uint64_t when = (system_time() + (i % 8 + 1) * MS / 4) | 1;

        if (i % 2) {
            check_equal(timer_singleshot(0, when, 0), 0);
        } else {
            check_equal(HYPERVISOR_set_timer_op(when), 0);
        }
        check_fires_at(when);
    }
}

/* A past deadline is raised at once: Xen 4.17 ignores VCPU_SSHOTTMR_future. */
TEST(timer_past_deadline, "")
{
    static const uint32_t flags[] = { 0, VCPU_SSHOTTMR_future, ~0u };
    unsigned int i;

    take_timer(0);
    for (i = 0; i < 3; i++) {
        check_equal(timer_singleshot(0, 1, flags[i]), 0);
        check_fires_at(0);
        check_equal(timer_singleshot(0, system_time() - MS, flags[i]), 0);
        check_fires_at(0);
    }
    check_equal(timer_singleshot(0, 0, 0), 0);
    check_fires_at(0);
}

/*
 * Xen takes such a deadline for a past one, a KVM host's kernel for a future
 * one.
 */
TEST(timer_deadline_of_64_bits, "nokernel")
{
    take_timer(0);
    check_equal(timer_singleshot(0, ~0ull, 0), 0);
    check_fires_at(0);
    check_equal(timer_singleshot(0, 1ull << 63, 0), 0);
    check_fires_at(0);
}

/* No check on a machine so slow that the timer was stopped too late. */
static void check_does_not_fire_at(uint64_t when)
{
    bool in_time = system_time() < when;

    wait_for(system_time() > when + 50 * MS, 10000);
    check(!in_time || received(timer) == 0);
}

TEST(timer_stopped, "")
{
    uint64_t when;

    take_timer(0);
    when = system_time() + 300 * MS;
    check_equal(timer_singleshot(0, when, 0), 0);
    check_equal(timer_stop_singleshot(0), 0);
    check_equal(timer_stop_singleshot(0), 0);
    check_does_not_fire_at(when);
}

/* A vCPU has one timer: a new deadline replaces the old one. */
TEST(timer_moved, "")
{
    uint64_t soon;

    take_timer(0);
    check_equal(timer_singleshot(0, system_time() + 100000 * MS, 0), 0);
    soon = system_time() + 40 * MS;
    check_equal(timer_singleshot(0, soon, 0), 0);
    check_fires_at(soon);
}

TEST(timer_of_another_vcpu, "vcpus=2")
{
    uint64_t when = system_time() + 10 * MS;

    check_equal(timer_singleshot(1, when, 0), -XEN_EINVAL);
    check_equal(timer_stop_singleshot(1), -XEN_EINVAL);
    check_equal(timer_singleshot(nr_vcpus, when, 0), -XEN_ENOENT);
    check_equal(timer_periodic(nr_vcpus, 10 * MS), -XEN_ENOENT);
}

TEST(timer_unreadable_argument, "")
{
    void *nowhere = (void *)NOWHERE;

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, nowhere),
                -XEN_EFAULT);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, nowhere),
                -XEN_EFAULT);
}

/* The order of Xen's checks: it reads a 32-bit guest's argument first. */
TEST(timer_several_errors, "nokernel vcpus=2")
{
    void *nowhere = (void *)NOWHERE;

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 1, nowhere),
                sizeof(long) == 8 ? -XEN_EINVAL : -XEN_EFAULT);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 1, nowhere),
                -XEN_EFAULT);
    check_equal(
        HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, nr_vcpus, nowhere),
        -XEN_ENOENT);
    check_equal(
        HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, nr_vcpus, nowhere),
        -XEN_ENOENT);
    check_equal(timer_stop_singleshot(nr_vcpus), -XEN_ENOENT);
    check_equal(timer_periodic(nr_vcpus, 0), -XEN_ENOENT);
    check_equal(timer_stop_singleshot(~0u), -XEN_ENOENT);
    check_equal(timer_periodic(~0u, 0), -XEN_ENOENT);
}

/* VIRQ_TIMER is not bound: the event is lost. */
TEST(timer_without_port, "")
{
    check_equal(timer_singleshot(0, system_time() + MS, 0), 0);
    spin_for(20);
    take_timer(0);
    check_equal(received_in_all(), 0);
}

static void set_own_timer(void *opaque)
{
    check_equal(timer_singleshot(this_vcpu(), system_time() + 5 * MS, 0), 0);
}

/* Each vCPU has its own VIRQ_TIMER, whose port cannot move. */
TEST(timer_port_of_another_vcpu, "vcpus=2")
{
    evtchn_port_t second;

    take_timer(1);
    check_equal(evtchn_bind_virq(VIRQ_TIMER, 1, &second), -XEN_EEXIST);
    check_equal(evtchn_bind_vcpu(timer, 0), -XEN_EINVAL);
    /* vCPU 0's own timer has no port. */
    check_equal(timer_singleshot(0, system_time() + MS, 0), 0);
    spin_for(20);
    check_equal(received(timer), 0);
    vcpu_start(1, set_own_timer, NULL);
    check(wait_for(received(timer) == 1, 10000));
    check_equal(received_on(timer), 1);
    check(vcpu_join(1, 10000));
}

TEST(timer_set_timer_op, "")
{
    uint64_t when;

    take_timer(0);
    when = system_time() + 40 * MS;
    check_equal(HYPERVISOR_set_timer_op(when), 0);
    check_fires_at(when);
    check_equal(HYPERVISOR_set_timer_op(1), 0);
    check_fires_at(0);
    /* set_timer_op sets the same timer as VCPUOP's; 0 stops it. */
    when = system_time() + 300 * MS;
    check_equal(timer_singleshot(0, when, 0), 0);
    check_equal(HYPERVISOR_set_timer_op(0), 0);
    check_does_not_fire_at(when);
}

/* Xen takes an absurd deadline for a mistake, and fires after 100 ms. */
TEST(timer_set_timer_op_huge, "seconds=30")
{
    const uint64_t huge[] = { ~0ull, 1ull << 63, system_time() + (1ull << 51) };
    unsigned int i;

    take_timer(0);
    for (i = 0; i < 3; i++) {
        uint64_t start = system_time();

        check_equal(HYPERVISOR_set_timer_op(huge[i]), 0);
        check_fires_at(start + 100 * MS);
    }
}

/* The timer fires while its port is masked: the event is kept. */
TEST(timer_masked, "")
{
    take_timer(0);
    port_mask(timer);
    check_equal(timer_singleshot(0, system_time() + MS, 0), 0);
    check(wait_for(port_is_pending(timer), 10000));
    check_equal(received(timer), 0);
    check_equal(evtchn_unmask(timer), 0);
    check(wait_for(received(timer) == 1, 5000));
}
