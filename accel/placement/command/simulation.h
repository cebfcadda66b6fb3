/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host with domains, as xen-place simulate runs it. */

#ifndef COMMAND_SIMULATION_H
#define COMMAND_SIMULATION_H

#include "scheduler.h"

/* What a service's thread wants of a CPU. */
#define SIMULATION_SERVICE_LOAD 0.8

enum { POLICY_FREE, POLICY_PIN, POLICY_NODES, POLICY_CORE };

typedef struct Simulation {
    HostTopology *topology;
    struct place_host *h;
    Scheduler *scheduler;
    int policy;
    uint32_t nr_vms, nr_threads, refused;
    uint32_t domains; /* VMs; one more than those serves the others */
    gboolean dedicated; /* it has cores of its own */
    uint32_t *vcpus; /* of each VM */
    double burst; /* nanoseconds */
    gboolean equal; /* all vCPUs want the same */
    uint32_t *place; /* of each thread, the core's number */
    struct place_sample *used, *begun; /* begun: when the measuring began */
    uint64_t longest; /* plan, in microseconds */
} Simulation;

/*
 * Admits the domains, whose vCPUs want @load of a CPU each on average and whose memory is
 * @memory MiB, runs them for @seconds of the host's time, and prints what came of the
 * second half.  All of @s is set but what is 0 at the beginning: numbers, and @longest.
 */
void simulation_run(Simulation *s, uint64_t memory, double load, int seconds,
                    GRand *random);
/* The core's clock, which does not begin with 0, at @now of the host's time. */
uint64_t simulation_core_time(uint64_t now);

#endif /* COMMAND_SIMULATION_H */
