/* SPDX-License-Identifier: MIT */
/*
 * 3-level event channels: the two operations beside Xen's own, for guests.
 *
 * Provenance: Wei Liu's series for Xen of 2012 and 2013 was never merged.  This
 * header is reconstructed from the published description of it.  Numbers,
 * layouts and errors are this project's own; it is not compatible with that
 * series.
 *
 * The header needs only the compiler's <stdint.h>, and is the same for 32-bit
 * and 64-bit guests; below, W is the number of bits in the guest's word, as Xen
 * has latched it (32 or 64).
 *
 * Port p has a bit in each of
 *   the pending bitmap  bit p % W of word p / W;
 *   the mask bitmap     the same;
 *   the L2 selector     of the vCPU that p is bound to: bit p / W, which is in
 *                       word p / W^2;
 *   the L1 selector     that vCPU's evtchn_pending_sel: bit p / W^2.
 *
 * For an event Xen sets the pending bit; if that was clear and p is not masked,
 * the L2 bit; if that was clear, the L1 bit; if that was clear,
 * evtchn_upcall_pending; if that was clear, Xen interrupts the vCPU.  The guest
 * consumes events in the opposite order, each step before the next:
 *
 *   1. evtchn_upcall_pending = 0;
 *   2. l1 = exchange(evtchn_pending_sel, 0);
 *   3. for each bit i of l1: l2 = exchange(l2_selector[i], 0);
 *   4. for each bit j of l2: the ports in pending[k] & ~mask[k], k = i * W + j;
 *      clear a port's pending bit before its event is handled;
 *   5. again from 1 while evtchn_upcall_pending is set.
 *
 * To unmask, the guest clears the mask bit; if the pending bit is set then, it
 * sets the mask bit again and calls EVTCHNOP_unmask, for which Xen clears the
 * mask bit and sets L2, L1 and the flag as for an event.
 */

#ifndef XENKVM_EVENT_CHANNEL_3LEVEL_H
#define XENKVM_EVENT_CHANNEL_3LEVEL_H

#include <stdint.h>

/* For W-bit guests: 262,144 ports, 8 pages and 512 bytes; or 32,768, 1, 128. */
#define EVTCHN_3L_NR_CHANNELS(w)        ((w) * (w) * (w))
/* Pages of 4 KiB of each of the two bitmaps. */
#define EVTCHN_3L_NR_PAGES(w)           (EVTCHN_3L_NR_CHANNELS(w) / 32768)
/* Bytes of a vCPU's L2 selector. */
#define EVTCHN_3L_L2_SELECTOR_SIZE(w)   ((w) * (w) / 8)

/*
 * EVTCHNOP_query_extended_abis: the ABIs to which this guest may switch from
 * 2-level, with which it starts.  A Xen without 3-level returns -ENOSYS.
 */
#define EVTCHNOP_query_extended_abis    128

#define EVTCHN_EXTENDED_ABI_3LEVEL      1   /* EVTCHNOP_register_3level */
#define EVTCHN_EXTENDED_ABI_FIFO        2   /* EVTCHNOP_init_control */

struct evtchn_query_extended_abis {
    /* OUT */
    uint64_t abis;          /* EVTCHN_EXTENDED_ABI_* */
};

/*
 * EVTCHNOP_register_3level: switch to 3-level, in two phases.
 *
 * EVTCHN_3L_BITMAPS hands over the two bitmaps, and changes the ABI of the
 * whole domain.  Xen copies the pending and mask bits of 2-level's ports; for
 * the ports beyond these the guest sets the mask bits before the call, and
 * leaves the pending bits clear.  From then on a vCPU has no upcall until
 * EVTCHN_3L_L2_SELECTOR hands over its L2 selector, which must be all zeros.
 * Xen then raises the events that came meanwhile, and moves the bits of the
 * vCPU's evtchn_pending_sel from 2-level to word 0 of the selector.
 *
 * EVTCHNOP_reset takes the domain back to 2-level; after that Xen does not use
 * the pages any more.
 *
 * -EPERM         3-level is not offered to this guest
 * -EINVAL        no such cmd; wrong nr_pages; offset not a multiple of 8, or so
 *                that the selector crosses its page's end; not the guest's RAM;
 *                registered already; FIFO is in use
 * -EFAULT        one of the arrays cannot be read
 * -ENOENT        no such vCPU
 * -EOPNOTSUPP    EVTCHN_3L_L2_SELECTOR comes before EVTCHN_3L_BITMAPS
 *
 * A call that fails changes nothing, and may be tried again.  Xen does not
 * refuse a page that is named twice; the guest has to make sense of its bits.
 *
 * EVTCHNOP_init_control of a guest that has 3-level is -EINVAL; and, as in
 * 2-level, EVTCHNOP_expand_array is -EOPNOTSUPP, EVTCHNOP_set_priority -ENOSYS.
 * Where FIFO is not offered all of the three are -EOPNOTSUPP, as in xen-shim.
 */
#define EVTCHNOP_register_3level        129

#define EVTCHN_3L_BITMAPS               1
#define EVTCHN_3L_L2_SELECTOR           2

struct evtchn_register_3level {
    /* IN */
    uint32_t cmd;           /* EVTCHN_3L_* */
    uint32_t _pad;
    union {
        struct {
            uint32_t nr_pages;      /* EVTCHN_3L_NR_PAGES(W) */
            uint32_t _pad;
            /* Guest (virtual) addresses of nr_pages frame numbers each */
            uint64_t pending_gfns;  /* uint64_t * */
            uint64_t mask_gfns;     /* uint64_t * */
        } bitmaps;
        struct {
            uint32_t vcpu;
            uint32_t offset;        /* in bytes, in the frame */
            uint64_t gfn;
        } l2_selector;
    } u;
};

#endif /* XENKVM_EVENT_CHANNEL_3LEVEL_H */
