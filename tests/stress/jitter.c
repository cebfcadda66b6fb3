/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delays before atomic steps; see jitter.h. */

#include "jitter.h"
#include "cpu_relax.h"

#include <sched.h>
#include <stdint.h>

__thread unsigned int stress_steps_left;

static __thread uint64_t state;

void stress_jitter(void)
{
    unsigned int spins;

    if (!state) {
        state = (uintptr_t)&state | 1;
    }
    state = state * UINT64_C(6364136223846793005) + 1;
    stress_steps_left = state >> 32 & 127;
    if ((state >> 40 & 63) == 0) {
        sched_yield();
        return;
    }
    for (spins = state >> 48 & 511; spins; spins--) {
        cpu_relax();
    }
}
