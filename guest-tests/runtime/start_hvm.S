/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of HVM vCPUs, up to C code: vCPU 0's from a Multiboot or PVH
 * loader, the others' from a start-up IPI.  Both loaders start in flat 32-bit
 * mode without paging.
 */

#include <xen/elfnote.h>

#define MULTIBOOT_MAGIC     0x1badb002
#define CODE_32     0x08
#define DATA        0x10
#define CODE_64     0x18
#define STACK_SHIFT 14
#define TRAMPOLINE  0x8000

#ifdef MULTIBOOT
    .section .multiboot, "a"
    .balign 4
    .long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC
#endif

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long start

    .section .text.start, "ax"
    .code32
    .globl start
start:
    cld
    cli
    mov %eax, loader_magic
    mov %ebx, loader_info
    lgdt gdt_pointer
    ljmp $CODE_32, $1f
1:  mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    xor %edi, %edi          /* vCPU 0 */
    jmp enter

/* %edi is the vCPU's number; the GDT is loaded. */
enter:
    mov %edi, %esp
    inc %esp
    shl $STACK_SHIFT, %esp
    add $stacks, %esp
#ifdef __x86_64__
    /* Map 4 GiB one to one in 2 MiB pages. Each vCPU writes the same tables. */
    mov $page_directories, %eax
    mov $0x83, %ecx         /* present, writable, large */
    xor %edx, %edx
1:  mov %ecx, (%eax,%edx,8)
    add $0x200000, %ecx
    inc %edx
    cmp $2048, %edx
    jne 1b
    mov $page_directories + 3, %ecx
    mov $page_pointers, %eax
    xor %edx, %edx
1:  mov %ecx, (%eax,%edx,8)
    add $4096, %ecx
    inc %edx
    cmp $4, %edx
    jne 1b
    movl $page_pointers + 3, page_root

    mov %cr4, %eax
    or $0x20, %eax          /* PAE */
    mov %eax, %cr4
    mov $page_root, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx   /* EFER.LME */
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80010000, %eax    /* PG, WP */
    mov %eax, %cr0
    ljmp $CODE_64, $1f
    .code64
1:  mov %edi, %edi
    and $-16, %rsp
    push $0
#else
    push $0
    push $0
    push $0
    push %edi
    push $0
#endif
    test %edi, %edi
    jnz hvm_vcpu_main
    jmp main

/* Copied to TRAMPOLINE, where it runs in 16-bit mode. */
    .code16
    .globl trampoline, trampoline_end
trampoline:
    cli
    xor %ax, %ax
    mov %ax, %ds
    lgdtl TRAMPOLINE + (trampoline_gdt_pointer - trampoline)
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $CODE_32, $start_other
    .balign 4
trampoline_gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
trampoline_end:

    .code32
start_other:
    mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    /* Xen gives a vCPU its number by CPUID. */
    mov xen_cpuid_base, %eax
    add $4, %eax
    xor %ecx, %ecx
    cpuid
    mov %ebx, %edi
    jmp enter

    .section .data
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x00af9b000000ffff
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt

    .globl loader_magic, loader_info
loader_magic:
    .long 0
loader_info:
    .long 0

#ifdef __x86_64__
    .section .bss
    .balign 4096
page_root:
    .skip 4096
page_pointers:
    .skip 4096
page_directories:
    .skip 4 * 4096
#endif

    .section .note.GNU-stack, "", @progbits
