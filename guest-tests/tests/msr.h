/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing MSRs, and the numbers of those that a PV guest's kernel has. */

#ifndef GUEST_TESTS_MSR_H
#define GUEST_TESTS_MSR_H

#include <stdint.h>

#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

struct msr {
    uint32_t index;
    uint64_t value;
};

/* For trapped(): what @opaque, a struct msr, says. */
static inline void write_msr(void *opaque)
{
    const struct msr *msr = opaque;

    asm volatile("wrmsr"
                 :
                 : "c"(msr->index), "a"((uint32_t)msr->value),
                   "d"((uint32_t)(msr->value >> 32)));
}

#endif /* GUEST_TESTS_MSR_H */
