/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and directories that are looked at in each window, and seldom change: one
 * stat() tells that there is nothing to read.
 */

#ifndef HOST_SEEN_H
#define HOST_SEEN_H

#include <glib.h>
#include <sys/types.h>

/* All 0: never seen. */
typedef struct Seen {
    dev_t device;
    ino_t inode;
    off_t size;
    gint64 modified; /* nanoseconds of the wall clock, as the next */
    gint64 looked; /* 0: read it again */
} Seen;

/*
 * TRUE if @path is to be read: it may have changed since the last call.  Two changes
 * within a tick of the kernel's clock have the same time, so what was changed less than
 * a second before it was looked at may have changed again.  What is gone has changed, what
 * was never there has not.
 */
gboolean seen_changed(Seen *seen, const char *path);
/* What was read was not all that there will be: the next call is TRUE, if it is there. */
void seen_again(Seen *seen);

#endif /* HOST_SEEN_H */
