/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Included ahead of the core's sources in builds that look at, or act on, each
 * of its accesses to shared memory.
 */

#ifndef TESTS_STEP_H
#define TESTS_STEP_H

#include <stddef.h>
#include <stdint.h>

void unit_step(int kind, const volatile void *ptr);

/* x86 alone does not mind, and may then tear. */
static inline void unit_must_be_aligned(const volatile void *ptr, size_t size)
{
    if ((uintptr_t)ptr % size) {
        __builtin_trap();
    }
}

#define EVTCHN_ATOMIC_STEP(kind, ptr)                   \
    (unit_must_be_aligned((ptr), sizeof(*(ptr))),       \
     unit_step(kind, ptr))

#endif /* TESTS_STEP_H */
