/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_query_extended_abis and EVTCHNOP_register_3level: each error that
 * the public header lists, after which nothing has changed.
 */

#include "evtchn_3l.h"
#include "ports.h"

#define NR_PAGES EVTCHN_3L_NR_PAGES(WORD_BITS)
#define SELECTOR_SIZE EVTCHN_3L_L2_SELECTOR_SIZE(WORD_BITS)
#define LAST_OFFSET (PAGE_SIZE - SELECTOR_SIZE)
#define ANY_ABI (EVTCHN_EXTENDED_ABI_3LEVEL | EVTCHN_EXTENDED_ABI_FIFO)

/* None of them is a page of RAM that the guest may write to. */
static const struct {
    const char *name;
    uint64_t gfn;
} bad_frames[] = {
    { "the BIOS below 1 MiB", 0xf0 },
    { "the BIOS below 4 GiB", 0xfffff },
    { "the local APIC", 0xfee00 },
    { "the I/O APIC", 0xfec00 },
    { "nothing below 4 GiB", 0xe0000 },
    { "beyond RAM", 1ull << 36 },
    { "beyond physical addresses", 1ull << 40 },
    { "frame 2^52, whose address has no bits left", 1ull << 52 },
    { "no frame", ~0ull },
};
#define NR_BAD_FRAMES (sizeof(bad_frames) / sizeof(bad_frames[0]))

/* Valid arguments, with every port masked; each test makes one wrong. */
static uint64_t pending_gfns[NR_PAGES], mask_gfns[NR_PAGES];
static xen_ulong_t *pending, *masks;

static void make_bitmaps(void)
{
    unsigned int i;

    pending = page_alloc(NR_PAGES);
    masks = memset(page_alloc(NR_PAGES), 0xff, NR_PAGES * PAGE_SIZE);
    for (i = 0; i < NR_PAGES; i++) {
        pending_gfns[i] = gfn_of((char *)pending + i * PAGE_SIZE);
        mask_gfns[i] = gfn_of((char *)masks + i * PAGE_SIZE);
    }
}

static int register_3level(uint32_t cmd, uint32_t nr_pages, uint64_t pending_at,
                           uint64_t mask_at)
{
    struct evtchn_register_3level reg = {
        .cmd = cmd,
        .u.bitmaps.nr_pages = nr_pages,
        .u.bitmaps.pending_gfns = pending_at,
        .u.bitmaps.mask_gfns = mask_at,
    };

    return HYPERVISOR_event_channel_op(EVTCHNOP_register_3level, &reg);
}

static int register_good_bitmaps(void)
{
    return register_3level(EVTCHN_3L_BITMAPS, NR_PAGES, (uintptr_t)pending_gfns,
                           (uintptr_t)mask_gfns);
}

static int register_selector(unsigned int vcpu, const void *at)
{
    return evtchn_register_l2_selector(vcpu, gfn_of(at),
                                       (uintptr_t)at % PAGE_SIZE);
}

static int query(uint64_t *abis)
{
    struct evtchn_query_extended_abis query = { .abis = ~0ull };
    int error =
        HYPERVISOR_event_channel_op(EVTCHNOP_query_extended_abis, &query);

    *abis = query.abis;
    return error;
}

static void check_offered(uint64_t expected)
{
    uint64_t abis;

    check_equal(query(&abis), 0);
    check_equal(abis, expected);
}

static void check_delivery(void)
{
    evtchn_port_t port = must_bind_ipi(0), pair[2];

    must_bind_loopback(pair);
    received_clear(port);
    received_clear(pair[0]);
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_send(pair[1]), 0);
    check(wait_for(received(port) == 1 && received(pair[0]) == 1, 5000));
    check_equal(evtchn_close(port), 0);
    check_equal(evtchn_close(pair[0]), 0);
    check_equal(evtchn_close(pair[1]), 0);
}

/* The guest is still in 2-level, and events are delivered in it. */
static void check_is_2l(void)
{
    evtchn_port_t port = must_bind_ipi(0);

    check_equal(register_selector(0, pending), -XEN_EOPNOTSUPP);
    check_equal(evtchn_expand_array(gfn_of(pending)), -XEN_EOPNOTSUPP);
    check_equal(evtchn_set_priority(port, 0), -XEN_ENOSYS);
    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    check(port_is_pending(port));
    check_equal(pending[port / WORD_BITS], 0);
    upcalls_enable();
    check_equal(evtchn_close(port), 0);
    check_delivery();
}

/* A valid call works after one that failed. */
static void check_switch_works(void)
{
    test_row(NULL);
    require(abi_switch(ABI_3L) == 0);
    check_delivery();
}

TEST(query_extended_abis, "hvm pvh tcg lab kvm")
{
    check_offered(ANY_ABI);
    check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_query_extended_abis,
                                            (void *)0xe0000000),
                -XEN_EFAULT);
    check_delivery();
}

TEST(register_bitmaps_bad_arguments, "fresh 3l seconds=60")
{
    const uintptr_t good = (uintptr_t)pending_gfns;
    const struct {
        const char *name;
        uint32_t cmd, nr_pages;
        uint64_t pending, mask;
        int error;
    } cases[] = {
        { "cmd 0", 0, NR_PAGES, good, good, -XEN_EINVAL },
        { "cmd 3", 3, NR_PAGES, good, good, -XEN_EINVAL },
        { "cmd 0x80000001", 0x80000001, NR_PAGES, good, good, -XEN_EINVAL },
        { "cmd 0xffffffff", 0xffffffff, NR_PAGES, good, good, -XEN_EINVAL },
        { "no pages", 1, 0, good, good, -XEN_EINVAL },
        { "a page less", 1, NR_PAGES - 1, good, good, -XEN_EINVAL },
        { "a page more", 1, NR_PAGES + 1, good, good, -XEN_EINVAL },
        { "pages of the other word size", 1, NR_PAGES == 1 ? 8 : 1, good, good,
          -XEN_EINVAL },
        { "pages for both", 1, 2 * NR_PAGES, good, good, -XEN_EINVAL },
        { "2^29 pages more", 1, (1u << 29) + NR_PAGES, good, good,
          -XEN_EINVAL },
        { "0xffffffff pages", 1, 0xffffffff, good, good, -XEN_EINVAL },
        { "pending's array not memory", 1, NR_PAGES, 0xe0000000, good,
          -XEN_EFAULT },
        { "the masks' array not memory", 1, NR_PAGES, good, 0xe0000000,
          -XEN_EFAULT },
#ifdef __x86_64__
        { "pending's array not mapped", 1, NR_PAGES, 0x700000000000, good,
          -XEN_EFAULT },
        { "the masks' array not mapped", 1, NR_PAGES, good, 0x700000000000,
          -XEN_EFAULT },
        { "an array not canonical", 1, NR_PAGES, 1ull << 63 | good, good,
          -XEN_EFAULT },
        /* The mapped memory ends there: only the first entry can be read. */
        { "an array's end not mapped", 1, NR_PAGES, 0xfffffff8, good,
          -XEN_EFAULT },
#else
        { "an array beyond 4 GiB", 1, NR_PAGES, 1ull << 32 | good, good,
          -XEN_EFAULT },
#endif
    };
    unsigned int i;

    make_bitmaps();
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_row(cases[i].name);
        check_equal(register_3level(cases[i].cmd, cases[i].nr_pages,
                                    cases[i].pending, cases[i].mask),
                    cases[i].error);
        check_is_2l();
    }
    check_switch_works();
}

/* A bad frame, first or last, in either array: Xen unmaps the good ones. */
TEST(register_bitmaps_bad_frames, "fresh 3l seconds=60")
{
    uint64_t *const places[] = {
        &pending_gfns[0],
        &pending_gfns[NR_PAGES - 1],
        &mask_gfns[0],
        &mask_gfns[NR_PAGES - 1],
    };
    unsigned int i, k;

    make_bitmaps();
    for (i = 0; i < NR_BAD_FRAMES; i++) {
        test_row(bad_frames[i].name);
        for (k = 0; k < 4; k++) {
            uint64_t good = *places[k];

            *places[k] = bad_frames[i].gfn;
            check_equal(register_good_bitmaps(), -XEN_EINVAL);
            *places[k] = good;
        }
        check_is_2l();
    }
    check_switch_works();
}

#ifdef GUEST_PV

#include <xen/xen.h>

extern struct start_info *start_info;

/* The hypervisor guards the table that a PV guest runs on: no bits are set there. */
TEST(register_3level_in_top_table, "fresh 3l pv")
{
    uint64_t *const places[] = { &pending_gfns[NR_PAGES - 1], &mask_gfns[0] };
    uint64_t top = gfn_of((void *)start_info->pt_base);
    unsigned int i;

    make_bitmaps();
    for (i = 0; i < 2; i++) {
        uint64_t good = *places[i];

        *places[i] = top;
        check_equal(register_good_bitmaps(), -XEN_EINVAL);
        *places[i] = good;
    }
    require(register_good_bitmaps() == 0);
    check_equal(evtchn_register_l2_selector(0, top, 0), -XEN_EINVAL);
    require(guest_reset() == 0);
    check_switch_works();
}

#endif

/* The arrays may be at any address, also over two pages. */
TEST(register_bitmaps_arrays_over_pages, "fresh 3l")
{
    char *pages = page_alloc(2);
    uint64_t *array = (void *)(pages + PAGE_SIZE - 4);

    make_bitmaps();
    memcpy(array, pending_gfns, sizeof(pending_gfns));
    check_equal(register_3level(EVTCHN_3L_BITMAPS, NR_PAGES, (uintptr_t)array,
                                (uintptr_t)mask_gfns),
                0);
    require(guest_reset() == 0);
    check_delivery();
}

/* As XSA-188: a call fails, others follow, with an event pending meanwhile. */
TEST(xsa_188_register_3level_that_fails, "fresh 3l")
{
    evtchn_port_t waits = must_bind_ipi(0), port[2];
    unsigned int i;

    make_bitmaps();
    must_bind_loopback(port);
    port_mask(waits);
    check_equal(evtchn_send(waits), 0);
    for (i = 0; i < 10; i++) {
        uint64_t good = mask_gfns[NR_PAGES - 1];

        mask_gfns[NR_PAGES - 1] = ~0ull;
        check_equal(register_good_bitmaps(), -XEN_EINVAL);
        mask_gfns[NR_PAGES - 1] = good;
        check_equal(evtchn_send(port[0]), 0);
        check_equal(evtchn_unmask(port[1]), 0);
        check(wait_for(received(port[1]) == i + 1, 5000));
    }
    require(abi_switch(ABI_3L) == 0);
    check_equal(evtchn_send(port[0]), 0);
    check(wait_for(received(port[1]) == i + 1, 5000));
    check_equal(received(waits), 0);
    check(port_is_pending(waits));
    port_unmask(waits);
    check(wait_for(received(waits) == 1, 5000));
}

TEST(register_l2_selector_bad_arguments, "fresh 3l vcpus=2")
{
    char *page = page_alloc(2);
    uint64_t gfn = gfn_of(page);
    const struct {
        const char *name;
        uint32_t vcpu, offset;
        int error;
    } cases[] = {
        { "no such vCPU", VCPU_NONE, 0, -XEN_ENOENT },
        { "vCPU 0x80000001", 0x80000001, 0, -XEN_ENOENT },
        { "vCPU 0xffffffff", 0xffffffff, 0, -XEN_ENOENT },
        { "offset 1", 1, 1, -XEN_EINVAL },
        { "offset 4", 1, 4, -XEN_EINVAL },
        { "over the page's end", 1, LAST_OFFSET + 8, -XEN_EINVAL },
        { "at the page's end", 1, PAGE_SIZE - 8, -XEN_EINVAL },
        { "offset 4096", 1, PAGE_SIZE, -XEN_EINVAL },
        { "offset 0x80000000", 1, 0x80000000, -XEN_EINVAL },
        { "offset 0xfffffff8", 1, 0xfffffff8, -XEN_EINVAL },
    };
    evtchn_port_t port = must_bind_ipi(1);
    xen_ulong_t *selector = (void *)(page + LAST_OFFSET);
    unsigned int i;

    make_bitmaps();
    check_equal(register_selector(0, page), -XEN_EOPNOTSUPP);
    check_equal(register_selector(1, page), -XEN_EOPNOTSUPP);
    check_is_2l();

    upcalls_disable();
    require(register_good_bitmaps() == 0);
    check_equal(evtchn_send(port), 0);
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_row(cases[i].name);
        check_equal(
            evtchn_register_l2_selector(cases[i].vcpu, gfn, cases[i].offset),
            cases[i].error);
        check_equal(vcpu_info_of(1)->evtchn_upcall_pending, 0);
    }
    for (i = 0; i < NR_BAD_FRAMES; i++) {
        test_row(bad_frames[i].name);
        check_equal(evtchn_register_l2_selector(1, bad_frames[i].gfn, 0),
                    -XEN_EINVAL);
        check_equal(vcpu_info_of(1)->evtchn_upcall_pending, 0);
    }
    test_row(NULL);
    check_equal(memcmp(page, page + PAGE_SIZE, PAGE_SIZE), 0);

    /* The event is selected now; the selector may be at its page's end. */
    check_equal(register_selector(1, selector), 0);
    check_equal(selector[0], (xen_ulong_t)1 << port / WORD_BITS);
    selector[0] = 0;

    /* A second call fails: events still use the first selector. */
    check_equal(register_selector(1, selector), -XEN_EINVAL);
    check_equal(register_selector(1, page + PAGE_SIZE), -XEN_EINVAL);
    pending[port / WORD_BITS] = 0;
    check_equal(evtchn_send(port), 0);
    check_equal(selector[0], (xen_ulong_t)1 << port / WORD_BITS);
    upcalls_enable();
    require(guest_reset() == 0);
    check_delivery();
}

/* A guest that is in 3-level registers again. */
TEST(three_level_operations_again, "3l")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int vcpu, i;
    enum port_kind kind;

    make_bitmaps();
    check_equal(register_good_bitmaps(), -XEN_EINVAL);
    mask_gfns[0] = ~0ull;
    check_equal(register_good_bitmaps(), -XEN_EINVAL);
    check_equal(register_3level(0, 0, 0, 0), -XEN_EINVAL);
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        check_equal(register_selector(vcpu, pending), -XEN_EINVAL);
        check_equal(register_selector(vcpu, l2_selector_of(vcpu)), -XEN_EINVAL);
        check_equal(evtchn_init_control(gfn_of(pending), 0, vcpu), -XEN_EINVAL);
    }
    check_equal(evtchn_expand_array(gfn_of(pending)), -XEN_EOPNOTSUPP);
    for (kind = 0; kind < nr_port_kinds(); kind++) {
        test_row(port_kind_names[kind]);
        check_equal(evtchn_set_priority(open_port(kind), 0), -XEN_ENOSYS);
    }
    test_row(NULL);
    for (i = 0; i < NR_BAD_PORTS; i++) {
        check_equal(evtchn_set_priority(bad_ports[i], 0), -XEN_EINVAL);
    }
    received_clear(port);
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 5000));
}

/* From the first control block on FIFO is the ABI until a reset. */
TEST(register_3level_of_a_fifo_guest, "fresh fifo vcpus=2 tcg lab kvm")
{
    make_bitmaps();
    check_equal(evtchn_init_control(gfn_of(page_alloc(1)), 0, 0), 0);
    check_equal(register_good_bitmaps(), -XEN_EINVAL);
    check_equal(register_selector(1, pending), -XEN_EOPNOTSUPP);
    require(guest_reset() == 0);

    require(abi_switch(ABI_FIFO) == 0);
    check_equal(register_good_bitmaps(), -XEN_EINVAL);
    check_equal(register_selector(0, pending), -XEN_EOPNOTSUPP);
    check_delivery();
    require(guest_reset() == 0);
    check_is_2l();
    check_switch_works();
}

/* From its bitmaps on 3-level is the ABI, also before the first selector. */
TEST(init_control_after_bitmaps, "fresh 3l vcpus=2")
{
    make_bitmaps();
    upcalls_disable();
    require(register_good_bitmaps() == 0);
    check_equal(register_good_bitmaps(), -XEN_EINVAL);
    check_equal(evtchn_init_control(gfn_of(page_alloc(1)), 0, 0), -XEN_EINVAL);
    check_equal(evtchn_expand_array(gfn_of(page_alloc(1))), -XEN_EOPNOTSUPP);
    upcalls_enable();
    require(guest_reset() == 0);
    check_is_2l();
    require(abi_switch(ABI_FIFO) == 0);
    check_delivery();
    require(guest_reset() == 0);
    check_switch_works();
}

/* What QEMU does not offer ------------------------------------------------- */

static void check_no_3_level(void)
{
    check_equal(register_good_bitmaps(), -XEN_EPERM);
    check_equal(register_selector(0, pending), -XEN_EPERM);
    check_delivery();
}

static void check_no_fifo(void)
{
    evtchn_port_t port = must_bind_ipi(0);

    check_equal(evtchn_init_control(gfn_of(pending), 0, 0), -XEN_EOPNOTSUPP);
    check_equal(evtchn_expand_array(gfn_of(pending)), -XEN_EOPNOTSUPP);
    check_equal(evtchn_set_priority(port, 0), -XEN_EOPNOTSUPP);
    check_delivery();
}

TEST(offered_2_level_only, "alone offered=2l hvm pvh")
{
    make_bitmaps();
    check_offered(0);
    check_no_3_level();
    check_no_fifo();
    require(guest_reset() == 0);
    check_offered(0);
    check_no_3_level();
    check_no_fifo();
}

TEST(offered_fifo_only, "alone offered=fifo hvm pvh")
{
    make_bitmaps();
    check_offered(EVTCHN_EXTENDED_ABI_FIFO);
    check_no_3_level();
    require(abi_switch(ABI_FIFO) == 0);
    check_no_3_level();
    require(guest_reset() == 0);
    check_no_3_level();
}

TEST(offered_3_level_only, "alone offered=3l hvm pvh")
{
    make_bitmaps();
    check_offered(EVTCHN_EXTENDED_ABI_3LEVEL);
    check_no_fifo();
    check_switch_works();
    check_no_fifo();
    require(guest_reset() == 0);
    check_no_fifo();
}
