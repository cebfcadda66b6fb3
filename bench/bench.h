/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event-channel benchmark: what its files share.
 *
 * rig.c, cases.c, the test guest and the model are built twice: as they are, to
 * measure times, and in an object of their own with the step hook of
 * core/atomic.h, to count atomic operations.
 */

#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event_traffic.h"

#define BENCH_MAX_THREADS 16

enum bench_abi {
    BENCH_2L_64,
    BENCH_2L_32,
    BENCH_3L_64,
    BENCH_3L_32,
    BENCH_FIFO,
    NR_BENCH_ABIS,
    BENCH_NO_ABI = NR_BENCH_ABIS    /* the yardsticks */
};

#define BENCH_ABI_BIT(abi)  (1u << (abi))
#define BENCH_ALL_ABIS      (BENCH_ABI_BIT(NR_BENCH_ABIS) - 1)
/* Only one thread's cases run with both word sizes: threads share the same. */
#define BENCH_64_BIT        (BENCH_ABI_BIT(BENCH_2L_64) |   \
                             BENCH_ABI_BIT(BENCH_3L_64) |   \
                             BENCH_ABI_BIT(BENCH_FIFO))

/* How the number of events handled must relate to those sent. */
enum bench_account {
    BENCH_EACH,         /* every one is handled by itself */
    BENCH_MERGED,       /* at least the last one, and no more than sent */
    BENCH_NOT_EVENTS,
};

struct bench_rig;

/* Count who wakes whom, as QEMU does for -machine xen-evtchn-traffic. */
extern bool bench_counts_traffic;
/* The calling thread's row of counters. */
extern __thread uint32_t *bench_traffic_row XEN_EVTCHN_TRAFFIC_OWN;

/* What the hook has counted on the calling thread. */
struct bench_steps {
    uint64_t rmw;
    uint64_t loads;
    uint64_t stores;
};

/* A thread of a sample; on cache lines of its own. */
struct bench_thread {
    struct bench_rig *rig;      /* NULL: the yardsticks */
    enum bench_abi abi;
    unsigned int id;
    unsigned int nr_threads;
    bool crowded;               /* there are more threads than processors */
    bool failed;                /* an operation returned an error */
    uint64_t ops;               /* done while the clock ran */
    uint64_t sent;              /* by this thread, also before the clock */
    int64_t start, end;
    int64_t cpu_time;
    double latency, width;      /* the probes' worse figures */
} __attribute__((aligned(128)));

/* Names and meanings must not change between versions: see --json. */
struct bench_case {
    const char *name;
    const char *what;
    unsigned int abis;
    unsigned int min_threads, max_threads;
    enum bench_account account;
    /* Compare with this case, @idle_threads fewer; NULL: itself, one thread. */
    const char *base;
    unsigned int idle_threads;  /* the last ones, whose work does not count */
    /* @n operations of thread @t. */
    void (*run)(struct bench_thread *t, unsigned int n);
    /* Ports used; if others wait, thread 0 handles until they are done. */
    unsigned int ports;
    bool others_wait;
};

struct bench_ops {
    const struct bench_case *cases;
    unsigned int nr_cases;
    /* Whether @c is there for @abi with so many threads. */
    bool (*fits)(const struct bench_case *c, enum bench_abi abi,
                 unsigned int nr_threads);
    struct bench_rig *(*rig_new)(enum bench_abi abi);
    void (*rig_free)(struct bench_rig *rig);
    /* Reset the count of handled events before a sample, and read it. */
    void (*reset_handled)(struct bench_rig *rig, const struct bench_case *c);
    uint64_t (*handled)(struct bench_rig *rig, const struct bench_case *c);
    /* Handle what is pending at @vcpu of the case's domain. */
    void (*upcall)(struct bench_rig *rig, const struct bench_case *c,
                   unsigned int vcpu);
    /*
     * After a sample send one more event on each port that was used, which must
     * be handled once.  NULL, or what is wrong.
     */
    const char *(*check)(struct bench_rig *rig, const struct bench_case *c,
                         unsigned int nr_threads);
    void (*get_steps)(struct bench_steps *steps);
};

extern const struct bench_ops bench_timed;
extern const struct bench_ops bench_counted;

extern const char *const bench_abi_ids[NR_BENCH_ABIS + 1];
extern const char *const bench_abi_names[NR_BENCH_ABIS + 1];

/* probe.c ------------------------------------------------------------------ */

int64_t bench_now(void);
/* The processor time of the calling thread. */
int64_t bench_thread_time(void);
/* @n compare-exchanges, independent or each using the last one's result. */
void bench_yardstick(unsigned int n);
void bench_dependent_yardstick(unsigned int n);
/*
 * Nanoseconds for a fixed amount of work: one chain of instructions, which
 * takes longer with a slower clock and with interrupts; and several chains side
 * by side, which take longer with a busy hyperthread, too.
 */
double bench_latency_probe(void);
double bench_width_probe(void);

/* sample.c ----------------------------------------------------------------- */

struct bench_sample {
    double ns;          /* for each operation of all threads together */
    double handled_ns;  /* for each event handled meanwhile; 0: none */
    double slowest;     /* the slowest thread's part of an equal share */
    double latency, width;
    uint64_t ops;       /* thread 0's operations */
    struct bench_steps steps;   /* of these, if they are counted */
};

/* The number of processors that this process may use. */
unsigned int bench_processors(void);
void bench_pin(unsigned int n);
/* Take one sample; if events are lost, print that and end the process. */
void bench_take_sample(const struct bench_ops *ops, struct bench_rig *rig,
                       const struct bench_case *c, enum bench_abi abi,
                       unsigned int nr_threads, struct bench_sample *sample);

/* table.c: allocation and memory, on the timed model. ----------------------- */

struct bench_table;
struct bench_table *bench_table_new(enum bench_abi abi, uint32_t open_ports);
void bench_table_free(struct bench_table *table);
/* Close some random ports and open as many; nanoseconds for each. */
void bench_table_run(struct bench_table *table, double *alloc_ns,
                     double *close_ns);

struct bench_memory {
    enum bench_abi abi;
    uint32_t ports;         /* open, all of them unbound */
    size_t bytes;           /* the model's, evtchn_domain_memory() */
    size_t guest_bytes;     /* what the guest hands over, besides shared_info */
};

/* Memory at @ports ports, port 0 not counted; 1 vCPU.  False: too many. */
bool bench_measure_memory(enum bench_abi abi, uint32_t ports,
                          struct bench_memory *memory);

/* rows.c, measure.c -------------------------------------------------------- */

struct bench_request {
    char **cases;           /* NULL: all */
    unsigned int abis;      /* of BENCH_ABI_BIT() */
    unsigned int threads;   /* 0: 1, 2, 4, 8 and 16 */
    unsigned int rounds;
};

struct bench_row {
    const struct bench_case *c;
    enum bench_abi abi;
    unsigned int threads;
    struct bench_sample *samples;
    unsigned int taken, kept;
    /* Medians of the samples that were kept, and their least time. */
    double ns, least_ns, handled_ns, slowest;
    double ratio;           /* events a second to those of the base; 0: none */
    /* For each operation; of one thread only. */
    double rmw, loads, stores;
};

struct bench_table_row {
    enum bench_abi abi;
    uint32_t open_ports;
    struct bench_table *table;
    double *alloc_samples, *close_samples;
    double alloc_ns, close_ns;
};

struct bench_results {
    unsigned int rounds;
    unsigned int processors;
    unsigned int taken, kept;
    double yardstick_ns, dependent_yardstick_ns;
    struct bench_row *rows;
    unsigned int nr_rows;
    struct bench_table_row *tables;
    unsigned int nr_tables;
    struct bench_memory *memory;
    unsigned int nr_memory;
};

void bench_choose_rows(const struct bench_request *request,
                       struct bench_results *results);
const struct bench_case *bench_find_case(const char *name);
/* The case to compare @c with @threads to, and its number of threads. */
const struct bench_case *bench_base_of(const struct bench_case *c,
                                       unsigned int threads,
                                       unsigned int *base_threads);
void bench_measure(const struct bench_request *request,
                   struct bench_results *results);
void bench_results_free(struct bench_results *results);
const struct bench_row *bench_find_row(const struct bench_results *results,
                                       const char *name, enum bench_abi abi,
                                       unsigned int threads);

/* aims.c ------------------------------------------------------------------- */

struct bench_aim {
    const char *id;
    const char *name;
    double value;
    double bound;
    bool at_least;          /* else at most */
    bool measured;
};

#define NR_BENCH_AIMS 7

void bench_get_aims(const struct bench_results *results,
                    struct bench_aim aims[NR_BENCH_AIMS]);
bool bench_aim_met(const struct bench_aim *aim);

/* report.c, json.c --------------------------------------------------------- */

void bench_print_text(const struct bench_results *results);
void bench_print_markdown(const struct bench_results *results);
void bench_print_json(const struct bench_results *results);

#endif /* BENCH_H */
