/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_poll while the port that is polled changes.  A vCPU that polls one
 * port waits for an event on its number, even if the port is closed and bound
 * again.
 */

#include "poller.h"

#define TIMEOUT 300000000 /* ns; the changes are made in that time */

/* Closing a port does not wake the vCPU that polls it. */
TEST(poll_port_closed, "polls nokernel vcpus=2 seconds=60")
{
    evtchn_port_t port = masked_ipi(0);

    pollers[1] = (struct poller){
        .port = { port },
        .nr = 1,
        .timeout = TIMEOUT,
    };
    poller_start(1);
    check_equal(evtchn_close(port), 0);
    check_timed_out(1);
    /* A new poll finds that the port is closed. */
    check_equal(sched_poll(&port, 1, 1), -XEN_EINVAL);
}

/* An event of the number's next port wakes the vCPU. */
TEST(poll_port_closed_and_opened, "polls nokernel vcpus=2 seconds=60")
{
    evtchn_port_t port = masked_ipi(0);

    pollers[1] = (struct poller){ .port = { port }, .nr = 1 };
    poller_start(1);
    check_equal(evtchn_close(port), 0);
    check_equal(masked_ipi(0), port);
    check(!pollers[1].ended);
    check_equal(evtchn_send(port), 0);
    check_woken(1);
}

/* bind_interdomain raises the port that it makes. */
TEST(poll_port_closed_and_bound, "polls nokernel vcpus=2 seconds=60")
{
    evtchn_port_t unbound = must_alloc_unbound(), port = masked_ipi(0), bound;

    pollers[1] = (struct poller){ .port = { port }, .nr = 1 };
    poller_start(1);
    check_equal(evtchn_close(port), 0);
    check_equal(evtchn_bind_interdomain(DOMID_SELF, unbound, &bound), 0);
    check_equal(bound, port);
    check_woken(1);
    check(port_is_pending(port));
}

/* A vCPU that polls several ports is woken by an event of any port. */
TEST(poll_several_ports_and_another_bound, "polls nokernel vcpus=2 seconds=60")
{
    evtchn_port_t unbound = must_alloc_unbound(), bound;

    pollers[1] = (struct poller){
        .port = { masked_ipi(0), masked_ipi(1) },
        .nr = 2,
    };
    poller_start(1);
    check_equal(evtchn_bind_interdomain(DOMID_SELF, unbound, &bound), 0);
    check_woken(1);
}

TEST(poll_port_moved, "polls nokernel vcpus=2 seconds=60")
{
    evtchn_port_t port[2];
    unsigned int i;

    must_bind_loopback(port);
    port_mask(port[0]);
    pollers[1] = (struct poller){ .port = { port[0] }, .nr = 1 };
    for (i = 0; i < 4; i++) {
        poller_start(1);
        check_equal(evtchn_bind_vcpu(port[0], !(i % 2)), 0);
        check(!pollers[1].ended);
        check_equal(evtchn_send(port[1]), 0);
        check_woken(1);
        port_clear_pending(port[0]);
    }
}

/* EVTCHNOP_reset does not wake the vCPU either. */
TEST(poll_port_reset, "fresh polls nokernel vcpus=2 seconds=60")
{
    evtchn_port_t port;
    unsigned int i;

    for (i = 0; i < 2; i++) {
        if (guest_abi != abi_asked_for()) {
            require(abi_switch(abi_asked_for()) == 0);
        }
        port = masked_ipi(0);
        pollers[1] = (struct poller){
            .port = { port },
            .nr = 1,
            .timeout = i ? 0 : TIMEOUT,
        };
        poller_start(1);
        require(guest_reset() == 0);
        if (!i) {
            check_timed_out(1);
        }
    }
    check(!pollers[1].ended);
    /* The guest is in 2-level now; the poll began in another ABI. */
    check_equal(masked_ipi(0), port);
    check_equal(evtchn_send(port), 0);
    check_woken(1);
}

static void poll_with_time_out(void *opaque)
{
    evtchn_port_t port = *(evtchn_port_t *)opaque;

    check_equal(sched_poll(&port, 1, 1ull << 63), 0);
    check_equal(sched_poll(&port, 1, ~0ull), 0);
}

/* As a signed number such a time is past. */
TEST(poll_time_out_of_64_bits, "polls nokernel vcpus=2 seconds=30")
{
    evtchn_port_t port = masked_ipi(1);

    vcpu_start(1, poll_with_time_out, &port);
    if (!check(vcpu_join(1, 20000))) {
        /* End the poll, for the next test. */
        check_equal(evtchn_send(port), 0);
        vcpu_join(1, 20000);
    }
}
