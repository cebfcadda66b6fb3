/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PV guest gives frames back, or exchanges them, and gets others in their place. */

#include "user_mode.h"

#ifdef GUEST_PV

enum { PAGES = 100 };

/* An extent of 8 pages. */
enum { ORDER = 3, EXTENT = 1 << ORDER };

/* The first 12 bits of an address are a page's: no frame is below that. */
#define NO_ADDRESS_BITS 12
#define EXTENT_SHIFT 6

static long extents(unsigned int op, xen_pfn_t *list, unsigned long nr,
                    unsigned int order, unsigned int flags)
{
    struct xen_memory_reservation reservation = {
        .nr_extents = nr,
        .extent_order = order,
        .mem_flags = flags,
        .domid = DOMID_SELF,
    };

    set_xen_guest_handle(reservation.extent_start, list);
    return HYPERVISOR_memory_op(op, &reservation);
}

static long reservation(unsigned int op, xen_pfn_t *list, unsigned long nr)
{
    return extents(op, list, nr, 0, 0);
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

/* scripts/measure-pv looks at the note. */
TEST(pv_pages, "pv")
{
    check(nr_pages() > 0);
    test_note("pages of the guest: %ld", nr_pages());
}

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

/* Pages whose frames, on the monitor, are an extent. */
static char *extent_alloc(void)
{
    char *pages = page_alloc(2 * EXTENT);

    return pages + (-gfn_of(pages) & (EXTENT - 1)) * PAGE_SIZE;
}

static uint64_t pfn_of(const char *page)
{
    return (page - image_start) / PAGE_SIZE;
}

/* The frames of @pages, which are mapped no more, into @list. */
static void take_away(char *pages, xen_pfn_t *list)
{
    unsigned int i;

    for (i = 0; i < EXTENT; i++) {
        list[i] = gfn_of(pages + i * PAGE_SIZE);
        require(set_pte(pages + i * PAGE_SIZE, 0) == 0);
    }
}

/* Xen says that @pages have these frames, and so they have. */
static void put_there(char *pages, const xen_pfn_t *list)
{
    xen_pfn_t *p2m = (xen_pfn_t *)start_info->mfn_list + pfn_of(pages);
    uint64_t *m2p = (uint64_t *)M2P_START;
    unsigned int i;

    for (i = 0; i < EXTENT; i++) {
        check_equal(m2p[list[i]], pfn_of(pages) + i);
        p2m[i] = list[i];
        require(set_pte(pages + i * PAGE_SIZE, list[i] << 12 | 7) == 0);
        *(uint64_t *)(pages + i * PAGE_SIZE) = i;
    }
    for (i = 0; i < EXTENT; i++) {
        check_equal(*(uint64_t *)(pages + i * PAGE_SIZE), i);
    }
}

static void put_extent_there(char *pages, xen_pfn_t first)
{
    xen_pfn_t list[EXTENT];
    unsigned int i;

    check_equal(first % EXTENT, 0);
    for (i = 0; i < EXTENT; i++) {
        list[i] = first + i;
    }
    put_there(pages, list);
}

TEST(pv_extents_of_many_pages, "pv alone noshim")
{
    char *pages = extent_alloc();
    xen_pfn_t list[EXTENT], first = pfn_of(pages);
    long before = nr_pages();
    unsigned int i;

    take_away(pages, list);
    check_equal(reservation(XENMEM_decrease_reservation, list, EXTENT), EXTENT);

    test_row("not done");
    check_equal(extents(XENMEM_populate_physmap, &first, 1, 10, 0), 0);
    check_equal(extents(XENMEM_decrease_reservation, &first, 1, 10, 0), 0);
    check_equal(extents(XENMEM_populate_physmap, &first, 1, ORDER,
                        NO_ADDRESS_BITS),
                0);
    check_equal(first, pfn_of(pages));
    check_equal(nr_pages(), before - EXTENT);

    test_row("got again");
    check_equal(extents(XENMEM_populate_physmap, &first, 1, ORDER, 0), 1);
    check_equal(nr_pages(), before);
    put_extent_there(pages, first);

    test_row("for no page");
    take_away(pages, list);
    check_equal(extents(XENMEM_decrease_reservation, &first, 1, ORDER, 0), 1);
    check_equal(nr_pages(), before - EXTENT);
    check_equal(extents(XENMEM_increase_reservation, &first, 1, ORDER, 0), 1);
    check_equal(nr_pages(), before);
    check_equal(first % EXTENT, 0);
    for (i = 0; i < EXTENT; i++) {
        require(set_pte(pages + i * PAGE_SIZE, (first + i) << 12 | 7) == 0);
        pages[i * PAGE_SIZE] = i;
    }
}

static long exchange(struct xen_memory_exchange *op, xen_pfn_t *in,
                     xen_pfn_t *out)
{
    set_xen_guest_handle(op->in.extent_start, in);
    set_xen_guest_handle(op->out.extent_start, out);
    return HYPERVISOR_memory_op(XENMEM_exchange, op);
}

#define SINGLE(nr) { .nr_extents = nr, .domid = DOMID_SELF }
#define ONE(order)                                                        \
    { .nr_extents = 1, .extent_order = order, .domid = DOMID_SELF }

TEST(pv_exchange_for_an_extent_and_back, "pv alone noshim")
{
    struct xen_memory_exchange op = { .in = SINGLE(EXTENT), .out = ONE(ORDER) };
    char *pages = extent_alloc();
    xen_pfn_t list[EXTENT], first = pfn_of(pages);
    long before = nr_pages();
    unsigned int i;

    take_away(pages, list);
    check_equal(exchange(&op, list, &first), 0);
    check_equal(op.nr_exchanged, EXTENT);
    check_equal(nr_pages(), before);
    put_extent_there(pages, first);

    test_row("back");
    take_away(pages, list);
    for (i = 0; i < EXTENT; i++) {
        list[i] = pfn_of(pages) + i;
    }
    op = (struct xen_memory_exchange){ .in = ONE(ORDER),
                                       .out = SINGLE(EXTENT) };
    check_equal(exchange(&op, &first, list), 0);
    check_equal(op.nr_exchanged, 1);
    check_equal(nr_pages(), before);
    put_there(pages, list);

    test_row("one by one");
    take_away(pages, list);
    op = (struct xen_memory_exchange){ .in = SINGLE(EXTENT),
                                       .out = SINGLE(EXTENT) };
    {
        xen_pfn_t out[EXTENT];

        for (i = 0; i < EXTENT; i++) {
            out[i] = pfn_of(pages) + i;
        }
        check_equal(exchange(&op, list, out), 0);
        check_equal(op.nr_exchanged, EXTENT);
        put_there(pages, out);
    }
}

static const struct {
    const char *name;
    struct xen_memory_exchange op;
    int result;
} refused[] = {
    { "too large", { .in = ONE(10), .out = ONE(10) }, -XEN_EPERM },
    { "fewer", { .in = SINGLE(EXTENT), .out = SINGLE(4) }, -XEN_EINVAL },
    { "done", { .in = SINGLE(1), .out = SINGLE(1), .nr_exchanged = 1 }, 0 },
    { "more than done",
      { .in = SINGLE(1), .out = SINGLE(1), .nr_exchanged = 2 },
      -XEN_EINVAL },
    { "of another",
      { .in = { .nr_extents = 1 }, .out = { .nr_extents = 1 } },
      -XEN_EPERM },
    { "between two",
      { .in = SINGLE(1), .out = { .nr_extents = 1 } },
      -XEN_EINVAL },
    { "of nobody",
      { .in = { .nr_extents = 1, .domid = DOMID_IO },
        .out = { .nr_extents = 1, .domid = DOMID_IO } },
      -XEN_ESRCH },
    { "below a page",
      { .in = SINGLE(1),
        .out = { .nr_extents = 1,
                 .mem_flags = NO_ADDRESS_BITS,
                 .domid = DOMID_SELF } },
      -XEN_ENOMEM },
};

TEST(pv_exchange_errors, "pv alone noshim")
{
    struct xen_memory_exchange op;
    char *pages = extent_alloc();
    xen_pfn_t list[EXTENT], out[EXTENT], last;
    unsigned int i;

    take_away(pages, list);
    for (i = 0; i < EXTENT; i++) {
        out[i] = pfn_of(pages) + i;
    }
    for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        test_row(refused[i].name);
        op = refused[i].op;
        check_equal(exchange(&op, list, out), refused[i].result);
        check_equal(op.nr_exchanged, refused[i].op.nr_exchanged);
    }

    test_row("lists at no address");
    op = (struct xen_memory_exchange){ .in = SINGLE(1), .out = SINGLE(1) };
    check_equal(exchange(&op, (void *)NOT_CANONICAL, out), -XEN_EFAULT);
    check_equal(exchange(&op, list, (void *)HYPERVISOR_START), -XEN_EFAULT);
    check_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_exchange,
                          HYPERVISOR_START, 0, 0, 0),
                -XEN_EFAULT);
    check_equal(hypercall(__HYPERVISOR_memory_op,
                          XENMEM_exchange | 1 << EXTENT_SHIFT,
                          (unsigned long)&op, 0, 0, 0),
                -XEN_EINVAL);
    put_there(pages, list);

    test_row("the last is no frame");
    take_away(pages, list);
    last = list[EXTENT - 1];
    list[EXTENT - 1] = 0xffffff000;
    op = (struct xen_memory_exchange){ .in = SINGLE(EXTENT),
                                       .out = ONE(ORDER) };
    check_equal(exchange(&op, list, out), -XEN_EINVAL);
    check_equal(op.nr_exchanged, 0);

    test_row("twice the same");
    list[EXTENT - 1] = list[0];
    check_equal(exchange(&op, list, out), -XEN_EINVAL);
    check_equal(op.nr_exchanged, 0);

    test_row("one is exchanged");
    list[1] = 0xffffff000;
    op = (struct xen_memory_exchange){ .in = SINGLE(2), .out = SINGLE(2) };
    check_equal(exchange(&op, list, out), -XEN_EINVAL);
    check_equal(op.nr_exchanged, 1);
    check_equal(((uint64_t *)M2P_START)[out[0]], pfn_of(pages));
    check_equal(((uint64_t *)M2P_START)[last], pfn_of(pages) + EXTENT - 1);
}

#endif /* GUEST_PV */
