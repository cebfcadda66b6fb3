/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_init_control and EVTCHNOP_expand_array: how a guest comes to FIFO
 * delivery, and, by a reset, back from it.
 */

#include "model.h"

/* Use @frame for @v's control block from now on; NULL takes it away. */
static void set_control(struct evtchn_domain *d, struct evtchn_vcpu *v,
                        void *frame, uint64_t gfn, uint32_t offset)
{
    evtchn_vcpu_lock_all(d, v);
    v->control_frame = frame;
    v->control_gfn = frame ? gfn : EVTCHN_INVALID_GFN;
    v->control = frame ? (void *)((char *)frame + offset) : NULL;
    evtchn_vcpu_unlock_all(v);
}

/*
 * Move @port from 2-level to FIFO.  With its lock and its peer's nobody raises
 * it meanwhile, so an event is either in the 2-level bit that we look at or
 * will be raised as FIFO.  The binding is stable under the event lock.
 */
static void hand_over(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_of_port(d, port);
    struct evtchn *peer = NULL;

    if (chn->state == EVTCHN_INTERDOMAIN) {
        peer = evtchn_of_port(chn->remote, chn->remote_port);
        evtchn_port_lock_two(d, chn, peer);
    } else {
        evtchn_port_lock(d, chn);
    }
    if (evtchn_is_bound(chn->state) && evtchn_2l_take_pending(d, port)) {
        evtchn_store(&chn->pending, EVTCHN_RETRY_RAISE);
    }
    evtchn_ops_fifo.init(chn);
    evtchn_store(&chn->abi, EVTCHN_ABI_FIFO);
    evtchn_port_unlock(chn);
    if (peer) {
        evtchn_port_unlock(peer);
    }
}

/* The domain is FIFO from here on, its ports not yet. */
static int start_fifo(struct evtchn_domain *d)
{
    struct fifo_array *array = evtchn_alloc(d, sizeof(*array));

    if (!array) {
        return -XEN_ENOMEM;
    }
    if (d->env->abi_change) {
        int rc = d->env->abi_change(d->opaque, EVTCHN_ABI_FIFO);

        if (rc) {
            evtchn_free(d, array, sizeof(*array));
            return rc;
        }
    }
    d->fifo = array;
    evtchn_store(&d->abi, EVTCHN_ABI_FIFO);
    return 0;
}

static bool control_offset_valid(uint32_t offset)
{
    return offset <= EVTCHN_FRAME_SIZE -
                     sizeof(struct evtchn_fifo_control_block) &&
           offset % 8 == 0;
}

int evtchn_init_control(struct evtchn_domain *d, uint64_t control_gfn,
                        uint32_t offset, uint32_t vcpu, uint8_t *link_bits)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);
    uint32_t port;
    void *frame;
    int rc;

    *link_bits = EVTCHN_FIFO_LINK_BITS;
    if (!d->fifo_offered) {
        return -XEN_EOPNOTSUPP;
    }
    if (!v) {
        return -XEN_ENOENT;
    }
    if (!control_offset_valid(offset)) {
        return -XEN_EINVAL;
    }
    evtchn_event_lock(d);
    /* Once, until a reset: others rely on the block's address (XSA-188). */
    frame = v->control ? NULL : d->env->map_frame(d->opaque, control_gfn);
    if (!frame) {
        rc = -XEN_EINVAL;
        goto out;
    }
    if (d->fifo) {
        set_control(d, v, frame, control_gfn, offset);
        /* What came for this vCPU so far. */
        evtchn_retry_all_pending(d, 1, d->valid_ports);
        rc = 0;
        goto out;
    }
    rc = start_fifo(d);
    if (rc) {
        d->env->unmap_frame(d->opaque, control_gfn, frame);
        goto out;
    }
    /* First the block, then ports that use it (XSA-358). */
    set_control(d, v, frame, control_gfn, offset);
    for (port = 0; port < d->valid_ports; port++) {
        hand_over(d, port);
    }

 out:
    evtchn_event_unlock(d);
    return rc;
}

/* Add a frame at the end of the array. */
static int add_frame(struct evtchn_domain *d, uint64_t gfn)
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

        rc = add_frame(d, array_gfn);
        if (!rc) {
            evtchn_retry_all_pending(d, first, first + WORDS_PER_FRAME);
        }
    }
    evtchn_event_unlock(d);
    return rc;
}

void evtchn_fifo_destroy(struct evtchn_domain *d)
{
    struct fifo_array *array = d->fifo;
    uint32_t port, i;

    evtchn_store(&d->abi, EVTCHN_ABI_2L);
    /*
     * No port is bound, so nobody starts to use the array; going through the
     * locks waits for those who still do.
     */
    for (port = 0; port < d->valid_ports; port++) {
        struct evtchn *chn = evtchn_of_port(d, port);

        evtchn_port_lock(d, chn);
        evtchn_store(&chn->abi, EVTCHN_ABI_2L);
        evtchn_store(&chn->pending, 0);
        evtchn_store(&chn->lastq, 0);
        evtchn_store(&chn->priority, 0);
        evtchn_port_unlock(chn);
    }
    for (i = 0; i < d->nr_vcpus; i++) {
        struct evtchn_vcpu *v = &d->vcpus[i];
        void *frame = v->control_frame;
        uint64_t gfn = v->control_gfn;
        unsigned int q;

        set_control(d, v, NULL, 0, 0);
        for (q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++) {
            v->queue[q].tail = 0;
        }
        if (frame) {
            d->env->unmap_frame(d->opaque, gfn, frame);
        }
    }
    d->fifo = NULL;
    for (i = 0; i < array->nr_frames; i++) {
        d->env->unmap_frame(d->opaque, array->gfn[i], array->frame[i]);
    }
    evtchn_free(d, array, sizeof(*array));
    /* No event word says any more that a port is busy. */
    evtchn_unpark_all(d);
}

/* Save and load --------------------------------------------------------- */

int evtchn_save_vcpu(struct evtchn_domain *d, uint32_t vcpu,
                     struct evtchn_vcpu_state *state)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);
    unsigned int i;

    if (!v) {
        return -XEN_ENOENT;
    }
    evtchn_event_lock(d);
    memset(state, 0, sizeof(*state));
    state->control_gfn = v->control_gfn;
    if (v->control) {
        state->control_offset = (char *)v->control - (char *)v->control_frame;
    }
    for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
        state->tail[i] = v->queue[i].tail;
    }
    evtchn_event_unlock(d);
    return 0;
}

void evtchn_save_fifo(struct evtchn_domain *d, uint64_t *gfns,
                      uint32_t *nr_frames)
{
    evtchn_event_lock(d);
    *nr_frames = d->fifo ? d->fifo->nr_frames : 0;
    if (gfns && *nr_frames) {
        memcpy(gfns, d->fifo->gfn, *nr_frames * sizeof(*gfns));
    }
    evtchn_event_unlock(d);
}

static int load_control(struct evtchn_domain *d, struct evtchn_vcpu *v,
                        const struct evtchn_vcpu_state *state)
{
    void *frame;
    unsigned int i;

    for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
        /* A tail's word is looked at: its frame must be there. */
        if (state->tail[i] >= d->fifo->nr_frames * WORDS_PER_FRAME &&
            state->tail[i]) {
            return -XEN_EINVAL;
        }
        v->queue[i].tail = state->tail[i];
    }
    if (state->control_gfn == EVTCHN_INVALID_GFN) {
        return 0;
    }
    if (!control_offset_valid(state->control_offset)) {
        return -XEN_EINVAL;
    }
    frame = d->env->map_frame(d->opaque, state->control_gfn);
    if (!frame) {
        return -XEN_EINVAL;
    }
    set_control(d, v, frame, state->control_gfn, state->control_offset);
    return 0;
}

int evtchn_load_fifo(struct evtchn_domain *d, const uint64_t *gfns,
                     uint32_t nr_frames, const struct evtchn_vcpu_state *vcpus)
{
    uint32_t i;
    int rc = -XEN_EINVAL;

    evtchn_event_lock(d);
    if (!d->fifo_offered || d->fifo || d->active_ports ||
        nr_frames > EVTCHN_MAX_ARRAY_FRAMES) {
        goto out;
    }
    rc = start_fifo(d);
    if (rc) {
        goto out;
    }
    for (i = 0; i < d->valid_ports; i++) {
        hand_over(d, i);
    }
    for (i = 0; !rc && i < nr_frames; i++) {
        rc = add_frame(d, gfns[i]);
    }
    for (i = 0; !rc && i < d->nr_vcpus; i++) {
        rc = load_control(d, &d->vcpus[i], &vcpus[i]);
    }
    if (rc) {
        evtchn_fifo_destroy(d);
        if (d->env->abi_change) {
            d->env->abi_change(d->opaque, EVTCHN_ABI_2L);
        }
    }

 out:
    evtchn_event_unlock(d);
    return rc;
}
