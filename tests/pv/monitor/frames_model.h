/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For test_frames_random.c: a model of whose each frame is, for which page, and what is
 * in it; and what a guest may hand in.
 */

#ifndef TESTS_PV_FRAMES_MODEL_H
#define TESTS_PV_FRAMES_MODEL_H

#include "frames.h"

#define ROUNDS      2500
#define MAX_ENTRIES 600
#define KERNEL_END  (MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE)

static struct {
    enum { NOT_OURS, GUEST, FREE, STOLEN } state;
    uint8_t table;
    uint64_t pfn, content;
} model[MACHINE_MAX_MFN];

/* It refuses single calls, also to have a frame back: less can be checked then. */
static bool l0_refuses;
static unsigned int nr_free, nr_done[4], nr_errors[4];

/* Lists, of which the entries from @nr on are nowhere. */
struct list {
    uint64_t va;
    unsigned int nr;
    uint64_t entries[MAX_ENTRIES];
};

static inline unsigned int below(unsigned int end)
{
    return g_test_rand_int_range(0, end);
}

static inline bool one_in(unsigned int n)
{
    return !below(n);
}

static inline void model_begin(void)
{
    uint64_t mfn;

    for (mfn = 0; mfn < MACHINE_MAX_MFN; mfn++) {
        model[mfn].state = frames_in_range(mfn) ? GUEST : NOT_OURS;
        model[mfn].table = marks[mfn];
        model[mfn].pfn = m2p[mfn];
    }
}

static inline bool is(uint64_t mfn, int state)
{
    return mfn < MACHINE_MAX_MFN && (int)model[mfn].state == state;
}

static inline void model_free(uint64_t mfn)
{
    model[mfn].state = FREE;
    model[mfn].table = 0;
    model[mfn].content = 0;
    nr_free++;
}

static inline void model_give(uint64_t mfn, uint64_t pfn)
{
    nr_free -= model[mfn].state == FREE;
    model[mfn].state = GUEST;
    model[mfn].pfn = pfn;
}

static inline uint64_t limit_of(unsigned int bits)
{
    return !bits ? MACHINE_MAX_MFN : bits <= 12 ? 0 :
           MIN(MACHINE_MAX_MFN, 1ul << (bits - 12));
}

/* Frames @mfn and those after it that could be an extent: free ones, or just given. */
static inline bool is_extent(uint64_t mfn, unsigned int order, uint64_t limit)
{
    uint64_t i;

    if (mfn & (PAGES(order) - 1) || mfn + PAGES(order) > limit) {
        return false;
    }
    for (i = mfn; i < mfn + PAGES(order); i++) {
        if (!is(i, FREE) && !is(i, STOLEN)) {
            return false;
        }
    }
    return true;
}

static inline unsigned int nr_extents(unsigned int order, uint64_t limit)
{
    unsigned int nr = 0;
    uint64_t mfn;

    for (mfn = 0; mfn < MACHINE_MAX_MFN; mfn += PAGES(order)) {
        nr += is_extent(mfn, order, limit);
    }
    return nr;
}

static inline void check_model(void)
{
    uint64_t mfn, *words;

    frames_check(nr_free);
    for (mfn = FRAMES_FIRST; mfn < MACHINE_MAX_MFN; mfn++) {
        if (!frames_in_range(mfn)) {
            continue;
        }
        g_assert_true((model[mfn].state == FREE) == (marks[mfn] == MARK_FREE));
        if (model[mfn].state == GUEST) {
            words = frame(mfn);
            g_assert_cmpuint(marks[mfn], ==, model[mfn].table);
            g_assert_cmphex(m2p[mfn], ==, model[mfn].pfn);
            g_assert_cmphex(words[0], ==, model[mfn].content);
            g_assert_cmphex(words[511], ==, model[mfn].content);
        }
    }
}

/* An extent that the guest has got, as it says: the model has it, too, from now on. */
static inline void got_extent(uint64_t mfn, unsigned int order, uint64_t limit,
                              uint64_t pfn)
{
    uint64_t i;

    g_assert_true(is_extent(mfn, order, limit));
    for (i = 0; i < PAGES(order); i++) {
        model_give(mfn + i, pfn == NO_FRAME ? pfn : pfn + i);
        g_assert_true(model[mfn + i].content || frames_is_zero(mfn + i));
    }
}

static inline uint64_t random_frame(void)
{
    static const uint64_t hostile[] = {
        0, MACHINE_LOW_MFN - 1, MACHINE_LOW_MFN, MACHINE_HOLE_MFN,
        MACHINE_HOLE_MFN + 1, MACHINE_HIGH_MFN - 1, MACHINE_MAX_MFN,
        MACHINE_XENSTORE_MFN, MACHINE_SHARED_INFO_MFN, MACHINE_END_MFN,
        1ul << 31, 1ul << 52 | 1000, ~0ul, ~0ul - 3, 1ul << 63 | 2050,
    };

    if (one_in(30)) {
        return hostile[below(ARRAY_SIZE(hostile))];
    }
    switch (below(4)) {
    case 0:
        return MACHINE_HOLE_MFN - 1 - below(64);
    case 1:
        return MACHINE_MAX_MFN - 1 - below(64);
    default:
        return MACHINE_HIGH_MFN + below(128);
    }
}

/* Mostly one that the guest can give. */
static inline uint64_t random_own(void)
{
    uint64_t mfn = random_frame();
    unsigned int i;

    for (i = 0; i < 50 && !is(mfn, GUEST); i++) {
        mfn = random_frame();
    }
    return mfn;
}

static inline unsigned int random_order(void)
{
    return one_in(60) ? 9 : one_in(80) ? 10 : one_in(3) ? below(5) : 0;
}

static inline unsigned int random_bits(void)
{
    static const uint8_t bits[] = { 12, 13, 21, 22, 23, 24 };

    return one_in(4) ? bits[below(ARRAY_SIZE(bits))] : 0;
}

/* @is_short: its end may be behind what is mapped. */
static inline void put_list(struct list *list, uint64_t va, unsigned int nr,
                            bool is_short)
{
    list->va = va;
    list->nr = nr;
    if (is_short) {
        list->nr = below(nr + 1);
        list->va = KERNEL_END - list->nr * sizeof(uint64_t);
    }
    copy_to_guest(list->va, list->entries, list->nr * sizeof(uint64_t));
}

static inline void random_l0(void)
{
    machine_l0.no_memory = one_in(25);
    frames_l0.fails = l0_refuses && one_in(10) ?
                      frames_l0.nr_calls + 1 + below(12) : 0;
}

static inline bool l0_has_failed(void)
{
    return machine_l0.no_memory ||
           (frames_l0.fails && frames_l0.nr_calls >= frames_l0.fails);
}

static inline void l0_is_good(void)
{
    machine_l0.no_memory = false;
    frames_l0.fails = 0;
}

#endif /* TESTS_PV_FRAMES_MODEL_H */
