/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses in the guest's memory: shared_info, vcpu_info, and the mode that
 * decides their layout.  Each function stores the new one, waits for senders
 * that may not have seen it, and raises events that were set aside.
 */

#include "delivery.h"

void evtchn_domain_set_long_mode(struct evtchn_domain *d, bool long_mode)
{
    evtchn_event_lock(d);
    evtchn_store(&d->word_bits, long_mode ? 64 : 32);
    evtchn_quiesce(d);
    /* Ports without bits before may have some now. */
    evtchn_retry(d, 1, d->valid_ports);
    evtchn_event_unlock(d);
}

void evtchn_domain_set_shared_info(struct evtchn_domain *d, void *shared_info)
{
    evtchn_event_lock(d);
    evtchn_store(&d->shared_info, shared_info);
    evtchn_quiesce(d);
    if (shared_info) {
        evtchn_retry(d, 1, d->valid_ports);
    }
    evtchn_event_unlock(d);
}

/* Set all of evtchn_pending_sel; a 32-bit guest's is aligned to 4 bytes. */
static void select_all(struct evtchn_domain *d, uint32_t *vcpu_info)
{
    uint32_t words = evtchn_load(&d->word_bits) / 32;
    uint32_t i;

    for (i = words; i < 2 * words; i++) {
        evtchn_store(&vcpu_info[i], UINT32_MAX);
    }
}

int evtchn_vcpu_set_info(struct evtchn_domain *d, uint32_t vcpu,
                         void *vcpu_info, bool mark_all)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);

    if (!v) {
        return -XEN_ENOENT;
    }
    evtchn_event_lock(d);
    evtchn_store(&v->info, vcpu_info);
    evtchn_quiesce_vcpu(d, v);
    /*
     * From here on senders mark events in the new one.  For those before, mark
     * everything if any is pending.
     */
    if (vcpu_info && (mark_all || evtchn_abis[d->abi]->has_event(d, v))) {
        select_all(d, vcpu_info);
        evtchn_mark_events_pending(vcpu_info);
    }
    /*
     * If the flag was set already, its interrupt may have come when the guest
     * had no vcpu_info to look at, as in a soft reset.  Interrupt the vCPU
     * again: in Xen an upcall is due as long as the flag is set.
     */
    evtchn_delivered(d, vcpu, 0, false,
                     vcpu_info && evtchn_load((uint8_t *)vcpu_info));
    evtchn_event_unlock(d);
    return 0;
}
