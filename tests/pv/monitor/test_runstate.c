/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runstate.c: the times of a vCPU's states, of which none goes back.
 */

#include "runstate_calls.h"

#include <pthread.h>

/* Times ---------------------------------------------------------------------------- */

static void test_times(void)
{
    struct vcpu_runstate_info info;
    uint64_t start;

    begin();
    start = machine_tsc;
    info = info_of(0);
    g_assert_cmpint(info.state, ==, RUNSTATE_running);
    g_assert_cmpuint(info.state_entry_time, ==, start);
    g_assert_cmpuint(info.time[RUNSTATE_offline], ==, start);
    assert_times(&info, 0, 0, 0);
    machine_tsc += 100;
    info = info_of(0);
    g_assert_cmpuint(info.state_entry_time, ==, start);
    assert_times(&info, 100, 0, 0);
    machine_tsc += 100;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    machine_tsc += 1000;
    set_runstate(this_vcpu(), RUNSTATE_running);
    machine_tsc += 7;
    info = info_of(0);
    g_assert_cmpint(info.state, ==, RUNSTATE_running);
    g_assert_cmpuint(info.state_entry_time, ==, start + 1200);
    assert_times(&info, 207, 0, 1000);
    /* Of another one that sleeps, up to now. */
    machine_switch(1);
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    machine_tsc += 50;
    machine_switch(0);
    info = info_of(1);
    g_assert_cmpint(info.state, ==, RUNSTATE_blocked);
    assert_times(&info, 1207, 0, 50);
}

/* The vCPU goes on: whatever it was at, it runs. */
static void test_refresh(void)
{
    struct regs regs = machine_trapped(VECTOR_SPURIOUS, 0);

    begin();
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    machine_tsc += 30;
    trap(&regs);
    g_assert_cmpint(this_vcpu()->runstate.info.state, ==, RUNSTATE_running);
    g_assert_cmpuint(this_vcpu()->runstate.info.time[RUNSTATE_blocked], ==, 30);
    /* Nothing has changed: nothing is done. */
    machine_tsc += 30;
    trap(&regs);
    g_assert_cmpuint(this_vcpu()->runstate.info.time[RUNSTATE_running], ==, 0);
    /* It has waited. */
    steal(10);
    trap(&regs);
    g_assert_cmpuint(this_vcpu()->runstate.info.time[RUNSTATE_running], ==, 20);
    g_assert_cmpuint(this_vcpu()->runstate.info.time[RUNSTATE_runnable], ==,
                     10);
}

/* With runstates of L0's none of this is done. */
static void test_of_l0(void)
{
    machine_start(&(struct machine_config) { .own_events = true });
    machine_tsc += 100;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    steal(50);
    refresh_runstate(this_vcpu());
    g_assert_cmpint(this_vcpu()->runstate.info.state, ==, RUNSTATE_offline);
    g_assert_cmpuint(this_vcpu()->runstate.info.state_entry_time, ==, 0);
    g_assert_cmphex(*machine_msr(MSR_KVM_STEAL_TIME), ==, 0);
}

/* Clocks --------------------------------------------------------------------------- */

/* A clock that is behind that of another vCPU takes nothing back. */
static void test_clock_behind(void)
{
    struct vcpu_runstate_info info;
    uint64_t entry;

    begin();
    machine_tsc += 1000;
    set_runstate(this_vcpu(), RUNSTATE_running);
    entry = this_vcpu()->runstate.info.state_entry_time;
    machine_tsc -= 500;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    info = info_of(0);
    g_assert_cmpint(info.state, ==, RUNSTATE_running);
    g_assert_cmpuint(info.state_entry_time, ==, entry);
    assert_times(&info, 1000, 0, 0);
    machine_tsc += 600;
    info = info_of(0);
    assert_times(&info, 1100, 0, 0);
    /* Nor from what was told, if the state changes then. */
    machine_tsc += 1000;
    info_of(0);
    machine_tsc -= 500;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    info = info_of(0);
    assert_times(&info, 2100, 0, 0);
}

/* The same, of one that asks. */
static void test_asker_behind(void)
{
    struct vcpu_runstate_info first, second;

    begin();
    machine_tsc += 1000;
    first = info_of(0);
    machine_switch(1);
    this_vcpu()->l0_info->time.system_time = -500;
    second = info_of(0);
    g_assert_cmpuint(second.time[RUNSTATE_running], >=,
                     first.time[RUNSTATE_running]);
}

/* The hypercall -------------------------------------------------------------------- */

static void test_get_errors(void)
{
    static const uint64_t bad[] = { 0, 0x1000, M2P_VA, MONITOR_VA, ~0ul, ~46ul };
    struct vcpu_runstate_info info;
    uint64_t read_only = AREA_VA + 2 * PAGE_SIZE;
    unsigned int i;

    begin();
    machine_map(read_only, machine_frame(), PTE_PRESENT);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op,
                                     VCPUOP_get_runstate_info, 0, bad[i], 0),
                        ==, -XEN_EFAULT);
    }
    g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info,
                                 0, read_only, 0), ==, -XEN_EFAULT);
    g_assert_cmpint(VCPU_CALL(VCPUOP_get_runstate_info, 2, &info), ==,
                    -XEN_ENOENT);
}

/* Anything in any order ------------------------------------------------------------ */

/*
 * With events of L0's the time is in the guest's vcpu_info, in which the guest may write
 * anything.
 */
static unsigned int looks;

static void end_at_last(void)
{
    if (++looks == 1000) {
        this_vcpu()->info->time.version = 2;
    }
}

/* A guest's clock ------------------------------------------------------------------ */

static void test_hostile_time(void)
{
    struct vcpu_runstate_info info;

    machine_start(&(struct machine_config) { .own_runstates = true });
    this_vcpu()->info->time.version = 1;
    machine_hooks.fence = end_at_last;
    g_assert_cmpint(VCPU_CALL(VCPUOP_get_runstate_info, 0, &info), ==, 0);
    g_assert_cmpuint(looks, <, 1000);
}

static void test_hostile_shift(void)
{
    struct vcpu_runstate_info info;
    static const int8_t shifts[] = { 64, 127, -64, -128 };
    unsigned int i;

    machine_start(&(struct machine_config) { .own_runstates = true });
    for (i = 0; i < G_N_ELEMENTS(shifts); i++) {
        this_vcpu()->info->time.tsc_shift = shifts[i];
        g_assert_cmpint(VCPU_CALL(VCPUOP_get_runstate_info, 0, &info), ==, 0);
    }
}

/* Anything in any order ------------------------------------------------------------ */

/* Whoever looks: no time goes back, and their sum is the clock's. */
static void look(struct vcpu_runstate_info *last, unsigned int vcpu)
{
    struct vcpu_runstate_info info = info_of(vcpu);
    uint64_t sum = 0;
    unsigned int i;

    for (i = 0; i < 4; i++) {
        g_assert_cmpuint(info.time[i], >=, last->time[i]);
        sum += info.time[i];
    }
    g_assert_cmpuint(info.state_entry_time, >=, last->state_entry_time);
    g_assert_cmpuint(sum, ==, machine_tsc);
    *last = info;
}

static void test_random(void)
{
    struct vcpu_runstate_info last[2] = { 0 };
    unsigned int i;

    begin();
    register_area(0, AREA_VA + PAGE_SIZE - 20);
    for (i = 0; i < 30000; i++) {
        machine_switch(g_test_rand_int_range(0, 2));
        switch (g_test_rand_int_range(0, 7)) {
        case 0:
            set_runstate(this_vcpu(), RUNSTATE_blocked);
            break;
        case 1:
            set_runstate(this_vcpu(), RUNSTATE_running);
            break;
        case 2:
            refresh_runstate(this_vcpu());
            break;
        case 3:
            steal(g_test_rand_int_range(0, 2000));
            break;
        case 4:
            if (!g_test_rand_int_range(0, 20)) {
                this_vcpu()->steal_time.steal = g_test_rand_int_range(0, 5000);
            }
            break;
        default:
            look(last, 0);
            look(last + 1, 1);
        }
        machine_tsc += g_test_rand_int_range(0, 1000);
        if (this_vcpu()->id == 0) {
            machine_switch(0);
            check_copy(AREA_VA + PAGE_SIZE - 20);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/runstate/times", test_times);
    machine_test("/monitor/runstate/refresh", test_refresh);
    machine_test("/monitor/runstate/of-l0", test_of_l0);
    machine_test("/monitor/runstate/clock-behind", test_clock_behind);
    machine_test("/monitor/runstate/asker-behind", test_asker_behind);
    machine_test("/monitor/runstate/get-errors", test_get_errors);
    machine_test("/monitor/runstate/hostile-time", test_hostile_time);
    machine_test("/monitor/runstate/hostile-shift", test_hostile_shift);
    machine_test("/monitor/runstate/random", test_random);
    return g_test_run();
}
