/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of a host domain: an event is a call to env->notify(), and the host
 * remembers it.
 */

#include "model.h"

static void set_pending_host(struct evtchn_domain *d, uint32_t port,
                             struct evtchn *chn)
{
    (void)chn;
    d->env->notify(d->opaque, port);
}

static void nothing_host(struct evtchn_domain *d, uint32_t port,
                         struct evtchn *chn)
{
    (void)d, (void)port, (void)chn;
}

static bool never_host(struct evtchn_domain *d, uint32_t port,
                       struct evtchn *chn)
{
    (void)d, (void)port, (void)chn;
    return false;
}

const struct evtchn_port_ops evtchn_ops_host = {
    .set_pending   = set_pending_host,
    .clear_pending = nothing_host,
    .unmask        = nothing_host,
    .is_pending    = never_host,
    .is_masked     = never_host,
};
