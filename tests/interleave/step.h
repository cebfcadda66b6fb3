/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Included ahead of everything (-include) when the model and the guest are
 * built for the explorer: each access to shared memory first asks it who runs.
 */

#ifndef IL_STEP_H
#define IL_STEP_H

#include <stddef.h>

/* @what: how the source calls it; "lock" is what only locks are called. */
void il_step(char kind, const volatile void *ptr, size_t size,
             const char *what);

/* The same by the model, which must not write to memory that was taken away. */
void il_model_step(char kind, const volatile void *ptr, size_t size,
                   const char *what);

#ifdef IL_MODEL
#define EVTCHN_ATOMIC_STEP(kind, ptr) \
    il_model_step(kind, ptr, sizeof(*(ptr)), #ptr)
#else
#define EVTCHN_ATOMIC_STEP(kind, ptr) il_step(kind, ptr, sizeof(*(ptr)), #ptr)
#endif

#endif /* IL_STEP_H */
