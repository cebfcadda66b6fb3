/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sched.c: how a vCPU sleeps, and what wakes it, with events of the monitor's own and
 * with L0's; the guest's end.
 */

#include "event_calls.h"

#include <xen/sched.h>

#define MSR_TIMER_COUNT 0x838

static const struct machine_config own = { .nr_vcpus = 2, .own_events = true };
static const struct machine_config without = { .nr_vcpus = 2 };

static long sched(unsigned int cmd, uint64_t arg)
{
    return machine_call(__HYPERVISOR_sched_op, cmd, arg, 0, 0);
}

/* What happens each time the vCPU sleeps, and how often it has. */
static void (*happens)(void);
static unsigned int sleeps;

static void idle(void)
{
    sleeps++;
    g_assert_cmpuint(sleeps, <, 100);
    if (happens) {
        happens();
    }
}

static void begin(const struct machine_config *config)
{
    machine_start(config);
    machine_hooks.idle = idle;
    sleeps = 0;
}

static vcpu_info_t *info(void)
{
    return this_vcpu()->info;
}

static uint32_t own_port, other_port;

/* What may come. */

static void nothing(void)
{
    machine_interrupt(0, VECTOR_SPURIOUS);
}

static void event(void)
{
    g_assert_cmpint(evtchn_send(guest_events, own_port), ==, 0);
}

static void other_event(void)
{
    g_assert_cmpint(evtchn_send(guest_events, other_port), ==, 0);
}

static void nmi(void)
{
    struct regs regs = { .vector = EXC_NMI, .cs = SEL_MONITOR_CS };

    trap(&regs);
}

static void back_end(void)
{
    machine_l0_raise(1, 0);
}

/* The LAPIC counts nanoseconds. */
static void timer(void)
{
    uint64_t *count = machine_msr(MSR_TIMER_COUNT);

    g_assert_cmpuint(*count, !=, 0);
    machine_tsc += *count;
    *count = 0;
    machine_interrupt(0, VECTOR_TIMER);
}

static void third_time(void)
{
    if (sleeps == 3) {
        event();
    } else {
        nothing();
    }
}

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

/* Polls ---------------------------------------------------------------------------- */

static uint64_t ports_at;

static long poll_at(uint64_t ports, unsigned int nr, uint64_t timeout)
{
    static uint64_t va;
    struct sched_poll op = { .ports.p = (void *)ports, .nr_ports = nr,
                             .timeout = timeout };

    if (!va) {
        va = machine_put(&op, sizeof(op));
    }
    memcpy(machine_at(va), &op, sizeof(op));
    return sched(SCHEDOP_poll, va);
}

static long poll_ports(const uint32_t *ports, unsigned int nr, uint64_t timeout)
{
    unsigned int i;

    if (!ports_at) {
        ports_at = machine_put((const uint8_t[600]){ 0 }, 600);
    }
    for (i = 0; i < nr; i++) {
        ((uint32_t *)machine_at(ports_at))[i] = ports[i];
    }
    return poll_at(ports_at, nr, timeout);
}

static long poll_one(uint32_t port, uint64_t timeout)
{
    return poll_ports(&port, 1, timeout);
}

/* Masked ports of this vCPU's, and one of which an upcall comes. */
static void begin_poll(void)
{
    begin(&own);
    own_port = bind_ipi(0);
    other_port = bind_ipi(0);
    set_masked(own_port, true);
    info()->evtchn_upcall_mask = 0;
}

static void forget_events(void)
{
    sleeps = 0;
    info()->evtchn_upcall_pending = 0;
    info()->evtchn_pending_sel = 0;
    shared_info()->evtchn_pending[0] = 0;
    this_vcpu()->nmi_pending = false;
}

static void test_poll_ends(void)
{
    static void (*const ends[])(void) = { event, other_event, nmi, back_end };
    unsigned int i, masked, nr;

    begin_poll();
    for (i = 0; i < G_N_ELEMENTS(ends) * 4; i++) {
        uint32_t ports[] = { own_port, alloc_unbound(1) };

        masked = i & 1;
        nr = 1 + (i >> 1 & 1);
        forget_events();
        info()->evtchn_upcall_mask = masked;
        happens = ends[i / 4];
        g_assert_cmpint(poll_ports(ports, nr, 0), ==, 0);
        g_assert_cmpuint(sleeps, ==, 1);
        g_assert_false(evtchn_vcpu_polls(guest_events, 0));
        g_assert_cmpuint(info()->evtchn_upcall_mask, ==, masked);
    }
}

/* What is no reason to wake. */
static void test_poll_goes_on(void)
{
    begin_poll();
    happens = third_time;
    g_assert_cmpint(poll_one(own_port, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 3);
    g_assert_true(is_pending(own_port));
}

static void other_masked_event(void)
{
    g_assert_true(evtchn_vcpu_polls(guest_events, 0));
    if (sleeps < 3) {
        g_assert_cmpint(evtchn_send(guest_events, other_port), ==, 0);
    } else {
        event();
    }
}

/* A vCPU that polls one port sleeps on if another one is pending, and masked. */
static void test_poll_other_masked(void)
{
    begin_poll();
    set_masked(other_port, true);
    happens = other_masked_event;
    g_assert_cmpint(poll_one(own_port, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 3);
}

static void test_poll_pending(void)
{
    begin_poll();
    event();
    g_assert_cmpint(poll_one(own_port, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 0);
    g_assert_false(evtchn_vcpu_polls(guest_events, 0));
    g_assert_cmphex(*machine_msr(MSR_TIMER_COUNT), ==, 0);
}

/* An upcall that can come at once: Xen does not look at the ports then. */
static void test_poll_upcall_pending(void)
{
    begin_poll();
    other_event();
    g_assert_cmpint(poll_one(own_port, 0), ==, 0);
    g_assert_cmpint(poll_one(~0u, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 0);
    /* Masked, it keeps no one awake. */
    info()->evtchn_upcall_mask = 1;
    g_assert_cmpint(poll_one(~0u, 0), ==, -XEN_EINVAL);
    happens = third_time;
    g_assert_cmpint(poll_one(own_port, 0), ==, 0);
    g_assert_cmpuint(sleeps, ==, 3);
}

static void test_poll_timeout(void)
{
    static const uint64_t ahead[] = { 1, 1000, 50000000, 20000000000 };
    uint64_t start;
    unsigned int i;

    begin_poll();
    happens = timer;
    for (i = 0; i < G_N_ELEMENTS(ahead); i++) {
        start = machine_tsc;
        sleeps = 0;
        g_assert_cmpint(poll_one(own_port, start + ahead[i]), ==, 0);
        g_assert_cmpuint(machine_tsc, ==, start + ahead[i]);
        /* The LAPIC counts 32 bits. */
        g_assert_cmpuint(sleeps, ==, 1 + ahead[i] / UINT32_MAX);
        g_assert_false(evtchn_vcpu_polls(guest_events, 0));
        g_assert_cmpuint(this_vcpu()->timers.poll, ==, 0);
    }
    g_assert_false(is_pending(own_port));
    /* Without ports, too. */
    start = machine_tsc;
    g_assert_cmpint(poll_at(0, 0, start + 1000), ==, 0);
    g_assert_cmpuint(machine_tsc, ==, start + 1000);
}

/* The timer of a poll that has ended otherwise comes no more. */
static void test_poll_timer_ends(void)
{
    begin_poll();
    happens = other_event;
    g_assert_cmpint(poll_one(own_port, machine_tsc + 1000), ==, 0);
    g_assert_cmphex(*machine_msr(MSR_TIMER_COUNT), ==, 0);
    g_assert_cmpuint(this_vcpu()->timers.poll, ==, 0);
}

static void test_poll_past(void)
{
    const uint64_t past[] = { 1, 1000000000, 1ul << 63, ~0ul };
    unsigned int i;

    begin_poll();
    for (i = 0; i < G_N_ELEMENTS(past); i++) {
        g_assert_cmpint(poll_one(own_port, past[i]), ==, 0);
        g_assert_cmpint(poll_at(0, 0, past[i]), ==, 0);
        g_assert_false(evtchn_vcpu_polls(guest_events, 0));
    }
    g_assert_cmpuint(sleeps, ==, 0);
    /* A past time is no reason not to look at the ports. */
    g_assert_cmpint(poll_one(~0u, 1), ==, -XEN_EINVAL);
}

static void test_poll_errors(void)
{
    uint32_t ports[129], pending[3], bad[3], i;
    const uint64_t end = MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE;
    uint32_t *last;

    begin_poll();
    for (i = 0; i < G_N_ELEMENTS(ports); i++) {
        ports[i] = own_port;
    }
    g_assert_cmpint(poll_ports(ports, 128, 1), ==, 0);
    g_assert_cmpint(poll_ports(ports, 129, 1), ==, -XEN_EINVAL);
    g_assert_cmpint(poll_at(ports_at, ~0u, 1), ==, -XEN_EINVAL);
    ports[127] = 0;
    g_assert_cmpint(poll_ports(ports, 128, 1), ==, -XEN_EINVAL);
    /* Ports that are none, closed, or too high. */
    g_assert_cmpint(poll_one(0, 1), ==, -XEN_EINVAL);
    g_assert_cmpint(poll_one(other_port + 1, 1), ==, -XEN_EINVAL);
    g_assert_cmpint(poll_one(4096, 1), ==, -XEN_EINVAL);
    g_assert_cmpint(poll_one(~0u, 1), ==, -XEN_EINVAL);
    /* The first one that is pending, or bad, decides. */
    set_masked(other_port, true);
    other_event();
    pending[0] = bad[0] = own_port;
    pending[1] = bad[2] = other_port;
    pending[2] = bad[1] = ~0u;
    g_assert_cmpint(poll_ports(pending, 3, 0), ==, 0);
    g_assert_cmpint(poll_ports(bad, 3, 0), ==, -XEN_EINVAL);
    /* What cannot be read. */
    g_assert_cmpint(sched(SCHEDOP_poll, 0), ==, -XEN_EFAULT);
    g_assert_cmpint(sched(SCHEDOP_poll, MONITOR_VA), ==, -XEN_EFAULT);
    g_assert_cmpint(sched(SCHEDOP_poll, end - 8), ==, -XEN_EFAULT);
    g_assert_cmpint(poll_at(MONITOR_VA, 1, 1), ==, -XEN_EFAULT);
    g_assert_cmpint(poll_at(0x1000, 1, 1), ==, -XEN_EFAULT);
    g_assert_cmpint(poll_at(~3ul, 1, 1), ==, -XEN_EFAULT);
    g_assert_cmpint(poll_at(0x1000, 129, 1), ==, -XEN_EINVAL);
    /* Those behind a port that decides are not read. */
    last = machine_at(end - 4);
    *last = own_port;
    g_assert_cmpint(poll_at(end - 4, 1, 1), ==, 0);
    g_assert_cmpint(poll_at(end - 4, 2, 1), ==, -XEN_EFAULT);
    g_assert_false(evtchn_vcpu_polls(guest_events, 0));
    *last = ~0u;
    g_assert_cmpint(poll_at(end - 4, 2, 1), ==, -XEN_EINVAL);
    *last = other_port;
    g_assert_cmpint(poll_at(end - 4, 2, 1), ==, 0);
    g_assert_false(evtchn_vcpu_polls(guest_events, 0));
    g_assert_cmpuint(sleeps, ==, 0);
    g_assert_cmpuint(this_vcpu()->timers.poll, ==, 0);
}

/* Polls of L0's -------------------------------------------------------------------- */

static struct pv_call asked;
static unsigned int nr_asked;
static bool took;

static bool l0_poll(const struct pv_call *call, long *result)
{
    if (call->number != __HYPERVISOR_sched_op) {
        return false;
    }
    asked = *call;
    nr_asked++;
    *result = call->args[0] == SCHEDOP_poll ? 0 : -XEN_EACCES;
    /* Interrupts are on if an upcall may come. */
    took = !has_interrupt(0, VECTOR_SPURIOUS);
    return true;
}

static void test_l0_poll(void)
{
    unsigned int masked;

    begin(&without);
    machine_hooks.l0 = l0_poll;
    for (masked = 0; masked < 2; masked++) {
        info()->evtchn_upcall_mask = masked;
        machine_interrupt(0, VECTOR_SPURIOUS);
        g_assert_cmpint(poll_one(5, 77), ==, 0);
        g_assert_cmpuint(asked.args[0], ==, SCHEDOP_poll);
        /* L0 reads the guest's own. */
        g_assert_cmphex(asked.args[1] >> 31, ==, MACHINE_KERNEL_VA >> 31);
        g_assert_cmpint(took, ==, !masked);
        take_interrupts();
    }
    g_assert_cmpuint(nr_asked, ==, 2);
    /* No ports of the monitor's. */
    g_assert_cmpint(poll_at(MONITOR_VA, 1, 1), ==, -XEN_EFAULT);
    g_assert_cmpint(poll_at(0x7ffffffff001, 128, 1), ==, -XEN_EFAULT);
    g_assert_cmpint(sched(SCHEDOP_poll, MONITOR_VA), ==, -XEN_EFAULT);
    g_assert_cmpint(sched(SCHEDOP_poll, 0x1000), ==, -XEN_EFAULT);
    g_assert_cmpuint(nr_asked, ==, 2);
}

/* The guest's end, and others ------------------------------------------------------ */

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

/* Others --------------------------------------------------------------------------- */

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

/* Xen: -EFAULT, -ESRCH and -EPERM of the one, -EPERM of the other. */
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

/* Xen looks at the list's address before it looks at events, and however short it is. */
static void test_poll_list_address(void)
{
    begin_poll();
    g_assert_cmpint(poll_at(MONITOR_VA, 0, 1), ==, -XEN_EFAULT);
    other_event();
    g_assert_cmpint(poll_at(MONITOR_VA, 1, 1), ==, -XEN_EFAULT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/sched/block", test_block);
    machine_test("/monitor/sched/block-masked", test_block_masked);
    machine_test("/monitor/sched/block-ends", test_block_ends);
    machine_test("/monitor/sched/block-timer", test_block_timer);
    machine_test("/monitor/sched/block-of-l0", test_block_of_l0);
    machine_test("/monitor/sched/poll-ends", test_poll_ends);
    machine_test("/monitor/sched/poll-goes-on", test_poll_goes_on);
    machine_test("/monitor/sched/poll-other-masked", test_poll_other_masked);
    machine_test("/monitor/sched/poll-pending", test_poll_pending);
    machine_test("/monitor/sched/poll-upcall-pending", test_poll_upcall_pending);
    machine_test("/monitor/sched/poll-timeout", test_poll_timeout);
    machine_test("/monitor/sched/poll-timer-ends", test_poll_timer_ends);
    machine_test("/monitor/sched/poll-past", test_poll_past);
    machine_test("/monitor/sched/poll-errors", test_poll_errors);
    machine_test("/monitor/sched/l0-poll", test_l0_poll);
    machine_test("/monitor/sched/to-l0", test_to_l0);
    machine_test("/monitor/sched/shutdown", test_shutdown);
    machine_test("/monitor/sched/crash", test_crash);
    machine_test("/monitor/sched/parks", test_parks);
    machine_test("/monitor/sched/runstates", test_runstates);
    machine_test("/monitor/sched/l0-runstates", test_l0_runstates);
    machine_test("/monitor/sched/of-others", test_of_others);
    machine_test("/monitor/sched/poll-list-address", test_poll_list_address);
    return g_test_run();
}
