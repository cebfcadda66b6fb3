/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCHEDOP_block, and SCHEDOP_yield. */

#include "guest.h"
#include "internal.h"

#define ROUNDS 500

static volatile unsigned int blocks, for_nothing;
static volatile bool stop;

static void block_often(void *opaque)
{
    evtchn_port_t port = *(evtchn_port_t *)opaque;

    while (!stop && blocks < ROUNDS) {
        unsigned int before = received(port);

        sched_block();
        /*
         * Upcalls are enabled, so this vCPU has taken the event that ended the
         * sleep.  It may have done so before the sleep, if the hypervisor
         * interrupts the vCPU some time after it has set the flag, as Xen does.
         */
        for_nothing += !stop && received(port) == before;
        blocks++;
    }
}

/* An event that comes just as the vCPU goes to sleep still wakes it. */
TEST(block_until_an_ipi, "vcpus=2 seconds=60")
{
    evtchn_port_t port = must_bind_ipi(1);
    uint64_t end = system_time() + 10000000000ull;

    blocks = for_nothing = 0;
    stop = false;
    vcpu_start(1, block_often, &port);
    /* Fewer if time runs out. */
    while (blocks < ROUNDS && (blocks < 10 || system_time() < end)) {
        check_equal(evtchn_send(port), 0);
        if (!check(wait_for(!port_is_pending(port), 20000))) {
            break;
        }
    }
    stop = true;
    evtchn_send(port);
    check(vcpu_join(1, 10000));
    check(for_nothing <= blocks / 8);
}

static evtchn_port_t timer;

static void set_timer(void)
{
    check_equal(timer_singleshot(0, system_time() + 20000000, 0), 0);
}

/*
 * Set the timer again when it fires, as it may fire before the vCPU sleeps.  A
 * periodic one would not do: in Xen it stops while its vCPU is blocked.
 */
static void set_timer_again(evtchn_port_t port)
{
    if (port == timer) {
        set_timer();
    }
}

static void start_timer(void)
{
    timer = must_bind_virq(VIRQ_TIMER, 0);
    event_hook = set_timer_again;
    set_timer();
}

/* All vCPUs of the guest sleep, and the timer wakes one. */
TEST(block_until_the_timer, "seconds=60")
{
    unsigned int i;

    start_timer();
    for (i = 0; i < 10; i++) {
        unsigned int before = received(timer);

        sched_block();
        check(received(timer) > before);
    }
}

/* A masked event does not wake the vCPU; the timer does. */
TEST(block_ignores_masked_ports, "seconds=60")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int before;

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    start_timer();
    before = received(timer);
    sched_block();
    check(received(timer) > before);
    check_equal(received(port), 0);
}

/* A pending event is taken before the sleep, or ends it. */
TEST(block_with_an_event_pending, "seconds=60")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int i;

    start_timer();
    for (i = 1; i <= 3; i++) {
        upcalls_disable();
        check_equal(evtchn_send(port), 0);
        upcalls_enable();
        sched_block();
        check_equal(received(port), i);
    }
}

/*
 * SCHEDOP_block enables a PV guest's upcalls by clearing evtchn_upcall_mask.
 * It clears an HVM guest's, too, but that guest disables upcalls by the
 * processor's interrupt flag, which stays as it is.
 */
TEST(block_clears_the_upcall_mask, "seconds=60")
{
    volatile uint8_t *mask = &vcpu_info_of(0)->evtchn_upcall_mask;
    unsigned int i;

    start_timer();
    for (i = 0; i < 3; i++) {
        unsigned int before = received(timer);

        *mask = 1;
        sched_block();
        check_equal(*mask, 0);
        check(wait_for(received(timer) > before, 20000));
    }
}

/* A vCPU that blocks with upcalls disabled, once. */
static struct sleeper {
    evtchn_port_t before; /* if not 0: its event waits already */
    volatile bool begun, woken, enabled;
} sleeper;

static void sleep_with_upcalls_off(void *opaque)
{
    upcalls_disable();
    if (sleeper.before) {
        check_equal(evtchn_send(sleeper.before), 0);
    }
    sleeper.begun = true;
    sched_block();
    sleeper.enabled = upcalls_enabled();
    sleeper.woken = true;
    upcalls_enable();
}

static void start_sleeper(evtchn_port_t before)
{
    sleeper = (struct sleeper){ .before = before };
    vcpu_start(1, sleep_with_upcalls_off, NULL);
    check(wait_for(sleeper.begun, 10000));
}

static bool is_blocked(unsigned int vcpu)
{
    struct vcpu_runstate_info info = { .state = -1 };

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, vcpu, &info), 0);
    return info.state == RUNSTATE_blocked;
}

/* An event wakes the vCPU, which takes it when interrupts are on again. */
TEST(block_with_interrupts_off, "hvm pvh nokernel vcpus=2 seconds=60")
{
    evtchn_port_t port = must_bind_ipi(1);
    unsigned int i;

    for (i = 1; i <= 5; i++) {
        start_sleeper(0);
        require(wait_for(is_blocked(1), 10000));
        check_equal(received(port), i - 1);
        check_equal(evtchn_send(port), 0);
        check(vcpu_join(1, 20000));
        check(!sleeper.enabled);
        check(wait_for(received(port) == i, 10000));
    }
}

/*
 * While an upcall is pending neither its event nor further ones end a sleep, as
 * Xen does not kick the vCPU again.  An interrupt ends it, even if the vCPU
 * does not take interrupts; on KVM only if it does.
 */
TEST(block_with_an_upcall_waiting, "tcg xen hvm pvh vcpus=2 seconds=60")
{
    evtchn_port_t first = must_bind_ipi(1), second = must_bind_ipi(1);

    start_sleeper(first);
    require(wait_for(is_blocked(1), 10000));
    check_equal(evtchn_send(second), 0);
    spin_for(50);
    check(!sleeper.woken);
    check(port_is_pending(first) && port_is_pending(second));
    arch_vcpu_kick(1);
    check(vcpu_join(1, 20000));
    check(wait_for(received(first) == 1 && received(second) == 1, 10000));
}

/* In a PV guest SCHEDOP_block enables upcalls, so a pending one is taken. */
TEST(block_with_an_upcall_waiting_on_pv, "pv vcpus=2 seconds=60")
{
    evtchn_port_t port = must_bind_ipi(1);

    start_sleeper(port);
    check(vcpu_join(1, 20000));
    check(sleeper.enabled);
    check_equal(received(port), 1);
}

static void count_up(void *opaque)
{
    volatile unsigned int *count = opaque;

    while (!stop) {
        (*count)++;
        sched_yield();
    }
}

/* SCHEDOP_yield lets other vCPUs run, and returns. */
TEST(yield, "vcpus=2")
{
    volatile unsigned int count = 0;
    unsigned int i;

    stop = false;
    vcpu_start(1, count_up, (void *)&count);
    for (i = 0; i < 5; i++) {
        unsigned int before = count;

        check_equal(HYPERVISOR_sched_op(SCHEDOP_yield, NULL), 0);
        while (count == before) {
            sched_yield();
        }
    }
    stop = true;
    check(vcpu_join(1, 10000));
}
