/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explorer's arena, and the heap in it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine.h"

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

struct il_arena *const il_arena = (struct il_arena *)IL_ARENA_ADDRESS;
void **const il_root = (void **)IL_ARENA_ADDRESS;

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

/* Lines -------------------------------------------------------------------- */

static void set_lines(struct il_lines *lines, const void *ptr, size_t size,
                      bool on)
{
    size_t from = (const char *)ptr - (const char *)il_arena;

    for (size_t i = from / IL_LINE; i * IL_LINE < from + size; i++) {
        uint64_t bit = UINT64_C(1) << i % 64;

        lines->bits[i / 64] = (lines->bits[i / 64] & ~bit) | (on ? bit : 0);
    }
}

static bool has_line(const struct il_lines *lines, const volatile void *ptr)
{
    size_t line = ((const char *)ptr - (const char *)il_arena) / IL_LINE;

    return line < IL_HEAP_SIZE / IL_LINE &&
           lines->bits[line / 64] >> line % 64 & 1;
}

bool il_is_freed(const volatile void *ptr)
{
    return has_line(&il_arena->freed, ptr);
}

bool il_is_read_only(const volatile void *ptr)
{
    return has_line(&il_arena->read_only, ptr);
}

void il_read_only(void *ptr, size_t size, bool on)
{
    il_step('s', ptr, size, on ? "taken away" : "given");
    set_lines(&il_arena->read_only, ptr, size, on);
}

/* Blocks ------------------------------------------------------------------- */

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
    set_lines(&il_arena->freed, (char *)il_arena + b->offset, size, false);
    set_lines(&il_arena->read_only, (char *)il_arena + b->offset, size, false);
    il_arena_guard();
    return (char *)il_arena + b->offset;
}

void il_free(void *ptr)
{
    uint32_t offset = (char *)ptr - (char *)il_arena;

    for (uint32_t i = 0; i < il_arena->nr_blocks; i++) {
        struct il_block *b = &il_arena->blocks[i];

        if (b->offset == offset && b->used) {
            il_step('s', ptr, b->used, "free");
            memset(ptr, 0, b->used);
            set_lines(&il_arena->freed, ptr, b->used, true);
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
