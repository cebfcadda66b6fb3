/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many guests on a host of any shape: what the core makes of them, or a simpler
 * policy, and how long their threads wait then.
 */

#include "command.h"

#include "scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW (2 * PLACE_SECOND)

enum { POLICY_FREE, POLICY_PIN, POLICY_NODES, POLICY_CORE };
static const char *const policies[] = { "free", "pin", "nodes", "xen-place" };

typedef struct Simulation {
    HostTopology *topology;
    struct place_host *h;
    Scheduler *scheduler;
    int policy;
    uint32_t nr_vms, nr_threads, refused;
    uint32_t *vcpus; /* of each VM */
    uint32_t *place; /* of each thread, the core's number */
    struct place_sample *used, *begun; /* begun: when the measuring began */
    uint64_t longest; /* plan, in microseconds */
} Simulation;

static uint64_t microseconds(void)
{
    return (uint64_t)g_get_monotonic_time();
}

/* With the core's clock, which does not begin with 0. */
static uint64_t core_time(uint64_t now)
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
    };
    struct place_verdict v = { .fits = TRUE };
    uint32_t first = s->nr_threads, vm = s->nr_vms++, place = 0;

    s->vcpus[vm] = vcpus;
    if (s->policy == POLICY_CORE) {
        int rc = place_vm_add(s->h, &c, core_time(0), &place, &v);

        /* The core was made for as many. */
        g_assert(!rc);
        s->refused += !v.fits;
    }
    for (uint32_t i = 0; i < vcpus; i++) {
        double share =
            load >= 1 ? 1 : MIN(load * g_rand_double_range(random, 0, 2), 0.95);

        s->nr_threads = scheduler_add(s->scheduler, share) + 1;
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
            place_thread_sample(s->h, s->place[i], core_time(now), &s->used[i]);
        }
    }
    if (s->policy != POLICY_CORE) {
        return;
    }
    place_window(s->h, core_time(now));
    begin = microseconds();
    place_plan(s->h, core_time(now), change, G_N_ELEMENTS(change));
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
        run += vm_run;
        delay += vm_delay;
        got = vm_run + vm_delay > 0 ? vm_run / (vm_run + vm_delay) : 1;
        sum += got;
        squares += got * got;
    }
    printf("waiting/running %.3f, Jain's index %.3f, %" G_GUINT64_FORMAT
           " migrations, %" G_GUINT64_FORMAT " of them across nodes\n",
           run > 0 ? delay / run : 0, sum * sum / (squares * s->nr_vms),
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

/* Sets what the options say of the domains; how many threads they have. */
static uint64_t draw_vcpus(uint32_t *vcpus, int domains, int fixed,
                           GRand *random)
{
    uint64_t threads = 0;

    for (int i = 0; i < domains; i++) {
        vcpus[i] =
            (uint32_t)(fixed ? fixed :
                               g_rand_int_range(
                                   random, 1, g_rand_int_range(random, 2, 18)));
        threads += vcpus[i];
    }
    return threads;
}

static void simulate(Simulation *s, const uint32_t *vcpus, int domains,
                     uint64_t memory, double load, int seconds, GRand *random)
{
    SchedulerCounts before = { 0 };
    uint64_t admission = microseconds(), windows = (uint64_t)seconds / 2;

    for (int i = 0; i < domains; i++) {
        admit(s, vcpus[i], memory, load, random);
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

int command_simulate(int argc, char **argv)
{
    static char *synthetic, *xml, *memory, *explain, *policy;
    static int domains = 100, seed = 1, seconds = 60, percent = 50, fixed;
    const GOptionEntry entries[] = {
        { "topology", 0, 0, G_OPTION_ARG_STRING, &synthetic,
          "The host, as hwloc describes it; default: this one", "TEXT" },
        { "xml", 0, 0, G_OPTION_ARG_FILENAME, &xml,
          "The host, as lstopo has written it into this file", "FILE" },
        { "policy", 0, 0, G_OPTION_ARG_STRING, &policy,
          "xen-place (the default), free, pin or nodes", "POLICY" },
        { "domains", 0, 0, G_OPTION_ARG_INT, &domains,
          "How many (default: 100)", "N" },
        { "vcpus", 0, 0, G_OPTION_ARG_INT, &fixed,
          "Of each (default: 1 to 16, more often few)", "N" },
        { "memory", 0, 0, G_OPTION_ARG_STRING, &memory,
          "Of each (default: none)", "M" },
        { "load", 0, 0, G_OPTION_ARG_INT, &percent,
          "Of the host, in per cent of its capacity (default: 50)", "P" },
        { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds,
          "Of the simulated host's time (default: 60)", "S" },
        { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "Of random numbers", "N" },
        { "explain", 0, 0, G_OPTION_ARG_STRING, &explain,
          "Say of this domain why it is where it is", "N" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autofree HostTopology *topology = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Scheduler) scheduler = NULL;
    g_autoptr(GRand) random = NULL;
    g_autofree uint32_t *vcpus = NULL, *place = NULL, *own = NULL;
    g_autofree struct place_sample *used = NULL, *begun = NULL;
    Simulation s = { .policy = POLICY_CORE };
    struct place_limits limits;
    struct place_cage_info info;
    uint64_t mib = 0, threads, asked = 0;
    double capacity = 0, load;
    char *end = NULL;

    if (!command_options("simulate", entries, NULL, &argc, &argv)) {
        return STATUS_USAGE;
    }
    for (int i = 0; policy && strcmp(policy, policies[s.policy]); i++) {
        if (i == G_N_ELEMENTS(policies)) {
            return command_fail(STATUS_USAGE,
                                "simulate: --policy: '%s' is none of: "
                                "xen-place free pin nodes",
                                policy);
        }
        s.policy = i;
    }
    if (domains < 1 || domains > 10000) {
        return command_fail(STATUS_USAGE,
                            "simulate: --domains must be from 1 to 10000");
    }
    if (fixed < 0 || fixed > 1024) {
        return command_fail(STATUS_USAGE,
                            "simulate: --vcpus must be from 1 to 1024");
    }
    if (percent < 1 || percent > 400) {
        return command_fail(STATUS_USAGE,
                            "simulate: --load must be from 1 to 400");
    }
    if (seconds < 4 || seconds > 86400) {
        return command_fail(STATUS_USAGE,
                            "simulate: --seconds must be from 4 to 86400");
    }
    if (memory && !command_memory(memory, &mib)) {
        return command_fail(STATUS_USAGE,
                            "simulate: --memory must be a number,"
                            " with M, G or T after it or nothing");
    }
    if (explain) {
        asked = g_ascii_strtoull(explain, &end, 10);
        if (!g_ascii_isdigit(*explain) || *end || asked >= (uint64_t)domains) {
            return command_fail(STATUS_USAGE,
                                "simulate: --explain must be from"
                                " 0 to %d",
                                domains - 1);
        }
        if (s.policy != POLICY_CORE) {
            return command_fail(STATUS_USAGE, "simulate: --explain: only with "
                                              "--policy xen-place");
        }
    }
    topology = host_topology_new(synthetic, xml, &error);
    if (!topology) {
        return command_fail(STATUS_USAGE, "simulate: %s", error->message);
    }
    random = g_rand_new_with_seed((guint32)seed);
    vcpus = g_new(uint32_t, domains);
    threads = draw_vcpus(vcpus, domains, fixed, random);
    if (threads > 65000) {
        return command_fail(STATUS_USAGE,
                            "simulate: %" G_GUINT64_FORMAT
                            " vCPUs: at most 65000, take fewer domains",
                            threads);
    }
    limits =
        (struct place_limits){ (uint32_t)domains, (uint32_t)threads, 1024, 64 };
    s.h = host_topology_place(topology, &limits);
    if (!s.h) {
        return command_fail(STATUS_FAILED, "this topology is not supported");
    }
    place_mode_set(s.h, PLACE_BALANCE);
    s.topology = topology;
    s.scheduler = scheduler =
        scheduler_new(topology, (uint32_t)threads, (guint32)seed);
    s.vcpus = own = g_new(uint32_t, domains);
    s.place = place = g_new(uint32_t, threads);
    s.used = used = g_new0(struct place_sample, threads);
    s.begun = begun = g_new0(struct place_sample, threads);
    for (uint32_t i = 0; i < place_nr_cages(s.h); i++) {
        place_cage_info(s.h, i, &info);
        capacity = MAX(capacity, info.capacity);
    }
    /* Of a vCPU; few guests cannot use a whole host. */
    load = MIN(capacity / PLACE_ONE * percent / 100 / (double)threads, 1);
    simulate(&s, vcpus, domains, mib, load, seconds, random);
    if (explain) {
        g_autofree char *name = g_strdup_printf("domain %s", explain);
        char text[2048];

        place_explain(s.h, (uint32_t)asked, PLACE_NONE, name,
                      core_time((uint64_t)seconds * PLACE_SECOND), text,
                      sizeof(text));
        puts(text);
    }
    free(s.h);
    return STATUS_GOOD;
}
