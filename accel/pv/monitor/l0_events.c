/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest whose events are L0's (xen-pv-events=qemu): operations go there as they are,
 * but for the frames that they name.  L0 takes the machine's RAM for the guest's, the
 * monitor and the tables that it guards with it.
 */

#include "events.h"

#include "../public/event_channel_3level.h"

#define MOST_PAGES EVTCHN_3L_NR_PAGES(64)

/* As it is, or one that there is not, which L0 refuses when its turn has come. */
static uint64_t checked_frame(uint64_t mfn)
{
    return is_writable_frame(mfn) ? mfn : ~0ul;
}

/* The address of a list of checked frames, for L0 to read. */
static uint64_t checked_frames(uint64_t list, uint32_t nr, uint64_t *copy)
{
    uint32_t i;

    nr = nr < MOST_PAGES ? nr : MOST_PAGES;
    if (copy_from_guest(copy, list, nr * sizeof(*copy))) {
        return NOTHING_VA;
    }
    for (i = 0; i < nr; i++) {
        copy[i] = checked_frame(copy[i]);
    }
    return (uint64_t)copy;
}

long l0_event_op(unsigned int cmd, void *arg)
{
    uint64_t pending[MOST_PAGES], mask[MOST_PAGES];

    switch (cmd) {
    case EVTCHNOP_init_control: {
        struct evtchn_init_control *init = arg;

        init->control_gfn = checked_frame(init->control_gfn);
        break;
    }
    case EVTCHNOP_expand_array: {
        struct evtchn_expand_array *expand = arg;

        expand->array_gfn = checked_frame(expand->array_gfn);
        break;
    }
    case EVTCHNOP_register_3level: {
        struct evtchn_register_3level *reg = arg;

        if (reg->cmd == EVTCHN_3L_BITMAPS) {
            uint32_t nr = reg->u.bitmaps.nr_pages;

            reg->u.bitmaps.pending_gfns =
                checked_frames(reg->u.bitmaps.pending_gfns, nr, pending);
            reg->u.bitmaps.mask_gfns =
                checked_frames(reg->u.bitmaps.mask_gfns, nr, mask);
        } else {
            reg->u.l2_selector.gfn = checked_frame(reg->u.l2_selector.gfn);
        }
        break;
    }
    case EVTCHNOP_bind_pirq:
        /* As in the monitor's own; L0 refuses what is no PIRQ. */
        if (((struct evtchn_bind_pirq *)arg)->pirq < MAX_PIRQS) {
            return -XEN_EPERM;
        }
        break;
    }
    return l0_call(__HYPERVISOR_event_channel_op, cmd, (uint64_t)arg, 0, 0, 0);
}
