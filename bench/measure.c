/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measuring on a machine that has other things to do: short samples of
 * everything in turn, many rounds, and the median of each.
 *
 * A sample of two threads counts from the start of the first to the end of the
 * last; both are pinned, and start when each has seen that the other runs.
 */

#define _GNU_SOURCE     /* processor affinity */

#include "bench.h"
#include "atomic.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#define WARM_UP     100
#define SENDS       500     /* in a sample */
#define YARDSTICKS  2000
#define COUNTED     10000

const uint32_t bench_table_ports[NR_TABLES] = { 100, 10000, 100000 };

/* The second thread, and what it is to do. */
struct worker {
    pthread_t thread;
    const struct bench_ops *ops;    /* NULL: the yardstick */
    struct bench_rig *rig;
    enum bench_case c;
    unsigned int n;
    uint32_t go;            /* counts the requests */
    uint32_t ready;         /* and what the worker has seen, */
    uint32_t done;          /* and done of them */
    bool quit;
    int64_t start, end;
    struct bench_steps steps;
};


int64_t bench_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Pin the calling thread to the @n-th processor that it may use. */
static void pin(unsigned int n, const cpu_set_t *allowed)
{
    cpu_set_t one;
    int cpu;

    for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, allowed) && !n--) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
            return;
        }
    }
}

static cpu_set_t allowed_cpus;

/* Spinning keeps both threads on their processors, but not for ever. */
static void wait_for(uint32_t *counter, uint32_t value)
{
    unsigned int spins = 0;

    while (evtchn_load(counter) != value) {
        __builtin_ia32_pause();
        if (++spins % 100000 == 0) {
            sched_yield();
        }
    }
}

/* Uncontended compare-exchanges, one after the other. */
static void yardsticks(unsigned int n)
{
    uint64_t word[16] __attribute__((aligned(64))) = { 0 };
    uint64_t old = 0;

    while (n--) {
        if (evtchn_cmpxchg(word, &old, old + 1)) {
            old++;
        }
    }
}

static void run(const struct bench_ops *ops, struct bench_rig *rig,
                enum bench_case c, unsigned int thread, unsigned int n)
{
    if (ops) {
        ops->run(rig, c, thread, n);
    } else {
        yardsticks(n);
    }
}

static void get_steps(const struct bench_ops *ops, struct bench_steps *steps)
{
    if (ops) {
        ops->get_steps(steps);
    }
}

static void *worker_thread(void *opaque)
{
    struct worker *w = opaque;
    struct bench_steps before = { 0 };
    uint32_t request;

    pin(1, &allowed_cpus);
    for (request = 1;; request++) {
        wait_for(&w->go, request);
        if (w->quit) {
            return NULL;
        }
        get_steps(w->ops, &before);
        evtchn_store(&w->ready, request);
        w->start = bench_now();
        run(w->ops, w->rig, w->c, 1, w->n);
        w->end = bench_now();
        get_steps(w->ops, &w->steps);
        w->steps.rmw -= before.rmw;
        w->steps.loads -= before.loads;
        w->steps.stores -= before.stores;
        evtchn_store(&w->done, request);
    }
}

static void worker_stop(struct worker *w)
{
    w->quit = true;
    evtchn_store(&w->go, w->go + 1);
    pthread_join(w->thread, NULL);
}

/* Nanoseconds for each send of both threads. */
static double run_two(struct worker *w, const struct bench_ops *ops,
                      struct bench_rig *rig, enum bench_case c, unsigned int n)
{
    int64_t start, end;

    w->ops = ops;
    w->rig = rig;
    w->c = c;
    w->n = n;
    evtchn_store(&w->go, w->go + 1);
    wait_for(&w->ready, w->go);
    start = bench_now();
    run(ops, rig, c, 0, n);
    end = bench_now();
    wait_for(&w->done, w->go);
    /* What the other one sent last. */
    run(ops, rig, c, 0, 1);
    return (double)(MAX(end, w->end) - MIN(start, w->start)) / (2 * n);
}

static double run_one(const struct bench_ops *ops, struct bench_rig *rig,
                      enum bench_case c, unsigned int n)
{
    int64_t start = bench_now();

    run(ops, rig, c, 0, n);
    return (double)(bench_now() - start) / n;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *samples, unsigned int n)
{
    if (!n) {
        return 0;
    }
    qsort(samples, n, sizeof(*samples), compare);
    return samples[n / 2];
}

static double *new_samples(unsigned int n)
{
    return g_new0(double, n);
}

/* Two threads are compared with one that was measured just before. */
static void sample_abi(struct worker *w, struct bench_rig *rig, bool two,
                       unsigned int round,
                       double *ns[NR_BENCH_CASES],
                       double *ratio[NR_BENCH_CASES])
{
    unsigned int c;

    for (c = 0; c < NR_BENCH_CASES; c++) {
        if (c < BENCH_FIRST_OF_TWO) {
            ns[c][round] = run_one(&bench_timed, rig, c, SENDS);
        } else if (two) {
            double one = run_one(&bench_timed, rig, BENCH_IPI, SENDS);

            ns[c][round] = run_two(w, &bench_timed, rig, c, SENDS);
            ratio[c][round] = one / ns[c][round];
        }
    }
}

static void measure_times(struct bench_results *r, struct worker *w)
{
    bool two = r->cpus > 1;
    struct bench_rig *rig[NR_BENCH_ABIS];
    struct bench_table *table[NR_TABLES];
    double *yard = new_samples(r->rounds);
    double *yard_ratio = new_samples(r->rounds);
    double *ns[NR_BENCH_ABIS][NR_BENCH_CASES];
    double *ratio[NR_BENCH_ABIS][NR_BENCH_CASES];
    double *alloc[NR_TABLES], *close[NR_TABLES];
    unsigned int a, c, t, i;

    for (a = 0; a < NR_BENCH_ABIS; a++) {
        rig[a] = bench_timed.rig_new(a);
        for (c = 0; c < NR_BENCH_CASES; c++) {
            ns[a][c] = new_samples(r->rounds);
            ratio[a][c] = new_samples(r->rounds);
        }
        run_one(&bench_timed, rig[a], BENCH_IPI, WARM_UP);
    }
    for (t = 0; t < NR_TABLES; t++) {
        table[t] = bench_table_new(bench_table_ports[t]);
        alloc[t] = new_samples(r->rounds);
        close[t] = new_samples(r->rounds);
    }
    for (i = 0; i < r->rounds; i++) {
        yard[i] = run_one(NULL, NULL, 0, YARDSTICKS);
        if (two) {
            yard_ratio[i] = yard[i] / run_two(w, NULL, NULL, 0, YARDSTICKS);
        }
        for (a = 0; a < NR_BENCH_ABIS; a++) {
            sample_abi(w, rig[a], two, i, ns[a], ratio[a]);
        }
        for (t = 0; t < NR_TABLES; t++) {
            bench_table_run(table[t], &alloc[t][i], &close[t][i]);
        }
    }
    r->yardstick_ns = median(yard, r->rounds);
    r->yardstick_ratio = median(yard_ratio, r->rounds);
    g_free(yard);
    g_free(yard_ratio);
    for (a = 0; a < NR_BENCH_ABIS; a++) {
        for (c = 0; c < NR_BENCH_CASES; c++) {
            r->result[a][c].ns = median(ns[a][c], r->rounds);
            r->result[a][c].ratio = median(ratio[a][c], r->rounds);
            g_free(ns[a][c]);
            g_free(ratio[a][c]);
        }
        bench_timed.rig_free(rig[a]);
    }
    for (t = 0; t < NR_TABLES; t++) {
        r->alloc_ns[t] = median(alloc[t], r->rounds);
        r->close_ns[t] = median(close[t], r->rounds);
        g_free(alloc[t]);
        g_free(close[t]);
        bench_table_free(table[t]);
    }
}

static void count_case(struct bench_result *result, struct worker *w,
                       struct bench_rig *rig, enum bench_case c)
{
    const struct bench_ops *ops = &bench_counted;
    bool two = c >= BENCH_FIRST_OF_TWO;
    struct bench_steps before, after, other = { 0 };
    uint64_t handled = ops->handled(rig, 0);
    double sends = COUNTED;

    ops->get_steps(&before);
    if (two) {
        run_two(w, ops, rig, c, COUNTED);
        other = w->steps;
        sends += COUNTED + 1;
    } else {
        run_one(ops, rig, c, COUNTED);
        g_assert_cmpuint(ops->handled(rig, 0), ==, handled + COUNTED);
    }
    ops->get_steps(&after);
    result->rmw = (after.rmw - before.rmw + other.rmw) / sends;
    result->loads = (after.loads - before.loads + other.loads) / sends;
    result->stores = (after.stores - before.stores + other.stores) / sends;
}

static void measure_counts(struct bench_results *r, struct worker *w)
{
    unsigned int a, c;

    for (a = 0; a < NR_BENCH_ABIS; a++) {
        struct bench_rig *rig = bench_counted.rig_new(a);

        run_one(&bench_counted, rig, BENCH_IPI, WARM_UP);
        run_one(&bench_counted, rig, BENCH_INTERDOMAIN, WARM_UP);
        for (c = 0; c < NR_BENCH_CASES; c++) {
            if (c < BENCH_FIRST_OF_TWO || r->cpus > 1) {
                count_case(&r->result[a][c], w, rig, c);
            }
        }
        bench_counted.rig_free(rig);
    }
}

void bench_measure(struct bench_results *r, unsigned int rounds)
{
    struct worker w = { 0 };

    r->rounds = rounds;
    pthread_getaffinity_np(pthread_self(), sizeof(allowed_cpus), &allowed_cpus);
    r->cpus = CPU_COUNT(&allowed_cpus);
    bench_measure_memory(&r->memory);
    if (r->cpus > 1) {
        int rc = pthread_create(&w.thread, NULL, worker_thread, &w);

        g_assert_cmpint(rc, ==, 0);
    }
    pin(0, &allowed_cpus);
    measure_counts(r, &w);
    measure_times(r, &w);
    if (r->cpus > 1) {
        worker_stop(&w);
    }
}
