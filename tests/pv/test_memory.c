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
#define PTE_FRAME 0xffffffffff000ull

static GBytes *monitor_file(void)
{
    struct {
        Elf64_Ehdr eh;
        Elf64_Phdr ph;
    } elf = {
        .eh = { .e_phoff = sizeof(Elf64_Ehdr), .e_phnum = 1 },
        .ph = {
            .p_type = PT_LOAD, .p_flags = PF_X | PF_R, .p_vaddr = MONITOR_VA,
            .p_filesz = sizeof(Elf64_Ehdr), .p_memsz = 3 * PAGE,
        },
    };

    return g_bytes_new(&elf, sizeof(elf));
}

/* The entry of level 1 for @va, found as a processor does; 0 if there is none. */
static uint64_t look_up(const XenPVMemory *m, uint64_t va)
{
    const uint64_t *tables = g_bytes_get_data(m->tables, NULL);
    uint64_t entry = m->boot.slots[(va - M2P_VA) >> 39];
    int shift;

    for (shift = 30; shift >= 12 && entry & 1; shift -= 9) {
        uint64_t at = (entry & PTE_FRAME) / PAGE - m->tables_mfn;

        g_assert_cmpuint(at, <, m->nr_tables);
        entry = tables[at * 512 + (va >> shift & 511)];
    }
    return entry & 1 ? entry : 0;
}

static void check_mapped(const XenPVMemory *m, uint64_t va, uint64_t size,
                         uint64_t first, uint8_t *used)
{
    uint64_t at;

    for (at = 0; at < size; at += PAGE) {
        uint64_t mfn = (look_up(m, va + at) & PTE_FRAME) / PAGE;

        g_assert_cmpuint(mfn, ==, first + at / PAGE);
        g_assert_cmpuint(mfn, >=, m->first);
        g_assert_cmpuint(mfn, <, m->first + m->nr);
        g_assert_cmpuint(used[mfn - m->first]++, ==, 0);
    }
}

static void test_vcpus(gconstpointer data)
{
    unsigned int nr_vcpus = GPOINTER_TO_UINT(data);
    const XenPVRam ram = { .low_pages = LOW_PAGES, .high_mfn = 0x100000 };
    XenPVMemory m = { .image = monitor_file() };
    g_autofree uint8_t *used = NULL;

    g_assert_true(xen_pv_memory_plan(&m, &ram, nr_vcpus, false));
    used = g_malloc0(m.nr);
    g_assert_cmpuint(m.boot.nr_vcpus, ==, nr_vcpus);
    g_assert_cmpuint(m.first + m.nr, ==, LOW_PAGES);
    g_assert_cmpuint(m.boot.ranges[0].end, ==, m.first);
    check_mapped(&m, VCPUS_VA, nr_vcpus * VCPU_SIZE, m.vcpus_mfn, used);
    check_mapped(&m, STUBS_VA, nr_vcpus * STUB_SIZE, m.stubs_mfn, used);
    check_mapped(&m, WINDOWS_VA, (uint64_t)nr_vcpus * WINDOW_SIZE,
                 m.windows_mfn, used);
    /* A vCPU too many would run on another's memory. */
    g_assert_cmpuint(look_up(&m, VCPUS_VA + nr_vcpus * VCPU_SIZE), ==, 0);
    g_assert_cmpuint(look_up(&m, WINDOWS_VA + (uint64_t)nr_vcpus * WINDOW_SIZE),
                     ==, 0);
    xen_pv_memory_clear(&m);
    g_bytes_unref(m.image);
}

/* What docs/pv-monitor.md says that a vCPU costs. */
static void test_cost(void)
{
    const XenPVRam ram = { .low_pages = LOW_PAGES, .high_mfn = 0x100000 };
    uint64_t nr[2];
    unsigned int i;

    for (i = 0; i < 2; i++) {
        XenPVMemory m = { .image = monitor_file() };

        g_assert_true(xen_pv_memory_plan(&m, &ram, i ? 9 : 1, false));
        nr[i] = m.nr;
        xen_pv_memory_clear(&m);
        g_bytes_unref(m.image);
    }
    g_assert_cmpuint((nr[1] - nr[0]) * PAGE, <=, 8 * 164 * 1024);
}

/* Tables for each vCPU's user mode, in frames that nothing else has. */
static void test_isolated(void)
{
    const XenPVRam ram = { .low_pages = LOW_PAGES, .high_mfn = 0x100000 };
    XenPVMemory m = { .image = monitor_file() };
    g_autofree uint8_t *used = NULL;
    uint64_t i, plain;

    g_assert_true(xen_pv_memory_plan(&m, &ram, 3, false));
    g_assert_cmpuint(m.boot.isolation_mfn, ==, 0);
    plain = m.nr;
    xen_pv_memory_clear(&m);
    g_assert_true(xen_pv_memory_plan(&m, &ram, 3, true));
    g_assert_cmpuint(m.nr, ==, plain + 3 * ISOLATION_PAGES);
    used = g_malloc0(m.nr);
    check_mapped(&m, VCPUS_VA, 3 * VCPU_SIZE, m.vcpus_mfn, used);
    check_mapped(&m, STUBS_VA, 3 * STUB_SIZE, m.stubs_mfn, used);
    check_mapped(&m, WINDOWS_VA, 3 * WINDOW_SIZE, m.windows_mfn, used);
    for (i = 0; i < 3 * ISOLATION_PAGES; i++) {
        g_assert_cmpuint(used[m.boot.isolation_mfn + i - m.first]++, ==, 0);
        g_assert_cmpuint(m.boot.isolation_mfn + i, <, m.tables_mfn);
    }
    xen_pv_memory_clear(&m);
    g_bytes_unref(m.image);
}

/* 160 KiB each: more than there is. */
static void test_too_many(void)
{
    const XenPVRam ram = { .low_pages = 16 * MIB_PAGES, .high_mfn = 0x100000 };
    XenPVMemory m = { .image = monitor_file() };

    g_assert_false(xen_pv_memory_plan(&m, &ram, 128, false));
    xen_pv_memory_clear(&m);
    g_bytes_unref(m.image);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/memory/1-vcpu", GUINT_TO_POINTER(1), test_vcpus);
    g_test_add_data_func("/memory/3-vcpus", GUINT_TO_POINTER(3), test_vcpus);
    g_test_add_data_func("/memory/255-vcpus", GUINT_TO_POINTER(255),
                         test_vcpus);
    g_test_add_func("/memory/cost", test_cost);
    g_test_add_func("/memory/isolated", test_isolated);
    g_test_add_func("/memory/too-many", test_too_many);
    return g_test_run();
}
