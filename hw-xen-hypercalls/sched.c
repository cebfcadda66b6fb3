/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_sched_op, of which SCHEDOP_block and SCHEDOP_poll sleep. */

#include "hypercalls.h"
#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/sched.h"
#include "hw/xen-evtchn/qemu/hooks.h"
#include "hw/xen-accel/xen_accel.h"

/* Xen's limit on a poll's ports. */
#define MAX_POLL_PORTS 128

/*
 * Read struct sched_poll, in the layout of the guest's mode, and its ports up
 * to the first that can't be read; *@nr_read is their number.
 */
static int copy_poll(CPUState *cs, uint64_t arg, bool long_mode,
                     uint32_t *ports, uint32_t *nr_ports, uint32_t *nr_read,
                     int64_t *timeout)
{
    struct QEMU_PACKED {
        uint64_t ports;
        uint32_t nr_ports;
        uint32_t pad;
        uint64_t timeout;
    } poll64;
    struct QEMU_PACKED {
        uint32_t ports;
        uint32_t nr_ports;
        uint64_t timeout;
    } poll32;
    uint64_t ports_gva;

    if (long_mode) {
        if (kvm_copy_from_gva(cs, arg, &poll64, sizeof(poll64))) {
            return -EFAULT;
        }
        ports_gva = poll64.ports;
        *nr_ports = poll64.nr_ports;
        *timeout = poll64.timeout;
    } else {
        if (kvm_copy_from_gva(cs, arg, &poll32, sizeof(poll32))) {
            return -EFAULT;
        }
        ports_gva = poll32.ports;
        *nr_ports = poll32.nr_ports;
        *timeout = poll32.timeout;
    }
    if (*nr_ports > MAX_POLL_PORTS) {
        return -EINVAL;
    }
    for (*nr_read = 0; *nr_read < *nr_ports; ++*nr_read) {
        if (kvm_copy_from_gva(cs, ports_gva + *nr_read * sizeof(*ports),
                              &ports[*nr_read], sizeof(*ports))) {
            break;
        }
    }
    return 0;
}

/* Whether @cs would take an upcall at once: then Xen does not look at ports. */
static bool upcall_deliverable(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;

    return env->eflags & IF_MASK && xen_upcall_pending(env->xen_vcpu_info_hva);
}

static int sched_poll(CPUState *cs, uint64_t arg, bool long_mode)
{
    uint32_t ports[MAX_POLL_PORTS];
    uint32_t nr_ports, nr_read;
    int64_t timeout;
    int ret = copy_poll(cs, arg, long_mode, ports, &nr_ports, &nr_read,
                        &timeout);

    if (ret || upcall_deliverable(cs)) {
        return ret;
    }
    ret = xen_evtchn_poll(cs->cpu_index, ports, nr_read);
    if (ret) {
        return ret > 0 ? 0 : ret;
    }
    if (nr_read < nr_ports) {
        xen_evtchn_poll_cancel(cs->cpu_index);
        return -EFAULT;
    }
    /* Xen's time is signed: a time-out with bit 63 set is in the past. */
    if (timeout && timeout <= (int64_t)xen_accel->get_system_time()) {
        xen_evtchn_poll_cancel(cs->cpu_index);
        return 0;
    }
    xen_accel->block_vcpu(cs, timeout);
    /* An event may have ended the poll before the vCPU was put to sleep. */
    if (!xen_evtchn_vcpu_polls(cs->cpu_index)) {
        xen_accel->wake_vcpu(cs);
    }
    return 0;
}

static void sched_block(CPUState *cs)
{
    /* A 32-bit guest aligns vcpu_info less than QEMU's type: use bytes. */
    uint8_t *info = X86_CPU(cs)->env.xen_vcpu_info_hva;

    /* Xen clears this flag for HVM guests too, which do not use it. */
    if (info) {
        qatomic_set(&info[offsetof(struct vcpu_info, evtchn_upcall_mask)], 0);
    }
    xen_accel->block_vcpu(cs, 0);
}

bool xen_hypercall_sched_op(CPUState *cs, unsigned int cmd, uint64_t arg,
                            bool long_mode, int64_t *result)
{
    switch (cmd) {
    case SCHEDOP_yield:
        sched_yield();
        /* If one thread runs all vCPUs, this lets it run another one. */
        cpu_exit(cs);
        *result = 0;
        return true;
    case SCHEDOP_shutdown:
        *result = xen_hypercall_sched_shutdown(cs, arg);
        return true;
    case SCHEDOP_shutdown_code:
        *result = xen_hypercall_sched_shutdown_code(cs, arg);
        return true;
    case SCHEDOP_remote_shutdown:
        *result = xen_hypercall_sched_remote_shutdown(cs, arg);
        return true;
    case SCHEDOP_watchdog:
        *result = xen_hypercall_watchdog(cs, arg);
        return true;
    case SCHEDOP_pin_override:
        *result = -EPERM;
        return true;
    case SCHEDOP_block:
        sched_block(cs);
        *result = 0;
        return true;
    case SCHEDOP_poll:
        *result = sched_poll(cs, arg, long_mode);
        return true;
    default:
        return false;
    }
}
