/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arena's state, and the way back to earlier ones.
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

#include "engine.h"

#define NR_LINES (IL_ARENA_SIZE / IL_LINE)
#define HEAP_LINES (IL_HEAP_SIZE / IL_LINE)
#define PAGE 4096u
#define HEAP_PAGES (IL_HEAP_SIZE / PAGE)
#define LINES_PER_PAGE (PAGE / IL_LINE)

struct line {
    uint64_t w[IL_LINE / sizeof(uint64_t)];
};

struct undo {
    uint32_t line;
    struct line old;
};

static struct line *arena;
static struct line copy[NR_LINES] __attribute__((aligned(64)));
static struct undo *undo_log;
static size_t undo_len, undo_room;
static bool written[HEAP_PAGES];

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
                                 struct il_hash *h, bool add)
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

static void note_changes(uint32_t from, uint32_t to, struct il_hash *h)
{
    uint32_t i = from;

    while ((i = next_change(i, to)) < to) {
        hash_line(&copy[i], i, h, false);
        hash_line(&arena[i], i, h, true);
        undo_push(i);
        i++;
    }
}

void il_state_note(uint32_t thread, struct il_hash *h)
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

/* Pages -------------------------------------------------------------------- */

static struct sigaction other_faults;

static void page_protect(uint32_t from, uint32_t end, int prot)
{
    if (mprotect((char *)il_arena + from * PAGE, (end - from) * PAGE, prot)) {
        perror("interleave: mprotect");
        exit(2);
    }
}

/* The first write to a page; or a real fault, a null pointer for instance. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
    uint32_t page = ((char *)info->si_addr - (char *)il_arena) / PAGE;

    (void)sig, (void)context;
    if ((char *)info->si_addr >= (char *)il_arena && page < HEAP_PAGES &&
        !written[page]) {
        written[page] = true;
        page_protect(page, page + 1, PROT_READ | PROT_WRITE);
    } else if (il_current || il_serial) {
        il_fail("%s: a fault at %p", il_current ? il_current->name : "the end",
                info->si_addr);
    } else {
        /* The fault comes again, to the handler that there was before ours. */
        sigaction(SIGSEGV, &other_faults, NULL);
    }
}

static void catch_faults(void)
{
    /* Not on a coroutine's small stack. */
    static char stack[64 << 10];
    static bool caught;
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    /* il_fail() does not return from here. */
    struct sigaction action = {
        .sa_sigaction = on_fault,
        .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
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

/* States ------------------------------------------------------------------- */

void il_state_reset(void)
{
    il_arena_map();
    catch_faults();
    all_pages_written();
    il_arena_reset();
}

void il_state_start(void)
{
    static const bool none[HEAP_PAGES];

    arena = (struct line *)il_arena;
    undo_len = 0;
    for (uint32_t i = 0; i < NR_LINES; i++) {
        line_copy(&copy[i], &arena[i]);
    }
    pages_written(none);
}

size_t il_state_mark(void)
{
    return undo_len;
}

void il_state_drop(size_t to)
{
    while (undo_len > to) {
        undo_len--;
        line_copy(&arena[undo_log[undo_len].line], &undo_log[undo_len].old);
    }
    il_arena_guard();
}

void il_state_back(size_t to)
{
    for (size_t i = undo_len; i-- > to;) {
        line_copy(&copy[undo_log[i].line], &undo_log[i].old);
    }
    il_state_drop(to);
}

void il_state_keep(size_t from)
{
    for (size_t i = from; i < undo_len; i++) {
        line_copy(&copy[undo_log[i].line], &arena[undo_log[i].line]);
    }
}

bool il_state_try(void (*fn)(const void *), const void *arg)
{
    size_t mark = undo_len;
    struct il_hash ignored = { 0 };
    bool before[HEAP_PAGES];
    bool good;

    /* At once, as this writes to more pages than any step. */
    memcpy(before, written, sizeof(before));
    all_pages_written();
    good = il_run_serially(fn, arg);
    il_state_note(IL_MAX_THREADS, &ignored);
    il_state_drop(mark);
    pages_written(before);
    return good;
}
