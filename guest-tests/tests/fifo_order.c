/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FIFO: events of one priority are taken in the order in which they were sent. */

#include "fifo.h"

#define PORTS 100

static evtchn_port_t port[PORTS];

static void bind_ports(unsigned int vcpu)
{
    unsigned int i;

    for (i = 0; i < PORTS; i++) {
        port[i] = must_bind_ipi(vcpu);
    }
}

/* Every port once, in a shuffled order. */
static evtchn_port_t shuffled(unsigned int i)
{
    return port[(i * 67 + 13) % PORTS];
}

static void check_log(unsigned int from)
{
    unsigned int i;

    check(wait_for(event_log_length == from + PORTS, 10000));
    for (i = 0; i < PORTS; i++) {
        check_equal(event_log[from + i].port, shuffled(i));
    }
}

TEST(fifo_order_of_sends, "fifo")
{
    unsigned int i, round;

    bind_ports(0);
    for (round = 0; round < 3; round++) {
        upcalls_disable();
        for (i = 0; i < PORTS; i++) {
            check_equal(evtchn_send(shuffled(i)), 0);
        }
        upcalls_enable();
        check_log(round * PORTS);
    }
}

/* The links are as in the ABI: HEAD, each event to the next, then 0. */
TEST(fifo_links_in_memory, "fifo")
{
    unsigned int i;

    bind_ports(0);
    upcalls_disable();
    for (i = 0; i < PORTS; i++) {
        check_equal(evtchn_send(shuffled(i)), 0);
    }
    check_equal(fifo_control_block(0)->head[EVTCHN_FIFO_PRIORITY_DEFAULT],
                shuffled(0));
    check_equal(fifo_control_block(0)->ready,
                1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    for (i = 0; i < PORTS; i++) {
        check_equal(*fifo_event_word(shuffled(i)),
                    FIFO_PENDING | FIFO_LINKED |
                        (i + 1 < PORTS ? shuffled(i + 1) : 0));
    }
    upcalls_enable();
    check_log(0);
    for (i = 0; i < PORTS; i++) {
        check_equal(*fifo_event_word(port[i]), 0);
    }
    check_equal(fifo_control_block(0)->ready, 0);
}

/* Masked events are not in a queue; each takes its place when it is unmasked. */
TEST(fifo_order_of_unmasking, "fifo")
{
    unsigned int i;

    bind_ports(0);
    for (i = 0; i < PORTS; i++) {
        port_mask(port[i]);
        check_equal(evtchn_send(port[i]), 0);
        check_equal(*fifo_event_word(port[i]), FIFO_PENDING | FIFO_MASKED);
    }
    upcalls_disable();
    for (i = 0; i < PORTS; i++) {
        check_equal(evtchn_unmask(shuffled(i)), 0);
    }
    upcalls_enable();
    check_log(0);
}

/* A second event of a linked port leaves it in its place. */
TEST(fifo_order_sent_again, "fifo")
{
    unsigned int i;

    bind_ports(0);
    upcalls_disable();
    for (i = 0; i < PORTS; i++) {
        check_equal(evtchn_send(shuffled(i)), 0);
        check_equal(evtchn_send(shuffled(i / 2)), 0);
    }
    upcalls_enable();
    check_log(0);
    spin_for(5);
    check_equal(received_in_all(), PORTS);
}

/*
 * The guest clears PENDING of a linked port, which, sent again, keeps its
 * place.
 */
TEST(fifo_order_cleared_and_sent_again, "fifo")
{
    unsigned int i;

    bind_ports(0);
    upcalls_disable();
    for (i = 0; i < PORTS; i++) {
        check_equal(evtchn_send(shuffled(i)), 0);
    }
    for (i = PORTS; i-- > 0;) {
        port_clear_pending(shuffled(i));
        check_equal(evtchn_send(shuffled(i)), 0);
    }
    upcalls_enable();
    check_log(0);
}

/* The guest empties the queue while Xen appends to it. */
static void send_from_both(void *opaque)
{
    uint64_t end = system_time() + 10000000000ull;
    unsigned int i;

    for (i = 0; i < 20 * PORTS && (i < PORTS || system_time() < end); i++) {
        evtchn_port_t next = shuffled(i);
        unsigned int before = received(next);

        if (!check_equal(evtchn_send(next), 0) ||
            (i % 3 == 0 && !check(wait_for(received(next) > before, 20000)))) {
            return;
        }
    }
}

TEST(fifo_queue_runs_dry, "fifo vcpus=2 seconds=60")
{
    unsigned int i;

    bind_ports(0);
    vcpu_start(1, send_from_both, NULL);
    check(vcpu_join(1, 60000));
    for (i = 0; i < PORTS; i++) {
        check(wait_for(!port_is_pending(port[i]), 10000));
        check(received(port[i]) > 0 && received(port[i]) <= 20);
    }
}

/* A linked port that moves stays in the old vCPU's queue until it is taken. */
TEST(fifo_moved_while_linked, "fifo vcpus=2")
{
    evtchn_port_t pair[2], other[2];

    must_bind_loopback(pair);
    must_bind_loopback(other);
    upcalls_disable();
    check_equal(evtchn_send(pair[0]), 0);
    check_equal(evtchn_send(other[0]), 0);
    check_equal(evtchn_bind_vcpu(pair[1], 1), 0);
    check_equal(*fifo_event_word(pair[1]),
                FIFO_PENDING | FIFO_LINKED | other[1]);
    port_clear_pending(pair[1]);
    check_equal(evtchn_send(pair[0]), 0);
    upcalls_enable();
    check(wait_for(received_in_all() == 2, 10000));
    check_equal(event_log[0].port, pair[1]);
    check_equal(event_log[0].vcpu, 0);
    check_equal(event_log[1].port, other[1]);

    check_equal(evtchn_send(pair[0]), 0);
    check(wait_for(received(pair[1]) == 2, 10000));
    check_equal(received_on(pair[1]), 1);
}

/*
 * The tail has moved to another queue: the next event becomes the old one's
 * head.
 */
TEST(fifo_tail_moved_away, "fifo vcpus=2")
{
    evtchn_port_t pair[2], other = must_bind_ipi(0);
    unsigned int i;

    must_bind_loopback(pair);
    for (i = 1; i <= 20; i++) {
        unsigned int to = i % 2;

        check_equal(evtchn_send(pair[0]), 0);
        check(wait_for(received(pair[1]) == 2 * i - 1, 10000));
        check_equal(evtchn_bind_vcpu(pair[1], to), 0);
        upcalls_disable();
        check_equal(evtchn_send(pair[0]), 0);
        check_equal(evtchn_send(other), 0);
        upcalls_enable();
        check(wait_for(received(pair[1]) == 2 * i, 10000));
        check(wait_for(received(other) == i, 10000));
        check_equal(received_on(pair[1]), to);
    }
}
