/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cages by pressure, the highest first, and of equal ones the lowest number.
 * heap_at[] says where in the heap a cage is.
 */

#include "model.h"

static bool before(const struct place_host *h, uint32_t a, uint32_t b)
{
    uint32_t pa = h->cage[a].pressure, pb = h->cage[b].pressure;

    return pa != pb ? pa > pb : a < b;
}

static void put(struct place_host *h, uint32_t at, uint32_t cage)
{
    h->heap[at] = (uint16_t)cage;
    h->heap_at[cage] = (uint16_t)at;
}

static void sift(struct place_host *h, uint32_t at, uint32_t cage)
{
    uint32_t next;

    for (; at && before(h, cage, h->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        put(h, at, h->heap[(at - 1) / 2]);
    }
    for (; (next = 2 * at + 1) < h->heap_size; at = next) {
        if (next + 1 < h->heap_size &&
            before(h, h->heap[next + 1], h->heap[next])) {
            next++;
        }
        if (!before(h, h->heap[next], cage)) {
            break;
        }
        put(h, at, h->heap[next]);
    }
    put(h, at, cage);
}

void place_heap_init(struct place_host *h)
{
    uint32_t i;

    /* All pressures are 0, so this order is one. */
    for (i = 0; i < h->nr_cages; i++) {
        put(h, i, i);
    }
    h->heap_size = h->nr_cages;
}

void place_heap_update(struct place_host *h, uint32_t cage)
{
    sift(h, h->heap_at[cage], cage);
}

uint32_t place_heap_pop(struct place_host *h)
{
    uint32_t top = h->heap[0], last = h->heap[--h->heap_size];

    if (h->heap_size) {
        sift(h, 0, last);
    }
    return top;
}

void place_heap_push(struct place_host *h, uint32_t cage)
{
    sift(h, h->heap_size++, cage);
}
