/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debug.c: debug registers, which have no address of the hypervisor's, and ports. */

#include "instruction.h"

#define DR6_DEFAULT 0xffff0ff0ul
#define DR7_DEFAULT 0x400ul
#define GD          0x2000ul
/* Of register @reg: enabled, and type and length (less one). */
#define LOCAL(reg)              (1ul << 2 * (reg))
#define GLOBAL(reg)             (2ul << 2 * (reg))
#define KIND(reg, type, length) ((uint64_t)(type) << (16 + 4 * (reg)) | \
                                 (uint64_t)(length) << (18 + 4 * (reg)))
enum { EXECUTE, WRITE, PORT, READ_WRITE };
enum { ONE, TWO, EIGHT, FOUR };

static void begin(void)
{
    machine_start(&(struct machine_config) { 0 });
    instruction_begin();
}

static long set(unsigned int reg, uint64_t value)
{
    return machine_call(__HYPERVISOR_set_debugreg, reg, value, 0, 0);
}

static uint64_t get(unsigned int reg)
{
    return machine_call(__HYPERVISOR_get_debugreg, reg, 0, 0, 0);
}

/* MOV to or from the register. */
static int move(bool from, unsigned int reg, uint64_t *value)
{
    struct regs regs = regs_for(BYTES(0x40 | (reg & 8) >> 1, 0x0f, from ? 0x21 : 0x23,
                                      0xc0 | (reg & 7) << 3));
    int seen;

    regs.rax = *value;
    seen = refused(&regs);
    *value = regs.rax;
    return seen;
}

static void test_addresses(void)
{
    static const struct {
        uint64_t address;
        bool allowed;
    } rows[] = {
        { 0, true },
        { 5, true },
        { 0x7ffffffffff8, true },
        { 0x7ffffffffff9, false },      /* it may be eight bytes long */
        { 0x7fffffffffff, false },
        { 0x800000000000, false },
        { 1ul << 63, false },
        { M2P_VA - 8, false },
        { M2P_VA - 1, false },
        { M2P_VA, false },
        { WINDOWS_VA, false },
        { MONITOR_VA, false },
        { VCPUS_VA + 0x7fc0, false },
        { DIRECTMAP_VA, false },
        { NOTHING_VA, false },
        { HYPERVISOR_END - 8, false },
        { HYPERVISOR_END - 1, false },
        { HYPERVISOR_END, true },
        { MACHINE_KERNEL_VA, true },
        { -16ul, true },
    };
    unsigned int reg, i;

    begin();
    for (reg = 0; reg < 4; reg++) {
        for (i = 0; i < G_N_ELEMENTS(rows); i++) {
            uint64_t before = 0x1000 + reg, value = rows[i].address;

            g_assert_cmpint(set(reg, before), ==, 0);
            g_assert_cmpint(set(reg, value), ==, rows[i].allowed ? 0 : -XEN_EPERM);
            before = rows[i].allowed ? value : before;
            g_assert_cmphex(get(reg), ==, before);
            g_assert_cmphex(machine_processors[0].dr[reg], ==, before);
            /* The same by the instruction. */
            g_assert_cmpint(set(reg, 0x2000), ==, 0);
            g_assert_cmpint(move(false, reg, &value), ==,
                            rows[i].allowed ? SEEN_DONE : EXC_GP);
            g_assert_cmphex(machine_processors[0].dr[reg], ==,
                            rows[i].allowed ? value : 0x2000);
            g_assert_cmpint(move(true, reg, &value), ==, SEEN_DONE);
            g_assert_cmphex(value, ==, machine_processors[0].dr[reg]);
        }
    }
    /* Each has its own. */
    for (reg = 0; reg < 4; reg++) {
        g_assert_cmpint(set(reg, 0x100 + reg), ==, 0);
    }
    for (reg = 0; reg < 4; reg++) {
        g_assert_cmphex(get(reg), ==, 0x100 + reg);
    }
}

/* 4 and 5 are 6 and 7, until the kernel sets CR4.DE. */
static void test_no_register(void)
{
    unsigned int reg, de;

    begin();
    for (de = 0; de < 2; de++) {
        set_guest_cr4(machine_vcpu, de ? CR4_DE : 0);
        for (reg = 4; reg < 16; reg++) {
            bool is_there = reg == 6 || reg == 7 || (reg < 6 && !de);
            uint64_t value = reg & 1 ? DR7_DEFAULT | 0x100 : DR6_DEFAULT | 1;

            g_assert_cmpint(set(6, 0), ==, 0);
            g_assert_cmpint(set(7, 0), ==, 0);
            g_assert_cmpint(set(reg, value), ==, is_there ? 0 : -XEN_ENODEV);
            g_assert_cmphex(get(reg), ==, is_there ? value : (uint64_t)-XEN_ENODEV);
            g_assert_cmphex(get(reg & 1 ? 7 : 6), ==,
                            is_there ? value : reg & 1 ? DR7_DEFAULT : DR6_DEFAULT);
            g_assert_cmpint(move(false, reg, &value), ==,
                            is_there ? SEEN_DONE : EXC_UD);
            g_assert_cmpint(move(true, reg, &value), ==, is_there ? SEEN_DONE : EXC_UD);
        }
    }
    g_assert_cmpint(set(16, 0), ==, -XEN_ENODEV);
    g_assert_cmpint(set(0xffffffff, 0), ==, -XEN_ENODEV);
    g_assert_cmphex(get(0x80000000), ==, (uint64_t)-XEN_ENODEV);
}

/* Bits of DR6 and DR7, one at a time. */
static void test_bits(void)
{
    const uint64_t dr6_bits = 0xe00f, dr7_never = 0xd000;
    unsigned int bit;
    uint64_t value;

    begin();
    set_guest_cr4(machine_vcpu, CR4_DE);
    g_assert_cmphex(get(6), ==, DR6_DEFAULT);
    g_assert_cmphex(get(7), ==, DR7_DEFAULT);
    for (bit = 0; bit < 64; bit++) {
        uint64_t one = 1ul << bit, expected;

        value = one;
        g_assert_cmpint(set(6, one), ==, bit < 32 ? 0 : -XEN_EINVAL);
        expected = bit < 32 ? DR6_DEFAULT | (one & dr6_bits) : get(6);
        g_assert_cmphex(get(6), ==, expected);
        g_assert_cmpint(move(false, 6, &value), ==, bit < 32 ? SEEN_DONE : EXC_GP);
        if (bit == 11) {
            continue;           /* see below */
        }
        g_assert_cmpint(set(7, 0), ==, 0);
        g_assert_cmpint(set(7, one), ==, bit >= 32 ? -XEN_EINVAL :
                                         one == GD ? -XEN_EPERM : 0);
        expected = bit >= 32 || one == GD ? DR7_DEFAULT :
                   DR7_DEFAULT | (one & ~dr7_never);
        g_assert_cmphex(get(7), ==, expected);
        g_assert_cmphex(machine_processors[0].dr[7], ==, expected);
        g_assert_cmpint(move(false, 7, &value), ==,
                        bit >= 32 || one == GD ? EXC_GP : SEEN_DONE);
    }
    /* With all others that may be. */
    g_assert_cmpint(set(6, 0xffffffff), ==, 0);
    g_assert_cmphex(get(6), ==, DR6_DEFAULT | dr6_bits);
    g_assert_cmpint(set(7, 0xffffffff), ==, -XEN_EPERM);
    /* DR6 is the guest's own: the processor's says what comes next. */
    g_assert_cmphex(machine_processors[0].dr[6], ==, 0);
}

/* Of each register, a breakpoint on ports needs CR4.DE, if any breakpoint is enabled. */
static void test_ports_need_de(void)
{
    unsigned int reg, enable;

    begin();
    for (reg = 0; reg < 4; reg++) {
        uint64_t port = KIND(reg, PORT, ONE), other = KIND(reg, READ_WRITE, FOUR);

        set_guest_cr4(machine_vcpu, 0);
        g_assert_cmpint(set(7, 0), ==, 0);
        g_assert_cmpint(set(7, port), ==, 0);
        g_assert_cmphex(get(7), ==, DR7_DEFAULT | port);
        g_assert_cmpint(set(7, 0), ==, 0);
        for (enable = 0; enable < 8; enable++) {
            g_assert_cmpint(set(7, port | 1ul << enable), ==, -XEN_EPERM);
            g_assert_cmphex(get(7), ==, DR7_DEFAULT);
            g_assert_cmphex(machine_processors[0].dr[7], ==, DR7_DEFAULT);
            g_assert_cmpint(set(7, other | 1ul << enable), ==, 0);
            g_assert_cmpint(set(7, 0), ==, 0);
        }
        /* LE and GE enable none. */
        g_assert_cmpint(set(7, port | 0x300), ==, 0);
        set_guest_cr4(machine_vcpu, CR4_DE);
        for (enable = 0; enable < 8; enable++) {
            bool mine = enable / 2 == reg;
            uint64_t value = DR7_DEFAULT | port | 1ul << enable;

            g_assert_cmpint(set(7, value), ==, 0);
            g_assert_cmphex(get(7), ==, value);
            /* The processor would take it for one in memory, or see nothing. */
            g_assert_cmphex(machine_processors[0].dr[7], ==,
                            mine ? DR7_DEFAULT | port : value);
        }
    }
}

/* What an access hits, by the processor's rules. */
static void test_hits(void)
{
    static const struct {
        uint64_t address;
        unsigned int length;
        unsigned int port, size;
        bool hit;
    } rows[] = {
        { 0x80, ONE, 0x80, 1, true },
        { 0x80, ONE, 0x7f, 1, false },
        { 0x80, ONE, 0x81, 1, false },
        { 0x80, ONE, 0x7f, 2, true },
        { 0x80, ONE, 0x7e, 2, false },
        { 0x80, ONE, 0x7d, 4, true },
        { 0x80, ONE, 0x7c, 4, false },
        { 0x81, ONE, 0x80, 1, false },
        { 0x80, TWO, 0x81, 1, true },
        { 0x80, TWO, 0x82, 1, false },
        { 0x80, TWO, 0x7f, 1, false },
        { 0x80, FOUR, 0x83, 1, true },
        { 0x80, FOUR, 0x84, 1, false },
        { 0x80, FOUR, 0x7c, 4, false },
        { 0x80, FOUR, 0x82, 4, true },
        { 0x80, EIGHT, 0x87, 1, true },
        { 0x80, EIGHT, 0x88, 4, false },
        { 0, ONE, 0, 1, true },
        { 0xffff, ONE, 0xffff, 1, true },
        { 0xffff, ONE, 0xfffc, 4, true },
        { 0x10000, ONE, 0xffff, 1, false },
        { 0x100000080, ONE, 0x80, 1, false },
        { HYPERVISOR_END + 0x80, EIGHT, 0x80, 1, false },
    };
    unsigned int reg, i, enables;

    begin();
    set_guest_cr4(machine_vcpu, CR4_DE);
    for (reg = 0; reg < 4; reg++) {
        for (i = 0; i < G_N_ELEMENTS(rows); i++) {
            for (enables = 0; enables < 4; enables++) {
                g_assert_cmpint(set(reg, rows[i].address), ==, 0);
                g_assert_cmpint(set(7, KIND(reg, PORT, rows[i].length) |
                                       (uint64_t)enables << 2 * reg), ==, 0);
                g_assert_cmphex(port_breakpoints_at(machine_vcpu, rows[i].port,
                                                    rows[i].size), ==,
                                rows[i].hit && enables ? 1ul << reg : 0);
            }
        }
        g_assert_cmpint(set(reg, 0x5000), ==, 0);
    }
    /* Not in memory; and not after the kernel has cleared DE. */
    g_assert_cmpint(set(7, LOCAL(0) | KIND(0, READ_WRITE, ONE) | LOCAL(1) |
                           KIND(1, PORT, ONE)), ==, 0);
    g_assert_cmphex(port_breakpoints_at(machine_vcpu, 0x5000, 1), ==, 2);
    set_guest_cr4(machine_vcpu, 0);
    g_assert_cmphex(port_breakpoints_at(machine_vcpu, 0x5000, 1), ==, 0);
    /* One that is disabled is gone. */
    set_guest_cr4(machine_vcpu, CR4_DE);
    g_assert_cmphex(port_breakpoints_at(machine_vcpu, 0x5000, 1), ==, 2);
    g_assert_cmpint(set(7, KIND(1, PORT, ONE)), ==, 0);
    g_assert_cmphex(port_breakpoints_at(machine_vcpu, 0x5000, 1), ==, 0);
}

/* Any values, beside a model of what the guest should see. */
static void test_random(void)
{
    static const uint8_t widths[] = { 1, 2, 8, 4 };
    uint64_t dr[8] = { [6] = DR6_DEFAULT, [7] = DR7_DEFAULT }, value, hits;
    unsigned int i, reg, port, size;

    begin();
    set_guest_cr4(machine_vcpu, CR4_DE);
    for (i = 0; i < 100000; i++) {
        reg = g_test_rand_int_range(0, 8);
        value = (uint32_t)g_test_rand_int() & ~0x800u;
        if (reg < 4) {
            value &= 0x3f;
        } else if (reg >= 6) {
            value |= g_test_rand_int_range(0, 20) ? 0 : 1ul << 32;
        }
        if (reg == 4 || reg == 5) {
            g_assert_cmpint(set_debugreg(machine_vcpu, reg, value), ==, -XEN_ENODEV);
        } else if (reg >= 6 && value >> 32) {
            g_assert_cmpint(set_debugreg(machine_vcpu, reg, value), ==, -XEN_EINVAL);
        } else if (reg == 7 && value & GD) {
            g_assert_cmpint(set_debugreg(machine_vcpu, reg, value), ==, -XEN_EPERM);
        } else {
            g_assert_cmpint(set_debugreg(machine_vcpu, reg, value), ==, 0);
            dr[reg] = reg == 6 ? (value & 0xe00f) | DR6_DEFAULT :
                      reg == 7 ? (value & ~0xd000ul) | DR7_DEFAULT : value;
        }
        for (reg = 0; reg < 8; reg++) {
            if (reg != 4 && reg != 5) {
                g_assert_cmpint(get_debugreg(machine_vcpu, reg, &value), ==, 0);
                g_assert_cmphex(value, ==, dr[reg]);
            }
        }
        port = g_test_rand_int_range(0, 0x48);
        size = 1 << g_test_rand_int_range(0, 3);
        for (reg = 0, hits = 0; reg < 4; reg++) {
            uint64_t kind = dr[7] >> (16 + 4 * reg) & 15;
            uint64_t width = widths[kind >> 2], first = dr[reg] & -width;

            if (dr[7] & (LOCAL(reg) | GLOBAL(reg)) && (kind & 3) == PORT &&
                MAX(first, port) < MIN(first + width, port + size)) {
                hits |= 1ul << reg;
            }
            /* The processor never has one on ports. */
            g_assert_false((kind & 3) == PORT &&
                           machine_processors[0].dr[7] & (LOCAL(reg) | GLOBAL(reg)));
        }
        g_assert_cmphex(port_breakpoints_at(machine_vcpu, port, size), ==, hits);
    }
}

static void test_rtm(void)
{
    begin();
    g_assert_cmpint(set(7, 0x800), ==, 0);
    g_assert_cmphex(get(7), ==, DR7_DEFAULT);
    g_assert_cmphex(machine_processors[0].dr[7], ==, DR7_DEFAULT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/debug/addresses", test_addresses);
    machine_test("/monitor/debug/no-register", test_no_register);
    machine_test("/monitor/debug/bits", test_bits);
    machine_test("/monitor/debug/ports-need-de", test_ports_need_de);
    machine_test("/monitor/debug/hits", test_hits);
    machine_test("/monitor/debug/random", test_random);
    machine_test("/monitor/debug/rtm", test_rtm);
    return g_test_run();
}
