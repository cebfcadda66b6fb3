/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's own part of a PV guest's machine: its frames and page tables. */

#ifndef XEN_PV_MONITOR_MEMORY_H
#define XEN_PV_MONITOR_MEMORY_H

#include <glib.h>
#include <stdint.h>

#include "builder.h"
#include "monitor/boot.h"

/* Frames of the monitor's, by their places in @frames. */
typedef struct XenPVPart {
    uint64_t at, nr;
} XenPVPart;

typedef struct XenPVRam {
    uint64_t low_pages;
    uint64_t high_mfn, high_pages;
    /* Where the machine can have more frames for the monitor, beside its RAM. */
    uint64_t beside_mfn;
} XenPVRam;

typedef struct XenPVMemory {
    struct pv_boot boot;        /* but for vCPU 0, which the builder knows */
    GArray *mfns;               /* of the guest's pfns */
    GBytes *image;              /* the monitor's ELF file */
    XenPVRam ram;
    uint64_t nr_beside;         /* frames that the machine must have there */
    GArray *frames;             /* the monitor's, but for those of spare_windows */
    XenPVPart ones, stubs, image_frames, boot_frame, windows, marks, m2p, tables;
    /* In one piece: the vCPUs' blocks, and then tables for their isolated user mode. */
    uint64_t vcpus_mfn, nr_vcpu_frames, frames_of_vcpu;
    /* Of the windows: what only a guest with large tables uses. */
    uint64_t spare_windows_mfn;
    GBytes *table_data;
} XenPVMemory;

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
