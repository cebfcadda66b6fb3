/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine whose guest is a PV guest: by its type, or by -machine xen-guest=pv. */

#ifndef XEN_PV_MACHINE_H
#define XEN_PV_MACHINE_H

#include "hw/boards.h"

/* The properties xen-guest, xen-pv-layer, xen-pv-events and xen-pv-isolation. */
void xen_pv_machine_class_init(ObjectClass *oc);
/* Whether @machine is a PV guest's. */
bool xen_pv_machine_is_pv(Object *machine);
/* What is below the PV guest, if it is one; known once the options are. */
bool xen_pv_machine_has_monitor(void);
bool xen_pv_machine_has_shim(void);
/*
 * The ELF file in the kernel, if it was unpacked to learn what is below the guest, else
 * NULL.  The caller's from now on.
 */
GBytes *xen_pv_machine_take_kernel(void);
/* Whether the guest's events are the monitor's. */
bool xen_pv_machine_has_own_events(void);
/* Whether programs in the guest get page tables of their own; warns if they lack them. */
bool xen_pv_machine_needs_isolation(void);

/*
 * If @ms, whose RAM is known and whose kernel is not loaded yet, is a PV guest's:
 * take its kernel, initrd and command line, to build the guest at each reset, or
 * have the machine boot the shim with them.  Ends QEMU with one line where that is
 * not possible.
 */
void xen_pv_machine_init(MachineState *ms);

#endif /* XEN_PV_MACHINE_H */
