/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to threads: they wake, end their bursts, are pulled and pushed. */

#include "queue.h"

#include <math.h>

/* Twice sysctl_sched_migration_cost: a mean of idle times is no more. */
#define LONGEST_IDLE 1000000
#define TICKS_OF_NODE 4
#define TICKS_OF_HOST 16

static double exponential(Scheduler *s, double mean)
{
    return -mean * log(1 - g_rand_double(s->random));
}

/*
 * A CPU that becomes idle looks for a thread, level by level, as long as it is idle for
 * longer on average than that takes (sched_balance_newidle()).
 */
static void pull(Scheduler *s, uint32_t cpu)
{
    Cpu *c = &s->cpu[cpu];
    uint64_t cost = 0;

    c->idle_since = s->now;
    for (uint32_t level = 0; level < NR_LEVELS; level++) {
        uint32_t thread, from;

        /* A level that is no larger than the one below is none. */
        if (level && bits_equal(c->level[level].word, c->level[level - 1].word,
                                s->words)) {
            continue;
        }
        cost += s->look * bits_count(c->level[level].word, s->words);
        thread = c->mean_idle < cost ? NONE : find_thread(s, cpu, level);
        if (thread != NONE) {
            c->idle_since = FOREVER;
            from = s->thread[thread].cpu;
            queue_remove(s, thread);
            queue_set_event(s, from);
            queue_add(s, cpu, thread);
            return;
        }
    }
}

/* What a CPU without a thread does next. */
static void choose(Scheduler *s, uint32_t cpu)
{
    Cpu *c = &s->cpu[cpu];

    if (!c->nr_queued) {
        pull(s, cpu);
    } else if (c->idle_since < s->now) {
        c->mean_idle = (7 * c->mean_idle + (s->now - c->idle_since)) / 8;
        c->mean_idle = MIN(c->mean_idle, LONGEST_IDLE);
    }
    if (c->nr_queued) {
        c->idle_since = FOREVER;
        queue_start(s, cpu, queue_pick(s, c));
    }
    queue_set_event(s, cpu);
}

static void place(Scheduler *s, uint32_t cpu, uint32_t thread)
{
    Cpu *c = &s->cpu[cpu];
    uint32_t next, current;

    queue_add(s, cpu, thread);
    if (c->running == NONE) {
        choose(s, cpu);
        return;
    }
    /* One that is ahead of the mean is not protected by its slice. */
    current = c->running;
    if (s->thread[current].vruntime > queue_mean(s, c) &&
        (next = queue_pick(s, c)) == thread) {
        queue_stop(s, cpu);
        queue_add(s, cpu, current);
        queue_start(s, cpu, thread);
    }
    queue_set_event(s, cpu);
}

static void wake(Scheduler *s, uint32_t thread)
{
    Thread *t = &s->thread[thread];

    events_set(&s->events, 2 * s->nr_cpus + thread, UINT64_MAX);
    t->left = t->sleep > 0 ? (uint64_t)exponential(s, t->burst) + 1 : FOREVER;
    place(s, find_cpu(s, t), thread);
}

/* The CPU's thread has done its burst or its slice. */
static void cpu_event(Scheduler *s, uint32_t cpu)
{
    Cpu *c = &s->cpu[cpu];
    Thread *t = &s->thread[c->running];
    uint32_t thread;

    queue_account(s, c);
    if (!t->left) {
        thread = queue_stop(s, cpu);
        t->state = SLEEPS;
        events_set(&s->events, 2 * s->nr_cpus + thread,
                   s->now + (uint64_t)exponential(s, t->sleep) + 1);
        choose(s, cpu);
        return;
    }
    thread = c->nr_queued ? queue_pick(s, c) : NONE;
    t->deadline = t->vruntime + SLICE;
    if (thread != NONE) {
        uint32_t current = queue_stop(s, cpu);

        queue_add(s, cpu, current);
        queue_start(s, cpu, thread);
    }
    queue_set_event(s, cpu);
}

/* Gives a queued thread to an idle CPU, or to one with two threads less. */
static gboolean push(Scheduler *s, uint32_t cpu, guint level)
{
    Cpu *c = &s->cpu[cpu];
    uint32_t thread, to, best;
    uint16_t node = c->node;
    gboolean may = TRUE;

    for (thread = c->queue; thread != NONE; thread = s->thread[thread].next) {
        const Thread *t = &s->thread[thread];

        best = NONE;
        for_each_bit(to, c->level[level].word, s->words)
        {
            const Cpu *other = &s->cpu[to];

            if (other->node != node) {
                node = other->node;
                may = find_may_cross(s, cpu, to);
            }
            if (!may || !bit_test(t->mask.word, to)) {
                continue;
            }
            if (bit_test(s->idle.word, to)) {
                best = to;
                break;
            }
            if (other->nr_queued + 2 <= c->nr_queued &&
                (best == NONE || other->nr_queued < s->cpu[best].nr_queued)) {
                best = to;
            }
        }
        if (best != NONE) {
            queue_remove(s, thread);
            queue_set_event(s, cpu);
            place(s, best, thread);
            return TRUE;
        }
    }
    return FALSE;
}

static void tick(Scheduler *s, uint32_t cpu)
{
    Cpu *c = &s->cpu[cpu];
    gboolean done = push(s, cpu, LEVEL_LLC);

    c->ticks++;
    if (!done && c->ticks % TICKS_OF_NODE == 0) {
        done = push(s, cpu, LEVEL_NODE);
    }
    if (!done && c->ticks % TICKS_OF_HOST == 0) {
        push(s, cpu, LEVEL_HOST);
    }
    events_set(&s->events, s->nr_cpus + cpu,
               c->nr_queued ? s->now + TICK : UINT64_MAX);
}

void scheduler_run(Scheduler *s, uint64_t until)
{
    for (;;) {
        uint64_t time;
        uint32_t source = events_next(&s->events, &time);

        if (time > until) {
            break;
        }
        s->now = time;
        s->counts.events++;
        if (source < s->nr_cpus) {
            cpu_event(s, source);
        } else if (source < 2 * s->nr_cpus) {
            tick(s, source - s->nr_cpus);
        } else {
            wake(s, source - 2 * s->nr_cpus);
        }
    }
    s->now = until;
    for (uint32_t i = 0; i < s->nr_cpus; i++) {
        queue_account(s, &s->cpu[i]);
    }
}

uint32_t scheduler_add(Scheduler *s, double burst, double share)
{
    uint32_t thread = s->nr_threads++;
    Thread *t = &s->thread[thread];

    g_assert(thread < s->max_threads);
    *t = (Thread){
        .cpu = bit_next(s->exists.word, s->words, thread % s->nr_cpus),
        .next = NONE,
        .burst = burst,
        .sleep = share < 1 ? burst * (1 - share) / MAX(share, 1e-4) : 0,
        .mask = s->exists,
    };
    t->cpu %= s->words * 64;
    if (!bit_test(s->exists.word, t->cpu)) {
        t->cpu = bit_next(s->exists.word, s->words, 0);
    }
    events_set(&s->events, 2 * s->nr_cpus + thread,
               s->now + (uint64_t)exponential(s, t->sleep + burst));
    return thread;
}

void scheduler_mask(Scheduler *s, uint32_t thread, const struct place_set *mask)
{
    Thread *t = &s->thread[thread];
    uint32_t cpu = t->cpu;

    for (uint32_t i = 0; i < s->words; i++) {
        t->mask.word[i] = mask->word[i] & s->exists.word[i];
    }
    g_assert(!bits_empty(t->mask.word, s->words));
    if (t->state == SLEEPS || bit_test(t->mask.word, cpu)) {
        return;
    }
    if (t->state == QUEUED) {
        queue_remove(s, thread);
        queue_set_event(s, cpu);
        place(s, find_cpu(s, t), thread);
    } else {
        queue_stop(s, cpu);
        place(s, find_cpu(s, t), thread);
        choose(s, cpu);
    }
}

void scheduler_sample(const Scheduler *s, uint32_t thread,
                      struct place_sample *sample)
{
    const Thread *t = &s->thread[thread];

    *sample = (struct place_sample){
        .run = t->run,
        .delay = t->delay + (t->state == QUEUED ? s->now - t->since : 0),
    };
}

const SchedulerCounts *scheduler_counts(const Scheduler *s)
{
    return &s->counts;
}

Scheduler *scheduler_new(const HostTopology *topology, uint32_t max_threads,
                         uint64_t look, guint32 seed)
{
    Scheduler *s = g_new0(Scheduler, 1);
    const struct place_topology *p = &topology->t;

    s->look = look;
    s->nr_cpus = p->nr_cpus;
    s->max_threads = max_threads;
    s->words = PLACE_WORDS(p->nr_cpus);
    s->cpu = g_new0(Cpu, p->nr_cpus);
    s->thread = g_new0(Thread, max_threads);
    s->random = g_rand_new_with_seed(seed);
    events_init(&s->events, 2 * p->nr_cpus + max_threads);
    for (uint32_t i = 0; i < p->nr_cpus; i++) {
        Cpu *c = &s->cpu[i];

        c->running = c->queue = NONE;
        c->idle_since = FOREVER;
        c->mean_idle = LONGEST_IDLE;
        c->node = p->cpu[i].node;
        if (!p->cpu[i].exists) {
            continue;
        }
        bit_set(s->exists.word, i);
        for (uint32_t k = 0; k < p->nr_cpus; k++) {
            if (!p->cpu[k].exists) {
                continue;
            }
            bit_set(c->level[LEVEL_HOST].word, k);
            if (p->cpu[k].node == p->cpu[i].node) {
                bit_set(c->level[LEVEL_NODE].word, k);
            }
            if (p->cpu[k].llc == p->cpu[i].llc) {
                bit_set(c->level[LEVEL_LLC].word, k);
            }
        }
    }
    s->idle = s->exists;
    return s;
}

void scheduler_free(Scheduler *s)
{
    events_clear(&s->events);
    g_rand_free(s->random);
    g_free(s->cpu);
    g_free(s->thread);
    g_free(s);
}
