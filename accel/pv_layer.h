/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Xen's PV shim, between a PV guest and the machine. */

#ifndef XEN_PV_LAYER_H
#define XEN_PV_LAYER_H

#include "hw/boards.h"

/*
 * Have @ms, whose kernel is not loaded yet, boot the shim, and that the
 * kernel, initrd and command line which the user gave for the guest.  Ends QEMU
 * with one line where that is not possible.
 */
void xen_pv_layer_load(MachineState *ms);

#endif /* XEN_PV_LAYER_H */
