/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What entry.S passes to C for an interrupt, an exception or an event. */

#ifndef GUEST_TESTS_INTERRUPT_H
#define GUEST_TESTS_INTERRUPT_H

#include <stdint.h>

#define VECTOR_KICK 0xf0 /* takes a vCPU out of its sleep */
#define VECTOR_LINE 0xf1 /* upcalls by an interrupt line */

struct interrupt_frame {
#ifdef __x86_64__
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax;
    uint64_t vector, error, ip, cs, flags, sp, ss;
#else
    uint32_t di, si, bp, sp, bx, dx, cx, ax;
    uint32_t vector, error, ip, cs, flags;
#endif
};

/* Implemented by each type of guest. */
void interrupt(struct interrupt_frame *frame);

#ifdef GUEST_PV
/*
 * What to do with an exception, or with a system call of user mode, instead of
 * the guest's end; it does not return.
 */
extern void (*volatile exception_hook)(struct interrupt_frame *frame);

#define VECTOR_SYSTEM_CALL 258 /* none of the processor's */
extern const char system_call_callback[];
/* The flags with which the last system call came to its callback. */
extern uint64_t system_call_flags;
#endif

#endif /* GUEST_TESTS_INTERRUPT_H */
