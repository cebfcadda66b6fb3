/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery by bits, which 2-level and 3-level have in common: a pending and a
 * mask bit for each port, and selectors of their words for each vCPU.
 *
 * The bits are shared with the guest and need atomic operations anyway.  The
 * lock of a port's lane is there for the rest: while a sender holds it, the
 * addresses of bits and selectors stay valid, and the port stays bound to the
 * vCPU.
 */

#include "event_bits.h"

/* Do what @why asks, with the queue locked; true: interrupt the vCPU. */
static inline __attribute__((always_inline)) bool
change_bits(const struct bits_abi *abi, struct evtchn_domain *d, uint32_t port,
            struct evtchn *chn, struct evtchn_vcpu *v, enum evtchn_why why,
            bool *newly_pending)
{
    uint8_t retry = why == EVTCHN_RETRY ? chn->retry : 0;
    bool raise = why == EVTCHN_NEW_EVENT || retry & EVTCHN_RETRY_RAISE;
    struct event_bits bits;
    bool due;

    *newly_pending = false;
    if (raise && abi->pass_on && abi->pass_on(d, v, port)) {
        *newly_pending = true;
        if (retry) {
            evtchn_store(&chn->retry, 0);
        }
        return false;
    }
    if (unlikely(!abi->find(d, port, &bits))) {
        /*
         * The event waits for a page, a shared_info or a longer word.  The
         * operation that brings one finds this note; see evtchn_retry().
         */
        if (raise) {
            evtchn_store(&chn->retry, chn->retry | EVTCHN_RETRY_RAISE);
        }
        return false;
    }
    if (unlikely(retry)) {
        evtchn_store(&chn->retry, 0);
    }
    if (raise) {
        *newly_pending = !evtchn_test_and_set_bit(bits.pending, bits.bit);
        evtchn_look_next_time(chn, !*newly_pending);
        /* The order is the ABI: pending, selectors, upcall flag. */
        due = (*newly_pending || retry & EVTCHN_RETRY_LINK) &&
              !evtchn_test_bit(bits.mask, bits.bit);
    } else if (why == EVTCHN_UNMASK) {
        due = evtchn_test_and_clear_bit(bits.mask, bits.bit) &&
              evtchn_test_bit(bits.pending, bits.bit);
    } else {
        due = retry && !evtchn_test_bit(bits.mask, bits.bit) &&
              evtchn_test_bit(bits.pending, bits.bit);
    }
    return due && abi->select(d, v, port, chn, bits.word_bits);
}

/* The general case: another sender has the queue, or it is no new event. */
static __attribute__((noinline)) bool
raise_slow(const struct bits_abi *abi, struct evtchn_domain *d, uint32_t port,
           struct evtchn *chn, struct evtchn_seen seen, enum evtchn_why why)
{
    struct evtchn_vcpu *v = &d->vcpus[binding_vcpu(seen.binding)];
    struct evtchn_queue *q = &v->lane[binding_queue(seen.binding)].queue;
    uint32_t tail = evtchn_queue_lock(d->env, q);
    bool ok = evtchn_is_still(chn, seen);
    bool newly_pending = false;
    bool upcall = ok && change_bits(abi, d, port, chn, v, why, &newly_pending);

    evtchn_queue_unlock(q, tail);
    evtchn_delivered(d, binding_vcpu(seen.binding), port, newly_pending,
                     upcall);
    return ok;
}

/* The guest has yet to handle or unmask an event; see event_fifo.c. */
static __attribute__((noinline)) bool
is_on_its_way(const struct bits_abi *abi, struct evtchn_domain *d,
              uint32_t port)
{
    struct event_bits bits;

    if (!abi->find(d, port, &bits) ||
        !evtchn_test_bit(bits.pending, bits.bit)) {
        return false;
    }
    evtchn_fence();
    return evtchn_test_bit(bits.pending, bits.bit);
}

bool evtchn_bits_raise(const struct bits_abi *abi, struct evtchn_domain *d,
                       uint32_t port, struct evtchn *chn,
                       struct evtchn_seen seen, enum evtchn_why why)
{
    struct evtchn_vcpu *v = &d->vcpus[binding_vcpu(seen.binding)];
    struct evtchn_queue *q = &v->lane[binding_queue(seen.binding)].queue;
    bool newly_pending, upcall;
    uint32_t tail;

    if (unlikely(why != EVTCHN_NEW_EVENT)) {
        return raise_slow(abi, d, port, chn, seen, why);
    }
    if (evtchn_load(&chn->look_first) && is_on_its_way(abi, d, port)) {
        return evtchn_is_still(chn, seen);
    }
    if (unlikely(!evtchn_queue_trylock(q, &tail))) {
        return raise_slow(abi, d, port, chn, seen, why);
    }
    if (unlikely(!evtchn_is_still(chn, seen))) {
        evtchn_queue_unlock(q, tail);
        return false;
    }
    upcall = change_bits(abi, d, port, chn, v, EVTCHN_NEW_EVENT,
                         &newly_pending);
    evtchn_queue_unlock(q, tail);
    evtchn_delivered(d, binding_vcpu(seen.binding), port, newly_pending,
                     upcall);
    return true;
}

void evtchn_bits_clear_pending(const struct bits_abi *abi,
                               struct evtchn_domain *d, uint32_t port)
{
    struct event_bits bits;

    if (abi->find(d, port, &bits) && evtchn_test_bit(bits.pending, bits.bit)) {
        evtchn_clear_bit(bits.pending, bits.bit);
    }
}

bool evtchn_bits_is_pending(const struct bits_abi *abi,
                            struct evtchn_domain *d, uint32_t port)
{
    struct event_bits bits;

    return abi->find(d, port, &bits) &&
           evtchn_test_bit(bits.pending, bits.bit);
}

bool evtchn_bits_is_masked(const struct bits_abi *abi, struct evtchn_domain *d,
                           uint32_t port)
{
    struct event_bits bits;

    return !abi->find(d, port, &bits) || evtchn_test_bit(bits.mask, bits.bit);
}
