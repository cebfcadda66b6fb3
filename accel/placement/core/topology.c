/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host without VMs, in the caller's block of memory. */

#include "model.h"

#include <string.h>

/* Where in the caller's block the next array begins; counts if there is none. */
struct carver {
    char *at;
    size_t used;
};

static void *carve(struct carver *c, size_t count, size_t size)
{
    void *at = c->at ? c->at + c->used : NULL;

    c->used += (count * size + 63) & ~(size_t)63;
    return at;
}

static bool topology_valid(const struct place_topology *t)
{
    uint32_t i, j;

    if (!t->nr_cpus || t->nr_cpus > PLACE_MAX_CPUS || !t->nr_nodes ||
        t->nr_nodes > PLACE_MAX_NODES || !t->nr_llcs ||
        t->nr_llcs > t->nr_cpus || !t->nr_cores || t->nr_cores > t->nr_cpus) {
        return false;
    }
    for (i = 0; i < t->nr_cpus; i++) {
        const struct place_cpu *cpu = &t->cpu[i];

        if (!cpu->exists) {
            continue;
        }
        if (cpu->core >= t->nr_cores || cpu->llc >= t->nr_llcs ||
            cpu->node >= t->nr_nodes || !cpu->capacity ||
            cpu->capacity > PLACE_ONE) {
            return false;
        }
        for (j = 0; j < i; j++) {
            const struct place_cpu *other = &t->cpu[j];

            if (other->exists &&
                ((other->core == cpu->core && other->llc != cpu->llc) ||
                 (other->llc == cpu->llc && other->node != cpu->node))) {
                return false;
            }
        }
    }
    return true;
}

/* Upper bounds: what is interned later needs less. */
static uint32_t cages_bound(const struct place_topology *t)
{
    uint32_t i, n = t->nr_llcs + t->nr_nodes + 1;

    for (i = 1; i < NR_SET_SIZES && place_set_sizes[i] < t->nr_nodes; i++) {
        n += t->nr_nodes;
    }
    return n;
}

static size_t cage_llcs_bound(const struct place_topology *t)
{
    uint32_t per_node[PLACE_MAX_NODES] = { 0 }, most = 1, i, j;
    size_t n = (size_t)t->nr_llcs * 3;

    for (i = 0; i < t->nr_llcs; i++) {
        for (j = 0; j < t->nr_cpus; j++) {
            if (t->cpu[j].exists && t->cpu[j].llc == i) {
                per_node[t->cpu[j].node]++;
                break;
            }
        }
    }
    for (i = 0; i < t->nr_nodes; i++) {
        most = per_node[i] > most ? per_node[i] : most;
    }
    for (i = 1; i < NR_SET_SIZES && place_set_sizes[i] < t->nr_nodes; i++) {
        n += (size_t)t->nr_nodes * place_set_sizes[i] * most;
    }
    return n;
}

static void lay_out(struct place_host *h, struct carver *c,
                    const struct place_topology *t,
                    const struct place_limits *l, uint32_t max_cages)
{
    uint32_t cage_words = PLACE_WORDS(max_cages), hash = 1, i;
    uint32_t class_words = PLACE_WORDS(l->max_classes);
    size_t pairs = (size_t)max_cages * l->max_classes;

    pairs = pairs < l->max_threads ? pairs : l->max_threads;
    while (hash < l->max_edges) {
        hash *= 2;
    }
    h->cpu = carve(c, t->nr_cpus, sizeof(*h->cpu));
    h->owner = carve(c, t->nr_cpus, sizeof(*h->owner));
    h->node = carve(c, t->nr_nodes, sizeof(*h->node));
    h->llc = carve(c, t->nr_llcs, sizeof(*h->llc));
    h->distance = carve(c, (size_t)t->nr_nodes * t->nr_nodes, 1);
    h->cage = carve(c, max_cages, sizeof(*h->cage));
    h->cage_llc = carve(c, cage_llcs_bound(t), sizeof(*h->cage_llc));
    h->llc_cage = carve(c, t->nr_llcs, sizeof(*h->llc_cage));
    h->node_cage = carve(c, t->nr_nodes, sizeof(*h->node_cage));
    h->node_set =
        carve(c, (size_t)t->nr_nodes * NR_SET_SIZES, sizeof(*h->node_set));
    for (i = 0; i <= PLACE_ALL; i++) {
        h->kind[i] = carve(c, cage_words, sizeof(*h->kind[i]));
    }
    h->under = carve(c, cage_words, sizeof(*h->under));
    h->class = carve(c, l->max_classes, sizeof(*h->class));
    h->takes = carve(c, (size_t)l->max_classes * cage_words, sizeof(*h->takes));
    h->takers = carve(c, (size_t)max_cages * cage_words, sizeof(*h->takers));
    h->present = carve(c, (size_t)max_cages * class_words, sizeof(*h->present));
    h->pair_of =
        carve(c, (size_t)max_cages * l->max_classes, sizeof(*h->pair_of));
    h->pair = carve(c, pairs, sizeof(*h->pair));
    h->vm = carve(c, l->max_vms, sizeof(*h->vm));
    h->thread = carve(c, l->max_threads, sizeof(*h->thread));
    h->edge = carve(c, l->max_edges, sizeof(*h->edge));
    h->edge_hash = carve(c, hash, sizeof(*h->edge_hash));
    h->heap = carve(c, max_cages, sizeof(*h->heap));
    h->heap_at = carve(c, max_cages, sizeof(*h->heap_at));
    h->decided = carve(c, max_cages, sizeof(*h->decided));
    h->edge_mask = hash - 1;
    h->nr_pairs = (uint32_t)pairs;
}

static bool limits_valid(const struct place_limits *l)
{
    return l->max_vms && l->max_vms < NONE16 && l->max_threads &&
           l->max_threads < NONE16 && l->max_classes &&
           l->max_classes <= 1024 && l->max_edges < 1U << 24;
}

size_t place_size(const struct place_topology *t, const struct place_limits *l)
{
    struct place_host counted;
    struct carver c = { NULL, (sizeof(counted) + 63) & ~(size_t)63 };

    if (!topology_valid(t) || !limits_valid(l)) {
        return 0;
    }
    lay_out(&counted, &c, t, l, cages_bound(t));
    return c.used;
}

struct place_host *place_init(void *memory, size_t size,
                              const struct place_topology *t,
                              const struct place_limits *l)
{
    size_t needed = place_size(t, l);
    struct carver c = { memory,
                        (sizeof(struct place_host) + 63) & ~(size_t)63 };
    struct place_host *h = memory;
    uint32_t i;

    if (!needed || size < needed) {
        return NULL;
    }
    memset(memory, 0, needed);
    lay_out(h, &c, t, l, cages_bound(t));
    h->limits = *l;
    h->nr_cpus = t->nr_cpus;
    h->nr_cores = t->nr_cores;
    h->nr_llcs = t->nr_llcs;
    h->nr_nodes = t->nr_nodes;
    h->words = PLACE_WORDS(t->nr_cpus);
    h->cage_words = PLACE_WORDS(cages_bound(t));
    h->class_words = PLACE_WORDS(l->max_classes);
    h->target = 870;
    h->tokens = ACTIONS_A_SECOND;
    memcpy(h->cpu, t->cpu, t->nr_cpus * sizeof(*h->cpu));
    memcpy(h->distance, t->distance, (size_t)t->nr_nodes * t->nr_nodes);
    for (i = 0; i < t->nr_nodes; i++) {
        h->node[i].memory = t->memory[i];
    }
    for (i = 0; i < t->nr_cpus; i++) {
        h->owner[i] = PLACE_NONE;
        if (!t->cpu[i].exists) {
            continue;
        }
        if (t->cpu[i].online) {
            bit_set(h->online.word, i);
        }
        if (t->cpu[i].isolated) {
            bit_set(h->isolated.word, i);
        }
        if (t->cpu[i].excluded) {
            bit_set(h->excluded.word, i);
        }
    }
    place_cages_init(h);
    for (i = 0; i < l->max_vms; i++) {
        h->vm[i].next_free = i + 1 < l->max_vms ? i + 1 : PLACE_NONE;
    }
    for (i = 0; i < l->max_threads; i++) {
        h->thread[i].vm = PLACE_NONE;
        h->thread[i].next = i + 1 < l->max_threads ? i + 1 : PLACE_NONE;
    }
    place_edges_init(h);
    place_count_cpus(h);
    place_classes_init(h);
    place_heap_init(h);
    place_loads_count(h);
    place_room(h);
    return h;
}
