/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 3-level: a guest that breaks the rules for the words that it shares with Xen,
 * or registers the same page for several of them.  It may lose its own events
 * by that, but Xen stays up, and events work again after a reset or with valid
 * words.
 */

#include "evtchn_3l.h"
#include "ports.h"

#define NR_PAGES EVTCHN_3L_NR_PAGES(WORD_BITS)
#define SELECTOR_SIZE EVTCHN_3L_L2_SELECTOR_SIZE(WORD_BITS)
#define NR_PORTS 4
#define ROUNDS 2000

static evtchn_port_t port[NR_PORTS];

static void bind_ports(void)
{
    unsigned int i;

    for (i = 0; i < NR_PORTS; i++) {
        port[i] = must_bind_ipi(i % nr_vcpus);
    }
}

/* Called with upcalls disabled; enables them. */
static void check_reset_mends(void)
{
    require(guest_reset() == 0);
    check_delivery_to_all(20000);
    require(abi_switch(ABI_3L) == 0);
    check_delivery_to_all(20000);
    require(guest_reset() == 0);
}

/* Each page of both bitmaps is @page. */
static int register_one_page(uint64_t gfn)
{
    uint64_t gfns[NR_PAGES];
    struct evtchn_register_3level reg = {
        .cmd = EVTCHN_3L_BITMAPS,
        .u.bitmaps.nr_pages = NR_PAGES,
        .u.bitmaps.pending_gfns = (uintptr_t)gfns,
        .u.bitmaps.mask_gfns = (uintptr_t)gfns,
    };
    unsigned int i;

    for (i = 0; i < NR_PAGES; i++) {
        gfns[i] = gfn;
    }
    return HYPERVISOR_event_channel_op(EVTCHNOP_register_3level, &reg);
}

/* Xen accepts one page for both bitmaps: each event then masks its own port. */
TEST(three_level_one_page_for_both, "fresh 3l")
{
    volatile xen_ulong_t *page = page_alloc(1);
    xen_ulong_t *selector = page_alloc(1);
    xen_ulong_t bit, from_bit;

    bind_ports();
    bit = (xen_ulong_t)1 << port[0] % WORD_BITS;
    /* Lower ports are back ends', XenStore's and the console's, which send at any time. */
    from_bit = ~(bit - 1);
    upcalls_disable();
    require(register_one_page(gfn_of((void *)page)) == 0);
    require(evtchn_register_l2_selector(0, gfn_of(selector), 0) == 0);
    /* Xen has copied 2-level's masks: clear them. */
    memset((void *)page, 0, PAGE_SIZE);
    check_equal(evtchn_send(port[0]), 0);
    check_equal(page[port[0] / WORD_BITS] & from_bit, bit);
    check_equal(selector[0], 0);
    /* EVTCHNOP_unmask clears the one bit, which is the pending bit, too. */
    check_equal(evtchn_unmask(port[0]), 0);
    check_equal(page[port[0] / WORD_BITS] & from_bit, 0);
    check_equal(selector[0], 0);
    check_reset_mends();
}

static const struct {
    const char *name;
    unsigned int offset[2];
} places[] = {
    { "selectors on the first ports' bits", { 0, 0 } },
    { "selectors that overlap", { 0, 8 } },
    { "selectors beside each other", { 0, SELECTOR_SIZE } },
    { "selectors at the page's end",
      { PAGE_SIZE - SELECTOR_SIZE, PAGE_SIZE - SELECTOR_SIZE } },
};

/* Set L1 and the upcall flag of all vCPUs. */
static void set_l1(xen_ulong_t bits)
{
    unsigned int vcpu;

    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        __atomic_store_n(&vcpu_info_of(vcpu)->evtchn_pending_sel, bits,
                         __ATOMIC_SEQ_CST);
    }
}

TEST(three_level_one_page_for_all, "fresh 3l vcpus=2 seconds=120")
{
    char *page = page_alloc(1);
    unsigned int i, k;

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        test_row(places[i].name);
        bind_ports();
        upcalls_disable();
        /* A selector that is not all zeros: the guest gets no upcall for it. */
        memset(page, 0xff, PAGE_SIZE);
        require(register_one_page(gfn_of(page)) == 0);
        for (k = 0; k < 2; k++) {
            require(evtchn_register_l2_selector(k, gfn_of(page),
                                                places[i].offset[k]) == 0);
        }
        for (k = 0; k < 200; k++) {
            check_equal(evtchn_send(port[k % NR_PORTS]), 0);
            check_equal(evtchn_unmask(port[k % NR_PORTS]), 0);
            if (k % 16 == 0) {
                memset(page, k % 32 ? 0xff : 0, PAGE_SIZE);
                set_l1(k % 64 ? ~(xen_ulong_t)0 : 0);
            }
        }
        check_reset_mends();
    }
}

/* A vCPU's selector in memory that Xen itself shares: 2-level's mask bits. */
TEST(three_level_selector_in_shared_info, "fresh 3l")
{
    unsigned int offset = offsetof(struct shared_info, evtchn_mask);
    volatile xen_ulong_t *selector = shared_info->evtchn_mask;
    char *page = page_alloc(1);
    unsigned int i;

    bind_ports();
    upcalls_disable();
    require(register_one_page(gfn_of(page)) == 0);
    memset(page, 0, PAGE_SIZE);
    if (!evtchn_register_l2_selector(0, gfn_of(shared_info), offset)) {
        for (i = 0; i < 100; i++) {
            check_equal(evtchn_send(port[i % NR_PORTS]), 0);
            check_equal(evtchn_unmask(port[i % NR_PORTS]), 0);
            selector[0] = i % 3 ? ~(xen_ulong_t)0 : 0;
            memset(page, i % 5 ? 0xff : 0, PAGE_SIZE);
        }
    }
    check_reset_mends();
}

/* Fill all words that a 3-level guest shares with @value. */
static void fill(int value)
{
    unsigned int vcpu, i;

    for (i = 0; i < bitmap_pages(); i++) {
        memset(bitmap_page(i), value, PAGE_SIZE);
    }
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        memset(l2_selector_of(vcpu), value, SELECTOR_SIZE);
    }
    set_l1(value ? ~(xen_ulong_t)0 : 0);
}

/* Make the words valid: nothing pending, nothing selected, all ports masked. */
static void put_in_order(void)
{
    unsigned int vcpu, i;

    fill(0);
    for (i = bitmap_pages() / 2; i < bitmap_pages(); i++) {
        memset(bitmap_page(i), 0xff, PAGE_SIZE);
    }
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        __atomic_store_n(&vcpu_info_of(vcpu)->evtchn_upcall_pending, 0,
                         __ATOMIC_SEQ_CST);
    }
}

static volatile bool stop;
static volatile unsigned int rounds;

static void sit_still(void *opaque)
{
    upcalls_disable();
    for (; !stop; rounds = rounds + 1) {
        cpu_relax();
    }
    upcalls_enable();
}

/* All ones and all zeroes with every operation in between. */
TEST(three_level_hostile_words, "3l vcpus=2 seconds=60")
{
    unsigned int i, k;

    bind_ports();
    upcalls_disable();
    /* Upcalls off: one would take all ports for pending. */
    stop = false;
    rounds = 0;
    vcpu_start(1, sit_still, NULL);
    check(wait_for(rounds > 0, 20000));
    for (i = 0; i < 16; i++) {
        fill(i % 2 ? 0 : 0xff);
        for (k = 0; k < NR_PORTS; k++) {
            check_equal(evtchn_send(port[k]), 0);
            check_equal(evtchn_unmask(port[k]), 0);
            check_equal(evtchn_send(port[k]), 0);
        }
        check_equal(evtchn_bind_vcpu(must_bind_ipi(0), 1), -XEN_EINVAL);
    }
    put_in_order();
    stop = true;
    check(vcpu_join(1, 20000));
    upcalls_enable();
    check_delivery_to_all(20000);
}

/* Whether the vCPU that scribbles has ended, and whether the words are valid again. */
static volatile bool ended, in_order;

/* Write to each word that Xen reads while it raises an event, in any order. */
static void scribble(void *opaque)
{
    xen_ulong_t *bits = bitmap_page(0);
    xen_ulong_t *masks = bitmap_page(bitmap_pages() / 2);
    uint32_t random = 1;

    upcalls_disable();
    for (; !stop; rounds = rounds + 1) {
        xen_ulong_t value;

        random = random * 1664525 + 1013904223;
        value = (xen_ulong_t)random << WORD_BITS / 4 ^ random;
        __atomic_store_n(&bits[port[0] / WORD_BITS], value, __ATOMIC_SEQ_CST);
        __atomic_fetch_xor(&masks[port[0] / WORD_BITS], value >> 3,
                           __ATOMIC_SEQ_CST);
        __atomic_store_n(&l2_selector_of(rounds % 2)[0], value >> 5,
                         __ATOMIC_SEQ_CST);
        set_l1(value >> 7);
    }
    ended = true;
    while (!in_order) {
        cpu_relax();
    }
    upcalls_enable();
}

/* XSA-295: no operation of Xen's waits for the guest's words. */
TEST(xsa_295_hostile_bits, "3l vcpus=2 seconds=120")
{
    unsigned int i, failed = 0;

    bind_ports();
    upcalls_disable();
    stop = ended = in_order = false;
    rounds = 0;
    vcpu_start(1, scribble, NULL);
    check(wait_for(rounds > 0, 20000));
    for (i = 0; i < ROUNDS; i++) {
        failed += evtchn_send(port[i % NR_PORTS]) != 0;
        failed += evtchn_unmask(port[i / NR_PORTS % NR_PORTS]) != 0;
    }
    check_equal(failed, 0);
    /* Upcalls stay off until the words are valid again. */
    stop = true;
    require(wait_for(ended, 20000));
    put_in_order();
    in_order = true;
    check(vcpu_join(1, 20000));
    upcalls_enable();
    check_delivery_to_all(20000);
}
