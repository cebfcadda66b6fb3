/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A port's state, for EVTCHNOP_status, a monitor and env->binding_changed(). */

#include "delivery.h"

void evtchn_describe(const struct evtchn *chn, uint32_t binding,
                     struct evtchn_port_info *info)
{
    memset(info, 0, sizeof(*info));
    info->state = binding_state(binding);
    info->abi = binding_abi(binding);
    info->vcpu = binding_vcpu(binding);
    if (info->abi == EVTCHN_ABI_FIFO) {
        info->priority = binding_queue(binding);
    }
    switch (info->state) {
    case EVTCHN_UNBOUND:
        info->remote_domid = chn->remote_domid;
        break;
    case EVTCHN_INTERDOMAIN:
        info->remote_domid = chn->remote->domid;
        info->remote_port = chn->remote_port;
        break;
    case EVTCHN_PIRQ:
    case EVTCHN_VIRQ:
        info->irq = chn->irq;
        break;
    default:
        break;
    }
}

int evtchn_port_info(struct evtchn_domain *d, uint32_t port,
                     struct evtchn_port_info *info)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    const struct evtchn_abi_ops *ops;
    struct evtchn_locked locked;

    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_port_lock(d, chn, &locked);
    evtchn_describe(chn, locked.binding, info);
    ops = evtchn_ops(locked.binding);
    if (evtchn_is_bound(info->state)) {
        info->pending = ops->is_pending(d, port);
        info->masked = ops->is_masked(d, port);
    }
    if (ops->inspect) {
        ops->inspect(d, port, info);
    }
    evtchn_port_unlock(&locked);
    return 0;
}
