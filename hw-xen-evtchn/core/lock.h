/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model's locks.  A domain's event lock is one of the environment's, as it
 * may be held for long.  A queue's lock is a bit in the queue's word.
 *
 * A port's binding names its queue.  A sender holds that queue's lock while it
 * delivers to the port, and a binder while it changes the binding.  Lock order:
 * see evtchn.h.
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

/* Wait until @q is not locked; returns false. */
bool evtchn_queue_wait(const struct evtchn_env *env, struct evtchn_queue *q);

/* Returns the tail, which only the caller changes until it unlocks. */
static inline uint32_t evtchn_queue_lock(const struct evtchn_env *env,
                                         struct evtchn_queue *q)
{
    uint32_t *lock = &q->tail;
    uint32_t tail = evtchn_exchange(lock, QUEUE_LOCKED);

    return likely(tail != QUEUE_LOCKED) ? tail : evtchn_queue_lock_slow(env, q);
}

/* Lock @q if it is not locked; false, without waiting, if it is. */
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

/* Lock two queues, or one: if both are the same, so are the two tails. */
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

/* A locked port: no sender delivers to it, and no binder changes it. */
struct evtchn_locked {
    struct evtchn *chn;
    struct evtchn_queue *queue;     /* that is locked, or NULL */
    uint32_t tail;
    uint32_t binding;
    bool held;                      /* BINDING_HELD is set instead */
};

/*
 * Lock @chn: its queue, or its BINDING_HELD when it is unbound.  A closed port
 * is not locked: only a holder of the event lock changes it.
 */
void evtchn_port_lock(struct evtchn_domain *d, struct evtchn *chn,
                      struct evtchn_locked *locked);
void evtchn_port_unlock(const struct evtchn_locked *locked);

/* Change the port's binding; of an unbound port, when it is unlocked. */
static inline void evtchn_port_change(struct evtchn_locked *locked,
                                      uint32_t binding)
{
    if (!locked->held) {
        evtchn_store(&locked->chn->binding, binding);
    }
    locked->binding = binding;
}

/*
 * Both ends of a channel; the caller holds the event locks of both domains, so
 * only the priority of a FIFO port may still change.
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
 * this call.  To take an address away, store the new one first and then call
 * this: a delivery reads addresses after it has locked its queue, so from then
 * on none writes to the old one.  A sender that looks whether its event is
 * still pending may read there: see evtchn.h.
 */
void evtchn_quiesce_vcpu(struct evtchn_domain *d, struct evtchn_vcpu *v);
void evtchn_quiesce(struct evtchn_domain *d);

#endif /* XEN_EVTCHN_LOCK_H */
