/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traps.c: what is done before the guest goes on. */

#include "bounces.h"

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
    machine_test("/monitor/back_to_guest/flush", test_flush);
    machine_test("/monitor/back_to_guest/in-monitor", test_leaves);
    machine_test("/monitor/back_to_guest/parks", test_parks);
    machine_test("/monitor/back_to_guest/time", test_time);
    machine_test("/monitor/back_to_guest/l0s-time", test_l0s_time);
    machine_test("/monitor/back_to_guest/runstate", test_runstate);
    return g_test_run();
}
