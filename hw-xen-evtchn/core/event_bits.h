/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delivery by bits: what event_bits.c needs to know of 2-level and 3-level. */

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

bool evtchn_bits_raise(const struct bits_abi *abi, struct evtchn_domain *d,
                       uint32_t port, struct evtchn *chn,
                       struct evtchn_seen seen, enum evtchn_why why);
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

/*
 * 2-level: the 32 mask bits with @port's among them; false when it has none.
 * The event lock is held.
 */
bool evtchn_2l_get_mask(struct evtchn_domain *d, uint32_t port, uint32_t *word);

#endif /* XEN_EVTCHN_EVENT_BITS_H */
