/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads of VMs: how they come and go, and what is measured of them. */

#include "model.h"

int place_thread_add(struct place_host *h, uint32_t vm, enum place_kind kind,
                     uint32_t index, const struct place_set *allowed,
                     uint32_t *thread)
{
    struct vm *v = &h->vm[vm];
    struct thread *t;
    uint32_t class, cpu, nr;

    if (kind > PLACE_BACKEND || index > UINT16_MAX ||
        (kind == PLACE_VCPU && index >= v->vcpus)) {
        return -PLACE_EINVAL;
    }
    if (h->free_thread == PLACE_NONE) {
        return -PLACE_EFULL;
    }
    class = place_class_get(h, allowed);
    if (class == PLACE_NONE) {
        return -PLACE_EFULL;
    }
    *thread = h->free_thread;
    t = &h->thread[*thread];
    h->free_thread = t->next;
    h->nr_threads++;
    v->nr_threads++;
    *t = (struct thread){
        .vm = vm,
        .next_of_vm = v->first_thread,
        .first_edge = PLACE_NONE,
        .class = (uint16_t) class,
        .cpu = NONE16,
        .index = (uint16_t)index,
        .kind = (uint8_t)kind,
        .cage = h->all,
    };
    v->first_thread = *thread;
    if (v->policy == PLACE_DEDICATED && kind == PLACE_VCPU) {
        for (cpu = 0, nr = 0; cpu < h->nr_cpus; cpu++) {
            if (h->owner[cpu] == vm && nr++ == index &&
                bit_test(h->class[class].allowed.word, cpu)) {
                t->cpu = (uint16_t)cpu;
            }
        }
    }
    place_enter(h, *thread,
                t->cpu != NONE16 ||
                        (place_meets(h, *thread, v->cage) &&
                         place_fits(h, vm, *thread, v->cage, v->cage)) ?
                    v->cage :
                    h->all);
    return 0;
}

void place_thread_remove(struct place_host *h, uint32_t thread)
{
    struct thread *t = &h->thread[thread];
    struct vm *v = &h->vm[t->vm];
    uint32_t *link = &v->first_thread;

    place_edges_drop(h, thread);
    place_leave(h, thread);
    v->demand -= t->demand;
    place_class_put(h, t->class);
    while (*link != thread) {
        link = &h->thread[*link].next_of_vm;
    }
    *link = t->next_of_vm;
    v->nr_threads--;
    h->nr_threads--;
    t->vm = PLACE_NONE;
    t->next = h->free_thread;
    h->free_thread = thread;
}

int place_thread_allow(struct place_host *h, uint32_t thread,
                       const struct place_set *allowed)
{
    struct thread *t = &h->thread[thread];
    uint32_t class, cage = t->cage;

    class = place_class_get(h, allowed);
    if (class == PLACE_NONE) {
        return -PLACE_EFULL;
    }
    place_leave(h, thread);
    place_class_put(h, t->class);
    t->class = (uint16_t) class;
    /* A vCPU with a CPU of its own keeps it only where that is allowed. */
    if (t->cpu != NONE16 && !bit_test(h->class[class].allowed.word, t->cpu)) {
        t->cpu = NONE16;
    }
    t->cage = h->all;
    if (t->cpu == NONE16 && (!place_meets(h, thread, cage) ||
                             !place_fits(h, t->vm, thread, cage, cage))) {
        cage = h->all;
    }
    place_enter(h, thread, cage);
    return 0;
}

bool place_thread_mask(const struct place_host *h, uint32_t thread,
                       struct place_set *mask)
{
    const struct thread *t = &h->thread[thread];
    const struct class *class = &h->class[t->class];
    uint32_t i;

    for (i = 0; i < PLACE_MAX_CPUS / 64; i++) {
        mask->word[i] = 0;
    }
    if (h->vm[t->vm].policy == PLACE_IGNORE) {
        return false;
    }
    if (t->cpu != NONE16) {
        bit_set(mask->word, t->cpu);
        return bit_test(h->online.word, t->cpu);
    }
    for (i = 0; i < h->words; i++) {
        mask->word[i] = h->cage[t->cage].cpus.word[i] & class->allowed.word[i] &
                        h->available.word[i];
    }
    return !bits_empty(mask->word, h->words);
}

static uint32_t parts(uint64_t value, uint64_t of)
{
    uint64_t n = of ? value * PLACE_ONE / of : 0;

    return n > PLACE_ONE ? PLACE_ONE : (uint32_t)n;
}

void place_thread_sample(struct place_host *h, uint32_t thread, uint64_t now,
                         const struct place_sample *s)
{
    struct thread *t = &h->thread[thread];
    struct vm *v = &h->vm[t->vm];
    struct cage *c = &h->cage[t->cage];
    uint64_t run, delay, time = now - t->when;
    uint32_t demand;
    /* What is polled away is no demand. */
    uint64_t useful = s->run > s->halt_poll ? s->run - s->halt_poll : 0;

    if (t->sampled && time && now > t->when) {
        run = useful > t->run ? useful - t->run : 0;
        delay = s->delay > t->delay ? s->delay - t->delay : 0;
        demand = parts(run + delay, time);
        if (t->measured) {
            t->wait = (uint16_t)((3 * t->wait + parts(delay, time) + 2) / 4);
            demand = (3 * t->demand + demand + 2) / 4;
        } else {
            t->wait = (uint16_t)parts(delay, time);
        }
        t->measured = true;
        place_demand(h, thread, demand);
        if (t->cpu == NONE16) {
            c->sum.run += run > t->assumed ? run - t->assumed : 0;
            c->sum.delay += delay;
        }
        if (v->reserved) {
            place_reserve(h, t->vm,
                          now - v->start > MEASURED_AFTER ||
                                  v->demand >= v->need ?
                              0 :
                              v->need - v->demand);
        }
    }
    t->sampled = true;
    t->assumed = 0;
    t->run = useful;
    t->delay = s->delay;
    t->when = now;
    h->last_now = now;
}

void place_thread_calm(struct place_host *h, uint32_t thread, uint64_t now)
{
    struct thread *t = &h->thread[thread];
    uint64_t since = t->calm_until > t->when ? t->calm_until : t->when, run;

    if (!t->measured || now <= since) {
        return;
    }
    /* A demand has the waiting in it, which there was none of. */
    run = (now - since) * (t->demand > t->wait ? t->demand - t->wait : 0) /
          PLACE_ONE;
    if (t->cpu == NONE16) {
        h->cage[t->cage].sum.run += run;
        t->assumed += run;
    }
    t->calm_until = now;
    h->last_now = now;
}

void place_window(struct place_host *h, uint64_t now)
{
    uint32_t i, pressure;

    h->last_now = now;
    for (i = 0; i < h->nr_cages; i++) {
        struct cage *c = &h->cage[i];
        uint32_t k = min_u32(c->nr_past, NR_WINDOWS - 1);

        for (; k; k--) {
            c->past[k] = c->past[k - 1];
        }
        c->past[0] = c->sum;
        c->nr_past = min_u32(c->nr_past + 1, NR_WINDOWS);
        pressure = parts(c->sum.delay, c->sum.run + c->sum.delay);
        c->sum = (struct window){ 0, 0 };
        c->pressure = c->anew ? pressure : (c->pressure + pressure + 1) / 2;
        c->anew = false;
        if (c->pressure == 1 && !pressure) {
            c->pressure = 0;
        }
        c->high = c->pressure > PRESSURE_HIGH ? c->high + 1 : 0;
        if (c->pressure >= PRESSURE_CALM) {
            c->calm_since = now;
        }
        place_heap_update(h, i);
    }
    for (i = 0; i < MAX_RUNNING; i++) {
        h->running[i].windows += h->running[i].used;
    }
    place_edges_fade(h);
    place_room(h);
}
