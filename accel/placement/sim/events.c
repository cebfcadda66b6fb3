/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "events.h"

void events_init(Events *e, uint32_t nr_sources)
{
    e->nr = nr_sources;
    e->time = g_new(uint64_t, nr_sources);
    e->heap = g_new(uint32_t, nr_sources);
    e->at = g_new(uint32_t, nr_sources);
    for (uint32_t i = 0; i < nr_sources; i++) {
        e->time[i] = UINT64_MAX;
        e->heap[i] = e->at[i] = i;
    }
}

void events_clear(Events *e)
{
    g_free(e->time);
    g_free(e->heap);
    g_free(e->at);
}

/* Sources of the same time by their number, so that each run is the same. */
static gboolean before(const Events *e, uint32_t a, uint32_t b)
{
    return e->time[a] != e->time[b] ? e->time[a] < e->time[b] : a < b;
}

static void put(Events *e, uint32_t at, uint32_t source)
{
    e->heap[at] = source;
    e->at[source] = at;
}

void events_set(Events *e, uint32_t source, uint64_t time)
{
    uint32_t at = e->at[source], child;

    e->time[source] = time;
    while (at && before(e, source, e->heap[(at - 1) / 2])) {
        put(e, at, e->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    while ((child = 2 * at + 1) < e->nr) {
        if (child + 1 < e->nr &&
            before(e, e->heap[child + 1], e->heap[child])) {
            child++;
        }
        if (!before(e, e->heap[child], source)) {
            break;
        }
        put(e, at, e->heap[child]);
        at = child;
    }
    put(e, at, source);
}
