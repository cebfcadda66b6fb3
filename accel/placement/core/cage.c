/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of cages: LLCs, nodes, sets of nodes, all.
 *
 * A set of nodes is a node and those next to it, by distance and then round from
 * its own number, so that sets of nodes at the same distance do not all begin
 * with node 0.  Sets have the sizes below only: 64 nodes would have 4,096 of all
 * sizes.  Cages with the same CPUs are one cage.
 */

#include "model.h"

#include <string.h>

const uint8_t place_set_sizes[NR_SET_SIZES] = {
    1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48,
};

uint32_t place_cage_find(const struct place_host *h,
                         const struct place_set *cpus)
{
    uint32_t i;

    for (i = 0; i < h->nr_cages; i++) {
        if (bits_equal(h->cage[i].cpus.word, cpus->word, h->words)) {
            return i;
        }
    }
    return PLACE_NONE;
}

/* The cage of @set, a new one if there is none. */
static uint32_t intern(struct place_host *h, const struct place_set *set,
                       enum place_cage_kind kind, uint32_t node,
                       uint32_t nr_nodes)
{
    struct cage *cage;
    uint32_t i = place_cage_find(h, set);

    if (i != PLACE_NONE) {
        return i;
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

void place_cages_init(struct place_host *h)
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
            if (h->node_cage[node] == NONE16 ||
                place_set_sizes[k] >= h->nr_nodes) {
                continue;
            }
            memset(&set, 0, sizeof(set));
            for (i = 0, j = 0; i < h->nr_nodes && j < place_set_sizes[k]; i++) {
                uint32_t near = h->node[node].nearest[i];

                if (h->node_cage[near] != NONE16) {
                    for (uint32_t w = 0; w < h->words; w++) {
                        set.word[w] |= h->node[near].cpus.word[w];
                    }
                    j++;
                }
            }
            if (j == place_set_sizes[k]) {
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
