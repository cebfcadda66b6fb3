/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of a host domain: an event is a call to env->notify(), and the back end
 * has to remember it.
 */

#include "delivery.h"

static bool raise_host(struct evtchn_domain *d, uint32_t port,
                       struct evtchn *chn, struct evtchn_seen seen,
                       enum evtchn_why why)
{
    struct evtchn_queue *q = evtchn_queue(d, seen.binding);
    uint32_t tail = evtchn_queue_lock(d->env, q);
    bool ok = evtchn_is_still(chn, seen);

    if (ok && why == EVTCHN_NEW_EVENT) {
        d->env->notify(d->opaque, port);
    }
    evtchn_queue_unlock(q, tail);
    return ok;
}

static void clear_pending_host(struct evtchn_domain *d, uint32_t port)
{
    (void)d, (void)port;
}

static bool never_host(struct evtchn_domain *d, uint32_t port)
{
    (void)d, (void)port;
    return false;
}

static uint32_t port_limit_host(const struct evtchn_domain *d)
{
    (void)d;
    return EVTCHN_MAX_PORTS;
}

static bool has_event_host(struct evtchn_domain *d, struct evtchn_vcpu *v)
{
    (void)d, (void)v;
    return false;
}

const struct evtchn_abi_ops evtchn_abi_host = {
    .raise         = raise_host,
    .clear_pending = clear_pending_host,
    .is_pending    = never_host,
    .is_masked     = never_host,
    .port_limit    = port_limit_host,
    .has_event     = has_event_host,
};
