/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of 64-bit PV vCPUs, up to C code, and the entry points for
 * exceptions and events. The domain builder starts vCPU 0 in long mode in ring
 * 3, with the image and its own additions mapped, the hypercall page filled,
 * and start_info in %rsi.
 */

#include <xen/elfnote.h>

#define STACK_SIZE  16384

    .macro note_string type, text
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  .asciz "\text"
2:
    .endm

    .macro note_address type, address
    .balign 4
    .long 4, 8, \type
    .asciz "Xen"
    .quad \address
    .endm

    .section .note.Xen, "a", @note
    note_string XEN_ELFNOTE_GUEST_OS, "xenkvm-guest-tests"
    note_string XEN_ELFNOTE_GUEST_VERSION, "1"
    note_string XEN_ELFNOTE_XEN_VERSION, "xen-3.0"
    note_string XEN_ELFNOTE_LOADER, "generic"
    note_string XEN_ELFNOTE_PAE_MODE, "yes"
    /* Pseudo-physical memory begins with the image: nothing is mapped below. */
    note_address XEN_ELFNOTE_VIRT_BASE, image_start
    note_address XEN_ELFNOTE_PADDR_OFFSET, image_start
    note_address XEN_ELFNOTE_ENTRY, start
    note_address XEN_ELFNOTE_HYPERCALL_PAGE, hypercall_page

    .section .text.start, "ax"
    .globl start
start:
    cld
    mov %rsi, start_info
    mov $stacks + STACK_SIZE, %rsp
    push $0
    jmp main

    .text

/*
 * Xen pushes %rcx and %r11 below the processor's frame, which it builds on the
 * stack that is in use.
 */
    .macro entry vector, has_error_code=0
    pop %rcx
    pop %r11
    .if !\has_error_code
    push $0
    .endif
    push $\vector
    jmp interrupt_common
    .endm

/* exception_stubs[VECTOR], 16 bytes each. */
    .balign 16
    .globl exception_stubs
exception_stubs:
    vector = 0
    .rept 32
    .balign 16
    .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17)
    entry vector, 1
    .else
    entry vector
    .endif
    vector = vector + 1
    .endr

    .globl event_callback, failsafe_callback
event_callback:
    entry 256

/* A system call of user mode. */
    .globl system_call_callback
system_call_callback:
    pushf
    pop system_call_flags
    entry 258

/* Xen could not load a selector or do an iret; it has pushed %ds to %gs. */
failsafe_callback:
    mov (%rsp), %rcx
    mov 8(%rsp), %r11
    add $48, %rsp
    push $0
    push $257
    jmp interrupt_common

    .section .bss
    .balign 8
    .globl system_call_flags
system_call_flags:
    .skip 8

    .section .note.GNU-stack, "", @progbits
