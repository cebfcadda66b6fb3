/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_alloc_unbound. */

#include "ports.h"

TEST(alloc_unbound_for_this_domain, "")
{
    const domid_t names[] = { DOMID_SELF, own_domid() };
    unsigned int i;

    for (i = 0; i < 2; i++) {
        evtchn_port_t expected = next_port(), port;

        check_equal(evtchn_alloc_unbound(names[i], DOMID_SELF, &port), 0);
        check_equal(port, expected);
        check_equal(port_status(port), EVTCHNSTAT_unbound);
        check_equal(port_vcpu(port), 0);
    }
}

/* Xen does not check the remote domain before that domain binds. */
TEST(alloc_unbound_for_any_remote, "")
{
    const struct {
        domid_t remote, status;
    } cases[] = {
        { DOMID_SELF, own_domid() },      { 0, 0 },
        { DOMID_NOBODY, DOMID_NOBODY },   { DOMID_XEN, DOMID_XEN },
        { DOMID_INVALID, DOMID_INVALID },
    };
    struct evtchn_status status;
    evtchn_port_t port;
    unsigned int i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_equal(evtchn_alloc_unbound(DOMID_SELF, cases[i].remote, &port),
                    0);
        check_equal(evtchn_status(DOMID_SELF, port, &status), 0);
        check_equal(status.status, EVTCHNSTAT_unbound);
        check_equal(status.u.unbound.dom, cases[i].status);
    }
}

TEST(alloc_unbound_of_other_domains, "")
{
    struct evtchn_alloc_unbound alloc = { .port = 0x1234 };
    unsigned int open = nr_open_ports(), i;

    alloc.dom = 0;
    check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc),
                -XEN_EPERM);
    for (i = 0; i < NR_BAD_DOMIDS; i++) {
        alloc.dom = bad_domids[i];
        check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc),
                    -XEN_ESRCH);
    }
    check_equal(alloc.port, 0x1234);
    check_equal(nr_open_ports(), open);
}

TEST(alloc_unbound_takes_the_lowest_port, "")
{
    evtchn_port_t port[4], again;
    unsigned int i;

    for (i = 0; i < 4; i++) {
        port[i] = must_alloc_unbound();
        check(i == 0 || port[i] > port[i - 1]);
    }
    evtchn_close(port[2]);
    evtchn_close(port[1]);
    check_equal(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF, &again), 0);
    check_equal(again, port[1]);
    check_equal(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF, &again), 0);
    check_equal(again, port[2]);
}
