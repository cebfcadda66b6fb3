/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events_env.c: locks, and the heap and the model with two vCPUs at the same time; so
 * l0_ports.c and a reset.
 */

#include "event_env.h"

#include <pthread.h>
#include <sched.h>

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

/* A vCPU that resets all channels, while another one binds some to back ends. */

static uint64_t reset_va, alloc_va, close_va;
static bool is_over;        /* atomic */

static long event_call_of(uint64_t cmd, uint64_t va)
{
    uint64_t args[2] = { cmd, va };
    long result;

    while ((result = call_event_channel_op(args)) == CALL_AGAIN) {
        sched_yield();
    }
    return result;
}

static void *reset_often(void *vcpu)
{
    struct evtchn_bind_ipi bind = { .vcpu = 0 };
    unsigned int i, j;

    machine_switch((uint64_t)vcpu);
    meet();
    for (i = 0; i < 200; i++) {
        /* Every other reset is one in pieces. */
        for (j = i % 2 ? 600 : 10; j; j--) {
            g_assert_cmpint(evtchn_op(guest_events, EVTCHNOP_bind_ipi, &bind),
                            ==, 0);
            /* The number of a channel that is no more is not L0's. */
            g_assert_false(is_l0_port(bind.port));
        }
        /* Not -EAGAIN, as the other vCPU binds nothing meanwhile. */
        g_assert_cmpint(event_call_of(EVTCHNOP_reset, reset_va), ==, 0);
    }
    __atomic_store_n(&is_over, true, __ATOMIC_SEQ_CST);
    return NULL;
}

static void *bind_back_ends(void *vcpu)
{
    const struct evtchn_alloc_unbound *alloc = machine_at(alloc_va);
    struct evtchn_close *close = machine_at(close_va);
    unsigned int i;

    machine_switch((uint64_t)vcpu);
    meet();
    /* Some after the last reset, to have some at the end. */
    for (i = 0; i < 10; i += __atomic_load_n(&is_over, __ATOMIC_SEQ_CST)) {
        g_assert_cmpint(event_call_of(EVTCHNOP_alloc_unbound, alloc_va), ==, 0);
        if (alloc->port > 1000 || g_test_rand_int_range(0, 3)) {
            close->port = alloc->port;
            event_call_of(EVTCHNOP_close, close_va);
        }
    }
    return NULL;
}

static void *reset_or_bind(void *vcpu)
{
    return vcpu ? bind_back_ends(vcpu) : reset_often(vcpu);
}

static void test_reset_and_back_ends(void)
{
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF };
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    struct evtchn_close close = { 0 };
    uint32_t port, nr = 0;

    machine_start(&own_fifo);
    reset_va = machine_put(&reset, sizeof(reset));
    alloc_va = machine_put(&alloc, sizeof(alloc));
    close_va = machine_put(&close, sizeof(close));
    start_other_vcpu(1);
    in_two_threads(reset_or_bind);
    /* What is L0's is the guest's, too. */
    for (port = 1; port < 4096; port++) {
        struct evtchn_status status = { .dom = DOMID_SELF, .port = port };

        if (is_l0_port(port)) {
            nr++;
            g_assert_true(machine_l0.ports[port].used);
            g_assert_cmpint(evtchn_op(guest_events, EVTCHNOP_status, &status),
                            ==, 0);
            g_assert_cmpuint(status.status, ==, EVTCHNSTAT_unbound);
        }
    }
    g_test_message("%u channels to back ends are left", nr);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/events_locks/locks", test_locks);
    machine_test("/monitor/events_locks/held", test_held);
    machine_test("/monitor/events_locks/model-locks", test_model_locks);
    machine_test("/monitor/events_locks/heap-of-two", test_heap_of_two);
    machine_test("/monitor/events_locks/two-vcpus", test_two_vcpus);
    machine_test("/monitor/events_locks/reset-and-back-ends",
                 test_reset_and_back_ends);
    return g_test_run();
}
