/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XENMEM_exchange: the guest gives frames and gets as many others, of which those that
 * are one extent follow each other.
 *
 * The monitor has no memory but what the guest has given back before.  So the others
 * may be some that the guest gives, and an extent of many of them that is nowhere is
 * -ENOMEM, as on a Xen whose memory is used up.
 */

#include "free_frames.h"

/* A chunk is the least that can be exchanged: an extent of the larger order. */
static uint64_t stolen[MAX_EXTENT], taken[MAX_EXTENT];

/* The @nr frames in @stolen stay the guest's. */
static void undo(unsigned int nr)
{
    unsigned int i;

    for (i = 0; i < nr; i++) {
        put_mark(stolen[i], 0);
    }
}

/* The guest's extents from the entry at @list on.  0 or an error. */
static long steal(uint64_t list, unsigned int nr_extents, unsigned int order)
{
    unsigned int i, k, nr = 0;
    uint64_t mfn;

    for (i = 0; i < nr_extents; i++) {
        if (copy_from_guest(&mfn, list + i * sizeof(mfn), sizeof(mfn))) {
            undo(nr);
            return -XEN_EFAULT;
        }
        for (k = 0; k < 1u << order; k++, mfn++) {
            /* A page table is in use. */
            if (take_frame(mfn, 0, MARK_STOLEN) < 0) {
                undo(nr);
                return -XEN_EINVAL;
            }
            stolen[nr++] = mfn;
        }
    }
    return 0;
}

static void untake(uint64_t mfn)
{
    if (mark_of(mfn) == MARK_TAKEN) {
        l0_change(XENMEM_decrease_reservation, mfn, 0);
        put_free(mfn);
    } else if (mark_of(mfn) == MARK_KEPT) {
        put_mark(mfn, MARK_STOLEN);
    }
}

static bool take_one(uint64_t mfn)
{
    if (mark_of(mfn) == MARK_STOLEN) {
        put_mark(mfn, MARK_KEPT);
        return true;
    }
    remove_free(mfn);
    if (!l0_change(XENMEM_populate_physmap, mfn, 0)) {
        put_free(mfn);
        return false;
    }
    put_mark(mfn, MARK_TAKEN);
    return true;
}

/* Into @taken.  False if there is no memory for it. */
static bool take(unsigned int nr_extents, unsigned int order, uint64_t limit)
{
    unsigned int i, k = 0;

    for (i = 0; i < nr_extents; i++) {
        taken[i] = find_frames(order, limit);
        if (taken[i] == NO_FRAME) {
            break;
        }
        for (k = 0; k < 1u << order && take_one(taken[i] + k); k++) {
        }
        if (k < 1u << order) {
            break;
        }
    }
    if (i == nr_extents) {
        return true;
    }
    while (taken[i] != NO_FRAME && k--) {
        untake(taken[i] + k);
    }
    while (i--) {
        for (k = 0; k < 1u << order; k++) {
            untake(taken[i] + k);
        }
    }
    return false;
}

/* The entries at @list say for which pages the frames in @taken are. */
static long hand_out(uint64_t list, unsigned int nr_extents, unsigned int order)
{
    unsigned int i, k;
    long result = 0;

    for (i = 0; i < nr_extents; i++) {
        uint64_t entry = list + i * sizeof(uint64_t), pfn;
        bool known = !copy_from_guest(&pfn, entry, sizeof(pfn));

        for (k = 0; k < 1u << order; k++) {
            put_mark(taken[i] + k, 0);
            m2p[taken[i] + k] = known ? pfn + k : NO_FRAME;
        }
        if (!known || copy_to_guest(entry, &taken[i], sizeof(pfn))) {
            result = -XEN_EFAULT;
        }
    }
    return result;
}

/* @in and @out are the entries of this chunk's first extents. */
static long exchange_chunk(const struct xen_memory_exchange *op, uint64_t in,
                           uint64_t out)
{
    unsigned int in_order = op->in.extent_order, out_order = op->out.extent_order;
    unsigned int order = in_order > out_order ? in_order : out_order, i;
    long result;

    result = steal(in, 1u << (order - in_order), in_order);
    if (result) {
        return result;
    }
    if (!take(1u << (order - out_order), out_order,
              frames_limit(op->out.mem_flags))) {
        undo(1u << order);
        return -XEN_ENOMEM;
    }
    for (i = 0; i < 1u << order; i++) {
        if (mark_of(stolen[i]) == MARK_STOLEN) {
            l0_change(XENMEM_decrease_reservation, stolen[i], 0);
            put_free(stolen[i]);
        }
    }
    return hand_out(out, 1u << (order - out_order), out_order);
}

static long check(const struct xen_memory_exchange *op)
{
    const struct xen_memory_reservation *in = &op->in, *out = &op->out;

    if (in->extent_order > MAX_ORDER || out->extent_order > MAX_ORDER) {
        return -XEN_EPERM;
    }
    if (op->nr_exchanged > in->nr_extents || in->domid != out->domid ||
        ~0ul >> in->extent_order < in->nr_extents ||
        ~0ul >> out->extent_order < out->nr_extents ||
        in->nr_extents << in->extent_order !=
        out->nr_extents << out->extent_order) {
        return -XEN_EINVAL;
    }
    if (op->nr_exchanged == in->nr_extents) {
        return 0;
    }
    if (~0ul / sizeof(xen_pfn_t) < in->nr_extents ||
        ~0ul / sizeof(xen_pfn_t) < out->nr_extents ||
        !guest_range_ok((uint64_t)in->extent_start.p,
                        in->nr_extents * sizeof(xen_pfn_t)) ||
        !guest_range_ok((uint64_t)out->extent_start.p,
                        out->nr_extents * sizeof(xen_pfn_t))) {
        return -XEN_EFAULT;
    }
    return node_is_demanded(out->mem_flags) ? -XEN_EINVAL :
                                              check_self(in->domid);
}

long call_exchange(uint64_t arg)
{
    struct xen_memory_exchange op;
    unsigned int in_shift, out_shift;   /* from a chunk's number to an extent's */
    uint64_t chunk, end;
    long result;

    if (copy_from_guest(&op, arg, sizeof(op))) {
        return -XEN_EFAULT;
    }
    result = check(&op);
    if (result || op.nr_exchanged == op.in.nr_extents) {
        return result;
    }
    in_shift = op.in.extent_order < op.out.extent_order ?
               op.out.extent_order - op.in.extent_order : 0;
    out_shift = in_shift ? 0 : op.in.extent_order - op.out.extent_order;
    end = op.in.nr_extents >> in_shift;
    for (chunk = op.nr_exchanged >> in_shift; !result && chunk < end; ) {
        spin_lock(&free_frames_lock);
        result = exchange_chunk(
            &op,
            (uint64_t)op.in.extent_start.p +
            (chunk << in_shift) * sizeof(xen_pfn_t),
            (uint64_t)op.out.extent_start.p +
            (chunk << out_shift) * sizeof(xen_pfn_t));
        spin_unlock(&free_frames_lock);
        if (!result && ++chunk < end &&
            wants_out(op.in.extent_order || op.out.extent_order ? ~0u : chunk)) {
            result = CALL_AGAIN;
        }
    }
    op.nr_exchanged = result ? chunk << in_shift : op.in.nr_extents;
    if (copy_to_guest(arg + offsetof(struct xen_memory_exchange, nr_exchanged),
                      &op.nr_exchanged, sizeof(op.nr_exchanged))) {
        return -XEN_EFAULT;
    }
    return result;
}
