/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hwloc's tree, as the flat tables that the core takes. */

#include "topology.h"

#include <errno.h>
#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

static GQuark quark(void)
{
    return g_quark_from_static_string("xen-place-topology");
}

gboolean host_parse_set(const char *text, struct place_set *set)
{
    memset(set, 0, sizeof(*set));
    while (*text && *text != '\n') {
        char *end;
        unsigned long first, last;

        if (!g_ascii_isdigit(*text)) {
            return FALSE;
        }
        first = last = strtoul(text, &end, 10);
        if (*end == '-' && g_ascii_isdigit(end[1])) {
            last = strtoul(end + 1, &end, 10);
        }
        if (last >= PLACE_MAX_CPUS || first > last) {
            return FALSE;
        }
        for (; first <= last; first++) {
            set->word[first / 64] |= UINT64_C(1) << (first % 64);
        }
        if (*end == ',') {
            end++;
        } else if (*end && *end != '\n') {
            return FALSE;
        }
        text = end;
    }
    return TRUE;
}

/* Of several nodes at a CPU, such as one with fast memory, the largest. */
static int node_of(hwloc_topology_t hw, hwloc_obj_t pu)
{
    int i, n = hwloc_get_nbobjs_by_type(hw, HWLOC_OBJ_NUMANODE), best = -1;
    hwloc_obj_t chosen = NULL;

    for (i = 0; i < n; i++) {
        hwloc_obj_t node = hwloc_get_obj_by_type(hw, HWLOC_OBJ_NUMANODE, i);
        int weight;

        if (!hwloc_bitmap_isset(node->cpuset, pu->os_index)) {
            continue;
        }
        weight = hwloc_bitmap_weight(node->cpuset);
        if (!chosen || weight < hwloc_bitmap_weight(chosen->cpuset) ||
            (weight == hwloc_bitmap_weight(chosen->cpuset) &&
             node->attr->numanode.local_memory >
                 chosen->attr->numanode.local_memory)) {
            chosen = node;
            best = i;
        }
    }
    return best;
}

static hwloc_obj_t largest_cache(hwloc_topology_t hw, hwloc_obj_t pu)
{
    hwloc_obj_t obj, found = NULL;

    for (obj = pu->parent; obj; obj = obj->parent) {
        if (hwloc_obj_type_is_dcache(obj->type)) {
            found = obj;
        }
    }
    /* A core's own cache says nothing of whom it shares with. */
    if (found &&
        hwloc_get_nbobjs_inside_cpuset_by_type(hw, found->cpuset,
                                               HWLOC_OBJ_CORE) == 1 &&
        found->type != HWLOC_OBJ_L3CACHE) {
        return NULL;
    }
    return found;
}

/* The number of @key in @keys, which gets it if it is new. */
static uint16_t number_of(GArray *keys, uint64_t key)
{
    guint i;

    for (i = 0; i < keys->len; i++) {
        if (g_array_index(keys, uint64_t, i) == key) {
            return (uint16_t)i;
        }
    }
    g_array_append_val(keys, key);
    return (uint16_t)i;
}

/* Slower kinds of cores by their highest clock, if hwloc knows it. */
static void read_capacities(HostTopology *topology, hwloc_topology_t hw)
{
    int nr = hwloc_cpukinds_get_nr(hw, 0), i, pass;
    unsigned long fastest = 0, mhz;
    g_autofree unsigned long *clock = g_new0(unsigned long, MAX(nr, 1));

    for (pass = 0; pass < 2 && nr > 1; pass++) {
        for (i = 0; i < nr; i++) {
            hwloc_bitmap_t set = hwloc_bitmap_alloc();
            struct hwloc_info_s *infos;
            unsigned int nr_infos, k;
            int efficiency;

            if (!hwloc_cpukinds_get_info(hw, i, set, &efficiency, &nr_infos,
                                         &infos, 0)) {
                for (k = 0; k < nr_infos && !pass; k++) {
                    if (!strcmp(infos[k].name, "FrequencyMaxMHz")) {
                        mhz = strtoul(infos[k].value, NULL, 10);
                        clock[i] = mhz;
                        fastest = MAX(fastest, mhz);
                    }
                }
                for (k = 0; k < topology->t.nr_cpus && pass; k++) {
                    if (hwloc_bitmap_isset(set, k) && clock[i]) {
                        topology->cpu[k].capacity =
                            (uint16_t)MAX(clock[i] * PLACE_ONE / fastest, 1);
                    }
                }
            }
            hwloc_bitmap_free(set);
        }
    }
}

static void read_distances(HostTopology *topology, hwloc_topology_t hw)
{
    struct hwloc_distances_s *d;
    unsigned int nr = 1, n = topology->t.nr_nodes, i, j;

    for (i = 0; i < n * n; i++) {
        topology->distance[i] = i / n == i % n ? 10 : 20;
    }
    if (hwloc_distances_get_by_type(hw, HWLOC_OBJ_NUMANODE, &nr, &d,
                                    HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) ||
        !nr) {
        return;
    }
    for (i = 0; i < d->nbobjs && d->nbobjs == n && d->values[0]; i++) {
        for (j = 0; j < n; j++) {
            uint64_t value = d->values[i * n + j] * 10 / d->values[0];

            topology->distance[d->objs[i]->logical_index * n +
                               d->objs[j]->logical_index] =
                (uint8_t)MIN(value, 255);
        }
    }
    hwloc_distances_release(hw, d);
}

/* Memory that is free, or of files and so soon free; in MiB. */
static uint64_t free_memory(unsigned int node, uint64_t otherwise)
{
    g_autofree char *path =
        g_strdup_printf("/sys/devices/system/node/node%u/meminfo", node);
    g_autofree char *text = NULL;
    static const char *const keys[] = { "MemFree:", "FilePages:" };
    uint64_t sum = 0;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return otherwise;
    }
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *at = strstr(text, keys[i]);

        sum += at ? strtoull(at + strlen(keys[i]), NULL, 10) : 0;
    }
    return sum / 1024;
}

static gboolean flatten(HostTopology *topology, hwloc_topology_t hw,
                        GError **error)
{
    g_autoptr(GArray) cores = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GArray) llcs = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    int i, n = hwloc_get_nbobjs_by_type(hw, HWLOC_OBJ_PU);
    int nodes = hwloc_get_nbobjs_by_type(hw, HWLOC_OBJ_NUMANODE);
    struct place_set isolated = { { 0 } };
    g_autofree char *text = NULL;

    if (nodes > PLACE_MAX_NODES) {
        g_set_error(error, quark(), 0, "%d nodes: at most %d are supported",
                    nodes, PLACE_MAX_NODES);
        return FALSE;
    }
    if (topology->is_this_host &&
        g_file_get_contents("/sys/devices/system/cpu/isolated", &text, NULL,
                            NULL)) {
        host_parse_set(text, &isolated);
    }
    for (i = 0; i < n; i++) {
        hwloc_obj_t pu = hwloc_get_obj_by_type(hw, HWLOC_OBJ_PU, i), core, llc;
        struct place_cpu *cpu = &topology->cpu[pu->os_index % PLACE_MAX_CPUS];
        int node = node_of(hw, pu);

        if (pu->os_index >= PLACE_MAX_CPUS) {
            g_set_error(error, quark(), 0,
                        "CPU %u: at most %d CPUs are supported", pu->os_index,
                        PLACE_MAX_CPUS);
            return FALSE;
        }
        node = MAX(node, 0);
        core = hwloc_get_ancestor_obj_by_type(hw, HWLOC_OBJ_CORE, pu);
        llc = largest_cache(hw, pu);
        *cpu = (struct place_cpu){
            .core = number_of(cores, (uint64_t)(core ? core : pu)->gp_index),
            /* A cache of two nodes is two to us. */
            .llc = number_of(llcs, (llc ? llc->gp_index : 0) << 8 |
                                       (unsigned int)node),
            .node = (uint16_t)node,
            .capacity = PLACE_ONE,
            .exists = true,
            .online = true,
            .isolated =
                isolated.word[pu->os_index / 64] >> (pu->os_index % 64) & 1,
        };
        topology->t.nr_cpus = MAX(topology->t.nr_cpus, pu->os_index + 1);
    }
    topology->t.nr_cores = cores->len;
    topology->t.nr_llcs = llcs->len;
    topology->t.nr_nodes = (uint32_t)MAX(nodes, 1);
    for (i = 0; i < nodes; i++) {
        hwloc_obj_t node = hwloc_get_obj_by_type(hw, HWLOC_OBJ_NUMANODE, i);
        uint64_t memory = node->attr->numanode.local_memory >> 20;

        topology->node_number[i] = node->os_index;
        topology->memory[i] = topology->is_this_host ?
                                  free_memory(node->os_index, memory) :
                                  memory;
    }
    read_capacities(topology, hw);
    read_distances(topology, hw);
    return TRUE;
}

HostTopology *host_topology_new(const char *synthetic, const char *xml,
                                GError **error)
{
    HostTopology *topology = g_new0(HostTopology, 1);
    hwloc_topology_t hw;
    gboolean good = FALSE;

    topology->t.cpu = topology->cpu;
    topology->t.memory = topology->memory;
    topology->t.distance = topology->distance;
    topology->is_this_host = !synthetic && !xml;
    hwloc_topology_init(&hw);
    hwloc_topology_set_flags(hw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    if (xml && !g_file_test(xml, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, quark(), 0, "%s is not a file", xml);
    } else if (synthetic && hwloc_topology_set_synthetic(hw, synthetic)) {
        g_set_error(
            error, quark(), 0,
            "'%s' is no topology: for example 'pack:2 l3:1 core:4 pu:2'",
            synthetic);
    } else if ((xml && hwloc_topology_set_xml(hw, xml)) ||
               hwloc_topology_load(hw)) {
        g_set_error(error, quark(), 0, "%s: hwloc %s cannot read it",
                    xml ? xml : "this host", HWLOC_VERSION);
    } else {
        good = flatten(topology, hw, error);
    }
    hwloc_topology_destroy(hw);
    if (!good) {
        g_clear_pointer(&topology, g_free);
    }
    return topology;
}

struct place_host *host_topology_place(const HostTopology *topology,
                                       const struct place_limits *limits)
{
    size_t size = place_size(&topology->t, limits);
    void *memory = size ? aligned_alloc(64, size) : NULL;

    return memory ? place_init(memory, size, &topology->t, limits) : NULL;
}
