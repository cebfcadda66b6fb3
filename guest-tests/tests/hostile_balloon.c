/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that gives back pages which it shares with Xen.  It may lose what was
 * in them, and nothing else: what it registers anew works.
 */

#include "fifo.h"
#include "xenstore.h"

static bool give_back(const volatile void *page)
{
    xen_pfn_t gfn = gfn_of((const void *)page);
    struct xen_memory_reservation op = { .nr_extents = 1, .domid = DOMID_SELF };

    set_xen_guest_handle(op.extent_start, &gfn);
    return HYPERVISOR_memory_op(XENMEM_decrease_reservation, &op) == 1;
}

static bool take_again(const volatile void *page)
{
    xen_pfn_t gfn = gfn_of((const void *)page);
    struct xen_memory_reservation op = { .nr_extents = 1, .domid = DOMID_SELF };

    set_xen_guest_handle(op.extent_start, &gfn);
    return HYPERVISOR_memory_op(XENMEM_populate_physmap, &op) == 1;
}

static void check_delivery(void)
{
    evtchn_port_t port = must_bind_ipi(0);

    received_clear(port);
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 5000));
    check_equal(evtchn_close(port), 0);
}

/* Without time, which is in that page. */
static void yield_often(void)
{
    unsigned int i;

    for (i = 0; i < 1000; i++) {
        sched_yield();
    }
}

TEST(balloon_of_vcpu_info, "hvm pvh tcg lab kvm alone")
{
    /* In the image, as Xen uses it until the guest's end. */
    static char place[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    struct vcpu_info *page = (struct vcpu_info *)place, saved;
    struct vcpu_register_vcpu_info info = { .mfn = gfn_of(page) };
    evtchn_port_t port = must_bind_ipi(0);

    require(!HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &info));
    vcpu_info_is_at(0, page);
    check_delivery();
    upcalls_disable();
    saved = *page;
    check(give_back(page));
    check_equal(evtchn_send(port), 0);
    yield_often();
    check(take_again(page));
    check_equal(page->evtchn_upcall_pending, 0);
    /* Xen goes on with the page that is there now; the guest repairs it. */
    page->time = saved.time;
    page->evtchn_pending_sel = ~(xen_ulong_t)0;
    page->evtchn_upcall_pending = 1;
    upcalls_enable();
    check_delivery();
}

TEST(balloon_of_runstate, "hvm pvh tcg lab kvm alone")
{
    volatile struct vcpu_runstate_info *area = page_alloc(1);
    struct vcpu_register_runstate_memory_area op = {
        .addr.p = (uintptr_t)area,
    };

    require(!HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op));
    check(give_back(area));
    spin_for(20);
    check(take_again(area));
    check(wait_for((sched_yield(), area->state_entry_time), 1000));
}

TEST(balloon_of_shared_info, "hvm pvh tcg lab kvm alone")
{
    struct xen_memory_domain self = { .domid = DOMID_SELF };
    long before = HYPERVISOR_memory_op(XENMEM_current_reservation, &self);

    check(give_back(shared_info));
    check_equal(HYPERVISOR_memory_op(XENMEM_current_reservation, &self),
                before);
    yield_often();
    require(!map_page(XENMAPSPACE_shared_info, 0, gfn_of(shared_info)));
    upcall_set_method(UPCALL_VECTOR);
    check_delivery();
    /* Over a frame that has no page, too. */
    require(guest_reset() == 0);
    check(give_back(shared_info));
    check(give_back(shared_info));
    require(!map_page(XENMAPSPACE_shared_info, 0, gfn_of(shared_info)));
    check(!take_again(shared_info));
    upcall_set_method(UPCALL_VECTOR);
    check_delivery();
}

/* The next kernel has all of the memory. */
TEST(balloon_before_a_soft_reset, "hvm pvh tcg lab kvm alone")
{
    struct xen_memory_domain self = { .domid = DOMID_SELF };
    long before = HYPERVISOR_memory_op(XENMEM_current_reservation, &self);
    void *page = page_alloc(1);

    check(give_back(page));
    soft_reset();
    check_equal(HYPERVISOR_memory_op(XENMEM_current_reservation, &self),
                before);
    check(give_back(page));
}

/* The pages that QEMU has made for the guest stay. */
TEST(balloon_of_rings, "hvm pvh tcg lab kvm alone")
{
    grant_entry_v1_t *table = page_alloc(1);

    check(!give_back(xenstore_ring()));
    check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
    require(!map_page(XENMAPSPACE_grant_table, 0, gfn_of(table)));
    check(!give_back(table));
    check(table[GNTTAB_RESERVED_XENSTORE].flags & GTF_reading);
}

TEST(balloon_of_fifo_pages, "fifo hvm pvh tcg lab kvm alone")
{
    struct evtchn_fifo_control_block *control;
    evtchn_port_t port;
    unsigned int round;

    require(abi_switch(ABI_FIFO) == 0);
    control = fifo_control_block(0);
    check_delivery();
    for (round = 0; round < 4; round++) {
        upcalls_disable();
        port = must_bind_ipi(0);
        check_equal(evtchn_send(port), 0);
        check(give_back((void *)((uintptr_t)control & -PAGE_SIZE)));
        check(give_back((void *)((uintptr_t)fifo_event_word(port) &
                                 -PAGE_SIZE)));
        check_equal(evtchn_send(port), 0);
        evtchn_unmask(port);
        check(take_again((void *)((uintptr_t)control & -PAGE_SIZE)));
        check(take_again((void *)((uintptr_t)fifo_event_word(port) &
                                  -PAGE_SIZE)));
        check_equal(evtchn_send(port), 0);
        upcalls_enable();
        spin_for(20);
    }
    /* New pages, new events. */
    require(guest_reset() == 0);
    require(abi_switch(ABI_FIFO) == 0);
    check_delivery();
}
