/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PVH guest that says nothing, and ends with the reason SHUTDOWN if that is
 * defined, or in a triple fault with FAULT, or else not at all.
 */

#include <xen/elfnote.h>

#define HYPERVISOR_SCHED_OP 29
#define SCHEDOP_SHUTDOWN 2

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long _start

    .text
    .code32
    .globl _start
_start:
#ifdef SHUTDOWN
    mov $HYPERVISOR_SCHED_OP, %eax
    mov $SCHEDOP_SHUTDOWN, %ebx
    mov $reason, %ecx
    vmmcall
#elif defined(FAULT)
    lidt reason
    ud2
#endif
1:  jmp 1b

    .data
    .balign 4
reason:
#ifdef SHUTDOWN
    .long SHUTDOWN, 0
#else
    .long 0, 0
#endif
