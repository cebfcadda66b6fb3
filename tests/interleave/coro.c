/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explorer's coroutines, and what they may call. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

char il_failure[256];
uint32_t il_max_op_steps;

struct il_thread *il_current;
bool il_serial;
static void *main_sp;
static bool failed;
static jmp_buf serial_env;

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

void il_yield(void)
{
    il_switch(&il_current->sp, main_sp);
}

void il_about_to(struct il_thread *t, char kind, const volatile void *ptr,
                 size_t size, const char *what)
{
    t->kind = kind;
    t->ptr = ptr;
    t->size = size;
    t->what = what;
}

static void thread_main(void)
{
    il_current->fn(il_current->opaque);
    if (il_current->op_max) {
        il_fail("%s: an operation was not ended", il_current->name);
    }
    il_current->status = IL_DONE;
    il_current->joined = IL_APART;
    il_current->part = 0;
    il_about_to(il_current, 0, NULL, 0, NULL);
    il_yield();
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
    il_current = t;
    t->status = IL_READY;
    t->watch = NULL;
    t->watch_value = 0;
    t->watch_size = 0;
    t->idle = false;
    il_switch(&main_sp, t->sp);
    il_current = NULL;
    if (failed) {
        /* From where it failed; after a fault that is another stack. */
        t->sp = base;
        return false;
    }
    if (t->status == IL_DONE) {
        t->sp = base + IL_STACK_SIZE;
    }
    if ((char *)t->sp < base + 256) {
        snprintf(il_failure, sizeof(il_failure), "%s: stack overflow", t->name);
        return false;
    }
    /* What is below the stack pointer is rubbish that would split states. */
    memset(base, 0, (char *)t->sp - base);
    return true;
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

void il_pause(void)
{
    struct il_thread *t = il_current;

    if (t && t->joined != IL_JOINED) {
        t->joined = IL_JOINED;
        il_about_to(t, 'o', NULL, 0, NULL);
        il_yield();
    }
    if (t && t->part < IL_PARTS - 1) {
        t->part++;
    }
}

static void wait_for_change(const volatile void *ptr, size_t size, bool idle)
{
    struct il_thread *t = il_current;

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
    il_about_to(t, 'w', NULL, 0, NULL);
    il_yield();
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
        if (!il_is_held(lock)) {
            *lock |= IL_LOCK_HELD;
            return;
        }
        wait_for_change(lock, sizeof(*lock), false);
    }
}

void il_unlock(uint32_t *lock)
{
    il_step('s', lock, sizeof(*lock), "lock");
    il_check(il_is_held(lock));
    *lock &= ~IL_LOCK_HELD;
}

/*
 * A loop that loads a word and waits goes on when that word changes.  One that
 * has just written has changed something itself, and may go on at once; were it
 * to go in circles the search would say so.
 */
void il_relax(unsigned int spins)
{
    struct il_thread *t = il_current;

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
    if (il_current) {
        wait_for_change(il_current->ptr, il_current->size, false);
    } else {
        wait_for_change(NULL, 0, false);
    }
}

uint32_t il_choose(uint32_t n)
{
    uint32_t choice;

    if (!il_current) {
        return 0;
    }
    il_current->choices = n;
    il_current->joined = IL_JOINED;
    il_about_to(il_current, 'c', NULL, 0, NULL);
    il_yield();
    choice = il_current->choice;
    il_current->choice = 0;
    il_current->choices = 0;
    return choice;
}

void il_op_begin(uint32_t max)
{
    if (il_current) {
        il_current->op_steps = 0;
        il_current->op_max = max;
    }
}

void il_op_end(void)
{
    if (il_current) {
        if (il_max_op_steps < il_current->op_steps) {
            il_max_op_steps = il_current->op_steps;
        }
        il_current->op_steps = 0;
        il_current->op_max = 0;
    }
}

void il_fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(il_failure, sizeof(il_failure), fmt, ap);
    va_end(ap);
    failed = true;
    if (il_current) {
        il_yield();
        abort();
    }
    longjmp(serial_env, 1);
}

bool il_run_serially(void (*fn)(const void *), const void *arg)
{
    bool good = false;

    il_serial_steps = 0;
    il_serial = true;
    if (!setjmp(serial_env)) {
        fn(arg);
        good = true;
    }
    il_serial = false;
    return good;
}
