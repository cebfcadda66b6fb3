/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The domains that events are sent in, and where their ports lie. */

#ifndef BENCH_RIG_H
#define BENCH_RIG_H

#include "bench.h"
#include "guest.h"

/* A handler's count of events, on a pair of cache lines of its own. */
struct bench_source {
    uint64_t handled;
} __attribute__((aligned(128)));

struct bench_domain;

/* The kernel's own data for a vCPU. */
struct bench_vcpu {
    struct bench_domain *domain;
    uint8_t *upcall_pending;
    void *selector;             /* evtchn_pending_sel */
    void *own_ports;            /* a bitmap: the ports bound to this vCPU */
    struct evtchn_fifo_control_block *control;
    uint32_t head[EVTCHN_FIFO_MAX_QUEUES];
    void *l2_selector;
    uint32_t timer_port;        /* VIRQ_TIMER's, or 0 */
    unsigned int start_word, start_bit;     /* 2-level's next scan */
} __attribute__((aligned(128)));

struct bench_domain {
    struct guest *g;
    struct evtchn_domain *d;
    enum bench_abi abi;
    void *pending, *mask;       /* 2-level's bitmaps */
    uint32_t *const *array;     /* FIFO's pages */
    uint32_t *const *pending_map, *const *mask_map;     /* 3-level's */
    struct bench_source **source_of;    /* by port; the kernel's irq_info */
    struct bench_source *sources;       /* all of them */
    unsigned int nr_sources;
    struct bench_vcpu vcpu[BENCH_MAX_THREADS];
};

/* Ports that a case uses: thread i takes the i-th. */
enum bench_ports {
    BENCH_ADJACENT,         /* one after the other, each at a vCPU of its own */
    BENCH_SIX_APART,        /* six for each vCPU, as Linux binds its IPIs */
    BENCH_FAR,              /* bench_far_apart(), a vCPU each */
    BENCH_OWN_LINE,         /* far enough for a cache line each in any ABI */
    BENCH_ADJACENT_AT_0,    /* as BENCH_ADJACENT, all at vCPU 0 */
    BENCH_FAR_AT_0,
    BENCH_PRIORITIES,       /* the same, with a priority each */
    BENCH_BATCH,            /* BENCH_BATCH_PORTS adjacent ones at vCPU 0 */
    BENCH_STRIDE,           /* as many, as far apart as fits in 2-level */
    BENCH_INTERDOMAIN_PORT, /* one, of a channel whose other end sends */
    BENCH_PIRQ_PORT,
    BENCH_VIRQ_PORT,
    BENCH_HOST_PORT,        /* of a channel to a back end's domain */
    NR_BENCH_PORTS,
    BENCH_NO_PORTS = NR_BENCH_PORTS
};

#define BENCH_BATCH_PORTS   64
#define BENCH_PIRQ          1

struct bench_port_set {
    struct bench_domain *domain;    /* handles the events */
    struct evtchn_domain *sender;
    uint32_t port[BENCH_BATCH_PORTS];       /* the sender's */
    unsigned int vcpu[BENCH_BATCH_PORTS];   /* where it is handled */
    unsigned int nr;
};

struct bench_rig {
    enum bench_abi abi;
    struct world *world;
    struct evtchn_env env;
    struct bench_domain near, far, stride, peer, host;
    /* For allocation: no port is open in them; [0] is shared. */
    struct bench_domain own[BENCH_MAX_THREADS];
    struct bench_port_set set[NR_BENCH_PORTS];
};

/* The distance of BENCH_FAR's ports; how many threads a set allows. */
unsigned int bench_far_apart(enum bench_abi abi);
unsigned int bench_room(enum bench_abi abi, enum bench_ports ports);

struct bench_rig *bench_rig_new(enum bench_abi abi);
void bench_rig_free(struct bench_rig *rig);

static inline unsigned int bench_word_bits(enum bench_abi abi)
{
    return abi == BENCH_2L_32 || abi == BENCH_3L_32 ? 32 : 64;
}

#endif /* BENCH_RIG_H */
