/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's KVM_XEN does for a guest's event channels.
 *
 * KVM knows 2-level only.  With KVM_XEN_HVM_CONFIG_EVTCHN_SEND it delivers
 * events by itself: IPIs, singleshot timers and irqfds straight into the
 * guest's bits, guest to back end by eventfd; and it serves SCHEDOP_poll by
 * looking at those bits.
 *
 * The rule: at any time one of the two, the kernel or the model, delivers to
 * the guest.  Before a guest becomes FIFO or 3-level everything in the kernel
 * that writes or waits for 2-level bits is stopped (begin_switch), and only
 * after a reset has made it 2-level again is it started (reclaim).  The
 * eventfds stay: they touch nothing of the guest's.
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "system/kvm.h"
#include "system/kvm_xen.h"
#include "target/i386/cpu.h"

#include "hw/xen-accel/xen_accel.h"

#include "internal.h"

/* On the vCPU's thread, with the BQL. */
static void take_timer_work(CPUState *cs, run_on_cpu_data data)
{
    XenEvtchnState *s = data.host_ptr;
    XenEvtchnCPU *c = &s->cpus[cs->cpu_index];

    c->timer_error = xen_evtchn_kvm_take_timer(cs);
    c->taking_timer = false;
    if (c->timer_error) {
        error_report("KVM does not give up vCPU %d's Xen timer: %s",
                     cs->cpu_index, strerror(-c->timer_error));
    }
}

/*
 * Have each vCPU move its timer to QEMU; for that it also leaves KVM's SCHEDOP_poll,
 * which waits for 2-level bits.  Two vCPUs may be here at a time, each with work
 * for the other, so neither may wait without doing its own.
 */
static int take_all_timers(XenEvtchnState *s)
{
    CPUState *cs;
    uint32_t i;
    int ret = 0;

    for (i = 0; i < s->nr_cpus; i++) {
        cs = xen_evtchn_cpu(i);
        if (cs && !s->cpus[i].taking_timer) {
            s->cpus[i].taking_timer = true;
            async_run_on_cpu(cs, take_timer_work, RUN_ON_CPU_HOST_PTR(s));
        }
    }
    for (i = 0; i < s->nr_cpus; i++) {
        while (s->cpus[i].taking_timer && xen_evtchn_cpu(i)) {
            if (current_cpu) {
                xen_accel_do_queued_work(current_cpu);
            }
            bql_unlock();
            g_usleep(50);
            bql_lock();
        }
        if (!xen_evtchn_cpu(i)) {
            /* Unplugged meanwhile: its work is never done. */
            s->cpus[i].taking_timer = false;
            s->cpus[i].timer_error = 0;
        }
        ret = s->cpus[i].timer_error ?: ret;
    }
    return ret;
}

static void give_timer_work(CPUState *cs, run_on_cpu_data data)
{
    CPUX86State *env = &X86_CPU(cs)->env;

    /* Since this was queued another vCPU may have begun a switch. */
    if (kvm_xen_has_cap(EVTCHN_SEND)) {
        xen_accel->set_vcpu_upcall_vector(cs, env->xen_vcpu_callback_vector);
        xen_evtchn_kvm_move_timer(cs);
    }
}

/* KVM's routes of PIRQs set 2-level bits, which it must not from now on. */
static void drop_routes(XenEvtchnState *s)
{
    s->kvm_dropping_routes = true;
    xen_evtchn_msi_refresh_all(s);
    s->kvm_dropping_routes = false;
}

int xen_evtchn_kvm_begin_switch(XenEvtchnState *s)
{
    int ret;

    s->kvm_switching++;
    if (!s->kvm_evtchn || s->kvm_released) {
        return 0;
    }
    /* A binder holds this lock while it gives KVM a timer or a port. */
    qemu_mutex_lock(&s->kvm_lock);
    ret = xen_evtchn_kvm_set_delivers(s, false);
    if (ret) {
        xen_evtchn_kvm_set_delivers(s, true);
        qemu_mutex_unlock(&s->kvm_lock);
        return ret;
    }
    ret = kvm_xen_set_evtchn_send(false);
    qemu_mutex_unlock(&s->kvm_lock);
    if (ret) {
        error_report("KVM does not stop 2-level event channels: %s",
                     strerror(-ret));
        return ret;
    }
    drop_routes(s);
    ret = take_all_timers(s);
    s->kvm_released = !ret;
    return ret;
}

void xen_evtchn_kvm_end_switch(XenEvtchnState *s)
{
    s->kvm_switching--;
    xen_evtchn_kvm_reclaim(s);
}

void xen_evtchn_kvm_reclaim(XenEvtchnState *s)
{
    CPUState *cs;
    uint32_t i;

    /* Another vCPU may be about to switch: the last one gets to this. */
    if (!s->kvm_evtchn || s->kvm_switching || kvm_xen_has_cap(EVTCHN_SEND) ||
        evtchn_domain_abi(s->guest) != EVTCHN_ABI_2L) {
        return;
    }
    s->kvm_released = false;
    kvm_xen_set_evtchn_send(true);
    for (i = 0; i < s->nr_cpus; i++) {
        cs = xen_evtchn_cpu(i);
        if (cs) {
            async_run_on_cpu(cs, give_timer_work, RUN_ON_CPU_NULL);
        }
    }
    xen_evtchn_kvm_update(s);
    xen_evtchn_msi_refresh_all(s);
}

/* The vCPU has called begin_switch before, so this refuses no guest. */
int xen_evtchn_kvm_abi_change(void *opaque, enum evtchn_abi abi)
{
    XenEvtchnState *s = opaque;

    if (abi != EVTCHN_ABI_2L && s->kvm_evtchn && !s->kvm_released) {
        return -EBUSY;
    }
    return 0;
}
