/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In microseconds.  Windows of 2 s need no privilege. */
#define TRIGGER "some 100000 2000000"
/* The kernel tells once in a window, so two of them are quiet when it is over. */
#define CALM_AFTER G_GUINT64_CONSTANT(4000000000)

struct PressureGroup {
    char *path; /* of the cgroup below the root */
    int fd;
    guint guests;
    gboolean armed; /* the daemon is woken when the kernel tells next */
    guint64 raised; /* when the kernel told last, or when we began to listen */
};

struct Pressure {
    char *root;
    int epoll;
    GHashTable *groups; /* by path */
};

static char *find_root(void)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL)) {
        return NULL;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) word = NULL;

        if (!strstr(*line, " - cgroup2 ")) {
            continue;
        }
        word = g_strsplit(*line, " ", 6);
        if (g_strv_length(word) == 6 && !strcmp(word[3], "/")) {
            return g_strcompress(word[4]);
        }
    }
    return NULL;
}

/*
 * Who opens a trigger's file with CAP_SYS_RESOURCE gets a real-time thread of the
 * kernel's for each cgroup (psimon), which takes a CPU from vCPUs ten times a window.
 * Without it, the kernel looks when it sums up the cgroup's pressure, as it does anyway
 * (psi_trigger_create() of Linux 6.5 and later).
 */
static void set_privilege(gboolean on)
{
    const guint32 bit = CAP_TO_MASK(CAP_SYS_RESOURCE);
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    struct __user_cap_data_struct *word = &data[CAP_TO_INDEX(CAP_SYS_RESOURCE)];

    if (!syscall(SYS_capget, &header, data)) {
        word->effective &= ~bit;
        word->effective |= on ? word->permitted & bit : 0;
        syscall(SYS_capset, &header, data);
    }
}

/* A thread's cgroup may be one of threads only; the process is in one above it. */
static char *group_path(const Pressure *p, pid_t pid)
{
    g_autofree char *file = g_strdup_printf("/proc/%d/cgroup", pid);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    char *path = NULL;

    if (!g_file_get_contents(file, &text, NULL, NULL)) {
        return NULL;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && !path; line++) {
        if (g_str_has_prefix(*line, "0::/")) {
            path = g_strdup(*line + 3);
        }
    }
    while (path && strcmp(path, "/")) {
        g_autofree char *kind =
            g_build_filename(p->root, path, "cgroup.type", NULL);
        g_autofree char *type = NULL;
        char *above;

        if (!g_file_get_contents(kind, &type, NULL, NULL) ||
            !g_str_has_prefix(type, "threaded")) {
            break;
        }
        above = g_path_get_dirname(path);
        g_free(path);
        path = above;
    }
    return path;
}

static int open_trigger(const Pressure *p, const char *path)
{
    g_autofree char *file =
        g_build_filename(p->root, path, "cpu.pressure", NULL);
    int fd = open(file, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    /* Kernels about 6.5 let no other one write there. */
    if (fd < 0 && errno == EPERM) {
        set_privilege(TRUE);
        fd = open(file, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        set_privilege(FALSE);
    }
    if (fd >= 0 && write(fd, TRIGGER, sizeof(TRIGGER)) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        fd = -1;
    }
    return fd;
}

Pressure *pressure_new(const char *root, int epoll, GError **error)
{
    Pressure *p = g_new0(Pressure, 1);
    int fd = -1;

    p->root = root ? g_strdup(root) : find_root();
    p->epoll = epoll;
    set_privilege(FALSE);
    if (!p->root) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                    "cgroup v2 is not mounted");
        pressure_free(p);
        return NULL;
    }
    fd = open_trigger(p, "/");
    if (fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "%s/cpu.pressure: %s", p->root, g_strerror(errno));
        pressure_free(p);
        return NULL;
    }
    close(fd);
    p->groups = g_hash_table_new(g_str_hash, g_str_equal);
    return p;
}

void pressure_free(Pressure *p)
{
    g_clear_pointer(&p->groups, g_hash_table_unref);
    g_free(p->root);
    g_free(p);
}

PressureGroup *pressure_join(Pressure *p, pid_t pid)
{
    g_autofree char *path = group_path(p, pid);
    struct epoll_event event = { .events = EPOLLPRI | EPOLLONESHOT };
    PressureGroup *group;
    int fd;

    if (!path) {
        return NULL;
    }
    group = g_hash_table_lookup(p->groups, path);
    if (group) {
        group->guests++;
        return group;
    }
    fd = open_trigger(p, path);
    if (fd < 0) {
        return NULL;
    }
    group = g_new0(PressureGroup, 1);
    group->path = g_steal_pointer(&path);
    group->fd = fd;
    group->guests = 1;
    group->armed = TRUE;
    event.data.ptr = group;
    epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event);
    g_hash_table_insert(p->groups, group->path, group);
    return group;
}

void pressure_leave(Pressure *p, PressureGroup *group)
{
    if (--group->guests) {
        return;
    }
    g_hash_table_remove(p->groups, group->path);
    close(group->fd);
    g_free(group->path);
    g_free(group);
}

gboolean pressure_is_of(const Pressure *p, const PressureGroup *group,
                        pid_t pid)
{
    g_autofree char *path = group_path(p, pid);

    return !g_strcmp0(path, group ? group->path : NULL);
}

void pressure_raised(PressureGroup *group, guint64 now)
{
    group->raised = now;
    group->armed = FALSE;
}

void pressure_look(Pressure *p, guint64 now)
{
    GHashTableIter all;
    gpointer value;

    g_hash_table_iter_init(&all, p->groups);
    while (g_hash_table_iter_next(&all, NULL, &value)) {
        PressureGroup *group = value;
        struct epoll_event event = { .events = EPOLLPRI | EPOLLONESHOT,
                                     .data.ptr = group };
        struct pollfd told = { .fd = group->fd, .events = POLLPRI };

        if (group->armed) {
            continue;
        }
        if (poll(&told, 1, 0) > 0) {
            group->raised = now;
        } else if (pressure_is_calm(group, now)) {
            group->armed =
                !epoll_ctl(p->epoll, EPOLL_CTL_MOD, group->fd, &event);
        }
    }
}

gboolean pressure_is_calm(const PressureGroup *group, guint64 now)
{
    return now - group->raised > CALM_AFTER;
}
