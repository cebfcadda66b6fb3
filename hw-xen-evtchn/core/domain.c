/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains, and the hub in which they find each other. */

#include "model.h"

#define DOMAINS_PER_CHUNK   256
#define NR_CHUNKS           (DOMID_FIRST_RESERVED / DOMAINS_PER_CHUNK + 1)

struct domain_chunk {
    struct evtchn_domain *domain[DOMAINS_PER_CHUNK];
};

struct evtchn_hub {
    const struct evtchn_env *env;
    void *opaque;
    void *lock;
    struct domain_chunk *chunk[NR_CHUNKS];
};

struct evtchn_hub *evtchn_hub_create(const struct evtchn_env *env, void *opaque)
{
    struct evtchn_hub *hub = env->alloc(opaque, sizeof(*hub));

    if (!hub) {
        return NULL;
    }
    hub->lock = env->alloc(opaque, env->lock_size);
    if (!hub->lock) {
        env->free(opaque, hub, sizeof(*hub));
        return NULL;
    }
    env->lock_init(hub->lock);
    hub->env = env;
    hub->opaque = opaque;
    return hub;
}

void evtchn_hub_destroy(struct evtchn_hub *hub)
{
    const struct evtchn_env *env = hub->env;
    unsigned int i;

    for (i = 0; i < NR_CHUNKS; i++) {
        if (hub->chunk[i]) {
            env->free(hub->opaque, hub->chunk[i], sizeof(*hub->chunk[i]));
        }
    }
    env->lock_destroy(hub->lock);
    env->free(hub->opaque, hub->lock, env->lock_size);
    env->free(hub->opaque, hub, sizeof(*hub));
}

static int hub_add(struct evtchn_hub *hub, struct evtchn_domain *d)
{
    struct domain_chunk **chunk = &hub->chunk[d->domid / DOMAINS_PER_CHUNK];
    struct evtchn_domain **slot;
    int rc = 0;

    hub->env->lock(hub->lock);
    if (!*chunk) {
        *chunk = hub->env->alloc(hub->opaque, sizeof(**chunk));
    }
    if (!*chunk) {
        rc = -XEN_ENOMEM;
    } else {
        slot = &(*chunk)->domain[d->domid % DOMAINS_PER_CHUNK];
        if (*slot) {
            rc = -XEN_EEXIST;
        } else {
            *slot = d;
        }
    }
    hub->env->unlock(hub->lock);
    return rc;
}

static void hub_remove(struct evtchn_hub *hub, struct evtchn_domain *d)
{
    hub->env->lock(hub->lock);
    hub->chunk[d->domid / DOMAINS_PER_CHUNK]
        ->domain[d->domid % DOMAINS_PER_CHUNK] = NULL;
    hub->env->unlock(hub->lock);
}

struct evtchn_domain *evtchn_domain_get(struct evtchn_domain *d,
                                        uint16_t domid)
{
    struct evtchn_hub *hub = d->hub;
    struct evtchn_domain *found = NULL;

    if (domid == DOMID_SELF || domid == d->domid) {
        found = d;
        evtchn_fetch_add(&found->refs, 1);
    } else if (domid < DOMID_FIRST_RESERVED) {
        hub->env->lock(hub->lock);
        if (hub->chunk[domid / DOMAINS_PER_CHUNK]) {
            found = hub->chunk[domid / DOMAINS_PER_CHUNK]
                        ->domain[domid % DOMAINS_PER_CHUNK];
        }
        if (found) {
            evtchn_fetch_add(&found->refs, 1);
        }
        hub->env->unlock(hub->lock);
    }
    return found;
}

void evtchn_domain_put(struct evtchn_domain *d)
{
    evtchn_fetch_add(&d->refs, -1);
}

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

/* Everything but the hub's entry and the ports' bindings. */
static void domain_free(struct evtchn_domain *d)
{
    const struct evtchn_env *env = d->env;

    evtchn_free_ports(d);
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
    evtchn_store(&evtchn_of_port(d, port)->state, EVTCHN_RESERVED);
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
    d->host = config->host;
    d->privileged = config->privileged;
    d->fifo_offered = config->fifo && !config->host;
    d->three_level_offered = config->three_level && !config->host;
    d->abi = config->host ? EVTCHN_ABI_HOST : EVTCHN_ABI_2L;
    d->word_bits = 64;
    d->max_ports = config->max_ports;
    d->nr_vcpus = config->nr_vcpus;
    d->nr_pirqs = config->nr_pirqs;

    rc = domain_allocate(d);
    if (!rc) {
        rc = hub_add(hub, d);
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

    hub_remove(d->hub, d);

    /* Who found us before that may still bind to a port of ours, until... */
    evtchn_event_lock(d);
    evtchn_store(&d->dying, 1);
    evtchn_event_unlock(d);
    /* ...it has given its reference back. */
    while (evtchn_load(&d->refs)) {
        d->env->relax(spins++);
    }
    for (port = 1; port < d->valid_ports; port++) {
        evtchn_close(d, port);
    }
    /* A peer that was closing its end held a reference meanwhile. */
    while (evtchn_load(&d->refs)) {
        d->env->relax(spins++);
    }
    evtchn_event_lock(d);
    if (evtchn_abi_is_extended(d->abi)) {
        evtchn_back_to_2l(d);
    }
    evtchn_event_unlock(d);
    if (d->env->synchronize) {
        d->env->synchronize(d->opaque);
    }
    domain_free(d);
}

static void lock_all_vcpus_bits(struct evtchn_domain *d)
{
    uint32_t i;

    for (i = 0; i < d->nr_vcpus; i++) {
        evtchn_spin_lock(d->env, &d->vcpus[i].lock_bits);
    }
}

static void unlock_all_vcpus_bits(struct evtchn_domain *d)
{
    uint32_t i;

    for (i = 0; i < d->nr_vcpus; i++) {
        evtchn_spin_unlock(&d->vcpus[i].lock_bits);
    }
}

void evtchn_domain_set_long_mode(struct evtchn_domain *d, bool long_mode)
{
    evtchn_event_lock(d);
    lock_all_vcpus_bits(d);
    evtchn_store(&d->word_bits, long_mode ? 64 : 32);
    unlock_all_vcpus_bits(d);
    /* Ports that were mute may have bits again. */
    evtchn_retry_all_pending(d, 1, d->valid_ports);
    evtchn_event_unlock(d);
}

void evtchn_domain_set_shared_info(struct evtchn_domain *d, void *shared_info)
{
    evtchn_event_lock(d);
    lock_all_vcpus_bits(d);
    evtchn_store(&d->shared_info, shared_info);
    unlock_all_vcpus_bits(d);
    if (shared_info) {
        evtchn_retry_all_pending(d, 1, d->valid_ports);
    }
    evtchn_event_unlock(d);
}

/* Does an event wait for an upcall to @v?  The event lock is held. */
static bool has_event(struct evtchn_domain *d, struct evtchn_vcpu *v)
{
    uint32_t port;

    switch (d->abi) {
    case EVTCHN_ABI_FIFO:
        return v->control && evtchn_load(&v->control->ready);
    case EVTCHN_ABI_3L:
        return evtchn_3l_is_selected(d, v);
    default:
        break;
    }
    for (port = 1; port < d->valid_ports; port++) {
        struct evtchn *chn = evtchn_of_port(d, port);

        if (evtchn_is_bound(chn->state) && &d->vcpus[chn->vcpu] == v &&
            evtchn_ops_2l.is_pending(d, port, chn) &&
            !evtchn_ops_2l.is_masked(d, port, chn)) {
            return true;
        }
    }
    return false;
}

int evtchn_vcpu_set_info(struct evtchn_domain *d, uint32_t vcpu,
                         void *vcpu_info, bool mark_all)
{
    struct evtchn_vcpu *v = evtchn_vcpu(d, vcpu);

    if (!v) {
        return -XEN_ENOENT;
    }
    evtchn_event_lock(d);
    evtchn_vcpu_lock_all(d, v);
    v->info = vcpu_info;
    evtchn_vcpu_unlock_all(v);
    /*
     * From here on events are marked in the new one; what came before is to be
     * found where it is pending.
     */
    if (vcpu_info && (mark_all || has_event(d, v))) {
        evtchn_vcpu_lock_all(d, v);
        if (evtchn_load(&d->word_bits) == 64) {
            evtchn_store((uint64_t *)vcpu_info + 1, UINT64_MAX);
        } else {
            evtchn_store((uint32_t *)vcpu_info + 1, UINT32_MAX);
        }
        evtchn_mark_events_pending(v);
        evtchn_vcpu_unlock_all(v);
    }
    /*
     * A flag that was set before may have had its upcall while there was nowhere to
     * look for it, as over a soft reset.  To Xen the flag is the upcall.
     */
    if (vcpu_info && evtchn_load((uint8_t *)vcpu_info)) {
        evtchn_raise_upcall(d, v);
    }
    evtchn_event_unlock(d);
    return 0;
}

enum evtchn_abi evtchn_domain_abi(const struct evtchn_domain *d)
{
    return evtchn_load(&d->abi);
}

uint16_t evtchn_domain_id(const struct evtchn_domain *d)
{
    return d->domid;
}
