/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen-place: where a host's guests run, and why. */

#include "command.h"

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    { "daemon", command_daemon, "find guests, and place them" },
    { "once", command_once, "place one guest, without a daemon" },
    { "status", command_status, "what the daemon knows" },
    { "explain", command_explain, "why a guest is where it is" },
    { "move", command_move, "move a guest, and judge what it did" },
    { "release", command_release, "restore all masks, end the daemon" },
    { "advise", command_advise, "which node a guest would get" },
    { "simulate", command_simulate, "many guests on a host of any shape" },
    { "topology", command_topology, "what is known of the host's CPUs" },
};

int command_fail(int status, const char *format, ...)
{
    va_list args;

    fputs("xen-place: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return status;
}

gboolean command_options(const char *name, const GOptionEntry *entries,
                         const char *arguments, int *argc, char ***argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(arguments);
    g_autoptr(GError) error = NULL;
    g_autofree char *program = g_strconcat("xen-place ", name, NULL);

    g_set_prgname(program);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        command_fail(STATUS_USAGE, "%s: %s: see xen-place %s --help", name,
                     error->message, name);
        return FALSE;
    }
    if (!arguments && *argc > 1) {
        command_fail(STATUS_USAGE, "%s: '%s' is one argument too many", name,
                     (*argv)[1]);
        return FALSE;
    }
    return TRUE;
}

gboolean command_memory(const char *text, uint64_t *memory)
{
    static const char units[] = "MGT";
    char *end;
    guint64 n;
    const char *unit;

    if (!g_ascii_isdigit(*text)) {
        return FALSE;
    }
    n = g_ascii_strtoull(text, &end, 10);
    if (n > UINT64_C(1) << 30) {
        return FALSE;
    }
    if (*end) {
        unit = strchr(units, *end);
        if (!unit || end[1]) {
            return FALSE;
        }
        n <<= 10 * (unit - units);
    }
    *memory = n;
    return n <= UINT64_C(1) << 40;
}

gboolean command_policy(const char *text, enum place_policy *policy)
{
    int number = config_number(config_policies, text);

    *policy = number < 0 ? PLACE_SHARED : number;
    return number >= 0;
}

char *command_nodes(const HostTopology *topology, const struct place_verdict *v)
{
    struct place_set set = { { 0 } };
    char text[1024];

    for (uint32_t i = 0; i < v->nr_nodes; i++) {
        unsigned int number = topology->node_number[v->node[i]];

        set.word[number / 64 % 16] |= UINT64_C(1) << (number % 64);
    }
    place_set_text(&set, text, sizeof(text));
    return g_strdup(text);
}

static void print_help(FILE *file)
{
    fputs("usage: xen-place COMMAND [OPTION...]\n\n", file);
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        fprintf(file, "  %-10s %s\n", commands[i].name, commands[i].help);
    }
    fputs("\nxen-place COMMAND --help has the options; see xen-place(8).\n",
          file);
}

int main(int argc, char **argv)
{
    const char *base = argc ? strrchr(argv[0], '/') : NULL;

    base = base ? base + 1 : argc ? argv[0] : "";
    if (!strcmp(base, "numad")) {
        return command_numad(argc, argv);
    }
    if (argc < 2) {
        return command_fail(STATUS_USAGE, "needs a command: see --help");
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_help(stdout);
        return STATUS_GOOD;
    }
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (!strcmp(argv[1], commands[i].name)) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    return command_fail(STATUS_USAGE, "unknown command '%s': see --help",
                        argv[1]);
}
