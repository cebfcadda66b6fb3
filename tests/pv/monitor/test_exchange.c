/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exchange.c: XENMEM_exchange, frames of the guest's for as many others. */

#include "exchanges.h"

/* All orders into all others. */
static void test_orders(void)
{
    static const uint8_t orders[] = { 0, 1, 3, 9 };
    unsigned int in, out, in_order, out_order;
    uint64_t nr, i, k, first;

    start_with_lists();
    for (i = 0; i < 1024; i++) {
        frames_write(HIGH + i);
    }
    frames_give(HIGH, 1024);
    for (in = 0; in < ARRAY_SIZE(orders); in++) {
        for (out = 0; out < ARRAY_SIZE(orders); out++) {
            in_order = orders[in];
            out_order = orders[out];
            nr = MAX(PAGES(in_order), PAGES(out_order));
            for (i = 0; i < nr >> in_order; i++) {
                frames_set_entry(in_list, i, FIRST + (i << in_order));
            }
            for (i = 0; i < nr >> out_order; i++) {
                frames_set_entry(out_list, i, 1000 + 600 * i);
            }
            g_assert_cmpint(exchange(nr >> in_order, in_order, nr >> out_order,
                                     out_order), ==, 0);
            g_assert_cmpuint(seen()->nr_exchanged, ==, nr >> in_order);
            frames_check(1024);
            for (i = 0; i < nr >> out_order; i++) {
                first = frames_entry(out_list, i);
                g_assert_cmpuint(first % PAGES(out_order), ==, 0);
                for (k = 0; k < PAGES(out_order); k++) {
                    g_assert_cmpuint(marks[first + k], ==, 0);
                    g_assert_cmpuint(m2p[first + k], ==, 1000 + 600 * i + k);
                    /* One of those that it has given may be among them. */
                    g_assert_true(frames_is_zero(first + k) ||
                                  first + k - FIRST < nr);
                }
            }
            /* As it was: the guest has the frames from FIRST on. */
            while (frames_change(XENMEM_increase_reservation, 0, 1, 0,
                                 XENMEMF_address_bits(22))) {
            }
            for (i = 0; i < nr; i++) {
                frames_write(FIRST + i);
            }
            for (i = 0; i < 1024; i++) {
                if (marks[HIGH + i] != MARK_FREE) {
                    frames_give(HIGH + i, 1);
                }
            }
        }
    }
}

/* With no free frame there are those that the guest gives itself. */
static void test_own_frames(void)
{
    unsigned int i;

    start_with_lists();
    for (i = 0; i < 8; i++) {
        frames_set_entry(in_list, i, FIRST + 8 + (i ^ 5));
    }
    g_assert_cmpint(exchange(8, 0, 1, 3), ==, 0);
    g_assert_cmpuint(frames_entry(out_list, 0), ==, FIRST + 8);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(m2p[FIRST + 8 + i], ==, 1000 + i);
    }
    frames_check(0);
    g_assert_cmpuint(frames_l0.nr_calls, ==, 0);
    assert_untouched(24);
    /* Some of these, and some that are free. */
    frames_give(FIRST + 32, 5);
    for (i = 0; i < 8; i++) {
        frames_set_entry(in_list, i, FIRST + 34 + (i < 3 ? i + 3 : i + 9));
    }
    g_assert_cmpint(exchange(8, 0, 1, 3), ==, 0);
    g_assert_cmpuint(frames_entry(out_list, 0), ==, FIRST + 32);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(m2p[FIRST + 32 + i], ==, FIRST + 8 + i);
        g_assert_true(frames_is_zero(FIRST + 32 + i) == (i < 5));
    }
    frames_check(5);
}

/* One by one, each is its own. */
static void test_one_by_one(void)
{
    unsigned int i;

    start_with_lists();
    g_assert_cmpint(exchange(8, 0, 8, 0), ==, 0);
    frames_check(0);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(frames_entry(out_list, i), ==, FIRST + i);
        g_assert_cmpuint(m2p[FIRST + i], ==, 1000 + i);
    }
    assert_untouched(8);
    frames_give(HIGH, 1);
    g_assert_cmpint(exchange(8, 0, 8, 0), ==, 0);
    g_assert_cmpuint(frames_entry(out_list, 0), ==, HIGH);
    g_assert_cmpuint(m2p[HIGH], ==, FIRST);
    frames_check(1);
    /* The last extent of the largest order. */
    frames_set_entry(in_list, 0, MACHINE_MAX_MFN - 512);
    frames_set_entry(out_list, 0, 7);
    g_assert_cmpint(exchange(1, 9, 1, 9), ==, 0);
    g_assert_cmpuint(frames_entry(out_list, 0), ==, MACHINE_MAX_MFN - 512);
    g_assert_cmpuint(m2p[MACHINE_MAX_MFN - 1], ==, 7 + 511);
    frames_check(1);
}

/* Eight frames that follow each other, for extents that are there or are not. */
static void test_no_memory(void)
{
    static const struct {
        uint64_t free;
        unsigned int nr_free;
        uint64_t in;
        unsigned int out_order, bits;
        long result;
    } cases[] = {
        { HIGH, 0, FIRST + 1, 3, 0, -XEN_ENOMEM },
        { HIGH, 7, FIRST + 1, 3, 0, -XEN_ENOMEM },
        { HIGH + 1, 8, FIRST + 1, 3, 0, -XEN_ENOMEM },
        { HIGH, 8, FIRST + 1, 3, 0, 0 },
        /* One of two extents is in what it gives. */
        { HIGH, 0, FIRST + 1, 2, 0, -XEN_ENOMEM },
        { HIGH, 3, FIRST + 1, 2, 0, -XEN_ENOMEM },
        { HIGH + 2, 5, FIRST + 1, 2, 0, -XEN_ENOMEM },
        { HIGH + 2, 6, FIRST + 1, 2, 0, 0 },
        /* Three of four. */
        { HIGH, 1, FIRST + 1, 1, 0, -XEN_ENOMEM },
        { HIGH + 1, 2, FIRST + 1, 1, 0, -XEN_ENOMEM },
        { HIGH, 2, FIRST + 1, 1, 0, 0 },
        /* Part of the other is what it gives, too. */
        { HIGH + 1, 2, HIGH + 3, 2, 0, -XEN_ENOMEM },
        { HIGH, 3, HIGH + 3, 2, 0, 0 },
        /* One of two is free, and below the limit. */
        { FIRST, 4, HIGH, 2, 22, -XEN_ENOMEM },
        { FIRST, 7, HIGH, 2, 22, -XEN_ENOMEM },
        { FIRST, 8, HIGH, 2, 22, 0 },
        { FIRST, 7, HIGH, 0, 22, -XEN_ENOMEM },
        { FIRST, 8, HIGH, 0, 22, 0 },
    };
    struct xen_memory_exchange op = { .in = SELF(1, 3) };
    unsigned int i, k;

    start_with_lists();
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        frames_give(cases[i].free, cases[i].nr_free);
        frames_set_entry(in_list, 0, cases[i].in);
        frames_set_entry(out_list, 0, 1000);
        for (k = 0; k < 8; k++) {
            frames_write(cases[i].in + k);
        }
        op.out = (struct xen_memory_reservation) {
            .nr_extents = 8 >> cases[i].out_order, .domid = DOMID_SELF,
            .extent_order = cases[i].out_order, .mem_flags = cases[i].bits,
        };
        put(&op);
        g_assert_cmpint(call(), ==, cases[i].result);
        frames_check(cases[i].nr_free);
        g_assert_cmpuint(seen()->nr_exchanged, ==, !cases[i].result);
        for (k = 0; k < 8 && cases[i].result; k++) {
            g_assert_cmpuint(marks[cases[i].in + k], ==, 0);
            g_assert_cmphex(*(uint64_t *)frame(cases[i].in + k), ==,
                            0xa5a5a5a5a5a5a5a5);
        }
        g_assert_true((frames_entry(out_list, 0) == 1000) == !!cases[i].result);
        g_assert_cmpint(frames_change(XENMEM_increase_reservation, 0,
                                      cases[i].nr_free, 0, 0), ==,
                        cases[i].nr_free);
    }
}

static void test_limits(void)
{
    struct xen_memory_exchange op = { .in = SELF(4, 0), .out = SELF(1, 2) };
    static const struct {
        unsigned int in_flags, out_flags;
        long result;
    } cases[] = {
        { 0, XENMEMF_address_bits(12), -XEN_ENOMEM },
        { 0, XENMEMF_address_bits(21), -XEN_ENOMEM },
        /* Those that it gives are no matter of the limit. */
        { XENMEMF_address_bits(12), XENMEMF_address_bits(22), 0 },
    };
    unsigned int i, k;

    start_with_lists();
    frames_give(FIRST, 4);
    frames_give(HIGH + 8, 8);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        for (k = 0; k < 4; k++) {
            frames_set_entry(in_list, k, HIGH + k);
        }
        op.in.mem_flags = cases[i].in_flags;
        op.out.mem_flags = cases[i].out_flags;
        put(&op);
        g_assert_cmpint(call(), ==, cases[i].result);
        g_assert_cmpuint(marks[FIRST], ==, cases[i].result ? MARK_FREE : 0);
        g_assert_cmpuint(marks[HIGH], ==, cases[i].result ? 0 : MARK_FREE);
        frames_check(12);
    }
    g_assert_cmpuint(frames_entry(out_list, 0), ==, FIRST);
}

/* What the guest may not give, at the beginning, middle and end of a chunk. */
static void test_wrong_frames(void)
{
    static const struct {
        uint64_t mfn;
        uint8_t mark;
    } cases[] = {
        { 0, 0 }, { MACHINE_LOW_MFN - 1, 0 }, { MACHINE_HOLE_MFN, 0 },
        { MACHINE_HIGH_MFN - 1, 0 }, { MACHINE_MAX_MFN, 0 },
        { MACHINE_XENSTORE_MFN, 0 }, { MACHINE_SHARED_INFO_MFN, 0 },
        { MACHINE_GRANT_MFN, 0 }, { ~0ul, 0 }, { 1ul << 52 | (FIRST + 100), 0 },
        { MACHINE_LOW_MFN, 4 },         /* it is loaded */
        { FIRST + 101, 1 }, { FIRST + 102, 2 }, { FIRST + 103, 3 },
        { FIRST + 104, 4 }, { HIGH, MARK_FREE },
        /* Twice in it: the second is FIRST + 4, wherever the first is. */
        { FIRST + 4, 0 },
    };
    static const uint8_t places[] = { 0, 3, 7 };
    unsigned int i, k;

    start_with_lists();
    frames_give(HIGH, 8);
    frames_l0.nr_calls = 0;
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        for (k = 0; k < ARRAY_SIZE(places); k++) {
            if (cases[i].mark >= 1 && cases[i].mark <= 4) {
                set_mark(cases[i].mfn, cases[i].mark);
            }
            frames_set_entry(in_list, places[k], cases[i].mfn);
            g_assert_cmpint(exchange(8, 0, 1, 3), ==, -XEN_EINVAL);
            g_assert_cmpuint(seen()->nr_exchanged, ==, 0);
            g_assert_cmpuint(frames_entry(out_list, 0), ==, 1000);
            g_assert_cmpuint(frames_l0.nr_calls, ==, 0);
            frames_check(8);
            assert_untouched(8);
            if (cases[i].mark) {
                g_assert_cmpuint(marks[cases[i].mfn], ==, cases[i].mark);
            }
            frames_set_entry(in_list, places[k], FIRST + places[k]);
        }
    }
}

/* An extent of which one frame is wrong. */
static void test_wrong_extents(void)
{
    static const struct {
        uint64_t mfn;
        unsigned int order;
    } cases[] = {
        { MACHINE_HOLE_MFN - 1, 1 }, { MACHINE_HOLE_MFN - 511, 9 },
        { MACHINE_MAX_MFN - 3, 2 }, { MACHINE_HIGH_MFN - 1, 1 },
        { ~0ul, 1 }, { -4ul, 3 }, { FIRST - 1, 3 },
    };
    unsigned int i;

    start_with_lists();
    set_mark(FIRST + 2, 1);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        frames_set_entry(in_list, 0, cases[i].mfn);
        g_assert_cmpint(exchange(1, cases[i].order, PAGES(cases[i].order), 0),
                        ==, -XEN_EINVAL);
        frames_check(0);
    }
    /* Two that overlap. */
    frames_set_entry(in_list, 0, FIRST + 8);
    frames_set_entry(in_list, 1, FIRST + 11);
    g_assert_cmpint(exchange(2, 2, 1, 3), ==, -XEN_EINVAL);
    frames_check(0);
    frames_set_entry(in_list, 1, FIRST + 12);
    g_assert_cmpint(exchange(2, 2, 1, 3), ==, 0);
    /* A frame that has been exchanged already, in another chunk. */
    frames_give(HIGH, 1);
    frames_set_entry(in_list, 1, FIRST + 8);
    g_assert_cmpint(exchange(2, 0, 2, 0), ==, -XEN_EINVAL);
    g_assert_cmpuint(seen()->nr_exchanged, ==, 1);
    g_assert_cmpuint(marks[FIRST + 8], ==, MARK_FREE);
    frames_check(1);
}

/* L0 has no memory, from the k-th frame on or for it alone. */
static void test_l0_refuses(void)
{
    static const struct {
        uint64_t free, in;
        unsigned int nr_free, out_order;
    } cases[] = {
        /* Four of the eight it has given itself. */
        { HIGH, HIGH + 4, 4, 3 },
        { HIGH, HIGH + 4, 4, 0 },
        /* Because of the limit none. */
        { FIRST, HIGH, 8, 0 }, { FIRST, HIGH, 8, 1 }, { FIRST, HIGH, 8, 2 },
        { FIRST, HIGH, 8, 3 },
    };
    struct xen_memory_exchange op = { .in = SELF(1, 3) };
    unsigned int i, k, j, all;

    start_with_lists();
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        op.out = (struct xen_memory_reservation) {
            .nr_extents = 8 >> cases[i].out_order, .domid = DOMID_SELF,
            .extent_order = cases[i].out_order,
            .mem_flags = cases[i].free == FIRST ? 22 : 0,
        };
        for (k = 0; k < 2 * cases[i].nr_free; k++) {
            all = k % 2;
            frames_l0 = (struct frames_l0) { .nr_calls = 0 };
            frames_give(cases[i].free, cases[i].nr_free);
            frames_set_entry(in_list, 0, cases[i].in);
            frames_l0.fails = frames_l0.nr_calls + 1 + k / 2;
            frames_l0.fails_from_there = all;
            put(&op);
            g_assert_cmpint(call(), ==, -XEN_ENOMEM);
            frames_check(cases[i].nr_free);
            g_assert_cmpuint(seen()->nr_exchanged, ==, 0);
            for (j = 0; j < 8; j++) {
                g_assert_cmpuint(marks[cases[i].in + j], ==, 0);
            }
            frames_l0.fails = 0;
            frames_l0.fails_from_there = false;
            g_assert_cmpint(frames_change(XENMEM_increase_reservation, 0,
                                          cases[i].nr_free, 0, 0), ==,
                            cases[i].nr_free);
            frames_check(0);
        }
    }
    /* It does not take one back: that is free all the same. */
    for (k = 1; k <= 8; k++) {
        frames_l0 = (struct frames_l0) { .nr_calls = 0 };
        frames_give(HIGH, 8);
        frames_set_entry(in_list, 0, FIRST + 1);
        frames_l0.fails = frames_l0.nr_calls + 8 + k;
        g_assert_cmpint(exchange(1, 3, 1, 3), ==, 0);
        frames_check(8);
        g_assert_cmpint(frames_change(XENMEM_increase_reservation, 0, 8, 0, 0),
                        ==, 8);
    }
}

/* What has been exchanged before the error stays so, and the guest can go on. */
static void test_goes_on_after_an_error(void)
{
    unsigned int i;

    start_with_lists();
    frames_give(HIGH, 1);
    frames_l0.fails = frames_l0.nr_calls + 5;
    g_assert_cmpint(exchange(4, 0, 4, 0), ==, -XEN_ENOMEM);
    g_assert_cmpuint(seen()->nr_exchanged, ==, 2);
    g_assert_cmpuint(frames_entry(out_list, 0), ==, HIGH);
    g_assert_cmpuint(frames_entry(out_list, 1), ==, FIRST);
    g_assert_cmpuint(frames_entry(out_list, 2), ==, 1002);
    frames_check(1);
    g_assert_cmpint(call(), ==, 0);
    g_assert_cmpuint(seen()->nr_exchanged, ==, 4);
    for (i = 0; i < 4; i++) {
        g_assert_cmpuint(m2p[frames_entry(out_list, i)], ==, 1000 + i);
    }
    frames_check(1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/exchange/orders", test_orders);
    machine_test("/monitor/exchange/own-frames", test_own_frames);
    machine_test("/monitor/exchange/one-by-one", test_one_by_one);
    machine_test("/monitor/exchange/no-memory", test_no_memory);
    machine_test("/monitor/exchange/limits", test_limits);
    machine_test("/monitor/exchange/wrong-frames", test_wrong_frames);
    machine_test("/monitor/exchange/wrong-extents", test_wrong_extents);
    machine_test("/monitor/exchange/l0-refuses", test_l0_refuses);
    machine_test("/monitor/exchange/goes-on-after-an-error", test_goes_on_after_an_error);
    return g_test_run();
}
