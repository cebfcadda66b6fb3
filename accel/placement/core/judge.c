/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an action did: five windows after it, its two cages' pressure is compared
 * with that of the five windows before.  An action that did harm is taken back
 * and not tried again for a while; so is one that brought nothing, unless the VM
 * is closer to those it talks with.
 *
 * Where harm is plain, which two windows in a row can show, guests need not bear it
 * for five: each of them must be worse by three deviations, and the threads must have
 * run no more than before.  Waiting that came with more work is the guests' doing.
 */

#include "model.h"

/* Windows in a row that show plain harm, and by how much pressure at least. */
#define PLAIN_WINDOWS 2
#define PLAIN_HARM (2 * PRESSURE_CALM)

/* Both cages' pressure in one window; adds how long their threads ran. */
static uint32_t pressure_of(const struct cage *a, const struct cage *b,
                            uint32_t window, uint64_t *run)
{
    uint64_t delay = a->past[window].delay + b->past[window].delay;
    uint64_t ran = a->past[window].run + b->past[window].run;

    *run += ran;
    return ran + delay ? (uint32_t)(delay * PLACE_ONE / (ran + delay)) : 0;
}

void place_mean(const struct place_host *h, uint32_t c, uint32_t d,
                uint32_t windows, uint32_t *mean, uint32_t *deviation,
                uint64_t *run)
{
    const struct cage *a = &h->cage[c], *b = &h->cage[d];
    uint32_t value[NR_WINDOWS], n, i;
    uint64_t sum = 0, square = 0, ran = 0;

    n = min_u32(windows, a->nr_past < b->nr_past ? a->nr_past : b->nr_past);
    for (i = 0; i < n; i++) {
        value[i] = pressure_of(a, b, i, &ran);
        sum += value[i];
    }
    *mean = n ? (uint32_t)(sum / n) : 0;
    *run = n ? ran / n : 0;
    for (i = 0; i < n; i++) {
        int64_t off = (int64_t)value[i] - *mean;

        square += (uint64_t)(off * off);
    }
    *deviation = n > 1 ? place_isqrt(square / (n - 1)) : 0;
}

bool place_tabu(const struct place_host *h, uint32_t vm, uint32_t from,
                uint32_t to, uint64_t now)
{
    uint32_t i;

    for (i = 0; i < MAX_TABUS; i++) {
        const struct tabu *t = &h->tabu[i];

        if (t->span && t->vm == vm && t->from == from && t->to == to) {
            return now < t->until;
        }
    }
    return false;
}

/* A slot's next VM must not inherit them. */
void place_tabu_forget(struct place_host *h, uint32_t vm)
{
    uint32_t i;

    for (i = 0; i < MAX_TABUS; i++) {
        if (h->tabu[i].vm == vm) {
            h->tabu[i] = (struct tabu){ 0 };
        }
    }
}

/* Twice as long each time; when all are in use, the first to end goes. */
static void forbid(struct place_host *h, const struct running *r, uint64_t now)
{
    struct tabu *t = &h->tabu[0];
    uint32_t i;

    for (i = 0; i < MAX_TABUS; i++) {
        struct tabu *other = &h->tabu[i];

        if (other->span && other->vm == r->vm && other->from == r->from &&
            other->to == r->to) {
            t = other;
            break;
        }
        t = other->until < t->until ? other : t;
    }
    if (i == MAX_TABUS) {
        *t = (struct tabu){ .vm = r->vm, .from = r->from, .to = r->to };
    }
    t->span = !t->span                ? TABU_FIRST :
              t->span * 2 < TABU_LAST ? t->span * 2 :
                                        TABU_LAST;
    t->until = now + t->span;
}

/* To where they came from, as far as they still are where they were put. */
static void roll_back(struct place_host *h, const struct running *r,
                      uint64_t now, struct place_change *change, size_t *n)
{
    struct vm *v = &h->vm[r->vm];
    bool whole = v->cage == r->to;
    uint32_t i;

    for (i = 0; i < r->nr; i++) {
        uint32_t thread = r->thread[i];
        struct thread *t = &h->thread[thread];

        if (t->vm != r->vm || t->cage != r->to || t->cpu != NONE16 ||
            !place_meets(h, thread, r->from) ||
            !place_fits(h, r->vm, thread, r->from, r->from)) {
            whole = false;
            continue;
        }
        place_leave(h, thread);
        place_enter(h, thread, r->from);
        change[(*n)++] =
            (struct place_change){ thread, r->to, r->from, PLACE_ROLLED_BACK };
    }
    if (whole && r->nr > 0 && h->cage[r->from].nr_active) {
        v->cage = r->from;
    }
    place_begin_anew(h, r->from);
    place_begin_anew(h, r->to);
    v->last_action = now;
    place_room(h);
    for (i = NR_ROLL_BACKS - 1; i; i--) {
        h->roll_back[i] = h->roll_back[i - 1];
    }
    h->roll_back[0] = now;
    h->rolled_back++;
}

static enum reason_verdict verdict(const struct place_host *h,
                                   const struct running *r, uint32_t mean)
{
    uint64_t demand = h->cage[r->from].demand + h->cage[r->to].demand;
    uint32_t harm = r->deviation * 916 / 1024; /* 2/sqrt(5) */

    if (demand * 10 > (uint64_t)r->demand * 12 ||
        demand * 10 < (uint64_t)r->demand * 8) {
        return VERDICT_DEMAND_CHANGED;
    }
    if (mean > r->mean + (harm > PRESSURE_CALM ? harm : PRESSURE_CALM)) {
        return VERDICT_HARM;
    }
    /* Merged and narrowed ones are there for locality. */
    if (mean + r->deviation / 2 > r->mean && !r->more_local) {
        return VERDICT_NO_GAIN;
    }
    return VERDICT_KEPT;
}

static bool is_plain_harm(const struct place_host *h, const struct running *r)
{
    const struct cage *from = &h->cage[r->from], *to = &h->cage[r->to];
    uint32_t harm = 3 * r->deviation, i;
    uint64_t run = 0;

    if (r->windows < PLAIN_WINDOWS || !r->run) {
        return false;
    }
    harm = harm > PLAIN_HARM ? harm : PLAIN_HARM;
    for (i = 0; i < PLAIN_WINDOWS; i++) {
        if (pressure_of(from, to, i, &run) <= r->mean + harm) {
            return false;
        }
    }
    return run * 10 <= r->run * PLAIN_WINDOWS * 11;
}

void place_judge(struct place_host *h, uint64_t now,
                 struct place_change *change, size_t max, size_t *n)
{
    uint32_t i, mean, deviation;
    uint64_t run;

    for (i = 0; i < MAX_RUNNING; i++) {
        struct running *r = &h->running[i];
        struct vm *v = &h->vm[r->vm];
        enum reason_verdict said;
        bool plain;

        if (!r->used || *n + r->nr > max) {
            continue;
        }
        plain = is_plain_harm(h, r);
        if (r->windows < NR_WINDOWS && !plain) {
            continue;
        }
        r->used = false;
        place_mean(h, r->from, r->to, min_u32(r->windows, NR_WINDOWS), &mean,
                   &deviation, &run);
        said = plain ? VERDICT_HARM : verdict(h, r, mean);
        if (v->reason.code == REASON_ACTION && v->reason.time == r->time) {
            v->reason.verdict = (uint8_t)said;
            v->reason.measured = (uint16_t)mean;
        }
        if (said != VERDICT_HARM && said != VERDICT_NO_GAIN) {
            continue;
        }
        forbid(h, r, now);
        roll_back(h, r, now, change, n);
        if (h->rolled_back >= NR_ROLL_BACKS &&
            now - h->roll_back[NR_ROLL_BACKS - 1] < SUSPENDED_FOR) {
            h->suspended_until = now + SUSPENDED_FOR;
        }
    }
}
