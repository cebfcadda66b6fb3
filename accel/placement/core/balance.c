/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to do about cages whose threads wait.
 *
 * For the cage with most pressure: masks say first which cages could take one of
 * its threads and have room.  If moving a VM, or a thread between LLCs of a
 * node, saves clearly more waiting than it costs, that is done.  Else a VM's cage
 * is widened, if that does: better remote than waiting.
 */

#include "model.h"

#define MAX_TARGETS 3
#define MAX_CANDIDATES 4
#define MOVE_COST 100 /* microseconds a second for each thread */
#define EVENT_COST 10 /* for each event that crosses a border */
#define LEAST_GAIN 5000

struct candidate {
    uint32_t vm, thread; /* thread: PLACE_NONE to move the whole VM */
    uint32_t demand;
    int64_t cut;
};

uint64_t place_cost(uint64_t masks, uint64_t demand, uint64_t crossing)
{
    return masks * MOVE_COST + demand * 20000 / PLACE_ONE +
           crossing * EVENT_COST;
}

bool place_pays(uint64_t gain, uint64_t cost)
{
    return gain * 4 >= cost * 5 + LEAST_GAIN * 4;
}

static uint32_t distance(const struct place_host *h, uint32_t from, uint32_t to)
{
    return place_distance(h, h->cage[from].first_node, h->cage[to].first_node);
}

static bool same_node(const struct place_host *h, uint32_t c, uint32_t d)
{
    return h->cage[c].nr_nodes == 1 && h->cage[d].nr_nodes == 1 &&
           h->cage[c].first_node == h->cage[d].first_node;
}

/* Up to 4 of class-compatible VMs or threads with about the wanted demand. */
static uint32_t find_candidates(const struct place_host *h, uint32_t c,
                                uint32_t d, struct candidate *found)
{
    const uint64_t *present = h->present + (size_t)c * h->class_words;
    uint32_t lc = place_load(h, c), ld = place_load(h, d);
    uint32_t want = lc > ld ? (lc - ld) / 2 : 0, n = 0, class, i, j, looks;
    bool alone = same_node(h, c, d);

    for_each_bit(class, present, h->class_words)
    {
        const struct pair *p;
        uint32_t bucket, below;

        if (!bit_test(h->takes + (size_t) class * h->cage_words, d)) {
            continue;
        }
        p = &h->pair[h->pair_of[(size_t)c * h->limits.max_classes + class]];
        /* The nearest demand below the wanted one, then smaller ones. */
        below = p->filled & ((2U << place_bucket(want)) - 1);
        looks = 0;
        for (; below && n < MAX_CANDIDATES; below &= ~(1U << bucket)) {
            bucket = 31 - (uint32_t)__builtin_clz(below);
            for (i = p->head[bucket]; i != PLACE_NONE && n < MAX_CANDIDATES &&
                                      looks++ < 2 * MAX_CANDIDATES;
                 i = h->thread[i].next) {
                const struct vm *v = &h->vm[h->thread[i].vm];
                struct candidate new = { h->thread[i].vm, i,
                                         h->thread[i].demand, 0 };

                if (!alone) {
                    new.thread = PLACE_NONE;
                    new.demand = v->demand;
                }
                for (j = 0; j < n && found[j].vm != new.vm; j++) {
                }
                if (j < n || (!alone && v->cage != c) ||
                    new.demand > 2 * want) {
                    continue;
                }
                new.cut = place_cut(h, new.vm, new.thread, c, d);
                for (j = n++; j && found[j - 1].cut > new.cut; j--) {
                    found[j] = found[j - 1];
                }
                found[j] = new;
            }
        }
    }
    return n;
}

static bool try_move(struct place_host *h, uint32_t c, uint32_t d, uint64_t now,
                     struct place_change *change, size_t max, size_t *n)
{
    struct candidate found[MAX_CANDIDATES];
    uint32_t nr = find_candidates(h, c, d, found), i;
    uint32_t lc = place_load(h, c), ld = place_load(h, d);
    const struct cage *from = &h->cage[c], *to = &h->cage[d];
    uint64_t before =
        (uint64_t)place_wait(lc, from->capacity) + place_wait(ld, to->capacity);

    for (i = 0; i < nr; i++) {
        struct candidate *f = &found[i];
        const struct vm *v = &h->vm[f->vm];
        uint64_t after, cost,
            masks = f->thread == PLACE_NONE ? v->nr_threads : 1;

        if (f->demand > lc) {
            continue;
        }
        after = (uint64_t)place_wait(lc - f->demand, from->capacity) +
                place_wait(ld + f->demand, to->capacity);
        cost = place_cost(masks, f->demand, f->cut > 0 ? (uint64_t)f->cut : 0);
        /* A hundredth of its time for each 10 of distance and 16 GiB. */
        if (!same_node(h, c, d)) {
            uint32_t far = distance(h, v->home, d);

            cost += v->memory * (far > 10 ? far - 10 : 0) / 16;
        }
        if (before < after || !place_pays(before - after, cost)) {
            continue;
        }
        if (place_act(h, f->vm, f->thread, d, PLACE_MOVED,
                      (uint32_t)(before - after), (uint32_t)cost, f->cut < 0,
                      now, change, max, n)) {
            return true;
        }
    }
    return false;
}

/* Cages of the same kind as @c that may take from it and have room. */
static bool targets(const struct place_host *h, uint32_t c, uint64_t *found)
{
    const uint64_t *takers = h->takers + (size_t)c * h->cage_words;
    uint64_t any = 0;
    uint32_t i, k;

    for (i = 0; i < h->cage_words; i++) {
        uint64_t kin = 0;

        for (k = 0; k <= PLACE_ALL; k++) {
            kin |= bit_test(h->kind[k], c) ? h->kind[k][i] : 0;
        }
        found[i] = takers[i] & h->under[i] & kin;
        any |= found[i];
    }
    return any;
}

static void decide(struct place_host *h, uint32_t c, uint64_t now,
                   struct place_change *change, size_t max, size_t *n)
{
    uint64_t found[PLACE_WORDS(PLACE_MAX_CPUS + PLACE_MAX_NODES * 13)];
    uint32_t best[MAX_TARGETS], nr = 0, d, i, j;

    if (!targets(h, c, found)) {
        if (!place_widen(h, c, now, change, max, n)) {
            h->nowhere++;
        }
        return;
    }
    for_each_bit(d, found, h->cage_words)
    {
        uint32_t dist = distance(h, c, d);
        uint64_t load =
            (uint64_t)place_load(h, d) * PLACE_ONE / h->cage[d].capacity;

        for (i = 0; i < nr; i++) {
            uint32_t other = distance(h, c, best[i]);

            if (dist < other ||
                (dist == other && load < (uint64_t)place_load(h, best[i]) *
                                             PLACE_ONE /
                                             h->cage[best[i]].capacity)) {
                break;
            }
        }
        if (i == MAX_TARGETS) {
            continue;
        }
        nr += nr < MAX_TARGETS;
        for (j = nr - 1; j > i; j--) {
            best[j] = best[j - 1];
        }
        best[i] = d;
    }
    for (i = 0; i < nr; i++) {
        if (try_move(h, c, best[i], now, change, max, n)) {
            return;
        }
    }
    if (!place_widen(h, c, now, change, max, n)) {
        h->nowhere++;
    }
}

size_t place_plan_begin(struct place_host *h, uint64_t now,
                        struct place_change *change, size_t max)
{
    uint64_t seconds = (now - h->tokens_since) / PLACE_SECOND;
    size_t n = 0;

    h->last_now = now;
    if (seconds) {
        h->tokens = ACTIONS_A_SECOND;
        h->tokens_since = now;
    }
    h->nr_decided = 0;
    if (h->mode != PLACE_BALANCE) {
        return 0;
    }
    place_room(h);
    place_judge(h, now, change, max, &n);
    place_narrow(h, now, change, max, &n);
    return n;
}

bool place_plan_next(struct place_host *h, uint64_t now,
                     struct place_change *change, size_t max, size_t *n)
{
    *n = 0;
    if (place_may_act(h, now) && h->heap_size &&
        h->cage[h->heap[0]].pressure > PRESSURE_HIGH) {
        uint32_t c = place_heap_pop(h);

        h->decided[h->nr_decided++] = (uint16_t)c;
        if (h->cage[c].high >= 2) {
            decide(h, c, now, change, max, n);
        }
        return true;
    }
    while (h->nr_decided) {
        place_heap_push(h, h->decided[--h->nr_decided]);
    }
    return false;
}

size_t place_plan(struct place_host *h, uint64_t now,
                  struct place_change *change, size_t max)
{
    size_t n = place_plan_begin(h, now, change, max), more;

    while (place_plan_next(h, now, change + n, max - n, &more)) {
        n += more;
    }
    return n;
}

void place_mode_set(struct place_host *h, enum place_mode mode)
{
    h->mode = mode;
}

enum place_mode place_mode_get(const struct place_host *h)
{
    return h->mode;
}

void place_target_set(struct place_host *h, uint32_t target)
{
    h->target = target;
}
