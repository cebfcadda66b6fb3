/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpuid.c: which features the guest sees, and Xen's leaves. */

#include "cpuid_calls.h"

static void nothing(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a = *b = *c = *d = 0;
}

/* Features ------------------------------------------------------------------------- */

/* What a kernel in ring 3 would fail with, or what is the hypervisor's; ends with 32. */
static const struct hidden {
    uint32_t leaf, subleaf;
    unsigned int reg;
    uint8_t bits[16];
} hidden[] = {
    /* MONITOR VMX SMX EST TM2 xTPR PDCM PCID DCA X2APIC TSC_DEADLINE; OSXSAVE */
    { 1, 0, ECX, { 3, 5, 6, 7, 8, 14, 15, 17, 18, 21, 24, 27, 32 } },
    /* VME PSE SEP MTRR PGE PSE36 DS ACPI */
    { 1, 0, EDX, { 1, 3, 11, 12, 13, 17, 21, 22, 32 } },
    /* TSC_ADJUST SGX SMEP INVPCID PQM MPX PQE SMAP PT */
    { 7, 0, EBX, { 1, 2, 7, 10, 12, 14, 15, 20, 25, 32 } },
    /* UMIP PKU OSPKE WAITPKG CET_SS LA57 PKS */
    { 7, 0, ECX, { 2, 3, 4, 5, 7, 16, 31, 32 } },
    /* CET_IBT AMX_BF16 AMX_TILE AMX_INT8 L1D_FLUSH ARCH_CAPS CORE_CAPS */
    { 7, 0, EDX, { 20, 22, 24, 25, 28, 29, 30, 32 } },
    /* SVM EXTAPIC OSVW IBS SKINIT LWP PERFCTRs (23, 24, 28) DBEXT MONITORX */
    { 0x80000001, 0, ECX, { 2, 3, 9, 10, 12, 15, 23, 24, 26, 28, 29, 32 } },
    /* VME PSE MTRR PGE PSE36 PDPE1GB */
    { 0x80000001, 0, EDX, { 1, 3, 12, 13, 17, 26, 32 } },
    /* VIRT_SSBD */
    { 0x80000008, 0, EBX, { 25, 32 } },
};

static void test_features(void)
{
    unsigned int i, bit;

    begin(everything);
    for (i = 0; i < G_N_ELEMENTS(hidden); i++) {
        const struct hidden *h = &hidden[i];
        uint32_t shown = ALL;

        for (bit = 0; h->bits[bit] < 32; bit++) {
            shown &= ~(1u << h->bits[bit]);
        }
        g_assert_cmphex(ask(h->leaf, h->subleaf)[h->reg], ==, shown);
        g_assert_cmphex(asked_leaf, ==, h->leaf);
        g_assert_cmphex(asked_subleaf, ==, h->subleaf);
        g_assert_cmphex(ask_by(h->leaf, h->subleaf, true)[h->reg] & ~(1u << 27), ==,
                        shown & ~(1u << 27));
    }
    /* A kernel asks for them by both instructions, and on any processor. */
    g_assert_cmphex(ask(1, 0)[EAX], ==, ALL);
    g_assert_cmphex(ask(0x80000001, 0)[EAX], ==, ALL);
    g_assert_cmphex(ask(0x80000001, 0)[EBX], ==, ALL);
}

/* What the machine has not is not promised: only a hypervisor, and SYSCALL. */
static void test_nothing_invented(void)
{
    unsigned int i;
    const uint32_t *regs;

    begin(nothing);
    machine_processors[0].cr4 &= ~CR4_OSXSAVE;
    for (i = 0; i < 0x20; i++) {
        regs = ask(i, 0);
        g_assert_cmphex(regs[EAX] | regs[EBX] | regs[EDX], ==, 0);
        /* Of 0xd it is the size of x87, SSE and the header. */
        g_assert_cmphex(regs[ECX], ==, i == 1 ? 1u << 31 : i == 0xd ? 576 : 0);
        regs = ask(0x80000000 + i, 0);
        g_assert_cmphex(regs[EAX] | regs[EBX] | regs[ECX], ==, 0);
        g_assert_cmphex(regs[EDX], ==, i == 1 ? 1u << 11 : 0);
    }
}

/* Leaves that are none of a PV guest's, and those that are as they are. */
static void test_leaves(void)
{
    static const struct {
        uint32_t leaf;
        bool shown;
    } rows[] = {
        { 0, true }, { 2, true }, { 3, true }, { 4, true }, { 5, false }, { 6, false },
        { 8, true }, { 9, true }, { 0xa, false }, { 0xc, true }, { 0xe, true },
        { 0x3fffffff, true }, { 0x40000100, true }, { 0x80000000, true },
        { 0x80000002, true }, { 0x80000007, true }, { 0x80000009, true },
        { 0x8000000a, false }, { 0x8000000b, true }, { ALL, true },
    };
    unsigned int i, reg;

    begin(everything);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (reg = 0; reg < 4; reg++) {
            g_assert_cmphex(ask(rows[i].leaf, 0)[reg], ==, rows[i].shown ? ALL : 0);
        }
        if (rows[i].shown) {
            ask(rows[i].leaf, 0x77);
            g_assert_cmphex(asked_leaf, ==, rows[i].leaf);
            g_assert_cmphex(asked_subleaf, ==, 0x77);
        }
    }
}

/* Each vCPU has an ID of its own. */
static void test_ids(void)
{
    unsigned int id;

    begin(everything);
    for (id = 0; id < 3; id++) {
        machine_switch(id);
        g_assert_cmphex(ask(1, 0)[EBX], ==, 0x00ffffff | id * 2 << 24);
        g_assert_cmphex(ask(0xb, 0)[EDX], ==, id * 2);
        g_assert_cmphex(ask(0xb, 1)[EDX], ==, id * 2);
        g_assert_cmphex(ask(0x1f, 0)[EDX], ==, id * 2);
        g_assert_cmphex(ask(0xb, 1)[EBX], ==, ALL);
    }
}

/* A kernel that sees a feature uses its MSR, not always with a handler for a fault. */
static void test_msrs_of_features(void)
{
    static const struct {
        uint32_t leaf;
        unsigned int reg, bit;
        uint32_t msr;
        bool is_written;
    } rows[] = {
        { 7, EDX, 26, 0x48, false },        /* IBRS: SPEC_CTRL */
        { 7, EDX, 26, 0x49, true },         /* IBPB: PRED_CMD */
        { 7, EDX, 27, 0x48, false },        /* STIBP */
        { 7, EDX, 28, 0x10b, true },        /* L1D_FLUSH: FLUSH_CMD */
        { 7, EDX, 29, 0x10a, false },       /* ARCH_CAPABILITIES */
        { 7, EDX, 30, 0xcf, false },        /* CORE_CAPABILITIES */
        { 7, EDX, 31, 0x48, false },        /* SSBD */
        { 0x80000008, EBX, 12, 0x49, true },
        { 0x80000008, EBX, 14, 0x48, false },
        { 0x80000008, EBX, 15, 0x48, false },
        { 0x80000008, EBX, 24, 0x48, false },
        { 0x80000008, EBX, 25, 0xc001011f, false },     /* VIRT_SSBD */
    };
    unsigned int i, bad = 0;
    uint64_t value;

    begin(everything);
    machine_vcpu->traps[EXC_GP].address = MACHINE_KERNEL_VA;
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        bool shown = ask(rows[i].leaf, 0)[rows[i].reg] >> rows[i].bit & 1;

        if (shown && !(rows[i].is_written ? guest_wrmsr(rows[i].msr, 1) :
                                            guest_rdmsr(rows[i].msr, &value))) {
            g_test_message("leaf 0x%x, bit %u: no MSR 0x%x", rows[i].leaf, rows[i].bit,
                           rows[i].msr);
            bad++;
        }
    }
    g_assert_cmpuint(bad, ==, 0);
}

/*
 * Of the sub-leaves of 7: one, with what needs no more than registers that are there.
 * LKGS and FRED are of ring 0, HRESET and LAM too; AMX and CET are not enabled.
 */
static void test_leaf_7_1(void)
{
    unsigned int subleaf, reg;

    begin(everything);
    g_assert_cmpuint(ask(7, 0)[EAX], ==, 1);
    for (subleaf = 1; subleaf < 4; subleaf++) {
        for (reg = 0; reg < 4; reg++) {
            g_assert_cmphex(ask(7, subleaf)[reg], ==,
                            subleaf == 1 && reg == EAX ? 0x1c30 : 0);
        }
    }
}

/* Xen's leaves --------------------------------------------------------------------- */

static void test_xen_leaves(void)
{
    static const struct {
        uint32_t leaf, regs[4];
    } rows[] = {
        { 0, { 0x40000005, 0x566e6558, 0x65584d4d, 0x4d4d566e } },  /* XenVMMXenVMM */
        { 1, { 0x40011, 0, 0, 0 } },
        { 2, { 1, 0x40000000, 1, 0 } },
        { 4, { 0, 0, 0, 0 } },
        { 5, { 0, 52, 0, 0 } },
        { 6, { 0, 0, 0, 0 } },
        { 0x80, { 0, 0, 0, 0 } },
        { 0xff, { 0, 0, 0, 0 } },
    };
    unsigned int i, forced;

    begin(everything);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (forced = 0; forced < 2; forced++) {
            g_assert_cmpmem(ask_by(0x40000000 + rows[i].leaf, 0, forced), 16,
                            rows[i].regs, 16);
        }
    }
}

/* The leaf of time is L0's, for any sub-leaf. */
static void test_xen_time(void)
{
    unsigned int i, reg;

    begin(everything);
    for (i = 0; i < 4; i++) {
        for (reg = 0; reg < 4; reg++) {
            g_assert_cmphex(ask(0x40000003, i)[reg], ==, ALL);
        }
        g_assert_cmphex(asked_leaf, ==, 0x40000003);
        g_assert_cmphex(asked_subleaf, ==, i);
    }
}

static void test_xen_subleaf(void)
{
    begin(everything);
    g_assert_cmpuint(ask(0x40000005, 1)[EBX], ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/cpuid/features", test_features);
    machine_test("/monitor/cpuid/nothing-invented", test_nothing_invented);
    machine_test("/monitor/cpuid/leaves", test_leaves);
    machine_test("/monitor/cpuid/ids", test_ids);
    machine_test("/monitor/cpuid/msrs-of-features", test_msrs_of_features);
    machine_test("/monitor/cpuid/leaf-7-1", test_leaf_7_1);
    machine_test("/monitor/cpuid/xen-leaves", test_xen_leaves);
    machine_test("/monitor/cpuid/xen-time", test_xen_time);
    machine_test("/monitor/cpuid/xen-subleaf", test_xen_subleaf);
    return g_test_run();
}
