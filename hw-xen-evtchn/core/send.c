/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_send, EVTCHNOP_unmask, and events that a VIRQ, a PIRQ or a monitor
 * raises.  None takes a domain's lock.
 *
 * Each reads a port without a lock, locks the queue that the port's binding
 * names, and reads the port again.  If the port has changed in between, it
 * starts over without a pause: each further round means that a binder has
 * completed a change of the port, or that the lane was locked and is free now.
 */

#include "delivery.h"

/*
 * Raise the port at the other end; false when that has just changed.  The
 * sender's own end is read by two loads, which a binder may change in between,
 * so the peer must say that its other end is this one.
 */
static inline bool send_to_peer(struct evtchn_domain *d, uint32_t port,
                                struct evtchn *chn)
{
    struct evtchn_domain *rd = evtchn_load(&chn->remote);
    uint32_t remote_port = evtchn_load(&chn->remote_port);
    struct evtchn *peer = rd ? evtchn_from_port(rd, remote_port) : NULL;
    struct evtchn_seen seen = { .remote = d, .number = port };

    if (likely(peer)) {
        seen.binding = evtchn_load(&peer->binding);
        if (likely(binding_state(seen.binding) == EVTCHN_INTERDOMAIN)) {
            return evtchn_raise(rd, remote_port, peer, seen, EVTCHN_NEW_EVENT);
        }
    }
    /*
     * The channel is just being closed, or its other end bound, by an operation
     * that has not returned yet: drop the event, as for an unbound port.
     */
    return true;
}

int evtchn_send(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    struct evtchn_seen seen = { 0 };
    bool done;

    if (unlikely(!chn)) {
        return -XEN_EINVAL;
    }
    do {
        seen.binding = evtchn_load(&chn->binding);
        switch (binding_state(seen.binding)) {
        case EVTCHN_INTERDOMAIN:
            done = send_to_peer(d, port, chn);
            break;
        case EVTCHN_IPI:
            done = evtchn_raise(d, port, chn, seen, EVTCHN_NEW_EVENT);
            break;
        case EVTCHN_UNBOUND:
            /* bind_interdomain raises the binder's new end instead. */
            return 0;
        default:
            return -XEN_EINVAL;
        }
    } while (unlikely(!done));
    return 0;
}

/* Raise an unbound port, whose BINDING_HELD is set meanwhile. */
static bool raise_unbound(struct evtchn_domain *d, uint32_t port,
                          struct evtchn *chn, enum evtchn_why why)
{
    struct evtchn_locked locked;
    bool held;

    evtchn_port_lock(d, chn, &locked);
    held = locked.held;
    while (held && !evtchn_raise(d, port, chn, evtchn_look(chn), why)) {
        /* The queue was locked, or the port's lastq has changed. */
    }
    evtchn_port_unlock(&locked);
    return held;
}

bool evtchn_raise_bound(struct evtchn_domain *d, uint32_t port,
                        struct evtchn *chn, enum evtchn_why why)
{
    for (;;) {
        struct evtchn_seen seen = evtchn_look(chn);

        if (!evtchn_is_bound(binding_state(seen.binding))) {
            return false;
        }
        if (binding_state(seen.binding) == EVTCHN_UNBOUND
                ? raise_unbound(d, port, chn, why)
                : evtchn_raise(d, port, chn, seen, why)) {
            return true;
        }
    }
}

int evtchn_unmask(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);

    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_raise_bound(d, port, chn, EVTCHN_UNMASK);
    return 0;
}

int evtchn_raise_port(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);

    return chn && evtchn_raise_bound(d, port, chn, EVTCHN_NEW_EVENT)
               ? 0 : -XEN_EINVAL;
}

void evtchn_retry(struct evtchn_domain *d, uint32_t first, uint32_t end)
{
    uint32_t port;

    for (port = first; port < end && port < d->valid_ports; port++) {
        struct evtchn *chn = evtchn_of_port(d, port);

        if (evtchn_load(&chn->retry)) {
            evtchn_raise_bound(d, port, chn, EVTCHN_RETRY);
        }
    }
}

void evtchn_raise_virq(struct evtchn_domain *d, uint32_t vcpu, uint32_t virq)
{
    uint32_t *slot = evtchn_virq_slot(d, vcpu, virq);
    struct evtchn_seen seen = { .number = virq };
    struct evtchn *chn;
    uint32_t port;

    while (slot && (port = evtchn_load(slot))) {
        chn = evtchn_of_port(d, port);
        seen.binding = evtchn_load(&chn->binding);
        /* The port may have been closed since, and bound to something else. */
        if (binding_state(seen.binding) == EVTCHN_VIRQ &&
            (evtchn_virq_is_global(virq) ||
             binding_vcpu(seen.binding) == vcpu) &&
            likely(evtchn_raise(d, port, chn, seen, EVTCHN_NEW_EVENT))) {
            return;
        }
    }
}

void evtchn_raise_pirq(struct evtchn_domain *d, uint32_t pirq)
{
    struct evtchn_seen seen = { .number = pirq };
    struct evtchn *chn;
    uint32_t port;

    while ((port = evtchn_pirq_port(d, pirq))) {
        chn = evtchn_of_port(d, port);
        seen.binding = evtchn_load(&chn->binding);
        if (binding_state(seen.binding) == EVTCHN_PIRQ &&
            likely(evtchn_raise(d, port, chn, seen, EVTCHN_NEW_EVENT))) {
            return;
        }
    }
}

uint32_t evtchn_virq_port(struct evtchn_domain *d, uint32_t vcpu, uint32_t virq)
{
    uint32_t *slot = evtchn_virq_slot(d, vcpu, virq);

    return slot ? evtchn_load(slot) : 0;
}

uint32_t evtchn_pirq_port(struct evtchn_domain *d, uint32_t pirq)
{
    return pirq < d->nr_pirqs ? evtchn_load(&d->pirq_port[pirq]) : 0;
}
