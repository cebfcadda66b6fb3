/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_alloc_unbound, bind_interdomain, bind_virq, bind_ipi, bind_pirq,
 * bind_vcpu: how a port comes to be something.
 */

#include "model.h"

void evtchn_binding_changed(struct evtchn_domain *d, uint32_t port,
                            struct evtchn *chn, enum evtchn_state was)
{
    struct evtchn_port_info info;

    if (d->env->binding_changed) {
        evtchn_describe(chn, &info);
        d->env->binding_changed(d->opaque, port, was, &info);
    }
}

/* Make @chn a @state port; its lock is held, and what it is bound to set. */
static void port_init(struct evtchn_domain *d, struct evtchn *chn,
                      enum evtchn_state state, uint32_t vcpu)
{
    const struct evtchn_port_ops *ops = evtchn_ops(d->abi);

    evtchn_store(&chn->abi, d->abi);
    evtchn_store(&chn->vcpu, vcpu);
    if (ops->init) {
        ops->init(chn);
    }
    evtchn_store(&chn->state, state);
}

/* Allocate a port and bind it to something of the domain's own. */
static int bind_local(struct evtchn_domain *d, enum evtchn_state state,
                      uint32_t vcpu, uint32_t irq, uint32_t *port)
{
    struct evtchn *chn;
    int rc = evtchn_allocate_port(d, port);

    if (rc) {
        return rc;
    }
    chn = evtchn_of_port(d, *port);
    evtchn_port_lock(d, chn);
    chn->irq = irq;
    port_init(d, chn, state, vcpu);
    evtchn_port_unlock(chn);
    return 0;
}

int evtchn_alloc_unbound(struct evtchn_domain *caller, uint16_t dom,
                         uint16_t remote_dom, uint32_t *port)
{
    struct evtchn_domain *d = evtchn_domain_get(caller, dom);
    struct evtchn *chn;
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
    /* Xen asks its policy only now, so a full table is told first. */
    if (!evtchn_may_control(caller, d)) {
        evtchn_release_port(d, new_port);
        rc = -XEN_EPERM;
        goto out;
    }
    chn = evtchn_of_port(d, new_port);
    evtchn_port_lock(d, chn);
    /* DOMID_SELF is the caller, even where @dom is not. */
    chn->remote_domid = remote_dom == DOMID_SELF ? caller->domid : remote_dom;
    port_init(d, chn, EVTCHN_UNBOUND, 0);
    evtchn_port_unlock(chn);
    evtchn_binding_changed(d, new_port, chn, EVTCHN_CLOSED);
    *port = new_port;

 out:
    evtchn_event_unlock(d);
    evtchn_domain_put(d);
    return rc;
}

int evtchn_bind_interdomain(struct evtchn_domain *d, uint16_t remote_dom,
                            uint32_t remote_port, uint32_t *port)
{
    struct evtchn_domain *rd = evtchn_domain_get(d, remote_dom);
    struct evtchn *chn, *peer;
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
    chn = evtchn_of_port(d, new_port);
    peer = evtchn_from_port(rd, remote_port);
    if (!peer || peer->state != EVTCHN_UNBOUND ||
        peer->remote_domid != d->domid || rd->dying) {
        evtchn_release_port(d, new_port);
        rc = -XEN_EINVAL;
        goto out;
    }
    evtchn_port_lock_two(d, chn, peer);
    chn->remote = rd;
    chn->remote_port = remote_port;
    port_init(d, chn, EVTCHN_INTERDOMAIN, 0);

    peer->remote = d;
    peer->remote_port = new_port;
    evtchn_store(&peer->state, EVTCHN_INTERDOMAIN);

    /* What was sent to us while the peer was unbound went nowhere. */
    evtchn_ops(chn->abi)->set_pending(d, new_port, chn);
    evtchn_port_unlock(chn);
    evtchn_port_unlock(peer);

    evtchn_binding_changed(d, new_port, chn, EVTCHN_CLOSED);
    evtchn_binding_changed(rd, remote_port, peer, EVTCHN_UNBOUND);
    *port = new_port;

 out:
    evtchn_event_unlock_two(d, rd);
    evtchn_domain_put(rd);
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
    /* A global one was bound to vCPU 0, wherever its events go now. */
    v = evtchn_vcpu(d, evtchn_virq_is_global(virq) ? 0 : vcpu);
    return v ? &v->virq_port[virq] : NULL;
}

int evtchn_bind_virq(struct evtchn_domain *d, uint32_t virq, uint32_t vcpu,
                     uint32_t *port)
{
    struct evtchn_vcpu *v;
    uint32_t new_port;
    int rc;

    if (virq >= EVTCHN_NR_VIRQS || (evtchn_virq_is_global(virq) && vcpu)) {
        return -XEN_EINVAL;
    }
    v = evtchn_vcpu(d, vcpu);
    if (!v) {
        return -XEN_ENOENT;
    }
    evtchn_event_lock(d);
    if (v->virq_port[virq]) {
        rc = -XEN_EEXIST;
        goto out;
    }
    rc = bind_local(d, EVTCHN_VIRQ, vcpu, virq, &new_port);
    if (rc) {
        goto out;
    }
    evtchn_store(&v->virq_port[virq], new_port);
    evtchn_binding_changed(d, new_port, evtchn_of_port(d, new_port),
                           EVTCHN_CLOSED);
    *port = new_port;

 out:
    evtchn_event_unlock(d);
    return rc;
}

int evtchn_bind_ipi(struct evtchn_domain *d, uint32_t vcpu, uint32_t *port)
{
    uint32_t new_port;
    int rc;

    if (!evtchn_vcpu(d, vcpu)) {
        return -XEN_ENOENT;
    }
    evtchn_event_lock(d);
    rc = bind_local(d, EVTCHN_IPI, vcpu, 0, &new_port);
    if (!rc) {
        evtchn_binding_changed(d, new_port, evtchn_of_port(d, new_port),
                               EVTCHN_CLOSED);
        *port = new_port;
    }
    evtchn_event_unlock(d);
    return rc;
}

int evtchn_bind_pirq(struct evtchn_domain *d, uint32_t pirq, uint32_t flags,
                     uint32_t *port)
{
    uint32_t new_port;
    int rc;

    /* BIND_PIRQ__WILL_SHARE says nothing about an HVM guest's PIRQ. */
    (void)flags;

    if (pirq >= d->nr_pirqs) {
        return -XEN_EINVAL;
    }
    evtchn_event_lock(d);
    if (d->pirq_port[pirq]) {
        rc = -XEN_EEXIST;
        goto out;
    }
    rc = bind_local(d, EVTCHN_PIRQ, 0, pirq, &new_port);
    if (rc) {
        goto out;
    }
    evtchn_store(&d->pirq_port[pirq], new_port);
    evtchn_binding_changed(d, new_port, evtchn_of_port(d, new_port),
                           EVTCHN_CLOSED);
    *port = new_port;

 out:
    evtchn_event_unlock(d);
    return rc;
}

int evtchn_bind_vcpu(struct evtchn_domain *d, uint32_t port, uint32_t vcpu)
{
    struct evtchn *chn;
    bool movable;

    if (!evtchn_vcpu(d, vcpu)) {
        return -XEN_ENOENT;
    }
    chn = evtchn_from_port(d, port);
    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_event_lock(d);
    movable = chn->state == EVTCHN_UNBOUND ||
              chn->state == EVTCHN_INTERDOMAIN ||
              chn->state == EVTCHN_PIRQ ||
              (chn->state == EVTCHN_VIRQ && evtchn_virq_is_global(chn->irq));
    if (movable && chn->vcpu != vcpu) {
        struct evtchn_vcpu *old = &d->vcpus[chn->vcpu];

        evtchn_port_lock(d, chn);
        /* Not in the middle of a delivery by bits; see bits_lock_vcpu(). */
        evtchn_spin_lock(d->env, &old->lock_bits);
        evtchn_store(&chn->vcpu, vcpu);
        evtchn_spin_unlock(&old->lock_bits);
        /* The new vCPU may have what the old one lacked. */
        evtchn_retry_pending(d, port, chn);
        evtchn_port_unlock(chn);
        evtchn_binding_changed(d, port, chn, chn->state);
    }
    evtchn_event_unlock(d);
    return movable ? 0 : -XEN_EINVAL;
}
