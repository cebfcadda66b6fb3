/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_close and EVTCHNOP_reset. */

#include "model.h"

/* End @chn; the event lock(s) and its port lock are held. */
static void port_close(struct evtchn_domain *d, uint32_t port,
                       struct evtchn *chn)
{
    /* A later binding of this number must not start with our event. */
    evtchn_ops(chn->abi)->clear_pending(d, port, chn);
    evtchn_store(&chn->pending, 0);
    evtchn_store(&chn->state, EVTCHN_CLOSED);
    evtchn_store(&chn->vcpu, 0);
    chn->remote = NULL;
    chn->irq = 0;
    evtchn_release_port(d, port);
}

/* What @port was bound to is in @was alone by now; the event lock is held. */
static void tell_closed(struct evtchn_domain *d, uint32_t port,
                        const struct evtchn_port_info *was)
{
    struct evtchn_port_info info = { .abi = was->abi, .irq = was->irq };

    if (d->env->binding_changed) {
        d->env->binding_changed(d->opaque, port, was->state, &info);
    }
}

/*
 * Take the event locks that closing @chn needs: @d's and the peer's, if it has
 * one.  The peer is returned with a reference: without its lock it might go.
 */
static struct evtchn_domain *lock_with_peer(struct evtchn_domain *d,
                                            struct evtchn *chn)
{
    struct evtchn_domain *rd = NULL;

    for (;;) {
        struct evtchn_domain *now;

        if (rd) {
            evtchn_event_lock_two(d, rd);
        } else {
            evtchn_event_lock(d);
        }
        now = chn->state == EVTCHN_INTERDOMAIN ? chn->remote : NULL;
        if (now == rd) {
            return rd;
        }
        /* Bound to another domain since we looked: start again. */
        if (now) {
            evtchn_fetch_add(&now->refs, 1);
        }
        if (rd) {
            evtchn_event_unlock_two(d, rd);
            evtchn_domain_put(rd);
        } else {
            evtchn_event_unlock(d);
        }
        rd = now;
    }
}

static void close_interdomain(struct evtchn_domain *d, uint32_t port,
                              struct evtchn *chn)
{
    struct evtchn_domain *rd = chn->remote;
    uint32_t remote_port = chn->remote_port;
    struct evtchn *peer = evtchn_of_port(rd, remote_port);

    evtchn_port_lock_two(d, chn, peer);
    port_close(d, port, chn);
    evtchn_store(&peer->state, EVTCHN_UNBOUND);
    peer->remote = NULL;
    peer->remote_domid = d->domid;
    evtchn_port_unlock(chn);
    evtchn_port_unlock(peer);

    evtchn_binding_changed(rd, remote_port, peer, EVTCHN_INTERDOMAIN);
}

int evtchn_close(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    struct evtchn_port_info was;
    struct evtchn_domain *rd;
    int rc = 0;

    if (!chn) {
        return -XEN_EINVAL;
    }
    rd = lock_with_peer(d, chn);
    evtchn_describe(chn, &was);
    switch (chn->state) {
    case EVTCHN_CLOSED:
    case EVTCHN_RESERVED:
        rc = -XEN_EINVAL;
        goto out;
    case EVTCHN_INTERDOMAIN:
        close_interdomain(d, port, chn);
        goto closed;
    case EVTCHN_VIRQ:
        evtchn_store(evtchn_virq_slot(d, chn->vcpu, chn->irq), 0);
        break;
    case EVTCHN_PIRQ:
        evtchn_store(&d->pirq_port[chn->irq], 0);
        break;
    default:
        break;
    }
    evtchn_port_lock(d, chn);
    port_close(d, port, chn);
    evtchn_port_unlock(chn);

 closed:
    tell_closed(d, port, &was);
 out:
    if (rd) {
        evtchn_event_unlock_two(d, rd);
        evtchn_domain_put(rd);
    } else {
        evtchn_event_unlock(d);
    }
    return rc;
}

int evtchn_reset_some(struct evtchn_domain *d, bool resuming, uint32_t budget)
{
    uint32_t port;
    int rc = 0;

    evtchn_event_lock(d);
    /* One at a time, and only the one under way can be resumed. */
    if (resuming != !!d->next_reset) {
        evtchn_event_unlock(d);
        return -XEN_EBUSY;
    }
    port = resuming ? d->next_reset : 1;
    d->next_reset = port;
    evtchn_event_unlock(d);

    for (; port < evtchn_load(&d->valid_ports) &&
           evtchn_load(&d->active_ports); port++) {
        if (!budget--) {
            evtchn_event_lock(d);
            d->next_reset = port;
            evtchn_event_unlock(d);
            return -EVTCHN_ERESTART;
        }
        evtchn_close(d, port);
    }

    evtchn_event_lock(d);
    d->next_reset = 0;
    if (d->active_ports) {
        /* Somebody went on binding: no way to change the ABI (XSA-343). */
        rc = -XEN_EAGAIN;
    } else if (evtchn_abi_is_extended(d->abi)) {
        evtchn_back_to_2l(d);
        if (d->env->abi_change) {
            d->env->abi_change(d->opaque, EVTCHN_ABI_2L);
        }
    }
    evtchn_event_unlock(d);
    return rc;
}

int evtchn_reset(struct evtchn_domain *d)
{
    int rc = evtchn_reset_some(d, false, EVTCHN_RESET_BUDGET);

    while (rc == -EVTCHN_ERESTART) {
        rc = evtchn_reset_some(d, true, EVTCHN_RESET_BUDGET);
    }
    return rc;
}
