/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading what save.c has saved, on this machine or another.  The stream is not
 * trusted: a state that save.c cannot have written is refused.  The guest is
 * stopped, and no operation under way.
 */

#include "change_abi.h"
#include "fifo.h"

/* The ports that a domain of this ABI can have had, whatever its word size. */
static uint32_t highest_limit(const struct evtchn_domain *d)
{
    uint32_t limit = d->abi == EVTCHN_ABI_2L ? 64 * 64 : evtchn_port_limit(d);

    return limit < d->max_ports ? limit : d->max_ports;
}

static bool queue_valid(const struct evtchn_domain *d,
                        const struct evtchn_port_state *state)
{
    if (d->abi != EVTCHN_ABI_FIFO) {
        return !state->priority && !state->last_priority && !state->last_vcpu;
    }
    return state->priority < EVTCHN_NR_PRIORITIES &&
           state->last_priority < EVTCHN_NR_PRIORITIES &&
           state->last_vcpu < d->nr_vcpus;
}

static bool port_state_valid(struct evtchn_domain *d,
                             const struct evtchn_port_state *state)
{
    uint32_t number = state->remote_port;
    const uint32_t *slot;

    if (state->port == 0 || state->port >= highest_limit(d) ||
        state->vcpu >= d->nr_vcpus || !queue_valid(d, state) ||
        state->pending & ~(evtchn_abi_is_extended(d->abi)
                               ? EVTCHN_RETRY_RAISE | EVTCHN_RETRY_LINK
                               : EVTCHN_RETRY_RAISE)) {
        return false;
    }
    switch (state->state) {
    case EVTCHN_CLOSED:
        /* Saved only for the queue that the port was last put on. */
        return (state->last_vcpu || state->last_priority) && !state->pending &&
               !state->vcpu && !state->remote_domid && !number;
    case EVTCHN_UNBOUND:
        return !number;
    case EVTCHN_INTERDOMAIN:
        return state->remote_domid < DOMID_FIRST_RESERVED && number &&
               number < EVTCHN_MAX_PORTS;
    case EVTCHN_IPI:
        return !state->remote_domid && !number;
    case EVTCHN_VIRQ:
        slot = evtchn_virq_slot(d, state->vcpu, number);
        return !state->remote_domid && slot && !*slot;
    case EVTCHN_PIRQ:
        return !state->remote_domid && number < d->nr_pirqs &&
               !d->pirq_port[number];
    default:
        return false;
    }
}

/*
 * The peer of the port that is being loaded, if it has been loaded as an
 * unbound port for @d, or NULL.  Both event locks are held.
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
    return peer && evtchn_state(peer) == EVTCHN_UNBOUND &&
                   peer->remote_domid == d->domid ? peer : NULL;
}

/* Make @state->port, which is allocated and closed, what @state says. */
static void set_port_state(struct evtchn_domain *d,
                           const struct evtchn_port_state *state,
                           struct evtchn_domain *rd, struct evtchn *peer)
{
    struct evtchn *chn = evtchn_of_port(d, state->port);
    enum evtchn_state new_state = state->state;
    uint32_t binding;

    evtchn_store(&chn->lastq, evtchn_lastq(state->last_vcpu,
                                           state->last_priority));
    evtchn_store(&chn->retry, state->pending);
    evtchn_store(&chn->number, state->remote_port);
    switch (state->state) {
    case EVTCHN_INTERDOMAIN:
        if (peer) {
            evtchn_store(&chn->remote, rd);
            evtchn_store(&peer->remote, d);
            evtchn_store(&peer->remote_port, state->port);
            evtchn_store(&peer->binding,
                         evtchn_with_state(peer->binding, EVTCHN_INTERDOMAIN));
            break;
        }
        new_state = EVTCHN_UNBOUND;
        /* fall through */
    case EVTCHN_UNBOUND:
        evtchn_store(&chn->remote_domid, state->remote_domid);
        break;
    case EVTCHN_VIRQ:
        evtchn_store(evtchn_virq_slot(d, state->vcpu, chn->irq), state->port);
        break;
    case EVTCHN_PIRQ:
        evtchn_store(&d->pirq_port[chn->irq], state->port);
        break;
    default:
        break;
    }
    binding = evtchn_new_binding(d, state->port, new_state, state->vcpu);
    if (d->abi == EVTCHN_ABI_FIFO && new_state != EVTCHN_CLOSED) {
        binding = evtchn_with_queue(binding, state->priority);
    }
    evtchn_store(&chn->binding, binding);
}

int evtchn_load_port(struct evtchn_domain *d,
                     const struct evtchn_port_state *state)
{
    struct evtchn_domain *rd = NULL;
    struct evtchn *peer;
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
    peer = loaded_peer(d, state, rd);
    set_port_state(d, state, rd, peer);
    if (state->state == EVTCHN_CLOSED) {
        evtchn_release_port(d, state->port);
    } else {
        /* The memory that its event waits for may have been loaded before. */
        evtchn_retry(d, state->port, state->port + 1);
        evtchn_binding_changed(d, state->port, EVTCHN_CLOSED);
    }
    if (peer) {
        evtchn_binding_changed(rd, state->remote_port, EVTCHN_UNBOUND);
    }

 out:
    evtchn_event_unlock_two(d, rd ? rd : d);
    if (rd) {
        evtchn_domain_put(d, rd);
    }
    return rc;
}

static bool vcpu_state_valid(const struct evtchn_domain *d,
                             const struct evtchn_vcpu_state *state)
{
    uint32_t words = d->abi == EVTCHN_ABI_FIFO
                         ? d->fifo->nr_frames * WORDS_PER_FRAME : 0;
    unsigned int i;

    for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
        /* A sender reads the tail's word, so its frame must be there. */
        if (state->tail[i] && state->tail[i] >= words) {
            return false;
        }
    }
    return state->gfn != EVTCHN_INVALID_GFN || !state->offset;
}

static int load_vcpu(struct evtchn_domain *d, struct evtchn_vcpu *v,
                     const struct evtchn_vcpu_state *state)
{
    void *frame;
    unsigned int i;

    if (!vcpu_state_valid(d, state)) {
        return -XEN_EINVAL;
    }
    for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
        evtchn_store(&v->queue[i].tail, state->tail[i]);
    }
    if (state->gfn == EVTCHN_INVALID_GFN) {
        return 0;
    }
    frame = evtchn_map_vcpu_frame(d, v, evtchn_abis[d->abi], state->gfn,
                                  state->offset);
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
    if (abi_is_offered(d, abi) && !evtchn_abi_is_extended(d->abi) &&
        !d->active_ports && nr_frames <= EVTCHN_MAX_FRAMES) {
        rc = evtchn_abis[abi]->load(d, gfns, nr_frames);
    }
    if (!rc) {
        for (i = 0; !rc && i < d->nr_vcpus; i++) {
            rc = load_vcpu(d, &d->vcpus[i], &vcpus[i]);
        }
        if (rc) {
            evtchn_back_to_2l(d);
        }
    }
    evtchn_event_unlock(d);
    return rc;
}
