/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many guests on a host of any shape: what the core makes of them, or a simpler
 * policy, and how long their threads wait then.
 */

#include "command.h"

#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const policies[] = { "free", "pin", "nodes", "xen-place" };

/* Sets what the options say of the domains; how many threads they have. */
static uint64_t draw_vcpus(uint32_t *vcpus, int domains, int fixed,
                           int services, GRand *random)
{
    uint64_t threads = (uint64_t)services;

    vcpus[domains] = (uint32_t)services;
    for (int i = 0; i < domains; i++) {
        vcpus[i] =
            (uint32_t)(fixed ? fixed :
                               g_rand_int_range(
                                   random, 1, g_rand_int_range(random, 2, 18)));
        threads += vcpus[i];
    }
    return threads;
}

int command_simulate(int argc, char **argv)
{
    static char *synthetic, *xml, *memory, *explain, *policy;
    static int domains = 100, seed = 1, seconds = 60, percent = 50, fixed;
    static int burst = 2000, look = 200, services;
    static gboolean equal, dedicated;
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
        { "equal", 0, 0, G_OPTION_ARG_NONE, &equal,
          "All vCPUs want the same (default: from nothing to twice the mean)",
          NULL },
        { "burst", 0, 0, G_OPTION_ARG_INT, &burst,
          "Microseconds that a vCPU runs between two sleeps, on average "
          "(default: 2000)",
          "US" },
        { "look", 0, 0, G_OPTION_ARG_INT, &look,
          "Nanoseconds that a look at a CPU's queue would take; a CPU that is "
          "idle for less than all looks pulls nothing (default: 200)",
          "NS" },
        { "services", 0, 0, G_OPTION_ARG_INT, &services,
          "One more domain with N threads that are busy for 80 % of the time, "
          "as back ends are",
          "N" },
        { "dedicated", 0, 0, G_OPTION_ARG_NONE, &dedicated,
          "They have cores of their own, if there are enough", NULL },
        { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds,
          "Of the simulated host's time (default: 60)", "S" },
        { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "Of random numbers", "N" },
        { "explain", 0, 0, G_OPTION_ARG_STRING, &explain,
          "Say of this domain why it is where it is", "N" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    static const struct {
        const char *name;
        const int *value;
        int least, most;
    } numbers[] = {
        { "domains", &domains, 1, 10000 },  { "load", &percent, 1, 400 },
        { "seconds", &seconds, 4, 86400 },  { "burst", &burst, 10, 1000000 },
        { "services", &services, 0, 1024 }, { "look", &look, 0, 100000000 },
    };
    g_autofree HostTopology *topology = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Scheduler) scheduler = NULL;
    g_autoptr(GRand) random = NULL;
    g_autofree uint32_t *vcpus = NULL, *place = NULL;
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
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (*numbers[i].value < numbers[i].least ||
            *numbers[i].value > numbers[i].most) {
            return command_fail(
                STATUS_USAGE, "simulate: --%s must be from %d to %d",
                numbers[i].name, numbers[i].least, numbers[i].most);
        }
    }
    /* 0: it is not given. */
    if (fixed < 0 || fixed > 1024) {
        return command_fail(STATUS_USAGE,
                            "simulate: --vcpus must be from 1 to 1024");
    }
    if (dedicated && (!services || s.policy != POLICY_CORE)) {
        return command_fail(STATUS_USAGE,
                            "simulate: --dedicated: only with --services, and "
                            "with --policy xen-place");
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
    vcpus = g_new(uint32_t, domains + 1);
    threads = draw_vcpus(vcpus, domains, fixed, services, random);
    if (threads > 65000) {
        return command_fail(STATUS_USAGE,
                            "simulate: %" G_GUINT64_FORMAT
                            " vCPUs: at most 65000, take fewer domains",
                            threads);
    }
    limits = (struct place_limits){ (uint32_t)domains + 1, (uint32_t)threads,
                                    1024, 64 };
    s.h = host_topology_place(topology, &limits);
    if (!s.h) {
        return command_fail(STATUS_FAILED, "this topology is not supported");
    }
    place_mode_set(s.h, PLACE_BALANCE);
    s.topology = topology;
    s.burst = burst * 1000.0;
    s.equal = equal;
    s.scheduler = scheduler = scheduler_new(topology, (uint32_t)threads,
                                            (uint64_t)look, (guint32)seed);
    s.vcpus = vcpus;
    s.domains = (uint32_t)domains;
    s.dedicated = dedicated;
    s.place = place = g_new(uint32_t, threads);
    s.used = used = g_new0(struct place_sample, threads);
    s.begun = begun = g_new0(struct place_sample, threads);
    for (uint32_t i = 0; i < place_nr_cages(s.h); i++) {
        place_cage_info(s.h, i, &info);
        capacity = MAX(capacity, info.capacity);
    }
    /* Of a vCPU; few guests cannot use a whole host. */
    load = capacity / PLACE_ONE * percent / 100 -
           services * SIMULATION_SERVICE_LOAD;
    if (load <= 0) {
        free(s.h);
        return command_fail(STATUS_USAGE,
                            "simulate: --services want more than "
                            "the whole load: take a larger --load");
    }
    load = MIN(load / (double)(threads - (uint64_t)services), 1);
    simulation_run(&s, mib, load, seconds, random);
    if (explain) {
        g_autofree char *name = g_strdup_printf("domain %s", explain);
        char text[2048];

        place_explain(s.h, (uint32_t)asked, PLACE_NONE, name,
                      simulation_core_time((uint64_t)seconds * PLACE_SECOND),
                      text, sizeof(text));
        puts(text);
    }
    free(s.h);
    return STATUS_GOOD;
}
