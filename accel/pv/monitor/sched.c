/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_sched_op: sleeping, and the guest's end. */

#include "monitor.h"

#include <xen/sched.h>

static void block(struct vcpu *v)
{
    v->info->evtchn_upcall_mask = 0;
    if (!__atomic_load_n(&v->info->evtchn_upcall_pending, __ATOMIC_SEQ_CST) &&
        !v->nmi_pending) {
        asm volatile("sti; hlt; cli" : : : "memory");
    }
}

/*
 * Only L0 knows of events on ports that are masked.  Where upcalls are not, any
 * event ends the poll: L0 sees by the interrupt flag that they can be delivered.
 */
static long poll(struct vcpu *v, uint64_t arg)
{
    struct sched_poll poll;
    long result;

    if (copy_from_guest(&poll, arg, sizeof(poll)) ||
        !guest_range_ok((uint64_t)poll.ports.p, PAGE_SIZE)) {
        return -XEN_EFAULT;
    }
    if (v->info->evtchn_upcall_mask) {
        return l0_call(__HYPERVISOR_sched_op, SCHEDOP_poll, arg, 0, 0, 0);
    }
    asm volatile("sti" : : : "memory");
    result = l0_call(__HYPERVISOR_sched_op, SCHEDOP_poll, arg, 0, 0, 0);
    asm volatile("cli" : : : "memory");
    return result;
}

long call_sched_op(struct regs *regs, unsigned int cmd, uint64_t arg)
{
    struct vcpu *v = this_vcpu();
    struct sched_shutdown shutdown;

    switch (cmd) {
    case SCHEDOP_block:
        block(v);
        return 0;
    case SCHEDOP_yield:
        return l0_call(__HYPERVISOR_sched_op, cmd, 0, 0, 0, 0);
    case SCHEDOP_poll:
        return poll(v, arg);
    case SCHEDOP_shutdown:
        if (copy_from_guest(&shutdown, arg, sizeof(shutdown))) {
            return -XEN_EFAULT;
        }
        if (shutdown.reason == SHUTDOWN_suspend) {
            return 1;           /* cancelled: nothing saves the guest */
        }
        if (shutdown.reason == SHUTDOWN_crash) {
            crash_guest(regs, "the guest says that it has crashed");
        }
        return l0_call(__HYPERVISOR_sched_op, cmd, arg, 0, 0, 0);
    case SCHEDOP_shutdown_code:
    case SCHEDOP_watchdog:
        return l0_call(__HYPERVISOR_sched_op, cmd, l0_pointer(arg), 0, 0, 0);
    default:
        return -XEN_ENOSYS;
    }
}
