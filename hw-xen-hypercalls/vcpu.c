/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_vcpu_op: starting and stopping vCPUs.
 *
 * An HVM guest starts them by INIT and SIPI, or by VCPUOP_initialise and
 * VCPUOP_up.
 */

#include "hypercalls.h"
#include "hvm_vcpu.h"
#include "qemu/main-loop.h"
#include "hw/xen-accel/pv/vcpus.h"
#include "hw/xen/interface/sched.h"
#include "hw/xen/interface/vcpu.h"

/* BQL held.  One that is being unplugged, while QEMU waits for its thread, is gone. */
static CPUState *find(CPUState *cs, uint32_t vcpu)
{
    CPUState *target = vcpu == cs->cpu_index ? cs : qemu_get_cpu(vcpu);

    return target && (target == cs || qdev_is_realized(DEVICE(target))) ? target : NULL;
}

/* The status of *@target, which has this number, or -ENOENT.  BQL as above. */
static int get_status(CPUState *cs, uint32_t vcpu, CPUState **target)
{
    XenVCPUStatus status;

    *target = find(cs, vcpu);
    if (!*target) {
        return -ENOENT;
    }
    status = xen_accel->get_vcpu_status(cs, *target);
    /* The BQL may have been dropped. */
    return find(cs, vcpu) == *target ? (int)status : -ENOENT;
}

static int initialise(CPUState *cs, uint32_t vcpu, uint64_t arg)
{
    CPUState *target;
    struct vcpu_hvm_context context;
    int ret;

    BQL_LOCK_GUARD();
    target = find(cs, vcpu);
    /* shared_info has no vcpu_info for this vCPU: it must have its own. */
    if (target && vcpu >= XEN_LEGACY_MAX_VCPUS &&
        !X86_CPU(target)->env.xen_vcpu_info_hva) {
        return -EINVAL;
    }
    if (kvm_copy_from_gva(cs, arg, &context, sizeof(context))) {
        return -EFAULT;
    }
    ret = get_status(cs, vcpu, &target);
    if (ret != XEN_VCPU_WAITING) {
        return ret < 0 ? ret : -EEXIST;
    }
    ret = xen_vcpu_load_context(target, &context);
    if (!ret) {
        /* Wait until its thread has set them, as an INIT may come at once. */
        xen_accel->get_vcpu_status(cs, target);
    }
    return ret;
}

static int up(CPUState *cs, uint32_t vcpu)
{
    CPUState *target;

    BQL_LOCK_GUARD();
    switch (get_status(cs, vcpu, &target)) {
    case -ENOENT:
        return -ENOENT;
    case XEN_VCPU_WAITING:
        return -EINVAL;
    case XEN_VCPU_DOWN:
        xen_accel->set_vcpu_status(target, XEN_VCPU_UP);
        break;
    case XEN_VCPU_UP:
        break;
    }
    xen_pv_vcpu_is_up(target);
    return 0;
}

/* If it is the last vCPU that is up, the guest ends. */
static int down(CPUState *cs, uint32_t vcpu)
{
    CPUState *target, *other;

    BQL_LOCK_GUARD();
    target = find(cs, vcpu);
    if (!target) {
        return -ENOENT;
    }
    CPU_FOREACH(other) {
        if (other != target &&
            xen_accel->get_vcpu_status(cs, other) == XEN_VCPU_UP) {
            if (get_status(cs, vcpu, &target) == XEN_VCPU_UP) {
                xen_accel->set_vcpu_status(target, XEN_VCPU_DOWN);
            }
            if (cs == target) {
                xen_pv_vcpu_is_down(target);
            }
            return 0;
        }
    }
    return xen_hypercall_shutdown(cs, SHUTDOWN_poweroff);
}

static int is_up(CPUState *cs, uint32_t vcpu)
{
    CPUState *target;
    int status;

    BQL_LOCK_GUARD();
    status = get_status(cs, vcpu, &target);
    return status < 0 ? status : status == XEN_VCPU_UP;
}

/* Not through the LAPIC, whose LINT1 may be masked; as Xen. */
static int send_nmi(CPUState *cs, uint32_t vcpu, uint64_t arg)
{
    CPUState *target;

    if (arg) {
        return -EINVAL;
    }
    BQL_LOCK_GUARD();
    target = find(cs, vcpu);
    if (!target) {
        return -ENOENT;
    }
    cpu_interrupt(target, CPU_INTERRUPT_NMI);
    return 0;
}

/* BQL held, unless @target is the vCPU itself. */
static bool vcpu_op(CPUState *cs, unsigned int cmd, CPUState *target,
                    uint64_t arg, bool long_mode, int64_t *result)
{
    uint32_t vcpu = target->cpu_index;

    switch (cmd) {
    case VCPUOP_initialise:
        *result = initialise(cs, vcpu, arg);
        break;
    case VCPUOP_up:
        *result = up(cs, vcpu);
        break;
    case VCPUOP_down:
        *result = down(cs, vcpu);
        break;
    case VCPUOP_is_up:
        *result = is_up(cs, vcpu);
        break;
    case VCPUOP_register_vcpu_info:
        return xen_hypercall_register_vcpu_info(cs, target, arg, result);
    case VCPUOP_get_runstate_info:
        *result = xen_hypercall_get_runstate(cs, target, arg, long_mode);
        break;
    case VCPUOP_register_runstate_memory_area:
        *result = xen_hypercall_register_runstate(cs, target, arg, long_mode);
        break;
    case VCPUOP_set_periodic_timer:
        *result = xen_hypercall_set_periodic_timer(cs, target, arg);
        break;
    case VCPUOP_stop_periodic_timer:
        *result = xen_hypercall_stop_periodic_timer(target);
        break;
    case VCPUOP_set_singleshot_timer:
        return xen_hypercall_set_singleshot_timer(cs, target, arg, long_mode,
                                                  result);
    case VCPUOP_send_nmi:
        *result = send_nmi(cs, vcpu, arg);
        break;
    case VCPUOP_get_physid:
        /* Only for a domain 0 whose vCPUs are pinned. */
        *result = -EINVAL;
        break;
    default:
        return false;
    }
    return true;
}

bool xen_hypercall_vcpu_op(CPUState *cs, unsigned int cmd, uint32_t vcpu,
                           uint64_t arg, bool long_mode, int64_t *result)
{
    CPUState *target;

    if (vcpu == cs->cpu_index) {
        return vcpu_op(cs, cmd, cs, arg, long_mode, result);
    }
    /* Whoever unplugs another one has to wait until the call is done. */
    BQL_LOCK_GUARD();
    target = find(cs, vcpu);
    if (!target) {
        *result = -ENOENT;
        return true;
    }
    return vcpu_op(cs, cmd, target, arg, long_mode, result);
}
