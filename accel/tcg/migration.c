/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest on TCG in a stream: what each vCPU has here.
 *
 * Where a vCPU's areas are is in QEMU's own state of the vCPU.  They are set up
 * when the event-channel device is loaded, which comes after shared_info's; and for
 * vCPUs that were plugged later, whose state comes later, when the guest goes on.
 */

#include "internal.h"
#include "qemu/error-report.h"
#include "exec/exec-all.h"
#include "exec/ram_addr.h"
#include "migration/vmstate.h"
#include "hw/i386/kvm/xen_overlay.h"
#include <linux/kvm.h>
#include "system/kvm.h"
#include "system/runstate.h"
#include "target/i386/kvm/xen-emu.h"

/* Since this load the guest has not run. */
static bool loaded;

static int vcpu_pre_save(void *opaque)
{
    XenTCGVCPU *v = opaque;
    CPUX86State *env = &X86_CPU(v->cs)->env;

    v->periodic_expires = timer_expire_time_ns(env->xen_periodic_timer);
    v->callback_asserted = env->xen_callback_asserted;
    return 0;
}

static int vcpu_post_load(void *opaque, int version_id)
{
    XenTCGVCPU *v = opaque;

    v->flags &= XEN_TCG_UPCALL | XEN_TCG_VCPU_UPCALL | XEN_TCG_WAKE;
    if (v->blocked) {
        /*
         * As on Xen: what it polls is not known here, so the hypercall returns,
         * and the guest looks again.
         */
        v->flags |= XEN_TCG_WAKE;
    }
    /*
     * A guest that has run here, and that a snapshot now replaces, may have run for
     * longer than the snapshot's: these times of its vCPU would lie in the future.
     */
    v->woken_ns = 0;
    v->counted_ns = 0;
    return 0;
}

static bool runstate_valid(void *opaque, int version_id)
{
    XenTCGVCPU *v = opaque;

    return v->runstate.state >= 0 &&
           v->runstate.state < ARRAY_SIZE(v->runstate.time);
}

static const VMStateDescription vmstate_vcpu = {
    .name = "xen_tcg_vcpu",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = vcpu_pre_save,
    .post_load = vcpu_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(flags, XenTCGVCPU),
        VMSTATE_UINT8(vcpu_vector, XenTCGVCPU),
        VMSTATE_BOOL(in_firmware, XenTCGVCPU),
        VMSTATE_BOOL(blocked, XenTCGVCPU),
        VMSTATE_BOOL(down, XenTCGVCPU),
        VMSTATE_BOOL(init_pending, XenTCGVCPU),
        VMSTATE_BOOL(held, XenTCGVCPU),
        VMSTATE_BOOL(held_halted, XenTCGVCPU),
        VMSTATE_INT32(runstate.state, XenTCGVCPU),
        VMSTATE_VALIDATE("runstate", runstate_valid),
        VMSTATE_UINT64(runstate.state_entry_time, XenTCGVCPU),
        VMSTATE_UINT64_ARRAY(runstate.time, XenTCGVCPU, 4),
        VMSTATE_INT64(periodic_expires, XenTCGVCPU),
        VMSTATE_BOOL(callback_asserted, XenTCGVCPU),
        VMSTATE_END_OF_LIST()
    },
};

/* QEMU's own code sets the areas up, as on KVM. */
static int set_up_vcpu(XenTCGVCPU *v)
{
    CPUX86State *env = &X86_CPU(v->cs)->env;
    int ret = kvm_put_xen_state(v->cs);

    if (ret) {
        error_report("vCPU %d: no memory where the guest has its areas: %s",
                     v->cs->cpu_index, strerror(-ret));
        return ret;
    }
    env->xen_callback_asserted = v->callback_asserted;
    /* QEMU starts a new period: this one goes on. */
    if (env->xen_periodic_timer_period && v->periodic_expires > 0) {
        timer_mod_ns(env->xen_periodic_timer, v->periodic_expires);
    }
    return 0;
}

static int set_up_vcpus(void)
{
    CPUState *cs;
    int ret = 0;

    CPU_FOREACH(cs) {
        XenTCGVCPU *v = xen_tcg_vcpu(cs);

        ret = ret || !v ? ret : set_up_vcpu(v);
    }
    return ret;
}

int xen_tcg_guest_loaded(void)
{
    loaded = true;
    xen_set_long_mode(xen_is_long_mode());
    return set_up_vcpus();
}

void xen_tcg_forget_load(void)
{
    loaded = false;
}

/* If there is code beside it, that is as it was, and stays protected. */
static void area_written(const XenGuestArea *area)
{
    if (area->ptr) {
        char *ram = memory_region_get_ram_ptr(area->mr);

        cpu_physical_memory_set_dirty_range(
            memory_region_get_ram_addr(area->mr) + ((char *)area->ptr - ram),
            area->size, DIRTY_CLIENTS_NOCODE);
    }
}

/*
 * Before the devices go on: their events go to vcpu_info.  And when the guest stops,
 * what it has had vCPUs do for each other is to be done before it is saved.
 */
static void vm_prepare(void *opaque, bool running, RunState state)
{
    CPUState *cs;

    if (running && loaded) {
        loaded = false;
        set_up_vcpus();
    } else if (!running) {
        CPU_FOREACH(cs) {
            xen_accel_await_queued_work(cs);
        }
    }
}

/* The areas are written without the dirty log's knowing: save them once more. */
static void vm_changed(void *opaque, bool running, RunState state)
{
    CPUState *cs;

    if (running) {
        return;
    }
    CPU_FOREACH(cs) {
        XenTCGVCPU *v = xen_tcg_vcpu(cs);

        if (v) {
            area_written(&v->vcpu_info);
            area_written(&v->time_info);
            area_written(&v->runstate_area);
        }
    }
}

void xen_tcg_migration_init(void)
{
    qemu_add_vm_change_state_handler_prio_full(vm_changed, vm_prepare, NULL, 0);
}

void xen_tcg_migration_init_vcpu(XenTCGVCPU *v)
{
    vmstate_register(NULL, v->cs->cpu_index, &vmstate_vcpu, v);
}

void xen_tcg_migration_destroy_vcpu(XenTCGVCPU *v)
{
    vmstate_unregister(NULL, &vmstate_vcpu, v);
}
