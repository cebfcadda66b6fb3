/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_sched_op: sleeping, and the guest's end. */

#include "events.h"

#include <xen/sched.h>

static void sleep(struct vcpu *v)
{
    set_runstate(v, RUNSTATE_blocked);
    wait_for_interrupt();
    set_runstate(v, RUNSTATE_running);
    park_if_asked();
}

static void block(struct vcpu *v)
{
    v->info->evtchn_upcall_mask = 0;
    while (!upcall_pending(v) && !nmi_pending(v)) {
        sleep(v);
        if (!own_events()) {
            break;              /* whatever it was, L0 has woken it */
        }
    }
}

#define MAX_POLL_PORTS 128

/* Of the list only that the guest may name @size bytes from its address on. */
static long read_poll(struct sched_poll *poll, uint64_t arg, uint64_t size)
{
    if (copy_from_guest(poll, arg, sizeof(*poll))) {
        return -XEN_EFAULT;
    }
    if (poll->nr_ports > MAX_POLL_PORTS) {
        return -XEN_EINVAL;
    }
    return guest_range_ok((uint64_t)poll->ports.p, size) ? 0 : -XEN_EFAULT;
}

/*
 * An event on one of the ports, another event that raises an upcall, be it masked, an
 * NMI, or the time ends it: as in Xen, what kicks a vCPU wakes it.
 */
static long own_poll(struct vcpu *v, uint64_t arg)
{
    uint32_t ports[MAX_POLL_PORTS], nr;
    struct sched_poll poll;
    bool was_pending;
    long result;

    result = read_poll(&poll, arg, 1);
    if (result) {
        return result;
    }
    for (nr = 0; nr < poll.nr_ports; nr++) {
        if (copy_from_guest(&ports[nr], (uint64_t)poll.ports.p + 4 * nr, 4)) {
            break;
        }
    }
    was_pending = upcall_pending(v);
    if (was_pending && !v->info->evtchn_upcall_mask) {
        return 0;
    }
    result = evtchn_poll(guest_events, v->id, ports, nr);
    if (result) {
        return result > 0 ? 0 : result;
    }
    if (nr < poll.nr_ports) {
        evtchn_poll_cancel(guest_events, v->id);
        return -XEN_EFAULT;
    }
    if (poll.timeout && (int64_t)poll.timeout > 0) {
        set_poll_timer(v, poll.timeout);
    }
    /* A time with bit 63 set is past, too. */
    while (evtchn_vcpu_polls(guest_events, v->id) && !nmi_pending(v) &&
           (was_pending || !upcall_pending(v)) &&
           !(poll.timeout &&
             (int64_t)poll.timeout <= (int64_t)system_time(v))) {
        sleep(v);
    }
    evtchn_poll_cancel(guest_events, v->id);
    set_poll_timer(v, 0);
    return 0;
}

/*
 * Only L0 knows of events on ports that are masked.  Where upcalls are not, any
 * event ends the poll: L0 sees by the interrupt flag that they can be delivered.
 */
static long poll(struct vcpu *v, uint64_t arg)
{
    struct sched_poll poll;
    long result;

    result = read_poll(&poll, arg, PAGE_SIZE);
    if (result) {
        return result;
    }
    set_runstate(v, RUNSTATE_blocked);
    if (v->info->evtchn_upcall_mask) {
        result = l0_call(__HYPERVISOR_sched_op, SCHEDOP_poll, arg, 0, 0, 0);
    } else {
        sti();
        result = l0_call(__HYPERVISOR_sched_op, SCHEDOP_poll, arg, 0, 0, 0);
        cli();
    }
    set_runstate(v, RUNSTATE_running);
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
        return own_events() ? own_poll(v, arg) : poll(v, arg);
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
    case SCHEDOP_remote_shutdown:
    case SCHEDOP_pin_override:
        return l0_call(__HYPERVISOR_sched_op, cmd, l0_pointer(arg), 0, 0, 0);
    default:
        return -XEN_ENOSYS;
    }
}
