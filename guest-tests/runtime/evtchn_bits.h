/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What 2-level and 3-level have in common: a pending and a mask bit a port. */

#ifndef GUEST_TESTS_EVTCHN_BITS_H
#define GUEST_TESTS_EVTCHN_BITS_H

#include "guest.h"

struct event_bits {
    xen_ulong_t *pending;
    xen_ulong_t *mask;
    unsigned int nr_ports;
};

/* Access to a port's bit in @words, atomic. */
bool event_bit_is_set(const xen_ulong_t *words, evtchn_port_t port);
void event_bit_set(xen_ulong_t *words, evtchn_port_t port);
/* Clear the bit; returns whether it was set. */
bool event_bit_test_and_clear(xen_ulong_t *words, evtchn_port_t port);

/*
 * Take the events of @vcpu in those words of @bits whose bit is set in @selected.
 * A scan starts after where the vCPU's last one ended, so that a port that is
 * always pending lets the others have their turn.  Returns how many it took.
 */
unsigned int event_bits_scan(const struct event_bits *bits, unsigned int vcpu,
                             const xen_ulong_t *selected);
/* The next scans start at port 0. */
void event_bits_forget(void);

#endif /* GUEST_TESTS_EVTCHN_BITS_H */
