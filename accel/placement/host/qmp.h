/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest, by its QEMU's monitor.  Each call waits two seconds at most. */

#ifndef HOST_QMP_H
#define HOST_QMP_H

#include <glib.h>
#include <sys/types.h>

typedef struct Qmp Qmp;

typedef struct QmpThread {
    pid_t tid;
    gboolean is_vcpu;
    unsigned int index;
} QmpThread;

/* NULL if no QEMU answers at the socket @path. */
Qmp *qmp_open(const char *path);
void qmp_close(Qmp *qmp);
pid_t qmp_pid(const Qmp *qmp);
/* The guest's name, or that of the socket's file; and its memory in MiB. */
char *qmp_name(Qmp *qmp);
guint64 qmp_memory(Qmp *qmp);
/* The file in which it counts its guest's events, or NULL. */
char *qmp_traffic(Qmp *qmp);
/* Of QmpThread: vCPUs, I/O threads, and QEMU's main thread.  NULL: it is gone. */
GArray *qmp_threads(Qmp *qmp);

#endif /* HOST_QMP_H */
