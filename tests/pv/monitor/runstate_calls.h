/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of runstate.c: a guest with two vCPUs, and memory for their runstates. */

#ifndef TESTS_PV_RUNSTATE_CALLS_H
#define TESTS_PV_RUNSTATE_CALLS_H

#include "event_calls.h"

#define MSR_KVM_STEAL_TIME 0x4b564d03
#define UPDATE_BYTE 15          /* the top one of state_entry_time */

static const struct machine_config own = {
    .nr_vcpus = 2, .own_events = true, .own_runstates = true,
};

/* Where two pages are mapped that are not next to each other. */
#define AREA_VA 0x200000
static uint64_t area_mfns[2];

static inline void begin(void)
{
    machine_start(&own);
    start_other_vcpu(1);
    area_mfns[0] = machine_frame();
    machine_frame();
    area_mfns[1] = machine_frame();
    machine_map(AREA_VA, area_mfns[0], PTE_PRESENT | PTE_WRITE);
    machine_map(AREA_VA + PAGE_SIZE, area_mfns[1], PTE_PRESENT | PTE_WRITE);
}

static inline struct vcpu_runstate_info info_of(unsigned int vcpu)
{
    struct vcpu_runstate_info info = { .state = -1 };

    g_assert_cmpint(VCPU_CALL(VCPUOP_get_runstate_info, vcpu, &info), ==, 0);
    return info;
}

static inline long register_area(unsigned int vcpu, uint64_t va)
{
    struct vcpu_register_runstate_memory_area op = { .addr.p = va };

    return VCPU_CALL(VCPUOP_register_runstate_memory_area, vcpu, &op);
}

/* The guest's copy at @va, on one page or two. */
static inline struct vcpu_runstate_info copy_at(uint64_t va)
{
    struct vcpu_runstate_info info;
    unsigned int i;

    for (i = 0; i < sizeof(info); i++) {
        ((uint8_t *)&info)[i] = *(uint8_t *)machine_at(va + i);
    }
    return info;
}

static inline void steal(uint64_t ns)
{
    this_vcpu()->steal_time.steal += ns;
}

static inline void assert_times(const struct vcpu_runstate_info *info,
                                uint64_t running, uint64_t runnable, uint64_t blocked)
{
    g_assert_cmpuint(info->time[RUNSTATE_running], ==, running);
    g_assert_cmpuint(info->time[RUNSTATE_runnable], ==, runnable);
    g_assert_cmpuint(info->time[RUNSTATE_blocked], ==, blocked);
}

static inline void check_copy(uint64_t va)
{
    const struct vcpu_runstate_info *info = &this_vcpu()->runstate.info;
    struct vcpu_runstate_info copy = copy_at(va);

    g_assert_cmpmem(&copy, sizeof(copy), info, sizeof(*info));
}

#endif /* TESTS_PV_RUNSTATE_CALLS_H */
