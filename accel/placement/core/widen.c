/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which VM's cage becomes wider, and when it is narrow again.
 *
 * What counts is load that flows to where there is less.  That more CPUs serve one queue does
 * not: each CPU has its own, and a thread that wakes up looks for an idle CPU among those
 * that share a cache with its last one.  At even load, threads were measured to wait as
 * long in wide cages as in narrow ones.
 */

#include "model.h"

#define MAX_LOOKS 4

/* What cannot leave @c: the threads of its cage and of those inside it. */
static uint32_t bound_load(const struct place_host *h, uint32_t c)
{
    const struct cage *cage = &h->cage[c];
    uint64_t load = cage->demand;
    uint32_t i, node = PLACE_NONE;

    for (i = 0; i < cage->nr_llcs; i++) {
        uint32_t llc = h->cage_llc[cage->llcs + i];
        uint32_t inside = h->llc_cage[llc];

        load += inside != c && inside != NONE16 ? h->cage[inside].demand : 0;
        if (h->llc[llc].node != node) {
            node = h->llc[llc].node;
            load += h->node_cage[node] != c && h->node_cage[node] != inside &&
                            cage->nr_nodes > 1 ?
                        h->cage[h->node_cage[node]].demand :
                        0;
        }
    }
    return (uint32_t)load;
}

/*
 * Microseconds of waiting a second that a VM with @demand does not add to when it may
 * run in all of @to, and not only in @c, which @load, with it, cannot leave.  Others
 * that may leave go where there is room.
 */
static uint64_t spreading_saves(const struct place_host *h, uint32_t c,
                                uint32_t to, uint32_t load, uint32_t demand)
{
    uint64_t here = h->cage[c].capacity, all = h->cage[to].capacity;
    uint64_t others = all > here ? all - here : 0;
    uint32_t lt = place_load(h, to), elsewhere, flow, more;
    uint64_t before, after;

    if (!here || !others) {
        return 0;
    }
    /* As much of it as there is capacity here. */
    elsewhere = lt > load ? (uint32_t)((lt - load) * here / others) : 0;
    if (elsewhere >= load) {
        return 0;
    }
    flow = min_u32(demand, (uint32_t)((load - elsewhere) * others / all));
    more = (uint32_t)(flow * here / others);
    before = place_wait(load, (uint32_t)here) +
             place_wait(elsewhere, (uint32_t)here) * others / here;
    after = place_wait(load - flow, (uint32_t)here) +
            place_wait(elsewhere + more, (uint32_t)here) * others / here;
    return before > after ? before - after : 0;
}

/* What it costs that a VM of @c is in @to: its events cross borders then. */
static uint64_t spreading_costs(const struct place_host *h, uint32_t vm,
                                uint32_t c, uint32_t to)
{
    const struct vm *v = &h->vm[vm];
    uint64_t here = h->cage[c].capacity, all = h->cage[to].capacity;

    return place_cost(v->nr_threads, v->demand,
                      all > here ? place_events(h, vm) * (all - here) / all :
                                   0);
}

/* The next wider cage with room in which @vm would save more than it costs. */
static uint32_t wider(const struct place_host *h, uint32_t c, uint32_t vm,
                      uint64_t *gain, uint64_t *cost)
{
    const struct cage *cage = &h->cage[c];
    /* No more can be saved than is waited. */
    uint64_t waited =
        cage->demand * cage->pressure / PLACE_ONE * 1000000 / PLACE_ONE;
    uint32_t load = bound_load(h, c), k, next;

    for (k = 0; k <= NR_SET_SIZES; k++) {
        next =
            k < NR_SET_SIZES ? place_node_set(h, cage->first_node, k) : h->all;
        if (!k && cage->nr_nodes == 1) {
            next = h->node_cage[cage->first_node];
        }
        if (next == PLACE_NONE || next == c ||
            h->cage[next].nr_llcs <= cage->nr_llcs ||
            !bit_test(h->under, next)) {
            continue;
        }
        *gain = spreading_saves(h, c, next, load, h->vm[vm].demand);
        *gain = *gain < waited ? *gain : waited;
        *cost = spreading_costs(h, vm, c, next);
        if (place_pays(*gain, *cost)) {
            return next;
        }
    }
    return PLACE_NONE;
}

bool place_widen(struct place_host *h, uint32_t c, uint64_t now,
                 struct place_change *change, size_t max, size_t *n)
{
    const uint64_t *present = h->present + (size_t)c * h->class_words;
    uint32_t class, looks = 0, last = PLACE_NONE, i;

    for_each_bit(class, present, h->class_words)
    {
        const struct pair *p =
            &h->pair[h->pair_of[(size_t)c * h->limits.max_classes + class]];
        uint32_t left = p->filled, bucket;

        for (; left; left &= ~(1U << bucket)) {
            bucket = 31 - (uint32_t)__builtin_clz(left);
            for (i = p->head[bucket]; i != PLACE_NONE; i = h->thread[i].next) {
                uint32_t vm = h->thread[i].vm, to;
                uint64_t gain, cost;

                /* A VM's vCPUs often follow each other. */
                if (vm == last || h->vm[vm].cage != c) {
                    continue;
                }
                if (looks++ == MAX_LOOKS) {
                    return false;
                }
                last = vm;
                to = wider(h, c, vm, &gain, &cost);
                if (to != PLACE_NONE &&
                    place_act(h, vm, PLACE_NONE, to, PLACE_WIDENED,
                              (uint32_t)gain, (uint32_t)cost, false, now,
                              change, max, n)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Where nobody waits, and there is room for what is coming. */
static bool is_calm(const struct place_host *h, uint32_t vm, uint64_t now)
{
    const struct vm *v = &h->vm[vm];
    const struct cage *home = &h->cage[v->home];

    return home->pressure < PRESSURE_CALM &&
           now - home->calm_since >= CALM_FOR &&
           ((uint64_t)place_load(h, v->home) + v->demand) * PLACE_ONE <=
               (uint64_t)home->capacity * ROOM_BELOW;
}

/* Its home would wait no more with it: to be wide no longer pays. */
static bool is_wide_for_nothing(const struct place_host *h, uint32_t vm,
                                uint64_t now)
{
    const struct vm *v = &h->vm[vm];
    const struct cage *home = &h->cage[v->home], *cage = &h->cage[v->cage];
    uint32_t load;

    if (cage->nr_llcs <= home->nr_llcs || !home->nr_active ||
        now - v->last_action < CALM_FOR) {
        return false;
    }
    load = bound_load(h, v->home) + v->demand;
    return spreading_saves(h, v->home, v->cage, load, v->demand) <
           spreading_costs(h, vm, v->home, v->cage);
}

/* VMs that were widened or moved go home. */
void place_narrow(struct place_host *h, uint64_t now,
                  struct place_change *change, size_t max, size_t *n)
{
    uint32_t vm, left = h->nr_vms;

    for (vm = 0; left && place_may_act(h, now); vm++) {
        const struct vm *v = &h->vm[vm];

        left -= v->used;
        if (v->used && v->cage != v->home &&
            (is_calm(h, vm, now) || is_wide_for_nothing(h, vm, now))) {
            place_act(h, vm, PLACE_NONE, v->home, PLACE_NARROWED, 0, 0, true,
                      now, change, max, n);
        }
    }
}
