/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event-channel benchmark: what its files share.
 *
 * cases.c, the test guest and the model are there twice: as they are, for the
 * times, and in a module of their own with the step hook of core/atomic.h, for
 * the counts.
 */

#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bench_abi {
    BENCH_2L_64,
    BENCH_2L_32,
    BENCH_3L_64,
    BENCH_3L_32,
    BENCH_FIFO,
    NR_BENCH_ABIS
};

enum bench_case {
    BENCH_IPI,          /* one thread: send, take the upcall, handle */
    BENCH_INTERDOMAIN,
    BENCH_PIRQ,
    BENCH_TO_HOST,      /* a guest's send to a back end's domain */
    BENCH_DISTINCT,     /* two threads: own port, own vCPU, own events */
    BENCH_ONE_VCPU,     /* two threads: own port, one vCPU that handles both */
    BENCH_ONE_PORT,     /* two threads: one port */
    NR_BENCH_CASES
};

#define BENCH_FIRST_OF_TWO  BENCH_DISTINCT

/* What the hook has counted on the calling thread. */
struct bench_steps {
    uint64_t rmw;
    uint64_t loads;
    uint64_t stores;
};

struct bench_memory {
    size_t ten;         /* bytes of a domain with 10 open ports */
    size_t full;        /* with all 131,071 of FIFO */
    size_t fifo;        /* what a FIFO guest's first init_control adds */
    size_t three_level; /* and what registering 3-level's bitmaps does */
    double port;        /* and what a port adds */
};

struct bench_rig;

struct bench_ops {
    struct bench_rig *(*rig_new)(enum bench_abi abi);
    void (*rig_free)(struct bench_rig *rig);
    /* @n sends by @thread, 0 or 1, which handles what comes to its vCPU. */
    void (*run)(struct bench_rig *rig, enum bench_case c, unsigned int thread,
                unsigned int n);
    /* How many events @thread's vCPU has handled. */
    uint64_t (*handled)(struct bench_rig *rig, unsigned int thread);
    void (*get_steps)(struct bench_steps *steps);
};

extern const struct bench_ops bench_timed;
extern const struct bench_ops bench_counted;

/* alloc.c: allocation and memory, on the timed model. */
struct bench_table;
struct bench_table *bench_table_new(uint32_t open_ports);
void bench_table_free(struct bench_table *table);
/* Close some ports anywhere and open as many; nanoseconds for each. */
void bench_table_run(struct bench_table *table, double *alloc_ns,
                     double *close_ns);
void bench_measure_memory(struct bench_memory *memory);

/* measure.c */
#define NR_TABLES 3
extern const uint32_t bench_table_ports[NR_TABLES];

struct bench_result {
    double ns;          /* for each send */
    double ratio;       /* two threads: sends a second over one thread's IPIs */
    double rmw;         /* for each send */
    double loads;
    double stores;
};

struct bench_results {
    unsigned int rounds;
    unsigned int cpus;
    double yardstick_ns;
    double yardstick_ratio;     /* of two threads: what the machine can do */
    struct bench_result result[NR_BENCH_ABIS][NR_BENCH_CASES];
    double alloc_ns[NR_TABLES];
    double close_ns[NR_TABLES];
    struct bench_memory memory;
};

int64_t bench_now(void);
void bench_measure(struct bench_results *results, unsigned int rounds);

/* report.c */
enum bench_format {
    BENCH_TEXT,
    BENCH_MARKDOWN,
    BENCH_JSON,
};

void bench_report(const struct bench_results *results,
                  enum bench_format format);

#endif /* BENCH_H */
