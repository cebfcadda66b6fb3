/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Xen's time, from the vCPU's time area, and timers. */

#include "internal.h"

static uint64_t read_tsc(void)
{
    uint32_t low, high;

    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* (@ticks * @fraction) >> 32, of 96 bits. */
static uint64_t scale(uint64_t ticks, uint32_t fraction)
{
    return (ticks >> 32) * fraction + (((ticks & UINT32_MAX) * fraction) >> 32);
}

uint64_t time_by(const struct vcpu_time_info *area)
{
    const volatile struct vcpu_time_info *time = area;
    uint64_t now, delta;
    uint32_t version;

    do {
        version = __atomic_load_n(&time->version, __ATOMIC_ACQUIRE);
        delta = read_tsc() - time->tsc_timestamp;
        delta = time->tsc_shift < 0 ? delta >> -time->tsc_shift :
                                      delta << time->tsc_shift;
        now = time->system_time + scale(delta, time->tsc_to_system_mul);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) || version != time->version);
    return now;
}

uint64_t system_time(void)
{
    return time_by(&vcpu_info_of(this_vcpu())->time);
}

void spin_for(unsigned int milliseconds)
{
    wait_for(false, milliseconds);
}

int timer_singleshot(unsigned int vcpu, uint64_t when, uint32_t flags)
{
    struct vcpu_set_singleshot_timer timer = {
        .timeout_abs_ns = when,
        .flags = flags,
    };

    return HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, vcpu, &timer);
}

int timer_stop_singleshot(unsigned int vcpu)
{
    return HYPERVISOR_vcpu_op(VCPUOP_stop_singleshot_timer, vcpu, NULL);
}

int timer_periodic(unsigned int vcpu, uint64_t period)
{
    struct vcpu_set_periodic_timer timer = { .period_ns = period };

    if (!period) {
        return HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, vcpu, NULL);
    }
    return HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, vcpu, &timer);
}
