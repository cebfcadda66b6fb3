/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_shutdown for a suspend that is cancelled, as by "xl save -c": it returns 1,
 * and the guest goes on with all that it had.
 */

#include "timer.h"

static int suspend(void)
{
    struct sched_shutdown shutdown = { .reason = SHUTDOWN_suspend };

    return HYPERVISOR_sched_op(SCHEDOP_shutdown, &shutdown);
}

static volatile bool stop;
static volatile unsigned int turns;

static void turn(void *opaque)
{
    evtchn_port_t *port = opaque;

    while (!stop) {
        check_equal(evtchn_send(*port), 0);
        turns++;
        spin_for(1);
    }
}

/* Another vCPU runs, and sends events, meanwhile. */
TEST(suspend_is_cancelled, "vcpus=2 seconds=60")
{
    evtchn_port_t ipi, masked, waiting;
    unsigned int i;

    take_timer(0);
    ipi = must_bind_ipi(0);
    masked = must_bind_ipi(0);
    waiting = must_bind_ipi(0);
    port_mask(masked);
    stop = false;
    vcpu_start(1, turn, &ipi);
    for (i = 0; i < 20; i++) {
        uint64_t before = system_time(), when = before + 30 * MS;
        unsigned int turns_before, received_before;

        check_equal(timer_singleshot(0, when, 0), 0);
        check_equal(evtchn_send(masked), 0);
        upcalls_disable();
        check_equal(evtchn_send(waiting), 0);
        check_equal(suspend(), 1);
        turns_before = turns;
        received_before = received(ipi);
        check(port_is_pending(waiting));
        check(port_is_pending(masked));
        check(port_is_masked(masked));
        check(!upcalls_enabled());
        upcalls_enable();
        check(system_time() >= before);
        check(wait_for(received(waiting) == i + 1, 10000));
        check_fires_at(when);
        check(wait_for(turns > turns_before + 1, 10000));
        check(wait_for(received(ipi) > received_before, 10000));
        check_equal(received(masked), 0);
    }
    stop = true;
    check(vcpu_join(1, 10000));
    port_unmask(masked);
    check(wait_for(received(masked) == 1, 10000));
}
