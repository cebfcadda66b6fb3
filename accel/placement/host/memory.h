/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's memory on its way to another node.
 *
 * The kernel moves pages, at most 64 MiB of them a second, in pieces that are made
 * smaller when one takes more than 20 ms: it holds the process's locks meanwhile.
 */

#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <glib.h>
#include <sys/types.h>

typedef struct MemoryMove MemoryMove;

/* Nodes as Linux numbers them. */
MemoryMove *memory_move_new(pid_t pid, unsigned int from, unsigned int to);
void memory_move_free(MemoryMove *move);
/* The part for @milliseconds.  FALSE: there is no more to do. */
gboolean memory_move_step(MemoryMove *move, unsigned int milliseconds);
/* MiB that are there now, and pages that the kernel would not move. */
guint64 memory_moved(const MemoryMove *move, guint64 *refused);

#endif /* HOST_MEMORY_H */
