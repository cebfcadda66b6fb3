/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's memory of pages that a guest has given back.
 *
 * QEMU has no way to make a single page of RAM disappear: a KVM memory slot for
 * each stretch of RAM between two such pages would soon be too many.  So a guest
 * that touches a page which it has given back finds a page of zeros, which it
 * may even write.  A page that comes back is zeroed again.
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "qemu/bitmap.h"
#include "qemu/cutils.h"
#include "exec/exec-all.h"
#include "exec/memory.h"
#include "exec/ramblock.h"
#include "migration/misc.h"
#include "system/tcg.h"

#include "holes.h"

/*
 * As virtio-balloon: not while a device has the memory pinned, or migration
 * must see each page that appears.
 */
static bool may_discard(const XenHoles *holes)
{
    return !holes->cannot_discard && !ram_block_discard_is_disabled() &&
           !migration_in_incoming_postcopy() && !migration_in_bg_snapshot();
}

static bool discard(XenHoles *holes, uint64_t start, uint64_t end)
{
    if (ram_block_discard_range(holes->mr->ram_block, start, end - start)) {
        /* QEMU has said why; a guest must not fill the log with that. */
        holes->cannot_discard = true;
        return false;
    }
    return true;
}

/* QEMU has changed this memory: translated code and migration must know. */
static void changed(MemoryRegion *mr, uint64_t start, uint64_t end)
{
    ram_addr_t address = memory_region_get_ram_addr(mr);

    if (tcg_enabled()) {
        tb_invalidate_phys_range(address + start, address + end - 1);
    }
    memory_region_set_dirty(mr, start, end - start);
}

/* Of huge pages, only those go of which the guest has no part any more. */
void xen_holes_removed(XenHoles *holes, uint64_t start, uint64_t end)
{
    uint64_t size = qemu_ram_pagesize(holes->mr->ram_block);
    uint64_t page;

    if (!may_discard(holes)) {
        return;
    }
    if (size <= TARGET_PAGE_SIZE) {
        if (discard(holes, start, end)) {
            changed(holes->mr, start, end);
        }
        return;
    }
    end = MIN(ROUND_UP(end, size),
              ROUND_DOWN(memory_region_size(holes->mr), size));
    for (page = ROUND_DOWN(start, size); page < end; page += size) {
        uint64_t next = (page + size) >> TARGET_PAGE_BITS;

        if (find_next_zero_bit(holes->map, next, page >> TARGET_PAGE_BITS) <
            next) {
            continue;
        }
        if (!discard(holes, page, page + size)) {
            return;
        }
        changed(holes->mr, page, page + size);
    }
}

void xen_holes_populated(XenHoles *holes, uint64_t start, uint64_t end)
{
    uint8_t *ram = memory_region_get_ram_ptr(holes->mr);
    uint64_t page;

    /* The host has the zeros; pages that the guest does not use cost nothing */
    if (qemu_ram_pagesize(holes->mr->ram_block) <= TARGET_PAGE_SIZE &&
        may_discard(holes) && discard(holes, start, end)) {
        changed(holes->mr, start, end);
        return;
    }
    for (page = start; page < end; page += TARGET_PAGE_SIZE) {
        if (!buffer_is_zero(ram + page, TARGET_PAGE_SIZE)) {
            memset(ram + page, 0, TARGET_PAGE_SIZE);
        }
    }
    changed(holes->mr, start, end);
}
