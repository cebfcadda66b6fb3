/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saving what ports, vCPUs and the ABI have outside of guest memory. */

#include "change_abi.h"
#include "fifo.h"

int evtchn_save_port(struct evtchn_domain *d, uint32_t port,
                     struct evtchn_port_state *state)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    struct evtchn_port_info info;
    struct evtchn_locked locked;

    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_port_lock(d, chn, &locked);
    evtchn_describe(chn, locked.binding, &info);
    *state = (struct evtchn_port_state) {
        .port = port,
        .state = info.state,
        .priority = info.priority,
        .last_priority = evtchn_lastq_priority(chn->lastq),
        .last_vcpu = evtchn_lastq_vcpu(chn->lastq),
        .pending = chn->retry,
        .vcpu = info.vcpu,
        .remote_domid = info.remote_domid,
        .remote_port = info.state == EVTCHN_INTERDOMAIN ? info.remote_port
                                                        : info.irq,
    };
    evtchn_port_unlock(&locked);
    /* A closed port may still be the tail of the queue it was last on. */
    return evtchn_is_bound(state->state) || state->last_vcpu ||
                   state->last_priority
               ? 0 : -XEN_ENOENT;
}

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
        state->tail[i] = evtchn_queue_lock(d->env, &v->queue[i]);
        evtchn_queue_unlock(&v->queue[i], state->tail[i]);
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
    if (d->abi == EVTCHN_ABI_FIFO) {
        *nr_frames = d->fifo->nr_frames;
        from = d->fifo->gfn;
    } else if (d->abi == EVTCHN_ABI_3L) {
        *nr_frames = 2 * d->bitmaps->nr_pages;
        from = d->bitmaps->gfn;
    }
    if (gfns && *nr_frames) {
        memcpy(gfns, from, *nr_frames * sizeof(*gfns));
    }
    evtchn_event_unlock(d);
}
