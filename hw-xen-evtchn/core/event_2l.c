/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 2-level delivery: pending and mask bits in shared_info, and a selector of
 * their words in vcpu_info.
 *
 * Bits are in little-endian order, so a guest's array of 32- or 64-bit words
 * is an array of 32-bit words to us; only offsets and limits differ.
 *
 * A vCPU's lock_2l keeps shared_info and vcpu_info where they are; the bits
 * themselves are shared with the guest and need atomic operations anyway.
 */

#include "model.h"

#define SHARED_INFO_PENDING 0x800

#ifdef __x86_64__
_Static_assert(offsetof(struct shared_info, evtchn_pending) ==
               SHARED_INFO_PENDING, "evtchn_pending of a 64-bit guest");
_Static_assert(offsetof(struct shared_info, evtchn_mask) ==
               SHARED_INFO_PENDING + 64 * 64 / 8,
               "evtchn_mask of a 64-bit guest");
_Static_assert(offsetof(struct vcpu_info, evtchn_pending_sel) == 8,
               "evtchn_pending_sel of a 64-bit guest");
#endif

/* The words of @port, valid while the vCPU's lock_2l is held. */
struct bits_2l {
    uint32_t *pending;
    uint32_t *mask;
    unsigned int bit;       /* in both of them */
    unsigned int sel;       /* the selector's bit */
};

/* False when there is no place for @port's bits. */
static bool find_bits(const struct evtchn_domain *d, uint32_t port,
                      struct bits_2l *bits)
{
    uint32_t word_bits = evtchn_load(&d->word_bits);
    uint32_t *words = d->shared_info;

    /* 32-bit guests have fewer, also after a change of mode (XSA-342). */
    if (!words || port >= word_bits * word_bits) {
        return false;
    }
    words += SHARED_INFO_PENDING / sizeof(*words);
    bits->pending = words + port / 32;
    bits->mask = bits->pending + word_bits * word_bits / 32;
    bits->bit = port % 32;
    bits->sel = port / word_bits;
    return true;
}

/*
 * The port moves with its old vCPU's lock held, so it stays there meanwhile: a
 * vCPU that is no longer the port's would ignore it, and the event be lost.
 */
static struct evtchn_vcpu *lock_vcpu(struct evtchn_domain *d,
                                     struct evtchn *chn)
{
    for (;;) {
        uint32_t vcpu = evtchn_load(&chn->vcpu);
        struct evtchn_vcpu *v = &d->vcpus[vcpu];

        evtchn_spin_lock(d->env, &v->lock_2l);
        if (likely(evtchn_load(&chn->vcpu) == vcpu)) {
            return v;
        }
        evtchn_spin_unlock(&v->lock_2l);
    }
}

/* Select the word, and tell the vCPU; true when an upcall is due. */
static bool select_word(struct evtchn_domain *d, struct evtchn_vcpu *v,
                        unsigned int sel)
{
    uint32_t *words = v->info;

    if (!words) {
        /* evtchn_vcpu_set_info() will find the pending bit. */
        return false;
    }
    words += evtchn_load(&d->word_bits) / 32;
    return !evtchn_test_and_set_bit(words + sel / 32, sel % 32) &&
           evtchn_mark_events_pending(v);
}

static void set_pending_2l(struct evtchn_domain *d, uint32_t port,
                           struct evtchn *chn)
{
    struct evtchn_vcpu *v;
    struct bits_2l bits;
    bool newly = false;
    bool upcall = false;

    if (d->env->deliver_2l &&
        d->env->deliver_2l(d->opaque, evtchn_load(&chn->vcpu), port)) {
        evtchn_check_pollers(d, port);
        return;
    }
    v = lock_vcpu(d, chn);
    if (!find_bits(d, port, &bits)) {
        /* evtchn_domain_set_shared_info() looks for this with the lock. */
        evtchn_store(&chn->pending, EVTCHN_RETRY_RAISE);
    } else {
        newly = !evtchn_test_and_set_bit(bits.pending, bits.bit);
        /* The order is the ABI: pending, selector, upcall flag. */
        if (newly && !evtchn_test_bit(bits.mask, bits.bit)) {
            upcall = select_word(d, v, bits.sel);
        }
    }
    evtchn_spin_unlock(&v->lock_2l);
    if (upcall) {
        evtchn_raise_upcall(d, v);
    }
    if (newly) {
        evtchn_check_pollers(d, port);
    }
}

static void unmask_2l(struct evtchn_domain *d, uint32_t port,
                      struct evtchn *chn)
{
    struct evtchn_vcpu *v = lock_vcpu(d, chn);
    struct bits_2l bits;
    bool upcall = false;

    if (find_bits(d, port, &bits) &&
        evtchn_test_and_clear_bit(bits.mask, bits.bit) &&
        evtchn_test_bit(bits.pending, bits.bit)) {
        upcall = select_word(d, v, bits.sel);
    }
    evtchn_spin_unlock(&v->lock_2l);
    if (upcall) {
        evtchn_raise_upcall(d, v);
    }
}

static void clear_pending_2l(struct evtchn_domain *d, uint32_t port,
                             struct evtchn *chn)
{
    struct evtchn_vcpu *v = lock_vcpu(d, chn);
    struct bits_2l bits;

    if (find_bits(d, port, &bits)) {
        evtchn_clear_bit(bits.pending, bits.bit);
    }
    evtchn_spin_unlock(&v->lock_2l);
}

static bool is_pending_2l(struct evtchn_domain *d, uint32_t port,
                          struct evtchn *chn)
{
    struct evtchn_vcpu *v = lock_vcpu(d, chn);
    struct bits_2l bits;
    bool pending = find_bits(d, port, &bits) &&
                   evtchn_test_bit(bits.pending, bits.bit);

    evtchn_spin_unlock(&v->lock_2l);
    return pending;
}

static bool is_masked_2l(struct evtchn_domain *d, uint32_t port,
                         struct evtchn *chn)
{
    struct evtchn_vcpu *v = lock_vcpu(d, chn);
    struct bits_2l bits;
    bool masked = !find_bits(d, port, &bits) ||
                  evtchn_test_bit(bits.mask, bits.bit);

    evtchn_spin_unlock(&v->lock_2l);
    return masked;
}

bool evtchn_2l_take_pending(struct evtchn_domain *d, uint32_t port)
{
    struct bits_2l bits;

    return find_bits(d, port, &bits) &&
           evtchn_test_and_clear_bit(bits.pending, bits.bit);
}

const struct evtchn_port_ops evtchn_ops_2l = {
    .set_pending   = set_pending_2l,
    .clear_pending = clear_pending_2l,
    .unmask        = unmask_2l,
    .is_pending    = is_pending_2l,
    .is_masked     = is_masked_2l,
};
