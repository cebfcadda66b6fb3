/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See timer.h. */

#include "timer.h"

evtchn_port_t timer;

/* When the timer fired last, by the clock of the vCPU that took the event. */
static volatile uint64_t fired_at;

static void note_time(evtchn_port_t port)
{
    if (port == timer) {
        fired_at = system_time();
    }
}

void take_timer(unsigned int vcpu)
{
    timer_periodic(vcpu, 0);
    timer_stop_singleshot(vcpu);
    timer = must_bind_virq(VIRQ_TIMER, vcpu);
    event_hook = note_time;
    spin_for(5);
    received_clear(timer);
}

/*
 * Xen raises the event only when the deadline is past; its timer_slop makes
 * events late, never early.  A KVM host's kernel uses other clocks than the
 * guest.
 */
uint64_t timer_tolerance(void)
{
    return polls_are_the_kernels() ? MS : 0;
}

void check_fires_at(uint64_t when)
{
    check(wait_for(received(timer) == 1, 10000));
    check(fired_at + timer_tolerance() >= when);
    spin_for(5);
    check_equal(received(timer), 1);
    received_clear(timer);
}
