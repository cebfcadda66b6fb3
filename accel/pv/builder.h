/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a PV kernel to the memory with which its guest starts.
 *
 * Frames of the guest's memory have a number in the guest's own eyes, the pfn, and
 * one in the machine's, the mfn.
 */

#ifndef XEN_PV_BUILDER_H
#define XEN_PV_BUILDER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define XEN_PV_PAGE_SIZE 4096
/* Entries 256 to 271 of each top-level page table are the hypervisor's. */
#define XEN_PV_FIRST_SLOT 256
#define XEN_PV_NR_SLOTS 16

/* What a guest is built from. */
typedef struct XenPVInput {
    GBytes *kernel;             /* a file as xen_pv_payload() takes it */
    GBytes *initrd;             /* or NULL */
    const char *command_line;
    uint64_t nr_pages;
    const uint64_t *mfns;       /* of pfn 0 to nr_pages - 1 */
    uint64_t shared_info_mfn;
    /* Rings that are none of the guest's memory, but take pages' places in it. */
    uint64_t xenstore_ring_mfn, console_ring_mfn;
    uint64_t slots[XEN_PV_NR_SLOTS];
} XenPVInput;

typedef struct XenPVSegment {
    uint64_t pfn;
    GBytes *data;               /* at most to the end of the last page */
} XenPVSegment;

typedef struct XenPVImage {
    GArray *segments;           /* of XenPVSegment; all other memory is zero */
    uint64_t *p2m;              /* nr_pages entries */
    uint64_t rip, rsp;
    uint64_t start_info;        /* its virtual address, and pfn */
    uint64_t start_info_pfn;
    uint64_t top_mfn;           /* of the top-level page table */
    uint64_t first_table_pfn, nr_tables;
} XenPVImage;

/*
 * Lay out a guest's memory as libxl's domain builder does.  False, with one line in
 * @error, if @input's kernel is none for that, or there is too little memory.
 */
bool xen_pv_build(const XenPVInput *input, XenPVImage *image, GError **error);
void xen_pv_image_clear(XenPVImage *image);

#endif /* XEN_PV_BUILDER_H */
