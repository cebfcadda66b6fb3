/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_bind_interdomain, to ports of the domain itself and of domain 0. */

#include "ports.h"

TEST(bind_interdomain_pairs_two_ports, "")
{
    const domid_t names[] = { DOMID_SELF, own_domid() };
    struct evtchn_status status;
    unsigned int i, end;

    for (i = 0; i < 2; i++) {
        evtchn_port_t port[2] = { must_alloc_unbound() };

        check_equal(evtchn_bind_interdomain(names[i], port[0], &port[1]), 0);
        for (end = 0; end < 2; end++) {
            check_equal(evtchn_status(DOMID_SELF, port[end], &status), 0);
            check_equal(status.status, EVTCHNSTAT_interdomain);
            check_equal(status.vcpu, 0);
            check_equal(status.u.interdomain.dom, names[1]);
            check_equal(status.u.interdomain.port, port[!end]);
        }
    }
}

/* Events sent before the bind are lost, so Xen raises the new port. */
TEST(bind_interdomain_raises_the_new_port, "")
{
    evtchn_port_t port[2] = { must_alloc_unbound() };

    require(evtchn_bind_interdomain(DOMID_SELF, port[0], &port[1]) == 0);
    require(abi_grow(port[1] + 1) == 0);
    port_unmask(port[1]);
    check(wait_for(received(port[1]) == 1, 1000));
    check_equal(received(port[0]), 0);
}

TEST(bind_interdomain_to_each_kind_of_port, "noshim")
{
    static const int expected[NR_PORT_KINDS] = {
        [PORT_RESERVED] = -XEN_EINVAL,
        [PORT_CLOSED] = -XEN_EINVAL,
        [PORT_UNBOUND] = 0,
        [PORT_UNBOUND_FOR_DOM0] = -XEN_EINVAL,
        [PORT_INTERDOMAIN] = -XEN_EINVAL,
        [PORT_IPI] = -XEN_EINVAL,
        [PORT_VIRQ] = -XEN_EINVAL,
        [PORT_GLOBAL_VIRQ] = -XEN_EINVAL,
        [PORT_PIRQ] = -XEN_EINVAL,
    };
    enum port_kind kind;

    for (kind = 0; kind < nr_port_kinds(); kind++) {
        struct evtchn_bind_interdomain bind = { .local_port = 0x1234 };
        unsigned int open;

        test_row(port_kind_names[kind]);
        bind.remote_dom = DOMID_SELF;
        bind.remote_port = open_port(kind);
        open = nr_open_ports();
        check_equal(
            HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind),
            expected[kind]);
        if (expected[kind]) {
            check_equal(bind.local_port, 0x1234);
            check_equal(nr_open_ports(), open);
        }
    }
}

/* The remote port named is the one that the operation itself allocates. */
TEST(bind_interdomain_to_itself, "")
{
    evtchn_port_t next = next_port(), port;

    check_equal(evtchn_bind_interdomain(DOMID_SELF, next, &port), -XEN_EINVAL);
    check_equal(port_status(next), EVTCHNSTAT_closed);
    check_equal(next_port(), next);
}

TEST(bind_interdomain_bad_ports, "")
{
    unsigned int open = nr_open_ports(), i;
    evtchn_port_t port;

    for (i = 0; i < NR_BAD_PORTS; i++) {
        check_equal(evtchn_bind_interdomain(DOMID_SELF, bad_ports[i], &port),
                    -XEN_EINVAL);
        check_equal(evtchn_bind_interdomain(0, bad_ports[i], &port),
                    -XEN_EINVAL);
    }
    check_equal(evtchn_bind_interdomain(0, 0, &port), -XEN_EINVAL);
    check_equal(nr_open_ports(), open);
}

TEST(bind_interdomain_bad_domains, "")
{
    unsigned int open = nr_open_ports(), i;
    evtchn_port_t unbound = must_alloc_unbound(), port;

    for (i = 0; i < NR_BAD_DOMIDS; i++) {
        check_equal(evtchn_bind_interdomain(bad_domids[i], unbound, &port),
                    -XEN_ESRCH);
    }
    check_equal(nr_open_ports(), open + 1);
}

/* The console's other end is bound, and other ports are for other domains. */
TEST(bind_interdomain_to_bound_ports_of_domain_0, "")
{
    unsigned int tried = 0, open = nr_open_ports();
    evtchn_port_t port, new_port;
    struct evtchn_status status;

    for (port = 1; port < 64; port++) {
        if (!evtchn_status(DOMID_SELF, port, &status) &&
            status.status == EVTCHNSTAT_interdomain &&
            status.u.interdomain.dom == 0) {
            check_equal(evtchn_bind_interdomain(0, status.u.interdomain.port,
                                                &new_port),
                        -XEN_EINVAL);
            tried++;
        }
    }
    check(tried > 0);
    check_equal(nr_open_ports(), open);
}
