/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_close. */

#include "fifo.h"
#include "ports.h"

TEST(close_each_kind_of_port, "noshim")
{
    static const int expected[NR_PORT_KINDS] = {
        [PORT_RESERVED] = -XEN_EINVAL,
        [PORT_CLOSED] = -XEN_EINVAL,
    };
    enum port_kind kind;

    for (kind = 0; kind < nr_port_kinds(); kind++) {
        evtchn_port_t port;

        test_row(port_kind_names[kind]);
        port = open_port(kind);
        check_equal(evtchn_close(port), expected[kind]);
        check_equal(port_status(port), EVTCHNSTAT_closed);
        check_equal(evtchn_send(port), -XEN_EINVAL);
        check_equal(evtchn_close(port), -XEN_EINVAL);
    }
}

TEST(close_bad_ports, "")
{
    unsigned int i;

    for (i = 0; i < NR_BAD_PORTS; i++) {
        check_equal(evtchn_close(bad_ports[i]), -XEN_EINVAL);
    }
}

/* The other end is unbound, and can be bound again or closed. */
TEST(close_leaves_the_peer_unbound, "")
{
    struct evtchn_status status;
    evtchn_port_t port[2], again;

    must_bind_loopback(port);
    check_equal(evtchn_close(port[0]), 0);
    check_equal(evtchn_status(DOMID_SELF, port[1], &status), 0);
    check_equal(status.status, EVTCHNSTAT_unbound);
    check_equal(status.u.unbound.dom, own_domid());
    check_equal(evtchn_send(port[1]), 0);

    check_equal(evtchn_bind_interdomain(DOMID_SELF, port[1], &again), 0);
    check_equal(again, port[0]);
    check_equal(evtchn_close(port[1]), 0);
    check_equal(evtchn_close(port[0]), 0);
}

/* The next port of the number must have neither the event nor the vCPU. */
TEST(close_takes_the_event_along, "")
{
    evtchn_port_t port = must_bind_ipi(0), again;

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    check(port_is_pending(port));
    check_equal(evtchn_close(port), 0);
    check(!port_is_pending(port));

    again = must_bind_ipi(0);
    check_equal(again, port);
    spin_for(5);
    check_equal(received(port), 0);
}

TEST(close_puts_the_port_at_vcpu_0, "vcpus=2")
{
    evtchn_port_t port = must_alloc_unbound();

    check_equal(evtchn_bind_vcpu(port, 1), 0);
    check_equal(evtchn_close(port), 0);
    check_equal(port_vcpu(port), 0);
    check_equal(must_alloc_unbound(), port);
    check_equal(port_vcpu(port), 0);
}

/* Linked, the number's next port would be on the old one's queue. */
TEST(close_of_a_linked_port_keeps_its_number, "fifo")
{
    evtchn_port_t port = must_bind_ipi(0), other;

    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    check(*fifo_event_word(port) & FIFO_LINKED);
    check_equal(evtchn_close(port), 0);
    check(!port_is_pending(port));
    check(*fifo_event_word(port) & FIFO_LINKED);

    check_equal(evtchn_bind_ipi(0, &other), 0);
    check(other != port);
    check_equal(evtchn_close(other), 0);

    upcalls_enable();
    check(wait_for(!(*fifo_event_word(port) & FIFO_LINKED), 1000));
    check_equal(received(port), 0);
    check_equal(next_port(), port);
}
