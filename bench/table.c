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

static struct guest *new_guest(struct world *w, enum bench_abi abi)
{
    struct guest_config config = {
        .domid = 1,
        .word32 = abi == BENCH_2L_32 || abi == BENCH_3L_32,
    };
    struct guest *g = guest_new(w, &config);
    int rc = 0;

    if (abi == BENCH_FIFO) {
        rc = guest_init_control(g, 0, 0);
    } else if (abi == BENCH_3L_64 || abi == BENCH_3L_32) {
        rc = guest_3l_init(g);
    }
    g_assert_cmpint(rc, ==, 0);
    return g;
}

/* False: there is no room for so many. */
static bool open_ports(struct guest *g, uint32_t n)
{
    uint32_t port;
    int rc = 0;

    while (n-- && !rc) {
        rc = evtchn_alloc_unbound(g->d, DOMID_SELF, DOMID_SELF, &port);
    }
    return !rc;
}

struct bench_table *bench_table_new(enum bench_abi abi, uint32_t n)
{
    struct bench_table *table = g_new0(struct bench_table, 1);

    table->world = world_new();
    table->guest = new_guest(table->world, abi);
    table->open_ports = n;
    table->rand = g_rand_new_with_seed(1);
    if (!open_ports(table->guest, n)) {
        bench_table_free(table);
        return NULL;
    }
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
    int rc = 0;

    /* One of each piece of the table, so that no two are the same. */
    for (i = 0; i < BATCH; i++) {
        uint32_t piece = table->open_ports / BATCH;

        ports[i] = 1 + i * piece + g_rand_int_range(table->rand, 0, piece);
    }
    start = bench_now();
    for (i = 0; i < BATCH; i++) {
        rc |= evtchn_close(d, ports[i]);
    }
    closed = bench_now();
    for (i = 0; i < BATCH; i++) {
        rc |= evtchn_alloc_unbound(d, DOMID_SELF, DOMID_SELF, &port);
    }
    end = bench_now();
    g_assert_cmpint(rc, ==, 0);
    *close_ns = (double)(closed - start) / BATCH;
    *alloc_ns = (double)(end - closed) / BATCH;
}

/* Frames of guest RAM that the model has been given and needs for @ports. */
static size_t handed_over(const struct guest *g, enum bench_abi abi,
                          uint32_t ports)
{
    size_t frames = 0;

    if (abi == BENCH_FIFO) {
        frames = ports / GUEST_WORDS_PER_FRAME + 1 + 1;
    } else if (abi == BENCH_3L_64 || abi == BENCH_3L_32) {
        frames = 2 * g->nr_maps + 1;
    }
    return frames * EVTCHN_FRAME_SIZE;
}

bool bench_measure_memory(enum bench_abi abi, uint32_t ports,
                          struct bench_memory *memory)
{
    struct world *w = world_new();
    struct guest *g = new_guest(w, abi);
    bool room = open_ports(g, ports);

    memory->abi = abi;
    memory->ports = ports;
    memory->bytes = evtchn_domain_memory(g->d);
    memory->guest_bytes = handed_over(g, abi, ports);
    guest_free(g);
    world_free(w);
    return room;
}
