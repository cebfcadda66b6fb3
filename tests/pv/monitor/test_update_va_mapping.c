/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmu.c: the walk of the guest's tables, and what update_va_mapping finds and flushes.
 * What it may write is in test_mmu.c.
 */

#include "tables.h"

static void test_addresses(void)
{
    static const struct {
        uint64_t va;
        bool ok;
    } cases[] = {
        { 0, true },
        { 0x00007ffffffff000, true },
        { 0x0000800000000000, false },
        { 0xffff7ffffffff000, false },
        { M2P_VA, false },
        { WINDOWS_VA, false },
        { MONITOR_VA, false },
        { DIRECTMAP_VA, false },
        { HYPERVISOR_END - 1, false },
        { HYPERVISOR_END, true },
        { HYPERVISOR_END + 0xfff, true },
        { VA, true },
        { -PAGE_SIZE, true },
    };
    uint64_t page, mfn;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    page = map_page();
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t va = cases[i].va;

        if (!cases[i].ok) {
            g_assert_null(pte_of(vcpu_by_id(0), va, 4));
            g_assert_false(guest_frame_at(vcpu_by_id(0), va, &mfn));
            g_assert_cmpint(update_va(va, 0, UVMF_INVLPG), ==, -XEN_EINVAL);
            continue;
        }
        machine_map(va, page, PTE_PRESENT);
        g_assert_true(guest_frame_at(vcpu_by_id(0), va, &mfn));
        g_assert_cmphex(mfn, ==, page);
        g_assert_cmpint(update_va(va, 0x5550, 0), ==, 0);
        g_assert_cmphex(*entry_of(va, 1), ==, 0x5550);
    }
    g_assert_cmpuint(machine_processors[0].nr_invlpgs, ==, 0);
}

static void test_walk(void)
{
    struct vcpu *v;
    unsigned int level;

    machine_start(&(struct machine_config) { 0 });
    map_page();
    v = vcpu_by_id(0);
    /* The kernel's tables count, whatever user mode has. */
    v->user_top = machine_frame();
    for (level = 1; level <= 4; level++) {
        g_assert_true(pte_of(v, VA, level) == entry_of(VA, level));
    }
    for (level = 2; level <= 4; level++) {
        uint64_t *entry = entry_of(VA, level), good = *entry;
        const uint64_t bad[] = {
            good & ~PTE_PRESENT, good | PTE_LARGE,
            MACHINE_HOLE_MFN << PAGE_SHIFT | PTE_PRESENT,
            MACHINE_CONSOLE_MFN << PAGE_SHIFT | PTE_PRESENT,
            (uint64_t)MACHINE_TABLES_MFN << PAGE_SHIFT | PTE_PRESENT,
            PTE_FRAME | PTE_PRESENT,
        };
        unsigned int i;

        for (i = 0; i < G_N_ELEMENTS(bad); i++) {
            *entry = bad[i];
            g_assert_null(pte_of(v, VA, level - 1));
            g_assert_null(pte_of(v, VA, 1));
            g_assert_true(pte_of(v, VA, level) == entry);
            g_assert_cmpint(update_va(VA, 0, 0), ==, -XEN_EINVAL);
        }
        /* Any other bits do not matter. */
        *entry = (good | NX | 0xe78) & ~(PTE_USER | PTE_WRITE);
        g_assert_nonnull(pte_of(v, VA, 1));
        *entry = good;
    }
}

static void test_frame_at(void)
{
    uint64_t page, *entry, mfn;
    struct vcpu *v;

    machine_start(&(struct machine_config) { 0 });
    page = map_page();
    v = vcpu_by_id(0);
    entry = entry_of(VA, 1);
    *entry |= NX | PTE_LARGE;
    g_assert_true(guest_frame_at(v, VA + 0xfff, &mfn));
    g_assert_cmphex(mfn, ==, page);
    g_assert_false(guest_frame_at(v, VA - 1, &mfn));
    g_assert_false(guest_frame_at(v, VA + PAGE_SIZE, &mfn));
    *entry &= ~PTE_PRESENT;
    g_assert_false(guest_frame_at(v, VA, &mfn));
    /* It may be mapped, but it is not the guest's own. */
    *entry = MACHINE_CONSOLE_MFN << PAGE_SHIFT | PTE_PRESENT;
    g_assert_false(guest_frame_at(v, VA, &mfn));
    *entry_of(VA, 2) = 0;
    g_assert_false(guest_frame_at(v, VA, &mfn));
}

static void test_flushes(void)
{
    /* Stands for the address of a mask with the third vCPU. */
    enum { MASK = 0x100 };
    static const struct {
        uint64_t flags;
        bool page, all, pending[3];
    } cases[] = {
        { UVMF_NONE | UVMF_LOCAL, false, false, { false, false, false } },
        { UVMF_NONE | UVMF_ALL, false, false, { false, false, false } },
        { UVMF_NONE | MASK, false, false, { false, false, false } },
        { 3 | UVMF_ALL, false, false, { false, false, false } },
        { UVMF_INVLPG | UVMF_LOCAL, true, false, { false, false, false } },
        { UVMF_TLB_FLUSH | UVMF_LOCAL, true, true, { false, false, false } },
        { UVMF_INVLPG | UVMF_ALL, false, true, { false, true, true } },
        { UVMF_TLB_FLUSH | UVMF_ALL, false, true, { false, true, true } },
        { UVMF_INVLPG | MASK, false, true, { false, false, true } },
        { UVMF_TLB_FLUSH | MASK, false, true, { false, false, true } },
    };
    const uint64_t third = 1ul << 2;
    struct machine_processor *p = &machine_processors[0];
    uint64_t page, mask;
    unsigned int i, id;

    machine_start(&(struct machine_config) { .nr_vcpus = 3 });
    page = map_page();
    mask = machine_put(&third, sizeof(third));
    vcpu_by_id(1)->started = vcpu_by_id(2)->started = true;
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t flags = cases[i].flags;

        if (flags & MASK) {
            flags = (flags & ~(uint64_t)MASK) | mask;
        }
        p->nr_cr3_loads = p->invlpg = 0;
        vcpu_by_id(1)->flush_pending = vcpu_by_id(2)->flush_pending = false;
        *entry_of(VA, 1) = 0;
        g_assert_cmpint(update_va(VA + 8, page << PAGE_SHIFT | PTE_PRESENT,
                                  flags), ==, 0);
        g_assert_cmphex(*entry_of(VA, 1), ==,
                        page << PAGE_SHIFT | PTE_PRESENT | PTE_USER);
        g_assert_cmphex(p->invlpg, ==, cases[i].page ? VA + 8 : 0);
        g_assert_true(!!p->nr_cr3_loads == cases[i].all);
        for (id = 0; id < 3; id++) {
            g_assert_true(vcpu_by_id(id)->flush_pending ==
                          cases[i].pending[id]);
        }
    }
}

/*
 * A top-level table in use as one of the lowest level: the hypervisor's entries are still
 * not the guest's to change.
 */
static void test_top_as_lowest_table(void)
{
    const uint64_t at = VA + TABLE_SIZE(2) + (FIRST_SLOT + 5) * PAGE_SIZE;
    uint64_t *slot, *entry, before;

    machine_start(&(struct machine_config) { 0 });
    map_page();
    slot = &entries_of(kernel_top())[FIRST_SLOT + 5];
    before = *slot;
    entry = entry_of(VA, 2) + 1;
    /* The guest has written that by itself. */
    *entry = kernel_top() << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE | PTE_USER;
    g_assert_cmpint(update_va(at, 0, 0), ==, -XEN_EINVAL);
    g_assert_cmphex(*slot, ==, before);
    /* It cannot have the monitor do so. */
    g_assert_cmpint(update(place_of(VA, 2) + 8, kernel_top() << PAGE_SHIFT |
                                                PTE_PRESENT | PTE_WRITE), ==,
                    -XEN_EINVAL);
}

static void test_mask_at_no_address(void)
{
    uint64_t page;

    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    page = map_page();
    g_assert_cmpint(update_va(VA, page << PAGE_SHIFT | PTE_PRESENT,
                              UVMF_TLB_FLUSH | (VA + PAGE_SIZE)), ==,
                    -XEN_EFAULT);
    g_assert_cmphex(*entry_of(VA, 1), ==,
                    page << PAGE_SHIFT | PTE_PRESENT | PTE_USER);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/update_va_mapping/addresses", test_addresses);
    machine_test("/monitor/update_va_mapping/walk", test_walk);
    machine_test("/monitor/update_va_mapping/frame-at", test_frame_at);
    machine_test("/monitor/update_va_mapping/flushes", test_flushes);
    machine_test("/monitor/update_va_mapping/top-as-lowest-table",
                 test_top_as_lowest_table);
    machine_test("/monitor/update_va_mapping/mask-at-no-address",
                 test_mask_at_no_address);
    return g_test_run();
}
