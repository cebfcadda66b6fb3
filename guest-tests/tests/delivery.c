/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An event that is sent comes, once, to the vCPU to which its port is bound. */

#include "guest.h"

TEST(delivery_events_merge, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_send(port), 0);
    check(port_is_pending(port));
    check_equal(received(port), 0);
    upcalls_enable();
    check(wait_for(received(port) == 1, 5000));
    check(!port_is_pending(port));
    check_equal(received(port), 1);
}

/* More ports than a 2-level word has. */
TEST(delivery_many_ports, "")
{
    evtchn_port_t port[150];
    unsigned int i, sends;

    for (i = 0; i < 150; i++) {
        port[i] = must_bind_ipi(0);
    }
    for (sends = 1; sends <= 3; sends++) {
        upcalls_disable();
        for (i = 0; i < 150; i++) {
            check_equal(evtchn_send(port[(i * 37) % 150]), 0);
        }
        upcalls_enable();
        check(wait_for(received_in_all() == 150 * sends, 5000));
        for (i = 0; i < 150; i++) {
            check_equal(received(port[i]), sends);
        }
    }
}

TEST(delivery_both_ends_of_a_channel, "")
{
    evtchn_port_t port[2];
    unsigned int end;

    must_bind_loopback(port);
    for (end = 0; end < 2; end++) {
        check_equal(evtchn_send(port[end]), 0);
        check(wait_for(received(port[!end]) == 1, 5000));
        check_equal(received(port[end]), end);
    }
}

/* Xen raises the new end, as events may have been sent before it was bound. */
TEST(delivery_binding_raises_the_new_end, "")
{
    evtchn_port_t first = must_alloc_unbound(), second;

    require(evtchn_bind_interdomain(DOMID_SELF, first, &second) == 0);
    require(abi_grow(second + 1) == 0);
    check(port_is_pending(second));
    check_equal(received(second), 0);
    port_unmask(second);
    check(wait_for(received(second) == 1, 5000));
    check_equal(received(first), 0);
}

TEST(delivery_unbound_port_takes_nothing, "")
{
    evtchn_port_t port = must_alloc_unbound();

    check_equal(evtchn_send(port), 0);
    check(!port_is_pending(port));
    spin_for(5);
    check_equal(received(port), 0);
}

static volatile bool go;

static void take_none_until_go(void *opaque)
{
    volatile bool *is_deaf = opaque;

    upcalls_disable();
    *is_deaf = true;
    wait_for(go, 10000);
    upcalls_enable();
}

/* While all vCPUs have upcalls disabled, Xen keeps one event of each port. */
TEST(delivery_when_no_vcpu_accepts, "noshim vcpus=2")
{
    volatile bool is_deaf[MAX_VCPUS] = { false };
    evtchn_port_t port[MAX_VCPUS];
    unsigned int vcpu;

    go = false;
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        port[vcpu] = must_bind_ipi(vcpu);
    }
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        vcpu_start(vcpu, take_none_until_go, (void *)&is_deaf[vcpu]);
        require(wait_for(is_deaf[vcpu], 10000));
    }
    upcalls_disable();
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        check_equal(evtchn_send(port[vcpu]), 0);
        check_equal(evtchn_send(port[vcpu]), 0);
        check(port_is_pending(port[vcpu]));
        check_equal(vcpu_info_of(vcpu)->evtchn_upcall_pending, 1);
    }
    spin_for(5);
    check_equal(received_in_all(), 0);

    go = true;
    upcalls_enable();
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        check(wait_for(received(port[vcpu]) == 1, 10000));
        check_equal(received_on(port[vcpu]), vcpu);
    }
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        check(vcpu_join(vcpu, 10000));
    }
    check_equal(received_in_all(), nr_vcpus);
}

/* An event sets only the upcall flag of the vCPU to which its port is bound. */
TEST(delivery_only_the_bound_vcpu_is_told, "vcpus=2")
{
    evtchn_port_t port = must_bind_ipi(1);
    unsigned int before = upcalls_of(0);

    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 10000));
    check_equal(received_on(port), 1);
    check_equal(upcalls_of(0), before);
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 0);
}
