/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include "topology.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define HEADER "xen-place state 1\n"

gboolean mask_get(pid_t tid, struct place_set *set)
{
    /* As the kernel has it: a bitmap of unsigned longs.  It is read in each window. */
    union {
        cpu_set_t cpus[PLACE_MAX_CPUS / CPU_SETSIZE];
        unsigned long word[PLACE_MAX_CPUS / (8 * sizeof(long))];
    } mask;
    const unsigned int bits = 8 * sizeof(long);

    if (sched_getaffinity(tid, sizeof(mask.cpus), mask.cpus)) {
        return FALSE;
    }
    memset(set, 0, sizeof(*set));
    for (unsigned int i = 0; i < G_N_ELEMENTS(mask.word); i++) {
        set->word[i * bits / 64] |= (uint64_t)mask.word[i] << (i * bits % 64);
    }
    return TRUE;
}

gboolean mask_set(pid_t tid, const struct place_set *set)
{
    cpu_set_t cpus[PLACE_MAX_CPUS / CPU_SETSIZE];

    CPU_ZERO_S(sizeof(cpus), cpus);
    for (int i = 0; i < PLACE_MAX_CPUS; i++) {
        if (set->word[i / 64] >> (i % 64) & 1) {
            CPU_SET_S(i, sizeof(cpus), cpus);
        }
    }
    return !sched_setaffinity(tid, sizeof(cpus), cpus);
}

gboolean mask_equal(const struct place_set *a, const struct place_set *b)
{
    return !memcmp(a, b, sizeof(*a));
}

guint64 thread_born(pid_t tid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", tid);
    g_autofree char *text = NULL;
    char *at;
    guint64 born = 0;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return 0;
    }
    /* The name may have any character, so count from its end. */
    at = strrchr(text, ')');
    for (int i = 0; at && i < 20; i++) {
        at = strchr(at + 1, ' ');
    }
    if (at) {
        born = g_ascii_strtoull(at, NULL, 10);
    }
    return born;
}

int state_lock(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "lock", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "%s: %s", path, g_strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "%s: another daemon runs with this --state", folder);
        close(fd);
        fd = -1;
    }
    return fd;
}

GArray *state_read(const char *path, GError **error)
{
    GArray *threads = g_array_new(FALSE, TRUE, sizeof(StateThread));
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        return threads;
    }
    if (!g_file_get_contents(path, &text, NULL, error)) {
        g_array_unref(threads);
        return NULL;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) word = g_strsplit(*line, " ", -1);
        StateThread t;

        if (line == lines ? g_str_has_prefix(text, HEADER) : !**line) {
            continue;
        }
        if (line == lines || g_strv_length(word) != 5 ||
            !host_parse_set(word[2], &t.found) ||
            !host_parse_set(word[3], &t.set) ||
            !host_parse_set(word[4], &t.next)) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "%s is no state file of xen-place: remove it", path);
            g_array_unref(threads);
            return NULL;
        }
        t.tid = (pid_t)g_ascii_strtoull(word[0], NULL, 10);
        t.born = g_ascii_strtoull(word[1], NULL, 10);
        g_array_append_val(threads, t);
    }
    return threads;
}

gboolean state_write(const char *path, const GArray *threads, GError **error)
{
    g_autoptr(GString) text = g_string_new(HEADER);

    for (guint i = 0; i < threads->len; i++) {
        const StateThread *t = &g_array_index(threads, StateThread, i);
        char mask[3][6000];

        place_set_text(&t->found, mask[0], sizeof(mask[0]));
        place_set_text(&t->set, mask[1], sizeof(mask[1]));
        place_set_text(&t->next, mask[2], sizeof(mask[2]));
        g_string_append_printf(text, "%d %" G_GUINT64_FORMAT " %s %s %s\n",
                               t->tid, t->born, mask[0], mask[1], mask[2]);
    }
    /* It writes another file and renames that. */
    return g_file_set_contents(path, text->str, (gssize)text->len, error);
}

guint state_release(const GArray *threads,
                    gboolean (*set)(pid_t tid, const struct place_set *mask,
                                    void *opaque),
                    void *opaque)
{
    guint n = 0;

    for (guint i = 0; i < threads->len; i++) {
        const StateThread *t = &g_array_index(threads, StateThread, i);
        struct place_set now;

        if (thread_born(t->tid) == t->born && mask_get(t->tid, &now) &&
            (mask_equal(&now, &t->set) || mask_equal(&now, &t->next)) &&
            !mask_equal(&now, &t->found)) {
            n += set(t->tid, &t->found, opaque);
        }
    }
    return n;
}
