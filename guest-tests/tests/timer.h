/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vCPU's VIRQ_TIMER, for the tests of timers. */

#ifndef GUEST_TESTS_TIMER_H
#define GUEST_TESTS_TIMER_H

#include "guest.h"

#define MS 1000000ull

/* The port of what take_timer() took. */
extern evtchn_port_t timer;

/* Bind VIRQ_TIMER; timers that a domain is born with, and their events, are gone. */
void take_timer(unsigned int vcpu);
/* It fires once, and not before @when. */
void check_fires_at(uint64_t when);
/* By how much it may be early, in nanoseconds. */
uint64_t timer_tolerance(void);

#endif /* GUEST_TESTS_TIMER_H */
