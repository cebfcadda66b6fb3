/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The domains that events are sent in; built twice, see bench.h. */

#include "rig.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define LINE            64
#define MAX_SOURCES     320
#define IPIS_A_VCPU     6
/* Above the last port of any set; the size of guests' bitmaps and arrays. */
#define MAX_PORT        (BENCH_MAX_THREADS * 1024 + 1024)
/* Sets that have a port at every BENCH_FAR distance. */
#define NR_FAR          3

/* The model's memory begins on a cache line, as evtchn.h requires. */
static void *alloc_aligned(void *opaque, size_t size)
{
    void *ptr = aligned_alloc(LINE, (size + LINE - 1) / LINE * LINE);

    (void)opaque;
    g_assert_nonnull(ptr);
    return memset(ptr, 0, size);
}

static void free_aligned(void *opaque, void *ptr, size_t size)
{
    (void)opaque, (void)size;
    free(ptr);
}

/* No interrupt: the guest looks at evtchn_upcall_pending itself. */
static void no_upcall(void *opaque, uint32_t vcpu)
{
    (void)opaque, (void)vcpu;
}

/* The same, counted as QEMU does for -machine xen-evtchn-traffic. */
static void count_upcall(void *opaque, uint32_t vcpu)
{
    (void)opaque;
    xen_evtchn_traffic_count(bench_traffic_row, vcpu);
}

static void count_notify(void *opaque, uint32_t port)
{
    struct guest *g = opaque;
    struct bench_domain *dom = g->opaque;

    (void)port;
    dom->sources[0].handled++;
}

unsigned int bench_far_apart(enum bench_abi abi)
{
    return abi == BENCH_2L_32 ? 64 : abi == BENCH_2L_64 ? 256 : 1024;
}

unsigned int bench_room(enum bench_abi abi, enum bench_ports ports)
{
    switch (ports) {
    case BENCH_OWN_LINE:
        return abi == BENCH_2L_32 ? 2 : abi == BENCH_2L_64 ? 8 :
               BENCH_MAX_THREADS;
    case BENCH_PRIORITIES:
        return abi == BENCH_FIFO ? BENCH_MAX_THREADS : 0;
    default:
        return BENCH_MAX_THREADS;
    }
}

/* Domains -------------------------------------------------------------------- */

static void know_guest(struct bench_domain *dom)
{
    struct guest *g = dom->g;
    unsigned int i;

    dom->pending = g->long_mode ?
        (void *)((struct shared_info *)g->shared_info)->evtchn_pending :
        ((struct shared_info_x86_32 *)g->shared_info)->evtchn_pending;
    dom->mask = g->long_mode ?
        (void *)((struct shared_info *)g->shared_info)->evtchn_mask :
        ((struct shared_info_x86_32 *)g->shared_info)->evtchn_mask;
    dom->array = g->array;
    dom->pending_map = g->pending_map;
    dom->mask_map = g->mask_map;
    for (i = 0; i < g->nr_vcpus; i++) {
        struct bench_vcpu *v = &dom->vcpu[i];
        void *info = g->vcpu[i].info;

        v->domain = dom;
        v->upcall_pending = guest_upcall_pending(&g->vcpu[i]);
        v->selector = g->long_mode ?
            (void *)&((struct vcpu_info *)info)->evtchn_pending_sel :
            &((struct vcpu_info_x86_32 *)info)->evtchn_pending_sel;
        v->own_ports = alloc_aligned(NULL, MAX_PORT / 8);
        v->control = g->vcpu[i].control;
        v->l2_selector = g->vcpu[i].l2_selector;
    }
}

static void domain_new(struct bench_rig *rig, struct bench_domain *dom,
                       uint16_t domid, unsigned int nr_vcpus, uint32_t ports)
{
    struct guest_config config = {
        .domid = domid,
        .nr_vcpus = nr_vcpus,
        .nr_pirqs = 16,
        .word32 = bench_word_bits(rig->abi) == 32,
        .env = &rig->env,
    };
    int rc = 0;

    dom->abi = rig->abi;
    dom->g = guest_new(rig->world, &config);
    dom->g->env.raise_upcall = bench_counts_traffic ? count_upcall : no_upcall;
    dom->d = dom->g->d;
    if (rig->abi == BENCH_FIFO) {
        rc = guest_fifo_init(dom->g, ports);
    } else if (rig->abi == BENCH_3L_64 || rig->abi == BENCH_3L_32) {
        rc = guest_3l_init(dom->g);
    }
    g_assert_cmpint(rc, ==, 0);
    know_guest(dom);
    dom->source_of = g_new0(struct bench_source *, MAX_PORT);
    dom->sources = alloc_aligned(NULL, MAX_SOURCES * sizeof(*dom->sources));
}

static void host_new(struct bench_rig *rig, struct bench_domain *dom,
                     uint16_t domid)
{
    struct guest_config config = {
        .domid = domid,
        .host = true,
        .env = &rig->env,
    };

    dom->abi = rig->abi;
    dom->g = guest_new(rig->world, &config);
    dom->g->env.notify = count_notify;
    dom->g->opaque = dom;
    dom->d = dom->g->d;
    dom->nr_sources = 1;
    dom->sources = alloc_aligned(NULL, sizeof(*dom->sources));
}

static void domain_free(struct bench_domain *dom)
{
    unsigned int i;

    for (i = 0; i < BENCH_MAX_THREADS; i++) {
        free(dom->vcpu[i].own_ports);
    }
    guest_free(dom->g);
    g_free(dom->source_of);
    free(dom->sources);
}

/* Ports ---------------------------------------------------------------------- */

static void set_add(struct bench_port_set *set, struct bench_domain *dom,
                    uint32_t port, unsigned int vcpu)
{
    g_assert_cmpuint(set->nr, <, BENCH_BATCH_PORTS);
    set->domain = dom;
    set->sender = dom->d;
    set->port[set->nr] = port;
    set->vcpu[set->nr] = vcpu;
    set->nr++;
}

/* Note a bound port in the guest kernel's data. */
static void open_port(struct bench_domain *dom, uint32_t port,
                      unsigned int vcpu)
{
    g_assert_cmpuint(port, <, MAX_PORT);
    g_assert_cmpuint(dom->nr_sources, <, MAX_SOURCES);
    dom->g->port_vcpu[port] = vcpu;
    dom->source_of[port] = &dom->sources[dom->nr_sources++];
    ((uint32_t *)dom->vcpu[vcpu].own_ports)[port / 32] |=
        UINT32_C(1) << port % 32;
    guest_unmask(&dom->g->vcpu[vcpu], port);
}

static uint32_t bind_ipi(struct bench_domain *dom, unsigned int vcpu)
{
    uint32_t port;
    int rc = evtchn_bind_ipi(dom->d, vcpu, &port);

    g_assert_cmpint(rc, ==, 0);
    open_port(dom, port, vcpu);
    return port;
}

/* Allocate unbound ports until the next free one is @port. */
static void skip_to(struct bench_domain *dom, uint32_t port)
{
    uint32_t got;
    int rc;

    do {
        rc = evtchn_alloc_unbound(dom->d, DOMID_SELF, DOMID_SELF, &got);
        g_assert_cmpint(rc, ==, 0);
    } while (got + 1 < port);
}

/* A channel from @set's sender to vCPU 0 of @dom. */
static void join(struct bench_port_set *set, struct bench_domain *dom,
                 struct bench_domain *sender)
{
    uint32_t port, sender_port;
    int rc = evtchn_alloc_unbound(dom->d, DOMID_SELF, sender->g->domid, &port);

    g_assert_cmpint(rc, ==, 0);
    rc = evtchn_bind_interdomain(sender->d, dom->g->domid, port, &sender_port);
    g_assert_cmpint(rc, ==, 0);
    if (dom->source_of) {
        open_port(dom, port, 0);
    }
    set_add(set, dom, port, 0);
    set->sender = sender->d;
    set->port[0] = sender_port;
}

/* Ports in the order of a kernel's boot: timers, IPIs, and then devices. */
static void open_near(struct bench_rig *rig)
{
    struct bench_domain *dom = &rig->near;
    uint32_t port;
    unsigned int i;
    int rc;

    for (i = 0; i < BENCH_MAX_THREADS; i++) {
        rc = evtchn_bind_virq(dom->d, VIRQ_TIMER, i, &port);
        g_assert_cmpint(rc, ==, 0);
        open_port(dom, port, i);
        dom->vcpu[i].timer_port = port;
    }
    set_add(&rig->set[BENCH_VIRQ_PORT], dom, dom->vcpu[0].timer_port, 0);
    for (i = 0; i < BENCH_MAX_THREADS; i++) {
        set_add(&rig->set[BENCH_ADJACENT], dom, bind_ipi(dom, i), i);
    }
    for (i = 0; i < BENCH_MAX_THREADS * IPIS_A_VCPU; i++) {
        port = bind_ipi(dom, i / IPIS_A_VCPU);
        if (i % IPIS_A_VCPU == 0) {
            set_add(&rig->set[BENCH_SIX_APART], dom, port, i / IPIS_A_VCPU);
        }
    }
    for (i = 0; i < BENCH_MAX_THREADS; i++) {
        set_add(&rig->set[BENCH_ADJACENT_AT_0], dom, bind_ipi(dom, 0), 0);
    }
    for (i = 0; i < BENCH_BATCH_PORTS; i++) {
        set_add(&rig->set[BENCH_BATCH], dom, bind_ipi(dom, 0), 0);
    }
    join(&rig->set[BENCH_INTERDOMAIN_PORT], dom, &rig->peer);
    rc = evtchn_bind_pirq(dom->d, BENCH_PIRQ, 0, &port);
    g_assert_cmpint(rc, ==, 0);
    open_port(dom, port, 0);
    set_add(&rig->set[BENCH_PIRQ_PORT], dom, port, 0);
    join(&rig->set[BENCH_HOST_PORT], &rig->host, &rig->near);
}

static void open_far(struct bench_rig *rig)
{
    struct bench_domain *dom = &rig->far;
    unsigned int apart = bench_far_apart(rig->abi);
    unsigned int every = BENCH_MAX_THREADS /
                         MIN(BENCH_MAX_THREADS,
                             bench_room(rig->abi, BENCH_OWN_LINE));
    uint32_t port;
    unsigned int i;
    int rc;

    for (i = 0; i < BENCH_MAX_THREADS; i++) {
        if (i) {
            skip_to(dom, i * apart + 1);
        }
        port = bind_ipi(dom, i);
        set_add(&rig->set[BENCH_FAR], dom, port, i);
        if (i % every == 0) {
            set_add(&rig->set[BENCH_OWN_LINE], dom, port, i);
        }
        set_add(&rig->set[BENCH_FAR_AT_0], dom, bind_ipi(dom, 0), 0);
        if (rig->abi == BENCH_FIFO) {
            port = bind_ipi(dom, 0);
            rc = evtchn_set_priority(dom->d, port, i);
            g_assert_cmpint(rc, ==, 0);
            set_add(&rig->set[BENCH_PRIORITIES], dom, port, 0);
        }
    }
}

static void open_stride(struct bench_rig *rig)
{
    unsigned int stride = (rig->abi == BENCH_2L_32 ? 1024 : 4096) /
                          BENCH_BATCH_PORTS - 1;
    unsigned int i;

    for (i = 0; i < BENCH_BATCH_PORTS; i++) {
        if (i) {
            skip_to(&rig->stride, i * stride + 1);
        }
        set_add(&rig->set[BENCH_STRIDE], &rig->stride,
                bind_ipi(&rig->stride, 0), 0);
    }
}

struct bench_rig *bench_rig_new(enum bench_abi abi)
{
    struct bench_rig *rig = alloc_aligned(NULL, sizeof(*rig));
    uint16_t domid = 1;
    unsigned int i;

    rig->abi = abi;
    rig->world = world_new();
    rig->env = rig->world->env;
    rig->env.alloc = alloc_aligned;
    rig->env.free = free_aligned;
    domain_new(rig, &rig->near, domid++, BENCH_MAX_THREADS, 1024);
    domain_new(rig, &rig->far, domid++, BENCH_MAX_THREADS, MAX_PORT);
    domain_new(rig, &rig->stride, domid++, 1, 4096);
    domain_new(rig, &rig->peer, domid++, 1, 1024);
    host_new(rig, &rig->host, domid++);
    for (i = 0; i < BENCH_MAX_THREADS; i++) {
        domain_new(rig, &rig->own[i], domid++, BENCH_MAX_THREADS, 1024);
    }
    open_near(rig);
    open_far(rig);
    open_stride(rig);
    return rig;
}

void bench_rig_free(struct bench_rig *rig)
{
    unsigned int i;

    for (i = 0; i < BENCH_MAX_THREADS; i++) {
        domain_free(&rig->own[i]);
    }
    domain_free(&rig->near);
    domain_free(&rig->far);
    domain_free(&rig->stride);
    domain_free(&rig->peer);
    domain_free(&rig->host);
    world_free(rig->world);
    free(rig);
}
