/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port_io.c: what ports hold, and breakpoints on them. */

#include "port_calls.h"

static void write_port(unsigned int port, unsigned int size, uint64_t value)
{
    uint64_t ax = value;

    g_assert_cmpint(try_port(true, port, size, &ax, false), ==, SEEN_DONE);
    g_assert_cmphex(ax, ==, value);
}

static uint64_t read_port(unsigned int port, unsigned int size)
{
    uint64_t ax = AX;

    g_assert_cmpint(try_port(false, port, size, &ax, false), ==, SEEN_DONE);
    return ax;
}

/* What is in them ------------------------------------------------------------------ */

static void test_nothing_there(void)
{
    static const unsigned int ports[] = { 0, 0x21, 0x6f, 0x71, 0x80, 0xcf9, 0xffff };
    unsigned int i;

    begin();
    set_iopl(1);
    for (i = 0; i < G_N_ELEMENTS(ports); i++) {
        write_port(ports[i], 1, 0);
        g_assert_cmphex(read_port(ports[i], 1), ==, AX | 0xff);
        if (ports[i] != 0x6f) {
            g_assert_cmphex(read_port(ports[i], 2), ==, AX | 0xffff);
            g_assert_cmphex(read_port(ports[i], 4), ==, 0xffffffff);
        }
    }
}

static void test_cmos_index(void)
{
    static const struct {
        unsigned int port, size;
        uint64_t value;
        uint8_t index;
    } writes[] = {
        { 0x70, 1, 0xa5, 0xa5 },
        { 0x70, 2, 0x1122, 0x22 },
        { 0x70, 4, 0x11223344, 0x44 },
        { 0x6f, 2, 0x5566, 0x55 },
        { 0x6f, 4, 0x778899aa, 0x99 },
        { 0x6e, 4, 0x778899aa, 0x88 },
        { 0x6d, 4, 0x778899aa, 0x77 },
        { 0x6c, 4, 0x12121212, 0x77 },
        { 0x6f, 1, 0x12, 0x77 },
        { 0x6e, 2, 0x1212, 0x77 },
        { 0x71, 1, 0x12, 0x77 },
        { 0x71, 4, 0x12121212, 0x77 },
        { 0x70, 1, 0xffffff00, 0x00 },
    };
    unsigned int i;

    begin();
    set_iopl(1);
    g_assert_cmphex(port_value(CMOS, 1), ==, 0);
    for (i = 0; i < G_N_ELEMENTS(writes); i++) {
        uint32_t index = writes[i].index;

        write_port(writes[i].port, writes[i].size, writes[i].value);
        g_assert_cmphex(read_port(0x70, 1), ==, (AX & ~0xfful) | index);
        g_assert_cmphex(port_value(0x70, 2), ==, 0xff00 | index);
        g_assert_cmphex(port_value(0x6f, 2), ==, 0x00ff | index << 8);
        g_assert_cmphex(port_value(0x70, 4), ==, 0xffffff00 | index);
        g_assert_cmphex(port_value(0x6f, 4), ==, 0xffff00ff | index << 8);
        g_assert_cmphex(port_value(0x6e, 4), ==, 0xff00ffff | index << 16);
        g_assert_cmphex(port_value(0x6d, 4), ==, 0x00ffffff | index << 24);
        g_assert_cmphex(port_value(0x6c, 4), ==, 0xffffffff);
        g_assert_cmphex(port_value(0x71, 2), ==, 0xffff);
    }
}

/* As one of four bytes only. */
static void test_pci_config(void)
{
    begin();
    set_iopl(1);
    g_assert_cmphex(read_port(PCI_CONFIG, 4), ==, 0);
    write_port(PCI_CONFIG, 4, 0xdddddddd80001234);
    g_assert_cmphex(read_port(PCI_CONFIG, 4), ==, 0x80001234);
    write_port(PCI_CONFIG, 2, 0);
    write_port(PCI_CONFIG, 1, 0);
    write_port(PCI_CONFIG - 1, 4, 0);
    write_port(PCI_CONFIG + 1, 4, 0);
    write_port(PCI_CONFIG + 4, 4, 0);
    g_assert_cmphex(read_port(PCI_CONFIG, 4), ==, 0x80001234);
    g_assert_cmphex(port_value(PCI_CONFIG, 2), ==, 0xffff);
    g_assert_cmphex(port_value(PCI_CONFIG, 1), ==, 0xff);
    g_assert_cmphex(port_value(PCI_CONFIG - 1, 4), ==, 0xffffffff);
    g_assert_cmphex(port_value(PCI_CONFIG + 1, 4), ==, 0xffffffff);
    g_assert_cmphex(port_value(PCI_CONFIG + 4, 4), ==, 0xffffffff);
    g_assert_cmphex(port_value(CMOS, 1), ==, 0);
}

/* A number in the instruction is a byte; in DX it is 16 bits. */
static void test_numbers(void)
{
    struct regs regs;

    begin();
    set_iopl(1);
    write_port(CMOS, 1, 0x3c);
    regs = regs_for(BYTES(0xe4, CMOS));
    regs.rdx = 0x80;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(regs.rax, ==, 0x3c);
    regs = regs_for(BYTES(0xe6, CMOS));
    regs.rax = 0xffffff77;
    regs.rdx = 0x80;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(port_value(CMOS, 1), ==, 0x77);
    regs = regs_for(BYTES(0xe7, CMOS - 3));
    regs.rax = 0x12345678;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(port_value(CMOS, 1), ==, 0x12);
    regs = regs_for(BYTES(0xe5, CMOS - 1));
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    g_assert_cmphex(regs.rax, ==, 0xffff12ff);
}

/* OUT that is refused writes nothing. */
static void test_refused_out(void)
{
    uint64_t ax = 0x55;

    begin();
    g_assert_cmpint(try_port(true, CMOS, 1, &ax, false), ==, EXC_GP);
    set_iopl(1);
    g_assert_cmpint(try_port(true, CMOS, 1, &ax, true), ==, EXC_GP);
    g_assert_cmphex(port_value(CMOS, 1), ==, 0);
}

/* Breakpoints ---------------------------------------------------------------------- */

static void set_debugreg_by_call(unsigned int reg, uint64_t value)
{
    g_assert_cmpint(machine_call(__HYPERVISOR_set_debugreg, reg, value, 0, 0), ==, 0);
}

static uint64_t dr6(void)
{
    return machine_call(__HYPERVISOR_get_debugreg, 6, 0, 0, 0);
}

/* The access is carried out, and then the kernel hears of it. */
static void test_breakpoints(void)
{
    struct regs regs;
    unsigned int out;
    uint64_t ax;

    begin();
    set_iopl(1);
    set_guest_cr4(machine_vcpu, CR4_DE);
    set_debugreg_by_call(1, 0x70);
    set_debugreg_by_call(2, 0x71);
    set_debugreg_by_call(7, 0x400 | 4ul | 2ul << 20 | 16ul | 2ul << 24);
    for (out = 0; out < 2; out++) {
        set_debugreg_by_call(6, 0);
        regs = machine_trapped(EXC_GP, 0);
        regs.rip = (out ? out_code : in_code)[1];
        regs.rax = 0x99;
        regs.rdx = CMOS;
        g_assert_cmpint(refused(&regs), ==, EXC_DB);
        g_assert_cmphex(frame_rip(&regs, EXC_DB), ==, (out ? out_code : in_code)[1] + 1);
        g_assert_cmphex(regs.rax, ==, out ? 0x99 : 0);
        g_assert_cmphex(dr6(), ==, DR6_DEFAULT | 2);
    }
    ax = 0;
    g_assert_cmpint(try_port(false, CMOS, 2, &ax, false), ==, EXC_DB);
    g_assert_cmphex(ax, ==, 0xff99);
    g_assert_cmphex(dr6(), ==, DR6_DEFAULT | 2 | 4);    /* what was there stays */
    /* Not if it is refused. */
    set_debugreg_by_call(6, 0);
    g_assert_cmpint(try_port(false, CMOS, 1, &ax, true), ==, EXC_GP);
    g_assert_cmphex(dr6(), ==, DR6_DEFAULT);
    /* With a step: one exception for both. */
    regs = machine_trapped(EXC_GP, 0);
    regs.rip = in_code[1];
    regs.rdx = 0x71;
    regs.rflags |= FLAG_TF;
    g_assert_cmpint(refused(&regs), ==, EXC_DB);
    g_assert_cmphex(dr6(), ==, DR6_DEFAULT | 4 | DR6_STEP);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/port_io/nothing-there", test_nothing_there);
    machine_test("/monitor/port_io/cmos-index", test_cmos_index);
    machine_test("/monitor/port_io/pci-config", test_pci_config);
    machine_test("/monitor/port_io/numbers", test_numbers);
    machine_test("/monitor/port_io/refused-out", test_refused_out);
    machine_test("/monitor/port_io/breakpoints", test_breakpoints);
    return g_test_run();
}
