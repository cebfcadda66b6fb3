/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's two timers, which raise VIRQ_TIMER.  QEMU's own dispatcher has them;
 * this file has what Xen does differently.
 */

#include "hypercalls.h"
#include "qemu/timer.h"
#include "hw/boards.h"
#include "hw/xen/interface/vcpu.h"
#include "hw/xen-evtchn/qemu/hooks.h"

/* As Xen's: 200 years, so that no sum overflows. */
#define MAX_PERIOD_NS   ((int64_t)(UINT64_MAX >> 2))

/* When a vCPU's periodic timer fired last, by cpu_index; xen_timers_lock */
static int64_t *last_event;

/* Stop the periodic timer of @cs; returns when it fired last. */
static int64_t stop_periodic(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    int64_t *last = &last_event[cs->cpu_index];

    if (env->xen_periodic_timer_period) {
        *last = timer_pending(env->xen_periodic_timer)
                    ? timer_expire_time_ns(env->xen_periodic_timer) -
                          env->xen_periodic_timer_period
                    : qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    }
    timer_del(env->xen_periodic_timer);
    env->xen_periodic_timer_period = 0;
    return *last;
}

/* A new period counts from the timer's last event, which may be long past. */
int xen_hypercall_set_periodic_timer(CPUState *cs, CPUState *target,
                                     uint64_t arg)
{
    CPUX86State *env = &X86_CPU(target)->env;
    struct vcpu_set_periodic_timer op;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    bool due;

    qemu_build_assert(sizeof(op) == 8);
    if (kvm_copy_from_gva(cs, arg, &op, sizeof(op))) {
        return -EFAULT;
    }
    if (op.period_ns < SCALE_MS || op.period_ns > MAX_PERIOD_NS) {
        return -EINVAL;
    }
    WITH_QEMU_LOCK_GUARD(&env->xen_timers_lock) {
        int64_t last = stop_periodic(target);

        due = now >= last + (int64_t)op.period_ns;
        env->xen_periodic_timer_period = op.period_ns;
        timer_mod_ns(env->xen_periodic_timer,
                     (due ? now : last) + op.period_ns);
    }
    if (due) {
        xen_evtchn_set_virq(target->cpu_index, VIRQ_TIMER);
    }
    return 0;
}

int xen_hypercall_stop_periodic_timer(CPUState *target)
{
    QEMU_LOCK_GUARD(&X86_CPU(target)->env.xen_timers_lock);
    stop_periodic(target);
    return 0;
}

/*
 * Raise the event if @timeout is past, and return true.  Xen's time is signed,
 * so a @timeout with bit 63 set is past.
 */
static bool raise_past(CPUState *cs, uint64_t timeout)
{
    CPUX86State *env = &X86_CPU(cs)->env;

    if ((int64_t)timeout >= (int64_t)xen_accel->get_system_time()) {
        return false;
    }
    WITH_QEMU_LOCK_GUARD(&env->xen_timers_lock) {
        timer_del(env->xen_singleshot_timer);
        env->xen_singleshot_timer_ns = 0;
    }
    xen_evtchn_set_virq(cs->cpu_index, VIRQ_TIMER);
    return true;
}

/* VCPU_SSHOTTMR_future is ignored, as by 4.18 (CHANGELOG.md) and by the lab's 4.17. */
bool xen_hypercall_set_singleshot_timer(CPUState *cs, CPUState *target,
                                        uint64_t arg, bool long_mode,
                                        int64_t *result)
{
    uint64_t timeout;

    *result = 0;
    /* Xen reads a 32-bit guest's argument before it looks at anything else. */
    if (cs != target && long_mode) {
        *result = -EINVAL;
    } else if (kvm_copy_from_gva(cs, arg, &timeout, sizeof(timeout))) {
        *result = -EFAULT;
    } else if (cs != target) {
        *result = -EINVAL;
    } else {
        return raise_past(cs, timeout);
    }
    return true;
}

bool xen_hypercall_set_timer_op(CPUState *cs, uint64_t timeout,
                                int64_t *result)
{
    *result = 0;
    /* QEMU's own code handles 0, which stops the timer, and bit 63. */
    return (int64_t)timeout > 0 && raise_past(cs, timeout);
}

static void reset(void)
{
    CPUState *cs;

    CPU_FOREACH(cs) {
        QEMU_LOCK_GUARD(&X86_CPU(cs)->env.xen_timers_lock);
        stop_periodic(cs);
    }
    memset(last_event, 0,
           MACHINE(qdev_get_machine())->smp.max_cpus * sizeof(*last_event));
}

void xen_hypercall_timer_init(void)
{
    last_event = g_new0(int64_t, MACHINE(qdev_get_machine())->smp.max_cpus);
    xen_hypercall_register_reset(reset);
}
