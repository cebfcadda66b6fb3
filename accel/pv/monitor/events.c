/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_event_channel_op.  What is between the guest's own vCPUs never leaves
 * the machine: the model carries it out, in here.
 */

#include "events.h"

#ifndef EVTCHNOP_reset_cont
#define EVTCHNOP_reset_cont 14
#endif

/* L0 answers with the error that Xen has for one without rights. */
static long of_other_domain(unsigned int cmd, uint64_t arg)
{
    return l0_call(__HYPERVISOR_event_channel_op, cmd, l0_pointer(arg), 0, 0, 0);
}

static long bind_vcpu(struct evtchn_bind_vcpu *bind)
{
    long result = evtchn_op(guest_events, EVTCHNOP_bind_vcpu, bind);

    if (!result && is_l0_port(bind->port)) {
        move_l0_port(bind->port, bind->vcpu);
    }
    return result;
}

static long status(struct evtchn_status *status)
{
    struct evtchn_status own = *status;
    long result = evtchn_op(guest_events, EVTCHNOP_status, &own);

    if (result || !is_l0_port(status->port)) {
        *status = own;
        return result;
    }
    result = status_l0_port(status);
    status->vcpu = own.vcpu;
    return result;
}

/*
 * In pieces, between which upcalls come, and ports may be bound anew.  L0's are closed
 * first: a number that the model has given again must not be one of them.
 */
static long reset(uint64_t *args, struct evtchn_reset *reset)
{
    long result;

    if (args[0] == EVTCHNOP_reset && !begin_l0_reset()) {
        return -XEN_EBUSY;
    }
    result = evtchn_op(guest_events, args[0], reset);
    if (result == -EVTCHN_ERESTART) {
        args[0] = EVTCHNOP_reset_cont;
        return CALL_AGAIN;
    }
    /* Else there was none to continue. */
    if (result != -XEN_EBUSY) {
        end_l0_reset();
    }
    return result;
}

/* @arg is a copy of the guest's, at @args[1]. */
static long carry_out(uint64_t *args, void *arg)
{
    unsigned int cmd = args[0];

    switch (cmd) {
    case EVTCHNOP_alloc_unbound: {
        struct evtchn_alloc_unbound *alloc = arg;

        if (!is_self(alloc->dom)) {
            return of_other_domain(cmd, args[1]);
        }
        if (!is_self(alloc->remote_dom)) {
            return bind_l0_port(cmd, arg, &alloc->port);
        }
        break;
    }
    case EVTCHNOP_bind_interdomain: {
        struct evtchn_bind_interdomain *bind = arg;

        if (!is_self(bind->remote_dom)) {
            return bind_l0_port(cmd, arg, &bind->local_port);
        }
        break;
    }
    case EVTCHNOP_bind_pirq:
        /* The machine's interrupts are not the guest's. */
        return ((struct evtchn_bind_pirq *)arg)->pirq < MAX_PIRQS ?
               -XEN_EPERM : -XEN_EINVAL;
    case EVTCHNOP_send:
        if (is_l0_port(((struct evtchn_send *)arg)->port)) {
            return send_l0_port(((struct evtchn_send *)arg)->port);
        }
        break;
    case EVTCHNOP_close:
        if (is_l0_port(((struct evtchn_close *)arg)->port)) {
            return close_l0_port(((struct evtchn_close *)arg)->port);
        }
        break;
    case EVTCHNOP_bind_vcpu:
        return bind_vcpu(arg);
    case EVTCHNOP_status:
        if (!is_self(((struct evtchn_status *)arg)->dom)) {
            return of_other_domain(cmd, args[1]);
        }
        return status(arg);
    case EVTCHNOP_reset:
    case EVTCHNOP_reset_cont:
        if (!is_self(((struct evtchn_reset *)arg)->dom)) {
            return of_other_domain(cmd, args[1]);
        }
        return reset(args, arg);
    case EVTCHNOP_expand_array:
    case EVTCHNOP_set_priority:
        /* Xen without FIFO refuses these too. */
        if (!boot->fifo) {
            return -XEN_EOPNOTSUPP;
        }
        break;
    }
    return evtchn_op(guest_events, cmd, arg);
}

long call_event_channel_op(uint64_t *args)
{
    uint64_t arg[8];
    bool copy_back;
    size_t size = evtchn_op_size((unsigned int)args[0], &copy_back);
    long result;

    args[0] = (unsigned int)args[0];
    if (!size || size > sizeof(arg)) {
        return -XEN_ENOSYS;
    }
    if (copy_from_guest(arg, args[1], size)) {
        return -XEN_EFAULT;
    }
    result = guest_events ? carry_out(args, arg) : l0_event_op(args[0], arg);
    if (!result && copy_back && copy_to_guest(args[1], arg, size)) {
        return -XEN_EFAULT;
    }
    return result;
}

/* As kernels before Linux 2.6.18 have it: command and argument in one structure. */
long call_event_channel_op_compat(uint64_t arg)
{
    struct evtchn_op op;
    uint64_t args[2];

    if (copy_from_guest(&op, arg, sizeof(op))) {
        return -XEN_EFAULT;
    }
    if (op.cmd > EVTCHNOP_unmask) {
        return -XEN_ENOSYS;
    }
    args[0] = op.cmd;
    args[1] = arg + offsetof(struct evtchn_op, u);
    return call_event_channel_op(args);
}
