/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host's memory, and its tree of cages: LLCs, nodes, sets of nodes, all.
 *
 * A set of nodes is a node and those next to it, by distance and then round from
 * its own number, so that sets of nodes at the same distance do not all begin
 * with node 0.  Sets have the sizes below only: 64 nodes would have 4,096 of all
 * sizes.  Cages with the same CPUs are one cage.
 */

#include "model.h"

#include <string.h>

static const uint8_t set_sizes[NR_SET_SIZES] = {
    1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48,
};

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

    for (i = 1; i < NR_SET_SIZES && set_sizes[i] < t->nr_nodes; i++) {
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
    for (i = 1; i < NR_SET_SIZES && set_sizes[i] < t->nr_nodes; i++) {
        n += (size_t)t->nr_nodes * set_sizes[i] * most;
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

/* The cage of @set, a new one if there is none. */
static uint32_t intern(struct place_host *h, const struct place_set *set,
                       enum place_cage_kind kind, uint32_t node,
                       uint32_t nr_nodes)
{
    struct cage *cage;
    uint32_t i;

    for (i = 0; i < h->nr_cages; i++) {
        if (bits_equal(h->cage[i].cpus.word, set->word, h->words)) {
            return i;
        }
    }
    cage = &h->cage[h->nr_cages];
    cage->cpus = *set;
    cage->kind = (uint8_t)kind;
    cage->first_node = (uint16_t)node;
    cage->nr_nodes = (uint16_t)nr_nodes;
    cage->llcs = h->nr_cages ? cage[-1].llcs + cage[-1].nr_llcs : 0;
    for (i = 0; i < h->nr_llcs; i++) {
        uint32_t cpu;

        for_each_bit(cpu, set->word, h->words)
        {
            if (h->cpu[cpu].llc == i) {
                h->cage_llc[cage->llcs + cage->nr_llcs++] = (uint16_t)i;
                break;
            }
        }
    }
    return h->nr_cages++;
}

static void find_nearest(struct place_host *h, uint32_t seed)
{
    uint16_t *nearest = h->node[seed].nearest;
    uint32_t i, j, n = h->nr_nodes;

    /* By insertion, so that nodes at one distance keep their order. */
    for (i = 0; i < n; i++) {
        uint32_t node = (seed + i) % n;
        /* Whatever firmware says of it, a node is next to itself. */
        uint32_t d = node == seed ? 0 : place_distance(h, seed, node);

        for (j = i; j && node != seed && nearest[j - 1] != seed &&
                    place_distance(h, seed, nearest[j - 1]) > d;
             j--) {
            nearest[j] = nearest[j - 1];
        }
        nearest[j] = (uint16_t)node;
    }
}

static void make_cages(struct place_host *h)
{
    struct place_set all, set;
    uint32_t i, j, k, node;

    memset(&all, 0, sizeof(all));
    for (i = 0; i < h->nr_cpus; i++) {
        if (h->cpu[i].exists) {
            bit_set(all.word, i);
            bit_set(h->node[h->cpu[i].node].cpus.word, i);
            h->llc[h->cpu[i].llc].node = h->cpu[i].node;
        }
    }
    for (i = 0; i < h->nr_llcs; i++) {
        memset(&set, 0, sizeof(set));
        for (j = 0; j < h->nr_cpus; j++) {
            if (h->cpu[j].exists && h->cpu[j].llc == i) {
                bit_set(set.word, j);
            }
        }
        h->llc_cage[i] = NONE16;
        if (!bits_empty(set.word, h->words)) {
            h->llc_cage[i] =
                (uint16_t)intern(h, &set, PLACE_LLC, h->llc[i].node, 1);
        }
    }
    /* A node with memory alone is no cage. */
    for (node = 0; node < h->nr_nodes; node++) {
        h->node_cage[node] = NONE16;
        if (!bits_empty(h->node[node].cpus.word, h->words)) {
            h->node_cage[node] =
                (uint16_t)intern(h, &h->node[node].cpus, PLACE_NODE, node, 1);
        }
        find_nearest(h, node);
    }
    for (node = 0; node < h->nr_nodes; node++) {
        for (k = 0; k < NR_SET_SIZES; k++) {
            uint16_t *id = &h->node_set[node * NR_SET_SIZES + k];

            *id = NONE16;
            if (h->node_cage[node] == NONE16 || set_sizes[k] >= h->nr_nodes) {
                continue;
            }
            memset(&set, 0, sizeof(set));
            for (i = 0, j = 0; i < h->nr_nodes && j < set_sizes[k]; i++) {
                uint32_t near = h->node[node].nearest[i];

                if (h->node_cage[near] != NONE16) {
                    for (uint32_t w = 0; w < h->words; w++) {
                        set.word[w] |= h->node[near].cpus.word[w];
                    }
                    j++;
                }
            }
            if (j == set_sizes[k]) {
                *id = (uint16_t)intern(h, &set, PLACE_NODES, node, j);
            }
        }
    }
    h->all = (uint16_t)intern(h, &all, PLACE_ALL, 0, h->nr_nodes);
    for (i = 0; i < h->nr_cages; i++) {
        bit_set(h->kind[h->cage[i].kind], i);
    }
    /* One cage can be an LLC, a node and the host. */
    for (node = 0; node < h->nr_nodes; node++) {
        if (h->node_cage[node] != NONE16) {
            bit_set(h->kind[PLACE_NODE], h->node_cage[node]);
        }
    }
    bit_set(h->kind[PLACE_ALL], h->all);
}

uint32_t place_distance(const struct place_host *h, uint32_t from, uint32_t to)
{
    return h->distance[from * h->nr_nodes + to];
}

uint32_t place_node_set(const struct place_host *h, uint32_t seed,
                        uint32_t size_index)
{
    uint16_t id = h->node_set[seed * NR_SET_SIZES + size_index];

    return id == NONE16 ? PLACE_NONE : id;
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
    make_cages(h);
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

/* Capacity: a core's first thread counts in full, each other a quarter. */
void place_count_cpus(struct place_host *h)
{
    uint32_t cage, i, cpu;

    for (i = 0; i < h->words; i++) {
        h->available.word[i] = h->online.word[i] & ~h->isolated.word[i] &
                               ~h->excluded.word[i] & ~h->dedicated.word[i];
    }
    for (i = 0; i < h->nr_llcs; i++) {
        h->llc[i].nr_cpus = h->llc[i].nr_cores = h->llc[i].capacity = 0;
    }
    for_each_bit(cpu, h->available.word, h->words)
    {
        struct llc *llc = &h->llc[h->cpu[cpu].llc];
        bool first = true;

        for (i = 0; i < cpu && first; i++) {
            first = !bit_test(h->available.word, i) ||
                    h->cpu[i].core != h->cpu[cpu].core;
        }
        llc->nr_cpus++;
        llc->nr_cores += first;
        llc->capacity += h->cpu[cpu].capacity / (first ? 1 : 4);
    }
    for (cage = 0; cage < h->nr_cages; cage++) {
        struct cage *c = &h->cage[cage];

        c->nr_cpus = c->nr_cores = c->capacity = c->nr_active = 0;
        for (i = 0; i < c->nr_llcs; i++) {
            const struct llc *llc = &h->llc[h->cage_llc[c->llcs + i]];

            c->nr_cpus += llc->nr_cpus;
            c->nr_cores += llc->nr_cores;
            c->capacity += llc->capacity;
            c->nr_active += llc->nr_cpus != 0;
        }
    }
}

void place_available_changed(struct place_host *h, uint64_t now)
{
    uint32_t vm, i, thread;

    place_count_cpus(h);
    place_classes_count(h);
    for (vm = 0; vm < h->limits.max_vms; vm++) {
        struct vm *v = &h->vm[vm];

        if (!v->used) {
            continue;
        }
        /* Each of its threads to where it fits, the whole host if need be. */
        for (thread = v->first_thread; thread != PLACE_NONE;
             thread = h->thread[thread].next_of_vm) {
            struct thread *t = &h->thread[thread];

            if (t->cpu != NONE16 ||
                (place_meets(h, thread, t->cage) &&
                 place_fits(h, vm, thread, t->cage, t->cage))) {
                continue;
            }
            place_leave(h, thread);
            place_enter(h, thread, h->all);
            v->reason = (struct reason){ .code = REASON_CPUS_CHANGED,
                                         .from = v->cage,
                                         .to = h->all,
                                         .time = now };
        }
        /* Where all of them are, if they are together. */
        for (i = v->first_thread;
             i != PLACE_NONE && h->thread[i].cage == h->all;
             i = h->thread[i].next_of_vm) {
        }
        if (i == PLACE_NONE && v->first_thread != PLACE_NONE) {
            v->cage = h->all;
        }
        if (!h->cage[v->cage].nr_active) {
            v->cage = h->all;
        }
    }
    place_loads_count(h);
    place_room(h);
}

int place_cpu_online(struct place_host *h, uint32_t cpu, bool online)
{
    uint32_t i, left = 0;

    if (cpu >= h->nr_cpus || !h->cpu[cpu].exists) {
        return -PLACE_EINVAL;
    }
    if (bit_test(h->online.word, cpu) == online) {
        return 0;
    }
    for (i = 0; i < h->words; i++) {
        left += (uint32_t)__builtin_popcountll(h->available.word[i]);
    }
    if (!online && left == 1 && bit_test(h->available.word, cpu)) {
        return -PLACE_EINVAL;
    }
    if (online) {
        bit_set(h->online.word, cpu);
    } else {
        bit_clear(h->online.word, cpu);
    }
    place_available_changed(h, h->last_now);
    return 0;
}
