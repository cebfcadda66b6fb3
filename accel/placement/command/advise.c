/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which node a guest would get; as xen-place advise, and as numad -w. */

#include "command.h"

#include "guest.h"
#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Guests that were promised something are VMs without threads. */
static const struct place_limits limits = { 16384, 1, 0, 1 };

#define HOLD_SECONDS 60

/* How many clock ticks each CPU has been busy and in all. */
static gboolean read_ticks(uint64_t (*ticks)[2])
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents("/proc/stat", &text, NULL, NULL)) {
        return FALSE;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        uint64_t value[8], busy = 0, all = 0;
        unsigned int cpu;

        if (sscanf(*line, "cpu%u %lu %lu %lu %lu %lu %lu %lu %lu", &cpu,
                   &value[0], &value[1], &value[2], &value[3], &value[4],
                   &value[5], &value[6], &value[7]) != 9 ||
            cpu >= PLACE_MAX_CPUS) {
            continue;
        }
        for (guint i = 0; i < 8; i++) {
            all += value[i];
            busy += i == 3 || i == 4 ? 0 : value[i]; /* idle, iowait */
        }
        ticks[cpu][0] = busy;
        ticks[cpu][1] = all;
    }
    return TRUE;
}

void command_measure(struct place_host *h, const HostTopology *topology)
{
    static uint64_t before[PLACE_MAX_CPUS][2], after[PLACE_MAX_CPUS][2];
    static uint32_t load[PLACE_MAX_CPUS];

    if (!read_ticks(before)) {
        return;
    }
    g_usleep(500000);
    read_ticks(after);
    for (uint32_t i = 0; i < topology->t.nr_cpus; i++) {
        uint64_t all = after[i][1] - before[i][1];

        if (topology->cpu[i].exists && all) {
            load[topology->cpu[i].llc] +=
                (uint32_t)((after[i][0] - before[i][0]) * PLACE_ONE / all);
        }
    }
    for (uint32_t i = 0; i < topology->t.nr_llcs; i++) {
        place_others(h, i, load[i]);
    }
}

static struct place_host *this_or_other(const char *synthetic, const char *xml,
                                        HostTopology **topology)
{
    g_autoptr(GError) error = NULL;
    struct place_host *h;

    *topology = host_topology_new(synthetic, xml, &error);
    if (!*topology) {
        command_fail(STATUS_USAGE, "%s", error->message);
        return NULL;
    }
    h = host_topology_place(*topology, &limits);
    if (!h) {
        command_fail(STATUS_FAILED, "this topology is not supported");
        g_clear_pointer(topology, g_free);
        return NULL;
    }
    /* Dedicated cores that were promised are taken. */
    place_mode_set(h, PLACE_START);
    if ((*topology)->is_this_host) {
        command_measure(h, *topology);
    }
    return h;
}

/*
 * Chooses nodes, and promises them for @hold seconds, so that the next one to
 * ask does not get the same room.  FALSE with an error if nothing was promised.
 */
static gboolean choose(struct place_host *h, const struct place_vm_config *c,
                       const char *folder, int hold, gboolean always,
                       struct place_verdict *v, GError **error)
{
    g_autoptr(Ledger) ledger = NULL;
    uint64_t now = guests_now();

    if (folder) {
        g_autofree char *path = g_build_filename(folder, LEDGER_FILE, NULL);

        /* Who only asks needs no right to write there, and none to read. */
        if (!hold && access(path, R_OK | W_OK)) {
            folder = NULL;
        } else {
            ledger = ledger_open(folder, now, error);
        }
    }
    for (guint i = 0; ledger && i < ledger->promises->len; i++) {
        struct place_vm_config other;
        struct place_verdict ignored;
        uint32_t vm;

        promise_config(&g_array_index(ledger->promises, Promise, i), now,
                       &other);
        place_vm_add(h, &other, now, &vm, &ignored);
    }
    place_advise(h, c, v);
    if (!ledger || !hold || !(v->fits || always)) {
        return ledger || !folder;
    }
    ledger_add(ledger, h, c, v->cage, now + (uint64_t)hold * PLACE_SECOND);
    return ledger_write(ledger, error);
}

int command_advise(int argc, char **argv)
{
    static char *memory, *policy, *synthetic, *xml, *state;
    static int vcpus, hold = HOLD_SECONDS;
    const GOptionEntry entries[] = {
        { "vcpus", 0, 0, G_OPTION_ARG_INT, &vcpus, "How many", "N" },
        { "memory", 0, 0, G_OPTION_ARG_STRING, &memory,
          "In MiB, or with G or T after it", "M" },
        { "policy", 0, 0, G_OPTION_ARG_STRING, &policy,
          "shared (the default), dedicated or dense", "POLICY" },
        { "topology", 0, 0, G_OPTION_ARG_STRING, &synthetic,
          "Of a host that hwloc describes so, not of this one", "TEXT" },
        { "xml", 0, 0, G_OPTION_ARG_FILENAME, &xml,
          "Of a host that lstopo has written into this file", "FILE" },
        { "hold", 0, 0, G_OPTION_ARG_INT, &hold,
          "Keep its room free for so long (default: 60)", "SECONDS" },
        { "state", 0, 0, G_OPTION_ARG_FILENAME, &state,
          "Where the ledger of promises is (default: " DEFAULT_STATE ")",
          "DIR" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    struct place_vm_config c = { 0 };
    struct place_verdict v;
    g_autoptr(GError) error = NULL;
    g_autofree HostTopology *topology = NULL;
    g_autofree char *nodes = NULL;
    struct place_host *h;
    char text[1024];

    if (!command_options("advise", entries, NULL, &argc, &argv)) {
        return STATUS_USAGE;
    }
    if (vcpus < 1 || vcpus > 4096) {
        return command_fail(STATUS_USAGE,
                            "advise: --vcpus must be from 1 to 4096");
    }
    c.vcpus = (uint32_t)vcpus;
    if (!memory || !command_memory(memory, &c.memory)) {
        return command_fail(STATUS_USAGE, "advise: --memory must be a number, "
                                          "with M, G or T after it or nothing");
    }
    if (policy &&
        (!command_policy(policy, &c.policy) || c.policy >= PLACE_IGNORE)) {
        return command_fail(STATUS_USAGE,
                            "advise: --policy: '%s' is none of: "
                            "shared dedicated dense",
                            policy);
    }
    if (synthetic && xml) {
        return command_fail(STATUS_USAGE,
                            "advise: either --topology or --xml, not both");
    }
    if (hold < 0 || hold > 86400) {
        return command_fail(STATUS_USAGE,
                            "advise: --hold must be from 0 to 86400");
    }
    h = this_or_other(synthetic, xml, &topology);
    if (!h) {
        return STATUS_USAGE;
    }
    /* Another host's promises are somewhere only if that is said. */
    if (!state && topology->is_this_host) {
        state = (char *)DEFAULT_STATE;
    }
    if (!choose(h, &c, state, hold, FALSE, &v, &error)) {
        free(h);
        return command_fail(STATUS_FAILED,
                            "advise: %s: be root, or --hold 0 to only ask",
                            error->message);
    }
    place_verdict_text(h, &c, &v, text, sizeof(text));
    nodes = command_nodes(topology, &v);
    free(h);
    if (!v.fits) {
        return command_fail(STATUS_NO_ROOM, "%s", text);
    }
    puts(nodes);
    fprintf(stderr, "xen-place: %s\n", text);
    return STATUS_GOOD;
}

/*
 * libvirt runs "numad -w N:MB" for <vcpu placement='auto'/>, and takes a list of
 * nodes.  It must get one, so a guest without room gets all nodes.
 */
int command_numad(int argc, char **argv)
{
    struct place_vm_config c = { 0 };
    struct place_verdict v;
    g_autofree HostTopology *topology = NULL;
    g_autofree char *nodes = NULL;
    const char *request = NULL, *state = g_getenv("XEN_PLACE_STATE");
    char *end = NULL;
    g_autoptr(GError) error = NULL;
    struct place_host *h;

    if (argc == 3 && !strcmp(argv[1], "-w")) {
        request = argv[2];
    } else if (argc == 2 && g_str_has_prefix(argv[1], "-w")) {
        request = argv[1] + 2;
    }
    if (request && g_ascii_isdigit(*request)) {
        guint64 n = g_ascii_strtoull(request, &end, 10);

        c.vcpus = n <= 4096 ? (uint32_t)n : 0;
        if (*end == ':' && !command_memory(end + 1, &c.memory)) {
            end = NULL;
        }
    }
    if (!end || (*end && *end != ':') || !c.vcpus) {
        return command_fail(STATUS_USAGE,
                            "as numad it takes -w CPUS[:MB] only");
    }
    h = this_or_other(NULL, NULL, &topology);
    if (!h) {
        return STATUS_FAILED;
    }
    if (!state) {
        state = DEFAULT_STATE;
    }
    /* libvirt gets its answer also if that cannot be promised. */
    if (!choose(h, &c, state, HOLD_SECONDS, TRUE, &v, &error)) {
        command_fail(STATUS_FAILED, "%s", error->message);
    }
    nodes = command_nodes(topology, &v);
    puts(nodes);
    free(h);
    return STATUS_GOOD;
}

int command_topology(int argc, char **argv)
{
    static char *synthetic, *xml;
    const GOptionEntry entries[] = {
        { "topology", 0, 0, G_OPTION_ARG_STRING, &synthetic,
          "Of a host that hwloc describes so, not of this one", "TEXT" },
        { "xml", 0, 0, G_OPTION_ARG_FILENAME, &xml,
          "Of a host that lstopo has written into this file", "FILE" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    static const char *const kinds[] = { "LLC", "node", "nodes", "all" };
    g_autofree HostTopology *topology = NULL;
    g_autoptr(GError) error = NULL;
    struct place_host *h;

    if (!command_options("topology", entries, NULL, &argc, &argv)) {
        return STATUS_USAGE;
    }
    topology = host_topology_new(synthetic, xml, &error);
    if (!topology) {
        return command_fail(STATUS_USAGE, "topology: %s", error->message);
    }
    h = host_topology_place(topology, &limits);
    if (!h) {
        return command_fail(STATUS_FAILED, "this topology is not supported");
    }
    printf("%u nodes, %u LLCs, %u cores; cages:\n", topology->t.nr_nodes,
           topology->t.nr_llcs, topology->t.nr_cores);
    for (uint32_t i = 0; i < place_nr_cages(h); i++) {
        struct place_cage_info info;
        char text[4096];

        place_cage_info(h, i, &info);
        place_set_text(&info.cpus, text, sizeof(text));
        printf("%-5s %4u cores, capacity %6.2f: %s\n", kinds[info.kind],
               info.nr_cores, info.capacity / (double)PLACE_ONE, text);
    }
    free(h);
    return STATUS_GOOD;
}
