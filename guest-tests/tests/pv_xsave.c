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

#define NO_EXCEPTION (-1)

/* XSETBV ends by exception @vector, or without one. */
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

    if (!has_xsave()) {
        test_skip("the processor has no XSAVE");
    }
    check_equal(read_cr4() & CR4_OSXSAVE, 0);
    check(forced_cpuid(1, 0).c & CPUID_1_ECX_OSXSAVE);
    check(!trapped(&trap, do_xgetbv, &xcr0));
    check_equal(xcr0, XCR0_X87 | XCR0_SSE);
    try_xsetbv(XCR0_X87 | XCR0_SSE, EXC_UD);

    write_cr4(read_cr4() | CR4_OSXSAVE);
    check_equal(read_cr4() & CR4_OSXSAVE, CR4_OSXSAVE);
    try_xsetbv(XCR0_X87 | XCR0_SSE, NO_EXCEPTION);
    try_xsetbv(XCR0_SSE, EXC_GP);
    check_equal(xgetbv(), XCR0_X87 | XCR0_SSE);

    write_cr4(read_cr4() & ~CR4_OSXSAVE);
    check(forced_cpuid(1, 0).c & CPUID_1_ECX_OSXSAVE);
    try_xsetbv(XCR0_X87 | XCR0_SSE, EXC_UD);
}

TEST(xsave_of_other_vcpu, "vcpus=2 pv")
{
    uint64_t xcr0 = 0;

    if (!has_xsave()) {
        test_skip("the processor has no XSAVE");
    }
    vcpu_start(1, do_xgetbv, &xcr0);
    check(vcpu_join(1, 10000));
    check_equal(xcr0, XCR0_X87 | XCR0_SSE);
}

/* Of an area with these states: each at its own place, or @compact, one behind the other. */
static uint32_t size_of_states(uint64_t states, bool compact)
{
    uint32_t size = 512 + 64, i;

    for (i = 2; i < 32; i++) {
        struct cpuid r = forced_cpuid(0xd, i);

        if (!(states >> i & 1)) {
            continue;
        }
        if (!compact) {
            size = size > r.b + r.a ? size : r.b + r.a;
            continue;
        }
        size = (r.c & 2 ? (size + 63) / 64 * 64 : size) + r.a;
    }
    return size;
}

/* What Linux takes from them: it uses no XSAVE if a size is not what it computes. */
TEST(xsave_leaves, "pv")
{
    struct cpuid all;
    uint64_t states;

    if (!has_xsave()) {
        test_skip("the processor has no XSAVE");
    }
    all = forced_cpuid(0xd, 0);
    check_equal(all.a & (XCR0_X87 | XCR0_SSE), XCR0_X87 | XCR0_SSE);
    check_equal(all.c, size_of_states(all.a, false));
    write_cr4(read_cr4() | CR4_OSXSAVE);
    for (states = XCR0_X87 | XCR0_SSE;; states |= XCR0_AVX) {
        xsetbv(states);
        check_equal(forced_cpuid(0xd, 0).b, size_of_states(states, false));
        if (forced_cpuid(0xd, 1).a & CPUID_D_1_EAX_XSAVEC) {
            check_equal(forced_cpuid(0xd, 1).b, size_of_states(states, true));
        }
        if (states & XCR0_AVX || !(all.a & XCR0_AVX)) {
            break;
        }
    }
    xsetbv(XCR0_X87 | XCR0_SSE);
    write_cr4(read_cr4() & ~CR4_OSXSAVE);
}

/* Bits that the processor has not, or that are no guest's, stay clear. */
TEST(cr4_of_kernel, "pv")
{
    uint64_t before = read_cr4();
    bool has_fsgsbase = forced_cpuid(0, 0).a >= 7 &&
                        forced_cpuid(7, 0).b & CPUID_7_EBX_FSGSBASE;

    if (command_line_value("lacks")) {
        check(!has_xsave());
        check(!has_fsgsbase);
    }
    write_cr4(before | CR4_OSXSAVE | CR4_FSGSBASE | CR4_VMXE);
    check_equal(read_cr4() & CR4_OSXSAVE, has_xsave() ? CR4_OSXSAVE : 0);
    check_equal(read_cr4() & CR4_FSGSBASE, has_fsgsbase ? CR4_FSGSBASE : 0);
    check_equal(read_cr4() & CR4_VMXE, 0);
    write_cr4(before);
    check_equal(read_cr4(), before);
}

#endif /* GUEST_PV */
