/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains: creation and destruction. */

#include "change_abi.h"

void *evtchn_alloc(struct evtchn_domain *d, size_t size)
{
    void *ptr = d->env->alloc(d->opaque, size);

    if (ptr) {
        evtchn_store(&d->memory, d->memory + size);
    }
    return ptr;
}

void evtchn_free(struct evtchn_domain *d, void *ptr, size_t size)
{
    evtchn_store(&d->memory, d->memory - size);
    d->env->free(d->opaque, ptr, size);
}

size_t evtchn_domain_memory(const struct evtchn_domain *d)
{
    return evtchn_load(&d->memory);
}

static size_t polling_size(const struct evtchn_domain *d)
{
    return (d->nr_vcpus + 63) / 64 * sizeof(*d->polling);
}

/* Free @d's memory; it is out of the hub, and its ports are closed. */
static void domain_free(struct evtchn_domain *d)
{
    const struct evtchn_env *env = d->env;

    evtchn_free_ports(d);
    if (d->fifo) {
        evtchn_free(d, d->fifo, sizeof(*d->fifo));
    }
    if (d->bitmaps) {
        evtchn_free(d, d->bitmaps, sizeof(*d->bitmaps));
    }
    if (d->polling) {
        evtchn_free(d, d->polling, polling_size(d));
    }
    if (d->pirq_port) {
        evtchn_free(d, d->pirq_port, d->nr_pirqs * sizeof(*d->pirq_port));
    }
    if (d->vcpus) {
        evtchn_free(d, d->vcpus, d->nr_vcpus * sizeof(*d->vcpus));
    }
    if (d->event_lock) {
        env->lock_destroy(d->event_lock);
        evtchn_free(d, d->event_lock, env->lock_size);
    }
    env->free(d->opaque, d, sizeof(*d));
}

static int domain_allocate(struct evtchn_domain *d)
{
    uint32_t port;
    uint32_t i;
    int rc;

    d->event_lock = evtchn_alloc(d, d->env->lock_size);
    if (!d->event_lock) {
        return -XEN_ENOMEM;
    }
    d->env->lock_init(d->event_lock);

    d->vcpus = evtchn_alloc(d, d->nr_vcpus * sizeof(*d->vcpus));
    if (!d->vcpus) {
        return -XEN_ENOMEM;
    }
    for (i = 0; i < d->nr_vcpus; i++) {
        d->vcpus[i].gfn = EVTCHN_INVALID_GFN;
    }
    d->polling = evtchn_alloc(d, polling_size(d));
    if (!d->polling) {
        return -XEN_ENOMEM;
    }
    if (d->nr_pirqs) {
        d->pirq_port = evtchn_alloc(d, d->nr_pirqs * sizeof(*d->pirq_port));
        if (!d->pirq_port) {
            return -XEN_ENOMEM;
        }
    }
    /* Port 0 is never bound: FIFO ends its queues with it. */
    rc = evtchn_allocate_port(d, &port);
    if (rc) {
        return rc;
    }
    evtchn_store(&evtchn_of_port(d, port)->binding,
                 evtchn_new_binding(d, port, EVTCHN_RESERVED, 0));
    d->active_ports = 0;
    return 0;
}

int evtchn_domain_create(struct evtchn_hub *hub,
                         const struct evtchn_domain_config *config,
                         const struct evtchn_env *env, void *opaque,
                         struct evtchn_domain **domain)
{
    struct evtchn_domain *d;
    int rc;

    if (config->domid >= DOMID_FIRST_RESERVED ||
        config->nr_vcpus < 1 || config->nr_vcpus > UINT16_MAX ||
        config->max_ports < 2 || config->max_ports > EVTCHN_MAX_PORTS ||
        config->nr_pirqs > EVTCHN_MAX_PORTS ||
        (config->host && !env->notify)) {
        return -XEN_EINVAL;
    }
    d = env->alloc(opaque, sizeof(*d));
    if (!d) {
        return -XEN_ENOMEM;
    }
    d->env = env;
    d->opaque = opaque;
    d->hub = hub;
    d->memory = sizeof(*d);
    d->domid = config->domid;
    d->privileged = config->privileged;
    d->fifo_offered = config->fifo && !config->host;
    d->three_level_offered = config->three_level && !config->host &&
                             evtchn_abis[EVTCHN_ABI_3L];
    d->abi = config->host ? EVTCHN_ABI_HOST : EVTCHN_ABI_2L;
    d->word_bits = 64;
    d->max_ports = config->max_ports;
    d->nr_vcpus = config->nr_vcpus;
    d->nr_pirqs = config->nr_pirqs;

    rc = domain_allocate(d);
    if (!rc) {
        rc = evtchn_hub_add(hub, d);
    }
    if (rc) {
        domain_free(d);
        return rc;
    }
    *domain = d;
    return 0;
}

void evtchn_domain_destroy(struct evtchn_domain *d)
{
    unsigned int spins = 0;
    uint32_t port;

    evtchn_hub_remove(d->hub, d);

    /* An operation of another domain that found @d may still bind to it... */
    evtchn_event_lock(d);
    evtchn_store(&d->dying, 1);
    evtchn_event_unlock(d);
    /* ...until it sees "dying", and then gives its reference back. */
    while (evtchn_load(&d->refs)) {
        d->env->relax(spins++);
    }
    for (port = 1; port < d->valid_ports; port++) {
        evtchn_close(d, port);
    }
    /* A peer that closed its end of a channel may still hold a reference. */
    while (evtchn_load(&d->refs)) {
        d->env->relax(spins++);
    }
    /* A sender in a peer may have read @d's ports just before they closed. */
    if (d->env->synchronize) {
        d->env->synchronize(d->opaque);
    }
    evtchn_event_lock(d);
    if (evtchn_abi_is_extended(d->abi)) {
        evtchn_back_to_2l(d);
    }
    evtchn_event_unlock(d);
    domain_free(d);
}

enum evtchn_abi evtchn_domain_abi(const struct evtchn_domain *d)
{
    return evtchn_load(&d->abi);
}

uint16_t evtchn_domain_id(const struct evtchn_domain *d)
{
    return d->domid;
}
