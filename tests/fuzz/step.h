/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included ahead of everything (-include): counts the model's own steps. */

#ifndef FUZZ_STEP_H
#define FUZZ_STEP_H

extern _Thread_local unsigned long fuzz_steps;

#define EVTCHN_ATOMIC_STEP(kind, ptr) ((void)(ptr), (void)fuzz_steps++)

#endif /* FUZZ_STEP_H */
