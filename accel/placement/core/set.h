/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps of 64-bit words: sets of CPUs, of cages, of classes.  @words is how
 * many words of it the host needs.
 */

#ifndef PLACE_SET_H
#define PLACE_SET_H

#include <stdbool.h>
#include <stdint.h>

#define PLACE_WORDS(bits) (((bits) + 63) / 64)

static inline bool bit_test(const uint64_t *map, uint32_t bit)
{
    return map[bit / 64] >> (bit % 64) & 1;
}

static inline void bit_set(uint64_t *map, uint32_t bit)
{
    map[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static inline void bit_clear(uint64_t *map, uint32_t bit)
{
    map[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}

static inline uint32_t bits_count(const uint64_t *map, uint32_t words)
{
    uint32_t i, n = 0;

    for (i = 0; i < words; i++) {
        n += (uint32_t)__builtin_popcountll(map[i]);
    }
    return n;
}

/* How many bits both have. */
static inline uint32_t bits_common(const uint64_t *a, const uint64_t *b,
                                   uint32_t words)
{
    uint32_t i, n = 0;

    for (i = 0; i < words; i++) {
        n += (uint32_t)__builtin_popcountll(a[i] & b[i]);
    }
    return n;
}

static inline bool bits_meet(const uint64_t *a, const uint64_t *b,
                             uint32_t words)
{
    uint32_t i;

    for (i = 0; i < words; i++) {
        if (a[i] & b[i]) {
            return true;
        }
    }
    return false;
}

static inline bool bits_equal(const uint64_t *a, const uint64_t *b,
                              uint32_t words)
{
    uint32_t i;

    for (i = 0; i < words; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

static inline bool bits_empty(const uint64_t *map, uint32_t words)
{
    return !bits_meet(map, map, words);
}

/* The first bit from @from on, or @words * 64. */
static inline uint32_t bit_next(const uint64_t *map, uint32_t words,
                                uint32_t from)
{
    uint32_t i = from / 64;
    uint64_t word;

    if (i >= words) {
        return words * 64;
    }
    word = map[i] & ~UINT64_C(0) << (from % 64);
    while (!word) {
        if (++i == words) {
            return words * 64;
        }
        word = map[i];
    }
    return i * 64 + (uint32_t)__builtin_ctzll(word);
}

#define for_each_bit(bit, map, words)                         \
    for ((bit) = bit_next(map, words, 0); (bit) < (words)*64; \
         (bit) = bit_next(map, words, (bit) + 1))

#endif /* PLACE_SET_H */
