/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an allocation costs in a table of many ports, and what a port takes. */

#include "bench.h"
#include "guest.h"

#include <glib.h>

#define BATCH 64

struct bench_table {
    struct world *world;
    struct guest *guest;
    uint32_t open_ports;
    GRand *rand;
};

static void fifo(struct guest *g)
{
    int rc = guest_init_control(g, 0, 0);

    g_assert_cmpint(rc, ==, 0);
}

static void open_ports(struct guest *g, uint32_t n)
{
    uint32_t port;
    int rc;

    while (n--) {
        rc = evtchn_alloc_unbound(g->d, DOMID_SELF, DOMID_SELF, &port);
        g_assert_cmpint(rc, ==, 0);
    }
}

struct bench_table *bench_table_new(uint32_t n)
{
    struct guest_config config = { .domid = 1 };
    struct bench_table *table = g_new0(struct bench_table, 1);

    table->world = world_new();
    table->guest = guest_new(table->world, &config);
    table->open_ports = n;
    table->rand = g_rand_new_with_seed(1);
    fifo(table->guest);
    open_ports(table->guest, n);
    return table;
}

void bench_table_free(struct bench_table *table)
{
    g_rand_free(table->rand);
    guest_free(table->guest);
    world_free(table->world);
    g_free(table);
}

void bench_table_run(struct bench_table *table, double *alloc_ns,
                     double *close_ns)
{
    struct evtchn_domain *d = table->guest->d;
    uint32_t ports[BATCH];
    int64_t start, closed, end;
    uint32_t port;
    unsigned int i;

    /* One of each piece of the table, so that no two are the same. */
    for (i = 0; i < BATCH; i++) {
        uint32_t piece = table->open_ports / BATCH;

        ports[i] = 1 + i * piece + g_rand_int_range(table->rand, 0, piece);
    }
    start = bench_now();
    for (i = 0; i < BATCH; i++) {
        evtchn_close(d, ports[i]);
    }
    closed = bench_now();
    for (i = 0; i < BATCH; i++) {
        evtchn_alloc_unbound(d, DOMID_SELF, DOMID_SELF, &port);
    }
    end = bench_now();
    *close_ns = (double)(closed - start) / BATCH;
    *alloc_ns = (double)(end - closed) / BATCH;
}

void bench_measure_memory(struct bench_memory *memory)
{
    struct guest_config config = { .domid = 1 };
    struct world *w = world_new();
    struct guest *g = guest_new(w, &config);
    size_t before = evtchn_domain_memory(g->d);
    int rc = guest_3l_init(g);

    g_assert_cmpint(rc, ==, 0);
    memory->three_level = evtchn_domain_memory(g->d) - before;
    rc = guest_reset(g);
    g_assert_cmpint(rc, ==, 0);

    fifo(g);
    memory->fifo = evtchn_domain_memory(g->d) - before;
    open_ports(g, 10);
    memory->ten = evtchn_domain_memory(g->d);
    open_ports(g, EVTCHN_FIFO_MAX_PORTS - 1 - 10);
    memory->full = evtchn_domain_memory(g->d);
    memory->port = (double)(memory->full - memory->ten) /
                   (EVTCHN_FIFO_MAX_PORTS - 1 - 10);
    guest_free(g);
    world_free(w);
}
