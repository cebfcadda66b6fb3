/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_bind_ipi. */

#include "ports.h"

TEST(bind_ipi_to_each_vcpu, "vcpus=2")
{
    unsigned int vcpu;

    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        evtchn_port_t port = must_bind_ipi(vcpu);

        check_equal(port_status(port), EVTCHNSTAT_ipi);
        check_equal(port_vcpu(port), vcpu);
        check_equal(evtchn_send(port), 0);
        check(wait_for(received(port) == 1, 1000));
        check_equal(received_on(port), vcpu);
    }
}

TEST(bind_ipi_many_to_one_vcpu, "")
{
    evtchn_port_t port[8];
    unsigned int i;

    for (i = 0; i < 8; i++) {
        port[i] = must_bind_ipi(0);
        check(i == 0 || port[i] > port[i - 1]);
    }
    evtchn_send(port[5]);
    check(wait_for(received(port[5]) == 1, 1000));
    check_equal(received_in_all(), 1);
}

TEST(bind_ipi_to_no_vcpu, "")
{
    const uint32_t vcpus[] = {
        VCPU_NONE, 0x2000, 0x7fffffff, 0x80000000, 0xffffffff,
    };
    unsigned int open = nr_open_ports(), i;

    for (i = 0; i < sizeof(vcpus) / sizeof(vcpus[0]); i++) {
        struct evtchn_bind_ipi bind = { .vcpu = vcpus[i], .port = 0x1234 };

        check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &bind),
                    -XEN_ENOENT);
        check_equal(bind.port, 0x1234);
    }
    check_equal(nr_open_ports(), open);
}
