/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports that are closed with an event pending, and the number's next port. */

#include "guest.h"

/* The next port of the number has no event. */
TEST(close_masked_pending, "")
{
    evtchn_port_t port = must_bind_ipi(0), next;

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_close(port), 0);
    check(!port_is_pending(port));
    next = must_bind_ipi(0);
    check_equal(next, port);
    spin_for(5);
    check_equal(received(port), 0);
    check_equal(evtchn_send(next), 0);
    check(wait_for(received(next) == 1, 5000));
}

/* The event was raised: the upcall comes and finds nothing. */
TEST(close_raised, "")
{
    evtchn_port_t port = must_bind_ipi(0), other = must_bind_ipi(0), next;

    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_send(other), 0);
    check_equal(evtchn_close(port), 0);
    check(!port_is_pending(port));
    next = must_bind_ipi(0);
    upcalls_enable();
    check(wait_for(received(other) == 1, 5000));
    check_equal(received(port), 0);
    check_equal(received(next), 0);
    check_equal(evtchn_send(next), 0);
    check(wait_for(received(next) == 1, 5000));
}

/* A linked event's number is not allocated, as it is still in a queue. */
TEST(close_linked_number_is_kept, "fifo")
{
    evtchn_port_t port = must_bind_ipi(0), other, again;

    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_close(port), 0);
    other = must_bind_ipi(0);
    check(other != port);
    upcalls_enable();
    spin_for(5);
    again = must_bind_ipi(0);
    check_equal(again, port);
    check_equal(received_in_all(), 0);
}

/* One end is closed: the other is unbound, keeps its event, sends nothing. */
TEST(close_other_end, "")
{
    struct evtchn_status status;
    evtchn_port_t port[2];

    must_bind_loopback(port);
    upcalls_disable();
    check_equal(evtchn_send(port[0]), 0);
    check_equal(evtchn_close(port[0]), 0);
    check(port_is_pending(port[1]));
    upcalls_enable();
    check(wait_for(received(port[1]) == 1, 5000));
    check_equal(evtchn_status(DOMID_SELF, port[1], &status), 0);
    check_equal(status.status, EVTCHNSTAT_unbound);
    check_equal(evtchn_send(port[1]), 0);
}

/* A port that was bound to vCPU 1 is allocated again and is at vCPU 0. */
TEST(close_forgets_the_vcpu, "vcpus=2")
{
    evtchn_port_t port[2], next;

    must_bind_loopback(port);
    check_equal(evtchn_bind_vcpu(port[1], 1), 0);
    port_mask(port[1]);
    check_equal(evtchn_close(port[1]), 0);
    require(evtchn_bind_interdomain(DOMID_SELF, port[0], &next) == 0);
    check_equal(next, port[1]);
    port_clear_pending(next);
    port_unmask(next);
    check_equal(evtchn_send(port[0]), 0);
    check(wait_for(received(next) == 1, 5000));
    check_equal(received_on(next), 0);
}

#define ROUNDS 500

static evtchn_port_t sent_to;
static volatile bool stop;

/* The port may be bound, closed, or a new one of the same number. */
static void send_all_the_time(void *opaque)
{
    while (!stop) {
        int error = evtchn_send(sent_to);

        check(error == 0 || error == -XEN_EINVAL);
    }
}

/* A new port has no old event, and gets the events that are sent to it. */
TEST(close_while_another_sends, "vcpus=2 seconds=60")
{
    uint64_t end = system_time() + 1000000000ull;
    unsigned int i;

    sent_to = must_bind_ipi(0);
    stop = false;
    vcpu_start(1, send_all_the_time, NULL);
    for (i = 0; i < ROUNDS && system_time() < end; i++) {
        evtchn_port_t port, quiet;

        check(wait_for(received(sent_to) > 0, 10000));
        check_equal(evtchn_close(sent_to), 0);
        received_clear(sent_to);
        /* Gets the number; on FIFO the next one, if that is still linked. */
        quiet = must_alloc_unbound();
        check(!port_is_pending(quiet));
        port = must_bind_ipi(0);
        sent_to = port;
        check_equal(evtchn_close(quiet), 0);
    }
    stop = true;
    check(vcpu_join(1, 10000));
}
