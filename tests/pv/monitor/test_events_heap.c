/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events_env.c: the heap of the event-channel model. */

#include "event_env.h"

#include <pthread.h>
#include <sched.h>

#define HEAP_END (MACHINE_HEAP_MFN + MACHINE_NR_HEAP_MFNS)

/* Behind the guest's shared_info, and L0's vcpu_infos. */
static uint8_t *heap_begin(void)
{
    return frame(MACHINE_HEAP_MFN + 2);
}

static uint8_t *heap_end(void)
{
    return frame(HEAP_END);
}

static bool is_zero(const uint8_t *block, size_t size)
{
    return !*block && !memcmp(block, block + 1, size - 1);
}

static void test_blocks(void)
{
    static const size_t sizes[] = {
        1, 8, 63, 64, 65, 100, 127, 128, 129, 4095, 4096, 4097, 12288, 1,
    };
    uint8_t *block, *end = NULL;
    unsigned int i;

    machine_start(&own);
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        block = take(sizes[i]);
        g_assert_nonnull(block);
        g_assert_cmphex((uint64_t)block % 64, ==, 0);
        g_assert_true(block >= heap_begin());
        g_assert_true(block + sizes[i] <= heap_end());
        g_assert_true(!end || block >= end);
        g_assert_true(is_zero(block, sizes[i]));
        memset(block, 0xaa, sizes[i]);
        end = block + sizes[i];
    }
}

/* A block that was given back is the next of its size, and has nothing of the last. */
static void test_again(void)
{
    uint8_t *block, *other, *next;
    size_t size;

    machine_start(&own);
    for (size = 64; size <= 65536; size *= 2) {
        block = take(size);
        other = take(size);
        memset(block, 0xaa, size);
        memset(other, 0xbb, size);
        give(block, size);
        give(other, size);
        /* One more than half of it has the same class. */
        next = take(size / 2 + 1);
        g_assert_true(next == other);
        g_assert_true(is_zero(next, size / 2 + 1));
        next = take(size);
        g_assert_true(next == block);
        g_assert_true(is_zero(next, size));
        /* There is no third. */
        next = take(size);
        g_assert_true(next != block && next != other);
        memset(next, 0xcc, size);
        g_assert_true(is_zero(block, size));
    }
}

/* A block of 100 bytes has no 128 for the next one. */
static void test_odd_sizes(void)
{
    uint8_t *block, *next;

    machine_start(&own);
    block = take(100);
    take(64);
    give(block, 100);
    next = take(128);
    g_assert_true(next >= block + 128 || next + 128 <= block);
    next = take(100);
    g_assert_true(next >= block + 100 || next + 100 <= block);
    /* Of another class. */
    block = take(128);
    give(block, 128);
    g_assert_true(take(129) != block);
    g_assert_true(take(64) != block);
    g_assert_true(take(128) == block);
}

/* To the last byte, and no further. */
static void test_exhaustion(void)
{
    uint8_t *block, *last = NULL;

    machine_start(&own);
    g_assert_null(take(MACHINE_NR_HEAP_MFNS * PAGE_SIZE));
    g_assert_null(take(1ul << 24));
    while ((block = take(4096))) {
        last = block;
    }
    while ((block = take(64))) {
        last = block;
    }
    g_assert_true(last + 64 == heap_end());
    g_assert_null(take(1));
    give(last, 64);
    g_assert_null(take(65));
    g_assert_true(take(1) == last);
    g_assert_null(take(1));
}

/* Random blocks do not overlap, whatever is given back. */
static void test_random(void)
{
    enum { NR = 64 };
    struct {
        uint8_t *block;
        size_t size;
    } blocks[NR] = { 0 };
    unsigned int i, j, n;

    machine_start(&own);
    for (n = 0; n < 4000; n++) {
        i = g_test_rand_int_range(0, NR);
        if (blocks[i].block) {
            for (j = 0; j < blocks[i].size; j++) {
                g_assert_cmpuint(blocks[i].block[j], ==, i + 1);
            }
            give(blocks[i].block, blocks[i].size);
            blocks[i].block = NULL;
            continue;
        }
        blocks[i].size = 64u << g_test_rand_int_range(0, 6);
        blocks[i].block = take(blocks[i].size);
        /* These are all powers of two, so all come back. */
        g_assert_nonnull(blocks[i].block);
        g_assert_true(is_zero(blocks[i].block, blocks[i].size));
        memset(blocks[i].block, i + 1, blocks[i].size);
    }
}

/* Ports until no memory is left: the guest learns that, and goes on. */
static void test_ports_to_the_end(void)
{
    struct evtchn_init_control init = { .vcpu = 0 };
    struct evtchn_expand_array expand;
    uint32_t port, last = 0;
    unsigned int i;
    long result;

    machine_start(&own_fifo);
    init.control_gfn = machine_frame();
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_init_control, &init), ==, 0);
    for (i = 0; i < EVTCHN_MAX_ARRAY_FRAMES; i++) {
        expand.array_gfn = machine_frame();
        g_assert_cmpint(EVENT_CALL(EVTCHNOP_expand_array, &expand), ==, 0);
    }
    while (!(result = try_bind_ipi(0, &port))) {
        last = port;
    }
    g_assert_cmpint(result, ==, -XEN_ENOMEM);
    g_assert_cmpuint(last, >, 10000);
    g_assert_cmpint(close_port(1000), ==, 0);
    g_assert_cmpuint(bind_ipi(0), ==, 1000);
    g_assert_cmpint(try_bind_ipi(0, &port), ==, -XEN_ENOMEM);
    g_assert_cmpint(send_to(last), ==, 0);
}

/* A machine with a heap of this many frames behind what L0 needs. */
static void start_with(uint64_t mfns)
{
    machine_make(&own);
    machine_boot.nr_heap_mfns = 2 + mfns;
    machine_assert_ends(start());
    machine_assert_said("no memory for event channels");
    g_assert_null(guest_events);
}

static void test_no_memory(void)
{
    start_with(0);
}

/* There is room for the hub alone. */
static void test_little_memory(void)
{
    start_with(1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/events_heap/blocks", test_blocks);
    machine_test("/monitor/events_heap/again", test_again);
    machine_test("/monitor/events_heap/odd-sizes", test_odd_sizes);
    machine_test("/monitor/events_heap/exhaustion", test_exhaustion);
    machine_test("/monitor/events_heap/random", test_random);
    machine_test("/monitor/events_heap/ports-to-the-end", test_ports_to_the_end);
    machine_test("/monitor/events_heap/no-memory", test_no_memory);
    machine_test("/monitor/events_heap/little-memory", test_little_memory);
    return g_test_run();
}
