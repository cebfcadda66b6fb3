/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Xen guest on KVM: KVM_XEN updates the guest's areas, QEMU says where. */

#include "qemu/osdep.h"
#include <linux/kvm.h>
#include "cpu.h"
#include "system/hw_accel.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "system/kvm_xen.h"
#include "system/runstate.h"
#include "target/i386/kvm/trace.h"
#include "hw/xen/interface/xen.h"

#include "internal.h"
#include "../wallclock.h"

static int set_attr(uint16_t type, struct kvm_xen_hvm_attr attr)
{
    attr.type = type;
    return kvm_vm_ioctl(kvm_state, KVM_XEN_HVM_SET_ATTR, &attr);
}

static int set_vcpu_attr(CPUState *cs, uint16_t type,
                         struct kvm_xen_vcpu_attr attr)
{
    attr.type = type;
    return kvm_vcpu_ioctl(cs, KVM_XEN_VCPU_SET_ATTR, &attr);
}

static uint32_t get_caps(void)
{
    return kvm_state->xen_caps;
}

uint32_t xen_kvm_get_xen_version(void)
{
    return kvm_state->xen_version;
}

uint16_t xen_kvm_get_gnttab_max_frames(void)
{
    return kvm_state->xen_gnttab_max_frames;
}

uint16_t xen_kvm_get_evtchn_max_pirq(void)
{
    return kvm_state->xen_evtchn_max_pirq;
}

/* KVM_TRANSLATE ignores an address's upper bits, so QEMU must check them. */
static bool is_canonical(CPUState *cs, uint64_t gva)
{
    if ((int64_t)gva >> 47 == 0 || (int64_t)gva >> 47 == -1) {
        return true;
    }
    /* May be valid with 5-level paging: that is rare, so ask KVM only here. */
    cpu_synchronize_state(cs);
    return (X86_CPU(cs)->env.cr[4] & CR4_LA57_MASK) &&
           ((int64_t)gva >> 56 == 0 || (int64_t)gva >> 56 == -1);
}

bool xen_kvm_gva_to_gpa(CPUState *cs, uint64_t gva, uint64_t *gpa,
                        bool is_write)
{
    struct kvm_translation tr = { .linear_address = gva };

    if (!is_canonical(cs, gva) || kvm_vcpu_ioctl(cs, KVM_TRANSLATE, &tr) ||
        !tr.valid || (is_write && !tr.writeable)) {
        return false;
    }
    *gpa = tr.physical_address;
    return true;
}

uint64_t xen_kvm_get_system_time(void)
{
    struct kvm_clock_data clock;

    if (kvm_vm_ioctl(kvm_state, KVM_GET_CLOCK, &clock)) {
        /* The ioctl cannot fail for a VM that exists. */
        abort();
    }
    return clock.clock;
}

static int set_shared_info(uint64_t gfn)
{
    int ret = set_attr(KVM_XEN_ATTR_TYPE_SHARED_INFO,
                       (struct kvm_xen_hvm_attr) {
                           .u.shared_info.gfn = gfn,
                       });

    if (!ret) {
        /* KVM has written its host's time of day, which need not be ours. */
        xen_wallclock_set_shared_info(gfn);
    }
    return ret;
}

static int set_long_mode(bool long_mode)
{
    return set_attr(KVM_XEN_ATTR_TYPE_LONG_MODE, (struct kvm_xen_hvm_attr) {
        .u.long_mode = long_mode,
    });
}

static int get_long_mode(bool *long_mode)
{
    struct kvm_xen_hvm_attr attr = { .type = KVM_XEN_ATTR_TYPE_LONG_MODE };
    int ret = kvm_vm_ioctl(kvm_state, KVM_XEN_HVM_GET_ATTR, &attr);

    if (!ret) {
        *long_mode = attr.u.long_mode;
    }
    return ret;
}

static int set_vcpu_gpa(CPUState *cs, uint16_t type, uint64_t gpa)
{
    trace_kvm_xen_set_vcpu_attr(cs->cpu_index, type, gpa);
    return set_vcpu_attr(cs, type, (struct kvm_xen_vcpu_attr) { .u.gpa = gpa });
}

static int set_vcpu_info(CPUState *cs, uint64_t gpa)
{
    return set_vcpu_gpa(cs, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, gpa);
}

static int set_vcpu_time_info(CPUState *cs, uint64_t gpa)
{
    return set_vcpu_gpa(cs, KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, gpa);
}

static int set_vcpu_runstate(CPUState *cs, uint64_t gpa)
{
    return set_vcpu_gpa(cs, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, gpa);
}

/*
 * Timer hypercalls name a vCPU by its Xen number, which need be neither its
 * APIC ID nor the index that KVM has given it.
 */
static int init_vcpu(CPUState *cs)
{
    xen_kvm_block_init_vcpu(cs);
    xen_kvm_init_vcpu_status(cs);
    xen_kvm_migration_init_vcpu(cs);
    if (!(get_caps() & KVM_XEN_HVM_CONFIG_EVTCHN_SEND)) {
        return 0;
    }
    return set_vcpu_attr(cs, KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID,
                         (struct kvm_xen_vcpu_attr) {
        .u.vcpu_id = cs->cpu_index,
    });
}

static int set_upcall_vector(uint8_t vector)
{
    return set_attr(KVM_XEN_ATTR_TYPE_UPCALL_VECTOR, (struct kvm_xen_hvm_attr) {
        .u.vector = vector,
    });
}

/* KVM looks at vcpu_info whenever it enters the vCPU. */
void xen_kvm_raise_upcall(CPUState *cs)
{
    if (cs != current_cpu) {
        xen_kvm_wake_vcpu(cs);
        qemu_cpu_kick(cs);
    }
}

void xen_kvm_raise_vcpu_upcall(CPUState *cs, uint8_t vector)
{
    kvm_irqchip_send_msi(kvm_state, xen_accel_upcall_message(cs, vector));
}

static int set_vcpu_upcall_vector(CPUState *cs, uint8_t vector)
{
    return set_vcpu_attr(cs, KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR,
                         (struct kvm_xen_vcpu_attr) { .u.vector = vector });
}

/*
 * While the guest is stopped KVM's clock goes on, and after a load it is not yet the
 * guest's: KVM gets the timer when the guest goes on, see migration.c.
 */
static int set_vcpu_timer(CPUState *cs, uint32_t port, uint64_t expires_ns)
{
    if (port && !runstate_is_running()) {
        return 0;
    }
    return set_vcpu_attr(cs, KVM_XEN_VCPU_ATTR_TYPE_TIMER,
                         (struct kvm_xen_vcpu_attr) {
        .u.timer.port = port,
        .u.timer.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
        .u.timer.expires_ns = expires_ns,
    });
}

/* Without a port the timer is QEMU's: KVM would answer 0. */
static int get_vcpu_timer(CPUState *cs, uint64_t *expires_ns)
{
    struct kvm_xen_vcpu_attr attr = { .type = KVM_XEN_VCPU_ATTR_TYPE_TIMER };
    int ret = kvm_vcpu_ioctl(cs, KVM_XEN_VCPU_GET_ATTR, &attr);

    if (!ret) {
        *expires_ns = attr.u.timer.port ? attr.u.timer.expires_ns :
                      X86_CPU(cs)->env.xen_singleshot_timer_ns;
    }
    return ret;
}

/*
 * KVM keeps the vCPU for the next CPU of its number.  If that comes after a
 * reset, KVM must not write to the areas that the former kernel had, nor raise its
 * timer.
 */
static void destroy_vcpu(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;

    if (get_caps() & KVM_XEN_HVM_CONFIG_EVTCHN_SEND) {
        if (env->xen_virq[VIRQ_TIMER]) {
            get_vcpu_timer(cs, &env->xen_singleshot_timer_ns);
        }
        set_vcpu_timer(cs, 0, 0);
        set_vcpu_upcall_vector(cs, 0);
    }
    set_vcpu_info(cs, INVALID_GPA);
    set_vcpu_time_info(cs, INVALID_GPA);
    set_vcpu_runstate(cs, INVALID_GPA);
    xen_kvm_block_destroy_vcpu(cs);
    xen_kvm_migration_destroy_vcpu(cs);
}

static int set_runstate_update_flag(bool enable)
{
    if (!(get_caps() & KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG)) {
        return -EINVAL;
    }
    return set_attr(KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG,
                    (struct kvm_xen_hvm_attr) {
        .u.runstate_update_flag = enable,
    });
}

const XenAccelOps xen_accel_kvm = {
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
    .set_vcpu_upcall_vector = set_vcpu_upcall_vector,
    .set_vcpu_timer = set_vcpu_timer,
    .get_vcpu_timer = get_vcpu_timer,
    .continue_hypercall = xen_kvm_continue_hypercall,
    .block_vcpu = xen_kvm_block_vcpu,
    .wake_vcpu = xen_kvm_wake_vcpu,
    .get_vcpu_status = xen_kvm_get_vcpu_status,
    .set_vcpu_status = xen_kvm_set_vcpu_status,
    .get_vcpu_runstate = xen_kvm_get_vcpu_runstate,
    .set_runstate_update_flag = set_runstate_update_flag,
    .guest_loaded = xen_kvm_guest_loaded,
};
