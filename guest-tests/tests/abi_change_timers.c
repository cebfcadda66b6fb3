/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers and changes of the ABI.  In Xen a change does not affect timers: an
 * armed timer goes on, and its event goes to the port that is bound to
 * VIRQ_TIMER when it expires.
 */

#include "guest.h"

#define MS 1000000ull
/* On a busy machine an emulated Xen's clock and its guest's differ so much. */
#define TOLERANCE (10 * MS)
#define NR_ABIS (ABI_FIFO + 1)

static int arm_by_vcpuop(uint64_t when)
{
    return timer_singleshot(this_vcpu(), when, 0);
}

static int arm_by_timer_op(uint64_t when)
{
    return HYPERVISOR_set_timer_op(when);
}

static const struct way {
    const char *name;
    unsigned int vcpu;
    int (*arm)(uint64_t when);
} ways[] = {
    { "VCPUOP", 0, arm_by_vcpuop },
    { "set_timer_op", 0, arm_by_timer_op },
    { "VCPUOP on vCPU 1", 1, arm_by_vcpuop },
    { "set_timer_op on vCPU 1", 1, arm_by_timer_op },
};
#define NR_WAYS (sizeof(ways) / sizeof(ways[0]))

static const struct way *way;
static uint64_t when;

static void arm_here(void *opaque)
{
    check_equal(way->arm(when), 0);
}

/* Arm the timer for @milliseconds from now. */
static void arm(const struct way *next_way, unsigned int milliseconds)
{
    way = next_way;
    when = system_time() + milliseconds * MS;
    if (!way->vcpu) {
        arm_here(NULL);
        return;
    }
    vcpu_start(way->vcpu, arm_here, NULL);
    require(vcpu_join(way->vcpu, 10000));
}

static void check_fires_once(evtchn_port_t timer)
{
    check(wait_for(received(timer) >= 1, 20000));
    check(system_time() + TOLERANCE >= when);
    spin_for(20);
    check_equal(received(timer), 1);
    check_equal(received_on(timer), way->vcpu);
}

static bool is_offered(enum evtchn_abi abi)
{
    return abi != ABI_3L || !host_is_xen();
}

static void come_back_as(enum evtchn_abi abi)
{
    require(guest_reset() == 0);
    require(abi_switch(abi) == 0);
}

/*
 * An event that comes before the switch is kept.  Xen raises it again each time
 * that the guest switches to FIFO, so each round uses another port.
 */
TEST(abi_change_timer_over_a_switch, "alone 3l fifo vcpus=2 seconds=60")
{
    static const unsigned int delays[] = { 2, 100 };
    unsigned int i, j, used;

    for (i = 0; i < NR_WAYS; i++) {
        for (j = 0; j < 2; j++) {
            evtchn_port_t timer;

            for (used = 0; used < 2 * i + j; used++) {
                require(evtchn_bind_ipi(0, &timer) == 0);
            }
            timer = must_bind_virq(VIRQ_TIMER, ways[i].vcpu);
            test_row(ways[i].name);
            received_clear(timer);
            arm(&ways[i], delays[j]);
            require(abi_switch(abi_asked_for()) == 0);
            port_unmask(timer);
            check_fires_once(timer);
            require(guest_reset() == 0);
        }
    }
}

/* A timer is armed in one ABI and expires in the other, with a new port. */
TEST(abi_change_timer_over_a_reset, "fresh vcpus=2 seconds=60")
{
    enum evtchn_abi from = guest_abi, to;
    unsigned int i, delay;

    for (to = ABI_2L; to < NR_ABIS; to++) {
        for (i = 0; i < NR_WAYS && is_offered(to); i++) {
            evtchn_port_t timer = must_bind_virq(VIRQ_TIMER, ways[i].vcpu);

            test_row(ways[i].name);
            /* On a slow machine it may expire before the port is bound. */
            for (delay = 100; delay < 30000; delay *= 4) {
                arm(&ways[i], delay);
                come_back_as(to);
                timer = must_bind_virq(VIRQ_TIMER, ways[i].vcpu);
                received_clear(timer);
                if (system_time() + MS < when) {
                    break;
                }
            }
            check_fires_once(timer);
            come_back_as(from);
        }
    }
}

/* A timer that has fired does not fire again for VIRQ_TIMER's next port. */
TEST(abi_change_timer_fires_only_once, "fresh vcpus=2 seconds=30")
{
    enum evtchn_abi from = guest_abi, to;

    for (to = ABI_2L; to < NR_ABIS; to++) {
        evtchn_port_t timer;

        if (!is_offered(to)) {
            continue;
        }
        test_row(abi_name(to));
        timer = must_bind_virq(VIRQ_TIMER, 0);
        received_clear(timer);
        arm(&ways[0], 5);
        check_fires_once(timer);
        come_back_as(to);
        timer = must_bind_virq(VIRQ_TIMER, 0);
        received_clear(timer);
        spin_for(20);
        check_equal(received(timer), 0);
        come_back_as(from);
    }
}

/* VIRQ_TIMER is bound to a new port without a reset. */
TEST(timer_bound_anew, "vcpus=2 seconds=30")
{
    unsigned int i, delay;

    for (i = 0; i < NR_WAYS; i++) {
        evtchn_port_t timer;

        test_row(ways[i].name);
        for (delay = 50; delay < 30000; delay *= 4) {
            timer = must_bind_virq(VIRQ_TIMER, ways[i].vcpu);
            arm(&ways[i], delay);
            check_equal(evtchn_close(timer), 0);
            timer = must_bind_virq(VIRQ_TIMER, ways[i].vcpu);
            received_clear(timer);
            if (system_time() + MS < when) {
                break;
            }
            evtchn_close(timer);
        }
        check_fires_once(timer);
        check_equal(evtchn_close(timer), 0);
        /* The next port gets no old event; its timer can be armed before. */
        received_clear(timer);
        timer = must_bind_virq(VIRQ_TIMER, ways[i].vcpu);
        spin_for(20);
        check_equal(received(timer), 0);
        check_equal(evtchn_close(timer), 0);
        for (delay = 50; delay < 30000; delay *= 4) {
            arm(&ways[i], delay);
            timer = must_bind_virq(VIRQ_TIMER, ways[i].vcpu);
            received_clear(timer);
            if (system_time() + MS < when) {
                break;
            }
            evtchn_close(timer);
        }
        check_fires_once(timer);
        check_equal(evtchn_close(timer), 0);
    }
}

static void check_ticks(evtchn_port_t timer)
{
    received_clear(timer);
    check(wait_for(received(timer) >= 3, 10000));
}

TEST(abi_change_periodic_over_a_switch, "fresh 3l fifo")
{
    evtchn_port_t timer = must_bind_virq(VIRQ_TIMER, 0);

    check_equal(timer_periodic(0, 5 * MS), 0);
    check_ticks(timer);
    require(abi_switch(abi_asked_for()) == 0);
    port_unmask(timer);
    check_ticks(timer);
    check_equal(timer_periodic(0, 0), 0);
    spin_for(20);
    received_clear(timer);
    spin_for(20);
    check_equal(received(timer), 0);
}

TEST(abi_change_periodic_over_a_reset, "fresh seconds=30")
{
    enum evtchn_abi from = guest_abi, to;

    for (to = ABI_2L; to < NR_ABIS; to++) {
        if (!is_offered(to)) {
            continue;
        }
        test_row(abi_name(to));
        check_equal(timer_periodic(0, 5 * MS), 0);
        check_ticks(must_bind_virq(VIRQ_TIMER, 0));
        come_back_as(to);
        check_ticks(must_bind_virq(VIRQ_TIMER, 0));
        check_equal(timer_periodic(0, 0), 0);
        come_back_as(from);
    }
}
