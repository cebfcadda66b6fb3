/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emulate.c: control registers and XCR0: which bits the kernel's are. */

#include "instruction.h"

#define CR0         0x80050033ul
#define CR4_SHOWN   (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT)
#define UPPER       0xaaaaaaaa00000000ul

static void begin(void)
{
    machine_start(&(struct machine_config) { 0 });
    instruction_begin();
}

/* A number in an instruction to its register. */
static uint64_t *gpr(struct regs *regs, unsigned int number)
{
    uint64_t *const order[16] = {
        &regs->rax, &regs->rcx, &regs->rdx, &regs->rbx, &regs->rsp, &regs->rbp,
        &regs->rsi, &regs->rdi, &regs->r8, &regs->r9, &regs->r10, &regs->r11,
        &regs->r12, &regs->r13, &regs->r14, &regs->r15,
    };

    return order[number];
}

/* MOV to (22, 23) or from (20, 21) control or debug register @which. */
static int move(uint8_t opcode, unsigned int which, unsigned int number,
                struct regs *regs)
{
    regs->rip = machine_put(BYTES(0x40 | (which & 8) >> 1 | number >> 3, 0x0f, opcode,
                                  0xc0 | (which & 7) << 3 | (number & 7)));
    return refused(regs);
}

static int write_cr(unsigned int cr, uint64_t value)
{
    struct regs regs = machine_trapped(EXC_GP, 0);

    regs.rdx = value;
    return move(0x22, cr, 2, &regs);
}

static uint64_t read_cr(unsigned int cr)
{
    struct regs regs = machine_trapped(EXC_GP, 0);

    g_assert_cmpint(move(0x20, cr, 2, &regs), ==, SEEN_DONE);
    return regs.rdx;
}

/* Each of the registers, and only that one. */
static void test_register_numbers(void)
{
    unsigned int number, i;

    begin();
    for (number = 0; number < 16; number++) {
        struct regs regs = machine_trapped(EXC_GP, 0), before;

        for (i = 0; i < 16; i++) {
            *gpr(&regs, i) = 0x1000 + i;
        }
        before = regs;
        g_assert_cmpint(move(0x20, 3, number, &regs), ==, SEEN_DONE);
        g_assert_cmphex(*gpr(&regs, number), ==, boot->top_mfn << PAGE_SHIFT);
        *gpr(&regs, number) = 0x1000 + number;
        regs.rip = before.rip;
        g_assert_cmpmem(&regs, sizeof(regs), &before, sizeof(before));
        g_assert_cmpint(move(0x23, 2, number, &regs), ==, SEEN_DONE);
        g_assert_cmphex(machine_processors[0].dr[2], ==, 0x1000 + number);
        g_assert_cmpint(move(0x22, 2, number, &regs), ==, SEEN_DONE);
        g_assert_cmphex(machine_vcpu->info->arch.cr2, ==, 0x1000 + number);
        g_assert_cmpint(move(0x21, 2, number, &regs), ==, SEEN_DONE);
        regs.rip = before.rip;
        g_assert_cmpmem(&regs, sizeof(regs), &before, sizeof(before));
    }
}

/* There is a debug register of that number, but it takes no such value. */
static void test_refused_debug_register(void)
{
    struct regs regs = machine_trapped(EXC_GP, 0);

    begin();
    regs.rdx = MONITOR_VA;
    g_assert_cmpint(move(0x23, 0, 2, &regs), ==, EXC_GP);
    g_assert_cmphex(machine_processors[0].dr[0], ==, 0);
}

/* There are 0, 2, 3 and 4. */
static void test_no_control_register(void)
{
    unsigned int cr;

    begin();
    for (cr = 0; cr < 16; cr++) {
        struct regs regs = machine_trapped(EXC_GP, 0);
        bool is_there = cr == 0 || (cr >= 2 && cr <= 4);

        regs.rdx = 1;
        g_assert_cmpint(move(0x20, cr, 2, &regs), ==, is_there ? SEEN_DONE : EXC_GP);
        if (!is_there) {
            g_assert_cmphex(regs.rdx, ==, 1);
            g_assert_cmpint(write_cr(cr, 1), ==, EXC_GP);
        }
    }
}

static void test_cr0(void)
{
    struct regs regs;
    unsigned int bit;

    begin();
    g_assert_cmphex(read_cr(0), ==, CR0);
    g_assert_cmpint(write_cr(0, CR0 | CR0_TS), ==, SEEN_DONE);
    g_assert_cmphex(read_cr(0), ==, CR0 | CR0_TS);
    g_assert_cmphex(machine_processors[0].cr0, ==, CR0 | CR0_TS);
    for (bit = 0; bit < 64; bit++) {
        uint64_t value = (CR0 | CR0_TS) ^ 1ul << bit;
        bool allowed = 1ul << bit == CR0_TS;

        g_assert_cmpint(write_cr(0, value), ==, allowed ? SEEN_DONE : EXC_GP);
        g_assert_cmphex(machine_processors[0].cr0, ==, read_cr(0));
        g_assert_cmphex(read_cr(0), ==, bit < 3 ? CR0 | CR0_TS : CR0);
    }
    /* CLTS, and the hypercall. */
    g_assert_cmpint(machine_call(__HYPERVISOR_fpu_taskswitch, 1, 0, 0, 0), ==, 0);
    g_assert_cmphex(read_cr(0), ==, CR0 | CR0_TS);
    g_assert_cmphex(machine_processors[0].cr0, ==, CR0 | CR0_TS);
    regs = regs_for(BYTES(0x0f, 0x06));
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(read_cr(0), ==, CR0);
    g_assert_cmphex(machine_processors[0].cr0, ==, CR0);
}

/* It is where the kernel finds a page fault's address, too. */
static void test_cr2(void)
{
    begin();
    g_assert_cmpint(write_cr(2, UPPER | 5), ==, SEEN_DONE);
    g_assert_cmphex(machine_vcpu->info->arch.cr2, ==, UPPER | 5);
    machine_vcpu->info->arch.cr2 = 7;
    g_assert_cmphex(read_cr(2), ==, 7);
    g_assert_cmphex(machine_processors[0].cr2, ==, 0);
}

static void test_cr3(void)
{
    const uint64_t no_frames[] = {
        0, 1, MACHINE_LOW_MFN - 1, MACHINE_HOLE_MFN, MACHINE_HIGH_MFN - 1,
        MACHINE_MAX_MFN, MACHINE_SHARED_INFO_MFN, MACHINE_XENSTORE_MFN,
        MACHINE_TABLES_MFN, MACHINE_VCPUS_MFN, MACHINE_END_MFN, 1ul << 39, 1ul << 51,
    };
    uint64_t top, loaded;
    unsigned int i;

    begin();
    g_assert_cmphex(read_cr(3), ==, boot->top_mfn << PAGE_SHIFT);
    top = machine_frame();
    memcpy(frame(top), frame(boot->top_mfn), PAGE_SIZE);
    /* Its lower bits have no meaning. */
    g_assert_cmpint(write_cr(3, top << PAGE_SHIFT | 0xfff), ==, SEEN_DONE);
    g_assert_cmphex(read_cr(3), ==, top << PAGE_SHIFT);
    g_assert_cmphex(machine_processors[0].cr3, ==, top << PAGE_SHIFT);
    loaded = machine_processors[0].nr_cr3_loads;
    for (i = 0; i < G_N_ELEMENTS(no_frames); i++) {
        g_assert_cmpint(write_cr(3, no_frames[i] << PAGE_SHIFT), ==, EXC_GP);
    }
    g_assert_cmphex(read_cr(3), ==, top << PAGE_SHIFT);
    g_assert_cmpuint(machine_processors[0].nr_cr3_loads, ==, loaded);
}

static void test_cr4(void)
{
    const uint64_t guest = CR4_TSD | CR4_DE | CR4_FSGSBASE | CR4_OSXSAVE;
    uint64_t before;
    unsigned int bit;

    begin();
    before = machine_processors[0].cr4;
    g_assert_cmphex(before & CR4_OSXSAVE, !=, 0);
    g_assert_cmphex(read_cr(4), ==, CR4_SHOWN);
    for (bit = 0; bit < 64; bit++) {
        uint64_t mine = 1ul << bit & guest;

        /* What it may not have is left out, not refused. */
        g_assert_cmpint(write_cr(4, 1ul << bit), ==, SEEN_DONE);
        g_assert_cmphex(read_cr(4), ==, CR4_SHOWN | mine);
        g_assert_cmphex(machine_processors[0].cr4, ==, before | mine);
    }
    g_assert_cmpint(write_cr(4, ~0ul), ==, SEEN_DONE);
    g_assert_cmphex(read_cr(4), ==, CR4_SHOWN | guest);
    g_assert_cmphex(machine_processors[0].cr4, ==, before | guest);
    g_assert_cmpint(write_cr(4, 0), ==, SEEN_DONE);
    g_assert_cmphex(machine_processors[0].cr4, ==, before);
}

static void no_features(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a = *b = *c = *d = 0;
}

/* A bit that the processor lacks would be the monitor's own fault. */
static void test_cr4_of_an_old_processor(void)
{
    machine_hooks.cpuid = no_features;
    begin();
    g_assert_cmpint(write_cr(4, ~0ul), ==, SEEN_DONE);
    g_assert_cmphex(read_cr(4), ==, CR4_SHOWN | CR4_TSD | CR4_DE);
    g_assert_cmphex(machine_processors[0].cr4, ==,
                    CR4_PAE | CR4_OSFXSR | CR4_TSD | CR4_DE);
}

/* XSETBV --------------------------------------------------------------------------- */

/* With PKRU (9), MPX (3, 4), AVX-512 (5 to 7) and AMX (17, 18). */
static void all_states(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    bool is_xstate = *a == 0xd;

    *b = *d = 0;
    *c = *a == 1 ? 1u << 26 : 0;
    *a = is_xstate ? 0x602ff : 7;
}

static int xsetbv(uint64_t rcx, uint64_t rdx, uint64_t rax)
{
    struct regs regs = regs_for(BYTES(0x0f, 0x01, 0xd1));

    regs.rcx = rcx;
    regs.rdx = rdx;
    regs.rax = rax;
    return refused(&regs);
}

static void test_xsetbv(void)
{
    static const struct {
        uint64_t rcx, rdx, rax;
        bool done;
    } rows[] = {
        { 0, 0, 1, true },
        { 0, 0, 3, true },
        { 0, 0, 7, true },
        { 0, 0, 0xe7, true },
        { UPPER, UPPER, UPPER | 7, true },      /* upper halves have no meaning */
        { 0, 0, 0, false },
        { 0, 0, 2, false },
        { 0, 0, 5, false },
        { 0, 0, 7 | 1 << 3, false },
        { 0, 0, 7 | 3 << 3, false },
        { 0, 0, 7 | 1 << 9, false },
        { 0, 0, 7 | 3 << 17, false },
        { 0, 1, 7, false },
        { 0, 0x80000000, 7, false },
        { 1, 0, 7, false },
        { 0xffffffff, 0, 7, false },
    };
    unsigned int i;

    machine_hooks.cpuid = all_states;
    begin();
    g_assert_cmphex(machine_processors[0].xcr0, ==, 3);
    g_assert_cmpint(xsetbv(0, 0, 7), ==, EXC_UD);
    g_assert_cmphex(machine_processors[0].xcr0, ==, 3);
    g_assert_cmpint(write_cr(4, CR4_OSXSAVE), ==, SEEN_DONE);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        machine_processors[0].xcr0 = 3;
        g_assert_cmpint(xsetbv(rows[i].rcx, rows[i].rdx, rows[i].rax), ==,
                        rows[i].done ? SEEN_DONE : EXC_GP);
        g_assert_cmphex(machine_processors[0].xcr0, ==,
                        rows[i].done ? (uint32_t)rows[i].rax : 3);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/control_registers/register-numbers", test_register_numbers);
    machine_test("/monitor/control_registers/refused-debug-register",
                 test_refused_debug_register);
    machine_test("/monitor/control_registers/no-control-register",
                 test_no_control_register);
    machine_test("/monitor/control_registers/cr0", test_cr0);
    machine_test("/monitor/control_registers/cr2", test_cr2);
    machine_test("/monitor/control_registers/cr3", test_cr3);
    machine_test("/monitor/control_registers/cr4", test_cr4);
    machine_test("/monitor/control_registers/cr4-of-an-old-processor",
                 test_cr4_of_an_old_processor);
    machine_test("/monitor/control_registers/xsetbv", test_xsetbv);
    return g_test_run();
}
