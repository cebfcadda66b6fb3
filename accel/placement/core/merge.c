/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs that exchange events share an LLC: groups grow by the busiest edge first,
 * and go into the LLCs of the VM's nodes, the largest first.
 */

#include "model.h"

#define MAX_GROUPS PLACE_MAX_MASKS

struct groups {
    uint32_t thread[MAX_GROUPS], of[MAX_GROUPS], nr;
    uint32_t size[MAX_GROUPS], demand[MAX_GROUPS], llc[MAX_GROUPS];
    uint32_t vcpus[MAX_GROUPS];
};

static uint32_t member(const struct groups *g, uint32_t thread)
{
    uint32_t i;

    for (i = 0; i < g->nr && g->thread[i] != thread; i++) {
    }
    return i;
}

/* The busiest edge between two groups that together fit an LLC. */
static bool join(const struct place_host *h, struct groups *g, uint32_t cores,
                 uint32_t capacity)
{
    uint32_t i, k, best = 0, a = 0, b = 0;

    for (i = 0; i < g->nr; i++) {
        const struct edge *e;

        for (k = h->thread[g->thread[i]].first_edge; k != PLACE_NONE;
             k = e->next[e->thread[1] == g->thread[i]]) {
            uint32_t j;

            e = &h->edge[k];
            j = member(g, e->thread[e->thread[0] == g->thread[i]]);
            if (j == g->nr || g->of[i] == g->of[j] || e->rate <= best ||
                g->vcpus[g->of[i]] + g->vcpus[g->of[j]] > cores ||
                g->demand[g->of[i]] + g->demand[g->of[j]] > capacity) {
                continue;
            }
            best = e->rate;
            a = g->of[i];
            b = g->of[j];
        }
    }
    if (!best) {
        return false;
    }
    g->size[a] += g->size[b];
    g->vcpus[a] += g->vcpus[b];
    g->demand[a] += g->demand[b];
    g->size[b] = 0;
    for (i = 0; i < g->nr; i++) {
        g->of[i] = g->of[i] == b ? a : g->of[i];
    }
    return true;
}

/* Each group's LLC; false if one has no room. */
static bool spread(const struct place_host *h, struct groups *g, uint32_t cage)
{
    const struct cage *c = &h->cage[cage];
    uint64_t taken[PLACE_MAX_CPUS] = { 0 };
    uint32_t vcpus[PLACE_MAX_CPUS] = { 0 };
    bool done[MAX_GROUPS] = { false };
    uint32_t round, i, j;

    for (round = 0; round < g->nr; round++) {
        uint32_t largest = MAX_GROUPS, llc = PLACE_NONE;
        int64_t most = -1;

        for (i = 0; i < g->nr; i++) {
            if (g->size[i] && !done[i] &&
                (largest == MAX_GROUPS || g->size[i] > g->size[largest])) {
                largest = i;
            }
        }
        if (largest == MAX_GROUPS) {
            return true;
        }
        for (i = 0; i < c->nr_llcs; i++) {
            uint32_t id = h->llc_cage[h->cage_llc[c->llcs + i]];
            int64_t room = (int64_t)h->cage[id].capacity -
                           (int64_t)(taken[i] + g->demand[largest]);
            bool meets = true;

            for (j = 0; j < g->nr && meets; j++) {
                meets = g->of[j] != largest || place_meets(h, g->thread[j], id);
            }
            if (meets && room > most &&
                vcpus[i] + g->vcpus[largest] <= h->cage[id].nr_cores) {
                most = room;
                llc = i;
            }
        }
        if (llc == PLACE_NONE) {
            return false;
        }
        taken[llc] += g->demand[largest];
        vcpus[llc] += g->vcpus[largest];
        g->llc[largest] = h->llc_cage[h->cage_llc[c->llcs + llc]];
        done[largest] = true;
    }
    return true;
}

/* Each thread into its group's LLC; none if I2 would not hold then. */
static bool enter_llcs(struct place_host *h, uint32_t vm,
                       const struct groups *g, uint32_t from)
{
    bool fits = true;
    uint32_t i;

    for (i = 0; i < g->nr; i++) {
        place_leave(h, g->thread[i]);
        place_enter(h, g->thread[i], g->llc[g->of[i]]);
    }
    for (i = 0; i < g->nr && fits; i++) {
        fits =
            place_fits(h, vm, PLACE_NONE, g->llc[g->of[i]], g->llc[g->of[i]]);
    }
    for (i = 0; i < g->nr && !fits; i++) {
        place_leave(h, g->thread[i]);
        place_enter(h, g->thread[i], from);
    }
    return fits;
}

size_t place_merge(struct place_host *h, uint32_t vm, uint64_t now,
                   struct place_change *change, size_t max)
{
    struct vm *v = &h->vm[vm];
    const struct cage *c = &h->cage[v->cage];
    uint64_t inside = 0, all = 0, i, largest = 0, capacity = 0;
    struct groups g = { .nr = 0 };
    uint32_t thread, k, from = v->cage;
    size_t n = 0;

    if (!place_may_act(h, now) || c->nr_llcs < 2 || c->nr_nodes > 1 ||
        (v->policy != PLACE_SHARED && v->policy != PLACE_DENSE) ||
        now - v->start < MEASURED_AFTER ||
        (v->last_action && now - v->last_action < REST_BETWEEN_MOVES)) {
        return 0;
    }
    for (thread = v->first_thread; thread != PLACE_NONE;
         thread = h->thread[thread].next_of_vm) {
        const struct thread *t = &h->thread[thread];

        if (t->cage != from || !t->listed) {
            continue;
        }
        if (g.nr == MAX_GROUPS || g.nr == max) {
            return 0;
        }
        g.thread[g.nr] = thread;
        g.of[g.nr] = g.nr;
        g.size[g.nr] = 1;
        g.vcpus[g.nr] = t->kind == PLACE_VCPU;
        g.demand[g.nr++] = t->demand;
    }
    for (i = 0; i < c->nr_llcs; i++) {
        const struct llc *llc = &h->llc[h->cage_llc[c->llcs + i]];

        largest = llc->nr_cores > largest ? llc->nr_cores : largest;
        capacity = llc->capacity > capacity ? llc->capacity : capacity;
    }
    while (join(h, &g, (uint32_t)largest, (uint32_t)capacity)) {
    }
    if (!spread(h, &g, from)) {
        return 0;
    }
    for (i = 0; i < g.nr; i++) {
        const struct edge *e;

        for (k = h->thread[g.thread[i]].first_edge; k != PLACE_NONE;
             k = e->next[e->thread[1] == g.thread[i]]) {
            uint32_t j;

            e = &h->edge[k];
            j = member(&g, e->thread[e->thread[0] == g.thread[i]]);
            if (j < g.nr) {
                all += e->rate;
                inside += g.llc[g.of[i]] == g.llc[g.of[j]] ? e->rate : 0;
            }
        }
    }
    /* In the node's cage an event stays in an LLC by chance, one of so many. */
    if (!all || inside * c->nr_llcs * 5 < all * 6) {
        return 0;
    }
    if (!enter_llcs(h, vm, &g, from)) {
        return 0;
    }
    for (i = 0; i < g.nr; i++) {
        change[n++] =
            (struct place_change){ g.thread[i], (uint16_t)from,
                                   (uint16_t)g.llc[g.of[i]], PLACE_MERGED };
    }
    v->reason = (struct reason){ .code = REASON_ACTION,
                                 .action = PLACE_MERGED,
                                 .from = (uint16_t)from,
                                 .to = (uint16_t)from,
                                 .gain = (uint32_t)(inside * 100 / all),
                                 .time = now };
    v->last_action = now;
    h->tokens--;
    h->actions++;
    place_room(h);
    return n;
}
