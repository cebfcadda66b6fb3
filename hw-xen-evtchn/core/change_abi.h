/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From 2-level to an ABI that a guest registers memory for, and back.  The
 * event lock is held for all of these.
 */

#ifndef XEN_EVTCHN_CHANGE_ABI_H
#define XEN_EVTCHN_CHANGE_ABI_H

#include "delivery.h"

/* One that a guest switches to, by registering memory for it. */
static inline bool evtchn_abi_is_extended(enum evtchn_abi abi)
{
    return abi == EVTCHN_ABI_3L || abi == EVTCHN_ABI_FIFO;
}

/*
 * @d is an @abi domain from here on, its ports not yet.  Its memory, d->fifo or
 * d->bitmaps, is in place.
 */
int evtchn_start_abi(struct evtchn_domain *d, enum evtchn_abi abi);
/* Move all of @d's ports from 2-level to its ABI. */
void evtchn_hand_over(struct evtchn_domain *d);
/*
 * Map @gfn for what @v registers, for the ABI of @ops, at @offset of it; NULL if
 * that can't be.
 */
void *evtchn_map_vcpu_frame(struct evtchn_domain *d, struct evtchn_vcpu *v,
                            const struct evtchn_abi_ops *ops, uint64_t gfn,
                            uint32_t offset);
/* What @v has registered is there; NULL takes it away. */
void evtchn_set_vcpu_frame(struct evtchn_domain *d, struct evtchn_vcpu *v,
                           void *frame, uint64_t gfn, uint32_t offset);
/* Back to 2-level; no port is bound. */
void evtchn_back_to_2l(struct evtchn_domain *d);

#endif /* XEN_EVTCHN_CHANGE_ABI_H */
