/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The default environment, over malloc and pthread mutexes, and a hub on it.
 *
 * Its counters are updated with plain compiler atomics, not with those of
 * core/atomic.h: they are no part of what an explorer should interleave.
 */

#include "cpu_relax.h"
#include "guest.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ALIGN 64

/* In front of each block. */
struct block {
    _Alignas(BLOCK_ALIGN) uint64_t size;
    uint64_t magic;
};

#define BLOCK_MAGIC UINT64_C(0x9e3779b97f4a7c15)

static bool heap_fails(struct guest_heap *heap)
{
    int64_t left = __atomic_load_n(&heap->fail_in, __ATOMIC_RELAXED);

    if (!left) {
        return false;
    }
    if (left == 1) {
        return true;
    }
    __atomic_fetch_sub(&heap->fail_in, 1, __ATOMIC_RELAXED);
    return false;
}

static void *world_alloc(void *opaque, size_t size)
{
    struct guest_heap *heap = opaque;
    struct block *b;
    size_t whole;

    g_assert_cmpuint(size, >, 0);
    if (heap_fails(heap)) {
        return NULL;
    }
    /* As the model asks for it, and rounded up as aligned_alloc() does. */
    whole = (sizeof(*b) + size + BLOCK_ALIGN - 1) & ~(size_t)(BLOCK_ALIGN - 1);
    b = aligned_alloc(BLOCK_ALIGN, whole);
    g_assert_nonnull(b);
    memset(b, 0, whole);
    b->size = size;
    b->magic = BLOCK_MAGIC;
    __atomic_fetch_add(&heap->bytes, size, __ATOMIC_RELAXED);
    __atomic_fetch_add(&heap->blocks, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&heap->allocs, 1, __ATOMIC_RELAXED);
    return b + 1;
}

static void world_free_block(void *opaque, void *ptr, size_t size)
{
    struct guest_heap *heap = opaque;
    struct block *b = (struct block *)ptr - 1;

    g_assert_nonnull(ptr);
    g_assert_cmphex(b->magic, ==, BLOCK_MAGIC);
    g_assert_cmpuint(b->size, ==, size);
    b->magic = 0;
    __atomic_fetch_sub(&heap->bytes, size, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&heap->blocks, 1, __ATOMIC_RELAXED);
    free(b);
}

static void world_lock_init(void *lock)
{
    int rc = pthread_mutex_init(lock, NULL);

    g_assert_cmpint(rc, ==, 0);
}

static void world_lock_destroy(void *lock)
{
    int rc = pthread_mutex_destroy(lock);

    g_assert_cmpint(rc, ==, 0);
}

static void world_lock(void *lock)
{
    int rc = pthread_mutex_lock(lock);

    g_assert_cmpint(rc, ==, 0);
}

static void world_unlock(void *lock)
{
    int rc = pthread_mutex_unlock(lock);

    g_assert_cmpint(rc, ==, 0);
}

void world_relax(unsigned int spins)
{
    if (spins < 32) {
        cpu_relax();
    } else {
        sched_yield();
    }
}

struct world *world_new_env(const struct evtchn_env *env)
{
    struct world *w = g_new0(struct world, 1);

    w->env = *env;
    w->env.alloc = world_alloc;
    w->env.free = world_free_block;
    w->hub = evtchn_hub_create(&w->env, w);
    g_assert_nonnull(w->hub);
    return w;
}

struct world *world_new(void)
{
    static const struct evtchn_env env = {
        .lock_size = sizeof(pthread_mutex_t),
        .lock_init = world_lock_init,
        .lock_destroy = world_lock_destroy,
        .lock = world_lock,
        .unlock = world_unlock,
        .relax = world_relax,
        .synchronize = world_synchronize,
    };

    return world_new_env(&env);
}

void world_free(struct world *w)
{
    evtchn_hub_destroy(w->hub);
    g_assert_cmpuint(w->heap.bytes, ==, 0);
    g_assert_cmpuint(w->heap.blocks, ==, 0);
    g_free(w);
}
