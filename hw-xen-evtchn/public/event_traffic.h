/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who wakes whom: the page that QEMU shares by -machine xen-evtchn-traffic=FILE.
 *
 * A header, then a row of counters for each source, in which is a counter for each
 * target.  Sources and targets are the same and have the same numbers: first the
 * guest's vCPUs, whether they are there or not, then places for other threads of
 * QEMU, which are those that serve its back ends.  A counter has the events that the
 * source's thread has sent: to a vCPU, those that had to interrupt it; to another
 * thread, all.  It goes on from UINT32_MAX to 0.  Of a thread that runs several
 * vCPUs all events are in the row of one of them.
 *
 * A row has one writer, the source's thread, so counting takes no atomic operation.
 * A reader looks at any time, and takes the difference from what it has seen before.
 * When the number of a place's thread has changed meanwhile, another thread has
 * the place, and its counters go on from those of the last one.
 */

#ifndef XEN_EVTCHN_EVENT_TRAFFIC_H
#define XEN_EVTCHN_EVENT_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XEN_EVTCHN_TRAFFIC_MAGIC    UINT64_C(0x6966666172547645)    /* "EvTraffi" */
#define XEN_EVTCHN_TRAFFIC_VERSION  1
#define XEN_EVTCHN_TRAFFIC_PLACES   16
#define XEN_EVTCHN_TRAFFIC_LINE     64

struct xen_evtchn_traffic {
    uint64_t magic;
    uint32_t version;
    uint32_t pid;               /* QEMU's */
    uint32_t nr_vcpus;
    uint32_t row_bytes;         /* a multiple of XEN_EVTCHN_TRAFFIC_LINE */
    uint32_t first_row;         /* from the file's beginning, in bytes */
    uint32_t reserved;
    /* The threads that have the places, or 0. */
    uint32_t tid[XEN_EVTCHN_TRAFFIC_PLACES];
};

static inline uint32_t xen_evtchn_traffic_sources(uint32_t nr_vcpus)
{
    return nr_vcpus + XEN_EVTCHN_TRAFFIC_PLACES;
}

#define XEN_EVTCHN_TRAFFIC_FIRST_ROW                                          \
    ((sizeof(struct xen_evtchn_traffic) + XEN_EVTCHN_TRAFFIC_LINE - 1) /      \
     XEN_EVTCHN_TRAFFIC_LINE * XEN_EVTCHN_TRAFFIC_LINE)

static inline uint32_t xen_evtchn_traffic_row_bytes(uint32_t nr_vcpus)
{
    return (xen_evtchn_traffic_sources(nr_vcpus) * (uint32_t)sizeof(uint32_t) +
            XEN_EVTCHN_TRAFFIC_LINE - 1) / XEN_EVTCHN_TRAFFIC_LINE *
           XEN_EVTCHN_TRAFFIC_LINE;
}

static inline uint32_t *
xen_evtchn_traffic_row(struct xen_evtchn_traffic *page, uint32_t source)
{
    return (uint32_t *)((char *)page + page->first_row +
                        (size_t)source * page->row_bytes);
}

/* For the variable with a thread's row: a program, no library, has it. */
#define XEN_EVTCHN_TRAFFIC_OWN __attribute__((tls_model("local-exec")))

/* By the row's only writer; false if the thread has none (NULL) yet. */
static inline bool xen_evtchn_traffic_count(uint32_t *row, uint32_t target)
{
    if (!row) {
        return false;
    }
    row[target]++;
    return true;
}

#endif /* XEN_EVTCHN_EVENT_TRAFFIC_H */
