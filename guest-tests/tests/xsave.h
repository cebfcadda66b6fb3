/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XSAVE and XCR0 as a PV guest's kernel has them. */

#ifndef GUEST_TESTS_XSAVE_H
#define GUEST_TESTS_XSAVE_H

#include "../runtime/guest.h"

#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_1_ECX_OSXSAVE (1u << 27)
#define CPUID_1_ECX_AVX (1u << 28)
#define CPUID_7_EBX_FSGSBASE (1u << 0)
#define CPUID_D_1_EAX_XSAVEC (1u << 1)
#define CR4_OSXSAVE 0x40000ul
#define XCR0_X87 1ul
#define XCR0_SSE 2ul
#define XCR0_AVX 4ul

/* CPUID by the prefix that PV kernels know. */
static inline struct cpuid forced_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r = { .a = leaf, .c = subleaf };

    asm volatile("ud2a; .ascii \"xen\"; cpuid"
                 : "+a"(r.a), "=b"(r.b), "+c"(r.c), "=d"(r.d));
    return r;
}

static inline bool has_xsave(void)
{
    return forced_cpuid(1, 0).c & CPUID_1_ECX_XSAVE;
}

static inline bool has_avx(void)
{
    return has_xsave() && forced_cpuid(1, 0).c & CPUID_1_ECX_AVX;
}

static inline uint64_t xgetbv(void)
{
    uint32_t low, high;

    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static inline void xsetbv(uint64_t value)
{
    asm volatile("xsetbv"
                 :
                 : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

#endif /* GUEST_TESTS_XSAVE_H */
