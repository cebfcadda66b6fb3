/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmu.c: HYPERVISOR_mmuext_op: pins, top-level tables, lists and answers. */

#include "tables.h"

static void assert_slots(uint64_t top, bool has_m2p)
{
    unsigned int i;

    g_assert_cmphex(entries_of(top)[FIRST_SLOT], ==, has_m2p ? boot->slots[0] : 0);
    for (i = 1; i < NR_SLOTS; i++) {
        g_assert_cmphex(entries_of(top)[FIRST_SLOT + i], ==, boot->slots[i]);
    }
}

/* A table with the kernel's memory, too, and one more below it. */
static uint64_t make_top(uint64_t *below)
{
    uint64_t mfn = machine_frame();

    *below = machine_frame();
    entries_of(mfn)[511] = entries_of(kernel_top())[511];
    entries_of(mfn)[3] = *below << PAGE_SHIFT | PTE_PRESENT;
    return mfn;
}

/* Frames --------------------------------------------------------------------------- */

static void test_frames(void)
{
    static const unsigned int commands[] = {
        MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,
        MMUEXT_PIN_L4_TABLE, MMUEXT_UNPIN_TABLE, MMUEXT_NEW_BASEPTR,
        MMUEXT_NEW_USER_BASEPTR, MMUEXT_CLEAR_PAGE, MMUEXT_COPY_PAGE,
    };
    uint64_t mfn, top, cr3;
    unsigned int i, k;

    machine_start(&(struct machine_config) { 0 });
    mfn = machine_frame();
    marks[mfn] = MARK_FREE;
    top = kernel_top();
    cr3 = machine_processors[0].cr3;
    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        for (k = 0; k < G_N_ELEMENTS(not_the_guests); k++) {
            if (commands[i] == MMUEXT_NEW_USER_BASEPTR && !not_the_guests[k]) {
                continue;
            }
            g_assert_cmpint(mmuext(commands[i], not_the_guests[k], top), ==,
                            -XEN_EINVAL);
        }
        g_assert_cmpint(mmuext(commands[i], mfn, top), ==, -XEN_EINVAL);
        g_assert_cmpuint(marks[mfn], ==, MARK_FREE);
    }
    g_assert_cmphex(machine_processors[0].cr3, ==, cr3);
    g_assert_cmphex(vcpu_by_id(0)->kernel_top, ==, top);
    g_assert_cmphex(vcpu_by_id(0)->user_top, ==, 0);
}

/* Pins ----------------------------------------------------------------------------- */

static void test_pin(void)
{
    uint64_t mfn, below;
    unsigned int level, i;

    machine_start(&(struct machine_config) { 0 });
    for (level = 1; level <= 4; level++) {
        mfn = machine_frame();
        below = machine_frame();
        entries_of(mfn)[3] = below << PAGE_SHIFT | PTE_PRESENT;
        g_assert_cmpint(mmuext(MMUEXT_PIN_L1_TABLE + level - 1, mfn, 0), ==, 0);
        g_assert_cmpuint(marks[mfn], ==, level);
        g_assert_cmpuint(marks[below], ==, level - 1);
        g_assert_cmphex(entries_of(mfn)[3], ==,
                        below << PAGE_SHIFT | PTE_PRESENT | PTE_USER);
        for (i = 0; i < NR_SLOTS; i++) {
            g_assert_cmphex(entries_of(mfn)[FIRST_SLOT + i], ==,
                            level == 4 ? boot->slots[i] : 0);
        }
        g_assert_cmpint(mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), ==, 0);
        g_assert_cmpuint(marks[mfn], ==, 0);
        g_assert_cmpuint(marks[below], ==, level - 1);
        for (i = 0; i < NR_SLOTS; i++) {
            g_assert_cmphex(entries_of(mfn)[FIRST_SLOT + i], ==, 0);
        }
        g_assert_cmphex(entries_of(mfn)[3], !=, 0);
    }
}

/* Whatever the guest says, it stays the table that it is. */
static void test_in_use(void)
{
    uint64_t tables[3];
    unsigned int i, level;

    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    tables[0] = kernel_top();
    tables[1] = machine_frame();
    tables[2] = machine_frame();
    g_assert_cmpint(mmuext(MMUEXT_NEW_USER_BASEPTR, tables[1], 0), ==, 0);
    g_assert_cmpint(mmuext(MMUEXT_PIN_L4_TABLE, tables[2], 0), ==, 0);
    vcpu_by_id(1)->initialised = true;
    vcpu_by_id(1)->kernel_top = tables[2];
    for (i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_assert_cmpint(mmuext(MMUEXT_UNPIN_TABLE, tables[i], 0), ==, 0);
        g_assert_cmpuint(marks[tables[i]], ==, 4);
        for (level = 1; level <= 3; level++) {
            g_assert_cmpint(mmuext(MMUEXT_PIN_L1_TABLE + level - 1, tables[i], 0),
                            ==, 0);
            g_assert_cmpuint(marks[tables[i]], ==, 4);
        }
        g_assert_cmpint(mmuext(MMUEXT_CLEAR_PAGE, tables[i], 0), ==, -XEN_EINVAL);
        g_assert_cmpint(mmuext(MMUEXT_COPY_PAGE, tables[i], tables[0]), ==,
                        -XEN_EINVAL);
        assert_slots(tables[i], i != 1);
    }
    /* Once it is in use no more it can be anything. */
    g_assert_cmpint(mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0), ==, 0);
    g_assert_cmpint(mmuext(MMUEXT_UNPIN_TABLE, tables[1], 0), ==, 0);
    g_assert_cmpuint(marks[tables[1]], ==, 0);
    g_assert_cmpint(mmuext(MMUEXT_CLEAR_PAGE, tables[1], 0), ==, 0);
}

/* Whenever user mode's tables are pinned, they have no M2P. */
static void test_pin_of_user_top(void)
{
    uint64_t mfn;

    machine_start(&(struct machine_config) { 0 });
    mfn = machine_frame();
    g_assert_cmpint(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0), ==, 0);
    g_assert_cmpint(mmuext(MMUEXT_PIN_L4_TABLE, mfn, 0), ==, 0);
    assert_slots(mfn, false);
}

/*
 * A top-level table that leads to itself is one of no lower level, before it is loaded,
 * too.
 */
static void test_pin_of_linear_table(void)
{
    uint64_t mfn, below;

    machine_start(&(struct machine_config) { 0 });
    mfn = make_top(&below);
    entries_of(mfn)[300] = mfn << PAGE_SHIFT | PTE_PRESENT;
    g_assert_cmpint(mmuext(MMUEXT_PIN_L4_TABLE, mfn, 0), ==, 0);
    g_assert_cmpuint(marks[mfn], ==, 4);
    g_assert_cmpuint(marks[below], ==, 3);
    assert_slots(mfn, true);
    g_assert_cmpint(update((mfn << PAGE_SHIFT) + (FIRST_SLOT + 5) * 8, 0), ==,
                    -XEN_EINVAL);
}

/* Top-level tables ----------------------------------------------------------------- */

static void test_kernel_top(void)
{
    struct machine_processor *p = &machine_processors[0];
    uint64_t old, mfn, below;
    unsigned int loads;

    machine_start(&(struct machine_config) { 0 });
    old = kernel_top();
    mfn = make_top(&below);
    loads = p->nr_cr3_loads;
    g_assert_cmpint(mmuext(MMUEXT_NEW_BASEPTR, mfn, 0), ==, 0);
    g_assert_cmphex(p->cr3, ==, mfn << PAGE_SHIFT);
    g_assert_cmpuint(p->nr_cr3_loads, >, loads);
    g_assert_cmpuint(marks[mfn], ==, 4);
    g_assert_cmpuint(marks[below], ==, 3);
    g_assert_cmphex(entries_of(mfn)[3] & PTE_USER, !=, 0);
    assert_slots(mfn, true);
    g_assert_true(top_is_in_use(mfn));
    g_assert_false(top_is_in_use(old));
    /* The same once more is a flush. */
    loads = p->nr_cr3_loads;
    g_assert_cmpint(mmuext(MMUEXT_NEW_BASEPTR, mfn, 0), ==, 0);
    g_assert_cmpuint(p->nr_cr3_loads, >, loads);
    g_assert_cmphex(p->cr3, ==, mfn << PAGE_SHIFT);
}

static void test_user_top(void)
{
    struct machine_processor *p = &machine_processors[0];
    uint64_t mfn, below;
    unsigned int loads;
    struct vcpu *v;

    machine_start(&(struct machine_config) { 0 });
    v = vcpu_by_id(0);
    mfn = make_top(&below);
    loads = p->nr_cr3_loads;
    g_assert_cmpint(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0), ==, 0);
    g_assert_cmphex(v->user_top, ==, mfn);
    g_assert_cmpuint(marks[mfn], ==, 4);
    g_assert_cmpuint(marks[below], ==, 3);
    assert_slots(mfn, false);
    g_assert_true(top_is_in_use(mfn));
    /* It is loaded when the kernel returns to user mode. */
    g_assert_cmpuint(p->nr_cr3_loads, ==, loads);
    toggle_mode(v);
    g_assert_cmphex(p->cr3, ==, mfn << PAGE_SHIFT);
    toggle_mode(v);
    g_assert_cmphex(p->cr3, ==, kernel_top() << PAGE_SHIFT);
    /* One for both is the kernel's, which needs the M2P. */
    g_assert_cmpint(mmuext(MMUEXT_NEW_USER_BASEPTR, kernel_top(), 0), ==, 0);
    assert_slots(kernel_top(), true);
    g_assert_cmpint(mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0), ==, 0);
    g_assert_cmphex(v->user_top, ==, 0);
    g_assert_false(top_is_in_use(mfn));
    g_assert_cmpuint(marks[0], ==, 0);
}

/* The kernel's tables that were user mode's have the M2P again. */
static void test_change_of_mode(void)
{
    uint64_t mfn, below;

    machine_start(&(struct machine_config) { 0 });
    mfn = make_top(&below);
    g_assert_cmpint(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0), ==, 0);
    assert_slots(mfn, false);
    g_assert_cmpint(mmuext(MMUEXT_NEW_BASEPTR, mfn, 0), ==, 0);
    assert_slots(mfn, true);
}

/* Others --------------------------------------------------------------------------- */

static void test_ldt(void)
{
    uint64_t page;

    machine_start(&(struct machine_config) { 0 });
    page = map_page();
    entries_of(page)[1] = 0x00cff3000000fffful;
    g_assert_cmpint(mmuext(MMUEXT_SET_LDT, VA, 2), ==, 0);
    g_assert_cmphex(windows_of(0)[TABLE_WINDOW / 8 + 1], ==,
                    0x00cff3000000fffful);
    g_assert_cmpint(mmuext(MMUEXT_SET_LDT, VA, LDT_ENTRIES + 1), ==, -XEN_EINVAL);
    g_assert_cmpint(mmuext(MMUEXT_SET_LDT, VA + 8, 2), ==, -XEN_EINVAL);
    g_assert_cmphex(machine_processors[0].ldtr, ==, SEL_LDT);
    g_assert_cmpint(mmuext(MMUEXT_SET_LDT, 0, 0), ==, 0);
    g_assert_cmphex(machine_processors[0].ldtr, ==, 0);
}

static void test_answers(void)
{
    static const struct {
        unsigned int command;
        long result;
    } cases[] = {
        { MMUEXT_FLUSH_CACHE, -XEN_EACCES },
        { MMUEXT_MARK_SUPER, -XEN_EOPNOTSUPP },
        { MMUEXT_UNMARK_SUPER, -XEN_EOPNOTSUPP },
        { MMUEXT_UNMARK_SUPER + 1, -XEN_ENOSYS },
        { 14, -XEN_ENOSYS },
        { ~0u, -XEN_ENOSYS },
    };
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(mmuext(cases[i].command, machine_frame(), 0), ==,
                        cases[i].result);
    }
}

static void test_list(void)
{
    const unsigned int junk = 9;
    struct mmuext_op list[4] = {
        { .cmd = MMUEXT_PIN_L1_TABLE }, { .cmd = MMUEXT_PIN_L2_TABLE },
        { .cmd = ~0u }, { .cmd = MMUEXT_PIN_L3_TABLE },
    };
    uint64_t mfn, done;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    mfn = machine_frame();
    for (i = 0; i < G_N_ELEMENTS(list); i++) {
        list[i].arg1.mfn = mfn;
    }
    done = machine_put(&junk, sizeof(junk));
    g_assert_cmpint(machine_call(__HYPERVISOR_mmuext_op,
                                 machine_put(list, sizeof(list)), 4, done,
                                 DOMID_SELF), ==, -XEN_ENOSYS);
    g_assert_cmpuint(*(unsigned int *)machine_at(done), ==, 2);
    g_assert_cmpuint(marks[mfn], ==, 2);
}

/* Xen's answers in do_mmuext_op(). */
static void test_other_answers(void)
{
    machine_start(&(struct machine_config) { 0 });
    g_assert_cmpint(mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), ==, -XEN_EINVAL);
    g_assert_cmpint(mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, VA), ==, -XEN_EINVAL);
    g_assert_cmpint(mmuext(MMUEXT_INVLPG_MULTI, 0, MONITOR_VA), ==, -XEN_EINVAL);
    g_assert_cmpint(mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, 0), ==, -XEN_EINVAL);
    /* With no entries the address does not count. */
    g_assert_cmpint(mmuext(MMUEXT_SET_LDT, MONITOR_VA + 8, 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/mmuext/frames", test_frames);
    machine_test("/monitor/mmuext/pin", test_pin);
    machine_test("/monitor/mmuext/in-use", test_in_use);
    machine_test("/monitor/mmuext/pin-of-user-top", test_pin_of_user_top);
    machine_test("/monitor/mmuext/pin-of-linear-table", test_pin_of_linear_table);
    machine_test("/monitor/mmuext/kernel-top", test_kernel_top);
    machine_test("/monitor/mmuext/user-top", test_user_top);
    machine_test("/monitor/mmuext/change-of-mode", test_change_of_mode);
    machine_test("/monitor/mmuext/ldt", test_ldt);
    machine_test("/monitor/mmuext/answers", test_answers);
    machine_test("/monitor/mmuext/list", test_list);
    machine_test("/monitor/mmuext/other-answers", test_other_answers);
    return g_test_run();
}
