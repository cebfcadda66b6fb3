/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traps.c: exceptions and NMIs of the monitor's own. */

#include "bounces.h"

static void test_fixup(void)
{
    struct regs regs, was;

    start_guest(0);
    was = regs = monitor_trapped(EXC_PF, fixups_begin[0].address);
    trap(&regs);
    was.rip = fixups_begin[0].fixup;
    g_assert_cmpmem(&regs, sizeof(regs), &was, sizeof(was));
}

static void test_monitors_fault(void)
{
    static const struct {
        unsigned int vector;
        const char *said;
    } rows[] = {
        { 0, "the monitor itself took exception 0, error 0x2c\n" },
        { EXC_UD, "the monitor itself took exception 6, error 0x2c\n" },
        { EXC_PF, "the monitor itself took exception 14, error 0x2c\n" },
        { EXC_MC, "the monitor itself took exception 18, error 0x2c\n" },
        { 0x41, "the monitor itself took exception 65, error 0x2c\n" },
    };
    struct regs regs;
    unsigned int i;

    start_guest(0);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        regs = monitor_trapped(rows[i].vector, fixups_begin[0].address + 1);
        regs.error = 0x2c;
        machine_assert_ends(trap(&regs));
        machine_assert_said(rows[i].said);
        machine_assert_said("in the monitor's mode, vector ");
    }
    /* Where it leaves to the guest, no interrupt comes: they are off. */
    regs = monitor_trapped(32, (uint64_t)iret_to_guest);
    machine_assert_ends(trap(&regs));
    machine_assert_said("the monitor itself took exception 32,");
}

static void test_nmi_in_monitor(void)
{
    struct regs regs, was;

    start_guest(0);
    guest()->apic_id = 0;
    was = regs = monitor_trapped(EXC_NMI, fixups_begin[0].address);
    trap(&regs);
    g_assert_cmpmem(&regs, sizeof(regs), &was, sizeof(was));
    g_assert_true(guest()->nmi_pending);
    /* It comes back as soon as it is in the guest. */
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, 1);
    g_assert_cmphex(machine_processors[0].vectors[VECTOR_KICK / 64], ==,
                    1ul << VECTOR_KICK % 64);
    g_assert_cmphex(look().rip, ==, HANDLER(EXC_NMI));
}

/* A watchpoint of the guest's, or its single step: not of what the monitor does. */
static void test_debug_in_monitor(void)
{
    struct regs regs, was;

    start_guest(0);
    guest()->dr6 = 0xffff0ff0;
    machine_processors[0].dr[6] = 0xffff4ff1;
    was = regs = monitor_trapped(EXC_DB, fixups_begin[0].address);
    regs.rflags |= FLAG_TF;
    trap(&regs);
    g_assert_cmpmem(&regs, sizeof(regs), &was, sizeof(was));
    g_assert_cmphex(machine_processors[0].dr[6], ==, 0xffff0ff0);
    g_assert_cmphex(guest()->dr6, ==, 0xffff0ff0);
}

static void test_spurious_in_monitor(void)
{
    struct regs regs, was;

    start_guest(0);
    *machine_msr(MSR_X2APIC_EOI) = 1;
    was = regs = monitor_trapped(VECTOR_SPURIOUS, fixups_begin[0].address);
    trap(&regs);
    g_assert_cmpmem(&regs, sizeof(regs), &was, sizeof(was));
    g_assert_cmphex(*machine_msr(MSR_X2APIC_EOI), ==, 1);
    /* What was due stays so: the monitor delivers when it leaves. */
    g_assert_true(guest()->in_guest);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/traps_in_monitor/fixup", test_fixup);
    machine_test("/monitor/traps_in_monitor/fault", test_monitors_fault);
    machine_test("/monitor/traps_in_monitor/nmi", test_nmi_in_monitor);
    machine_test("/monitor/traps_in_monitor/debug", test_debug_in_monitor);
    machine_test("/monitor/traps_in_monitor/spurious", test_spurious_in_monitor);
    return g_test_run();
}
