/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Included ahead of the core's sources in builds that look at, or act on, each
 * of its accesses to shared memory.
 */

#ifndef TESTS_STEP_H
#define TESTS_STEP_H

void unit_step(int kind, const volatile void *ptr);

#define EVTCHN_ATOMIC_STEP(kind, ptr) unit_step(kind, ptr)

#endif /* TESTS_STEP_H */
