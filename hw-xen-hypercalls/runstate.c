/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VCPUOP_get_runstate_info, and VCPUOP_register_runstate_memory_area. */

#include "hypercalls.h"
#include "qemu/main-loop.h"
#include "system/kvm_xen.h"
#include "hw/xen/interface/vcpu.h"

int xen_hypercall_get_runstate(CPUState *cs, CPUState *target, uint64_t arg,
                               bool long_mode)
{
    struct vcpu_runstate_info info;
    /* 32-bit guests align 64 bits to 4 bytes. */
    struct QEMU_PACKED {
        int32_t state;
        uint64_t state_entry_time;
        uint64_t time[4];
    } info32;
    uint64_t now = xen_accel->get_system_time();
    int ret;

    if (!xen_accel->get_vcpu_runstate) {
        return -ENOSYS;
    }
    memset(&info, 0, sizeof(info));
    BQL_LOCK_GUARD();
    ret = xen_accel->get_vcpu_runstate(cs, target, now, &info);
    if (ret) {
        return ret;
    }
    if (now > info.state_entry_time) {
        info.time[info.state] += now - info.state_entry_time;
    }
    if (long_mode) {
        return kvm_copy_to_gva(cs, arg, &info, sizeof(info));
    }
    info32.state = info.state;
    info32.state_entry_time = info.state_entry_time;
    memcpy(info32.time, info.time, sizeof(info.time));
    return kvm_copy_to_gva(cs, arg, &info32, sizeof(info32));
}

static void do_register(CPUState *cs, run_on_cpu_data gpa)
{
    X86_CPU(cs)->env.xen_vcpu_runstate_gpa = gpa.host_ulong;
    xen_accel->set_vcpu_runstate(cs, gpa.host_ulong);
}

/*
 * Xen translates the address each time it writes there; QEMU and KVM translate
 * it once, so all of the guest's address spaces must map it to the same page.
 */
int xen_hypercall_register_runstate(CPUState *cs, CPUState *target,
                                    uint64_t arg, bool long_mode)
{
    struct vcpu_register_runstate_memory_area area;
    uint64_t gpa = INVALID_GPA;

    qemu_build_assert(sizeof(area) == 8);
    if (kvm_copy_from_gva(cs, arg, &area, sizeof(area))) {
        return -EFAULT;
    }
    if (!long_mode) {
        /* A 32-bit guest may have set only its 32-bit pointer. */
        area.addr.p = (uint32_t)area.addr.p;
    }
    /* NULL is valid: the runstate is then not written any more. */
    if (area.addr.p && !xen_accel->gva_to_gpa(cs, area.addr.p, &gpa, true)) {
        return -EFAULT;
    }
    async_run_on_cpu(target, do_register, RUN_ON_CPU_HOST_ULONG(gpa));
    return 0;
}
