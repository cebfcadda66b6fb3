/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last port of an ABI, and what comes after it. */

#include "ports.h"

/* Bind IPIs until no port is left; returns the last one. */
static evtchn_port_t bind_all_ports(evtchn_port_t enough)
{
    evtchn_port_t port, last = 0;
    int error = 0;

    while (last < enough && !(error = evtchn_bind_ipi(0, &port))) {
        check(port > last);
        last = port;
        require(abi_grow(port + 1) == 0);
        port_unmask(port);
    }
    check_equal(error, last < enough ? -XEN_ENOSPC : 0);
    return last;
}

static void check_delivery_up_to(evtchn_port_t last)
{
    evtchn_port_t port;
    unsigned int sent = 0;

    for (port = 1; port <= last; port++) {
        sent += evtchn_send(port) == 0 && port_status(port) == EVTCHNSTAT_ipi;
    }
    check(wait_for(received_in_all() >= sent, 5000));
    check_equal(received(last), 1);
    check_equal(received_in_all(), sent);
}

static void check_all_is_full(evtchn_port_t last)
{
    struct evtchn_bind_pirq pirq = { .pirq = FREE_PIRQ };
    unsigned int virq;
    evtchn_port_t port, peer;

    check_equal(evtchn_close(last - 1), 0);
    check_equal(must_alloc_unbound(), last - 1);
    peer = last - 1;

    check_equal(evtchn_bind_ipi(0, &port), -XEN_ENOSPC);
    check_equal(evtchn_alloc_unbound(DOMID_SELF, 0, &port), -XEN_ENOSPC);
    check_equal(evtchn_bind_interdomain(DOMID_SELF, peer, &port), -XEN_ENOSPC);
    check_equal(evtchn_bind_interdomain(DOMID_SELF, 0, &port), -XEN_ENOSPC);
    for (virq = 0; virq < NR_VIRQS; virq++) {
        check_equal(evtchn_bind_virq(virq, 0, &port), -XEN_ENOSPC);
    }
    if (!guest_is_pv()) {
        check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &pirq),
                    -XEN_ENOSPC);
    }
    check_equal(port_status(peer), EVTCHNSTAT_unbound);
}

/* The first port beyond the limit gives the same errors as the last number. */
static void check_is_no_port(evtchn_port_t port)
{
    struct evtchn_status status;

    check_equal(evtchn_send(port), -XEN_EINVAL);
    check_equal(evtchn_close(port), -XEN_EINVAL);
    check_equal(evtchn_unmask(port), -XEN_EINVAL);
    check_equal(evtchn_bind_vcpu(port, 0), -XEN_EINVAL);
    check_equal(evtchn_set_priority(port, 0), -XEN_EINVAL);
    check_equal(evtchn_status(DOMID_SELF, port, &status), -XEN_EINVAL);
    check(polls_are_the_kernels() ||
          sched_poll(&port, 1, system_time()) == -XEN_EINVAL);
}

static void fill(void)
{
    evtchn_port_t last = bind_all_ports(~0u);

    /* All of the ABI's ports; on Xen max_event_channels must allow for them. */
    require(check_equal(last, abi_nr_ports() - 1));
    check_delivery_up_to(last);
    check_all_is_full(last);
    check_is_no_port(last + 1);
}

TEST(limit_of_2l, "2l seconds=60 noshim")
{
    check_equal(abi_nr_ports(), WORD_BITS * WORD_BITS);
    fill();
}

TEST(limit_of_3l, "3l seconds=120")
{
    check_equal(abi_nr_ports(), WORD_BITS * WORD_BITS * WORD_BITS);
    fill();
}

/* Not on Xen, which searches all ports for a free one: that takes too long. */
TEST(limit_of_fifo, "fifo tcg lab kvm seconds=120")
{
    check_equal(abi_nr_ports(), 131072);
    fill();
}

TEST(limit_of_fifo_is_not_that_of_2l, "fifo seconds=120")
{
    evtchn_port_t last = bind_all_ports(WORD_BITS * WORD_BITS + 10);

    require(check_equal(last, WORD_BITS * WORD_BITS + 10));
    check_delivery_up_to(last);
}

/* A full domain that closes one port can open one. */
TEST(limit_and_one_closed, "2l seconds=60 noshim")
{
    evtchn_port_t last = bind_all_ports(~0u), port;
    const evtchn_port_t closed[] = { last, last / 2, last - 1 };
    unsigned int i;

    for (i = 0; i < 3; i++) {
        check_equal(evtchn_close(closed[i]), 0);
        check_equal(evtchn_bind_ipi(0, &port), 0);
        check_equal(port, closed[i]);
        check_equal(evtchn_bind_ipi(0, &port), -XEN_ENOSPC);
    }
}
