/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU tells the monitor of a PV guest, and where it maps it.  The two are
 * built together: there are no versions.
 */

#ifndef PV_MONITOR_BOOT_H
#define PV_MONITOR_BOOT_H

/* Virtual addresses, in the top-level entries that are the hypervisor's. */
#define M2P_VA          0xffff800000000000ul    /* slot 256, as the ABI has it */
#define WINDOWS_VA      0xffff820000000000ul    /* slot 260 */
#define MONITOR_VA      0xffff828000000000ul    /* slot 261: 1 MiB for the image */
#define BOOT_VA         (MONITOR_VA + 0x00100000)
#define STUBS_VA        (MONITOR_VA + 0x00140000)
#define VCPUS_VA        (MONITOR_VA + 0x10000000)
#define MARKS_VA        (MONITOR_VA + 0x20000000)
#define WRITABLE_M2P_VA (MONITOR_VA + 0x1000000000)
#define DIRECTMAP_VA    0xffff830000000000ul    /* slot 262 */
#define NOTHING_VA      0xffff878000000000ul    /* slot 271: never mapped */
#define HYPERVISOR_END  0xffff880000000000ul    /* slot 272 */

/* A vCPU's block: struct vcpu, stacks. Its stub. Its windows: GDT, then LDT. */
#define VCPU_SIZE       0x8000
#define STUB_SIZE       64
#define TABLE_WINDOW    0x10000
#define WINDOW_SIZE     (2 * TABLE_WINDOW)

/* The stack for the guest's traps ends this far below a block's end. */
#define STACK_SPARE     64

/* Tables for a vCPU's user mode: one of each level. */
#define ISOLATION_PAGES 4

/* A write to this port calls L0, with what the vCPU's block begins with. */
#define L0_PORT         0xe00

#ifndef __ASSEMBLY__

#include <stdbool.h>
#include <stdint.h>

/* A hypercall to L0, and what L0 answers. */
struct pv_call {
    uint64_t number;
    uint64_t args[5];
    int64_t result;
    uint64_t again;             /* call again, as the arguments are now */
};

#define PV_BOOT_RANGES 2

struct pv_boot {
    uint64_t nr_vcpus;
    uint64_t xen_version;
    uint64_t nr_pages;          /* of the guest */
    uint64_t max_mfn;           /* above all RAM */
    /* The guest's own frames; end is behind the last. */
    struct {
        uint64_t first, end;
    } ranges[PV_BOOT_RANGES];
    uint64_t xenstore_mfn, console_mfn;
    /* Frames that are no RAM, for shared_info, and what grants are made of. */
    uint64_t shared_info_mfn;
    /*
     * If events are the monitor's own: L0's shared_info, and memory for the
     * monitor, of which the first frame is the guest's shared_info.
     */
    bool own_events, fifo, three_level;
    uint16_t domid;
    uint32_t max_ports;
    uint64_t l0_shared_info_mfn;
    uint64_t heap_mfn, nr_heap_mfns;
    bool own_runstates;         /* L0 does not know them */
    uint64_t grant_mfn, status_mfn, nr_grant_mfns;
    uint64_t stubs_mfn, vcpus_mfn;
    uint64_t isolation_mfn;     /* ISOLATION_PAGES for each vCPU; 0: none */
    uint64_t slots[16];
    /* vCPU 0 */
    uint64_t rip, rsp, start_info, start_info_mfn, top_mfn;
};

#endif /* __ASSEMBLY__ */

#endif /* PV_MONITOR_BOOT_H */
