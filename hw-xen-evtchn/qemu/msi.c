/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSIs as PIRQs.
 *
 * A guest that wants an MSI as an event writes vector 0 and the PIRQ's number
 * into the device's MSI message.  QEMU's PCI code shows such writes to
 * xen_evtchn_snoop_msi(), delivers by xen_evtchn_deliver_pirq_msi(), and asks
 * xen_evtchn_translate_pirq_msi() how KVM's irqfds shall deliver.
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "hw/pci/pci.h"
#include "hw/pci/msi.h"
#include "hw/pci/msix.h"
#include "hw/qdev-core.h"
#include "system/kvm.h"
#include "system/kvm_xen.h"
#include "target/i386/kvm/kvm_i386.h"
#include <linux/kvm.h>

#include "internal.h"
#include "hw/i386/kvm/trace.h"

/*
 * This thread has closed or moved a PIRQ of which KVM has a route.  The model
 * tells of that with its locks held, and routes change under the BQL, which
 * comes before these.
 */
static __thread bool routes_stale;

/* The PIRQ that a message names, or 0 for an ordinary MSI. */
static uint32_t msi_pirq(XenEvtchnState *s, uint64_t address, uint32_t data)
{
    uint32_t pirq;

    if (data & 0xff) {
        return 0;
    }
    pirq = (address >> 12 & 0xff) | (address >> 32 & 0xffffff00);
    return pirq < s->nr_pirqs ? pirq : 0;
}

/* No PIRQ but @except is @vector of @dev any more, or none is any of it (-1). */
static void forget_vector(XenEvtchnState *s, PCIDevice *dev, int vector,
                          uint32_t except)
{
    uint32_t pirq;

    for (pirq = 0; pirq < s->nr_pirqs; pirq++) {
        XenPirq *p = &s->pirq[pirq];

        if (p->dev == dev && pirq != except &&
            (vector == -1 || p->vector == vector)) {
            p->dev = NULL;
            p->gsi = XEN_PIRQ_UNBOUND;
            p->vector = 0;
            p->is_msix = false;
            p->is_masked = false;
            p->is_translated = false;
        }
    }
}

void xen_evtchn_remove_pci_device(PCIDevice *dev)
{
    if (xen_evtchn_singleton) {
        forget_vector(xen_evtchn_singleton, dev, -1, 0);
    }
}

void xen_evtchn_snoop_msi(PCIDevice *dev, bool is_msix, unsigned int vector,
                          uint64_t address, uint32_t data, bool is_masked)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    uint32_t pirq;

    if (!s) {
        return;
    }
    assert(bql_locked());

    pirq = msi_pirq(s, address, data);
    if (pirq && (!xen_evtchn_pirq_inuse(s, pirq) || s->pirq[pirq].gsi >= 0)) {
        pirq = 0;
    }
    if (pirq) {
        XenPirq *p = &s->pirq[pirq];

        p->gsi = XEN_PIRQ_MSI_EMU;
        p->dev = dev;
        p->vector = vector;
        p->is_msix = is_msix;
        p->is_masked = is_masked;
    }
    forget_vector(s, dev, vector, pirq);
}

/*
 * 0: @route is set up; 1: an ordinary MSI; negative: KVM can't deliver this one,
 * and the device of the MSI has QEMU do it.
 */
int xen_evtchn_translate_pirq_msi(struct kvm_irq_routing_entry *route,
                                  uint64_t address, uint32_t data)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    struct evtchn_port_info info;
    uint32_t pirq;
    CPUState *cs;
    bool again;

    if (!s) {
        return 1;
    }
    assert(bql_locked());
    RCU_READ_LOCK_GUARD();

    pirq = msi_pirq(s, address, data);
    if (!pirq) {
        return 1;
    }
    /*
     * At an error QEMU leaves a route in KVM as it is.  That must not happen to
     * one that we have set up before: it sets the 2-level bit of a port that is
     * something else by now.  Such a one becomes an ordinary MSI, which has
     * vector 0 and interrupts no vCPU.
     */
    again = s->pirq[pirq].is_translated;
    if (!kvm_xen_has_cap(EVTCHN_2LEVEL)) {
        return s->kvm_dropping_routes && again ? 1 : -ENOTSUP;
    }
    if (s->pirq[pirq].gsi != XEN_PIRQ_MSI_EMU) {
        return again ? 1 : -EINVAL;
    }
    /* First: the model's hook closes the port, and then looks at this. */
    qatomic_set_mb(&s->pirq[pirq].is_translated, true);

    if (evtchn_port_info(s->guest, evtchn_pirq_port(s->guest, pirq), &info) ||
        info.state != EVTCHN_PIRQ) {
        return again ? 1 : -EINVAL;
    }
    cs = xen_evtchn_cpu(info.vcpu);
    if (!cs) {
        return again ? 1 : -EINVAL;
    }
    route->type = KVM_IRQ_ROUTING_XEN_EVTCHN;
    route->u.xen_evtchn.port = evtchn_pirq_port(s->guest, pirq);
    route->u.xen_evtchn.vcpu = kvm_arch_vcpu_id(cs);
    route->u.xen_evtchn.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
    return 0;
}

bool xen_evtchn_deliver_pirq_msi(uint64_t address, uint32_t data)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    uint32_t pirq;

    if (!s) {
        return false;
    }
    pirq = msi_pirq(s, address, data);
    if (!pirq || !evtchn_pirq_port(s->guest, pirq)) {
        return false;
    }
    xen_evtchn_pirq_raise(s, pirq);
    return true;
}

void xen_evtchn_msi_refresh(XenEvtchnState *s, uint32_t pirq)
{
    if (s->pirq[pirq].is_translated) {
        kvm_update_msi_routes_all(NULL, true, 0, 0);
    }
}

void xen_evtchn_msi_binding_changed(XenEvtchnState *s, enum evtchn_state was,
                                    const struct evtchn_port_info *info)
{
    if (was != EVTCHN_PIRQ) {
        return;
    }
    smp_mb();
    if (qatomic_read(&s->pirq[info->irq].is_translated)) {
        routes_stale = true;
    }
}

void xen_evtchn_msi_refresh_stale(void)
{
    if (routes_stale) {
        BQL_LOCK_GUARD();
        routes_stale = false;
        kvm_update_msi_routes_all(NULL, true, 0, 0);
    }
}

void xen_evtchn_msi_refresh_all(XenEvtchnState *s)
{
    uint32_t pirq;

    for (pirq = 0; pirq < s->nr_pirqs; pirq++) {
        if (s->pirq[pirq].is_translated) {
            kvm_update_msi_routes_all(NULL, true, 0, 0);
            return;
        }
    }
}

/* Xen unmasks an MSI's vector when the guest binds its PIRQ: guests rely on it. */
void xen_evtchn_msi_bound(XenEvtchnState *s, uint32_t pirq)
{
    XenPirq *p = &s->pirq[pirq];

    if (p->is_masked) {
        g_autofree char *path = qdev_get_dev_path(DEVICE(p->dev));

        trace_kvm_xen_unmask_pirq(pirq, path, p->vector);
        /* KVM's routes follow by the vector's notifier. */
        if (p->is_msix) {
            msix_set_mask(p->dev, p->vector, false);
        } else {
            msi_set_mask(p->dev, p->vector, false, NULL);
        }
    } else {
        xen_evtchn_msi_refresh(s, pirq);
    }
}
