/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FIFO: what event_fifo.c and register_fifo.c share with save.c and load.c. */

#ifndef XEN_EVTCHN_FIFO_H
#define XEN_EVTCHN_FIFO_H

#include "model.h"

/*
 * evtchn.lastq: the queue that a port was last put on, where it may still be
 * linked, or be the tail.  A sender changes it with the old and the new queue
 * locked.
 */
static inline uint32_t evtchn_lastq(uint32_t vcpu, unsigned int priority)
{
    return vcpu | priority << 16;
}

static inline uint32_t evtchn_lastq_vcpu(uint32_t lastq)
{
    return lastq & UINT16_MAX;
}

static inline unsigned int evtchn_lastq_priority(uint32_t lastq)
{
    return lastq >> 16;
}

/* Switch @d to FIFO with an empty array; then add one frame to it. */
int evtchn_fifo_start(struct evtchn_domain *d);
int evtchn_fifo_add_frame(struct evtchn_domain *d, uint64_t gfn);
int evtchn_fifo_load(struct evtchn_domain *d, const uint64_t *gfns,
                     uint32_t nr_frames);
void evtchn_fifo_leave(struct evtchn_domain *d);

#endif /* XEN_EVTCHN_FIFO_H */
