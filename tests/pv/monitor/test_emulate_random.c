/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * emulate.c, port_io.c: any bytes with any registers.  What changes is what the
 * instruction may change, and nothing else of the guest's memory or of the monitor.
 */

#include "instruction.h"

#define DATA        0x10000ul   /* for INS: in reach of all address sizes */
#define NR_DATA     8
#define CODE        0xffff900000000000ul
#define CODE_LOW    0x300000ul  /* of 16 and 32 bits */
#define STACK       (MACHINE_KERNEL_VA + 3 * PAGE_SIZE)
#define NR_RUNS     60000

static uint64_t any_of(const uint64_t *values, unsigned int n)
{
    return values[g_test_rand_int_range(0, n)];
}

static uint64_t any_value(void)
{
    const uint64_t special[] = {
        0, 1, 2, 5, 0x70, 0xcf8, DATA, DATA + NR_DATA * PAGE_SIZE - 3, DATA - 2, ~0ul,
        -3ul, 0x80050033, 0x8005003b, CR4_TSD | CR4_DE | CR4_OSXSAVE, 7, 0x400, 0x20403,
        MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_EFER, MSR_PAT, MSR_LSTAR,
        MSR_X2APIC_ICR, M2P_VA, MONITOR_VA, DIRECTMAP_VA, HYPERVISOR_END - 2,
        0x40000000, 0xd, MACHINE_TABLES_MFN << PAGE_SHIFT,
        boot->top_mfn << PAGE_SHIFT,
    };
    uint64_t value = (uint64_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();

    switch (g_test_rand_int_range(0, 4)) {
    case 0:
        /*
         * No frame of the guest's, as in CR3 it would be a table from then on; and no
         * address at which the host has something.
         */
        return (value | 1ul << 50) & ~(1ul << 63);
    case 1:
        return DATA + value % (NR_DATA * PAGE_SIZE);
    default:
        return any_of(special, G_N_ELEMENTS(special));
    }
}

/* Mostly those of the emulator's, with what is before and behind them. */
static void any_instruction(uint8_t *bytes)
{
    static const uint8_t prefixes[] = {
        0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x40, 0x41, 0x44,
        0x48, 0x4f, 0xf0,
    }, opcodes[] = {
        0x0f, 0x0f, 0x0f, 0x0f, 0x6c, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7, 0xec,
        0xed, 0xee, 0xef, 0xfa, 0xfb,
    }, after_0f[] = {
        0x01, 0x06, 0x09, 0x20, 0x21, 0x22, 0x23, 0x30, 0x31, 0x32, 0xa2, 0x0b, 0x08,
    };
    unsigned int i, at = 0;

    for (i = 0; i < 16; i++) {
        bytes[i] = g_test_rand_int();
    }
    if (!g_test_rand_int_range(0, 8)) {
        return;
    }
    while (g_test_rand_bit() && at < 16) {
        bytes[at++] = prefixes[g_test_rand_int_range(0, sizeof(prefixes))];
    }
    if (at < 15) {
        bytes[at] = opcodes[g_test_rand_int_range(0, sizeof(opcodes))];
        if (bytes[at++] == 0x0f) {
            bytes[at] = after_0f[g_test_rand_int_range(0, sizeof(after_0f))];
            if (bytes[at++] == 0x01 && g_test_rand_bit() && at < 16) {
                bytes[at] = 0xd1;
            }
        }
    }
}

/* The opcode behind the prefixes, or 0; with 0x0f00, if it has two bytes. */
static unsigned int opcode_of(const uint8_t *bytes, bool code64, uint8_t *modrm)
{
    static const uint8_t legacy[] = {
        0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
    };
    unsigned int at = 0;

    while (at < 15 && (memchr(legacy, bytes[at], sizeof(legacy)) ||
                       (code64 && (bytes[at] & 0xf0) == 0x40))) {
        at++;
    }
    *modrm = at < 14 ? bytes[at + 2] : 0;
    return at >= 15 ? 0 : bytes[at] != 0x0f ? bytes[at] :
           0x0f00 | (at < 14 ? bytes[at + 1] : 0);
}

static bool is_emulated(unsigned int opcode, uint8_t modrm, bool kernel)
{
    static const uint8_t one[] = {
        0x6c, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef, 0xfa,
        0xfb,
    }, two[] = {
        0x06, 0x09, 0x20, 0x21, 0x22, 0x23, 0x30, 0x31, 0x32, 0xa2,
    };

    if (opcode < 0x100) {
        return opcode && memchr(one, opcode, sizeof(one));
    }
    return kernel && (memchr(two, opcode & 0xff, sizeof(two)) ||
                      (opcode == 0x0f01 && (modrm == 0xd1 || modrm == 0xf9)));
}

static void set_up(void)
{
    const uint32_t flat = 0xfffff;
    const uint64_t entries[] = {
        0,
        descriptor(0, flat, TYPE_CODE, SIZE_32 | LIMIT_IN_PAGES),
        descriptor(0, flat, TYPE_CODE, SIZE_16 | LIMIT_IN_PAGES),
        descriptor(0, flat, TYPE_DATA, SIZE_32 | LIMIT_IN_PAGES),
        descriptor(DATA, 0xfff, TYPE_DATA, SIZE_32),
        descriptor(DATA, 0x2fff, 0xf1, SIZE_32),
        descriptor(DATA - 0x800, 0xffff, TYPE_DATA, SIZE_16),
    };

    instruction_begin();
    set_gdt_entries(entries, G_N_ELEMENTS(entries));
    map_pages(CODE, 2, 0);
    map_pages(DATA, NR_DATA, 0x5a);
    map_pages(CODE_LOW, 2, 0);
}

static bool is_data(uint64_t mfn)
{
    uint8_t *page = frame(mfn);
    unsigned int i;

    for (i = 0; i < NR_DATA; i++) {
        if (page == machine_at(DATA + i * PAGE_SIZE)) {
            return true;
        }
    }
    for (i = 0; i < 2; i++) {
        if (page == machine_at(CODE + i * PAGE_SIZE) ||
            page == machine_at(CODE_LOW + i * PAGE_SIZE)) {
            return true;
        }
    }
    return page == machine_at(STACK - PAGE_SIZE) ||
           mfn == MACHINE_SHARED_INFO_MFN;  /* CR2 */
}

static struct regs any_regs(void)
{
    struct regs regs = machine_trapped(EXC_GP, 0);
    uint64_t *const any[] = {
        &regs.rax, &regs.rcx, &regs.rdx, &regs.rbx, &regs.rbp, &regs.rsi, &regs.rdi,
        &regs.r8, &regs.r9, &regs.r10, &regs.r11, &regs.r12, &regs.r13, &regs.r14,
        &regs.r15,
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(any); i++) {
        *any[i] = any_value();
    }
    regs.rsp = STACK;
    regs.rflags |= g_test_rand_bit() ? FLAG_DF : 0;
    regs.rflags |= g_test_rand_int_range(0, 4) ? 0 : FLAG_TF;
    return regs;
}

static uint64_t any_base(void)
{
    const uint64_t bases[] = {
        0, DATA, -PAGE_SIZE, MONITOR_VA - DATA, HYPERVISOR_END - DATA,
    };

    return any_of(bases, G_N_ELEMENTS(bases));
}

static uint16_t any_selector(void)
{
    return g_test_rand_int_range(0, 9) << 3 | 3;
}

/* The guest goes on behind the instruction, at it, or in a handler. */
static void check_rip(const struct regs *regs, const struct regs *before, int seen,
                      bool emulated)
{
    uint64_t rip = regs->rip;

    if (seen >= 0) {
        g_assert_true(seen == EXC_GP || seen == EXC_UD || seen == EXC_DB ||
                      seen == EXC_PF || seen == EXC_SS);
        rip = frame_rip(regs, seen);
        if (seen != EXC_DB) {
            g_assert_cmphex(rip, ==, before->rip);
        }
    } else {
        g_assert_cmphex(regs->rflags, ==, before->rflags);
        g_assert_cmphex(regs->cs, ==, before->cs);
        g_assert_cmphex(regs->ss, ==, before->ss);
    }
    g_assert_cmpuint(rip - before->rip, <=, 15);
    g_assert_true(emulated || seen == EXC_GP);
}

/* @opcode as of opcode_of(). */
static void check_registers(const struct regs *regs, const struct regs *before,
                            unsigned int opcode, int seen)
{
    struct regs expected = *before;

    if (opcode == 0x0f20 || opcode == 0x0f21) {
        return;                 /* any of them */
    }
    expected.rip = regs->rip;
    expected.cs = regs->cs;
    expected.ss = regs->ss;
    expected.rflags = regs->rflags;
    expected.vector = regs->vector;
    if (seen >= 0) {
        g_assert_cmphex(regs->rsp, <, STACK);
        g_assert_cmphex(regs->rsp, >=, STACK - 80);
        expected.rsp = regs->rsp;
    }
    switch (opcode) {
    case 0x6c ... 0x6d:
        expected.rdi = regs->rdi;
        expected.rcx = regs->rcx;
        break;
    case 0x6e ... 0x6f:
        expected.rsi = regs->rsi;
        expected.rcx = regs->rcx;
        break;
    case 0xe4 ... 0xe5:
    case 0xec ... 0xed:
        expected.rax = regs->rax;
        break;
    case 0x0fa2:
        expected.rbx = regs->rbx;
        /* fallthrough */
    case 0x0f01:
        expected.rcx = regs->rcx;
        /* fallthrough */
    case 0x0f31 ... 0x0f32:
        expected.rax = regs->rax;
        expected.rdx = regs->rdx;
        break;
    }
    g_assert_cmpmem(regs, sizeof(*regs), &expected, sizeof(expected));
}

/* A kernel that moves nonsense to RSP, and has a step reported, ends there. */
static bool ends(struct regs *regs, int *seen)
{
    jmp_buf end;

    machine_end = &end;
    if (setjmp(end)) {
        machine_end = NULL;
        return true;
    }
    *seen = refused(regs);
    machine_end = NULL;
    return false;
}

static void test_any(void)
{
    static struct regs regs, before;
    static uint8_t bytes[16], modrm;
    static int seen;
    static unsigned int run, i, opcode;
    static uint8_t *memory;
    static struct trap_entry traps[256];
    static bool kernel, code64;
    struct vcpu *v;
    uint64_t mfn;

    machine_start(&(struct machine_config) { 0 });
    set_up();
    v = machine_vcpu;
    memory = g_memdup2(frame(0), (size_t)MACHINE_END_MFN << PAGE_SHIFT);
    memcpy(traps, v->traps, sizeof(traps));
    for (run = 0; run < NR_RUNS; run++) {
        regs = any_regs();
        any_instruction(bytes);
        code64 = g_test_rand_bit();
        kernel = g_test_rand_int_range(0, 3);
        regs.cs = code64 ? SEL_CS64 : (g_test_rand_bit() ? 1 : 2) << 3 | 3;
        regs.rip = (code64 ? CODE : CODE_LOW) + PAGE_SIZE - g_test_rand_int_range(0, 32);
        for (i = 0; i < 16; i++) {
            *(uint8_t *)machine_at(regs.rip + i) = bytes[i];
        }
        v->iopl = g_test_rand_int_range(0, 4);
        machine_processors[0].ds = any_selector();
        machine_processors[0].es = any_selector();
        machine_processors[0].fs = any_selector();
        machine_processors[0].gs = any_selector();
        *machine_msr(MSR_FS_BASE) = any_base();
        *machine_msr(MSR_GS_BASE) = any_base();
        *machine_msr(MSR_KERNEL_GS_BASE) = any_base();
        if (!kernel) {
            enter_user_mode();
        }
        before = regs;
        opcode = opcode_of(bytes, code64, &modrm);
        if (ends(&regs, &seen)) {
            g_assert_true(kernel && before.rflags & FLAG_TF);
            g_assert_true(opcode == 0x0f20 || opcode == 0x0f21);
            g_string_truncate(machine_l0.console, 0);
        } else {
            check_rip(&regs, &before, seen, is_emulated(opcode, modrm, kernel));
            check_registers(&regs, &before, opcode, seen);
            g_assert_true(seen >= 0 || v->kernel_mode == kernel);
        }
        enter_kernel_mode();
        g_assert_cmphex(v->kernel_top, ==, boot->top_mfn);
        g_assert_cmphex(machine_processors[0].cr3, ==, boot->top_mfn << PAGE_SHIFT);
        g_assert_cmphex(machine_processors[0].cr4 & ~v->cr4_bits, ==,
                        CR4_PAE | CR4_OSFXSR);
        g_assert_cmphex(machine_processors[0].xcr0 & ~XCR0_GUEST, ==, 0);
    }
    for (mfn = 0; mfn < MACHINE_END_MFN; mfn++) {
        if (!is_data(mfn)) {
            g_assert_cmpmem(frame(mfn), PAGE_SIZE, memory + (mfn << PAGE_SHIFT),
                            PAGE_SIZE);
        }
    }
    g_assert_cmpmem(v->traps, sizeof(traps), traps, sizeof(traps));
    g_assert_true(v->user_top == boot->top_mfn && v->event_callback == UPCALL &&
                  v->kernel_sp == STACK && !v->nr_ports && !v->flush_pending);
    g_free(memory);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/emulate_random/any", test_any);
    return g_test_run();
}
