/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of sched.c: a vCPU that sleeps, and what comes meanwhile. */

#ifndef TESTS_PV_SCHED_CALLS_H
#define TESTS_PV_SCHED_CALLS_H

#include "event_calls.h"

#include <xen/sched.h>

static const struct machine_config own = { .nr_vcpus = 2, .own_events = true };
static const struct machine_config without = { .nr_vcpus = 2 };

static inline long sched(unsigned int cmd, uint64_t arg)
{
    return machine_call(__HYPERVISOR_sched_op, cmd, arg, 0, 0);
}

/* What happens each time the vCPU sleeps, and how often it has. */
static void (*happens)(void);
static unsigned int sleeps;

static inline void idle(void)
{
    sleeps++;
    g_assert_cmpuint(sleeps, <, 100);
    if (happens) {
        happens();
    }
}

static inline void begin(const struct machine_config *config)
{
    machine_start(config);
    machine_hooks.idle = idle;
    sleeps = 0;
}

static inline vcpu_info_t *info(void)
{
    return this_vcpu()->info;
}

/* The port of event(). */
static uint32_t own_port;

/* What may come while the vCPU sleeps: values of @happens. */

static inline void nothing(void)
{
    machine_interrupt(0, VECTOR_SPURIOUS);
}

static inline void event(void)
{
    g_assert_cmpint(evtchn_send(guest_events, own_port), ==, 0);
}

static inline void nmi(void)
{
    struct regs regs = { .vector = EXC_NMI, .cs = SEL_MONITOR_CS };

    trap(&regs);
}

static inline void back_end(void)
{
    machine_l0_raise(1, 0);
}

/* The LAPIC's timer, when it has counted to its end. */
static inline void timer(void)
{
    uint64_t *count = machine_msr(MSR_TIMER_COUNT);

    g_assert_cmpuint(*count, !=, 0);
    machine_tsc += *count;
    *count = 0;
    machine_interrupt(0, VECTOR_TIMER);
}

static inline void third_time(void)
{
    if (sleeps == 3) {
        event();
    } else {
        nothing();
    }
}

static uint64_t ports_at;

static inline long poll_at(uint64_t ports, unsigned int nr, uint64_t timeout)
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

static inline long poll_ports(const uint32_t *ports, unsigned int nr, uint64_t timeout)
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

static inline long poll_one(uint32_t port, uint64_t timeout)
{
    return poll_ports(&port, 1, timeout);
}

static struct pv_call asked;
static unsigned int nr_asked;
static bool took;

static inline bool l0_poll(const struct pv_call *call, long *result)
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

#endif /* TESTS_PV_SCHED_CALLS_H */
