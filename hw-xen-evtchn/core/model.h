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

#include "../public/event_channel_3level.h"
#include "atomic.h"
#include "evtchn.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define PORTS_PER_BUCKET    64
#define BUCKETS_PER_GROUP   64
#define PORTS_PER_GROUP     (PORTS_PER_BUCKET * BUCKETS_PER_GROUP)
#define NR_GROUPS           (EVTCHN_MAX_PORTS / PORTS_PER_GROUP)

#define WORDS_PER_FRAME     (EVTCHN_FRAME_SIZE / sizeof(uint32_t))

/* 3-level: a page of a bitmap, and the most pages of one. */
#define PORTS_PER_BITMAP_PAGE   (EVTCHN_FRAME_SIZE * 8)
#define MAX_BITMAP_PAGES        EVTCHN_3L_NR_PAGES(64)

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
/* It is pending, and not linked (FIFO) or selected (3-level). */
#define EVTCHN_RETRY_LINK   2
#define EVTCHN_RETRY_MASK(abi) (evtchn_abi_is_extended(abi) ? 3 : 1)

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
    uint8_t lock_bits;              /* 2- and 3-level delivery to this vCPU */
    uint32_t poll;                  /* port, POLL_ANY or POLL_NONE */
    /* What the guest has registered for its ABI; changes under all locks */
    union {
        struct evtchn_fifo_control_block *control;
        uint32_t *l2_selector;
        void *registered;
    };
    void *frame;                    /* in which that is; NULL: nothing */
    uint64_t gfn;
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

/* A 3-level guest's bitmaps. */
struct evtchn_bitmaps {
    uint32_t nr_pages;              /* of each: 8, or a 32-bit guest's 1 */
    uint32_t *pending[MAX_BITMAP_PAGES];
    uint32_t *mask[MAX_BITMAP_PAGES];
    uint64_t gfn[2 * MAX_BITMAP_PAGES]; /* pending's, then mask's */
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
    bool three_level_offered;
    uint8_t dying;
    uint8_t abi;                    /* what new ports get */
    uint8_t word_bits;              /* 64 or 32; under all lock_bits */
    uint32_t refs;
    uint32_t max_ports;
    uint32_t nr_vcpus;
    uint32_t nr_pirqs;

    uint32_t valid_ports;           /* buckets exist up to here; grows only */
    uint32_t active_ports;
    uint32_t next_reset;            /* a reset's next port; 0: no reset */
    uint32_t parked_cursor;
    uint32_t nr_pollers;

    void *shared_info;              /* changes under all lock_bits */
    struct fifo_array *fifo;
    struct evtchn_bitmaps *bitmaps;
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
    /* Optional: put an event that is pending on its queue, or select it. */
    void (*link)(struct evtchn_domain *d, uint32_t port, struct evtchn *chn);
    /* Optional: -ENOSYS without. */
    int (*set_priority)(struct evtchn *chn, uint32_t priority);
    /*
     * Optional: @port has just become one of this ABI, and @chn's ABI not yet:
     * take its event from 2-level.  Its lock and its peer's are held.
     */
    void (*adopt)(struct evtchn_domain *d, uint32_t port, struct evtchn *chn);
    /* Optional: fill in what an inspector may see of the queues. */
    void (*inspect)(struct evtchn_domain *d, uint32_t port,
                    struct evtchn *chn, struct evtchn_port_info *info);
};

extern const struct evtchn_port_ops evtchn_ops_host;
extern const struct evtchn_port_ops evtchn_ops_2l;
extern const struct evtchn_port_ops evtchn_ops_3l;
extern const struct evtchn_port_ops evtchn_ops_fifo;

static inline const struct evtchn_port_ops *evtchn_ops(enum evtchn_abi abi)
{
    switch (abi) {
    case EVTCHN_ABI_FIFO:
        return &evtchn_ops_fifo;
    case EVTCHN_ABI_2L:
        return &evtchn_ops_2l;
    case EVTCHN_ABI_3L:
        return &evtchn_ops_3l;
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
/* Tell env->binding_changed() what @port is now, and that it was @was. */
void evtchn_binding_changed(struct evtchn_domain *d, uint32_t port,
                            struct evtchn *chn, enum evtchn_state was);
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

/* ABIs (abi.c) ---------------------------------------------------------- */

/* One that a guest switches to, by registering memory for it. */
static inline bool evtchn_abi_is_extended(enum evtchn_abi abi)
{
    return abi == EVTCHN_ABI_3L || abi == EVTCHN_ABI_FIFO;
}

/* All of these with the event lock held, and the caller's memory in place. */

/*
 * @d is an @abi domain from here on, its ports not yet.  Needs d->fifo, or
 * d->bitmaps, to be there as soon as it has succeeded.
 */
int evtchn_start_abi(struct evtchn_domain *d, enum evtchn_abi abi);
/* Move all of @d's ports from 2-level to its ABI. */
void evtchn_hand_over(struct evtchn_domain *d);
/* What @v has registered is at @offset of @frame; NULL takes it away. */
void evtchn_set_vcpu_frame(struct evtchn_domain *d, struct evtchn_vcpu *v,
                           void *frame, uint64_t gfn, uint32_t offset);
/* May what a vCPU registers, @size bytes, be at @offset of a frame? */
bool evtchn_vcpu_offset_valid(uint32_t offset, uint32_t size);
/* Back to 2-level; no port is bound. */
void evtchn_back_to_2l(struct evtchn_domain *d);

/* 2-level (event_2l.c) -------------------------------------------------- */

/* log2 of a guest's word size. */
static inline unsigned int word_shift(unsigned int word_bits)
{
    return word_bits == 64 ? 6 : 5;
}

/* Take the pending bit away, if it is set; the event lock is held. */
bool evtchn_2l_take_pending(struct evtchn_domain *d, uint32_t port);
/*
 * The 32 mask bits with @port's among them; false when it has none.  The event
 * lock is held.
 */
bool evtchn_2l_get_mask(struct evtchn_domain *d, uint32_t port, uint32_t *word);

/* 3-level (event_3l.c, register_3l.c) ----------------------------------- */

/* Ports that have bits. */
uint32_t evtchn_3l_limit(const struct evtchn_domain *d);
/* Is anything in @v's L2 selector?  The event lock is held. */
bool evtchn_3l_is_selected(struct evtchn_domain *d, struct evtchn_vcpu *v);
/*
 * @v has got its L2 selector: what L1 had, from 2-level, goes there, and L1
 * gets what is in it.  The event lock is held.
 */
void evtchn_3l_reselect(struct evtchn_domain *d, struct evtchn_vcpu *v);
/* 2-level's masks of all ports, whether they exist or not. */
void evtchn_3l_copy_masks(struct evtchn_domain *d);
/* Bytes of a vCPU's selector. */
uint32_t evtchn_3l_selector_size(const struct evtchn_domain *d);
/* Map the pages, pending's and then mask's, and set d->bitmaps. */
int evtchn_3l_start(struct evtchn_domain *d, const uint64_t *gfns,
                    uint32_t nr_pages);
void evtchn_3l_free(struct evtchn_domain *d);

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
/* An empty array, in d->fifo; then a frame more of it. */
int evtchn_fifo_start(struct evtchn_domain *d);
int evtchn_fifo_add_frame(struct evtchn_domain *d, uint64_t gfn);
void evtchn_fifo_free(struct evtchn_domain *d);

#endif /* XEN_EVTCHN_MODEL_H */
