/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is measured; built twice, see bench.h. */

#include "bench.h"
#include "guest.h"
#include "atomic.h"

#include <glib.h>

#ifdef BENCH_COUNT
#include "count.h"
#define BENCH_OPS bench_counted
#else
#define BENCH_OPS bench_timed
#endif

/* Ports that share no cache line: 512 of 2-level's bits are in one. */
#define APART 600

/* On a cache line of its own. */
struct handled {
    uint64_t events;
} __attribute__((aligned(64)));

struct bench_rig {
    struct handled handled[2];
    struct world *world;
    struct guest *guest;
    struct guest *peer;
    struct guest *host;
    uint32_t ipi[2];        /* one a vCPU */
    uint32_t ipi_apart;     /* another one of vCPU 0 */
    uint32_t pirq_port;
    uint32_t peer_port;     /* joined to guest's interdomain port */
    uint32_t to_host;       /* guest's end of a channel to host */
};

/* Giving way would measure who else wants the processor. */
static void spin(unsigned int spins)
{
    (void)spins;
    __builtin_ia32_pause();
}

/* The guest looks at evtchn_upcall_pending itself. */
static void no_upcall(void *opaque, uint32_t vcpu)
{
    (void)opaque, (void)vcpu;
}

static void count_notify(void *opaque, uint32_t port)
{
    struct guest *g = opaque;
    struct bench_rig *rig = g->opaque;

    (void)port;
    rig->handled[0].events++;
}

static void count_event(struct guest_vcpu *v, uint32_t port, void *opaque)
{
    struct bench_rig *rig = opaque;

    (void)port;
    rig->handled[v->id].events++;
}

static void skip_ports(struct guest *g, unsigned int n)
{
    uint32_t port;
    int rc;

    while (n--) {
        rc = evtchn_alloc_unbound(g->d, DOMID_SELF, DOMID_SELF, &port);
        g_assert_cmpint(rc, ==, 0);
    }
}

static struct guest *new_guest(struct bench_rig *rig, uint16_t domid,
                               enum bench_abi abi)
{
    struct guest_config config = {
        .domid = domid,
        .nr_vcpus = 2,
        .nr_pirqs = 16,
        .word32 = abi == BENCH_2L_32 || abi == BENCH_3L_32,
    };
    struct guest *g = guest_new(rig->world, &config);

    g->env.raise_upcall = no_upcall;
    if (abi == BENCH_FIFO) {
        int rc = guest_fifo_init(g, 1024);

        g_assert_cmpint(rc, ==, 0);
    } else if (abi == BENCH_3L_64 || abi == BENCH_3L_32) {
        int rc = guest_3l_init(g);

        g_assert_cmpint(rc, ==, 0);
    }
    return g;
}

static uint32_t new_ipi(struct guest *g, uint32_t vcpu)
{
    uint32_t port;
    int rc = evtchn_bind_ipi(g->d, vcpu, &port);

    g_assert_cmpint(rc, ==, 0);
    g->port_vcpu[port] = vcpu;
    guest_unmask(&g->vcpu[vcpu], port);
    return port;
}

/* Returns @g's end. */
static uint32_t join(struct guest *g, struct guest *peer, uint32_t *peer_port)
{
    uint32_t port;
    int rc = evtchn_alloc_unbound(g->d, DOMID_SELF, peer->domid, &port);

    g_assert_cmpint(rc, ==, 0);
    rc = evtchn_bind_interdomain(peer->d, g->domid, port, peer_port);
    g_assert_cmpint(rc, ==, 0);
    guest_unmask(&g->vcpu[0], port);
    return port;
}

static struct bench_rig *rig_new(enum bench_abi abi)
{
    struct guest_config host = { .domid = 3, .host = true };
    struct bench_rig *rig = aligned_alloc(64, sizeof(*rig));
    uint32_t port;
    int rc;

    memset(rig, 0, sizeof(*rig));
    rig->world = world_new();
    rig->world->env.relax = spin;
    rig->guest = new_guest(rig, 1, abi);
    rig->peer = new_guest(rig, 2, abi);
    rig->host = guest_new(rig->world, &host);
    rig->host->env.notify = count_notify;
    rig->host->opaque = rig;

    rig->ipi[0] = new_ipi(rig->guest, 0);
    skip_ports(rig->guest, APART);
    rig->ipi[1] = new_ipi(rig->guest, 1);
    rig->ipi_apart = new_ipi(rig->guest, 0);
    rc = evtchn_bind_pirq(rig->guest->d, 1, 0, &rig->pirq_port);
    g_assert_cmpint(rc, ==, 0);
    guest_unmask(&rig->guest->vcpu[0], rig->pirq_port);
    join(rig->guest, rig->peer, &rig->peer_port);
    rig->to_host = join(rig->guest, rig->host, &port);
    return rig;
}

static void rig_free(struct bench_rig *rig)
{
    guest_free(rig->guest);
    guest_free(rig->peer);
    guest_free(rig->host);
    world_free(rig->world);
    free(rig);
}

static void send_and_handle(struct bench_rig *rig, struct guest *sender,
                            uint32_t port, uint32_t vcpu, unsigned int n)
{
    struct guest_vcpu *v = &rig->guest->vcpu[vcpu];

    while (n--) {
        evtchn_send(sender->d, port);
        guest_upcall(v, count_event, rig);
    }
}

static void send_only(struct guest *sender, uint32_t port, unsigned int n)
{
    while (n--) {
        evtchn_send(sender->d, port);
    }
}

static void run(struct bench_rig *rig, enum bench_case c, unsigned int thread,
                unsigned int n)
{
    struct guest *g = rig->guest;
    uint32_t port = rig->ipi[thread];

    switch (c) {
    case BENCH_IPI:
    case BENCH_DISTINCT:
        send_and_handle(rig, g, port, thread, n);
        break;
    case BENCH_INTERDOMAIN:
        send_and_handle(rig, rig->peer, rig->peer_port, 0, n);
        break;
    case BENCH_PIRQ:
        while (n--) {
            evtchn_raise_pirq(g->d, 1);
            guest_upcall(&g->vcpu[0], count_event, rig);
        }
        break;
    case BENCH_TO_HOST:
        send_only(g, rig->to_host, n);
        break;
    case BENCH_ONE_VCPU:
    case BENCH_ONE_PORT:
        if (!thread) {
            send_and_handle(rig, g, rig->ipi[0], 0, n);
        } else {
            port = c == BENCH_ONE_PORT ? rig->ipi[0] : rig->ipi_apart;
            send_only(g, port, n);
        }
        break;
    default:
        g_assert_not_reached();
    }
}

static uint64_t handled(struct bench_rig *rig, unsigned int thread)
{
    return rig->handled[thread].events;
}

static void get_steps(struct bench_steps *steps)
{
#ifdef BENCH_COUNT
    *steps = bench_steps;
#else
    *steps = (struct bench_steps) { 0 };
#endif
}

__attribute__((visibility("default")))
const struct bench_ops BENCH_OPS = {
    .rig_new = rig_new,
    .rig_free = rig_free,
    .run = run,
    .handled = handled,
    .get_steps = get_steps,
};
