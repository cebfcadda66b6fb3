/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Upcalls on TCG: from an event on any thread to an interrupt in a vCPU.
 *
 * Who raises an event holds locks of the event-channel model, and so may not
 * take the BQL, which interrupt_request needs.  It sets a flag and
 *  - has a running vCPU leave its translated code: on its way in again
 *    (xen_tcg_exec_enter) the vCPU looks at its flags;
 *  - for a halted one schedules a bottom half, which does the same with the BQL
 *    held: a vCPU thread that is about to sleep holds the BQL from its last
 *    look until it sleeps.
 * A vCPU that halts at that very moment sees the flag in xen_tcg_has_work():
 * we set the flag and then look at halted, it the other way round.
 */

#include "internal.h"
#include "hw/i386/apic_internal.h"
#include "hw/i386/kvm/xen_evtchn.h"
#include "hw/xen-evtchn/qemu/hooks.h"

static uint8_t upcall_vector;

static bool upcall_pending(CPUState *cs)
{
    struct vcpu_info *info = X86_CPU(cs)->env.xen_vcpu_info_hva;

    return info && qatomic_read(&info->evtchn_upcall_pending);
}

/* Act on the flags.  BQL held. */
static void take_flags(XenTCGVCPU *v)
{
    unsigned int flags = qatomic_fetch_and(&v->flags, XEN_TCG_WAKE);

    if (flags & XEN_TCG_VCPU_UPCALL) {
        MSIMessage msg = xen_accel_upcall_message(v->cs,
                                                  qatomic_read(&v->vcpu_vector));

        apic_get_class(NULL)->send_msi(&msg);
    }
    if (flags & XEN_TCG_UPCALL && upcall_vector) {
        cpu_interrupt(v->cs, CPU_INTERRUPT_XEN);
    }
}

static void notify_halted(void *opaque)
{
    XenTCGVCPU *v = opaque;

    take_flags(v);
    qemu_cpu_kick(v->cs);
}

void xen_tcg_notify(XenTCGVCPU *v, unsigned int flags)
{
    if ((qatomic_fetch_or(&v->flags, flags) & flags) == flags) {
        return;
    }
    if (qatomic_read(&v->cs->halted)) {
        qemu_bh_schedule(v->bh);
    } else if (v->cs == current_cpu) {
        cpu_exit(v->cs);
    } else {
        /* With one thread for all vCPUs it is another that has to stop. */
        qemu_cpu_kick(v->cs);
    }
}

void xen_tcg_exec_enter(CPUState *cs)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);

    if (!v) {
        return;
    }
    if (v->blocked) {
        v->blocked = false;
        timer_del(v->block_timer);
        xen_evtchn_poll_cancel(cs->cpu_index);
    }
    if (qatomic_read(&v->flags) & ~XEN_TCG_WAKE) {
        BQL_LOCK_GUARD();
        take_flags(v);
    }
}

bool xen_tcg_has_work(CPUState *cs)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);
    CPUX86State *env = &X86_CPU(cs)->env;
    unsigned int flags;

    if (!v) {
        return false;
    }
    flags = qatomic_read(&v->flags);
    if (flags & XEN_TCG_WAKE && v->blocked) {
        return true;
    }
    return flags & (XEN_TCG_UPCALL | XEN_TCG_VCPU_UPCALL) &&
           env->eflags & IF_MASK;
}

bool xen_tcg_upcall_due(CPUState *cs)
{
    return upcall_vector && upcall_pending(cs);
}

int xen_tcg_upcall_vector(void)
{
    return upcall_vector;
}

void xen_tcg_update_interrupts(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;

    if (cs->interrupt_request & CPU_INTERRUPT_XEN && !xen_tcg_upcall_due(cs)) {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_XEN);
    }
    /* An upcall by GSI: nothing but the flag says that it can go low. */
    if (env->xen_callback_asserted && !upcall_pending(cs)) {
        env->xen_callback_asserted = false;
        xen_evtchn_set_callback_level(0);
    }
}

/*
 * The guest's own write to evtchn_upcall_pending tells nobody.  Xen looks at it
 * whenever it enters the vCPU; we do after a hypercall.
 */
void xen_tcg_check_upcall(XenTCGVCPU *v)
{
    if (xen_tcg_upcall_due(v->cs) &&
        !(qatomic_read(&v->cs->interrupt_request) & CPU_INTERRUPT_XEN)) {
        xen_tcg_notify(v, XEN_TCG_UPCALL);
    }
}

int xen_tcg_set_upcall_vector(uint8_t vector)
{
    CPUState *cs;

    upcall_vector = vector;
    /* What is pending by now waits for this. */
    CPU_FOREACH(cs) {
        if (vector && upcall_pending(cs)) {
            cpu_interrupt(cs, CPU_INTERRUPT_XEN);
        }
    }
    return 0;
}

void xen_tcg_raise_upcall(CPUState *cs)
{
    xen_tcg_notify(xen_tcg_vcpu(cs), XEN_TCG_UPCALL);
}

void xen_tcg_raise_vcpu_upcall(CPUState *cs, uint8_t vector)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);

    qatomic_set(&v->vcpu_vector, vector);
    xen_tcg_notify(v, XEN_TCG_VCPU_UPCALL);
}

void xen_tcg_upcall_init_vcpu(XenTCGVCPU *v)
{
    v->bh = qemu_bh_new(notify_halted, v);
}
