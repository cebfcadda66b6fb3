/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a hypercall's number to what carries it out: the monitor, or L0, which is
 * QEMU's Xen emulation.
 *
 * L0 gets a call as it is: it translates the guest's addresses by the guest's page
 * tables, which are loaded.  As L0 does that by the monitor's rights, the addresses
 * are checked first.
 */

#include "monitor.h"

#include <xen/callback.h>
#include <xen/nmi.h>
#include <xen/physdev.h>

size_t copy_from_guest(void *to, uint64_t from, size_t size)
{
    return guest_range_ok(from, size) ?
           copy_guest(to, (const void *)from, size) : size;
}

size_t copy_to_guest(uint64_t to, const void *from, size_t size)
{
    return guest_range_ok(to, size) ? copy_guest((void *)to, from, size) : size;
}

/* Traps and callbacks ---------------------------------------------------------- */

/* @args: the table, and what is left of it. */
static long set_trap_table(uint64_t *args)
{
    struct vcpu *v = this_vcpu();
    struct trap_info info;
    unsigned int i;

    if (!args[0]) {
        for (i = 0; i < 256; i++) {
            v->traps[i] = (struct trap_entry) { 0 };
        }
        return 0;
    }
    for (i = 0; ; i++) {
        if (copy_from_guest(&info, args[0], sizeof(info))) {
            return -XEN_EFAULT;
        }
        if (!info.address) {
            return 0;
        }
        if (!is_canonical(info.address)) {
            return -XEN_EINVAL;
        }
        v->traps[info.vector] = (struct trap_entry) {
            .address = info.address, .flags = info.flags,
        };
        args[0] += sizeof(info);
        if (wants_out(i)) {
            return CALL_AGAIN;
        }
    }
}

static long set_callback(unsigned int type, unsigned int flags,
                         uint64_t address)
{
    struct vcpu *v = this_vcpu();
    bool masks = flags & CALLBACKF_mask_events;

    if (!is_canonical(address)) {
        return -XEN_EINVAL;
    }
    switch (type) {
    case CALLBACKTYPE_event:
        v->event_callback = address;
        return 0;
    case CALLBACKTYPE_failsafe:
        v->failsafe_callback = address;
        v->failsafe_masks = masks;
        return 0;
    case CALLBACKTYPE_syscall:
        v->syscall_callback = address;
        v->syscall_masks = masks;
        return 0;
    case CALLBACKTYPE_syscall32:
        v->syscall32_callback = address;
        v->syscall32_masks = masks;
        return 0;
    case CALLBACKTYPE_nmi:
        v->traps[EXC_NMI] = (struct trap_entry) {
            .address = address, .flags = 4,
        };
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

static long callback_op(unsigned int cmd, uint64_t arg)
{
    struct callback_register op;

    switch (cmd) {
    case CALLBACKOP_register:
        if (copy_from_guest(&op, arg, sizeof(op))) {
            return -XEN_EFAULT;
        }
        return set_callback(op.type, op.flags, op.address);
    case CALLBACKOP_unregister:
        if (copy_from_guest(&op, arg, sizeof(struct callback_unregister))) {
            return -XEN_EFAULT;
        }
        switch (op.type) {
        case CALLBACKTYPE_event:
        case CALLBACKTYPE_failsafe:
        case CALLBACKTYPE_syscall:
        case CALLBACKTYPE_syscall32:
        case CALLBACKTYPE_sysenter:
            return -XEN_EINVAL;
        default:
            return set_callback(op.type, 0, 0);
        }
    default:
        return -XEN_ENOSYS;
    }
}

static long nmi_op(unsigned int cmd, uint64_t arg)
{
    struct xennmi_callback op;

    switch (cmd) {
    case XENNMI_register_callback:
        if (copy_from_guest(&op, arg, sizeof(op))) {
            return -XEN_EFAULT;
        }
        return set_callback(CALLBACKTYPE_nmi, 0, op.handler_address);
    case XENNMI_unregister_callback:
        return set_callback(CALLBACKTYPE_nmi, 0, 0);
    default:
        return -XEN_ENOSYS;
    }
}

static long set_segment_base(unsigned int which, uint64_t base)
{
    struct vcpu *v = this_vcpu();

    if (which != SEGBASE_GS_USER_SEL && !is_canonical(base)) {
        return -XEN_EINVAL;
    }
    switch (which) {
    case SEGBASE_FS:
        wrmsr(MSR_FS_BASE, base);
        return 0;
    case SEGBASE_GS_USER:
        wrmsr(v->kernel_mode ? MSR_KERNEL_GS_BASE : MSR_GS_BASE, base);
        return 0;
    case SEGBASE_GS_KERNEL:
        wrmsr(v->kernel_mode ? MSR_GS_BASE : MSR_KERNEL_GS_BASE, base);
        return 0;
    case SEGBASE_GS_USER_SEL:
        /* Of the null selectors there are four. */
        load_user_gs((uint16_t)base > 3 ? base | 3 : base);
        return 0;
    default:
        return -XEN_EINVAL;
    }
}

/* Others that are the monitor's ---------------------------------------------------- */

static long vm_assist(unsigned int cmd, unsigned int type)
{
    bool known = cmd <= VMASST_CMD_disable;
    bool set = cmd == VMASST_CMD_enable;

    switch (type) {
    case VMASST_TYPE_runstate_update_flag:
        if (boot->own_runstates && known) {
            set_runstate_update_flag(set);
            return 0;
        }
        return l0_call(__HYPERVISOR_vm_assist, cmd, type, 0, 0, 0);
    case VMASST_TYPE_architectural_iopl:
        if (known) {
            set_architectural_iopl(set);
        }
        break;
    case VMASST_TYPE_writable_pagetables:
        if (known) {
            set_writable_pagetables(set);
        }
        break;
    case 0 ... 1:
    case VMASST_TYPE_pae_extended_cr3:
    case 32:                    /* m2p_strict */
        break;
    default:
        return -XEN_EINVAL;
    }
    return known ? 0 : -XEN_ENOSYS;
}

static long physdev_op(unsigned int cmd, uint64_t arg)
{
    switch (cmd) {
    case PHYSDEVOP_set_iopl:
        return call_set_iopl(arg);
    case PHYSDEVOP_set_iobitmap:
        return call_set_iobitmap(arg);
    default:
        return -XEN_ENOSYS;
    }
}

static long debugreg(unsigned int number, const uint64_t *args)
{
    struct vcpu *v = this_vcpu();
    uint64_t value;

    long result;

    if (number == __HYPERVISOR_set_debugreg) {
        return set_debugreg(v, args[0], args[1]);
    }
    result = get_debugreg(v, args[0], &value);
    return result ? result : (long)value;
}

bool wants_out(unsigned int step)
{
    enum { STEPS = 64 };

    if (step % STEPS != STEPS - 1) {
        return false;
    }
    /* Interrupts are off in here: take those that have come. */
    take_interrupts();
    return delivery_due(this_vcpu());
}

/* @args: the list and its length, and what is left of them. */
static long multicall(struct regs *regs, uint64_t *args)
{
    struct multicall_entry entry;
    unsigned int step;
    long result;

    if (!guest_range_ok(args[0], 1)) {
        return -XEN_EFAULT;
    }
    for (step = 0; (unsigned int)args[1]; step++) {
        uint64_t at = args[0];

        if (copy_from_guest(&entry, at, sizeof(entry))) {
            return -XEN_EFAULT;
        }
        if (entry.op == __HYPERVISOR_multicall) {
            result = -XEN_EINVAL;
        } else if (entry.op == __HYPERVISOR_iret) {
            /* It ends the list: the guest is elsewhere. */
            return hypercall_iret(regs);
        } else {
            result = hypercall(regs, entry.op, (uint64_t *)entry.args);
        }
        if (result == CALL_AGAIN) {
            return copy_to_guest(at, &entry, sizeof(entry)) ? -XEN_EFAULT :
                                                              CALL_AGAIN;
        }
        entry.result = result;
        if (copy_to_guest(at + offsetof(struct multicall_entry, result),
                          &entry.result, sizeof(entry.result))) {
            return -XEN_EFAULT;
        }
        args[0] += sizeof(entry);
        args[1] = (unsigned int)args[1] - 1;
        if ((unsigned int)args[1] && wants_out(step)) {
            return CALL_AGAIN;
        }
    }
    return 0;
}

long hypercall(struct regs *regs, uint64_t number, uint64_t *args)
{
    struct vcpu *v = this_vcpu();

    switch (number) {
    case __HYPERVISOR_set_trap_table:
        return set_trap_table(args);
    case __HYPERVISOR_mmu_update:
        return call_mmu_update(args);
    case __HYPERVISOR_set_gdt:
        return call_set_gdt(args[0], args[1]);
    case __HYPERVISOR_stack_switch:
        v->kernel_ss = args[0] | 3;
        v->kernel_sp = args[1];
        return 0;
    case __HYPERVISOR_set_callbacks:
        set_callback(CALLBACKTYPE_event, 0, args[0]);
        set_callback(CALLBACKTYPE_failsafe, 0, args[1]);
        set_callback(CALLBACKTYPE_syscall, 0, args[2]);
        return 0;
    case __HYPERVISOR_fpu_taskswitch:
        set_guest_ts(v, (uint32_t)args[0]);
        return 0;
    case __HYPERVISOR_set_debugreg:
    case __HYPERVISOR_get_debugreg:
        return debugreg(number, args);
    case __HYPERVISOR_update_descriptor:
        return call_update_descriptor(args[0], args[1]);
    case __HYPERVISOR_memory_op:
        return call_memory_op(args);
    case __HYPERVISOR_multicall:
        return multicall(regs, args);
    case __HYPERVISOR_update_va_mapping:
        return call_update_va_mapping(args[0], args[1], args[2]);
    case __HYPERVISOR_set_timer_op:
        return own_events() ? call_set_timer_op(args[0]) :
                              l0_call(number, args[0], 0, 0, 0, 0);
    case __HYPERVISOR_xen_version:
        return call_xen_version(args[0], args[1]);
    case __HYPERVISOR_console_io:
        return l0_call(number, args[0], args[1], l0_pointer(args[2]), 0, 0);
    case __HYPERVISOR_grant_table_op:
        return call_grant_table_op(args[0], args[1], args[2]);
    case __HYPERVISOR_vm_assist:
        return vm_assist(args[0], args[1]);
    case __HYPERVISOR_iret:
        return hypercall_iret(regs);
    case __HYPERVISOR_vcpu_op:
        return call_vcpu_op(args[0], args[1], args[2]);
    case __HYPERVISOR_set_segment_base:
        return set_segment_base(args[0], args[1]);
    case __HYPERVISOR_mmuext_op:
        return call_mmuext_op(args);
    case __HYPERVISOR_nmi_op:
        return nmi_op(args[0], args[1]);
    case __HYPERVISOR_sched_op:
        return call_sched_op(regs, args[0], args[1]);
    case __HYPERVISOR_callback_op:
        return callback_op(args[0], args[1]);
    case __HYPERVISOR_event_channel_op:
        return call_event_channel_op(args);
    case __HYPERVISOR_event_channel_op_compat:
        return call_event_channel_op_compat(args[0]);
    case __HYPERVISOR_physdev_op:
        return physdev_op(args[0], args[1]);
    case __HYPERVISOR_platform_op:
        return -XEN_EPERM;
    default:
        return -XEN_ENOSYS;
    }
}

void hypercall_trap(struct regs *regs)
{
    struct vcpu *v = this_vcpu();
    uint64_t args[6] = {
        regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9,
    };
    uint64_t number = regs->rax;
    long result;

    v->calls[v->nr_calls++ % ARRAY_SIZE(v->calls)] = number;
    result = hypercall(regs, number, args);
    if (result == CALL_AGAIN) {
        /* The same instruction, a syscall, again. */
        regs->rip -= 2;
        regs->rdi = args[0];
        regs->rsi = args[1];
    } else if (result != CALL_SETS_REGS) {
        regs->rax = result;
    }
}
