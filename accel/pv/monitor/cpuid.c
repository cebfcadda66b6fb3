/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID as a PV guest has it: the machine's, without what a guest in ring 3 cannot
 * have, and with Xen's leaves for PV.  Linux relies on it: without PSE and PDPE1GB
 * it makes no large pages.
 */

#include "monitor.h"
#include <xen/arch-x86/cpuid.h>

#define XEN_LEAVES 0x40000000u
#define BIT(n) (1u << (n))

/* Leaf 1 */
#define HIDDEN_1_ECX (BIT(3) /* MONITOR */ | BIT(5) /* VMX */ | \
                      BIT(6) /* SMX */ | BIT(7) /* EST */ | \
                      BIT(8) /* TM2 */ | BIT(14) | BIT(15) /* PDCM */ | \
                      BIT(17) /* PCID */ | BIT(18) /* DCA */ | \
                      BIT(21) /* X2APIC */ | BIT(24) /* TSC_DEADLINE */)
#define HIDDEN_1_EDX (BIT(1) /* VME */ | BIT(3) /* PSE */ | \
                      BIT(11) /* SEP */ | BIT(12) /* MTRR */ | \
                      BIT(13) /* PGE */ | BIT(17) /* PSE36 */ | \
                      BIT(21) /* DS */ | BIT(22) /* ACPI */)
/* Leaf 7, sub-leaf 0 */
#define HIDDEN_7_EBX (BIT(1) /* TSC_ADJUST */ | BIT(2) /* SGX */ | \
                      BIT(7) /* SMEP */ | BIT(10) /* INVPCID */ | \
                      BIT(12) /* PQM */ | BIT(14) /* MPX */ | BIT(15) /* PQE */ | \
                      BIT(20) /* SMAP */ | BIT(25) /* PT */)
#define HIDDEN_7_ECX (BIT(2) /* UMIP */ | BIT(3) /* PKU */ | \
                      BIT(4) /* OSPKE */ | BIT(5) /* WAITPKG */ | \
                      BIT(7) /* CET_SS */ | BIT(16) /* LA57 */ | \
                      BIT(31) /* PKS */)
#define HIDDEN_7_EDX (BIT(20) /* CET_IBT */ | BIT(22) | BIT(24) | \
                      BIT(25) /* AMX */ | BIT(28) /* L1D_FLUSH */ | \
                      BIT(29) /* ARCH_CAPS */ | BIT(30) /* CORE_CAPS */)
/* Sub-leaf 1: what needs no more than registers that are there. */
#define SHOWN_7_1_EAX (BIT(4) /* AVX_VNNI */ | BIT(5) /* AVX512_BF16 */ | \
                       BIT(10) /* FZRM */ | BIT(11) /* FSRS */ | \
                       BIT(12) /* FSRCS */)
/* Leaf 0x80000001 */
#define HIDDEN_81_ECX (BIT(2) /* SVM */ | BIT(3) /* EXTAPIC */ | \
                       BIT(9) /* OSVW */ | BIT(10) /* IBS */ | \
                       BIT(12) /* SKINIT */ | BIT(15) /* LWP */ | \
                       BIT(23) | BIT(24) | BIT(28) /* PERFCTR */ | \
                       BIT(26) /* DBEXT */ | BIT(29) /* MONITORX */)
#define HIDDEN_81_EDX (BIT(1) | BIT(3) | BIT(12) | BIT(13) | BIT(17) | \
                       BIT(26) /* PDPE1GB */)
/* Leaf 0x80000008 */
#define HIDDEN_88_EBX BIT(25) /* VIRT_SSBD */

static void xen_leaf(unsigned int leaf, uint32_t subleaf, uint32_t *eax,
                     uint32_t *ebx, uint32_t *ecx, uint32_t *edx)
{
    *eax = *ebx = *ecx = *edx = 0;
    switch (leaf) {
    case 0:
        *eax = XEN_LEAVES + 5;
        *ebx = XEN_CPUID_SIGNATURE_EBX;
        *ecx = XEN_CPUID_SIGNATURE_ECX;
        *edx = XEN_CPUID_SIGNATURE_EDX;
        break;
    case 1:
        *eax = boot->xen_version;
        break;
    case 2:
        *eax = 1;               /* one hypercall page, by this MSR */
        *ebx = 0x40000000;
        *ecx = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
        break;
    case 3:
        /* L0's: time is the same for both kinds of guest. */
        *eax = XEN_LEAVES + 3;
        *ecx = subleaf;
        cpuid(eax, ebx, ecx, edx);
        break;
    case 5:
        *ebx = subleaf ? 0 : 52;        /* bits of a machine address */
        break;
    }
}

uint64_t guest_cr4_bits(void)
{
    uint64_t bits = CR4_TSD | CR4_DE;
    uint32_t a = 1, b, c = 0, d;

    cpuid(&a, &b, &c, &d);
    bits |= c & BIT(26) ? CR4_OSXSAVE : 0;
    a = 0;
    cpuid(&a, &b, &c, &d);
    if (a >= 7) {
        a = 7;
        c = 0;
        cpuid(&a, &b, &c, &d);
        bits |= b & BIT(0) ? CR4_FSGSBASE : 0;
    }
    return bits;
}

/*
 * As on Xen: the guest's kernel sees OSXSAVE as it has set it, but by the prefix as
 * the hypervisor has it.  Linux asks that way whether it may use XSAVE at all.
 */
static bool sees_osxsave(const struct vcpu *v, bool forced)
{
    uint64_t cr4 = forced && v->kernel_mode ? read_cr4() : v->cr4;

    return cr4 & CR4_OSXSAVE;
}

/* Leaf 0xd: without XSAVES, XFD, and the states that XSETBV does not enable. */
static void xstate_leaf(uint32_t subleaf, uint32_t *eax, uint32_t *ebx,
                        uint32_t *ecx, uint32_t *edx)
{
    uint32_t i;

    switch (subleaf) {
    case 0:
        *eax &= XCR0_GUEST;
        *edx = 0;
        /* The size of all: others than x87 and SSE are at places of their own. */
        *ecx = XSAVE_HEADER + XSAVE_HEADER_SIZE;
        for (i = 2; i < 32; i++) {
            uint32_t size = 0xd, offset, c = i, d;

            if (*eax & BIT(i)) {
                cpuid(&size, &offset, &c, &d);
                *ecx = *ecx > offset + size ? *ecx : offset + size;
            }
        }
        break;
    case 1:
        *eax &= BIT(0) /* XSAVEOPT */ | BIT(1) /* XSAVEC */ |
                BIT(2) /* XGETBV of 1 */;
        /* What XSAVEC takes now.  Linux uses no XSAVE at all if that is 0. */
        *ebx = *eax & BIT(1) ? *ebx : 0;
        *ecx = *edx = 0;
        break;
    default:
        if (subleaf >= 32 || !(XCR0_GUEST & BIT(subleaf))) {
            *eax = *ebx = *ecx = *edx = 0;
        }
        break;
    }
}

void guest_cpuid(uint32_t *eax, uint32_t *ebx, uint32_t *ecx, uint32_t *edx,
                 bool forced)
{
    uint32_t leaf = *eax, subleaf = *ecx;

    if (leaf >= XEN_LEAVES && leaf < XEN_LEAVES + 0x100) {
        xen_leaf(leaf - XEN_LEAVES, subleaf, eax, ebx, ecx, edx);
        return;
    }
    cpuid(eax, ebx, ecx, edx);
    switch (leaf) {
    case 1:
        *ecx &= ~HIDDEN_1_ECX;
        *edx &= ~HIDDEN_1_EDX;
        *ecx |= BIT(31);        /* a hypervisor is there */
        *ecx &= ~BIT(27);
        *ecx |= sees_osxsave(this_vcpu(), forced) ? BIT(27) : 0;
        *ebx = (*ebx & 0x00ffffff) | this_vcpu()->id * 2 << 24;
        break;
    case 5:
    case 6:
    case 0xa:
        *eax = *ebx = *ecx = *edx = 0;
        break;
    case 7:
        if (subleaf == 0) {
            *eax = *eax ? 1 : 0;
            *ebx &= ~HIDDEN_7_EBX;
            *ecx &= ~HIDDEN_7_ECX;
            *edx &= ~HIDDEN_7_EDX;
        } else {
            *eax &= subleaf == 1 ? SHOWN_7_1_EAX : 0;
            *ebx = *ecx = *edx = 0;
        }
        break;
    case 0xb:
    case 0x1f:
        *edx = this_vcpu()->id * 2;
        break;
    case 0xd:
        xstate_leaf(subleaf, eax, ebx, ecx, edx);
        break;
    case 0x80000001:
        *ecx &= ~HIDDEN_81_ECX;
        *edx &= ~HIDDEN_81_EDX;
        *edx |= BIT(11);        /* SYSCALL, which Intel hides outside of 64-bit mode */
        break;
    case 0x80000008:
        *ebx &= ~HIDDEN_88_EBX;
        break;
    case 0x8000000a:
        *eax = *ebx = *ecx = *edx = 0;
        break;
    }
}
