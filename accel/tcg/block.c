/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCHEDOP_block and SCHEDOP_poll on TCG: a vCPU that sleeps in a hypercall. */

#include "internal.h"
#include "exec/exec-all.h"
#include "hw/xen-evtchn/qemu/hooks.h"

static void block_timeout(void *opaque)
{
    XenTCGVCPU *v = opaque;

    xen_tcg_notify(v, XEN_TCG_WAKE);
}

void xen_tcg_block_init_vcpu(XenTCGVCPU *v)
{
    v->block_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, block_timeout, v);
}

/* Interrupts that are pending now do not end the sleep: the vCPU knows them. */
static unsigned int interrupts_seen(XenTCGVCPU *v)
{
    BQL_LOCK_GUARD();
    /* A guest may have cleared its upcall flag itself, with interrupts off. */
    xen_tcg_drop_taken_upcall(v->cs);
    return v->cs->interrupt_request;
}

static void fall_asleep(XenTCGVCPU *v)
{
    v->block = false;
    v->block_seen = interrupts_seen(v);
    /* Before halted: a thread that sees halted must see blocked, too. */
    v->blocked = true;
    qatomic_set_mb(&v->cs->halted, 1);
}

void xen_tcg_block_vcpu(CPUState *cs, uint64_t until_ns)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);

    v->block = true;
    if (until_ns) {
        timer_mod(v->block_timer, MIN(until_ns, INT64_MAX));
    }
}

static bool upcall_pending(CPUState *cs)
{
    return xen_upcall_pending(X86_CPU(cs)->env.xen_vcpu_info_hva);
}

static void block_after_call(CPUState *cs, run_on_cpu_data data)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);

    if (v->block && data.host_int == (int)upcall_pending(cs)) {
        fall_asleep(v);
        /* It has left translated code before. */
        xen_tcg_runstate_leave(v);
    } else {
        v->blocked = true;
        xen_tcg_end_block(v);
    }
}

/*
 * A hypercall of a PV guest's monitor is within a write to a port, which must come
 * to its end first.  What comes for the guest until then is not slept over.
 */
void xen_tcg_pv_block_vcpu(CPUState *cs, uint64_t until_ns)
{
    xen_tcg_block_vcpu(cs, until_ns);
    async_run_on_cpu(cs, block_after_call,
                     RUN_ON_CPU_HOST_INT(upcall_pending(cs)));
}

void xen_tcg_wake_vcpu(CPUState *cs)
{
    xen_tcg_notify(xen_tcg_vcpu(cs), XEN_TCG_WAKE);
}

/*
 * What ends a sleep, whether the guest takes interrupts or not, is what Xen
 * calls vcpu_kick() for: an upcall that is raised, or an interrupt that has
 * reached the LAPIC since.
 */
bool xen_tcg_block_ends(XenTCGVCPU *v, unsigned int flags)
{
    unsigned int requests = qatomic_read(&v->cs->interrupt_request);

    return v->blocked &&
           (flags || requests & ~v->block_seen &
                         (CPU_INTERRUPT_HARD | CPU_INTERRUPT_XEN));
}

void xen_tcg_end_block(XenTCGVCPU *v)
{
    v->block = false;
    if (v->blocked) {
        v->blocked = false;
        timer_del(v->block_timer);
        xen_evtchn_poll_cancel(v->cs->cpu_index);
        /* A wake-up for this sleep that is late must not end the next one. */
        qatomic_and(&v->flags, ~XEN_TCG_WAKE);
    }
}

void xen_tcg_maybe_block(XenTCGVCPU *v)
{
    if (v->block) {
        fall_asleep(v);
        v->cs->exception_index = EXCP_HLT;
        cpu_loop_exit(v->cs);
    }
}
