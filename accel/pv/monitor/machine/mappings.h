/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the monitor finds its memory and the guest's: QEMU has mapped it there. */

#ifndef PV_MONITOR_MAPPINGS_H
#define PV_MONITOR_MAPPINGS_H

#include "../boot.h"

#define boot ((const struct pv_boot *)BOOT_VA)

/* A byte for each frame of the machine: see marks.h. */
#define marks ((uint8_t *)MARKS_VA)

/* The M2P, which the guest has read-only at M2P_VA. */
#define m2p ((uint64_t *)WRITABLE_M2P_VA)

static inline struct vcpu *vcpu_by_id(unsigned int id)
{
    return (struct vcpu *)(VCPUS_VA + (uint64_t)id * VCPU_SIZE);
}

/* A vCPU is known by its stack, which is in its block. */
static inline struct vcpu *this_vcpu(void)
{
    uint64_t rsp;

    asm("mov %%rsp, %0" : "=r"(rsp));
    return (struct vcpu *)(rsp & ~(VCPU_SIZE - 1ul));
}

/* The vCPU's GDT; its LDT is TABLE_WINDOW bytes behind. */
static inline uint64_t *windows_of(unsigned int id)
{
    return (uint64_t *)(WINDOWS_VA + (uint64_t)id * WINDOW_SIZE);
}

/* Of the machine's RAM, by its address there. */
static inline void *directmap(uint64_t address)
{
    return (void *)(DIRECTMAP_VA + address);
}

#endif /* PV_MONITOR_MAPPINGS_H */
