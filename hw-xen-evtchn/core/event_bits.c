/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delivery by bits: what a binder or an inspector does to them. */

#include "event_bits.h"

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
