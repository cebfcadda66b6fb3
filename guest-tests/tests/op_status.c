/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_status. */

#include "ports.h"

TEST(status_of_each_kind_of_port, "")
{
    static const unsigned int expected[NR_PORT_KINDS] = {
        [PORT_RESERVED] = EVTCHNSTAT_closed,
        [PORT_CLOSED] = EVTCHNSTAT_closed,
        [PORT_UNBOUND] = EVTCHNSTAT_unbound,
        [PORT_UNBOUND_FOR_DOM0] = EVTCHNSTAT_unbound,
        [PORT_INTERDOMAIN] = EVTCHNSTAT_interdomain,
        [PORT_IPI] = EVTCHNSTAT_ipi,
        [PORT_VIRQ] = EVTCHNSTAT_virq,
        [PORT_GLOBAL_VIRQ] = EVTCHNSTAT_virq,
        [PORT_PIRQ] = EVTCHNSTAT_pirq,
    };
    const domid_t names[] = { DOMID_SELF, own_domid() };
    enum port_kind kind;
    unsigned int i;

    for (kind = 0; kind < nr_port_kinds(); kind++) {
        evtchn_port_t port;
        struct evtchn_status status;

        test_row(port_kind_names[kind]);
        port = open_port(kind);
        for (i = 0; i < 2; i++) {
            check_equal(evtchn_status(names[i], port, &status), 0);
            check_equal(status.status, expected[kind]);
            check_equal(status.vcpu, 0);
        }
        switch (kind) {
        case PORT_UNBOUND:
            check_equal(status.u.unbound.dom, names[1]);
            break;
        case PORT_UNBOUND_FOR_DOM0:
            check_equal(status.u.unbound.dom, 0);
            break;
        case PORT_INTERDOMAIN:
            check_equal(status.u.interdomain.dom, names[1]);
            check_equal(status.u.interdomain.port, port + 1);
            break;
        case PORT_VIRQ:
            check_equal(status.u.virq, VIRQ_DEBUG);
            break;
        case PORT_GLOBAL_VIRQ:
            check_equal(status.u.virq, VIRQ_CONSOLE);
            break;
        case PORT_PIRQ:
            check_equal(status.u.pirq, FREE_PIRQ);
            break;
        default:
            break;
        }
    }
}

/* Xen writes only the fields that belong to the port's state. */
TEST(status_leaves_other_fields_alone, "")
{
    struct evtchn_status status = {
        .dom = DOMID_SELF,
        .port = must_bind_ipi(0),
        .u.interdomain = { .dom = 0x1234, .port = 0x567890 },
    };

    check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_status, &status), 0);
    check_equal(status.dom, DOMID_SELF);
    check_equal(status.u.interdomain.dom, 0x1234);
    check_equal(status.u.interdomain.port, 0x567890);
}

TEST(status_of_bad_ports, "")
{
    struct evtchn_status status;
    unsigned int i;

    for (i = 0; i < NR_BAD_PORTS; i++) {
        check_equal(evtchn_status(DOMID_SELF, bad_ports[i], &status),
                    -XEN_EINVAL);
        check_equal(evtchn_status(0, bad_ports[i], &status), -XEN_EINVAL);
    }
}

/* Xen creates ports in groups of 64; those not allocated yet are closed. */
TEST(status_beyond_the_ports_there_are, "alone 2l noshim")
{
    struct evtchn_status status;

    check_equal(port_status(63), EVTCHNSTAT_closed);
    check_equal(evtchn_status(DOMID_SELF, 64, &status), -XEN_EINVAL);
    while (must_bind_ipi(0) < 64) {
    }
    check_equal(port_status(64), EVTCHNSTAT_ipi);
    check_equal(port_status(127), EVTCHNSTAT_closed);
    check_equal(evtchn_status(DOMID_SELF, 128, &status), -XEN_EINVAL);
}

TEST(status_in_other_domains, "")
{
    struct evtchn_status status;
    unsigned int i;

    check_equal(evtchn_status(0, 1, &status), -XEN_EPERM);
    for (i = 0; i < NR_BAD_DOMIDS; i++) {
        check_equal(evtchn_status(bad_domids[i], 1, &status), -XEN_ESRCH);
        check_equal(evtchn_status(bad_domids[i], bad_ports[0], &status),
                    -XEN_ESRCH);
    }
}
