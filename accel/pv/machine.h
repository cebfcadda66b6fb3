/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine whose guest is a PV guest, on the monitor: -machine xen-guest=pv. */

#ifndef XEN_PV_MACHINE_H
#define XEN_PV_MACHINE_H

#include "hw/boards.h"

/* The property xen-guest. */
void xen_pv_machine_class_init(ObjectClass *oc);
bool xen_pv_machine_is_pv(void);

/*
 * If @ms, whose RAM is known and whose kernel is not loaded yet, is a PV guest's:
 * take its kernel, initrd and command line, to build the guest at each reset.  Ends
 * QEMU with one line where that is not possible.
 */
void xen_pv_machine_init(MachineState *ms);

#endif /* XEN_PV_MACHINE_H */
