/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a PVH kernel's ELF file says about itself. */

#ifndef XEN_PVH_KERNEL_H
#define XEN_PVH_KERNEL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct XenPVHSegment {
    const uint8_t *data;        /* in the ELF file */
    uint64_t size;              /* of the data; 0 from there on */
    uint64_t address, end;      /* physical */
} XenPVHSegment;

typedef struct XenPVHKernel {
    GBytes *elf;
    GArray *segments;           /* of XenPVHSegment */
    uint64_t start, end;        /* of all of them */
    uint32_t entry;             /* of its note PHYS32_ENTRY */
} XenPVHKernel;

/*
 * Read @elf, of 32 or 64 bits.  False, with one line in @error that says what is
 * missing, if it is no PVH kernel.  Then, and after xen_pvh_kernel_clear(), *@kernel
 * has no memory.
 */
bool xen_pvh_kernel_parse(GBytes *elf, XenPVHKernel *kernel, GError **error);
void xen_pvh_kernel_clear(XenPVHKernel *kernel);

#endif /* XEN_PVH_KERNEL_H */
