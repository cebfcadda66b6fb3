/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which CPUs may be used, and what changes when they come and go. */

#include "model.h"

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
