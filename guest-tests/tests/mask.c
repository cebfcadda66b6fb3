/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Masked events, and the ways to unmask them. */

#include "guest.h"

TEST(mask_keeps_the_event_pending, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    check(port_is_pending(port));
    spin_for(5);
    check_equal(received(port), 0);

    check_equal(evtchn_unmask(port), 0);
    check(wait_for(received(port) == 1, 5000));
    check(!port_is_masked(port));
    check(!port_is_pending(port));
}

/* A masked event raises no upcall, and sets no selector bit. */
TEST(mask_keeps_the_vcpu_untold, "")
{
    evtchn_port_t port = must_bind_ipi(0);
    volatile struct vcpu_info *info = vcpu_info_of(0);
    xen_ulong_t selector;

    port_mask(port);
    upcalls_disable();
    selector = info->evtchn_pending_sel;
    check_equal(info->evtchn_upcall_pending, 0);
    check_equal(evtchn_send(port), 0);
    check(port_is_pending(port));
    check_equal(info->evtchn_upcall_pending, 0);
    check_equal(info->evtchn_pending_sel, selector);
    upcalls_enable();
}

TEST(mask_unmask_of_nothing_raises_nothing, "")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int before = upcalls_of(0);

    port_mask(port);
    check_equal(evtchn_unmask(port), 0);
    check(!port_is_masked(port));
    check_equal(evtchn_unmask(port), 0);
    check(!port_is_pending(port));
    spin_for(5);
    check_equal(received(port), 0);
    check_equal(upcalls_of(0), before);
}

/* The guest clears a masked event, which then does not come any more. */
TEST(mask_event_cleared_meanwhile, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    port_clear_pending(port);
    check_equal(evtchn_unmask(port), 0);
    spin_for(5);
    check_equal(received(port), 0);
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 5000));
}

/* The guest's own write unmasks the port for events that are sent later. */
TEST(mask_own_write_before_the_event, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    port_mask(port);
    check(!port_clear_mask(port));
    check(!port_is_masked(port));
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 5000));
}

/* Xen does not see the write, so the guest must look for a pending event. */
TEST(mask_own_write_after_the_event, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    check(port_clear_mask(port));
    spin_for(5);
    check_equal(received(port), 0);
    check(port_is_pending(port));

    port_mask(port);
    check_equal(evtchn_unmask(port), 0);
    check(wait_for(received(port) == 1, 5000));
}

/*
 * A port is pending, and the guest's own write has unmasked it.  On FIFO the
 * next send links it, as it is not linked; on the other ABIs Xen finds the
 * pending bit set and does nothing.
 */
TEST(mask_send_after_own_write, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    check(port_clear_mask(port));
    check_equal(evtchn_send(port), 0);
    if (guest_abi == ABI_FIFO) {
        check(wait_for(received(port) == 1, 5000));
    } else {
        spin_for(5);
        check_equal(received(port), 0);
    }
}

/* The same for EVTCHNOP_unmask of a port that is not masked. */
TEST(mask_unmask_after_own_write, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    port_set_pending(port);
    check_equal(evtchn_unmask(port), 0);
    if (guest_abi == ABI_FIFO) {
        check(wait_for(received(port) == 1, 5000));
    } else {
        spin_for(5);
        check_equal(received(port), 0);
    }
}

/* The guest masks when the upcall is already due, which finds no event. */
TEST(mask_after_the_event_was_raised, "")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int before = upcalls_of(0);

    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    port_mask(port);
    upcalls_enable();
    check(wait_for(upcalls_of(0) > before, 5000));
    check_equal(received(port), 0);
    check(port_is_pending(port));
    check_equal(evtchn_unmask(port), 0);
    check(wait_for(received(port) == 1, 5000));
}

/* The event goes to the port's vCPU, not to the one that unmasks the port. */
TEST(mask_unmasked_by_another_vcpu, "vcpus=2")
{
    evtchn_port_t port = must_bind_ipi(1);

    port_mask(port);
    check_equal(evtchn_send(port), 0);
    spin_for(5);
    check_equal(received(port), 0);
    check_equal(evtchn_unmask(port), 0);
    check(wait_for(received(port) == 1, 10000));
    check_equal(received_on(port), 1);
}

/* Fewer if time runs out: on one thread each takes two switches of vCPU. */
#define ROUNDS 2000
#define TIME 10000000000ull

static volatile unsigned int sent;

static void send_when_taken(void *opaque)
{
    evtchn_port_t port = *(evtchn_port_t *)opaque;
    uint64_t end = system_time() + TIME;

    while (sent < ROUNDS && system_time() < end) {
        sent++;
        if (!check_equal(evtchn_send(port), 0) ||
            !check(wait_for(received(port) == sent, 20000))) {
            return;
        }
    }
}

/* Masking and unmasking all the time loses no event, and adds none. */
TEST(mask_while_events_fly, "vcpus=2 seconds=60")
{
    evtchn_port_t port = must_bind_ipi(0);

    sent = 0;
    vcpu_start(1, send_when_taken, &port);
    while (!vcpu_join(1, 0)) {
        port_mask(port);
        cpu_relax();
        port_unmask(port);
    }
    check_equal(received(port), sent);
}

/* How often vCPU 1 was asked to send, and has sent. */
#define NO_MORE (~0u)
static volatile unsigned int asked, answered;

static void send_when_asked(void *opaque)
{
    evtchn_port_t port = *(evtchn_port_t *)opaque;
    unsigned int now;

    while ((now = asked) != NO_MORE) {
        if (answered < now) {
            evtchn_send(port);
            answered++;
        }
    }
}

/*
 * The sender sets pending and then looks at the mask, the guest clears the mask
 * and then looks for pending: in any order one of them sees the other.  To meet
 * the sender, the guest waits a little longer each time that it was first, and
 * less when the event was there already.
 */
TEST(mask_cleared_while_another_sends, "vcpus=2 seconds=60")
{
    evtchn_port_t port = must_bind_ipi(0);
    uint64_t end = system_time() + 600000000ull;
    unsigned int delay = 0, round = 0, first = 0;
    volatile unsigned int i;

    asked = answered = 0;
    vcpu_start(1, send_when_asked, &port);
    while (system_time() < end) {
        port_mask(port);
        asked = ++round;
        for (i = 0; i < delay; i++) {
        }
        if (port_clear_mask(port)) {
            /* Only EVTCHNOP_unmask of a masked port delivers the event. */
            port_mask(port);
            evtchn_unmask(port);
            delay -= delay > 0;
        } else {
            first++;
            delay += delay < 10000;
        }
        if (!check(wait_for(received(port) == round, 10000))) {
            break;
        }
        while (answered != round) {
        }
    }
    asked = NO_MORE;
    check(vcpu_join(1, 10000));
    check_equal(received(port), round);
    test_note("mask: %u rounds, in %u of them the guest was first", round,
              first);
}
