/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The figures that the model aims at. */

#include "bench.h"

#include <string.h>

#define AT_LEAST    .at_least = true
#define AT_MOST     .at_least = false

static double ns_of(const struct bench_results *r, const char *name,
                    enum bench_abi abi)
{
    const struct bench_row *row = bench_find_row(r, name, abi, 1);

    return row ? row->ns : 0;
}

/* The ratio of two threads to one; 0 on a single processor. */
static double ratio_of_two(const struct bench_results *r, const char *name)
{
    const struct bench_row *row = bench_find_row(r, name, BENCH_FIFO, 2);

    return row && r->processors > 1 ? row->ratio : 0;
}

static const struct bench_table_row *find_table(const struct bench_results *r,
                                                uint32_t open_ports)
{
    unsigned int i;

    for (i = 0; i < r->nr_tables; i++) {
        if (r->tables[i].abi == BENCH_FIFO &&
            r->tables[i].open_ports == open_ports) {
            return &r->tables[i];
        }
    }
    return NULL;
}

static const struct bench_memory *find_memory(const struct bench_results *r,
                                              uint32_t ports)
{
    unsigned int i;

    for (i = 0; i < r->nr_memory; i++) {
        if (r->memory[i].abi == BENCH_FIFO && r->memory[i].ports == ports) {
            return &r->memory[i];
        }
    }
    return NULL;
}

/* An aim whose value is 0 has not been measured. */
void bench_get_aims(const struct bench_results *r,
                    struct bench_aim aims[NR_BENCH_AIMS])
{
    const struct bench_table_row *few = find_table(r, 100);
    const struct bench_table_row *many = find_table(r, 100000);
    const struct bench_memory *ten = find_memory(r, 10);
    const struct bench_memory *all = find_memory(r, 131071);
    struct bench_aim list[NR_BENCH_AIMS] = {
        { "fifo-ipi", "FIFO IPI, sent and handled, in yardsticks",
          ns_of(r, "ipi", BENCH_FIFO) / r->yardstick_ns, 7.5, AT_MOST },
        { "fifo-ipi-test-guest",
          "the same with the test guest, in dependent yardsticks",
          ns_of(r, "ipi-test-guest", BENCH_FIFO) / r->dependent_yardstick_ns,
          9, AT_MOST },
        { "fifo-two-distinct-far",
          "FIFO, 2 threads to 1, a vCPU each (distinct-far)",
          ratio_of_two(r, "distinct-far"), 1.95, AT_LEAST },
        { "fifo-two-same-port-pending",
          "FIFO, 2 threads to 1, one pending port (same-port-pending)",
          ratio_of_two(r, "same-port-pending"), 1.95, AT_LEAST },
        { "alloc", "allocation at 100,000 ports to that at 100",
          few && many ? many->alloc_ns / few->alloc_ns : 0, 2, AT_MOST },
        { "port-bytes", "bytes a port",
          ten && all ? (double)(all->bytes - ten->bytes) / (131071 - 10) : 0,
          32, AT_MOST },
        { "domain-bytes", "bytes of a domain with 10 ports",
          ten ? ten->bytes : 0, 16384, AT_MOST },
    };
    unsigned int i;

    memcpy(aims, list, sizeof(list));
    for (i = 0; i < NR_BENCH_AIMS; i++) {
        aims[i].measured = aims[i].value > 0;
    }
}

bool bench_aim_met(const struct bench_aim *aim)
{
    return aim->at_least ? aim->value >= aim->bound : aim->value <= aim->bound;
}
