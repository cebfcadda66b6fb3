/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inspection of a port, and its saving and loading. */

#include "model.h"

void evtchn_describe(const struct evtchn *chn, struct evtchn_port_info *info)
{
    memset(info, 0, sizeof(*info));
    info->state = chn->state;
    info->abi = chn->abi;
    info->vcpu = evtchn_load(&chn->vcpu);
    info->priority = evtchn_load(&chn->priority);
    switch (chn->state) {
    case EVTCHN_UNBOUND:
        info->remote_domid = chn->remote_domid;
        break;
    case EVTCHN_INTERDOMAIN:
        info->remote_domid = chn->remote->domid;
        info->remote_port = chn->remote_port;
        break;
    case EVTCHN_PIRQ:
    case EVTCHN_VIRQ:
        info->irq = chn->irq;
        break;
    default:
        break;
    }
}

int evtchn_port_info(struct evtchn_domain *d, uint32_t port,
                     struct evtchn_port_info *info)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    const struct evtchn_port_ops *ops;

    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_port_lock(d, chn);
    evtchn_describe(chn, info);
    ops = evtchn_ops(chn->abi);
    if (evtchn_is_bound(chn->state)) {
        info->pending = ops->is_pending(d, port, chn);
        info->masked = ops->is_masked(d, port, chn);
    }
    if (ops->inspect) {
        ops->inspect(d, port, chn, info);
    }
    evtchn_port_unlock(chn);
    return 0;
}

int evtchn_save_port(struct evtchn_domain *d, uint32_t port,
                     struct evtchn_port_state *state)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    struct evtchn_port_info info;

    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_port_lock(d, chn);
    evtchn_describe(chn, &info);
    *state = (struct evtchn_port_state) {
        .port = port,
        .state = info.state,
        .priority = info.priority,
        .last_priority = evtchn_lastq_priority(chn->lastq),
        .last_vcpu = evtchn_lastq_vcpu(chn->lastq),
        .pending = chn->pending,
        .vcpu = info.vcpu,
        .remote_domid = info.remote_domid,
        .remote_port = info.state == EVTCHN_INTERDOMAIN ? info.remote_port
                                                        : info.irq,
    };
    evtchn_port_unlock(chn);
    /* A closed port may still be the tail of the queue it was last on. */
    return evtchn_is_bound(state->state) || state->last_vcpu ||
                   state->last_priority
               ? 0 : -XEN_ENOENT;
}

static bool port_state_valid(struct evtchn_domain *d,
                             const struct evtchn_port_state *state)
{
    const uint32_t *slot;

    if (state->port == 0 || state->port >= d->max_ports ||
        state->vcpu >= d->nr_vcpus || state->last_vcpu >= d->nr_vcpus ||
        state->priority >= EVTCHN_NR_PRIORITIES ||
        state->last_priority >= EVTCHN_NR_PRIORITIES ||
        state->pending > EVTCHN_RETRY_MASK(d->abi)) {
        return false;
    }
    switch (state->state) {
    case EVTCHN_CLOSED:
    case EVTCHN_UNBOUND:
    case EVTCHN_INTERDOMAIN:
    case EVTCHN_IPI:
        return true;
    case EVTCHN_VIRQ:
        slot = evtchn_virq_slot(d, state->vcpu, state->remote_port);
        return slot && !*slot;
    case EVTCHN_PIRQ:
        return state->remote_port < d->nr_pirqs &&
               !d->pirq_port[state->remote_port];
    default:
        return false;
    }
}

/*
 * The port at the other end of what is being loaded, if that is there and
 * waits for us; both event locks are held.
 */
static struct evtchn *loaded_peer(struct evtchn_domain *d,
                                  const struct evtchn_port_state *state,
                                  struct evtchn_domain *rd)
{
    struct evtchn *peer;

    if (state->state != EVTCHN_INTERDOMAIN || !rd ||
        (rd == d && state->remote_port == state->port)) {
        return NULL;
    }
    peer = evtchn_from_port(rd, state->remote_port);
    return peer && peer->state == EVTCHN_UNBOUND &&
                   peer->remote_domid == d->domid ? peer : NULL;
}

/* What @chn, fresh and closed, is to be; no lock is missing. */
static void set_port_state(struct evtchn_domain *d, struct evtchn *chn,
                           const struct evtchn_port_state *state,
                           struct evtchn_domain *rd, struct evtchn *peer)
{
    enum evtchn_state new_state = state->state;

    evtchn_store(&chn->abi, d->abi);
    evtchn_store(&chn->vcpu, state->vcpu);
    evtchn_store(&chn->priority, state->priority);
    evtchn_store(&chn->lastq, evtchn_lastq(state->last_vcpu,
                                           state->last_priority));
    evtchn_store(&chn->pending, state->pending);
    switch (state->state) {
    case EVTCHN_INTERDOMAIN:
        if (peer) {
            chn->remote = rd;
            chn->remote_port = state->remote_port;
            peer->remote = d;
            peer->remote_port = state->port;
            evtchn_store(&peer->state, EVTCHN_INTERDOMAIN);
            break;
        }
        new_state = EVTCHN_UNBOUND;
        chn->remote_domid = state->remote_domid;
        break;
    case EVTCHN_UNBOUND:
        chn->remote_domid = state->remote_domid;
        break;
    case EVTCHN_VIRQ:
        chn->irq = state->remote_port;
        evtchn_store(evtchn_virq_slot(d, state->vcpu, chn->irq), state->port);
        break;
    case EVTCHN_PIRQ:
        chn->irq = state->remote_port;
        evtchn_store(&d->pirq_port[chn->irq], state->port);
        break;
    default:
        break;
    }
    evtchn_store(&chn->state, new_state);
}

int evtchn_load_port(struct evtchn_domain *d,
                     const struct evtchn_port_state *state)
{
    struct evtchn_domain *rd = NULL;
    struct evtchn *chn, *peer;
    int rc;

    if (state->state == EVTCHN_INTERDOMAIN) {
        rd = evtchn_domain_get(d, state->remote_domid);
    }
    evtchn_event_lock_two(d, rd ? rd : d);
    rc = port_state_valid(d, state) ? 0 : -XEN_EINVAL;
    if (!rc) {
        rc = evtchn_allocate_given_port(d, state->port);
    }
    if (rc) {
        rc = rc == -XEN_ENOMEM ? rc : -XEN_EINVAL;
        goto out;
    }
    chn = evtchn_of_port(d, state->port);
    peer = loaded_peer(d, state, rd);
    if (peer) {
        evtchn_port_lock_two(d, chn, peer);
    } else {
        evtchn_port_lock(d, chn);
    }
    set_port_state(d, chn, state, rd, peer);
    if (evtchn_is_bound(chn->state)) {
        /* What it waited for may be here already. */
        evtchn_retry_pending(d, state->port, chn);
    }
    evtchn_port_unlock(chn);
    if (peer) {
        evtchn_port_unlock(peer);
    }
    if (state->state == EVTCHN_CLOSED) {
        evtchn_release_port(d, state->port);
    } else {
        evtchn_binding_changed(d, state->port, chn, EVTCHN_CLOSED);
    }
    if (peer) {
        evtchn_binding_changed(rd, state->remote_port, peer, EVTCHN_UNBOUND);
    }

 out:
    evtchn_event_unlock_two(d, rd ? rd : d);
    if (rd) {
        evtchn_domain_put(rd);
    }
    return rc;
}
