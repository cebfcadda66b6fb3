/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * env->synchronize(): notes which threads are in a call into the model, and
 * waits for them.  It waits no longer than the model requires, so that a
 * sanitizer finds a use of memory that is freed after it.
 *
 * With plain compiler atomics, as world.c's counters.
 */

#include "guest.h"

#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* One for each thread, in its own cache line; reused after the thread's end. */
struct reader {
    _Alignas(64) uint64_t calls;    /* begun plus ended: odd during a call */
    struct reader *next;
    bool in_use;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct reader *readers;  /* never freed; those of ended threads unused */

static void reader_release(gpointer opaque)
{
    struct reader *r = opaque;

    /* A thread that synchronizes may be at this counter just now. */
    g_assert_cmpuint(__atomic_load_n(&r->calls, __ATOMIC_RELAXED) % 2, ==, 0);
    pthread_mutex_lock(&lock);
    r->in_use = false;
    pthread_mutex_unlock(&lock);
}

static struct reader *reader_new(void)
{
    static GPrivate at_exit = G_PRIVATE_INIT(reader_release);
    struct reader *r;

    pthread_mutex_lock(&lock);
    for (r = readers; r && r->in_use; r = r->next) {
        ;
    }
    if (!r) {
        r = aligned_alloc(_Alignof(struct reader), sizeof(*r));
        g_assert_nonnull(r);
        memset(r, 0, sizeof(*r));
        r->next = readers;
        readers = r;
    }
    r->in_use = true;
    pthread_mutex_unlock(&lock);
    g_private_set(&at_exit, r);
    return r;
}

static struct reader *reader(void)
{
    static _Thread_local struct reader *mine;

    if (!mine) {
        mine = reader_new();
    }
    return mine;
}

void world_enter(void)
{
    /* A full barrier: the model's loads come after it. */
    __atomic_fetch_add(&reader()->calls, 1, __ATOMIC_SEQ_CST);
}

void world_leave(void)
{
    __atomic_fetch_add(&reader()->calls, 1, __ATOMIC_SEQ_CST);
}

static bool has_made(const struct reader *r, uint64_t calls)
{
    return __atomic_load_n(&r->calls, __ATOMIC_SEQ_CST) == calls;
}

void world_synchronize(void *opaque)
{
    struct reader *r;

    (void)opaque;
    pthread_mutex_lock(&lock);
    for (r = readers; r; r = r->next) {
        /* And here: the model's stores come before it. */
        uint64_t calls = __atomic_fetch_add(&r->calls, 0, __ATOMIC_SEQ_CST);
        unsigned int spins;

        for (spins = 0; calls % 2 && has_made(r, calls); spins++) {
            world_relax(spins);
        }
    }
    pthread_mutex_unlock(&lock);
}
