/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results as JSON, one row a line.
 *
 * Without json-glib, which has no static library; every string is one of the
 * benchmark's names and needs no escape.
 */

#include "bench.h"

#include <stdio.h>

static void print_row(const struct bench_results *r,
                      const struct bench_row *row)
{
    printf("  {\"case\": \"%s\", \"abi\": \"%s\", \"threads\": %u, "
           "\"rounds\": %u, \"kept\": %u,\n   \"ns\": %.4g, \"least-ns\": %.4g, "
           "\"yardsticks\": %.4g, \"dependent-yardsticks\": %.4g",
           row->c->name, bench_abi_ids[row->abi], row->threads, row->taken,
           row->kept, row->ns, row->least_ns, row->ns / r->yardstick_ns,
           row->ns / r->dependent_yardstick_ns);
    if (row->c->account != BENCH_NOT_EVENTS) {
        printf(", \"handled-ns\": %.4g", row->handled_ns);
    }
    if (row->ratio > 0) {
        printf(", \"ratio\": %.4g", row->ratio);
    }
    if (row->threads > 1) {
        printf(", \"slowest-share\": %.4g", row->slowest);
    } else if (row->abi != BENCH_NO_ABI) {
        printf(", \"rmw\": %.4g, \"loads\": %.4g, \"stores\": %.4g", row->rmw,
               row->loads, row->stores);
    }
    printf("}");
}

/* What separates the members of an array. */
static const char *separator(unsigned int i)
{
    return i ? ",\n" : "\n";
}

void bench_print_json(const struct bench_results *r)
{
    struct bench_aim aims[NR_BENCH_AIMS];
    unsigned int i, n = 0;

    printf("{\n\"processors\": %u,\n\"rounds\": %u,\n\"samples\": %u,\n"
           "\"kept\": %u,\n\"yardstick-ns\": %.4g,\n"
           "\"dependent-yardstick-ns\": %.4g,\n\"cases\": [", r->processors,
           r->rounds, r->taken, r->kept, r->yardstick_ns,
           r->dependent_yardstick_ns);
    for (i = 0; i < r->nr_rows; i++) {
        printf("%s", separator(i));
        print_row(r, &r->rows[i]);
    }
    printf("\n],\n\"tables\": [");
    for (i = 0; i < r->nr_tables; i++) {
        const struct bench_table_row *t = &r->tables[i];

        printf("%s  {\"abi\": \"%s\", \"open-ports\": %u, \"alloc-ns\": %.4g, "
               "\"close-ns\": %.4g}", separator(i), bench_abi_ids[t->abi],
               t->open_ports, t->alloc_ns, t->close_ns);
    }
    printf("\n],\n\"memory\": [");
    for (i = 0; i < r->nr_memory; i++) {
        const struct bench_memory *m = &r->memory[i];

        printf("%s  {\"abi\": \"%s\", \"ports\": %u, \"bytes\": %zu, "
               "\"guest-bytes\": %zu}", separator(i), bench_abi_ids[m->abi],
               m->ports, m->bytes, m->guest_bytes);
    }
    printf("\n],\n\"aims\": [");
    bench_get_aims(r, aims);
    for (i = 0; i < NR_BENCH_AIMS; i++) {
        if (aims[i].measured) {
            printf("%s  {\"aim\": \"%s\", \"value\": %.4g, \"%s\": %.6g, "
                   "\"met\": %s}", separator(n++), aims[i].id, aims[i].value,
                   aims[i].at_least ? "at-least" : "at-most", aims[i].bound,
                   bench_aim_met(&aims[i]) ? "true" : "false");
        }
    }
    printf("\n]\n}\n");
}
