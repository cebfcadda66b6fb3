/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a PV guest's machine is divided: each vCPU that the guest may ever have, plugged or
 * not, has its block, its stub and its windows in the monitor's part, by the monitor's
 * own page tables.
 */

#include <elf.h>
#include <string.h>

#include "monitor_memory.h"

#define PAGE XEN_PV_PAGE_SIZE
#define MIB_PAGES 256
#define LOW_PAGES (64 * MIB_PAGES)
#define BESIDE_MFN 0xe1000
#define PTE_LARGE 0x80
#define PTE_FRAME 0xffffffffff000ull
/* More than the monitor has. */
#define IMAGE_PAGES 32

static GBytes *monitor_file(void)
{
    struct {
        Elf64_Ehdr eh;
        Elf64_Phdr ph;
    } elf = {
        .eh = { .e_phoff = sizeof(Elf64_Ehdr), .e_phnum = 1 },
        .ph = {
            .p_type = PT_LOAD, .p_flags = PF_X | PF_R, .p_vaddr = MONITOR_VA,
            .p_filesz = sizeof(Elf64_Ehdr), .p_memsz = IMAGE_PAGES * PAGE,
        },
    };

    return g_bytes_new(&elf, sizeof(elf));
}

static bool plan_for(XenPVMemory *m, uint64_t low_pages, unsigned int nr_vcpus,
                     bool isolated)
{
    const XenPVRam ram = {
        .low_pages = low_pages, .high_mfn = 0x100000, .beside_mfn = BESIDE_MFN,
    };

    *m = (XenPVMemory) { .image = monitor_file() };
    return xen_pv_memory_plan(m, &ram, nr_vcpus, isolated);
}

static bool plan(XenPVMemory *m, uint64_t low_pages, unsigned int nr_vcpus)
{
    return plan_for(m, low_pages, nr_vcpus, false);
}

static void clear(XenPVMemory *m)
{
    xen_pv_memory_clear(m);
    g_bytes_unref(m->image);
}

/* The entry that maps @va, found as a processor does; 0 if there is none. */
static uint64_t look_up(const XenPVMemory *m, uint64_t va)
{
    const uint64_t *tables = g_bytes_get_data(m->table_data, NULL);
    uint64_t entry = m->boot.slots[(va - M2P_VA) >> 39];
    int shift;

    for (shift = 30;
         shift >= 12 && entry & 1 && !(entry & PTE_LARGE); shift -= 9) {
        uint64_t mfn = (entry & PTE_FRAME) / PAGE, at = 0;

        while (g_array_index(m->frames, uint64_t, m->tables.at + at) != mfn) {
            g_assert_cmpuint(++at, <, m->tables.nr);
        }
        /* Table 0 is not the monitor's. */
        entry = tables[(at + 1) * 512 + (va >> shift & 511)];
    }
    return entry & 1 ? entry : 0;
}

static uint64_t mfn_at(const XenPVMemory *m, uint64_t va)
{
    uint64_t entry = look_up(m, va);

    g_assert_cmpuint(entry, !=, 0);
    return (entry & PTE_FRAME) / PAGE;
}

/* The frame is RAM that is not the guest's, or beside RAM, and has no other use. */
static void check_frame(const XenPVMemory *m, GHashTable *used, uint64_t mfn)
{
    bool is_low = mfn < 0xa0;
    bool is_top = mfn >= m->boot.ranges[0].end && mfn < m->ram.low_pages;
    bool is_beside = mfn >= BESIDE_MFN && mfn < BESIDE_MFN + m->nr_beside;

    g_assert_true(is_low || is_top || is_beside);
    g_assert_true(g_hash_table_add(used, GSIZE_TO_POINTER(mfn)));
}

static void check_mapped(const XenPVMemory *m, GHashTable *used, uint64_t va,
                         uint64_t size)
{
    uint64_t at;

    for (at = 0; at < size; at += PAGE) {
        check_frame(m, used, mfn_at(m, va + at));
    }
}

/* Nothing has a frame of something else. */
static void check_all(const XenPVMemory *m, GHashTable *used)
{
    uint64_t i;

    check_mapped(m, used, VCPUS_VA, m->boot.nr_vcpus * VCPU_SIZE);
    check_mapped(m, used, STUBS_VA, m->boot.nr_vcpus * STUB_SIZE);
    check_mapped(m, used, WINDOWS_VA, m->boot.nr_vcpus * WINDOW_SIZE);
    check_mapped(m, used, MONITOR_VA, IMAGE_PAGES * PAGE);
    check_mapped(m, used, BOOT_VA, sizeof(m->boot));
    check_mapped(m, used, MARKS_VA, m->boot.max_mfn);
    check_mapped(m, used, WRITABLE_M2P_VA, m->boot.max_mfn * 8);
    for (i = 0; i < m->tables.nr; i++) {
        check_frame(m, used,
                    g_array_index(m->frames, uint64_t, m->tables.at + i));
    }
}

static void test_vcpus(gconstpointer data)
{
    unsigned int nr_vcpus = GPOINTER_TO_UINT(data);
    g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);
    XenPVMemory m;
    uint64_t i;

    g_assert_true(plan(&m, LOW_PAGES, nr_vcpus));
    g_assert_cmpuint(m.boot.nr_vcpus, ==, nr_vcpus);
    g_assert_cmpuint(m.boot.ranges[0].first, ==, MIB_PAGES);
    g_assert_cmpuint(m.boot.nr_pages, ==, m.boot.ranges[0].end - MIB_PAGES);
    check_all(&m, used);
    /* QEMU and the monitor find these by their first frame. */
    for (i = 0; i < nr_vcpus * VCPU_SIZE; i += PAGE) {
        g_assert_cmpuint(mfn_at(&m, VCPUS_VA + i), ==, m.vcpus_mfn + i / PAGE);
    }
    for (i = 0; i < nr_vcpus * STUB_SIZE; i += PAGE) {
        g_assert_cmpuint(mfn_at(&m, STUBS_VA + i), ==,
                         m.boot.stubs_mfn + i / PAGE);
    }
    /* A vCPU too many would run on another's memory. */
    g_assert_cmpuint(look_up(&m, VCPUS_VA + nr_vcpus * VCPU_SIZE), ==, 0);
    g_assert_cmpuint(look_up(&m, WINDOWS_VA + (uint64_t)nr_vcpus * WINDOW_SIZE),
                     ==, 0);
    clear(&m);
}

/* What docs/pv-monitor.md says that a vCPU costs. */
static void test_cost(void)
{
    uint64_t nr[2];
    unsigned int i;

    for (i = 0; i < 2; i++) {
        XenPVMemory m;

        g_assert_true(plan(&m, LOW_PAGES, i ? 9 : 1));
        nr[i] = m.frames->len + m.nr_vcpu_frames;
        clear(&m);
    }
    g_assert_cmpuint((nr[1] - nr[0]) * PAGE, <=, 8 * 41 * 1024);
}

/* Tables for each vCPU's user mode, in one piece, in frames that nothing else has. */
static void test_isolated(void)
{
    g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);
    uint64_t i, plain;
    XenPVMemory m;

    g_assert_true(plan(&m, LOW_PAGES, 3));
    g_assert_cmpuint(m.boot.isolation_mfn, ==, 0);
    plain = m.frames->len + m.nr_vcpu_frames;
    clear(&m);
    g_assert_true(plan_for(&m, LOW_PAGES, 3, true));
    g_assert_cmpuint(m.frames->len + m.nr_vcpu_frames, ==,
                     plain + 3 * ISOLATION_PAGES);
    check_all(&m, used);
    for (i = 0; i < 3 * ISOLATION_PAGES; i++) {
        check_frame(&m, used, m.boot.isolation_mfn + i);
    }
    clear(&m);
}

/* All that is not the guest's, what a PC hides of its first MiB among it. */
static void test_512_mib(void)
{
    XenPVMemory m;

    g_assert_true(plan(&m, 512 * MIB_PAGES, 1));
    g_assert_cmpuint((512 * MIB_PAGES - m.boot.nr_pages) * PAGE, <=,
                     1536 * 1024);
    clear(&m);
}

/* With a 4 GiB guest its high memory has an M2P, too, and a directmap. */
static void test_high(void)
{
    const XenPVRam ram = {
        .low_pages = 0xc0000, .high_mfn = 0x100000, .high_pages = 0x40000,
        .beside_mfn = BESIDE_MFN,
    };
    XenPVMemory m = { .image = monitor_file() };

    g_assert_true(xen_pv_memory_plan(&m, &ram, 2, false));
    g_assert_cmpuint(m.boot.max_mfn, ==, 0x140000);
    g_assert_cmpuint(m.boot.ranges[1].end, ==, 0x140000);
    g_assert_cmpuint(look_up(&m, WRITABLE_M2P_VA + 0x13ffff * 8), !=, 0);
    g_assert_cmpuint(look_up(&m, DIRECTMAP_VA + 0x13ffffull * PAGE), !=, 0);
    g_assert_cmpuint(look_up(&m, DIRECTMAP_VA + 0x140000ull * PAGE), ==, 0);
    clear(&m);
}

/* 40 KiB each: more than there is. */
static void test_too_many(void)
{
    XenPVMemory m;

    g_assert_false(plan(&m, 4 * MIB_PAGES, 128));
    clear(&m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/memory/1-vcpu", GUINT_TO_POINTER(1), test_vcpus);
    g_test_add_data_func("/memory/3-vcpus", GUINT_TO_POINTER(3), test_vcpus);
    g_test_add_data_func("/memory/19-vcpus", GUINT_TO_POINTER(19), test_vcpus);
    g_test_add_data_func("/memory/255-vcpus", GUINT_TO_POINTER(255),
                         test_vcpus);
    g_test_add_func("/memory/cost", test_cost);
    g_test_add_func("/memory/isolated", test_isolated);
    g_test_add_func("/memory/512-mib", test_512_mib);
    g_test_add_func("/memory/high", test_high);
    g_test_add_func("/memory/too-many", test_too_many);
    return g_test_run();
}
