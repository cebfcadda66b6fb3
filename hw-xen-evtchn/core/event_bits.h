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

#ifndef XEN_EVTCHN_EVENT_BITS_H
#define XEN_EVTCHN_EVENT_BITS_H

#include "delivery.h"

/*
 * The words of a port's bits.  Bits are in little-endian order, so that the
 * model accesses a guest's array of 32- or 64-bit words as one of 32-bit words;
 * only offsets and limits differ.
 */
struct event_bits {
    uint32_t *pending;
    uint32_t *mask;
    unsigned int bit;       /* in both of them */
    /* The guest's word size, once a delivery: it may change in the middle. */
    unsigned int word_bits;
};

struct bits_abi {
    /* False when there is no place for @port's bits. */
    bool (*find)(const struct evtchn_domain *d, uint32_t port,
                 struct event_bits *bits);
    /*
     * @port of @v is pending and not masked: set its selector bits and @v's
     * upcall flag.  True: interrupt the vCPU.  The port's queue is locked.
     */
    bool (*select)(struct evtchn_domain *d, struct evtchn_vcpu *v,
                   uint32_t port, struct evtchn *chn, unsigned int word_bits);
    /* Optional: let KVM deliver this event; true if it does. */
    bool (*pass_on)(struct evtchn_domain *d, struct evtchn_vcpu *v,
                    uint32_t port);
};

/*
 * Set bit @bit of evtchn_pending_sel in the vcpu_info at @words, and then the
 * upcall flag.  Both are in one cache line, which the guest, or a sender on
 * another processor, may have taken away in between.
 */
static inline bool evtchn_select_and_mark(uint32_t *words,
                                          unsigned int word_bits,
                                          unsigned int bit)
{
    if (evtchn_test_and_set_bit(words + word_bits / 32 + bit / 32, bit % 32)) {
        return false;
    }
    evtchn_prefetch_for_store(words);
    return evtchn_mark_events_pending(words);
}

void evtchn_bits_clear_pending(const struct bits_abi *abi,
                               struct evtchn_domain *d, uint32_t port);
bool evtchn_bits_is_pending(const struct bits_abi *abi,
                            struct evtchn_domain *d, uint32_t port);
bool evtchn_bits_is_masked(const struct bits_abi *abi, struct evtchn_domain *d,
                           uint32_t port);

/* log2 of a guest's word size. */
static inline unsigned int word_shift(unsigned int word_bits)
{
    return word_bits == 64 ? 6 : 5;
}

/* The guest has yet to handle or unmask an event; see event_fifo.c. */
static inline bool
evtchn_bits_is_on_its_way(const struct bits_abi *abi, struct evtchn_domain *d,
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

/* Do what @why asks, with the queue locked; true: interrupt the vCPU. */
static inline bool
evtchn_bits_change(const struct bits_abi *abi, struct evtchn_domain *d,
                   uint32_t port, struct evtchn *chn, struct evtchn_vcpu *v,
                   struct evtchn_lane *lane, enum evtchn_why why,
                   bool *newly_pending)
{
    uint8_t retry = unlikely(why == EVTCHN_RETRY) ? chn->retry : 0;
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
    if (likely(raise)) {
        *newly_pending = !evtchn_test_and_set_bit(bits.pending, bits.bit);
        evtchn_look_next_time(&lane->look_first, !*newly_pending);
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

/*
 * The raise hook of both ABIs, which make one function of all of it
 * ("flatten"): a call writes to the stack, and each read-modify-write has to
 * wait for that.
 */
static inline bool
evtchn_bits_raise(const struct bits_abi *abi, struct evtchn_domain *d,
                  uint32_t port, struct evtchn *chn, struct evtchn_seen seen,
                  enum evtchn_why why)
{
    struct evtchn_vcpu *v = &d->vcpus[binding_vcpu(seen.binding)];
    struct evtchn_lane *lane = &v->lane[binding_queue(seen.binding)];
    bool newly_pending, upcall;
    uint32_t tail;

    if (why == EVTCHN_NEW_EVENT && unlikely(evtchn_load(&lane->look_first)) &&
        evtchn_bits_is_on_its_way(abi, d, port)) {
        return evtchn_is_still(chn, seen);
    }
    if (unlikely(!evtchn_queue_trylock(&lane->queue, &tail))) {
        return evtchn_queue_wait(d->env, &lane->queue);
    }
    if (unlikely(!evtchn_is_still(chn, seen))) {
        evtchn_queue_unlock(&lane->queue, tail);
        return false;
    }
    upcall = evtchn_bits_change(abi, d, port, chn, v, lane, why,
                                &newly_pending);
    evtchn_queue_unlock(&lane->queue, tail);
    evtchn_delivered(d, binding_vcpu(seen.binding), port, newly_pending,
                     upcall);
    return true;
}

/*
 * 2-level: the 32 mask bits with @port's among them; false when it has none.
 * The event lock is held.
 */
bool evtchn_2l_get_mask(struct evtchn_domain *d, uint32_t port, uint32_t *word);

#endif /* XEN_EVTCHN_EVENT_BITS_H */
