/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The results as text, and as Markdown for the documentation. */

#include "bench.h"

#include <stdio.h>
#include <string.h>

static const unsigned int thread_counts[] = { 2, 4, 8, 16 };
#define NR_COUNTS (sizeof(thread_counts) / sizeof(thread_counts[0]))

static const char *verdict(const struct bench_aim *aim)
{
    return !aim->measured ? "not measured" :
           bench_aim_met(aim) ? "met" : "missed";
}

/* Text: everything, a row a line ---------------------------------------------- */

static void print_text_rows(const struct bench_results *r)
{
    unsigned int i;

    printf("%-20s %-6s %7s %8s %6s %6s %6s %10s %7s %5s %5s %6s %9s\n", "case",
           "ABI", "threads", "ns", "y", "yd", "ratio", "handled ns", "slowest",
           "RMWs", "loads", "stores", "kept");
    for (i = 0; i < r->nr_rows; i++) {
        const struct bench_row *row = &r->rows[i];
        char ratio[16] = "", handled[16] = "", slowest[16] = "";
        char steps[40] = "", kept[24];

        if (row->ratio > 0) {
            snprintf(ratio, sizeof(ratio), "%.2f", row->ratio);
        }
        if (row->threads > 1) {
            snprintf(slowest, sizeof(slowest), "%.2f", row->slowest);
            if (row->handled_ns > 0) {
                snprintf(handled, sizeof(handled), "%.1f", row->handled_ns);
            }
        } else if (row->abi != BENCH_NO_ABI) {
            snprintf(steps, sizeof(steps), "%5.1f %5.1f %6.1f", row->rmw,
                     row->loads, row->stores);
        }
        snprintf(kept, sizeof(kept), "%u/%u", row->kept, row->taken);
        printf("%-20s %-6s %7u %8.2f %6.1f %6.1f %6s %10s %7s %18s %9s\n",
               row->c->name, bench_abi_ids[row->abi], row->threads, row->ns,
               row->ns / r->yardstick_ns, row->ns / r->dependent_yardstick_ns,
               ratio, handled, slowest, steps, kept);
    }
}

void bench_print_text(const struct bench_results *r)
{
    struct bench_aim aims[NR_BENCH_AIMS];
    unsigned int i;

    printf("y, a compare-exchange that nothing depends on: %.2f ns; "
           "yd, each after another: %.2f ns\n"
           "%u processors, %u rounds; %u of %u samples kept\n\n",
           r->yardstick_ns, r->dependent_yardstick_ns, r->processors,
           r->rounds, r->kept, r->taken);
    print_text_rows(r);
    if (r->nr_tables) {
        printf("\n%-6s %10s %9s %9s\n", "ABI", "open ports", "alloc ns",
               "close ns");
    }
    for (i = 0; i < r->nr_tables; i++) {
        printf("%-6s %10u %9.1f %9.1f\n", bench_abi_ids[r->tables[i].abi],
               r->tables[i].open_ports, r->tables[i].alloc_ns,
               r->tables[i].close_ns);
    }
    if (r->nr_memory) {
        printf("\n%-6s %10s %10s %12s\n", "ABI", "ports", "bytes",
               "guest bytes");
    }
    for (i = 0; i < r->nr_memory; i++) {
        printf("%-6s %10u %10zu %12zu\n", bench_abi_ids[r->memory[i].abi],
               r->memory[i].ports, r->memory[i].bytes,
               r->memory[i].guest_bytes);
    }
    printf("\n");
    bench_get_aims(r, aims);
    for (i = 0; i < NR_BENCH_AIMS; i++) {
        if (aims[i].measured) {
            printf("%-60s %9.2f  %s %.6g: %s\n", aims[i].name, aims[i].value,
                   aims[i].at_least ? "at least" : "at most", aims[i].bound,
                   verdict(&aims[i]));
        }
    }
}

/* Markdown: yardsticks and ratios ----------------------------------------------- */

/* A column for each ABI that was measured. */
static void print_abi_heads(const char *first, const char *sep, unsigned int abis)
{
    unsigned int a;

    printf("| %s ", first);
    for (a = 0; a < NR_BENCH_ABIS; a++) {
        if (abis & BENCH_ABI_BIT(a)) {
            printf("| %s ", bench_abi_names[a]);
        }
    }
    printf("|\n|---");
    for (a = 0; a < NR_BENCH_ABIS; a++) {
        if (abis & BENCH_ABI_BIT(a)) {
            printf("%s", sep);
        }
    }
    printf("|\n");
}

static unsigned int measured_abis(const struct bench_results *r)
{
    unsigned int abis = 0, i;

    for (i = 0; i < r->nr_rows; i++) {
        abis |= BENCH_ABI_BIT(r->rows[i].abi);
    }
    return abis & BENCH_ALL_ABIS;
}

/* One thread: yardsticks, or what the hook has counted. */
static void print_one_thread(const struct bench_results *r, bool steps)
{
    unsigned int i, a, abis = measured_abis(r);

    print_abi_heads("one thread", "|--:", abis);
    for (i = 0; i < bench_timed.nr_cases; i++) {
        const struct bench_case *c = &bench_timed.cases[i];
        bool any = false;

        for (a = 0; a < NR_BENCH_ABIS; a++) {
            any |= c->max_threads == 1 && bench_find_row(r, c->name, a, 1);
        }
        if (!any) {
            continue;
        }
        printf("| %s: %s ", c->name, c->what);
        for (a = 0; a < NR_BENCH_ABIS; a++) {
            const struct bench_row *row = bench_find_row(r, c->name, a, 1);

            if (!(abis & BENCH_ABI_BIT(a))) {
                continue;
            }
            if (!row) {
                printf("| ");
            } else if (steps) {
                printf("| %.3g, %.3g, %.3g ", row->rmw, row->loads,
                       row->stores);
            } else {
                printf("| %.1f ", row->ns / r->yardstick_ns);
            }
        }
        printf("|\n");
    }
}

static void print_threads_of(const struct bench_results *r,
                             const struct bench_case *c, enum bench_abi abi)
{
    const struct bench_row *one = bench_find_row(r, c->name, abi, 1), *row;
    bool any = false;
    unsigned int k;

    for (k = 0; k < NR_COUNTS; k++) {
        any |= !!bench_find_row(r, c->name, abi, thread_counts[k]);
    }
    if (!any) {
        return;
    }
    printf("| %s | %s | ", c->name,
           abi == BENCH_NO_ABI ? "" : bench_abi_names[abi]);
    if (one) {
        printf("%.1f ", one->ns / r->yardstick_ns);
    }
    for (k = 0; k < NR_COUNTS; k++) {
        row = bench_find_row(r, c->name, abi, thread_counts[k]);
        printf("| ");
        if (row) {
            printf("%.2f ", row->ratio);
        }
        if (row && one && row->handled_ns > 0 && c->account == BENCH_MERGED) {
            printf("(%.2f) ", one->ns / row->handled_ns);
        }
    }
    printf("|\n");
}

static void print_threads(const struct bench_results *r)
{
    unsigned int i, a, k;

    printf("| several threads | ABI | one, in yardsticks ");
    for (k = 0; k < NR_COUNTS; k++) {
        printf("| %u threads ", thread_counts[k]);
    }
    printf("|\n|---|---|--:|--:|--:|--:|--:|\n");
    for (i = 0; i < bench_timed.nr_cases; i++) {
        for (a = 0; a <= NR_BENCH_ABIS; a++) {
            print_threads_of(r, &bench_timed.cases[i], a);
        }
    }
    printf("\n");
    for (i = 0; i < bench_timed.nr_cases; i++) {
        if (bench_timed.cases[i].max_threads > 1) {
            printf("* %s: %s\n", bench_timed.cases[i].name,
                   bench_timed.cases[i].what);
        }
    }
}

static void print_tables(const struct bench_results *r)
{
    unsigned int i;

    printf("| ABI | open ports | allocation, yardsticks | close, yardsticks |\n"
           "|---|--:|--:|--:|\n");
    for (i = 0; i < r->nr_tables; i++) {
        printf("| %s | %u | %.1f | %.1f |\n", bench_abi_names[r->tables[i].abi],
               r->tables[i].open_ports,
               r->tables[i].alloc_ns / r->yardstick_ns,
               r->tables[i].close_ns / r->yardstick_ns);
    }
    printf("\n| ABI | ports | bytes of the model | bytes of the guest's pages "
           "|\n|---|--:|--:|--:|\n");
    for (i = 0; i < r->nr_memory; i++) {
        printf("| %s | %u | %zu | %zu |\n", bench_abi_names[r->memory[i].abi],
               r->memory[i].ports, r->memory[i].bytes,
               r->memory[i].guest_bytes);
    }
}

void bench_print_markdown(const struct bench_results *r)
{
    struct bench_aim aims[NR_BENCH_AIMS];
    unsigned int i;

    printf("The yardstick, a compare-exchange of an own cache line that nothing "
           "depends on:\n%.2f ns; the dependent one, each from what the last "
           "one found: %.2f ns.\n%u rounds; %u of %u samples kept.\n\n",
           r->yardstick_ns, r->dependent_yardstick_ns, r->rounds, r->kept,
           r->taken);
    printf("## One thread\n\nYardsticks from the send to the end of the "
           "handler, a port.\n\n");
    print_one_thread(r, false);
    printf("\nThe same in atomic read-modify-writes, loads and stores of shared "
           "memory.\n\n");
    print_one_thread(r, true);
    printf("\n## Several threads\n\nOperations a second of all threads together, "
           "as a multiple of one thread's; in\nbrackets events handled a second. "
           "More than %u threads take turns on this\nmachine: of those it is the "
           "processors' time that counts.\n\n", r->processors);
    print_threads(r);
    printf("\n## Allocation and memory\n\n");
    print_tables(r);
    printf("\n## Aims\n\n| aim | measured | |\n|---|--:|---|\n");
    bench_get_aims(r, aims);
    for (i = 0; i < NR_BENCH_AIMS; i++) {
        printf("| %s: %s %.6g | %.2f | %s |\n", aims[i].name,
               aims[i].at_least ? "at least" : "at most", aims[i].bound,
               aims[i].value, verdict(&aims[i]));
    }
}
