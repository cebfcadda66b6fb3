/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From 2-level to an ABI that the guest registers memory for, and by a reset
 * back: what FIFO and 3-level have in common.
 */

#include "model.h"

int evtchn_start_abi(struct evtchn_domain *d, enum evtchn_abi abi)
{
    if (d->env->abi_change) {
        int rc = d->env->abi_change(d->opaque, abi);

        if (rc) {
            return rc;
        }
    }
    evtchn_store(&d->abi, abi);
    return 0;
}

/*
 * With @port's lock and its peer's nobody raises it meanwhile, so an event is
 * either in the 2-level bit that is looked at or will be raised in the new ABI.
 * The binding is stable under the event lock.
 */
static void hand_over_port(struct evtchn_domain *d, uint32_t port)
{
    const struct evtchn_port_ops *ops = evtchn_ops(d->abi);
    struct evtchn *chn = evtchn_of_port(d, port);
    struct evtchn *peer = NULL;

    if (chn->state == EVTCHN_INTERDOMAIN) {
        peer = evtchn_of_port(chn->remote, chn->remote_port);
        evtchn_port_lock_two(d, chn, peer);
    } else {
        evtchn_port_lock(d, chn);
    }
    if (evtchn_is_bound(chn->state)) {
        ops->adopt(d, port, chn);
    }
    if (ops->init) {
        ops->init(chn);
    }
    evtchn_store(&chn->abi, d->abi);
    evtchn_port_unlock(chn);
    if (peer) {
        evtchn_port_unlock(peer);
    }
}

void evtchn_hand_over(struct evtchn_domain *d)
{
    uint32_t port;

    for (port = 0; port < d->valid_ports; port++) {
        hand_over_port(d, port);
    }
}

void evtchn_set_vcpu_frame(struct evtchn_domain *d, struct evtchn_vcpu *v,
                           void *frame, uint64_t gfn, uint32_t offset)
{
    evtchn_vcpu_lock_all(d, v);
    v->frame = frame;
    v->gfn = frame ? gfn : EVTCHN_INVALID_GFN;
    v->registered = frame ? (char *)frame + offset : NULL;
    evtchn_vcpu_unlock_all(v);
}

bool evtchn_vcpu_offset_valid(uint32_t offset, uint32_t size)
{
    return offset <= EVTCHN_FRAME_SIZE - size && offset % 8 == 0;
}

void evtchn_back_to_2l(struct evtchn_domain *d)
{
    uint32_t port, i;

    evtchn_store(&d->abi, EVTCHN_ABI_2L);
    /*
     * No port is bound, so nobody starts to use the guest's pages; going
     * through the locks waits for those who still do.
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
        void *frame = v->frame;
        uint64_t gfn = v->gfn;
        unsigned int q;

        evtchn_set_vcpu_frame(d, v, NULL, 0, 0);
        for (q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++) {
            v->queue[q].tail = 0;
        }
        if (frame) {
            d->env->unmap_frame(d->opaque, gfn, frame);
        }
    }
    if (d->fifo) {
        evtchn_fifo_free(d);
    }
    if (d->bitmaps) {
        evtchn_3l_free(d);
    }
    /* No event word says any more that a port is busy. */
    evtchn_unpark_all(d);
}

uint64_t evtchn_extended_abis(const struct evtchn_domain *d)
{
    return (d->three_level_offered ? EVTCHN_EXTENDED_ABI_3LEVEL : 0) |
           (d->fifo_offered ? EVTCHN_EXTENDED_ABI_FIFO : 0);
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
    state->gfn = v->gfn;
    if (v->frame) {
        state->offset = (char *)v->registered - (char *)v->frame;
    }
    for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
        state->tail[i] = v->queue[i].tail;
    }
    evtchn_event_unlock(d);
    return 0;
}

void evtchn_save_frames(struct evtchn_domain *d, uint64_t *gfns,
                        uint32_t *nr_frames)
{
    const uint64_t *from = NULL;

    evtchn_event_lock(d);
    *nr_frames = 0;
    if (d->fifo) {
        *nr_frames = d->fifo->nr_frames;
        from = d->fifo->gfn;
    } else if (d->bitmaps) {
        *nr_frames = 2 * d->bitmaps->nr_pages;
        from = d->bitmaps->gfn;
    }
    if (gfns && *nr_frames) {
        memcpy(gfns, from, *nr_frames * sizeof(*gfns));
    }
    evtchn_event_unlock(d);
}

static int load_vcpu(struct evtchn_domain *d, struct evtchn_vcpu *v,
                     const struct evtchn_vcpu_state *state)
{
    uint32_t words = d->fifo ? d->fifo->nr_frames * WORDS_PER_FRAME : 0;
    uint32_t size = d->fifo ? sizeof(struct evtchn_fifo_control_block)
                            : evtchn_3l_selector_size(d);
    void *frame;
    unsigned int i;

    for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
        /* A tail's word is looked at: its frame must be there. */
        if (state->tail[i] >= words && state->tail[i]) {
            return -XEN_EINVAL;
        }
        v->queue[i].tail = state->tail[i];
    }
    if (state->gfn == EVTCHN_INVALID_GFN) {
        return 0;
    }
    if (!evtchn_vcpu_offset_valid(state->offset, size)) {
        return -XEN_EINVAL;
    }
    frame = d->env->map_frame(d->opaque, state->gfn);
    if (!frame) {
        return -XEN_EINVAL;
    }
    evtchn_set_vcpu_frame(d, v, frame, state->gfn, state->offset);
    return 0;
}

static bool abi_is_offered(const struct evtchn_domain *d, enum evtchn_abi abi)
{
    return abi == EVTCHN_ABI_FIFO ? d->fifo_offered :
           abi == EVTCHN_ABI_3L ? d->three_level_offered : false;
}

int evtchn_load_abi(struct evtchn_domain *d, enum evtchn_abi abi,
                    const uint64_t *gfns, uint32_t nr_frames,
                    const struct evtchn_vcpu_state *vcpus)
{
    uint32_t i;
    int rc = -XEN_EINVAL;

    evtchn_event_lock(d);
    if (!abi_is_offered(d, abi) || evtchn_abi_is_extended(d->abi) ||
        d->active_ports || nr_frames > EVTCHN_MAX_FRAMES ||
        (abi == EVTCHN_ABI_3L && nr_frames % 2)) {
        goto out;
    }
    rc = abi == EVTCHN_ABI_FIFO ? evtchn_fifo_start(d)
                                : evtchn_3l_start(d, gfns, nr_frames / 2);
    if (rc) {
        goto out;
    }
    evtchn_hand_over(d);
    for (i = 0; !rc && d->fifo && i < nr_frames; i++) {
        rc = evtchn_fifo_add_frame(d, gfns[i]);
    }
    for (i = 0; !rc && i < d->nr_vcpus; i++) {
        rc = load_vcpu(d, &d->vcpus[i], &vcpus[i]);
    }
    if (rc) {
        evtchn_back_to_2l(d);
        if (d->env->abi_change) {
            d->env->abi_change(d->opaque, EVTCHN_ABI_2L);
        }
    }

 out:
    evtchn_event_unlock(d);
    return rc;
}
