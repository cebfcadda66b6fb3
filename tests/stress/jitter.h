/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Given with -include: before an atomic step a thread now and then waits or
 * yields, so that two processors meet interleavings that otherwise need many.
 */

#ifndef TESTS_STRESS_JITTER_H
#define TESTS_STRESS_JITTER_H

extern __thread unsigned int stress_steps_left;
void stress_jitter(void);

#define EVTCHN_ATOMIC_STEP(kind, ptr)           \
    do {                                        \
        (void)(ptr);                            \
        if (!stress_steps_left--) {             \
            stress_jitter();                    \
        }                                       \
    } while (0)

#endif /* TESTS_STRESS_JITTER_H */
