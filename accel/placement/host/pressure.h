/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a guest's threads wait for CPUs, as the kernel says of its cgroup: pressure
 * stall information (PSI) of cgroup v2.
 *
 * A trigger in the file cpu.pressure wakes the daemon when some thread of the cgroup has
 * waited for a twentieth of two seconds.
 */

#ifndef HOST_PRESSURE_H
#define HOST_PRESSURE_H

#include <glib.h>
#include <sys/types.h>

typedef struct Pressure Pressure;
typedef struct PressureGroup PressureGroup;

/*
 * Triggers are added to @epoll, with a PressureGroup each.  @root: where cgroup v2 is
 * mounted, or NULL to look for it.  The process gives up CAP_SYS_RESOURCE, which costs
 * a thread of the kernel's for each group, where the kernel can do without.  NULL with an error if this host has none
 * that we may write, or no PSI.
 */
Pressure *pressure_new(const char *root, int epoll, GError **error);
void pressure_free(Pressure *pressure);

/* That of the process, which others in its cgroup share; NULL: it cannot be known. */
PressureGroup *pressure_join(Pressure *pressure, pid_t pid);
void pressure_leave(Pressure *pressure, PressureGroup *group);
/* Whether the process is still in @group, which can be NULL. */
gboolean pressure_is_of(const Pressure *pressure, const PressureGroup *group,
                        pid_t pid);

/*
 * The kernel has woken us, as its threads wait.  Until they are calm it does so no more:
 * they are measured in each window anyway.
 */
void pressure_raised(PressureGroup *group, guint64 now);
/* In each window: what the kernel has said meanwhile of those that wait. */
void pressure_look(Pressure *pressure, guint64 now);
/* They have not, as far as we have been told, in the last four seconds. */
gboolean pressure_is_calm(const PressureGroup *group, guint64 now);

#endif /* HOST_PRESSURE_H */
