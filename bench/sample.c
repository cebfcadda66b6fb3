/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One sample of a case with some number of threads.
 *
 * One thread makes BATCH operations.  Several threads begin at the same moment
 * and run for a while; each counts the operations in its own time.  With more
 * threads than processors they run for longer; then the threads' processor time
 * counts, which has no other work in it, and the probes are not used.
 */

#define _GNU_SOURCE     /* processor affinity */

#include "bench.h"
#include "atomic.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH           256     /* of one thread */
#define BATCH_OF_MANY   64
#define TIME            INT64_C(200000)     /* ns */
#define CROWDED_TIME    INT64_C(10000000)
/* Far more than any sample takes, even if its threads take turns. */
#define HANGS_AFTER     60      /* s */

struct team {
    const struct bench_ops *ops;
    struct bench_rig *rig;
    const struct bench_case *c;
    unsigned int nr_threads;
    bool crowded;
    int64_t time;
    uint32_t arrived;       /* at the start, and at the end of its probes */
    uint32_t done;
    uint32_t stop;
    uint64_t warm_up;       /* events that were handled before the start */
    struct bench_steps steps;   /* of thread 0, while the clock ran */
    struct bench_thread thread[BENCH_MAX_THREADS];
};

struct member {
    struct team *team;
    unsigned int id;
    pthread_t pthread;
};

bool bench_counts_traffic;
__thread uint32_t *bench_traffic_row;

static cpu_set_t allowed_cpus;
static unsigned int nr_cpus;

unsigned int bench_processors(void)
{
    if (!nr_cpus) {
        pthread_getaffinity_np(pthread_self(), sizeof(allowed_cpus),
                               &allowed_cpus);
        nr_cpus = CPU_COUNT(&allowed_cpus);
    }
    return nr_cpus;
}

/* Pin the calling thread to a processor, the @n-th modulo what there are. */
void bench_pin(unsigned int n)
{
    cpu_set_t one;
    int cpu;

    n %= bench_processors();
    for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed_cpus) && !n--) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
            return;
        }
    }
}

/* The watchdog -------------------------------------------------------------- */

static char hang_message[160];

static void hangs(int signal)
{
    ssize_t n = write(STDERR_FILENO, hang_message, strlen(hang_message));

    (void)signal, (void)n;
    _exit(1);
}

static void describe(char *text, size_t size, const struct bench_case *c,
                     enum bench_abi abi, unsigned int nr_threads,
                     const char *what)
{
    snprintf(text, size, "evtchn-bench: %s, %s, %u threads: %s\n", c->name,
             bench_abi_ids[abi], nr_threads, what);
}

static void watch(const struct bench_case *c, enum bench_abi abi,
                  unsigned int nr_threads)
{
    describe(hang_message, sizeof(hang_message), c, abi, nr_threads,
             "it hangs: no end after a minute");
    signal(SIGALRM, hangs);
    alarm(HANGS_AFTER);
}

static void __attribute__((noreturn))
fail(const struct bench_case *c, enum bench_abi abi, unsigned int nr_threads,
     const char *what)
{
    char text[256];

    describe(text, sizeof(text), c, abi, nr_threads, what);
    fputs(text, stderr);
    exit(1);
}

/* Threads -------------------------------------------------------------------- */

static void wait_for(const struct team *team, uint32_t *counter, uint32_t value)
{
    unsigned int spins = 0;

    while (evtchn_load(counter) < value) {
        if (++spins % (team->crowded ? 16 : 10000)) {
            __builtin_ia32_pause();
        } else {
            sched_yield();
        }
    }
}

static void probe(struct bench_thread *t)
{
    double latency = bench_latency_probe();
    double width = bench_width_probe();

    t->latency = MAX(t->latency, latency);
    t->width = MAX(t->width, width);
}

/* Thread 0 of a case in which it takes the others' events, to the last. */
static void take_others_events(struct team *team)
{
    unsigned int spins = 0;

    while (evtchn_load(&team->done) + 1 < team->nr_threads) {
        team->ops->upcall(team->rig, team->c, 0);
        if (++spins % 16) {
            __builtin_ia32_pause();
        } else {
            sched_yield();
        }
    }
}

static void go_on(struct team *team, struct bench_thread *t)
{
    unsigned int n = team->nr_threads > 1 ? BATCH_OF_MANY : BATCH;

    do {
        team->c->run(t, n);
        t->ops += n;
        t->end = bench_now();
        if (!t->id && t->end - t->start >= team->time) {
            evtchn_store(&team->stop, 1);
        }
    } while (!evtchn_load(&team->stop));
}

/* What the hook counts on this thread meanwhile. */
static void go_on_and_count(struct team *team, struct bench_thread *t)
{
    struct bench_steps before;

    team->ops->get_steps(&before);
    go_on(team, t);
    team->ops->get_steps(&team->steps);
    team->steps.rmw -= before.rmw;
    team->steps.loads -= before.loads;
    team->steps.stores -= before.stores;
}

static void run_thread(struct team *team, struct bench_thread *t)
{
    static uint32_t rows[BENCH_MAX_THREADS][2 * BENCH_MAX_THREADS]
        __attribute__((aligned(128)));

    bench_traffic_row = rows[t->id];
    bench_pin(t->id);
    if (team->nr_threads == 1) {
        team->c->run(t, BATCH_OF_MANY);
        if (team->c->account != BENCH_NOT_EVENTS) {
            team->warm_up = team->ops->handled(team->rig, team->c);
        }
    }
    evtchn_fetch_add(&team->arrived, 1);
    wait_for(team, &team->arrived, team->nr_threads);
    if (!team->crowded) {
        probe(t);
        evtchn_fetch_add(&team->arrived, 1);
        wait_for(team, &team->arrived, 2 * team->nr_threads);
    }
    t->start = bench_now();
    t->cpu_time = bench_thread_time();
    if (t->id) {
        go_on(team, t);
        t->cpu_time = bench_thread_time() - t->cpu_time;
        evtchn_fetch_add(&team->done, 1);
    } else {
        go_on_and_count(team, t);
        t->cpu_time = bench_thread_time() - t->cpu_time;
        if (team->c->others_wait) {
            take_others_events(team);
        }
    }
    if (!team->crowded) {
        probe(t);
    }
}

static void *member_thread(void *opaque)
{
    struct member *m = opaque;

    run_thread(m->team, &m->team->thread[m->id]);
    return NULL;
}

/* The sample ----------------------------------------------------------------- */

static void sum_up(struct team *team, uint64_t handled,
                   struct bench_sample *sample)
{
    unsigned int n = team->nr_threads - team->c->idle_threads, i;
    double rate = 0, least = 0, total = 0, cpu_time = 0;
    double time = team->thread[0].end - team->thread[0].start;

    for (i = 0; i < n; i++) {
        const struct bench_thread *t = &team->thread[i];

        total += t->ops;
        least = i ? MIN(least, t->ops) : t->ops;
        rate += (double)t->ops / MAX(t->end - t->start, 1);
        cpu_time += t->cpu_time;
    }
    if (team->crowded) {
        time = cpu_time / bench_processors();
        rate = total / time;
    }
    sample->ns = 1 / rate;
    sample->slowest = least * n / total;
    sample->handled_ns = handled ? time / handled : 0;
    sample->steps = team->steps;
    sample->ops = team->thread[0].ops;
    sample->latency = sample->width = 0;
    for (i = 0; i < team->nr_threads; i++) {
        sample->latency = MAX(sample->latency, team->thread[i].latency);
        sample->width = MAX(sample->width, team->thread[i].width);
    }
}

static void account(struct team *team, enum bench_abi abi)
{
    const struct bench_case *c = team->c;
    uint64_t sent = 0, handled;
    unsigned int i;
    const char *wrong;
    g_autofree char *text = NULL;

    for (i = 0; i < team->nr_threads; i++) {
        if (team->thread[i].failed) {
            fail(c, abi, team->nr_threads, "an operation fails");
        }
        sent += team->thread[i].sent;
    }
    if (c->account == BENCH_NOT_EVENTS) {
        return;
    }
    for (i = 0; i < BENCH_MAX_THREADS; i++) {
        team->ops->upcall(team->rig, c, i);
    }
    handled = team->ops->handled(team->rig, c);
    if (handled > sent || !handled ||
        (handled != sent && c->account == BENCH_EACH)) {
        text = g_strdup_printf("%" G_GUINT64_FORMAT " events were sent, and %"
                               G_GUINT64_FORMAT " handled", sent, handled);
        fail(c, abi, team->nr_threads, text);
    }
    wrong = team->ops->check(team->rig, c, team->nr_threads);
    if (wrong) {
        fail(c, abi, team->nr_threads, wrong);
    }
}

static void start_members(struct team *team, struct member *members)
{
    unsigned int i;
    int rc;

    for (i = 1; i < team->nr_threads; i++) {
        members[i].team = team;
        members[i].id = i;
        rc = pthread_create(&members[i].pthread, NULL, member_thread,
                            &members[i]);
        if (rc) {
            fprintf(stderr, "evtchn-bench: no thread: %s\n", strerror(rc));
            exit(1);
        }
    }
}

void bench_take_sample(const struct bench_ops *ops, struct bench_rig *rig,
                       const struct bench_case *c, enum bench_abi abi,
                       unsigned int nr_threads, struct bench_sample *sample)
{
    struct member members[BENCH_MAX_THREADS];
    struct team team = {
        .ops = ops,
        .rig = rig,
        .c = c,
        .nr_threads = nr_threads,
        .crowded = nr_threads > bench_processors(),
    };
    bool events = c->account != BENCH_NOT_EVENTS;
    uint64_t handled = 0;
    unsigned int i;

    team.time = c->max_threads == 1 ? 0 : team.crowded ? CROWDED_TIME : TIME;
    for (i = 0; i < nr_threads; i++) {
        team.thread[i].rig = rig;
        team.thread[i].abi = abi;
        team.thread[i].id = i;
        team.thread[i].nr_threads = nr_threads;
        team.thread[i].crowded = team.crowded;
    }
    watch(c, abi, nr_threads);
    if (events) {
        ops->reset_handled(rig, c);
    }
    start_members(&team, members);
    run_thread(&team, &team.thread[0]);
    for (i = 1; i < nr_threads; i++) {
        pthread_join(members[i].pthread, NULL);
    }
    alarm(0);
    if (events) {
        handled = ops->handled(rig, c) - team.warm_up;
    }
    sum_up(&team, handled, sample);
    account(&team, abi);
}
