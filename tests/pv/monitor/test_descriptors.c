/* SPDX-License-Identifier: GPL-2.0-or-later */
/* descriptors.c: the GDT and the LDT in a vCPU's windows, and how they are read back. */

#include "machine.h"

#define DATA        0x00cf93000000fffful       /* ring 0 */
#define CODE        0x00af9b000000fffful
#define RING_3      (3ul << 45)
#define TSS         (0x8900ul << 32 | 0x67)     /* nobody's to have */
#define ENTRIES     512u
#define NR_VCPUS    3

static const struct machine_config config = { .nr_vcpus = NR_VCPUS };

static uint64_t *gdt(unsigned int id)
{
    return windows_of(id);
}

static uint64_t *ldt(unsigned int id)
{
    return windows_of(id) + TABLE_WINDOW / 8;
}

static uint64_t *table(uint64_t mfn)
{
    return frame(mfn);
}

/* A frame full of data segments, each with its own number. */
static uint64_t new_table(uint16_t number)
{
    uint64_t mfn = machine_frame();
    unsigned int i;

    for (i = 0; i < ENTRIES; i++) {
        table(mfn)[i] = (DATA & ~0xfffful) | (uint16_t)(number + i);
    }
    return mfn;
}

static uint64_t entry_of(uint16_t number, unsigned int i)
{
    return (DATA & ~0xfffful) | (uint16_t)(number + i) | RING_3;
}

static long set_gdt_of(const uint64_t *frames, unsigned int entries)
{
    return machine_call(__HYPERVISOR_set_gdt,
                        machine_put(frames, 14 * sizeof(*frames)), entries, 0, 0);
}

static long set_ldt_of(uint64_t address, unsigned int entries)
{
    struct mmuext_op op = {
        .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = address,
        .arg2.nr_ents = entries,
    };

    return machine_call(__HYPERVISOR_mmuext_op, machine_put(&op, sizeof(op)), 1, 0,
                        DOMID_SELF);
}

static long update(uint64_t mfn, unsigned int index, uint64_t descriptor)
{
    return machine_call(__HYPERVISOR_update_descriptor,
                        (mfn << PAGE_SHIFT) + index * 8, descriptor, 0, 0);
}

/* GDT ------------------------------------------------------------------------------ */

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

/* LDT ------------------------------------------------------------------------------ */

#define LDT_VA 0xffff900000000000ul

/* Pages of descriptors at LDT_VA. */
static void map_ldt(unsigned int pages)
{
    unsigned int i;

    for (i = 0; i < pages; i++) {
        machine_map(LDT_VA + i * PAGE_SIZE, new_table(i * ENTRIES), PTE_PRESENT);
    }
}

static uint64_t ldt_limit(unsigned int id)
{
    uint64_t low = gdt(id)[SEL_LDT / 8];

    return (low & 0xffff) | (low >> 32 & 0xf0000);
}

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

/* Updates -------------------------------------------------------------------------- */

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

/* What fails at present ------------------------------------------------------------ */

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
    machine_test("/monitor/descriptors/gdt-sizes", test_gdt_sizes);
    machine_test("/monitor/descriptors/gdt-arguments", test_gdt_arguments);
    machine_test("/monitor/descriptors/gdt-after-refusal",
                 test_gdt_after_refusal);
    machine_test("/monitor/descriptors/gdt-of-a-free-frame",
                 test_gdt_of_a_free_frame);
    machine_test("/monitor/descriptors/gdt-descriptors", test_gdt_descriptors);
    machine_test("/monitor/descriptors/ldt-sizes", test_ldt_sizes);
    machine_test("/monitor/descriptors/ldt-descriptor", test_ldt_descriptor);
    machine_test("/monitor/descriptors/ldt-arguments", test_ldt_arguments);
    machine_test("/monitor/descriptors/ldt-descriptors", test_ldt_descriptors);
    machine_test("/monitor/descriptors/update-arguments", test_update_arguments);
    machine_test("/monitor/descriptors/update-of-all-tables",
                 test_update_of_all_tables);
    machine_test("/monitor/descriptors/gdt-refused-in-part",
                 test_gdt_refused_in_part);
    machine_test("/monitor/descriptors/ldt-refused-in-part",
                 test_ldt_refused_in_part);
    machine_test("/monitor/descriptors/no-ldt-anywhere", test_no_ldt_anywhere);
    return g_test_run();
}
