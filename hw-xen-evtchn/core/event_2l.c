/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 2-level delivery: pending and mask bits in shared_info, and a selector of
 * their words in vcpu_info.
 */

#include "event_bits.h"

#define SHARED_INFO_PENDING 0x800

#ifdef __LP64__
_Static_assert(offsetof(struct shared_info, evtchn_pending) ==
               SHARED_INFO_PENDING, "evtchn_pending of a 64-bit guest");
_Static_assert(offsetof(struct shared_info, evtchn_mask) ==
               SHARED_INFO_PENDING + 64 * 64 / 8,
               "evtchn_mask of a 64-bit guest");
_Static_assert(offsetof(struct vcpu_info, evtchn_pending_sel) == 8,
               "evtchn_pending_sel of a 64-bit guest");
#endif

static bool find_2l(const struct evtchn_domain *d, uint32_t port,
                    struct event_bits *bits)
{
    uint32_t word_bits = evtchn_load(&d->word_bits);
    uint32_t *words = evtchn_load(&d->shared_info);

    /* 32-bit guests have fewer ports, also after a change of mode (XSA-342). */
    if (!words || port >= word_bits * word_bits) {
        return false;
    }
    words += SHARED_INFO_PENDING / sizeof(*words);
    bits->pending = words + port / 32;
    bits->mask = bits->pending + word_bits * word_bits / 32;
    bits->bit = port % 32;
    bits->word_bits = word_bits;
    return true;
}

static bool select_2l(struct evtchn_domain *d, struct evtchn_vcpu *v,
                      uint32_t port, struct evtchn *chn,
                      unsigned int word_bits)
{
    uint32_t *words = evtchn_load(&v->info);

    (void)d, (void)chn;
    if (!words) {
        /* When there is one, evtchn_vcpu_set_info() finds the pending bit. */
        return false;
    }
    return evtchn_select_and_mark(words, word_bits,
                                  port >> word_shift(word_bits));
}

/* KVM delivers this event, if it does so for this guest. */
static bool pass_on_2l(struct evtchn_domain *d, struct evtchn_vcpu *v,
                       uint32_t port)
{
    return d->env->deliver_2l(d->opaque, v - d->vcpus, port);
}

static const struct bits_abi bits_2l = { .find = find_2l, .select = select_2l };
static const struct bits_abi bits_2l_or_kvm = {
    .find = find_2l,
    .select = select_2l,
    .pass_on = pass_on_2l,
};

static __attribute__((flatten, noinline)) bool
raise_2l_or_kvm(struct evtchn_domain *d, uint32_t port, struct evtchn *chn,
                struct evtchn_seen seen, enum evtchn_why why)
{
    return evtchn_bits_raise(&bits_2l_or_kvm, d, port, chn, seen, why);
}

static __attribute__((flatten)) bool
raise_2l(struct evtchn_domain *d, uint32_t port, struct evtchn *chn,
         struct evtchn_seen seen, enum evtchn_why why)
{
    return d->env->deliver_2l
               ? raise_2l_or_kvm(d, port, chn, seen, why)
               : evtchn_bits_raise(&bits_2l, d, port, chn, seen, why);
}

static void clear_pending_2l(struct evtchn_domain *d, uint32_t port)
{
    evtchn_bits_clear_pending(&bits_2l, d, port);
}

static bool is_pending_2l(struct evtchn_domain *d, uint32_t port)
{
    return evtchn_bits_is_pending(&bits_2l, d, port);
}

static bool is_masked_2l(struct evtchn_domain *d, uint32_t port)
{
    return evtchn_bits_is_masked(&bits_2l, d, port);
}

static uint32_t port_limit_2l(const struct evtchn_domain *d)
{
    uint32_t word_bits = evtchn_load(&d->word_bits);

    return word_bits * word_bits;
}

static bool has_event_2l(struct evtchn_domain *d, struct evtchn_vcpu *v)
{
    uint32_t port;

    for (port = 1; port < d->valid_ports; port++) {
        uint32_t b = evtchn_load(&evtchn_of_port(d, port)->binding);

        if (evtchn_is_bound(binding_state(b)) &&
            &d->vcpus[binding_vcpu(b)] == v && is_pending_2l(d, port) &&
            !is_masked_2l(d, port)) {
            return true;
        }
    }
    return false;
}

const struct evtchn_abi_ops evtchn_abi_2l = {
    .raise         = raise_2l,
    .clear_pending = clear_pending_2l,
    .is_pending    = is_pending_2l,
    .is_masked     = is_masked_2l,
    .port_limit    = port_limit_2l,
    .has_event     = has_event_2l,
};

bool evtchn_2l_get_mask(struct evtchn_domain *d, uint32_t port, uint32_t *word)
{
    struct event_bits bits;

    if (!find_2l(d, port, &bits)) {
        return false;
    }
    *word = evtchn_load(bits.mask);
    return true;
}
