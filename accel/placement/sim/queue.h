/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the scheduler's files know of each other: threads, CPUs and their queues. */

#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "events.h"
#include "scheduler.h"
#include "set.h"

#define NONE UINT32_MAX
#define SLICE 2800000 /* the base slice of a host with 8 CPUs or more */
#define TICK 4000000
#define FOREVER (UINT64_MAX / 2)

enum { SLEEPS, QUEUED, RUNS };

enum { LEVEL_LLC, LEVEL_NODE, LEVEL_HOST, NR_LEVELS };

typedef struct Thread {
    uint8_t state;
    uint32_t cpu; /* where it is, or was last */
    uint32_t next; /* in the CPU's queue */
    int64_t vruntime, deadline, lag;
    uint64_t left; /* of its burst */
    uint64_t run, delay, since; /* since: it is queued */
    double burst, sleep; /* on average */
    struct place_set mask;
} Thread;

typedef struct Cpu {
    uint32_t running, queue, nr_queued, ticks;
    uint64_t since; /* up to then the running thread is accounted for */
    double used; /* of its time lately, at @since: PELT's utilisation */
    uint64_t idle_since; /* FOREVER: it is not, or has pulled */
    uint64_t mean_idle;
    struct place_set level[NR_LEVELS];
    uint16_t node;
} Cpu;

/* Events' sources: a CPU's thread, then a CPU's tick, then a thread's wake-up. */
struct Scheduler {
    uint64_t now;
    uint32_t nr_cpus, nr_threads, max_threads, words;
    Cpu *cpu;
    Thread *thread;
    struct place_set exists, idle, waiting; /* CPUs; waiting: with a queue */
    uint64_t look; /* nanoseconds, at one CPU's queue */
    Events events;
    GRand *random;
    SchedulerCounts counts;
};

/* The mean of the vruntimes of a CPU's threads: who is behind it is eligible. */
int64_t queue_mean(const Scheduler *s, const Cpu *c);
/* Up to now, for the CPU's running thread. */
void queue_account(Scheduler *s, Cpu *c);
/* As it is now. */
double queue_used(const Scheduler *s, const Cpu *c);
/* When its thread has done its burst, or its slice if others wait. */
void queue_set_event(Scheduler *s, uint32_t cpu);
void queue_add(Scheduler *s, uint32_t cpu, uint32_t thread);
void queue_remove(Scheduler *s, uint32_t thread);
/* Of the eligible ones the earliest deadline; NONE: the running one goes on. */
uint32_t queue_pick(const Scheduler *s, const Cpu *c);
/* A queued thread gets the CPU, which is idle. */
void queue_start(Scheduler *s, uint32_t cpu, uint32_t thread);
/* The running thread leaves its CPU, with the lag that it has there. */
uint32_t queue_stop(Scheduler *s, uint32_t cpu);

/* find.c --------------------------------------------------------------- */

/* Where a thread goes that wakes, or that must not stay where it was. */
uint32_t find_cpu(const Scheduler *s, const Thread *t);
/* A queued thread of the level's fullest CPU that may come to @cpu, or NONE. */
uint32_t find_thread(const Scheduler *s, uint32_t cpu, uint32_t level);
/*
 * Whether a thread may be moved between these CPUs at all.  To another node Linux moves
 * from one that is overloaded, or has two threads more than one with an idle CPU; three,
 * where few run (sched_balance_find_src_group(), adjust_numa_imbalance()).
 */
gboolean find_may_cross(const Scheduler *s, uint32_t from, uint32_t to);

#endif /* SIM_QUEUE_H */
