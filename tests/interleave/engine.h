/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the explorer's own files share. */

#ifndef IL_ENGINE_H
#define IL_ENGINE_H

#include "explore.h"

enum il_status {
    IL_NONE,
    IL_READY,
    IL_WAITING,
    IL_DONE,
};

/* A thread is in as many parts as it has operations; the last one is the rest. */
#define IL_PARTS 8

/* Whether the next access is no scheduling point. */
enum il_joined {
    IL_APART,
    IL_LOCKING,     /* a lock is free: the next access knows if it was taken */
    IL_LOCKED,      /* unless it is to a lock */
    IL_JOINED,
};

struct il_thread {
    void *sp;
    void (*fn)(void *opaque);
    void *opaque;
    const char *name;
    const volatile void *ptr;   /* of the access it is about to make */
    const char *what;
    const volatile void *watch; /* waiting: for a change from @watch_value */
    uint64_t watch_value;
    uint32_t choices;           /* about to choose among that many */
    uint32_t choice;
    uint32_t op_steps;
    uint32_t op_max;
    uint32_t size;
    uint8_t status;
    uint8_t kind;
    uint8_t watch_size;
    bool idle;
    uint8_t joined;             /* enum il_joined */
    uint8_t part;               /* operations begun */
};

#define IL_MAX_BLOCKS 96

struct il_block {
    uint32_t offset;
    uint32_t size;
    uint32_t used;              /* bytes in use, 0: free */
};

#define IL_LINE        64u
#define IL_HEAP_SIZE   (256u << 10)
#define IL_STACK_SIZE  (8u << 10)
#define IL_ARENA_SIZE  (IL_HEAP_SIZE + IL_MAX_THREADS * IL_STACK_SIZE)

/* A bit for each line of the heap. */
struct il_lines {
    uint64_t bits[IL_HEAP_SIZE / IL_LINE / 64];
};

/* The start of the arena. */
struct il_arena {
    void *root;
    uint32_t nr_threads;
    uint32_t nr_blocks;
    uint32_t brk;
    struct il_thread threads[IL_MAX_THREADS];
    struct il_block blocks[IL_MAX_BLOCKS];
    struct il_lines freed;
    struct il_lines read_only;  /* for the model */
};

extern struct il_arena *const il_arena;

extern struct il_thread *il_current;    /* NULL: none runs */
extern bool il_serial;                  /* il_run_serially() does */

void il_arena_map(void);
void il_arena_reset(void);
/* Sanitizer: only what is allocated may be touched. */
void il_arena_guard(void);
bool il_is_freed(const volatile void *ptr);
bool il_is_read_only(const volatile void *ptr);
/* False when the coroutine failed; see il_failure. */
bool il_run(struct il_thread *t);
bool il_runnable(const struct il_thread *t);
/* Run @fn outside any coroutine; false when it failed. */
bool il_run_serially(void (*fn)(const void *), const void *arg);
void *il_stack_base(unsigned int thread);

/* Let others run. */
void il_yield(void);
/* What @t does next; all of it, as what is left of before would split states. */
void il_about_to(struct il_thread *t, char kind, const volatile void *ptr,
                 size_t size, const char *what);
bool il_is_held(const volatile void *lock);

/* Which bytes are scheduling points; true when that has changed. */
void il_conflicts_reset(bool every_step);
bool il_conflicts_grew(void);

extern char il_failure[256];
extern uint32_t il_max_op_steps;
extern uint32_t il_serial_steps;

/* States (state.c) --------------------------------------------------------- */

struct il_hash {
    uint64_t lo, hi;
};

/* Make the arena anew; then, when all is set up, start from what it is. */
void il_state_reset(void);
void il_state_start(void);
/* For il_state_keep() and the like: the state that the search is at. */
size_t il_state_mark(void);
/* What a step of @thread has changed: update the hash of the state. */
void il_state_note(uint32_t thread, struct il_hash *h);
/* The search goes on from there; or throws the step away that led there. */
void il_state_keep(size_t mark);
void il_state_drop(size_t mark);
/* Back to an earlier state, that of @mark. */
void il_state_back(size_t mark);
/* As il_run_serially(), and all that it does is undone. */
bool il_state_try(void (*fn)(const void *), const void *arg);

/*
 * States seen (visited.c): where @h is, or would be put.  Its place is free if
 * both words are 0; lo's last bit is the caller's.
 */
struct il_hash *il_visited_slot(struct il_hash h);
void il_visited_added(void);
void il_visited_reset(void);

#endif /* IL_ENGINE_H */
