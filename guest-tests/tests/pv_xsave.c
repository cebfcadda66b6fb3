/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XSAVE for a PV guest.  Xen has CR4.OSXSAVE set on every processor, and the kernel
 * sees that by the prefix for CPUID: Linux uses no XSAVE, and has no AVX, without.
 */

#include "debug_registers.h"
#include "user_mode.h"
#include "xsave.h"

#ifdef GUEST_PV

#define CR4_VMXE 0x2000ul
#define CR4_FSGSBASE 0x10000ul

static void do_xgetbv(void *opaque)
{
    *(uint64_t *)opaque = xgetbv();
}

static void do_xsetbv(void *opaque)
{
    xsetbv((uint64_t)opaque);
}

/* XSETBV ends by exception @vector, or without one. */
#define NO_EXCEPTION -1
static void try_xsetbv(uint64_t value, int vector)
{
    struct trap trap;

    check_equal(trapped(&trap, do_xsetbv, (void *)value),
                vector != NO_EXCEPTION);
    if (vector != NO_EXCEPTION) {
        check_equal(trap.regs.vector, vector);
    }
}

TEST(xsave_before_and_after_cr4, "pv")
{
    struct trap trap;
    uint64_t xcr0 = 0;

    if (!(forced_cpuid_1_ecx() & CPUID_1_ECX_XSAVE)) {
        test_skip("the processor has no XSAVE");
    }
    check_equal(read_cr4() & CR4_OSXSAVE, 0);
    check_equal(forced_cpuid_1_ecx() & CPUID_1_ECX_OSXSAVE,
                CPUID_1_ECX_OSXSAVE);
    check(!trapped(&trap, do_xgetbv, &xcr0));
    check_equal(xcr0, XCR0_X87 | XCR0_SSE);
    try_xsetbv(XCR0_X87 | XCR0_SSE, EXC_UD);

    write_cr4(read_cr4() | CR4_OSXSAVE);
    check_equal(read_cr4() & CR4_OSXSAVE, CR4_OSXSAVE);
    try_xsetbv(XCR0_X87 | XCR0_SSE, NO_EXCEPTION);
    try_xsetbv(XCR0_SSE, EXC_GP);
    check_equal(xgetbv(), XCR0_X87 | XCR0_SSE);

    write_cr4(read_cr4() & ~CR4_OSXSAVE);
    check_equal(forced_cpuid_1_ecx() & CPUID_1_ECX_OSXSAVE,
                CPUID_1_ECX_OSXSAVE);
    try_xsetbv(XCR0_X87 | XCR0_SSE, EXC_UD);
}

TEST(xsave_of_other_vcpu, "vcpus=2 pv")
{
    uint64_t xcr0 = 0;

    if (!(forced_cpuid_1_ecx() & CPUID_1_ECX_XSAVE)) {
        test_skip("the processor has no XSAVE");
    }
    vcpu_start(1, do_xgetbv, &xcr0);
    check(vcpu_join(1, 10000));
    check_equal(xcr0, XCR0_X87 | XCR0_SSE);
}

/* Bits that the processor has not, or that are no guest's, stay clear. */
TEST(cr4_of_kernel, "pv")
{
    uint64_t before = read_cr4();
    bool has_xsave = forced_cpuid_1_ecx() & CPUID_1_ECX_XSAVE;

    write_cr4(before | CR4_OSXSAVE | CR4_FSGSBASE | CR4_VMXE);
    check_equal(read_cr4() & CR4_OSXSAVE, has_xsave ? CR4_OSXSAVE : 0);
    check_equal(read_cr4() & CR4_VMXE, 0);
    write_cr4(before);
    check_equal(read_cr4(), before);
}

#endif /* GUEST_PV */
