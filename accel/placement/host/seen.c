/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seen.h"

#include <sys/stat.h>
#include <time.h>

#define SECOND G_GINT64_CONSTANT(1000000000)

static gint64 nanoseconds(const struct timespec *t)
{
    return (gint64)t->tv_sec * SECOND + t->tv_nsec;
}

gboolean seen_changed(Seen *seen, const char *path)
{
    Seen last = *seen;
    struct timespec now;
    struct stat st;

    if (stat(path, &st)) {
        seen_again(seen);
        return last.looked != 0;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    *seen = (Seen){
        .device = st.st_dev,
        .inode = st.st_ino,
        .size = st.st_size,
        .modified = nanoseconds(&st.st_mtim),
        .looked = nanoseconds(&now),
    };
    return !last.looked || last.device != seen->device ||
           last.inode != seen->inode || last.size != seen->size ||
           last.modified != seen->modified ||
           last.looked - last.modified < SECOND;
}

void seen_again(Seen *seen)
{
    seen->looked = 0;
}
