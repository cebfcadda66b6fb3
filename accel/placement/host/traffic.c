/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traffic.h"

#include "event_traffic.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any QEMU has. */
#define MAX_VCPUS 4096

struct Traffic {
    int fd;
    guint32 nr_vcpus, nr; /* of sources and so of targets */
    guint32 row_bytes, first_row;
    guint64 time; /* of the last look; 0: none yet */
    size_t size;
    char *seen, *now; /* the whole page, the last and the new one */
};

static gboolean read_all(int fd, void *to, size_t size, off_t offset)
{
    return pread(fd, to, size, offset) == (ssize_t)size;
}

Traffic *traffic_open(const char *path, pid_t pid)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct xen_evtchn_traffic page;
    Traffic *t;
    struct stat st;

    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
        !read_all(fd, &page, sizeof(page), 0) ||
        page.magic != XEN_EVTCHN_TRAFFIC_MAGIC ||
        page.version != XEN_EVTCHN_TRAFFIC_VERSION ||
        page.pid != (guint32)pid || page.nr_vcpus > MAX_VCPUS ||
        page.row_bytes != xen_evtchn_traffic_row_bytes(page.nr_vcpus) ||
        page.first_row > 4096 || page.first_row % sizeof(guint32)) {
        close(fd);
        return NULL;
    }
    t = g_new0(Traffic, 1);
    t->fd = fd;
    t->nr_vcpus = page.nr_vcpus;
    t->nr = xen_evtchn_traffic_sources(page.nr_vcpus);
    t->row_bytes = page.row_bytes;
    t->first_row = page.first_row;
    t->size = t->first_row + (size_t)t->nr * t->row_bytes;
    t->seen = g_malloc0(t->size);
    t->now = g_malloc0(t->size);
    return t;
}

void traffic_close(Traffic *t)
{
    close(t->fd);
    g_free(t->seen);
    g_free(t->now);
    g_free(t);
}

/* The thread that has a place's row, or 0. */
static guint32 tid_of(const char *page, guint32 place)
{
    return ((const struct xen_evtchn_traffic *)page)->tid[place];
}

static TrafficEnd end_of(const Traffic *t, guint32 number)
{
    if (number < t->nr_vcpus) {
        return (TrafficEnd){ .is_vcpu = TRUE, .index = number };
    }
    return (TrafficEnd){ .tid = (pid_t)tid_of(t->now, number - t->nr_vcpus) };
}

/* The place has had one thread since the last look. */
static gboolean is_same(const Traffic *t, guint32 number)
{
    guint32 place = number - t->nr_vcpus;

    return number < t->nr_vcpus ||
           (tid_of(t->now, place) &&
            tid_of(t->now, place) == tid_of(t->seen, place));
}

static gint busiest_first(gconstpointer a, gconstpointer b)
{
    guint64 x = ((const TrafficPair *)a)->events;
    guint64 y = ((const TrafficPair *)b)->events;

    return x < y ? 1 : x > y ? -1 : 0;
}

/* What was counted from one source to another since the last look. */
static guint32 news(const Traffic *t, guint32 from, guint32 to)
{
    size_t at =
        t->first_row + (size_t)from * t->row_bytes + to * sizeof(guint32);

    return *(const guint32 *)(t->now + at) - *(const guint32 *)(t->seen + at);
}

GArray *traffic_read(Traffic *t, guint64 now, guint64 *time)
{
    GArray *pairs = g_array_new(FALSE, FALSE, sizeof(TrafficPair));
    char *swap;

    *time = 0;
    /* At once: each call costs more than what it copies. */
    if (!read_all(t->fd, t->now, t->size, 0)) {
        return pairs;
    }
    for (guint32 i = 0; t->time && i < t->nr; i++) {
        for (guint32 k = 0; is_same(t, i) && k < i; k++) {
            TrafficPair pair = { .events =
                                     (guint64)news(t, i, k) + news(t, k, i) };

            if (pair.events && is_same(t, k)) {
                pair.a = end_of(t, k);
                pair.b = end_of(t, i);
                g_array_append_val(pairs, pair);
            }
        }
    }
    g_array_sort(pairs, busiest_first);
    *time = t->time ? now - t->time : 0;
    t->time = now;
    swap = t->seen;
    t->seen = t->now;
    t->now = swap;
    return pairs;
}
