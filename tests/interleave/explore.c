/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Depth-first search over the states of the arena. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine.h"

#define MAX_DEPTH 20000u
#define RESTART_AFTER 3000u
#define WALKS 100u /* that find no scheduling point, before the search */
#define SHOWN 400u /* steps of a violation's path that are printed */

/* A state on the search's stack, and how far it has been explored. */
struct frame {
    struct il_hash hash;
    uint32_t undo; /* the log's length before the step to here */
    uint32_t thread; /* the next one to try */
    uint32_t choice;
    uint32_t enabled; /* threads that could run */
    /* The step that is being explored, for the report. */
    const volatile void *ptr;
    const char *what;
    uint8_t kind, ran;
    uint32_t chosen;
};

static struct frame frames[MAX_DEPTH];
static bool quiet;

static void print_path(uint32_t depth)
{
    static const char *const kinds[128] = {
        ['b'] = "begins", ['l'] = "load",    ['s'] = "store",   ['x'] = "rmw",
        ['w'] = "woken",  ['c'] = "chooses", ['o'] = "goes on",
    };
    uint32_t i = depth > SHOWN ? depth - SHOWN : 0;

    if (quiet) {
        return;
    }
    if (i) {
        fprintf(stderr, "  (%u steps before)\n", i);
    }
    for (; i < depth; i++) {
        struct frame *f = &frames[i];

        fprintf(stderr, "  %4u %-12s %s", i, il_arena->threads[f->ran].name,
                kinds[f->kind] ? kinds[f->kind] : "?");
        if (f->kind == 'c') {
            fprintf(stderr, " %u", f->chosen);
        } else if (f->ptr) {
            fprintf(stderr, " +0x%zx %s",
                    (size_t)((const char *)f->ptr - (const char *)il_arena),
                    f->what ? f->what : "");
        }
        fputc('\n', stderr);
    }
}

static bool deadlocked(void)
{
    bool dead = false;

    for (uint32_t i = 0; i < il_arena->nr_threads; i++) {
        struct il_thread *t = &il_arena->threads[i];

        if (t->status == IL_WAITING && !t->idle) {
            snprintf(il_failure, sizeof(il_failure),
                     "%s waits for ever for the word at +0x%zx", t->name,
                     (size_t)((const char *)t->watch - (const char *)il_arena));
            dead = true;
        }
    }
    return dead;
}

static void call_at_end(const void *arg)
{
    ((void (*)(void))(uintptr_t)arg)();
}

/* At a state where nobody can run. */
static bool end_is_good(void (*at_end)(void))
{
    return !deadlocked() &&
           il_state_try(call_at_end, (const void *)(uintptr_t)at_end);
}

/* The next thread from @f's state, ready to run; NULL: all tried. */
static struct il_thread *next_step(struct frame *f)
{
    while (f->thread < il_arena->nr_threads) {
        struct il_thread *t = &il_arena->threads[f->thread];

        if (il_runnable(t)) {
            f->enabled++;
            f->kind = t->kind;
            f->ptr = t->status == IL_WAITING ? t->watch : t->ptr;
            f->what = t->status == IL_WAITING ? NULL : t->what;
            f->ran = f->thread;
            f->chosen = t->choice = f->choice;
            if (++f->choice >= t->choices) {
                f->choice = 0;
                f->thread++;
            }
            return t;
        }
        f->thread++;
    }
    return NULL;
}

static void start_frame(uint32_t depth, struct il_hash hash, size_t undo)
{
    frames[depth] = (struct frame){
        .hash = hash,
        .undo = undo,
    };
}

/* search()'s answer when the scheduling points have changed. */
static const char begin_anew[] = "begin anew";

static const char *search(void (*at_end)(void), struct il_hash root,
                          uint64_t max_states, struct il_result *r)
{
    uint32_t depth = 0;
    uint32_t since = 0;
    bool anew = false;

    start_frame(0, root, 0);
    *il_visited_slot(root) = (struct il_hash){ root.lo | 1, root.hi };
    il_visited_added();
    r->states = 1;
    for (;;) {
        struct frame *f = &frames[depth];
        struct il_thread *t = next_step(f);
        struct il_hash h = f->hash, *slot;
        size_t mark = il_state_mark();
        bool good;

        if (!t) {
            if (!f->enabled) {
                r->ends++;
                if (!end_is_good(at_end)) {
                    if (anew) {
                        return begin_anew;
                    }
                    print_path(depth);
                    return il_failure;
                }
            }
            il_visited_slot(f->hash)->lo &= ~1ull;
            il_state_back(f->undo);
            if (!depth--) {
                if (anew) {
                    return begin_anew;
                }
                r->exhausted = true;
                return NULL;
            }
            continue;
        }
        good = il_run(t);
        r->transitions++;
        if (il_conflicts_grew()) {
            anew = true;
        }
        /* Look a little further first, for there will be more. */
        if (anew && (!good || ++since > RESTART_AFTER)) {
            return begin_anew;
        }
        if (!good) {
            print_path(depth + 1);
            return il_failure;
        }
        il_state_note(f->ran, &h);
        slot = il_visited_slot(h);
        if (slot->lo | slot->hi) {
            if (slot->lo & 1) {
                if (anew) {
                    return begin_anew;
                }
                print_path(depth + 1);
                return "goes in circles: this state was there before";
            }
            il_state_drop(mark);
            continue;
        }
        if (r->states >= max_states) {
            r->limited = true;
            return "too many states: raise the limit or shrink the scenario";
        }
        if (depth + 1 == MAX_DEPTH) {
            if (anew) {
                return begin_anew;
            }
            print_path(depth + 1);
            return "runs for ever: the path is too long";
        }
        r->states++;
        *slot = (struct il_hash){ h.lo | 1, h.hi };
        il_visited_added();
        il_state_keep(mark);
        start_frame(++depth, h, mark);
        if (r->depth < depth) {
            r->depth = depth;
        }
    }
}

/* Any thread that can run; NULL: none. */
static struct il_thread *any_thread(uint64_t *random)
{
    struct il_thread *runnable[IL_MAX_THREADS];
    uint32_t n = 0;

    for (uint32_t i = 0; i < il_arena->nr_threads; i++) {
        if (il_runnable(&il_arena->threads[i])) {
            runnable[n++] = &il_arena->threads[i];
        }
    }
    *random = *random * 6364136223846793005ull + 1442695040888963407ull;
    if (!n) {
        return NULL;
    }
    struct il_thread *t = runnable[(*random >> 33) % n];

    t->choice = t->choices ? (*random >> 43) % t->choices : 0;
    return t;
}

/*
 * Walks at random find most scheduling points, so that the search seldom has to
 * begin anew.  What fails here the search will find, with the way to it.
 */
static void walk_about(void)
{
    struct il_hash ignored = { 0 };
    uint64_t random = 1;
    bool good;

    for (uint32_t in_vain = 0; in_vain < WALKS; in_vain++) {
        struct il_thread *t;
        uint32_t depth = 0;

        do {
            size_t mark = il_state_mark();

            t = any_thread(&random);
            good = t && il_run(t);
            if (t) {
                il_state_note(t - il_arena->threads, &ignored);
                il_state_keep(mark);
            }
        } while (good && ++depth < MAX_DEPTH);
        il_state_back(0);
        if (il_conflicts_grew()) {
            in_vain = 0;
        }
    }
}

static const char *explore_once(void (*setup)(const void *arg),
                                void (*at_end)(void), const void *arg,
                                uint64_t max_states, bool walk,
                                struct il_result *r)
{
    /* The hash is relative to the first state. */
    struct il_hash root = { .lo = 2, .hi = 1 };

    memset(r, 0, sizeof(*r));
    il_max_op_steps = 0;
    il_state_reset();
    il_visited_reset();
    if (!il_run_serially(setup, arg)) {
        return il_failure;
    }
    il_state_start();
    if (walk) {
        walk_about();
    }
    return search(at_end, root, max_states, r);
}

void il_explore(void (*setup)(const void *arg), void (*at_end)(void),
                const void *arg, const struct il_options *options,
                struct il_result *r)
{
    bool walk = !options->every_step;
    struct timespec from, to;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    quiet = options->quiet;
    il_conflicts_reset(options->every_step);
    do {
        r->failure =
            explore_once(setup, at_end, arg, options->max_states, walk, r);
        walk = false;
    } while (r->failure == begin_anew);
    r->op_steps = il_max_op_steps;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    r->seconds = (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9;
}
