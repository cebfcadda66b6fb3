/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Given with -include: count what core/atomic.h does, a thread at a time. */

#ifndef BENCH_COUNT_H
#define BENCH_COUNT_H

#include "bench.h"

extern __thread struct bench_steps bench_steps;

#define EVTCHN_ATOMIC_STEP(kind, ptr)           \
    do {                                        \
        (void)(ptr);                            \
        /* A fence costs as much as those. */   \
        if ((kind) == EVTCHN_STEP_RMW ||        \
            (kind) == EVTCHN_STEP_FENCE) {      \
            bench_steps.rmw++;                  \
        } else if ((kind) == EVTCHN_STEP_LOAD) { \
            bench_steps.loads++;                \
        } else {                                \
            bench_steps.stores++;               \
        }                                       \
    } while (0)

#endif /* BENCH_COUNT_H */
