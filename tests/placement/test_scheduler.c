/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated scheduler, where theory or measuring says what must come out. */

#include "scheduler.h"

#include <math.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define BURST 2e6
#define LOOK 200

static HostTopology *host(uint32_t nodes, uint32_t cpus)
{
    HostTopology *t = g_new0(HostTopology, 1);

    t->t =
        (struct place_topology){ nodes * cpus, nodes * cpus, nodes,      nodes,
                                 t->cpu,       t->memory,    t->distance };
    for (uint32_t i = 0; i < nodes * cpus; i++) {
        uint16_t node = (uint16_t)(i / cpus);

        t->cpu[i] = (struct place_cpu){ .core = (uint16_t)i,
                                        .llc = node,
                                        .node = node,
                                        .capacity = PLACE_ONE,
                                        .exists = true,
                                        .online = true };
    }
    return t;
}

/* Waiting of all threads by their running. */
static double waiting(const Scheduler *s, uint32_t threads)
{
    double run = 0, delay = 0;

    for (uint32_t i = 0; i < threads; i++) {
        struct place_sample sample;

        scheduler_sample(s, i, &sample);
        run += (double)sample.run;
        delay += (double)sample.delay;
    }
    return delay / run;
}

static void near(double value, double expected, double error)
{
    if (fabs(value - expected) > error) {
        g_error("%.4f, expected %.4f", value, expected);
    }
}

/* @threads that never sleep on @cpus: each waits for its turn. */
static void busy(uint32_t nodes, uint32_t cpus, uint32_t threads)
{
    g_autofree HostTopology *t = host(nodes, cpus);
    g_autoptr(Scheduler) s = scheduler_new(t, threads, LOOK, 1);
    double n = nodes * cpus;

    for (uint32_t i = 0; i < threads; i++) {
        scheduler_add(s, BURST, 1);
    }
    scheduler_run(s, 10 * SECOND);
    near(waiting(s, threads), threads > n ? threads / n - 1 : 0, 0.02);
    if (n == 1) {
        for (uint32_t i = 0; i < threads; i++) {
            struct place_sample sample;

            scheduler_sample(s, i, &sample);
            near((double)sample.run / (10.0 * SECOND / threads), 1, 0.01);
        }
    }
}

static void test_busy(void)
{
    busy(1, 1, 1);
    busy(1, 1, 2);
    busy(1, 1, 5);
    busy(1, 4, 4);
    busy(1, 2, 3);
    busy(4, 4, 16);
    busy(4, 4, 32);
}

/* A thread that sleeps half of the time has its half beside one that never does. */
static void test_sleeper(void)
{
    g_autofree HostTopology *t = host(1, 1);
    g_autoptr(Scheduler) s = scheduler_new(t, 2, LOOK, 1);
    struct place_sample sample;

    scheduler_add(s, BURST, 1);
    scheduler_add(s, BURST, 0.3);
    scheduler_run(s, 60 * SECOND);
    scheduler_sample(s, 1, &sample);
    g_assert_cmpfloat((double)sample.run / (60.0 * SECOND), >, 0.2);
    scheduler_sample(s, 0, &sample);
    g_assert_cmpfloat((double)sample.run / (60.0 * SECOND), >, 0.5);
}

/* Threads go to a mask at once, and never leave it. */
static void test_masks(void)
{
    g_autofree HostTopology *t = host(2, 4);
    g_autoptr(Scheduler) s = scheduler_new(t, 8, LOOK, 3);
    struct place_set one = { { 1 } }, second = { { 0xf0 } };
    uint64_t before;

    for (uint32_t i = 0; i < 8; i++) {
        scheduler_add(s, BURST, i < 4 ? 1 : 0.5);
    }
    scheduler_run(s, SECOND);
    for (uint32_t i = 0; i < 8; i++) {
        scheduler_mask(s, i, i < 4 ? &one : &second);
    }
    scheduler_run(s, 2 * SECOND);
    before = scheduler_counts(s)->across_nodes;
    scheduler_run(s, 20 * SECOND);
    g_assert_cmpuint(scheduler_counts(s)->outside, ==, 0);
    g_assert_cmpuint(scheduler_counts(s)->across_nodes, ==, before);
    for (uint32_t i = 0; i < 4; i++) {
        struct place_sample sample;

        scheduler_sample(s, i, &sample);
        near((double)sample.run, 1 * SECOND + 19.0 / 4 * SECOND, 0.1 * SECOND);
    }
}

/*
 * 32 threads on 16 CPUs, two pinned to each, random bursts: what Linux 6.12 was
 * measured to do, 0.336, 0.488 and 0.603, as the mean of two seeds.  What was
 * asked for, 50, 75 and 97 %, was 60 to 99 % there, with the threads' overhead.
 */
static void test_pinned(void)
{
    static const double load[] = { 0.6, 0.8, 0.99 };
    static const double measured[] = { 0.336, 0.488, 0.603 };

    for (guint k = 0; k < G_N_ELEMENTS(load); k++) {
        g_autofree HostTopology *t = host(4, 4);
        g_autoptr(Scheduler) s = scheduler_new(t, 32, LOOK, 7);

        for (uint32_t i = 0; i < 32; i++) {
            struct place_set mask = { { UINT64_C(1) << (i % 16) } };

            scheduler_add(s, BURST, load[k] / 2);
            scheduler_mask(s, i, &mask);
        }
        scheduler_run(s, 30 * SECOND);
        near(waiting(s, 32), measured[k], MAX(0.05, measured[k] / 4));
    }
}

/*
 * 32 threads on 16 CPUs, eight in each node's cage: what measure-placement found on Linux
 * 6.12 (docs/placement-measured.jsonl, 8 guests, nodes), with bursts as long as there, and
 * sleeps as asked for.  Its emulated CPUs have work again before they have looked for some.
 * CPUs that look in no time find it.
 */
static void test_caged(void)
{
    static const double burst[] = { 4.52e6, 4.76e6, 4.86e6 };
    static const double load[] = { 0.547, 0.833, 1.067 };
    static const double measured[] = { 0.120, 0.349, 0.517 };

    for (guint k = 0; k < G_N_ELEMENTS(load); k++) {
        double wait[2];

        for (guint slow = 0; slow < 2; slow++) {
            g_autofree HostTopology *t = host(4, 4);
            g_autoptr(Scheduler) s =
                scheduler_new(t, 32, slow ? 300000 : LOOK, 7);

            for (uint32_t i = 0; i < 32; i++) {
                struct place_set mask = { { UINT64_C(15) << i / 8 * 4 } };

                scheduler_add(s, burst[k], load[k] / 2);
                scheduler_mask(s, i, &mask);
            }
            scheduler_run(s, 30 * SECOND);
            wait[slow] = waiting(s, 32);
        }
        g_test_message("%.3f, expected %.3f", wait[1], measured[k]);
        near(wait[1], measured[k], MAX(0.05, measured[k] / 4));
        g_assert_cmpfloat(wait[0], <, 0.8 * wait[1]);
    }
}

/* A load is what was asked for, and the same seed is the same run. */
static void test_load(void)
{
    g_autofree HostTopology *t = host(1, 8);
    struct place_sample first[8];

    for (guint k = 0; k < 2; k++) {
        g_autoptr(Scheduler) s = scheduler_new(t, 8, LOOK, 5);
        double run = 0;

        for (uint32_t i = 0; i < 8; i++) {
            scheduler_add(s, BURST, 0.4);
        }
        scheduler_run(s, 60 * SECOND);
        for (uint32_t i = 0; i < 8; i++) {
            struct place_sample sample;

            scheduler_sample(s, i, &sample);
            run += (double)sample.run;
            if (k) {
                g_assert_cmpuint(sample.run, ==, first[i].run);
                g_assert_cmpuint(sample.delay, ==, first[i].delay);
            }
            first[i] = sample;
        }
        near(run / (8 * 60.0 * SECOND), 0.4, 0.02);
        near(waiting(s, 8), 0, 0.001);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scheduler/busy", test_busy);
    g_test_add_func("/scheduler/sleeper", test_sleeper);
    g_test_add_func("/scheduler/masks", test_masks);
    g_test_add_func("/scheduler/pinned", test_pinned);
    g_test_add_func("/scheduler/caged", test_caged);
    g_test_add_func("/scheduler/load", test_load);
    return g_test_run();
}
