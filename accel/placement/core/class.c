/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Masks, looked at before threads.
 *
 * A class is a distinct set of allowed CPUs; class 0 is any CPU.  For a cage,
 * "who could take a thread of mine?" would have to look at each thread's mask
 * and each other cage.  Here it is one bitmap, takers[cage], which changes only
 * when a class's first thread comes to a cage or its last one leaves: the
 * classes' masks, transposed.
 */

#include "model.h"

#include <string.h>

static uint64_t *takes(struct place_host *h, uint32_t class)
{
    return h->takes + (size_t) class * h->cage_words;
}

static void takers_count(struct place_host *h, uint32_t cage)
{
    uint64_t *takers = h->takers + (size_t)cage * h->cage_words;
    uint64_t *present = h->present + (size_t)cage * h->class_words;
    uint32_t class, i;

    memset(takers, 0, h->cage_words * sizeof(*takers));
    for_each_bit(class, present, h->class_words)
    {
        for (i = 0; i < h->cage_words; i++) {
            takers[i] |= takes(h, class)[i];
        }
    }
    bit_clear(takers, cage);
}

static void class_count(struct place_host *h, uint32_t class)
{
    struct class *c = &h->class[class];
    struct place_set usable;
    uint32_t i;

    for (i = 0; i < h->words; i++) {
        usable.word[i] = c->allowed.word[i] & h->available.word[i];
    }
    c->usable = !bits_empty(usable.word, h->words);
    memset(takes(h, class), 0, h->cage_words * sizeof(uint64_t));
    for (i = 0; i < h->nr_cages; i++) {
        if (bits_meet(usable.word, h->cage[i].cpus.word, h->words)) {
            bit_set(takes(h, class), i);
        }
    }
}

void place_classes_init(struct place_host *h)
{
    uint32_t i;

    memset(&h->class[0].allowed, 0xff, sizeof(h->class[0].allowed));
    h->class[0].nr_threads = 1; /* never given back */
    h->nr_classes = 1;
    class_count(h, 0);
    for (i = 0; i < h->nr_cages * h->limits.max_classes; i++) {
        h->pair_of[i] = NONE16;
    }
    for (i = 0; i < h->nr_pairs; i++) {
        h->pair[i].next_free = i + 1 < h->nr_pairs ? (uint16_t)(i + 1) : NONE16;
    }
}

void place_classes_count(struct place_host *h)
{
    uint32_t i;

    for (i = 0; i < h->limits.max_classes; i++) {
        if (h->class[i].nr_threads) {
            class_count(h, i);
        }
    }
    for (i = 0; i < h->nr_cages; i++) {
        takers_count(h, i);
    }
}

uint32_t place_class_get(struct place_host *h, const struct place_set *allowed)
{
    uint32_t i, unused = PLACE_NONE;

    if (!allowed ||
        bits_equal(allowed->word, h->class[0].allowed.word, h->words)) {
        h->class[0].nr_threads++;
        return 0;
    }
    for (i = 1; i < h->limits.max_classes; i++) {
        struct class *c = &h->class[i];

        if (!c->nr_threads) {
            unused = min_u32(unused, i);
        } else if (bits_equal(c->allowed.word, allowed->word, h->words)) {
            c->nr_threads++;
            return i;
        }
    }
    if (unused == PLACE_NONE) {
        h->classes_refused++;
        return PLACE_NONE;
    }
    h->class[unused].allowed = *allowed;
    h->class[unused].nr_threads = 1;
    h->nr_classes++;
    class_count(h, unused);
    return unused;
}

void place_class_put(struct place_host *h, uint32_t class)
{
    if (!--h->class[class].nr_threads) {
        h->nr_classes--;
    }
}

void place_present(struct place_host *h, uint32_t cage, uint32_t class, bool on)
{
    uint64_t *present = h->present + (size_t)cage * h->class_words;
    uint64_t *takers = h->takers + (size_t)cage * h->cage_words;
    uint32_t i;

    if (on) {
        bit_set(present, class);
        for (i = 0; i < h->cage_words; i++) {
            takers[i] |= takes(h, class)[i];
        }
        bit_clear(takers, cage);
    } else {
        bit_clear(present, class);
        takers_count(h, cage);
    }
}
