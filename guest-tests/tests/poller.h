/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vCPUs that sleep in SCHEDOP_poll, for the tests of it. */

#ifndef GUEST_TESTS_POLLER_H
#define GUEST_TESTS_POLLER_H

#include "guest.h"

#define POLL_LATE 20000000000ull /* ns; nobody sleeps that long */
/* ns; Xen emulated on a busy machine has clocks that far from the guest's. */
#define POLL_TOLERANCE 10000000

/* What a vCPU polls for, and what came of it. */
struct poller {
    evtchn_port_t port[3];
    unsigned int nr;
    bool upcalls_off; /* while it polls */
    evtchn_port_t before; /* if not 0: raised just before, then with them off */
    uint64_t timeout; /* ns; 0 is POLL_LATE */
    volatile bool begun, ended;
    volatile int result;
    volatile int64_t left; /* ns, of that time */
};
extern struct poller pollers[MAX_VCPUS];

/* Have @vcpu poll as its poller says; most likely it sleeps on return. */
void poller_start(unsigned int vcpu);
/* It has been woken, not by its time-out. */
void check_woken(unsigned int vcpu);
/* It has not been woken before its time-out, which is no error. */
void check_timed_out(unsigned int vcpu);

/* A port of @vcpu's, masked, so that no upcall ends a sleep in its place. */
evtchn_port_t masked_ipi(unsigned int vcpu);

#endif /* GUEST_TESTS_POLLER_H */
