/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of timers.c: a guest's timers, and a LAPIC that counts. */

#ifndef TESTS_PV_TIMER_CALLS_H
#define TESTS_PV_TIMER_CALLS_H

#include "event_calls.h"

#define MSR_LVT_TIMER       0x832
#define MSR_TIMER_DIVIDE    0x83e

#define MS 1000000ul
#define MIN_PERIOD MS
#define MAX_PERIOD (UINT64_MAX >> 2)

static const struct machine_config own = { .nr_vcpus = 2, .own_events = true };

static uint32_t port;

static inline void begin(void)
{
    machine_start(&own);
    port = bind_virq_timer(0);
    *machine_msr(MSR_TIMER_COUNT) = 0;
}

static inline uint64_t now(void)
{
    return machine_tsc;
}

static inline uint64_t count(void)
{
    return *machine_msr(MSR_TIMER_COUNT);
}

static inline bool ticked(void)
{
    return take_event(port);
}

/* So much later, as the LAPIC counts meanwhile: how often it has interrupted. */
static inline unsigned int pass(uint64_t ns)
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

static inline long set_once(uint64_t when)
{
    struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = when };

    return VCPU_CALL(VCPUOP_set_singleshot_timer, this_vcpu()->id, &op);
}

static inline long set_period(unsigned int vcpu, uint64_t period)
{
    struct vcpu_set_periodic_timer op = { .period_ns = period };

    return VCPU_CALL(VCPUOP_set_periodic_timer, vcpu, &op);
}

static inline long stop_period(unsigned int vcpu)
{
    return machine_call(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, vcpu,
                        0, 0);
}

#endif /* TESTS_PV_TIMER_CALLS_H */
