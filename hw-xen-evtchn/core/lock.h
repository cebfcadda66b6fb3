/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model's locks: a domain's event lock, which is the environment's, as long
 * calls are made under it, and a bit in each queue's word.
 *
 * A port's queue, which its binding names, is its lock: whoever delivers to the
 * port, or changes its binding, has it.  Order: see evtchn.h.
 */

#ifndef XEN_EVTCHN_LOCK_H
#define XEN_EVTCHN_LOCK_H

#include "model.h"

void evtchn_event_lock(struct evtchn_domain *d);
void evtchn_event_unlock(struct evtchn_domain *d);
/* @a and @b may be the same. */
void evtchn_event_lock_two(struct evtchn_domain *a, struct evtchn_domain *b);
void evtchn_event_unlock_two(struct evtchn_domain *a, struct evtchn_domain *b);

/* Queues ---------------------------------------------------------------- */

#define QUEUE_LOCKED (UINT32_C(1) << 31)

uint32_t evtchn_queue_lock_slow(const struct evtchn_env *env,
                                struct evtchn_queue *q);

/* Returns the tail, which is the holder's until evtchn_queue_unlock(). */
static inline uint32_t evtchn_queue_lock(const struct evtchn_env *env,
                                         struct evtchn_queue *q)
{
    uint32_t *lock = &q->tail;
    uint32_t tail = evtchn_exchange(lock, QUEUE_LOCKED);

    return likely(tail != QUEUE_LOCKED) ? tail : evtchn_queue_lock_slow(env, q);
}

/* The same if nobody has it; false if somebody does. */
static inline bool evtchn_queue_trylock(struct evtchn_queue *q, uint32_t *tail)
{
    uint32_t *lock = &q->tail;

    *tail = evtchn_exchange(lock, QUEUE_LOCKED);
    return likely(*tail != QUEUE_LOCKED);
}

static inline void evtchn_queue_unlock(struct evtchn_queue *q, uint32_t tail)
{
    uint32_t *lock = &q->tail;

    evtchn_store(lock, tail);
}

/* Two queues by address, which may be the same: then both tails are its. */
void evtchn_queue_lock_two(const struct evtchn_env *env,
                           struct evtchn_queue *a, uint32_t *tail_a,
                           struct evtchn_queue *b, uint32_t *tail_b);

/* The queue that @binding of a port of @d names. */
static inline struct evtchn_queue *
evtchn_queue(const struct evtchn_domain *d, uint32_t binding)
{
    struct evtchn_vcpu *v = &d->vcpus[binding_vcpu(binding)];

    return binding_abi(binding) == EVTCHN_ABI_FIFO
               ? &v->queue[binding_queue(binding)]
               : &v->lane[binding_queue(binding)].queue;
}

/* Ports ----------------------------------------------------------------- */

/* A port that is locked: nobody delivers to it, or changes it. */
struct evtchn_locked {
    struct evtchn *chn;
    struct evtchn_queue *queue;     /* NULL: not by its queue */
    uint32_t tail;
    uint32_t binding;
    bool held;                      /* by BINDING_HELD */
};

/*
 * Lock @chn: its queue, or itself when it is unbound.  A closed port needs no
 * lock, as nobody but a holder of the event lock does anything with it.
 */
void evtchn_port_lock(struct evtchn_domain *d, struct evtchn *chn,
                      struct evtchn_locked *locked);
void evtchn_port_unlock(const struct evtchn_locked *locked);

/* It is @binding from now on, or, if it was unbound, from its unlocking on. */
static inline void evtchn_port_change(struct evtchn_locked *locked,
                                      uint32_t binding)
{
    if (!locked->held) {
        evtchn_store(&locked->chn->binding, binding);
    }
    locked->binding = binding;
}

/*
 * Both ends of a channel, the event locks of both being held.  The bindings,
 * but for a FIFO port's priority, are stable already.
 */
struct evtchn_locked_pair {
    struct evtchn_locked end[2];
};

void evtchn_pair_lock(struct evtchn_domain *d, struct evtchn *chn,
                      struct evtchn_domain *rd, struct evtchn *peer,
                      struct evtchn_locked_pair *pair);
void evtchn_pair_unlock(const struct evtchn_locked_pair *pair);

/* Waiting for senders --------------------------------------------------- */

/*
 * Wait for every delivery to a vCPU, or to any vCPU of @d, that began before
 * this call.  An address that the guest, or the hypervisor, takes away is
 * changed first, then these are called, and then the old one is no longer
 * written to: a delivery reads addresses after it has locked its queue.  A
 * sender that looks whether its event is pending still may read there, for
 * which see evtchn.h.
 */
void evtchn_quiesce_vcpu(struct evtchn_domain *d, struct evtchn_vcpu *v);
void evtchn_quiesce(struct evtchn_domain *d);

#endif /* XEN_EVTCHN_LOCK_H */
