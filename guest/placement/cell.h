/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One cell of scripts/measure-placement's matrix: guests that only load CPUs, a
 * policy that places them, and what the host's kernel says of it.
 *
 * A guest is a process with a thread for each vCPU and, on its first thread, a QMP
 * monitor: what xen-place knows of a QEMU.  All processes share struct shared.
 */

#ifndef PLACEMENT_CELL_H
#define PLACEMENT_CELL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_GUESTS 256
#define MAX_VCPUS 16
#define MAX_CPUS 1024
/* What a guest has of memory: numad looks at processes of more than 300 MiB. */
#define GUEST_BYTES (320UL << 20)
#define NANOSECONDS UINT64_C(1000000000)

enum pattern {
    PATTERN_RANDOM, /* exponential bursts and sleeps */
    PATTERN_LOCKED, /* the same burst and sleep for all, who begin together */
};

/* Written by its vCPU's thread alone, but for pending. */
struct vcpu {
    _Alignas(128) _Atomic pid_t tid;
    _Atomic int node; /* where it ran last */
    _Atomic uint32_t pending; /* an event that it has not handled */
    _Atomic uint64_t bursts, steps, events, crossed, node_moves;
};

struct guest {
    pid_t pid;
    _Atomic uint32_t per_mille; /* of a CPU that each vCPU wants */
    _Atomic bool ready;
    struct vcpu vcpu[MAX_VCPUS];
};

struct shared {
    _Atomic uint32_t go;
    struct guest guest[MAX_GUESTS];
};

struct cell {
    const char *name, *policy, *directory, *xen_place, *numad;
    unsigned int guests, vcpus, load, seed;
    unsigned int settle, seconds; /* before the measurement, and of it */
    unsigned int burst; /* in microseconds, the mean */
    unsigned int memory; /* KiB that each vCPU walks through */
    void *resident; /* what makes a guest large, or NULL */
    enum pattern pattern;
    struct shared *shared;
};

uint64_t nanoseconds(clockid_t clock);
/* Ends the program, with a line that says why. */
void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *text, ...);
/* A file's first line without its end; false if it cannot be read. */
bool read_line(const char *path, char *text, size_t size);
bool write_text(const char *path, const char *text);

/* host.c: the host's CPUs that are online, and each one's node, counted from 0. */
struct host {
    unsigned int nr_cpus, nr_nodes;
    unsigned int cpu[MAX_CPUS]; /* numbers */
    int node[MAX_CPUS]; /* by number; -1: not there */
    bool isolated[MAX_CPUS];
};

extern struct host host;
void host_read(void);

/* guest.c: a guest, in a process of its own, until it is killed. */
void __attribute__((noreturn))
guest_run(const struct cell *cell, unsigned int number);

/* monitor.c: answers xen-place as QEMU would, for good. */
void __attribute__((noreturn))
monitor_serve(const struct cell *cell, unsigned int number,
              const char *traffic);

/* policy.c */
struct policy {
    pid_t daemon; /* 0: none */
};

/* Starts what places the guests, which are there and do not run yet. */
void policy_start(const struct cell *cell, struct policy *policy);
void policy_stop(struct policy *policy);
/* What xen-place's daemon has decided so far. */
void policy_actions(const struct cell *cell, unsigned long *actions,
                    unsigned long *rolled_back);
/* Has it move a guest to another's CPUs, to see what comes of it; false: it refuses. */
bool policy_move(const struct cell *cell, unsigned int guest,
                 unsigned int other);

/* measure.c */
struct sums {
    uint64_t run, delay; /* nanoseconds */
    uint64_t bursts, steps, events, crossed, node_moves, migrations, daemon;
    uint64_t run_of[MAX_GUESTS], delay_of[MAX_GUESTS];
};

void sums_read(const struct cell *cell, const struct policy *policy,
               struct sums *sums);
/* How many masks have changed since the last call. */
unsigned int masks_changed(const struct cell *cell);
/* Of what was found then. */
bool mask_is_same(unsigned int guest, unsigned int other);
bool mask_has(unsigned int guest, unsigned int vcpu, unsigned int cpu);
unsigned int mask_cpus(unsigned int guest, unsigned int vcpu);
unsigned int mask_first(unsigned int guest, unsigned int vcpu);
/* vCPUs that may run on more than one node, or anywhere. */
unsigned int masks_wide(const struct cell *cell);
void result_print(const struct cell *cell, const struct sums *from,
                  const struct sums *to, uint64_t time, unsigned int masks,
                  const char *more);

/* cases.c: the guests' load, before they start, and all that follows. */
void case_prepare(struct cell *cell);
void case_run(struct cell *cell, const struct policy *policy);

#endif /* PLACEMENT_CELL_H */
