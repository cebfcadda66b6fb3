/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which cases are measured, with which ABIs and how many threads. */

#include "bench.h"

#include <glib.h>
#include <string.h>

static const unsigned int thread_counts[] = { 1, 2, 4, 8, 16 };

const char *const bench_abi_ids[NR_BENCH_ABIS + 1] = {
    "2l-64", "2l-32", "3l-64", "3l-32", "fifo", "none"
};
const char *const bench_abi_names[NR_BENCH_ABIS + 1] = {
    "2-level, 64-bit", "2-level, 32-bit", "3-level, 64-bit", "3-level, 32-bit",
    "FIFO", "none"
};

static bool wants_case(const struct bench_request *request, const char *name)
{
    return !request->cases ||
           g_strv_contains((const char *const *)request->cases, name);
}

static void add_row(struct bench_results *r, const struct bench_case *c,
                    enum bench_abi abi, unsigned int threads)
{
    struct bench_row *row;

    if (!bench_timed.fits(c, abi, threads) ||
        bench_find_row(r, c->name, abi, threads)) {
        return;
    }
    r->rows = g_renew(struct bench_row, r->rows, r->nr_rows + 1);
    row = &r->rows[r->nr_rows++];
    *row = (struct bench_row) { .c = c, .abi = abi, .threads = threads };
    row->samples = g_new0(struct bench_sample, r->rounds);
}

const struct bench_case *bench_find_case(const char *name)
{
    unsigned int i;

    for (i = 0; i < bench_timed.nr_cases; i++) {
        if (!strcmp(bench_timed.cases[i].name, name)) {
            return &bench_timed.cases[i];
        }
    }
    return NULL;
}

const struct bench_case *bench_base_of(const struct bench_case *c,
                                       unsigned int threads,
                                       unsigned int *base_threads)
{
    *base_threads = c->base ? threads - c->idle_threads : 1;
    return c->base ? bench_find_case(c->base) : c;
}

void bench_choose_rows(const struct bench_request *request,
                       struct bench_results *r)
{
    unsigned int i, a, k;

    for (i = 0; i < bench_timed.nr_cases; i++) {
        const struct bench_case *c = &bench_timed.cases[i];

        if (!wants_case(request, c->name)) {
            continue;
        }
        for (a = 0; a <= NR_BENCH_ABIS; a++) {
            if (a != BENCH_NO_ABI && !(request->abis & BENCH_ABI_BIT(a))) {
                continue;
            }
            for (k = 0; k < G_N_ELEMENTS(thread_counts); k++) {
                unsigned int n = thread_counts[k], m;
                const struct bench_case *base;

                if (request->threads && request->threads != n) {
                    continue;
                }
                if (!bench_timed.fits(c, a, n)) {
                    continue;
                }
                base = bench_base_of(c, n, &m);
                add_row(r, base, a, m);
                add_row(r, c, a, n);
            }
        }
    }
    /* The yardsticks, which are the unit of all figures. */
    for (i = 0; i < bench_timed.nr_cases; i++) {
        if (bench_timed.cases[i].abis & BENCH_ABI_BIT(BENCH_NO_ABI)) {
            add_row(r, &bench_timed.cases[i], BENCH_NO_ABI, 1);
        }
    }
}

const struct bench_row *bench_find_row(const struct bench_results *r,
                                       const char *name, enum bench_abi abi,
                                       unsigned int threads)
{
    unsigned int i;

    for (i = 0; i < r->nr_rows; i++) {
        if (!strcmp(r->rows[i].c->name, name) && r->rows[i].abi == abi &&
            r->rows[i].threads == threads) {
            return &r->rows[i];
        }
    }
    return NULL;
}
