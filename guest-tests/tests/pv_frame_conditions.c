/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Under what conditions a PV guest gives frames, gets others, or exchanges them. */

#include "pv_domains.h"
#include "user_mode.h"

#ifdef GUEST_PV

#define PAGE_BITS 12

extern struct start_info *start_info;
extern const char image_start[];

static long reservation(uint64_t command, void *list, unsigned int flags,
                        domid_t domid)
{
    struct xen_memory_reservation op = {
        .nr_extents = 1,
        .mem_flags = flags,
        .domid = domid,
    };

    set_xen_guest_handle(op.extent_start, list);
    return hypercall(__HYPERVISOR_memory_op, command, (uintptr_t)&op, 0, 0, 0);
}

static const struct {
    const char *name;
    unsigned int flags;
    bool allowed;
} conditions[] = {
    { "none", 0, true },
    { "1 bit", XENMEMF_address_bits(1), false },
    { "11 bits", XENMEMF_address_bits(PAGE_BITS - 1), false },
    { "12 bits", XENMEMF_address_bits(PAGE_BITS), false },
    { "60 bits", XENMEMF_address_bits(60), true },
    { "255 bits", XENMEMF_address_bits(255), true },
    { "node 0", XENMEMF_node(0), true },
    { "node 100", XENMEMF_node(100), true },
    { "exactly node 0", XENMEMF_exact_node(0), false },
    { "exactly node 100", XENMEMF_exact_node(100), false },
    { "exactly no node", XENMEMF_exact_node_request, true },
    { "bits behind", 1u << 20, true },
    { "12 bits, exactly no node",
      XENMEMF_address_bits(PAGE_BITS) | XENMEMF_exact_node_request, false },
};
#define NR_CONDITIONS (sizeof(conditions) / sizeof(*conditions))

static long set_pte(const void *page, uint64_t pte)
{
    return hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)page, pte,
                     UVMF_INVLPG, 0, 0);
}

static uint64_t pfn_of(const void *page)
{
    return ((uintptr_t)page - (uintptr_t)image_start) / PAGE_SIZE;
}

/* The page has this frame now. */
static void put_there(void *page, xen_pfn_t frame)
{
    struct mmu_update update = {
        .ptr = frame * PAGE_SIZE | MMU_MACHPHYS_UPDATE,
        .val = pfn_of(page),
    };

    ((xen_pfn_t *)start_info->mfn_list)[pfn_of(page)] = frame;
    require(hypercall(__HYPERVISOR_mmu_update, (uintptr_t)&update, 1, 0,
                      DOMID_SELF, 0) == 0);
    require(set_pte(page, frame * PAGE_SIZE | 7) == 0);
}

/* Give one frame and get another, if what is said of it allows both. */
TEST(conditions_for_frames, "pv alone noshim")
{
    void *page = page_alloc(1);
    xen_pfn_t frame = gfn_of(page);
    long before = size_of(XENMEM_current_reservation, DOMID_SELF);
    unsigned int i;

    require(set_pte(page, 0) == 0);
    for (i = 0; i < NR_CONDITIONS; i++) {
        unsigned int flags = conditions[i].flags;
        long done = conditions[i].allowed;
        xen_pfn_t pfn = pfn_of(page);

        test_row(conditions[i].name);
        check_equal(
            reservation(XENMEM_decrease_reservation, &frame, flags, DOMID_SELF),
            done);
        check_equal(size_of(XENMEM_current_reservation, DOMID_SELF),
                    before - done);
        if (!done) {
            require(reservation(XENMEM_decrease_reservation, &frame, 0,
                                own_domid()) == 1);
        }
        check_equal(
            reservation(XENMEM_populate_physmap, &pfn, flags, DOMID_SELF),
            done);
        if (!done) {
            require(pfn == pfn_of(page));
            require(reservation(XENMEM_populate_physmap, &pfn, 0,
                                own_domid()) == 1);
        }
        frame = pfn;
        require(reservation(XENMEM_decrease_reservation, &frame, 0,
                            DOMID_SELF) == 1);
        check_equal(
            reservation(XENMEM_increase_reservation, &frame, flags, DOMID_SELF),
            done);
        if (!done) {
            require(reservation(XENMEM_increase_reservation, &frame, 0,
                                DOMID_SELF) == 1);
        }
        check_equal(size_of(XENMEM_current_reservation, DOMID_SELF), before);
    }
    put_there(page, frame);
}

TEST(frames_of_others_and_lists_that_are_none, "pv alone noshim")
{
    static const uint64_t lists[] = { HYPERVISOR_START, M2P_START,
                                      NOT_CANONICAL };
    void *page = page_alloc(1);
    xen_pfn_t frame = gfn_of(page), pfn = pfn_of(page);
    long before = size_of(XENMEM_current_reservation, DOMID_SELF);
    unsigned int i;

    require(set_pte(page, 0) == 0);
    for (i = 2; i < NR_DOMAINS; i++) {
        test_row(domain_names[i]);
        check_equal(
            reservation(XENMEM_decrease_reservation, &frame, 0, domain(i)), 0);
    }
    test_row("given back");
    check_equal(
        reservation(XENMEM_decrease_reservation, &frame, 0, own_domid()), 1);
    for (i = 2; i < NR_DOMAINS; i++) {
        test_row(domain_names[i]);
        check_equal(reservation(XENMEM_populate_physmap, &pfn, 0, domain(i)),
                    0);
        check_equal(
            reservation(XENMEM_increase_reservation, &frame, 0, domain(i)), 0);
    }
    for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        void *list = (void *)lists[i];

        test_row("a list in the hypervisor");
        check_equal(
            reservation(XENMEM_decrease_reservation, list, 0, DOMID_SELF), 0);
        check_equal(reservation(XENMEM_populate_physmap, list, 0, DOMID_SELF),
                    0);
        check_equal(
            reservation(XENMEM_increase_reservation, list, 0, DOMID_SELF), 0);
        check_equal(size_of(XENMEM_current_reservation, DOMID_SELF),
                    before - 1);
    }
    test_row("more done than there are");
    check_equal(reservation(XENMEM_increase_reservation | ONE_DONE, &frame, 0,
                            DOMID_SELF),
                1);
    check_equal(reservation(XENMEM_increase_reservation | ONE_DONE << 4, &frame,
                            0, DOMID_SELF),
                16);
    check_equal(size_of(XENMEM_current_reservation, DOMID_SELF), before - 1);
    test_row("got again");
    check_equal(reservation(XENMEM_populate_physmap, &pfn, 0, own_domid()), 1);
    check_equal(size_of(XENMEM_current_reservation, DOMID_SELF), before);
    put_there(page, pfn);
}

/* Take what the guest may have beyond what it has now. */
static void take_all(void)
{
    struct xen_memory_reservation op = {
        .nr_extents = size_of(XENMEM_maximum_reservation, DOMID_SELF) -
                      size_of(XENMEM_current_reservation, DOMID_SELF),
        .domid = DOMID_SELF,
    };

    if (op.nr_extents) {
        require(HYPERVISOR_memory_op(XENMEM_increase_reservation, &op) ==
                (long)op.nr_extents);
    }
}

/* At its maximum it gets none, whatever is said of them. */
TEST(frames_beyond_the_maximum, "pv alone noshim")
{
    xen_pfn_t pfn = pfn_of(page_alloc(1)), frame = 0x55;
    unsigned int i;
    long before;

    take_all();
    before = size_of(XENMEM_current_reservation, DOMID_SELF);
    for (i = 0; i < NR_CONDITIONS; i++) {
        xen_pfn_t list = pfn;

        test_row(conditions[i].name);
        check_equal(reservation(XENMEM_populate_physmap, &list,
                                conditions[i].flags, DOMID_SELF),
                    0);
        check_equal(list, pfn);
        check_equal(reservation(XENMEM_increase_reservation, &frame,
                                conditions[i].flags, DOMID_SELF),
                    0);
        check_equal(frame, 0x55);
        check_equal(size_of(XENMEM_current_reservation, DOMID_SELF), before);
    }
}

/* Of what is said of the frames that come; what is said of those that go does not count. */
TEST(conditions_for_exchanges, "pv alone noshim")
{
    void *page = page_alloc(1);
    xen_pfn_t frame = gfn_of(page);
    unsigned int i;

    require(set_pte(page, 0) == 0);
    for (i = 0; i < NR_CONDITIONS; i++) {
        struct xen_memory_exchange op = {
            .in = { .nr_extents = 1, .domid = DOMID_SELF },
            .out = { .nr_extents = 1,
                     .mem_flags = conditions[i].flags,
                     .domid = DOMID_SELF },
        };
        xen_pfn_t out = pfn_of(page);
        unsigned int bits = XENMEMF_get_address_bits(conditions[i].flags);
        long result;

        test_row(conditions[i].name);
        set_xen_guest_handle(op.in.extent_start, &frame);
        set_xen_guest_handle(op.out.extent_start, &out);
        result = HYPERVISOR_memory_op(XENMEM_exchange, &op);
        check_equal(result, conditions[i].allowed     ? 0 :
                            bits && bits <= PAGE_BITS ? -XEN_ENOMEM :
                                                        -XEN_EINVAL);
        check_equal(op.nr_exchanged, result == 0);
        if (!result) {
            frame = out;
        }
    }
    test_row("of the frames that go");
    for (i = 0; i < NR_CONDITIONS; i++) {
        struct xen_memory_exchange op = {
            .in = { .nr_extents = 1,
                    .mem_flags = conditions[i].flags,
                    .domid = DOMID_SELF },
            .out = { .nr_extents = 1, .domid = DOMID_SELF },
        };
        xen_pfn_t out = pfn_of(page);

        set_xen_guest_handle(op.in.extent_start, &frame);
        set_xen_guest_handle(op.out.extent_start, &out);
        check_equal(HYPERVISOR_memory_op(XENMEM_exchange, &op), 0);
        frame = out;
    }
    put_there(page, frame);
}

#endif /* GUEST_PV */
