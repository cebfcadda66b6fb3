/* SPDX-License-Identifier: GPL-2.0-or-later */
/* descriptors.c: the LDT in a vCPU's window. */

#include "descriptor_tables.h"

static void test_ldt_sizes(void)
{
    static const unsigned int sizes[] = {
        1, 511, 512, 513, LDT_ENTRIES - 1, LDT_ENTRIES, 2,
    };
    struct segment segment;
    unsigned int i, n;

    machine_start(&config);
    map_ldt(17);
    g_assert_cmphex(machine_processors[0].ldtr, ==, 0);
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_assert_cmpint(set_ldt_of(LDT_VA, sizes[i]), ==, 0);
        for (n = 0; n < sizes[i]; n++) {
            g_assert_cmphex(ldt(0)[n], ==, entry_of(0, n));
        }
        g_assert_cmphex(machine_processors[0].ldtr, ==, SEL_LDT);
        g_assert_cmphex(ldt_limit(0), ==, sizes[i] * 8 - 1);
        g_assert_true(read_segment(vcpu_by_id(0), (sizes[i] - 1) * 8 | 7,
                                   &segment));
        if (sizes[i] < LDT_ENTRIES) {
            g_assert_false(read_segment(vcpu_by_id(0), sizes[i] * 8 | 7,
                                        &segment));
        }
    }
    g_assert_cmpint(set_ldt_of(LDT_VA, 0), ==, 0);
    g_assert_cmphex(machine_processors[0].ldtr, ==, 0);
    g_assert_false(read_segment(vcpu_by_id(0), 7, &segment));
    g_assert_cmpint(set_ldt_of(LDT_VA, LDT_ENTRIES + 1), ==, -XEN_EINVAL);
    g_assert_cmpint(set_ldt_of(LDT_VA, UINT32_MAX), ==, -XEN_EINVAL);
    /* Behind it is another vCPU's GDT. */
    g_assert_cmphex(gdt(1)[0], ==, 0);
    g_assert_cmphex(machine_processors[0].ldtr, ==, 0);
}

/* The descriptor of the LDT itself, which the processor reads. */
static void test_ldt_descriptor(void)
{
    uint64_t low, high, base;

    machine_start(&config);
    base = (uint64_t)ldt(0);
    map_ldt(1);
    g_assert_cmpint(set_ldt_of(LDT_VA, 3), ==, 0);
    low = gdt(0)[SEL_LDT / 8];
    high = gdt(0)[SEL_LDT / 8 + 1];
    g_assert_cmphex((low >> 16 & 0xffffff) | (low >> 56) << 24 | high << 32, ==,
                    base);
    g_assert_cmphex(high >> 32, ==, 0);
    /* Present, of type LDT, in bytes. */
    g_assert_cmphex(low >> 40 & 0xff, ==, 0x82);
    g_assert_cmphex(low >> 52 & 0xf, ==, 0);
}

static void test_ldt_arguments(void)
{
    static const uint64_t bases[] = {
        LDT_VA + 8, LDT_VA + 1, M2P_VA, MONITOR_VA, HYPERVISOR_END - PAGE_SIZE,
        1ul << 47, 1ul << 63, 0, LDT_VA - PAGE_SIZE, LDT_VA + PAGE_SIZE,
        -PAGE_SIZE,
    };
    unsigned int i;

    machine_start(&config);
    map_ldt(1);
    g_assert_cmpint(set_ldt_of(LDT_VA, 7), ==, 0);
    for (i = 0; i < G_N_ELEMENTS(bases); i++) {
        g_assert_cmpint(set_ldt_of(bases[i], 1), ==, -XEN_EINVAL);
    }
    /* A page that is not there; a frame that is nobody's. */
    g_assert_cmpint(set_ldt_of(LDT_VA, 512), ==, 0);
    g_assert_cmpint(set_ldt_of(LDT_VA, 513), ==, -XEN_EINVAL);
    machine_map(LDT_VA + PAGE_SIZE, MACHINE_HOLE_MFN, PTE_PRESENT);
    g_assert_cmpint(set_ldt_of(LDT_VA, 513), ==, -XEN_EINVAL);
    machine_map(LDT_VA + PAGE_SIZE, MACHINE_VCPUS_MFN, PTE_PRESENT);
    g_assert_cmpint(set_ldt_of(LDT_VA, 513), ==, -XEN_EINVAL);
    machine_map(LDT_VA + PAGE_SIZE, new_table(512), 0);
    g_assert_cmpint(set_ldt_of(LDT_VA, 513), ==, -XEN_EINVAL);
    /* All of it is the old one still. */
    g_assert_cmpuint(vcpu_by_id(0)->ldt_entries, ==, 512);
    g_assert_cmphex(ldt_limit(0), ==, 512 * 8 - 1);
    machine_map(LDT_VA + PAGE_SIZE, new_table(512), PTE_PRESENT);
    g_assert_cmpint(set_ldt_of(LDT_VA, 513), ==, 0);
    /* From there on, it would be the hypervisor's. */
    machine_map(HYPERVISOR_END, new_table(0), PTE_PRESENT);
    g_assert_cmpint(set_ldt_of(HYPERVISOR_END, 512), ==, 0);
}

static void test_ldt_descriptors(void)
{
    uint64_t mfn;

    machine_start(&config);
    mfn = new_table(0);
    machine_map(LDT_VA, mfn, PTE_PRESENT);
    table(mfn)[9] = TSS;
    g_assert_cmpint(set_ldt_of(LDT_VA, 10), ==, -XEN_EINVAL);
    g_assert_cmpint(set_ldt_of(LDT_VA, 9), ==, 0);
    table(mfn)[9] = CODE;
    g_assert_cmpint(set_ldt_of(LDT_VA, 10), ==, 0);
    g_assert_cmphex(ldt(0)[9], ==, CODE | RING_3);
    table(mfn)[9] = TSS;
    g_assert_cmphex(ldt(0)[9], ==, CODE | RING_3);
}

static void test_ldt_refused_in_part(void)
{
    machine_start(&config);
    map_ldt(1);
    g_assert_cmpint(set_ldt_of(LDT_VA, 512), ==, 0);
    machine_map(LDT_VA + 16 * PAGE_SIZE, new_table(0x1000), PTE_PRESENT);
    g_assert_cmpint(set_ldt_of(LDT_VA + 16 * PAGE_SIZE, 513), ==, -XEN_EINVAL);
    g_assert_cmphex(ldt(0)[5], ==, entry_of(0, 5));
}

/* No LDT has no address. */
static void test_no_ldt_anywhere(void)
{
    machine_start(&config);
    g_assert_cmpint(set_ldt_of(0x123, 0), ==, 0);
    g_assert_cmpint(set_ldt_of(MONITOR_VA, 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/ldt/ldt-sizes", test_ldt_sizes);
    machine_test("/monitor/ldt/ldt-descriptor", test_ldt_descriptor);
    machine_test("/monitor/ldt/ldt-arguments", test_ldt_arguments);
    machine_test("/monitor/ldt/ldt-descriptors", test_ldt_descriptors);
    machine_test("/monitor/ldt/ldt-refused-in-part", test_ldt_refused_in_part);
    machine_test("/monitor/ldt/no-ldt-anywhere", test_no_ldt_anywhere);
    return g_test_run();
}
