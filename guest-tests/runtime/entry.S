/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hypercalls from C, and the entry points of interrupts and exceptions. */

#define __ASSEMBLY__
#include <xen/xen.h>

    .section .bss
    .balign 4096
    .globl hypercall_page
hypercall_page:
    .skip 4096

    .text

/* long hypercall(unsigned long number, a, b, c, d, e) */
    .globl hypercall
hypercall:
#ifdef __x86_64__
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    shl $5, %eax
    add $hypercall_page, %rax
    jmp *%rax
#else
    push %ebx
    push %esi
    push %edi
    mov 16(%esp), %eax
    mov 20(%esp), %ebx
    mov 24(%esp), %ecx
    mov 28(%esp), %edx
    mov 32(%esp), %esi
    mov 36(%esp), %edi
    shl $5, %eax
    add $hypercall_page, %eax
    call *%eax
    pop %edi
    pop %esi
    pop %ebx
    ret
#endif

#ifdef GUEST_HVM
/* interrupt_stubs[VECTOR], 16 bytes each: error code, or 0, and vector. */
    .balign 16
    .globl interrupt_stubs
interrupt_stubs:
    vector = 0
    .rept 256
    .balign 16
    .if (vector != 8) && (vector < 10 || vector > 14) && (vector != 17)
    push $0
    .endif
    push $vector
    jmp interrupt_common
    vector = vector + 1
    .endr
#endif /* GUEST_HVM */

/* On the stack: vector, error code, and the frame that the processor returns by. */
    .globl interrupt_common
interrupt_common:
    cld
#ifdef __x86_64__
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, %rdi
    /* this_vcpu() needs %rsp to stay on the vCPU's own stack. */
    mov %rsp, %rbp
    and $-16, %rsp
    call interrupt
    mov %rbp, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
#ifdef GUEST_PV
    /* Only Xen can restore the upcall mask and return in one step. */
    push $0                 /* %rcx and %r11 are to be restored, too */
    jmp hypercall_page + __HYPERVISOR_iret * 32
#else
    iretq
#endif
#else
    pusha
    push %esp
    call interrupt
    add $4, %esp
    popa
    add $8, %esp
    iret
#endif

    .section .note.GNU-stack, "", @progbits
