/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VCPUOP_register_vcpu_info moves a vCPU's vcpu_info, once, to an address that
 * the guest chooses.  Xen copies the old one, and marks everything as pending.
 * xenkvm marks only if an event is pending: see the list of differences.
 */

#include "guest.h"

/* Not mapped; or, where all of 4 GiB is mapped, no memory. */
#ifdef __x86_64__
#define NOWHERE 0x700000000000
#else
#define NOWHERE 0xe0000000
#endif

#define FILLER 0xa5

/* In the image, as Xen uses them until the guest's end. */
static unsigned char pages[2][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static int register_info(unsigned int vcpu, uint64_t gfn, uint32_t offset)
{
    struct vcpu_register_vcpu_info info = { .mfn = gfn, .offset = offset };

    return HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, vcpu, &info);
}

static void take_abi(void)
{
    if (abi_asked_for() != ABI_2L) {
        require(abi_switch(abi_asked_for()) == 0);
    }
}

/* An address for @vcpu, at the end or the beginning of its own page. */
static struct vcpu_info *place_for(unsigned int vcpu, uint32_t *offset)
{
    memset(pages[vcpu], FILLER, PAGE_SIZE);
    *offset = vcpu ? 0 : PAGE_SIZE - sizeof(struct vcpu_info);
    return (struct vcpu_info *)(pages[vcpu] + *offset);
}

/* Xen has written only to the vcpu_info at @offset. */
static void check_rest_of_page(unsigned int vcpu, uint32_t offset)
{
    unsigned int i, written = 0;

    for (i = 0; i < PAGE_SIZE; i++) {
        if (i < offset || i >= offset + sizeof(struct vcpu_info)) {
            written += pages[vcpu][i] != FILLER;
        }
    }
    check_equal(written, 0);
}

/* @info has all of evtchn_pending_sel and the upcall flag set. */
static void check_marked(const struct vcpu_info *info)
{
    check_equal(info->evtchn_upcall_pending, 1);
    check(info->evtchn_pending_sel == ~(xen_ulong_t)0);
}

static void check_events_come(evtchn_port_t port, unsigned int vcpu,
                              const struct vcpu_info *old)
{
    unsigned int before = received(port), i;

    for (i = 1; i <= 3; i++) {
        check_equal(evtchn_send(port), 0);
        check(wait_for(received(port) == before + i, 10000));
        check_equal(received_on(port), vcpu);
    }
    check_equal(old->evtchn_upcall_pending, 0);
    check(old->evtchn_pending_sel == 0);
}

static void forget(struct vcpu_info *info)
{
    info->evtchn_upcall_pending = 0;
    info->evtchn_pending_sel = 0;
}

/* A vCPU registers its own while an event is pending; events then use it. */
TEST(vcpu_info_registered, "2l 3l fifo alone vcpus=2")
{
    struct vcpu_info *old = vcpu_info_of(0), *new;
    evtchn_port_t waiting, masked, later;
    uint32_t offset;
    int64_t apart;

    take_abi();
    waiting = must_bind_ipi(0);
    masked = must_bind_ipi(0);
    later = must_bind_ipi(0);
    port_mask(masked);
    new = place_for(0, &offset);

    upcalls_disable();
    check_equal(evtchn_send(waiting), 0);
    check_equal(evtchn_send(masked), 0);
    check_equal(old->evtchn_upcall_pending, 1);
    old->evtchn_upcall_mask = 1;
    old->arch.cr2 = 0x12345678;
    require(register_info(0, gfn_of(pages[0]), offset) == 0);
    vcpu_info_is_at(0, new);
    check_marked(new);
    check_equal(new->evtchn_upcall_mask, 1);
    check_equal(new->arch.cr2, 0x12345678);
    check_rest_of_page(0, offset);
    /* Xen updates the time in the new one. */
    apart = time_by(&new->time) - time_by(&old->time);
    check(apart > -1000000000 && apart < 1000000000);
    forget(old);
    new->evtchn_upcall_mask = 0;
    upcalls_enable();
    check(wait_for(received(waiting) == 1, 10000));
    check_equal(received(masked), 0);
    check_equal(evtchn_unmask(masked), 0);
    check(wait_for(received(masked) == 1, 10000));
    check_events_come(later, 0, old);

    /* A second registration is refused. */
    check_equal(register_info(0, gfn_of(pages[0]), offset), -XEN_EINVAL);
    check_equal(register_info(0, gfn_of(pages[1]), 0), -XEN_EINVAL);
    check_equal(pages[1][0], 0);
    check_events_come(later, 0, old);
}

/* Linux's order.  No event is pending, though Xen marks everything. */
TEST(vcpu_info_registered_before_the_abi, "2l 3l fifo alone")
{
    struct vcpu_info *old = vcpu_info_of(0), *new;
    evtchn_port_t port;
    uint32_t offset;

    new = place_for(0, &offset);
    upcalls_disable();
    forget(old);
    require(register_info(0, gfn_of(pages[0]), offset) == 0);
    vcpu_info_is_at(0, new);
    if (host_is_xen()) {
        check_marked(new);
    } else {
        check(new->evtchn_upcall_pending <= 1);
    }
    upcalls_enable();
    take_abi();
    port = must_bind_ipi(0);
    check_events_come(port, 0, old);
}

/* A vCPU registers that of another one, which is down. */
TEST(vcpu_info_of_a_vcpu_that_is_down, "2l 3l fifo alone vcpus=2 hvm pvh")
{
    struct vcpu_info *old = vcpu_info_of(1), *new;
    evtchn_port_t waiting, later;
    uint32_t offset;

    take_abi();
    waiting = must_bind_ipi(1);
    later = must_bind_ipi(1);
    new = place_for(1, &offset);

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_down, 1, NULL), 0);
    require(wait_for(HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL) == 0, 10000));
    check_equal(evtchn_send(waiting), 0);
    require(register_info(1, gfn_of(pages[1]), offset) == 0);
    /* The other vCPU's thread may have to do it: wait. */
    check(wait_for(new->evtchn_upcall_pending == 1, 10000));
    check_marked(new);
    check_rest_of_page(1, offset);
    check_equal(register_info(1, gfn_of(pages[1]), offset), -XEN_EINVAL);
    forget(old);
    vcpu_info_is_at(1, new);
    check_equal(evtchn_send(later), 0);
    check_equal(received_in_all(), 0);

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_up, 1, NULL), 0);
    check(wait_for(received(waiting) == 1 && received(later) == 1, 10000));
    check_events_come(later, 1, old);
}

/* After a call that is refused the vcpu_info is where it was. */
TEST(vcpu_info_refused, "vcpus=2")
{
    evtchn_port_t port = must_bind_ipi(0);
    uint64_t gfn = gfn_of(pages[0]);
    void *nowhere = (void *)NOWHERE;

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, nowhere),
                -XEN_EFAULT);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 1, nowhere),
                -XEN_EFAULT);
    check_equal(
        HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, nr_vcpus, nowhere),
        -XEN_ENOENT);
    /* Over the end of a page, though the next is the guest's, too. */
    check_equal(register_info(0, gfn, PAGE_SIZE - sizeof(struct vcpu_info) + 8),
                -XEN_ENXIO);
    check_equal(register_info(0, gfn, PAGE_SIZE), -XEN_ENXIO);
    check_equal(register_info(0, gfn, ~0u), -XEN_ENXIO);
    check_equal(register_info(0, gfn, 1), -XEN_ENXIO);
    /* Xen checks the offset first. */
    check_equal(register_info(1, gfn, 1), -XEN_ENXIO);
    check_equal(register_info(0, ~0ull, 1), -XEN_ENXIO);

    /* Another vCPU that is up: see the list of differences. */
    if (host_is_xen() || has_word("pv64", guest_type)) {
        check_equal(register_info(1, gfn, 0), -XEN_EINVAL);
    }
    check_equal(register_info(0, ~0ull, 0), -XEN_EINVAL);
    check_equal(register_info(0, 0xe0000000 / PAGE_SIZE, 0), -XEN_EINVAL);
    check_events_come(port, 0, (const struct vcpu_info *)pages[0]);
}
