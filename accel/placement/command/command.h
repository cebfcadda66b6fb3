/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What xen-place's subcommands share. */

#ifndef PLACE_COMMAND_H
#define PLACE_COMMAND_H

#include "topology.h"

#define DEFAULT_STATE "/run/xen-place"

/* Exit statuses; the manual page has them, too. */
enum {
    STATUS_GOOD = 0,
    STATUS_FAILED = 1, /* what was asked could not be done */
    STATUS_USAGE = 2,
    STATUS_NO_ROOM = 3,
};

/* Prints one line and returns @status. */
int command_fail(int status, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Parses what is left after the subcommand; FALSE after one line. */
gboolean command_options(const char *name, const GOptionEntry *entries,
                         const char *arguments, int *argc, char ***argv);

/* "4096", "4096M", "4G", "1T": in MiB. */
gboolean command_memory(const char *text, uint64_t *memory);
gboolean command_policy(const char *text, enum place_policy *policy);
/* The nodes of @v as Linux numbers them, "0-1". */
char *command_nodes(const HostTopology *topology,
                    const struct place_verdict *v);

int command_advise(int argc, char **argv);
int command_simulate(int argc, char **argv);
int command_topology(int argc, char **argv);
int command_numad(int argc, char **argv);
/* What runs on this host now, of which it measures half a second. */
void command_measure(struct place_host *h, const HostTopology *topology);

int command_once(int argc, char **argv);
int command_daemon(int argc, char **argv);
int command_status(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_move(int argc, char **argv);
int command_release(int argc, char **argv);

#endif /* PLACE_COMMAND_H */
