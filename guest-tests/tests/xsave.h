/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XSAVE and XCR0 as a PV guest's kernel has them. */

#ifndef GUEST_TESTS_XSAVE_H
#define GUEST_TESTS_XSAVE_H

#include <stdint.h>

#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_1_ECX_OSXSAVE (1u << 27)
#define CPUID_1_ECX_AVX (1u << 28)
#define CR4_OSXSAVE 0x40000ul
#define XCR0_X87 1ul
#define XCR0_SSE 2ul
#define XCR0_AVX 4ul

/* ECX of CPUID's leaf 1, by the prefix that PV kernels know. */
static inline uint32_t forced_cpuid_1_ecx(void)
{
    uint32_t a = 1, b, c = 0, d;

    asm volatile("ud2a; .ascii \"xen\"; cpuid"
                 : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c;
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
