/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XENMEM_decrease_reservation, populate_physmap and the like: a guest gives
 * pages back, and gets new ones.
 */

#include "guest.h"

/* The header has it for toolstacks only. */
#define XENMEM_claim_pages 24

#define MIB_PAGES 256
/* Frames of the guest's RAM that the image does not use; it has 64 MiB. */
#define FREE_FRAMES (40 * MIB_PAGES)
#define SUPERPAGE_ORDER 9
#define SUPERPAGE (1 << SUPERPAGE_ORDER)
#define NO_FRAME 0xfffff

#define EXTENT_SHIFT 6
/* No memory there, but in a 32-bit guest, which has no page tables. */
#define BAD_ADDRESS ((void *)-PAGE_SIZE)
#define HAS_BAD_ADDRESS (WORD_BITS == 64)

/* More than Xen can count when it continues an operation. */
#define TOO_MANY (1ul << (32 - EXTENT_SHIFT))

static long memory_op_at(unsigned int op, unsigned int start,
                         const xen_pfn_t *list, unsigned long nr,
                         unsigned int order, unsigned int flags)
{
    struct xen_memory_reservation reservation = {
        .nr_extents = nr,
        .extent_order = order,
        .mem_flags = flags,
        .domid = DOMID_SELF,
    };

    set_xen_guest_handle(reservation.extent_start, (xen_pfn_t *)list);
    return HYPERVISOR_memory_op(op | start << EXTENT_SHIFT, &reservation);
}

static long decrease(const xen_pfn_t *list, unsigned long nr,
                     unsigned int order)
{
    return memory_op_at(XENMEM_decrease_reservation, 0, list, nr, order, 0);
}

static long populate(const xen_pfn_t *list, unsigned long nr,
                     unsigned int order)
{
    return memory_op_at(XENMEM_populate_physmap, 0, list, nr, order, 0);
}

static long nr_pages(void)
{
    struct xen_memory_domain domain = { .domid = DOMID_SELF };

    return HYPERVISOR_memory_op(XENMEM_current_reservation, &domain);
}

static long max_pages(void)
{
    struct xen_memory_domain domain = { .domid = DOMID_SELF };

    return HYPERVISOR_memory_op(XENMEM_maximum_reservation, &domain);
}

static int type_of(uint64_t gfn)
{
    struct xen_hvm_get_mem_type op = { .domid = DOMID_SELF, .pfn = gfn };

    check_equal(HYPERVISOR_hvm_op(HVMOP_get_mem_type, &op), 0);
    return op.mem_type;
}

static bool all_bytes_are(const unsigned char *page, unsigned char value)
{
    unsigned int i;

    for (i = 0; i < PAGE_SIZE && page[i] == value; i++) {
    }
    return i == PAGE_SIZE;
}

/* Xen leaves it to the guest to clear pages that it gives back. */
static bool is_new(const unsigned char *page)
{
    return host_is_xen() || all_bytes_are(page, 0);
}

TEST(balloon_down_and_up, "hvm pvh")
{
    unsigned char *pages = page_alloc(4);
    long before = nr_pages();
    xen_pfn_t list[4];
    unsigned int i;

    check(before > 0 && before <= max_pages());
    for (i = 0; i < 4; i++) {
        list[i] = gfn_of(pages) + i;
    }
    memset(pages, 0x5a, 4 * PAGE_SIZE);
    check_equal(decrease(list, 4, 0), 4);
    check_equal(nr_pages(), before - 4);
    for (i = 0; i < 4; i++) {
        check_equal(type_of(list[i]), HVMMEM_mmio_dm);
    }
    check_equal(populate(list, 4, 0), 4);
    check_equal(nr_pages(), before);
    for (i = 0; i < 4; i++) {
        check_equal(type_of(list[i]), HVMMEM_ram_rw);
        check(is_new(pages + i * PAGE_SIZE));
    }
    memset(pages, 0xa5, 4 * PAGE_SIZE);
    check(all_bytes_are(pages + 3 * PAGE_SIZE, 0xa5));
}

/* What is done before the first bad frame counts, and stays done. */
TEST(balloon_stops_at_a_bad_frame, "hvm pvh")
{
    unsigned char *pages = page_alloc(3);
    xen_pfn_t gfn = gfn_of(pages);
    const xen_pfn_t list[] = { gfn, gfn + 1, NO_FRAME, gfn + 2 };
    const xen_pfn_t twice[] = { gfn + 2, gfn + 2 };
    long before = nr_pages();

    memset(pages, 0x5a, 3 * PAGE_SIZE);
    check_equal(decrease(list, 4, 0), 2);
    check_equal(nr_pages(), before - 2);
    check(all_bytes_are(pages + 2 * PAGE_SIZE, 0x5a));
    check_equal(decrease(list, 2, 0), 0);
    check_equal(decrease(twice, 2, 0), 1);
    check_equal(nr_pages(), before - 3);
    check_equal(populate(list, 2, 0), 2);
    check_equal(populate(twice, 1, 0), 1);
    check_equal(nr_pages(), before);
    check(is_new(pages));
}

TEST(balloon_bad_arguments, "hvm pvh")
{
    static const unsigned int ops[] = {
        XENMEM_decrease_reservation,
        XENMEM_populate_physmap,
        XENMEM_increase_reservation,
    };
    xen_pfn_t list[2] = { gfn_of(page_alloc(2)), gfn_of(page_alloc(1)) };
    struct xen_memory_reservation other = { .nr_extents = 1 };
    long before = nr_pages();
    unsigned int i;

    set_xen_guest_handle(other.extent_start, list);
    for (i = 0; i < 3; i++) {
        check_equal(memory_op_at(ops[i], 0, list, 0, 0, 0), 0);
        check_equal(memory_op_at(ops[i], 0, list, TOO_MANY, 0, 0), 0);
        check_equal(memory_op_at(ops[i], 0, list, 1, SUPERPAGE_ORDER + 1, 0),
                    0);
        check_equal(memory_op_at(ops[i], 0, list, 1, ~0u, 0), 0);
        check_equal(memory_op_at(ops[i], 0, list, 1, 0,
                                 XENMEMF_address_bits(12)), 0);
        check_equal(memory_op_at(ops[i], 0, list, 1, 0, XENMEMF_exact_node(0)),
                    0);
        other.domid = 0;
        check_equal(HYPERVISOR_memory_op(ops[i], &other), 0);
        other.domid = DOMID_IO;
        check_equal(HYPERVISOR_memory_op(ops[i], &other), 0);
        if (HAS_BAD_ADDRESS) {
            check_equal(HYPERVISOR_memory_op(ops[i], BAD_ADDRESS), 0);
        }
        /* Nothing is left to do of what is said to be done. */
        check_equal(memory_op_at(ops[i], 2, list, 2, 0, 0), 2);
        check_equal(memory_op_at(ops[i], 9, list, 2, 0, 0), 9);
    }
    if (HAS_BAD_ADDRESS) {
        check_equal(decrease(BAD_ADDRESS, 1, 0), 0);
    }
    check_equal(memory_op_at(XENMEM_populate_physmap, 0, list, 1, 0,
                             XENMEMF_populate_on_demand), 0);
    check_equal(nr_pages(), before);

    check_equal(memory_op_at(XENMEM_decrease_reservation, 1, list, 2, 0, 0), 2);
    check_equal(nr_pages(), before - 1);
    check_equal(type_of(list[0]), HVMMEM_ram_rw);
    check_equal(populate(list + 1, 1, 0), 1);
}

/* More than is done at once: Xen, too, continues such an operation. */
TEST(balloon_many_extents, "hvm pvh seconds=60")
{
    static xen_pfn_t list[3000];
    unsigned int nr = sizeof(list) / sizeof(*list), i;
    long before = nr_pages();

    for (i = 0; i < nr; i++) {
        list[i] = FREE_FRAMES + nr - i;
    }
    list[nr - 1] = NO_FRAME;
    check_equal(decrease(list, nr, 0), nr - 1);
    check_equal(nr_pages(), before - nr + 1);
    check_equal(populate(list, nr - 1, 0), nr - 1);
    check_equal(nr_pages(), before);
}

TEST(balloon_superpages, "hvm pvh seconds=60")
{
    const xen_pfn_t list[] = { FREE_FRAMES, FREE_FRAMES + SUPERPAGE };
    const xen_pfn_t inside[] = { FREE_FRAMES + 100 };
    xen_pfn_t removed[100];
    long before = nr_pages();
    unsigned int i;

    check_equal(decrease(list, 2, SUPERPAGE_ORDER), 2);
    check_equal(nr_pages(), before - 2 * SUPERPAGE);
    check_equal(populate(list, 2, SUPERPAGE_ORDER), 2);
    check_equal(nr_pages(), before);

    /* An extent that is not there in whole is gone in part. */
    check_equal(decrease(inside, 1, 0), 1);
    check_equal(decrease(list, 1, SUPERPAGE_ORDER), 0);
    check_equal(nr_pages(), before - 101);
    check_equal(type_of(FREE_FRAMES + 99), HVMMEM_mmio_dm);
    check_equal(type_of(FREE_FRAMES + 101), HVMMEM_ram_rw);
    for (i = 0; i < 100; i++) {
        removed[i] = FREE_FRAMES + i;
    }
    check_equal(populate(removed, 100, 0), 100);
    check_equal(populate(inside, 1, 0), 1);
    check_equal(nr_pages(), before);
}

/* There is no room for many pages that are at no frame, nor a way to lose one */
TEST(reservation_increase, "hvm pvh alone")
{
    const xen_pfn_t frame = gfn_of(page_alloc(1));
    long before = nr_pages();

    check_equal(memory_op_at(XENMEM_increase_reservation, 0, NULL, 1,
                             SUPERPAGE_ORDER, 0), 0);
    check_equal(memory_op_at(XENMEM_increase_reservation, 0, NULL, 2, 0, 0), 2);
    check_equal(nr_pages(), before + 2);
    /* The page that was at the frame stays the guest's. */
    check_equal(populate(&frame, 1, 0), 1);
    check_equal(nr_pages(), before + 3);
    check_equal(memory_op_at(XENMEM_increase_reservation, 0, NULL, 2000, 0, 0),
                max_pages() - before - 3);
    check_equal(nr_pages(), max_pages());
    check_equal(decrease(&frame, 1, 0), 1);
    check_equal(nr_pages(), max_pages() - 1);
    check_equal(populate(&frame, 1, 0), 1);
    check_equal(populate(&frame, 1, 0), 0);
}

TEST(reservation_of_a_removed_page, "hvm pvh alone")
{
    unsigned char *page = page_alloc(1);
    struct xen_remove_from_physmap op = {
        .domid = DOMID_SELF,
        .gpfn = gfn_of(page),
    };
    long before = nr_pages();
    xen_pfn_t gfn = op.gpfn;

    *page = 1;
    check_equal(HYPERVISOR_memory_op(XENMEM_remove_from_physmap, &op), 0);
    check_equal(nr_pages(), before);
    check_equal(type_of(gfn), HVMMEM_mmio_dm);
    check_equal(HYPERVISOR_memory_op(XENMEM_remove_from_physmap, &op),
                -XEN_ENOENT);
    check_equal(populate(&gfn, 1, 0), 1);
    check_equal(nr_pages(), before + 1);
    check(is_new(page));
    op.gpfn = NO_FRAME;
    check_equal(HYPERVISOR_memory_op(XENMEM_remove_from_physmap, &op),
                -XEN_ENOENT);
    /* Domain 0, a PV guest, has no physmap. */
    op.domid = 0;
    check_equal(HYPERVISOR_memory_op(XENMEM_remove_from_physmap, &op),
                -XEN_EACCES);
    check_equal(HYPERVISOR_memory_op(XENMEM_remove_from_physmap |
                                     1 << EXTENT_SHIFT, &op), -XEN_EINVAL);
    if (HAS_BAD_ADDRESS) {
        check_equal(HYPERVISOR_memory_op(XENMEM_remove_from_physmap,
                                         BAD_ADDRESS), -XEN_EFAULT);
    }
}

static long exchange(const xen_pfn_t *list, unsigned int in_order,
                     unsigned long in, unsigned int out_order,
                     unsigned long out, domid_t domid)
{
    struct xen_memory_exchange op = {
        .in = { .nr_extents = in, .extent_order = in_order, .domid = domid },
        .out = { .nr_extents = out, .extent_order = out_order,
                 .domid = domid },
    };

    set_xen_guest_handle(op.in.extent_start, (xen_pfn_t *)list);
    set_xen_guest_handle(op.out.extent_start, (xen_pfn_t *)list);
    return HYPERVISOR_memory_op(XENMEM_exchange, &op);
}

/* Xen has it for PV guests. */
TEST(reservation_exchange, "hvm pvh")
{
    unsigned char *page = page_alloc(1);
    const xen_pfn_t frame = gfn_of(page), none = NO_FRAME;

    *page = 1;
    check_equal(exchange(&frame, 0, 1, 0, 1, DOMID_SELF), -XEN_EOPNOTSUPP);
    check_equal(exchange(&none, 0, 1, 0, 1, DOMID_SELF), -XEN_EINVAL);
    check_equal(exchange(&frame, 0, 0, 0, 0, DOMID_SELF), 0);
    check_equal(exchange(&frame, 0, 1, 0, 2, DOMID_SELF), -XEN_EINVAL);
    check_equal(exchange(&frame, 10, 1, 10, 1, DOMID_SELF), -XEN_EPERM);
    check_equal(exchange(&frame, 64, 1, 64, 1, DOMID_SELF), -XEN_EPERM);
    check_equal(exchange(&frame, 0, 1, 0, 1, 0), -XEN_EPERM);
    check_equal(exchange(&frame, 0, 1, 0, 1, DOMID_IO), -XEN_ESRCH);
    if (HAS_BAD_ADDRESS) {
        check_equal(exchange(BAD_ADDRESS, 0, 1, 0, 1, DOMID_SELF), -XEN_EFAULT);
        check_equal(HYPERVISOR_memory_op(XENMEM_exchange, BAD_ADDRESS),
                    -XEN_EFAULT);
    }
    check_equal(HYPERVISOR_memory_op(XENMEM_exchange | 1 << EXTENT_SHIFT, NULL),
                -XEN_EINVAL);
    check_equal(*page, 1);
}

/* A toolstack's; in Xen's 32-bit interface it is missing. */
TEST(reservation_claim, "hvm pvh")
{
    struct xen_memory_reservation op = { .nr_extents = 1, .domid = 0 };

    if (WORD_BITS == 32) {
        check_equal(HYPERVISOR_memory_op(XENMEM_claim_pages, &op),
                    -XEN_ENOSYS);
        return;
    }
    check_equal(HYPERVISOR_memory_op(XENMEM_claim_pages, &op), -XEN_EPERM);
    op.domid = DOMID_SELF;
    check_equal(HYPERVISOR_memory_op(XENMEM_claim_pages, &op), -XEN_EINVAL);
    op.domid = 0;
    op.extent_order = 1;
    check_equal(HYPERVISOR_memory_op(XENMEM_claim_pages, &op), -XEN_EINVAL);
    op.extent_order = 0;
    op.mem_flags = 1;
    check_equal(HYPERVISOR_memory_op(XENMEM_claim_pages, &op), -XEN_EINVAL);
    check_equal(HYPERVISOR_memory_op(XENMEM_claim_pages, BAD_ADDRESS),
                -XEN_EFAULT);
    check_equal(HYPERVISOR_memory_op(XENMEM_claim_pages | 1 << EXTENT_SHIFT,
                                     &op), -XEN_EINVAL);
}
