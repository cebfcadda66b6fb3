/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host's CPUs, caches, nodes and memory, from hwloc. */

#ifndef HOST_TOPOLOGY_H
#define HOST_TOPOLOGY_H

#include "place.h"

#include <glib.h>

typedef struct HostTopology {
    struct place_topology t;
    struct place_cpu cpu[PLACE_MAX_CPUS];
    uint64_t memory[PLACE_MAX_NODES];
    uint8_t distance[PLACE_MAX_NODES * PLACE_MAX_NODES];
    unsigned int node_number[PLACE_MAX_NODES]; /* as Linux numbers them */
    gboolean is_this_host;
} HostTopology;

/*
 * This host's topology; or that of @synthetic, hwloc's notation such as "pack:2
 * l3:1 core:4 pu:2"; or of @xml, a file of lstopo's.  NULL with an error.
 */
HostTopology *host_topology_new(const char *synthetic, const char *xml,
                                GError **error);

/* A host of the core for it; free() it. */
struct place_host *host_topology_place(const HostTopology *topology,
                                       const struct place_limits *limits);

/* "0-3,8" as Linux writes it; FALSE if it is not such a list. */
gboolean host_parse_set(const char *text, struct place_set *set);

#endif /* HOST_TOPOLOGY_H */
