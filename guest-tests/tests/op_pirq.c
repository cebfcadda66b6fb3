/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_bind_pirq of PIRQs without a device. */

#include "ports.h"

static int bind_pirq(uint32_t pirq, uint32_t flags, evtchn_port_t *port)
{
    struct evtchn_bind_pirq bind = { .pirq = pirq, .flags = flags };
    int error = HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &bind);

    *port = bind.port;
    return error;
}

/* PIRQ 0 is valid in Xen, though Linux takes 0 for no PIRQ. */
TEST(bind_pirq_each_of_the_legacy_ones, "hvm pvh")
{
    struct evtchn_status status;
    unsigned int pirq, open = nr_open_ports();
    evtchn_port_t port;

    for (pirq = 0; pirq < 24; pirq++) {
        check_equal(bind_pirq(pirq, 0, &port), 0);
        check_equal(evtchn_status(DOMID_SELF, port, &status), 0);
        check_equal(status.status, EVTCHNSTAT_pirq);
        check_equal(status.u.pirq, pirq);
        check_equal(status.vcpu, 0);
    }
    check_equal(nr_open_ports(), open + 24);
}

TEST(bind_pirq_twice, "hvm pvh")
{
    evtchn_port_t port = open_port(PORT_PIRQ), again;
    unsigned int open = nr_open_ports();

    check_equal(bind_pirq(FREE_PIRQ, 0, &again), -XEN_EEXIST);
    check_equal(nr_open_ports(), open);
    check_equal(evtchn_close(port), 0);
    check_equal(bind_pirq(FREE_PIRQ, 0, &again), 0);
    check_equal(again, port);
}

/* The flags are about the physical interrupt; an HVM guest's PIRQ has none. */
TEST(bind_pirq_any_flags, "hvm pvh")
{
    static const uint32_t flags[] = { BIND_PIRQ__WILL_SHARE, 2, 0xffffffff };
    evtchn_port_t port;
    unsigned int i;

    for (i = 0; i < 3; i++) {
        check_equal(bind_pirq(FREE_PIRQ, flags[i], &port), 0);
        check_equal(evtchn_close(port), 0);
    }
}

TEST(bind_pirq_bad_numbers, "noshim")
{
    static const uint32_t numbers[] = {
        0x10000,
        0x7fffffff,
        0x80000000,
        0xffffffff,
    };
    unsigned int open = nr_open_ports(), i;
    evtchn_port_t port;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        check_equal(bind_pirq(numbers[i], 0, &port), -XEN_EINVAL);
    }
    check_equal(nr_open_ports(), open);
}

/* A PV guest's PIRQs are the machine's, and it was given none. */
TEST(bind_pirq_of_a_pv_guest, "pv noshim")
{
    unsigned int open = nr_open_ports(), pirq;
    evtchn_port_t port;

    for (pirq = 1; pirq < 16; pirq++) {
        check_equal(bind_pirq(pirq, 0, &port), -XEN_EPERM);
    }
    check_equal(nr_open_ports(), open);
}
