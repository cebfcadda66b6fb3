/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timers.c: the guest's time, and its timers: what they raise, when, and what the LAPIC's
 * timer is set to for them.
 */

#include "event_calls.h"

#define MSR_LVT_TIMER       0x832
#define MSR_TIMER_COUNT     0x838
#define MSR_TIMER_DIVIDE    0x83e

#define MS 1000000ul
#define MIN_PERIOD MS
#define MAX_PERIOD (UINT64_MAX >> 2)

static const struct machine_config own = { .nr_vcpus = 2, .own_events = true };

static uint32_t port;

static void begin(void)
{
    machine_start(&own);
    port = bind_virq_timer(0);
    *machine_msr(MSR_TIMER_COUNT) = 0;
}

static uint64_t now(void)
{
    return machine_tsc;
}

static uint64_t count(void)
{
    return *machine_msr(MSR_TIMER_COUNT);
}

static bool ticked(void)
{
    return take_event(port);
}

/* So much later, as the LAPIC counts meanwhile: how often it has interrupted. */
static unsigned int pass(uint64_t ns)
{
    unsigned int nr = 0;
    uint64_t step;

    while (ns) {
        uint64_t *left = machine_msr(MSR_TIMER_COUNT);

        step = *left && *left < ns ? *left : ns;
        machine_tsc += step;
        ns -= step;
        if (*left && !(*left -= step)) {
            machine_interrupt(this_vcpu()->id, VECTOR_TIMER);
            take_interrupts();
            nr++;
        }
    }
    return nr;
}

static long set_once(uint64_t when)
{
    struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = when };

    return VCPU_CALL(VCPUOP_set_singleshot_timer, this_vcpu()->id, &op);
}

static long stop_once(unsigned int vcpu)
{
    return machine_call(__HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer,
                        vcpu, 0, 0);
}

static long set_period(unsigned int vcpu, uint64_t period)
{
    struct vcpu_set_periodic_timer op = { .period_ns = period };

    return VCPU_CALL(VCPUOP_set_periodic_timer, vcpu, &op);
}

static long stop_period(unsigned int vcpu)
{
    return machine_call(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, vcpu,
                        0, 0);
}

static long set_timer_op(uint64_t when)
{
    return machine_call(__HYPERVISOR_set_timer_op, when, 0, 0, 0);
}

/* Time ----------------------------------------------------------------------------- */

static void test_system_time(void)
{
    static const struct {
        uint64_t tsc, stamp, time;
        uint32_t mul;
        int8_t shift;
        uint64_t result;
    } cases[] = {
        { 1000, 0, 0, 0x80000000, 1, 1000 },
        { 1000, 400, 7, 0x80000000, 1, 607 },
        { 1000, 1000, 7, 0x80000000, 1, 7 },
        { 1000, 0, 0, 0x80000000, 0, 500 },
        { 1000, 0, 0, 0x80000000, -1, 250 },
        { 1000, 0, 0, 0x80000000, -4, 31 },
        { 1000, 0, 0, 0xffffffff, 0, 999 },
        { 1000, 0, 5, 0, 1, 5 },
        { 3, 0, 0, 0xaaaaaaab, 0, 2 },
        /* A day at 4 GHz: more than 64 bits in between. */
        { 345600000000000, 0, 0, 0x80000000, -1, 86400000000000 },
        { 345600000000000, 0, 1ul << 62, 0x80000000, -1,
          (1ul << 62) + 86400000000000 },
        { 1ul << 60, 0, 0, 0x80000000, 0, 1ul << 59 },
        { 1, 0, 0, 0x80000000, 31, 1ul << 30 },
    };
    vcpu_time_info_t *time;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    time = &this_vcpu()->info->time;
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        machine_tsc = cases[i].tsc;
        time->tsc_timestamp = cases[i].stamp;
        time->system_time = cases[i].time;
        time->tsc_to_system_mul = cases[i].mul;
        time->tsc_shift = cases[i].shift;
        g_assert_cmpuint(system_time(this_vcpu()), ==, cases[i].result);
    }
}

static void test_own_system_time(void)
{
    vcpu_info_t *info;

    begin();
    info = this_vcpu()->info;
    /* What the guest has written to its own is nothing to the monitor. */
    info->time.tsc_shift = 17;
    info->time.version = 1;
    info->time.system_time = 5;
    g_assert_cmpuint(system_time(this_vcpu()), ==, now());
    this_vcpu()->l0_info->time.system_time = 5 * MS;
    g_assert_cmpuint(system_time(this_vcpu()), ==, now() + 5 * MS);
}

static bool same_time(const vcpu_time_info_t *a, const vcpu_time_info_t *b)
{
    return a->tsc_timestamp == b->tsc_timestamp &&
           a->system_time == b->system_time &&
           a->tsc_to_system_mul == b->tsc_to_system_mul &&
           a->tsc_shift == b->tsc_shift && a->flags == b->flags;
}

/* The guest's copy follows L0's, and its version is even, and another one each time. */
static void test_copies(void)
{
    static const uint32_t versions[] = { 0, 1, 7, 0x7fffffff, ~0u, ~1u };
    vcpu_time_info_t *l0, *to;
    struct regs regs;
    unsigned int i;
    uint32_t version;

    begin();
    l0 = &this_vcpu()->l0_info->time;
    to = &this_vcpu()->info->time;
    g_assert_true(same_time(l0, to));
    g_assert_cmpuint(to->version & 1, ==, 0);
    for (i = 0; i < G_N_ELEMENTS(versions); i++) {
        *l0 = (vcpu_time_info_t) {
            .version = l0->version + 2, .tsc_timestamp = i + 100,
            .system_time = 1ul << 40, .tsc_to_system_mul = 0x80000000 + i,
            .tsc_shift = 1, .flags = i,
        };
        /* Whatever the guest has written there. */
        memset(to, 0xee, sizeof(*to));
        to->version = versions[i];
        regs = machine_trapped(VECTOR_SPURIOUS, 0);
        trap(&regs);
        g_assert_true(same_time(l0, to));
        g_assert_cmpuint(to->version & 1, ==, 0);
        g_assert_cmpuint(to->version, !=, versions[i]);
        /* No news: the copy is left alone. */
        version = to->version;
        to->flags = 99;
        regs = machine_trapped(VECTOR_SPURIOUS, 0);
        trap(&regs);
        g_assert_cmpuint(to->version, ==, version);
        g_assert_cmpuint(to->flags, ==, 99);
    }
}

static void test_wallclock(void)
{
    shared_info_t *l0, *to;
    struct regs regs;

    begin();
    l0 = frame(boot->l0_shared_info_mfn);
    to = shared_info();
    l0->wc_version = 2;
    l0->wc_sec = 1000;
    l0->wc_nsec = 77;
    l0->wc_sec_hi = 3;
    regs = machine_trapped(VECTOR_SPURIOUS, 0);
    trap(&regs);
    g_assert_cmpuint(to->wc_version, ==, 2);
    g_assert_cmpuint(to->wc_sec, ==, 1000);
    g_assert_cmpuint(to->wc_nsec, ==, 77);
    g_assert_cmpuint(to->wc_sec_hi, ==, 3);
    /* While L0 writes it stays as it is; nor is it copied without news. */
    l0->wc_sec = 2000;
    copy_wallclock();
    l0->wc_version = 3;
    copy_wallclock();
    g_assert_cmpuint(to->wc_version, ==, 2);
    g_assert_cmpuint(to->wc_sec, ==, 1000);
    l0->wc_version = 4;
    copy_wallclock();
    g_assert_cmpuint(to->wc_version, ==, 4);
    g_assert_cmpuint(to->wc_sec, ==, 2000);
    /* Whatever the guest has written there. */
    to->wc_version = 9;
    copy_wallclock();
    g_assert_cmpuint(to->wc_version, ==, 4);
}

/* One vCPU copies it, or two would be in each other's way. */
static void test_wallclock_of_one(void)
{
    shared_info_t *l0;
    struct regs regs;

    begin();
    start_other_vcpu(1);
    l0 = frame(boot->l0_shared_info_mfn);
    l0->wc_version = 2;
    machine_switch(1);
    regs = machine_trapped(VECTOR_SPURIOUS, 0);
    trap(&regs);
    g_assert_cmpuint(shared_info()->wc_version, ==, 0);
    machine_switch(0);
    regs = machine_trapped(VECTOR_SPURIOUS, 0);
    trap(&regs);
    g_assert_cmpuint(shared_info()->wc_version, ==, 2);
}

/* L0 writes while the monitor reads. */
static unsigned int fences;

static void write_time(void)
{
    vcpu_time_info_t *l0 = &this_vcpu()->l0_info->time;

    switch (++fences) {
    case 1:
        /* Between the version and the rest. */
        l0->version++;
        l0->system_time = 1111;
        break;
    case 3:
        l0->system_time = 2222;
        break;
    case 4:
        l0->version++;
        l0->system_time = 3333;
        l0->tsc_timestamp = now();
        break;
    }
}

/* L0 is at it from before until after the first look. */
static void finish_time(void)
{
    vcpu_time_info_t *l0 = &this_vcpu()->l0_info->time;

    if (++fences == 5) {
        l0->system_time = 4444;
        l0->version++;
    }
}

static void test_unfinished_time(void)
{
    begin();
    this_vcpu()->l0_info->time.version++;
    machine_hooks.fence = finish_time;
    copy_time(this_vcpu(), this_vcpu()->info);
    g_assert_cmpuint(this_vcpu()->info->time.system_time, ==, 4444);
}

static void test_torn_time(void)
{
    begin();
    machine_hooks.fence = write_time;
    copy_time(this_vcpu(), this_vcpu()->info);
    machine_hooks.fence = NULL;
    g_assert_cmpuint(this_vcpu()->info->time.system_time, ==, 3333);
    g_assert_cmpuint(this_vcpu()->info->time.tsc_timestamp, ==, now());
    this_vcpu()->l0_info->time.system_time = 0;
    this_vcpu()->l0_info->time.tsc_timestamp = 0;
    fences = 0;
    machine_hooks.fence = write_time;
    g_assert_cmpuint(system_time(this_vcpu()), ==, 3333);
}

static void write_wallclock(void)
{
    shared_info_t *l0 = frame(boot->l0_shared_info_mfn);

    /* The guest is told that it must not read. */
    g_assert_cmpuint(shared_info()->wc_version & 1, ==, 1);
    l0->wc_version = 8;
    l0->wc_sec = 2000;
    machine_hooks.fence = NULL;
}

static void test_torn_wallclock(void)
{
    shared_info_t *l0;

    begin();
    l0 = frame(boot->l0_shared_info_mfn);
    l0->wc_version = 6;
    l0->wc_sec = 1000;
    machine_hooks.fence = write_wallclock;
    copy_wallclock();
    g_assert_null(machine_hooks.fence);
    g_assert_cmpuint(shared_info()->wc_version & 1, ==, 1);
    /* It comes right the next time. */
    copy_wallclock();
    g_assert_cmpuint(shared_info()->wc_version, ==, 8);
    g_assert_cmpuint(shared_info()->wc_sec, ==, 2000);
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

/* Periodic ------------------------------------------------------------------------- */

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
    machine_test("/monitor/timers/system-time", test_system_time);
    machine_test("/monitor/timers/own-system-time", test_own_system_time);
    machine_test("/monitor/timers/copies", test_copies);
    machine_test("/monitor/timers/wallclock", test_wallclock);
    machine_test("/monitor/timers/wallclock-of-one", test_wallclock_of_one);
    machine_test("/monitor/timers/torn-time", test_torn_time);
    machine_test("/monitor/timers/unfinished-time", test_unfinished_time);
    machine_test("/monitor/timers/torn-wallclock", test_torn_wallclock);
    machine_test("/monitor/timers/init", test_init);
    machine_test("/monitor/timers/writes", test_writes);
    machine_test("/monitor/timers/first", test_first);
    machine_test("/monitor/timers/once", test_once);
    machine_test("/monitor/timers/once-again", test_once_again);
    machine_test("/monitor/timers/once-past", test_once_past);
    machine_test("/monitor/timers/once-errors", test_once_errors);
    machine_test("/monitor/timers/periodic", test_periodic);
    machine_test("/monitor/timers/new-period", test_new_period);
    machine_test("/monitor/timers/periods", test_periods);
    machine_test("/monitor/timers/other-vcpu", test_other_vcpu);
    machine_test("/monitor/timers/poll", test_poll);
    machine_test("/monitor/timers/no-port", test_no_port);
    machine_test("/monitor/timers/set-timer-op", test_set_timer_op);
    machine_test("/monitor/timers/random", test_random);
    return g_test_run();
}
