/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_*: the guest's hypercalls, and those that QEMU does in its name. */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"

#include "hw/xen/xen.h"
#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/event_channel.h"

#include "../public/event_channel_3level.h"
#include "internal.h"
#include "hw/i386/kvm/trace.h"

/* Xen's number, which the guest sees whatever the host's is. */
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

/*
 * Have the model do @cmd for the guest.  When this returns KVM has no route any
 * more to a port that the operation has taken from a PIRQ.
 */
static int model_op(XenEvtchnState *s, unsigned int cmd, void *arg)
{
    int ret;

    WITH_RCU_READ_LOCK_GUARD() {
        ret = evtchn_op(s->guest, cmd, arg);
    }
    xen_evtchn_msi_refresh_stale();
    return ret;
}

static int op_bind_pirq(XenEvtchnState *s, struct evtchn_bind_pirq *bind)
{
    int ret;

    BQL_LOCK_GUARD();
    ret = model_op(s, EVTCHNOP_bind_pirq, bind);
    if (!ret) {
        trace_kvm_xen_bind_pirq(bind->pirq, bind->port);
        xen_evtchn_pirq_bound(s, bind->pirq);
    }
    return ret;
}

/*
 * An operation by which a vCPU registers its memory for FIFO or 3-level.  The first
 * one changes the guest's ABI, and before that KVM has to let go of 2-level.  A
 * guest that is not offered @cmd's ABI the model refuses, so KVM goes on.
 */
static int op_switch(XenEvtchnState *s, bool offered, unsigned int cmd,
                     void *arg)
{
    int ret;

    if (!offered) {
        return model_op(s, cmd, arg);
    }
    BQL_LOCK_GUARD();
    ret = xen_evtchn_kvm_begin_switch(s);
    if (!ret) {
        ret = model_op(s, cmd, arg);
    }
    xen_evtchn_kvm_end_switch(s);
    return ret;
}

/* The model closes some hundred ports of the guest at a time.  BQL held. */
static int reset_piece(XenEvtchnState *s, bool resuming)
{
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    int ret = model_op(s, resuming ? EVTCHNOP_reset_cont : EVTCHNOP_reset,
                       &reset);

    s->reset_under_way = ret == -EVTCHN_ERESTART;
    if (!ret) {
        xen_evtchn_kvm_reclaim(s);
    }
    return ret;
}

/*
 * A full table takes its time, so the vCPU lets other threads have the BQL between
 * the pieces.  As in Xen the guest may itself ask for the rest of a reset that is
 * under way.
 *
 * Only a reset that the model will do has KVM let go of all ports first.  It
 * refuses one of another domain, to which this guest has no right, and one that
 * does not fit to what is under way.  (To reset another domain Xen wants that to
 * be paused.  The model does not look: the guest may not ask for it, and QEMU
 * never does in domain 0's name.)
 */
static int op_reset(XenEvtchnState *s, bool resuming,
                    struct evtchn_reset *reset)
{
    int ret;

    {
        BQL_LOCK_GUARD();
        if ((reset->dom != DOMID_SELF && reset->dom != xen_domid) ||
            resuming != s->reset_under_way) {
            return model_op(s, resuming ? EVTCHNOP_reset_cont
                                        : EVTCHNOP_reset, reset);
        }
        xen_evtchn_kvm_begin_reset(s);
    }
    do {
        BQL_LOCK_GUARD();
        ret = reset_piece(s, resuming);
        resuming = true;
    } while (ret == -EVTCHN_ERESTART);
    xen_evtchn_kvm_end_reset(s);
    return ret;
}

int xen_evtchn_reset_now(XenEvtchnState *s)
{
    /* Of a vCPU that waits for the BQL between two pieces we do the rest. */
    bool resuming = s->reset_under_way;
    int ret;

    xen_evtchn_kvm_begin_reset(s);
    do {
        ret = reset_piece(s, resuming);
        resuming = true;
    } while (ret == -EVTCHN_ERESTART);
    xen_evtchn_kvm_end_reset(s);
    return ret;
}

/* Here are the operations that take more than the model. */
int xen_evtchn_op(unsigned int cmd, void *arg)
{
    XenEvtchnState *s = xen_evtchn_singleton;

    if (!s) {
        return -ENOTSUP;
    }
    switch (cmd) {
    case EVTCHNOP_init_control:
        return op_switch(s, s->stream.fifo, cmd, arg);
    case EVTCHNOP_register_3level:
        return op_switch(s, s->stream.three_level, cmd, arg);
    case EVTCHNOP_expand_array:
    case EVTCHNOP_set_priority:
        /* Xen without FIFO refuses all three in this way, the model the first. */
        return s->stream.fifo ? model_op(s, cmd, arg) : -XEN_EOPNOTSUPP;
    case EVTCHNOP_bind_pirq:
        return op_bind_pirq(s, arg);
    case EVTCHNOP_reset:
    case EVTCHNOP_reset_cont:
        return op_reset(s, cmd == EVTCHNOP_reset_cont, arg);
    default:
        return model_op(s, cmd, arg);
    }
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
    RCU_READ_LOCK_GUARD();
    return evtchn_poll(xen_evtchn_singleton->guest, vcpu, ports, nr_ports);
}

bool xen_evtchn_vcpu_polls(uint32_t vcpu)
{
    RCU_READ_LOCK_GUARD();
    return evtchn_vcpu_polls(xen_evtchn_singleton->guest, vcpu);
}

void xen_evtchn_poll_cancel(uint32_t vcpu)
{
    RCU_READ_LOCK_GUARD();
    evtchn_poll_cancel(xen_evtchn_singleton->guest, vcpu);
}
