/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen-place once: one guest, one decision, without a daemon. */

#include "command.h"

#include "guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The guest's threads, and guests that were promised room. */
static const struct place_limits limits = { 16384, 4096, 0, 64 };

/* All that @g frees again; FALSE with an error. */
static gboolean prepare(Guests *g, HostTopology *topology, const char *config,
                        const char *state, int *lock, GError **error)
{
    g->config = config_read(config, error);
    if (!g->config) {
        return FALSE;
    }
    if (g_mkdir_with_parents(state, 0700)) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "%s: %s", state, g_strerror(errno));
        return FALSE;
    }
    *lock = state_lock(state, error);
    if (*lock < 0) {
        return FALSE;
    }
    g->state_path = g_build_filename(state, STATE_FILE, NULL);
    g->left = state_read(g->state_path, error);
    if (!g->left) {
        return FALSE;
    }
    config_exclude(g->config, topology);
    g->h = host_topology_place(topology, &limits);
    if (!g->h) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "this host's topology is not supported");
        return FALSE;
    }
    place_mode_set(g->h, PLACE_START);
    if (g->config->target) {
        place_target_set(g->h, g->config->target);
    }
    command_measure(g->h, topology);
    return TRUE;
}

/* What it would set, or has set: a line for each thread. */
static void print_masks(const Guests *g, const Guest *guest)
{
    for (guint i = 0; i < guest->threads->len; i++) {
        const GuestThread *t = &g_array_index(guest->threads, GuestThread, i);
        struct place_set mask;
        char text[6000];

        if (!place_thread_mask(g->h, t->place, &mask)) {
            mask = t->state.set;
        }
        place_set_text(&mask, text, sizeof(text));
        printf("%s %s %u: thread %d, CPUs %s\n", guest->name,
               t->qmp.is_vcpu ? "vCPU" : "back end", t->qmp.index, t->state.tid,
               text);
    }
}

static gboolean place(Guests *g, const char *qmp, gboolean apply,
                      GError **error)
{
    Guest *guest;

    guests_expect(g);
    guest = guests_add_monitor(g, qmp);
    if (!guest) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "--qmp %s: no QEMU answers there, or another program "
                    "is its client",
                    qmp);
        return FALSE;
    }
    g->may_change = apply;
    if (!guests_apply(g, error)) {
        return FALSE;
    }
    print_masks(g, guest);
    return TRUE;
}

int command_once(int argc, char **argv)
{
    static char *qmp, *config, *state = (char *)DEFAULT_STATE;
    static gboolean apply;
    const GOptionEntry entries[] = {
        { "qmp", 0, 0, G_OPTION_ARG_FILENAME, &qmp,
          "The monitor of the guest's QEMU", "SOCKET" },
        { "apply", 0, 0, G_OPTION_ARG_NONE, &apply,
          "Set the masks; without it they are only printed", NULL },
        { "config", 0, 0, G_OPTION_ARG_FILENAME, &config,
          "Guests' policies and the host's limits", "FILE" },
        { "state", 0, 0, G_OPTION_ARG_FILENAME, &state,
          "Where masks that it finds are kept (default: " DEFAULT_STATE ")",
          "DIR" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GError) error = NULL;
    g_autofree HostTopology *topology = NULL;
    Guests g = { 0 };
    gboolean good;
    int lock = -1;

    if (!command_options("once", entries, NULL, &argc, &argv)) {
        return STATUS_USAGE;
    }
    if (!qmp) {
        return command_fail(STATUS_USAGE, "once: it needs --qmp SOCKET");
    }
    topology = host_topology_new(NULL, NULL, &error);
    if (!topology) {
        return command_fail(STATUS_FAILED, "once: %s", error->message);
    }
    guests_init(&g, state);
    good = prepare(&g, topology, config, state, &lock, &error) &&
           place(&g, qmp, apply, &error);
    guests_free(&g);
    free(g.h);
    if (lock >= 0) {
        close(lock);
    }
    return good ? STATUS_GOOD :
                  command_fail(STATUS_FAILED, "once: %s", error->message);
}
