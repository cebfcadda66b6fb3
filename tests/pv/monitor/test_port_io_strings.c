/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port_io.c: INS and OUTS: addresses, faults, and how they are interrupted. */

#include "instruction.h"

#define DATA        0xffff900000000000ul    /* two pages, with none behind them */
#define DATA_SIZE   (2 * PAGE_SIZE)
#define DATA_END    (DATA + DATA_SIZE)

static void begin(void)
{
    machine_start(&(struct machine_config) { 0 });
    instruction_begin();
    set_iopl(3);
}

/* 64-bit code ---------------------------------------------------------------------- */

static const struct string {
    const char *name;
    uint8_t bytes[4];
    unsigned int size;
    bool down;
    uint64_t di, cx;
    int seen;
    uint64_t di_after, cx_after;
    uint64_t written, nr_written;
} strings[] = {
    { "insb", { 0x6c }, 1, false, DATA + 5, 3, SEEN_DONE, DATA + 6, 3, DATA + 5, 1 },
    { "insw", { 0x66, 0x6d }, 2, false, DATA, 3, SEEN_DONE, DATA + 2, 3, DATA, 2 },
    { "insl", { 0x6d }, 1, false, DATA, 3, SEEN_DONE, DATA + 4, 3, DATA, 4 },
    { "insl with REX.W", { 0x48, 0x6d }, 2, false, DATA, 3, SEEN_DONE, DATA + 4, 3,
      DATA, 4 },
    { "insb, down", { 0x6c }, 1, true, DATA + 5, 3, SEEN_DONE, DATA + 4, 3, DATA + 5,
      1 },
    { "rep insb", { 0xf3, 0x6c }, 2, false, DATA + 1, 10, SEEN_DONE, DATA + 11, 0,
      DATA + 1, 10 },
    { "repne insb", { 0xf2, 0x6c }, 2, false, DATA + 1, 10, SEEN_DONE, DATA + 11, 0,
      DATA + 1, 10 },
    { "rep insw, down", { 0xf3, 0x66, 0x6d }, 3, true, DATA + 100, 3, SEEN_DONE,
      DATA + 94, 0, DATA + 96, 6 },
    { "rep insl, down", { 0xf3, 0x6d }, 2, true, DATA + 100, 3, SEEN_DONE, DATA + 88,
      0, DATA + 92, 12 },
    { "none", { 0xf3, 0x6c }, 2, false, DATA, 0, SEEN_DONE, DATA, 0, 0, 0 },
    { "none, nowhere", { 0xf3, 0x6c }, 2, false, DIRECTMAP_VA, 0, SEEN_DONE,
      DIRECTMAP_VA, 0, 0, 0 },
    { "all", { 0xf3, 0x6d }, 2, false, DATA, DATA_SIZE / 4, SEEN_DONE, DATA_END, 0,
      DATA, DATA_SIZE },
    { "4096", { 0xf3, 0x6c }, 2, false, DATA, 4096, SEEN_DONE, DATA + 4096, 0, DATA,
      4096 },
    { "too many for once", { 0xf3, 0x6c }, 2, false, DATA, 5000, SEEN_AGAIN,
      DATA + 4096, 904, DATA, 4096 },
    { "more than 32 bits", { 0xf3, 0x6c }, 2, false, DATA, 0x100000000, SEEN_AGAIN,
      DATA + 4096, 0x100000000 - 4096, DATA, 4096 },
    { "across the end", { 0xf3, 0x6c }, 2, false, DATA_END - 5, 7, EXC_PF, DATA_END, 2,
      DATA_END - 5, 5 },
    { "one across the end", { 0x6d }, 1, false, DATA_END - 2, 7, EXC_PF, DATA_END - 2,
      7, DATA_END - 2, 2 },
    { "nowhere", { 0x6c }, 1, false, DATA_END, 7, EXC_PF, DATA_END, 7, 0, 0 },
    { "not canonical", { 0x6c }, 1, false, 0x800000000000, 7, EXC_GP, 0x800000000000,
      7, 0, 0 },
    { "half canonical", { 0x66, 0x6d }, 2, false, 0x7fffffffffff, 7, EXC_GP,
      0x7fffffffffff, 7, 0, 0 },
    { "the M2P", { 0x6c }, 1, false, M2P_VA, 7, EXC_GP, M2P_VA, 7, 0, 0 },
    { "the directmap", { 0xf3, 0x6c }, 2, false, DIRECTMAP_VA, 7, EXC_GP, DIRECTMAP_VA,
      7, 0, 0 },
    { "the hypervisor's last byte", { 0x6d }, 1, false, HYPERVISOR_END - 1, 7, EXC_GP,
      HYPERVISOR_END - 1, 7, 0, 0 },
    { "behind the hypervisor", { 0x6d }, 1, false, HYPERVISOR_END, 7, EXC_PF,
      HYPERVISOR_END, 7, 0, 0 },
    { "around", { 0x6d }, 1, false, -2ul, 7, EXC_GP, -2ul, 7, 0, 0 },
};

static void check_string(const struct string *s, bool user)
{
    struct regs regs = regs_for(s->bytes, s->size), before;
    uint64_t first;

    memset(machine_at(DATA), PATTERN, PAGE_SIZE);
    memset(machine_at(DATA + PAGE_SIZE), PATTERN, PAGE_SIZE);
    machine_vcpu->info->arch.cr2 = 0;
    regs.rdi = s->di;
    regs.rcx = s->cx;
    regs.rdx = 0xabcd0080;
    regs.rax = regs.rsi = 0x1234;
    regs.rflags |= s->down ? FLAG_DF : 0;
    if (user) {
        enter_user_mode();
    }
    before = regs;
    g_test_message("%s", s->name);
    g_assert_cmpint(refused(&regs), ==, s->seen);
    enter_kernel_mode();
    g_assert_cmphex(regs.rdi, ==, s->di_after);
    g_assert_cmphex(regs.rcx, ==, s->cx_after);
    g_assert_cmphex(regs.rdx, ==, before.rdx);
    g_assert_cmphex(regs.rax, ==, before.rax);
    g_assert_cmphex(regs.rsi, ==, before.rsi);
    g_assert_cmphex(regs.rflags & FLAG_DF, ==, before.rflags & FLAG_DF);
    g_assert_cmpuint(changed(DATA, DATA_SIZE, &first), ==, s->nr_written);
    g_assert_cmphex(first, ==, s->written);
    if (s->seen == SEEN_DONE) {
        g_assert_cmphex(regs.rip, ==, before.rip + s->size);
    } else if (s->seen != SEEN_AGAIN) {
        g_assert_cmphex(frame_rip(&regs, s->seen), ==, before.rip);
        g_assert_cmphex(frame_word(&regs, 2), ==,
                        s->seen == EXC_PF ? (user ? 6 : 2) : 0);
        /* The address that is not there, not the operand's. */
        g_assert_cmphex(machine_vcpu->info->arch.cr2, ==,
                        s->seen != EXC_PF ? 0 :
                        s->nr_written ? DATA_END : s->di_after);
    }
}

static void test_strings(void)
{
    unsigned int i, user;

    begin();
    map_pages(DATA, 2, PATTERN);
    for (i = 0; i < G_N_ELEMENTS(strings); i++) {
        for (user = 0; user < 2; user++) {
            check_string(&strings[i], user);
        }
    }
}

/* Down from the guest's memory into the hypervisor's. */
static void test_down_into_the_hypervisor(void)
{
    struct regs regs;

    begin();
    map_pages(HYPERVISOR_END, 1, PATTERN);
    regs = regs_for(BYTES(0xf3, 0x6c));
    regs.rdi = HYPERVISOR_END + 1;
    regs.rcx = 5;
    regs.rflags |= FLAG_DF;
    g_assert_cmpint(refused(&regs), ==, EXC_GP);
    g_assert_cmphex(regs.rdi, ==, HYPERVISOR_END - 1);
    g_assert_cmphex(regs.rcx, ==, 3);
    g_assert_cmphex(*(uint16_t *)machine_at(HYPERVISOR_END), ==, 0xffff);
}

/* In 64-bit code FS and GS have bases, by which an address may be the hypervisor's. */
static void test_bases(void)
{
    static const struct {
        uint64_t base, si;
        int seen;
    } rows[] = {
        { 0, DATA, SEEN_DONE },
        { DATA, 0, SEEN_DONE },
        { DATA + 0x1000, -0xff0ul, SEEN_DONE },
        { DATA, DATA_SIZE, EXC_PF },
        { MONITOR_VA, 0, EXC_GP },
        { MONITOR_VA - 8, 8, EXC_GP },
        { 8, M2P_VA - 8, EXC_GP },
        { HYPERVISOR_END, -1ul, EXC_GP },
        { 0x7ffffffffff0, 16, EXC_GP },
    };
    struct regs regs;
    unsigned int i, gs;

    begin();
    map_pages(DATA, 2, 0x66);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (gs = 0; gs < 2; gs++) {
            regs = regs_for(BYTES(0x64 + gs, 0x6e));
            *machine_msr(gs ? MSR_GS_BASE : MSR_FS_BASE) = rows[i].base;
            *machine_msr(gs ? MSR_FS_BASE : MSR_GS_BASE) = DIRECTMAP_VA;
            regs.rdx = CMOS;
            regs.rsi = rows[i].si;
            g_assert_cmpint(refused(&regs), ==, rows[i].seen);
            g_assert_cmphex(regs.rsi, ==, rows[i].si + (rows[i].seen == SEEN_DONE));
        }
    }
    /* INS is to ES, which has none. */
    regs = regs_for(BYTES(0x65, 0x6c));
    regs.rdi = DATA;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(*(uint8_t *)machine_at(DATA), ==, 0xff);
}

/* Nothing may be written where the kernel has it read-only. */
static void test_read_only(void)
{
    struct regs regs;
    uint64_t mfn;

    begin();
    mfn = map_pages(DATA, 1, PATTERN);
    machine_map(DATA, mfn, PTE_PRESENT | PTE_USER);
    regs = regs_for(BYTES(0xf3, 0x6c));
    regs.rdi = DATA + 3;
    regs.rcx = 5;
    g_assert_cmpint(refused(&regs), ==, EXC_PF);
    g_assert_cmphex(frame_word(&regs, 2), ==, 2);
    g_assert_cmphex(machine_vcpu->info->arch.cr2, ==, DATA + 3);
    g_assert_cmphex(regs.rcx, ==, 5);
    g_assert_cmphex(*(uint8_t *)machine_at(DATA + 3), ==, PATTERN);
}

/* Each byte goes to the port, in turn, up to the fault. */
static void test_outs(void)
{
    static const struct {
        uint8_t bytes[3];
        unsigned int size;
        bool down;
        unsigned int port;
        uint64_t si, cx;
        int seen;
        uint64_t si_after, cx_after;
        uint8_t index;
    } rows[] = {
        { { 0x6e }, 1, false, CMOS, DATA + 7, 2, SEEN_DONE, DATA + 8, 2, 7 },
        { { 0x66, 0x6f }, 2, false, CMOS - 1, DATA + 8, 2, SEEN_DONE, DATA + 10, 2, 9 },
        { { 0x6f }, 1, true, CMOS - 2, DATA + 8, 2, SEEN_DONE, DATA + 4, 2, 10 },
        { { 0xf3, 0x6e }, 2, false, CMOS, DATA + 7, 5, SEEN_DONE, DATA + 12, 0, 11 },
        { { 0xf3, 0x6e }, 2, true, CMOS, DATA + 7, 5, SEEN_DONE, DATA + 2, 0, 3 },
        { { 0xf3, 0x6e }, 2, false, CMOS, DATA_END - 5, 9, EXC_PF, DATA_END, 4, 0xff },
        { { 0xf3, 0x6e }, 2, false, CMOS, DIRECTMAP_VA, 9, EXC_GP, DIRECTMAP_VA, 9, 0 },
        { { 0xf3, 0x6e }, 2, false, CMOS, DATA, 0, SEEN_DONE, DATA, 0, 0 },
    };
    unsigned int i;

    begin();
    map_pages(DATA, 2, 0);
    for (i = 0; i < DATA_SIZE; i++) {
        *(uint8_t *)machine_at(DATA + i) = i;
    }
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct regs regs = regs_for(BYTES(0xee));

        regs.rdx = CMOS;
        g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
        regs = regs_for(rows[i].bytes, rows[i].size);
        regs.rdx = 0xabcd0000ul | rows[i].port;
        regs.rsi = rows[i].si;
        regs.rcx = rows[i].cx;
        regs.rdi = 0x1234;
        regs.rflags |= rows[i].down ? FLAG_DF : 0;
        g_assert_cmpint(refused(&regs), ==, rows[i].seen);
        g_assert_cmphex(regs.rsi, ==, rows[i].si_after);
        g_assert_cmphex(regs.rcx, ==, rows[i].cx_after);
        g_assert_cmphex(regs.rdi, ==, 0x1234);
        g_assert_cmphex(port_value(CMOS, 1), ==, rows[i].index);
        if (rows[i].seen == EXC_PF) {
            g_assert_cmphex(frame_word(&regs, 2), ==, 0);
            g_assert_cmphex(machine_vcpu->info->arch.cr2, ==, rows[i].si_after);
        }
    }
}

/* Without rights: nothing moves, but for a count of 0, which is looked at first. */
static void test_rights(void)
{
    static const uint8_t opcodes[] = { 0x6c, 0x6d, 0x6e, 0x6f };
    unsigned int i, cx;
    uint64_t first;

    begin();
    set_iopl(0);
    map_pages(DATA, 1, PATTERN);
    for (i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        for (cx = 0; cx < 2; cx++) {
            struct regs regs = regs_for(BYTES(0xf3, opcodes[i]));

            regs.rsi = regs.rdi = DATA;
            regs.rcx = cx;
            g_assert_cmpint(refused(&regs), ==, cx ? EXC_GP : SEEN_DONE);
            g_assert_cmphex(regs.rsi, ==, DATA);
            g_assert_cmphex(regs.rdi, ==, DATA);
        }
    }
    g_assert_cmpuint(changed(DATA, PAGE_SIZE, &first), ==, 0);
}

static void test_none_of_32_bits(void)
{
    struct regs regs;

    begin();
    regs = regs_for(BYTES(0xf3, 0x67, 0x6c));
    regs.rdi = 0x1234500010010;
    regs.rcx = 0xabcd00000000;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(regs.rcx, ==, 0);
    g_assert_cmphex(regs.rdi, ==, 0x10010);
}

/* Interruptions -------------------------------------------------------------------- */

/* What has come for the guest is delivered in the middle: the rest is run afterwards. */
static void test_upcall(void)
{
    struct regs regs;
    uint64_t rip, first;

    begin();
    map_pages(DATA, 2, PATTERN);
    regs = regs_for(BYTES(0xf3, 0x6c));
    rip = regs.rip;
    regs.rdi = DATA;
    regs.rcx = 200;
    machine_interrupt(0, VECTOR_UPCALL);
    machine_vcpu->info->evtchn_upcall_pending = 1;
    machine_vcpu->info->evtchn_upcall_mask = 0;
    g_assert_cmpint(refused(&regs), ==, SEEN_UPCALL);
    g_assert_cmphex(frame_rip(&regs, SEEN_UPCALL), ==, rip);
    g_assert_cmphex(regs.rcx, ==, 200 - 63);
    g_assert_cmphex(regs.rdi, ==, DATA + 63);
    g_assert_cmpuint(changed(DATA, DATA_SIZE, &first), ==, 63);
    g_assert_cmphex(machine_processors[0].vectors[VECTOR_UPCALL / 64], ==, 0);
    /* Masked now, as in the handler: all of the rest. */
    regs.rip = rip;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(regs.rcx, ==, 0);
    g_assert_cmpuint(changed(DATA, DATA_SIZE, &first), ==, 200);
}

static void set_debugreg_by_call(unsigned int reg, uint64_t value)
{
    g_assert_cmpint(machine_call(__HYPERVISOR_set_debugreg, reg, value, 0, 0), ==, 0);
}

static uint64_t dr6(void)
{
    return machine_call(__HYPERVISOR_get_debugreg, 6, 0, 0, 0);
}

/* Both are met behind each one; behind the last one the instruction is done. */
static void test_breakpoints_and_steps(void)
{
    unsigned int i, cx;

    begin();
    map_pages(DATA, 1, PATTERN);
    set_guest_cr4(machine_vcpu, CR4_DE);
    set_debugreg_by_call(0, 0x81);
    set_debugreg_by_call(7, 0x400 | 1ul | 2ul << 16);
    for (i = 1; i < 4; i++) {
        struct regs regs = regs_for(BYTES(0xf3, 0x66, 0x6d));
        uint64_t rip = regs.rip;

        regs.rdi = DATA;
        regs.rcx = 3;
        regs.rdx = i & 1 ? 0x80 : 0x82;
        for (cx = 3; cx; cx--) {
            regs.rflags = 2 | FLAG_IF | (i & 2 ? FLAG_TF : 0);
            set_debugreg_by_call(6, 0);
            g_assert_cmpint(refused(&regs), ==, EXC_DB);
            g_assert_cmphex(regs.rcx, ==, cx - 1);
            g_assert_cmphex(regs.rdi, ==, DATA + 2 * (4 - cx));
            g_assert_cmphex(frame_rip(&regs, EXC_DB), ==, cx > 1 ? rip : rip + 3);
            g_assert_cmphex(dr6(), ==, DR6_DEFAULT | (i & 1) |
                                       (i & 2 ? DR6_STEP : 0));
            regs.rip = frame_rip(&regs, EXC_DB);
        }
    }
    /* None where nothing was moved: a fault, no right, a count of 0. */
    for (i = 0; i < 3; i++) {
        struct regs regs = regs_for(BYTES(0xf3, 0x6c));

        set_iopl(i == 1 ? 0 : 1);
        regs.rdi = i == 0 ? DATA + PAGE_SIZE : DATA;
        regs.rcx = i == 2 ? 0 : 3;
        regs.rdx = 0x81;
        set_debugreg_by_call(6, 0);
        g_assert_cmpint(refused(&regs), ==, i == 0 ? EXC_PF : i == 1 ? EXC_GP :
                                            SEEN_DONE);
        g_assert_cmphex(dr6(), ==, DR6_DEFAULT);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/port_io_strings/strings", test_strings);
    machine_test("/monitor/port_io_strings/down-into-the-hypervisor",
                 test_down_into_the_hypervisor);
    machine_test("/monitor/port_io_strings/bases", test_bases);
    machine_test("/monitor/port_io_strings/read-only", test_read_only);
    machine_test("/monitor/port_io_strings/outs", test_outs);
    machine_test("/monitor/port_io_strings/rights-of-strings", test_rights);
    machine_test("/monitor/port_io_strings/none-of-32-bits", test_none_of_32_bits);
    machine_test("/monitor/port_io_strings/upcall", test_upcall);
    machine_test("/monitor/port_io_strings/breakpoints-and-steps",
                 test_breakpoints_and_steps);
    return g_test_run();
}
