/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_send, EVTCHNOP_unmask, EVTCHNOP_set_priority, and events that come
 * from a VIRQ, a PIRQ or a monitor.  One port's lock each, no domain's.
 */

#include "model.h"

static void set_pending(struct evtchn_domain *d, uint32_t port,
                        struct evtchn *chn)
{
    evtchn_ops(evtchn_load(&chn->abi))->set_pending(d, port, chn);
}

int evtchn_send(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    int rc = 0;

    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_port_lock(d, chn);
    switch (chn->state) {
    case EVTCHN_INTERDOMAIN:
        /* Our end's lock keeps the other end bound, and its domain there. */
        set_pending(chn->remote, chn->remote_port,
                    evtchn_of_port(chn->remote, chn->remote_port));
        break;
    case EVTCHN_IPI:
        set_pending(d, port, chn);
        break;
    case EVTCHN_UNBOUND:
        /* Who binds to it gets an event then. */
        break;
    default:
        rc = -XEN_EINVAL;
        break;
    }
    evtchn_port_unlock(chn);
    return rc;
}

int evtchn_unmask(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);

    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_port_lock(d, chn);
    if (evtchn_is_bound(chn->state)) {
        evtchn_ops(chn->abi)->unmask(d, port, chn);
    }
    evtchn_port_unlock(chn);
    return 0;
}

int evtchn_set_priority(struct evtchn_domain *d, uint32_t port,
                        uint32_t priority)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    const struct evtchn_port_ops *ops;
    int rc;

    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_port_lock(d, chn);
    ops = evtchn_ops(chn->abi);
    if (!ops->set_priority) {
        rc = -XEN_ENOSYS;
    } else if (!evtchn_is_bound(chn->state)) {
        rc = -XEN_EACCES;
    } else {
        rc = ops->set_priority(chn, priority);
    }
    evtchn_port_unlock(chn);
    return rc;
}

int evtchn_raise_port(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    int rc = -XEN_EINVAL;

    if (!chn) {
        return rc;
    }
    evtchn_port_lock(d, chn);
    if (evtchn_is_bound(chn->state)) {
        set_pending(d, port, chn);
        rc = 0;
    }
    evtchn_port_unlock(chn);
    return rc;
}

/*
 * Raise the port that @slot names if it is still what the slot says: it may be
 * closed, and bound to something else, before we have its lock.
 */
static void raise_irq(struct evtchn_domain *d, const uint32_t *slot,
                      enum evtchn_state state, uint32_t irq)
{
    uint32_t port = evtchn_load(slot);
    struct evtchn *chn;

    if (!port) {
        return;
    }
    chn = evtchn_of_port(d, port);
    evtchn_port_lock(d, chn);
    if (chn->state == state && chn->irq == irq && evtchn_load(slot) == port) {
        set_pending(d, port, chn);
    }
    evtchn_port_unlock(chn);
}

void evtchn_raise_virq(struct evtchn_domain *d, uint32_t vcpu, uint32_t virq)
{
    uint32_t *slot = evtchn_virq_slot(d, vcpu, virq);

    if (slot) {
        raise_irq(d, slot, EVTCHN_VIRQ, virq);
    }
}

void evtchn_raise_pirq(struct evtchn_domain *d, uint32_t pirq)
{
    if (pirq < d->nr_pirqs) {
        raise_irq(d, &d->pirq_port[pirq], EVTCHN_PIRQ, pirq);
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

void evtchn_retry_pending(struct evtchn_domain *d, uint32_t port,
                          struct evtchn *chn)
{
    uint8_t retry;

    if (likely(!evtchn_load(&chn->pending))) {
        return;
    }
    /* Others may retry it too: each part is done by who takes it. */
    retry = evtchn_exchange(&chn->pending, 0);
    if (retry & EVTCHN_RETRY_RAISE) {
        set_pending(d, port, chn);
    }
    if (retry & EVTCHN_RETRY_LINK) {
        evtchn_ops(evtchn_load(&chn->abi))->link(d, port, chn);
    }
}

void evtchn_retry_all_pending(struct evtchn_domain *d, uint32_t first,
                              uint32_t end)
{
    uint32_t port;

    for (port = first; port < end && port < d->valid_ports; port++) {
        struct evtchn *chn = evtchn_of_port(d, port);

        evtchn_port_lock(d, chn);
        if (evtchn_is_bound(chn->state)) {
            evtchn_retry_pending(d, port, chn);
        }
        evtchn_port_unlock(chn);
    }
}
