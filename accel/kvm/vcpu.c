/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs that are up, down, or wait for SIPI.
 *
 * The kernel handles INIT and SIPI, so it alone knows a vCPU's state, and only
 * the vCPU's own thread may ask it without waiting for the vCPU to leave the
 * guest.  To KVM a vCPU that is down was never initialised: SIPI does not start
 * it, and INIT initialises it.  (While an interrupt is pending for such a vCPU,
 * KVM_RUN returns at once, again and again; KVM has no better state.)
 */

#include "qemu/osdep.h"
#include <linux/kvm.h>
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "cpu.h"
#include "system/kvm.h"
#include "system/reset.h"
#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/vcpu.h"

#include "internal.h"

typedef struct VCPU {
    bool down;
    uint32_t mp_state;          /* when it is up again */
} VCPU;

static GArray *vcpus;           /* VCPU by cpu_index; BQL */

/* A vCPU that starts anew without INIT must not sleep on. */
static void forget_halt(CPUState *cs, run_on_cpu_data data)
{
    xen_kvm_end_halt(cs);
}

static void reset(void *opaque)
{
    CPUState *cs;

    g_array_set_size(vcpus, 0);
    CPU_FOREACH(cs) {
        async_run_on_cpu(cs, forget_halt, RUN_ON_CPU_NULL);
    }
}

static VCPU *vcpu_of(CPUState *cs)
{
    if (!vcpus) {
        vcpus = g_array_new(false, true, sizeof(VCPU));
        qemu_register_reset(reset, NULL);
    }
    if (cs->cpu_index >= vcpus->len) {
        g_array_set_size(vcpus, cs->cpu_index + 1);
    }
    return &g_array_index(vcpus, VCPU, cs->cpu_index);
}

void xen_kvm_init_vcpu_status(CPUState *cs)
{
    *vcpu_of(cs) = (VCPU) {};
}

void xen_kvm_save_vcpu_status(CPUState *cs, bool *down, uint32_t *mp_state)
{
    *down = vcpu_of(cs)->down;
    *mp_state = vcpu_of(cs)->mp_state;
}

void xen_kvm_load_vcpu_status(CPUState *cs, bool down, uint32_t mp_state)
{
    *vcpu_of(cs) = (VCPU) { .down = down, .mp_state = mp_state };
}

/* Ask @target's thread ------------------------------------------------------ */

typedef struct Query {
    void (*ask)(CPUState *target, struct Query *query);
    CPUState *from;
    bool done;
    XenVCPUStatus status;
    struct vcpu_runstate_info *runstate;
    int ret;
} Query;

static void do_query(CPUState *target, run_on_cpu_data data)
{
    Query *query = data.host_ptr;

    query->ask(target, query);
    query->done = true;
    qemu_cond_broadcast(query->from->halt_cond);
}

/* Two vCPUs may ask each other, so a waiting vCPU answers queries meanwhile. */
static void query_vcpu(CPUState *cs, CPUState *target, Query *query)
{
    if (cs == target) {
        query->ask(target, query);
        return;
    }
    query->from = cs;
    object_ref(OBJECT(target));
    async_run_on_cpu(target, do_query, RUN_ON_CPU_HOST_PTR(query));
    /* If @target is unplugged meanwhile, its thread ends and never answers. */
    while (!query->done && target->created) {
        xen_accel_do_queued_work(cs);
        if (!query->done) {
            /* A time-out, as some threads queue work without the BQL. */
            qemu_cond_timedwait_bql(cs->halt_cond, 10);
        }
    }
    if (!query->done) {
        query->status = XEN_VCPU_WAITING;
        query->ret = -ENOENT;
    }
    object_unref(OBJECT(target));
}

static uint32_t get_mp_state(CPUState *cs)
{
    struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };

    kvm_vcpu_ioctl(cs, KVM_GET_MP_STATE, &state);
    return state.mp_state;
}

static void set_mp_state(CPUState *cs, uint32_t mp_state)
{
    struct kvm_mp_state state = { .mp_state = mp_state };

    kvm_vcpu_ioctl(cs, KVM_SET_MP_STATE, &state);
}

/*
 * QEMU writes a vCPU's registers when it enters KVM next, and with them the
 * state of INIT, so that an INIT that came since they were read would be lost.
 * So write them now, before the kernel's state is read.
 */
static void put_registers(CPUState *cs)
{
    /* If KVM refuses them, entering KVM reports it later. */
    if (cs->vcpu_dirty &&
        !kvm_arch_put_registers(cs, KVM_PUT_RUNTIME_STATE, NULL)) {
        cs->vcpu_dirty = false;
    }
}

static void ask_status(CPUState *cs, Query *query)
{
    VCPU *v = vcpu_of(cs);

    put_registers(cs);

    switch (get_mp_state(cs)) {
    case KVM_MP_STATE_UNINITIALIZED:
        query->status = v->down ? XEN_VCPU_DOWN : XEN_VCPU_WAITING;
        return;
    case KVM_MP_STATE_INIT_RECEIVED:
        query->status = XEN_VCPU_WAITING;
        break;
    default:
        query->status = XEN_VCPU_UP;
        break;
    }
    /* From UNINITIALIZED, in which QEMU left it, only INIT gets a vCPU here. */
    v->down = false;
}

XenVCPUStatus xen_kvm_get_vcpu_status(CPUState *cs, CPUState *target)
{
    Query query = { .ask = ask_status };

    query_vcpu(cs, target, &query);
    return query.status;
}

/* Down and up --------------------------------------------------------------- */

static void take_down(CPUState *cs, run_on_cpu_data data)
{
    Query query = {};
    VCPU *v = vcpu_of(cs);

    ask_status(cs, &query);
    if (query.status == XEN_VCPU_DOWN) {
        return;
    }
    v->mp_state = query.status == XEN_VCPU_UP ? get_mp_state(cs)
                                              : KVM_MP_STATE_RUNNABLE;
    v->down = true;
    set_mp_state(cs, KVM_MP_STATE_UNINITIALIZED);
}

static void bring_up(CPUState *cs, run_on_cpu_data data)
{
    Query query = {};
    VCPU *v = vcpu_of(cs);

    ask_status(cs, &query);
    if (query.status == XEN_VCPU_DOWN) {
        v->down = false;
        set_mp_state(cs, v->mp_state);
        /* At the end of a reset QEMU gives the kernel its own idea of it. */
        X86_CPU(cs)->env.mp_state = v->mp_state;
    }
}

void xen_kvm_set_vcpu_status(CPUState *target, XenVCPUStatus status)
{
    async_run_on_cpu(target, status == XEN_VCPU_UP ? bring_up : take_down,
                     RUN_ON_CPU_NULL);
}

/* Asleep -------------------------------------------------------------------- */

void xen_kvm_begin_halt(CPUState *cs)
{
    set_mp_state(cs, KVM_MP_STATE_HALTED);
}

void xen_kvm_end_halt(CPUState *cs)
{
    VCPU *v = vcpu_of(cs);

    if (get_mp_state(cs) == KVM_MP_STATE_HALTED) {
        set_mp_state(cs, KVM_MP_STATE_RUNNABLE);
    } else if (v->down && v->mp_state == KVM_MP_STATE_HALTED) {
        v->mp_state = KVM_MP_STATE_RUNNABLE;
    }
}

/* Runstate ------------------------------------------------------------------ */

static void ask_runstate(CPUState *cs, Query *query)
{
    struct kvm_xen_vcpu_attr attr = {
        .type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
    };
    struct vcpu_runstate_info *info = query->runstate;

    query->ret = kvm_vcpu_ioctl(cs, KVM_XEN_VCPU_GET_ATTR, &attr);
    if (query->ret) {
        return;
    }
    info->state = attr.u.runstate.state;
    info->state_entry_time = attr.u.runstate.state_entry_time;
    info->time[RUNSTATE_running] = attr.u.runstate.time_running;
    info->time[RUNSTATE_runnable] = attr.u.runstate.time_runnable;
    info->time[RUNSTATE_blocked] = attr.u.runstate.time_blocked;
    info->time[RUNSTATE_offline] = attr.u.runstate.time_offline;
    if (query->from == cs) {
        return;
    }
    /* To KVM the vCPU runs just now, as its thread does this query. */
    ask_status(cs, query);
    if (query->status != XEN_VCPU_UP) {
        info->state = RUNSTATE_offline;
    } else if (get_mp_state(cs) == KVM_MP_STATE_HALTED) {
        info->state = RUNSTATE_blocked;
    }
}

int xen_kvm_get_vcpu_runstate(CPUState *cs, CPUState *target, uint64_t now,
                              struct vcpu_runstate_info *info)
{
    Query query = { .ask = ask_runstate, .from = cs, .runstate = info };

    query_vcpu(cs, target, &query);
    return query.ret;
}
