/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The set of states that the search has seen. */

#include <stdio.h>
#include <stdlib.h>

#include "engine.h"

/* The arena's are behind the plain names; see wrap.c. */
void *__real_calloc(size_t n, size_t size);
void __real_free(void *ptr);

/* Open addressing; lo's last bit says that the state is on the stack. */
static struct il_hash *visited;
static size_t visited_room, visited_len;

struct il_hash *il_visited_slot(struct il_hash h)
{
    size_t i = h.hi & (visited_room - 1);

    while ((visited[i].lo | visited[i].hi) &&
           ((visited[i].lo | 1) != (h.lo | 1) || visited[i].hi != h.hi)) {
        i = (i + 1) & (visited_room - 1);
    }
    return &visited[i];
}

void il_visited_reset(void)
{
    __real_free(visited);
    visited_room = 1 << 16;
    visited_len = 0;
    visited = __real_calloc(visited_room, sizeof(*visited));
    if (!visited) {
        perror("interleave");
        exit(2);
    }
}

static void grow(void)
{
    struct il_hash *old = visited;
    size_t old_room = visited_room;

    visited_room *= 2;
    visited = __real_calloc(visited_room, sizeof(*visited));
    if (!visited) {
        perror("interleave");
        exit(2);
    }
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].lo | old[i].hi) {
            *il_visited_slot(old[i]) = old[i];
        }
    }
    __real_free(old);
}

void il_visited_added(void)
{
    if (++visited_len * 4 > visited_room * 3) {
        grow();
    }
}
