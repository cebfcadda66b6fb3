/* SPDX-License-Identifier: GPL-2.0-or-later */
/* descriptors.c: HYPERVISOR_update_descriptor, in all tables that a frame is in. */

#include "descriptor_tables.h"

static void test_update_arguments(void)
{
    static const uint64_t no_frames[] = {
        0, MACHINE_LOW_MFN - 1, MACHINE_HOLE_MFN, MACHINE_HIGH_MFN - 1,
        MACHINE_MAX_MFN, MACHINE_VCPUS_MFN, 1ul << 40, 1ul << 51,
    };
    static const uint64_t ends[] = { MACHINE_HOLE_MFN - 1, MACHINE_MAX_MFN - 1 };
    uint64_t mfn, address;
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < G_N_ELEMENTS(no_frames); i++) {
        g_assert_cmpint(update(no_frames[i], 0, DATA), ==, -XEN_EINVAL);
    }
    for (i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_assert_cmpint(update(ends[i], 511, DATA), ==, 0);
        g_assert_cmphex(table(ends[i])[511], ==, DATA | RING_3);
    }
    mfn = machine_frame();
    address = mfn << PAGE_SHIFT;
    for (i = 1; i < 8; i++) {
        g_assert_cmpint(machine_call(__HYPERVISOR_update_descriptor, address + i,
                                     DATA, 0, 0), ==, -XEN_EINVAL);
    }
    g_assert_cmpint(update(mfn, 1, TSS), ==, -XEN_EINVAL);
    g_assert_cmphex(table(mfn)[1], ==, 0);
    /* Not to the entries of the monitor's in a top-level table. */
    g_assert_cmpint(update(boot->top_mfn, FIRST_SLOT + 5, DATA), ==, -XEN_EINVAL);
    g_assert_cmphex(table(boot->top_mfn)[FIRST_SLOT + 5], ==, boot->slots[5]);
    marks[mfn] = MARK_FREE;
    g_assert_cmpint(update(mfn, 1, DATA), ==, -XEN_EINVAL);
}

/* One frame may be several pages of several tables, of any vCPU. */
static void test_update_of_all_tables(void)
{
    uint64_t frames[14], mfn;
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < 14; i++) {
        frames[i] = new_table(i * ENTRIES);
    }
    mfn = frames[2] = frames[0];
    frames[13] = mfn;
    machine_map(LDT_VA, new_table(0), PTE_PRESENT);
    machine_map(LDT_VA + PAGE_SIZE, mfn, PTE_PRESENT);
    /* Not in the first page of its GDT, but in two others of it, and in its LDT. */
    g_assert_cmpint(set_gdt(vcpu_by_id(0), frames, GDT_ENTRIES), ==, 0);
    g_assert_cmpint(set_gdt(vcpu_by_id(1), frames, 1024 + 7), ==, 0);
    vcpu_by_id(1)->kernel_top = boot->top_mfn;
    g_assert_cmpint(set_ldt(vcpu_by_id(1), LDT_VA, 512 + 8), ==, 0);
    g_assert_cmpint(update(mfn, 7, CODE), ==, 0);
    g_assert_cmphex(table(mfn)[7], ==, CODE | RING_3);
    g_assert_cmphex(gdt(0)[7], ==, CODE | RING_3);
    g_assert_cmphex(gdt(0)[1024 + 7], ==, CODE | RING_3);
    g_assert_cmphex(gdt(0)[13 * 512 + 7], ==, CODE | RING_3);
    g_assert_cmphex(gdt(1)[7], ==, CODE | RING_3);
    g_assert_cmphex(ldt(1)[512 + 7], ==, CODE | RING_3);
    /* It is beyond the end there. */
    g_assert_cmphex(gdt(1)[1024 + 7], ==, 0);
    /* Other entries, pages and vCPUs are as they were. */
    g_assert_cmphex(gdt(0)[6], ==, entry_of(0, 6));
    g_assert_cmphex(gdt(0)[8], ==, entry_of(0, 8));
    g_assert_cmphex(gdt(0)[512 + 7], ==, entry_of(0, 512 + 7));
    g_assert_cmphex(ldt(1)[7], ==, entry_of(0, 7));
    g_assert_cmphex(gdt(2)[7], ==, 0);
    g_assert_cmphex(ldt(0)[512 + 7], ==, 0);
    g_assert_cmpint(update(mfn, 8, CODE), ==, 0);
    g_assert_cmphex(ldt(1)[512 + 8], !=, CODE | RING_3);
    g_assert_cmphex(gdt(1)[8], ==, CODE | RING_3);
    /* The kernel has another page there meanwhile. */
    machine_map(LDT_VA + PAGE_SIZE, frames[1], PTE_PRESENT);
    g_assert_cmpint(update(mfn, 5, CODE), ==, 0);
    g_assert_cmphex(ldt(1)[512 + 5], ==, entry_of(0, 5));
    g_assert_cmpint(update(frames[1], 5, CODE), ==, 0);
    g_assert_cmphex(ldt(1)[512 + 5], ==, CODE | RING_3);
    /* Or none. */
    machine_map(LDT_VA + PAGE_SIZE, frames[1], 0);
    g_assert_cmpint(update(frames[1], 4, CODE), ==, 0);
    g_assert_cmphex(ldt(1)[512 + 4], ==, entry_of(0, 4));
    /* A frame of an older GDT is nothing to the one that there is. */
    g_assert_cmpint(set_gdt(vcpu_by_id(0), frames + 3, 512), ==, 0);
    g_assert_cmpint(update(frames[1], 6, CODE), ==, 0);
    g_assert_cmphex(gdt(0)[512 + 6], ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/update_descriptor/update-arguments", test_update_arguments);
    machine_test("/monitor/update_descriptor/update-of-all-tables",
                 test_update_of_all_tables);
    return g_test_run();
}
