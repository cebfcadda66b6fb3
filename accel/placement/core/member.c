/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which threads are in which cage.
 *
 * Those of one class in one cage, a pair, are in lists by the logarithm of their
 * demand, so that "one of about this demand" is a look at one word.  Only threads
 * that may be moved are in a list: not those of dedicated or ignored VMs, nor
 * those without a CPU that may be used.
 *
 * A thread's demand is spread over the LLCs of its cage.  What it adds depends on
 * its demand and its cage alone, so that leaving takes away just what came.
 */

#include "model.h"

uint32_t place_bucket(uint32_t demand)
{
    return demand ?
               min_u32(32 - (uint32_t)__builtin_clz(demand), NR_BUCKETS - 1) :
               0;
}

static void add_load(struct place_host *h, uint32_t cage, uint32_t demand,
                     bool on)
{
    const struct cage *c = &h->cage[cage];
    uint64_t part;
    uint32_t i;

    if (!c->nr_active) {
        return;
    }
    part = ((uint64_t)demand << 10) / c->nr_active;
    for (i = 0; i < c->nr_llcs; i++) {
        struct llc *llc = &h->llc[h->cage_llc[c->llcs + i]];

        if (llc->nr_cpus) {
            llc->load += on ? part : -part;
        }
    }
}

/* A dedicated vCPU's CPU is not available, so its demand is no load. */
static void count_thread(struct place_host *h, const struct thread *t, bool on)
{
    if (t->cpu == NONE16) {
        add_load(h, t->cage, t->demand, on);
        h->cage[t->cage].demand += on ? t->demand : -(uint64_t)t->demand;
    }
}

static uint16_t *pair_of(struct place_host *h, uint32_t cage, uint32_t class)
{
    return &h->pair_of[(size_t)cage * h->limits.max_classes + class];
}

static void list(struct place_host *h, uint32_t thread)
{
    struct thread *t = &h->thread[thread];
    uint16_t *id = pair_of(h, t->cage, t->class);
    struct pair *p;
    uint32_t i;

    if (*id == NONE16) {
        /* There is one: at most as many pairs as threads are in use. */
        *id = h->free_pair;
        p = &h->pair[*id];
        h->free_pair = p->next_free;
        for (i = 0; i < NR_BUCKETS; i++) {
            p->head[i] = PLACE_NONE;
        }
        p->filled = 0;
        p->nr = 0;
        place_present(h, t->cage, t->class, true);
    }
    p = &h->pair[*id];
    p->nr++;
    t->bucket = (uint8_t)place_bucket(t->demand);
    t->prev = PLACE_NONE;
    t->next = p->head[t->bucket];
    if (t->next != PLACE_NONE) {
        h->thread[t->next].prev = thread;
    }
    p->head[t->bucket] = thread;
    p->filled |= (uint16_t)(1U << t->bucket);
    t->listed = true;
}

static void unlist(struct place_host *h, uint32_t thread)
{
    struct thread *t = &h->thread[thread];
    uint16_t *id = pair_of(h, t->cage, t->class);
    struct pair *p = &h->pair[*id];

    if (t->prev == PLACE_NONE) {
        p->head[t->bucket] = t->next;
    } else {
        h->thread[t->prev].next = t->next;
    }
    if (t->next != PLACE_NONE) {
        h->thread[t->next].prev = t->prev;
    }
    if (p->head[t->bucket] == PLACE_NONE) {
        p->filled &= (uint16_t) ~(1U << t->bucket);
    }
    t->listed = false;
    if (!--p->nr) {
        p->next_free = h->free_pair;
        h->free_pair = *id;
        *id = NONE16;
        place_present(h, t->cage, t->class, false);
    }
}

/* Lists it if it may be moved now, or takes it off its list if not. */
static void relist(struct place_host *h, uint32_t thread)
{
    struct thread *t = &h->thread[thread];
    uint8_t policy = h->vm[t->vm].policy;
    bool movable = t->cpu == NONE16 && h->class[t->class].usable &&
                   (policy == PLACE_SHARED || policy == PLACE_DENSE);

    if (movable && !t->listed) {
        list(h, thread);
    } else if (!movable && t->listed) {
        unlist(h, thread);
    }
}

void place_enter(struct place_host *h, uint32_t thread, uint32_t cage)
{
    struct thread *t = &h->thread[thread];

    t->cage = (uint16_t)cage;
    h->cage[cage].nr_threads++;
    count_thread(h, t, true);
    relist(h, thread);
}

void place_leave(struct place_host *h, uint32_t thread)
{
    struct thread *t = &h->thread[thread];

    if (t->listed) {
        unlist(h, thread);
    }
    h->cage[t->cage].nr_threads--;
    count_thread(h, t, false);
}

void place_demand(struct place_host *h, uint32_t thread, uint32_t demand)
{
    struct thread *t = &h->thread[thread];
    struct vm *v = &h->vm[t->vm];

    count_thread(h, t, false);
    v->demand += demand - t->demand;
    t->demand = (uint16_t)demand;
    count_thread(h, t, true);
    if (t->listed && t->bucket != place_bucket(demand)) {
        unlist(h, thread);
        list(h, thread);
    }
}

/* What is reserved is a load of the VM's home, like a thread's demand. */
void place_reserve(struct place_host *h, uint32_t vm, uint32_t need)
{
    struct vm *v = &h->vm[vm];

    add_load(h, v->home, v->reserved, false);
    v->reserved = need;
    add_load(h, v->home, v->reserved, true);
}

/* From nothing, when the CPUs have changed among which loads are spread. */
void place_loads_count(struct place_host *h)
{
    uint32_t i;

    for (i = 0; i < h->nr_llcs; i++) {
        h->llc[i].load = 0;
    }
    for (i = 0; i < h->nr_cages; i++) {
        h->cage[i].demand = 0;
    }
    for (i = 0; i < h->limits.max_vms; i++) {
        if (h->vm[i].used) {
            add_load(h, h->vm[i].home, h->vm[i].reserved, true);
        }
    }
    for (i = 0; i < h->limits.max_threads; i++) {
        if (h->thread[i].vm != PLACE_NONE) {
            count_thread(h, &h->thread[i], true);
            relist(h, i);
        }
    }
}

static uint32_t usable(const struct place_host *h, uint32_t class,
                       const uint64_t *cage)
{
    const uint64_t *allowed = h->class[class].allowed.word;
    uint32_t i, n = 0;

    for (i = 0; i < h->words; i++) {
        n += (uint32_t)__builtin_popcountll(allowed[i] & h->available.word[i] &
                                            (cage ? cage[i] : ~UINT64_C(0)));
    }
    return n;
}

bool place_meets(const struct place_host *h, uint32_t thread, uint32_t cage)
{
    uint32_t class = h->thread[thread].class;

    return bit_test(h->takes + (size_t) class * h->cage_words, cage) ||
           !h->class[class].usable;
}

bool place_fits(const struct place_host *h, uint32_t vm, uint32_t thread,
                uint32_t from, uint32_t to)
{
    const uint64_t *cpus = h->cage[to].cpus.word;
    uint32_t i, n = 0, pass, seen = PLACE_NONE;

    for (pass = 0; pass < 2; pass++) {
        for (i = h->vm[vm].first_thread; i != PLACE_NONE;
             i = h->thread[i].next_of_vm) {
            const struct thread *t = &h->thread[i];
            bool comes = thread == PLACE_NONE ? t->cage == from : i == thread;

            if (t->kind != PLACE_VCPU || t->cpu != NONE16 ||
                (t->cage != to && !comes)) {
                continue;
            }
            if (!pass) {
                n++;
            } else if (t->class != seen && h->class[t->class].usable) {
                seen = t->class;
                if (usable(h, seen, cpus) < min_u32(n, usable(h, seen, NULL))) {
                    return false;
                }
            }
        }
    }
    return true;
}
