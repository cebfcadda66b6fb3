/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FIFO: events of higher priority are taken first. */

#include "fifo.h"

#define PRIORITIES EVTCHN_FIFO_MAX_QUEUES

static evtchn_port_t at[PRIORITIES];

static void bind_one_each(void)
{
    unsigned int i;

    for (i = 0; i < PRIORITIES; i++) {
        at[i] = must_bind_ipi(0);
        check_equal(evtchn_set_priority(at[i], i), 0);
    }
}

TEST(fifo_priority_order, "fifo")
{
    unsigned int i;

    bind_one_each();
    upcalls_disable();
    for (i = PRIORITIES; i-- > 0;) {
        check_equal(evtchn_send(at[i]), 0);
        check_equal(fifo_control_block(0)->head[i], at[i]);
    }
    check_equal(fifo_control_block(0)->ready, 0xffff);
    upcalls_enable();
    check(wait_for(received_in_all() == PRIORITIES, 10000));
    for (i = 0; i < PRIORITIES; i++) {
        check_equal(event_log[i].port, at[i]);
    }
}

/* A port has the default priority, in the middle, unless the guest sets one. */
TEST(fifo_priority_default, "fifo")
{
    evtchn_port_t port;

    bind_one_each();
    port = must_bind_ipi(0);
    upcalls_disable();
    check_equal(evtchn_send(at[EVTCHN_FIFO_PRIORITY_DEFAULT + 1]), 0);
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_send(at[EVTCHN_FIFO_PRIORITY_DEFAULT - 1]), 0);
    check_equal(fifo_control_block(0)->head[EVTCHN_FIFO_PRIORITY_DEFAULT],
                port);
    upcalls_enable();
    check(wait_for(received_in_all() == 3, 10000));
    check_equal(event_log[0].port, at[EVTCHN_FIFO_PRIORITY_DEFAULT - 1]);
    check_equal(event_log[1].port, port);
    check_equal(event_log[2].port, at[EVTCHN_FIFO_PRIORITY_DEFAULT + 1]);
}

/* A port that is allocated again has the default priority, not its last one. */
TEST(fifo_priority_of_a_reused_port, "fifo")
{
    evtchn_port_t port = must_bind_ipi(0), again;

    check_equal(evtchn_set_priority(port, 0), 0);
    check_equal(evtchn_close(port), 0);
    again = must_bind_ipi(0);
    check_equal(again, port);
    upcalls_disable();
    check_equal(evtchn_send(again), 0);
    check_equal(fifo_control_block(0)->ready,
                1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    upcalls_enable();
    check(wait_for(received(again) == 1, 10000));
}

TEST(fifo_priority_changed_while_linked, "fifo")
{
    evtchn_port_t first = must_bind_ipi(0), port = must_bind_ipi(0);

    upcalls_disable();
    check_equal(evtchn_send(first), 0);
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_set_priority(port, 0), 0);
    /* Pending again, it is still in the old queue. */
    port_clear_pending(port);
    check_equal(evtchn_send(port), 0);
    check_equal(fifo_control_block(0)->ready,
                1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    upcalls_enable();
    check(wait_for(received_in_all() == 2, 10000));
    check_equal(event_log[0].port, first);
    check_equal(event_log[1].port, port);

    /* Future events take the new queue. */
    upcalls_disable();
    check_equal(evtchn_send(first), 0);
    check_equal(evtchn_send(port), 0);
    upcalls_enable();
    check(wait_for(received_in_all() == 4, 10000));
    check_equal(event_log[2].port, port);
    check_equal(event_log[3].port, first);
}

/* Each queue in the order of its events, however they were mixed. */
TEST(fifo_priority_many, "fifo")
{
    evtchn_port_t port[PRIORITIES][8];
    unsigned int i, queue;

    for (i = 0; i < 8; i++) {
        for (queue = 0; queue < PRIORITIES; queue++) {
            port[queue][i] = must_bind_ipi(0);
            check_equal(evtchn_set_priority(port[queue][i], queue), 0);
        }
    }
    upcalls_disable();
    for (i = 0; i < 8; i++) {
        for (queue = 0; queue < PRIORITIES; queue++) {
            check_equal(evtchn_send(port[(queue * 5 + i) % PRIORITIES][i]), 0);
        }
    }
    upcalls_enable();
    check(wait_for(received_in_all() == 8 * PRIORITIES, 10000));
    for (queue = 0; queue < PRIORITIES; queue++) {
        for (i = 0; i < 8; i++) {
            check_equal(event_log[queue * 8 + i].port, port[queue][i]);
        }
    }
}

static evtchn_port_t sent_from_handler;

static void send_urgent_once(evtchn_port_t port)
{
    if (port != sent_from_handler && received(sent_from_handler) == 0) {
        check_equal(evtchn_send(sent_from_handler), 0);
    }
}

/* An urgent event that comes meanwhile is taken before the rest of a queue. */
TEST(fifo_priority_between_two_events, "fifo")
{
    evtchn_port_t first = must_bind_ipi(0), second = must_bind_ipi(0);

    sent_from_handler = must_bind_ipi(0);
    check_equal(evtchn_set_priority(sent_from_handler, 1), 0);
    event_hook = send_urgent_once;
    upcalls_disable();
    check_equal(evtchn_send(first), 0);
    check_equal(evtchn_send(second), 0);
    upcalls_enable();
    check(wait_for(received_in_all() == 3, 10000));
    check_equal(event_log[0].port, first);
    check_equal(event_log[1].port, sent_from_handler);
    check_equal(event_log[2].port, second);
}

static evtchn_port_t changing[2];

static void change_priority(void *opaque)
{
    volatile bool *stop = opaque;
    unsigned int i = 0;

    while (!*stop) {
        check_equal(evtchn_set_priority(changing[1], i++ % PRIORITIES), 0);
    }
}

/* Every event comes once, while the port's priority changes. */
TEST(fifo_priority_changed_while_events_fly, "fifo vcpus=2 seconds=60")
{
    uint64_t end = system_time() + 10000000000ull;
    volatile bool stop = false;
    unsigned int i;

    must_bind_loopback(changing);
    vcpu_start(1, change_priority, (void *)&stop);
    for (i = 1; i <= 2000 && system_time() < end; i++) {
        if (!check_equal(evtchn_send(changing[0]), 0) ||
            !check(wait_for(received(changing[1]) == i, 20000))) {
            break;
        }
    }
    stop = true;
    check(vcpu_join(1, 10000));
    check_equal(received(changing[1]), i - 1);
}
