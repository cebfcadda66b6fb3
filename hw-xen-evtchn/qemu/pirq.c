/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PIRQs: interrupts of GSIs and MSIs that reach the guest as events.
 *
 * The model knows the port that a PIRQ is bound to.  Here is the interrupt that a
 * PIRQ stands for.  All of that changes under the BQL.
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "hw/xen/xen.h"
#include "system/kvm_xen.h"

#include "hw/xen/interface/physdev.h"
#include "hw/xen/interface/xen.h"

#include "internal.h"
#include "hw/i386/kvm/trace.h"

/* A guest that asks for any PIRQ gets none below this, as on Xen. */
#define FIRST_PIRQ 16

bool xen_evtchn_pirq_inuse(XenEvtchnState *s, uint32_t pirq)
{
    return s->pirq_inuse[pirq / 64] >> (pirq % 64) & 1;
}

static void set_inuse(XenEvtchnState *s, uint32_t pirq, bool inuse)
{
    uint64_t bit = UINT64_C(1) << (pirq % 64);

    if (inuse) {
        s->pirq_inuse[pirq / 64] |= bit;
    } else {
        s->pirq_inuse[pirq / 64] &= ~bit;
    }
}

/*
 * A PIRQ that the guest has unmapped and not closed is not free: events of its next
 * user would go to the old port.
 *
 * For an MSI no guest unmaps one.  It is given back once its port is closed, and no
 * device's message names it: between the two a driver may bind it anew.
 */
static bool is_free(XenEvtchnState *s, uint32_t pirq)
{
    if (evtchn_pirq_port(s->guest, pirq)) {
        return false;
    }
    return !xen_evtchn_pirq_inuse(s, pirq) ||
           (s->pirq[pirq].was_bound && s->pirq[pirq].gsi == XEN_PIRQ_UNBOUND);
}

/* As Xen: GSIs from 16 up while there are such, all else from the top. */
static int allocate_pirq(XenEvtchnState *s, bool for_gsi)
{
    uint32_t pirq;

    if (for_gsi) {
        for (pirq = FIRST_PIRQ;
             pirq < MIN(IOAPIC_NUM_PINS, s->nr_pirqs); pirq++) {
            if (is_free(s, pirq)) {
                return pirq;
            }
        }
    }
    for (pirq = s->nr_pirqs; pirq-- > IOAPIC_NUM_PINS;) {
        if (is_free(s, pirq)) {
            return pirq;
        }
    }
    return -ENOSPC;
}

void xen_evtchn_pirq_raise(XenEvtchnState *s, uint32_t pirq)
{
    RCU_READ_LOCK_GUARD();
    evtchn_raise_pirq(s->guest, pirq);
}

static void map_gsi(XenEvtchnState *s, uint32_t pirq, int gsi)
{
    set_inuse(s, pirq, true);
    s->pirq[pirq].gsi = gsi;
    s->gsi_pirq[gsi] = pirq;
    if (xen_evtchn_gsi_is_high(s, gsi)) {
        xen_evtchn_pirq_raise(s, pirq);
    }
}

int xen_physdev_map_pirq(struct physdev_map_pirq *map)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    int pirq = map->pirq;
    int gsi = map->index;

    if (!s) {
        return -ENOTSUP;
    }
    BQL_LOCK_GUARD();

    if (map->domid != DOMID_SELF && map->domid != xen_domid) {
        return -EPERM;
    }
    if (map->type != MAP_PIRQ_TYPE_GSI || gsi < 0 || gsi >= IOAPIC_NUM_PINS) {
        return -EINVAL;
    }
    if (pirq < 0) {
        pirq = allocate_pirq(s, true);
        if (pirq < 0) {
            return pirq;
        }
        map->pirq = pirq;
    } else if (pirq >= s->nr_pirqs) {
        return -EINVAL;
    } else if (s->pirq[pirq].gsi != XEN_PIRQ_UNBOUND &&
               s->pirq[pirq].gsi != gsi) {
        return -EBUSY;
    }
    map_gsi(s, pirq, gsi);
    trace_kvm_xen_map_pirq(pirq, gsi);
    return 0;
}

int xen_physdev_unmap_pirq(struct physdev_unmap_pirq *unmap)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    int pirq = unmap->pirq;
    int gsi;

    if (!s) {
        return -ENOTSUP;
    }
    if (unmap->domid != DOMID_SELF && unmap->domid != xen_domid) {
        return -EPERM;
    }
    BQL_LOCK_GUARD();

    /* Xen finds nothing wrong with what is not mapped, nor with its number. */
    if (pirq < 0 || pirq >= s->nr_pirqs || !xen_evtchn_pirq_inuse(s, pirq)) {
        return 0;
    }
    gsi = s->pirq[pirq].gsi;
    if (gsi >= 0 && s->gsi_pirq[gsi] == pirq) {
        s->gsi_pirq[gsi] = 0;
    }
    s->pirq[pirq].gsi = XEN_PIRQ_UNBOUND;
    s->pirq[pirq].dev = NULL;
    set_inuse(s, pirq, false);
    trace_kvm_xen_unmap_pirq(pirq, gsi);
    if (gsi == XEN_PIRQ_MSI_EMU) {
        xen_evtchn_msi_refresh(s, pirq);
    }
    return 0;
}

int xen_physdev_eoi_pirq(struct physdev_eoi *eoi)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    int gsi;

    if (!s) {
        return -ENOTSUP;
    }
    BQL_LOCK_GUARD();

    if (eoi->irq >= s->nr_pirqs || is_free(s, eoi->irq)) {
        return -EINVAL;
    }
    gsi = s->pirq[eoi->irq].gsi;
    /* The line is still high, and the guest gets an event at each EOI. */
    if (gsi >= 0 && xen_evtchn_gsi_is_high(s, gsi)) {
        xen_evtchn_pirq_raise(s, eoi->irq);
    }
    return 0;
}

int xen_physdev_query_pirq(struct physdev_irq_status_query *query)
{
    XenEvtchnState *s = xen_evtchn_singleton;

    if (!s) {
        return -ENOTSUP;
    }
    BQL_LOCK_GUARD();

    if (query->irq >= s->nr_pirqs ||
        s->pirq[query->irq].gsi == XEN_PIRQ_UNBOUND) {
        return -EINVAL;
    }
    query->flags = s->pirq[query->irq].gsi >= 0 ? XENIRQSTAT_needs_eoi : 0;
    return 0;
}

int xen_physdev_get_free_pirq(struct physdev_get_free_pirq *get)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    int pirq;

    if (!s) {
        return -ENOTSUP;
    }
    BQL_LOCK_GUARD();

    pirq = allocate_pirq(s, get->type == MAP_PIRQ_TYPE_GSI);
    if (pirq < 0) {
        return pirq;
    }
    set_inuse(s, pirq, true);
    s->pirq[pirq].gsi = XEN_PIRQ_UNBOUND;
    s->pirq[pirq].was_bound = false;
    get->pirq = pirq;
    trace_kvm_xen_get_free_pirq(pirq, get->type);
    return 0;
}

void xen_evtchn_pirq_bound(XenEvtchnState *s, uint32_t pirq)
{
    int gsi = s->pirq[pirq].gsi;

    s->pirq[pirq].was_bound = true;
    if (gsi >= 0) {
        /* The line may have gone high before the guest had a port for it. */
        if (s->gsi_pirq[gsi] == pirq && xen_evtchn_gsi_is_high(s, gsi)) {
            xen_evtchn_pirq_raise(s, pirq);
        }
    } else if (gsi == XEN_PIRQ_MSI_EMU) {
        xen_evtchn_msi_bound(s, pirq);
    }
}

/*
 * The next kernel maps what it uses: Xen's arch_domain_soft_reset() unmaps PIRQs that
 * stand for an emulated interrupt, and a domain that is new has none.
 *
 * One that a device's message still names is not given to another user before the message
 * has changed: see is_free().
 */
void xen_evtchn_pirq_reset(XenEvtchnState *s)
{
    uint32_t pirq;

    memset(s->gsi_pirq, 0, sizeof(s->gsi_pirq));
    for (pirq = 0; pirq < s->nr_pirqs; pirq++) {
        if (s->pirq[pirq].dev) {
            s->pirq[pirq].was_bound = true;
        } else {
            set_inuse(s, pirq, false);
            s->pirq[pirq].gsi = XEN_PIRQ_UNBOUND;
        }
    }
}

void xen_evtchn_pirq_rebuild(XenEvtchnState *s)
{
    uint32_t pirq;
    int gsi;

    /* MSIs are found again as MSI-X tables are loaded, or MSIs written, and snooped. */
    for (pirq = 0; pirq < s->nr_pirqs; pirq++) {
        s->pirq[pirq].was_bound = evtchn_pirq_port(s->guest, pirq) != 0;
        if (s->pirq[pirq].gsi >= 0) {
            s->pirq[pirq].gsi = XEN_PIRQ_UNBOUND;
        }
    }
    for (gsi = 0; gsi < IOAPIC_NUM_PINS; gsi++) {
        pirq = s->gsi_pirq[gsi];
        if (pirq >= s->nr_pirqs) {
            s->gsi_pirq[gsi] = 0;
        } else if (pirq) {
            s->pirq[pirq].gsi = gsi;
        }
    }
}

void xen_evtchn_pirq_init(XenEvtchnState *s)
{
    uint32_t pirq;

    s->nr_pirqs = kvm_xen_get_evtchn_max_pirq();
    s->nr_pirq_inuse_words = DIV_ROUND_UP(s->nr_pirqs, 64);
    s->pirq_inuse = g_new0(uint64_t, s->nr_pirq_inuse_words);
    s->pirq = g_new0(XenPirq, s->nr_pirqs);
    for (pirq = 0; pirq < s->nr_pirqs; pirq++) {
        s->pirq[pirq].gsi = XEN_PIRQ_UNBOUND;
    }
}
