/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vCPUs that sleep in SCHEDOP_poll, for the tests of it. */

#ifndef GUEST_TESTS_POLLER_H
#define GUEST_TESTS_POLLER_H

#include "guest.h"

#define POLL_LATE 20000000000ull /* ns; no poll should take that long */
/* ns; on a busy machine an emulated Xen's clock and its guest's differ so. */
#define POLL_TOLERANCE 10000000

/* What a vCPU polls, and the result. */
struct poller {
    evtchn_port_t port[3];
    unsigned int nr;
    bool upcalls_off; /* while it polls */
    evtchn_port_t before; /* if not 0: raised when upcalls are off already */
    uint64_t timeout; /* ns; 0 is POLL_LATE */
    volatile bool begun, ended;
    volatile int result;
    volatile int64_t left; /* ns that were left until the time-out */
};
extern struct poller pollers[MAX_VCPUS];

/* Have @vcpu poll as its poller says; most likely it sleeps on return. */
void poller_start(unsigned int vcpu);
/* The vCPU has been woken before its time-out. */
void check_woken(unsigned int vcpu);
/* The vCPU's poll ended at its time-out, with 0. */
void check_timed_out(unsigned int vcpu);

/* A masked port of @vcpu, so that its event ends the poll, not an upcall. */
evtchn_port_t masked_ipi(unsigned int vcpu);

#endif /* GUEST_TESTS_POLLER_H */
