/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the event-channel model: what its files share.
 *
 * Who may change what:
 *  - a domain's bindings (state, peer, vCPU, allocation): under its event lock,
 *    and a port's state and peer also under that port's lock.  An interdomain
 *    pair changes under both event locks and both port locks;
 *  - so either end's port lock keeps the pair, and the peer domain, in being:
 *    that is what a sender relies on;
 *  - a port's delivery ABI: under its port lock and its peer's, so that while
 *    it changes nobody raises the port.  A domain moves to another ABI port by
 *    port, and no event falls between the two.
 */

#ifndef XEN_EVTCHN_MODEL_H
#define XEN_EVTCHN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/errno.h>
#include <xen/event_channel.h>

#include "atomic.h"
#include "evtchn.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define PORTS_PER_BUCKET    64
#define BUCKETS_PER_GROUP   64
#define PORTS_PER_GROUP     (PORTS_PER_BUCKET * BUCKETS_PER_GROUP)
#define NR_GROUPS           (EVTCHN_MAX_PORTS / PORTS_PER_GROUP)

#define WORDS_PER_FRAME     (EVTCHN_FRAME_SIZE / sizeof(uint32_t))

/* One end of an event channel. */
struct evtchn {
    struct evtchn_domain *remote;   /* interdomain */
    union {
        uint32_t remote_port;       /* interdomain */
        uint32_t remote_domid;      /* unbound */
        uint32_t irq;               /* pirq, virq */
    };
    uint32_t lastq;                 /* FIFO: see evtchn_lastq() */
    uint16_t vcpu;                  /* gets the events */
    uint8_t lock;
    uint8_t state;                  /* enum evtchn_state */
    uint8_t abi;                    /* enum evtchn_abi */
    uint8_t priority;
    uint8_t pending;                /* EVTCHN_RETRY_* */
};

/* What is due when memory that was missing arrives. */
#define EVTCHN_RETRY_RAISE  1       /* the event itself was set aside */
#define EVTCHN_RETRY_LINK   2       /* FIFO: it is pending, and not linked */
#define EVTCHN_RETRY_MASK(abi) ((abi) == EVTCHN_ABI_FIFO ? 3 : 1)

/* A set of port numbers with a cheap "lowest": a bitmap with summaries. */
struct port_set {
    uint64_t buckets;               /* bit b: ports[b] is not 0 */
    uint64_t ports[BUCKETS_PER_GROUP];
};

/*
 * Both kinds are closed.  A parked port was found busy (FIFO: still linked)
 * when it was about to be handed out, and waits for the guest.
 */
enum port_set_kind {
    PORT_SET_FREE,
    PORT_SET_PARKED,
    PORT_SET_KINDS
};

struct port_group {
    struct port_set set[PORT_SET_KINDS];
    struct evtchn *bucket[BUCKETS_PER_GROUP];
};

struct fifo_queue {
    uint32_t tail;                  /* under lock; 0: none */
    uint8_t lock;
};

struct evtchn_vcpu {
    uint32_t virq_port[EVTCHN_NR_VIRQS];
    void *info;                     /* vcpu_info; changes under all locks */
    uint8_t lock_2l;                /* 2-level delivery to this vCPU */
    uint32_t poll;                  /* port, POLL_ANY or POLL_NONE */
    /* FIFO; change under all queue locks */
    struct evtchn_fifo_control_block *control;
    void *control_frame;
    uint64_t control_gfn;
    struct fifo_queue queue[EVTCHN_FIFO_MAX_QUEUES];
};

#define POLL_NONE   0
#define POLL_ANY    UINT32_MAX

/* A FIFO guest's event array. */
struct fifo_array {
    uint32_t nr_frames;             /* set after the frame; grows only */
    uint32_t *frame[EVTCHN_MAX_ARRAY_FRAMES];
    uint64_t gfn[EVTCHN_MAX_ARRAY_FRAMES];
};

struct evtchn_domain {
    const struct evtchn_env *env;
    void *opaque;
    struct evtchn_hub *hub;
    void *event_lock;
    size_t memory;

    uint16_t domid;
    bool host;
    bool privileged;
    bool fifo_offered;
    uint8_t dying;
    uint8_t abi;                    /* what new ports get */
    uint8_t word_bits;              /* 2-level: 64 or 32; under all lock_2l */
    uint32_t refs;
    uint32_t max_ports;
    uint32_t nr_vcpus;
    uint32_t nr_pirqs;

    uint32_t valid_ports;           /* buckets exist up to here; grows only */
    uint32_t active_ports;
    uint32_t next_reset;            /* a reset's next port; 0: no reset */
    uint32_t parked_cursor;
    uint32_t nr_pollers;

    void *shared_info;              /* changes under all lock_2l */
    struct fifo_array *fifo;
    struct evtchn_vcpu *vcpus;
    uint32_t *pirq_port;
    uint64_t set_groups[PORT_SET_KINDS];
    struct port_group *group[NR_GROUPS];
};

/*
 * What differs between the delivery ABIs.  Called with a lock held that keeps
 * the port's state: its own, or for a send its peer's.
 */
struct evtchn_port_ops {
    void (*set_pending)(struct evtchn_domain *d, uint32_t port,
                        struct evtchn *chn);
    void (*clear_pending)(struct evtchn_domain *d, uint32_t port,
                          struct evtchn *chn);
    void (*unmask)(struct evtchn_domain *d, uint32_t port, struct evtchn *chn);
    bool (*is_pending)(struct evtchn_domain *d, uint32_t port,
                       struct evtchn *chn);
    bool (*is_masked)(struct evtchn_domain *d, uint32_t port,
                      struct evtchn *chn);
    /* Optional: closed, but not yet to be handed out again. */
    bool (*is_busy)(struct evtchn_domain *d, uint32_t port);
    /* Optional: a port was bound. */
    void (*init)(struct evtchn *chn);
    /* Optional: put an event that is pending on its queue. */
    void (*link)(struct evtchn_domain *d, uint32_t port, struct evtchn *chn);
    /* Optional: -ENOSYS without. */
    int (*set_priority)(struct evtchn *chn, uint32_t priority);
    /* Optional: fill in what an inspector may see of the queues. */
    void (*inspect)(struct evtchn_domain *d, uint32_t port,
                    struct evtchn *chn, struct evtchn_port_info *info);
};

extern const struct evtchn_port_ops evtchn_ops_host;
extern const struct evtchn_port_ops evtchn_ops_2l;
extern const struct evtchn_port_ops evtchn_ops_fifo;

static inline const struct evtchn_port_ops *evtchn_ops(enum evtchn_abi abi)
{
    switch (abi) {
    case EVTCHN_ABI_FIFO:
        return &evtchn_ops_fifo;
    case EVTCHN_ABI_2L:
        return &evtchn_ops_2l;
    default:
        return &evtchn_ops_host;
    }
}

/* Locks (lock.c) -------------------------------------------------------- */

void evtchn_spin_lock_slow(const struct evtchn_env *env, uint8_t *lock);

static inline void evtchn_spin_lock(const struct evtchn_env *env,
                                    uint8_t *lock)
{
    if (unlikely(evtchn_exchange(lock, 1))) {
        evtchn_spin_lock_slow(env, lock);
    }
}

static inline void evtchn_spin_unlock(uint8_t *lock)
{
    evtchn_store(lock, 0);
}

static inline void evtchn_port_lock(struct evtchn_domain *d,
                                    struct evtchn *chn)
{
    evtchn_spin_lock(d->env, &chn->lock);
}

static inline void evtchn_port_unlock(struct evtchn *chn)
{
    evtchn_spin_unlock(&chn->lock);
}

/* Two different ports, in the order that keeps deadlocks away. */
void evtchn_port_lock_two(struct evtchn_domain *d, struct evtchn *a,
                          struct evtchn *b);
void evtchn_event_lock(struct evtchn_domain *d);
void evtchn_event_unlock(struct evtchn_domain *d);
/* @a and @b may be the same. */
void evtchn_event_lock_two(struct evtchn_domain *a, struct evtchn_domain *b);
void evtchn_event_unlock_two(struct evtchn_domain *a, struct evtchn_domain *b);
/* Every lock under which deliveries to @v read its memory's addresses. */
void evtchn_vcpu_lock_all(struct evtchn_domain *d, struct evtchn_vcpu *v);
void evtchn_vcpu_unlock_all(struct evtchn_vcpu *v);

/* Domains (domain.c) ---------------------------------------------------- */

void *evtchn_alloc(struct evtchn_domain *d, size_t size);
void evtchn_free(struct evtchn_domain *d, void *ptr, size_t size);
/* The domain that @d calls @domid, with a reference; NULL if there is none. */
struct evtchn_domain *evtchn_domain_get(struct evtchn_domain *d,
                                        uint16_t domid);
void evtchn_domain_put(struct evtchn_domain *d);
/* May @d act on @target?  As the default policy of XSM_TARGET. */
static inline bool evtchn_may_control(const struct evtchn_domain *d,
                                      const struct evtchn_domain *target)
{
    return d == target || d->privileged;
}

/* NULL if there is no such vCPU. */
static inline struct evtchn_vcpu *evtchn_vcpu(struct evtchn_domain *d,
                                              uint32_t vcpu)
{
    return vcpu < d->nr_vcpus ? &d->vcpus[vcpu] : NULL;
}

/* Ports (port.c) -------------------------------------------------------- */

/* Does @state take and give events? */
static inline bool evtchn_is_bound(enum evtchn_state state)
{
    return state != EVTCHN_CLOSED && state != EVTCHN_RESERVED;
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
    /* Pairs with the store in evtchn_grow(): the bucket is seen (XSA-340). */
    if (unlikely(port >= evtchn_load(&d->valid_ports))) {
        return NULL;
    }
    return evtchn_of_port(d, port);
}

/* The event lock is held for all of these. */
int evtchn_allocate_port(struct evtchn_domain *d, uint32_t *port);
int evtchn_allocate_given_port(struct evtchn_domain *d, uint32_t port);
/* Undo an allocation, or end a closed port's life; it is CLOSED already. */
void evtchn_release_port(struct evtchn_domain *d, uint32_t port);
void evtchn_free_ports(struct evtchn_domain *d);
/* Free all parked ports that are not busy. */
void evtchn_unpark_all(struct evtchn_domain *d);
uint32_t evtchn_port_limit(const struct evtchn_domain *d);

/* Bindings (bind.c, close.c, state.c) ----------------------------------- */

/* What @chn is; its port lock or the event lock is held. */
void evtchn_describe(const struct evtchn *chn, struct evtchn_port_info *info);
/* Tell env->binding_changed() what @port is now. */
void evtchn_binding_changed(struct evtchn_domain *d, uint32_t port,
                            struct evtchn *chn);
bool evtchn_virq_is_global(uint32_t virq);
/* Where it is noted which port @virq is bound to; NULL if there is none such. */
uint32_t *evtchn_virq_slot(struct evtchn_domain *d, uint32_t vcpu,
                           uint32_t virq);

/* How many ports a guest's reset closes before others may run (XSA-344). */
#define EVTCHN_RESET_BUDGET 512

/* Close up to @budget ports; -ERESTART when there are more. */
int evtchn_reset_some(struct evtchn_domain *d, bool resuming, uint32_t budget);

/* Delivery (send.c, poll.c) --------------------------------------------- */

/*
 * Set evtchn_upcall_pending; true when env->raise_upcall() is due, once the
 * lock is dropped.  One of @v's delivery locks is held.  As Xen's
 * vcpu_mark_events_pending().
 */
static inline bool evtchn_mark_events_pending(struct evtchn_vcpu *v)
{
    uint8_t *upcall_pending = v->info;  /* vcpu_info's first byte */

    if (unlikely(!upcall_pending)) {
        /* evtchn_vcpu_set_info() will find the event's own bits. */
        return false;
    }
    /*
     * A flag seen set after the event's own bits were: the guest clears the
     * flag before it looks at them, so it has not looked yet.
     */
    return !evtchn_load(upcall_pending) && !evtchn_exchange(upcall_pending, 1);
}

static inline void evtchn_raise_upcall(struct evtchn_domain *d,
                                       struct evtchn_vcpu *v)
{
    d->env->raise_upcall(d->opaque, v - d->vcpus);
}

void evtchn_wake_pollers(struct evtchn_domain *d, uint32_t port);

/* @port became pending.  Ordered after it by the set bit's own barrier. */
static inline void evtchn_check_pollers(struct evtchn_domain *d, uint32_t port)
{
    if (unlikely(evtchn_load(&d->nr_pollers))) {
        evtchn_wake_pollers(d, port);
    }
}

/* Raise @port again if it was set aside; its port lock is held. */
void evtchn_retry_pending(struct evtchn_domain *d, uint32_t port,
                          struct evtchn *chn);
/* The same for all ports from @first on; the event lock is held. */
void evtchn_retry_all_pending(struct evtchn_domain *d, uint32_t first,
                              uint32_t end);

/* FIFO (event_fifo.c, fifo_control.c) ----------------------------------- */

/*
 * evtchn.lastq: the queue that a port was last put on, where it may still be
 * linked, or be the tail.  It changes with both queues locked, the old and the
 * new one, and only by who has set LASTQ_MOVING.
 */
#define LASTQ_PRIORITY_SHIFT    16
#define LASTQ_MOVING            (UINT32_C(1) << 31)

static inline uint32_t evtchn_lastq(uint32_t vcpu, unsigned int priority)
{
    return vcpu | priority << LASTQ_PRIORITY_SHIFT;
}

static inline uint32_t evtchn_lastq_vcpu(uint32_t lastq)
{
    return lastq & UINT16_MAX;
}

static inline unsigned int evtchn_lastq_priority(uint32_t lastq)
{
    return lastq >> LASTQ_PRIORITY_SHIFT & (EVTCHN_FIFO_MAX_QUEUES - 1);
}

/* @port's event word, or NULL while its page is missing. */
uint32_t *evtchn_fifo_word(struct evtchn_domain *d, uint32_t port);
/* Back to 2-level; no port is bound; the event lock is held. */
void evtchn_fifo_destroy(struct evtchn_domain *d);

/* Take 2-level's pending bit away, if it is set; the event lock is held. */
bool evtchn_2l_take_pending(struct evtchn_domain *d, uint32_t port);

#endif /* XEN_EVTCHN_MODEL_H */
