/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest on KVM that is stopped, saved and loaded.
 *
 * Where a vCPU's areas are, its upcall vector and its timers are in QEMU's own state of
 * the vCPU, and QEMU's own code sets them up after a load.  Here is what is
 * missing there: the runstate, which only the kernel knows; whether VCPUOP_down took
 * the vCPU down; and what the kernel would do while the guest is stopped.
 *
 * The guest's system time is KVM's clock.  QEMU stops it only by setting it back when
 * the guest goes on, to what it was: meanwhile the kernel's timers would fire, and its
 * runstates go on.  So both are taken out of the kernel when the guest stops, and given
 * back once the clock is right: after a load, too, on a host of any other time.
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "qemu/error-report.h"
#include <linux/kvm.h>
#include "cpu.h"
#include "exec/address-spaces.h"
#include "migration/vmstate.h"
#include "system/kvm.h"
#include "system/kvm_xen.h"
#include "system/runstate.h"
#include "hw/i386/kvm/xen_overlay.h"
#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/vcpu.h"
#include "hw/xen-evtchn/qemu/hooks.h"
#include "hw/xen-hypercalls/hypercalls.h"

#include "internal.h"

/* After QEMU's own handler, which sets KVM's clock. */
#define AFTER_KVMCLOCK 1

typedef struct XenKVMVCPU {
    CPUState *cs;
    bool loaded;                /* since then it has not run */

    /* In the stream */
    bool down;
    uint32_t mp_state;
    bool has_runstate;
    struct vcpu_runstate_info runstate;
    int64_t periodic_expires;
    bool callback_asserted;
} XenKVMVCPU;

static GPtrArray *vcpus;        /* XenKVMVCPU, or NULL, by cpu_index; BQL */

/* What the kernel has -------------------------------------------------------- */

static void get_runstate(XenKVMVCPU *v)
{
    struct kvm_xen_vcpu_attr attr = {
        .type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
    };

    /* Without CONFIG_SCHED_INFO the kernel has none. */
    v->has_runstate =
        (xen_accel->get_caps() & KVM_XEN_HVM_CONFIG_RUNSTATE) &&
        !kvm_vcpu_ioctl(v->cs, KVM_XEN_VCPU_GET_ATTR, &attr);
    if (v->has_runstate) {
        v->runstate = (struct vcpu_runstate_info) {
            .state = attr.u.runstate.state,
            .state_entry_time = attr.u.runstate.state_entry_time,
            .time[RUNSTATE_running] = attr.u.runstate.time_running,
            .time[RUNSTATE_runnable] = attr.u.runstate.time_runnable,
            .time[RUNSTATE_blocked] = attr.u.runstate.time_blocked,
            .time[RUNSTATE_offline] = attr.u.runstate.time_offline,
        };
    }
}

/* It is offline from now on.  The kernel has counted up to its last change of state. */
static void end_runstate(XenKVMVCPU *v)
{
    struct vcpu_runstate_info *r = &v->runstate;
    uint64_t now;

    /* While the guest is stopped they are here, and KVM's clock has gone on. */
    if (runstate_is_live(runstate_get())) {
        get_runstate(v);
        now = xen_accel->get_system_time();
        if (now > r->state_entry_time) {
            r->time[r->state] += now - r->state_entry_time;
            r->state_entry_time = now;
        }
    }
    if (v->has_runstate) {
        r->state = RUNSTATE_offline;
        *xen_absent_vcpu_runstate(v->cs->cpu_index) = *r;
    }
}

static void set_runstate(XenKVMVCPU *v)
{
    struct kvm_xen_vcpu_attr attr = {
        .type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
        .u.runstate = {
            .state = v->runstate.state,
            .state_entry_time = v->runstate.state_entry_time,
            .time_running = v->runstate.time[RUNSTATE_running],
            .time_runnable = v->runstate.time[RUNSTATE_runnable],
            .time_blocked = v->runstate.time[RUNSTATE_blocked],
            .time_offline = v->runstate.time[RUNSTATE_offline],
        },
    };
    int ret = kvm_vcpu_ioctl(v->cs, KVM_XEN_VCPU_SET_ATTR, &attr);

    if (ret) {
        error_report("vCPU %d: KVM does not take the times for which it has "
                     "been running and waiting: %s", v->cs->cpu_index,
                     strerror(-ret));
    }
}

/*
 * The kernel marks what it writes to, but for vcpu_info when it delivers an event; and
 * what it writes may come after the log was read last.
 */
static void area_written(uint64_t gpa, uint64_t size)
{
    while (gpa != INVALID_GPA && size) {
        MemoryRegionSection section =
            memory_region_find(get_system_memory(), gpa, size);
        uint64_t found = int128_get64(section.size);

        if (!section.mr) {
            return;
        }
        if (memory_region_is_ram(section.mr)) {
            memory_region_set_dirty(section.mr, section.offset_within_region,
                                    found);
        }
        memory_region_unref(section.mr);
        /* It may begin beyond @gpa. */
        found += section.offset_within_address_space - gpa;
        gpa += found;
        size -= MIN(size, found);
    }
}

static void areas_written(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    uint64_t info = env->xen_vcpu_info_gpa;

    area_written(info != INVALID_GPA ? info : env->xen_vcpu_info_default_gpa,
                 sizeof(struct vcpu_info));
    area_written(env->xen_vcpu_time_info_gpa, sizeof(struct vcpu_time_info));
    area_written(env->xen_vcpu_runstate_gpa,
                 sizeof(struct vcpu_runstate_info));
}

/* Stop and go ---------------------------------------------------------------- */

static void stop(CPUState *cs, run_on_cpu_data data)
{
    XenKVMVCPU *v = data.host_ptr;

    xen_evtchn_take_timer(cs);
    get_runstate(v);
    areas_written(cs);
}

static void go_on(CPUState *cs, run_on_cpu_data data)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    XenKVMVCPU *v = data.host_ptr;

    if (v->has_runstate) {
        set_runstate(v);
    }
    if (v->loaded) {
        env->xen_callback_asserted = v->callback_asserted;
        /* QEMU has started a new period: the one that was saved goes on. */
        if (env->xen_periodic_timer_period && v->periodic_expires > 0) {
            timer_mod_ns(env->xen_periodic_timer, v->periodic_expires);
        }
        v->loaded = false;
    }
    xen_evtchn_resume_timer(cs);
}

static void changed(void *opaque, bool running, RunState state)
{
    unsigned int i;

    for (i = 0; i < vcpus->len; i++) {
        XenKVMVCPU *v = vcpus->pdata[i];

        if (v) {
            run_on_cpu(v->cs, running ? go_on : stop, RUN_ON_CPU_HOST_PTR(v));
        }
    }
}

/* The stream ----------------------------------------------------------------- */

static int pre_save(void *opaque)
{
    XenKVMVCPU *v = opaque;
    CPUX86State *env = &X86_CPU(v->cs)->env;

    xen_kvm_save_vcpu_status(v->cs, &v->down, &v->mp_state);
    v->periodic_expires = timer_expire_time_ns(env->xen_periodic_timer);
    v->callback_asserted = env->xen_callback_asserted;
    return 0;
}

static int post_load(void *opaque, int version_id)
{
    XenKVMVCPU *v = opaque;

    xen_kvm_load_vcpu_status(v->cs, v->down, v->mp_state);
    if (v->has_runstate &&
        !(xen_accel->get_caps() & KVM_XEN_HVM_CONFIG_RUNSTATE)) {
        error_report("this host's KVM does not count for how long a Xen "
                     "guest's vCPUs run and wait, as the saved guest's did");
        return -ENOTSUP;
    }
    v->loaded = true;
    return 0;
}

static bool mp_state_valid(void *opaque, int version_id)
{
    XenKVMVCPU *v = opaque;

    return v->mp_state <= KVM_MP_STATE_SIPI_RECEIVED;
}

/* KVM takes no other one, either; but it would say so when the guest goes on. */
static bool runstate_valid(void *opaque, int version_id)
{
    XenKVMVCPU *v = opaque;
    uint64_t sum = 0;
    int i;

    for (i = 0; i < ARRAY_SIZE(v->runstate.time); i++) {
        sum += v->runstate.time[i];
    }
    return v->runstate.state >= 0 &&
           v->runstate.state < ARRAY_SIZE(v->runstate.time) &&
           v->runstate.state_entry_time == sum;
}

static const VMStateDescription vmstate_vcpu = {
    .name = "xen_kvm_vcpu",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = pre_save,
    .post_load = post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(down, XenKVMVCPU),
        VMSTATE_UINT32(mp_state, XenKVMVCPU),
        VMSTATE_VALIDATE("mp_state", mp_state_valid),
        VMSTATE_BOOL(has_runstate, XenKVMVCPU),
        VMSTATE_INT32(runstate.state, XenKVMVCPU),
        VMSTATE_UINT64(runstate.state_entry_time, XenKVMVCPU),
        VMSTATE_UINT64_ARRAY(runstate.time, XenKVMVCPU, 4),
        VMSTATE_VALIDATE("runstate", runstate_valid),
        VMSTATE_INT64(periodic_expires, XenKVMVCPU),
        VMSTATE_BOOL(callback_asserted, XenKVMVCPU),
        VMSTATE_END_OF_LIST()
    },
};

/* The vCPUs' sections bring all that QEMU's own code does not set up. */
int xen_kvm_guest_loaded(void)
{
    return xen_set_long_mode(xen_is_long_mode());
}

void xen_kvm_migration_init_vcpu(CPUState *cs)
{
    XenKVMVCPU *v = g_new0(XenKVMVCPU, 1);

    v->cs = cs;
    if (!vcpus) {
        vcpus = g_ptr_array_new();
        qemu_add_vm_change_state_handler_prio(changed, NULL, AFTER_KVMCLOCK);
    }
    /* Of one that was never there, too: KVM may have kept those of before a load. */
    v->runstate = *xen_absent_vcpu_runstate(cs->cpu_index);
    v->has_runstate = xen_accel->get_caps() & KVM_XEN_HVM_CONFIG_RUNSTATE;
    if (v->has_runstate && runstate_is_live(runstate_get())) {
        set_runstate(v);
    }
    if (cs->cpu_index >= vcpus->len) {
        g_ptr_array_set_size(vcpus, cs->cpu_index + 1);
    }
    vcpus->pdata[cs->cpu_index] = v;
    vmstate_register(NULL, cs->cpu_index, &vmstate_vcpu, v);
}

void xen_kvm_migration_destroy_vcpu(CPUState *cs)
{
    XenKVMVCPU *v = g_steal_pointer(&vcpus->pdata[cs->cpu_index]);

    end_runstate(v);
    vmstate_unregister(NULL, &vmstate_vcpu, v);
    g_free(v);
}
