/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_send. */

#include "ports.h"

TEST(send_by_each_kind_of_port, "noshim")
{
    static const int expected[NR_PORT_KINDS] = {
        [PORT_RESERVED] = -XEN_EINVAL, [PORT_CLOSED] = -XEN_EINVAL,
        [PORT_VIRQ] = -XEN_EINVAL,     [PORT_GLOBAL_VIRQ] = -XEN_EINVAL,
        [PORT_PIRQ] = -XEN_EINVAL,
    };
    enum port_kind kind;

    for (kind = 0; kind < nr_port_kinds(); kind++) {
        evtchn_port_t port;
        unsigned int before;

        test_row(port_kind_names[kind]);
        port = open_port(kind);
        spin_for(1);
        before = received(port);
        check_equal(evtchn_send(port), expected[kind]);
        spin_for(1);
        /* Only an IPI is delivered to the port that sends it. */
        check_equal(received(port) - before, kind == PORT_IPI);
    }
}

TEST(send_by_bad_ports, "")
{
    unsigned int i;

    for (i = 0; i < NR_BAD_PORTS; i++) {
        check_equal(evtchn_send(bad_ports[i]), -XEN_EINVAL);
    }
}

TEST(send_reaches_the_other_end, "noshim")
{
    evtchn_port_t port[2];
    unsigned int end;

    must_bind_loopback(port);
    for (end = 0; end < 2; end++) {
        check_equal(evtchn_send(port[end]), 0);
        check(wait_for(received(port[!end]) == 1, 1000));
        check_equal(received(port[end]), end);
    }
}

/* Xen keeps no such event; a later binder gets only the event of binding. */
TEST(send_by_an_unbound_port_is_dropped, "")
{
    evtchn_port_t port[2] = { must_alloc_unbound() };
    unsigned int i;

    for (i = 0; i < 3; i++) {
        check_equal(evtchn_send(port[0]), 0);
    }
    require(evtchn_bind_interdomain(DOMID_SELF, port[0], &port[1]) == 0);
    require(abi_grow(port[1] + 1) == 0);
    port_unmask(port[1]);
    check(wait_for(received(port[1]) == 1, 5000));
    spin_for(5);
    check_equal(received(port[0]), 0);
    check_equal(received(port[1]), 1);
}
