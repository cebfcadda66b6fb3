/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A port of each kind, for tests that try one operation on all of them. */

#ifndef GUEST_TESTS_PORTS_H
#define GUEST_TESTS_PORTS_H

#include "guest.h"

enum port_kind {
    PORT_RESERVED, /* port 0 */
    PORT_CLOSED, /* after it was open */
    PORT_UNBOUND, /* for this domain itself */
    PORT_UNBOUND_FOR_DOM0,
    PORT_INTERDOMAIN, /* its peer is the next port */
    PORT_IPI,
    PORT_VIRQ, /* of one vCPU: VIRQ_DEBUG */
    PORT_GLOBAL_VIRQ, /* VIRQ_CONSOLE */
    PORT_PIRQ, /* last, as a PV guest has none to bind */
    NR_PORT_KINDS,
};

extern const char *const port_kind_names[NR_PORT_KINDS];

/* The number of kinds, from the first, that this type of guest has. */
enum port_kind nr_port_kinds(void);

/* Open a port of @kind at vCPU 0, unmasked; ends the test if that fails. */
evtchn_port_t open_port(enum port_kind kind);

/* What EVTCHNOP_status says; -1 if it fails. */
int port_status(evtchn_port_t port);
/* Each vCPU gets an event on a new port, which stays open, in @patience ms. */
void check_delivery_to_all(unsigned int patience);
/* The vCPU that EVTCHNOP_status names; -1 if it fails. */
int port_vcpu(evtchn_port_t port);

/* The number of open ports, which a failed operation must not change. */
unsigned int nr_open_ports(void);
/* The port that the next operation will allocate. */
evtchn_port_t next_port(void);

/* Numbers that no port can ever have. */
#define NR_BAD_PORTS 4
extern const evtchn_port_t bad_ports[NR_BAD_PORTS];

domid_t own_domid(void);
#define DOMID_NOBODY 0x7000 /* an ID that no domain has */
#define NR_BAD_DOMIDS 6
extern const domid_t bad_domids[NR_BAD_DOMIDS]; /* each is -ESRCH */

bool guest_is_pv(void);

/* A PIRQ that HVM guests may bind though no device is behind it. */
#define FREE_PIRQ 20
#define VCPU_NONE nr_vcpus /* the first that does not exist */

#endif /* GUEST_TESTS_PORTS_H */
