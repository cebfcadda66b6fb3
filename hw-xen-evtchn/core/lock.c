/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for locks, locking a port, and locking two things at once. */

#include "lock.h"

void evtchn_event_lock(struct evtchn_domain *d)
{
    d->env->lock(d->event_lock);
}

void evtchn_event_unlock(struct evtchn_domain *d)
{
    d->env->unlock(d->event_lock);
}

void evtchn_event_lock_two(struct evtchn_domain *a, struct evtchn_domain *b)
{
    evtchn_event_lock(a < b ? a : b);
    if (a != b) {
        evtchn_event_lock(a < b ? b : a);
    }
}

void evtchn_event_unlock_two(struct evtchn_domain *a, struct evtchn_domain *b)
{
    evtchn_event_unlock(a);
    if (a != b) {
        evtchn_event_unlock(b);
    }
}

bool evtchn_queue_wait(const struct evtchn_env *env, struct evtchn_queue *q)
{
    uint32_t *lock = &q->tail;
    unsigned int spins = 0;

    while (evtchn_load(lock) == QUEUE_LOCKED) {
        env->relax(spins++);
    }
    return false;
}

uint32_t evtchn_queue_lock_slow(const struct evtchn_env *env,
                                struct evtchn_queue *q)
{
    uint32_t *lock = &q->tail;
    uint32_t tail;

    do {
        evtchn_queue_wait(env, q);
        tail = evtchn_exchange(lock, QUEUE_LOCKED);
    } while (tail == QUEUE_LOCKED);
    return tail;
}

void evtchn_queue_lock_two(const struct evtchn_env *env,
                           struct evtchn_queue *a, uint32_t *tail_a,
                           struct evtchn_queue *b, uint32_t *tail_b)
{
    if (a < b) {
        *tail_a = evtchn_queue_lock(env, a);
    }
    *tail_b = evtchn_queue_lock(env, b);
    if (a > b) {
        *tail_a = evtchn_queue_lock(env, a);
    } else if (a == b) {
        *tail_a = *tail_b;
    }
}

void evtchn_port_lock(struct evtchn_domain *d, struct evtchn *chn,
                      struct evtchn_locked *locked)
{
    unsigned int spins = 0;
    uint32_t b;

    *locked = (struct evtchn_locked){ .chn = chn };
    for (;;) {
        b = evtchn_load(&chn->binding);
        locked->binding = b;
        if (!evtchn_is_bound(binding_state(b))) {
            return;
        }
        if (binding_state(b) != EVTCHN_UNBOUND) {
            locked->queue = evtchn_queue(d, b);
            locked->tail = evtchn_queue_lock(d->env, locked->queue);
            if (likely(evtchn_load(&chn->binding) == b)) {
                return;
            }
            evtchn_queue_unlock(locked->queue, locked->tail);
            locked->queue = NULL;
        } else if (b & BINDING_HELD) {
            d->env->relax(spins++);
        } else {
            uint32_t *lock = &chn->binding;

            if (evtchn_cmpxchg(lock, &b, b | BINDING_HELD)) {
                locked->held = true;
                return;
            }
        }
    }
}

void evtchn_port_unlock(const struct evtchn_locked *locked)
{
    if (locked->held) {
        uint32_t *lock = &locked->chn->binding;

        evtchn_store(lock, locked->binding);
    } else if (locked->queue) {
        evtchn_queue_unlock(locked->queue, locked->tail);
    }
}

void evtchn_pair_lock(struct evtchn_domain *d, struct evtchn *chn,
                      struct evtchn_domain *rd, struct evtchn *peer,
                      struct evtchn_locked_pair *pair)
{
    struct evtchn_locked *a = &pair->end[0], *b = &pair->end[1];

    *a = (struct evtchn_locked){ .chn = chn };
    *b = (struct evtchn_locked){ .chn = peer };
    for (;;) {
        a->binding = evtchn_load(&chn->binding);
        b->binding = evtchn_load(&peer->binding);
        a->queue = evtchn_queue(d, a->binding);
        b->queue = evtchn_queue(rd, b->binding);
        evtchn_queue_lock_two(d->env, a->queue, &a->tail, b->queue, &b->tail);
        if (likely(evtchn_load(&chn->binding) == a->binding &&
                   evtchn_load(&peer->binding) == b->binding)) {
            return;
        }
        evtchn_pair_unlock(pair);
    }
}

void evtchn_pair_unlock(const struct evtchn_locked_pair *pair)
{
    evtchn_port_unlock(&pair->end[0]);
    if (pair->end[1].queue != pair->end[0].queue) {
        evtchn_port_unlock(&pair->end[1]);
    }
}

static void pass_through(struct evtchn_domain *d, struct evtchn_queue *q)
{
    evtchn_queue_unlock(q, evtchn_queue_lock(d->env, q));
}

void evtchn_quiesce_vcpu(struct evtchn_domain *d, struct evtchn_vcpu *v)
{
    unsigned int i;

    for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
        pass_through(d, &v->queue[i]);
    }
    for (i = 0; i < LANES_PER_VCPU; i++) {
        pass_through(d, &v->lane[i].queue);
    }
}

void evtchn_quiesce(struct evtchn_domain *d)
{
    uint32_t i;

    for (i = 0; i < d->nr_vcpus; i++) {
        evtchn_quiesce_vcpu(d, &d->vcpus[i]);
    }
}
