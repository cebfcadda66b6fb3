/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_event_channel_op: from a guest's argument to the operation. */

#include "model.h"

#ifndef EVTCHNOP_reset_cont
#define EVTCHNOP_reset_cont 14
#endif

size_t evtchn_op_size(unsigned int cmd, bool *copy_back)
{
    *copy_back = false;
    switch (cmd) {
    case EVTCHNOP_bind_interdomain:
        *copy_back = true;
        return sizeof(struct evtchn_bind_interdomain);
    case EVTCHNOP_bind_virq:
        *copy_back = true;
        return sizeof(struct evtchn_bind_virq);
    case EVTCHNOP_bind_pirq:
        *copy_back = true;
        return sizeof(struct evtchn_bind_pirq);
    case EVTCHNOP_close:
        return sizeof(struct evtchn_close);
    case EVTCHNOP_send:
        return sizeof(struct evtchn_send);
    case EVTCHNOP_status:
        *copy_back = true;
        return sizeof(struct evtchn_status);
    case EVTCHNOP_alloc_unbound:
        *copy_back = true;
        return sizeof(struct evtchn_alloc_unbound);
    case EVTCHNOP_bind_ipi:
        *copy_back = true;
        return sizeof(struct evtchn_bind_ipi);
    case EVTCHNOP_bind_vcpu:
        return sizeof(struct evtchn_bind_vcpu);
    case EVTCHNOP_unmask:
        return sizeof(struct evtchn_unmask);
    case EVTCHNOP_reset:
    case EVTCHNOP_reset_cont:
        return sizeof(struct evtchn_reset);
    case EVTCHNOP_init_control:
        *copy_back = true;
        return sizeof(struct evtchn_init_control);
    case EVTCHNOP_expand_array:
        return sizeof(struct evtchn_expand_array);
    case EVTCHNOP_set_priority:
        return sizeof(struct evtchn_set_priority);
    case EVTCHNOP_query_extended_abis:
        *copy_back = true;
        return sizeof(struct evtchn_query_extended_abis);
    case EVTCHNOP_register_3level:
        return sizeof(struct evtchn_register_3level);
    default:
        return 0;
    }
}

static int op_status(struct evtchn_domain *caller, struct evtchn_status *status)
{
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
    evtchn_domain_put(d);
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

static int op_reset(struct evtchn_domain *caller, uint16_t dom, bool resuming)
{
    struct evtchn_domain *d = evtchn_domain_get(caller, dom);
    int rc;

    if (!d) {
        return -XEN_ESRCH;
    }
    rc = evtchn_may_control(caller, d)
             ? evtchn_reset_some(d, resuming, EVTCHN_RESET_BUDGET)
             : -XEN_EPERM;
    evtchn_domain_put(d);
    return rc;
}

static bool read_guest(struct evtchn_domain *d, uint64_t addr, void *buf,
                       size_t size)
{
    return d->env->read_guest && d->env->read_guest(d->opaque, addr, buf, size);
}

static int op_register_3level(struct evtchn_domain *d,
                              const struct evtchn_register_3level *reg)
{
    uint64_t gfns[2 * MAX_BITMAP_PAGES];
    uint32_t nr_pages = reg->u.bitmaps.nr_pages;
    size_t size;

    if (!d->three_level_offered) {
        return -XEN_EPERM;
    }
    switch (reg->cmd) {
    case EVTCHN_3L_BITMAPS:
        if (nr_pages != EVTCHN_3L_NR_PAGES(evtchn_load(&d->word_bits))) {
            return -XEN_EINVAL;
        }
        size = nr_pages * sizeof(*gfns);
        if (!read_guest(d, reg->u.bitmaps.pending_gfns, gfns, size) ||
            !read_guest(d, reg->u.bitmaps.mask_gfns, gfns + nr_pages, size)) {
            return -XEN_EFAULT;
        }
        return evtchn_register_bitmaps(d, gfns, nr_pages);
    case EVTCHN_3L_L2_SELECTOR:
        return evtchn_register_l2_selector(d, reg->u.l2_selector.vcpu,
                                           reg->u.l2_selector.gfn,
                                           reg->u.l2_selector.offset);
    default:
        return -XEN_EINVAL;
    }
}

int evtchn_op(struct evtchn_domain *d, unsigned int cmd, void *arg)
{
    switch (cmd) {
    case EVTCHNOP_bind_interdomain: {
        struct evtchn_bind_interdomain *bind = arg;

        return evtchn_bind_interdomain(d, bind->remote_dom, bind->remote_port,
                                       &bind->local_port);
    }
    case EVTCHNOP_bind_virq: {
        struct evtchn_bind_virq *bind = arg;

        return evtchn_bind_virq(d, bind->virq, bind->vcpu, &bind->port);
    }
    case EVTCHNOP_bind_pirq: {
        struct evtchn_bind_pirq *bind = arg;

        return evtchn_bind_pirq(d, bind->pirq, bind->flags, &bind->port);
    }
    case EVTCHNOP_close:
        return evtchn_close(d, ((struct evtchn_close *)arg)->port);
    case EVTCHNOP_send:
        return evtchn_send(d, ((struct evtchn_send *)arg)->port);
    case EVTCHNOP_status:
        return op_status(d, arg);
    case EVTCHNOP_alloc_unbound: {
        struct evtchn_alloc_unbound *alloc = arg;

        return evtchn_alloc_unbound(d, alloc->dom, alloc->remote_dom,
                                    &alloc->port);
    }
    case EVTCHNOP_bind_ipi: {
        struct evtchn_bind_ipi *bind = arg;

        return evtchn_bind_ipi(d, bind->vcpu, &bind->port);
    }
    case EVTCHNOP_bind_vcpu: {
        struct evtchn_bind_vcpu *bind = arg;

        return evtchn_bind_vcpu(d, bind->port, bind->vcpu);
    }
    case EVTCHNOP_unmask:
        return evtchn_unmask(d, ((struct evtchn_unmask *)arg)->port);
    case EVTCHNOP_reset:
    case EVTCHNOP_reset_cont:
        return op_reset(d, ((struct evtchn_reset *)arg)->dom,
                        cmd == EVTCHNOP_reset_cont);
    case EVTCHNOP_init_control: {
        struct evtchn_init_control *init = arg;

        return evtchn_init_control(d, init->control_gfn, init->offset,
                                   init->vcpu, &init->link_bits);
    }
    case EVTCHNOP_expand_array:
        return evtchn_expand_array(d,
                            ((struct evtchn_expand_array *)arg)->array_gfn);
    case EVTCHNOP_set_priority: {
        struct evtchn_set_priority *set = arg;

        return evtchn_set_priority(d, set->port, set->priority);
    }
    case EVTCHNOP_query_extended_abis:
        ((struct evtchn_query_extended_abis *)arg)->abis =
            evtchn_extended_abis(d);
        return 0;
    case EVTCHNOP_register_3level:
        return op_register_3level(d, arg);
    default:
        return -XEN_ENOSYS;
    }
}
