/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's own part of a PV guest's machine: its frames and page tables. */

#ifndef XEN_PV_MONITOR_MEMORY_H
#define XEN_PV_MONITOR_MEMORY_H

#include <glib.h>
#include <stdint.h>

#include "builder.h"
#include "monitor/boot.h"

typedef struct XenPVMemory {
    struct pv_boot boot;        /* but for vCPU 0, which the builder knows */
    GArray *mfns;               /* of the guest's pfns */
    GBytes *image;              /* the monitor's ELF file */
    /* First frames and numbers of frames. */
    uint64_t first, nr;
    uint64_t image_mfn, nr_image;
    uint64_t boot_mfn;
    uint64_t vcpus_mfn, nr_vcpus;
    uint64_t stubs_mfn, nr_stubs;
    uint64_t windows_mfn, nr_windows;
    uint64_t marks_mfn, nr_marks;
    uint64_t ones_mfn;
    uint64_t m2p_mfn, nr_m2p;
    uint64_t tables_mfn, nr_tables;
    GBytes *tables;
} XenPVMemory;

typedef struct XenPVRam {
    uint64_t low_pages;
    uint64_t high_mfn, high_pages;
} XenPVRam;

/*
 * Divide the machine's RAM between guest and monitor, and make the monitor's page
 * tables.  @isolated: user mode has tables of its own.  False if there is too little.
 */
bool xen_pv_memory_plan(XenPVMemory *memory, const XenPVRam *ram,
                        unsigned int nr_vcpus, bool isolated);
void xen_pv_memory_clear(XenPVMemory *memory);

/* Calls @write(@opaque, mfn, data, size) for all that is not zero. */
void xen_pv_memory_write(const XenPVMemory *memory, const XenPVImage *guest,
                         void (*write)(void *opaque, uint64_t mfn,
                                       const void *data, size_t size),
                         void *opaque);

#endif /* XEN_PV_MONITOR_MEMORY_H */
