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
    guint32 tid[XEN_EVTCHN_TRAFFIC_PLACES];
    guint32 *seen, *now; /* rows of nr counters */
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
        page.first_row > 4096) {
        close(fd);
        return NULL;
    }
    t = g_new0(Traffic, 1);
    t->fd = fd;
    t->nr_vcpus = page.nr_vcpus;
    t->nr = xen_evtchn_traffic_sources(page.nr_vcpus);
    t->row_bytes = page.row_bytes;
    t->first_row = page.first_row;
    t->seen = g_new0(guint32, (gsize)t->nr * t->nr);
    t->now = g_new0(guint32, (gsize)t->nr * t->nr);
    return t;
}

void traffic_close(Traffic *t)
{
    close(t->fd);
    g_free(t->seen);
    g_free(t->now);
    g_free(t);
}

static TrafficEnd end_of(const Traffic *t, guint32 number,
                         const guint32 tid[XEN_EVTCHN_TRAFFIC_PLACES])
{
    if (number < t->nr_vcpus) {
        return (TrafficEnd){ .is_vcpu = TRUE, .index = number };
    }
    return (TrafficEnd){ .tid = (pid_t)tid[number - t->nr_vcpus] };
}

/* The place has had one thread since the last look. */
static gboolean is_same(const Traffic *t, guint32 number,
                        const guint32 tid[XEN_EVTCHN_TRAFFIC_PLACES])
{
    guint32 place = number - t->nr_vcpus;

    return number < t->nr_vcpus || (tid[place] && tid[place] == t->tid[place]);
}

static gint busiest_first(gconstpointer a, gconstpointer b)
{
    guint64 x = ((const TrafficPair *)a)->events;
    guint64 y = ((const TrafficPair *)b)->events;

    return x < y ? 1 : x > y ? -1 : 0;
}

/* What was counted between two sources, and the difference from what was seen. */
static guint32 news(const Traffic *t, guint32 from, guint32 to)
{
    gsize i = (gsize)from * t->nr + to;

    return t->now[i] - t->seen[i];
}

GArray *traffic_read(Traffic *t, guint64 now, guint64 *time)
{
    GArray *pairs = g_array_new(FALSE, FALSE, sizeof(TrafficPair));
    struct xen_evtchn_traffic page;
    guint32 *swap;

    *time = 0;
    if (!read_all(t->fd, &page, sizeof(page), 0)) {
        return pairs;
    }
    for (guint32 i = 0; i < t->nr; i++) {
        if (!read_all(t->fd, t->now + (gsize)i * t->nr, t->nr * sizeof(guint32),
                      t->first_row + (off_t)i * t->row_bytes)) {
            return pairs;
        }
    }
    for (guint32 i = 0; t->time && i < t->nr; i++) {
        for (guint32 k = 0; k < i; k++) {
            TrafficPair pair = { .events =
                                     (guint64)news(t, i, k) + news(t, k, i) };

            if (pair.events && is_same(t, i, page.tid) &&
                is_same(t, k, page.tid)) {
                pair.a = end_of(t, k, page.tid);
                pair.b = end_of(t, i, page.tid);
                g_array_append_val(pairs, pair);
            }
        }
    }
    g_array_sort(pairs, busiest_first);
    *time = t->time ? now - t->time : 0;
    t->time = now;
    memcpy(t->tid, page.tid, sizeof(t->tid));
    swap = t->seen;
    t->seen = t->now;
    t->now = swap;
    return pairs;
}
