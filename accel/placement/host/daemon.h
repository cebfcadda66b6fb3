/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon: finds guests, measures them, and does what the core decides. */

#ifndef HOST_DAEMON_H
#define HOST_DAEMON_H

#include "topology.h"

typedef struct DaemonOptions {
    gboolean has_mode; /* or it is the configuration's */
    enum place_mode mode;
    const char *qmp_dir; /* each socket in it is a QEMU's monitor */
    const char *state_dir;
    const char *config; /* a file, or NULL */
    const char
        *libvirt; /* its URI, or NULL: the configuration's, if it has one */
    const char *cgroup; /* where cgroup v2 is, or NULL */
    unsigned int milliseconds; /* of a window */
} DaemonOptions;

#define CONTROL_SOCKET "control"

/* Runs until SIGTERM, SIGINT or release; FALSE with an error. */
gboolean daemon_run(const DaemonOptions *options, GError **error);

#endif /* HOST_DAEMON_H */
