/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events_env.c: heap, locks, frames and interrupts that the event-channel model gets. */

#include <pthread.h>
#include <sched.h>

#include "event_calls.h"
#include "model.h"

static const struct machine_config own = { .own_events = true };
static const struct machine_config own_fifo = {
    .nr_vcpus = 3, .own_events = true, .fifo = true, .three_level = true,
};

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

static void *take(size_t size)
{
    return guest_events->env->alloc(guest_events->opaque, size);
}

static void give(void *block, size_t size)
{
    guest_events->env->free(guest_events->opaque, block, size);
}

static bool is_zero(const uint8_t *block, size_t size)
{
    return !*block && !memcmp(block, block + 1, size - 1);
}

/* The heap ------------------------------------------------------------------------- */

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

/* Locks ---------------------------------------------------------------------------- */

enum { ROUNDS = 20000 };

static struct spinlock lock;
static volatile unsigned int counter, entered;
static uint64_t model_lock;
static unsigned int nr_ready;

/* Both threads are here before one goes on. */
static void meet(void)
{
    __atomic_fetch_add(&nr_ready, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&nr_ready, __ATOMIC_SEQ_CST) % 2) {
        sched_yield();
    }
}

static void in_two_threads(void *(*run)(void *))
{
    pthread_t thread;

    g_assert_cmpint(pthread_create(&thread, NULL, run, (void *)1), ==, 0);
    run((void *)0);
    g_assert_cmpint(pthread_join(thread, NULL), ==, 0);
}

static void *count(void *id)
{
    unsigned int i, seen;

    meet();
    for (i = 0; i < ROUNDS; i++) {
        spin_lock(&lock);
        seen = counter;
        if (i % 1000 == 0) {
            sched_yield();
        }
        counter = seen + 1;
        spin_unlock(&lock);
    }
    return id;
}

static void test_locks(void)
{
    machine_start(&own);
    in_two_threads(count);
    g_assert_cmpuint(counter, ==, 2 * ROUNDS);
    g_assert_cmpuint(lock.held, ==, 0);
}

static void *enter(void *id)
{
    meet();
    spin_lock(&lock);
    entered = 1;
    spin_unlock(&lock);
    return id;
}

/* The lock that another one holds is waited for. */
static void test_held(void)
{
    pthread_t thread;
    unsigned int i;

    machine_start(&own);
    spin_lock(&lock);
    g_assert_cmpint(pthread_create(&thread, NULL, enter, NULL), ==, 0);
    meet();
    for (i = 0; i < 200; i++) {
        sched_yield();
        g_assert_cmpuint(entered, ==, 0);
    }
    spin_unlock(&lock);
    g_assert_cmpint(pthread_join(thread, NULL), ==, 0);
    g_assert_cmpuint(entered, ==, 1);
}

static void *count_by_model(void *id)
{
    const struct evtchn_env *env = guest_events->env;
    unsigned int i, seen;

    meet();
    for (i = 0; i < ROUNDS; i++) {
        env->lock(&model_lock);
        seen = counter;
        if (i % 1000 == 0) {
            sched_yield();
        }
        counter = seen + 1;
        env->unlock(&model_lock);
        env->relax(i);
    }
    return id;
}

/* The model's, of which it knows the size only. */
static void test_model_locks(void)
{
    machine_start(&own);
    model_lock = ~0ul;
    g_assert_cmpuint(guest_events->env->lock_size, <=, sizeof(model_lock));
    guest_events->env->lock_init(&model_lock);
    in_two_threads(count_by_model);
    g_assert_cmpuint(counter, ==, 2 * ROUNDS);
    guest_events->env->lock_destroy(&model_lock);
}

/* No block is of two threads. */
static void *take_and_give(void *id)
{
    uint8_t *block;
    unsigned int i, j;

    meet();
    for (i = 0; i < 5 * ROUNDS; i++) {
        block = take(64);
        g_assert_nonnull(block);
        memset(block, (uint64_t)id + 1, 64);
        if (i % 5000 == 0) {
            sched_yield();
        }
        for (j = 0; j < 64; j++) {
            g_assert_cmpuint(block[j], ==, (uint64_t)id + 1);
        }
        give(block, 64);
    }
    return id;
}

static void test_heap_of_two(void)
{
    machine_start(&own);
    in_two_threads(take_and_give);
}

/* Two vCPUs that bind and close at the same time; each has ports of its own. */
static void *bind_and_close(void *vcpu)
{
    struct evtchn_bind_ipi bind = { .vcpu = (uint64_t)vcpu };
    uint32_t mine[8] = { 0 };
    unsigned int i, at;

    machine_switch((uint64_t)vcpu);
    meet();
    for (i = 0; i < 5000; i++) {
        at = i * 5 % 8;
        if (mine[at]) {
            g_assert_cmpint(evtchn_op(guest_events, EVTCHNOP_send, &mine[at]),
                            ==, 0);
            g_assert_cmpint(evtchn_op(guest_events, EVTCHNOP_close, &mine[at]),
                            ==, 0);
            mine[at] = 0;
        } else {
            g_assert_cmpint(evtchn_op(guest_events, EVTCHNOP_bind_ipi, &bind),
                            ==, 0);
            mine[at] = bind.port;
        }
    }
    return NULL;
}

static void test_two_vcpus(void)
{
    machine_start(&own_fifo);
    start_other_vcpu(1);
    in_two_threads(bind_and_close);
}

/* Frames and interrupts ------------------------------------------------------------ */

static long init_control(unsigned int vcpu, uint64_t gfn)
{
    struct evtchn_init_control init = { .vcpu = vcpu, .control_gfn = gfn };

    return EVENT_CALL(EVTCHNOP_init_control, &init);
}

/* What the model writes to is RAM of the guest's, and no top-level table. */
static void test_frames(void)
{
    const uint64_t bad[] = {
        0, MACHINE_LOW_MFN - 1, MACHINE_HOLE_MFN, MACHINE_HIGH_MFN - 1,
        MACHINE_MAX_MFN, MACHINE_SHARED_INFO_MFN, MACHINE_HEAP_MFN,
        MACHINE_VCPUS_MFN, MACHINE_TABLES_MFN, MACHINE_LOW_MFN, ~0ul,
        1ul << 52 | MACHINE_LOW_MFN,
    };
    uint64_t given_back;
    unsigned int i;

    machine_start(&own_fifo);
    g_assert_cmpuint(boot->top_mfn, ==, MACHINE_LOW_MFN);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(init_control(0, bad[i]), ==, -XEN_EINVAL);
    }
    given_back = machine_frame();
    marks[given_back] = MARK_FREE;
    g_assert_cmpint(init_control(0, given_back), ==, -XEN_EINVAL);
    g_assert_cmpint(init_control(0, MACHINE_HOLE_MFN - 1), ==, 0);
    g_assert_cmpint(init_control(1, MACHINE_HIGH_MFN), ==, 0);
    g_assert_cmpint(init_control(2, MACHINE_MAX_MFN - 1), ==, 0);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct evtchn_expand_array expand = { .array_gfn = bad[i] };

        g_assert_cmpint(EVENT_CALL(EVTCHNOP_expand_array, &expand), ==,
                        -XEN_EINVAL);
    }
}

/* Lists of frames are read at the guest's addresses, by its rights. */
static void test_lists(void)
{
    struct evtchn_register_3level reg = {
        .cmd = EVTCHN_3L_BITMAPS, .u.bitmaps.nr_pages = 8,
    };
    uint64_t gfns[16], good;
    unsigned int i;

    machine_start(&own_fifo);
    for (i = 0; i < 16; i++) {
        gfns[i] = machine_frame();
    }
    good = machine_put(gfns, sizeof(gfns));
    reg.u.bitmaps.pending_gfns = good;
    reg.u.bitmaps.mask_gfns = MONITOR_VA;
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_register_3level, &reg), ==,
                    -XEN_EFAULT);
    reg.u.bitmaps.pending_gfns = 0x1000;
    reg.u.bitmaps.mask_gfns = good;
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_register_3level, &reg), ==,
                    -XEN_EFAULT);
    reg.u.bitmaps.pending_gfns = good;
    reg.u.bitmaps.mask_gfns = good + 64;
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_register_3level, &reg), ==, 0);
    /* Its bit is in the first page. */
    g_assert_cmpuint(bind_ipi(0), ==, 3);
    g_assert_cmpint(send_to(3), ==, 0);
    g_assert_cmphex(*(uint64_t *)frame(gfns[0]), ==, 1ul << 3);
}

/* Another vCPU is kicked for its upcall; not one that has not started, nor the own one. */
static void test_interrupts(void)
{
    uint32_t port[3];
    unsigned int i;

    machine_start(&own_fifo);
    start_other_vcpu(1);
    for (i = 0; i < 3; i++) {
        port[i] = bind_ipi(i);
        g_assert_cmpint(send_to(port[i]), ==, 0);
        g_assert_cmpuint(shared_info()->vcpu_info[i].evtchn_upcall_pending, ==,
                         1);
        g_assert_cmpuint(shared_info()->vcpu_info[i].evtchn_pending_sel, ==, 1);
    }
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, 1);
    g_assert_false(has_interrupt(0, VECTOR_KICK));
    g_assert_true(has_interrupt(1, VECTOR_KICK));
    g_assert_false(has_interrupt(2, VECTOR_KICK));
}

/* The end of another vCPU's poll is an interrupt, too. */
static void test_pollers(void)
{
    uint32_t port;

    machine_start(&own_fifo);
    start_other_vcpu(1);
    port = bind_ipi(0);
    set_masked(port, true);
    g_assert_cmpint(evtchn_poll(guest_events, 1, &port, 1), ==, 0);
    g_assert_cmpint(send_to(port), ==, 0);
    g_assert_false(evtchn_vcpu_polls(guest_events, 1));
    g_assert_true(has_interrupt(1, VECTOR_KICK));
}

/* The model knows as many vCPUs as the machine has. */
static void test_vcpus(void)
{
    uint32_t port;

    machine_start(&own_fifo);
    g_assert_cmpint(try_bind_ipi(2, &port), ==, 0);
    g_assert_cmpint(try_bind_ipi(3, &port), ==, -XEN_ENOENT);
    g_assert_cmpint(try_bind_ipi(~0u, &port), ==, -XEN_ENOENT);
    g_assert_cmpuint(evtchn_domain_id(guest_events), ==, boot->domid);
}

/* And no ABI but those that the machine has. */
static void test_abis(void)
{
    machine_start(&own);
    g_assert_cmphex(evtchn_extended_abis(guest_events), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/events_env/blocks", test_blocks);
    machine_test("/monitor/events_env/again", test_again);
    machine_test("/monitor/events_env/odd-sizes", test_odd_sizes);
    machine_test("/monitor/events_env/exhaustion", test_exhaustion);
    machine_test("/monitor/events_env/random", test_random);
    machine_test("/monitor/events_env/ports-to-the-end", test_ports_to_the_end);
    machine_test("/monitor/events_env/no-memory", test_no_memory);
    machine_test("/monitor/events_env/little-memory", test_little_memory);
    machine_test("/monitor/events_env/locks", test_locks);
    machine_test("/monitor/events_env/held", test_held);
    machine_test("/monitor/events_env/heap-of-two", test_heap_of_two);
    machine_test("/monitor/events_env/model-locks", test_model_locks);
    machine_test("/monitor/events_env/two-vcpus", test_two_vcpus);
    machine_test("/monitor/events_env/frames", test_frames);
    machine_test("/monitor/events_env/lists", test_lists);
    machine_test("/monitor/events_env/interrupts", test_interrupts);
    machine_test("/monitor/events_env/pollers", test_pollers);
    machine_test("/monitor/events_env/vcpus", test_vcpus);
    machine_test("/monitor/events_env/abis", test_abis);
    return g_test_run();
}
