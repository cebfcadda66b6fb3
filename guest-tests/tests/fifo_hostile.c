/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FIFO: a guest that breaks the rules for the words that it shares with Xen.
 * It may lose its own events by that, but Xen stays up, other queues work, and
 * the queue itself works again once its words are in order.
 */

#include "fifo.h"

#define DEFAULT EVTCHN_FIFO_PRIORITY_DEFAULT
#define URGENT 2

static evtchn_port_t a, b, c, other;

static void bind_ports(void)
{
    a = must_bind_ipi(0);
    b = must_bind_ipi(0);
    c = must_bind_ipi(0);
    other = must_bind_ipi(0);
    check_equal(evtchn_set_priority(other, URGENT), 0);
}

static void set_word(evtchn_port_t port, event_word_t value)
{
    __atomic_store_n(fifo_event_word(port), value, __ATOMIC_SEQ_CST);
}

static event_word_t word(evtchn_port_t port)
{
    return __atomic_load_n(fifo_event_word(port), __ATOMIC_SEQ_CST);
}

static uint32_t head(unsigned int priority)
{
    return __atomic_load_n(&fifo_control_block(0)->head[priority],
                           __ATOMIC_SEQ_CST);
}

/* Write the words of an empty queue; Xen itself keeps only the tail's port. */
static void restore(void)
{
    set_word(a, 0);
    set_word(b, 0);
    set_word(c, 0);
    __atomic_fetch_and(&fifo_control_block(0)->ready, ~(1u << DEFAULT),
                       __ATOMIC_SEQ_CST);
}

/* Called with upcalls disabled: check both queues, and enable upcalls. */
static void check_queues_work(void)
{
    unsigned int before = received_in_all();
    unsigned int log = event_log_length;

    check_equal(evtchn_send(b), 0);
    check_equal(evtchn_send(c), 0);
    check_equal(evtchn_send(a), 0);
    check_equal(evtchn_send(other), 0);
    upcalls_enable();
    check(wait_for(received_in_all() == before + 4, 10000));
    check_equal(event_log[log].port, other);
    check_equal(event_log[log + 1].port, b);
    check_equal(event_log[log + 2].port, c);
    check_equal(event_log[log + 3].port, a);
}

/* The tail's LINK is Xen's to write, whatever the guest has put there. */
TEST(fifo_hostile_link_of_tail, "fifo")
{
    bind_ports();
    upcalls_disable();
    check_equal(evtchn_send(a), 0);
    set_word(a, word(a) | FIFO_LINK_MASK);
    check_equal(evtchn_send(b), 0);
    check_equal(word(a), FIFO_PENDING | FIFO_LINKED | b);
    check_equal(evtchn_send(c), 0);
    check_equal(word(b), FIFO_PENDING | FIFO_LINKED | c);
    upcalls_enable();
    check(wait_for(received_in_all() == 3, 10000));
    upcalls_disable();
    check_queues_work();
}

/* The guest clears the tail's LINKED: the next event becomes the head. */
TEST(fifo_hostile_tail_unlinked, "fifo")
{
    bind_ports();
    upcalls_disable();
    check_equal(evtchn_send(a), 0);
    set_word(a, FIFO_PENDING);
    check_equal(evtchn_send(b), 0);
    check_equal(head(DEFAULT), b);
    check_equal(word(a), FIFO_PENDING);
    /* When A is raised again, Xen links it behind B. */
    check_equal(evtchn_send(a), 0);
    check_equal(word(b), FIFO_PENDING | FIFO_LINKED | a);
    upcalls_enable();
    check(wait_for(received_in_all() == 2, 10000));
    upcalls_disable();
    check_queues_work();
}

/* It clears another event's: it loses the rest of the queue, Xen goes on. */
TEST(fifo_hostile_middle_unlinked, "fifo")
{
    bind_ports();
    upcalls_disable();
    check_equal(evtchn_send(a), 0);
    check_equal(evtchn_send(b), 0);
    set_word(a, 0);
    check_equal(evtchn_send(c), 0);
    check_equal(word(b), FIFO_PENDING | FIFO_LINKED | c);
    check_equal(evtchn_send(a), 0);
    check_equal(word(c), FIFO_PENDING | FIFO_LINKED | a);
    restore();
    check_queues_work();
}

/* The guest sets BUSY, which is Xen's: Xen clears it when it links an event. */
TEST(fifo_hostile_busy, "fifo")
{
    bind_ports();
    upcalls_disable();
    check_equal(evtchn_send(a), 0);
    set_word(a, word(a) | FIFO_BUSY);
    check_equal(evtchn_send(b), 0);
    check_equal(word(a), FIFO_PENDING | FIFO_LINKED | b);
    set_word(c, FIFO_BUSY);
    check_equal(evtchn_send(c), 0);
    check_equal(word(c), FIFO_PENDING | FIFO_LINKED | FIFO_BUSY);
    set_word(c, word(c) & ~FIFO_BUSY);
    upcalls_enable();
    check(wait_for(received_in_all() == 3, 10000));
    upcalls_disable();
    check_queues_work();
}

/* The guest links words in a loop, but Xen does not follow links. */
TEST(fifo_hostile_loop, "fifo")
{
    unsigned int i;

    bind_ports();
    upcalls_disable();
    check_equal(evtchn_send(a), 0);
    check_equal(evtchn_send(b), 0);
    check_equal(evtchn_send(c), 0);
    set_word(a, FIFO_PENDING | FIFO_LINKED | b);
    set_word(b, FIFO_PENDING | FIFO_LINKED | a);
    set_word(c, FIFO_PENDING | FIFO_LINKED | c);
    for (i = 0; i < 100; i++) {
        check_equal(evtchn_send(a), 0);
        check_equal(evtchn_send(b), 0);
        check_equal(evtchn_send(c), 0);
        check_equal(evtchn_unmask(a), 0);
    }
    check_equal(word(a), FIFO_PENDING | FIFO_LINKED | b);
    check_equal(word(b), FIFO_PENDING | FIFO_LINKED | a);
    restore();
    check_queues_work();
}

/* All words all ones, then all zeroes, with every operation in between. */
TEST(fifo_hostile_words, "fifo")
{
    static const event_word_t values[] = {
        ~0u,
        0,
        FIFO_LINKED | FIFO_LINK_MASK,
        FIFO_BUSY | FIFO_MASKED,
        FIFO_PENDING | FIFO_LINKED,
        FIFO_LINKED | FIFO_BUSY,
        0x0fff0000,
    };
    unsigned int i, k;

    bind_ports();
    upcalls_disable();
    for (i = 0; i < 7; i++) {
        for (k = 0; k < 7; k++) {
            set_word(a, values[i]);
            set_word(b, values[k]);
            check_equal(evtchn_send(a), 0);
            check_equal(evtchn_send(b), 0);
            check_equal(evtchn_send(c), 0);
            check_equal(evtchn_unmask(a), 0);
            check_equal(evtchn_unmask(c), 0);
            check_equal(evtchn_set_priority(b, DEFAULT), 0);
            set_word(c, values[k]);
        }
    }
    restore();
    check_queues_work();
}

/* Xen does not read HEAD. */
TEST(fifo_hostile_head, "fifo")
{
    bind_ports();
    upcalls_disable();
    fifo_control_block(0)->head[DEFAULT] = ~0u;
    check_equal(evtchn_send(a), 0);
    check_equal(head(DEFAULT), a);
    fifo_control_block(0)->head[DEFAULT] = ~0u;
    check_equal(evtchn_send(b), 0);
    check_equal(head(DEFAULT), ~0u);
    check_equal(word(a), FIFO_PENDING | FIFO_LINKED | b);
    restore();
    check_queues_work();
}

/* The guest sets READY: Xen raises no upcall for that queue, but for others. */
TEST(fifo_hostile_ready, "fifo")
{
    bind_ports();
    upcalls_disable();
    fifo_control_block(0)->ready = 1u << DEFAULT;
    check_equal(evtchn_send(a), 0);
    check_equal(head(DEFAULT), a);
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 0);
    check_equal(evtchn_send(other), 0);
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 1);
    upcalls_enable();
    check(wait_for(received_in_all() == 2, 10000));
    upcalls_disable();
    check_queues_work();
}

/* The guest clears READY: Xen sets it when the queue gets a new head. */
TEST(fifo_hostile_ready_cleared, "fifo")
{
    bind_ports();
    upcalls_disable();
    check_equal(evtchn_send(a), 0);
    fifo_control_block(0)->ready = 0;
    check_equal(evtchn_send(b), 0);
    check_equal(fifo_control_block(0)->ready, 0);
    set_word(b, FIFO_PENDING);
    check_equal(evtchn_send(c), 0);
    check_equal(fifo_control_block(0)->ready, 1u << DEFAULT);
    check_equal(head(DEFAULT), c);
    restore();
    check_queues_work();
}

/* Words of ports that are not bound may hold anything. */
TEST(fifo_hostile_unbound_word, "fifo")
{
    evtchn_port_t next;

    bind_ports();
    next = must_bind_ipi(0);
    check_equal(evtchn_close(next), 0);
    set_word(0, ~0u);
    set_word(next, FIFO_PENDING);
    check_equal(evtchn_send(next), -XEN_EINVAL);
    set_word(next, 0);
    upcalls_disable();
    check_queues_work();
    set_word(0, FIFO_MASKED);
}

#define ROUNDS 20000

static volatile bool stop;

/* Write to a word all that Xen's compare-exchange may find there. */
static void scribble(void *opaque)
{
    uint32_t random = 1;

    while (!stop) {
        random = random * 1664525 + 1013904223;
        set_word(a, random);
        set_word(b, random >> 3 | FIFO_LINKED);
        __atomic_fetch_xor(fifo_event_word(c), random & ~FIFO_LINK_MASK,
                           __ATOMIC_SEQ_CST);
    }
}

/* Xen gives up after some tries, so each send ends. */
TEST(fifo_hostile_race, "fifo vcpus=2 seconds=120")
{
    unsigned int i;

    bind_ports();
    upcalls_disable();
    stop = false;
    vcpu_start(1, scribble, NULL);
    for (i = 0; i < ROUNDS; i++) {
        evtchn_port_t port = i % 3 == 0 ? a : i % 3 == 1 ? b : c;

        check_equal(evtchn_send(port), 0);
        check_equal(evtchn_unmask(port), 0);
    }
    stop = true;
    check(vcpu_join(1, 20000));
    restore();
    check_queues_work();
}
