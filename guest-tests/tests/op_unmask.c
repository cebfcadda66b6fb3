/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_unmask. */

#include "ports.h"

/* A closed port is no error, if the number is valid. */
TEST(unmask_each_kind_of_port, "")
{
    enum port_kind kind;

    for (kind = 0; kind < nr_port_kinds(); kind++) {
        bool open = kind != PORT_RESERVED && kind != PORT_CLOSED;
        evtchn_port_t port;

        test_row(port_kind_names[kind]);
        port = open_port(kind);
        port_mask(port);
        check_equal(evtchn_unmask(port), 0);
        check_equal(port_is_masked(port), !open);
        spin_for(1);
        check_equal(received(port), 0);
    }
}

TEST(unmask_bad_ports, "")
{
    unsigned int i;

    for (i = 0; i < NR_BAD_PORTS; i++) {
        check_equal(evtchn_unmask(bad_ports[i]), -XEN_EINVAL);
    }
}

TEST(unmask_delivers_what_is_pending, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_send(port), 0);
    spin_for(5);
    check_equal(received(port), 0);
    check(port_is_pending(port));
    check_equal(evtchn_unmask(port), 0);
    check(wait_for(received(port) == 1, 1000));
    check_equal(evtchn_unmask(port), 0);
    spin_for(5);
    check_equal(received(port), 1);
}

TEST(unmask_delivers_at_the_port_s_vcpu, "vcpus=2")
{
    evtchn_port_t port = must_bind_ipi(1);

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_unmask(port), 0);
    check(wait_for(received(port) == 1, 1000));
    check_equal(received_on(port), 1);
}

/* EVTCHNOP_unmask delivers an event that the guest itself made pending. */
TEST(unmask_delivers_what_the_guest_made_pending, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    port_mask(port);
    port_set_pending(port);
    check_equal(evtchn_unmask(port), 0);
    check(wait_for(received(port) == 1, 1000));
}

/* Only in FIFO does it deliver an event of a port that is not masked. */
TEST(unmask_of_a_port_that_is_not_masked, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    port_set_pending(port);
    check_equal(evtchn_unmask(port), 0);
    spin_for(5);
    check_equal(received(port), guest_abi == ABI_FIFO);
}
