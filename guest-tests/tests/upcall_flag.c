/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest writes evtchn_upcall_pending itself.  With UPCALL_VECTOR an upcall
 * is due as long as the flag is set, even if the guest has set it.  Xen looks
 * at the flag when it next enters the vCPU, so a hypercall follows each write
 * here.
 */

#include "guest.h"

static void set_flag(uint8_t value)
{
    __atomic_store_n(&vcpu_info_of(0)->evtchn_upcall_pending, value,
                     __ATOMIC_SEQ_CST);
    sched_yield();
}

TEST(upcall_flag_follows_the_event, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    upcalls_disable();
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 0);
    check_equal(evtchn_send(port), 0);
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 1);
    upcalls_enable();
    check(wait_for(received(port) == 1, 5000));
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 0);
}

TEST(upcall_flag_set_by_hand, "hvm pvh")
{
    unsigned int before = upcalls_of(0);

    upcalls_disable();
    set_flag(1);
    check_equal(upcalls_of(0), before);
    upcalls_enable();
    check(wait_for(upcalls_of(0) == before + 1, 5000));
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 0);
    check_equal(received_in_all(), 0);
}

/* The guest clears the flag: the event stays pending, but raises no upcall. */
TEST(upcall_flag_cleared_by_hand, "hvm pvh")
{
    evtchn_port_t port = must_bind_ipi(0);

    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    set_flag(0);
    upcalls_enable();
    spin_for(5);
    check_equal(received(port), 0);
    check(port_is_pending(port));

    set_flag(1);
    check(wait_for(received(port) == 1, 5000));
}

/* The flag is set before the event: Xen sets the event without an upcall. */
TEST(upcall_flag_set_before_the_event, "hvm pvh")
{
    evtchn_port_t port = must_bind_ipi(0);

    upcalls_disable();
    set_flag(1);
    check_equal(evtchn_send(port), 0);
    check_equal(received(port), 0);
    upcalls_enable();
    check(wait_for(received(port) == 1, 5000));
}

/* Xen does not look at evtchn_upcall_mask of HVM guests. */
TEST(upcall_mask_is_not_used, "hvm pvh")
{
    evtchn_port_t port = must_bind_ipi(0);

    vcpu_info_of(0)->evtchn_upcall_mask = 1;
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 5000));
    vcpu_info_of(0)->evtchn_upcall_mask = 0;
}

/*
 * The guest has set the pending bit itself: a send finds it set, and does
 * nothing.
 */
TEST(upcall_flag_and_bits_by_hand, "2l hvm pvh")
{
    evtchn_port_t port = must_bind_ipi(0);

    upcalls_disable();
    port_set_pending(port);
    __atomic_fetch_or(&vcpu_info_of(0)->evtchn_pending_sel,
                      (xen_ulong_t)1 << port / WORD_BITS, __ATOMIC_SEQ_CST);
    set_flag(1);
    upcalls_enable();
    check(wait_for(received(port) == 1, 5000));
}

/* If the guest leaves a selector bit set, Xen raises no upcall for its word. */
TEST(upcall_selector_set_by_hand, "2l")
{
    evtchn_port_t port = must_bind_ipi(0);

    upcalls_disable();
    __atomic_fetch_or(&vcpu_info_of(0)->evtchn_pending_sel,
                      (xen_ulong_t)1 << port / WORD_BITS, __ATOMIC_SEQ_CST);
    check_equal(evtchn_send(port), 0);
    check(port_is_pending(port));
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 0);
    __atomic_store_n(&vcpu_info_of(0)->evtchn_upcall_pending, 1,
                     __ATOMIC_SEQ_CST);
    check_equal(consume_events(), 1);
    check_equal(received(port), 1);
    upcalls_enable();
}
