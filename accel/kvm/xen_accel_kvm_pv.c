/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PV guest on any KVM, with or without KVM_XEN: its monitor does in the guest's
 * machine what KVM_XEN would do in the kernel, and calls QEMU by an I/O port.  Of KVM
 * it takes the clock, which has the layout of Xen's, and interrupts of the LAPIC's.
 */

#include "qemu/osdep.h"
#include <linux/kvm.h>
#include "standard-headers/asm-x86/kvm_para.h"
#include "cpu.h"
#include "exec/address-spaces.h"
#include "system/kvm.h"
#include "system/kvm_xen.h"
#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/vcpu.h"

#include "internal.h"
#include "../pv/call.h"
#include "../wallclock.h"

static bool guest_long_mode;

static uint32_t get_caps(void)
{
    return 0;
}

static int set_shared_info(uint64_t gfn)
{
    xen_wallclock_set_shared_info(gfn);
    return 0;
}

static int set_long_mode(bool long_mode)
{
    qatomic_set(&guest_long_mode, long_mode);
    return 0;
}

static int get_long_mode(bool *long_mode)
{
    *long_mode = qatomic_read(&guest_long_mode);
    return 0;
}

/* vcpu_info's time is what KVM's clock writes: it has been Xen's layout from the first. */
static int set_vcpu_info(CPUState *cs, uint64_t gpa)
{
    uint64_t enabled = gpa == INVALID_GPA ? 0 :
                       (gpa + offsetof(struct vcpu_info, time)) | 1;
    struct {
        struct kvm_msrs info;
        struct kvm_msr_entry entry;
    } msrs = {
        .info.nmsrs = 1,
        .entry = { .index = MSR_KVM_SYSTEM_TIME_NEW, .data = enabled },
    };

    X86_CPU(cs)->env.system_time_msr = enabled;
    return kvm_vcpu_ioctl(cs, KVM_SET_MSRS, &msrs) == 1 ? 0 : -EINVAL;
}

/*
 * KVM has one clock for a vCPU.  A guest does without this one, also after a load, which
 * would set up what QEMU has noted.
 */
static int set_vcpu_time_info(CPUState *cs, uint64_t gpa)
{
    X86_CPU(cs)->env.xen_vcpu_time_info_gpa = INVALID_GPA;
    return gpa == INVALID_GPA ? 0 : -EOPNOTSUPP;
}

/* Runstates are the monitor's: see pv/monitor/runstate.c. */
static int set_vcpu_runstate(CPUState *cs, uint64_t gpa)
{
    return gpa == INVALID_GPA ? 0 : -EOPNOTSUPP;
}

static int set_runstate_update_flag(bool enable)
{
    return enable ? -EOPNOTSUPP : 0;
}

static int init_vcpu(CPUState *cs)
{
    xen_kvm_block_init_vcpu(cs);
    xen_kvm_init_vcpu_status(cs);
    xen_kvm_migration_init_vcpu(cs);
    return 0;
}

static void destroy_vcpu(CPUState *cs)
{
    set_vcpu_info(cs, INVALID_GPA);
    xen_kvm_block_destroy_vcpu(cs);
    xen_kvm_migration_destroy_vcpu(cs);
}

/* Each of the monitor's vCPUs has a vector of its own. */
static int set_upcall_vector(uint8_t vector)
{
    return vector ? -EOPNOTSUPP : 0;
}

const XenAccelOps xen_accel_kvm_pv = {
    .name = "kvm",
    .get_caps = get_caps,
    .get_xen_version = xen_kvm_get_xen_version,
    .get_gnttab_max_frames = xen_kvm_get_gnttab_max_frames,
    .get_evtchn_max_pirq = xen_kvm_get_evtchn_max_pirq,
    .gva_to_gpa = xen_kvm_gva_to_gpa,
    .get_system_time = xen_kvm_get_system_time,
    .set_shared_info = set_shared_info,
    .set_long_mode = set_long_mode,
    .get_long_mode = get_long_mode,
    .set_vcpu_info = set_vcpu_info,
    .set_vcpu_time_info = set_vcpu_time_info,
    .set_vcpu_runstate = set_vcpu_runstate,
    .init_vcpu = init_vcpu,
    .destroy_vcpu = destroy_vcpu,
    .set_upcall_vector = set_upcall_vector,
    .raise_upcall = xen_kvm_raise_upcall,
    .raise_vcpu_upcall = xen_kvm_raise_vcpu_upcall,
    .continue_hypercall = xen_pv_continue_hypercall,
    .block_vcpu = xen_kvm_block_vcpu,
    .wake_vcpu = xen_kvm_wake_vcpu,
    .get_vcpu_status = xen_kvm_get_vcpu_status,
    .set_vcpu_status = xen_kvm_set_vcpu_status,
    .set_runstate_update_flag = set_runstate_update_flag,
    .guest_loaded = xen_kvm_guest_loaded,
};
