/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explorer's arena, its coroutines, and what they may call. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "explore.h"

#if defined(__SANITIZE_ADDRESS__)
#define IL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IL_ASAN 1
#endif
#endif

#ifdef IL_ASAN
#include <sanitizer/asan_interface.h>
#define IL_REDZONE 64u
#else
#define IL_REDZONE 0u
#endif

/* Fixed, so that runs are the same; and out of the way of ASan's shadow. */
#define IL_ARENA_ADDRESS 0x200000000000ull

/* More than any serial part needs: beyond it, something goes in circles. */
#define IL_MAX_SERIAL_STEPS 1000000u

struct il_arena *const il_arena = (struct il_arena *)IL_ARENA_ADDRESS;
void **const il_root = (void **)IL_ARENA_ADDRESS;

char il_failure[256];
uint32_t il_max_op_steps;

static struct il_thread *current;
static void *main_sp;
static bool failed;
static jmp_buf serial_env;
static uint32_t serial_steps;

/* Context switch --------------------------------------------------------- */

/* Save what a call must preserve, and continue on another stack. */
void il_switch(void **save_sp, void *load_sp);

__asm__(".text\n"
        ".globl il_switch\n"
        ".hidden il_switch\n"
        ".type il_switch, @function\n"
        "il_switch:\n"
        "    push %rbp\n"
        "    push %rbx\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbx\n"
        "    pop %rbp\n"
        /* Leave nothing that a push for alignment could put on the stack. */
        "    xor %eax, %eax\n"
        "    xor %ecx, %ecx\n"
        "    xor %edx, %edx\n"
        "    xor %esi, %esi\n"
        "    xor %edi, %edi\n"
        "    xor %r8d, %r8d\n"
        "    xor %r9d, %r9d\n"
        "    xor %r10d, %r10d\n"
        "    xor %r11d, %r11d\n"
        "    ret\n"
        ".size il_switch, . - il_switch\n");

void *il_stack_base(unsigned int thread)
{
    return (char *)il_arena + IL_HEAP_SIZE + thread * IL_STACK_SIZE;
}

static __attribute__((noinline)) void yield(void)
{
    il_switch(&current->sp, main_sp);
}

/* What @t does next; all of it, as what is left of before would split states. */
static void about_to(struct il_thread *t, char kind, const volatile void *ptr,
                     size_t size, const char *what)
{
    t->kind = kind;
    t->ptr = ptr;
    t->size = size;
    t->what = what;
}

static void thread_main(void)
{
    current->fn(current->opaque);
    if (current->op_max) {
        il_fail("%s: an operation was not ended", current->name);
    }
    current->status = IL_DONE;
    current->joined = IL_APART;
    current->part = 0;
    about_to(current, 0, NULL, 0, NULL);
    yield();
    abort();
}

void il_spawn(const char *name, void (*fn)(void *opaque), void *opaque)
{
    unsigned int nr = il_arena->nr_threads;
    struct il_thread *t = &il_arena->threads[nr];
    void **sp;

    if (nr == IL_MAX_THREADS) {
        il_fail("too many threads");
        return;
    }
    il_arena->nr_threads++;
    /* An empty slot keeps the stack aligned as after a call. */
    sp = (void **)((char *)il_stack_base(nr) + IL_STACK_SIZE) - 2;
    *sp = (void *)thread_main;
    t->sp = sp - 6;
    t->fn = fn;
    t->opaque = opaque;
    t->name = name;
    t->status = IL_READY;
    t->kind = 'b';
    t->joined = IL_JOINED;
}

void il_spawn_waiting(const char *name, void (*fn)(void *opaque), void *opaque,
                      const uint32_t *word, uint32_t value, bool idle)
{
    struct il_thread *t = &il_arena->threads[il_arena->nr_threads];

    il_spawn(name, fn, opaque);
    t->status = IL_WAITING;
    t->idle = idle;
    t->watch = word;
    t->watch_size = sizeof(*word);
    t->watch_value = value;
    t->kind = 'w';
}

bool il_run(struct il_thread *t)
{
    char *base = il_stack_base(t - il_arena->threads);

    failed = false;
    current = t;
    t->status = IL_READY;
    t->watch = NULL;
    t->watch_value = 0;
    t->watch_size = 0;
    t->idle = false;
    il_switch(&main_sp, t->sp);
    current = NULL;
    if (t->status == IL_DONE) {
        t->sp = base + IL_STACK_SIZE;
    }
    if ((char *)t->sp < base + 256) {
        snprintf(il_failure, sizeof(il_failure), "%s: stack overflow", t->name);
        return false;
    }
    /* What is below the stack pointer is rubbish that would split states. */
    memset(base, 0, (char *)t->sp - base);
    return !failed;
}

static uint64_t read_word(const volatile void *ptr, size_t size)
{
    switch (size) {
    case 1:
        return *(const volatile uint8_t *)ptr;
    case 2:
        return *(const volatile uint16_t *)ptr;
    case 4:
        return *(const volatile uint32_t *)ptr;
    default:
        return *(const volatile uint64_t *)ptr;
    }
}

bool il_runnable(const struct il_thread *t)
{
    return t->status == IL_READY ||
           (t->status == IL_WAITING &&
            read_word(t->watch, t->watch_size) != t->watch_value);
}

/* Scheduling points ------------------------------------------------------- */

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

/* A thread is in as many parts as it has operations; the last one is the rest. */
#define PARTS 8
#define ALL_PARTS ((UINT64_C(1) << PARTS) - 1)

_Static_assert(IL_MAX_THREADS * PARTS <= 64, "one bit for each part");

static unsigned int number_of(const struct il_thread *t)
{
    return t - il_arena->threads;
}

static uint64_t part_of(const struct il_thread *t)
{
    return UINT64_C(1) << (number_of(t) * PARTS + t->part);
}

static uint64_t all_parts_of(const struct il_thread *t)
{
    return ALL_PARTS << number_of(t) * PARTS;
}

/* The parts of other threads that are still to come, as far as they go. */
static uint64_t to_come(const struct il_thread *me)
{
    uint64_t parts = 0;

    for (uint32_t i = 0; i < il_arena->nr_threads; i++) {
        const struct il_thread *t = &il_arena->threads[i];

        if (t != me && t->status != IL_DONE) {
            parts |= (ALL_PARTS << t->part & ALL_PARTS) << i * PARTS;
        }
    }
    return parts;
}

/* Whether somebody else's access to the same bytes may make a difference. */
static bool note_access(char kind, const volatile void *ptr, size_t size)
{
    size_t offset = (const char *)ptr - (const char *)il_arena;
    uint64_t me, others, against = 0;

    if (!current || offset >= IL_HEAP_SIZE) {
        return false;
    }
    me = part_of(current);
    others = ~all_parts_of(current);
    for (size_t i = offset; i < offset + size; i++) {
        uint64_t *mine = kind == 'l' ? &readers[i] : &writers[i];
        uint64_t conflicting = writers[i] | (kind == 'l' ? 0 : readers[i]);

        if (!(*mine & me)) {
            *mine |= me;
            conflicts_grew |= (conflicting & others) != 0;
        }
        against |= conflicting;
    }
    return every_step || against & to_come(current);
}

/* What coroutines call --------------------------------------------------- */

/* "lock" is what the sources call a lock's word, and nothing else. */
static bool is_lock(const char *what)
{
    return what && what[0] == 'l' && !strcmp(what, "lock");
}

static bool is_held(const volatile void *lock)
{
    return *(const volatile uint32_t *)lock & IL_LOCK_HELD;
}

/* Note the access that @t is about to make; true if others may run before it. */
static __attribute__((noinline)) bool
before_access(struct il_thread *t, char kind, const volatile void *ptr,
              size_t size, const char *what)
{
    bool lock = is_lock(what);
    bool visible = note_access(kind, ptr, size);

    if (!t) {
        if (++serial_steps > IL_MAX_SERIAL_STEPS) {
            il_fail("outside the interleaving: runs for ever");
        }
        return false;
    }
    if (t->op_max && ++t->op_steps > t->op_max) {
        il_fail("%s: more than %u steps in one operation", t->name, t->op_max);
    }
    if (t->joined == IL_LOCKING) {
        t->joined = is_held(t->ptr) ? IL_LOCKED : IL_APART;
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
    about_to(t, kind, ptr, size, what);
    return visible;
}

static __attribute__((noinline)) void before_lock(struct il_thread *t)
{
    if (t && t->kind == 'x' && is_lock(t->what) && t->joined == IL_APART &&
        !is_held(t->ptr)) {
        t->joined = IL_LOCKING;
    }
}

/*
 * Registers that a call preserves are on the stack while others run, and so
 * part of the state: what goes on in here must not use them.
 */
void il_step(char kind, const volatile void *ptr, size_t size, const char *what)
{
    if (before_access(current, kind, ptr, size, what)) {
        yield();
    }
    before_lock(current);
}

void il_pause(void)
{
    struct il_thread *t = current;

    if (t && t->joined != IL_JOINED) {
        t->joined = IL_JOINED;
        about_to(t, 'o', NULL, 0, NULL);
        yield();
    }
    if (t && t->part < PARTS - 1) {
        t->part++;
    }
}

static void wait_for_change(const volatile void *ptr, size_t size, bool idle)
{
    struct il_thread *t = current;

    if (!t) {
        il_fail("outside the interleaving: waits for ever, a lock is held");
        return;
    }
    t->status = IL_WAITING;
    t->idle = idle;
    t->watch = ptr;
    t->watch_size = size;
    t->watch_value = read_word(ptr, size);
    /* To be woken is nothing by itself. */
    t->joined = IL_JOINED;
    about_to(t, 'w', NULL, 0, NULL);
    yield();
}

void il_wait(const uint32_t *word, uint32_t value, bool idle)
{
    for (;;) {
        il_step('l', word, sizeof(*word), "waits for");
        if (*word != value) {
            return;
        }
        wait_for_change(word, sizeof(*word), idle);
    }
}

void il_take(uint32_t *word)
{
    for (;;) {
        il_step('x', word, sizeof(*word), "takes");
        if (*word) {
            *word = 0;
            return;
        }
        wait_for_change(word, sizeof(*word), true);
    }
}

void il_lock(uint32_t *lock)
{
    for (;;) {
        il_step('x', lock, sizeof(*lock), "lock");
        if (!is_held(lock)) {
            *lock |= IL_LOCK_HELD;
            return;
        }
        wait_for_change(lock, sizeof(*lock), false);
    }
}

void il_unlock(uint32_t *lock)
{
    il_step('s', lock, sizeof(*lock), "lock");
    il_check(is_held(lock));
    *lock &= ~IL_LOCK_HELD;
}

/*
 * A loop that loads a word and waits goes on when that word changes.  One that
 * has just written has changed something itself, and may go on at once; were it
 * to go in circles the search would say so.
 */
void il_relax(unsigned int spins)
{
    struct il_thread *t = current;

    (void)spins;
    if (t && t->kind != 'l') {
        return;
    }
    /* Another thread's steps, not ours, decide how often one waits. */
    if (t && t->op_steps) {
        t->op_steps--;
    }
    wait_for_change(t ? t->ptr : NULL, t ? t->size : 0, false);
}

void il_yield_cpu(void)
{
    if (current) {
        wait_for_change(current->ptr, current->size, false);
    } else {
        wait_for_change(NULL, 0, false);
    }
}

uint32_t il_choose(uint32_t n)
{
    uint32_t choice;

    if (!current) {
        return 0;
    }
    current->choices = n;
    current->joined = IL_JOINED;
    about_to(current, 'c', NULL, 0, NULL);
    yield();
    choice = current->choice;
    current->choice = 0;
    current->choices = 0;
    return choice;
}

void il_op_begin(uint32_t max)
{
    if (current) {
        current->op_steps = 0;
        current->op_max = max;
    }
}

void il_op_end(void)
{
    if (current) {
        if (il_max_op_steps < current->op_steps) {
            il_max_op_steps = current->op_steps;
        }
        current->op_steps = 0;
        current->op_max = 0;
    }
}

void il_fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(il_failure, sizeof(il_failure), fmt, ap);
    va_end(ap);
    failed = true;
    if (current) {
        yield();
        abort();
    }
    longjmp(serial_env, 1);
}

bool il_run_serially(void (*fn)(const void *), const void *arg)
{
    serial_steps = 0;
    if (setjmp(serial_env)) {
        return false;
    }
    fn(arg);
    return true;
}

/* Memory ----------------------------------------------------------------- */

static uint32_t round_up(uint32_t n, uint32_t to)
{
    return (n + to - 1) / to * to;
}

void il_arena_guard(void)
{
#ifdef IL_ASAN
    static struct il_block shown[IL_MAX_BLOCKS];
    static uint32_t shown_brk;
    uint32_t end = il_arena->brk > shown_brk ? il_arena->brk : shown_brk;

    if (shown_brk == il_arena->brk &&
        !memcmp(shown, il_arena->blocks, sizeof(shown))) {
        return;
    }
    __asan_poison_memory_region((char *)il_arena + sizeof(*il_arena),
                                end - sizeof(*il_arena));
    for (uint32_t i = 0; i < il_arena->nr_blocks; i++) {
        struct il_block *b = &il_arena->blocks[i];

        __asan_unpoison_memory_region((char *)il_arena + b->offset, b->used);
    }
    memcpy(shown, il_arena->blocks, sizeof(shown));
    shown_brk = il_arena->brk;
#endif
}

void il_arena_map(void)
{
    static bool mapped;

    if (!mapped) {
        void *p =
            mmap(il_arena, IL_ARENA_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

        if (p != il_arena) {
            perror("interleave: cannot map the arena");
            exit(2);
        }
        mapped = true;
    }
}

void il_arena_reset(void)
{
#ifdef IL_ASAN
    __asan_unpoison_memory_region(il_arena, IL_ARENA_SIZE);
#endif
    memset(il_arena, 0, IL_ARENA_SIZE);
    il_arena->brk = round_up(sizeof(*il_arena), IL_LINE) + IL_REDZONE;
    il_arena_guard();
}

void *il_alloc(size_t size)
{
    uint32_t room = round_up(size, IL_LINE) + IL_REDZONE;
    struct il_block *b;
    uint32_t i;

    for (i = 0; i < il_arena->nr_blocks; i++) {
        b = &il_arena->blocks[i];
        if (!b->used && b->size == room) {
            break;
        }
    }
    if (i == il_arena->nr_blocks) {
        if (i == IL_MAX_BLOCKS || room > IL_HEAP_SIZE - il_arena->brk) {
            il_fail("the arena is full");
            return NULL;
        }
        b = &il_arena->blocks[i];
        b->offset = il_arena->brk;
        b->size = room;
        il_arena->brk += room;
        il_arena->nr_blocks++;
    }
    b = &il_arena->blocks[i];
    b->used = size;
    il_arena_guard();
    return (char *)il_arena + b->offset;
}

void il_free(void *ptr)
{
    uint32_t offset = (char *)ptr - (char *)il_arena;

    for (uint32_t i = 0; i < il_arena->nr_blocks; i++) {
        struct il_block *b = &il_arena->blocks[i];

        if (b->offset == offset && b->used) {
            memset(ptr, 0, b->used);
            b->used = 0;
            il_arena_guard();
            return;
        }
    }
    il_fail("free of what was not allocated");
}

size_t il_allocated(void)
{
    size_t sum = 0;

    for (uint32_t i = 0; i < il_arena->nr_blocks; i++) {
        sum += il_arena->blocks[i].used;
    }
    return sum;
}
