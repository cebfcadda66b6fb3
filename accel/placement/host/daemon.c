/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon.h"

#include "guest.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const struct place_limits limits = {
    .max_vms = 4096,
    .max_threads = 16384,
    .max_edges = 16384,
    .max_classes = 64,
};

typedef struct Daemon {
    const DaemonOptions *options;
    HostTopology *topology;
    Guests guests;
    struct place_set online;
    int control, lock, signals, epoll;
    int online_file; /* the kernel's list of CPUs that are online */
    gboolean stop;
} Daemon;

static void fail(GError **error, const char *what)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s",
                what, g_strerror(errno));
}

static int open_control(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, CONTROL_SOCKET, NULL);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
    } else {
        strcpy(address.sun_path, path);
        /* We have the lock, so the daemon that had the socket is gone. */
        unlink(path);
        if (!bind(fd, (struct sockaddr *)&address, sizeof(address)) &&
            !chmod(path, 0600) && !listen(fd, 8)) {
            return fd;
        }
    }
    fail(error, path);
    close(fd);
    return -1;
}

static gboolean read_online(const Daemon *d, struct place_set *set)
{
    char text[4096];
    ssize_t n = pread(d->online_file, text, sizeof(text) - 1, 0);

    text[MAX(n, 0)] = 0;
    return n > 0 && host_parse_set(text, set);
}

/* TRUE if CPUs came or went, of which the core is told. */
static gboolean cpus_changed(Daemon *d)
{
    struct place_set now;

    if (!read_online(d, &now) || mask_equal(&now, &d->online)) {
        return FALSE;
    }
    for (uint32_t i = 0; i < d->topology->t.nr_cpus; i++) {
        place_cpu_online(d->guests.h, i, now.word[i / 64] >> (i % 64) & 1);
    }
    d->online = now;
    return TRUE;
}

static void do_window(Daemon *d)
{
    static struct place_change change[1024];
    g_autoptr(GError) error = NULL;
    struct place_host *h = d->guests.h;
    gboolean changed = cpus_changed(d);

    guests_look(&d->guests, changed);
    guests_expect(&d->guests);
    guests_find(&d->guests, d->options->qmp_dir);
    guests_traffic(&d->guests);
    guests_sample(&d->guests);
    place_plan(h, guests_now(), change, G_N_ELEMENTS(change));
    guests_merge(&d->guests);
    guests_memory(&d->guests, d->options->milliseconds);
    if (!guests_apply(&d->guests, &error)) {
        fprintf(stderr, "xen-place: %s: no mask is set\n", error->message);
    }
}

/* Requests ------------------------------------------------------------- */

static void explain(Daemon *d, char **word, GString *out)
{
    Guest *guest = guests_named(&d->guests, word[1]);
    uint32_t thread = PLACE_NONE;
    char text[4096];

    if (!guest) {
        g_string_append_printf(out, "error: no guest '%s' is known", word[1]);
        return;
    }
    if (word[2]) {
        guint64 index = g_ascii_strtoull(word[2], NULL, 10);

        for (guint k = 0; k < guest->threads->len; k++) {
            const GuestThread *t =
                &g_array_index(guest->threads, GuestThread, k);

            if (t->qmp.is_vcpu && t->qmp.index == index) {
                thread = t->place;
            }
        }
        if (thread == PLACE_NONE) {
            g_string_append_printf(out, "error: %s has no vCPU %s", word[1],
                                   word[2]);
            return;
        }
    }
    place_explain(d->guests.h, guest->place, thread, guest->name, guests_now(),
                  text, sizeof(text));
    g_string_append_printf(out, "%s\n", text);
}

/* The cage with these CPUs, or PLACE_NONE. */
static uint32_t cage_of(const struct place_host *h, const char *cpus)
{
    struct place_cage_info info;
    struct place_set set;

    for (uint32_t i = 0; host_parse_set(cpus, &set) && i < place_nr_cages(h);
         i++) {
        place_cage_info(h, i, &info);
        if (mask_equal(&info.cpus, &set)) {
            return i;
        }
    }
    return PLACE_NONE;
}

/* Because the user asks for it, but judged as any other move. */
static void move(Daemon *d, char **word, GString *out)
{
    static struct place_change change[PLACE_MAX_MASKS];
    g_autoptr(GError) error = NULL;
    Guest *guest = guests_named(&d->guests, word[1]);
    uint32_t cage = cage_of(d->guests.h, word[2]);
    size_t n;

    if (!guest) {
        g_string_append_printf(out, "error: no guest '%s' is known", word[1]);
    } else if (cage == PLACE_NONE) {
        g_string_append_printf(
            out, "error: '%s' are not the CPUs of an LLC, a node or some nodes",
            word[2]);
    } else if (!place_force(d->guests.h, guest->place, cage, guests_now(),
                            change, G_N_ELEMENTS(change), &n)) {
        g_string_append_printf(
            out,
            "error: %s cannot be moved there: it is there, was moved in the "
            "last 10 s, or its limits, its policy or the mode forbid it",
            word[1]);
    } else if (!guests_apply(&d->guests, &error)) {
        g_string_append_printf(out, "error: %s", error->message);
    } else {
        g_string_append_printf(out, "%zu threads moved\n", n);
    }
}

/*
 * One line "status" or "release", or by tabs "status", "json"; "explain", name, vCPU;
 * "move", name, CPUs.
 */
static void answer(Daemon *d)
{
    struct timeval second = { 1, 0 };
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(GStrv) word = NULL;
    char line[512];
    size_t length = 0;
    ssize_t n = 1;
    int fd = accept4(d->control, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
    while (n > 0 && length < sizeof(line) - 1 && !memchr(line, '\n', length)) {
        n = read(fd, line + length, sizeof(line) - 1 - length);
        length += n > 0 ? (size_t)n : 0;
    }
    line[length] = 0;
    word = g_strsplit(g_strchomp(line), "\t", 3);
    if (!g_strcmp0(word[0], "status")) {
        if (g_strcmp0(word[1], "json")) {
            status_text(&d->guests, out);
        } else {
            status_json(&d->guests, out);
        }
    } else if (!g_strcmp0(word[0], "explain") && word[1]) {
        explain(d, word, out);
    } else if (!g_strcmp0(word[0], "move") && word[1] && word[2]) {
        move(d, word, out);
    } else if (!g_strcmp0(word[0], "release")) {
        g_string_append_printf(out, "%u masks restored\n",
                               guests_release(&d->guests));
        d->stop = TRUE;
    } else {
        g_string_append(out, "error: unknown request");
    }
    length = 0;
    while (length < out->len &&
           (n = send(fd, out->str + length, out->len - length, MSG_NOSIGNAL)) >
               0) {
        length += (size_t)n;
    }
    close(fd);
}

/* Its events have @fd, the daemon's own, where pressure's have a group. */
static void watch(Daemon *d, int *fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = fd };

    epoll_ctl(d->epoll, EPOLL_CTL_ADD, *fd, &event);
}

static gboolean start(Daemon *d, GError **error)
{
    const DaemonOptions *o = d->options;
    enum place_mode mode;
    g_autoptr(GError) no_pressure = NULL;
    Config *config;
    const char *uri;
    sigset_t mask;

    config = d->guests.config = config_read(o->config, error);
    if (!config) {
        return FALSE;
    }
    uri = o->libvirt ? o->libvirt : config->libvirt;
    if (uri) {
        d->guests.libvirt = libvirt_open(uri, error);
        if (!d->guests.libvirt) {
            return FALSE;
        }
    }
    mode = o->has_mode ? o->mode : config->mode;
    if (!g_file_test(o->qmp_dir, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR,
                    "--qmp-dir: %s is not a directory", o->qmp_dir);
        return FALSE;
    }
    if (g_mkdir_with_parents(o->state_dir, 0700)) {
        fail(error, o->state_dir);
        return FALSE;
    }
    d->lock = state_lock(o->state_dir, error);
    if (d->lock < 0) {
        return FALSE;
    }
    d->guests.state_path = g_build_filename(o->state_dir, STATE_FILE, NULL);
    d->guests.left = state_read(d->guests.state_path, error);
    d->topology = d->guests.left ? host_topology_new(NULL, NULL, error) : NULL;
    if (!d->topology) {
        return FALSE;
    }
    config_exclude(config, d->topology);
    d->guests.h = host_topology_place(d->topology, &limits);
    if (!d->guests.h) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "this host's topology is not supported");
        return FALSE;
    }
    place_mode_set(d->guests.h, mode);
    if (config->target) {
        place_target_set(d->guests.h, config->target);
    }
    d->guests.may_change = mode != PLACE_OBSERVE;
    guests_init(&d->guests, o->state_dir);
    if (config->move_memory && d->topology->t.nr_nodes > 1) {
        d->guests.topology = d->topology;
    } else if (config->move_memory) {
        fprintf(stderr, "xen-place: move-memory: this host has one node, so "
                        "there is nothing to move\n");
    }
    d->online_file =
        open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
    read_online(d, &d->online);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    /* A QEMU or a libvirtd that ends is not our end. */
    signal(SIGPIPE, SIG_IGN);
    d->signals = signalfd(-1, &mask, SFD_CLOEXEC);
    d->control = open_control(o->state_dir, error);
    if (d->control < 0) {
        return FALSE;
    }
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(d, &d->control);
    watch(d, &d->signals);
    d->guests.pressure = pressure_new(o->cgroup, d->epoll, &no_pressure);
    if (!d->guests.pressure) {
        fprintf(stderr,
                "xen-place: each guest is measured in each window: %s\n",
                no_pressure->message);
    }
    return TRUE;
}

static void loop(Daemon *d)
{
    uint64_t window = d->options->milliseconds * UINT64_C(1000000);
    uint64_t next = guests_now();

    while (!d->stop) {
        struct epoll_event event;
        uint64_t now = guests_now();

        if (now >= next) {
            do_window(d);
            next = now + window;
            continue;
        }
        /* One at a time: what it does may end what the next one is of. */
        if (epoll_wait(d->epoll, &event, 1,
                       (int)((next - now) / 1000000 + 1)) <= 0) {
            continue;
        }
        if (event.data.ptr == &d->signals) {
            guests_release(&d->guests);
            d->stop = TRUE;
        } else if (event.data.ptr == &d->control) {
            answer(d);
        } else {
            guests_pressure(&d->guests, event.data.ptr);
        }
    }
}

gboolean daemon_run(const DaemonOptions *options, GError **error)
{
    Daemon d = { .options = options,
                 .control = -1,
                 .lock = -1,
                 .signals = -1,
                 .epoll = -1,
                 .online_file = -1 };
    const int *fds[] = { &d.control, &d.lock, &d.signals, &d.epoll,
                         &d.online_file };
    gboolean good = start(&d, error);

    if (good) {
        fprintf(stderr,
                "xen-place: %u CPUs in %u nodes, guests' monitors in "
                "%s\n",
                d.topology->t.nr_cpus, d.topology->t.nr_nodes,
                options->qmp_dir);
        loop(&d);
    }
    guests_free(&d.guests);
    free(d.guests.h);
    g_free(d.topology);
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (*fds[i] >= 0) {
            close(*fds[i]);
        }
    }
    return good;
}
