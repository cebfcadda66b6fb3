/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "ports.h"

const char *const port_kind_names[NR_PORT_KINDS] = {
    [PORT_RESERVED] = "port 0",
    [PORT_CLOSED] = "closed",
    [PORT_UNBOUND] = "unbound",
    [PORT_UNBOUND_FOR_DOM0] = "unbound for domain 0",
    [PORT_INTERDOMAIN] = "interdomain",
    [PORT_IPI] = "IPI",
    [PORT_VIRQ] = "VIRQ",
    [PORT_GLOBAL_VIRQ] = "global VIRQ",
    [PORT_PIRQ] = "PIRQ",
};

const evtchn_port_t bad_ports[NR_BAD_PORTS] = {
    0x80000,
    0x7fffffff,
    0x80000000,
    0xffffffff,
};

const domid_t bad_domids[NR_BAD_DOMIDS] = {
    DOMID_NOBODY, DOMID_IO, DOMID_XEN, DOMID_COW, DOMID_INVALID, DOMID_IDLE,
};

bool guest_is_pv(void)
{
    return memcmp(guest_type, "pv", 2) == 0 && guest_type[2] != 'h';
}

enum port_kind nr_port_kinds(void)
{
    return guest_is_pv() ? PORT_PIRQ : NR_PORT_KINDS;
}

evtchn_port_t open_port(enum port_kind kind)
{
    struct evtchn_bind_pirq pirq = { .pirq = FREE_PIRQ };
    evtchn_port_t port = 0, pair[2];

    switch (kind) {
    case PORT_RESERVED:
        return 0;
    case PORT_CLOSED:
        port = must_bind_ipi(0);
        require(evtchn_close(port) == 0);
        return port;
    case PORT_UNBOUND:
        return must_alloc_unbound();
    case PORT_UNBOUND_FOR_DOM0:
        require(evtchn_alloc_unbound(DOMID_SELF, 0, &port) == 0);
        break;
    case PORT_INTERDOMAIN:
        must_bind_loopback(pair);
        return pair[0];
    case PORT_IPI:
        return must_bind_ipi(0);
    case PORT_VIRQ:
        return must_bind_virq(VIRQ_DEBUG, 0);
    case PORT_GLOBAL_VIRQ:
        return must_bind_virq(VIRQ_CONSOLE, 0);
    case PORT_PIRQ:
        require(HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &pirq) == 0);
        port = pirq.port;
        break;
    default:
        break;
    }
    require(abi_grow(port + 1) == 0);
    port_unmask(port);
    return port;
}

int port_status(evtchn_port_t port)
{
    struct evtchn_status status;

    return evtchn_status(DOMID_SELF, port, &status) ? -1 : (int)status.status;
}

int port_vcpu(evtchn_port_t port)
{
    struct evtchn_status status;

    return evtchn_status(DOMID_SELF, port, &status) ? -1 : (int)status.vcpu;
}

unsigned int nr_open_ports(void)
{
    unsigned int open = 0, closed = 0;
    evtchn_port_t port;

    /* Xen allocates the lowest free port. */
    for (port = 1; closed < 64; port++) {
        if (port_status(port) > EVTCHNSTAT_closed) {
            open++;
            closed = 0;
        } else {
            closed++;
        }
    }
    return open;
}

evtchn_port_t next_port(void)
{
    evtchn_port_t port;

    require(evtchn_bind_ipi(0, &port) == 0);
    require(evtchn_close(port) == 0);
    return port;
}

domid_t own_domid(void)
{
    struct evtchn_status status;
    evtchn_port_t port;

    /* Xen stores DOMID_SELF as the domain's number, which this finds out. */
    require(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF, &port) == 0);
    require(evtchn_status(DOMID_SELF, port, &status) == 0);
    require(evtchn_close(port) == 0);
    return status.u.unbound.dom;
}

void check_delivery_to_all(unsigned int patience)
{
    unsigned int vcpu;

    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        evtchn_port_t port = must_bind_ipi(vcpu);

        received_clear(port);
        check_equal(evtchn_send(port), 0);
        check(wait_for(received(port) == 1, patience));
        check_equal(received_on(port), vcpu);
    }
}
