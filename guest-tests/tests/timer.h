/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vCPU's VIRQ_TIMER, for the tests of timers. */

#ifndef GUEST_TESTS_TIMER_H
#define GUEST_TESTS_TIMER_H

#include "guest.h"

#define MS 1000000ull

/* The port that take_timer() has bound. */
extern evtchn_port_t timer;

/* Bind VIRQ_TIMER; stops the timers with which a domain starts. */
void take_timer(unsigned int vcpu);
/* The timer fires once, and not before @when. */
void check_fires_at(uint64_t when);
/* How much earlier an event may be, in nanoseconds. */
uint64_t timer_tolerance(void);

#endif /* GUEST_TESTS_TIMER_H */
