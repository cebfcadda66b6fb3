/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's events: the monitor's own, by the event-channel model in it
 * (boot->own_events), or L0's, to which all calls then go.
 */

#ifndef PV_MONITOR_EVENTS_H
#define PV_MONITOR_EVENTS_H

#include "evtchn.h"
#include "monitor.h"

#include <xen/event_channel.h>

/* The guest in the model, or NULL if its events are L0's. */
extern struct evtchn_domain *guest_events;

/* events_env.c: interrupts are off in the monitor. */
void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);

/* PIRQs that L0 may have; numbers above are wrong, whoever answers. */
#define MAX_PIRQS 0x10000

/* l0_events.c: @arg is a copy of the guest's, and has L0's answer then. */
long l0_event_op(unsigned int cmd, void *arg);

/* l0_ports.c ----------------------------------------------------------------- */

/*
 * Channels to back ends are L0's.  Such a port has the same number in L0 and in the
 * model, where it is an unbound one, which an event from L0 raises.
 */

/* The ports that L0 has when the guest starts. */
void adopt_l0_ports(const uint32_t *ports, unsigned int nr);
bool is_l0_port(uint32_t port);
/*
 * EVTCHNOP_alloc_unbound and bind_interdomain with another domain; @port is the
 * member of @arg in which L0 stores the port.  CALL_AGAIN during a reset.
 */
long bind_l0_port(unsigned int cmd, void *arg, uint32_t *port);
/* EVTCHNOP_send, close, status and bind_vcpu of an L0 port. */
long send_l0_port(uint32_t port);
long close_l0_port(uint32_t port);
long status_l0_port(struct evtchn_status *status);
void move_l0_port(uint32_t port, uint32_t vcpu);
/*
 * EVTCHNOP_reset: all of them are closed, and none is bound until its end.  False if
 * one is on its way.
 */
bool begin_l0_reset(void);
void end_l0_reset(void);
/* Raise what L0 has for this vCPU. */
void take_l0_events(struct vcpu *v);

#endif /* PV_MONITOR_EVENTS_H */
