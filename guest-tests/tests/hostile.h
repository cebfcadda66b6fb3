/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest that does everything wrong takes its values from. */

#ifndef GUEST_TESTS_HOSTILE_H
#define GUEST_TESTS_HOSTILE_H

#include "../runtime/guest.h"

#define NR_SCRATCH 16

extern char *scratch; /* pages that may become anything */

uint64_t random_bits(void);
unsigned int below(unsigned int limit);
/* Half of the values are the limits that checks are likely to have. */
uint64_t random_value(void);
void fill(void *buffer, size_t size);
/* Mostly a buffer, of the vCPU's own; sometimes an address that cannot be read. */
void *random_argument(void);
/* A hypercall that cannot end or stop the guest. */
unsigned int random_hypercall(void);

#ifdef GUEST_PV
/* On each vCPU; @restart is called, and does not return, after an exception. */
void hostile_pv_begin(void (*restart)(void));
/* What only a PV guest's kernel can do wrong. */
void hostile_pv(void);
#endif

#endif /* GUEST_TESTS_HOSTILE_H */
