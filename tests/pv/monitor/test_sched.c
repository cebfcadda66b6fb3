/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sched.c: how a vCPU sleeps, and what wakes it, with events of the monitor's own and
 * with L0's; the guest's end.
 */

#include "sched_calls.h"

/* Blocking ------------------------------------------------------------------------- */

static void test_block(void)
{
    begin(&own);
    own_port = bind_ipi(0);
    info()->evtchn_upcall_mask = 1;
    happens = third_time;
    g_assert_cmpint(sched(SCHEDOP_block, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 3);
    /* It lets upcalls come. */
    g_assert_cmpuint(info()->evtchn_upcall_mask, ==, 0);
    g_assert_cmpuint(info()->evtchn_upcall_pending, ==, 1);
    /* One that has come already. */
    info()->evtchn_upcall_mask = 1;
    g_assert_cmpint(sched(SCHEDOP_block, MONITOR_VA), ==, 0);
    g_assert_cmpuint(sleeps, ==, 3);
    g_assert_cmpuint(info()->evtchn_upcall_mask, ==, 0);
}

/* An event that the guest has masked does not wake a vCPU that blocks. */
static void masked_then_not(void)
{
    if (sleeps == 3) {
        evtchn_unmask(guest_events, own_port);
        return;
    }
    event();
}

static void test_block_masked(void)
{
    begin(&own);
    own_port = bind_ipi(0);
    set_masked(own_port, true);
    happens = masked_then_not;
    g_assert_cmpint(sched(SCHEDOP_block, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 3);
}

static void test_block_ends(void)
{
    static void (*const ends[])(void) = { event, nmi, back_end };
    unsigned int i;

    begin(&own);
    own_port = bind_ipi(0);
    for (i = 0; i < G_N_ELEMENTS(ends); i++) {
        sleeps = 0;
        happens = ends[i];
        info()->evtchn_upcall_pending = 0;
        info()->evtchn_pending_sel = 0;
        shared_info()->evtchn_pending[0] = 0;
        this_vcpu()->nmi_pending = false;
        g_assert_cmpint(sched(SCHEDOP_block, 0), ==, 0);
        g_assert_cmpuint(sleeps, ==, 1);
    }
    /* An NMI that waits, too. */
    sleeps = 0;
    happens = NULL;
    info()->evtchn_upcall_pending = 0;
    this_vcpu()->nmi_pending = true;
    g_assert_cmpint(sched(SCHEDOP_block, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 0);
}

static void test_block_timer(void)
{
    struct vcpu_set_singleshot_timer once;

    begin(&own);
    own_port = bind_virq_timer(0);
    once = (struct vcpu_set_singleshot_timer) {
        .timeout_abs_ns = machine_tsc + 12345678901,
    };
    g_assert_cmpint(VCPU_CALL(VCPUOP_set_singleshot_timer, 0, &once), ==, 0);
    happens = timer;
    g_assert_cmpint(sched(SCHEDOP_block, 0), ==, 0);
    g_assert_cmpuint(machine_tsc, ==, once.timeout_abs_ns);
    g_assert_true(is_pending(own_port));
}

/* Whatever it was, L0 has woken the vCPU: it may not know why. */
static void test_block_of_l0(void)
{
    begin(&without);
    happens = nothing;
    info()->evtchn_upcall_mask = 1;
    g_assert_cmpint(sched(SCHEDOP_block, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 1);
    g_assert_cmpuint(info()->evtchn_upcall_mask, ==, 0);
    info()->evtchn_upcall_pending = 1;
    g_assert_cmpint(sched(SCHEDOP_block, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 1);
}

/* The guest's end, and what is L0's ------------------------------------------------ */

static void test_to_l0(void)
{
    static const unsigned int cmds[] = {
        SCHEDOP_shutdown_code, SCHEDOP_watchdog,
    };
    uint64_t va;
    unsigned int i;

    begin(&own);
    machine_hooks.l0 = l0_poll;
    va = machine_put((const uint8_t[64]){ 0 }, 64);
    for (i = 0; i < G_N_ELEMENTS(cmds); i++) {
        g_assert_cmpint(sched(cmds[i], va), ==, -XEN_EACCES);
        g_assert_cmpuint(asked.args[0], ==, cmds[i]);
        g_assert_cmphex(asked.args[1], ==, va);
        g_assert_cmpint(sched(cmds[i], VCPUS_VA), ==, -XEN_EACCES);
        g_assert_cmphex(asked.args[1], ==, NOTHING_VA);
    }
    /* This one has no argument. */
    g_assert_cmpint(sched(SCHEDOP_yield, VCPUS_VA), ==, -XEN_EACCES);
    g_assert_cmpuint(asked.args[0], ==, SCHEDOP_yield);
    g_assert_cmphex(asked.args[1], ==, 0);
    nr_asked = 0;
    g_assert_cmpint(sched(SCHEDOP_pin_override + 1, va), ==, -XEN_ENOSYS);
    g_assert_cmpint(sched(~0u, va), ==, -XEN_ENOSYS);
    g_assert_cmpuint(nr_asked, ==, 0);
}

static void test_shutdown(void)
{
    static const unsigned int ends[] = {
        SHUTDOWN_poweroff, SHUTDOWN_reboot, SHUTDOWN_watchdog,
        SHUTDOWN_soft_reset, 77,
    };
    struct sched_shutdown shutdown;
    uint64_t va;
    unsigned int i;

    begin(&own);
    machine_hooks.l0 = l0_poll;
    va = machine_put(&shutdown, sizeof(shutdown));
    for (i = 0; i < G_N_ELEMENTS(ends); i++) {
        *(uint32_t *)machine_at(va) = ends[i];
        g_assert_cmpint(sched(SCHEDOP_shutdown, va), ==, -XEN_EACCES);
        g_assert_cmpuint(asked.args[0], ==, SCHEDOP_shutdown);
        g_assert_cmphex(asked.args[1], ==, va);
    }
    nr_asked = 0;
    g_assert_cmpint(sched(SCHEDOP_shutdown, 0x1000), ==, -XEN_EFAULT);
    g_assert_cmpint(sched(SCHEDOP_shutdown, MONITOR_VA), ==, -XEN_EFAULT);
    g_assert_cmpuint(nr_asked, ==, 0);
    /* As if the toolstack had not been able to save the guest. */
    *(uint32_t *)machine_at(va) = SHUTDOWN_suspend;
    g_assert_cmpint(sched(SCHEDOP_shutdown, va), ==, 1);
}

static void test_crash(void)
{
    const struct sched_shutdown shutdown = { .reason = SHUTDOWN_crash };
    uint64_t va;

    begin(&own);
    va = machine_put(&shutdown, sizeof(shutdown));
    machine_assert_ends(sched(SCHEDOP_shutdown, va));
    machine_assert_said("the guest says that it has crashed");
}

/* What is for other domains, or for a privileged one, is known: L0 says what of it. */
static void test_of_others(void)
{
    uint64_t va;

    begin(&own);
    machine_hooks.l0 = l0_poll;
    va = machine_put((const uint8_t[64]){ 0 }, 64);
    g_assert_cmpint(sched(SCHEDOP_remote_shutdown, va), ==, -XEN_EACCES);
    g_assert_cmpuint(asked.args[0], ==, SCHEDOP_remote_shutdown);
    g_assert_cmpint(sched(SCHEDOP_pin_override, va), !=, -XEN_ENOSYS);
}

/* While it sleeps ------------------------------------------------------------------ */

static void ask_down(void)
{
    if (sleeps == 1) {
        /* Another vCPU takes this one down: it wakes, parks, and sleeps again. */
        this_vcpu()->state = VCPU_TO_BE_DOWN;
        return;
    }
    if (sleeps == 2) {
        g_assert_cmpuint(this_vcpu()->state, ==, VCPU_DOWN);
        g_assert_false(machine_l0.vcpus[0].up);
        machine_l0.vcpus[0].up = true;
        this_vcpu()->state = VCPU_UP;
        return;
    }
    event();
}

static void test_parks(void)
{
    begin(&own);
    own_port = bind_ipi(0);
    happens = ask_down;
    g_assert_cmpint(sched(SCHEDOP_block, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 3);
    sleeps = 0;
    info()->evtchn_upcall_pending = 0;
    shared_info()->evtchn_pending[0] = 0;
    g_assert_cmpint(poll_one(own_port, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 3);
}

/* A vCPU that sleeps is blocked for who looks. */
static int states[2];

static void look(void)
{
    states[0] = this_vcpu()->runstate.info.state;
    machine_tsc += 1000;
    if (own_events()) {
        event();
    }
}

static bool look_in_l0(const struct pv_call *call, long *result)
{
    states[0] = this_vcpu()->runstate.info.state;
    *result = 0;
    return call->number == __HYPERVISOR_sched_op;
}

static void check_states(void)
{
    g_assert_cmpint(states[0], ==, RUNSTATE_blocked);
    g_assert_cmpint(this_vcpu()->runstate.info.state, ==, RUNSTATE_running);
    states[0] = -1;
}

static void test_runstates(void)
{
    begin(&(struct machine_config) {
        .own_events = true, .own_runstates = true,
    });
    own_port = bind_ipi(0);
    happens = look;
    g_assert_cmpint(sched(SCHEDOP_block, 0), ==, 0);
    check_states();
    take_event(own_port);
    g_assert_cmpint(poll_one(own_port, 0), ==, 0);
    check_states();
    g_assert_cmpuint(this_vcpu()->runstate.info.time[RUNSTATE_blocked], ==,
                     2000);
}

static void test_l0_runstates(void)
{
    begin(&(struct machine_config) { .own_runstates = true });
    happens = look;
    g_assert_cmpint(sched(SCHEDOP_block, 0), ==, 0);
    check_states();
    machine_hooks.l0 = look_in_l0;
    g_assert_cmpint(poll_one(5, 0), ==, 0);
    check_states();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/sched/block", test_block);
    machine_test("/monitor/sched/block-masked", test_block_masked);
    machine_test("/monitor/sched/block-ends", test_block_ends);
    machine_test("/monitor/sched/block-timer", test_block_timer);
    machine_test("/monitor/sched/block-of-l0", test_block_of_l0);
    machine_test("/monitor/sched/to-l0", test_to_l0);
    machine_test("/monitor/sched/shutdown", test_shutdown);
    machine_test("/monitor/sched/crash", test_crash);
    machine_test("/monitor/sched/of-others", test_of_others);
    machine_test("/monitor/sched/parks", test_parks);
    machine_test("/monitor/sched/runstates", test_runstates);
    machine_test("/monitor/sched/l0-runstates", test_l0_runstates);
    return g_test_run();
}
