/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traps.c: what traps in the monitor, and what is done before the guest goes on. */

#include "bounces.h"

/* In the monitor ------------------------------------------------------------------- */

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

/* Before the guest goes on --------------------------------------------------------- */

static void test_flush(void)
{
    unsigned int loads;

    start_guest(0);
    loads = machine_processors[0].nr_cr3_loads;
    look();
    g_assert_cmpuint(machine_processors[0].nr_cr3_loads, ==, loads);
    guest()->flush_pending = true;
    look();
    g_assert_cmpuint(machine_processors[0].nr_cr3_loads, ==, loads + 1);
    g_assert_false(guest()->flush_pending);
    g_assert_true(guest()->in_guest);
}

static unsigned int nr_seen;

static bool look_at_in_guest(const struct pv_call *call, long *result)
{
    g_assert_false(guest()->in_guest);
    nr_seen++;
    *result = 0;
    return true;
}

static void test_leaves(void)
{
    struct regs regs;

    start_guest(0);
    machine_hooks.l0 = look_at_in_guest;
    regs = trapped(VECTOR_SYSCALL, 0);
    regs.rax = __HYPERVISOR_console_io;
    trap(&regs);
    g_assert_cmpuint(nr_seen, ==, 1);
    g_assert_true(guest()->in_guest);
}

static bool was_down;

static void come_up(void)
{
    was_down = true;
    machine_l0.vcpus[0].up = true;
    guest()->state = VCPU_UP;
}

static void test_parks(void)
{
    start_guest(0);
    machine_hooks.idle = come_up;
    look();
    g_assert_false(was_down);
    guest()->state = VCPU_TO_BE_DOWN;
    look();
    g_assert_true(was_down);
}

/* The time that the guest looks at is a copy of L0's. */
static void test_time(void)
{
    vcpu_time_info_t *l0s, *seen;
    shared_info_t *l0_shared, *shared;
    uint32_t version;

    start_with_own_events();
    l0s = &guest()->l0_info->time;
    seen = &guest()->info->time;
    version = seen->version;
    l0s->system_time = 0x1111;
    look();
    g_assert_cmphex(seen->system_time, !=, 0x1111);
    g_assert_cmpuint(seen->version, ==, version);
    l0s->version += 2;
    look();
    g_assert_cmphex(seen->system_time, ==, 0x1111);
    g_assert_cmpuint(seen->version, >, version);
    /* The wallclock, which vCPU 0 copies for all. */
    l0_shared = frame(boot->l0_shared_info_mfn);
    shared = frame(boot->shared_info_mfn);
    l0_shared->wc_sec = 0x2222;
    l0_shared->wc_version += 2;
    machine_switch(1);
    refresh_time(vcpu_by_id(1));
    g_assert_cmphex(shared->wc_sec, !=, 0x2222);
    machine_switch(0);
    look();
    g_assert_cmphex(shared->wc_sec, ==, 0x2222);
}

/* Without its own events there is no time of L0's to copy. */
static void test_l0s_time(void)
{
    start_guest(0);
    g_assert_null(guest()->l0_info);
    look();
}

static void test_runstate(void)
{
    start_with_own_events();
    machine_tsc += 1000000;
    guest()->steal_time.steal = 1000;
    look();
    g_assert_cmpuint(guest()->runstate.info.time[RUNSTATE_runnable], ==, 1000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/traps/monitor/fixup", test_fixup);
    machine_test("/monitor/traps/monitor/fault", test_monitors_fault);
    machine_test("/monitor/traps/monitor/nmi", test_nmi_in_monitor);
    machine_test("/monitor/traps/monitor/debug", test_debug_in_monitor);
    machine_test("/monitor/traps/monitor/spurious", test_spurious_in_monitor);
    machine_test("/monitor/traps/leave/flush", test_flush);
    machine_test("/monitor/traps/leave/in-monitor", test_leaves);
    machine_test("/monitor/traps/leave/parks", test_parks);
    machine_test("/monitor/traps/leave/time", test_time);
    machine_test("/monitor/traps/leave/l0s-time", test_l0s_time);
    machine_test("/monitor/traps/leave/runstate", test_runstate);
    return g_test_run();
}
