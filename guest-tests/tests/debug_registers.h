/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PV guest's debug registers, which it has the hypervisor write and read, and CR4,
 * whose DE makes breakpoints on ports of some of them.
 */

#ifndef GUEST_TESTS_DEBUG_REGISTERS_H
#define GUEST_TESTS_DEBUG_REGISTERS_H

#include "../runtime/guest.h"

#define CR4_DE 8ul
#define DR6_DEFAULT 0xffff0ff0
#define DR7_DEFAULT 0x400

/* Returns 0 or a negative error, as the hypercall does. */
static inline long set_debugreg(unsigned int reg, uint64_t value)
{
    return hypercall(__HYPERVISOR_set_debugreg, reg, value, 0, 0, 0);
}

/* Returns the register, or a negative error. */
static inline long get_debugreg(unsigned int reg)
{
    return hypercall(__HYPERVISOR_get_debugreg, reg, 0, 0, 0, 0);
}

static inline uint64_t read_cr4(void)
{
    uint64_t value;

    asm volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void write_cr4(uint64_t value)
{
    asm volatile("mov %0, %%cr4" : : "r"(value));
}

#endif /* GUEST_TESTS_DEBUG_REGISTERS_H */
