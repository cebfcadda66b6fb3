/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports that the kernel's KVM_XEN serves, and events that it delivers. */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "system/kvm.h"
#include "system/kvm_xen.h"
#include "target/i386/cpu.h"
#include "target/i386/kvm/kvm_i386.h"
#include <linux/kvm.h>

#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/event_channel.h"

#include "internal.h"

enum {
    KVM_PORT_NONE,
    KVM_PORT_IPI,           /* what: the vCPU */
    KVM_PORT_BACKEND,       /* what: domain 0's port */
    KVM_PORT_VIRQ,          /* what: vCPU << 8 | VIRQ */
};

struct XenEvtchnKvmPort {
    uint32_t what;
    uint8_t kind;
    bool assigned;          /* the kernel serves sends on this port */
};

static int set_evtchn_attr(uint32_t port, uint32_t flags,
                           struct kvm_xen_hvm_attr *attr)
{
    attr->type = KVM_XEN_ATTR_TYPE_EVTCHN;
    attr->u.evtchn.send_port = port;
    attr->u.evtchn.flags = flags;
    return kvm_vm_ioctl(kvm_state, KVM_XEN_HVM_SET_ATTR, attr);
}

/*
 * Have KVM serve the guest's sends on @port.  Where it does not, the send is a
 * hypercall that QEMU serves: slower, no more.
 */
static void assign(XenEvtchnState *s, uint32_t port)
{
    XenEvtchnKvmPort *p = &s->kvm_ports[port];
    struct kvm_xen_hvm_attr attr = {};
    CPUState *cs;
    int fd;

    if (!s->kvm_evtchn || p->assigned) {
        return;
    }
    switch (p->kind) {
    case KVM_PORT_IPI:
        cs = s->kvm_delivers ? xen_evtchn_get_cpu(p->what) : NULL;
        if (!cs) {
            return;
        }
        attr.u.evtchn.type = EVTCHNSTAT_ipi;
        attr.u.evtchn.deliver.port.port = port;
        attr.u.evtchn.deliver.port.vcpu = kvm_arch_vcpu_id(cs);
        xen_evtchn_put_cpu(p->what);
        attr.u.evtchn.deliver.port.priority =
            KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
        break;
    case KVM_PORT_BACKEND:
        fd = xen_evtchn_backend_fd(s, p->what);
        if (fd < 0) {
            return;
        }
        attr.u.evtchn.type = EVTCHNSTAT_interdomain;
        attr.u.evtchn.deliver.eventfd.fd = fd;
        break;
    default:
        return;
    }
    p->assigned = !set_evtchn_attr(port, 0, &attr);
}

static int deassign(XenEvtchnState *s, uint32_t port)
{
    struct kvm_xen_hvm_attr attr = {};
    int ret;

    if (!s->kvm_ports[port].assigned) {
        return 0;
    }
    ret = set_evtchn_attr(port, KVM_XEN_EVTCHN_DEASSIGN, &attr);
    if (ret && ret != -ENOENT) {
        error_report("KVM does not let go of Xen event channel %u: %s", port,
                     strerror(-ret));
        return ret;
    }
    s->kvm_ports[port].assigned = false;
    return 0;
}

static void set_port(XenEvtchnState *s, uint32_t port, int kind, uint32_t what)
{
    XenEvtchnKvmPort *p = &s->kvm_ports[port];

    if (p->kind == kind && p->what == what) {
        return;
    }
    deassign(s, port);
    if (p->kind == KVM_PORT_VIRQ) {
        xen_evtchn_kvm_set_virq(s, p->what >> 8, p->what & 0xff, 0);
    }
    p->kind = kind;
    p->what = what;
    if (kind == KVM_PORT_VIRQ) {
        xen_evtchn_kvm_set_virq(s, what >> 8, what & 0xff, port);
    }
    assign(s, port);
}

void xen_evtchn_kvm_binding_changed(void *opaque, uint32_t port,
                                    const struct evtchn_port_info *info)
{
    XenEvtchnState *s = opaque;

    if (port >= XEN_EVTCHN_2L_PORTS) {
        return;
    }
    QEMU_LOCK_GUARD(&s->kvm_lock);
    if (info->state == EVTCHN_IPI) {
        set_port(s, port, KVM_PORT_IPI, info->vcpu);
    } else if (info->state == EVTCHN_INTERDOMAIN &&
               info->remote_domid == DOMID_QEMU) {
        set_port(s, port, KVM_PORT_BACKEND, info->remote_port);
    } else if (info->state == EVTCHN_VIRQ) {
        /* A global VIRQ is the vCPU's that bound it, also when it has moved. */
        if (s->kvm_ports[port].kind != KVM_PORT_VIRQ) {
            set_port(s, port, KVM_PORT_VIRQ, info->vcpu << 8 | info->irq);
        }
    } else {
        set_port(s, port, KVM_PORT_NONE, 0);
    }
}

void xen_evtchn_kvm_vcpu_plugged(XenEvtchnState *s, CPUState *cs)
{
    uint32_t port;

    QEMU_LOCK_GUARD(&s->kvm_lock);
    for (port = 1; port < XEN_EVTCHN_2L_PORTS; port++) {
        XenEvtchnKvmPort *p = &s->kvm_ports[port];

        if (p->kind == KVM_PORT_VIRQ && p->what >> 8 == cs->cpu_index) {
            X86_CPU(cs)->env.xen_virq[p->what & 0xff] = port;
        } else if (p->kind == KVM_PORT_IPI && p->what == cs->cpu_index) {
            assign(s, port);
        }
    }
}

/*
 * Until end_reset QEMU serves all sends.  KVM lets go of all ports at once here:
 * one by one it would wait for its readers each time, for a full table seconds.
 */
void xen_evtchn_kvm_begin_reset(XenEvtchnState *s)
{
    struct kvm_xen_hvm_attr attr = {};
    uint32_t port;

    if (!s->kvm_evtchn) {
        return;
    }
    QEMU_LOCK_GUARD(&s->kvm_lock);
    if (set_evtchn_attr(0, KVM_XEN_EVTCHN_RESET, &attr)) {
        return;
    }
    for (port = 1; port < XEN_EVTCHN_2L_PORTS; port++) {
        s->kvm_ports[port].assigned = false;
    }
}

/* Ports that are still bound, or bound again, are KVM's again. */
void xen_evtchn_kvm_end_reset(XenEvtchnState *s)
{
    uint32_t port;

    QEMU_LOCK_GUARD(&s->kvm_lock);
    for (port = 1; port < XEN_EVTCHN_2L_PORTS; port++) {
        assign(s, port);
    }
}

/*
 * When the model told of the new binding, @port of domain 0 had no handle yet, and
 * so no eventfd that KVM could signal.
 */
void xen_evtchn_kvm_backend_bound(XenEvtchnState *s, uint32_t guest_port,
                                  uint32_t port)
{
    XenEvtchnKvmPort *p;

    if (guest_port >= XEN_EVTCHN_2L_PORTS) {
        return;
    }
    QEMU_LOCK_GUARD(&s->kvm_lock);
    p = &s->kvm_ports[guest_port];
    if (p->kind == KVM_PORT_BACKEND && p->what == port) {
        assign(s, guest_port);
    }
}

bool xen_evtchn_kvm_deliver_2l(void *opaque, uint32_t vcpu, uint32_t port)
{
    XenEvtchnState *s = opaque;
    struct kvm_irq_routing_xen_evtchn event = {
        .port = port,
        .priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
    };
    CPUState *cs;

    if (!qatomic_read(&s->kvm_delivers)) {
        return false;
    }
    cs = xen_evtchn_get_cpu(vcpu);
    if (!cs) {
        return false;
    }
    event.vcpu = kvm_arch_vcpu_id(cs);
    xen_evtchn_put_cpu(vcpu);
    /* Before the guest has mapped shared_info KVM fails, and the model delivers. */
    return !kvm_vm_ioctl(kvm_state, KVM_XEN_HVM_EVTCHN_SEND, &event);
}

int xen_evtchn_kvm_set_delivers(XenEvtchnState *s, bool delivers)
{
    uint32_t port;
    int ret = 0;

    if (s->kvm_delivers == delivers) {
        return 0;
    }
    qatomic_set(&s->kvm_delivers, delivers);
    for (port = 1; port < XEN_EVTCHN_2L_PORTS; port++) {
        if (s->kvm_ports[port].kind == KVM_PORT_IPI) {
            if (delivers) {
                assign(s, port);
            } else {
                ret = deassign(s, port) ?: ret;
            }
        }
    }
    return ret;
}

/* KVM can't raise a GSI, so it delivers only if upcalls come by a vector. */
void xen_evtchn_kvm_update(XenEvtchnState *s)
{
    QEMU_LOCK_GUARD(&s->kvm_lock);
    xen_evtchn_kvm_set_delivers(s, kvm_xen_has_cap(EVTCHN_SEND) &&
                                   xen_evtchn_callback_is_vector(s));
}

void xen_evtchn_kvm_init(XenEvtchnState *s)
{
    s->kvm_evtchn = kvm_xen_has_cap(EVTCHN_SEND);
    qemu_mutex_init(&s->kvm_lock);
    s->kvm_ports = g_new0(XenEvtchnKvmPort, XEN_EVTCHN_2L_PORTS);
}
