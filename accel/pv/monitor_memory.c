/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's part of the machine.  The guest has no frame below 1 MiB, where a PC has
 * RAM, and then other things: the monitor takes that RAM first.  In place of the RAM
 * that these things hide, and that nobody ever touches, the machine has as many frames
 * elsewhere, which are next.  The rest is at the top of the low RAM, so that the guest's
 * frames below it are in one piece.
 */

#include <elf.h>
#include <string.h>

#include "monitor_memory.h"
#include "tables.h"

#define PAGE XEN_PV_PAGE_SIZE
#define ROUND_UP(n, to) (((n) + (to) - 1) / (to) * (to))
#define PAGES(n) (ROUND_UP(n, PAGE) / PAGE)
#define PER_PAGE (PAGE / 8)

#define LOW_MEMORY_END  0x100   /* 1 MiB */
#define HIDDEN_MFN      0xa0    /* from here to there a PC has no RAM */
#define NR_HIDDEN       (LOW_MEMORY_END - HIDDEN_MFN)
#define GIB             0x40000
#define FOUR_GIB        (4 * GIB)

/*
 * A vCPU's windows have room for the largest tables.  What each has from its start is
 * the first page and the one with the monitor's own descriptors.
 */
#define BLOCK_PAGES     (VCPU_SIZE / PAGE)
#define WINDOW_PAGES    (WINDOW_SIZE / PAGE)
#define RESERVED_PAGE   14

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

static uint64_t frame(const XenPVMemory *m, XenPVPart part, uint64_t i)
{
    uint64_t at = part.at + i;

    /* While it is not yet known how many there will be. */
    return at < m->frames->len ? g_array_index(m->frames, uint64_t, at) : 0;
}

static void map_part(const XenPVMemory *m, XenPVTables *tables, uint64_t va,
                     XenPVPart part, uint64_t flags)
{
    uint64_t i;

    for (i = 0; i < part.nr; i++) {
        map(tables, va + i * PAGE, frame(m, part, i), 1, flags);
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
static bool m2p_has(const XenPVMemory *m, uint64_t i)
{
    uint64_t first = i * PER_PAGE;

    return is_ram(&m->ram, first) || is_ram(&m->ram, first + PER_PAGE - 1) ||
           XENSTORE_MFN / PER_PAGE == i;
}

static uint64_t nr_m2p_frames(const XenPVMemory *m)
{
    uint64_t i, nr = 0;

    for (i = 0; i < m2p_pages(m); i++) {
        nr += m2p_has(m, i);
    }
    return nr;
}

static void map_m2p(const XenPVMemory *m, XenPVTables *tables)
{
    uint64_t i, at = 0;

    for (i = 0; i < m2p_pages(m); i++) {
        bool has = m2p_has(m, i);
        uint64_t mfn = has ? frame(m, m->m2p, at++) : frame(m, m->ones, 0);

        xen_pv_tables_set(tables, M2P_VA + i * PAGE, 1, mfn << 12 | SHOWN_DATA,
                          SHOWN_TABLE);
        if (has) {
            map(tables, WRITABLE_M2P_VA + i * PAGE, mfn, 1, MONITOR_DATA);
        }
    }
}

static const Elf64_Phdr *image_segments(const XenPVMemory *m, unsigned int *nr)
{
    const uint8_t *elf = g_bytes_get_data(m->image, NULL);
    const Elf64_Ehdr *eh = (const void *)elf;

    *nr = eh->e_phnum;
    return (const void *)(elf + eh->e_phoff);
}

static uint64_t nr_image_frames(const XenPVMemory *m)
{
    unsigned int i, nr;
    const Elf64_Phdr *ph = image_segments(m, &nr);
    uint64_t end = MONITOR_VA;

    for (i = 0; i < nr; i++) {
        if (ph[i].p_type == PT_LOAD) {
            end = ph[i].p_vaddr + ph[i].p_memsz;
        }
    }
    return PAGES(end - MONITOR_VA);
}

static XenPVPart image_part(const XenPVMemory *m, const Elf64_Phdr *ph)
{
    return (XenPVPart) {
        m->image_frames.at + (ph->p_vaddr - MONITOR_VA) / PAGE,
        PAGES(ph->p_memsz),
    };
}

static void map_image(const XenPVMemory *m, XenPVTables *tables)
{
    unsigned int i, nr;
    const Elf64_Phdr *ph = image_segments(m, &nr);

    for (i = 0; i < nr; i++) {
        if (ph[i].p_type == PT_LOAD) {
            map_part(m, tables, ph[i].p_vaddr, image_part(m, &ph[i]),
                     ph[i].p_flags & PF_X ? MONITOR_CODE : MONITOR_DATA);
        }
    }
}

static void map_windows(const XenPVMemory *m, XenPVTables *tables)
{
    uint64_t vcpu, page, own = 0, spare = m->spare_windows_mfn;

    for (vcpu = 0; vcpu < m->boot.nr_vcpus; vcpu++) {
        for (page = 0; page < WINDOW_PAGES; page++) {
            bool has = page == 0 || page == RESERVED_PAGE;

            map(tables, WINDOWS_VA + vcpu * WINDOW_SIZE + page * PAGE,
                has ? frame(m, m->windows, own++) : spare++, 1, MONITOR_DATA);
        }
    }
}

/* All RAM, and what a machine may have below 4 GiB. */
static void map_directmap(const XenPVMemory *m, XenPVTables *tables)
{
    const uint64_t step = 0x200;        /* a large page */
    uint64_t mfn, end = MAX(m->boot.max_mfn, FOUR_GIB);

    for (mfn = 0; mfn < end; mfn += step) {
        if (mfn < m->ram.low_pages || mfn >= FOUR_GIB - GIB) {
            xen_pv_tables_set(tables, DIRECTMAP_VA + mfn * PAGE, 2,
                              mfn << 12 | MONITOR_DATA | XEN_PV_PTE_LARGE,
                              MONITOR_TABLE);
        }
    }
}

static void map_all(const XenPVMemory *m, XenPVTables *tables)
{
    map_m2p(m, tables);
    map_image(m, tables);
    map_part(m, tables, BOOT_VA, m->boot_frame, MONITOR_DATA);
    map_part(m, tables, STUBS_VA, m->stubs, MONITOR_CODE);
    map(tables, VCPUS_VA, m->vcpus_mfn, m->boot.nr_vcpus * BLOCK_PAGES,
        MONITOR_DATA);
    map_part(m, tables, MARKS_VA, m->marks, MONITOR_DATA);
    map_windows(m, tables);
    map_directmap(m, tables);
}

static XenPVPart take(uint64_t *next, uint64_t nr)
{
    XenPVPart part = { *next, nr };

    *next += nr;
    return part;
}

/* Where each part is; how many frames the tables take is not known at first. */
static void divide(XenPVMemory *m)
{
    uint64_t next = 0, nr_tables = m->tables.nr;

    m->ones = take(&next, 1);
    /* So early that they are in one piece. */
    m->stubs = take(&next, PAGES(m->boot.nr_vcpus * STUB_SIZE));
    m->image_frames = take(&next, nr_image_frames(m));
    m->boot_frame = take(&next, 1);
    m->windows = take(&next, 2 * m->boot.nr_vcpus);
    m->marks = take(&next, PAGES(m->boot.max_mfn));
    m->m2p = take(&next, nr_m2p_frames(m));
    m->tables = take(&next, nr_tables);
}

/* The frames of all parts.  Returns the first that is at the top of the low RAM. */
static uint64_t gather(XenPVMemory *m)
{
    uint64_t nr = m->tables.at + m->tables.nr, i, top;
    uint64_t nr_low = HIDDEN_MFN;
    GArray *frames = m->frames;

    g_array_set_size(frames, 0);
    m->nr_vcpu_frames = m->boot.nr_vcpus * m->frames_of_vcpu;
    if (m->nr_vcpu_frames < nr_low) {
        nr_low -= m->nr_vcpu_frames;
        m->vcpus_mfn = nr_low;
    } else {
        m->vcpus_mfn = m->ram.low_pages - m->nr_vcpu_frames;
    }
    for (i = 0; i < nr_low && frames->len < nr; i++) {
        g_array_append_val(frames, i);
    }
    for (i = 0; i < NR_HIDDEN && frames->len < nr; i++) {
        uint64_t mfn = m->ram.beside_mfn + i;

        g_array_append_val(frames, mfn);
    }
    m->spare_windows_mfn = m->ram.beside_mfn + NR_HIDDEN;
    m->nr_beside = NR_HIDDEN + m->boot.nr_vcpus * (WINDOW_PAGES - 2);
    top = m->vcpus_mfn < HIDDEN_MFN ? m->ram.low_pages : m->vcpus_mfn;
    while (frames->len < nr && top) {
        top--;
        g_array_append_val(frames, top);
    }
    return top;
}

/* Table 0 is the guest's own, which has the others in its slots. */
static void make_tables(XenPVMemory *m)
{
    g_autofree uint64_t *mfns = g_new0(uint64_t, m->tables.nr + 1);
    XenPVTables *tables;
    uint64_t i;

    for (i = 0; i < m->tables.nr; i++) {
        mfns[1 + i] = frame(m, m->tables, i);
    }
    tables = xen_pv_tables_new(mfns, m->tables.nr + 1);
    map_all(m, tables);
    m->tables.nr = xen_pv_tables_count(tables) - 1;
    for (i = 0; i < XEN_PV_NR_SLOTS; i++) {
        m->boot.slots[i] = xen_pv_tables_top(tables, M2P_VA + (i << 39));
    }
    g_clear_pointer(&m->table_data, g_bytes_unref);
    m->table_data = xen_pv_tables_free(tables);
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
    uint64_t top;

    memset(m, 0, sizeof(*m));
    m->image = image;
    m->ram = *ram;
    m->boot.max_mfn = ram->high_pages ? ram->high_mfn + ram->high_pages :
                                        ram->low_pages;
    m->boot.nr_vcpus = nr_vcpus;
    m->frames_of_vcpu = BLOCK_PAGES + (isolated ? ISOLATION_PAGES : 0);
    m->frames = g_array_new(false, false, sizeof(uint64_t));
    if (ram->low_pages < LOW_MEMORY_END + nr_vcpus * m->frames_of_vcpu) {
        return false;
    }
    divide(m);
    gather(m);
    make_tables(m);
    divide(m);
    top = gather(m);
    if (top <= LOW_MEMORY_END) {
        return false;
    }
    make_tables(m);

    m->mfns = g_array_new(false, false, sizeof(uint64_t));
    add_range(m, 0, LOW_MEMORY_END, top);
    add_range(m, 1, ram->high_mfn, ram->high_mfn + ram->high_pages);
    m->boot.nr_pages = m->mfns->len;
    m->boot.xenstore_mfn = XENSTORE_MFN;
    m->boot.console_mfn = CONSOLE_MFN;
    m->boot.shared_info_mfn = SHARED_INFO_MFN;
    m->boot.l0_shared_info_mfn = SHARED_INFO_MFN;
    m->boot.grant_mfn = GRANT_MFN;
    m->boot.status_mfn = STATUS_MFN;
    m->boot.nr_grant_mfns = NR_GRANT_MFNS;
    m->boot.stubs_mfn = frame(m, m->stubs, 0);
    m->boot.vcpus_mfn = m->vcpus_mfn;
    m->boot.isolation_mfn =
        isolated ? m->vcpus_mfn + nr_vcpus * BLOCK_PAGES : 0;
    return true;
}

void xen_pv_memory_clear(XenPVMemory *m)
{
    g_clear_pointer(&m->table_data, g_bytes_unref);
    g_clear_pointer(&m->mfns, g_array_unref);
    g_clear_pointer(&m->frames, g_array_unref);
}

/* @data into the frames of a part, up to their end. */
static void write_part(const XenPVMemory *m, XenPVPart part, const void *data,
                       size_t size,
                       void (*write)(void *opaque, uint64_t mfn,
                                     const void *data, size_t size),
                       void *opaque)
{
    size_t at;

    for (at = 0; at < size; at += PAGE) {
        write(opaque, frame(m, part, at / PAGE), (const uint8_t *)data + at,
              MIN(size - at, PAGE));
    }
}

static void fill_m2p(const XenPVMemory *m, const XenPVImage *guest,
                     uint64_t *m2p)
{
    g_autofree uint64_t *place = g_new(uint64_t, m2p_pages(m));
    uint64_t page, pfn, at = 0;

    memset(m2p, 0xff, m->m2p.nr * PAGE);
    for (page = 0; page < m2p_pages(m); page++) {
        place[page] = at;
        at += m2p_has(m, page) ? PER_PAGE : 0;
    }
    for (pfn = 0; pfn < m->boot.nr_pages; pfn++) {
        uint64_t mfn = guest->p2m[pfn];

        m2p[place[mfn / PER_PAGE] + mfn % PER_PAGE] = pfn;
    }
}

void xen_pv_memory_write(const XenPVMemory *m, const XenPVImage *guest,
                         void (*write)(void *opaque, uint64_t mfn,
                                       const void *data, size_t size),
                         void *opaque)
{
    const uint8_t *elf = g_bytes_get_data(m->image, NULL);
    g_autofree uint64_t *m2p = g_malloc(m->m2p.nr * PAGE);
    uint64_t ones[PER_PAGE];
    unsigned int i, nr;
    const Elf64_Phdr *ph = image_segments(m, &nr);

    memset(ones, 0xff, sizeof(ones));
    write_part(m, m->ones, ones, PAGE, write, opaque);
    for (i = 0; i < nr; i++) {
        if (ph[i].p_type == PT_LOAD) {
            write_part(m, image_part(m, &ph[i]), elf + ph[i].p_offset,
                       ph[i].p_filesz, write, opaque);
        }
    }
    write_part(m, m->boot_frame, &m->boot, sizeof(m->boot), write, opaque);
    fill_m2p(m, guest, m2p);
    write_part(m, m->m2p, m2p, m->m2p.nr * PAGE, write, opaque);
    write_part(m, m->tables, g_bytes_get_data(m->table_data, NULL) + PAGE,
               m->tables.nr * PAGE, write, opaque);
}
