/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB_A_SECOND 64
#define PIECE_MICROSECONDS 20000
#define MOST_PAGES 256
/* Guest memory; what is smaller is QEMU's own. */
#define LEAST_BYTES (16 << 20)
/* As <numaif.h> of libnuma has it. */
#define MOVE_OWN 2

struct MemoryMove {
    pid_t pid;
    int from, to;
    guint64 next; /* address */
    guint pages; /* of a piece */
    guint64 moved, refused; /* pages */
};

MemoryMove *memory_move_new(pid_t pid, unsigned int from, unsigned int to)
{
    MemoryMove *m = g_new0(MemoryMove, 1);

    m->pid = pid;
    m->from = (int)from;
    m->to = (int)to;
    m->pages = MOST_PAGES;
    return m;
}

void memory_move_free(MemoryMove *m)
{
    g_free(m);
}

/* Writable memory of the process from @next on. */
static gboolean find(const MemoryMove *m, guint64 *begin, guint64 *end)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/maps", m->pid);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return FALSE;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        char rights[5];

        if (sscanf(*line, "%" SCNx64 "-%" SCNx64 " %4s", begin, end, rights) ==
                3 &&
            rights[1] == 'w' && *end - *begin >= LEAST_BYTES &&
            *end > m->next) {
            *begin = MAX(*begin, m->next);
            return TRUE;
        }
    }
    return FALSE;
}

/* Moves those of @n pages at @begin that are on the node; FALSE: it cannot. */
static gboolean move_piece(MemoryMove *m, guint64 begin, guint n)
{
    void *page[MOST_PAGES];
    int node[MOST_PAGES], status[MOST_PAGES];
    guint there = 0;
    long size = sysconf(_SC_PAGESIZE);

    for (guint i = 0; i < n; i++) {
        page[i] = (void *)(uintptr_t)(begin + i * (guint64)size);
    }
    if (syscall(SYS_move_pages, m->pid, (unsigned long)n, page, NULL, status,
                0)) {
        return FALSE;
    }
    for (guint i = 0; i < n; i++) {
        if (status[i] == m->from) {
            page[there] = page[i];
            node[there++] = m->to;
        }
    }
    if (!there) {
        return TRUE;
    }
    if (syscall(SYS_move_pages, m->pid, (unsigned long)there, page, node,
                status, MOVE_OWN) < 0) {
        return FALSE;
    }
    for (guint i = 0; i < there; i++) {
        m->moved += status[i] == m->to;
        m->refused += status[i] != m->to;
    }
    return TRUE;
}

gboolean memory_move_step(MemoryMove *m, unsigned int milliseconds)
{
    guint64 size = (guint64)sysconf(_SC_PAGESIZE), begin, end;
    guint64 most =
        m->moved + m->refused +
        (guint64)milliseconds * MIB_A_SECOND * (1 << 20) / 1000 / size;

    /* Also pages that need no move cost time. */
    gint64 until = g_get_monotonic_time() + milliseconds * 250;

    while (find(m, &begin, &end)) {
        while (begin < end) {
            guint n = (guint)MIN((end - begin) / size, m->pages);
            gint64 start = g_get_monotonic_time();

            if (m->moved + m->refused >= most || start > until) {
                return TRUE;
            }
            if (!n || !move_piece(m, begin, n)) {
                return FALSE;
            }
            begin += n * size;
            m->next = begin;
            if (g_get_monotonic_time() - start > PIECE_MICROSECONDS) {
                m->pages = MAX(m->pages / 2, 1);
            }
        }
    }
    return FALSE;
}

guint64 memory_moved(const MemoryMove *m, guint64 *refused)
{
    *refused = m->refused;
    return m->moved * (guint64)sysconf(_SC_PAGESIZE) >> 20;
}
