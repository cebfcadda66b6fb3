/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A handler is interrupted by an upcall, sends, and closes ports. */

#include "guest.h"

static evtchn_port_t outer, inner;
static volatile bool nested;

/* The first event's handler waits for the second one's. */
static void enable_and_send(evtchn_port_t port)
{
    if (port != outer) {
        return;
    }
    upcalls_enable();
    check_equal(evtchn_send(inner), 0);
    nested = wait_for(received(inner) == received(outer), 5000);
    upcalls_disable();
}

TEST(nested_upcall, "")
{
    unsigned int i;

    outer = must_bind_ipi(0);
    inner = must_bind_ipi(0);
    event_hook = enable_and_send;
    for (i = 1; i <= 100; i++) {
        nested = false;
        check_equal(evtchn_send(outer), 0);
        check(wait_for(nested, 5000));
        check_equal(received(outer), i);
        check_equal(received(inner), i);
    }
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 0);
}

/* An urgent event interrupts a less urgent one's handler. */
TEST(nested_urgent_event, "fifo")
{
    outer = must_bind_ipi(0);
    inner = must_bind_ipi(0);
    check_equal(evtchn_set_priority(outer, EVTCHN_FIFO_PRIORITY_MIN), 0);
    check_equal(evtchn_set_priority(inner, EVTCHN_FIFO_PRIORITY_MAX), 0);
    event_hook = enable_and_send;
    nested = false;
    check_equal(evtchn_send(outer), 0);
    check(wait_for(nested, 5000));
    check_equal(received(outer), 1);
    check_equal(received(inner), 1);
}

static void send_itself(evtchn_port_t port)
{
    if (port == outer && received(port) < 50) {
        check_equal(evtchn_send(port), 0);
    }
}

/* An event that comes while its own handler runs is another event. */
TEST(nested_port_sends_to_itself, "")
{
    outer = must_bind_ipi(0);
    event_hook = send_itself;
    check_equal(evtchn_send(outer), 0);
    check(wait_for(received(outer) == 50, 5000));
    spin_for(5);
    check_equal(received(outer), 50);
}

static void close_both(evtchn_port_t port)
{
    if (port == outer || port == inner) {
        check_equal(evtchn_close(outer), 0);
        check_equal(evtchn_close(inner), 0);
    }
}

/* The first of two handlers closes both ports: no other event comes. */
TEST(nested_handler_closes, "")
{
    evtchn_port_t last;

    outer = must_bind_ipi(0);
    inner = must_bind_ipi(0);
    last = must_bind_ipi(0);
    event_hook = close_both;
    upcalls_disable();
    check_equal(evtchn_send(outer), 0);
    check_equal(evtchn_send(inner), 0);
    check_equal(evtchn_send(last), 0);
    upcalls_enable();
    check(wait_for(received(last) == 1, 5000));
    check_equal(received(outer) + received(inner), 1);
    check_equal(evtchn_send(outer), -XEN_EINVAL);
    check_equal(evtchn_send(inner), -XEN_EINVAL);
}
