/* SPDX-License-Identifier: GPL-2.0-or-later */
/* msr.c: which MSRs a guest's kernel may read and write, and what becomes of that. */

#include "instruction.h"

#define PAT_OF_XEN  0x0000050100070406ul
#define EFER        0xd01ul
#define MSR_TSC     0x10
#define MSR_MISC_ENABLE 0x1a0
#define MSR_PRED_CMD 0x49
#define SECRET      0x5ec2e7ul

/* Ranges that are zeros, and what is written to them goes nowhere. */
static const struct {
    uint32_t first, last;
} zeros[] = {
    { 0x17, 0x17 }, { 0x34, 0x34 }, { 0x3a, 0x3a }, { 0x79, 0x79 }, { 0x8b, 0x8b },
    { 0xce, 0xce }, { 0xfe, 0xfe }, { 0x140, 0x140 }, { 0x174, 0x176 }, { 0x179, 0x17b },
    { 0x1d9, 0x1d9 }, { 0xc0010010, 0xc0010010 }, { 0xc0010015, 0xc0010015 },
    { 0xc001001f, 0xc001001f }, { 0xc0010055, 0xc0010055 }, { 0xc0010140, 0xc0010141 },
    { 0xc0011020, 0xc001102f },
};

/* Others, to which writes go nowhere. */
static const struct {
    uint32_t number;
    uint64_t value;
} fixed[] = {
    { MSR_STAR, 0 }, { MSR_LSTAR, 0 }, { MSR_CSTAR, 0 }, { MSR_SYSCALL_MASK, 0 },
    { MSR_APIC_BASE, 0xfee00900 }, { MSR_MISC_ENABLE, 0x1800 },
};

/* What the processor keeps for the guest. */
static const uint32_t own[] = {
    MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_TSC_AUX, MSR_SPEC_CTRL,
};

static void begin(void)
{
    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    instruction_begin();
}

static bool is_zero(uint32_t msr)
{
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(zeros); i++) {
        if (msr >= zeros[i].first && msr <= zeros[i].last) {
            return true;
        }
    }
    return false;
}

static bool is_known(uint32_t msr)
{
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(fixed); i++) {
        if (msr == fixed[i].number) {
            return true;
        }
    }
    for (i = 0; i < G_N_ELEMENTS(own); i++) {
        if (msr == own[i]) {
            return true;
        }
    }
    return msr == MSR_TSC || msr == MSR_EFER || msr == MSR_PAT || msr == MSR_PRED_CMD ||
           is_zero(msr);
}

static void assert_reads(uint32_t msr, uint64_t expected)
{
    uint64_t value = SECRET;

    g_assert_true(guest_rdmsr(msr, &value));
    g_assert_cmphex(value, ==, expected);
}

/* RDMSR and WRMSR, with what there is for sure. */
static void test_instructions(void)
{
    struct regs regs;

    begin();
    regs = regs_for(BYTES(0x0f, 0x32));
    regs.rcx = MSR_PAT;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(regs.rdx << 32 | regs.rax, ==, PAT_OF_XEN);
    regs.rip = machine_put(BYTES(0x0f, 0x30));
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    regs.rip = machine_put(BYTES(0x0f, 0x30));
    regs.rax++;
    g_assert_cmpint(refused(&regs), ==, EXC_GP);
}

static void test_zeros(void)
{
    unsigned int i;
    uint32_t msr;

    begin();
    for (i = 0; i < G_N_ELEMENTS(zeros); i++) {
        for (msr = zeros[i].first; msr <= zeros[i].last; msr++) {
            assert_reads(msr, 0);
            g_assert_true(guest_wrmsr(msr, ~0ul));
            assert_reads(msr, 0);
        }
    }
    for (i = 0; i < G_N_ELEMENTS(fixed); i++) {
        uint64_t before = *machine_msr(fixed[i].number);

        assert_reads(fixed[i].number, fixed[i].value);
        g_assert_true(guest_wrmsr(fixed[i].number, ~0ul));
        assert_reads(fixed[i].number, fixed[i].value);
        g_assert_cmphex(*machine_msr(fixed[i].number), ==, before);
    }
}

/* Only vCPU 0 has begun the machine. */
static void test_apic_base(void)
{
    begin();
    assert_reads(MSR_APIC_BASE, 0xfee00900);
    machine_switch(1);
    assert_reads(MSR_APIC_BASE, 0xfee00800);
}

static void test_bases(void)
{
    static const struct {
        uint64_t value;
        bool canonical;
    } rows[] = {
        { 0, true },
        { 0x7fffffffffff, true },
        { 0x800000000000, false },
        { 0xffff7fffffffffff, false },
        { 0xffff800000000000, true },
        { ~0ul, true },
        { 1ul << 63, false },
        { 1ul << 47, false },
        { MONITOR_VA, true },           /* an access there faults */
    };
    unsigned int i, j;

    begin();
    for (i = 0; i < 3; i++) {
        for (j = 0; j < G_N_ELEMENTS(rows); j++) {
            g_assert_true(guest_wrmsr(own[i], 0x1000 + i));
            g_assert_cmpint(guest_wrmsr(own[i], rows[j].value), ==,
                            rows[j].canonical);
            assert_reads(own[i], rows[j].canonical ? rows[j].value : 0x1000 + i);
            g_assert_cmphex(*machine_msr(own[i]), ==,
                            rows[j].canonical ? rows[j].value : 0x1000 + i);
        }
    }
    /* Each has its own; user mode's %gs base is the other one in the kernel. */
    for (i = 0; i < 3; i++) {
        g_assert_true(guest_wrmsr(own[i], 0x2000 + i));
    }
    for (i = 0; i < 3; i++) {
        assert_reads(own[i], 0x2000 + i);
    }
    enter_user_mode();
    g_assert_cmphex(*machine_msr(MSR_GS_BASE), ==, 0x2002);
}

static bool has_none(uint32_t msr)
{
    return false;
}

static void test_tsc_aux(void)
{
    uint64_t value = SECRET;

    begin();
    g_assert_true(guest_wrmsr(MSR_TSC_AUX, 0x12345678));
    g_assert_cmphex(*machine_msr(MSR_TSC_AUX), ==, 0x12345678);
    assert_reads(MSR_TSC_AUX, 0x12345678);
    /* A processor without RDTSCP refuses it; so does one that wants 32 bits. */
    machine_hooks.has_msr = has_none;
    g_assert_false(guest_rdmsr(MSR_TSC_AUX, &value));
    g_assert_false(guest_wrmsr(MSR_TSC_AUX, 1));
    g_assert_cmphex(*machine_msr(MSR_TSC_AUX), ==, 0x12345678);
}

static void test_tsc(void)
{
    begin();
    *machine_msr(MSR_TSC) = 0x123456789a;
    assert_reads(MSR_TSC, 0x123456789a);
    g_assert_true(guest_wrmsr(MSR_TSC, 0));
    assert_reads(MSR_TSC, 0x123456789a);
}

/* What guards a kernel against its programs; a command cannot be read. */
static void test_speculation(void)
{
    uint64_t value = SECRET;

    begin();
    g_assert_true(guest_wrmsr(MSR_SPEC_CTRL, 5));
    assert_reads(MSR_SPEC_CTRL, 5);
    g_assert_cmphex(*machine_msr(MSR_SPEC_CTRL), ==, 5);
    g_assert_true(guest_wrmsr(MSR_PRED_CMD, 1));
    g_assert_cmphex(*machine_msr(MSR_PRED_CMD), ==, 1);
    g_assert_false(guest_rdmsr(MSR_PRED_CMD, &value));
    g_assert_cmphex(value, ==, SECRET);
    /* A processor without them. */
    machine_hooks.has_msr = has_none;
    g_assert_false(guest_wrmsr(MSR_SPEC_CTRL, 0));
    g_assert_false(guest_rdmsr(MSR_SPEC_CTRL, &value));
    g_assert_false(guest_wrmsr(MSR_PRED_CMD, 1));
}

/* Neither may change, but may be written as they are. */
static void test_pat_and_efer(void)
{
    unsigned int bit;

    begin();
    *machine_msr(MSR_EFER) = *machine_msr(MSR_PAT) = SECRET;
    assert_reads(MSR_PAT, PAT_OF_XEN);
    assert_reads(MSR_EFER, EFER);
    g_assert_true(guest_wrmsr(MSR_PAT, PAT_OF_XEN));
    g_assert_true(guest_wrmsr(MSR_EFER, EFER));
    for (bit = 0; bit < 64; bit++) {
        g_assert_false(guest_wrmsr(MSR_PAT, PAT_OF_XEN ^ 1ul << bit));
        if (!(EFER >> bit & 1)) {
            g_assert_false(guest_wrmsr(MSR_EFER, EFER | 1ul << bit));
        }
    }
    g_assert_cmphex(*machine_msr(MSR_EFER), ==, SECRET);
    g_assert_cmphex(*machine_msr(MSR_PAT), ==, SECRET);
}

/*
 * All others are refused, once the kernel has a handler that learns of it; before, they
 * are zeros.  The processor's own are never read or written.
 */
static void test_others(void)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0, 0x1000 }, { 0x3fffff00, 0x40001000 }, { 0xbfffff00, 0xc0000400 },
        { 0xc000ff00, 0xc0012000 }, { 0xffffff00, 0xffffffff },
    };
    unsigned int i, nr_msrs, has_handler;
    uint64_t msr, value;

    begin();
    *machine_msr(MSR_TSC) = *machine_msr(MSR_TSC_AUX) = 0;
    *machine_msr(MSR_SPEC_CTRL) = 0;
    nr_msrs = machine_processors[0].nr_msrs;
    for (has_handler = 0; has_handler < 2; has_handler++) {
        if (!has_handler) {
            machine_call(__HYPERVISOR_set_trap_table, 0, 0, 0, 0);
        } else {
            instruction_begin();
        }
        for (i = 0; i < G_N_ELEMENTS(ranges); i++) {
            for (msr = ranges[i].first; msr <= ranges[i].last; msr++) {
                if (is_known(msr)) {
                    continue;
                }
                value = SECRET;
                g_assert_cmpint(guest_rdmsr(msr, &value), ==, !has_handler);
                g_assert_cmphex(value, ==, has_handler ? SECRET : 0);
                g_assert_cmpint(guest_wrmsr(msr, 5), ==, !has_handler);
            }
        }
    }
    g_assert_cmpuint(machine_processors[0].nr_msrs, ==, nr_msrs);
}

/* With a mask, a watchpoint beside the hypervisor would be one in it (XSA-444). */
static void test_address_masks(void)
{
    static const uint32_t masks[] = {
        0xc0011027, 0xc0011019, 0xc001101a, 0xc001101b,
    };
    unsigned int i, nr_msrs;

    begin();
    nr_msrs = machine_processors[0].nr_msrs;
    for (i = 0; i < G_N_ELEMENTS(masks); i++) {
        guest_wrmsr(masks[i], 0xfff);
    }
    g_assert_cmpuint(machine_processors[0].nr_msrs, ==, nr_msrs);
}

static void test_less_efer(void)
{
    unsigned int bit;

    begin();
    for (bit = 0; bit < 64; bit++) {
        g_assert_false(guest_wrmsr(MSR_EFER, EFER ^ 1ul << bit));
    }
    g_assert_false(guest_wrmsr(MSR_EFER, 0));
}

static void test_long_tsc_aux(void)
{
    begin();
    g_assert_false(guest_wrmsr(MSR_TSC_AUX, 1ul << 32));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/msr/instructions", test_instructions);
    machine_test("/monitor/msr/zeros", test_zeros);
    machine_test("/monitor/msr/apic-base", test_apic_base);
    machine_test("/monitor/msr/bases", test_bases);
    machine_test("/monitor/msr/tsc-aux", test_tsc_aux);
    machine_test("/monitor/msr/tsc", test_tsc);
    machine_test("/monitor/msr/speculation", test_speculation);
    machine_test("/monitor/msr/pat-and-efer", test_pat_and_efer);
    machine_test("/monitor/msr/others", test_others);
    machine_test("/monitor/msr/address-masks", test_address_masks);
    machine_test("/monitor/msr/less-efer", test_less_efer);
    machine_test("/monitor/msr/long-tsc-aux", test_long_tsc_aux);
    return g_test_run();
}
