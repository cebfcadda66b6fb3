/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any access of the core to shared memory may take long: this is what makes
 * narrow races wide, also on a machine with few CPUs.
 */

#include "step.h"
#include "cpu_relax.h"

#include <sched.h>

void unit_step(int kind, const volatile void *ptr)
{
    static _Thread_local uint32_t seed;
    uint32_t spin;

    (void)kind;
    if (!seed) {
        seed = (uint32_t)(uintptr_t)&seed | 1;
    }
    seed = seed * 1664525 + 1013904223;
    if (seed >> 24 < 16) {
        sched_yield();
    } else if (seed >> 24 < 32) {
        for (spin = seed >> 12 & 1023; spin; spin--) {
            cpu_relax();
        }
    }
    (void)ptr;
}
