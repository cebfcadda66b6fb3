/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The argument of an HVM guest's VCPUOP_initialise, as in Xen's public header
 * arch-x86/hvm/hvm_vcpu.h, which QEMU does not have.  The layout is the same
 * for 32-bit and 64-bit guests.
 */

#ifndef XEN_HVM_VCPU_H
#define XEN_HVM_VCPU_H

#define VCPU_HVM_MODE_32B 0
#define VCPU_HVM_MODE_64B 1

/*
 * ar: type in bits 0 to 3, s in 4, dpl in 5 and 6, p in 7, avl in 8, l in 9, db
 * in 10, g in 11, and 0 above.  Limits are in bytes, whatever g is.
 */
struct vcpu_hvm_x86_32 {
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi, eip, eflags;
    uint32_t cr0, cr3, cr4;
    uint32_t pad1;
    uint64_t efer;
    uint32_t cs_base, ds_base, ss_base, es_base, tr_base;
    uint32_t cs_limit, ds_limit, ss_limit, es_limit, tr_limit;
    uint16_t cs_ar, ds_ar, ss_ar, es_ar, tr_ar;
    uint16_t pad2[3];
};

struct vcpu_hvm_x86_64 {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, rip, rflags;
    uint64_t cr0, cr3, cr4, efer;
};

struct vcpu_hvm_context {
    uint32_t mode;
    uint32_t pad;
    union {
        struct vcpu_hvm_x86_32 x86_32;
        struct vcpu_hvm_x86_64 x86_64;
    } cpu_regs;
};

QEMU_BUILD_BUG_ON(sizeof(struct vcpu_hvm_context) != 128);

#endif /* XEN_HVM_VCPU_H */
