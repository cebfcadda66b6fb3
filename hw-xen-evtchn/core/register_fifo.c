/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_init_control and EVTCHNOP_expand_array: a guest switches to FIFO
 * delivery.  It registers a control block for each vCPU, and array pages as its
 * ports need them.
 */

#include "change_abi.h"
#include "fifo.h"

int evtchn_fifo_start(struct evtchn_domain *d)
{
    struct fifo_array *array;
    int rc;

    if (d->fifo) {
        return evtchn_start_abi(d, EVTCHN_ABI_FIFO);
    }
    array = evtchn_alloc(d, sizeof(*array));
    if (!array) {
        return -XEN_ENOMEM;
    }
    rc = evtchn_start_abi(d, EVTCHN_ABI_FIFO);
    if (rc) {
        evtchn_free(d, array, sizeof(*array));
    } else {
        d->fifo = array;
    }
    return rc;
}

int evtchn_init_control(struct evtchn_domain *d, uint64_t control_gfn,
                        uint32_t offset, uint32_t vcpu, uint8_t *link_bits)
{
    const struct evtchn_abi_ops *fifo = &evtchn_abi_fifo;
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);
    void *frame = NULL;
    int rc = 0;

    *link_bits = EVTCHN_FIFO_LINK_BITS;
    if (!d->fifo_offered) {
        return -XEN_EOPNOTSUPP;
    }
    if (!v) {
        return -XEN_ENOENT;
    }
    evtchn_event_lock(d);
    if (d->abi != EVTCHN_ABI_3L) {
        frame = evtchn_map_vcpu_frame(d, v, fifo, control_gfn, offset);
    }
    if (!frame) {
        rc = -XEN_EINVAL;
    } else if (d->abi == EVTCHN_ABI_FIFO) {
        evtchn_set_vcpu_frame(d, v, frame, control_gfn, offset);
        /* Events that were sent to this vCPU before. */
        evtchn_retry(d, 1, d->valid_ports);
    } else {
        rc = evtchn_fifo_start(d);
        if (rc) {
            d->env->unmap_frame(d->opaque, control_gfn, frame);
        } else {
            /* The block first, before ports that use it (XSA-358). */
            evtchn_set_vcpu_frame(d, v, frame, control_gfn, offset);
            evtchn_hand_over(d);
        }
    }
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
    array->gfn[slot] = gfn;
    array->nr_frames = slot + 1;
    /* Last: senders use it from here on (XSA-340). */
    evtchn_store(&array->frame[slot], frame);
    return 0;
}

int evtchn_expand_array(struct evtchn_domain *d, uint64_t array_gfn)
{
    int rc = -XEN_EOPNOTSUPP;

    /* A reset takes the array away under the same lock (XSA-505). */
    evtchn_event_lock(d);
    if (d->abi == EVTCHN_ABI_FIFO) {
        uint32_t first = d->fifo->nr_frames * WORDS_PER_FRAME;

        rc = evtchn_fifo_add_frame(d, array_gfn);
        if (!rc) {
            evtchn_quiesce(d);
            evtchn_retry(d, first, first + WORDS_PER_FRAME);
        }
    }
    evtchn_event_unlock(d);
    return rc;
}

int evtchn_fifo_load(struct evtchn_domain *d, const uint64_t *gfns,
                     uint32_t nr_frames)
{
    int rc = evtchn_fifo_start(d);
    uint32_t i;

    if (rc) {
        return rc;
    }
    evtchn_hand_over(d);
    for (i = 0; !rc && i < nr_frames; i++) {
        rc = evtchn_fifo_add_frame(d, gfns[i]);
    }
    if (rc) {
        evtchn_back_to_2l(d);
    }
    return rc;
}

void evtchn_fifo_leave(struct evtchn_domain *d)
{
    struct fifo_array *array = d->fifo;
    uint32_t i;

    for (i = 0; i < array->nr_frames; i++) {
        uint32_t *frame = array->frame[i];

        evtchn_store(&array->frame[i], NULL);
        d->env->unmap_frame(d->opaque, array->gfn[i], frame);
    }
    array->nr_frames = 0;
}
