/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a guest's threads exchange events, as its QEMU counts that in a file (see
 * hw-xen-evtchn/public/event_traffic.h).
 *
 * The file is read, not mapped: a QEMU may be in its guest's hands, and could make a
 * mapped file shorter under its reader.
 */

#ifndef HOST_TRAFFIC_H
#define HOST_TRAFFIC_H

#include <glib.h>
#include <sys/types.h>

typedef struct Traffic Traffic;

/* A thread of QEMU's: a vCPU by its number, or another by its thread's. */
typedef struct TrafficEnd {
    gboolean is_vcpu;
    unsigned int index;
    pid_t tid;
} TrafficEnd;

typedef struct TrafficPair {
    TrafficEnd a, b;
    guint64 events; /* either way, since the last look */
} TrafficPair;

/* NULL if @path is not the page of the QEMU that is process @pid. */
Traffic *traffic_open(const char *path, pid_t pid);
void traffic_close(Traffic *traffic);
/*
 * The pairs that have exchanged events since the last call, the busiest first, and
 * in @time for how long that was, in nanoseconds.  The first call finds none.
 */
GArray *traffic_read(Traffic *traffic, guint64 now, guint64 *time);

#endif /* HOST_TRAFFIC_H */
