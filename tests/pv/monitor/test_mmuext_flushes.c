/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmu.c: HYPERVISOR_mmuext_op: pages that it clears and copies, and flushes. */

#include "tables.h"

/* Pages ---------------------------------------------------------------------------- */

static void test_pages(void)
{
    uint64_t from, to;
    uint8_t *bytes;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    from = machine_frame();
    to = machine_frame();
    bytes = frame(from);
    for (i = 0; i < PAGE_SIZE; i++) {
        bytes[i] = i ^ i >> 8 ^ 0x55;
    }
    g_assert_cmpint(mmuext(MMUEXT_COPY_PAGE, to, from), ==, 0);
    g_assert_cmpint(memcmp(frame(to), bytes, PAGE_SIZE), ==, 0);
    g_assert_cmphex(entries_of(to + 1)[0], ==, 0);
    for (i = 0; i < G_N_ELEMENTS(not_the_guests); i++) {
        g_assert_cmpint(mmuext(MMUEXT_COPY_PAGE, to, not_the_guests[i]), ==,
                        -XEN_EINVAL);
    }
    g_assert_cmpint(memcmp(frame(to), bytes, PAGE_SIZE), ==, 0);
    g_assert_cmpint(mmuext(MMUEXT_COPY_PAGE, from, from), ==, 0);
    g_assert_cmpint(memcmp(frame(to), bytes, PAGE_SIZE), ==, 0);
    /* It may read what it may not write. */
    g_assert_cmpint(mmuext(MMUEXT_COPY_PAGE, to, kernel_top()), ==, 0);
    g_assert_cmphex(entries_of(to)[511], ==, entries_of(kernel_top())[511]);
    g_assert_cmpint(mmuext(MMUEXT_CLEAR_PAGE, to, 0), ==, 0);
    for (i = 0; i < 512; i++) {
        g_assert_cmphex(entries_of(to)[i], ==, 0);
    }
    g_assert_cmphex(bytes[0], ==, 0x55);
}

/* Flushes -------------------------------------------------------------------------- */

static void test_invlpg(void)
{
    static const struct {
        uint64_t va;
        bool done;
    } cases[] = {
        { 0x123456, true },           { 0x00007fffffffffff, true },
        { 0x0000800000000000, false }, { 0xffff7fffffffffff, false },
        { M2P_VA, false },            { MONITOR_VA, false },
        { DIRECTMAP_VA, false },      { HYPERVISOR_END - 1, false },
        { HYPERVISOR_END, true },     { VA, true },
    };
    struct machine_processor *p = &machine_processors[0];
    unsigned int i, loads;

    machine_start(&(struct machine_config) { 0 });
    loads = p->nr_cr3_loads;
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        p->nr_invlpgs = 0;
        g_assert_cmpint(mmuext(MMUEXT_INVLPG_LOCAL, cases[i].va, 0), ==, 0);
        g_assert_cmpuint(p->nr_invlpgs, ==, cases[i].done);
        g_assert_true(!cases[i].done || p->invlpg == cases[i].va);
    }
    g_assert_cmpuint(p->nr_cr3_loads, ==, loads);
}

static void test_flushes(void)
{
    static const struct {
        unsigned int command;
        bool by_mask, others[3];
    } cases[] = {
        { MMUEXT_TLB_FLUSH_LOCAL, false, { false, false, false } },
        { MMUEXT_TLB_FLUSH_MULTI, true, { false, false, true } },
        { MMUEXT_INVLPG_MULTI, true, { false, false, true } },
        { MMUEXT_TLB_FLUSH_ALL, false, { false, true, true } },
        { MMUEXT_INVLPG_ALL, false, { false, true, true } },
    };
    const uint64_t third = 1ul << 2;
    struct machine_processor *p = &machine_processors[0];
    uint64_t mask;
    unsigned int i, id, loads;

    machine_start(&(struct machine_config) { .nr_vcpus = 3 });
    mask = machine_put(&third, sizeof(third));
    vcpu_by_id(1)->started = vcpu_by_id(2)->started = true;
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        vcpu_by_id(1)->flush_pending = vcpu_by_id(2)->flush_pending = false;
        loads = p->nr_cr3_loads;
        g_assert_cmpint(mmuext(cases[i].command, VA,
                               cases[i].by_mask ? mask : VA), ==, 0);
        g_assert_cmpuint(p->nr_cr3_loads, >, loads);
        for (id = 0; id < 3; id++) {
            g_assert_true(vcpu_by_id(id)->flush_pending == cases[i].others[id]);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/mmuext_flushes/pages", test_pages);
    machine_test("/monitor/mmuext_flushes/invlpg", test_invlpg);
    machine_test("/monitor/mmuext_flushes/flushes", test_flushes);
    return g_test_run();
}
