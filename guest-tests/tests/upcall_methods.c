/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How upcalls reach an HVM guest, and changes from one way to another. */

#include "guest.h"

/* Events come by @method: many one after the other, and some that merge. */
static void check_upcalls_come(enum upcall_method method)
{
    evtchn_port_t port = must_bind_ipi(0), other = must_bind_ipi(0);
    unsigned int i, before = upcalls_by(method);

    for (i = 1; i <= 20; i++) {
        check_equal(evtchn_send(port), 0);
        check(wait_for(received(port) == i, 5000));
    }
    check(upcalls_by(method) >= before + 20);

    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_send(other), 0);
    check_equal(evtchn_send(port), 0);
    upcalls_enable();
    check(wait_for(received(other) == 1, 5000));
    check_equal(received(port), 21);
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 0);
    check_equal(evtchn_close(port), 0);
    check_equal(evtchn_close(other), 0);
    received_clear(port);
    received_clear(other);
}

TEST(upcall_by_vector, "hvm pvh")
{
    check_equal(upcall_set_method(UPCALL_VECTOR), 0);
    check_upcalls_come(UPCALL_VECTOR);
}

TEST(upcall_by_gsi, "hvm")
{
    unsigned int before;

    require(upcall_set_method(UPCALL_GSI) == 0);
    before = upcalls_by(UPCALL_VECTOR);
    check_upcalls_come(UPCALL_GSI);
    check_equal(upcalls_by(UPCALL_VECTOR), before);
}

TEST(upcall_by_pci_intx, "hvm")
{
    unsigned int before;
    int error = upcall_set_method(UPCALL_PCI_INTX);

    if (error == -XEN_ENODEV) {
        test_skip("no Xen platform device");
    }
    require(error == 0);
    before = upcalls_by(UPCALL_VECTOR);
    check_upcalls_come(UPCALL_PCI_INTX);
    check_equal(upcalls_by(UPCALL_VECTOR), before);
}

/* Without a method no event is delivered or lost: the next one brings all. */
static void check_change_while_pending(enum upcall_method from,
                                       enum upcall_method to)
{
    evtchn_port_t port = must_bind_ipi(0);

    received_clear(port);
    upcalls_disable();
    require(upcall_set_method(from) == 0);
    check_equal(evtchn_send(port), 0);
    check_equal(upcall_set_method(to), 0);
    upcalls_enable();
    check(wait_for(received(port) == 1, 5000));
    /* The old method delivers nothing any more. */
    spin_for(5);
    check_equal(received(port), 1);
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 0);
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 2, 5000));
    check_equal(evtchn_close(port), 0);
}

TEST(upcall_method_changed_while_pending, "hvm")
{
    static const enum upcall_method methods[] = {
        UPCALL_VECTOR,
        UPCALL_GSI,
        UPCALL_PCI_INTX,
    };
    unsigned int nr = 3, from, to;

    nr -= upcall_set_method(UPCALL_PCI_INTX) != 0;
    for (from = 0; from < nr; from++) {
        for (to = 0; to < nr; to++) {
            check_change_while_pending(methods[from], methods[to]);
        }
    }
}

TEST(upcall_by_no_method, "hvm")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int before = upcalls_of(0);

    check_equal(upcall_set_method(UPCALL_NONE), 0);
    check_equal(evtchn_send(port), 0);
    spin_for(5);
    check_equal(upcalls_of(0), before);
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 1);
    check_equal(upcall_set_method(UPCALL_VECTOR), 0);
    check(wait_for(received(port) == 1, 5000));
}

/* Xen accepts unknown types, and GSIs that no interrupt controller has. */
TEST(upcall_by_what_there_is_not, "hvm")
{
    static const uint64_t callbacks[] = {
        0x80,
        0xff,
        3ull << 56,
        0xffull << 56 | 0x20,
    };
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int before, i;

    for (i = 0; i < sizeof(callbacks) / sizeof(callbacks[0]); i++) {
        struct xen_hvm_param param = {
            .domid = DOMID_SELF,
            .index = HVM_PARAM_CALLBACK_IRQ,
            .value = callbacks[i],
        };

        before = upcalls_of(0);
        check_equal(HYPERVISOR_hvm_op(HVMOP_set_param, &param), 0);
        check_equal(evtchn_send(port), 0);
        spin_for(5);
        check_equal(upcalls_of(0), before);
        check_equal(upcall_set_method(UPCALL_VECTOR), 0);
        check(wait_for(received(port) == i + 1, 5000));
    }
}

/* Upcalls by a line go to vCPU 0 only; other vCPUs' events wait. */
TEST(upcall_by_gsi_is_for_vcpu_0, "hvm vcpus=2")
{
    evtchn_port_t port = must_bind_ipi(1);
    unsigned int before = upcalls_of(1);

    require(upcall_set_method(UPCALL_GSI) == 0);
    check_equal(evtchn_send(port), 0);
    spin_for(5);
    check_equal(upcalls_of(1), before);
    check_equal(vcpu_info_of(1)->evtchn_upcall_pending, 1);
    check_upcalls_come(UPCALL_GSI);
    check_equal(upcall_set_method(UPCALL_VECTOR), 0);
    check(wait_for(received(port) == 1, 10000));
}

static int set_vcpu_vector(uint32_t vcpu, uint8_t vector)
{
    struct xen_hvm_evtchn_upcall_vector upcall = {
        .vcpu = vcpu,
        .vector = vector,
    };

    return HYPERVISOR_hvm_op(HVMOP_set_evtchn_upcall_vector, &upcall);
}

TEST(upcall_vcpu_vector_refused, "hvm pvh")
{
    check_equal(set_vcpu_vector(0, 0), -XEN_EINVAL);
    check_equal(set_vcpu_vector(0, 15), -XEN_EINVAL);
    check_equal(set_vcpu_vector(nr_vcpus, 0xf2), -XEN_ENOENT);
    check_equal(set_vcpu_vector(~0u, 0xf2), -XEN_ENOENT);
    /* Xen checks the vector, which must not be an exception's, first. */
    check_equal(set_vcpu_vector(nr_vcpus, 15), -XEN_EINVAL);
}

TEST(upcall_vcpu_vector_unreadable, "hvm pvh")
{
    /* No memory: in the hole below 4 GiB, which is mapped; and not mapped. */
    check_equal(HYPERVISOR_hvm_op(HVMOP_set_evtchn_upcall_vector,
                                  (void *)0xe0000000),
                -XEN_EFAULT);
#ifdef __x86_64__
    check_equal(HYPERVISOR_hvm_op(HVMOP_set_evtchn_upcall_vector,
                                  (void *)0x700000000000),
                -XEN_EFAULT);
#endif
}

/* Alone in its guest, as Xen cannot undo this method. */
TEST(upcall_by_vcpu_vector, "hvm pvh alone")
{
    evtchn_port_t port;
    unsigned int vcpu;

    require(upcall_set_method(UPCALL_VCPU_VECTOR) == 0);
    check_upcalls_come(UPCALL_VCPU_VECTOR);
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        port = must_bind_ipi(vcpu);
        check_equal(evtchn_send(port), 0);
        check(wait_for(received(port) == 1, 10000));
        check_equal(received_on(port), vcpu);
    }
    check_equal(abi_switch(ABI_FIFO), 0);
    check_upcalls_come(UPCALL_VCPU_VECTOR);
}

/* An upcall that is pending when the vector is set comes by that vector. */
TEST(upcall_vcpu_vector_set_while_pending, "hvm alone")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int before = upcalls_by(UPCALL_VCPU_VECTOR);

    require(upcall_set_method(UPCALL_NONE) == 0);
    check_equal(evtchn_send(port), 0);
    spin_for(5);
    check_equal(received(port), 0);
    require(upcall_set_method(UPCALL_VCPU_VECTOR) == 0);
    check(wait_for(received(port) == 1, 5000));
    check(upcalls_by(UPCALL_VCPU_VECTOR) > before);
}
