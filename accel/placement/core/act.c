/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an action does, if it may: limits, the threads that move, the reason. */

#include "model.h"

bool place_may_act(const struct place_host *h, uint64_t now)
{
    return h->mode == PLACE_BALANCE && now >= h->suspended_until && h->tokens;
}

static bool comes_along(const struct place_host *h, uint32_t thread,
                        uint32_t from, uint32_t to)
{
    const struct thread *t = &h->thread[thread];

    return t->cage == from && t->cpu == NONE16 &&
           (t->kind == PLACE_VCPU || place_meets(h, thread, to));
}

void place_change_home(struct place_host *h, uint32_t vm, uint32_t home)
{
    uint32_t reserved = h->vm[vm].reserved;

    place_reserve(h, vm, 0);
    h->vm[vm].home = (uint16_t)home;
    place_reserve(h, vm, reserved);
}

void place_begin_anew(struct place_host *h, uint32_t cage)
{
    h->cage[cage].high = 0;
    h->cage[cage].anew = true;
}

bool place_act(struct place_host *h, uint32_t vm, uint32_t thread, uint32_t to,
               enum place_action action, uint32_t gain, uint32_t cost,
               bool more_local, uint64_t now, struct place_change *change,
               size_t max, size_t *n)
{
    struct vm *v = &h->vm[vm];
    uint32_t from = thread == PLACE_NONE ? v->cage : h->thread[thread].cage;
    uint32_t i, slot, nr = 0;
    struct running *r;

    if (!place_may_act(h, now) || from == to ||
        (v->policy != PLACE_SHARED && v->policy != PLACE_DENSE) ||
        (v->last_action && now - v->last_action < REST_BETWEEN_MOVES) ||
        place_tabu(h, vm, from, to, now) ||
        !place_fits(h, vm, thread, from, to)) {
        return false;
    }
    for (slot = 0; slot < MAX_RUNNING && h->running[slot].used; slot++) {
    }
    for (i = v->first_thread; i != PLACE_NONE; i = h->thread[i].next_of_vm) {
        nr += (thread == PLACE_NONE || i == thread) &&
              comes_along(h, i, from, to);
    }
    if (slot == MAX_RUNNING || !nr || nr > PLACE_MAX_MASKS || *n + nr > max) {
        return false;
    }
    r = &h->running[slot];
    *r = (struct running){
        .time = now,
        .vm = vm,
        .from = (uint16_t)from,
        .to = (uint16_t)to,
        .action = (uint8_t)action,
        .used = true,
        .more_local = more_local,
        .demand = (uint32_t)(h->cage[from].demand + h->cage[to].demand),
    };
    place_mean(h, from, to, NR_WINDOWS, &r->mean, &r->deviation, &r->run);
    v->reason = (struct reason){
        .code = REASON_ACTION,
        .action = (uint8_t)action,
        .from = (uint16_t)from,
        .to = (uint16_t)to,
        .gain = gain,
        .cost = cost,
        .pressure_from = (uint16_t)h->cage[from].pressure,
        .pressure_to = (uint16_t)h->cage[to].pressure,
        .time = now,
    };
    for (i = v->first_thread; i != PLACE_NONE; i = h->thread[i].next_of_vm) {
        if ((thread != PLACE_NONE && i != thread) ||
            !comes_along(h, i, from, to)) {
            continue;
        }
        place_leave(h, i);
        place_enter(h, i, to);
        r->thread[r->nr++] = i;
        change[(*n)++] =
            (struct place_change){ i, (uint16_t)from, (uint16_t)to, action };
    }
    if (thread == PLACE_NONE) {
        v->cage = (uint16_t)to;
        /* Within a node its memory is as near as before. */
        if (action == PLACE_MOVED && h->cage[to].nr_nodes == 1 &&
            h->cage[v->home].nr_nodes == 1 &&
            h->cage[v->home].first_node == h->cage[to].first_node) {
            place_change_home(h, vm, to);
        }
    }
    place_begin_anew(h, from);
    place_begin_anew(h, to);
    v->last_action = now;
    h->tokens--;
    h->actions++;
    place_room(h);
    return true;
}

bool place_force(struct place_host *h, uint32_t vm, uint32_t cage, uint64_t now,
                 struct place_change *change, size_t max, size_t *n)
{
    *n = 0;
    return place_act(h, vm, PLACE_NONE, cage, PLACE_MOVED, 0, 0, false, now,
                     change, max, n);
}
