/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done about threads that wait or talk, and what comes of it. */

#include "rig.h"

#include <stdlib.h>
#include <string.h>

/* The memory of a VM whose move was kept comes after it, once, where there is room. */
static void follow(struct rig *r, uint32_t vm)
{
    uint32_t from, to, here = r->h->cage[r->h->vm[vm].home].first_node,
                       there = r->h->cage[rig_cage_of(r, vm)].first_node;
    uint64_t reserved = r->h->node[here].reserved;
    uint64_t now = r->h->vm[vm].last_action, room = r->h->node[there].memory;

    g_assert_cmpuint(here, !=, there);
    g_assert_cmpuint(reserved, >=, 10);
    g_assert_false(
        place_memory_follow(r->h, vm, now + 59 * PLACE_SECOND, &from, &to));
    r->h->node[there].memory = 9;
    g_assert_false(place_memory_follow(r->h, vm, r->now, &from, &to));
    r->h->node[there].memory = room;
    place_mode_set(r->h, PLACE_START);
    g_assert_false(place_memory_follow(r->h, vm, r->now, &from, &to));
    place_mode_set(r->h, PLACE_BALANCE);
    g_assert_true(place_memory_follow(r->h, vm, r->now, &from, &to));
    g_assert_cmpuint(from, ==, here);
    g_assert_cmpuint(to, ==, there);
    g_assert_cmpuint(r->h->node[here].reserved, ==, reserved - 10);
    g_assert_cmpuint(r->h->node[there].reserved, ==, 10);
    g_assert_false(place_memory_follow(r->h, vm, r->now, &from, &to));
    check_host(r->h);
}

/* Two busy VMs on one node, the other node idle: one is moved, and kept. */
static void test_two_hot(void)
{
    struct rig *r = rig_new(2, 1, 4, 1, 0);
    uint32_t a = rig_add(r, 4, 10, PLACE_SHARED, NULL);
    uint32_t x = rig_add(r, 4, 10, PLACE_SHARED, NULL);
    uint32_t b = rig_add(r, 4, 10, PLACE_SHARED, NULL), moved, i, actions = 0;
    struct place_change change[64];
    char text[1000];

    /* Admission spreads them; the one that had the other node goes. */
    g_assert_cmpuint(rig_cage_of(r, a), !=, rig_cage_of(r, x));
    g_assert_cmpuint(rig_cage_of(r, a), ==, rig_cage_of(r, b));
    place_vm_remove(r->h, x);
    for (i = 0; i < 12 && !actions; i++) {
        bool apart = rig_cage_of(r, a) != rig_cage_of(r, b);

        g_assert_false(apart);
        rig_use(r, a, 1000, 990);
        rig_use(r, b, 1000, 990);
        actions = (uint32_t)rig_plan(r, change);
    }
    /* Within 10 s of waiting, and 4 masks. */
    g_assert_cmpuint(i, <=, 5);
    g_assert_cmpuint(actions, ==, 4);
    g_assert_cmpint(change[0].action, ==, PLACE_MOVED);
    g_assert_cmpuint(rig_cage_of(r, a), !=, rig_cage_of(r, b));
    moved = r->h->thread[change[0].thread].vm;
    for (i = 0; i < 30; i++) {
        rig_use(r, a, 1990, 10);
        rig_use(r, b, 1990, 10);
        g_assert_cmpuint(rig_plan(r, change), ==, 0);
    }
    place_explain(r->h, moved, PLACE_NONE, "web1", r->now, text, sizeof(text));
    g_test_message("%s", text);
    g_assert_nonnull(strstr(text, "It was moved from CPUs 0-3 (node 0)"));
    g_assert_nonnull(strstr(text, "Kept: 0.5 % in both afterwards."));
    g_assert_cmpuint(r->h->rolled_back, ==, 0);
    follow(r, moved);
    rig_free(r);
}

/*
 * Guests that are known not to wait count as if they had been measured: beside a guest that
 * waits, a cage's pressure is the same.
 */
static void test_calm(void)
{
    struct rig *r[2];
    uint32_t a[2], b[2], i, k, thread;
    struct place_change change[64];

    for (k = 0; k < 2; k++) {
        r[k] = rig_new(1, 1, 8, 1, 0);
        place_mode_set(r[k]->h, PLACE_OBSERVE);
        a[k] = rig_add(r[k], 4, 10, PLACE_SHARED, NULL);
        b[k] = rig_add(r[k], 4, 10, PLACE_SHARED, NULL);
    }
    for (i = 0; i < 40; i++) {
        for (k = 0; k < 2; k++) {
            rig_use(r[k], a[k], 1000, 100);
            if (k == 0 || i < 20 || i == 36) {
                rig_use(r[k], b[k], 1000 * (k && i == 36 ? 17 : 1), 0);
                continue;
            }
            for (thread = r[k]->h->vm[b[k]].first_thread; thread != PLACE_NONE;
                 thread = r[k]->h->thread[thread].next_of_vm) {
                place_thread_calm(r[k]->h, thread, r[k]->now);
                place_thread_calm(r[k]->h, thread, r[k]->now);
            }
        }
        for (k = 0; k < 2; k++) {
            rig_plan(r[k], change);
        }
        g_assert_cmpint(labs((long)r[0]->h->cage[r[0]->h->all].pressure -
                             (long)r[1]->h->cage[r[1]->h->all].pressure),
                        <=, 1);
    }
    g_assert_cmpuint(r[0]->h->cage[r[0]->h->all].pressure, >, 40);
    for (k = 0; k < 2; k++) {
        rig_free(r[k]);
    }
}

/* A move that does harm is taken back, and not repeated for 10 minutes. */
static void test_planted(void)
{
    struct rig *r = rig_new(2, 1, 4, 1, 0);
    uint32_t a = rig_add(r, 4, 10, PLACE_SHARED, NULL);
    uint32_t b = rig_add(r, 4, 10, PLACE_SHARED, NULL),
             home = rig_cage_of(r, b), i;
    struct place_change change[64];
    size_t n = 0;

    for (i = 0; i < 6; i++) {
        rig_use(r, a, 1990, 10);
        rig_use(r, b, 1990, 10);
        g_assert_cmpuint(rig_plan(r, change), ==, 0);
    }
    g_assert_true(
        place_force(r->h, b, rig_cage_of(r, a), r->now, change, 64, &n));
    /* Two windows show that: it need not be borne for five. */
    for (i = 0; i < 2; i++) {
        rig_use(r, a, 1990, 60);
        rig_use(r, b, 1990, 60);
        n = rig_plan(r, change);
        g_assert_cmpuint(n, ==, i < 1 ? 0 : 4);
    }
    g_assert_cmpint(change[0].action, ==, PLACE_ROLLED_BACK);
    g_assert_cmpuint(rig_cage_of(r, b), ==, home);
    g_assert_cmpuint(r->h->rolled_back, ==, 1);
    r->now += 300 * PLACE_SECOND;
    g_assert_false(
        place_force(r->h, b, rig_cage_of(r, a), r->now, change, 64, &n));
    r->now += 301 * PLACE_SECOND;
    g_assert_true(
        place_force(r->h, b, rig_cage_of(r, a), r->now, change, 64, &n));
    rig_free(r);
}

/*
 * What is not plain is judged after five windows only: a window that was bad by chance,
 * waiting as it was now and then before, and waiting that comes with more work.
 */
static void test_not_plain(void)
{
    static const struct {
        uint32_t run_before, delay_before[2], run, delay[4];
    } cases[] = {
        { 1500, { 10, 10 }, 1500, { 300, 10, 300, 10 } },
        { 1500, { 10, 300 }, 1500, { 350, 350, 350, 350 } },
        { 1500, { 10, 10 }, 1800, { 200, 200, 200, 200 } },
    };
    struct place_change change[64];
    uint32_t i, k;

    for (k = 0; k < G_N_ELEMENTS(cases); k++) {
        struct rig *r = rig_new(2, 1, 8, 1, 0);
        uint32_t a = rig_add(r, 4, 10, PLACE_SHARED, NULL);
        uint32_t b = rig_add(r, 4, 10, PLACE_SHARED, NULL);
        size_t n;

        for (i = 0; i < 6; i++) {
            rig_use(r, a, cases[k].run_before, cases[k].delay_before[i % 2]);
            rig_use(r, b, cases[k].run_before, cases[k].delay_before[i % 2]);
            place_mode_set(r->h, PLACE_START);
            rig_plan(r, change);
        }
        place_mode_set(r->h, PLACE_BALANCE);
        g_assert_true(
            place_force(r->h, b, rig_cage_of(r, a), r->now, change, 64, &n));
        for (i = 0; i < 4; i++) {
            rig_use(r, a, cases[k].run, cases[k].delay[i]);
            rig_use(r, b, cases[k].run, cases[k].delay[i]);
            rig_plan(r, change);
            g_assert_cmpuint(r->h->rolled_back, ==, 0);
        }
        rig_free(r);
    }
}

/* Where neither moving nor other nodes help, a VM is widened; later narrowed. */
static void test_widen_narrow(void)
{
    struct rig *r = rig_new(1, 2, 4, 1, 0);
    uint32_t a = rig_add(r, 4, 10, PLACE_SHARED, NULL), home, i;
    uint32_t b = rig_add(r, 4, 10, PLACE_SHARED, NULL);
    struct place_change change[64];
    size_t n = 0;

    home = rig_cage_of(r, a);
    g_assert_cmpuint(home, !=, rig_cage_of(r, b));
    /* More than half of the other LLC is used: no whole VM fits there. */
    for (i = 0; i < 20 && !n; i++) {
        rig_use(r, a, 1300, 650);
        rig_use(r, b, 900, 0);
        n = rig_plan(r, change);
    }
    g_assert_cmpuint(n, >, 0);
    g_assert_true(change[0].action == PLACE_WIDENED ||
                  change[0].action == PLACE_MOVED);
    for (i = 0; i < 60 && rig_cage_of(r, a) != home; i++) {
        rig_use(r, a, 100, 0);
        rig_use(r, b, 100, 0);
        rig_plan(r, change);
    }
    g_assert_cmpuint(rig_cage_of(r, a), ==, home);
    rig_free(r);
}

/*
 * Four nodes, two VMs each, which wait as threads with random loads do on any CPUs.
 * Other nodes' threads wait as much: a wide cage would only have events cross nodes.
 */
static void test_chance(void)
{
    struct rig *r = rig_new(4, 1, 4, 1, 0);
    uint32_t vm[8], i, k;
    uint64_t random = 7;
    struct place_change change[64];

    for (i = 0; i < 8; i++) {
        vm[i] = rig_add(r, 4, 10, PLACE_SHARED, NULL);
    }
    for (k = 0; k < 300; k++) {
        for (i = 0; i < 8; i++) {
            rig_use(r, vm[i], 450 + random_below(&random, 120),
                    120 + random_below(&random, 60));
        }
        g_assert_cmpuint(rig_plan(r, change), ==, 0);
    }
    g_assert_cmpuint(r->h->cage[rig_cage_of(r, vm[0])].pressure, >,
                     2 * PRESSURE_HIGH);
    rig_free(r);
}

/*
 * A cage's pressure from before an action says nothing of it afterwards: there is no second
 * action because of it.
 */
static void test_anew(void)
{
    struct rig *r = rig_new(4, 1, 4, 1, 0);
    uint32_t vm[9], i, k, full;
    struct place_change change[64];
    size_t n = 0;

    for (i = 0; i < 9; i++) {
        vm[i] = rig_add(r, 4, 10, PLACE_SHARED, NULL);
    }
    full = rig_cage_of(r, vm[0]);
    g_assert_cmpuint(rig_cage_of(r, vm[4]), ==, full);
    g_assert_cmpuint(rig_cage_of(r, vm[8]), ==, full);
    for (k = 0; k < 10 && !n; k++) {
        for (i = 0; i < 9; i++) {
            bool hot = i == 0 || i == 4;

            rig_use(r, vm[i], hot ? 1000 : 30, hot ? 990 : 30);
        }
        n = rig_plan(r, change);
    }
    g_assert_cmpuint(n, ==, 4);
    for (k = 0; k < 10; k++) {
        for (i = 0; i < 9; i++) {
            bool hot = i == 0 || i == 4;

            rig_use(r, vm[i], hot ? 1980 : 30, hot ? 10 : 1);
        }
        g_assert_cmpuint(rig_plan(r, change), ==, 0);
    }
    rig_free(r);
}

/* One that was widened goes home when it is no fuller there, calm or not. */
static void test_wide_for_nothing(void)
{
    struct rig *r = rig_new(2, 1, 4, 1, 0);
    uint32_t a = rig_add(r, 4, 10, PLACE_SHARED, NULL);
    uint32_t b = rig_add(r, 4, 10, PLACE_SHARED, NULL), i;
    uint32_t home = rig_cage_of(r, a);
    struct place_change change[64];
    size_t n = 0;

    /* All of it would not fit the other node. */
    for (i = 0; i < 7; i++) {
        place_mode_set(r->h, i < 6 ? PLACE_START : PLACE_BALANCE);
        rig_use(r, a, 1300, 650);
        rig_use(r, b, 900, 0);
        n = rig_plan(r, change);
    }
    g_assert_cmpuint(n, ==, 4);
    g_assert_cmpint(change[0].action, ==, PLACE_WIDENED);
    g_assert_cmpuint(rig_cage_of(r, a), ==, r->h->all);
    for (i = 0; i < 40; i++) {
        g_assert_cmpuint(rig_cage_of(r, a), ==, i < 30 ? r->h->all : home);
        rig_use(r, a, 800, 200);
        rig_use(r, b, 800, 200);
        rig_plan(r, change);
    }
    g_assert_cmpuint(rig_cage_of(r, b), !=, r->h->all);
    g_assert_cmpuint(r->h->rolled_back, ==, 0);
    rig_free(r);
}

/* In the other modes nothing is done about the same. */
static void test_modes(void)
{
    static const enum place_mode modes[] = { PLACE_OBSERVE, PLACE_START };
    struct place_change change[64];
    uint32_t i, k;

    for (k = 0; k < 2; k++) {
        struct rig *r = rig_new(2, 1, 4, 1, 0);
        uint32_t vm;

        place_mode_set(r->h, modes[k]);
        vm = rig_add(r, 4, 10, PLACE_SHARED, NULL);
        g_assert_cmpint(rig_cage_of(r, vm) == r->h->all, ==,
                        modes[k] == PLACE_OBSERVE);
        for (i = 0; i < 20; i++) {
            rig_use(r, vm, 500, 1400);
            g_assert_cmpuint(rig_plan(r, change), ==, 0);
        }
        rig_free(r);
    }
}

/* Steady random load: next to no actions. */
static void test_steady(void)
{
    struct rig *r = rig_new(4, 1, 4, 1, 0);
    uint32_t vm[8], i, k;
    uint64_t random = 7;
    struct place_change change[64];
    struct place_counts c;

    for (i = 0; i < 8; i++) {
        vm[i] = rig_add(r, 4, 10, PLACE_SHARED, NULL);
    }
    for (k = 0; k < 300; k++) {
        for (i = 0; i < 8; i++) {
            rig_use(r, vm[i], 650 + random_below(&random, 100),
                    300 + random_below(&random, 60));
        }
        rig_plan(r, change);
    }
    place_counts(r->h, &c);
    g_test_message("%" G_GUINT64_FORMAT " actions in 10 minutes", c.actions);
    g_assert_cmpuint(c.actions, <=, 10);
    rig_free(r);
}

/* vCPUs that talk in two groups go into one LLC each. */
static void test_merge(void)
{
    struct rig *r = rig_new(1, 2, 4, 1, 0);
    uint32_t vm = rig_add(r, 8, 10, PLACE_SHARED, NULL), i, k, thread[8];
    struct place_change change[64];
    size_t n;

    rig_assert_cpus(r, rig_cage_of(r, vm), "0-7");
    for (i = r->h->vm[vm].first_thread; i != PLACE_NONE;
         i = r->h->thread[i].next_of_vm) {
        thread[r->h->thread[i].index] = i;
    }
    g_assert_cmpuint(place_merge(r->h, vm, r->now, change, 64), ==, 0);
    for (k = 0; k < 20; k++) {
        rig_use(r, vm, 200, 0);
        for (i = 0; i < 8; i++) {
            /* Even ones with even ones, odd ones with odd ones. */
            place_traffic(r->h, thread[i], thread[(i + 2) % 8], 2000,
                          2 * PLACE_SECOND);
            place_traffic(r->h, thread[i], thread[(i + 1) % 8], 100,
                          2 * PLACE_SECOND);
        }
        rig_plan(r, change);
    }
    n = place_merge(r->h, vm, r->now, change, 64);
    g_assert_cmpuint(n, ==, 8);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(r->h->thread[thread[i]].cage, ==,
                         r->h->thread[thread[i % 2]].cage);
    }
    g_assert_cmpuint(r->h->thread[thread[0]].cage, !=,
                     r->h->thread[thread[1]].cage);
    rig_free(r);
}

/* But not where a user's limit would put two of them on one CPU. */
static void test_merge_limited(void)
{
    struct rig *r = rig_new(1, 2, 4, 1, 0);
    uint32_t vm = rig_add(r, 8, 10, PLACE_SHARED, NULL), i, k, first;
    struct place_set some = { { 0x11 } }; /* one CPU of each LLC */
    struct place_change change[64];

    first = r->h->vm[vm].first_thread;
    for (k = 0, i = first; k < 2; k++, i = r->h->thread[i].next_of_vm) {
        place_thread_allow(r->h, i, &some);
        g_assert_cmpuint(r->h->thread[i].cage, ==, rig_cage_of(r, vm));
    }
    for (k = 0; k < 20; k++) {
        rig_use(r, vm, 200, 0);
        place_traffic(r->h, first, r->h->thread[first].next_of_vm, 5000,
                      PLACE_SECOND);
        rig_plan(r, change);
    }
    g_assert_cmpuint(place_merge(r->h, vm, r->now, change, 64), ==, 0);
    rig_free(r);
}

/* Sakasegawa's formula at 50, 75, 90 % and so on, computed in floating point. */
static void test_wait(void)
{
    static const struct {
        uint32_t load, cpus, wait;
    } known[] = {
        { 1024, 1, 500000 },   { 2277, 4, 223403 }, { 4721, 4, 1610531 },
        { 11025, 4, 7166418 }, { 4204, 8, 105650 }, { 11817, 8, 4539949 },
        { 0, 4, 0 },
    };
    uint32_t i, load, last = 0;

    for (i = 0; i < G_N_ELEMENTS(known); i++) {
        uint32_t w = place_wait(known[i].load, known[i].cpus * 1024);

        g_assert_cmpuint(w, >=, known[i].wait * 0.95);
        g_assert_cmpuint(w, <=, known[i].wait * 1.05 + 1);
    }
    for (load = 0; load < 20000; load += 7) {
        uint32_t w = place_wait(load, 8 * 1024);

        /* Threads wait no longer than they want to run. */
        g_assert_cmpuint(w, <=, load * UINT64_C(1000000) / 1024);
        g_assert_cmpuint(w, >=, last);
        last = w;
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/placement/two-hot", test_two_hot);
    g_test_add_func("/placement/planted", test_planted);
    g_test_add_func("/placement/not-plain", test_not_plain);
    g_test_add_func("/placement/calm", test_calm);
    g_test_add_func("/placement/widen-narrow", test_widen_narrow);
    g_test_add_func("/placement/chance", test_chance);
    g_test_add_func("/placement/anew", test_anew);
    g_test_add_func("/placement/wide-for-nothing", test_wide_for_nothing);
    g_test_add_func("/placement/modes", test_modes);
    g_test_add_func("/placement/steady", test_steady);
    g_test_add_func("/placement/merge", test_merge);
    g_test_add_func("/placement/merge-limited", test_merge_limited);
    g_test_add_func("/placement/wait", test_wait);
    return g_test_run();
}
