/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_poll's half of event channels: vCPUs that sleep until one of some
 * ports becomes pending, masked or not.
 *
 * A vCPU sets its bit in d->polling, then looks at the ports; a sender sets
 * PENDING, then looks for bits.  So at least one of the two sees the other, and
 * the thread that clears the bit ends the poll.
 */

#include "delivery.h"

/* Clear @vcpu's bit; true if this call has done so, and thus ends the poll. */
static bool unregister(struct evtchn_domain *d, uint32_t vcpu)
{
    uint64_t bit = UINT64_C(1) << vcpu % 64;

    return evtchn_fetch_and(&d->polling[vcpu / 64], ~bit) & bit;
}

void evtchn_poll_cancel(struct evtchn_domain *d, uint32_t vcpu)
{
    if (evtchn_vcpu_polls(d, vcpu)) {
        unregister(d, vcpu);
    }
}

bool evtchn_vcpu_polls(struct evtchn_domain *d, uint32_t vcpu)
{
    return vcpu < d->nr_vcpus &&
           evtchn_load(&d->polling[vcpu / 64]) >> vcpu % 64 & 1;
}

/* 1 pending, 0 not, -EINVAL not bound. */
static int port_poll(struct evtchn_domain *d, uint32_t port)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    struct evtchn_locked locked;
    int rc = -XEN_EINVAL;

    if (!chn) {
        return rc;
    }
    evtchn_port_lock(d, chn, &locked);
    if (evtchn_is_bound(binding_state(locked.binding))) {
        rc = evtchn_ops(locked.binding)->is_pending(d, port);
    }
    evtchn_port_unlock(&locked);
    return rc;
}

int evtchn_poll(struct evtchn_domain *d, uint32_t vcpu, const uint32_t *ports,
                uint32_t nr_ports)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);
    uint32_t i;

    if (!v) {
        return -XEN_EINVAL;
    }
    if (!evtchn_load(&d->was_polled)) {
        evtchn_store(&d->was_polled, true);
    }
    evtchn_store(&v->poll_port, nr_ports == 1 ? ports[0] : 0);
    evtchn_fetch_or(&d->polling[vcpu / 64], UINT64_C(1) << vcpu % 64);
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

    for (i = 0; i < d->nr_vcpus; i += 64) {
        uint64_t polling = evtchn_load(&d->polling[i / 64]);

        for (; polling; polling &= polling - 1) {
            uint32_t vcpu = i + __builtin_ctzll(polling);
            uint32_t wanted = evtchn_load(&d->vcpus[vcpu].poll_port);

            if ((!wanted || wanted == port) && unregister(d, vcpu)) {
                d->env->wake_poller(d->opaque, vcpu);
            }
        }
    }
}
