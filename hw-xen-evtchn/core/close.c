/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_close. */

#include "delivery.h"

/*
 * What is left to do once the binding of @port says that it is closed.
 * chn->irq stays as it was, for env->binding_changed().
 */
static void forget_event(struct evtchn_domain *d, uint32_t port,
                         struct evtchn *chn)
{
    /* A later binding of this number must not start with an old event. */
    evtchn_abis[d->abi]->clear_pending(d, port);
    evtchn_store(&chn->retry, 0);
    evtchn_store(&chn->remote, NULL);
}

/* Close @port, which is locked; its number stays taken. */
static void port_close(struct evtchn_domain *d, uint32_t port,
                       struct evtchn_locked *locked)
{
    evtchn_port_change(locked, evtchn_new_binding(d, port, EVTCHN_CLOSED, 0));
    forget_event(d, port, locked->chn);
}

/*
 * Close @port, if it is unbound and no sender holds it, by one step instead of
 * those of a lock.  A sender that has seen it unbound finds it closed when it
 * tries to hold it.
 */
static bool port_close_unbound(struct evtchn_domain *d, uint32_t port,
                               struct evtchn *chn, uint32_t binding)
{
    uint32_t *lock = &chn->binding;

    if (binding_state(binding) != EVTCHN_UNBOUND || binding & BINDING_HELD ||
        !evtchn_cmpxchg(lock, &binding,
                        evtchn_new_binding(d, port, EVTCHN_CLOSED, 0))) {
        return false;
    }
    forget_event(d, port, chn);
    return true;
}

/*
 * Take the event locks that closing @chn needs: @d's and, if @chn has a peer,
 * that of the peer's domain.  Returns that domain, with a reference, so that it
 * is not freed before its lock is taken and after that is released.
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
        now = evtchn_state(chn) == EVTCHN_INTERDOMAIN ? chn->remote : NULL;
        if (now == rd) {
            return rd;
        }
        /* The port was bound to another domain meanwhile: start again. */
        if (now) {
            evtchn_domain_hold(d, now);
        }
        if (rd) {
            evtchn_event_unlock_two(d, rd);
            evtchn_domain_put(d, rd);
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
    struct evtchn_locked_pair pair;

    evtchn_pair_lock(d, chn, rd, peer, &pair);
    port_close(d, port, &pair.end[0]);
    /* The binding last: an unbound port's other members are read without us. */
    evtchn_store(&peer->remote, NULL);
    evtchn_store(&peer->remote_domid, d->domid);
    evtchn_port_change(&pair.end[1], evtchn_with_state(pair.end[1].binding,
                                                       EVTCHN_UNBOUND));
    evtchn_pair_unlock(&pair);

    evtchn_binding_changed(rd, remote_port, EVTCHN_INTERDOMAIN);
}

int evtchn_close(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    struct evtchn_locked locked;
    enum evtchn_state state;
    struct evtchn_domain *rd;
    uint32_t binding;

    if (!chn) {
        return -XEN_EINVAL;
    }
    rd = lock_with_peer(d, chn);
    binding = evtchn_load(&chn->binding);
    state = binding_state(binding);
    if (state == EVTCHN_VIRQ) {
        evtchn_store(evtchn_virq_slot(d, binding_vcpu(binding), chn->irq), 0);
    } else if (state == EVTCHN_PIRQ) {
        evtchn_store(&d->pirq_port[chn->irq], 0);
    }
    if (state == EVTCHN_INTERDOMAIN) {
        close_interdomain(d, port, chn);
    } else if (evtchn_is_bound(state) &&
               !port_close_unbound(d, port, chn, binding)) {
        evtchn_port_lock(d, chn, &locked);
        port_close(d, port, &locked);
        evtchn_port_unlock(&locked);
    }
    if (evtchn_is_bound(state)) {
        evtchn_release_port(d, port);
        evtchn_binding_changed(d, port, state);
    }
    if (rd) {
        evtchn_event_unlock_two(d, rd);
        evtchn_domain_put(d, rd);
    } else {
        evtchn_event_unlock(d);
    }
    return evtchn_is_bound(state) ? 0 : -XEN_EINVAL;
}
