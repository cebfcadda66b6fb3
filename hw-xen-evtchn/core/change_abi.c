/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switching from 2-level to FIFO or 3-level, and back by a reset: what the two
 * have in common.
 */

#include "change_abi.h"

const struct evtchn_abi_ops *const evtchn_abis[] = {
    [EVTCHN_ABI_HOST] = &evtchn_abi_host,
    [EVTCHN_ABI_2L] = &evtchn_abi_2l,
    [EVTCHN_ABI_FIFO] = &evtchn_abi_fifo,
#ifndef EVTCHN_NO_3LEVEL
    [EVTCHN_ABI_3L] = &evtchn_abi_3l,
#else
    [EVTCHN_ABI_3L] = NULL,
#endif
};

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
 * With the queue locked no sender raises @port meanwhile, so an event is either
 * in the 2-level bit, which is looked at here, or a sender will raise it in the
 * new ABI.
 */
static void hand_over_port(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_of_port(d, port);
    struct evtchn_locked locked;
    enum evtchn_state state;

    evtchn_port_lock(d, chn, &locked);
    state = binding_state(locked.binding);
    if (evtchn_is_bound(state)) {
        evtchn_abis[d->abi]->adopt(d, port, chn);
    }
    evtchn_port_change(&locked,
                       evtchn_new_binding(d, port, state,
                                          binding_vcpu(locked.binding)));
    evtchn_port_unlock(&locked);
}

void evtchn_hand_over(struct evtchn_domain *d)
{
    uint32_t port;

    for (port = 0; port < d->valid_ports; port++) {
        hand_over_port(d, port);
    }
}

void *evtchn_map_vcpu_frame(struct evtchn_domain *d, struct evtchn_vcpu *v,
                            const struct evtchn_abi_ops *ops, uint64_t gfn,
                            uint32_t offset)
{
    uint32_t size = ops->registered_size(d);

    /* Once, until a reset: senders rely on the address (XSA-188). */
    if (v->frame || offset > EVTCHN_FRAME_SIZE - size || offset % 8) {
        return NULL;
    }
    return d->env->map_frame(d->opaque, gfn);
}

void evtchn_set_vcpu_frame(struct evtchn_domain *d, struct evtchn_vcpu *v,
                           void *frame, uint64_t gfn, uint32_t offset)
{
    v->frame = frame;
    v->gfn = frame ? gfn : EVTCHN_INVALID_GFN;
    evtchn_store(&v->registered, frame ? (char *)frame + offset : NULL);
    evtchn_quiesce_vcpu(d, v);
}

static void forget_vcpu_frame(struct evtchn_domain *d, struct evtchn_vcpu *v)
{
    void *frame = v->frame;
    uint64_t gfn = v->gfn;
    unsigned int i;

    evtchn_set_vcpu_frame(d, v, NULL, 0, 0);
    for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
        evtchn_queue_lock(d->env, &v->queue[i]);
        evtchn_queue_unlock(&v->queue[i], 0);
    }
    if (frame) {
        d->env->unmap_frame(d->opaque, gfn, frame);
    }
}

void evtchn_back_to_2l(struct evtchn_domain *d)
{
    const struct evtchn_abi_ops *from = evtchn_abis[d->abi];
    uint32_t port, i;

    /* No port is bound, so no delivery is under way: each was closed locked. */
    evtchn_store(&d->abi, EVTCHN_ABI_2L);
    for (port = 0; port < d->valid_ports; port++) {
        struct evtchn *chn = evtchn_of_port(d, port);
        struct evtchn_locked locked;

        evtchn_port_lock(d, chn, &locked);
        evtchn_store(&chn->lastq, 0);
        evtchn_store(&chn->retry, 0);
        evtchn_port_change(&locked,
                           evtchn_new_binding(d, port,
                                              binding_state(locked.binding),
                                              0));
        evtchn_port_unlock(&locked);
    }
    for (i = 0; i < d->nr_vcpus; i++) {
        forget_vcpu_frame(d, &d->vcpus[i]);
    }
    from->leave(d);
    /* Ports that were still linked in FIFO are free now. */
    evtchn_unpark_all(d);
    if (d->env->abi_change && !d->dying) {
        d->env->abi_change(d->opaque, EVTCHN_ABI_2L);
    }
}

uint64_t evtchn_extended_abis(const struct evtchn_domain *d)
{
    return (d->three_level_offered ? EVTCHN_EXTENDED_ABI_3LEVEL : 0) |
           (d->fifo_offered ? EVTCHN_EXTENDED_ABI_FIFO : 0);
}
