/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hypervisor tells of the guest's memory: shared_info, vcpu_info, and
 * the mode that their layout follows.  Each is changed first, then senders are
 * waited for that have not seen it, then what was set aside is raised.
 */

#include "delivery.h"

void evtchn_domain_set_long_mode(struct evtchn_domain *d, bool long_mode)
{
    evtchn_event_lock(d);
    evtchn_store(&d->word_bits, long_mode ? 64 : 32);
    evtchn_quiesce(d);
    /* Ports that were mute may have bits again. */
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

/* evtchn_pending_sel := all; of a 32-bit guest it may be at 4 mod 8. */
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
     * From here on events are marked in the new one; what came before is to be
     * found where it is pending.
     */
    if (vcpu_info && (mark_all || evtchn_abis[d->abi]->has_event(d, v))) {
        select_all(d, vcpu_info);
        evtchn_mark_events_pending(vcpu_info);
    }
    /*
     * A flag that was set before may have had its upcall while there was nowhere to
     * look for it, as over a soft reset.  To Xen the flag is the upcall.
     */
    evtchn_delivered(d, vcpu, 0, false,
                     vcpu_info && evtchn_load((uint8_t *)vcpu_info));
    evtchn_event_unlock(d);
    return 0;
}
