/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Depth-first search over the states of the arena.
 *
 * Next to the arena there is a copy of the state at the top of the search's
 * stack.  After a step only the lines that differ from it are hashed, and kept
 * in an undo log; going back a step copies them back.  Pages that no step has
 * written yet are read-only, and not looked at.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "explore.h"

#define NR_LINES (IL_ARENA_SIZE / IL_LINE)
#define HEAP_LINES (IL_HEAP_SIZE / IL_LINE)
#define PAGE 4096u
#define HEAP_PAGES (IL_HEAP_SIZE / PAGE)
#define LINES_PER_PAGE (PAGE / IL_LINE)
#define MAX_DEPTH 20000u
#define RESTART_AFTER 3000u
#define WALKS 100u /* that find no scheduling point, before the search */
#define SHOWN 400u /* steps of a violation's path that are printed */

struct line {
    uint64_t w[IL_LINE / sizeof(uint64_t)];
};

struct hash {
    uint64_t lo, hi;
};

struct undo {
    uint32_t line;
    struct line old;
};

/* A state on the search's stack, and how far it has been explored. */
struct frame {
    struct hash hash;
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

static struct line *arena = NULL;
static struct line copy[NR_LINES] __attribute__((aligned(64)));
static struct frame frames[MAX_DEPTH];
static struct undo *undo_log;
static size_t undo_len, undo_room;
static bool quiet;
static bool written[HEAP_PAGES];

/* The arena's are behind the plain names; see wrap.c. */
void *__real_calloc(size_t n, size_t size);
void __real_free(void *ptr);

/* Set of visited states --------------------------------------------------- */

/* Open addressing; lo's last bit says that the state is on the stack. */
static struct hash *visited;
static size_t visited_room, visited_len;

static struct hash *visited_slot(struct hash h)
{
    size_t i = h.hi & (visited_room - 1);

    while ((visited[i].lo | visited[i].hi) &&
           ((visited[i].lo | 1) != (h.lo | 1) || visited[i].hi != h.hi)) {
        i = (i + 1) & (visited_room - 1);
    }
    return &visited[i];
}

static void visited_reset(void)
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

static void visited_grow(void)
{
    struct hash *old = visited;
    size_t old_room = visited_room;

    visited_room *= 2;
    visited = __real_calloc(visited_room, sizeof(*visited));
    if (!visited) {
        perror("interleave");
        exit(2);
    }
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].lo | old[i].hi) {
            *visited_slot(old[i]) = old[i];
        }
    }
    __real_free(old);
}

/* Lines ------------------------------------------------------------------- */

/* What is poisoned is zero and stays so: look at it all the same. */
#define IL_NO_ASAN __attribute__((no_sanitize("address")))

typedef uint64_t quad __attribute__((vector_size(32)));

IL_NO_ASAN static inline __attribute__((always_inline)) bool
line_equal(const struct line *a, const struct line *b)
{
    const quad *x = (const quad *)a->w, *y = (const quad *)b->w;
    quad diff = (x[0] ^ y[0]) | (x[1] ^ y[1]);

    return !(diff[0] | diff[1] | diff[2] | diff[3]);
}

IL_NO_ASAN static inline void line_copy(struct line *to,
                                        const struct line *from)
{
    for (unsigned int i = 0; i < 8; i++) {
        ((volatile uint64_t *)to->w)[i] = from->w[i];
    }
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* A state's hash is the sum over its lines, so that it can be updated. */
IL_NO_ASAN static void hash_line(const struct line *l, uint32_t nr,
                                 struct hash *h, bool add)
{
    uint64_t lo = mix(nr + 0x9e3779b97f4a7c15ull, 0xa0761d6478bd642full);
    uint64_t hi = mix(nr + 0xd1b54a32d192ed03ull, 0xe7037ed1a0b428dbull);

    for (unsigned int i = 0; i < 8; i++) {
        lo = mix(lo ^ l->w[i], 0x8ebc6af09c88c6e3ull + 2 * i);
        hi = mix(hi + l->w[i], 0x589965cc75374cc3ull - 2 * i) + lo;
    }
    h->lo += add ? lo : -lo;
    h->hi += add ? hi : -hi;
}

static void undo_push(uint32_t nr)
{
    if (undo_len == undo_room) {
        undo_room = undo_room ? 2 * undo_room : 4096;
        undo_log = realloc(undo_log, undo_room * sizeof(*undo_log));
        if (!undo_log) {
            perror("interleave");
            exit(2);
        }
    }
    undo_log[undo_len].line = nr;
    line_copy(&undo_log[undo_len].old, &copy[nr]);
    undo_len++;
}

/* clang does not have this together with no_sanitize. */
#ifdef __clang__
#define IL_CLONES
#else
#define IL_CLONES __attribute__((target_clones("avx2", "default")))
#endif

/* Most of the time goes into this: the next line from @i that differs. */
IL_NO_ASAN IL_CLONES static uint32_t next_change(uint32_t i, uint32_t end)
{
    while (i < end && line_equal(&arena[i], &copy[i])) {
        i++;
    }
    return i;
}

static void note_changes(uint32_t from, uint32_t to, struct hash *h)
{
    uint32_t i = from;

    while ((i = next_change(i, to)) < to) {
        hash_line(&copy[i], i, h, false);
        hash_line(&arena[i], i, h, true);
        undo_push(i);
        i++;
    }
}

static void note_all_changes(uint32_t thread, struct hash *h)
{
    uint32_t stack_end = HEAP_LINES + (thread + 1) * (IL_STACK_SIZE / IL_LINE);

    for (uint32_t i = 0; i < HEAP_PAGES; i++) {
        if (written[i]) {
            note_changes(i * LINES_PER_PAGE, (i + 1) * LINES_PER_PAGE, h);
        }
    }
    if (thread < IL_MAX_THREADS) {
        /* Below the stack pointer all is zero, before the step as after it. */
        const struct il_arena *before = (const struct il_arena *)copy;
        const char *sp = before->threads[thread].sp;

        if (sp > (const char *)il_arena->threads[thread].sp) {
            sp = il_arena->threads[thread].sp;
        }
        note_changes((sp - (const char *)il_arena) / IL_LINE, stack_end, h);
    }
}

/* Throw away the step that led away from the copy. */
static void drop_changes(size_t to)
{
    while (undo_len > to) {
        undo_len--;
        line_copy(&arena[undo_log[undo_len].line], &undo_log[undo_len].old);
    }
    il_arena_guard();
}

/* Go back to an earlier state: in the copy, too. */
static void step_back(size_t to)
{
    for (size_t i = undo_len; i-- > to;) {
        line_copy(&copy[undo_log[i].line], &undo_log[i].old);
    }
    drop_changes(to);
}

static void keep_changes(size_t from)
{
    for (size_t i = from; i < undo_len; i++) {
        line_copy(&copy[undo_log[i].line], &arena[undo_log[i].line]);
    }
}

/* Pages -------------------------------------------------------------------- */

static struct sigaction other_faults;

static void page_protect(uint32_t from, uint32_t end, int prot)
{
    if (mprotect((char *)il_arena + from * PAGE, (end - from) * PAGE, prot)) {
        perror("interleave: mprotect");
        exit(2);
    }
}

/* The first write to a page. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
    uint32_t page = ((char *)info->si_addr - (char *)il_arena) / PAGE;

    (void)sig, (void)context;
    if ((char *)info->si_addr < (char *)il_arena || page >= HEAP_PAGES ||
        written[page]) {
        /* A real one: it comes again, to whoever took them before. */
        sigaction(SIGSEGV, &other_faults, NULL);
        return;
    }
    written[page] = true;
    page_protect(page, page + 1, PROT_READ | PROT_WRITE);
}

static void catch_faults(void)
{
    /* Not on a coroutine's small stack. */
    static char stack[64 << 10];
    static bool caught;
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction action = {
        .sa_sigaction = on_fault,
        .sa_flags = SA_SIGINFO | SA_ONSTACK,
    };

    if (caught) {
        return;
    }
    if (sigaltstack(&alternate, NULL) ||
        sigaction(SIGSEGV, &action, &other_faults)) {
        perror("interleave: cannot catch faults");
        exit(2);
    }
    caught = true;
}

static void all_pages_written(void)
{
    memset(written, true, sizeof(written));
    page_protect(0, HEAP_PAGES, PROT_READ | PROT_WRITE);
}

/* Only those of @which have been. */
static void pages_written(const bool *which)
{
    uint32_t i, end;

    memcpy(written, which, sizeof(written));
    for (i = 0; i < HEAP_PAGES; i = end) {
        for (end = i; end < HEAP_PAGES && !written[end]; end++) {
            ;
        }
        if (end > i) {
            page_protect(i, end, PROT_READ);
        } else {
            end++;
        }
    }
}

/* Search ------------------------------------------------------------------ */

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
    size_t mark = undo_len;
    struct hash ignored = { 0 };
    bool before[HEAP_PAGES];
    bool good = !deadlocked();

    if (good) {
        /* It gives all memory back, and so writes to more than any step. */
        memcpy(before, written, sizeof(before));
        all_pages_written();
        good = il_run_serially(call_at_end, (const void *)(uintptr_t)at_end);
        note_all_changes(IL_MAX_THREADS, &ignored);
        drop_changes(mark);
        pages_written(before);
    }
    return good;
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

static void start_frame(uint32_t depth, struct hash hash, size_t undo)
{
    frames[depth] = (struct frame){
        .hash = hash,
        .undo = undo,
    };
}

/* search()'s answer when the scheduling points have changed. */
static const char begin_anew[] = "begin anew";

static const char *search(void (*at_end)(void), struct hash root,
                          uint64_t max_states, struct il_result *r)
{
    uint32_t depth = 0;
    uint32_t since = 0;
    bool anew = false;

    start_frame(0, root, 0);
    *visited_slot(root) = (struct hash){ root.lo | 1, root.hi };
    visited_len = 1;
    r->states = 1;
    for (;;) {
        struct frame *f = &frames[depth];
        struct il_thread *t = next_step(f);
        struct hash h = f->hash, *slot;
        size_t mark = undo_len;
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
            visited_slot(f->hash)->lo &= ~1ull;
            step_back(f->undo);
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
        note_all_changes(f->ran, &h);
        slot = visited_slot(h);
        if (slot->lo | slot->hi) {
            if (slot->lo & 1) {
                if (anew) {
                    return begin_anew;
                }
                print_path(depth + 1);
                return "goes in circles: this state was there before";
            }
            drop_changes(mark);
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
        *slot = (struct hash){ h.lo | 1, h.hi };
        if (++visited_len * 4 > visited_room * 3) {
            visited_grow();
        }
        keep_changes(mark);
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
    struct hash ignored = { 0 };
    uint64_t random = 1;
    bool good;

    for (uint32_t in_vain = 0; in_vain < WALKS; in_vain++) {
        struct il_thread *t;
        uint32_t depth = 0;

        do {
            size_t mark = undo_len;

            t = any_thread(&random);
            good = t && il_run(t);
            if (t) {
                note_all_changes(t - il_arena->threads, &ignored);
                keep_changes(mark);
            }
        } while (good && ++depth < MAX_DEPTH);
        step_back(0);
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
    struct hash root = { .lo = 2, .hi = 1 };
    static const bool none[HEAP_PAGES];

    memset(r, 0, sizeof(*r));
    il_max_op_steps = 0;
    all_pages_written();
    il_arena_reset();
    arena = (struct line *)il_arena;
    visited_reset();
    undo_len = 0;
    if (!il_run_serially(setup, arg)) {
        return il_failure;
    }
    for (uint32_t i = 0; i < NR_LINES; i++) {
        line_copy(&copy[i], &arena[i]);
    }
    pages_written(none);
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
    il_arena_map();
    catch_faults();
    il_conflicts_reset(options->every_step);
    do {
        r->failure = explore_once(setup, at_end, arg, options->max_states,
                                  walk, r);
        walk = false;
    } while (r->failure == begin_anew);
    r->op_steps = il_max_op_steps;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    r->seconds = (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9;
}
