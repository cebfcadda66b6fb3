/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sched.c: SCHEDOP_poll, of the monitor's own ports and of L0's. */

#include "sched_calls.h"

static uint32_t other_port;

static void other_event(void)
{
    g_assert_cmpint(evtchn_send(guest_events, other_port), ==, 0);
}

/* Polls ---------------------------------------------------------------------------- */

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

/* Xen looks at the list's address before it looks at events, and however short it is. */
static void test_poll_list_address(void)
{
    begin_poll();
    g_assert_cmpint(poll_at(MONITOR_VA, 0, 1), ==, -XEN_EFAULT);
    other_event();
    g_assert_cmpint(poll_at(MONITOR_VA, 1, 1), ==, -XEN_EFAULT);
    /* The list's length is looked at first, here and where L0 carries out the poll. */
    g_assert_cmpint(poll_at(MONITOR_VA, 129, 1), ==, -XEN_EINVAL);
}

static void test_l0_poll_list_address(void)
{
    begin(&without);
    machine_hooks.l0 = l0_poll;
    g_assert_cmpint(poll_at(MONITOR_VA, 129, 1), ==, -XEN_EINVAL);
    g_assert_cmpint(poll_at(MONITOR_VA, 0, 1), ==, -XEN_EFAULT);
    g_assert_cmpuint(asked.args[0], ==, 0);
}

/* Polls of L0's -------------------------------------------------------------------- */

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/sched_poll/poll-ends", test_poll_ends);
    machine_test("/monitor/sched_poll/poll-goes-on", test_poll_goes_on);
    machine_test("/monitor/sched_poll/poll-other-masked", test_poll_other_masked);
    machine_test("/monitor/sched_poll/poll-pending", test_poll_pending);
    machine_test("/monitor/sched_poll/poll-upcall-pending", test_poll_upcall_pending);
    machine_test("/monitor/sched_poll/poll-timeout", test_poll_timeout);
    machine_test("/monitor/sched_poll/poll-timer-ends", test_poll_timer_ends);
    machine_test("/monitor/sched_poll/poll-past", test_poll_past);
    machine_test("/monitor/sched_poll/poll-errors", test_poll_errors);
    machine_test("/monitor/sched_poll/poll-list-address", test_poll_list_address);
    machine_test("/monitor/sched_poll/l0-poll", test_l0_poll);
    machine_test("/monitor/sched_poll/l0-poll-list-address", test_l0_poll_list_address);
    return g_test_run();
}
