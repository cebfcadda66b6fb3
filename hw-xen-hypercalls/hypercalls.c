/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a hypercall's number to the function that handles it. */

#include "hypercalls.h"
#include "hw/xen/interface/xen.h"

bool xen_hypercall(X86CPU *cpu, struct kvm_xen_exit *exit)
{
    CPUState *cs = CPU(cpu);
    uint64_t cmd = exit->u.hcall.params[0];
    uint64_t arg = exit->u.hcall.params[1];
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
    }
    if (handled) {
        exit->u.hcall.result = result;
    }
    return handled;
}
