/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many guests on a host of any shape: what the core makes of them, and how long
 * that takes.  CPUs are a fluid here: threads of a cage that want more than it
 * has share what there is.  So it says where guests go and which cages are full,
 * and nothing about latency.
 */

#include "command.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct Simulation {
    struct place_host *h;
    uint32_t nr_vms, nr_threads;
    uint32_t *thread, *vm_of;
    struct place_sample *used;
    double *wanted; /* of each thread, of a CPU */
    uint64_t now;
    uint32_t refused;
    GRand *random;
} Simulation;

static void admit(Simulation *s, uint32_t vcpus, uint64_t memory, double load)
{
    struct place_vm_config c = {
        .vcpus = vcpus,
        .memory = memory,
        .declared = MAX((uint32_t)(vcpus * load * PLACE_ONE), 1),
    };
    struct place_verdict v;
    uint32_t vm, i;

    if (place_vm_add(s->h, &c, s->now, &vm, &v)) {
        return;
    }
    s->refused += !v.fits;
    for (i = 0; i < vcpus; i++) {
        if (!place_thread_add(s->h, vm, PLACE_VCPU, i, NULL,
                              &s->thread[s->nr_threads])) {
            s->vm_of[s->nr_threads++] = vm;
        }
    }
    s->nr_vms++;
}

/* Two seconds: each thread wants around @load, and gets its share of its cage. */
static void run_window(Simulation *s, double load)
{
    uint32_t i, nr_cages = place_nr_cages(s->h);
    g_autofree double *share = g_new(double, nr_cages);
    const double window = 2e9;

    for (i = 0; i < nr_cages; i++) {
        struct place_cage_info info;

        place_cage_info(s->h, i, &info);
        share[i] =
            info.load > info.capacity ? (double)info.capacity / info.load : 1;
    }
    s->now += 2 * PLACE_SECOND;
    for (i = 0; i < s->nr_threads; i++) {
        struct place_thread_info info;
        double wants = MIN(load * g_rand_double_range(s->random, 0, 2), 1);

        s->wanted[i] = (s->wanted[i] * 3 + wants) / 4;
        place_thread_info(s->h, s->thread[i], &info);
        wants = s->wanted[i] * window;
        s->used[i].run += (uint64_t)(wants * share[info.cage]);
        s->used[i].delay += (uint64_t)(wants * (1 - share[info.cage]));
        place_thread_sample(s->h, s->thread[i], s->now, &s->used[i]);
    }
    place_window(s->h, s->now);
}

static void print_nodes(const Simulation *s, const HostTopology *topology)
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
               topology->node_number[info.first_node],
               info.capacity ? 100.0 * info.load / info.capacity : 0,
               info.capacity / (double)PLACE_ONE, text);
    }
}

int command_simulate(int argc, char **argv)
{
    static char *synthetic, *xml, *memory, *explain;
    static int domains = 100, seed = 1, seconds = 60, percent = 50;
    const GOptionEntry entries[] = {
        { "topology", 0, 0, G_OPTION_ARG_STRING, &synthetic,
          "The host, as hwloc describes it; default: this one", "TEXT" },
        { "xml", 0, 0, G_OPTION_ARG_FILENAME, &xml,
          "The host, as lstopo has written it into this file", "FILE" },
        { "domains", 0, 0, G_OPTION_ARG_INT, &domains,
          "How many, of 1 to 16 vCPUs each (default: 100)", "N" },
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
    Simulation s = { .now = 1000 * PLACE_SECOND };
    struct place_limits limits;
    struct place_cage_info info;
    struct place_counts counts;
    struct place_change change[1024];
    g_autofree uint32_t *vcpus = NULL;
    uint64_t mib = 0, admission, longest = 0, threads = 0, asked = 0;
    double load, capacity = 0;
    char *end = NULL;

    if (!command_options("simulate", entries, NULL, &argc, &argv)) {
        return STATUS_USAGE;
    }
    if (domains < 1 || domains > 10000) {
        return command_fail(STATUS_USAGE,
                            "simulate: --domains must be from 1 to 10000");
    }
    if (percent < 1 || percent > 400) {
        return command_fail(STATUS_USAGE,
                            "simulate: --load must be from 1 to 400");
    }
    if (seconds < 2 || seconds > 86400) {
        return command_fail(STATUS_USAGE,
                            "simulate: --seconds must be from 2 to 86400");
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
    }
    topology = host_topology_new(synthetic, xml, &error);
    if (!topology) {
        return command_fail(STATUS_USAGE, "simulate: %s", error->message);
    }
    s.random = g_rand_new_with_seed((guint32)seed);
    vcpus = g_new(uint32_t, domains);
    for (int i = 0; i < domains; i++) {
        vcpus[i] = (uint32_t)g_rand_int_range(
            s.random, 1, g_rand_int_range(s.random, 2, 18));
        threads += vcpus[i];
    }
    if (threads > 65000) {
        g_rand_free(s.random);
        return command_fail(STATUS_USAGE,
                            "simulate: %" G_GUINT64_FORMAT
                            " vCPUs: at most 65000, take fewer domains",
                            threads);
    }
    limits =
        (struct place_limits){ (uint32_t)domains, (uint32_t)threads, 1024, 64 };
    s.h = host_topology_place(topology, &limits);
    if (!s.h) {
        g_rand_free(s.random);
        return command_fail(STATUS_FAILED, "this topology is not supported");
    }
    place_mode_set(s.h, PLACE_BALANCE);
    s.thread = g_new(uint32_t, threads);
    s.vm_of = g_new(uint32_t, threads);
    s.wanted = g_new0(double, threads);
    s.used = g_new0(struct place_sample, threads);
    for (uint32_t i = 0; i < place_nr_cages(s.h); i++) {
        place_cage_info(s.h, i, &info);
        capacity = MAX(capacity, info.capacity);
    }
    load = capacity / PLACE_ONE * percent / 100 / (double)threads;
    admission = (uint64_t)g_get_monotonic_time();
    for (int i = 0; i < domains; i++) {
        admit(&s, vcpus[i], mib, MIN(load, 1));
    }
    admission = (uint64_t)g_get_monotonic_time() - admission;
    for (int i = 0; i < seconds / 2; i++) {
        uint64_t begin;

        run_window(&s, MIN(load, 1));
        begin = (uint64_t)g_get_monotonic_time();
        place_plan(s.h, s.now, change, G_N_ELEMENTS(change));
        longest = MAX(longest, (uint64_t)g_get_monotonic_time() - begin);
    }
    place_counts(s.h, &counts);
    print_nodes(&s, topology);
    printf("%u domains with %u vCPUs: %u without room\n"
           "%" G_GUINT64_FORMAT " actions, %" G_GUINT64_FORMAT " rolled back\n",
           s.nr_vms, s.nr_threads, s.refused, counts.actions,
           counts.rolled_back);
    /* Not a part of the result, which is the same each time. */
    fprintf(stderr,
            "xen-place: admission of all %.1f ms, the longest plan %.2f "
            "ms, %.1f MiB\n",
            (double)admission / 1000, (double)longest / 1000,
            (double)place_size(&topology->t, &limits) / (1 << 20));
    if (explain) {
        g_autofree char *name = g_strdup_printf("domain %s", explain);
        char text[2048];

        place_explain(s.h, (uint32_t)asked, PLACE_NONE, name, s.now, text,
                      sizeof(text));
        puts(text);
    }
    g_rand_free(s.random);
    g_free(s.thread);
    g_free(s.vm_of);
    g_free(s.wanted);
    g_free(s.used);
    free(s.h);
    return STATUS_GOOD;
}
