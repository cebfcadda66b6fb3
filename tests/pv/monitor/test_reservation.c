/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reservation.c: frames that the guest gives back, and that it gets. */

#include "frames.h"

#define FIRST       FRAMES_FIRST
#define DECREASE    XENMEM_decrease_reservation
#define POPULATE    XENMEM_populate_physmap
#define INCREASE    XENMEM_increase_reservation

static const unsigned int all_ops[] = { DECREASE, POPULATE, INCREASE };

static void test_which_frames(void)
{
    static const struct {
        uint64_t mfn;
        unsigned int order;
        long done;
        unsigned int nr_free;           /* afterwards */
    } cases[] = {
        { FIRST, 0, 1, 1 },
        { FIRST, 0, 0, 1 },             /* twice */
        { MACHINE_HOLE_MFN - 1, 0, 1, 2 },
        { MACHINE_HOLE_MFN, 0, 0, 2 },
        { MACHINE_HIGH_MFN - 1, 0, 0, 2 },
        { MACHINE_HIGH_MFN, 0, 1, 3 },
        { MACHINE_MAX_MFN - 1, 0, 1, 4 },
        { MACHINE_MAX_MFN, 0, 0, 4 },
        { MACHINE_END_MFN, 0, 0, 4 },
        { MACHINE_LOW_MFN - 1, 0, 0, 4 },
        { 0, 0, 0, 4 },
        { MACHINE_XENSTORE_MFN, 0, 0, 4 },
        { MACHINE_CONSOLE_MFN, 0, 0, 4 },
        { MACHINE_SHARED_INFO_MFN, 0, 0, 4 },
        { MACHINE_GRANT_MFN, 0, 0, 4 },
        { ~0ul, 0, 0, 4 },
        { ~0ul, 1, 0, 4 },
        { -4ul, 9, 0, 4 },
        { 1ul << 52 | (FIRST + 1), 0, 0, 4 },
        { 1ul << 63 | (FIRST + 1), 0, 0, 4 },
        /* Extents need not be aligned. */
        { FIRST + 3, 1, 1, 6 },
        { FIRST + 8, 3, 1, 14 },
        /* What comes before the wrong one is gone. */
        { MACHINE_HOLE_MFN - 5, 3, 0, 18 },
        { FIRST + 6, 3, 0, 20 },
        { MACHINE_MAX_MFN - 4, 2, 0, 23 },
        { MACHINE_HIGH_MFN + 1, 9, 1, 535 },
        { FIRST + 17, 10, 0, 535 },
        { FIRST + 17, 32, 0, 535 },
        { FIRST + 17, 64, 0, 535 },
        { FIRST + 17, ~0u, 0, 535 },
    };
    unsigned int i;

    frames_start();
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        g_assert_cmpint(frames_change_one(DECREASE, cases[i].mfn, cases[i].order, 0),
                        ==, cases[i].done);
        frames_check(cases[i].nr_free);
    }
}

/* A top-level table may be loaded, if not now; the others are the guest's alone. */
static void test_tables(void)
{
    uint64_t i;

    frames_start();
    g_assert_cmpint(frames_change_one(DECREASE, boot->top_mfn, 0, 0), ==, 0);
    for (i = 1; i <= 4; i++) {
        set_mark(FIRST + i, i);
        g_assert_cmpint(frames_change_one(DECREASE, FIRST + i, 0, 0), ==, i < 4);
        frames_check(i < 4 ? i : 3);
    }
    g_assert_cmpuint(marks[FIRST + 4], ==, 4);
    set_mark(FIRST + 4, 0);
    g_assert_cmpint(frames_change_one(DECREASE, FIRST + 4, 0, 0), ==, 1);
}

static void test_given_back(void)
{
    const uint64_t pte = FIRST << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE;

    frames_start();
    g_assert_cmpint(machine_call(__HYPERVISOR_update_va_mapping,
                                 MACHINE_KERNEL_VA + 50 * PAGE_SIZE, pte, 0, 0),
                    ==, 0);
    frames_write(FIRST);
    g_assert_cmpint(frames_change_one(DECREASE, FIRST, 0, 0), ==, 1);
    /* It is nothing that the guest could map, and no page's frame. */
    g_assert_cmpint(machine_call(__HYPERVISOR_update_va_mapping,
                                 MACHINE_KERNEL_VA + 50 * PAGE_SIZE, pte, 0, 0),
                    ==, -XEN_EINVAL);
    g_assert_cmphex(m2p[FIRST] >> 63, ==, 1);
    g_assert_cmpint(machine_l0.nr_decreased, ==, 1);
    g_assert_cmpint(frames_change_one(POPULATE, 77, 0, 0), ==, 1);
    g_assert_true(frames_is_zero(FIRST));
    g_assert_cmpint(machine_l0.nr_populated, ==, 1);
    g_assert_cmpint(machine_call(__HYPERVISOR_update_va_mapping,
                                 MACHINE_KERNEL_VA + 50 * PAGE_SIZE, pte, 0, 0),
                    ==, 0);
    frames_check(0);
}

/* For which pages the frames are is in the M2P, and which they are in the list. */
static void test_populate(void)
{
    static const struct {
        unsigned int order, nr;
        uint64_t pfn;
    } cases[] = {
        { 0, 1, 5 }, { 0, 7, 100 }, { 1, 3, 1000 }, { 3, 8, 0 },
        { 5, 2, 1ul << 40 }, { 9, 1, 7 }, { 0, 2, 1ul << 63 },
        { 2, 1, NO_FRAME - 4 },
    };
    unsigned int i, k, j;
    uint64_t list, mfn;

    frames_start();
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        for (k = 0; k < 512; k++) {
            frames_write(MACHINE_HIGH_MFN + k);
        }
        frames_give(MACHINE_HIGH_MFN, 512);
        list = frames_list_from(cases[i].pfn, 0);
        for (k = 0; k < cases[i].nr; k++) {
            frames_set_entry(list, k, cases[i].pfn + 1000 * k);
        }
        g_assert_cmpint(frames_change(POPULATE, list, cases[i].nr,
                                      cases[i].order, 0), ==, cases[i].nr);
        frames_check(512 - (cases[i].nr << cases[i].order));
        for (k = 0; k < cases[i].nr; k++) {
            mfn = frames_entry(list, k);
            g_assert_cmpuint(mfn & (PAGES(cases[i].order) - 1), ==, 0);
            for (j = 0; j < PAGES(cases[i].order); j++) {
                g_assert_cmpuint(marks[mfn + j], ==, 0);
                g_assert_cmphex(m2p[mfn + j], ==,
                                cases[i].pfn + 1000 * k + j);
                g_assert_true(frames_is_zero(mfn + j));
            }
        }
        while (nr_free_frames()) {
            g_assert_cmpint(frames_change_one(POPULATE, 3, 0, 0), ==, 1);
        }
    }
}

/* Frames for no page, which the guest is told if it has a list. */
static void test_increase(void)
{
    uint64_t list, i;

    frames_start();
    frames_give(FIRST, 16);
    list = frames_list_from(5, 4);
    g_assert_cmpint(frames_change(INCREASE, list, 2, 2, 0), ==, 2);
    frames_check(8);
    for (i = 0; i < 2; i++) {
        g_assert_cmpuint(frames_entry(list, i) % 4, ==, 0);
        g_assert_cmpuint(frames_entry(list, i) - FIRST, <=, 12);
    }
    g_assert_cmpuint(frames_entry(list, 2), ==, 7);
    g_assert_cmpint(frames_change(INCREASE, 0, 8, 0, 0), ==, 8);
    frames_check(0);
    for (i = 0; i < 16; i++) {
        g_assert_cmphex(m2p[FIRST + i], ==, NO_FRAME);
        g_assert_cmpuint(marks[FIRST + i], ==, 0);
    }
    g_assert_cmpint(frames_change(INCREASE, 0, 1, 0, 0), ==, 0);
    /* The others need a list. */
    g_assert_cmpint(frames_change(DECREASE, 0, 1, 0, 0), ==, 0);
    frames_give(FIRST, 1);
    g_assert_cmpint(frames_change(POPULATE, 0, 1, 0, 0), ==, 0);
    frames_check(1);
}

static void test_what_there_is(void)
{
    uint64_t i;

    frames_start();
    g_assert_cmpint(frames_change_one(POPULATE, 1, 0, 0), ==, 0);
    frames_give(FIRST, 7);
    g_assert_cmpint(frames_change_one(POPULATE, 1, 3, 0), ==, 0);
    frames_check(7);
    frames_give(FIRST + 7, 1);
    g_assert_cmpint(frames_change_one(POPULATE, 1, 3, 0), ==, 1);
    frames_check(0);
    /* Enough, but not one after the other. */
    for (i = 0; i < 16; i++) {
        frames_give(FIRST + 2 * i, 1);
    }
    g_assert_cmpint(frames_change_one(POPULATE, 1, 1, 0), ==, 0);
    frames_check(16);
    /* As many as there are, and no more. */
    g_assert_cmpint(frames_change(POPULATE, frames_list_from(0, 17), 17, 0, 0), ==,
                    16);
    frames_check(0);
    g_assert_cmpint(frames_change_one(INCREASE, 0, 9, 0), ==, 0);
}

static void test_limits(void)
{
    unsigned int i;

    frames_start();
    frames_give(FIRST, 16);
    frames_give(MACHINE_HIGH_MFN, 16);
    for (i = 1; i < ARRAY_SIZE(all_ops); i++) {
        g_assert_cmpint(frames_change_one(all_ops[i], 0, 0, XENMEMF_address_bits(12)),
                        ==, 0);
        g_assert_cmpint(frames_change_one(all_ops[i], 0, 0, XENMEMF_address_bits(21)),
                        ==, 0);
        g_assert_cmpint(frames_change_one(all_ops[i], 0, 2, XENMEMF_address_bits(22)),
                        ==, 1);
        g_assert_cmpint(frames_change_one(all_ops[i], 0, 0, XENMEMF_address_bits(22)),
                        ==, 1);
    }
    frames_check(22);
    for (i = 0; i < 6; i++) {
        g_assert_cmpint(frames_change_one(POPULATE, 0, 0, XENMEMF_address_bits(22)),
                        ==, 1);
    }
    g_assert_cmpint(frames_change_one(POPULATE, 0, 0, XENMEMF_address_bits(22)),
                    ==, 0);
    g_assert_cmpint(frames_change_one(POPULATE, 0, 0, XENMEMF_address_bits(24)),
                    ==, 1);
    frames_check(15);
}

/* Populate on demand is for another domain to ask for. */
static void test_on_demand(void)
{
    frames_start();
    g_assert_cmpint(frames_change_one(DECREASE, FIRST, 0, XENMEMF_populate_on_demand),
                    ==, 1);
    g_assert_cmpint(frames_change_one(POPULATE, FIRST, 0, XENMEMF_populate_on_demand),
                    ==, 0);
    frames_check(1);
    g_assert_cmpint(frames_change_one(INCREASE, FIRST, 0, XENMEMF_populate_on_demand),
                    ==, 1);
    frames_check(0);
}

/* L0 refuses one call of many: all before it is done, and nothing is lost. */
static void test_l0_refuses(void)
{
    unsigned int k;
    uint64_t list;

    frames_start();
    list = frames_list_from(MACHINE_HIGH_MFN, 8);
    for (k = 1; k <= 8; k++) {
        frames_l0.fails = frames_l0.nr_calls + k;
        g_assert_cmpint(frames_change(DECREASE, list, 8, 0, 0), ==, k - 1);
        g_assert_cmpuint(marks[MACHINE_HIGH_MFN + k - 1], ==, 0);
        frames_check(k - 1);
        g_assert_cmpint(frames_change(INCREASE, 0, 8, 0, 0), ==, k - 1);
        frames_check(0);
    }
    /* In an extent, too. */
    frames_l0.fails = frames_l0.nr_calls + 3;
    g_assert_cmpint(frames_change_one(DECREASE, MACHINE_HIGH_MFN, 3, 0), ==, 0);
    frames_check(2);
    g_assert_cmpint(frames_change_one(DECREASE, MACHINE_HIGH_MFN + 2, 1, 0), ==, 1);
    g_assert_cmpint(frames_change_one(DECREASE, MACHINE_HIGH_MFN + 4, 2, 0), ==, 1);
    for (k = 1; k <= 4; k++) {
        frames_l0.fails = frames_l0.nr_calls + k;
        g_assert_cmpint(frames_change(INCREASE, 0, 4, 1, 0), ==, k - 1);
        frames_check(8 - 2 * (k - 1));
        frames_l0.fails = 0;
        while (nr_free_frames()) {
            g_assert_cmpint(frames_change(INCREASE, 0, 1, 0, 0), ==, 1);
        }
        g_assert_cmpint(frames_change_one(DECREASE, MACHINE_HIGH_MFN, 3, 0), ==, 1);
    }
    machine_l0.no_memory = true;
    for (k = 0; k <= 3; k++) {
        g_assert_cmpint(frames_change_one(POPULATE, 5, k, 0), ==, 0);
        frames_check(8);
    }
    machine_l0.no_memory = false;
    g_assert_cmpint(frames_change_one(POPULATE, 5, 3, 0), ==, 1);
    frames_check(0);
}

/* An address in fewer bits than a page has, or an exact node: refused, whatever it is. */
static void test_flags(void)
{
    static const unsigned int flags[] = {
        XENMEMF_address_bits(1), XENMEMF_address_bits(12),
        XENMEMF_exact_node(0), XENMEMF_exact_node(5),
    };
    unsigned int i, k;

    frames_start();
    frames_give(FIRST, 16);
    for (i = 0; i < ARRAY_SIZE(flags); i++) {
        for (k = 0; k < ARRAY_SIZE(all_ops); k++) {
            g_assert_cmpint(frames_change_one(all_ops[k], MACHINE_HIGH_MFN, 0,
                                       flags[i]), ==, 0);
            frames_check(16);
        }
    }
}

/* Frames that the guest cannot be told of: a list in the hypervisor. */
static void test_increase_list(void)
{
    frames_start();
    frames_give(FIRST, 16);
    g_assert_cmpint(frames_change(INCREASE, DIRECTMAP_VA, 1, 0, 0), ==, 0);
    frames_check(16);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/reservation/which-frames", test_which_frames);
    machine_test("/monitor/reservation/tables", test_tables);
    machine_test("/monitor/reservation/given-back", test_given_back);
    machine_test("/monitor/reservation/populate", test_populate);
    machine_test("/monitor/reservation/increase", test_increase);
    machine_test("/monitor/reservation/what-there-is", test_what_there_is);
    machine_test("/monitor/reservation/limits", test_limits);
    machine_test("/monitor/reservation/on-demand", test_on_demand);
    machine_test("/monitor/reservation/l0-refuses", test_l0_refuses);
    machine_test("/monitor/reservation/flags", test_flags);
    machine_test("/monitor/reservation/increase-list", test_increase_list);
    return g_test_run();
}
