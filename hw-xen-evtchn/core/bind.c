/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_alloc_unbound, bind_interdomain, bind_virq, bind_ipi, bind_pirq,
 * bind_vcpu.
 */

#include "delivery.h"

void evtchn_binding_changed(struct evtchn_domain *d, uint32_t port,
                            enum evtchn_state was)
{
    struct evtchn *chn = evtchn_of_port(d, port);
    struct evtchn_port_info info;

    if (d->env->binding_changed) {
        evtchn_describe(chn, evtchn_load(&chn->binding), &info);
        if (was == EVTCHN_PIRQ || was == EVTCHN_VIRQ) {
            info.irq = chn->irq;
        }
        d->env->binding_changed(d->opaque, port, was, &info);
    }
}

uint32_t evtchn_new_binding(const struct evtchn_domain *d, uint32_t port,
                            enum evtchn_state state, uint32_t vcpu)
{
    unsigned int queue = d->abi == EVTCHN_ABI_FIFO
                             ? EVTCHN_FIFO_PRIORITY_DEFAULT
                             : (port * UINT32_C(0x9e3779b1)) >> 29;

    /* A host has no vCPUs: their numbers only spread its ports over locks. */
    if (d->abi == EVTCHN_ABI_HOST) {
        vcpu = port % d->nr_vcpus;
    }
    return evtchn_binding(vcpu, state, d->abi, queue);
}

/*
 * Make @port, allocated and closed, a @state port.  The event lock is enough,
 * as no sender uses a closed port.
 */
static void port_init(struct evtchn_domain *d, uint32_t port,
                      enum evtchn_state state, uint32_t vcpu,
                      struct evtchn_domain *remote, uint32_t number)
{
    struct evtchn *chn = evtchn_of_port(d, port);

    evtchn_store(&chn->remote, remote);
    evtchn_store(&chn->number, number);
    /* Last: from here on senders use the port. */
    evtchn_store(&chn->binding, evtchn_new_binding(d, port, state, vcpu));
}

/*
 * Allocate a port and bind it to an IPI, VIRQ or PIRQ.  @slot, of the latter
 * two, gets the port's number.
 */
static int bind_local(struct evtchn_domain *d, enum evtchn_state state,
                      uint32_t vcpu, uint32_t irq, uint32_t *slot,
                      uint32_t *port)
{
    uint32_t new_port;
    int rc;

    evtchn_event_lock(d);
    rc = slot && *slot ? -XEN_EEXIST : evtchn_allocate_port(d, &new_port);
    if (!rc) {
        port_init(d, new_port, state, vcpu, NULL, irq);
        if (slot) {
            evtchn_store(slot, new_port);
        }
        evtchn_binding_changed(d, new_port, EVTCHN_CLOSED);
        *port = new_port;
    }
    evtchn_event_unlock(d);
    return rc;
}

int evtchn_alloc_unbound(struct evtchn_domain *caller, uint16_t dom,
                         uint16_t remote_dom, uint32_t *port)
{
    struct evtchn_domain *d = evtchn_domain_get(caller, dom);
    uint32_t new_port;
    int rc;

    if (!d) {
        return -XEN_ESRCH;
    }
    evtchn_event_lock(d);
    rc = evtchn_allocate_port(d, &new_port);
    if (rc) {
        goto out;
    }
    /* Xen asks its policy only now: the error of a full table comes first. */
    if (!evtchn_may_control(caller, d)) {
        evtchn_release_port(d, new_port);
        rc = -XEN_EPERM;
        goto out;
    }
    /* DOMID_SELF means the caller, even if @dom is another domain. */
    port_init(d, new_port, EVTCHN_UNBOUND, 0, NULL,
              remote_dom == DOMID_SELF ? caller->domid : remote_dom);
    evtchn_binding_changed(d, new_port, EVTCHN_CLOSED);
    *port = new_port;

 out:
    evtchn_event_unlock(d);
    evtchn_domain_put(caller, d);
    return rc;
}

int evtchn_bind_interdomain(struct evtchn_domain *d, uint16_t remote_dom,
                            uint32_t remote_port, uint32_t *port)
{
    struct evtchn_domain *rd = evtchn_domain_get(d, remote_dom);
    struct evtchn_locked locked;
    struct evtchn *peer;
    uint32_t new_port;
    int rc;

    if (!rd) {
        return -XEN_ESRCH;
    }
    evtchn_event_lock_two(d, rd);
    rc = evtchn_allocate_port(d, &new_port);
    if (rc) {
        goto out;
    }
    peer = evtchn_from_port(rd, remote_port);
    if (!peer || evtchn_state(peer) != EVTCHN_UNBOUND ||
        peer->remote_domid != d->domid || rd->dying) {
        evtchn_release_port(d, new_port);
        rc = -XEN_EINVAL;
        goto out;
    }
    /* The new end first: a sender that finds the peer bound must find it. */
    port_init(d, new_port, EVTCHN_INTERDOMAIN, 0, rd, remote_port);
    evtchn_port_lock(rd, peer, &locked);
    evtchn_store(&peer->remote, d);
    evtchn_store(&peer->remote_port, new_port);
    evtchn_port_change(&locked, evtchn_with_state(locked.binding,
                                                  EVTCHN_INTERDOMAIN));
    evtchn_port_unlock(&locked);

    /* What the peer's domain sent while its port was unbound is lost. */
    evtchn_raise_bound(d, new_port, evtchn_of_port(d, new_port),
                       EVTCHN_NEW_EVENT);
    evtchn_binding_changed(d, new_port, EVTCHN_CLOSED);
    evtchn_binding_changed(rd, remote_port, EVTCHN_UNBOUND);
    *port = new_port;

 out:
    evtchn_event_unlock_two(d, rd);
    evtchn_domain_put(d, rd);
    return rc;
}

bool evtchn_virq_is_global(uint32_t virq)
{
    switch (virq) {
    case VIRQ_TIMER:
    case VIRQ_DEBUG:
    case VIRQ_XENOPROF:
    case VIRQ_XENPMU:
        return false;
    default:
        return true;
    }
}

uint32_t *evtchn_virq_slot(struct evtchn_domain *d, uint32_t vcpu,
                           uint32_t virq)
{
    struct evtchn_vcpu *v;

    if (virq >= EVTCHN_NR_VIRQS) {
        return NULL;
    }
    /* A global VIRQ is vCPU 0's, even if bind_vcpu has moved its port. */
    v = evtchn_vcpu(d, evtchn_virq_is_global(virq) ? 0 : vcpu);
    return v ? &v->virq_port[virq] : NULL;
}

int evtchn_bind_virq(struct evtchn_domain *d, uint32_t virq, uint32_t vcpu,
                     uint32_t *port)
{
    if (virq >= EVTCHN_NR_VIRQS || (evtchn_virq_is_global(virq) && vcpu)) {
        return -XEN_EINVAL;
    }
    if (!evtchn_vcpu(d, vcpu)) {
        return -XEN_ENOENT;
    }
    return bind_local(d, EVTCHN_VIRQ, vcpu, virq,
                      evtchn_virq_slot(d, vcpu, virq), port);
}

int evtchn_bind_ipi(struct evtchn_domain *d, uint32_t vcpu, uint32_t *port)
{
    if (!evtchn_vcpu(d, vcpu)) {
        return -XEN_ENOENT;
    }
    return bind_local(d, EVTCHN_IPI, vcpu, 0, NULL, port);
}

int evtchn_bind_pirq(struct evtchn_domain *d, uint32_t pirq, uint32_t flags,
                     uint32_t *port)
{
    /* BIND_PIRQ__WILL_SHARE says nothing about an HVM guest's PIRQ. */
    (void)flags;

    if (pirq >= d->nr_pirqs) {
        return -XEN_EINVAL;
    }
    return bind_local(d, EVTCHN_PIRQ, 0, pirq, &d->pirq_port[pirq], port);
}

static bool is_movable(const struct evtchn *chn)
{
    switch (evtchn_state(chn)) {
    case EVTCHN_UNBOUND:
    case EVTCHN_INTERDOMAIN:
    case EVTCHN_PIRQ:
        return true;
    case EVTCHN_VIRQ:
        return evtchn_virq_is_global(chn->irq);
    default:
        return false;
    }
}

int evtchn_bind_vcpu(struct evtchn_domain *d, uint32_t port, uint32_t vcpu)
{
    struct evtchn *chn;
    int rc = -XEN_EINVAL;

    if (!evtchn_vcpu(d, vcpu)) {
        return -XEN_ENOENT;
    }
    chn = evtchn_from_port(d, port);
    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_event_lock(d);
    if (is_movable(chn)) {
        struct evtchn_locked locked;
        uint32_t b, was;

        /* The lock waits for a delivery to the old vCPU. */
        evtchn_port_lock(d, chn, &locked);
        b = locked.binding;
        was = binding_vcpu(b);
        evtchn_port_change(&locked, evtchn_with_vcpu(b, vcpu));
        evtchn_port_unlock(&locked);
        if (was != vcpu) {
            /* The new vCPU may have the memory that the old one lacks. */
            evtchn_retry(d, port, port + 1);
            evtchn_binding_changed(d, port, binding_state(b));
        }
        rc = 0;
    }
    evtchn_event_unlock(d);
    return rc;
}
