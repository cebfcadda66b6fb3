/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_init_control and EVTCHNOP_expand_array: how a guest comes to FIFO
 * delivery, and, by a reset, back from it.
 */

#include "model.h"

int evtchn_fifo_start(struct evtchn_domain *d)
{
    struct fifo_array *array = evtchn_alloc(d, sizeof(*array));
    int rc;

    if (!array) {
        return -XEN_ENOMEM;
    }
    /* Before the ABI, which new ports get. */
    d->fifo = array;
    rc = evtchn_start_abi(d, EVTCHN_ABI_FIFO);
    if (rc) {
        evtchn_fifo_free(d);
    }
    return rc;
}

int evtchn_init_control(struct evtchn_domain *d, uint64_t control_gfn,
                        uint32_t offset, uint32_t vcpu, uint8_t *link_bits)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);
    void *frame = NULL;
    int rc;

    *link_bits = EVTCHN_FIFO_LINK_BITS;
    if (!d->fifo_offered) {
        return -XEN_EOPNOTSUPP;
    }
    if (!v) {
        return -XEN_ENOENT;
    }
    if (!evtchn_vcpu_offset_valid(offset,
                                  sizeof(struct evtchn_fifo_control_block))) {
        return -XEN_EINVAL;
    }
    evtchn_event_lock(d);
    /* Once, until a reset: others rely on the block's address (XSA-188). */
    if (!v->frame && !d->bitmaps) {
        frame = d->env->map_frame(d->opaque, control_gfn);
    }
    if (!frame) {
        rc = -XEN_EINVAL;
        goto out;
    }
    if (d->fifo) {
        evtchn_set_vcpu_frame(d, v, frame, control_gfn, offset);
        /* What came for this vCPU so far. */
        evtchn_retry_all_pending(d, 1, d->valid_ports);
        rc = 0;
        goto out;
    }
    rc = evtchn_fifo_start(d);
    if (rc) {
        d->env->unmap_frame(d->opaque, control_gfn, frame);
        goto out;
    }
    /* First the block, then ports that use it (XSA-358). */
    evtchn_set_vcpu_frame(d, v, frame, control_gfn, offset);
    evtchn_hand_over(d);

 out:
    evtchn_event_unlock(d);
    return rc;
}

int evtchn_fifo_add_frame(struct evtchn_domain *d, uint64_t gfn)
{
    struct fifo_array *array = d->fifo;
    uint32_t slot = array->nr_frames;
    void *frame;

    if (slot >= EVTCHN_MAX_ARRAY_FRAMES) {
        return -XEN_ENOSPC;
    }
    frame = d->env->map_frame(d->opaque, gfn);
    if (!frame) {
        return -XEN_EINVAL;
    }
    array->frame[slot] = frame;
    array->gfn[slot] = gfn;
    /*
     * Last (XSA-340), and with a full barrier: we look for events that were
     * set aside next, and who sets one aside looks at this after that.
     */
    evtchn_exchange(&array->nr_frames, slot + 1);
    return 0;
}

int evtchn_expand_array(struct evtchn_domain *d, uint64_t array_gfn)
{
    int rc = -XEN_EOPNOTSUPP;

    /* A reset takes the array away under the same lock (XSA-505). */
    evtchn_event_lock(d);
    if (d->fifo) {
        uint32_t first = d->fifo->nr_frames * WORDS_PER_FRAME;

        rc = evtchn_fifo_add_frame(d, array_gfn);
        if (!rc) {
            evtchn_retry_all_pending(d, first, first + WORDS_PER_FRAME);
        }
    }
    evtchn_event_unlock(d);
    return rc;
}

void evtchn_fifo_free(struct evtchn_domain *d)
{
    struct fifo_array *array = d->fifo;
    uint32_t i;

    d->fifo = NULL;
    for (i = 0; i < array->nr_frames; i++) {
        d->env->unmap_frame(d->opaque, array->gfn[i], array->frame[i]);
    }
    evtchn_free(d, array, sizeof(*array));
}
