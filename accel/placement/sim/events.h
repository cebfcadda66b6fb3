/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to happen when: a binary heap, in which each source has one event. */

#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <glib.h>
#include <stdint.h>

typedef struct Events {
    uint64_t *time; /* of each source; UINT64_MAX: none */
    uint32_t *heap, *at; /* sources by time; where a source is */
    uint32_t nr;
} Events;

void events_init(Events *e, uint32_t nr_sources);
void events_clear(Events *e);
/* UINT64_MAX: never. */
void events_set(Events *e, uint32_t source, uint64_t time);

/* The source that is next. */
static inline uint32_t events_next(const Events *e, uint64_t *time)
{
    *time = e->time[e->heap[0]];
    return e->heap[0];
}

#endif /* SIM_EVENTS_H */
