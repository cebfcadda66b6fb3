/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_poll's half of event channels: vCPUs that sleep until one of some
 * ports becomes pending, masked or not.
 *
 * A poller registers, then looks at the ports; who raises an event sets
 * PENDING, then looks for pollers.  So one of the two sees the other.
 */

#include "model.h"

/* True when @v was registered as @poll, and is not any more. */
static bool unregister(struct evtchn_domain *d, struct evtchn_vcpu *v,
                       uint32_t poll)
{
    if (poll == POLL_NONE || !evtchn_cmpxchg(&v->poll, &poll, POLL_NONE)) {
        return false;
    }
    evtchn_fetch_add(&d->nr_pollers, -1);
    return true;
}

void evtchn_poll_cancel(struct evtchn_domain *d, uint32_t vcpu)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);

    if (v) {
        unregister(d, v, evtchn_load(&v->poll));
    }
}

bool evtchn_vcpu_polls(struct evtchn_domain *d, uint32_t vcpu)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);

    return v && evtchn_load(&v->poll) != POLL_NONE;
}

/* 1 pending, 0 not, -EINVAL not bound. */
static int port_poll(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    int rc = -XEN_EINVAL;

    if (!chn) {
        return rc;
    }
    evtchn_port_lock(d, chn);
    if (evtchn_is_bound(chn->state)) {
        rc = evtchn_ops(chn->abi)->is_pending(d, port, chn);
    }
    evtchn_port_unlock(chn);
    return rc;
}

int evtchn_poll(struct evtchn_domain *d, uint32_t vcpu, const uint32_t *ports,
                uint32_t nr_ports)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);
    uint32_t poll = nr_ports == 1 && ports[0] ? ports[0] : POLL_ANY;
    uint32_t i;

    if (!v) {
        return -XEN_EINVAL;
    }
    /* Counted first: whoever sees the vCPU registered can count it out. */
    evtchn_fetch_add(&d->nr_pollers, 1);
    if (evtchn_exchange(&v->poll, poll) != POLL_NONE) {
        evtchn_fetch_add(&d->nr_pollers, -1);
    }
    for (i = 0; i < nr_ports; i++) {
        int rc = port_poll(d, ports[i]);

        if (rc) {
            evtchn_poll_cancel(d, vcpu);
            return rc;
        }
    }
    return 0;
}

void evtchn_wake_pollers(struct evtchn_domain *d, uint32_t port)
{
    uint32_t i;

    for (i = 0; i < d->nr_vcpus; i++) {
        struct evtchn_vcpu *v = &d->vcpus[i];
        uint32_t poll = evtchn_load(&v->poll);

        if ((poll == POLL_ANY || poll == port) && unregister(d, v, poll)) {
            d->env->wake_poller(d->opaque, i);
        }
    }
}
