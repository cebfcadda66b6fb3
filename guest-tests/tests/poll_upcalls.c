/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_poll beside upcalls: with upcalls disabled, which is how Linux waits for
 * a PV spinlock, and with one that is due.
 */

#include "poller.h"

/* As Linux waits for a PV spinlock: upcalls off, and the port masked. */
TEST(poll_with_upcalls_off, "polls vcpus=2 seconds=60")
{
    evtchn_port_t port = masked_ipi(1);
    unsigned int i;

    pollers[1] = (struct poller){
        .port = { port },
        .nr = 1,
        .upcalls_off = true,
    };
    for (i = 0; i < 5; i++) {
        poller_start(1);
        check_equal(evtchn_send(port), 0);
        check_woken(1);
        check(port_is_pending(port));
        port_clear_pending(port);
    }
    check_equal(received(port), 0);
}

/* A pending upcall neither wakes the vCPU nor keeps an event from waking it. */
TEST(poll_with_upcalls_off_and_one_waiting, "polls vcpus=2 seconds=60")
{
    evtchn_port_t waiting = must_bind_ipi(1);
    unsigned int i;

    pollers[1] = (struct poller){
        .port = { masked_ipi(1) },
        .nr = 1,
        .upcalls_off = true,
        .before = waiting,
    };
    for (i = 1; i <= 5; i++) {
        poller_start(1);
        check(!pollers[1].ended);
        check_equal(evtchn_send(pollers[1].port[0]), 0);
        check_woken(1);
        port_clear_pending(pollers[1].port[0]);
        check(wait_for(received(waiting) == i, 10000));
    }
}

/* A pending upcall does not end the poll: the time-out does. */
TEST(poll_time_out_with_an_upcall_waiting, "polls nokernel vcpus=2 seconds=60")
{
    evtchn_port_t waiting = must_bind_ipi(1);
    unsigned int i;

    pollers[1] = (struct poller){
        .port = { masked_ipi(1) },
        .nr = 1,
        .upcalls_off = true,
        .before = waiting,
        .timeout = 50000000,
    };
    for (i = 1; i <= 3; i++) {
        poller_start(1);
        check_timed_out(1);
        check(wait_for(received(waiting) == i, 10000));
    }
}

/* An upcall that comes during the poll ends it, though upcalls are off. */
TEST(poll_with_upcalls_off_and_another_event,
     "polls nokernel vcpus=2 seconds=60")
{
    evtchn_port_t other = must_bind_ipi(1);
    unsigned int i;

    pollers[1] = (struct poller){
        .port = { masked_ipi(1) },
        .nr = 1,
        .upcalls_off = true,
    };
    for (i = 1; i <= 5; i++) {
        poller_start(1);
        check_equal(evtchn_send(other), 0);
        check_woken(1);
        check(wait_for(received(other) == i, 10000));
        check(!port_is_pending(pollers[1].port[0]));
    }
}

/*
 * If an upcall is due, Xen does not look at the ports.  The guest may take it
 * before the hypercall, though, so the test tries several times.
 */
TEST(poll_with_an_upcall_due, "polls nokernel")
{
    evtchn_port_t nowhere = ~0u;
    unsigned int i;
    int result = -XEN_EINVAL;

    for (i = 0; i < 50 && result; i++) {
        __atomic_store_n(&vcpu_info_of(0)->evtchn_upcall_pending, 1,
                         __ATOMIC_SEQ_CST);
        result = sched_poll(&nowhere, 1, 1);
        check(result == 0 || result == -XEN_EINVAL);
    }
    check_equal(result, 0);

    /* Not due while upcalls are disabled. */
    upcalls_disable();
    vcpu_info_of(0)->evtchn_upcall_pending = 1;
    check_equal(sched_poll(&nowhere, 1, 1), -XEN_EINVAL);
    upcalls_enable();
}
