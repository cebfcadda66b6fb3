/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timers.c: the guest's time, which is L0's, and how the guest gets its copies of it.
 */

#include "timer_calls.h"

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/time/system-time", test_system_time);
    machine_test("/monitor/time/own-system-time", test_own_system_time);
    machine_test("/monitor/time/copies", test_copies);
    machine_test("/monitor/time/wallclock", test_wallclock);
    machine_test("/monitor/time/wallclock-of-one", test_wallclock_of_one);
    machine_test("/monitor/time/unfinished-time", test_unfinished_time);
    machine_test("/monitor/time/torn-time", test_torn_time);
    machine_test("/monitor/time/torn-wallclock", test_torn_wallclock);
    return g_test_run();
}
