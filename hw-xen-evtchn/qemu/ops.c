/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_*: the guest's hypercalls, and those that QEMU does in its name. */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"

#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/event_channel.h"

#include "../public/event_channel_3level.h"
#include "internal.h"
#include "hw/i386/kvm/trace.h"

/* Xen's, which a guest of any host sees. */
#define XEN_EPERM           1
#define XEN_EOPNOTSUPP      95

#ifndef EVTCHNOP_reset_cont
#define EVTCHNOP_reset_cont 14
#endif

size_t xen_evtchn_op_size(unsigned int cmd, bool *copy_back)
{
    size_t size = evtchn_op_size(cmd, copy_back);

    assert(size <= XEN_EVTCHN_OP_MAX_SIZE);
    return size;
}

/* The PIRQ behind @port, or 0, which is none. */
static uint32_t port_pirq(XenEvtchnState *s, uint32_t port)
{
    struct evtchn_port_info info;

    if (evtchn_port_info(s->guest, port, &info) ||
        info.state != EVTCHN_PIRQ) {
        return 0;
    }
    return info.irq;
}

/* @cmd on @port, which may be a PIRQ: then KVM's routes depend on it. */
static int op_on_port(XenEvtchnState *s, unsigned int cmd, void *arg,
                      uint32_t port)
{
    uint32_t pirq = port_pirq(s, port);
    int ret;

    if (!pirq) {
        return evtchn_op(s->guest, cmd, arg);
    }
    BQL_LOCK_GUARD();
    ret = evtchn_op(s->guest, cmd, arg);
    if (!ret) {
        xen_evtchn_msi_refresh(s, pirq);
    }
    return ret;
}

static int op_bind_pirq(XenEvtchnState *s, struct evtchn_bind_pirq *bind)
{
    int ret;

    BQL_LOCK_GUARD();
    ret = evtchn_op(s->guest, EVTCHNOP_bind_pirq, bind);
    if (!ret) {
        trace_kvm_xen_bind_pirq(bind->pirq, bind->port);
        xen_evtchn_pirq_bound(s, bind->pirq);
    }
    return ret;
}

/* The first of these changes the guest's ABI: the kernel must let go first. */
static int op_switch(XenEvtchnState *s, unsigned int cmd, void *arg)
{
    int ret;

    BQL_LOCK_GUARD();
    ret = xen_evtchn_kvm_begin_switch(s);
    if (!ret) {
        ret = evtchn_op(s->guest, cmd, arg);
    }
    xen_evtchn_kvm_end_switch(s);
    return ret;
}

void xen_evtchn_after_reset(XenEvtchnState *s)
{
    xen_evtchn_kvm_reclaim(s);
    xen_evtchn_msi_refresh_all(s);
}

/*
 * A full table takes its time: let others have the BQL between the pieces.  As
 * in Xen a guest may itself ask for the rest of a reset that is under way.
 */
static int op_reset(XenEvtchnState *s, unsigned int cmd, void *arg)
{
    int ret;

    xen_evtchn_kvm_begin_reset(s);
    do {
        BQL_LOCK_GUARD();
        ret = evtchn_op(s->guest, cmd, arg);
        if (!ret) {
            xen_evtchn_after_reset(s);
        }
        cmd = EVTCHNOP_reset_cont;
    } while (ret == -EVTCHN_ERESTART);
    xen_evtchn_kvm_end_reset(s);
    return ret;
}

int xen_evtchn_op(unsigned int cmd, void *arg)
{
    XenEvtchnState *s = xen_evtchn_singleton;

    if (!s) {
        return -ENOTSUP;
    }
    switch (cmd) {
    case EVTCHNOP_init_control:
    case EVTCHNOP_expand_array:
    case EVTCHNOP_set_priority:
        if (!s->stream.fifo) {
            return -XEN_EOPNOTSUPP;
        }
        if (cmd == EVTCHNOP_init_control) {
            return op_switch(s, cmd, arg);
        }
        break;
    case EVTCHNOP_register_3level:
        return s->stream.three_level ? op_switch(s, cmd, arg) : -XEN_EPERM;

    case EVTCHNOP_close:
        return op_on_port(s, cmd, arg, ((struct evtchn_close *)arg)->port);
    case EVTCHNOP_bind_vcpu:
        return op_on_port(s, cmd, arg, ((struct evtchn_bind_vcpu *)arg)->port);
    case EVTCHNOP_bind_pirq:
        return op_bind_pirq(s, arg);
    case EVTCHNOP_reset:
    case EVTCHNOP_reset_cont:
        return op_reset(s, cmd, arg);
    }
    return evtchn_op(s->guest, cmd, arg);
}

int xen_evtchn_status_op(struct evtchn_status *status)
{
    return xen_evtchn_op(EVTCHNOP_status, status);
}

int xen_evtchn_close_op(struct evtchn_close *close)
{
    return xen_evtchn_op(EVTCHNOP_close, close);
}

int xen_evtchn_unmask_op(struct evtchn_unmask *unmask)
{
    return xen_evtchn_op(EVTCHNOP_unmask, unmask);
}

int xen_evtchn_bind_virq_op(struct evtchn_bind_virq *virq)
{
    return xen_evtchn_op(EVTCHNOP_bind_virq, virq);
}

int xen_evtchn_bind_pirq_op(struct evtchn_bind_pirq *pirq)
{
    return xen_evtchn_op(EVTCHNOP_bind_pirq, pirq);
}

int xen_evtchn_bind_ipi_op(struct evtchn_bind_ipi *ipi)
{
    return xen_evtchn_op(EVTCHNOP_bind_ipi, ipi);
}

int xen_evtchn_send_op(struct evtchn_send *send)
{
    return xen_evtchn_op(EVTCHNOP_send, send);
}

int xen_evtchn_alloc_unbound_op(struct evtchn_alloc_unbound *alloc)
{
    return xen_evtchn_op(EVTCHNOP_alloc_unbound, alloc);
}

int xen_evtchn_bind_interdomain_op(struct evtchn_bind_interdomain *interdomain)
{
    return xen_evtchn_op(EVTCHNOP_bind_interdomain, interdomain);
}

int xen_evtchn_bind_vcpu_op(struct evtchn_bind_vcpu *vcpu)
{
    return xen_evtchn_op(EVTCHNOP_bind_vcpu, vcpu);
}

int xen_evtchn_reset_op(struct evtchn_reset *reset)
{
    return xen_evtchn_op(EVTCHNOP_reset, reset);
}

int xen_evtchn_poll(uint32_t vcpu, const uint32_t *ports, uint32_t nr_ports)
{
    return evtchn_poll(xen_evtchn_singleton->guest, vcpu, ports, nr_ports);
}

bool xen_evtchn_vcpu_polls(uint32_t vcpu)
{
    return evtchn_vcpu_polls(xen_evtchn_singleton->guest, vcpu);
}

void xen_evtchn_poll_cancel(uint32_t vcpu)
{
    evtchn_poll_cancel(xen_evtchn_singleton->guest, vcpu);
}
