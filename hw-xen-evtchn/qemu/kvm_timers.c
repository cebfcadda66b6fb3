/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's singleshot timer and VIRQs, in the kernel's KVM_XEN or in QEMU.
 *
 * The kernel's timer sends an event by itself, to a port of a 2-level guest.
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "system/kvm.h"
#include "system/kvm_xen.h"
#include "system/runstate.h"
#include "target/i386/cpu.h"
#include <linux/kvm.h>

#include "hw/xen/interface/xen.h"
#include "hw/xen-accel/xen_accel.h"

#include "internal.h"

/* QEMU's timer, for a deadline in the guest's system time; xen_timers_lock held. */
static void start_timer(CPUX86State *env)
{
    if (env->xen_singleshot_timer_ns) {
        timer_mod_ns(env->xen_singleshot_timer,
                     qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                     (int64_t)(env->xen_singleshot_timer_ns -
                               xen_accel->get_system_time()));
    }
}

int xen_evtchn_kvm_take_timer(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    struct kvm_xen_vcpu_attr attr = { .type = KVM_XEN_VCPU_ATTR_TYPE_TIMER };
    uint64_t expires;
    int ret;

    QEMU_LOCK_GUARD(&env->xen_timers_lock);
    ret = kvm_vcpu_ioctl(cs, KVM_XEN_VCPU_GET_ATTR, &attr);
    if (ret || !attr.u.timer.port) {
        return ret;
    }
    expires = attr.u.timer.expires_ns;
    ret = xen_accel->set_vcpu_timer(cs, 0, 0);
    if (ret) {
        return ret;
    }
    env->xen_singleshot_timer_ns = expires;
    start_timer(env);
    return 0;
}

/*
 * Move it from QEMU to KVM, which runs a timer only if it has a port to raise.
 * QEMU's is deleted, or it would fire as well.  It does not fire just now: it would do
 * so with the BQL, which is held here.  A guest that is stopped keeps its timer in QEMU.
 */
static void give_timer(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    uint16_t port = env->xen_virq[VIRQ_TIMER];

    QEMU_LOCK_GUARD(&env->xen_timers_lock);
    if (port && runstate_is_running() &&
        !xen_accel->set_vcpu_timer(cs, port, env->xen_singleshot_timer_ns)) {
        timer_del(env->xen_singleshot_timer);
        env->xen_singleshot_timer_ns = 0;
    }
}

void xen_evtchn_kvm_move_timer(CPUState *cs)
{
    xen_evtchn_kvm_take_timer(cs);
    give_timer(cs);
}

void xen_evtchn_take_timer(CPUState *cs)
{
    if (kvm_xen_has_cap(EVTCHN_SEND)) {
        xen_evtchn_kvm_take_timer(cs);
    }
}

void xen_evtchn_resume_timer(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;

    WITH_QEMU_LOCK_GUARD(&env->xen_timers_lock) {
        start_timer(env);
    }
    if (kvm_xen_has_cap(EVTCHN_SEND)) {
        give_timer(cs);
    }
}

static void move_timer_work(CPUState *cs, run_on_cpu_data data)
{
    if (kvm_xen_has_cap(EVTCHN_SEND)) {
        xen_evtchn_kvm_move_timer(cs);
    }
}

void xen_evtchn_kvm_set_virq(XenEvtchnState *s, uint32_t vcpu, uint32_t virq,
                             uint32_t port)
{
    CPUState *cs = xen_evtchn_get_cpu(vcpu);

    if (!cs) {
        return;
    }
    if (virq == VIRQ_TIMER && s->kvm_evtchn) {
        X86_CPU(cs)->env.xen_virq[virq] = port;
        async_run_on_cpu(cs, move_timer_work, RUN_ON_CPU_NULL);
    } else {
        kvm_xen_set_vcpu_virq(vcpu, virq, port);
    }
    xen_evtchn_put_cpu(vcpu);
}

static void stop_timer_work(CPUState *cs, run_on_cpu_data data)
{
    CPUX86State *env = &X86_CPU(cs)->env;

    QEMU_LOCK_GUARD(&env->xen_timers_lock);
    timer_del(env->xen_singleshot_timer);
    env->xen_singleshot_timer_ns = 0;
}

/*
 * The reset has closed all VIRQ_TIMERs, so all timers are in QEMU, or will be when
 * the vCPUs have done the work that is queued for them before this.
 */
void xen_evtchn_kvm_stop_timers(XenEvtchnState *s)
{
    uint32_t i;

    for (i = 0; s->kvm_evtchn && i < s->nr_cpus; i++) {
        CPUState *cs = xen_evtchn_cpu(i);

        if (cs) {
            async_run_on_cpu(cs, stop_timer_work, RUN_ON_CPU_NULL);
        }
    }
}
