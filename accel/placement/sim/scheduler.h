/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host's CPUs and their run queues, simulated by events.
 *
 * The model of Linux's EEVDF, as of 6.12, that placement is tried on without a
 * large machine: threads of equal weight with lag, eligibility and deadlines; a
 * thread that wakes goes to the CPU where it was, or to an idle one with the same
 * LLC, of which it sees the fewer the fuller the LLC is; a CPU that becomes idle pulls, if
 * it is idle for longer than that takes; a CPU with several threads pushes, among
 * LLCs, nodes and the host at intervals that grow, and to another node only if its own is
 * overloaded or has two threads more.  Threads of one core do not slow each other
 * down, memory is as near everywhere, and a migration costs nothing.
 */

#ifndef SIM_SCHEDULER_H
#define SIM_SCHEDULER_H

#include "topology.h"

typedef struct Scheduler Scheduler;

/*
 * @look: nanoseconds that Linux takes to look at one CPU's queue.  It passes in no time
 * here, but a CPU that is idle for less than all looks would take pulls nothing.
 */
Scheduler *scheduler_new(const HostTopology *topology, uint32_t max_threads,
                         uint64_t look, guint32 seed);
void scheduler_free(Scheduler *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scheduler, scheduler_free)

/*
 * A thread that wants @share of a CPU, in bursts of @burst nanoseconds on average with
 * sleeps in between, both exponential; or all of one if @share is 1.  It may run
 * anywhere.  Returns its number.
 */
uint32_t scheduler_add(Scheduler *s, double burst, double share);
void scheduler_mask(Scheduler *s, uint32_t thread,
                    const struct place_set *mask);
/* Up to @until, in nanoseconds since the beginning. */
void scheduler_run(Scheduler *s, uint64_t until);
/* What schedstat would say of a thread. */
void scheduler_sample(const Scheduler *s, uint32_t thread,
                      struct place_sample *sample);

typedef struct SchedulerCounts {
    uint64_t events, migrations, across_nodes;
    uint64_t outside; /* starts on a CPU outside of a thread's mask: a fault */
} SchedulerCounts;

const SchedulerCounts *scheduler_counts(const Scheduler *s);

#endif /* SIM_SCHEDULER_H */
