/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery by bits, which 2-level and 3-level have in common: a pending and a
 * mask bit for each port, and selectors of their words for each vCPU.
 *
 * Bits are in little-endian order, so a guest's array of 32- or 64-bit words
 * is an array of 32-bit words to us; only offsets and limits differ.
 *
 * A vCPU's lock_bits keeps what is not a bit: where the bits and selectors are,
 * and that the port is the vCPU's.  The bits themselves are shared with the
 * guest and need atomic operations anyway.
 *
 * Everything is inlined into the two ABIs, so that neither pays for the other.
 */

#ifndef XEN_EVTCHN_EVENT_BITS_H
#define XEN_EVTCHN_EVENT_BITS_H

#include "model.h"

#define BITS_INLINE static inline __attribute__((always_inline))

/* The words of a port, valid while its vCPU's lock_bits is held. */
struct event_bits {
    uint32_t *pending;
    uint32_t *mask;
    unsigned int bit;       /* in both of them */
};

struct bits_abi {
    /* False when there is no place for @port's bits. */
    bool (*find)(const struct evtchn_domain *d, uint32_t port,
                 struct event_bits *bits);
    /*
     * @port of @v is pending and not masked: select its word, and tell @v; true
     * when an upcall is due.  @v's lock is held.
     */
    bool (*select)(struct evtchn_domain *d, struct evtchn_vcpu *v,
                   uint32_t port, struct evtchn *chn);
};

/*
 * The port moves with its old vCPU's lock held, so it stays there meanwhile: a
 * vCPU that is no longer the port's would ignore it, and the event be lost.
 */
BITS_INLINE struct evtchn_vcpu *bits_lock_vcpu(struct evtchn_domain *d,
                                               struct evtchn *chn)
{
    for (;;) {
        uint32_t vcpu = evtchn_load(&chn->vcpu);
        struct evtchn_vcpu *v = &d->vcpus[vcpu];

        evtchn_spin_lock(d->env, &v->lock_bits);
        if (likely(evtchn_load(&chn->vcpu) == vcpu)) {
            return v;
        }
        evtchn_spin_unlock(&v->lock_bits);
    }
}

BITS_INLINE void bits_set_pending(const struct bits_abi *abi,
                                  struct evtchn_domain *d, uint32_t port,
                                  struct evtchn *chn)
{
    struct evtchn_vcpu *v = bits_lock_vcpu(d, chn);
    struct event_bits bits;
    bool newly = false;
    bool upcall = false;

    if (!abi->find(d, port, &bits)) {
        /* Who makes a place looks for this, after it had all locks. */
        evtchn_fetch_or(&chn->pending, EVTCHN_RETRY_RAISE);
    } else {
        newly = !evtchn_test_and_set_bit(bits.pending, bits.bit);
        /* The order is the ABI: pending, selectors, upcall flag. */
        if (newly && !evtchn_test_bit(bits.mask, bits.bit)) {
            upcall = abi->select(d, v, port, chn);
        }
    }
    evtchn_spin_unlock(&v->lock_bits);
    if (upcall) {
        evtchn_raise_upcall(d, v);
    }
    if (newly) {
        evtchn_check_pollers(d, port);
    }
}

/*
 * Select a port that is pending.  To @unmask acts on a mask bit that is set,
 * and on no other.
 */
BITS_INLINE void bits_look_again(const struct bits_abi *abi,
                                 struct evtchn_domain *d, uint32_t port,
                                 struct evtchn *chn, bool unmask)
{
    struct evtchn_vcpu *v = bits_lock_vcpu(d, chn);
    struct event_bits bits;
    bool upcall = false;

    if (abi->find(d, port, &bits) &&
        (unmask ? evtchn_test_and_clear_bit(bits.mask, bits.bit)
                : !evtchn_test_bit(bits.mask, bits.bit)) &&
        evtchn_test_bit(bits.pending, bits.bit)) {
        upcall = abi->select(d, v, port, chn);
    }
    evtchn_spin_unlock(&v->lock_bits);
    if (upcall) {
        evtchn_raise_upcall(d, v);
    }
}

BITS_INLINE void bits_clear_pending(const struct bits_abi *abi,
                                    struct evtchn_domain *d, uint32_t port,
                                    struct evtchn *chn)
{
    struct evtchn_vcpu *v = bits_lock_vcpu(d, chn);
    struct event_bits bits;

    if (abi->find(d, port, &bits)) {
        evtchn_clear_bit(bits.pending, bits.bit);
    }
    evtchn_spin_unlock(&v->lock_bits);
}

BITS_INLINE bool bits_is_pending(const struct bits_abi *abi,
                                 struct evtchn_domain *d, uint32_t port,
                                 struct evtchn *chn)
{
    struct evtchn_vcpu *v = bits_lock_vcpu(d, chn);
    struct event_bits bits;
    bool pending = abi->find(d, port, &bits) &&
                   evtchn_test_bit(bits.pending, bits.bit);

    evtchn_spin_unlock(&v->lock_bits);
    return pending;
}

BITS_INLINE bool bits_is_masked(const struct bits_abi *abi,
                                struct evtchn_domain *d, uint32_t port,
                                struct evtchn *chn)
{
    struct evtchn_vcpu *v = bits_lock_vcpu(d, chn);
    struct event_bits bits;
    bool masked = !abi->find(d, port, &bits) ||
                  evtchn_test_bit(bits.mask, bits.bit);

    evtchn_spin_unlock(&v->lock_bits);
    return masked;
}

#endif /* XEN_EVTCHN_EVENT_BITS_H */
