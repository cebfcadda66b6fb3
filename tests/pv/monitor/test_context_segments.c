/* SPDX-License-Identifier: GPL-2.0-or-later */
/* context.c: the FPU, segments, and the mode that a vCPU begins with. */

#include "contexts.h"

/* The FPU -------------------------------------------------------------------------- */

static void put_mxcsr(uint32_t mxcsr)
{
    memset(&context.fpu_ctxt, 0x5a, sizeof(context.fpu_ctxt));
    memcpy((uint8_t *)&context.fpu_ctxt + 24, &mxcsr, sizeof(mxcsr));
}

static void test_fpu(void)
{
    static const struct {
        uint32_t mxcsr, loaded;
    } rows[] = {
        { 0x1f80, 0x1f80 }, { 0xffff, 0xffff }, { UINT32_MAX, 0xffff },
        { 0x10000, 0 },
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint32_t mxcsr;

        if (!i) {
            start_with_context();
        }
        machine_switch(0);
        context.flags = VGCF_in_kernel | VGCF_i387_valid;
        context.ctrlreg[0] = CR0_TS;
        put_mxcsr(rows[i].mxcsr);
        processor()->cr0 &= ~CR0_TS;
        load();
        memcpy(&mxcsr, processor()->fpu + 24, sizeof(mxcsr));
        g_assert_cmphex(mxcsr, ==, rows[i].loaded);
        g_assert_cmpmem(processor()->fpu, 24, &context.fpu_ctxt, 24);
        g_assert_cmpmem(processor()->fpu + 32, 480,
                        (uint8_t *)&context.fpu_ctxt + 32, 480);
    }
}

/* Without the flag the FPU is that of a new processor. */
static void test_no_fpu(void)
{
    uint8_t was[FPU_STATE_SIZE];

    start_with_context();
    put_mxcsr(UINT32_MAX);
    memcpy(was, processor()->fpu, sizeof(was));
    load();
    g_assert_cmpmem(processor()->fpu, sizeof(was), was, sizeof(was));
}

/* Segments ------------------------------------------------------------------------- */

static void test_bases(void)
{
    start_with_context();
    context.fs_base = 0x1111;
    context.gs_base_kernel = 0x2222;
    context.gs_base_user = 0x3333;
    context.user_regs.ds = context.user_regs.es = SEL_TEST_DATA;
    context.user_regs.fs = context.user_regs.gs = 3;
    load();
    g_assert_cmphex(rdmsr(MSR_FS_BASE), ==, 0x1111);
    g_assert_cmphex(rdmsr(MSR_GS_BASE), ==, 0x2222);
    g_assert_cmphex(rdmsr(MSR_KERNEL_GS_BASE), ==, 0x3333);
    g_assert_cmphex(processor()->ds, ==, SEL_TEST_DATA);
    g_assert_cmphex(processor()->es, ==, SEL_TEST_DATA);
    g_assert_cmphex(processor()->fs, ==, 3);
    g_assert_cmphex(processor()->gs, ==, 3);
}

static const size_t selectors[] = {
    offsetof(struct cpu_user_regs, ds), offsetof(struct cpu_user_regs, es),
    offsetof(struct cpu_user_regs, fs), offsetof(struct cpu_user_regs, gs),
};

/*
 * Any of the four that cannot be loaded: it is null, and the vCPU begins in its failsafe
 * callback, which finds all of them in its frame.
 */
static void test_failsafe(void)
{
    static const uint16_t bad[] = { SEL_NOT_PRESENT, SEL_SYSTEM, SEL_BEYOND, 7 };
    unsigned int i, masks, n;

    for (i = 0; i < G_N_ELEMENTS(selectors) * G_N_ELEMENTS(bad) * 2; i++) {
        const uint64_t *words;
        uint16_t loaded[4], *values = loaded;
        struct regs regs;

        if (!i) {
            start_with_context();
        }
        masks = i & 1;
        n = i / 2 % 4;
        machine_switch(0);
        context.flags = VGCF_in_kernel |
                        (masks ? VGCF_failsafe_disables_events : 0);
        context.failsafe_callback_eip = FAILSAFE;
        context.user_regs.rcx = 0xc1;
        context.user_regs.r11 = 0xc2;
        context.user_regs.rsp = KERNEL_SP - 4;
        context.user_regs.rflags = FLAG_TF | FLAG_CF;
        context.user_regs.ds = context.user_regs.es = SEL_TEST_DATA;
        context.user_regs.fs = context.user_regs.gs = SEL_TEST_DATA;
        memcpy((uint8_t *)&context.user_regs + selectors[n], &bad[i / 8], 2);
        vcpu_by_id(1)->info->evtchn_upcall_mask = 0;
        regs = load();
        g_assert_cmphex(regs.rip, ==, FAILSAFE);
        g_assert_cmphex(regs.cs, ==, SEL_CS64);
        g_assert_cmphex(regs.ss, ==, SEL_DS);
        g_assert_cmphex(regs.rflags, ==, FLAG_CF | FLAG_IF | 2);
        g_assert_cmphex(regs.rsp, ==, KERNEL_SP - 16 - 11 * 8);
        words = machine_at(regs.rsp);
        g_assert_cmphex(words[0], ==, 0xc1);
        g_assert_cmphex(words[1], ==, 0xc2);
        g_assert_cmphex(words[2], ==, context.user_regs.ds);
        g_assert_cmphex(words[3], ==, context.user_regs.es);
        g_assert_cmphex(words[4], ==, context.user_regs.fs);
        g_assert_cmphex(words[5], ==, context.user_regs.gs);
        g_assert_cmphex(words[6], ==, MACHINE_KERNEL_VA);
        g_assert_cmphex(words[7], ==, SEL_CS64 & ~3);
        g_assert_cmphex(words[8], ==, FLAG_TF | FLAG_CF | FLAG_IF | 2);
        g_assert_cmphex(words[9], ==, KERNEL_SP - 4);
        g_assert_cmphex(words[10], ==, SEL_DS);
        g_assert_cmpuint(vcpu_by_id(1)->info->evtchn_upcall_mask, ==, masks);
        *values++ = processor()->ds;
        *values++ = processor()->es;
        *values++ = processor()->fs;
        *values++ = processor()->gs;
        g_assert_cmphex(loaded[n], ==, 0);
        g_assert_cmphex(loaded[(n + 1) % 4], ==, SEL_TEST_DATA);
    }
}

static void test_ldt(void)
{
    uint64_t mfn;
    struct regs regs;

    start_with_context();
    mfn = machine_frame();
    ((uint64_t *)frame(mfn))[0] = 0x00cf93000000ffff;
    machine_map(0xffff900000000000ul, mfn, PTE_PRESENT);
    context.ldt_base = 0xffff900000000000ul;
    context.ldt_ents = 1;
    context.failsafe_callback_eip = FAILSAFE;
    context.user_regs.es = 7;
    regs = load();
    g_assert_cmphex(regs.rip, ==, MACHINE_KERNEL_VA);
    g_assert_cmphex(processor()->es, ==, 7);
    g_assert_cmphex(processor()->ldtr, ==, SEL_LDT);
}

/* Xen looks at it when it is used; here there is none then. */
static void test_bad_ldt(void)
{
    struct regs regs;

    start_with_context();
    context.ldt_base = 0xffff900000000000ul;
    context.ldt_ents = 1;
    context.failsafe_callback_eip = FAILSAFE;
    context.user_regs.es = 7;
    regs = load();
    g_assert_cmphex(regs.rip, ==, FAILSAFE);
    g_assert_cmphex(processor()->es, ==, 0);
    g_assert_cmphex(processor()->ldtr, ==, 0);
}

/* User mode ------------------------------------------------------------------------ */

static void test_user_mode(void)
{
    struct regs regs;

    start_with_context();
    context.flags = 0;
    context.ctrlreg[1] = xen_pfn_to_cr3(machine_frame());
    context.gs_base_kernel = 0x2222;
    context.gs_base_user = 0x3333;
    context.kernel_sp = KERNEL_SP;
    regs = load();
    g_assert_cmphex(regs.rip, ==, MACHINE_KERNEL_VA);
    g_assert_false(vcpu_by_id(1)->kernel_mode);
    g_assert_cmphex(processor()->cr3 >> PAGE_SHIFT, ==,
                    xen_cr3_to_pfn(context.ctrlreg[1]));
    g_assert_cmphex(rdmsr(MSR_GS_BASE), ==, 0x3333);
    g_assert_cmphex(rdmsr(MSR_KERNEL_GS_BASE), ==, 0x2222);
    /* If it begins in the failsafe callback, it is in kernel mode then. */
    machine_switch(0);
    context.user_regs.ds = SEL_BEYOND;
    context.user_regs.rsp = 0x123;
    context.failsafe_callback_eip = FAILSAFE;
    regs = load();
    g_assert_cmphex(regs.rip, ==, FAILSAFE);
    g_assert_cmphex(regs.rsp, ==, KERNEL_SP - 88);
    g_assert_true(vcpu_by_id(1)->kernel_mode);
    g_assert_cmphex(rdmsr(MSR_GS_BASE), ==, 0x2222);
    /* A vCPU's upcalls are masked at first. */
    g_assert_cmphex(((uint64_t *)machine_at(regs.rsp))[7], ==,
                    1ul << 32 | SEL_CS64);
    g_assert_cmphex(((uint64_t *)machine_at(regs.rsp))[9], ==, 0x123);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/context_segments/fpu", test_fpu);
    machine_test("/monitor/context_segments/no-fpu", test_no_fpu);
    machine_test("/monitor/context_segments/bases", test_bases);
    machine_test("/monitor/context_segments/failsafe", test_failsafe);
    machine_test("/monitor/context_segments/ldt", test_ldt);
    machine_test("/monitor/context_segments/bad-ldt", test_bad_ldt);
    machine_test("/monitor/context_segments/user-mode", test_user_mode);
    return g_test_run();
}
