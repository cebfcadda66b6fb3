/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which CPU a thread goes to, and which thread a CPU takes.  Nothing is changed here. */

#include "queue.h"

/* A group of CPUs is overloaded when it uses more than 100 of 117 parts (imbalance_pct). */
#define OVERLOADED 1.17

/* How many of its CPUs' worth a level has used lately. */
static double used_by(const Scheduler *s, const struct place_set *level)
{
    double used = 0;
    uint32_t i;

    for_each_bit(i, level->word, s->words)
    {
        used += queue_used(s, &s->cpu[i]);
    }
    return used;
}

static void count_node(const Scheduler *s, const struct place_set *node,
                       uint32_t *threads, uint32_t *idle)
{
    uint32_t i;

    *threads = *idle = 0;
    for_each_bit(i, node->word, s->words)
    {
        const Cpu *c = &s->cpu[i];

        *threads += c->nr_queued + (c->running != NONE);
        *idle += c->running == NONE && !c->nr_queued;
    }
}

gboolean find_may_cross(const Scheduler *s, uint32_t from, uint32_t to)
{
    const struct place_set *there = &s->cpu[from].level[LEVEL_NODE];
    uint32_t threads, idle, here, idle_here, cpus, few;

    if (s->cpu[from].node == s->cpu[to].node) {
        return TRUE;
    }
    cpus = bits_count(there->word, s->words);
    count_node(s, there, &threads, &idle);
    count_node(s, &s->cpu[to].level[LEVEL_NODE], &here, &idle_here);
    if (threads > cpus && used_by(s, there) * OVERLOADED > cpus) {
        return TRUE;
    }
    few = bits_count(s->exists.word, s->words) / 8;
    return idle_here && threads >= here + (here < few ? 3 : 2);
}

uint32_t find_thread(const Scheduler *s, uint32_t cpu, uint32_t level)
{
    const struct place_set *near = &s->cpu[cpu].level[level];
    uint32_t best = NONE, most = 0, i, thread;
    uint16_t node = s->cpu[cpu].node;
    gboolean may = TRUE;

    for_each_bit(i, near->word, s->words)
    {
        if (!bit_test(s->waiting.word, i) || s->cpu[i].nr_queued <= most) {
            continue;
        }
        if (s->cpu[i].node != node) {
            node = s->cpu[i].node;
            may = find_may_cross(s, i, cpu);
        }
        for (thread = may ? s->cpu[i].queue : NONE; thread != NONE;
             thread = s->thread[thread].next) {
            if (bit_test(s->thread[thread].mask.word, cpu)) {
                best = thread;
                most = s->cpu[i].nr_queued;
                break;
            }
        }
    }
    return best;
}

/* The first CPU that both sets have, or NONE. */
static uint32_t first_common(const Scheduler *s, const struct place_set *a,
                             const struct place_set *b)
{
    for (uint32_t i = 0; i < s->words; i++) {
        uint64_t word = a->word[i] & b->word[i];

        if (word) {
            return i * 64 + (uint32_t)__builtin_ctzll(word);
        }
    }
    return NONE;
}

/*
 * An idle CPU that shares a cache with the thread's last one.  The fuller they are the
 * fewer Linux looks at, and at none from 85 % on (SIS_UTIL, update_idle_cpu_scan()).
 */
static uint32_t find_idle(const Scheduler *s, const Thread *t)
{
    const struct place_set *near = &s->cpu[t->cpu].level[LEVEL_LLC];
    uint32_t cpus = bits_count(near->word, s->words), looks, i;
    double used = used_by(s, near) * OVERLOADED / cpus;

    looks = used < 1 ? (uint32_t)(cpus * (1 - used * used)) : 0;
    for (i = 1; looks && i < s->nr_cpus; i++) {
        uint32_t cpu = (t->cpu + i) % s->nr_cpus;

        if (bit_test(near->word, cpu) && bit_test(t->mask.word, cpu)) {
            if (bit_test(s->idle.word, cpu)) {
                return cpu;
            }
            looks--;
        }
    }
    return NONE;
}

uint32_t find_cpu(const Scheduler *s, const Thread *t)
{
    uint32_t cpu, best = NONE;

    if (bit_test(t->mask.word, t->cpu)) {
        if (bit_test(s->idle.word, t->cpu)) {
            return t->cpu;
        }
        cpu = find_idle(s, t);
        return cpu != NONE ? cpu : t->cpu;
    }
    cpu = first_common(s, &t->mask, &s->idle);
    if (cpu != NONE) {
        return cpu;
    }
    for_each_bit(cpu, t->mask.word, s->words)
    {
        if (best == NONE || s->cpu[cpu].nr_queued < s->cpu[best].nr_queued) {
            best = cpu;
        }
    }
    return best;
}
