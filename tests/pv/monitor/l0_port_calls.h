/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of l0_ports.c: which ports L0 has. */

#ifndef TESTS_PV_L0_PORT_CALLS_H
#define TESTS_PV_L0_PORT_CALLS_H

#include "event_calls.h"

static const struct machine_config own = { .nr_vcpus = 2, .own_events = true };
static const struct machine_config own_fifo = {
    .nr_vcpus = 2, .own_events = true, .fifo = true,
};

/*
 * L0 has the guest's channels, each with its number, and placeholders for all others up
 * to the highest of them.  There may be some above it, of channels that were.
 */
static inline void check_ports(const bool *backed, uint32_t end)
{
    bool below = false;
    uint32_t port;

    for (port = end - 1; port; port--) {
        below |= backed[port];
        g_assert_cmpint(is_l0_port(port), ==, backed[port]);
        g_assert_true(machine_l0.ports[port].used || !below);
    }
}

static inline unsigned int nr_used(void)
{
    unsigned int i, nr = 0;

    for (i = 1; i < NR_2L_PORTS; i++) {
        nr += machine_l0.ports[i].used;
    }
    return nr;
}

#endif /* TESTS_PV_L0_PORT_CALLS_H */
