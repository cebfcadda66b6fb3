/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: placement-scale [--judge]
 *
 * 3,000 domains with 10,000 threads on 192 CPUs: how long it takes to admit
 * them all, to make a plan, and to decide for one cage; and how much memory the
 * core has for it, none of which is allocated later.  --judge fails if a figure
 * is above what docs/placement.md promises; without it, only if the core is
 * wrong or too large, as a build with sanitizers is slow.
 */

#include "hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NR_VMS 3000
#define NR_THREADS 10000
#define NR_PLANS 200

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * PLACE_SECOND + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
    const struct shape shape = { 8, 3, 4, 2, 0 };
    const struct place_limits limits = { NR_VMS, NR_THREADS, 8192, 64 };
    struct place_host *h = host_new(&shape, &limits);
    static struct place_sample used[NR_THREADS];
    static uint64_t decision[1 << 17];
    static uint32_t vcpus[NR_VMS];
    uint64_t random = 42, clock = 1000 * PLACE_SECOND, begin, t, plan = 0;
    uint64_t admission, sampling = 0, longest = 0;
    uint32_t nr_threads = 0, i, k, vm, thread, nr_decisions = 0, actions = 0;
    bool judge = argc > 1 && !strcmp(argv[1], "--judge");
    bool good = true;
    struct place_change change[1024];

    if (argc > 1 && !judge) {
        fprintf(stderr,
                "placement-scale: unknown option '%s': --judge is the "
                "only one\n",
                argv[1]);
        return 2;
    }
    place_mode_set(h, PLACE_BALANCE);
    /* Mostly small VMs; in all just as many threads as there may be. */
    for (i = 0; i < NR_VMS; i++) {
        uint32_t left = NR_VMS - i - 1;

        vcpus[i] = 1 + random_below(&random, random_below(&random, 16) + 1);
        vcpus[i] = min_u32(vcpus[i], NR_THREADS - nr_threads - left);
        nr_threads += vcpus[i];
    }
    for (i = 0; nr_threads < NR_THREADS; i = (i + 1) % NR_VMS) {
        if (vcpus[i] < 16) {
            vcpus[i]++;
            nr_threads++;
        }
    }
    begin = now();
    for (i = 0; i < NR_VMS; i++) {
        struct place_vm_config c = { .vcpus = vcpus[i],
                                     .memory = 128,
                                     .declared = vcpus[i] * 8 };
        struct place_verdict v;

        g_assert_cmpint(place_vm_add(h, &c, clock, &vm, &v), ==, 0);
        for (k = 0; k < c.vcpus; k++) {
            struct place_set set = { { 0 } };
            uint32_t node = random_below(&random, 8), cpu;

            /* A fifth of the threads may run on some nodes only. */
            for (cpu = 0; cpu < 192; cpu++) {
                if (cpu % 96 / 12 != node) {
                    bit_set(set.word, cpu);
                }
            }
            g_assert_cmpint(
                place_thread_add(h, vm, PLACE_VCPU, k,
                                 random_below(&random, 5) ? NULL : &set,
                                 &thread),
                ==, 0);
        }
    }
    admission = now() - begin;
    for (i = 0; i < NR_PLANS; i++) {
        size_t n;

        clock += 2 * PLACE_SECOND;
        /* After three harmful actions there would be nothing to measure. */
        h->suspended_until = 0;
        begin = now();
        for (k = 0; k < NR_THREADS; k++) {
            uint32_t hot = (h->thread[k].cage + i / 20) % 3;

            used[k].run += random_below(&random, 80000000) / (4 - hot);
            used[k].delay += random_below(&random, 9000000) * hot;
            place_thread_sample(h, k, clock, &used[k]);
            if (k % 2 == 0) {
                place_traffic(h, k, (k + 1) % NR_THREADS, 100, PLACE_SECOND);
            }
        }
        sampling += now() - begin;
        begin = now();
        place_window(h, clock);
        actions += (uint32_t)place_plan_begin(h, clock, change, 1024);
        for (;;) {
            bool more;

            t = now();
            more = place_plan_next(h, clock, change, 1024, &n);
            t = now() - t;
            if (!more) {
                break;
            }
            actions += (uint32_t)n;
            if (nr_decisions < G_N_ELEMENTS(decision)) {
                decision[nr_decisions++] = t;
            }
        }
        t = now() - begin;
        plan += t;
        longest = t > longest ? t : longest;
    }
    g_assert_cmpuint(nr_decisions, >, 0);
    qsort(decision, nr_decisions, sizeof(*decision), compare);
    printf("memory      %8.2f MiB (at most 2)\n",
           (double)host_size(&shape, &limits) / (1 << 20));
    printf("admission   %8.2f ms for all (with a plan at most 200)\n",
           (double)admission / 1e6);
    printf("samples     %8.3f us for one\n",
           (double)sampling / 1e3 / NR_PLANS / NR_THREADS);
    printf("plan        %8.3f ms, the longest %.3f\n",
           (double)plan / 1e6 / NR_PLANS, (double)longest / 1e6);
    printf("decision    %8.3f us, 99 %% below %.3f (at most 20), of %u\n",
           (double)decision[nr_decisions / 2] / 1e3,
           (double)decision[nr_decisions * 99 / 100] / 1e3, nr_decisions);
    printf("changes     %8u masks\n", actions);
    good = host_size(&shape, &limits) <= 2 << 20 && actions;
    if (judge) {
        good &= admission + longest <= 200000000 &&
                decision[nr_decisions * 99 / 100] <= 20000;
    }
    free(h);
    return good ? 0 : 1;
}
