/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FPU of the machine's processors: what is saved and loaded, and XCR0. */

#include "machine.h"

#define FXSAVE_SIZE         512
#define FXSAVE_MXCSR        24
#define FXSAVE_MXCSR_MASK   28
#define MXCSR_MASK          0xffff

void fxsave(void *area)
{
    const uint32_t mask = MXCSR_MASK;

    g_assert_cmphex((uint64_t)area & 15, ==, 0);
    g_assert_cmphex(machine_self()->cr0 & CR0_TS, ==, 0);
    memcpy(area, machine_self()->fpu, FXSAVE_SIZE);
    memcpy((uint8_t *)area + FXSAVE_MXCSR_MASK, &mask, sizeof(mask));
}

/* A reserved bit of MXCSR is a fault, for which the monitor has no fixup. */
void fxrstor(const void *area)
{
    uint32_t mxcsr;

    g_assert_cmphex(machine_self()->cr0 & CR0_TS, ==, 0);
    memcpy(&mxcsr, (const uint8_t *)area + FXSAVE_MXCSR, sizeof(mxcsr));
    g_assert_cmphex(mxcsr & ~MXCSR_MASK, ==, 0);
    memcpy(machine_self()->fpu, area, FXSAVE_SIZE);
}

uint64_t xgetbv(uint32_t index)
{
    g_assert_cmpuint(index, ==, 0);
    return machine_self()->xcr0;
}

bool xsetbv_safe(uint32_t index, uint64_t value)
{
    uint32_t a = 0xd, b, c = 0, d;

    cpuid(&a, &b, &c, &d);
    if (index || !(value & XCR0_X87) || value & ~(uint64_t)a ||
        (value & 4 && !(value & XCR0_SSE))) {
        return false;
    }
    machine_self()->xcr0 = value;
    return true;
}

/* In the standard format: x87 and SSE, the header, AVX. */
#define AVX_PLACE   576
#define AVX_SIZE    256

/* What of the FPU is in an area: the first three states, or as much as CPUID says. */
static void assert_fits(uint64_t components)
{
    uint32_t a = 0xd, b, c = 0, d;

    cpuid(&a, &b, &c, &d);
    g_assert_true(!(components & ~7ul) || b <= FPU_STATE_SIZE);
    g_assert_cmphex(machine_self()->cr0 & CR0_TS, ==, 0);
}

void xsave(void *area, uint64_t components)
{
    uint64_t states = components & machine_self()->xcr0, present;
    uint8_t *header = (uint8_t *)area + XSAVE_HEADER;

    assert_fits(components);
    g_assert_cmphex((uint64_t)area & 63, ==, 0);
    g_assert_cmphex(machine_self()->cr4 & CR4_OSXSAVE, !=, 0);
    memcpy(&present, header, sizeof(present));
    present = (present & ~states) | states;
    memcpy(header, &present, sizeof(present));
    memcpy(area, machine_self()->fpu, FXSAVE_SIZE);
    if (states & 4) {
        memcpy((uint8_t *)area + AVX_PLACE, machine_self()->fpu + AVX_PLACE, AVX_SIZE);
    }
}

void xrstor(const void *area, uint64_t components)
{
    uint64_t states = components & machine_self()->xcr0, header[8];

    assert_fits(components);
    g_assert_cmphex(machine_self()->cr4 & CR4_OSXSAVE, !=, 0);
    memcpy(header, (const uint8_t *)area + XSAVE_HEADER, sizeof(header));
    /* Else it is a fault. */
    g_assert_cmphex(header[0] & ~machine_self()->xcr0, ==, 0);
    g_assert_cmphex(header[1] | header[2], ==, 0);
    memcpy(machine_self()->fpu, area, FXSAVE_SIZE);
    if (states & 4) {
        memcpy(machine_self()->fpu + AVX_PLACE, (const uint8_t *)area + AVX_PLACE,
               AVX_SIZE);
    }
}
