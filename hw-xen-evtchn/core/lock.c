/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model's locks.  Port and queue locks are single bytes: there is one in
 * every port.  The event lock is the environment's, as long calls are made
 * under it.
 */

#include "model.h"

void evtchn_spin_lock_slow(const struct evtchn_env *env, uint8_t *lock)
{
    unsigned int spins = 0;

    do {
        while (evtchn_load(lock)) {
            env->relax(spins++);
        }
    } while (evtchn_exchange(lock, 1));
}

void evtchn_port_lock_two(struct evtchn_domain *d, struct evtchn *a,
                          struct evtchn *b)
{
    evtchn_port_lock(d, a < b ? a : b);
    evtchn_port_lock(d, a < b ? b : a);
}

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

void evtchn_vcpu_lock_all(struct evtchn_domain *d, struct evtchn_vcpu *v)
{
    unsigned int i;

    evtchn_spin_lock(d->env, &v->lock_bits);
    for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
        evtchn_spin_lock(d->env, &v->queue[i].lock);
    }
}

void evtchn_vcpu_unlock_all(struct evtchn_vcpu *v)
{
    unsigned int i;

    for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
        evtchn_spin_unlock(&v->queue[i].lock);
    }
    evtchn_spin_unlock(&v->lock_bits);
}
