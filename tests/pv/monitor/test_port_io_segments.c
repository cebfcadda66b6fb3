/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port_io.c: INS and OUTS of 32-bit and 16-bit code: segments and their limits. */

#include "instruction.h"

#define LOW         0x10000ul       /* 64 KiB and a page */
#define NR_LOW      17

static void begin(void)
{
    machine_start(&(struct machine_config) { 0 });
    instruction_begin();
    set_iopl(3);
}

#define CODE32  (1 * 8 + 3)
#define CODE16  (2 * 8 + 3)
#define FLAT    (3 * 8 + 3)
#define TRIED   (4 * 8 + 3)

static const uint64_t *code_segments(uint64_t tried)
{
    static uint64_t entries[5];

    entries[1] = descriptor(0, 0xfffff, TYPE_CODE, SIZE_32 | LIMIT_IN_PAGES);
    entries[2] = descriptor(0, 0xfffff, TYPE_CODE, SIZE_16 | LIMIT_IN_PAGES);
    entries[3] = descriptor(0, 0xfffff, TYPE_DATA, SIZE_32 | LIMIT_IN_PAGES);
    entries[4] = tried;
    return entries;
}

static void try_segment(uint64_t tried)
{
    set_gdt_entries(code_segments(tried), 5);
    machine_processors[0].ds = machine_processors[0].es = machine_processors[0].fs =
        machine_processors[0].gs = TRIED;
}

static int run_at(uint64_t rip, uint16_t cs, const uint8_t *bytes, size_t size,
                  struct regs *regs)
{
    memcpy(machine_at(rip), bytes, size);
    regs->rip = rip;
    regs->cs = cs;
    return refused(regs);
}

static void test_types_of_segments(void)
{
    static const struct {
        uint8_t type;
        int ins, outs, outs_ss;
    } rows[] = {
        { 0xf3, SEEN_DONE, SEEN_DONE, SEEN_DONE },  /* data */
        { 0xf2, SEEN_DONE, SEEN_DONE, SEEN_DONE },
        { 0xf0, EXC_GP, SEEN_DONE, SEEN_DONE },     /* that may only be read */
        { 0xfa, EXC_GP, SEEN_DONE, SEEN_DONE },     /* code */
        { 0xfe, EXC_GP, SEEN_DONE, SEEN_DONE },
        { 0xf8, EXC_GP, EXC_GP, EXC_SS },           /* that may not be read */
        { 0x80, EXC_GP, EXC_GP, EXC_SS },           /* none */
        { 0x73, EXC_GP, EXC_GP, EXC_GP },           /* not present */
        { 0x00, EXC_GP, EXC_GP, EXC_GP },
    };
    const uint64_t rip = LOW + 0x8000;
    unsigned int i, null;

    begin();
    map_pages(LOW, NR_LOW, PATTERN);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct regs regs = machine_trapped(EXC_GP, 0);

        try_segment(descriptor(LOW, 0xffff, rows[i].type, SIZE_32));
        g_assert_cmpint(run_at(rip, CODE32, BYTES(0x6c), &regs), ==, rows[i].ins);
        regs = machine_trapped(EXC_GP, 0);
        g_assert_cmpint(run_at(rip, CODE32, BYTES(0x6e), &regs), ==, rows[i].outs);
        regs = machine_trapped(EXC_GP, 0);
        regs.ss = TRIED;
        g_assert_cmpint(run_at(rip, CODE32, BYTES(0x36, 0x6e), &regs), ==,
                        rows[i].outs_ss);
        if (rows[i].outs_ss != SEEN_DONE) {
            g_assert_cmphex(frame_word(&regs, 2), ==, 0);
        }
    }
    for (null = 0; null < 4; null++) {
        struct regs regs = machine_trapped(EXC_GP, 0);

        machine_processors[0].es = null;
        g_assert_cmpint(run_at(rip, CODE32, BYTES(0x6c), &regs), ==, EXC_GP);
    }
}

/* Bases and limits: what the last byte must not be beyond. */
static void test_limits(void)
{
    static const struct {
        uint32_t base, limit;
        uint8_t flags;
        uint64_t offset;
        unsigned int size;
        uint64_t written;       /* 0: beyond */
    } rows[] = {
        { LOW, 0xff, SIZE_32, 0xff, 1, LOW + 0xff },
        { LOW, 0xff, SIZE_32, 0x100, 1, 0 },
        { LOW, 0xff, SIZE_32, 0xfe, 2, LOW + 0xfe },
        { LOW, 0xff, SIZE_32, 0xff, 2, 0 },
        { LOW, 0xff, SIZE_32, 0xfc, 4, LOW + 0xfc },
        { LOW, 0xff, SIZE_32, 0xfd, 4, 0 },
        { LOW, 0xff, SIZE_32, 0xffffffff, 1, 0 },
        { LOW, 0, SIZE_32, 0, 1, LOW },
        { LOW, 0, SIZE_32, 0, 2, 0 },
        { LOW, 2, SIZE_32, 0, 4, 0 },
        { LOW, 3, SIZE_32, 0, 4, LOW },
        { LOW, 3, SIZE_32, 1, 4, 0 },
        { LOW, 0, SIZE_32 | LIMIT_IN_PAGES, 0xffc, 4, LOW + 0xffc },
        { LOW, 0, SIZE_32 | LIMIT_IN_PAGES, 0xffd, 4, 0 },
        { 0, 0xfffff, SIZE_32 | LIMIT_IN_PAGES, LOW + 77, 4, LOW + 77 },
        { 0xfffff000, 0xfffff, SIZE_32 | LIMIT_IN_PAGES, LOW + 0x1000, 1, LOW },
        { LOW + 0x100, 0xfffff, SIZE_32 | LIMIT_IN_PAGES, 0xffffff80, 1, LOW + 0x80 },
        { LOW, 0xfffff, SIZE_32 | LIMIT_IN_PAGES, 0xfffffffd, 4, 0 },
        /* In 32 bits there are no more. */
        { LOW, 0xff, SIZE_32, 0x7700000010, 1, LOW + 0x10 },
    };
    unsigned int i, in_ldt;

    begin();
    map_pages(LOW, NR_LOW, PATTERN);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t tried =
            descriptor(rows[i].base, rows[i].limit, TYPE_DATA, rows[i].flags);

        for (in_ldt = 0; in_ldt < 2; in_ldt++) {
            struct regs regs = machine_trapped(EXC_GP, 0);
            uint64_t first, rip = LOW + NR_LOW * PAGE_SIZE - 16;

            memset(machine_at(LOW), PATTERN, PAGE_SIZE);
            try_segment(tried);
            if (in_ldt) {
                set_ldt_entries(code_segments(tried), 5);
                try_segment(0);
                machine_processors[0].es = TRIED | 4;
            }
            regs.rdi = rows[i].offset;
            g_assert_cmpint(rows[i].size == 1 ?
                            run_at(rip, CODE32, BYTES(0x6c), &regs) :
                            rows[i].size == 2 ?
                            run_at(rip, CODE32, BYTES(0x66, 0x6d), &regs) :
                            run_at(rip, CODE32, BYTES(0x6d), &regs), ==,
                            rows[i].written ? SEEN_DONE : EXC_GP);
            g_assert_cmphex(regs.rdi, ==, rows[i].written ?
                            (uint32_t)(rows[i].offset + rows[i].size) :
                            rows[i].offset);
            g_assert_cmpuint(changed(LOW, PAGE_SIZE, &first), ==,
                             rows[i].written ? rows[i].size : 0);
            g_assert_cmphex(first, ==, rows[i].written);
        }
    }
}

/* The stack's limit is a fault of its own; and one may be met in the middle. */
static void test_limit_of_the_stack(void)
{
    struct regs regs;

    begin();
    map_pages(LOW, NR_LOW, 0x21);
    try_segment(descriptor(LOW, 0xff, TYPE_DATA, SIZE_32));
    regs = machine_trapped(EXC_GP, 0);
    regs.ss = TRIED;
    regs.rdx = CMOS;
    regs.rsi = 0xfe;
    regs.rcx = 5;
    g_assert_cmpint(run_at(LOW + 0x8000, CODE32, BYTES(0xf3, 0x36, 0x6e), &regs), ==,
                    EXC_SS);
    g_assert_cmphex(frame_word(&regs, 2), ==, 0);
    g_assert_cmphex(regs.rsi, ==, 0x100);
    g_assert_cmphex(regs.rcx, ==, 3);
    g_assert_cmphex(port_value(CMOS, 1), ==, 0x21);
}

/* Addresses and counts of 16 bits go around, and leave the upper ones. */
static void test_16_bits(void)
{
    struct regs regs;

    begin();
    map_pages(LOW, NR_LOW, PATTERN);
    try_segment(descriptor(LOW, 0xffff, TYPE_DATA, SIZE_32));
    regs = machine_trapped(EXC_GP, 0);
    regs.rdi = 0x123450000fffe;
    regs.rcx = 0xabcd00000004;
    g_assert_cmpint(run_at(LOW + 0x8000, CODE16, BYTES(0xf3, 0x6c), &regs), ==,
                    SEEN_DONE);
    g_assert_cmphex(regs.rdi, ==, 0x1234500000002);
    g_assert_cmphex(regs.rcx, ==, 0xabcd00000000);
    g_assert_cmphex(*(uint16_t *)machine_at(LOW + 0xfffe), ==, 0xffff);
    g_assert_cmphex(*(uint16_t *)machine_at(LOW), ==, 0xffff);
    g_assert_cmphex(*(uint8_t *)machine_at(LOW + 2), ==, PATTERN);
    g_assert_cmphex(*(uint8_t *)machine_at(LOW + 0x10000), ==, PATTERN);
    /* A count of 0, whatever is above it. */
    regs = machine_trapped(EXC_GP, 0);
    regs.rdi = 5;
    regs.rcx = 0xabcd00000000;
    g_assert_cmpint(run_at(LOW + 0x8000, CODE16, BYTES(0xf3, 0x6c), &regs), ==,
                    SEEN_DONE);
    g_assert_cmphex(*(uint8_t *)machine_at(LOW + 5), ==, PATTERN);
    /* One that goes around in the middle of a value is beyond the limit. */
    regs.rdi = 0xffff;
    g_assert_cmpint(run_at(LOW + 0x8000, CODE16, BYTES(0x6d), &regs), ==, EXC_GP);
    /* 32 bits in 64-bit code. */
    regs = machine_trapped(EXC_GP, 0);
    regs.rdi = 0x1234500010010;
    regs.rcx = 0xabcd00000004;
    g_assert_cmpint(run_at(LOW + 0x8000, SEL_CS64, BYTES(0xf3, 0x67, 0x6c), &regs), ==,
                    SEEN_DONE);
    g_assert_cmphex(regs.rdi, ==, LOW + 0x14);
    g_assert_cmphex(regs.rcx, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/port_io_segments/types-of-segments", test_types_of_segments);
    machine_test("/monitor/port_io_segments/limits", test_limits);
    machine_test("/monitor/port_io_segments/limit-of-the-stack", test_limit_of_the_stack);
    machine_test("/monitor/port_io_segments/16-bits", test_16_bits);
    return g_test_run();
}
