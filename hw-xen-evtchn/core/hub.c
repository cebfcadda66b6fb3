/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hub, in which a domain finds others by their numbers. */

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

int evtchn_hub_add(struct evtchn_hub *hub, struct evtchn_domain *d)
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

void evtchn_hub_remove(struct evtchn_hub *hub, struct evtchn_domain *d)
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
        /* The caller keeps @d alive: save the write to a shared cache line. */
        return d;
    }
    if (domid < DOMID_FIRST_RESERVED) {
        hub->env->lock(hub->lock);
        if (hub->chunk[domid / DOMAINS_PER_CHUNK]) {
            found = hub->chunk[domid / DOMAINS_PER_CHUNK]
                        ->domain[domid % DOMAINS_PER_CHUNK];
        }
        if (found) {
            evtchn_domain_hold(d, found);
        }
        hub->env->unlock(hub->lock);
    }
    return found;
}

void evtchn_domain_hold(struct evtchn_domain *d, struct evtchn_domain *found)
{
    if (found != d) {
        evtchn_fetch_add(&found->refs, 1);
    }
}

void evtchn_domain_put(struct evtchn_domain *d, struct evtchn_domain *found)
{
    if (found != d) {
        evtchn_fetch_add(&found->refs, -1);
    }
}
