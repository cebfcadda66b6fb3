/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which threads exchange events, and how many a second.
 *
 * An edge is found by its two threads in a hash, and from each of the two in a
 * list.  When no edge is free, new ones are not kept: the busiest are there by
 * then.
 */

#include "model.h"

#define RATE_MAX (1U << 28)

static uint32_t *hash_head(struct place_host *h, uint32_t a, uint32_t b)
{
    uint64_t key = (uint64_t)a << 32 | b;

    return &h->edge_hash[key * UINT64_C(0x9e3779b97f4a7c15) >> 40 &
                         h->edge_mask];
}

void place_edges_init(struct place_host *h)
{
    uint32_t i;

    for (i = 0; i <= h->edge_mask; i++) {
        h->edge_hash[i] = PLACE_NONE;
    }
    for (i = 0; i < h->limits.max_edges; i++) {
        h->edge[i].thread[0] = PLACE_NONE;
        h->edge[i].hash_next = i + 1 < h->limits.max_edges ? i + 1 : PLACE_NONE;
    }
    h->free_edge = h->limits.max_edges ? 0 : PLACE_NONE;
}

static void unlink_edge(struct place_host *h, uint32_t thread, uint32_t edge)
{
    uint32_t *link = &h->thread[thread].first_edge;

    while (*link != edge) {
        struct edge *e = &h->edge[*link];

        link = &e->next[e->thread[1] == thread];
    }
    *link = h->edge[edge].next[h->edge[edge].thread[1] == thread];
}

static void drop(struct place_host *h, uint32_t edge)
{
    struct edge *e = &h->edge[edge];
    uint32_t *link = hash_head(h, e->thread[0], e->thread[1]);

    unlink_edge(h, e->thread[0], edge);
    unlink_edge(h, e->thread[1], edge);
    while (*link != edge) {
        link = &h->edge[*link].hash_next;
    }
    *link = e->hash_next;
    e->thread[0] = PLACE_NONE;
    e->hash_next = h->free_edge;
    h->free_edge = edge;
    h->nr_edges--;
}

void place_edges_drop(struct place_host *h, uint32_t thread)
{
    while (h->thread[thread].first_edge != PLACE_NONE) {
        drop(h, h->thread[thread].first_edge);
    }
}

void place_traffic(struct place_host *h, uint32_t a, uint32_t b,
                   uint64_t events, uint64_t time)
{
    uint32_t low = min_u32(a, b), high = a < b ? b : a, i, *head;
    uint64_t rate;
    struct edge *e;

    if (a == b || !time) {
        return;
    }
    events = events < UINT32_MAX ? events : UINT32_MAX;
    rate = events * PLACE_SECOND / time;
    rate = rate < RATE_MAX ? rate : RATE_MAX;
    head = hash_head(h, low, high);
    for (i = *head; i != PLACE_NONE; i = h->edge[i].hash_next) {
        e = &h->edge[i];
        if (e->thread[0] == low && e->thread[1] == high) {
            e->rate = (3 * e->rate + (uint32_t)rate + 2) / 4;
            e->fresh = true;
            return;
        }
    }
    i = h->free_edge;
    if (!rate || i == PLACE_NONE) {
        return;
    }
    e = &h->edge[i];
    h->free_edge = e->hash_next;
    *e = (struct edge){
        .thread = { low, high },
        .rate = (uint32_t)rate,
        .fresh = true,
        .next = { h->thread[low].first_edge, h->thread[high].first_edge },
        .hash_next = *head,
    };
    *head = h->thread[low].first_edge = h->thread[high].first_edge = i;
    h->nr_edges++;
}

/* Edges without news lose a quarter a window, and go below one event a second. */
void place_edges_fade(struct place_host *h)
{
    uint32_t i, left = h->nr_edges;

    /* Slots are taken from the first on, so few are looked at where few are used. */
    for (i = 0; left; i++) {
        struct edge *e = &h->edge[i];

        if (e->thread[0] == PLACE_NONE) {
            continue;
        }
        left--;
        if (!e->fresh) {
            e->rate = e->rate * 3 / 4;
        }
        e->fresh = false;
        if (e->rate <= 1) {
            drop(h, i);
        }
    }
}

/*
 * Positive: so many more events a second cross a border when the thread, or
 * those of @vm in @from, have gone to @to.
 */
int64_t place_cut(const struct place_host *h, uint32_t vm, uint32_t thread,
                  uint32_t from, uint32_t to)
{
    int64_t cut = 0;
    uint32_t i, k, one = thread;

    for (i = one != PLACE_NONE ? one : h->vm[vm].first_thread; i != PLACE_NONE;
         i = one != PLACE_NONE ? PLACE_NONE : h->thread[i].next_of_vm) {
        const struct edge *e;

        if (h->thread[i].cage != from) {
            continue;
        }
        for (k = h->thread[i].first_edge; k != PLACE_NONE;
             k = e->next[e->thread[1] == i]) {
            const struct thread *peer;
            uint32_t other;

            e = &h->edge[k];
            other = e->thread[e->thread[0] == i];
            peer = &h->thread[other];
            if (peer->cage == from && (one != PLACE_NONE || peer->vm != vm)) {
                cut += e->rate;
            } else if (peer->cage == to) {
                cut -= e->rate;
            }
        }
    }
    return cut;
}

uint64_t place_events(const struct place_host *h, uint32_t vm)
{
    uint64_t twice = 0;
    uint32_t i, k;

    for (i = h->vm[vm].first_thread; i != PLACE_NONE;
         i = h->thread[i].next_of_vm) {
        const struct edge *e;

        for (k = h->thread[i].first_edge; k != PLACE_NONE;
             k = e->next[e->thread[1] == i]) {
            e = &h->edge[k];
            twice +=
                h->thread[e->thread[e->thread[0] == i]].vm == vm ? e->rate : 0;
        }
    }
    return twice / 2;
}
