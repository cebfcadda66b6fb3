/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See poller.h. */

#include "poller.h"

struct poller pollers[MAX_VCPUS];

static void poll_once(void *opaque)
{
    struct poller *poller = opaque;
    uint64_t end;

    /*
     * A late wake-up ends a later sleep, on Xen too: sleep a little, to catch
     * it here.  Not on KVM, whose kernel would take the time for a duration.
     */
    if (!polls_are_the_kernels()) {
        sched_poll(poller->port, poller->nr, system_time() + 1000000);
    }
    if (poller->upcalls_off) {
        upcalls_disable();
    }
    if (poller->before) {
        check_equal(evtchn_send(poller->before), 0);
    }
    end = system_time() + (poller->timeout ? poller->timeout : POLL_LATE);
    poller->begun = true;
    poller->result = sched_poll(poller->port, poller->nr, end);
    poller->left = end - system_time();
    poller->ended = true;
    upcalls_enable();
}

void poller_start(unsigned int vcpu)
{
    struct poller *poller = &pollers[vcpu];

    poller->begun = poller->ended = false;
    vcpu_start(vcpu, poll_once, poller);
    check(wait_for(poller->begun, 10000));
    spin_for(5);
}

static void check_ended(unsigned int vcpu)
{
    check(vcpu_join(vcpu, 2 * POLL_LATE / 1000000));
    check_equal(pollers[vcpu].result, 0);
}

void check_woken(unsigned int vcpu)
{
    check_ended(vcpu);
    check(pollers[vcpu].left > 0);
}

void check_timed_out(unsigned int vcpu)
{
    check_ended(vcpu);
    check(pollers[vcpu].left <= POLL_TOLERANCE);
}

evtchn_port_t masked_ipi(unsigned int vcpu)
{
    evtchn_port_t port = must_bind_ipi(vcpu);

    port_mask(port);
    return port;
}
