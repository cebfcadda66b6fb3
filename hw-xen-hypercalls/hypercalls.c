/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a hypercall's number to the function that handles it. */

#include "hypercalls.h"
#include "balloon.h"
#include "physmap.h"
#include "system/kvm_xen.h"

int xen_hypercall_check_self(domid_t domid)
{
    if (domid == DOMID_SELF || domid == xen_domid) {
        return 0;
    }
    /* Domain 0 exists, but the guest may not act on it. */
    return domid == DOMID_QEMU ? -EPERM : -ESRCH;
}

void xen_hypercalls_init(void)
{
    xen_hypercall_assist_init();
    xen_hypercall_control_init();
    xen_hypercall_param_init();
    xen_hypercall_shutdown_init();
    xen_hypercall_timer_init();
    xen_hypercall_watchdog_init();
    xen_absent_vcpus_init();
    xen_physmap_init();
    xen_balloon_init();
}

bool xen_hypercall(X86CPU *cpu, struct kvm_xen_exit *exit)
{
    CPUState *cs = CPU(cpu);
    uint64_t cmd = exit->u.hcall.params[0];
    uint64_t arg = exit->u.hcall.params[1];
    uint64_t arg2 = exit->u.hcall.params[2];
    bool long_mode = exit->u.hcall.longmode;
    int64_t result = 0;
    bool handled = false;

    switch (exit->u.hcall.input) {
    case __HYPERVISOR_xen_version:
        handled = xen_hypercall_xen_version(cs, cmd, arg, long_mode, &result);
        break;
    case __HYPERVISOR_sched_op:
        handled = xen_hypercall_sched_op(cs, cmd, arg, long_mode, &result);
        break;
    case __HYPERVISOR_memory_op:
        handled = xen_hypercall_memory_op(cs, cmd, arg, long_mode, &result);
        break;
    case __HYPERVISOR_vcpu_op:
        handled = xen_hypercall_vcpu_op(cs, cmd, arg, arg2, long_mode,
                                        &result);
        break;
    case __HYPERVISOR_set_timer_op:
        /* A 32-bit guest passes the deadline in two registers. */
        handled = xen_hypercall_set_timer_op(
            cs, long_mode ? cmd : arg << 32 | (uint32_t)cmd, &result);
        break;
    case __HYPERVISOR_hvm_op:
        handled = xen_hypercall_hvm_op(cs, cmd, arg, &result);
        break;
    case __HYPERVISOR_vm_assist:
        result = xen_hypercall_vm_assist(cmd, arg);
        handled = true;
        break;
    case __HYPERVISOR_console_io:
        result = xen_hypercall_console_io(cs, cmd, arg, arg2);
        handled = true;
        break;
    }
    if (handled) {
        exit->u.hcall.result = result;
    }
    return handled;
}
