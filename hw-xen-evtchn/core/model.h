/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the event-channel model: what its files share.
 *
 * docs/event-channel-model.md states the whole protocol between senders and
 * binders, and why no event is lost; lock.h has its locks.
 */

#ifndef XEN_EVTCHN_MODEL_H
#define XEN_EVTCHN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../public/event_channel_3level.h"
#include "atomic.h"
#include "evtchn.h"
#include "xen_public.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Data that different processors write are at least this far apart. */
#define CACHE_LINE          64

#define PORTS_PER_BUCKET    64
#define BUCKETS_PER_GROUP   64
#define PORTS_PER_GROUP     (PORTS_PER_BUCKET * BUCKETS_PER_GROUP)
#define NR_GROUPS           (EVTCHN_MAX_PORTS / PORTS_PER_GROUP)

#define WORDS_PER_FRAME     (EVTCHN_FRAME_SIZE / sizeof(uint32_t))

/* 3-level: a page of a bitmap, and the most pages of one. */
#define PORTS_PER_BITMAP_PAGE   (EVTCHN_FRAME_SIZE * 8)
#define MAX_BITMAP_PAGES        EVTCHN_3L_NR_PAGES(64)

/*
 * One end of an event channel.  A sender reads the first three members without
 * a lock, and again when it has locked the port's queue.
 */
struct evtchn {
    struct evtchn_domain *remote;   /* interdomain: the peer's; else NULL */
    union {
        uint32_t remote_port;       /* interdomain */
        uint32_t remote_domid;      /* unbound */
        uint32_t irq;               /* pirq, virq */
        uint32_t number;            /* any of these; 0 for an IPI */
    };
    uint32_t binding;               /* see evtchn_binding() */
    /* Written with the port's queue locked. */
    uint32_t lastq;                 /* FIFO: see evtchn_lastq() */
    uint8_t retry;                  /* EVTCHN_RETRY_* */
    /*
     * FIFO.  Not 0 if one of the last events found the one before still
     * pending: then a sender looks for that before it locks.  Else it does not,
     * as the look would fetch the cache line of the guest's word once more from
     * a processor that works on the word's neighbours.
     */
    uint8_t look_first;
};

/* After so many events that were not pending before, senders stop looking. */
#define LOOKS_IN_VAIN       8

/* What to do when the guest registers the memory that was missing. */
#define EVTCHN_RETRY_RAISE  1       /* raise the event, which was set aside */
/* The event is pending: link it (FIFO), or select its word (3-level). */
#define EVTCHN_RETRY_LINK   2

/*
 * What a port is and where its events go, in one word so that a sender gets it
 * by one load: vCPU, state, ABI, and which of the vCPU's queues.  In FIFO that
 * is the queue of the port's priority; else a lane, chosen by the port's number
 * to spread the ports over the locks.
 */
static inline uint32_t evtchn_binding(uint32_t vcpu, enum evtchn_state state,
                                      enum evtchn_abi abi, unsigned int queue)
{
    return vcpu | state << 16 | abi << 20 | queue << 24;
}

static inline uint32_t binding_vcpu(uint32_t binding)
{
    return binding & UINT16_MAX;
}

static inline enum evtchn_state binding_state(uint32_t binding)
{
    return binding >> 16 & 0xf;
}

static inline enum evtchn_abi binding_abi(uint32_t binding)
{
    return binding >> 20 & 0xf;
}

static inline unsigned int binding_queue(uint32_t binding)
{
    return binding >> 24 & 0xf;
}

/* An unbound port's own lock: it has no senders, so it needs no queue's. */
#define BINDING_HELD (UINT32_C(1) << 31)

/* The same binding but for one thing. */
static inline uint32_t evtchn_with_vcpu(uint32_t binding, uint32_t vcpu)
{
    return (binding & ~UINT32_C(0xffff)) | vcpu;
}

static inline uint32_t evtchn_with_state(uint32_t binding,
                                         enum evtchn_state state)
{
    return (binding & ~UINT32_C(0xf0000)) | state << 16;
}

static inline uint32_t evtchn_with_queue(uint32_t binding, unsigned int queue)
{
    return (binding & ~UINT32_C(0xf000000)) | queue << 24;
}

/* A set of port numbers with a cheap "lowest": a bitmap with summaries. */
struct port_set {
    uint64_t buckets;               /* bit b: ports[b] is not 0 */
    uint64_t ports[BUCKETS_PER_GROUP];
};

/*
 * Both kinds are closed.  An allocation found a parked port busy (FIFO: still
 * linked), and it stays parked until the guest has unlinked it.
 */
enum port_set_kind {
    PORT_SET_FREE,
    PORT_SET_PARKED,
    PORT_SET_KINDS
};

struct port_group {
    struct evtchn *bucket[BUCKETS_PER_GROUP];
    _Alignas(CACHE_LINE) struct port_set set[PORT_SET_KINDS];
};

/*
 * One of a vCPU's queues, and the lock for deliveries to it.  Unlocked, the
 * word is the number of the port that was appended last, or 0.
 */
struct evtchn_queue {
    uint32_t tail;
};

/*
 * A queue of an ABI without queues, of which only the lock is used.  Each vCPU
 * has several, so that its senders rarely wait for each other.
 */
#define LANES_PER_VCPU  8

struct evtchn_lane {
    _Alignas(CACHE_LINE) struct evtchn_queue queue;
    /*
     * As evtchn.look_first, for the ports of this lane.  In struct evtchn each
     * store would take the line away from the senders to the ports beside it.
     */
    uint8_t look_first;
};

struct evtchn_vcpu {
    _Alignas(CACHE_LINE) struct evtchn_queue queue[EVTCHN_FIFO_MAX_QUEUES];
    struct evtchn_lane lane[LANES_PER_VCPU];
    /* A sender reads these with a queue locked: see evtchn_quiesce_vcpu(). */
    _Alignas(CACHE_LINE) void *info;            /* vcpu_info */
    union {
        /* What the guest has registered for its ABI */
        struct evtchn_fifo_control_block *control;
        uint32_t *l2_selector;
        void *registered;
    };
    /* Protected by the event lock */
    void *frame;                    /* holds @registered; NULL: nothing */
    uint64_t gfn;
    uint32_t poll_port;             /* the port that it polls; 0: any port */
    uint32_t virq_port[EVTCHN_NR_VIRQS];
};

/* A FIFO guest's event array.  Never freed before the domain. */
struct fifo_array {
    uint32_t nr_frames;
    uint32_t *frame[EVTCHN_MAX_ARRAY_FRAMES];   /* NULL: missing */
    uint64_t gfn[EVTCHN_MAX_ARRAY_FRAMES];
};

/* A 3-level guest's bitmaps.  Never freed before the domain. */
struct evtchn_bitmaps {
    uint32_t nr_pages;              /* of each: 8, or a 32-bit guest's 1 */
    uint32_t *pending[MAX_BITMAP_PAGES];
    uint32_t *mask[MAX_BITMAP_PAGES];
    uint64_t gfn[2 * MAX_BITMAP_PAGES]; /* pending's, then mask's */
};

struct evtchn_domain {
    /* Senders read these; they are rarely written. */
    const struct evtchn_env *env;
    void *opaque;
    struct evtchn_vcpu *vcpus;
    void *shared_info;              /* as evtchn_vcpu.info */
    struct fifo_array *fifo;
    struct evtchn_bitmaps *bitmaps;
    uint32_t *pirq_port;
    uint64_t *polling;              /* a bit for each vCPU that polls */
    uint32_t valid_ports;           /* buckets exist up to here; grows only */
    uint32_t max_ports;
    uint32_t nr_vcpus;
    uint32_t nr_pirqs;
    uint16_t domid;
    uint8_t word_bits;              /* 64 or 32; as evtchn_vcpu.info */
    bool was_polled;                /* a vCPU has polled, once */
    bool privileged;
    bool fifo_offered;
    bool three_level_offered;
    struct evtchn_hub *hub;
    void *event_lock;
    struct port_group *group[NR_GROUPS];

    /* Allocating and closing a port write these; under the event lock. */
    _Alignas(CACHE_LINE) size_t memory;
    uint64_t set_groups[PORT_SET_KINDS];
    uint32_t active_ports;
    uint32_t next_reset;            /* a reset's next port; 0: no reset */
    uint32_t parked_cursor;
    uint32_t refs;                  /* other domains' operations; atomic */
    uint8_t dying;
    uint8_t abi;                    /* of ports that are bound from now on */
};

/* Domains (domain.c, hub.c) --------------------------------------------- */

void *evtchn_alloc(struct evtchn_domain *d, size_t size);
void evtchn_free(struct evtchn_domain *d, void *ptr, size_t size);
int evtchn_hub_add(struct evtchn_hub *hub, struct evtchn_domain *d);
void evtchn_hub_remove(struct evtchn_hub *hub, struct evtchn_domain *d);
/*
 * The domain that @d calls @domid, or NULL; it stays until evtchn_domain_put(),
 * which takes @d as well.
 */
struct evtchn_domain *evtchn_domain_get(struct evtchn_domain *d,
                                        uint16_t domid);
/* Take a reference to @found, which must not go away meanwhile. */
void evtchn_domain_hold(struct evtchn_domain *d, struct evtchn_domain *found);
void evtchn_domain_put(struct evtchn_domain *d, struct evtchn_domain *found);

/* May @d act on @target?  As the default policy of XSM_TARGET. */
static inline bool evtchn_may_control(const struct evtchn_domain *d,
                                      const struct evtchn_domain *target)
{
    return d == target || d->privileged;
}

/* The vCPU's structure, or NULL if there is no such vCPU. */
static inline struct evtchn_vcpu *evtchn_vcpu(struct evtchn_domain *d,
                                              uint32_t vcpu)
{
    return vcpu < d->nr_vcpus ? &d->vcpus[vcpu] : NULL;
}

/* Ports (port.c) -------------------------------------------------------- */

/* Is a port of @state open? */
static inline bool evtchn_is_bound(enum evtchn_state state)
{
    return state != EVTCHN_CLOSED && state != EVTCHN_RESERVED;
}

static inline enum evtchn_state evtchn_state(const struct evtchn *chn)
{
    return binding_state(evtchn_load(&chn->binding));
}

/* A port that is known to be valid. */
static inline struct evtchn *evtchn_of_port(struct evtchn_domain *d,
                                            uint32_t port)
{
    return &d->group[port / PORTS_PER_GROUP]
        ->bucket[port % PORTS_PER_GROUP / PORTS_PER_BUCKET]
        [port % PORTS_PER_BUCKET];
}

/*
 * NULL for a port whose bucket does not exist.  Needs no lock: once valid a
 * port stays so for the domain's life (XSA-338).
 */
static inline struct evtchn *evtchn_from_port(struct evtchn_domain *d,
                                              uint32_t port)
{
    /* Pairs with evtchn_grow(), which stores the bucket first (XSA-340). */
    if (unlikely(port >= evtchn_load(&d->valid_ports))) {
        return NULL;
    }
    return evtchn_of_port(d, port);
}

/* The event lock is held for all of these. */
int evtchn_allocate_port(struct evtchn_domain *d, uint32_t *port);
int evtchn_allocate_given_port(struct evtchn_domain *d, uint32_t port);
/* Free the number of @port, whose state is CLOSED already. */
void evtchn_release_port(struct evtchn_domain *d, uint32_t port);
void evtchn_free_ports(struct evtchn_domain *d);
/* Free all parked ports that are not busy. */
void evtchn_unpark_all(struct evtchn_domain *d);
uint32_t evtchn_port_limit(const struct evtchn_domain *d);

/* Bindings (bind.c, inspect.c) ------------------------------------------ */

/* Describe @chn, whose binding is @binding.  Its queue is locked. */
void evtchn_describe(const struct evtchn *chn, uint32_t binding,
                     struct evtchn_port_info *info);
/* Call env->binding_changed() for @port, whose state was @was. */
void evtchn_binding_changed(struct evtchn_domain *d, uint32_t port,
                            enum evtchn_state was);
/* The binding that @port gets in @d's ABI, when it is bound or closed. */
uint32_t evtchn_new_binding(const struct evtchn_domain *d, uint32_t port,
                            enum evtchn_state state, uint32_t vcpu);
bool evtchn_virq_is_global(uint32_t virq);
/* Where the port of @virq is stored; NULL if there is no such VIRQ or vCPU. */
uint32_t *evtchn_virq_slot(struct evtchn_domain *d, uint32_t vcpu,
                           uint32_t virq);

/* How many ports a guest's reset closes before others may run (XSA-344). */
#define EVTCHN_RESET_BUDGET 512

/* Close up to @budget ports; -ERESTART when there are more (reset.c). */
int evtchn_reset_some(struct evtchn_domain *d, bool resuming, uint32_t budget);

#endif /* XEN_EVTCHN_MODEL_H */
