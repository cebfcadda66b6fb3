/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of hypercalls.c: a guest with one vCPU, and its calls. */

#ifndef TESTS_PV_HYPERCALL_CALLS_H
#define TESTS_PV_HYPERCALL_CALLS_H

#include "machine.h"

#define NOT_CANONICAL   0x8000000000000000ul
/* Behind the last byte of the kernel's memory */
#define END             (MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE)

static const struct machine_config config = { 0 };

static inline struct vcpu *guest(void)
{
    return vcpu_by_id(0);
}

static inline long call(unsigned int number, uint64_t a, uint64_t b)
{
    return machine_call(number, a, b, 0, 0);
}

#endif /* TESTS_PV_HYPERCALL_CALLS_H */
