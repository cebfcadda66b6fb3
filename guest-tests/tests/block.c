/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCHEDOP_block, and SCHEDOP_yield. */

#include "guest.h"

#define ROUNDS 500

static volatile unsigned int blocks;
static volatile bool stop;

static void block_often(void *opaque)
{
    evtchn_port_t port = *(evtchn_port_t *)opaque;

    while (!stop && blocks < ROUNDS) {
        unsigned int before = received(port);

        sched_block();
        /* Upcalls are enabled: what ended the sleep has been taken. */
        check(stop || received(port) > before);
        blocks++;
    }
}

/* An event that comes just as the vCPU goes to sleep still wakes it. */
TEST(block_until_an_ipi, "vcpus=2 seconds=60")
{
    evtchn_port_t port = must_bind_ipi(1);
    uint64_t end = system_time() + 10000000000ull;

    blocks = 0;
    stop = false;
    vcpu_start(1, block_often, &port);
    /* As many as there is time for. */
    while (blocks < ROUNDS && (blocks < 10 || system_time() < end)) {
        check_equal(evtchn_send(port), 0);
        if (!check(wait_for(!port_is_pending(port), 20000))) {
            break;
        }
    }
    stop = true;
    evtchn_send(port);
    check(vcpu_join(1, 10000));
}

static evtchn_port_t timer;

static void set_timer(void)
{
    check_equal(timer_singleshot(0, system_time() + 20000000, 0), 0);
}

/*
 * Should it fire before the vCPU sleeps, there is another one.  Not a periodic one:
 * that stands still while its vCPU is blocked.
 */
static void set_timer_again(evtchn_port_t port)
{
    if (port == timer) {
        set_timer();
    }
}

static void start_timer(void)
{
    timer = must_bind_virq(VIRQ_TIMER, 0);
    event_hook = set_timer_again;
    set_timer();
}

/* The guest sleeps as a whole, and its timer wakes it. */
TEST(block_until_the_timer, "seconds=60")
{
    unsigned int i;

    start_timer();
    for (i = 0; i < 10; i++) {
        unsigned int before = received(timer);

        sched_block();
        check(received(timer) > before);
    }
}

/* Masked events wake nobody: the timer does. */
TEST(block_ignores_masked_ports, "seconds=60")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int before;

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    start_timer();
    before = received(timer);
    sched_block();
    check(received(timer) > before);
    check_equal(received(port), 0);
}

/* What is pending is taken before the sleep, or ends it. */
TEST(block_with_an_event_pending, "seconds=60")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int i;

    start_timer();
    for (i = 1; i <= 3; i++) {
        upcalls_disable();
        check_equal(evtchn_send(port), 0);
        upcalls_enable();
        sched_block();
        check_equal(received(port), i);
    }
}

static void count_up(void *opaque)
{
    volatile unsigned int *count = opaque;

    while (!stop) {
        (*count)++;
        sched_yield();
    }
}

/* It lets others run, and comes back. */
TEST(yield, "vcpus=2")
{
    volatile unsigned int count = 0;
    unsigned int i;

    stop = false;
    vcpu_start(1, count_up, (void *)&count);
    for (i = 0; i < 5; i++) {
        unsigned int before = count;

        check_equal(HYPERVISOR_sched_op(SCHEDOP_yield, NULL), 0);
        while (count == before) {
            sched_yield();
        }
    }
    stop = true;
    check(vcpu_join(1, 10000));
}
