/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of events_env.c: its heap as the event-channel model uses it. */

#ifndef TESTS_PV_EVENT_ENV_H
#define TESTS_PV_EVENT_ENV_H

#include "event_calls.h"
#include "model.h"

static const struct machine_config own = { .own_events = true };
static const struct machine_config own_fifo = {
    .nr_vcpus = 3, .own_events = true, .fifo = true, .three_level = true,
};

static inline void *take(size_t size)
{
    return guest_events->env->alloc(guest_events->opaque, size);
}

static inline void give(void *block, size_t size)
{
    guest_events->env->free(guest_events->opaque, block, size);
}

#endif /* TESTS_PV_EVENT_ENV_H */
