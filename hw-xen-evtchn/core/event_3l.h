/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 3-level: what event_3l.c and register_3l.c share.  The event lock is held. */

#ifndef XEN_EVTCHN_EVENT_3L_H
#define XEN_EVTCHN_EVENT_3L_H

#include "model.h"

/* Bytes of a vCPU's selector. */
uint32_t evtchn_3l_selector_size(const struct evtchn_domain *d);
int evtchn_3l_load(struct evtchn_domain *d, const uint64_t *gfns,
                   uint32_t nr_frames);
void evtchn_3l_leave(struct evtchn_domain *d);

/* Copy 2-level's masks of all ports, whether these exist or not. */
void evtchn_3l_copy_masks(struct evtchn_domain *d);
/*
 * Move the bits that 2-level has left in @v's L1 to @selector, before that
 * becomes @v's: until then no sender sets a bit in L1.
 */
void evtchn_3l_take_l1(struct evtchn_domain *d, struct evtchn_vcpu *v,
                       uint32_t *selector);
/* Set @v's L1 and upcall flag for the bits of its selector. */
void evtchn_3l_select_l1(struct evtchn_domain *d, struct evtchn_vcpu *v);

/* EVTCHNOP_register_3level. */
int evtchn_3l_op_register(struct evtchn_domain *d, void *arg);

#endif /* XEN_EVTCHN_EVENT_3L_H */
