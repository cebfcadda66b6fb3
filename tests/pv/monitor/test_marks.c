/* SPDX-License-Identifier: GPL-2.0-or-later */
/* marks.c: which frames are page tables, and the monitor's entries in them. */

#include "machine.h"

#define VA 0xffff900000000000ul

static uint64_t *top(uint64_t mfn)
{
    return frame(mfn);
}

static void assert_slots(uint64_t mfn)
{
    unsigned int i;

    for (i = 0; i < NR_SLOTS; i++) {
        g_assert_cmphex(top(mfn)[FIRST_SLOT + i], ==, boot->slots[i]);
    }
}

/* A top-level frame, and one of each lower level below it, with a page. */
static void make_tables(uint64_t mfn[5])
{
    unsigned int i;

    for (i = 0; i < 5; i++) {
        mfn[i] = machine_frame();
    }
    top(mfn[4])[VA >> 39 & 511] = mfn[3] << PAGE_SHIFT | PTE_PRESENT;
    top(mfn[3])[VA >> 30 & 511] = mfn[2] << PAGE_SHIFT | PTE_PRESENT;
    top(mfn[2])[VA >> 21 & 511] = mfn[1] << PAGE_SHIFT | PTE_PRESENT;
    top(mfn[1])[VA >> 12 & 511] = mfn[0] << PAGE_SHIFT | PTE_PRESENT;
}

static void test_levels(void)
{
    uint64_t mfn[5];
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    make_tables(mfn);
    mark_tables(mfn[4], 4);
    for (i = 0; i < 5; i++) {
        g_assert_cmpuint(marks[mfn[i]], ==, i);
    }
    /* The kernel is in ring 3. */
    g_assert_cmphex(top(mfn[4])[VA >> 39 & 511] & PTE_USER, !=, 0);
    g_assert_cmphex(top(mfn[1])[VA >> 12 & 511] & PTE_USER, !=, 0);
    /* What is not present stays as it is. */
    g_assert_cmphex(top(mfn[1])[(VA >> 12 & 511) + 1], ==, 0);
}

/* The entries of the hypervisor, large pages, and frames that are not the guest's. */
static void test_not_followed(void)
{
    uint64_t mfn[5], large, slot;
    const uint64_t hole = MACHINE_HOLE_MFN;

    machine_start(&(struct machine_config) { 0 });
    make_tables(mfn);
    large = machine_frame();
    slot = machine_frame();
    top(mfn[2])[0] = large << PAGE_SHIFT | PTE_PRESENT | PTE_LARGE;
    top(mfn[2])[1] = hole << PAGE_SHIFT | PTE_PRESENT;
    top(mfn[4])[FIRST_SLOT] = slot << PAGE_SHIFT | PTE_PRESENT;
    mark_tables(mfn[4], 4);
    g_assert_cmpuint(marks[large], ==, 0);
    g_assert_cmpuint(marks[hole], ==, 0);
    g_assert_cmpuint(marks[slot], ==, 0);
    g_assert_cmphex(top(mfn[4])[FIRST_SLOT] & PTE_USER, ==, 0);
}

/* Tables that lead to themselves end, too. */
static void test_loop(void)
{
    uint64_t mfn;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    mfn = machine_frame();
    for (i = 0; i < 512; i++) {
        top(mfn)[i] = mfn << PAGE_SHIFT | PTE_PRESENT;
    }
    mark_tables(mfn, 4);
    g_assert_cmpuint(marks[mfn], <=, 4);
}

/*
 * One frame as a table of three levels is marked again with each entry that leads to it.
 * So often only: what comes late is not gone through again, but for frames that have no
 * mark yet.
 */
static void test_work_is_bounded(void)
{
    /* Before these places are entries that lead to the loop. */
    enum { SOON = 3, LATE = 40 };
    uint64_t mfn, loop, table[2], none;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    mfn = machine_frame();
    loop = machine_frame();
    for (i = 0; i < 512; i++) {
        top(loop)[i] = loop << PAGE_SHIFT | PTE_PRESENT;
    }
    for (i = 0; i < LATE; i++) {
        top(mfn)[i] = loop << PAGE_SHIFT | PTE_PRESENT;
    }
    for (i = 0; i < 2; i++) {
        table[i] = machine_frame();
        top(table[i])[0] = machine_frame() << PAGE_SHIFT | PTE_PRESENT;
        marks[table[i]] = 1;
        top(mfn)[i ? LATE : SOON] = table[i] << PAGE_SHIFT | PTE_PRESENT;
    }
    none = machine_frame();
    top(none)[0] = machine_frame() << PAGE_SHIFT | PTE_PRESENT;
    top(mfn)[LATE + 1] = none << PAGE_SHIFT | PTE_PRESENT;
    mark_tables(mfn, 4);
    g_assert_cmpuint(marks[table[0]], ==, 3);
    g_assert_cmpuint(marks[table[1]], ==, 3);
    g_assert_cmpuint(marks[none], ==, 3);
    g_assert_cmphex(top(table[0])[0] & PTE_USER, !=, 0);
    g_assert_cmphex(top(table[1])[0] & PTE_USER, ==, 0);
    g_assert_cmphex(top(none)[0] & PTE_USER, !=, 0);
}

static void test_in_use(void)
{
    uint64_t mfn[5], user[5];

    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    g_assert_true(top_is_in_use(boot->top_mfn));
    make_tables(mfn);
    make_tables(user);
    g_assert_false(top_is_in_use(mfn[4]));
    vcpu_by_id(1)->kernel_top = mfn[4];
    vcpu_by_id(1)->user_top = user[4];
    /* Not before VCPUOP_initialise. */
    g_assert_false(top_is_in_use(mfn[4]));
    vcpu_by_id(1)->initialised = true;
    g_assert_true(top_is_in_use(mfn[4]));
    g_assert_true(top_is_in_use(user[4]));
    /* It stays one: as a table of a lower level it would be the guest's to write. */
    mark_tables(mfn[4], 4);
    set_mark(mfn[4], 0);
    g_assert_cmpuint(marks[mfn[4]], ==, 4);
    mark_tables(mfn[4], 1);
    g_assert_cmpuint(marks[mfn[4]], ==, 4);
    vcpu_by_id(1)->kernel_top = boot->top_mfn;
    set_mark(mfn[4], 0);
    g_assert_cmpuint(marks[mfn[4]], ==, 0);
}

/* What is nobody's, or in an exchange, is not the guest's to mark. */
static void test_kept(void)
{
    static const uint8_t kept[] = { MARK_FREE, MARK_STOLEN, MARK_TAKEN,
                                    MARK_KEPT };
    uint64_t mfn;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    mfn = machine_frame();
    for (i = 0; i < G_N_ELEMENTS(kept); i++) {
        marks[mfn] = kept[i];
        set_mark(mfn, 1);
        g_assert_cmpuint(marks[mfn], ==, kept[i]);
        mark_tables(mfn, 4);
        g_assert_cmpuint(marks[mfn], ==, kept[i]);
    }
}

static void test_slots(void)
{
    uint64_t mfn;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    mfn = machine_frame();
    install_slots(mfn);
    assert_slots(mfn);
    g_assert_cmphex(top(mfn)[FIRST_SLOT - 1] | top(mfn)[FIRST_SLOT + NR_SLOTS],
                    ==, 0);
    /* The processor has looked there: no reason to write. */
    top(mfn)[FIRST_SLOT + 5] |= PTE_ACCESSED | PTE_DIRTY;
    check_slots(mfn);
    g_assert_cmphex(top(mfn)[FIRST_SLOT + 5], ==,
                    boot->slots[5] | PTE_ACCESSED | PTE_DIRTY);
    /* Any other bit of any of them. */
    for (i = 4; i < NR_SLOTS; i++) {
        top(mfn)[FIRST_SLOT + i] ^= PTE_USER;
        check_slots(mfn);
        assert_slots(mfn);
    }
    /* The M2P is missing in user mode's tables: that is none of its business. */
    top(mfn)[FIRST_SLOT] = 0;
    check_slots(mfn);
    g_assert_cmphex(top(mfn)[FIRST_SLOT], ==, 0);
}

static void test_unpin(void)
{
    uint64_t mfn[5];
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    make_tables(mfn);
    mark_tables(mfn[4], 4);
    install_slots(mfn[4]);
    set_mark(mfn[4], 0);
    g_assert_cmpuint(marks[mfn[4]], ==, 0);
    for (i = 0; i < NR_SLOTS; i++) {
        g_assert_cmphex(top(mfn[4])[FIRST_SLOT + i], ==, 0);
    }
    /* A lower table has entries of the guest's there. */
    top(mfn[3])[FIRST_SLOT] = PTE_DIRTY;
    set_mark(mfn[3], 0);
    g_assert_cmpuint(marks[mfn[3]], ==, 0);
    g_assert_cmphex(top(mfn[3])[FIRST_SLOT], ==, PTE_DIRTY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/marks/levels", test_levels);
    machine_test("/monitor/marks/not-followed", test_not_followed);
    machine_test("/monitor/marks/loop", test_loop);
    machine_test("/monitor/marks/work-is-bounded", test_work_is_bounded);
    machine_test("/monitor/marks/in-use", test_in_use);
    machine_test("/monitor/marks/kept", test_kept);
    machine_test("/monitor/marks/slots", test_slots);
    machine_test("/monitor/marks/unpin", test_unpin);
    return g_test_run();
}
