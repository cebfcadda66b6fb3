/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_vcpu_op: starting and stopping vCPUs.
 *
 * An HVM guest starts them by INIT and SIPI.  It learns here what came of that;
 * and a kernel that tries the hypercalls first is told to do it that way.
 */

#include "hypercalls.h"
#include "qemu/main-loop.h"
#include "system/runstate.h"
#include "hw/xen/interface/vcpu.h"

/* struct vcpu_hvm_context, whose header QEMU does not have. */
#define VCPU_HVM_CONTEXT_SIZE 128

/* 1: up; 0: down; negative: only the accelerator knows, and can't be asked. */
static int is_up(CPUState *cs, CPUState *target)
{
    if (target == cs) {
        return 1;
    }
    if (!xen_accel->vcpu_is_up) {
        return -ENOSYS;
    }
    BQL_LOCK_GUARD();
    return xen_accel->vcpu_is_up(target);
}

static int initialise(CPUState *cs, CPUState *target, uint64_t arg)
{
    uint8_t context[VCPU_HVM_CONTEXT_SIZE];

    if (kvm_copy_from_gva(cs, arg, context, sizeof(context))) {
        return -EFAULT;
    }
    return is_up(cs, target) > 0 ? -EEXIST : -ENOSYS;
}

/* Down is who waits for SIPI, and nobody has initialised it. */
static int up(CPUState *cs, CPUState *target)
{
    int ret = is_up(cs, target);

    if (ret < 0) {
        return ret;
    }
    return ret ? 0 : -EINVAL;
}

/* The last one to go down takes the guest with it; others can't. */
static int down(CPUState *cs, CPUState *target)
{
    CPUState *other;
    int ret;

    CPU_FOREACH(other) {
        ret = other == target ? 0 : is_up(cs, other);
        if (ret < 0) {
            return ret;
        }
        if (ret) {
            return is_up(cs, target) == 0 ? 0 : -ENOSYS;
        }
    }
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    return 0;
}

/* Past the LAPIC, as Xen does it: LINT1 may be masked. */
static int send_nmi(CPUState *target, uint64_t arg)
{
    if (arg) {
        return -EINVAL;
    }
    BQL_LOCK_GUARD();
    cpu_interrupt(target, CPU_INTERRUPT_NMI);
    return 0;
}

bool xen_hypercall_vcpu_op(CPUState *cs, unsigned int cmd, uint32_t vcpu,
                           uint64_t arg, int64_t *result)
{
    CPUState *target = vcpu == cs->cpu_index ? cs : qemu_get_cpu(vcpu);

    if (!target) {
        *result = -ENOENT;
        return true;
    }
    switch (cmd) {
    case VCPUOP_initialise:
        *result = initialise(cs, target, arg);
        break;
    case VCPUOP_up:
        *result = up(cs, target);
        break;
    case VCPUOP_down:
        *result = down(cs, target);
        break;
    case VCPUOP_is_up:
        *result = is_up(cs, target);
        break;
    case VCPUOP_send_nmi:
        *result = send_nmi(target, arg);
        break;
    case VCPUOP_get_physid:
        /* For a domain 0 whose vCPUs are pinned. */
        *result = -EINVAL;
        break;
    default:
        return false;
    }
    return true;
}
