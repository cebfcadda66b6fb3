/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_event_channel_op: calls the operation for a guest's argument. */

#include "delivery.h"
#include "event_3l.h"

#ifndef EVTCHNOP_reset_cont
#define EVTCHNOP_reset_cont 14
#endif

static int op_bind_interdomain(struct evtchn_domain *d, void *arg)
{
    struct evtchn_bind_interdomain *bind = arg;

    return evtchn_bind_interdomain(d, bind->remote_dom, bind->remote_port,
                                   &bind->local_port);
}

static int op_bind_virq(struct evtchn_domain *d, void *arg)
{
    struct evtchn_bind_virq *bind = arg;

    return evtchn_bind_virq(d, bind->virq, bind->vcpu, &bind->port);
}

static int op_bind_pirq(struct evtchn_domain *d, void *arg)
{
    struct evtchn_bind_pirq *bind = arg;

    return evtchn_bind_pirq(d, bind->pirq, bind->flags, &bind->port);
}

static int op_close(struct evtchn_domain *d, void *arg)
{
    return evtchn_close(d, ((struct evtchn_close *)arg)->port);
}

static int op_send(struct evtchn_domain *d, void *arg)
{
    return evtchn_send(d, ((struct evtchn_send *)arg)->port);
}

static int op_status(struct evtchn_domain *caller, void *arg)
{
    struct evtchn_status *status = arg;
    struct evtchn_domain *d = evtchn_domain_get(caller, status->dom);
    struct evtchn_port_info info;
    int rc;

    if (!d) {
        return -XEN_ESRCH;
    }
    rc = evtchn_port_info(d, status->port, &info);
    if (!rc && !evtchn_may_control(caller, d)) {
        rc = -XEN_EPERM;
    }
    evtchn_domain_put(caller, d);
    if (rc) {
        return rc;
    }
    status->status = info.state;
    status->vcpu = info.vcpu;
    switch (info.state) {
    case EVTCHN_UNBOUND:
        status->u.unbound.dom = info.remote_domid;
        break;
    case EVTCHN_INTERDOMAIN:
        status->u.interdomain.dom = info.remote_domid;
        status->u.interdomain.port = info.remote_port;
        break;
    case EVTCHN_PIRQ:
        status->u.pirq = info.irq;
        break;
    case EVTCHN_VIRQ:
        status->u.virq = info.irq;
        break;
    case EVTCHN_RESERVED:
        status->status = EVTCHNSTAT_closed;
        break;
    default:
        break;
    }
    return 0;
}

static int op_alloc_unbound(struct evtchn_domain *d, void *arg)
{
    struct evtchn_alloc_unbound *alloc = arg;

    return evtchn_alloc_unbound(d, alloc->dom, alloc->remote_dom, &alloc->port);
}

static int op_bind_ipi(struct evtchn_domain *d, void *arg)
{
    struct evtchn_bind_ipi *bind = arg;

    return evtchn_bind_ipi(d, bind->vcpu, &bind->port);
}

static int op_bind_vcpu(struct evtchn_domain *d, void *arg)
{
    struct evtchn_bind_vcpu *bind = arg;

    return evtchn_bind_vcpu(d, bind->port, bind->vcpu);
}

static int op_unmask(struct evtchn_domain *d, void *arg)
{
    return evtchn_unmask(d, ((struct evtchn_unmask *)arg)->port);
}

static int reset(struct evtchn_domain *caller, uint16_t dom, bool resuming)
{
    struct evtchn_domain *d = evtchn_domain_get(caller, dom);
    int rc;

    if (!d) {
        return -XEN_ESRCH;
    }
    rc = evtchn_may_control(caller, d)
             ? evtchn_reset_some(d, resuming, EVTCHN_RESET_BUDGET)
             : -XEN_EPERM;
    evtchn_domain_put(caller, d);
    return rc;
}

static int op_reset(struct evtchn_domain *d, void *arg)
{
    return reset(d, ((struct evtchn_reset *)arg)->dom, false);
}

static int op_reset_cont(struct evtchn_domain *d, void *arg)
{
    return reset(d, ((struct evtchn_reset *)arg)->dom, true);
}

static int op_init_control(struct evtchn_domain *d, void *arg)
{
    struct evtchn_init_control *init = arg;

    return evtchn_init_control(d, init->control_gfn, init->offset, init->vcpu,
                               &init->link_bits);
}

static int op_expand_array(struct evtchn_domain *d, void *arg)
{
    return evtchn_expand_array(d,
                               ((struct evtchn_expand_array *)arg)->array_gfn);
}

static int op_set_priority(struct evtchn_domain *d, void *arg)
{
    struct evtchn_set_priority *set = arg;

    return evtchn_set_priority(d, set->port, set->priority);
}

static int op_query_extended_abis(struct evtchn_domain *d, void *arg)
{
    ((struct evtchn_query_extended_abis *)arg)->abis = evtchn_extended_abis(d);
    return 0;
}

/* Every command there is. */
static const struct op {
    uint16_t cmd;
    uint8_t size;           /* of the argument */
    bool copy_back;         /* to the guest, after success */
    int (*fn)(struct evtchn_domain *d, void *arg);
} ops[] = {
#define OP(name, copy_back) \
    { EVTCHNOP_##name, sizeof(struct evtchn_##name), copy_back, op_##name }
    OP(send, false),
    OP(unmask, false),
    OP(bind_interdomain, true),
    OP(bind_virq, true),
    OP(bind_pirq, true),
    OP(close, false),
    OP(status, true),
    OP(alloc_unbound, true),
    OP(bind_ipi, true),
    OP(bind_vcpu, false),
    OP(reset, false),
    { EVTCHNOP_reset_cont, sizeof(struct evtchn_reset), false, op_reset_cont },
    OP(init_control, true),
    OP(expand_array, false),
    OP(set_priority, false),
    OP(query_extended_abis, true),
#ifndef EVTCHN_NO_3LEVEL
    { EVTCHNOP_register_3level, sizeof(struct evtchn_register_3level), false,
      evtchn_3l_op_register },
#endif
#undef OP
};

static const struct op *find_op(unsigned int cmd)
{
    size_t i;

    for (i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
        if (ops[i].cmd == cmd) {
            return &ops[i];
        }
    }
    return NULL;
}

size_t evtchn_op_size(unsigned int cmd, bool *copy_back)
{
    const struct op *op = find_op(cmd);

    *copy_back = op && op->copy_back;
    return op ? op->size : 0;
}

int evtchn_op(struct evtchn_domain *d, unsigned int cmd, void *arg)
{
    const struct op *op = find_op(cmd);

    return op ? op->fn(d, arg) : -XEN_ENOSYS;
}
