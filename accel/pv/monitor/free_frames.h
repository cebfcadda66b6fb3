/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of the guest's RAM that are nobody's: reservation.c gives and takes them,
 * exchange.c gives some for others.
 */

#ifndef PV_MONITOR_FREE_FRAMES_H
#define PV_MONITOR_FREE_FRAMES_H

#include "events.h"
#include "marks.h"

#include <xen/memory.h>

/* Of an extent: Xen's limit for guests. */
#define MAX_ORDER 9
#define MAX_EXTENT (1u << MAX_ORDER)
#define NO_FRAME (~0ul)

/* Held for all that follows, and while marks say that a frame is nobody's for now. */
extern struct spinlock free_frames_lock;

/* L0 lets the host have the memory of these frames, or gets it again. */
bool l0_change(unsigned int op, uint64_t mfn, unsigned int order);

void put_free(uint64_t mfn);
void remove_free(uint64_t mfn);
uint64_t nr_free_frames(void);
/* Of @flags, XENMEMF_*: whether they demand a node, which Xen allows no guest. */
bool node_is_demanded(unsigned int flags);
/* How many frames there are that @flags allow; 0: none. */
uint64_t frames_limit(unsigned int flags);
/*
 * The first of 2^@order frames, aligned to that and below @limit, each of which is
 * free or, during an exchange, the guest's part in it; or NO_FRAME.
 */
uint64_t find_frames(unsigned int order, uint64_t limit);

#endif /* PV_MONITOR_FREE_FRAMES_H */
