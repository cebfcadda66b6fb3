/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen-place daemon, and the commands that talk to it. */

#include "command.h"

#include "config.h"
#include "daemon.h"
#include "libvirt.h"
#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_QMP "/run/xen-place/qmp"

int command_daemon(int argc, char **argv)
{
    static char *mode, *config, *cgroup, *libvirt;
    static char *qmp_dir = (char *)DEFAULT_QMP;
    static char *state = (char *)DEFAULT_STATE;
    static int milliseconds = 2000;
    const GOptionEntry entries[] = {
        { "mode", 0, 0, G_OPTION_ARG_STRING, &mode,
          "observe (the default; changes nothing), place or balance", "MODE" },
        { "qmp-dir", 0, 0, G_OPTION_ARG_FILENAME, &qmp_dir,
          "Where QEMUs' monitors are (default: " DEFAULT_QMP ")", "DIR" },
        { "state", 0, 0, G_OPTION_ARG_FILENAME, &state,
          "Where it keeps its state (default: " DEFAULT_STATE ")", "DIR" },
        { "config", 0, 0, G_OPTION_ARG_FILENAME, &config,
          "Guests' policies and the host's limits", "FILE" },
        { "libvirt", 0, 0, G_OPTION_ARG_STRING, &libvirt,
          "Place the domains of this libvirt, too", "URI" },
        { "cgroup", 0, 0, G_OPTION_ARG_FILENAME, &cgroup,
          "Where cgroup v2 is (default: where it is mounted)", "DIR" },
        { "window", 0, 0, G_OPTION_ARG_INT, &milliseconds,
          "Milliseconds between two looks at all threads (default: 2000)",
          "MS" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GError) error = NULL;
    DaemonOptions options = { 0 };

    if (!command_options("daemon", entries, NULL, &argc, &argv)) {
        return STATUS_USAGE;
    }
    if (mode) {
        int number = config_number(config_modes, mode);

        if (number < 0) {
            return command_fail(STATUS_USAGE,
                                "daemon: --mode: '%s' is none of:"
                                " observe place balance",
                                mode);
        }
        options.has_mode = TRUE;
        options.mode = number;
    }
    if (milliseconds < 50 || milliseconds > 60000) {
        return command_fail(STATUS_USAGE,
                            "daemon: --window must be from 50 to 60000");
    }
    options.qmp_dir = qmp_dir;
    options.state_dir = state;
    options.config = config;
    options.cgroup = cgroup;
    options.libvirt = libvirt;
    options.milliseconds = (unsigned int)milliseconds;
    if (!daemon_run(&options, &error)) {
        return command_fail(STATUS_FAILED, "daemon: %s", error->message);
    }
    return STATUS_GOOD;
}

/* The daemon's answer to @request, or NULL if none runs. */
static char *ask(const char *state, const char *request)
{
    g_autofree char *path = g_build_filename(state, CONTROL_SOCKET, NULL);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval patience = { 60, 0 };
    GString *text = g_string_new(NULL);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char buffer[4096];
    ssize_t n;

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
        send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
        close(fd);
        g_string_free(text, TRUE);
        return NULL;
    }
    while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
        g_string_append_len(text, buffer, n);
    }
    close(fd);
    return g_string_free(text, FALSE);
}

static int print_answer(const char *command, const char *state,
                        const char *request)
{
    g_autofree char *text = ask(state, request);

    if (!text) {
        return command_fail(STATUS_FAILED, "%s: no daemon runs with --state %s",
                            command, state);
    }
    if (g_str_has_prefix(text, "error: ")) {
        return command_fail(STATUS_FAILED, "%s: %s", command, text + 7);
    }
    fputs(text, stdout);
    return STATUS_GOOD;
}

static char *state_option = (char *)DEFAULT_STATE;
static const GOptionEntry ask_entries[] = {
    { "state", 0, 0, G_OPTION_ARG_FILENAME, &state_option,
      "Where the daemon keeps its state (default: " DEFAULT_STATE ")", "DIR" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
};

int command_status(int argc, char **argv)
{
    static gboolean json;
    const GOptionEntry entries[] = {
        ask_entries[0],
        { "json", 0, 0, G_OPTION_ARG_NONE, &json, "For programs", NULL },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };

    if (!command_options("status", entries, NULL, &argc, &argv)) {
        return STATUS_USAGE;
    }
    return print_answer("status", state_option,
                        json ? "status\tjson\n" : "status\n");
}

int command_move(int argc, char **argv)
{
    g_autofree char *request = NULL;

    if (!command_options("move", ask_entries, "GUEST CPUS", &argc, &argv)) {
        return STATUS_USAGE;
    }
    if (argc != 3 || strlen(argv[1]) + strlen(argv[2]) > 400 ||
        strpbrk(argv[1], "\t\n") || strpbrk(argv[2], "\t\n")) {
        return command_fail(STATUS_USAGE, "move: it takes GUEST CPUS");
    }
    request = g_strdup_printf("move\t%s\t%s\n", argv[1], argv[2]);
    return print_answer("move", state_option, request);
}

int command_explain(int argc, char **argv)
{
    g_autofree char *request = NULL;
    gboolean good;

    if (!command_options("explain", ask_entries, "GUEST [vcpu N]", &argc,
                         &argv)) {
        return STATUS_USAGE;
    }
    good = (argc == 2 || (argc == 4 && !strcmp(argv[2], "vcpu") &&
                          g_ascii_isdigit(argv[3][0]))) &&
           strlen(argv[1]) < 256 && !strpbrk(argv[1], "\t\n");
    if (!good) {
        return command_fail(STATUS_USAGE,
                            "explain: it takes GUEST or GUEST vcpu N");
    }
    request = g_strdup_printf("explain\t%s%s%s\n", argv[1],
                              argc == 4 ? "\t" : "", argc == 4 ? argv[3] : "");
    return print_answer("explain", state_option, request);
}

/* By libvirt where the thread is one of its @domains', so that it knows of that. */
static gboolean restore(pid_t tid, const struct place_set *mask, void *domains)
{
    const GPtrArray *all = domains;

    for (guint i = 0; all && i < all->len; i++) {
        const LibvirtDomain *domain = g_ptr_array_index(all, i);
        g_autoptr(GArray) threads = libvirt_threads(domain);

        for (guint k = 0; threads && k < threads->len; k++) {
            const QmpThread *t = &g_array_index(threads, QmpThread, k);

            if (t->tid == tid) {
                return libvirt_pin(domain, t, mask);
            }
        }
    }
    return mask_set(tid, mask);
}

/* By the daemon if it runs, or by what it left. */
int command_release(int argc, char **argv)
{
    static char *uri;
    const GOptionEntry entries[] = {
        ask_entries[0],
        { "libvirt", 0, 0, G_OPTION_ARG_STRING, &uri,
          "The daemon's --libvirt, if the daemon was killed", "URI" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GPtrArray) domains = NULL;
    g_autoptr(GError) error = NULL;
    Libvirt *libvirt = NULL;
    g_autoptr(GArray) threads = NULL;
    g_autofree char *path = NULL, *text = NULL;

    if (!command_options("release", entries, NULL, &argc, &argv)) {
        return STATUS_USAGE;
    }
    text = ask(state_option, "release\n");
    if (text) {
        fputs(text, stdout);
        return STATUS_GOOD;
    }
    path = g_build_filename(state_option, STATE_FILE, NULL);
    threads = state_read(path, &error);
    if (!threads) {
        return command_fail(STATUS_FAILED, "release: %s", error->message);
    }
    if (uri) {
        libvirt = libvirt_open(uri, &error);
        if (!libvirt) {
            return command_fail(STATUS_FAILED, "release: %s", error->message);
        }
        domains = libvirt_domains(libvirt);
        if (domains) {
            g_ptr_array_set_free_func(domains,
                                      (GDestroyNotify)libvirt_domain_free);
        }
    }
    printf("%u masks restored\n", state_release(threads, restore, domains));
    unlink(path);
    g_clear_pointer(&domains, g_ptr_array_unref);
    g_clear_pointer(&libvirt, libvirt_close);
    return STATUS_GOOD;
}
