/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hosts of any shape, for the tests of the placement's core. */

#ifndef TESTS_PLACEMENT_HOSTS_H
#define TESTS_PLACEMENT_HOSTS_H

#include "model.h"

#include <glib.h>

struct shape {
    uint32_t nodes, llcs, cores, threads; /* each of the one before */
    uint32_t isolated; /* the last so many CPUs */
};

/* NULL limits: some that are ample for a small host. */
struct place_host *host_new(const struct shape *shape,
                            const struct place_limits *limits);
size_t host_size(const struct shape *shape, const struct place_limits *limits);
/* What host_new() gives to place_init(), until the next one. */
const struct place_topology *shape_topology(const struct shape *shape);
extern const struct place_limits host_limits;

/* Aborts if an index differs from what a look at all threads finds, or I1, I2. */
void check_host(const struct place_host *h);

uint32_t random_below(uint64_t *state, uint32_t limit);

#endif /* TESTS_PLACEMENT_HOSTS_H */
