/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_reset: all ports are closed, and the guest is in 2-level again. */

#include "fifo.h"
#include "ports.h"

TEST(reset_of_other_domains, "")
{
    unsigned int open = nr_open_ports(), i;

    check_equal(evtchn_reset(0), -XEN_EPERM);
    for (i = 0; i < NR_BAD_DOMIDS; i++) {
        check_equal(evtchn_reset(bad_domids[i]), -XEN_ESRCH);
    }
    check_equal(nr_open_ports(), open);
}

/* By the domain's number in place of DOMID_SELF. */
TEST(reset_closes_all_ports, "fresh")
{
    evtchn_port_t port[NR_PORT_KINDS] = { 0 }, console;
    enum evtchn_abi abi = guest_abi;
    enum port_kind kind;

    for (console = 1; port_status(console) != EVTCHNSTAT_interdomain;
         console++) {
    }
    for (kind = PORT_UNBOUND; kind < nr_port_kinds(); kind++) {
        port[kind] = open_port(kind);
    }
    check_equal(evtchn_reset(own_domid()), 0);
    check_equal(port_status(console), EVTCHNSTAT_closed);
    check_equal(nr_open_ports(), 0);
    check_equal(next_port(), 1);
    for (kind = PORT_UNBOUND; kind < nr_port_kinds(); kind++) {
        test_row(port_kind_names[kind]);
        check_equal(evtchn_send(port[kind]), -XEN_EINVAL);
        check(!port_is_pending(port[kind]));
    }
    require(guest_reset() == 0);
    require(abi_switch(abi) == 0);
    /* Every VIRQ and PIRQ is free again. */
    for (kind = PORT_UNBOUND; kind < nr_port_kinds(); kind++) {
        test_row(port_kind_names[kind]);
        check_equal(port_status(open_port(kind)) > EVTCHNSTAT_closed, true);
    }
}

/* After the reset the guest has no console: only its end shows the verdict. */
TEST(reset_without_coming_back, "alone 2l silent noshim")
{
    console_lost();
    check_equal(evtchn_reset(DOMID_SELF), 0);
    check_equal(nr_open_ports(), 0);
}

TEST(reset_without_open_ports, "fresh")
{
    unsigned int i;

    for (i = 0; i < 3; i++) {
        check_equal(evtchn_reset(DOMID_SELF), 0);
    }
    require(guest_reset() == 0);
}

TEST(reset_and_2l_again, "fresh 2l vcpus=2")
{
    unsigned int round;

    for (round = 0; round < 3; round++) {
        check_delivery_to_all(1000);
        require(guest_reset() == 0);
    }
    check_delivery_to_all(1000);
}

TEST(reset_takes_fifo_away, "fresh fifo vcpus=2")
{
    evtchn_port_t port;

    require(abi_switch(ABI_FIFO) == 0);
    check_delivery_to_all(1000);
    require(guest_reset() == 0);
    check_equal(evtchn_expand_array(gfn_of(page_alloc(1))), -XEN_EOPNOTSUPP);
    port = must_bind_ipi(0);
    check_equal(evtchn_set_priority(port, 0), -XEN_ENOSYS);
    check_delivery_to_all(1000);
}

TEST(reset_and_fifo_again, "fresh fifo vcpus=2")
{
    unsigned int round;

    for (round = 0; round < 4; round++) {
        require(abi_switch(ABI_FIFO) == 0);
        check_delivery_to_all(1000);
        require(guest_reset() == 0);
        /* Every other time use 2-level in between. */
        if (round % 2) {
            check_delivery_to_all(1000);
        }
    }
}

/* Events that are pending, masked or linked at the reset are dropped. */
TEST(reset_drops_events, "fresh fifo")
{
    evtchn_port_t port[4];
    unsigned int i;

    require(abi_switch(ABI_FIFO) == 0);
    upcalls_disable();
    for (i = 0; i < 4; i++) {
        port[i] = must_bind_ipi(0);
        check_equal(evtchn_send(port[i]), 0);
    }
    require(guest_reset() == 0);
    for (i = 0; i < 4; i++) {
        check(!port_is_pending(port[i]));
        must_bind_ipi(0);
    }
    spin_for(5);
    check_equal(received_in_all(), 0);
    require(guest_reset() == 0);

    /* The numbers are free at once, though the guest has not unlinked them. */
    require(abi_switch(ABI_FIFO) == 0);
    for (i = 0; i < 4; i++) {
        check(must_bind_ipi(0) <= port[3]);
    }
    check_delivery_to_all(1000);
}

/* Priorities start at the default one again. */
TEST(reset_forgets_priorities, "fresh fifo")
{
    evtchn_port_t port;

    require(abi_switch(ABI_FIFO) == 0);
    port = must_bind_ipi(0);
    check_equal(evtchn_set_priority(port, 3), 0);
    require(guest_reset() == 0);
    require(abi_switch(ABI_FIFO) == 0);
    require(must_bind_ipi(0) <= port);
    while (port_status(port) != EVTCHNSTAT_ipi) {
        must_bind_ipi(0);
    }
    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    check_equal(fifo_control_block(0)->ready,
                1 << EVTCHN_FIFO_PRIORITY_DEFAULT);
    upcalls_enable();
    check(wait_for(received(port) == 1, 1000));
}
