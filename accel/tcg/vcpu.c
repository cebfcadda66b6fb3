/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs that are up, down, or wait for SIPI.
 *
 * The thread of a vCPU that is down halts it.  The vCPU keeps its registers,
 * and only VCPUOP_up and INIT wake it.
 */

#include "internal.h"
#include "hw/i386/apic_internal.h"

static APICCommonState *apic(XenTCGVCPU *v)
{
    return APIC_COMMON(X86_CPU(v->cs)->apic_state);
}

bool xen_tcg_waits_for_sipi(XenTCGVCPU *v)
{
    return apic(v)->wait_for_sipi;
}

XenVCPUStatus xen_tcg_get_vcpu_status(CPUState *cs, CPUState *target)
{
    XenTCGVCPU *v = xen_tcg_vcpu(target);

    if (xen_tcg_waits_for_sipi(v) ||
        target->interrupt_request & CPU_INTERRUPT_INIT) {
        return XEN_VCPU_WAITING;
    }
    return v->down ? XEN_VCPU_DOWN : XEN_VCPU_UP;
}

void xen_tcg_forget_down(XenTCGVCPU *v)
{
    v->down = false;
    v->init_pending = false;
    v->held = false;
}

static void hold(CPUState *cs, run_on_cpu_data from_waiting)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);

    if (v->init_pending) {
        bool again = cs->interrupt_request & CPU_INTERRUPT_INIT;

        v->init_pending = false;
        do_cpu_init(X86_CPU(cs));
        apic(v)->wait_for_sipi = 0;
        /* A second INIT may have come before this thread acted on the first. */
        if (again) {
            cpu_interrupt(cs, CPU_INTERRUPT_INIT);
        }
    }
    if (!v->held) {
        v->held = true;
        v->held_halted = cs->halted && !from_waiting.host_int;
    }
    cs->halted = 1;
    xen_tcg_runstate_leave(v);
}

static void release(CPUState *cs, run_on_cpu_data data)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);

    if (v->held) {
        v->held = false;
        cs->halted = v->held_halted;
        xen_tcg_runstate_leave(v);
    }
}

void xen_tcg_set_vcpu_status(CPUState *target, XenVCPUStatus status)
{
    XenTCGVCPU *v = xen_tcg_vcpu(target);
    bool waiting = xen_tcg_get_vcpu_status(NULL, target) == XEN_VCPU_WAITING;

    if (status == XEN_VCPU_UP) {
        v->down = false;
        async_run_on_cpu(target, release, RUN_ON_CPU_NULL);
        return;
    }
    v->down = true;
    if (waiting) {
        /* Act on a pending INIT; drop SIPI, which @target no longer awaits. */
        v->init_pending = target->interrupt_request & CPU_INTERRUPT_INIT;
        cpu_reset_interrupt(target, CPU_INTERRUPT_INIT | CPU_INTERRUPT_SIPI);
        apic(v)->wait_for_sipi = 0;
    }
    async_run_on_cpu(target, hold, RUN_ON_CPU_HOST_INT(waiting));
}
