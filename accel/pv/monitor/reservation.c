/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest gives frames back, and gets others: XENMEM_decrease_reservation,
 * populate_physmap and increase_reservation.
 */

#include "free_frames.h"

#define COMMAND(op, start) ((op) | (uint64_t)(start) << MEMOP_EXTENT_SHIFT)
#define MAX_EXTENTS (UINT32_MAX >> MEMOP_EXTENT_SHIFT)

/*
 * Rings and the like are no frames of the guest's own.  A top-level table may be loaded,
 * and the monitor with it: Xen, too, keeps one until it is not in use.
 */
static bool give_back(uint64_t mfn)
{
    bool done = false;
    int level;

    spin_lock(&free_frames_lock);
    level = take_frame(mfn, 3, MARK_KEPT);
    if (level >= 0) {
        done = l0_change(XENMEM_decrease_reservation, mfn, 0);
        if (done) {
            put_free(mfn);
        } else {
            put_mark(mfn, level);
        }
    }
    spin_unlock(&free_frames_lock);
    return done;
}

/* The first of 2^@order frames of zeros, for pages from @pfn on, or NO_FRAME. */
static uint64_t get(uint64_t pfn, unsigned int order, uint64_t limit)
{
    uint64_t size = 1ul << order, i, mfn = NO_FRAME;
    bool done;

    spin_lock(&free_frames_lock);
    if (nr_free_frames() >= size) {
        mfn = find_frames(order, limit);
    }
    if (mfn != NO_FRAME) {
        for (i = 0; i < size; i++) {
            remove_free(mfn + i);
        }
        done = l0_change(XENMEM_populate_physmap, mfn, order);
        for (i = 0; i < size; i++) {
            if (done) {
                put_mark(mfn + i, 0);
                m2p[mfn + i] = pfn == NO_FRAME ? pfn : pfn + i;
            } else {
                put_free(mfn + i);
            }
        }
        mfn = done ? mfn : NO_FRAME;
    }
    spin_unlock(&free_frames_lock);
    return mfn;
}

static bool do_extent(unsigned int op, uint64_t entry, unsigned int order,
                      uint64_t limit)
{
    uint64_t number, mfn, i;

    if (op == XENMEM_increase_reservation) {
        number = NO_FRAME;
    } else if (copy_from_guest(&number, entry, sizeof(number))) {
        return false;
    }
    if (op == XENMEM_decrease_reservation) {
        for (i = 0; i < 1ul << order && give_back(number + i); i++) {
        }
        return i == 1ul << order;
    }
    mfn = get(number, order, limit);
    if (mfn == NO_FRAME) {
        return false;
    }
    /* Without a list it does not want to know, and may look at the M2P. */
    return !entry || !copy_to_guest(entry, &mfn, sizeof(mfn));
}

/* As in Xen XENMEM_decrease_reservation, too, refuses flags for which it has no use. */
static bool flags_ok(unsigned int op, unsigned int flags)
{
    return frames_limit(flags) && !node_is_demanded(flags) &&
           !(flags & XENMEMF_populate_on_demand &&
             op == XENMEM_populate_physmap);
}

/* Returns how many extents are done, which is all that a guest is told of an error. */
long change_reservation(uint64_t *args)
{
    unsigned int op = args[0] & MEMOP_CMD_MASK;
    uint64_t i = (unsigned int)args[0] >> MEMOP_EXTENT_SHIFT;
    struct xen_memory_reservation reservation;
    uint64_t list, limit;

    if (copy_from_guest(&reservation, args[1], sizeof(reservation)) ||
        reservation.nr_extents > MAX_EXTENTS || i >= reservation.nr_extents ||
        !is_self(reservation.domid) ||
        reservation.extent_order > MAX_ORDER ||
        !flags_ok(op, reservation.mem_flags)) {
        return i;
    }
    list = (uint64_t)reservation.extent_start.p;
    /* It gets no frames of which it could not be told. */
    if (list && !guest_range_ok(list + i * sizeof(xen_pfn_t), 1)) {
        return i;
    }
    limit = frames_limit(reservation.mem_flags);
    for (; i < reservation.nr_extents; i++) {
        if (!do_extent(op, list ? list + i * sizeof(xen_pfn_t) : 0,
                       reservation.extent_order, limit)) {
            break;
        }
        if (i + 1 < reservation.nr_extents &&
            wants_out(reservation.extent_order ? ~0u : i)) {
            args[0] = COMMAND(op, i + 1);
            return CALL_AGAIN;
        }
    }
    return i;
}
