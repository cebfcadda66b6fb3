/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages for tests, from the image's own memory, and the compiler's functions. */

#include "internal.h"

/* A small image has fewer. */
#ifndef POOL_PAGES
#define POOL_PAGES 1024
#endif

static char pages[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static unsigned int used, mark, kept;

void *page_alloc(unsigned int nr)
{
    void *page = pages[used];

    if (used + nr + kept > POOL_PAGES) {
        crash("out of pages");
    }
    used += nr;
    return memset(page, 0, (size_t)nr * PAGE_SIZE);
}

void *page_keep(void)
{
    if (used + kept == POOL_PAGES) {
        crash("out of pages");
    }
    kept++;
    return memset(pages[POOL_PAGES - kept], 0, PAGE_SIZE);
}

int map_page(unsigned int space, uint64_t index, uint64_t gfn)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF,
        .space = space,
        .idx = index,
        .gpfn = gfn,
    };

    return HYPERVISOR_memory_op(XENMEM_add_to_physmap, &map);
}

void memory_mark(void)
{
    mark = used;
}

void memory_release(void)
{
    used = mark;
}

void *memcpy(void *to, const void *from, size_t size)
{
    void *start = to;

    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
}

void *memset(void *to, int value, size_t size)
{
    void *start = to;

    asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return start;
}

int memcmp(const void *one, const void *other, size_t size)
{
    const unsigned char *a = one, *b = other;

    for (; size; size--, a++, b++) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}

size_t strlen(const char *string)
{
    size_t length = 0;

    while (string[length]) {
        length++;
    }
    return length;
}
