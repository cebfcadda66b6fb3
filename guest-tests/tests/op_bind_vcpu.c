/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_bind_vcpu. */

#include "ports.h"

static const int expected[NR_PORT_KINDS] = {
    [PORT_RESERVED] = -XEN_EINVAL,
    [PORT_CLOSED] = -XEN_EINVAL,
    [PORT_IPI] = -XEN_EINVAL,
    [PORT_VIRQ] = -XEN_EINVAL,
};

TEST(bind_vcpu_each_kind_of_port, "vcpus=2")
{
    enum port_kind kind;

    for (kind = 0; kind < nr_port_kinds(); kind++) {
        evtchn_port_t port;

        test_row(port_kind_names[kind]);
        port = open_port(kind);
        check_equal(evtchn_bind_vcpu(port, 1), expected[kind]);
        check_equal(port_vcpu(port), expected[kind] ? 0 : 1);
        check_equal(evtchn_bind_vcpu(port, 0), expected[kind]);
        check_equal(port_vcpu(port), 0);
    }
}

/* Xen checks the vCPU before the port. */
TEST(bind_vcpu_to_no_vcpu, "noshim")
{
    const uint32_t vcpus[] = { VCPU_NONE, 0x2000, 0x80000000, 0xffffffff };
    enum port_kind kind;
    unsigned int i;

    for (i = 0; i < sizeof(vcpus) / sizeof(vcpus[0]); i++) {
        check_equal(evtchn_bind_vcpu(bad_ports[i], vcpus[i]), -XEN_ENOENT);
    }
    for (kind = 0; kind < nr_port_kinds(); kind++) {
        evtchn_port_t port;

        test_row(port_kind_names[kind]);
        port = open_port(kind);
        for (i = 0; i < sizeof(vcpus) / sizeof(vcpus[0]); i++) {
            check_equal(evtchn_bind_vcpu(port, vcpus[i]), -XEN_ENOENT);
        }
        check_equal(port_vcpu(port), 0);
    }
}

TEST(bind_vcpu_bad_ports, "")
{
    unsigned int i;

    for (i = 0; i < NR_BAD_PORTS; i++) {
        check_equal(evtchn_bind_vcpu(bad_ports[i], 0), -XEN_EINVAL);
    }
}

TEST(bind_vcpu_moves_events, "vcpus=2")
{
    evtchn_port_t port[2];
    unsigned int i;

    must_bind_loopback(port);
    for (i = 1; i <= 4; i++) {
        check_equal(evtchn_bind_vcpu(port[1], i % 2), 0);
        check_equal(evtchn_send(port[0]), 0);
        check(wait_for(received(port[1]) == i, 1000));
        check_equal(received_on(port[1]), i % 2);
    }
}
