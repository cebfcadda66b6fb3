/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The port table: finds a port by its number, and the next number to allocate.
 *
 * As in Xen an allocation gets the lowest free port, buckets exist from port 0
 * up without a gap, and none is freed before the domain.  Unlike in Xen finding
 * the lowest takes a few bit scans, however many ports are open.
 */

#include "delivery.h"

/* How many parked ports an allocation looks at. */
#define PARKED_PER_ALLOCATION 16

static unsigned int lowest_bit(uint64_t bits)
{
    return __builtin_ctzll(bits);
}

static void port_set_add(struct evtchn_domain *d, enum port_set_kind kind,
                         uint32_t port)
{
    unsigned int g = port / PORTS_PER_GROUP;
    unsigned int b = port % PORTS_PER_GROUP / PORTS_PER_BUCKET;
    struct port_set *set = &d->group[g]->set[kind];

    set->ports[b] |= UINT64_C(1) << (port % PORTS_PER_BUCKET);
    set->buckets |= UINT64_C(1) << b;
    d->set_groups[kind] |= UINT64_C(1) << g;
}

static void port_set_remove(struct evtchn_domain *d, enum port_set_kind kind,
                            uint32_t port)
{
    unsigned int g = port / PORTS_PER_GROUP;
    unsigned int b = port % PORTS_PER_GROUP / PORTS_PER_BUCKET;
    struct port_set *set = &d->group[g]->set[kind];

    set->ports[b] &= ~(UINT64_C(1) << (port % PORTS_PER_BUCKET));
    if (!set->ports[b]) {
        set->buckets &= ~(UINT64_C(1) << b);
        if (!set->buckets) {
            d->set_groups[kind] &= ~(UINT64_C(1) << g);
        }
    }
}

static bool port_set_has(const struct evtchn_domain *d,
                         enum port_set_kind kind, uint32_t port)
{
    const struct port_set *set = &d->group[port / PORTS_PER_GROUP]->set[kind];

    return set->ports[port % PORTS_PER_GROUP / PORTS_PER_BUCKET] >>
           (port % PORTS_PER_BUCKET) & 1;
}

/* The lowest member from @from on, or UINT32_MAX. */
static uint32_t port_set_next(const struct evtchn_domain *d,
                              enum port_set_kind kind, uint32_t from)
{
    unsigned int g = from / PORTS_PER_GROUP;
    unsigned int b = from % PORTS_PER_GROUP / PORTS_PER_BUCKET;
    const struct port_set *set;
    uint64_t bits;

    if (g >= NR_GROUPS) {
        return UINT32_MAX;
    }
    if (d->set_groups[kind] >> g & 1) {
        set = &d->group[g]->set[kind];
        bits = set->ports[b] & UINT64_MAX << (from % PORTS_PER_BUCKET);
        if (!bits) {
            /* Two shifts, as one by 64 is undefined. */
            uint64_t later = set->buckets & UINT64_MAX << b << 1;

            if (later) {
                b = lowest_bit(later);
                bits = set->ports[b];
            }
        }
        if (bits) {
            return g * PORTS_PER_GROUP + b * PORTS_PER_BUCKET +
                   lowest_bit(bits);
        }
    }
    bits = d->set_groups[kind] & UINT64_MAX << g << 1;
    if (!bits) {
        return UINT32_MAX;
    }
    g = lowest_bit(bits);
    set = &d->group[g]->set[kind];
    b = lowest_bit(set->buckets);
    return g * PORTS_PER_GROUP + b * PORTS_PER_BUCKET +
           lowest_bit(set->ports[b]);
}

uint32_t evtchn_port_limit(const struct evtchn_domain *d)
{
    uint32_t limit = evtchn_abis[d->abi]->port_limit(d);

    return limit < d->max_ports ? limit : d->max_ports;
}

/* Add the next bucket; its ports are free. */
static int evtchn_grow(struct evtchn_domain *d)
{
    uint32_t port = d->valid_ports;
    struct port_group **group = &d->group[port / PORTS_PER_GROUP];
    unsigned int b = port % PORTS_PER_GROUP / PORTS_PER_BUCKET;
    struct evtchn *bucket;
    unsigned int i;

    if (!*group) {
        *group = evtchn_alloc(d, sizeof(**group));
        if (!*group) {
            return -XEN_ENOMEM;
        }
    }
    bucket = evtchn_alloc(d, PORTS_PER_BUCKET * sizeof(*bucket));
    if (!bucket) {
        return -XEN_ENOMEM;
    }
    for (i = 0; i < PORTS_PER_BUCKET; i++) {
        bucket[i].binding = evtchn_new_binding(d, port + i, EVTCHN_CLOSED, 0);
    }
    (*group)->bucket[b] = bucket;
    for (i = 0; i < PORTS_PER_BUCKET; i++) {
        port_set_add(d, PORT_SET_FREE, port + i);
    }
    /* Last: from here on senders use the bucket, without a lock (XSA-340). */
    evtchn_store(&d->valid_ports, port + PORTS_PER_BUCKET);
    return 0;
}

static bool evtchn_is_busy(struct evtchn_domain *d, uint32_t port)
{
    const struct evtchn_abi_ops *ops = evtchn_abis[d->abi];

    return ops->is_busy && ops->is_busy(d, port);
}

static void unpark(struct evtchn_domain *d, uint32_t port)
{
    port_set_remove(d, PORT_SET_PARKED, port);
    port_set_add(d, PORT_SET_FREE, port);
}

/*
 * Free the parked ports whose events the guest has consumed since.  Looking at
 * a few each time, in turn, keeps allocation cheap however many the guest
 * leaves linked; before an allocation fails with -ENOSPC it looks at all of
 * them.
 */
static void unpark_some(struct evtchn_domain *d, uint32_t how_many)
{
    uint32_t port = d->parked_cursor;
    bool wrapped = false;

    while (how_many && d->set_groups[PORT_SET_PARKED]) {
        port = port_set_next(d, PORT_SET_PARKED, port);
        if (port == UINT32_MAX) {
            if (wrapped) {
                break;
            }
            wrapped = true;
            port = 0;
            continue;
        }
        if (!evtchn_is_busy(d, port)) {
            unpark(d, port);
        }
        port++;
        how_many--;
    }
    d->parked_cursor = port == UINT32_MAX ? 0 : port;
}

void evtchn_unpark_all(struct evtchn_domain *d)
{
    d->parked_cursor = 0;
    unpark_some(d, UINT32_MAX);
}

static void take(struct evtchn_domain *d, uint32_t port)
{
    port_set_remove(d, PORT_SET_FREE, port);
    evtchn_store(&d->active_ports, d->active_ports + 1);
}

int evtchn_allocate_port(struct evtchn_domain *d, uint32_t *port)
{
    uint32_t limit = evtchn_port_limit(d);
    bool all_parked_seen = false;
    uint32_t p;
    int rc;

    if (d->dying) {
        return -XEN_EINVAL;
    }
    if (unlikely(d->set_groups[PORT_SET_PARKED])) {
        unpark_some(d, PARKED_PER_ALLOCATION);
    }
    for (;;) {
        p = port_set_next(d, PORT_SET_FREE, 0);
        if (p == UINT32_MAX && d->valid_ports < limit) {
            rc = evtchn_grow(d);
            if (rc) {
                return rc;
            }
            continue;
        }
        if (p >= limit) {
            if (all_parked_seen || !d->set_groups[PORT_SET_PARKED]) {
                return -XEN_ENOSPC;
            }
            evtchn_unpark_all(d);
            all_parked_seen = true;
            continue;
        }
        if (!evtchn_is_busy(d, p)) {
            take(d, p);
            *port = p;
            return 0;
        }
        port_set_remove(d, PORT_SET_FREE, p);
        port_set_add(d, PORT_SET_PARKED, p);
    }
}

int evtchn_allocate_given_port(struct evtchn_domain *d, uint32_t port)
{
    int rc;

    if (port >= d->max_ports) {
        return -XEN_ENOSPC;
    }
    while (port >= d->valid_ports) {
        rc = evtchn_grow(d);
        if (rc) {
            return rc;
        }
    }
    if (!port_set_has(d, PORT_SET_FREE, port)) {
        return -XEN_EBUSY;
    }
    take(d, port);
    return 0;
}

void evtchn_release_port(struct evtchn_domain *d, uint32_t port)
{
    evtchn_store(&d->active_ports, d->active_ports - 1);
    port_set_add(d, PORT_SET_FREE, port);
}

void evtchn_free_ports(struct evtchn_domain *d)
{
    unsigned int g, b;

    for (g = 0; g < NR_GROUPS && d->group[g]; g++) {
        struct port_group *group = d->group[g];

        for (b = 0; b < BUCKETS_PER_GROUP && group->bucket[b]; b++) {
            evtchn_free(d, group->bucket[b],
                        PORTS_PER_BUCKET * sizeof(struct evtchn));
        }
        evtchn_free(d, group, sizeof(*group));
        d->group[g] = NULL;
    }
}

uint32_t evtchn_domain_valid_ports(const struct evtchn_domain *d)
{
    return evtchn_load(&d->valid_ports);
}
