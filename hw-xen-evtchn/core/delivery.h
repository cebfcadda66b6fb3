/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery: what the ABIs have in common, and how an event gets to one of them.
 */

#ifndef XEN_EVTCHN_DELIVERY_H
#define XEN_EVTCHN_DELIVERY_H

#include "lock.h"
#include "model.h"

/*
 * What a port was when a sender, or whoever acts for one, looked at it without
 * a lock.  Once the queue that the binding names is locked it must still be
 * so, all of it: a port that was closed and bound again may have the same
 * binding, but then it has another peer or another interrupt.
 */
struct evtchn_seen {
    struct evtchn_domain *remote;
    uint32_t number;
    uint32_t binding;
};

static inline struct evtchn_seen evtchn_look(const struct evtchn *chn)
{
    return (struct evtchn_seen){
        .binding = evtchn_load(&chn->binding),
        .number = evtchn_load(&chn->number),
        .remote = evtchn_load(&chn->remote),
    };
}

static inline bool evtchn_is_still(const struct evtchn *chn,
                                   struct evtchn_seen seen)
{
    return likely(evtchn_load(&chn->binding) == seen.binding) &&
           likely(evtchn_load(&chn->number) == seen.number) &&
           likely(evtchn_load(&chn->remote) == seen.remote);
}

/* Why a port is looked at. */
enum evtchn_why {
    EVTCHN_NEW_EVENT,   /* raise an event */
    EVTCHN_UNMASK,      /* clear its mask; what is pending is due then */
    EVTCHN_RETRY,       /* raise or link what was set aside in chn->retry */
};

/* A delivery ABI.  One whose hook is optional does nothing without it. */
struct evtchn_abi_ops {
    /*
     * Lock the queue that @seen names and do what @why asks, or return false
     * if the port is not what it was seen to be.
     */
    bool (*raise)(struct evtchn_domain *d, uint32_t port, struct evtchn *chn,
                  struct evtchn_seen seen, enum evtchn_why why);

    /* For these the port's queue is locked. */
    void (*clear_pending)(struct evtchn_domain *d, uint32_t port);
    bool (*is_pending)(struct evtchn_domain *d, uint32_t port);
    bool (*is_masked)(struct evtchn_domain *d, uint32_t port);
    /* Optional: fill in what an inspector may see of the queues. */
    void (*inspect)(struct evtchn_domain *d, uint32_t port,
                    struct evtchn_port_info *info);
    /*
     * Optional: @port, still of 2-level, is about to become one of this ABI:
     * take its event over.
     */
    void (*adopt)(struct evtchn_domain *d, uint32_t port, struct evtchn *chn);

    /* For these the event lock is held. */
    uint32_t (*port_limit)(const struct evtchn_domain *d);
    /* Optional: @port, closed, is not to be handed out yet. */
    bool (*is_busy)(struct evtchn_domain *d, uint32_t port);
    /* Does an event wait for an upcall to @v? */
    bool (*has_event)(struct evtchn_domain *d, struct evtchn_vcpu *v);
    /* Of one that a guest registers memory for: map all this, and start it. */
    int (*load)(struct evtchn_domain *d, const uint64_t *gfns,
                uint32_t nr_frames);
    /* Bytes that each vCPU registers. */
    uint32_t (*registered_size)(const struct evtchn_domain *d);
    /* Unmap what the guest has registered for the domain; no port is bound. */
    void (*leave)(struct evtchn_domain *d);
};

extern const struct evtchn_abi_ops evtchn_abi_host;
extern const struct evtchn_abi_ops evtchn_abi_2l;
extern const struct evtchn_abi_ops evtchn_abi_fifo;
extern const struct evtchn_abi_ops evtchn_abi_3l;

/* By enum evtchn_abi; NULL for one that was left out of the build. */
extern const struct evtchn_abi_ops *const evtchn_abis[];

static inline const struct evtchn_abi_ops *evtchn_ops(uint32_t binding)
{
    return evtchn_abis[binding_abi(binding)];
}

static inline bool evtchn_raise(struct evtchn_domain *d, uint32_t port,
                                struct evtchn *chn, struct evtchn_seen seen,
                                enum evtchn_why why)
{
    return evtchn_ops(seen.binding)->raise(d, port, chn, seen, why);
}

/* Do what @why asks for @port, if it is bound; false if not (send.c). */
bool evtchn_raise_bound(struct evtchn_domain *d, uint32_t port,
                        struct evtchn *chn, enum evtchn_why why);

/*
 * Raise what was set aside for want of memory that is there now: publish the
 * memory, wait for senders that have not seen it (evtchn_quiesce() or its
 * kind), then call this.  The event lock is held.
 */
void evtchn_retry(struct evtchn_domain *d, uint32_t first, uint32_t end);

/* An event found the one before still there, or did not; the port is locked. */
static inline void evtchn_look_next_time(struct evtchn *chn, bool was_pending)
{
    uint8_t looks = evtchn_load(&chn->look_first);

    if (unlikely(was_pending)) {
        if (looks != LOOKS_IN_VAIN) {
            evtchn_store(&chn->look_first, LOOKS_IN_VAIN);
        }
    } else if (unlikely(looks)) {
        evtchn_store(&chn->look_first, looks - 1);
    }
}

/* Upcalls and pollers --------------------------------------------------- */

/*
 * Set evtchn_upcall_pending in a vcpu_info, one of its vCPU's queues being
 * locked.  True when the vCPU is to be interrupted, after that is unlocked.  As
 * Xen's vcpu_mark_events_pending().
 */
static inline bool evtchn_mark_events_pending(void *vcpu_info)
{
    uint8_t *upcall_pending = vcpu_info;    /* its first byte */

    /* Without one evtchn_vcpu_set_info() will find the event's own bits. */
    if (unlikely(!upcall_pending)) {
        return false;
    }
    /*
     * A flag seen set after the event's own bits were: the guest clears the
     * flag before it looks at them, so it has not looked yet.  Of two senders
     * who both see it clear both interrupt the vCPU: once too often, never once
     * too seldom, and cheaper than an exchange.
     */
    if (evtchn_load(upcall_pending)) {
        return false;
    }
    evtchn_store(upcall_pending, 1);
    return true;
}

void evtchn_wake_pollers(struct evtchn_domain *d, uint32_t port);

/* After a delivery to vCPU @vcpu, with nothing locked any more. */
static inline void evtchn_delivered(struct evtchn_domain *d, uint32_t vcpu,
                                    uint32_t port, bool newly_pending,
                                    bool upcall)
{
    /* Ordered after PENDING by the read-modify-write that has set it. */
    if (newly_pending && unlikely(evtchn_load(&d->was_polled))) {
        evtchn_wake_pollers(d, port);
    }
    if (upcall) {
        d->env->raise_upcall(d->opaque, vcpu);
    }
}

#endif /* XEN_EVTCHN_DELIVERY_H */
