/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delivery: what each ABI implements, and how senders call it. */

#ifndef XEN_EVTCHN_DELIVERY_H
#define XEN_EVTCHN_DELIVERY_H

#include "lock.h"
#include "model.h"

/*
 * What a port was when a sender looked at it without a lock.  When the sender
 * has locked the queue that the binding names, it compares all members: a port
 * that was closed and bound again may have the same binding, but then it has
 * another peer or another interrupt.
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
    EVTCHN_UNMASK,      /* clear its mask, and signal it if it is pending */
    EVTCHN_RETRY,       /* raise or link what was set aside in chn->retry */
};

/* A delivery ABI.  One whose hook is optional does nothing without it. */
struct evtchn_abi_ops {
    /*
     * Lock the queue that @seen names and do what @why asks, or return false
     * if the port is not what it was seen to be, or if the queue was locked and
     * is free now: then the caller starts over.
     */
    bool (*raise)(struct evtchn_domain *d, uint32_t port, struct evtchn *chn,
                  struct evtchn_seen seen, enum evtchn_why why);

    /* The caller has locked the port's queue for these. */
    void (*clear_pending)(struct evtchn_domain *d, uint32_t port);
    bool (*is_pending)(struct evtchn_domain *d, uint32_t port);
    bool (*is_masked)(struct evtchn_domain *d, uint32_t port);
    /* Optional: fill in what an inspector may see of the queues. */
    void (*inspect)(struct evtchn_domain *d, uint32_t port,
                    struct evtchn_port_info *info);
    /*
     * Optional: @port is about to change from 2-level to this ABI: move its
     * event.
     */
    void (*adopt)(struct evtchn_domain *d, uint32_t port, struct evtchn *chn);

    /* The caller holds the event lock for these. */
    uint32_t (*port_limit)(const struct evtchn_domain *d);
    /* Optional: @port, closed, must not be allocated yet. */
    bool (*is_busy)(struct evtchn_domain *d, uint32_t port);
    /* Does an event wait for an upcall to @v? */
    bool (*has_event)(struct evtchn_domain *d, struct evtchn_vcpu *v);
    /* FIFO, 3-level: map these frames and switch to this ABI, at load. */
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

/* Indexed by enum evtchn_abi; NULL for an ABI left out of the build. */
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
 * Raise the events of these ports that were set aside because memory was
 * missing.  First store the memory's address and wait for senders that have not
 * seen it, by evtchn_quiesce() or evtchn_quiesce_vcpu().  The caller holds the
 * event lock.
 */
void evtchn_retry(struct evtchn_domain *d, uint32_t first, uint32_t end);

/* Note in @look_first whether an event found the one before still pending. */
static inline void evtchn_look_next_time(uint8_t *look_first, bool was_pending)
{
    uint8_t looks = evtchn_load(look_first);

    if (unlikely(was_pending)) {
        if (looks != LOOKS_IN_VAIN) {
            evtchn_store(look_first, LOOKS_IN_VAIN);
        }
    } else if (unlikely(looks)) {
        evtchn_store(look_first, looks - 1);
    }
}

/* Upcalls and pollers --------------------------------------------------- */

/*
 * Set evtchn_upcall_pending in a vcpu_info.  The caller has locked one of the
 * vCPU's queues, and interrupts the vCPU after it has unlocked it if this
 * returns true.  As Xen's vcpu_mark_events_pending().
 */
static inline bool evtchn_mark_events_pending(void *vcpu_info)
{
    uint8_t *upcall_pending = vcpu_info;    /* its first byte */

    /* When there is one, evtchn_vcpu_set_info() finds the event's own bits. */
    if (unlikely(!upcall_pending)) {
        return false;
    }
    /*
     * The sender has set the event's own bits before it looks at the flag, and
     * the guest clears the flag before it looks at them: if the flag is set the
     * guest has yet to look.  Two senders may both see it clear, and both
     * interrupt the vCPU.  That is harmless, and cheaper than an exchange.
     */
    if (evtchn_load(upcall_pending)) {
        return false;
    }
    evtchn_store(upcall_pending, 1);
    return true;
}

void evtchn_wake_pollers(struct evtchn_domain *d, uint32_t port);

/* The end of a delivery to vCPU @vcpu, after its queue is unlocked. */
static inline void evtchn_delivered(struct evtchn_domain *d, uint32_t vcpu,
                                    uint32_t port, bool newly_pending,
                                    bool upcall)
{
    /* Not before PENDING is set: a read-modify-write has set it. */
    if (newly_pending && unlikely(evtchn_load(&d->was_polled))) {
        evtchn_wake_pollers(d, port);
    }
    if (upcall) {
        d->env->raise_upcall(d->opaque, vcpu);
    }
}

#endif /* XEN_EVTCHN_DELIVERY_H */
