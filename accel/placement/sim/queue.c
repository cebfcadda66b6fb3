/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CPU's run queue, as EEVDF has it. */

#include "queue.h"

#include <math.h>

/* What was half of the weight that it has now: see Linux's kernel/sched/pelt.c. */
#define HALF_LIFE 32e6

int64_t queue_mean(const Scheduler *s, const Cpu *c)
{
    int64_t base, sum = 0, n = 0;
    uint32_t i = c->running != NONE ? c->running : c->queue;

    if (i == NONE) {
        return 0;
    }
    base = s->thread[i].vruntime;
    if (c->running != NONE) {
        n++;
    }
    for (i = c->queue; i != NONE; i = s->thread[i].next) {
        sum += s->thread[i].vruntime - base;
        n++;
    }
    return base + sum / n;
}

double queue_used(const Scheduler *s, const Cpu *c)
{
    double kept = exp2(-(double)(s->now - c->since) / HALF_LIFE);

    return c->used * kept + (c->running != NONE ? 1 - kept : 0);
}

void queue_account(Scheduler *s, Cpu *c)
{
    Thread *t;
    uint64_t ran = s->now - c->since;

    c->used = queue_used(s, c);
    c->since = s->now;
    if (c->running == NONE) {
        return;
    }
    t = &s->thread[c->running];
    t->run += ran;
    t->vruntime += (int64_t)ran;
    t->left -= MIN(ran, t->left);
}

void queue_set_event(Scheduler *s, uint32_t cpu)
{
    Cpu *c = &s->cpu[cpu];
    const Thread *t;
    uint64_t time;

    if (c->running == NONE) {
        events_set(&s->events, cpu, UINT64_MAX);
        return;
    }
    t = &s->thread[c->running];
    time = t->left;
    if (c->nr_queued) {
        time = MIN(time, (uint64_t)MAX(t->deadline - t->vruntime, 0));
    }
    events_set(&s->events, cpu, s->now + time);
}

void queue_add(Scheduler *s, uint32_t cpu, uint32_t thread)
{
    Cpu *c = &s->cpu[cpu];
    Thread *t = &s->thread[thread];
    int64_t n;

    queue_account(s, c);
    if (c->running != NONE && !c->nr_queued) {
        /* Alone it had one slice after the other. */
        Thread *r = &s->thread[c->running];

        if (r->vruntime >= r->deadline) {
            r->deadline += ((r->vruntime - r->deadline) / SLICE + 1) * SLICE;
        }
    }
    /* So that its lag is the same when the mean is that with it. */
    n = c->nr_queued + (c->running != NONE);
    t->vruntime = queue_mean(s, c) - (n ? t->lag * (n + 1) / n : t->lag);
    t->deadline = t->vruntime + SLICE;
    t->state = QUEUED;
    t->since = s->now;
    if (t->cpu != cpu) {
        s->counts.migrations++;
        s->counts.across_nodes += s->cpu[t->cpu].node != c->node;
        t->cpu = cpu;
    }
    t->next = c->queue;
    c->queue = thread;
    if (!c->nr_queued++) {
        bit_set(s->waiting.word, cpu);
        events_set(&s->events, s->nr_cpus + cpu, s->now + TICK);
    }
}

void queue_remove(Scheduler *s, uint32_t thread)
{
    Thread *t = &s->thread[thread];
    Cpu *c = &s->cpu[t->cpu];
    uint32_t *at = &c->queue;
    int64_t lag;

    queue_account(s, c);
    lag = queue_mean(s, c) - t->vruntime;
    t->lag = CLAMP(lag, -SLICE, SLICE);
    while (*at != thread) {
        at = &s->thread[*at].next;
    }
    *at = t->next;
    t->delay += s->now - t->since;
    if (!--c->nr_queued) {
        bit_clear(s->waiting.word, t->cpu);
        events_set(&s->events, s->nr_cpus + t->cpu, UINT64_MAX);
    }
}

uint32_t queue_pick(const Scheduler *s, const Cpu *c)
{
    int64_t mean = queue_mean(s, c);
    uint32_t best = NONE, i;

    for (i = c->queue; i != NONE; i = s->thread[i].next) {
        const Thread *t = &s->thread[i];

        if (t->vruntime <= mean &&
            (best == NONE || t->deadline < s->thread[best].deadline)) {
            best = i;
        }
    }
    return best;
}

void queue_start(Scheduler *s, uint32_t cpu, uint32_t thread)
{
    Cpu *c = &s->cpu[cpu];
    Thread *t = &s->thread[thread];
    int64_t vruntime = t->vruntime, deadline = t->deadline;

    queue_remove(s, thread);
    t->vruntime = vruntime;
    t->deadline = deadline;
    t->state = RUNS;
    c->running = thread;
    c->since = s->now;
    bit_clear(s->idle.word, cpu);
    s->counts.outside += !bit_test(t->mask.word, cpu);
}

uint32_t queue_stop(Scheduler *s, uint32_t cpu)
{
    Cpu *c = &s->cpu[cpu];
    uint32_t thread = c->running;
    Thread *t = &s->thread[thread];
    int64_t lag;

    queue_account(s, c);
    lag = queue_mean(s, c) - t->vruntime;
    t->lag = CLAMP(lag, -SLICE, SLICE);
    c->running = NONE;
    bit_set(s->idle.word, cpu);
    return thread;
}
