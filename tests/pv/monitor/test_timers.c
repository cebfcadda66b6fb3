/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timers.c: single-shot timers, and what the LAPIC's timer is set to for all of them;
 * test_periodic_timers.c has the others.
 */

#include "timer_calls.h"

static long stop_once(unsigned int vcpu)
{
    return machine_call(__HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer,
                        vcpu, 0, 0);
}

static long set_timer_op(uint64_t when)
{
    return machine_call(__HYPERVISOR_set_timer_op, when, 0, 0, 0);
}

/* The LAPIC ------------------------------------------------------------------------ */

static void test_init(void)
{
    machine_start(&own);
    g_assert_cmphex(*machine_msr(MSR_LVT_TIMER), ==, VECTOR_TIMER);
    g_assert_cmphex(*machine_msr(MSR_TIMER_DIVIDE), ==, 0xb);
    g_assert_cmphex(count(), ==, 0);
    /* What another vCPU has set before this one has started. */
    g_assert_cmpint(set_period(1, 20 * MS), ==, 0);
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, 0);
    start_other_vcpu(1);
    machine_switch(1);
    g_assert_cmphex(*machine_msr(MSR_LVT_TIMER), ==, VECTOR_TIMER);
    g_assert_cmphex(count(), ==, 20 * MS);
}

/* The LAPIC is written to if there is a reason: each write may be an exit. */
static void test_writes(void)
{
    begin();
    *machine_msr(MSR_TIMER_COUNT) = 4711;
    g_assert_cmpint(stop_once(0), ==, 0);
    g_assert_cmpint(set_timer_op(0), ==, 0);
    g_assert_cmphex(count(), ==, 4711);
    g_assert_cmpint(set_once(now() + 1000), ==, 0);
    g_assert_cmphex(count(), ==, 1000);
    g_assert_cmpint(stop_once(0), ==, 0);
    g_assert_cmphex(count(), ==, 0);
    *machine_msr(MSR_TIMER_COUNT) = 4711;
    g_assert_cmpint(stop_once(0), ==, 0);
    g_assert_cmphex(count(), ==, 4711);
    /* When it has come it is not set. */
    *machine_msr(MSR_TIMER_COUNT) = 0;
    g_assert_cmpint(set_once(now() + 1000), ==, 0);
    machine_tsc += 1000;
    *machine_msr(MSR_TIMER_COUNT) = 4711;
    machine_interrupt(0, VECTOR_TIMER);
    take_interrupts();
    g_assert_cmpint(stop_once(0), ==, 0);
    g_assert_cmphex(count(), ==, 4711);
}

/* The first of the three. */
static void test_first(void)
{
    begin();
    g_assert_cmpint(set_once(now() + 9 * MS), ==, 0);
    g_assert_cmphex(count(), ==, 9 * MS);
    set_poll_timer(this_vcpu(), now() + 7 * MS);
    g_assert_cmphex(count(), ==, 7 * MS);
    g_assert_cmpint(set_period(0, 5 * MS), ==, 0);
    g_assert_true(ticked());
    g_assert_cmphex(count(), ==, 5 * MS);
    g_assert_cmpint(stop_period(0), ==, 0);
    g_assert_cmphex(count(), ==, 7 * MS);
    set_poll_timer(this_vcpu(), now() + 20 * MS);
    g_assert_cmphex(count(), ==, 9 * MS);
    g_assert_cmpint(stop_once(0), ==, 0);
    g_assert_cmphex(count(), ==, 20 * MS);
    set_poll_timer(this_vcpu(), 0);
    g_assert_cmphex(count(), ==, 0);
}

/* Single-shot ---------------------------------------------------------------------- */

static void test_once(void)
{
    static const uint64_t ahead[] = {
        1, 1000, MS, UINT32_MAX - 1, UINT32_MAX, UINT32_MAX + 1ul,
        20000000000, 1ul << 40,
    };
    unsigned int i;
    uint64_t when;

    begin();
    for (i = 0; i < G_N_ELEMENTS(ahead); i++) {
        when = now() + ahead[i];
        g_assert_cmpint(set_once(when), ==, 0);
        g_assert_cmphex(count(), ==, MIN(ahead[i], UINT32_MAX));
        pass(ahead[i] - 1);
        g_assert_false(ticked());
        pass(1);
        g_assert_true(ticked());
        g_assert_cmphex(count(), ==, 0);
        pass(100 * MS);
        g_assert_false(ticked());
    }
}

/* Another one takes its place, as does its end. */
static void test_once_again(void)
{
    begin();
    g_assert_cmpint(set_once(now() + 5 * MS), ==, 0);
    g_assert_cmpint(set_once(now() + 8 * MS), ==, 0);
    g_assert_cmphex(count(), ==, 8 * MS);
    pass(7 * MS);
    g_assert_false(ticked());
    pass(MS);
    g_assert_true(ticked());
    g_assert_cmpint(set_once(now() + 5 * MS), ==, 0);
    g_assert_cmpint(stop_once(0), ==, 0);
    pass(10 * MS);
    g_assert_false(ticked());
}

/* Xen's time is signed: bit 63 is long ago. */
static void test_once_past(void)
{
    const uint64_t past[] = { 0, 1, 999999999, 1ul << 63, ~0ul };
    unsigned int i;

    begin();
    for (i = 0; i < G_N_ELEMENTS(past); i++) {
        g_assert_cmpint(set_once(now() + MS), ==, 0);
        g_assert_cmpint(set_once(past[i]), ==, 0);
        g_assert_true(ticked());
        g_assert_cmphex(count(), ==, 0);
        pass(2 * MS);
        g_assert_false(ticked());
    }
    /* Just now. */
    g_assert_cmpint(set_once(now()), ==, 0);
    g_assert_cmphex(count(), ==, 1);
    pass(1);
    g_assert_true(ticked());
    /* The last one there can be. */
    g_assert_cmpint(set_once(INT64_MAX), ==, 0);
    g_assert_false(ticked());
    g_assert_cmphex(count(), ==, UINT32_MAX);
}

static void test_once_errors(void)
{
    struct vcpu_set_singleshot_timer op = {
        .timeout_abs_ns = 1, .flags = VCPU_SSHOTTMR_future,
    };

    begin();
    start_other_vcpu(1);
    /* A vCPU's own alone; that is looked at first. */
    g_assert_cmpint(VCPU_CALL(VCPUOP_set_singleshot_timer, 1, &op), ==,
                    -XEN_EINVAL);
    g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op,
                                 VCPUOP_set_singleshot_timer, 1, MONITOR_VA, 0),
                    ==, -XEN_EINVAL);
    g_assert_cmpint(stop_once(1), ==, -XEN_EINVAL);
    g_assert_cmpint(VCPU_CALL(VCPUOP_set_singleshot_timer, 2, &op), ==,
                    -XEN_ENOENT);
    g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op,
                                 VCPUOP_set_singleshot_timer, 0, MONITOR_VA, 0),
                    ==, -XEN_EFAULT);
    g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op,
                                 VCPUOP_set_singleshot_timer, 0, 0x1000, 0),
                    ==, -XEN_EFAULT);
    g_assert_false(ticked());
    g_assert_cmphex(count(), ==, 0);
    /* The flag says nothing, as in Xen since 4.18. */
    g_assert_cmpint(VCPU_CALL(VCPUOP_set_singleshot_timer, 0, &op), ==, 0);
    g_assert_true(ticked());
}

/* HYPERVISOR_set_timer_op ---------------------------------------------------------- */

static void test_set_timer_op(void)
{
    const uint64_t far = (1ul << 50) - 1, mistake = 100 * MS;
    static const uint64_t wrong[] = { 1ul << 63, ~0ul, INT64_MAX, 1ul << 62 };
    unsigned int i;

    begin();
    g_assert_cmpint(set_timer_op(now() + 5 * MS), ==, 0);
    g_assert_cmphex(count(), ==, 5 * MS);
    pass(5 * MS);
    g_assert_true(ticked());
    /* 0 is none. */
    g_assert_cmpint(set_timer_op(now() + 5 * MS), ==, 0);
    g_assert_cmpint(set_timer_op(0), ==, 0);
    g_assert_cmphex(count(), ==, 0);
    pass(10 * MS);
    g_assert_false(ticked());
    /* Past. */
    g_assert_cmpint(set_timer_op(1), ==, 0);
    g_assert_true(ticked());
    g_assert_cmpint(set_timer_op(now() - 1), ==, 0);
    g_assert_true(ticked());
    g_assert_cmphex(count(), ==, 0);
    /* Far away, and too far: in a tenth of a second. */
    g_assert_cmpint(set_timer_op(now() + far), ==, 0);
    g_assert_cmpuint(this_vcpu()->timers.singleshot, ==, now() + far);
    g_assert_cmpint(set_timer_op(now() + far + 1), ==, 0);
    g_assert_cmpuint(this_vcpu()->timers.singleshot, ==, now() + mistake);
    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_assert_cmpint(set_timer_op(wrong[i]), ==, 0);
        g_assert_false(ticked());
        g_assert_cmphex(count(), ==, mistake);
        pass(mistake - 1);
        g_assert_false(ticked());
        pass(1);
        g_assert_true(ticked());
    }
}

/* Polls ---------------------------------------------------------------------------- */

/* A poll's time raises no event, and does not come back. */
static void test_poll(void)
{
    begin();
    set_poll_timer(this_vcpu(), now() + 5 * MS);
    pass(5 * MS - 1);
    g_assert_cmphex(count(), ==, 1);
    g_assert_cmpuint(pass(1), ==, 1);
    g_assert_cmphex(count(), ==, 0);
    g_assert_false(ticked());
    g_assert_cmpuint(this_vcpu()->timers.poll, ==, 0);
    /* In the past: it comes at once. */
    set_poll_timer(this_vcpu(), now() - 1);
    g_assert_cmphex(count(), ==, 1);
}

/* Anything in any order, beside a model -------------------------------------------- */

static void test_random(void)
{
    uint64_t once = 0, period = 0, last = 0, end;
    unsigned int i;
    bool due;

    begin();
    for (i = 0; i < 20000; i++) {
        due = false;
        switch (g_test_rand_int_range(0, 6)) {
        case 0:
            once = now() + g_test_rand_int_range(0, 20000000);
            g_assert_cmpint(set_once(once), ==, 0);
            break;
        case 1:
            g_assert_cmpint(set_timer_op(0), ==, 0);
            once = 0;
            break;
        case 2:
            period = MS + g_test_rand_int_range(0, 20000000);
            due = now() >= last + period;
            last = due ? now() : last;
            g_assert_cmpint(set_period(0, period), ==, 0);
            break;
        case 3:
            g_assert_cmpint(stop_period(0), ==, 0);
            period = 0;
            break;
        default:
            end = now() + g_test_rand_int_range(1, 8000000);
            pass(end - now());
        }
        if (once && now() >= once) {
            /* One for now comes as soon as the LAPIC can. */
            pass(once == now());
            once = 0;
            due = true;
        }
        if (period && now() >= last + period) {
            last += (now() - last) / period * period;
            due = true;
        }
        g_assert_cmpint(ticked(), ==, due);
        end = once && (!period || once < last + period) ? once :
              period ? last + period : 0;
        g_assert_cmpuint(count(), ==, end ? end - now() : 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/timers/init", test_init);
    machine_test("/monitor/timers/writes", test_writes);
    machine_test("/monitor/timers/first", test_first);
    machine_test("/monitor/timers/once", test_once);
    machine_test("/monitor/timers/once-again", test_once_again);
    machine_test("/monitor/timers/once-past", test_once_past);
    machine_test("/monitor/timers/once-errors", test_once_errors);
    machine_test("/monitor/timers/set-timer-op", test_set_timer_op);
    machine_test("/monitor/timers/poll", test_poll);
    machine_test("/monitor/timers/random", test_random);
    return g_test_run();
}
