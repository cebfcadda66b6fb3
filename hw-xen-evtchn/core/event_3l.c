/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 3-level delivery: pending and mask bits in pages that the guest has handed
 * over, a selector of their words (L2) in memory of each vCPU, and one of its
 * words (L1) in vcpu_info.  See public/event_channel_3level.h.
 */

#include "event_bits.h"

uint32_t evtchn_3l_limit(const struct evtchn_domain *d)
{
    uint32_t word_bits = evtchn_load(&d->word_bits);
    uint32_t limit = EVTCHN_3L_NR_CHANNELS(word_bits);
    uint32_t room = d->bitmaps->nr_pages * PORTS_PER_BITMAP_PAGE;

    /* The word may have shrunk since the pages came, or grown (XSA-342). */
    return limit < room ? limit : room;
}

static bool find_3l(const struct evtchn_domain *d, uint32_t port,
                    struct event_bits *bits)
{
    const struct evtchn_bitmaps *b = d->bitmaps;
    uint32_t page = port / PORTS_PER_BITMAP_PAGE;
    uint32_t word = port % PORTS_PER_BITMAP_PAGE / 32;

    if (unlikely(port >= evtchn_3l_limit(d))) {
        return false;
    }
    bits->pending = b->pending[page] + word;
    bits->mask = b->mask[page] + word;
    bits->bit = port % 32;
    return true;
}

static bool select_3l(struct evtchn_domain *d, struct evtchn_vcpu *v,
                      uint32_t port, struct evtchn *chn)
{
    unsigned int word_bits = evtchn_load(&d->word_bits);
    unsigned int l2 = port >> word_shift(word_bits);
    unsigned int l1 = l2 >> word_shift(word_bits);
    uint32_t *words = v->info;

    if (unlikely(!v->l2_selector)) {
        /*
         * The event waits for EVTCHN_3L_L2_SELECTOR, which looks for this after
         * it had our lock: as XSA-107, an event for a vCPU without its memory.
         */
        evtchn_fetch_or(&chn->pending, EVTCHN_RETRY_LINK);
        return false;
    }
    /* L2 before L1: the guest takes an L1 bit, and then its L2 word. */
    if (evtchn_test_and_set_bit(v->l2_selector + l2 / 32, l2 % 32) || !words) {
        /* Without vcpu_info, evtchn_vcpu_set_info() will find the L2 bit. */
        return false;
    }
    return !evtchn_test_and_set_bit(words + word_bits / 32 + l1 / 32,
                                    l1 % 32) &&
           evtchn_mark_events_pending(v);
}

static const struct bits_abi abi_3l = { .find = find_3l, .select = select_3l };

/* 32-bit words of a selector that are in use. */
static unsigned int selector_words(const struct evtchn_domain *d)
{
    unsigned int word_bits = evtchn_load(&d->word_bits);

    return evtchn_3l_limit(d) / word_bits / 32;
}

bool evtchn_3l_is_selected(struct evtchn_domain *d, struct evtchn_vcpu *v)
{
    unsigned int n = v->l2_selector ? selector_words(d) : 0;
    unsigned int i;

    for (i = 0; i < n; i++) {
        if (evtchn_load(&v->l2_selector[i])) {
            return true;
        }
    }
    return false;
}

void evtchn_3l_reselect(struct evtchn_domain *d, struct evtchn_vcpu *v)
{
    unsigned int word_bits = evtchn_load(&d->word_bits);
    uint32_t *l1 = v->info;
    bool upcall = false;
    unsigned int i;

    if (!l1) {
        return;
    }
    l1 += word_bits / 32;
    evtchn_vcpu_lock_all(d, v);
    for (i = 0; i < word_bits / 32; i++) {
        evtchn_fetch_or(&v->l2_selector[i], evtchn_exchange(&l1[i], 0));
    }
    for (i = 0; i < selector_words(d); i++) {
        if (evtchn_load(&v->l2_selector[i])) {
            unsigned int bit = i * 32 >> word_shift(word_bits);

            evtchn_test_and_set_bit(&l1[bit / 32], bit % 32);
            upcall = true;
        }
    }
    upcall = upcall && evtchn_mark_events_pending(v);
    evtchn_vcpu_unlock_all(v);
    if (upcall) {
        evtchn_raise_upcall(d, v);
    }
}

void evtchn_3l_copy_masks(struct evtchn_domain *d)
{
    struct event_bits bits;
    uint32_t port, word;

    for (port = 0; evtchn_2l_get_mask(d, port, &word) &&
                   find_3l(d, port, &bits); port += 32) {
        evtchn_store(bits.mask, word);
    }
}

static void adopt_3l(struct evtchn_domain *d, uint32_t port,
                     struct evtchn *chn)
{
    struct event_bits bits;
    uint32_t word;

    if (!find_3l(d, port, &bits)) {
        return;
    }
    /* It may have changed since the masks were copied. */
    if (evtchn_2l_get_mask(d, port, &word)) {
        if (word & UINT32_C(1) << bits.bit) {
            evtchn_test_and_set_bit(bits.mask, bits.bit);
        } else {
            evtchn_clear_bit(bits.mask, bits.bit);
        }
    }
    if (evtchn_2l_take_pending(d, port)) {
        evtchn_test_and_set_bit(bits.pending, bits.bit);
        /* No vCPU has its selector yet. */
        evtchn_fetch_or(&chn->pending, EVTCHN_RETRY_LINK);
    }
}

static void set_pending_3l(struct evtchn_domain *d, uint32_t port,
                           struct evtchn *chn)
{
    bits_set_pending(&abi_3l, d, port, chn);
}

static void unmask_3l(struct evtchn_domain *d, uint32_t port,
                      struct evtchn *chn)
{
    bits_look_again(&abi_3l, d, port, chn, true);
}

static void link_3l(struct evtchn_domain *d, uint32_t port, struct evtchn *chn)
{
    bits_look_again(&abi_3l, d, port, chn, false);
}

static void clear_pending_3l(struct evtchn_domain *d, uint32_t port,
                             struct evtchn *chn)
{
    bits_clear_pending(&abi_3l, d, port, chn);
}

static bool is_pending_3l(struct evtchn_domain *d, uint32_t port,
                          struct evtchn *chn)
{
    return bits_is_pending(&abi_3l, d, port, chn);
}

static bool is_masked_3l(struct evtchn_domain *d, uint32_t port,
                         struct evtchn *chn)
{
    return bits_is_masked(&abi_3l, d, port, chn);
}

const struct evtchn_port_ops evtchn_ops_3l = {
    .set_pending   = set_pending_3l,
    .clear_pending = clear_pending_3l,
    .unmask        = unmask_3l,
    .link          = link_3l,
    .is_pending    = is_pending_3l,
    .is_masked     = is_masked_3l,
    .adopt         = adopt_3l,
};
