/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways into the monitor and out of it.
 *
 * The monitor uses no %gs and no %fs: a vCPU is known by its stack.  The guest's
 * segment registers stay as they are.  Interrupts are off in here, but where the
 * vCPU sleeps.
 */

#define __ASSEMBLY__
#include "boot.h"

#define VECTOR_SYSCALL      0x100
#define VECTOR_SYSCALL32    0x101
#define SEL_CS32            0xe023
#define SEL_DS              0xe02b
#define SEL_CS64            0xe033

/* monitor.h's */
#define OTHER_PROCESSOR     1

/* struct regs */
#define REGS_SIZE   176
#define REGS_CS     144

/* struct vcpu */
#define VCPU_FULL_CR3   64
#define VCPU_EXIT_CR3   72

    .macro fixup from, to
    .pushsection .fixups, "a"
    .quad \from, \to
    .popsection
    .endm

    .section .text.start, "ax"
    .globl monitor_entry
/* QEMU starts a vCPU here, in long mode, with its stack. */
monitor_entry:
    cld
    xor %ebp, %ebp
    call start
    ud2

    .text

/* trap_stubs[VECTOR], 16 bytes each: error code, or 0, and vector. */
    .balign 16
    .globl trap_stubs
trap_stubs:
    vector = 0
    .rept 256
    .balign 16
    .if (vector != 8) && (vector < 10 || vector > 14) && (vector != 17) && (vector != 21) && (vector != 29) && (vector != 30)
    push $0
    .endif
    push $vector
    jmp trap_common
    vector = vector + 1
    .endr

/*
 * From a vCPU's stub, which has put the guest's %rsp at the end of the vCPU's block.
 * The flags of MSR_SYSCALL_MASK are clear.
 */
    .globl syscall_entry, syscall32_entry
syscall32_entry:
    push $SEL_DS
    push STACK_SPARE(%rsp)
    push %r11
    push $SEL_CS32
    push %rcx
    push $0
    push $VECTOR_SYSCALL32
    jmp trap_common

syscall_entry:
    push $SEL_DS
    push STACK_SPARE(%rsp)
    push %r11
    push $SEL_CS64
    push %rcx
    push $0
    push $VECTOR_SYSCALL

trap_common:
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %rax
    push %r8
    push %r9
    push %r10
    push %r11
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    /*
     * The guest's AC would let the monitor touch its pages by mistake, and its NT
     * would make iretq fault.
     */
    pushfq
    andl $~0x44100, (%rsp)
    popfq
    /*
     * In the tables of isolated user mode (isolation.c) there is no more of the monitor
     * than what it took to come here.  An NMI may come between any two of these
     * instructions, and leaves FULL_CR3 and %cr3 as they were.
     */
    mov %rsp, %rbx
    and $-VCPU_SIZE, %rbx
    mov VCPU_FULL_CR3(%rbx), %r12
    test %r12, %r12
    jz 1f
    mov %cr3, %r13
    mov %r12, %cr3
    movq $0, VCPU_FULL_CR3(%rbx)
1:  mov %rsp, %rdi
    testb $3, REGS_CS(%rsp)
    jz 1f
    /*
     * A trap from the guest that came on a stack of its own (IST) goes on where the
     * others do: the next one of its kind, by the monitor's own doing, would
     * overwrite it.
     */
    mov %rsp, %rax
    or $(VCPU_SIZE - 1), %rax
    sub $(STACK_SPARE + REGS_SIZE - 1), %rax
    cmp %rax, %rsp
    je 1f
    mov %rsp, %rsi
    mov %rax, %rdi
    mov $(REGS_SIZE / 8), %ecx
    rep movsq
    mov %rax, %rsp
    mov %rax, %rdi
1:  xor %ebp, %ebp
    call trap
    testb $3, REGS_CS(%rsp)
    jnz 1f
    test %r12, %r12
    jz 1f
    mov %r12, VCPU_FULL_CR3(%rbx)
    mov %r13, %cr3
1:  mov %rsp, %rdi

/* run_guest(regs) */
    .globl run_guest
run_guest:
    mov %rdi, %rsp
    testb $3, REGS_CS(%rsp)
    jz 1f
    mov %rsp, %rbx
    and $-VCPU_SIZE, %rbx
    mov VCPU_EXIT_CR3(%rbx), %rax
    test %rax, %rax
    jz 1f
    mov %cr3, %rcx
    mov %rcx, VCPU_FULL_CR3(%rbx)
    mov %rax, %cr3
1:  pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rax
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    add $16, %rsp
/* A fault here is the guest's: see trap(). */
    .globl iret_to_guest
iret_to_guest:
    iretq

/*
 * size_t copy_guest(void *to, const void *from, size_t size): with SMAP open for
 * the one instruction.
 */
    .globl copy_guest
copy_guest:
    mov %rdx, %rcx
    stac
1:  rep movsb
2:  clac
    mov %rcx, %rax
    ret
    fixup 1b, 2b

/* bool rdmsr_safe(uint32_t msr, uint64_t *value) */
    .globl rdmsr_safe
rdmsr_safe:
    mov %edi, %ecx
1:  rdmsr
    shl $32, %rdx
    or %rdx, %rax
    mov %rax, (%rsi)
    mov $1, %eax
    ret
    fixup 1b, return_false

/* bool wrmsr_safe(uint32_t msr, uint64_t value) */
    .globl wrmsr_safe
wrmsr_safe:
    mov %edi, %ecx
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
1:  wrmsr
    mov $1, %eax
    ret
    fixup 1b, return_false

/* bool xsetbv_safe(uint32_t index, uint64_t value) */
    .globl xsetbv_safe
xsetbv_safe:
    mov %edi, %ecx
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
1:  xsetbv
    mov $1, %eax
    ret
    fixup 1b, return_false

return_false:
    xor %eax, %eax
    ret

/* void load_user_gs(uint16_t selector): of the base that is not in use. */
    .globl load_user_gs
load_user_gs:
    swapgs
    /* A null selector leaves the base as it was, on some of AMD's processors. */
    mov $SEL_DS, %eax
    mov %eax, %gs
1:  mov %edi, %gs
2:  mfence
    swapgs
    ret
3:  xor %edi, %edi
    mov %edi, %gs
    jmp 2b
    fixup 1b, 3b

/* bool load_ds(uint16_t selector), and so on */
    .macro load_segment name
    .globl load_\name
load_\name:
1:  mov %edi, %\name
    mov $1, %eax
    ret
2:  xor %eax, %eax
    mov %eax, %\name
    ret
    fixup 1b, 2b
    .endm
    load_segment ds
    load_segment es
    load_segment fs
    load_segment gs

/* long leave_processor(uint64_t *rsp, long (*leave)(void)) */
    .globl leave_processor, go_on
leave_processor:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    sub $8, %rsp
    call *%rsi
    add $8, %rsp
1:  pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
/* Here in long mode, with this stack, and nothing else that is the monitor's. */
go_on:
    cld
    mov $OTHER_PROCESSOR, %eax
    jmp 1b

    .section .note.GNU-stack, "", @progbits
