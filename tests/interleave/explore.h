/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An explorer of interleavings: runs real code as coroutines and visits every
 * state that any order of their accesses to shared memory can lead to.
 *
 * All that may change lives in one arena at a fixed address: the heap, the
 * coroutines' stacks and their state.  A coroutine yields before each access
 * (see step.h); the explorer then continues every coroutine that can run, one
 * after the other, each from the same contents of the arena.  States are told
 * apart by a 128-bit hash of the arena, so a state reached twice is explored
 * once.  The code between two accesses counts as atomic, which is right for
 * what a thread has for itself and for what a lock protects.
 *
 * Some accesses are no scheduling points, as whatever another thread does
 * between them and their neighbours could as well be done before or after:
 *  - those to bytes that no other thread will write any more, nor read if this
 *    is a write.  The search starts with all bytes taken for such, and begins
 *    anew when it finds better; what a thread will still do is what it did, on
 *    any path, in the operations of its script that are left;
 *  - an unlock;
 *  - what follows a lock, unless that is another lock;
 *  - the look of one that waits for a lock: had it been taken by another thread
 *    between the look and the attempt, the wait would go on as before it.
 * --every-step does without this, and --compare tells if both see the same.
 *
 * What it does not cover: it is sequentially consistent.  Accesses that a CPU
 * or a compiler may reorder, torn accesses, and plain accesses that race are
 * outside; the model's read-modify-writes are sequentially consistent, and
 * TSan runs of the stress test look for racing plain accesses.  Two states with
 * the same 128-bit hash would be taken for one.
 */

#ifndef IL_EXPLORE_H
#define IL_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "step.h"

#define IL_MAX_THREADS 6

/* Explorer: from the host's side ---------------------------------------- */

struct il_options {
    uint64_t max_states;
    bool every_step;        /* each access is a scheduling point */
    bool quiet;             /* no path of a violation */
};

struct il_result {
    uint64_t states;
    uint64_t transitions;
    uint64_t ends;          /* states in which nobody can run any more */
    uint32_t depth;         /* steps of the longest path taken */
    uint32_t op_steps;      /* most steps that one il_op needed */
    double seconds;
    bool exhausted;         /* every state was seen */
    bool limited;           /* or the limit came before that */
    const char *failure;    /* NULL: no violation */
};

/*
 * Build the world with @setup (no interleaving yet; it calls il_spawn()), run
 * every interleaving, and call @at_end where nobody can run any more.  A
 * violation is printed to stderr with the steps that led to it.
 */
void il_explore(void (*setup)(const void *arg), void (*at_end)(void),
                const void *arg, const struct il_options *options,
                struct il_result *result);

/* World: from inside ---------------------------------------------------- */

/* A pointer in the arena, for the world to find itself. */
extern void **const il_root;

void il_spawn(const char *name, void (*fn)(void *opaque), void *opaque);
/* It begins with il_wait(), or il_take() if that is @value 0 and @idle. */
void il_spawn_waiting(const char *name, void (*fn)(void *opaque), void *opaque,
                      const uint32_t *word, uint32_t value, bool idle);

/* Zeroed memory in the arena; il_alloc() fails the run when that is full. */
void *il_alloc(size_t size);
void il_free(void *ptr);
size_t il_allocated(void);
/* The model must not write there any more; or it may again. */
void il_read_only(void *ptr, size_t size, bool on);

/*
 * Wait while *@word is @value.  @idle: to wait here for ever is all right, as
 * for a CPU without work; otherwise that is a deadlock.
 */
void il_wait(const uint32_t *word, uint32_t value, bool idle);

/* Wait until *@word is not 0, and make it 0, as a CPU takes an interrupt. */
void il_take(uint32_t *word);

/* Locks, the model's as well as these: the word has this bit while held. */
#define IL_LOCK_HELD (UINT32_C(1) << 31)

void il_lock(uint32_t *lock);
void il_unlock(uint32_t *lock);

/* struct evtchn_env's relax(). */
void il_relax(unsigned int spins);
/* sched_yield() of a guest: wait until the last word looked at changes. */
void il_yield_cpu(void);

/* Any of 0 to @n - 1: each is explored. */
uint32_t il_choose(uint32_t n);

/* Between two operations: what follows is one with the next access. */
void il_pause(void);

/* Bracket an operation whose own steps must be below @max. */
void il_op_begin(uint32_t max);
void il_op_end(void);

/* A violation: this path ends here. */
void il_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define il_check(cond)                                          \
    do {                                                        \
        if (!(cond)) {                                          \
            il_fail("%s:%d: %s", __func__, __LINE__, #cond);    \
        }                                                       \
    } while (0)

#endif /* IL_EXPLORE_H */
