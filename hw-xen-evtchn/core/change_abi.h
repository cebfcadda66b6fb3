/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switching from 2-level to FIFO or 3-level, and back.  The caller holds the
 * event lock for all of these.
 */

#ifndef XEN_EVTCHN_CHANGE_ABI_H
#define XEN_EVTCHN_CHANGE_ABI_H

#include "delivery.h"

/* An ABI to which a guest switches by registering memory for it. */
static inline bool evtchn_abi_is_extended(enum evtchn_abi abi)
{
    return abi == EVTCHN_ABI_3L || abi == EVTCHN_ABI_FIFO;
}

/*
 * Make @d an @abi domain; its ports change only in evtchn_hand_over(), before
 * which the caller sets d->fifo or d->bitmaps.
 */
int evtchn_start_abi(struct evtchn_domain *d, enum evtchn_abi abi);
/* Move all of @d's ports from 2-level to its ABI. */
void evtchn_hand_over(struct evtchn_domain *d);
/*
 * Map frame @gfn, in which @v registers its control block or selector at
 * @offset; NULL if it is refused.
 */
void *evtchn_map_vcpu_frame(struct evtchn_domain *d, struct evtchn_vcpu *v,
                            const struct evtchn_abi_ops *ops, uint64_t gfn,
                            uint32_t offset);
/* Store the address that @v has registered; a NULL @frame takes it away. */
void evtchn_set_vcpu_frame(struct evtchn_domain *d, struct evtchn_vcpu *v,
                           void *frame, uint64_t gfn, uint32_t offset);
/* Back to 2-level; no port is bound. */
void evtchn_back_to_2l(struct evtchn_domain *d);

#endif /* XEN_EVTCHN_CHANGE_ABI_H */
