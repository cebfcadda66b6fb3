/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runstate.c: what KVM's steal time makes of the times of a vCPU's states. */

#include "runstate_calls.h"

#include <pthread.h>

static void test_steal(void)
{
    struct vcpu_runstate_info info;

    begin();
    machine_tsc += 100;
    steal(30);
    info = info_of(0);
    assert_times(&info, 70, 30, 0);
    /* A vCPU that sleeps waits when it has been woken. */
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    machine_tsc += 1000;
    steal(200);
    set_runstate(this_vcpu(), RUNSTATE_running);
    info = info_of(0);
    assert_times(&info, 70, 230, 800);
    /* More than has passed is not: KVM and the clock are not one. */
    machine_tsc += 10;
    steal(11);
    info = info_of(0);
    assert_times(&info, 70, 240, 800);
    machine_tsc += 10;
    info = info_of(0);
    assert_times(&info, 80, 240, 800);
}

/* What was told stays so: waiting is not taken from that. */
static void test_told(void)
{
    struct vcpu_runstate_info info;

    begin();
    machine_tsc += 100;
    info = info_of(0);
    assert_times(&info, 100, 0, 0);
    steal(80);
    machine_tsc += 50;
    info = info_of(0);
    assert_times(&info, 100, 50, 0);
    /* Another vCPU was told. */
    machine_tsc += 100;
    machine_switch(1);
    info = info_of(0);
    assert_times(&info, 200, 50, 0);
    machine_switch(0);
    machine_tsc += 10;
    steal(1000);
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    info = info_of(0);
    assert_times(&info, 200, 60, 0);
}

/* Only the vCPU itself knows what was stolen of it. */
static void test_steal_of_other(void)
{
    struct vcpu_runstate_info info;

    begin();
    machine_tsc += 100;
    vcpu_by_id(1)->steal_time.steal = 30;
    info = info_of(1);
    assert_times(&info, 100, 0, 0);
    machine_switch(1);
    machine_tsc += 100;
    info = info_of(1);
    assert_times(&info, 170, 30, 0);
}

/* A count that begins anew takes nothing away. */
static void test_count_anew(void)
{
    struct vcpu_runstate_info info;

    begin();
    machine_tsc += 1000;
    steal(500);
    info = info_of(0);
    assert_times(&info, 500, 500, 0);
    this_vcpu()->steal_time.steal = 100;
    machine_tsc += 1000;
    info = info_of(0);
    assert_times(&info, 1500, 500, 0);
    steal(10);
    machine_tsc += 1000;
    info = info_of(0);
    assert_times(&info, 2490, 510, 0);
}

/* KVM writes while the monitor reads. */
static unsigned int fences;

static void write_steal(void)
{
    struct steal_time *s = &this_vcpu()->steal_time;

    switch (++fences) {
    case 1:
        s->version++;
        s->steal = 7777;
        break;
    case 5:
        s->steal = 40;
        s->version++;
        break;
    }
}

static void test_torn_steal(void)
{
    struct vcpu_runstate_info info;

    begin();
    machine_tsc += 100;
    steal(1);
    machine_hooks.fence = write_steal;
    set_runstate(this_vcpu(), RUNSTATE_running);
    machine_hooks.fence = NULL;
    info = info_of(0);
    assert_times(&info, 60, 40, 0);
    /* The same from before the first look on. */
    machine_tsc += 100;
    this_vcpu()->steal_time.version++;
    fences = 1;
    machine_hooks.fence = write_steal;
    this_vcpu()->steal_time.steal = 9999;
    set_runstate(this_vcpu(), RUNSTATE_running);
    machine_hooks.fence = NULL;
    info = info_of(0);
    assert_times(&info, 160, 40, 0);
}

/* Where KVM is to count: in the vCPU's own block, from 0. */
static void test_msr(void)
{
    unsigned int id;

    begin();
    for (id = 0; id < 2; id++) {
        uint64_t address;

        machine_switch(id);
        address = (MACHINE_VCPUS_MFN << PAGE_SHIFT) + id * VCPU_SIZE +
                  offsetof(struct vcpu, steal_time);
        g_assert_cmphex(address % 64, ==, 0);
        g_assert_cmphex(*machine_msr(MSR_KVM_STEAL_TIME), ==, address | 1);
        this_vcpu()->steal_time.steal = this_vcpu()->runstate.steal = 500;
        this_vcpu()->steal_time.version = 4;
        *machine_msr(MSR_KVM_STEAL_TIME) = 0;
        init_runstate(this_vcpu());
        g_assert_cmphex(*machine_msr(MSR_KVM_STEAL_TIME), ==, address | 1);
        g_assert_cmpuint(this_vcpu()->steal_time.steal, ==, 0);
        g_assert_cmpuint(this_vcpu()->steal_time.version, ==, 0);
        g_assert_cmpuint(this_vcpu()->runstate.steal, ==, 0);
    }
}

static bool no_msr(uint32_t number)
{
    return number != MSR_KVM_STEAL_TIME;
}

/* A KVM without it. */
static void test_no_msr(void)
{
    struct vcpu_runstate_info info;

    machine_hooks.has_msr = no_msr;
    begin();
    machine_tsc += 100;
    info = info_of(0);
    assert_times(&info, 100, 0, 0);
    g_assert_cmphex(*machine_msr(MSR_KVM_STEAL_TIME), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/steal_time/steal", test_steal);
    machine_test("/monitor/steal_time/told", test_told);
    machine_test("/monitor/steal_time/steal-of-other", test_steal_of_other);
    machine_test("/monitor/steal_time/count-anew", test_count_anew);
    machine_test("/monitor/steal_time/torn-steal", test_torn_steal);
    machine_test("/monitor/steal_time/msr", test_msr);
    machine_test("/monitor/steal_time/no-msr", test_no_msr);
    return g_test_run();
}
