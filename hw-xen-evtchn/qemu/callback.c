/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Upcalls: how a vCPU is told that events are pending.
 *
 * Three ways, and the guest chooses: a vector of the vCPU's own, delivered by
 * its LAPIC; one vector for all, injected for as long as
 * evtchn_upcall_pending is set; or, on vCPU 0 alone, a GSI or PCI INTx.
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/main-loop.h"
#include "hw/boards.h"
#include "hw/i386/pc.h"
#include "hw/pci/pci.h"
#include "system/kvm.h"
#include "system/kvm_xen.h"
#include "system/runstate.h"
#include "hw/xen-accel/xen_accel.h"

#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/hvm/params.h"

#include "internal.h"

/* HVM_PARAM_CALLBACK_IRQ has its type in the top byte. */
#define CALLBACK_TYPE_SHIFT 56

static int callback_type(uint64_t param)
{
    return param >> CALLBACK_TYPE_SHIFT;
}

static void raise_upcall(XenEvtchnState *s, CPUState *cs)
{
    uint8_t vector =
        qatomic_read(&X86_CPU(cs)->env.xen_vcpu_callback_vector);

    if (vector) {
        xen_accel->raise_vcpu_upcall(cs, vector);
        return;
    }
    switch (callback_type(qatomic_read(&s->callback_param))) {
    case HVM_PARAM_CALLBACK_TYPE_VECTOR:
        xen_accel->raise_upcall(cs);
        break;
    case HVM_PARAM_CALLBACK_TYPE_GSI:
    case HVM_PARAM_CALLBACK_TYPE_PCI_INTX:
        if (cs->cpu_index == 0) {
            /* The sender holds a lock of the model's: no time for the BQL. */
            qemu_bh_schedule(s->gsi_bh);
        }
        break;
    }
}

void xen_evtchn_raise_upcall(XenEvtchnState *s, uint32_t vcpu)
{
    CPUState *cs = xen_evtchn_get_cpu(vcpu);

    if (cs) {
        raise_upcall(s, cs);
        xen_evtchn_put_cpu(vcpu);
    }
}

static bool vcpu0_upcall_pending(void)
{
    return xen_upcall_pending(kvm_xen_get_vcpu_info_hva(0));
}

void xen_evtchn_set_callback_level(int level)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    bool is_high;

    if (!s) {
        return;
    }
    if (!bql_locked()) {
        qemu_bh_schedule(s->gsi_bh);
        return;
    }
    if (!s->callback_gsi || s->callback_gsi >= s->nr_callback_gsis) {
        return;
    }
    /* The line is shared with the device that owns it: an OR of the two. */
    is_high = xen_evtchn_gsi_is_high(s, s->callback_gsi);
    s->setting_callback_gsi = true;
    qemu_set_irq(s->callback_gsis[s->callback_gsi], level || is_high);
    s->setting_callback_gsi = false;

    if (level && !is_high) {
        /*
         * The guest clears the flag without telling anybody: the accelerator
         * looks at it when the vCPU exits, and calls us to lower the line.
         */
        kvm_xen_set_callback_asserted();
    }
}

static void update_callback_level(void *opaque)
{
    xen_evtchn_set_callback_level(vcpu0_upcall_pending());
}

/*
 * A device sets the level of its line.  True: the GSI is a PIRQ, and no interrupt
 * controller gets it.
 */
bool xen_evtchn_set_gsi(int gsi, int *level)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    uint32_t pirq;

    assert(bql_locked());

    if (!s || gsi < 0 || gsi >= IOAPIC_NUM_PINS) {
        return false;
    }
    if (s->setting_callback_gsi && gsi == s->callback_gsi) {
        /* That is us, and no device. */
        return false;
    }
    s->gsi_levels = deposit32(s->gsi_levels, gsi, 1, !!*level);
    /*
     * The callback's own line is never a PIRQ: it would raise an event, and the
     * upcall for that is this very line.
     */
    if (gsi && gsi == s->callback_gsi) {
        if (!*level && vcpu0_upcall_pending()) {
            kvm_xen_set_callback_asserted();
            *level = 1;
        }
        return false;
    }
    pirq = s->gsi_pirq[gsi];
    if (!pirq) {
        return false;
    }
    if (*level) {
        xen_evtchn_pirq_raise(s, pirq);
    }
    return true;
}

/* The GSI that a PCI device's INTx pin is routed to at present, or 0. */
static uint32_t pci_intx_gsi(uint64_t param)
{
    PCMachineState *pcms = PC_MACHINE(qdev_get_machine());
    uint8_t pin = param & 3;
    uint8_t devfn = param >> 8;
    uint16_t bus = param >> 16;
    uint16_t domain = param >> 32;
    PCIDevice *dev;
    PCIINTxRoute route;

    if (domain || !pcms->pcibus) {
        return 0;
    }
    dev = pci_find_device(pcms->pcibus, bus, devfn);
    if (!dev) {
        return 0;
    }
    route = pci_device_route_intx_to_irq(dev, pin);
    return route.mode == PCI_INTX_ENABLED ? route.irq : 0;
}

bool xen_evtchn_callback_is_vector(XenEvtchnState *s)
{
    return callback_type(s->callback_param) ==
               HVM_PARAM_CALLBACK_TYPE_VECTOR ||
           (s->callback_param && kvm_xen_has_vcpu_callback_vector());
}

uint64_t xen_evtchn_get_callback_param(void)
{
    return qatomic_read(&xen_evtchn_singleton->callback_param);
}

int xen_evtchn_set_callback_param(uint64_t param)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    int type = callback_type(param);
    bool was_vector;
    uint32_t gsi = 0;
    int ret;

    if (!s) {
        return -ENOTSUP;
    }
    assert(bql_locked());

    was_vector = callback_type(s->callback_param) ==
                 HVM_PARAM_CALLBACK_TYPE_VECTOR;
    switch (type) {
    case HVM_PARAM_CALLBACK_TYPE_VECTOR:
        ret = xen_accel->set_upcall_vector(param);
        if (ret) {
            return ret;
        }
        break;
    case HVM_PARAM_CALLBACK_TYPE_PCI_INTX:
        gsi = pci_intx_gsi(param);
        if (!gsi) {
            return -EINVAL;
        }
        break;
    case HVM_PARAM_CALLBACK_TYPE_GSI:
        gsi = (uint8_t)param;
        break;
    default:
        /* Xen takes a type that it does not know, and delivers nothing. */
        break;
    }
    if (was_vector && type != HVM_PARAM_CALLBACK_TYPE_VECTOR) {
        xen_accel->set_upcall_vector(0);
    }
    /* To a vCPU that has a vector of its own no line is raised. */
    if (kvm_xen_has_vcpu_callback_vector()) {
        gsi = 0;
    }

    qatomic_set(&s->callback_param, param);
    if (gsi != s->callback_gsi) {
        xen_evtchn_set_callback_level(0);
        s->callback_gsi = gsi;
        if (gsi) {
            update_callback_level(s);
        }
    }
    xen_evtchn_kvm_update(s);
    return 0;
}

int xen_evtchn_load_callback_param(uint64_t param)
{
    XenEvtchnState *s = xen_evtchn_singleton;

    if (callback_type(param) != HVM_PARAM_CALLBACK_TYPE_PCI_INTX) {
        return xen_evtchn_set_callback_param(param);
    }
    /* What the pin is routed to, and whether it is there, is loaded later. */
    qatomic_set(&s->callback_param, param);
    s->callback_is_loaded = true;
    return 0;
}

static void vm_state_changed(void *opaque, bool running, RunState state)
{
    XenEvtchnState *s = opaque;

    if (running && s->callback_is_loaded) {
        s->callback_is_loaded = false;
        xen_evtchn_set_callback_param(s->callback_param);
    }
}

void xen_evtchn_upcall_vector_set(CPUState *cs)
{
    XenEvtchnState *s = xen_evtchn_singleton;

    if (!s || cs->cpu_index >= s->nr_cpus) {
        return;
    }
    xen_evtchn_kvm_update(s);
    /* A sender that set the flag before now found no vector to raise. */
    if (xen_upcall_pending(s->cpus[cs->cpu_index].vcpu_info)) {
        xen_evtchn_raise_upcall(s, cs->cpu_index);
    }
}

/*
 * Upcalls that were due before, or have become due while the guest slept, were
 * lost with the state of LAPIC and vCPU.  On Xen they stay due.
 */
void xen_evtchn_wakeup(void)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    uint32_t i;

    if (xen_accel->wake_up) {
        xen_accel->wake_up();
    }
    for (i = 0; s && i < s->nr_cpus; i++) {
        if (xen_upcall_pending(s->cpus[i].vcpu_info)) {
            xen_evtchn_raise_upcall(s, i);
        }
    }
}

void xen_evtchn_callback_init(XenEvtchnState *s, unsigned int nr_gsis,
                              qemu_irq *system_gsis)
{
    unsigned int i;

    qemu_add_vm_change_state_handler(vm_state_changed, s);
    s->gsi_bh = aio_bh_new(qemu_get_aio_context(), update_callback_level, s);
    s->nr_callback_gsis = nr_gsis;
    s->callback_gsis = g_new0(qemu_irq, nr_gsis);
    for (i = 0; i < nr_gsis; i++) {
        sysbus_init_irq(SYS_BUS_DEVICE(s), &s->callback_gsis[i]);
        sysbus_connect_irq(SYS_BUS_DEVICE(s), i, system_gsis[i]);
    }
}
