/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains on a simulated host: admission, windows, and what is printed of them. */

#include "simulation.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WINDOW (2 * PLACE_SECOND)

static uint64_t microseconds(void)
{
    return (uint64_t)g_get_monotonic_time();
}

uint64_t simulation_core_time(uint64_t now)
{
    return now + 1000 * PLACE_SECOND;
}

/* A VM's threads, as the simpler policies have them. */
static void set_masks(Simulation *s, uint32_t vm, uint32_t first)
{
    const struct place_topology *t = &s->topology->t;
    uint32_t cpu = 0, node = vm % t->nr_nodes;

    for (uint32_t i = first; i < first + s->vcpus[vm]; i++) {
        struct place_set mask = { { 0 } };
        gboolean any = FALSE;

        for (uint32_t k = 0; k < t->nr_cpus; k++) {
            cpu = (i + k) % t->nr_cpus;
            if (t->cpu[cpu].exists &&
                (s->policy == POLICY_PIN || t->cpu[cpu].node == node)) {
                mask.word[cpu / 64] |= UINT64_C(1) << (cpu % 64);
                any = TRUE;
                if (s->policy == POLICY_PIN) {
                    break;
                }
            }
        }
        /* A node without CPUs limits nobody. */
        if (any) {
            scheduler_mask(s->scheduler, i, &mask);
        }
    }
}

static void apply(Simulation *s, uint32_t thread)
{
    struct place_set mask;

    if (place_thread_mask(s->h, s->place[thread], &mask)) {
        scheduler_mask(s->scheduler, thread, &mask);
    }
}

/* Each of its threads wants @load of a CPU on average. */
static void admit(Simulation *s, uint32_t vcpus, uint64_t memory, double load,
                  GRand *random)
{
    struct place_vm_config c = {
        .vcpus = vcpus,
        .memory = memory,
        .declared = MAX((uint32_t)(vcpus * load * PLACE_ONE), 1),
        .policy = s->nr_vms == s->domains && s->dedicated ? PLACE_DEDICATED :
                                                            PLACE_SHARED,
    };
    struct place_verdict v = { .fits = TRUE };
    uint32_t first = s->nr_threads, vm = s->nr_vms++, place = 0;

    if (s->policy == POLICY_CORE) {
        int rc = place_vm_add(s->h, &c, simulation_core_time(0), &place, &v);

        if (rc && c.policy == PLACE_DEDICATED) {
            /* There are not as many cores to spare. */
            c.policy = PLACE_SHARED;
            s->dedicated = FALSE;
            rc = place_vm_add(s->h, &c, simulation_core_time(0), &place, &v);
        }
        /* The core was made for as many. */
        g_assert(!rc);
        s->refused += !v.fits;
    }
    for (uint32_t i = 0; i < vcpus; i++) {
        double share = load >= 1 || s->equal || vm == s->domains ?
                           MIN(load, 1) :
                           MIN(load * g_rand_double_range(random, 0, 2), 0.95);

        s->nr_threads = scheduler_add(s->scheduler, s->burst, share) + 1;
        if (s->policy == POLICY_CORE) {
            int rc = place_thread_add(s->h, place, PLACE_VCPU, i, NULL,
                                      &s->place[first + i]);

            g_assert(!rc);
            apply(s, first + i);
        }
    }
    if (s->policy == POLICY_PIN || s->policy == POLICY_NODES) {
        set_masks(s, vm, first);
    }
}

static void run_window(Simulation *s, uint64_t now)
{
    static struct place_change change[1024];
    uint64_t begin;

    scheduler_run(s->scheduler, now);
    for (uint32_t i = 0; i < s->nr_threads; i++) {
        scheduler_sample(s->scheduler, i, &s->used[i]);
        if (s->policy == POLICY_CORE) {
            place_thread_sample(s->h, s->place[i], simulation_core_time(now),
                                &s->used[i]);
        }
    }
    if (s->policy != POLICY_CORE) {
        return;
    }
    place_window(s->h, simulation_core_time(now));
    begin = microseconds();
    place_plan(s->h, simulation_core_time(now), change, G_N_ELEMENTS(change));
    s->longest = MAX(s->longest, microseconds() - begin);
    for (uint32_t i = 0; i < s->nr_threads; i++) {
        apply(s, i);
    }
}

static void print_nodes(const Simulation *s)
{
    for (uint32_t i = 0; i < place_nr_cages(s->h); i++) {
        struct place_cage_info info;
        char text[4096];

        place_cage_info(s->h, i, &info);
        if (!info.is_node) {
            continue;
        }
        place_set_text(&info.cpus, text, sizeof(text));
        printf("node %2u  load %5.1f %% of %6.2f  CPUs %s\n",
               s->topology->node_number[info.first_node],
               info.capacity ? 100.0 * info.load / info.capacity : 0,
               info.capacity / (double)PLACE_ONE, text);
    }
}

/* Of what came after the first half, in which the core learns. */
static void print_waiting(const Simulation *s, const SchedulerCounts *before)
{
    const SchedulerCounts *c = scheduler_counts(s->scheduler);
    double run = 0, delay = 0, sum = 0, squares = 0;
    uint32_t thread = 0;

    for (uint32_t vm = 0; vm < s->nr_vms; vm++) {
        double vm_run = 0, vm_delay = 0, got;

        for (uint32_t i = 0; i < s->vcpus[vm]; i++, thread++) {
            vm_run += (double)(s->used[thread].run - s->begun[thread].run);
            vm_delay +=
                (double)(s->used[thread].delay - s->begun[thread].delay);
        }
        if (vm == s->domains) {
            printf("services' waiting/running %.3f%s\n", vm_delay / vm_run,
                   s->dedicated ? ", on cores of their own" : "");
            break;
        }
        run += vm_run;
        delay += vm_delay;
        got = vm_run + vm_delay > 0 ? vm_run / (vm_run + vm_delay) : 1;
        sum += got;
        squares += got * got;
    }
    printf("waiting/running %.3f, Jain's index %.3f, %" G_GUINT64_FORMAT
           " migrations, %" G_GUINT64_FORMAT " of them across nodes\n",
           run > 0 ? delay / run : 0, sum * sum / (squares * s->domains),
           c->migrations - before->migrations,
           c->across_nodes - before->across_nodes);
}

static void print_core(const Simulation *s)
{
    struct place_counts counts;

    place_counts(s->h, &counts);
    print_nodes(s);
    printf("%u domains with %u vCPUs: %u without room\n"
           "%" G_GUINT64_FORMAT " actions, %" G_GUINT64_FORMAT " rolled back\n",
           s->nr_vms, s->nr_threads, s->refused, counts.actions,
           counts.rolled_back);
}

void simulation_run(Simulation *s, uint64_t memory, double load, int seconds,
                    GRand *random)
{
    SchedulerCounts before = { 0 };
    uint64_t admission = microseconds(), windows = (uint64_t)seconds / 2;

    for (uint32_t i = 0; i < s->domains; i++) {
        admit(s, s->vcpus[i], memory, load, random);
    }
    if (s->vcpus[s->domains]) {
        admit(s, s->vcpus[s->domains], memory, SIMULATION_SERVICE_LOAD, random);
    }
    admission = microseconds() - admission;
    for (uint64_t i = 1; i <= windows; i++) {
        run_window(s, i * WINDOW);
        if (i == windows / 2) {
            memcpy(s->begun, s->used, s->nr_threads * sizeof(*s->used));
            before = *scheduler_counts(s->scheduler);
        }
        if (isatty(STDERR_FILENO)) {
            fprintf(stderr, "\rxen-place: %" G_GUINT64_FORMAT " of %d s%s",
                    i * 2, seconds, i < windows ? "" : "\n");
        }
    }
    if (s->policy == POLICY_CORE) {
        print_core(s);
    }
    print_waiting(s, &before);
    /* Not a part of the result, which is the same each time. */
    fprintf(stderr,
            "xen-place: admission of all %.1f ms, the longest plan %.2f ms, "
            "%" G_GUINT64_FORMAT " events\n",
            (double)admission / 1000, (double)s->longest / 1000,
            scheduler_counts(s->scheduler)->events);
}
