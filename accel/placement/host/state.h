/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads' masks, and the file that remembers what they were.
 *
 * The file is written before a mask is set.  So whatever happens to the daemon,
 * state_release() gives each thread the mask that it was found with, unless
 * somebody else has changed it since, or the thread is gone.
 */

#ifndef HOST_STATE_H
#define HOST_STATE_H

#include "place.h"

#include <glib.h>
#include <sys/types.h>

#define STATE_FILE "state"

typedef struct StateThread {
    pid_t tid;
    guint64 born; /* so that another thread of this number is known */
    struct place_set found; /* before we set any */
    struct place_set set, next; /* ours; the next is about to be set */
} StateThread;

gboolean mask_get(pid_t tid, struct place_set *set);
gboolean mask_set(pid_t tid, const struct place_set *set);
gboolean mask_equal(const struct place_set *a, const struct place_set *b);
/* When a thread was born, in the kernel's ticks; 0: it is gone. */
guint64 thread_born(pid_t tid);

/* So that one process at a time sets masks by the state in @folder; -1 with an error. */
int state_lock(const char *folder, GError **error);

/* StateThreads of the file, none if there is no file.  NULL with an error. */
GArray *state_read(const char *path, GError **error);
gboolean state_write(const char *path, const GArray *threads, GError **error);
/* Returns how many masks were restored: each by @set. */
guint state_release(const GArray *threads,
                    gboolean (*set)(pid_t tid, const struct place_set *mask,
                                    void *opaque),
                    void *opaque);

#endif /* HOST_STATE_H */
