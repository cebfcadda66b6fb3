/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a PV kernel's ELF file says about itself. */

#ifndef XEN_PV_KERNEL_H
#define XEN_PV_KERNEL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define XEN_PV_UNSET UINT64_MAX

typedef struct XenPVKernel {
    uint64_t virt_base;         /* of pseudo-physical address 0 */
    uint64_t start, end;        /* of what is loaded; virtual addresses */
    uint64_t entry;
    uint64_t hypercall_page;    /* virtual addresses, or XEN_PV_UNSET */
    uint64_t init_p2m;
    bool initrd_by_pfn;         /* MOD_START_PFN: the initrd need not be mapped */
    GBytes *file;
    uint64_t load_offset;       /* what a p_paddr lacks to be virtual */
} XenPVKernel;

/*
 * Read the notes of @file, an ELF file, or its section __xen_guest, by the rules of Xen's libelf.
 * False, with one line in @error that says what is missing, if it is no 64-bit PV
 * kernel.  Then, and after xen_pv_kernel_clear(), *@kernel has no memory.
 */
bool xen_pv_kernel_parse(GBytes *file, XenPVKernel *kernel, GError **error);
void xen_pv_kernel_clear(XenPVKernel *kernel);

/* Copy what is to be loaded to @to, zeroed memory for @start to @end. */
void xen_pv_kernel_load(const XenPVKernel *kernel, uint8_t *to);

#endif /* XEN_PV_KERNEL_H */
