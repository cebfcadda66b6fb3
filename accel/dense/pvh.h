/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that starts at its kernel's PVH entry, without firmware. */

#ifndef XEN_DENSE_PVH_H
#define XEN_DENSE_PVH_H

#include "hw/boards.h"

/* What of the first MiB is RAM to the guest, and what has ACPI's tables. */
#define XEN_DENSE_LOW_RAM_END   0xa0000
#define XEN_DENSE_ACPI_START    0xe0000
#define XEN_DENSE_ACPI_END      0x100000

/*
 * Load @ms's kernel and initrd at each reset.  Ends QEMU with one line where that
 * is not possible.
 */
void xen_dense_pvh_init(MachineState *ms);

#endif /* XEN_DENSE_PVH_H */
