/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processors: how many, where they run, what share they have, and virtual NUMA nodes.
 */

#include <stdlib.h>
#include <string.h>

#include "domain.h"

/* What QEMU's i440fx machines take without an IOMMU. */
#define MAX_VCPUS 255
/* A processor that a list may name. */
#define MAX_PCPU 4095

/*
 * Checks a list of processors as libvirt writes it: "0-3,5,^1".  xl knows "all" and
 * "node:N", too.  Returns false with a message if it is none of ours.
 */
static gboolean is_cpu_list(Conversion *c, int line, const char *key,
                            const char *list)
{
    /* An empty list is one of an empty string. */
    g_auto(GStrv) parts = g_strsplit(*list ? list : " ", ",", -1);
    gboolean is_first = TRUE;

    if (strstr(list, "node") || g_str_has_prefix(list, "all,")) {
        report_warning(c, line,
                       "%s: '%s' dropped: it depends on the old host's "
                       "processors: give their numbers", key, list);
        return FALSE;
    }
    for (char **part = parts; *part; part++, is_first = FALSE) {
        const char *text = g_strstrip(*part);
        g_auto(GStrv) ends = NULL;
        long from, to;

        /* "^5" takes one away from those before it. */
        text += *text == '^' && !is_first;
        ends = g_strsplit(text, "-", 2);
        if (!ends[0] || !g_ascii_isdigit(*ends[0]) ||
            !number_in(ends[0], 0, MAX_PCPU, &from) ||
            (ends[1] && (*text == '^' || !g_ascii_isdigit(*ends[1]) ||
                         !number_in(ends[1], from, MAX_PCPU, &to))) ||
            (ends[1] && text != *part && text[-1] == '^')) {
            report_error(c, line,
                         "%s: '%s' is no list of processors: give one like "
                         "0-3,5", key, list);
            return FALSE;
        }
    }
    return TRUE;
}

/* "0-3, 5" without the blanks, which libvirt's schema does not take. */
static char *without_blanks(const char *list)
{
    g_auto(GStrv) parts = g_strsplit_set(list, " \t", -1);

    return g_strjoinv("", parts);
}

/* One list for all vCPUs, or a list for each. */
static void map_affinity(Conversion *c, Settings *cfg, const char *key,
                         long vcpus, void (*pin)(Conversion *, int, const char *))
{
    Setting *s = setting(cfg, key);
    g_auto(GStrv) lists = NULL;

    if (!s) {
        return;
    }
    lists = setting_strings(cfg, key);
    for (int i = 0; lists[i]; i++) {
        g_autofree char *list = without_blanks(lists[i]);

        if (strcmp(list, "all") && i < vcpus &&
            is_cpu_list(c, s->line, key, list)) {
            pin(c, s->value->list ? i : -1, list);
        }
    }
}

static void pin_hard(Conversion *c, int vcpu, const char *list)
{
    if (vcpu < 0) {
        set(child(c->domain, "vcpu"), "cpuset", list);
    } else {
        xmlNodePtr pin = add(child(c->domain, "cputune"), "vcpupin", NULL);

        set_number(pin, "vcpu", vcpu);
        set(pin, "cpuset", list);
    }
}

static void pin_soft(Conversion *c, int vcpu, const char *list)
{
    xmlNodePtr metadata = child(c->domain, "metadata");
    xmlNodePtr placement = find_child(metadata, "placement");
    xmlNodePtr soft;

    if (!placement) {
        placement = add(metadata, "placement", NULL);
        xmlSetNs(placement, xmlNewNs(placement, BAD_CAST METADATA_NAMESPACE,
                                     BAD_CAST "xenkvm"));
    }
    soft = xmlNewChild(placement, placement->ns, BAD_CAST "softAffinity", NULL);
    if (vcpu >= 0) {
        set_number(soft, "vcpu", vcpu);
    }
    set(soft, "cpuset", list);
}

void map_cpus(Conversion *c, Settings *cfg)
{
    long vcpus = 1, maxvcpus, weight, cap;
    gboolean has_max = setting_number(cfg, "maxvcpus", 1, MAX_VCPUS, &maxvcpus);
    xmlNodePtr node;

    if (!setting_number(cfg, "vcpus", 1, MAX_VCPUS, &vcpus) && has_max) {
        vcpus = maxvcpus;
    }
    if (!has_max) {
        maxvcpus = vcpus;
    }
    if (maxvcpus < vcpus) {
        report_error(c, setting_line(cfg, "maxvcpus"),
                     "maxvcpus: %ld is less than the %ld of vcpus: raise it",
                     maxvcpus, vcpus);
        return;
    }
    node = add_number(c->domain, "vcpu", maxvcpus);
    set(node, "placement", "static");
    if (maxvcpus != vcpus) {
        set_number(node, "current", vcpus);
    }
    map_affinity(c, cfg, "cpus", maxvcpus, pin_hard);
    map_affinity(c, cfg, "cpus_soft", maxvcpus, pin_soft);
    if (setting_number(cfg, "cpu_weight", 1, 65535, &weight)) {
        add_number(child(c->domain, "cputune"), "shares", weight * 4);
    }
    if (setting_number(cfg, "cap", 0, MAX_VCPUS * 100, &cap) && cap) {
        node = child(c->domain, "cputune");
        add_number(node, "global_period", 100000);
        add_number(node, "global_quota", cap * 1000);
    }
}

typedef struct VirtualNode {
    long pnode, size;
    char *vcpus;
    char *distances;
} VirtualNode;

/* A node is a list of strings, one key in each; its values may have commas. */
static gboolean read_node(Conversion *c, int line, const Value *value,
                          VirtualNode *node)
{
    gboolean has_pnode = FALSE, has_size = FALSE;

    for (unsigned int i = 0; value->list && i < value->list->len; i++) {
        const Value *item = g_ptr_array_index(value->list, i);
        g_auto(GStrv) pair = g_strsplit(item->string ? item->string : "", "=", 2);
        const Key *key;
        g_autofree char *name = NULL;

        if (!pair[0] || !pair[1] ||
            !(key = key_find(&keys_vnuma, g_strstrip(pair[0])))) {
            report_error(c, line, "vnuma: '%s' is no key with a value: see "
                         "xl.cfg(5)", item->string ? item->string : "a list");
            return FALSE;
        }
        name = g_strdup_printf("vnuma.%s", key->name);
        report_key(c, line, name, key);
        if (!strcmp(key->name, "pnode")) {
            has_pnode = number_in(pair[1], 0, 1023, &node->pnode);
        } else if (!strcmp(key->name, "size")) {
            has_size = number_in(pair[1], 1, 1 << 24, &node->size);
        } else {
            char **text = strcmp(key->name, "vcpus") ? &node->distances
                                                     : &node->vcpus;

            g_free(*text);
            *text = without_blanks(pair[1]);
        }
    }
    if (!has_pnode || !has_size || !node->vcpus || !node->distances) {
        report_error(c, line, "vnuma: each node needs pnode, size, vcpus and "
                     "vdistances");
        return FALSE;
    }
    return is_cpu_list(c, line, "vnuma.vcpus", node->vcpus);
}

static gboolean add_cell(Conversion *c, int line, unsigned int id,
                         unsigned int nodes, const VirtualNode *node)
{
    xmlNodePtr numa = child(child(c->domain, "cpu"), "numa");
    xmlNodePtr cell = add(numa, "cell", NULL);
    xmlNodePtr distances = add(cell, "distances", NULL);
    g_auto(GStrv) values = g_strsplit(node->distances, ",", -1);
    g_autofree char *pnode = g_strdup_printf("%ld", node->pnode);
    xmlNodePtr memnode;

    set_number(cell, "id", id);
    set(cell, "cpus", node->vcpus);
    set_number(cell, "memory", node->size);
    set(cell, "unit", "MiB");
    if (g_strv_length(values) != nodes) {
        report_error(c, line, "vnuma: vdistances has %u numbers: give one for "
                     "each of the %u nodes", g_strv_length(values), nodes);
        return FALSE;
    }
    for (unsigned int i = 0; i < nodes; i++) {
        xmlNodePtr sibling = add(distances, "sibling", NULL);
        long distance;

        if (!number_in(values[i], 10, 254, &distance) ||
            (i == id) != (distance == 10)) {
            report_error(c, line, "vnuma: a distance is 10 to the node itself, "
                         "and 11 to 254 to others: not '%s'", values[i]);
            return FALSE;
        }
        set_number(sibling, "id", i);
        set_number(sibling, "value", distance);
    }
    memnode = add(child(c->domain, "numatune"), "memnode", NULL);
    set_number(memnode, "cellid", id);
    set(memnode, "mode", "strict");
    set(memnode, "nodeset", pnode);
    return TRUE;
}

void map_vnuma(Conversion *c, Settings *cfg)
{
    Setting *s = c->guest == GUEST_PV ? NULL : setting(cfg, "vnuma");
    unsigned int nodes = s && s->value->list ? s->value->list->len : 0;
    long total = 0;

    if (s && !s->value->list) {
        report_error(c, s->line, "vnuma: give a list of nodes");
    }
    for (unsigned int i = 0; i < nodes; i++) {
        VirtualNode node = { 0 };
        gboolean is_good =
            read_node(c, s->line, g_ptr_array_index(s->value->list, i), &node) &&
            add_cell(c, s->line, i, nodes, &node);

        total += node.size;
        g_free(node.vcpus);
        g_free(node.distances);
        if (!is_good) {
            return;
        }
    }
    if (nodes) {
        /* As in xl, the nodes' sizes are what counts. */
        remove_node(find_child(c->domain, "memory"));
        set(add_number(c->domain, "memory", total), "unit", "MiB");
    }
}
