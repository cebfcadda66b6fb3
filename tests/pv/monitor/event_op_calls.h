/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of events.c: a hypercall with an argument anywhere. */

#ifndef TESTS_PV_EVENT_OP_CALLS_H
#define TESTS_PV_EVENT_OP_CALLS_H

#include "event_calls.h"
#include "../public/event_channel_3level.h"

#define RESET_CONT 14

static const struct machine_config own = { .own_events = true };
static const struct machine_config own_fifo = {
    .nr_vcpus = 2, .own_events = true, .fifo = true,
};

static inline long op_at(uint64_t cmd, uint64_t va)
{
    return machine_call(__HYPERVISOR_event_channel_op, cmd, va, 0, 0);
}

#endif /* TESTS_PV_EVENT_OP_CALLS_H */
