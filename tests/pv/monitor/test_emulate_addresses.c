/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emulate.c: which segment an operand is in, and how long its address is. */

#include "emulate_calls.h"

/* OUTSB from where these bytes say to CMOS's index, which is read then. */
static unsigned int outs(struct regs *regs, const uint8_t *bytes, size_t size)
{
    memcpy(machine_at(regs->rip), bytes, size);
    regs->rdx = CMOS;
    g_assert_cmpint(refused(regs), ==, SEEN_DONE);
    return port_value(CMOS, 1);
}

enum { ES = 1, CS, SS, DS, FS, GS, FLAT };

static const struct {
    uint8_t bytes[4];
    unsigned int size;
    unsigned int in_32, in_64;
} overrides[] = {
    { { 0x6e }, 1, DS, FLAT },
    { { 0x26, 0x6e }, 2, ES, FLAT },
    { { 0x2e, 0x6e }, 2, CS, FLAT },
    { { 0x36, 0x6e }, 2, SS, FLAT },
    { { 0x3e, 0x6e }, 2, DS, FLAT },
    { { 0x64, 0x6e }, 2, FS, FS },
    { { 0x65, 0x6e }, 2, GS, GS },
    { { 0x64, 0x65, 0x6e }, 3, GS, GS },
    { { 0x65, 0x64, 0x6e }, 3, FS, FS },
    { { 0x65, 0x3e, 0x6e }, 3, DS, GS },
    { { 0x3e, 0x26, 0x6e }, 3, ES, FLAT },
    { { 0x66, 0x65, 0xf3, 0x6e }, 4, GS, GS },
};

/* A page for each segment, full of its number. */
static void test_segments(void)
{
    uint64_t entries[7] = { 0 };
    unsigned int i, mode;

    begin();
    for (i = ES; i <= FLAT; i++) {
        map_pages(LOW + i * PAGE_SIZE, 1, i);
        if (i < FLAT) {
            entries[i] = descriptor(LOW + i * PAGE_SIZE, 0xfff,
                                    i == CS ? TYPE_CODE : TYPE_DATA, SIZE_32);
        }
    }
    set_gdt_entries(entries, G_N_ELEMENTS(entries));
    machine_processors[0].es = ES << 3 | 3;
    machine_processors[0].ds = DS << 3 | 3;
    machine_processors[0].fs = FS << 3 | 3;
    machine_processors[0].gs = GS << 3 | 3;
    *machine_msr(MSR_FS_BASE) = LOW + FS * PAGE_SIZE - 0x20;
    *machine_msr(MSR_GS_BASE) = LOW + GS * PAGE_SIZE - 0x20;
    for (mode = 32; mode <= 64; mode += 32) {
        for (i = 0; i < G_N_ELEMENTS(overrides); i++) {
            struct regs regs = machine_trapped(EXC_GP, 0);
            unsigned int expected =
                mode == 64 ? overrides[i].in_64 : overrides[i].in_32;

            regs.cs = mode == 64 ? SEL_CS64 : CS << 3 | 3;
            regs.ss = SS << 3 | 3;
            regs.rip = 0x800;
            regs.rsi = 0x20;
            regs.rcx = 1;
            if (mode == 64) {
                regs.rip = LOW + CS * PAGE_SIZE + 0x800;
                regs.rsi = expected == FLAT ? LOW + FLAT * PAGE_SIZE : 0x20;
            }
            memcpy(machine_at(LOW + CS * PAGE_SIZE + 0x800), overrides[i].bytes,
                   overrides[i].size);
            regs.rdx = CMOS;
            g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
            g_assert_cmpuint(port_value(CMOS, 1), ==, expected);
            g_assert_cmpuint(regs.rcx, ==, memchr(overrides[i].bytes, 0xf3, 4) ? 0 : 1);
        }
    }
}

/* What is an address of each size, without and with the prefix. */
static void test_address_sizes(void)
{
    static const struct {
        uint16_t cs;
        bool prefix;
        uint64_t si, after;
    } rows[] = {
        { SEL_CS64, false, LOW + 1, LOW + 2 },
        { SEL_CS64, false, APART + 1, APART + 2 },
        { SEL_CS64, true, 0x500000000 | (LOW + 1), LOW + 2 },
        { 8 | 3, false, 0x500000000 | (LOW + 1), LOW + 2 },             /* 32-bit code */
        { 8 | 3, true, 0x500070000 + 1, 0x500070000 + 2 },
        { 16 | 3, false, 0x500070000 + 1, 0x500070000 + 2 },            /* 16-bit code */
        { 16 | 3, true, 0x500000000 | (LOW + 1), LOW + 2 },
    };
    const uint64_t entries[] = {
        0,
        descriptor(0, 0xfffff, TYPE_CODE, SIZE_32 | LIMIT_IN_PAGES),
        descriptor(0, 0xfffff, TYPE_CODE, SIZE_16 | LIMIT_IN_PAGES),
        descriptor(0, 0xfffff, TYPE_DATA, SIZE_32 | LIMIT_IN_PAGES),
    };
    unsigned int i;

    begin();
    set_gdt_entries(entries, G_N_ELEMENTS(entries));
    machine_processors[0].ds = 24;
    map_pages(0, 1, 0x16);
    map_pages(LOW, 1, 0x32);
    map_pages(APART, 1, 0x32);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct regs regs = machine_trapped(EXC_GP, 0);
        bool is_16 = rows[i].after >> 16 == 0x50007;

        regs.cs = rows[i].cs;
        regs.rip = LOW + 0x800;
        regs.rsi = rows[i].si;
        g_assert_cmphex(rows[i].prefix ? outs(&regs, BYTES(0x67, 0x6e)) :
                                         outs(&regs, BYTES(0x6e)), ==,
                        is_16 ? 0x16 : 0x32);
        g_assert_cmphex(regs.rsi, ==, rows[i].after);
        g_assert_cmphex(regs.rip, ==, LOW + 0x801 + rows[i].prefix);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/emulate_addresses/segments", test_segments);
    machine_test("/monitor/emulate_addresses/address-sizes", test_address_sizes);
    return g_test_run();
}
