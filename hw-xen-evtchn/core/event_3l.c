/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 3-level delivery: pending and mask bits in pages that the guest has handed
 * over, a selector of their words (L2) in memory of each vCPU, and one of its
 * words (L1) in vcpu_info.  See public/event_channel_3level.h.
 */

#include "event_3l.h"
#include "event_bits.h"

/* Ports that have bits: the word may shrink after registration (XSA-342). */
static uint32_t limit_of(const struct evtchn_domain *d, uint32_t word_bits)
{
    uint32_t limit = EVTCHN_3L_NR_CHANNELS(word_bits);
    uint32_t room = evtchn_load(&d->bitmaps->nr_pages) * PORTS_PER_BITMAP_PAGE;

    return limit < room ? limit : room;
}

static uint32_t port_limit_3l(const struct evtchn_domain *d)
{
    return limit_of(d, evtchn_load(&d->word_bits));
}

static bool find_3l(const struct evtchn_domain *d, uint32_t port,
                    struct event_bits *bits)
{
    const struct evtchn_bitmaps *b = d->bitmaps;
    uint32_t word_bits = evtchn_load(&d->word_bits);
    uint32_t page = port / PORTS_PER_BITMAP_PAGE;
    uint32_t word = port % PORTS_PER_BITMAP_PAGE / 32;

    if (unlikely(port >= limit_of(d, word_bits))) {
        return false;
    }
    bits->pending = evtchn_load(&b->pending[page]) + word;
    bits->mask = evtchn_load(&b->mask[page]) + word;
    bits->bit = port % 32;
    bits->word_bits = word_bits;
    return true;
}

static bool select_3l(struct evtchn_domain *d, struct evtchn_vcpu *v,
                      uint32_t port, struct evtchn *chn,
                      unsigned int word_bits)
{
    unsigned int l2 = port >> word_shift(word_bits);
    unsigned int l1 = l2 >> word_shift(word_bits);
    uint32_t *selector = evtchn_load(&v->l2_selector);
    uint32_t *words = evtchn_load(&v->info);

    (void)d;
    if (unlikely(!selector)) {
        /* XSA-107's case: note it for the vCPU's EVTCHN_3L_L2_SELECTOR. */
        evtchn_store(&chn->retry, chn->retry | EVTCHN_RETRY_LINK);
        return false;
    }
    /* L2 before L1: the guest takes an L1 bit, and then its L2 word. */
    if (evtchn_test_and_set_bit(selector + l2 / 32, l2 % 32) || !words) {
        /* If vcpu_info is missing, evtchn_vcpu_set_info() finds the L2 bit. */
        return false;
    }
    return evtchn_select_and_mark(words, word_bits, l1);
}

static const struct bits_abi bits_3l = { .find = find_3l, .select = select_3l };

static __attribute__((flatten)) bool
raise_3l(struct evtchn_domain *d, uint32_t port, struct evtchn *chn,
         struct evtchn_seen seen, enum evtchn_why why)
{
    return evtchn_bits_raise(&bits_3l, d, port, chn, seen, why);
}

static void clear_pending_3l(struct evtchn_domain *d, uint32_t port)
{
    evtchn_bits_clear_pending(&bits_3l, d, port);
}

static bool is_pending_3l(struct evtchn_domain *d, uint32_t port)
{
    return evtchn_bits_is_pending(&bits_3l, d, port);
}

static bool is_masked_3l(struct evtchn_domain *d, uint32_t port)
{
    return evtchn_bits_is_masked(&bits_3l, d, port);
}

static void adopt_3l(struct evtchn_domain *d, uint32_t port,
                     struct evtchn *chn)
{
    struct event_bits bits;
    uint32_t word;

    if (!find_3l(d, port, &bits)) {
        return;
    }
    /* The guest may have changed the mask since the masks were copied. */
    if (evtchn_2l_get_mask(d, port, &word)) {
        if (word & UINT32_C(1) << bits.bit) {
            evtchn_test_and_set_bit(bits.mask, bits.bit);
        } else {
            evtchn_clear_bit(bits.mask, bits.bit);
        }
    }
    if (evtchn_abi_2l.is_pending(d, port)) {
        evtchn_abi_2l.clear_pending(d, port);
        evtchn_test_and_set_bit(bits.pending, bits.bit);
        /* No vCPU has its selector yet. */
        evtchn_store(&chn->retry, chn->retry | EVTCHN_RETRY_LINK);
    }
}

/* 32-bit words of a selector that are in use. */
static unsigned int selector_words(const struct evtchn_domain *d)
{
    return port_limit_3l(d) / evtchn_load(&d->word_bits) / 32;
}

static bool has_event_3l(struct evtchn_domain *d, struct evtchn_vcpu *v)
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

const struct evtchn_abi_ops evtchn_abi_3l = {
    .raise           = raise_3l,
    .clear_pending   = clear_pending_3l,
    .is_pending      = is_pending_3l,
    .is_masked       = is_masked_3l,
    .adopt           = adopt_3l,
    .port_limit      = port_limit_3l,
    .has_event       = has_event_3l,
    .load            = evtchn_3l_load,
    .registered_size = evtchn_3l_selector_size,
    .leave           = evtchn_3l_leave,
};

void evtchn_3l_copy_masks(struct evtchn_domain *d)
{
    struct event_bits bits;
    uint32_t port, word;

    for (port = 0; evtchn_2l_get_mask(d, port, &word) &&
                   find_3l(d, port, &bits); port += 32) {
        evtchn_store(bits.mask, word);
    }
}

void evtchn_3l_take_l1(struct evtchn_domain *d, struct evtchn_vcpu *v,
                       uint32_t *selector)
{
    unsigned int word_bits = evtchn_load(&d->word_bits);
    uint32_t *l1 = evtchn_load(&v->info);
    unsigned int i;

    for (i = 0; l1 && i < word_bits / 32; i++) {
        evtchn_fetch_or(&selector[i],
                        evtchn_exchange(&l1[word_bits / 32 + i], 0));
    }
}

void evtchn_3l_select_l1(struct evtchn_domain *d, struct evtchn_vcpu *v)
{
    unsigned int word_bits = evtchn_load(&d->word_bits);
    uint32_t *l1 = evtchn_load(&v->info);
    bool selected = false;
    unsigned int i;

    for (i = 0; l1 && i < selector_words(d); i++) {
        if (evtchn_load(&v->l2_selector[i])) {
            unsigned int bit = i * 32 >> word_shift(word_bits);

            evtchn_test_and_set_bit(&l1[word_bits / 32 + bit / 32], bit % 32);
            selected = true;
        }
    }
    evtchn_delivered(d, v - d->vcpus, 0, false,
                     selected && evtchn_mark_events_pending(l1));
}
