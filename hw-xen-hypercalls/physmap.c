/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which frames of QEMU's RAM the guest has given back, and its pages' number. */

#include "hypercalls.h"
#include "holes.h"
#include "physmap.h"
#include "qemu/bitmap.h"
#include "qemu/main-loop.h"
#include "exec/address-spaces.h"
#include "hw/boards.h"
#include "hw/i386/kvm/xen_overlay.h"
#include "hw/mem/memory-device.h"
#include "system/kvm_xen.h"

/* What libxl adds to a guest's maximum: 1 MiB. */
#define MAXMEM_CONSTANT (1024 >> (TARGET_PAGE_BITS - 10))

static GHashTable *all_holes;   /* XenHoles by MemoryRegion */
static uint64_t nr_holes;
/* Pages that the guest owns, but has at no frame. */
static uint64_t nr_without_frame;

/* Adjacent pages of one kind for xen_physmap_flush(). */
static struct {
    XenHoles *holes;
    uint64_t start, end;        /* offsets in the MemoryRegion */
    bool populated;             /* else removed */
} run;

static void free_holes(gpointer opaque)
{
    XenHoles *holes = opaque;

    memory_region_unref(holes->mr);
    g_free(holes->map);
    g_free(holes);
}

static uint64_t nr_frames(void)
{
    MachineState *ms = MACHINE(qdev_get_machine());
    uint64_t size = ms->ram_size;

    if (ms->device_memory) {
        size += ms->device_memory->dimm_size;
    }
    return size >> TARGET_PAGE_BITS;
}

uint64_t xen_physmap_pages(void)
{
    return nr_frames() - nr_holes + nr_without_frame;
}

uint64_t xen_physmap_max_pages(void)
{
    MachineState *ms = MACHINE(qdev_get_machine());

    return (ms->maxram_size >> TARGET_PAGE_BITS) + MAXMEM_CONSTANT;
}

uint64_t xen_physmap_ram(void)
{
    return (nr_frames() - nr_holes) << TARGET_PAGE_BITS;
}

/* The guest's own memory: not a video card's, nor what others have mapped. */
static bool is_guest_ram(const MemoryRegionSection *section)
{
    MachineState *ms = MACHINE(qdev_get_machine());
    MemoryRegion *mr = section->mr;

    if (!memory_region_is_ram(mr) || section->readonly ||
        memory_region_is_rom(mr) || memory_region_is_romd(mr) ||
        memory_region_is_ram_device(mr) || memory_region_is_nonvolatile(mr) ||
        memory_region_has_ram_discard_manager(mr)) {
        return false;
    }
    /* With NUMA nodes, or hot-plugged, it consists of several regions. */
    return mr == ms->ram || mr->container == ms->ram ||
           (ms->device_memory && mr->container == &ms->device_memory->mr);
}

static bool is_shared_info(const MemoryRegionSection *section)
{
    return memory_region_is_ram(section->mr) &&
           memory_region_get_ram_ptr(section->mr) +
           section->offset_within_region == xen_overlay_get_shinfo_ptr();
}

/* What the guest has at @gfn, which has an mr if that is memory. */
static MemoryRegionSection find(uint64_t gfn)
{
    MemoryRegionSection section = {};

    if (gfn >> (64 - TARGET_PAGE_BITS)) {
        return section;
    }
    section = memory_region_find(get_system_memory(), gfn << TARGET_PAGE_BITS,
                                 TARGET_PAGE_SIZE);
    if (section.mr &&
        (int128_lt(section.size, int128_make64(TARGET_PAGE_SIZE)) ||
         !(is_guest_ram(&section) || is_shared_info(&section)))) {
        memory_region_unref(section.mr);
        section.mr = NULL;
    }
    return section;
}

static XenHoles *holes_of(MemoryRegion *mr)
{
    XenHoles *holes = g_hash_table_lookup(all_holes, mr);

    if (!holes) {
        holes = g_new0(XenHoles, 1);
        memory_region_ref(mr);
        holes->mr = mr;
        holes->map = bitmap_new(memory_region_size(mr) >> TARGET_PAGE_BITS);
        g_hash_table_insert(all_holes, mr, holes);
    }
    return holes;
}

void xen_physmap_flush(void)
{
    XenHoles *holes = g_steal_pointer(&run.holes);

    if (!holes) {
        return;
    }
    if (run.populated) {
        xen_holes_populated(holes, run.start, run.end);
    } else {
        xen_holes_removed(holes, run.start, run.end);
    }
}

static void add_to_run(XenHoles *holes, uint64_t offset, bool populated)
{
    if (holes == run.holes && populated == run.populated) {
        if (offset == run.end) {
            run.end += TARGET_PAGE_SIZE;
            return;
        }
        if (offset + TARGET_PAGE_SIZE == run.start) {
            run.start = offset;
            return;
        }
    }
    xen_physmap_flush();
    run.holes = holes;
    run.start = offset;
    run.end = offset + TARGET_PAGE_SIZE;
    run.populated = populated;
}

int xen_physmap_remove(uint64_t gfn, bool keep)
{
    MemoryRegionSection section = find(gfn);
    uint64_t offset = section.offset_within_region;
    XenHoles *holes;
    int ret = 0;

    if (!section.mr) {
        return -ENOENT;
    }
    if (is_shared_info(&section)) {
        /* It is Xen's page, and counts for none of the guest's. */
        ret = xen_overlay_map_shinfo_page(INVALID_GPA);
    } else {
        holes = holes_of(section.mr);
        if (test_and_set_bit(offset >> TARGET_PAGE_BITS, holes->map)) {
            ret = -ENOENT;
        } else {
            holes->nr++;
            nr_holes++;
            if (keep) {
                nr_without_frame++;
            }
            add_to_run(holes, offset, false);
        }
    }
    memory_region_unref(section.mr);
    return ret;
}

static void populate_one(uint64_t gfn)
{
    MemoryRegionSection section = find(gfn);
    uint64_t offset = section.offset_within_region;
    XenHoles *holes = holes_of(section.mr);

    if (test_and_clear_bit(offset >> TARGET_PAGE_BITS, holes->map)) {
        holes->nr--;
        nr_holes--;
    } else {
        nr_without_frame++;
    }
    add_to_run(holes, offset, true);
    memory_region_unref(section.mr);
}

int xen_physmap_populate(uint64_t gfn, unsigned int order)
{
    uint64_t i, nr = 1ull << order;

    if (xen_physmap_pages() + nr > xen_physmap_max_pages()) {
        return -ENOMEM;
    }
    for (i = 0; i < nr; i++) {
        if (!xen_physmap_is_ram(gfn + i)) {
            return -EINVAL;
        }
    }
    for (i = 0; i < nr; i++) {
        populate_one(gfn + i);
    }
    return 0;
}

int xen_physmap_increase(unsigned int order)
{
    uint64_t nr = 1ull << order;

    if (xen_physmap_pages() + nr > xen_physmap_max_pages()) {
        return -ENOMEM;
    }
    nr_without_frame += nr;
    return 0;
}

bool xen_physmap_is_ram(uint64_t gfn)
{
    MemoryRegionSection section = find(gfn);
    bool ret = section.mr && !is_shared_info(&section);

    if (section.mr) {
        memory_region_unref(section.mr);
    }
    return ret;
}

bool xen_physmap_is_hole(uint64_t gfn)
{
    MemoryRegionSection section;
    bool ret = false;

    BQL_LOCK_GUARD();
    section = find(gfn);
    if (section.mr) {
        XenHoles *holes = g_hash_table_lookup(all_holes, section.mr);

        ret = holes && test_bit(section.offset_within_region >>
                                TARGET_PAGE_BITS, holes->map);
        memory_region_unref(section.mr);
    }
    return ret;
}

void xen_physmap_reset(void)
{
    xen_physmap_flush();
    g_hash_table_remove_all(all_holes);
    nr_holes = 0;
    nr_without_frame = 0;
}

void xen_physmap_for_each_stretch(XenPhysmapStretchFunc *func, void *opaque)
{
    GHashTableIter iter;
    XenHoles *holes;

    xen_physmap_flush();
    g_hash_table_iter_init(&iter, all_holes);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&holes)) {
        uint64_t size = memory_region_size(holes->mr) >> TARGET_PAGE_BITS;
        uint64_t end, first = find_first_bit(holes->map, size);

        for (; first < size; first = find_next_bit(holes->map, size, end)) {
            end = find_next_zero_bit(holes->map, size, first);
            func(opaque, holes->mr, first, end - first);
        }
    }
}

bool xen_physmap_load_stretch(MemoryRegion *mr, uint64_t first, uint64_t nr)
{
    MemoryRegionSection section = { .mr = mr };
    uint64_t size = memory_region_size(mr) >> TARGET_PAGE_BITS;
    XenHoles *holes;

    if (!is_guest_ram(&section) || !nr || first >= size || nr > size - first) {
        return false;
    }
    holes = holes_of(mr);
    if (find_next_bit(holes->map, first + nr, first) < first + nr) {
        return false;
    }
    bitmap_set(holes->map, first, nr);
    holes->nr += nr;
    nr_holes += nr;
    return true;
}

uint64_t xen_physmap_without_frame(void)
{
    return nr_without_frame;
}

void xen_physmap_load_without_frame(uint64_t nr)
{
    nr_without_frame = nr;
}

void xen_physmap_init(void)
{
    xen_physmap_state_init();
    all_holes = g_hash_table_new_full(NULL, NULL, NULL, free_holes);
    xen_hypercall_register_reset(xen_physmap_reset);
}
