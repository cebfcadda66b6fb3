/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exchange.c: what a guest hands in to XENMEM_exchange, and how it goes on there. */

#include "exchanges.h"

static void test_refused(void)
{
    static const struct {
        struct xen_memory_exchange op;
        int result;
    } cases[] = {
        { { .in = SELF(1, 10), .out = SELF(1024, 0) }, -XEN_EPERM },
        { { .in = SELF(1024, 0), .out = SELF(1, 10) }, -XEN_EPERM },
        { { .in = SELF(1, 64), .out = SELF(1, 0) }, -XEN_EPERM },
        { { .in = SELF(1, 0), .out = SELF(1, ~0u) }, -XEN_EPERM },
        /* This comes first. */
        { { .in = SELF(1, 10), .out = SELF(1, 0) }, -XEN_EPERM },
        { { .in = SELF(1, 0), .out = SELF(1, 0), .nr_exchanged = 2 },
          -XEN_EINVAL },
        { { .in = SELF(1, 0), .out = SELF(1, 0), .nr_exchanged = ~0ul },
          -XEN_EINVAL },
        { { .in = SELF(8, 0), .out = SELF(4, 0) }, -XEN_EINVAL },
        { { .in = SELF(8, 0), .out = SELF(8, 3) }, -XEN_EINVAL },
        { { .in = SELF(9, 0), .out = SELF(1, 3) }, -XEN_EINVAL },
        /* As numbers of pages these are all the same: 0. */
        { { .in = SELF(1ul << 55, 9), .out = SELF(0, 0) }, -XEN_EINVAL },
        { { .in = SELF(0, 0), .out = SELF(1ul << 55, 9) }, -XEN_EINVAL },
        { { .in = SELF(1ul << 63, 1), .out = SELF(1ul << 61, 3) },
          -XEN_EINVAL },
        { { .in = SELF(1, 0), .out = { .nr_extents = 1, .domid = 1 } },
          -XEN_EINVAL },
        { { .in = { .nr_extents = 1 }, .out = SELF(1, 0) }, -XEN_EINVAL },
        { { .in = { .nr_extents = 1 }, .out = { .nr_extents = 1 } },
          -XEN_EPERM },
        { { .in = { .nr_extents = 1, .domid = 2 },
            .out = { .nr_extents = 1, .domid = 2 } }, -XEN_ESRCH },
        { { .in = { .nr_extents = 1, .domid = DOMID_IO },
            .out = { .nr_extents = 1, .domid = DOMID_IO } }, -XEN_ESRCH },
        /* In bytes, these are 8. */
        { { .in = SELF((1ul << 61) + 1, 0), .out = SELF((1ul << 61) + 1, 0) },
          -XEN_EFAULT },
        { { .in = SELF(1ul << 40, 0), .out = SELF(1ul << 40, 0) },
          -XEN_EFAULT },
    };
    unsigned int i;

    start_with_lists();
    frames_give(HIGH, 8);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        put(&cases[i].op);
        g_assert_cmpint(call(), ==, cases[i].result);
        g_assert_cmpuint(seen()->nr_exchanged, ==, cases[i].op.nr_exchanged);
        frames_check(8);
        assert_untouched(8);
    }
    /* The guest by its own number. */
    exchange(1, 0, 1, 0);
    put(&cases[0].op);
    seen()->in = (struct xen_memory_reservation) {
        .extent_start.p = (xen_pfn_t *)in_list, .nr_extents = 1, .domid = 1,
    };
    seen()->out = seen()->in;
    seen()->out.extent_start.p = (xen_pfn_t *)out_list;
    frames_set_entry(in_list, 0, FIRST + 1);
    g_assert_cmpint(call(), ==, 0);
    g_assert_cmpint(machine_call(__HYPERVISOR_memory_op,
                                 XENMEM_exchange | 1 << 6, argument, 0, 0), ==,
                    -XEN_EINVAL);
}

/* Nothing is left to do: the lists may be anything. */
static void test_done(void)
{
    struct xen_memory_exchange op = {
        .in = SELF(3, 0), .out = SELF(3, 0), .nr_exchanged = 3,
    };

    start_with_lists();
    op.in.extent_start.p = op.out.extent_start.p = (xen_pfn_t *)M2P_VA;
    put(&op);
    g_assert_cmpint(call(), ==, 0);
    g_assert_cmpuint(seen()->nr_exchanged, ==, 3);
    /* Nothing is written then. */
    machine_map(UNMAPPED, FIRST + 300, PTE_PRESENT);
    memcpy(frame(FIRST + 300), &op, sizeof(op));
    g_assert_cmpint(machine_call(__HYPERVISOR_memory_op, XENMEM_exchange,
                                 UNMAPPED, 0, 0), ==, 0);
    g_assert_cmpint(exchange(0, 0, 0, 0), ==, 0);
    g_assert_cmpint(exchange(0, 9, 0, 3), ==, 0);
    frames_check(0);
}

static void test_argument(void)
{
    static const uint64_t nowhere[] = {
        0, UNMAPPED, 0x0000800000000000ul, M2P_VA, DIRECTMAP_VA,
        HYPERVISOR_END - 8, ~0ul,
    };
    struct xen_memory_exchange op = { .in = SELF(1, 0), .out = SELF(1, 0) };
    unsigned int i;

    start_with_lists();
    for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
        g_assert_cmpint(machine_call(__HYPERVISOR_memory_op, XENMEM_exchange,
                                     nowhere[i], 0, 0), ==, -XEN_EFAULT);
    }
    g_assert_cmpint(machine_call(__HYPERVISOR_memory_op, XENMEM_exchange,
                                 frames_last_entry(), 0, 0), ==, -XEN_EFAULT);
    frames_check(0);
    /* It is done, but the guest cannot be told how much of it. */
    frames_give(HIGH, 1);
    put(&op);
    machine_map(UNMAPPED, FIRST + 300, PTE_PRESENT);
    memcpy(frame(FIRST + 300), seen(), sizeof(op));
    g_assert_cmpint(machine_call(__HYPERVISOR_memory_op, XENMEM_exchange,
                                 UNMAPPED, 0, 0), ==, -XEN_EFAULT);
    g_assert_cmpuint(frames_entry(out_list, 0), ==, HIGH);
    frames_check(1);
}

/* One of the lists is nowhere, or in the hypervisor. */
static void test_lists(void)
{
    static const uint64_t refused[] = {
        0x0000800000000000ul, M2P_VA, DIRECTMAP_VA, HYPERVISOR_END - 8, ~0ul,
    };
    struct xen_memory_exchange op = { .in = SELF(8, 0), .out = SELF(1, 3) };
    unsigned int i, which;

    start_with_lists();
    frames_give(HIGH, 8);
    frames_l0.nr_calls = 0;
    for (i = 0; i < ARRAY_SIZE(refused); i++) {
        for (which = 0; which < 2; which++) {
            put(&op);
            (which ? &seen()->out : &seen()->in)->extent_start.p =
                (xen_pfn_t *)refused[i];
            g_assert_cmpint(call(), ==, -XEN_EFAULT);
            /* Before it is asked whose they are. */
            seen()->in.domid = seen()->out.domid = 0;
            g_assert_cmpint(call(), ==, -XEN_EFAULT);
            g_assert_cmpuint(frames_l0.nr_calls, ==, 0);
            frames_check(8);
        }
    }
    /* Of the eight entries there is none, or the first. */
    put(&op);
    seen()->in.extent_start.p = (xen_pfn_t *)UNMAPPED;
    g_assert_cmpint(call(), ==, -XEN_EFAULT);
    *(uint64_t *)machine_at(frames_last_entry()) = FIRST;
    seen()->in.extent_start.p = (xen_pfn_t *)frames_last_entry();
    g_assert_cmpint(call(), ==, -XEN_EFAULT);
    g_assert_cmpuint(seen()->nr_exchanged, ==, 0);
    g_assert_cmpuint(frames_l0.nr_calls, ==, 0);
    frames_check(8);
    assert_untouched(8);
}

/* The frames are exchanged, but it cannot be said for which pages. */
static void test_out_list(void)
{
    struct xen_memory_exchange op = { .in = SELF(1, 1), .out = SELF(2, 0) };

    start_with_lists();
    frames_give(HIGH, 2);
    /* The second entry is nowhere. */
    *(uint64_t *)machine_at(frames_last_entry()) = 77;
    op.out.extent_start.p = (xen_pfn_t *)frames_last_entry();
    put(&op);
    g_assert_cmpint(call(), ==, -XEN_EFAULT);
    g_assert_cmpuint(seen()->nr_exchanged, ==, 0);
    frames_check(2);
    g_assert_cmpuint(m2p[*(uint64_t *)machine_at(frames_last_entry())], ==, 77);
    g_assert_cmpuint(marks[HIGH] | marks[HIGH + 1], ==, 0);
    g_assert_true((m2p[HIGH] == 77 && m2p[HIGH + 1] == NO_FRAME) ||
                  (m2p[HIGH] == NO_FRAME && m2p[HIGH + 1] == 77));
    g_assert_cmpuint(marks[FIRST], ==, MARK_FREE);
    /* The first is nowhere, and the second is there. */
    op.out.extent_start.p = (xen_pfn_t *)(UNMAPPED - 8);
    machine_map(UNMAPPED, FIRST + 300, PTE_PRESENT | PTE_WRITE);
    *(uint64_t *)frame(FIRST + 300) = 78;
    frames_set_entry(in_list, 0, HIGH);
    put(&op);
    g_assert_cmpint(call(), ==, -XEN_EFAULT);
    g_assert_cmpuint(m2p[*(uint64_t *)frame(FIRST + 300)], ==, 78);
    frames_check(2);
    /* It can be read only. */
    machine_map(UNMAPPED, FIRST + 300, PTE_PRESENT);
    *(uint64_t *)frame(FIRST + 300) = 79;
    op = (struct xen_memory_exchange) { .in = SELF(1, 0), .out = SELF(1, 0) };
    op.out.extent_start.p = (xen_pfn_t *)UNMAPPED;
    frames_set_entry(in_list, 0, FIRST + 10);
    put(&op);
    g_assert_cmpint(call(), ==, -XEN_EFAULT);
    g_assert_cmpuint(*(uint64_t *)frame(FIRST + 300), ==, 79);
    g_assert_true(m2p[HIGH] == 79 || m2p[HIGH + 1] == 79 ||
                  m2p[FIRST] == 79 || m2p[FIRST + 1] == 79);
    frames_check(2);
}

/* Some of it is done already: whole chunks of that count. */
static void test_begins_in_between(void)
{
    static const struct {
        struct xen_memory_exchange op;
        unsigned int first_in, first_out;
    } cases[] = {
        { { .in = SELF(16, 0), .out = SELF(2, 3), .nr_exchanged = 8 }, 8, 1 },
        { { .in = SELF(16, 0), .out = SELF(2, 3), .nr_exchanged = 11 }, 8, 1 },
        { { .in = SELF(16, 0), .out = SELF(2, 3), .nr_exchanged = 15 }, 8, 1 },
        { { .in = SELF(2, 3), .out = SELF(16, 0), .nr_exchanged = 1 }, 1, 8 },
        { { .in = SELF(2, 1), .out = SELF(2, 1), .nr_exchanged = 1 }, 1, 1 },
        { { .in = SELF(6, 1), .out = SELF(3, 2), .nr_exchanged = 5 }, 4, 2 },
    };
    unsigned int i, k, in_order;

    start_with_lists();
    frames_give(HIGH, 16);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        in_order = cases[i].op.in.extent_order;
        for (k = 0; k < 16; k++) {
            /* Not aligned: no part of an extent for itself. */
            frames_set_entry(in_list, k, FIRST + 1 + (k << in_order));
            frames_set_entry(out_list, k, 1000000 + k);
        }
        put(&cases[i].op);
        g_assert_cmpint(call(), ==, 0);
        g_assert_cmpuint(seen()->nr_exchanged, ==, cases[i].op.in.nr_extents);
        frames_check(16);
        for (k = 0; k < cases[i].op.in.nr_extents; k++) {
            g_assert_cmpuint(marks[FIRST + 1 + (k << in_order)], ==,
                             k < cases[i].first_in ? 0 : MARK_FREE);
        }
        for (k = 0; k < cases[i].op.out.nr_extents; k++) {
            g_assert_true((frames_entry(out_list, k) == 1000000 + k) ==
                          (k < cases[i].first_out));
        }
        g_assert_cmpint(frames_change(XENMEM_increase_reservation, 0, 16, 0, 0),
                        ==, 16);
        frames_give(HIGH, 16);
    }
}

static void test_continued(void)
{
    static const struct {
        struct xen_memory_exchange op;
        unsigned int at_once;           /* of the extents that the guest gives */
        unsigned int steps;             /* after which it makes way */
    } cases[] = {
        { { .in = SELF(1, 0), .out = SELF(1, 0) }, 64, 0 },
        { { .in = SELF(63, 0), .out = SELF(63, 0) }, 64, 0 },
        { { .in = SELF(65, 0), .out = SELF(65, 0) }, 64, 1 },
        { { .in = SELF(200, 0), .out = SELF(200, 0) }, 64, 3 },
        { { .in = SELF(32, 0), .out = SELF(4, 3) }, 8, 3 },
        { { .in = SELF(4, 3), .out = SELF(32, 0) }, 1, 3 },
        { { .in = SELF(8, 1), .out = SELF(2, 3) }, 4, 1 },
    };
    unsigned int i, k, pending, in_order, steps;
    uint64_t nr, done;
    struct regs regs;

    start_with_lists();
    frames_give(HIGH, 256);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        nr = cases[i].op.in.nr_extents;
        in_order = cases[i].op.in.extent_order;
        for (pending = 0; pending < 2; pending++) {
            for (k = 0; k < nr; k++) {
                frames_set_entry(in_list, k, FIRST + (k << in_order));
            }
            for (k = 0; k < cases[i].op.out.nr_extents; k++) {
                frames_set_entry(out_list, k, 4000 + 8 * k);
            }
            put(&cases[i].op);
            regs = frames_call(XENMEM_exchange, argument);
            frames_raise(pending);
            for (done = 0, steps = 0; frames_step(&regs); steps++) {
                g_assert_cmpuint(seen()->nr_exchanged, >, done);
                g_assert_cmpuint(seen()->nr_exchanged - done, <=,
                                 cases[i].at_once);
                done = seen()->nr_exchanged;
                g_assert_cmpuint(done, <, nr);
                g_assert_cmpuint(regs.rax, ==, __HYPERVISOR_memory_op);
                g_assert_cmpuint(regs.rdi, ==, XENMEM_exchange);
                g_assert_cmphex(regs.rsi, ==, argument);
                frames_check(256);
            }
            g_assert_cmpuint(steps, ==, pending ? cases[i].steps : 0);
            g_assert_cmpint(regs.rax, ==, 0);
            g_assert_cmpuint(seen()->nr_exchanged, ==, nr);
            frames_raise(false);
            frames_check(256);
            for (k = 0; k < cases[i].op.out.nr_extents; k++) {
                g_assert_cmpuint(m2p[frames_entry(out_list, k)], ==,
                                 4000 + 8 * k);
            }
            /* As it was. */
            while (nr_free_frames()) {
                frames_change(XENMEM_increase_reservation, 0, 1, 0, 0);
            }
            frames_give(HIGH, 256);
        }
    }
}

/* Extents of many pages take long each, whatever they are exchanged for. */
static void test_large_continued(void)
{
    const struct xen_memory_exchange op = { .in = SELF(4, 3),
                                            .out = SELF(4, 3) };
    struct regs regs;
    unsigned int i;

    start_with_lists();
    frames_give(HIGH, 32);
    for (i = 0; i < 4; i++) {
        frames_set_entry(in_list, i, FIRST + 8 * i);
    }
    put(&op);
    frames_raise(true);
    regs = frames_call(XENMEM_exchange, argument);
    for (i = 1; i < 4; i++) {
        g_assert_true(frames_step(&regs));
        g_assert_cmpuint(seen()->nr_exchanged, ==, i);
    }
    g_assert_false(frames_step(&regs));
}

/* The host's nodes are not for guests to choose. */
static void test_node(void)
{
    struct xen_memory_exchange op = { .in = SELF(1, 0), .out = SELF(1, 0) };

    start_with_lists();
    frames_give(HIGH, 1);
    op.out.mem_flags = XENMEMF_exact_node(0);
    put(&op);
    g_assert_cmpint(call(), ==, -XEN_EINVAL);
    frames_check(1);
    assert_untouched(1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/exchange_arguments/refused", test_refused);
    machine_test("/monitor/exchange_arguments/done", test_done);
    machine_test("/monitor/exchange_arguments/argument", test_argument);
    machine_test("/monitor/exchange_arguments/lists", test_lists);
    machine_test("/monitor/exchange_arguments/out-list", test_out_list);
    machine_test("/monitor/exchange_arguments/begins-in-between", test_begins_in_between);
    machine_test("/monitor/exchange_arguments/continued", test_continued);
    machine_test("/monitor/exchange_arguments/large-continued", test_large_continued);
    machine_test("/monitor/exchange_arguments/node", test_node);
    return g_test_run();
}
