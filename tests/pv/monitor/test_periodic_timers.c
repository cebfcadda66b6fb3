/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timers.c: periodic timers, of a vCPU's own and of another one. */

#include "timer_calls.h"

static void test_periodic(void)
{
    unsigned int i;

    begin();
    /* The last event was when the machine began, so one is due. */
    g_assert_cmpint(set_period(0, 10 * MS), ==, 0);
    g_assert_true(ticked());
    for (i = 0; i < 5; i++) {
        g_assert_cmphex(count(), ==, 10 * MS);
        pass(10 * MS - 1);
        g_assert_false(ticked());
        pass(1);
        g_assert_true(ticked());
    }
    /* Late by more than two periods: one event, and in step again. */
    *machine_msr(MSR_TIMER_COUNT) = 0;
    machine_tsc += 27 * MS;
    machine_interrupt(0, VECTOR_TIMER);
    take_interrupts();
    g_assert_true(ticked());
    g_assert_cmphex(count(), ==, 3 * MS);
    pass(3 * MS);
    g_assert_true(ticked());
    g_assert_cmpint(stop_period(0), ==, 0);
    g_assert_cmphex(count(), ==, 0);
    pass(100 * MS);
    g_assert_false(ticked());
}

/* A new period counts from the last event. */
static void test_new_period(void)
{
    begin();
    g_assert_cmpint(set_period(0, 10 * MS), ==, 0);
    g_assert_true(ticked());
    pass(4 * MS);
    g_assert_cmpint(set_period(0, 6 * MS), ==, 0);
    g_assert_false(ticked());
    g_assert_cmphex(count(), ==, 2 * MS);
    /* It is over already: an event, and the next is a whole period later. */
    g_assert_cmpint(set_period(0, 3 * MS), ==, 0);
    g_assert_true(ticked());
    g_assert_cmphex(count(), ==, 3 * MS);
    pass(MS);
    g_assert_cmpint(set_period(0, 3 * MS), ==, 0);
    g_assert_false(ticked());
    g_assert_cmphex(count(), ==, 2 * MS);
    /* Exactly over. */
    g_assert_cmpint(set_period(0, MS), ==, 0);
    g_assert_true(ticked());
    g_assert_cmphex(count(), ==, MS);
    /* What was due last is not the new one's. */
    *machine_msr(MSR_TIMER_COUNT) = 0;
    machine_tsc += 5 * MS + MS / 2;
    g_assert_cmpint(set_period(0, 2 * MS), ==, 0);
    g_assert_cmphex(count(), ==, 2 * MS - MS / 2);
    ticked();
    /* The same again, when it is over: it is not lost. */
    *machine_msr(MSR_TIMER_COUNT) = 0;
    machine_tsc += 5 * MS;
    g_assert_cmpint(set_period(0, 2 * MS), ==, 0);
    g_assert_true(ticked());
    g_assert_cmphex(count(), ==, 2 * MS);
    /* After an end it counts from there, too. */
    g_assert_cmpint(stop_period(0), ==, 0);
    pass(MS);
    g_assert_cmpint(set_period(0, 4 * MS), ==, 0);
    g_assert_false(ticked());
    g_assert_cmphex(count(), ==, 3 * MS);
    pass(3 * MS);
    g_assert_true(ticked());
}

static void test_periods(void)
{
    static const struct {
        uint64_t period;
        long result;
    } cases[] = {
        { 0, -XEN_EINVAL }, { 1, -XEN_EINVAL },
        { MIN_PERIOD - 1, -XEN_EINVAL }, { MIN_PERIOD, 0 },
        { MAX_PERIOD, 0 }, { MAX_PERIOD + 1, -XEN_EINVAL },
        { 1ul << 63, -XEN_EINVAL }, { ~0ul, -XEN_EINVAL },
    };
    unsigned int i;

    begin();
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(stop_period(0), ==, 0);
        g_assert_cmpint(set_period(0, cases[i].period), ==, cases[i].result);
        ticked();
        g_assert_cmphex(count(), ==, cases[i].result ? 0 :
                                     MIN(cases[i].period, UINT32_MAX));
    }
    g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op,
                                 VCPUOP_set_periodic_timer, 0, MONITOR_VA, 0),
                    ==, -XEN_EFAULT);
    g_assert_cmpint(set_period(2, 5 * MS), ==, -XEN_ENOENT);
    g_assert_cmpint(stop_period(2), ==, -XEN_ENOENT);
}

/* That of another vCPU, which has to set its own LAPIC: it is interrupted. */
static void test_other_vcpu(void)
{
    uint32_t other;

    begin();
    start_other_vcpu(1);
    other = bind_virq_timer(1);
    g_assert_cmpint(set_period(1, 10 * MS), ==, 0);
    g_assert_cmphex(count(), ==, 0);
    g_assert_true(has_interrupt(1, VECTOR_KICK));
    /* It is due, which is not put off until then. */
    g_assert_true(is_pending(other));
    g_assert_false(is_pending(port));
    machine_switch(1);
    g_assert_cmphex(count(), ==, 0);
    take_interrupts();
    g_assert_cmphex(count(), ==, 10 * MS);
    g_assert_true(take_event(other));
    pass(10 * MS);
    g_assert_true(take_event(other));
    /* A kick for something else changes nothing. */
    *machine_msr(MSR_TIMER_COUNT) = 4711;
    machine_interrupt(1, VECTOR_KICK);
    take_interrupts();
    g_assert_cmphex(count(), ==, 4711);
    machine_switch(0);
    g_assert_cmpint(stop_period(1), ==, 0);
    machine_switch(1);
    take_interrupts();
    g_assert_cmphex(count(), ==, 0);
}

/* Without a port an event is nowhere, and comes to no other. */
static void test_no_port(void)
{
    begin();
    g_assert_cmpint(close_port(port), ==, 0);
    g_assert_cmpint(set_once(1), ==, 0);
    g_assert_cmpint(set_period(0, MS), ==, 0);
    pass(5 * MS);
    g_assert_cmphex(shared_info()->evtchn_pending[0], ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/periodic_timers/periodic", test_periodic);
    machine_test("/monitor/periodic_timers/new-period", test_new_period);
    machine_test("/monitor/periodic_timers/periods", test_periods);
    machine_test("/monitor/periodic_timers/other-vcpu", test_other_vcpu);
    machine_test("/monitor/periodic_timers/no-port", test_no_port);
    return g_test_run();
}
