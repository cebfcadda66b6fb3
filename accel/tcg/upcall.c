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
#include "hw/i386/apic.h"
#include "hw/i386/apic_internal.h"
#include "hw/i386/kvm/xen_evtchn.h"

static uint8_t upcall_vector;

static bool upcall_pending(CPUState *cs)
{
    return xen_upcall_pending(X86_CPU(cs)->env.xen_vcpu_info_hva);
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

/*
 * INIT makes a vCPU and its LAPIC forget what they have got.  An upcall is never
 * lost on Xen: that by one vector for all lasts as long as the flag is set, and
 * that by the vCPU's own is raised when the guest enables the LAPIC.  QEMU's
 * LAPIC keeps it until then.
 */
static void raise_again(XenTCGVCPU *v)
{
    uint8_t vector =
        qatomic_read(&X86_CPU(v->cs)->env.xen_vcpu_callback_vector);

    if (!upcall_pending(v->cs)) {
        return;
    }
    qatomic_set(&v->vcpu_vector, vector);
    qatomic_or(&v->flags, vector ? XEN_TCG_VCPU_UPCALL : XEN_TCG_UPCALL);
}

void xen_tcg_upcall_reset(XenTCGVCPU *v)
{
    qatomic_set(&v->flags, 0);
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
        xen_tcg_runstate_woken(v);
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
    xen_tcg_end_block(v);
    xen_tcg_runstate_enter(v);
    if (v->held) {
        /* Only INIT starts a vCPU that is down. */
        BQL_LOCK_GUARD();
        xen_tcg_forget_down(v);
    }
    if (xen_tcg_waits_for_sipi(v)) {
        raise_again(v);
    }
    if (qatomic_read(&v->flags) & ~XEN_TCG_WAKE) {
        BQL_LOCK_GUARD();
        take_flags(v);
    }
}

void xen_tcg_exec_exit(CPUState *cs)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);

    if (v) {
        xen_tcg_runstate_leave(v);
    }
}

bool xen_tcg_has_work(CPUState *cs)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);
    unsigned int flags;

    /* QEMU lets INIT wait for SIPI: there is nothing to see of it before. */
    if (qatomic_read(&cs->interrupt_request) & CPU_INTERRUPT_INIT) {
        return true;
    }
    if (v && v->held) {
        return false;
    }
    if (x86_cpu_pending_interrupt(cs, cs->interrupt_request)) {
        return true;
    }
    if (!v) {
        return false;
    }
    flags = qatomic_read(&v->flags);
    return xen_tcg_block_ends(v, flags) ||
           (flags & (XEN_TCG_UPCALL | XEN_TCG_VCPU_UPCALL) &&
            X86_CPU(cs)->env.eflags & IF_MASK);
}

bool xen_tcg_upcall_due(CPUState *cs)
{
    return upcall_vector && upcall_pending(cs);
}

int xen_tcg_upcall_vector(void)
{
    return upcall_vector;
}

/*
 * Nothing but vCPU 0's flag says that the line of an upcall by GSI can go low.
 * Xen looks at it at each VM exit, which taking an interrupt and its EOI are.
 */
void xen_tcg_deassert_callback(void)
{
    XenTCGVCPU *v = xen_tcg_vcpu0();
    CPUX86State *env = v ? &X86_CPU(v->cs)->env : NULL;

    if (env && env->xen_callback_asserted && !upcall_pending(v->cs)) {
        env->xen_callback_asserted = false;
        xen_evtchn_set_callback_level(0);
    }
}

void xen_tcg_drop_taken_upcall(CPUState *cs)
{
    if (cs->interrupt_request & CPU_INTERRUPT_XEN && !xen_tcg_upcall_due(cs)) {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_XEN);
    }
}

int xen_tcg_update_interrupts(CPUState *cs)
{
    if (!xen_tcg_active) {
        return -1;
    }
    xen_tcg_drop_taken_upcall(cs);
    /*
     * QEMU takes one request and then runs a block.  If that ends the vCPU's turn,
     * as a spin loop's PAUSE does, and the PIT asks for a look at the LAPIC before
     * each turn, an upcall would never have its own.
     */
    if (cs->interrupt_request & CPU_INTERRUPT_POLL) {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_POLL);
        apic_poll_irq(X86_CPU(cs)->apic_state);
    }
    xen_tcg_deassert_callback();
    return cs->interrupt_request;
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
