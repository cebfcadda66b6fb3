/* SPDX-License-Identifier: GPL-2.0-or-later */
/* descriptors.c: the GDT in a vCPU's window. */

#include "descriptor_tables.h"

static void test_gdt_sizes(void)
{
    static const unsigned int sizes[] = {
        1, 2, 511, 512, 513, 1024, GDT_ENTRIES - 1, GDT_ENTRIES, 513, 1, 0,
    };
    uint64_t frames[15];
    unsigned int i, n;

    machine_start(&config);
    for (i = 0; i < 14; i++) {
        frames[i] = new_table(i * ENTRIES);
    }
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct segment segment;

        g_assert_cmpint(set_gdt_of(frames, sizes[i]), ==, 0);
        g_assert_cmpuint(vcpu_by_id(0)->gdt_entries, ==, sizes[i]);
        for (n = 0; n < GDT_ENTRIES; n++) {
            g_assert_cmphex(gdt(0)[n], ==, n < sizes[i] ? entry_of(0, n) : 0);
        }
        /* What is the monitor's stays. */
        g_assert_cmphex(gdt(0)[SEL_CS64 / 8], ==, CODE | RING_3);
        g_assert_true(read_segment(vcpu_by_id(0), SEL_CS64, &segment));
        g_assert_cmphex(gdt(1)[0], ==, 0);
    }
    /* The guest's own is as it was: it may be read-only to it. */
    g_assert_cmphex(table(frames[0])[5], ==, entry_of(0, 5) & ~RING_3);
    g_assert_cmpint(set_gdt_of(frames, GDT_ENTRIES + 1), ==, -XEN_EINVAL);
    g_assert_cmpint(set_gdt_of(frames, UINT32_MAX), ==, -XEN_EINVAL);
    g_assert_cmpint(set_gdt_of(frames, 1u << 31), ==, -XEN_EINVAL);
    g_assert_cmpuint(vcpu_by_id(0)->gdt_entries, ==, 0);
    /* Nor for another vCPU, whose context says so. */
    frames[14] = frames[0];
    g_assert_cmpint(set_gdt(vcpu_by_id(1), frames, GDT_ENTRIES + 1), ==,
                    -XEN_EINVAL);
}

static void test_gdt_arguments(void)
{
    const uint64_t end = MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE;
    static const uint64_t no_frames[] = {
        0, MACHINE_LOW_MFN - 1, MACHINE_HOLE_MFN, MACHINE_HIGH_MFN - 1,
        MACHINE_MAX_MFN, MACHINE_XENSTORE_MFN, MACHINE_SHARED_INFO_MFN,
        MACHINE_VCPUS_MFN, MACHINE_TABLES_MFN, 1ul << 40, ~0ul,
    };
    uint64_t frames[14] = { 0 };
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < G_N_ELEMENTS(no_frames); i++) {
        frames[0] = no_frames[i];
        g_assert_cmpint(set_gdt_of(frames, 1), ==, -XEN_EINVAL);
        frames[0] = new_table(0);
        frames[1] = no_frames[i];
        g_assert_cmpint(set_gdt_of(frames, 513), ==, -XEN_EINVAL);
        g_assert_cmpint(set_gdt_of(frames, 512), ==, 0);
    }
    /* The list itself. */
    g_assert_cmpint(machine_call(__HYPERVISOR_set_gdt, MONITOR_VA, 1, 0, 0), ==,
                    -XEN_EFAULT);
    g_assert_cmpint(machine_call(__HYPERVISOR_set_gdt, 0, 1, 0, 0), ==,
                    -XEN_EFAULT);
    g_assert_cmpint(machine_call(__HYPERVISOR_set_gdt, end - 8, 513, 0, 0), ==,
                    -XEN_EFAULT);
    *(uint64_t *)machine_at(end - 8) = frames[0];
    g_assert_cmpint(machine_call(__HYPERVISOR_set_gdt, end - 8, 512, 0, 0), ==, 0);
    /* None is needed for no entries. */
    g_assert_cmpint(machine_call(__HYPERVISOR_set_gdt, 0, 0, 0, 0), ==, 0);
}

/* What may be left of a table that was refused is not in the next one. */
static void test_gdt_after_refusal(void)
{
    uint64_t frames[14] = { 0 };

    machine_start(&config);
    frames[0] = new_table(0);
    frames[1] = MACHINE_HOLE_MFN;
    g_assert_cmpint(set_gdt_of(frames, 1024), ==, -XEN_EINVAL);
    g_assert_cmpuint(vcpu_by_id(0)->gdt_entries, ==, 0);
    g_assert_cmpint(set_gdt_of(frames, 0), ==, 0);
    g_assert_cmphex(gdt(0)[5], ==, 0);
}

/* The frame may have been given back. */
static void test_gdt_of_a_free_frame(void)
{
    uint64_t frames[14] = { 0 };

    machine_start(&config);
    frames[0] = new_table(0);
    marks[frames[0]] = MARK_FREE;
    g_assert_cmpint(set_gdt_of(frames, 1), ==, -XEN_EINVAL);
    /* A page table may be one, but is in ring 3 then. */
    marks[frames[0]] = 1;
    g_assert_cmpint(set_gdt_of(frames, 1), ==, 0);
}

static void test_gdt_descriptors(void)
{
    static const unsigned int places[] = { 0, 1, 511 };
    uint64_t frames[14] = { 0 };
    unsigned int i;

    machine_start(&config);
    frames[0] = new_table(0);
    frames[1] = new_table(512);
    for (i = 0; i < G_N_ELEMENTS(places); i++) {
        table(frames[1])[places[i]] = TSS;
        g_assert_cmpint(set_gdt_of(frames, 1024), ==, -XEN_EINVAL);
        g_assert_cmpint(set_gdt_of(frames, 512 + places[i] + 1), ==, -XEN_EINVAL);
        /* Beyond the end nobody sees it. */
        g_assert_cmpint(set_gdt_of(frames, 512 + places[i]), ==, 0);
        g_assert_cmphex(gdt(0)[512 + places[i]], ==, 0);
        table(frames[1])[places[i]] = 0;
    }
    /* What is checked is what is used: the guest's own page is never the processor's. */
    table(frames[0])[3] = CODE;
    g_assert_cmpint(set_gdt_of(frames, 512), ==, 0);
    g_assert_cmphex(gdt(0)[3], ==, CODE | RING_3);
    table(frames[0])[3] = TSS;
    g_assert_cmphex(gdt(0)[3], ==, CODE | RING_3);
}

/* A table that is refused leaves the old one as it was. */
static void test_gdt_refused_in_part(void)
{
    uint64_t frames[14] = { 0 };

    machine_start(&config);
    frames[0] = new_table(0);
    frames[1] = new_table(512);
    g_assert_cmpint(set_gdt_of(frames, 1024), ==, 0);
    frames[0] = new_table(0x1000);
    frames[1] = MACHINE_HOLE_MFN;
    g_assert_cmpint(set_gdt_of(frames, 1024), ==, -XEN_EINVAL);
    g_assert_cmphex(gdt(0)[5], ==, entry_of(0, 5));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/gdt/gdt-sizes", test_gdt_sizes);
    machine_test("/monitor/gdt/gdt-arguments", test_gdt_arguments);
    machine_test("/monitor/gdt/gdt-after-refusal", test_gdt_after_refusal);
    machine_test("/monitor/gdt/gdt-of-a-free-frame", test_gdt_of_a_free_frame);
    machine_test("/monitor/gdt/gdt-descriptors", test_gdt_descriptors);
    machine_test("/monitor/gdt/gdt-refused-in-part", test_gdt_refused_in_part);
    return g_test_run();
}
