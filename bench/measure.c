/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measuring on a machine with other work: in each of many rounds a short sample
 * of each case, with probes beside it.  A case's figure is the median of the
 * samples whose probes were near the best that these ever were.
 */

#include "bench.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How far above its best a probe may be for a sample to count. */
#define NEAR_BEST       1.05
/* Fewer rounds with more threads than processors, which take longer. */
#define ROUNDS_A_CROWDED_ONE 10

static const uint32_t table_ports[] = { 100, 1000, 4000, 10000, 100000 };
static const uint32_t memory_ports[] = {
    10, 100, 1000, 4000, 10000, 30000, 100000, 131071, 262143
};

/* Samples ----------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *values, unsigned int n)
{
    if (!n) {
        return 0;
    }
    qsort(values, n, sizeof(*values), compare);
    return values[n / 2];
}

static void progress(const char *what, unsigned int done, unsigned int of)
{
    static bool shown;

    if (!isatty(STDERR_FILENO)) {
        return;
    }
    if (done < of) {
        fprintf(stderr, "\r%s: round %u of %u ", what, done + 1, of);
        shown = true;
    } else if (shown) {
        fprintf(stderr, "\r%*s\r", 40, "");
    }
}

static void take_samples(struct bench_results *r, struct bench_rig **rigs)
{
    unsigned int round, i;

    for (round = 0; round < r->rounds; round++) {
        progress("evtchn-bench", round, r->rounds);
        for (i = 0; i < r->nr_rows; i++) {
            struct bench_row *row = &r->rows[i];

            if (row->threads > r->processors && round % ROUNDS_A_CROWDED_ONE) {
                continue;
            }
            bench_take_sample(&bench_timed, rigs[row->abi], row->c, row->abi,
                              row->threads, &row->samples[row->taken++]);
        }
        for (i = 0; i < r->nr_tables; i++) {
            bench_table_run(r->tables[i].table,
                            &r->tables[i].alloc_samples[round],
                            &r->tables[i].close_samples[round]);
        }
    }
    progress("evtchn-bench", r->rounds, r->rounds);
}

/* Only one thread's cases are counted, whose counts are the same each time. */
static void count_steps(struct bench_results *r)
{
    struct bench_rig *rig;
    unsigned int a, i;

    for (a = 0; a < NR_BENCH_ABIS; a++) {
        rig = NULL;
        for (i = 0; i < r->nr_rows; i++) {
            struct bench_row *row = &r->rows[i];
            struct bench_sample s;
            unsigned int c = row->c - bench_timed.cases;

            if (row->abi != a || row->threads > 1) {
                continue;
            }
            rig = rig ? rig : bench_counted.rig_new(a);
            bench_take_sample(&bench_counted, rig, &bench_counted.cases[c], a,
                              1, &s);
            row->rmw = (double)s.steps.rmw / s.ops;
            row->loads = (double)s.steps.loads / s.ops;
            row->stores = (double)s.steps.stores / s.ops;
        }
        if (rig) {
            bench_counted.rig_free(rig);
        }
    }
}

/* Which samples count -------------------------------------------------------- */

struct best {
    double latency, width;
};

static void find_best(const struct bench_results *r, struct best *best)
{
    unsigned int i, k;

    for (i = 0; i < r->nr_rows; i++) {
        const struct bench_row *row = &r->rows[i];
        struct best *b = &best[row->threads];

        for (k = 0; k < row->taken; k++) {
            const struct bench_sample *s = &row->samples[k];

            if (!b->width || s->width < b->width) {
                b->width = s->width;
            }
            if (!b->latency || s->latency < b->latency) {
                b->latency = s->latency;
            }
        }
    }
}

static bool is_near(const struct bench_sample *s, const struct best *b)
{
    return s->latency <= b->latency * NEAR_BEST &&
           s->width <= b->width * NEAR_BEST;
}

/* If no sample was good, all of them count, and @kept is 0. */
static void sum_up_row(struct bench_results *r, struct bench_row *row,
                       const struct best *best)
{
    double *ns = g_new(double, row->taken);
    double *handled = g_new(double, row->taken);
    double *slowest = g_new(double, row->taken);
    unsigned int n = 0, i;

    for (i = 0; i < row->taken; i++) {
        row->kept += is_near(&row->samples[i], best);
    }
    for (i = 0; i < row->taken; i++) {
        const struct bench_sample *s = &row->samples[i];

        if (!row->kept || is_near(s, best)) {
            ns[n] = s->ns;
            handled[n] = s->handled_ns;
            slowest[n] = s->slowest;
            n++;
        }
    }
    row->ns = median(ns, n);
    row->least_ns = n ? ns[0] : 0;
    row->handled_ns = median(handled, n);
    row->slowest = median(slowest, n);
    r->taken += row->taken;
    r->kept += row->kept;
    g_free(ns);
    g_free(handled);
    g_free(slowest);
}

static void sum_up(struct bench_results *r)
{
    struct best best[BENCH_MAX_THREADS + 1] = { { 0 } };
    const struct bench_row *yardstick;
    unsigned int i;

    find_best(r, best);
    for (i = 0; i < r->nr_rows; i++) {
        sum_up_row(r, &r->rows[i], &best[r->rows[i].threads]);
    }
    for (i = 0; i < r->nr_rows; i++) {
        struct bench_row *row = &r->rows[i];
        unsigned int n;
        const struct bench_case *c = bench_base_of(row->c, row->threads, &n);
        const struct bench_row *base = bench_find_row(r, c->name, row->abi, n);

        if (base && base != row) {
            row->ratio = base->ns / row->ns;
        }
    }
    for (i = 0; i < r->nr_tables; i++) {
        struct bench_table_row *t = &r->tables[i];

        t->alloc_ns = median(t->alloc_samples, r->rounds);
        t->close_ns = median(t->close_samples, r->rounds);
    }
    yardstick = bench_find_row(r, "yardstick", BENCH_NO_ABI, 1);
    r->yardstick_ns = yardstick->ns;
    yardstick = bench_find_row(r, "yardstick-dependent", BENCH_NO_ABI, 1);
    r->dependent_yardstick_ns = yardstick->ns;
}

/* Tables and memory ------------------------------------------------------------ */

static void open_tables(struct bench_results *r, unsigned int abis)
{
    unsigned int a, i;

    for (a = 0; a < NR_BENCH_ABIS; a++) {
        for (i = 0; i < G_N_ELEMENTS(table_ports); i++) {
            struct bench_table *table = abis & BENCH_ABI_BIT(a) ?
                bench_table_new(a, table_ports[i]) : NULL;

            if (!table) {
                continue;
            }
            r->tables = g_renew(struct bench_table_row, r->tables,
                                r->nr_tables + 1);
            r->tables[r->nr_tables++] = (struct bench_table_row) {
                .abi = a,
                .open_ports = table_ports[i],
                .table = table,
                .alloc_samples = g_new0(double, r->rounds),
                .close_samples = g_new0(double, r->rounds),
            };
        }
    }
}

static void measure_memory(struct bench_results *r, unsigned int abis)
{
    unsigned int a, i;

    r->memory = g_new0(struct bench_memory,
                       NR_BENCH_ABIS * G_N_ELEMENTS(memory_ports));
    for (a = 0; a < NR_BENCH_ABIS; a++) {
        for (i = 0; i < G_N_ELEMENTS(memory_ports); i++) {
            if (abis & BENCH_ABI_BIT(a) &&
                bench_measure_memory(a, memory_ports[i],
                                     &r->memory[r->nr_memory])) {
                r->nr_memory++;
            }
        }
    }
}

void bench_measure(const struct bench_request *request,
                   struct bench_results *r)
{
    struct bench_rig *rigs[NR_BENCH_ABIS + 1] = { NULL };
    unsigned int i;

    *r = (struct bench_results) {
        .rounds = request->rounds,
        .processors = bench_processors(),
    };
    bench_pin(0);
    bench_choose_rows(request, r);
    if (!request->cases) {
        open_tables(r, request->abis & BENCH_64_BIT);
        measure_memory(r, request->abis);
    }
    count_steps(r);
    for (i = 0; i < r->nr_rows; i++) {
        enum bench_abi abi = r->rows[i].abi;

        if (abi != BENCH_NO_ABI && !rigs[abi]) {
            rigs[abi] = bench_timed.rig_new(abi);
        }
    }
    take_samples(r, rigs);
    sum_up(r);
    for (i = 0; i < NR_BENCH_ABIS; i++) {
        if (rigs[i]) {
            bench_timed.rig_free(rigs[i]);
        }
    }
}

void bench_results_free(struct bench_results *r)
{
    unsigned int i;

    for (i = 0; i < r->nr_rows; i++) {
        g_free(r->rows[i].samples);
    }
    for (i = 0; i < r->nr_tables; i++) {
        bench_table_free(r->tables[i].table);
        g_free(r->tables[i].alloc_samples);
        g_free(r->tables[i].close_samples);
    }
    g_free(r->rows);
    g_free(r->tables);
    g_free(r->memory);
}
