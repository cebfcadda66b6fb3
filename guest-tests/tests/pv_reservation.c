/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PV guest gives frames back, and gets others in their place. */

#include "user_mode.h"

#ifdef GUEST_PV

enum { PAGES = 100 };

static long reservation(unsigned int op, xen_pfn_t *list, unsigned long nr)
{
    struct xen_memory_reservation reservation = {
        .nr_extents = nr,
        .domid = DOMID_SELF,
    };

    set_xen_guest_handle(reservation.extent_start, list);
    return HYPERVISOR_memory_op(op, &reservation);
}

static long nr_pages(void)
{
    struct xen_memory_domain domain = { .domid = DOMID_SELF };

    return HYPERVISOR_memory_op(XENMEM_current_reservation, &domain);
}

static long set_pte(void *page, uint64_t pte)
{
    return hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)page, pte,
                     UVMF_INVLPG, 0, 0);
}

static void read_word(void *address)
{
    (void)*(volatile uint64_t *)address;
}

extern struct start_info *start_info;
extern const char image_start[];

/* Alone, as what the runtime knows of its frames is wrong for these then. */
TEST(pv_balloon_down_and_up, "pv alone")
{
    xen_pfn_t *list = page_alloc(1), *given = page_alloc(1);
    xen_pfn_t *p2m = (xen_pfn_t *)start_info->mfn_list;
    uint64_t *m2p = (uint64_t *)M2P_START;
    char *pages = page_alloc(PAGES);
    uint64_t pfn = (pages - image_start) / PAGE_SIZE;
    long before = nr_pages();
    struct trap trap;
    unsigned int i;

    for (i = 0; i < PAGES; i++) {
        pages[i * PAGE_SIZE] = 1;
        given[i] = list[i] = gfn_of(pages + i * PAGE_SIZE);
        require(set_pte(pages + i * PAGE_SIZE, 0) == 0);
    }
    check_equal(reservation(XENMEM_decrease_reservation, list, PAGES), PAGES);
    check_equal(nr_pages(), before - PAGES);

    test_row("given back");
    check(trapped(&trap, read_word, pages));
    check(set_pte(pages, given[0] << 12 | 7) < 0);
    check_equal(reservation(XENMEM_decrease_reservation, given, 1), 0);
    check_equal(nr_pages(), before - PAGES);
    check(m2p[given[0]] >> 63);

    test_row("got again");
    for (i = 0; i < PAGES; i++) {
        list[i] = pfn + i;
    }
    check_equal(reservation(XENMEM_populate_physmap, list, PAGES), PAGES);
    check_equal(nr_pages(), before);
    for (i = 0; i < PAGES; i++) {
        char *page = pages + i * PAGE_SIZE;

        check_equal(m2p[list[i]], pfn + i);
        p2m[pfn + i] = list[i];
        require(set_pte(page, list[i] << 12 | 7) == 0);
        *(uint64_t *)page = i;
    }
    for (i = 0; i < PAGES; i++) {
        check_equal(*(uint64_t *)(pages + i * PAGE_SIZE), i);
    }

    test_row("wrong frames");
    list[0] = 0xffffff000ul;
    check_equal(reservation(XENMEM_decrease_reservation, list, 1), 0);
    check_equal(nr_pages(), before);
}

#endif /* GUEST_PV */
