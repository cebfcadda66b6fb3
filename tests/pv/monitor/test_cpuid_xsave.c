/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpuid.c: XSAVE: OSXSAVE, the leaves of its state, and what of CR4 shows there. */

#include "cpuid_calls.h"

static void test_osxsave(void)
{
    const uint32_t osxsave = 1u << 27;
    unsigned int guest, host, kernel, forced;

    begin(everything);
    for (guest = 0; guest < 2; guest++) {
        for (host = guest; host < 2; host++) {
            for (kernel = 0; kernel < 2; kernel++) {
                for (forced = 0; forced < 2; forced++) {
                    bool shown = guest || (host && kernel && forced);

                    machine_vcpu->cr4 = guest ? CR4_OSXSAVE : 0;
                    machine_processors[0].cr4 = host ? CR4_OSXSAVE : 0;
                    machine_vcpu->kernel_mode = kernel;
                    g_assert_cmphex(ask_by(1, 0, forced)[ECX] & osxsave, ==,
                                    shown ? osxsave : 0);
                }
            }
        }
    }
}

/* Sizes and places of a processor's states, as CPUID 0xd has them: not in their order. */
static const struct {
    uint32_t size, offset;
} places[32] = {
    [2] = { 256, 576 }, [3] = { 64, 960 }, [4] = { 64, 1024 }, [5] = { 64, 2696 },
    [6] = { 512, 1152 }, [7] = { 1024, 1664 }, [9] = { 8, 2688 }, [17] = { 64, 2816 },
    [18] = { 8192, 2880 },
};
static uint32_t states = ALL, capabilities = ALL;

static void with_states(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    uint32_t leaf = *a, subleaf = *c;

    *a = *b = *c = *d = 0;
    if (leaf != 0xd) {
        return;
    }
    switch (subleaf) {
    case 0:
        *a = states;
        *b = 832;
        *c = 0x4000;
        *d = ALL;
        break;
    case 1:
        *a = capabilities;
        *b = 0x777;
        *c = *d = ALL;
        break;
    default:
        *a = subleaf < 32 ? places[subleaf].size : 0;
        *b = subleaf < 32 ? places[subleaf].offset : 0;
        *c = 2;
    }
}

static void test_xstate(void)
{
    static const struct {
        uint32_t states, shown, size;
    } rows[] = {
        { ALL, 0xe7, 2760 },
        { 0x602ff, 0xe7, 2760 },
        { 0x1f, 7, 832 },
        { 7, 7, 832 },
        { 3, 3, 576 },
        { 0, 0, 576 },
        { 0x27, 0x27, 2760 },
        { 0x87, 0x87, 2688 },
        { 0x1c, 4, 832 },
    };
    const uint32_t *regs;
    unsigned int i;

    begin(with_states);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        states = rows[i].states;
        regs = ask(0xd, 0);
        g_assert_cmphex(regs[EAX], ==, rows[i].shown);
        g_assert_cmpuint(regs[EBX], ==, 832);       /* of what XCR0 has now */
        g_assert_cmpuint(regs[ECX], ==, rows[i].size);
        g_assert_cmphex(regs[EDX], ==, 0);
    }
    /* XSAVEOPT, XSAVEC and XGETBV of 1; not XSAVES or XFD. */
    for (i = 0; i < 32; i++) {
        capabilities = 1u << i;
        regs = ask(0xd, 1);
        g_assert_cmphex(regs[EAX], ==, i < 3 ? capabilities : 0);
        g_assert_cmphex(regs[EBX], ==, i == 1 ? 0x777 : 0);
        g_assert_cmphex(regs[ECX] | regs[EDX], ==, 0);
    }
    /* Each state that XSETBV enables, and no other one. */
    for (i = 2; i < 70; i++) {
        bool shown = i == 2 || (i >= 5 && i <= 7);

        regs = ask(0xd, i);
        g_assert_cmpuint(regs[EAX], ==, shown ? places[i].size : 0);
        g_assert_cmpuint(regs[EBX], ==, shown ? places[i].offset : 0);
        g_assert_cmphex(regs[ECX], ==, shown ? 2 : 0);
    }
    regs = ask(0xd, ALL);
    g_assert_cmphex(regs[EAX] | regs[EBX] | regs[ECX] | regs[EDX], ==, 0);
}

/* Of CR4 a guest may set what the processor has: OSXSAVE, FSGSBASE. */
static uint32_t max_leaf, leaf_1_ecx, leaf_7_ebx;

static void with_cr4(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    uint32_t leaf = *a, subleaf = *c;

    *a = *b = *c = *d = 0;
    *a = leaf == 0 ? max_leaf : 0;
    *c = leaf == 1 ? leaf_1_ecx : 0;
    *b = leaf == 7 && !subleaf ? leaf_7_ebx : 0;
}

static void test_cr4_bits(void)
{
    const uint64_t always = CR4_TSD | CR4_DE;

    begin(with_cr4);
    max_leaf = 7;
    g_assert_cmphex(guest_cr4_bits(), ==, always);
    leaf_1_ecx = 1u << 26;
    g_assert_cmphex(guest_cr4_bits(), ==, always | CR4_OSXSAVE);
    leaf_1_ecx = 1u << 27;
    leaf_7_ebx = 1;
    g_assert_cmphex(guest_cr4_bits(), ==, always | CR4_FSGSBASE);
    /* A leaf beyond the last one means nothing. */
    max_leaf = 6;
    g_assert_cmphex(guest_cr4_bits(), ==, always);
    max_leaf = 0xd;
    leaf_1_ecx = ~(1u << 26);
    leaf_7_ebx = ~1u;
    g_assert_cmphex(guest_cr4_bits(), ==, always);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/cpuid_xsave/osxsave", test_osxsave);
    machine_test("/monitor/cpuid_xsave/xstate", test_xstate);
    machine_test("/monitor/cpuid_xsave/cr4-bits", test_cr4_bits);
    return g_test_run();
}
