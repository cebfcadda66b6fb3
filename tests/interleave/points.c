/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which accesses are scheduling points. */

#include <string.h>

#include "engine.h"

/* More than any serial part needs: beyond it, something goes in circles. */
#define MAX_SERIAL_STEPS 1000000u

uint32_t il_serial_steps;

/*
 * For each byte of the heap, the parts of threads (see part_of()) that have
 * read it, and those that have written it, on any path so far.
 */
static uint64_t readers[IL_HEAP_SIZE], writers[IL_HEAP_SIZE];
static bool conflicts_grew, every_step;

void il_conflicts_reset(bool every)
{
    memset(readers, 0, sizeof(readers));
    memset(writers, 0, sizeof(writers));
    every_step = every;
    conflicts_grew = false;
}

bool il_conflicts_grew(void)
{
    bool grew = conflicts_grew;

    conflicts_grew = false;
    return grew;
}

#define ALL_PARTS ((UINT64_C(1) << IL_PARTS) - 1)

_Static_assert(IL_MAX_THREADS * IL_PARTS <= 64, "one bit for each part");

static unsigned int number_of(const struct il_thread *t)
{
    return t - il_arena->threads;
}

static uint64_t part_of(const struct il_thread *t)
{
    return UINT64_C(1) << (number_of(t) * IL_PARTS + t->part);
}

static uint64_t all_parts_of(const struct il_thread *t)
{
    return ALL_PARTS << number_of(t) * IL_PARTS;
}

/* The parts of other threads that are still to come, as far as they go. */
static uint64_t to_come(const struct il_thread *me)
{
    uint64_t parts = 0;

    for (uint32_t i = 0; i < il_arena->nr_threads; i++) {
        const struct il_thread *t = &il_arena->threads[i];

        if (t != me && t->status != IL_DONE) {
            parts |= (ALL_PARTS << t->part & ALL_PARTS) << i * IL_PARTS;
        }
    }
    return parts;
}

/* Whether somebody else's access to the same bytes may make a difference. */
static bool note_access(char kind, const volatile void *ptr, size_t size)
{
    size_t offset = (const char *)ptr - (const char *)il_arena;
    uint64_t me, others, against = 0;

    if (!il_current || offset >= IL_HEAP_SIZE) {
        return false;
    }
    me = part_of(il_current);
    others = ~all_parts_of(il_current);
    for (size_t i = offset; i < offset + size; i++) {
        uint64_t *mine = kind == 'l' ? &readers[i] : &writers[i];
        uint64_t conflicting = writers[i] | (kind == 'l' ? 0 : readers[i]);

        if (!(*mine & me)) {
            *mine |= me;
            conflicts_grew |= (conflicting & others) != 0;
        }
        against |= conflicting;
    }
    return every_step || against & to_come(il_current);
}

/* "lock" is what the sources call a lock's word, and nothing else. */
static bool is_lock(const char *what)
{
    return what && what[0] == 'l' && !strcmp(what, "lock");
}

bool il_is_held(const volatile void *lock)
{
    return *(const volatile uint32_t *)lock & IL_LOCK_HELD;
}

/* Note the access that @t is about to make; true if others may run before it. */
static __attribute__((noinline)) bool
plan_access(struct il_thread *t, char kind, const volatile void *ptr,
            size_t size, const char *what)
{
    bool lock = is_lock(what);
    bool visible = note_access(kind, ptr, size);

    if (!t) {
        if (++il_serial_steps > MAX_SERIAL_STEPS) {
            il_fail("outside the interleaving: runs for ever");
        }
        return false;
    }
    if (t->op_max && ++t->op_steps > t->op_max) {
        il_fail("%s: more than %u steps in one operation", t->name, t->op_max);
    }
    if (t->joined == IL_LOCKING) {
        t->joined = il_is_held(t->ptr) ? IL_LOCKED : IL_APART;
    }
    if (lock && kind == 's') {
        visible = every_step;
        t->joined = IL_APART;
    } else if (lock && kind == 'l') {
        /* Of one that waits for it: see explore.h. */
        visible = every_step;
        t->joined = IL_JOINED;
    } else if (visible && (t->joined == IL_JOINED ||
                           (t->joined == IL_LOCKED && !lock))) {
        visible = every_step && t->joined == IL_LOCKED;
        t->joined = IL_APART;
    } else if (visible) {
        t->joined = IL_APART;
    }
    il_about_to(t, kind, ptr, size, what);
    return visible;
}

/* @t is about to make its access, now. */
static __attribute__((noinline)) void start_access(struct il_thread *t)
{
    if (!t) {
        return;
    }
    if (il_is_freed(t->ptr)) {
        il_fail("%s: uses what was freed, %s", t->name, t->what);
    }
    if (t->kind == 'x' && is_lock(t->what) && t->joined == IL_APART &&
        !il_is_held(t->ptr)) {
        t->joined = IL_LOCKING;
    }
}

static __attribute__((noinline)) void check_write(const struct il_thread *t)
{
    if (t && t->kind != 'l' && il_is_read_only(t->ptr)) {
        il_fail("%s: writes to what was taken away, %s", t->name, t->what);
    }
}

/*
 * Registers that a call preserves are on the stack while others run, and so
 * part of the state: what goes on in here must not use them.
 */
void il_step(char kind, const volatile void *ptr, size_t size, const char *what)
{
    if (plan_access(il_current, kind, ptr, size, what)) {
        il_yield();
    }
    start_access(il_current);
}

void il_model_step(char kind, const volatile void *ptr, size_t size,
                   const char *what)
{
    il_step(kind, ptr, size, what);
    check_write(il_current);
}
