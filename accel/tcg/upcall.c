/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Upcalls on TCG: from an event on any thread to an interrupt in a vCPU.
 *
 * A thread that raises an event may hold the model's event lock, and so may not
 * take the BQL, which interrupt_request needs.  It sets a flag and
 *  - makes a running vCPU leave its translated code: before the vCPU enters it
 *    again (xen_tcg_exec_enter) it looks at its flags;
 *  - for a halted vCPU acts on the flags, if it happens to hold the BQL, or
 *    schedules a bottom half that does so: a vCPU thread that is about to sleep
 *    holds the BQL from its last look until it sleeps.
 * A vCPU that halts at that very moment sees the flag in xen_tcg_has_work():
 * the sender sets the flag and then looks at halted, the vCPU does it in the
 * opposite order.
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
 * INIT makes a vCPU and its LAPIC forget pending interrupts, but on Xen it
 * loses no upcall: one by the vector of all vCPUs is due as long as the flag is
 * set, and Xen raises one by the vCPU's own vector when the guest enables the
 * LAPIC.  QEMU's LAPIC keeps such an interrupt until then.
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
    v->in_firmware = false;
}

/*
 * Firmware takes interrupts for a moment, and clears no upcall's flag, nor does it
 * signal the EOI of a vector that it does not know: it would take the upcall again
 * and again, or the guest's kernel would wait for the LAPIC for ever.  On Xen
 * that can happen.  Here upcalls wait until vCPU 0 makes a hypercall, or pages.
 */
void xen_tcg_wake_up(void)
{
    XenTCGVCPU *v = xen_tcg_vcpu0();

    if (v) {
        v->in_firmware = true;
    }
}

static void notify_halted(void *opaque)
{
    XenTCGVCPU *v = opaque;

    if (!v->in_firmware) {
        take_flags(v);
    }
    qemu_cpu_kick(v->cs);
}

void xen_tcg_notify(XenTCGVCPU *v, unsigned int flags)
{
    if ((qatomic_fetch_or(&v->flags, flags) & flags) == flags) {
        return;
    }
    if (qatomic_read(&v->cs->halted)) {
        xen_tcg_runstate_woken(v);
        if (bql_locked()) {
            /* A back end in the main loop: it need not wait for its next turn. */
            notify_halted(v);
        } else {
            qemu_bh_schedule(v->bh);
        }
    } else if (v->cs == current_cpu) {
        cpu_exit(v->cs);
    } else {
        /* If one thread runs all vCPUs, it has to stop the one that runs. */
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
        /* A vCPU that is down runs again only after INIT. */
        BQL_LOCK_GUARD();
        xen_tcg_forget_down(v);
    }
    if (xen_tcg_waits_for_sipi(v)) {
        raise_again(v);
    }
    if (cpu_env(cs)->cr[0] & CR0_PG_MASK) {
        v->in_firmware = false;
    }
    if (qatomic_read(&v->flags) & ~XEN_TCG_WAKE && !v->in_firmware) {
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

    /* QEMU acts on INIT only when SIPI comes; Xen's guest sees it at once. */
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
           (flags & (XEN_TCG_UPCALL | XEN_TCG_VCPU_UPCALL) && !v->in_firmware &&
            X86_CPU(cs)->env.eflags & IF_MASK);
}

bool xen_tcg_upcall_due(CPUState *cs)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);

    return upcall_vector && upcall_pending(cs) && !(v && v->in_firmware);
}

int xen_tcg_upcall_vector(void)
{
    return upcall_vector;
}

/*
 * The line of an upcall by GSI goes low when the guest has cleared vCPU 0's
 * flag, which QEMU is not told.  Xen looks at the flag at each VM exit, so also
 * when the guest takes an interrupt or signals its EOI.
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
     * QEMU takes one request and then runs a block.  If the block ends the
     * vCPU's turn, as a spin loop's PAUSE does, and the PIT requests
     * CPU_INTERRUPT_POLL before each turn, QEMU would never take the upcall.
     * So do POLL's work here.
     */
    if (cs->interrupt_request & CPU_INTERRUPT_POLL) {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_POLL);
        apic_poll_irq(X86_CPU(cs)->apic_state);
    }
    xen_tcg_deassert_callback();
    return cs->interrupt_request;
}

/*
 * When the guest itself sets evtchn_upcall_pending, QEMU is not told.  Xen
 * looks at the flag whenever it enters the vCPU; QEMU does after each
 * hypercall.
 */
void xen_tcg_check_upcall(XenTCGVCPU *v)
{
    if (v->in_firmware) {
        v->in_firmware = false;
        if (qatomic_read(&v->flags) & ~XEN_TCG_WAKE) {
            cpu_exit(v->cs);
        }
    }
    if (xen_tcg_upcall_due(v->cs) &&
        !(qatomic_read(&v->cs->interrupt_request) & CPU_INTERRUPT_XEN)) {
        xen_tcg_notify(v, XEN_TCG_UPCALL);
    }
}

int xen_tcg_set_upcall_vector(uint8_t vector)
{
    CPUState *cs;

    upcall_vector = vector;
    /* Upcalls that are pending now were waiting for the vector. */
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
