/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's part of the machine: it is at the top of the low RAM, so that the
 * guest's frames below it are in one piece.  The guest has no frame below 1 MiB,
 * where a PC has other things than RAM.
 */

#include <elf.h>
#include <string.h>

#include "monitor_memory.h"
#include "tables.h"

#define PAGE XEN_PV_PAGE_SIZE
#define ROUND_UP(n, to) (((n) + (to) - 1) / (to) * (to))
#define PAGES(n) (ROUND_UP(n, PAGE) / PAGE)
#define PER_PAGE (PAGE / 8)

#define LOW_MEMORY_END 0x100    /* 1 MiB */
#define FOUR_GIB 0x100000

/* Where a PC without firmware has nothing. */
#define SHARED_INFO_MFN 0xf0000
#define GRANT_MFN       0xf1000
#define STATUS_MFN      0xf8000
#define NR_GRANT_MFNS   0x4000

/* The machine's rings, which QEMU's emulation puts there. */
#define XENSTORE_MFN    0xfeff9
#define CONSOLE_MFN     0xfeff8

#define PRESENT         (XEN_PV_PTE_PRESENT | XEN_PV_PTE_ACCESSED | \
                         XEN_PV_PTE_DIRTY)
#define MONITOR_TABLE   (PRESENT | XEN_PV_PTE_WRITE)
#define MONITOR_DATA    (PRESENT | XEN_PV_PTE_WRITE | XEN_PV_PTE_NX)
#define MONITOR_CODE    PRESENT
/* The guest reads this. */
#define SHOWN_TABLE     (PRESENT | XEN_PV_PTE_USER)
#define SHOWN_DATA      (PRESENT | XEN_PV_PTE_USER | XEN_PV_PTE_NX)

static void map(XenPVTables *tables, uint64_t va, uint64_t mfn, uint64_t nr,
                uint64_t flags)
{
    uint64_t i;

    for (i = 0; i < nr; i++) {
        xen_pv_tables_set(tables, va + i * PAGE, 1, (mfn + i) << 12 | flags,
                          MONITOR_TABLE);
    }
}

static uint64_t m2p_pages(const XenPVMemory *m)
{
    return ROUND_UP(MAX(m->boot.max_mfn, FOUR_GIB), PER_PAGE) / PER_PAGE;
}

static bool is_ram(const XenPVRam *ram, uint64_t mfn)
{
    return mfn < ram->low_pages ||
           (mfn >= ram->high_mfn && mfn < ram->high_mfn + ram->high_pages);
}

/* Whether page @i of the M2P tells of RAM, or of the rings. */
static bool m2p_has(const XenPVRam *ram, uint64_t i)
{
    uint64_t first = i * PER_PAGE;

    return is_ram(ram, first) || is_ram(ram, first + PER_PAGE - 1) ||
           XENSTORE_MFN / PER_PAGE == i;
}

static void map_m2p(XenPVMemory *m, const XenPVRam *ram, XenPVTables *tables)
{
    uint64_t i, mfn = m->m2p_mfn;

    for (i = 0; i < m2p_pages(m); i++) {
        bool has = m2p_has(ram, i);

        xen_pv_tables_set(tables, M2P_VA + i * PAGE, 1,
                          (has ? mfn : m->ones_mfn) << 12 | SHOWN_DATA,
                          SHOWN_TABLE);
        if (has) {
            map(tables, WRITABLE_M2P_VA + i * PAGE, mfn++, 1, MONITOR_DATA);
        }
    }
    m->nr_m2p = mfn - m->m2p_mfn;
}

static const Elf64_Phdr *image_segments(const XenPVMemory *m, unsigned int *nr)
{
    const uint8_t *elf = g_bytes_get_data(m->image, NULL);
    const Elf64_Ehdr *eh = (const void *)elf;

    *nr = eh->e_phnum;
    return (const void *)(elf + eh->e_phoff);
}

static void map_image(const XenPVMemory *m, XenPVTables *tables)
{
    unsigned int i, nr;
    const Elf64_Phdr *ph = image_segments(m, &nr);

    for (i = 0; i < nr; i++) {
        if (ph[i].p_type == PT_LOAD) {
            map(tables, ph[i].p_vaddr,
                m->image_mfn + (ph[i].p_vaddr - MONITOR_VA) / PAGE,
                PAGES(ph[i].p_memsz),
                ph[i].p_flags & PF_X ? MONITOR_CODE : MONITOR_DATA);
        }
    }
}

static void map_all(XenPVMemory *m, const XenPVRam *ram, XenPVTables *tables)
{
    const uint64_t large = 2 << 20;
    uint64_t address, end = MAX(m->boot.max_mfn, FOUR_GIB) * PAGE;

    map_m2p(m, ram, tables);
    map_image(m, tables);
    map(tables, BOOT_VA, m->boot_mfn, 1, MONITOR_DATA);
    map(tables, VCPUS_VA, m->vcpus_mfn, m->nr_vcpus, MONITOR_DATA);
    map(tables, STUBS_VA, m->stubs_mfn, m->nr_stubs, MONITOR_CODE);
    map(tables, WINDOWS_VA, m->windows_mfn, m->nr_windows, MONITOR_DATA);
    map(tables, MARKS_VA, m->marks_mfn, m->nr_marks, MONITOR_DATA);
    for (address = 0; address < end; address += large) {
        xen_pv_tables_set(tables, DIRECTMAP_VA + address, 2,
                          address | MONITOR_DATA | XEN_PV_PTE_LARGE,
                          MONITOR_TABLE);
    }
}

static uint64_t take(uint64_t *next, uint64_t nr)
{
    uint64_t mfn = *next;

    *next += nr;
    return mfn;
}

/* Returns the frame behind the last. */
static uint64_t lay_out(XenPVMemory *m, const XenPVRam *ram, uint64_t first,
                        unsigned int nr_vcpus, bool isolated)
{
    uint64_t next = first, i;
    XenPVTables *tables;
    GArray *mfns = g_array_new(false, false, sizeof(uint64_t));
    unsigned int nr;
    const Elf64_Phdr *ph = image_segments(m, &nr);

    m->nr_image = 0;
    for (i = 0; i < nr; i++) {
        if (ph[i].p_type == PT_LOAD) {
            m->nr_image = PAGES(ph[i].p_vaddr + ph[i].p_memsz - MONITOR_VA);
        }
    }
    m->first = first;
    m->image_mfn = take(&next, m->nr_image);
    m->boot_mfn = take(&next, 1);
    m->nr_vcpus = nr_vcpus * (VCPU_SIZE / PAGE);
    m->vcpus_mfn = take(&next, m->nr_vcpus);
    m->nr_stubs = PAGES(nr_vcpus * STUB_SIZE);
    m->stubs_mfn = take(&next, m->nr_stubs);
    m->boot.isolation_mfn =
        isolated ? take(&next, nr_vcpus * ISOLATION_PAGES) : 0;
    m->nr_windows = nr_vcpus * (WINDOW_SIZE / PAGE);
    m->windows_mfn = take(&next, m->nr_windows);
    m->nr_marks = PAGES(m->boot.max_mfn);
    m->marks_mfn = take(&next, m->nr_marks);
    m->ones_mfn = take(&next, 1);
    m->m2p_mfn = next;
    take(&next, m->nr_m2p);
    m->tables_mfn = next;
    take(&next, m->nr_tables);

    for (i = 0; i < m->nr_tables; i++) {
        uint64_t mfn = m->tables_mfn + i;

        g_array_append_val(mfns, mfn);
    }
    tables = xen_pv_tables_new((uint64_t *)mfns->data, m->nr_tables);
    map_all(m, ram, tables);
    m->nr_tables = xen_pv_tables_count(tables);
    for (i = 0; i < XEN_PV_NR_SLOTS; i++) {
        m->boot.slots[i] = xen_pv_tables_top(
            tables, M2P_VA + (i << 39));
    }
    g_clear_pointer(&m->tables, g_bytes_unref);
    m->tables = xen_pv_tables_free(tables);
    g_array_unref(mfns);
    m->nr = next - first;
    return next;
}

static void add_range(XenPVMemory *m, unsigned int i, uint64_t first,
                      uint64_t end)
{
    m->boot.ranges[i].first = first;
    m->boot.ranges[i].end = end;
    for (; first < end; first++) {
        g_array_append_val(m->mfns, first);
    }
}

bool xen_pv_memory_plan(XenPVMemory *m, const XenPVRam *ram,
                        unsigned int nr_vcpus, bool isolated)
{
    GBytes *image = m->image;

    memset(m, 0, sizeof(*m));
    m->image = image;
    m->boot.max_mfn = ram->high_pages ? ram->high_mfn + ram->high_pages :
                                        ram->low_pages;
    /* How many frames the M2P and the tables take comes out of the first try. */
    lay_out(m, ram, 0, nr_vcpus, isolated);
    lay_out(m, ram, 0, nr_vcpus, isolated);
    if (m->nr + LOW_MEMORY_END >= ram->low_pages) {
        return false;
    }
    lay_out(m, ram, ram->low_pages - m->nr, nr_vcpus, isolated);

    m->mfns = g_array_new(false, false, sizeof(uint64_t));
    add_range(m, 0, LOW_MEMORY_END, m->first);
    add_range(m, 1, ram->high_mfn, ram->high_mfn + ram->high_pages);
    m->boot.nr_vcpus = nr_vcpus;
    m->boot.nr_pages = m->mfns->len;
    m->boot.xenstore_mfn = XENSTORE_MFN;
    m->boot.console_mfn = CONSOLE_MFN;
    m->boot.shared_info_mfn = SHARED_INFO_MFN;
    m->boot.l0_shared_info_mfn = SHARED_INFO_MFN;
    m->boot.grant_mfn = GRANT_MFN;
    m->boot.status_mfn = STATUS_MFN;
    m->boot.nr_grant_mfns = NR_GRANT_MFNS;
    m->boot.stubs_mfn = m->stubs_mfn;
    return true;
}

void xen_pv_memory_clear(XenPVMemory *m)
{
    g_clear_pointer(&m->tables, g_bytes_unref);
    g_clear_pointer(&m->mfns, g_array_unref);
}

void xen_pv_memory_write(const XenPVMemory *m, const XenPVImage *guest,
                         void (*write)(void *opaque, uint64_t mfn,
                                       const void *data, size_t size),
                         void *opaque)
{
    const uint8_t *elf = g_bytes_get_data(m->image, NULL);
    g_autofree uint64_t *m2p = g_malloc(m->nr_m2p * PAGE);
    g_autofree uint64_t *place = g_new(uint64_t, m2p_pages(m));
    XenPVRam ram = {
        .low_pages = m->first + m->nr,
        .high_mfn = m->boot.ranges[1].first,
        .high_pages = m->boot.ranges[1].end - m->boot.ranges[1].first,
    };
    unsigned int i, nr;
    const Elf64_Phdr *ph = image_segments(m, &nr);
    uint64_t page, pfn, at = 0;

    for (i = 0; i < nr; i++) {
        if (ph[i].p_type == PT_LOAD) {
            write(opaque, m->image_mfn + (ph[i].p_vaddr - MONITOR_VA) / PAGE,
                  elf + ph[i].p_offset, ph[i].p_filesz);
        }
    }
    write(opaque, m->boot_mfn, &m->boot, sizeof(m->boot));
    memset(m2p, 0xff, m->nr_m2p * PAGE);
    write(opaque, m->ones_mfn, m2p, PAGE);
    for (page = 0; page < m2p_pages(m); page++) {
        place[page] = at;
        at += m2p_has(&ram, page) ? PER_PAGE : 0;
    }
    for (pfn = 0; pfn < m->boot.nr_pages; pfn++) {
        uint64_t mfn = guest->p2m[pfn];

        m2p[place[mfn / PER_PAGE] + mfn % PER_PAGE] = pfn;
    }
    write(opaque, m->m2p_mfn, m2p, m->nr_m2p * PAGE);
    write(opaque, m->tables_mfn, g_bytes_get_data(m->tables, NULL),
          m->nr_tables * PAGE);
}
