/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emulate.c: privileged instructions, single steps, and CPUID by the prefix. */

#include "instruction.h"

#define UPPER       0xaaaaaaaa00000000ul

static void begin(void)
{
    machine_start(&(struct machine_config) { 0 });
    instruction_begin();
}

static void set_cr4(uint64_t value)
{
    struct regs regs = regs_for(BYTES(0x0f, 0x22, 0xe0));

    regs.rax = value;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
}

/* Others of 0f 01: VMCALL, SWAPGS, MONITOR, LGDT, INVLPG and so on.  RDTSCP is below. */
static void test_others_of_0f01(void)
{
    unsigned int modrm;

    begin();
    set_cr4(CR4_OSXSAVE);
    for (modrm = 0; modrm < 256; modrm++) {
        struct regs regs = regs_for(BYTES(0x0f, 0x01, modrm, 0, 0, 0, 0, 0));

        regs.rax = 3;
        if (modrm != 0xd1 && modrm != 0xf9) {
            g_assert_cmpint(refused(&regs), ==, EXC_GP);
        }
    }
}

/* Others --------------------------------------------------------------------------- */

static void test_rdtsc(void)
{
    struct regs regs;

    begin();
    regs = regs_for(BYTES(0x0f, 0x31));
    machine_tsc = 0x123456789abcdef0;
    regs.rax = regs.rdx = ~0ul;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(regs.rax, ==, 0x9abcdef0);
    g_assert_cmphex(regs.rdx, ==, 0x12345678);
}

static void test_msrs(void)
{
    struct regs regs;

    begin();
    regs = regs_for(BYTES(0x0f, 0x30));
    regs.rcx = UPPER | MSR_FS_BASE;
    regs.rdx = UPPER | 0x7654;
    regs.rax = UPPER | 0x89abcdef;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(*machine_msr(MSR_FS_BASE), ==, 0x765489abcdef);
    regs.rip = machine_put(BYTES(0x0f, 0x32));
    regs.rax = regs.rdx = ~0ul;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(regs.rax, ==, 0x89abcdef);
    g_assert_cmphex(regs.rdx, ==, 0x7654);
    /* No such MSR; and an address that is none. */
    regs.rip = machine_put(BYTES(0x0f, 0x32));
    regs.rcx = MSR_X2APIC_ID;
    g_assert_cmpint(refused(&regs), ==, EXC_GP);
    g_assert_cmphex(regs.rax, ==, 0x89abcdef);
    g_assert_cmphex(regs.rdx, ==, 0x7654);
    regs.rip = machine_put(BYTES(0x0f, 0x30));
    regs.rcx = MSR_FS_BASE;
    regs.rdx = 0x8000;
    g_assert_cmpint(refused(&regs), ==, EXC_GP);
    g_assert_cmphex(*machine_msr(MSR_FS_BASE), ==, 0x765489abcdef);
}

/* CPUID that faults, as the processor can do: without the prefix it is the plain one. */
static void test_cpuid(void)
{
    struct regs regs;

    begin();
    regs = regs_for(BYTES(0x0f, 0xa2));
    regs.rax = UPPER | 1;
    regs.rbx = regs.rcx = regs.rdx = UPPER;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex((regs.rax | regs.rbx | regs.rcx | regs.rdx) >> 32, ==, 0);
    g_assert_cmphex(regs.rcx, ==, 1ul << 31 | 1ul << 26);
    regs = regs_for(BYTES(0x0f, 0xa2));
    regs.rax = 0xd;
    regs.rcx = UPPER | 2;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(regs.rax, ==, 256);
    g_assert_cmphex(regs.rbx, ==, 576);
}

static void test_wbinvd_and_invd(void)
{
    struct regs regs;

    begin();
    regs = regs_for(BYTES(0x0f, 0x09));
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    regs = regs_for(BYTES(0x0f, 0x08));
    g_assert_cmpint(refused(&regs), ==, EXC_GP);
}

static void test_cli_and_sti(void)
{
    unsigned int iopl, user, opcode;

    begin();
    for (iopl = 0; iopl <= 3; iopl++) {
        set_iopl(iopl);
        for (user = 0; user < 2; user++) {
            for (opcode = 0xfa; opcode <= 0xfb; opcode++) {
                struct regs regs = regs_for(BYTES(opcode));
                uint64_t flags = regs.rflags;
                uint8_t mask = machine_vcpu->info->evtchn_upcall_mask;

                if (user) {
                    enter_user_mode();
                }
                g_assert_cmpint(refused(&regs), ==,
                                iopl >= (user ? 3 : 1) ? SEEN_DONE : EXC_GP);
                enter_kernel_mode();
                g_assert_cmphex(regs.rflags, ==, flags);
                g_assert_cmpuint(machine_vcpu->info->evtchn_upcall_mask, ==, mask);
            }
        }
    }
}

/* User mode has none of them, and nothing has changed when the kernel hears of it. */
static void test_user_mode(void)
{
    static const uint8_t opcodes[][3] = {
        { 0x01, 0xd1 }, { 0x06 }, { 0x09 }, { 0x20, 0xc0 }, { 0x20, 0xd8 },
        { 0x20, 0xe0 }, { 0x21, 0xf0 }, { 0x21, 0xf8 }, { 0x22, 0xd0 }, { 0x22, 0xd8 },
        { 0x22, 0xe0 }, { 0x23, 0xc0 }, { 0x23, 0xf8 }, { 0x30 }, { 0x31 }, { 0x32 },
        { 0xa2 },
    };
    unsigned int i;

    begin();
    set_cr4(CR4_OSXSAVE | CR4_TSD);
    set_iopl(3);
    for (i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        struct regs regs =
            regs_for(BYTES(0x0f, opcodes[i][0], opcodes[i][1])), before;
        struct machine_processor processor;

        regs.rcx = MSR_FS_BASE;
        regs.rax = 7;
        enter_user_mode();
        before = regs;
        processor = machine_processors[0];
        g_assert_cmpint(refused(&regs), ==, EXC_GP);
        g_assert_cmphex(frame_rip(&regs, EXC_GP), ==, before.rip);
        g_assert_cmphex(frame_word(&regs, 4) & 3, ==, 3);
        g_assert_cmpmem(&regs, offsetof(struct regs, vector), &before,
                        offsetof(struct regs, vector));
        g_assert_cmphex(machine_processors[0].cr0, ==, processor.cr0);
        g_assert_cmphex(machine_processors[0].cr4, ==, processor.cr4);
        g_assert_cmphex(machine_processors[0].xcr0, ==, processor.xcr0);
        g_assert_cmpmem(machine_processors[0].dr, sizeof(processor.dr), processor.dr,
                        sizeof(processor.dr));
        g_assert_cmphex(*machine_msr(MSR_FS_BASE), ==, 0);
        g_assert_cmphex(machine_vcpu->info->arch.cr2, ==, 0);
    }
}

/* Linux's kernel reads its clock by it, also while a program has CR4.TSD set. */
static void test_rdtscp(void)
{
    struct regs regs;

    begin();
    set_cr4(CR4_TSD);
    machine_tsc = 0x123456789abcdef0;
    *machine_msr(0xc0000103) = 0x87654321;
    regs = regs_for(BYTES(0x0f, 0x01, 0xf9));
    regs.rax = regs.rcx = regs.rdx = ~0ul;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(regs.rax, ==, 0x9abcdef0);
    g_assert_cmphex(regs.rdx, ==, 0x12345678);
    g_assert_cmphex(regs.rcx, ==, 0x87654321);
}

/* Single steps --------------------------------------------------------------------- */

static void test_step(void)
{
    static const struct {
        uint8_t bytes[4];
        unsigned int size;
        int seen;
    } rows[] = {
        { { 0x0f, 0x09 }, 2, EXC_DB },
        { { 0x66, 0x0f, 0x31 }, 3, EXC_DB },
        { { 0x0f, 0x20, 0xd8 }, 3, EXC_DB },
        { { 0xec }, 1, EXC_DB },
        { { 0xfa }, 1, EXC_DB },
        { { 0x0f, 0x08 }, 2, EXC_GP },          /* refused */
        { { 0x0f, 0x01, 0xd1 }, 3, EXC_UD },    /* as OSXSAVE is not set */
        { { 0x44, 0x0f, 0x21, 0xc0 }, 4, EXC_UD },
    };
    unsigned int i;

    begin();
    set_iopl(1);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct regs regs = regs_for(rows[i].bytes, rows[i].size);
        uint64_t after = regs.rip + (rows[i].seen == EXC_DB ? rows[i].size : 0);
        uint64_t dr6;

        regs.rflags |= FLAG_TF;
        g_assert_cmpint(machine_call(__HYPERVISOR_set_debugreg, 6, 0x8000, 0, 0), ==,
                        0);
        g_assert_cmpint(refused(&regs), ==, rows[i].seen);
        g_assert_cmphex(frame_rip(&regs, rows[i].seen), ==, after);
        g_assert_cmphex(regs.rflags & FLAG_TF, ==, 0);
        dr6 = machine_call(__HYPERVISOR_get_debugreg, 6, 0, 0, 0);
        g_assert_cmphex(dr6, ==, DR6_DEFAULT | 0x8000 |
                                 (rows[i].seen == EXC_DB ? DR6_STEP : 0));
    }
}

/* CPUID by the prefix -------------------------------------------------------------- */

static const uint8_t forced[] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };

static int undefined(struct regs *regs)
{
    uint64_t rip = regs->rip;

    regs->vector = EXC_UD;
    trap(regs);
    return seen_at(regs, rip);
}

static void test_forced(void)
{
    unsigned int user;

    begin();
    for (user = 0; user < 2; user++) {
        struct regs regs = regs_for(forced, sizeof(forced)), before;

        regs.rax = UPPER | 0x40000000;
        regs.rbx = regs.rcx = regs.rdx = regs.rsi = regs.r8 = UPPER;
        if (user) {
            enter_user_mode();
        }
        before = regs;
        g_assert_cmpint(undefined(&regs), ==, SEEN_DONE);
        g_assert_true(machine_vcpu->kernel_mode != user);
        enter_kernel_mode();
        g_assert_cmphex(regs.rip, ==, before.rip + sizeof(forced));
        g_assert_cmphex(regs.rax, ==, 0x40000005);
        g_assert_cmphex(regs.rbx, ==, 0x566e6558);
        g_assert_cmphex(regs.rcx, ==, 0x65584d4d);
        g_assert_cmphex(regs.rdx, ==, 0x4d4d566e);
        g_assert_cmphex(regs.rsi, ==, UPPER);
        g_assert_cmphex(regs.r8, ==, UPPER);
        g_assert_cmphex(regs.rflags, ==, before.rflags);
    }
    /* The kernel alone learns by it that the processor has OSXSAVE set. */
    for (user = 0; user < 2; user++) {
        struct regs regs = regs_for(forced, sizeof(forced));

        regs.rax = 1;
        if (user) {
            enter_user_mode();
        }
        g_assert_cmpint(undefined(&regs), ==, SEEN_DONE);
        enter_kernel_mode();
        g_assert_cmphex(regs.rcx & 1ul << 27, ==, user ? 0 : 1ul << 27);
    }
}

static void test_not_forced(void)
{
    const uint64_t apart = 0xffff900000000000ul;
    unsigned int i, bit;

    begin();
    for (i = 0; i < sizeof(forced); i++) {
        for (bit = 0; bit < 8; bit++) {
            struct regs regs = regs_for(forced, sizeof(forced));
            uint64_t rip = regs.rip;

            *(uint8_t *)machine_at(rip + i) ^= 1 << bit;
            regs.rax = 0x40000000;
            g_assert_cmpint(undefined(&regs), ==, EXC_UD);
            g_assert_cmphex(frame_rip(&regs, EXC_UD), ==, rip);
            g_assert_cmphex(regs.rax, ==, 0x40000000);
        }
    }
    /* At the very end of a page, and cut off by it. */
    map_pages(apart, 1, 0);
    for (i = 0; i < sizeof(forced); i++) {
        struct regs regs = machine_trapped(EXC_UD, 0);

        regs.rip = apart + PAGE_SIZE - sizeof(forced) + i;
        memcpy(machine_at(regs.rip), forced, sizeof(forced) - i);
        g_assert_cmpint(undefined(&regs), ==, i ? EXC_UD : SEEN_DONE);
    }
}

static void test_step_of_forced(void)
{
    struct regs regs;

    begin();
    regs = regs_for(forced, sizeof(forced));
    regs.rflags |= FLAG_TF;
    g_assert_cmpint(undefined(&regs), ==, EXC_DB);
    g_assert_cmphex(machine_call(__HYPERVISOR_get_debugreg, 6, 0, 0, 0), ==,
                    DR6_DEFAULT | DR6_STEP);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/emulate_privileged/others-of-0f01", test_others_of_0f01);
    machine_test("/monitor/emulate_privileged/rdtsc", test_rdtsc);
    machine_test("/monitor/emulate_privileged/msrs", test_msrs);
    machine_test("/monitor/emulate_privileged/cpuid", test_cpuid);
    machine_test("/monitor/emulate_privileged/wbinvd-and-invd", test_wbinvd_and_invd);
    machine_test("/monitor/emulate_privileged/cli-and-sti", test_cli_and_sti);
    machine_test("/monitor/emulate_privileged/user-mode", test_user_mode);
    machine_test("/monitor/emulate_privileged/rdtscp", test_rdtscp);
    machine_test("/monitor/emulate_privileged/step", test_step);
    machine_test("/monitor/emulate_privileged/forced", test_forced);
    machine_test("/monitor/emulate_privileged/not-forced", test_not_forced);
    machine_test("/monitor/emulate_privileged/step-of-forced", test_step_of_forced);
    return g_test_run();
}
