/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_vcpu_op: starting vCPUs, and what belongs to one. */

#include "events.h"
#include "marks.h"

#include <xen/hvm/hvm_vcpu.h>

/* Held while a vCPU is initialised or brought up, as Xen's domain lock. */
static struct spinlock vcpus_lock;

/*
 * These top-level tables are the vCPU's from now on.  False if another vCPU has given one
 * back meanwhile.
 */
static bool take_tables(struct vcpu *target, uint64_t top, uint64_t user_top)
{
    target->kernel_top = top;
    __atomic_store_n(&target->initialised, true, __ATOMIC_SEQ_CST);
    if (make_top_table(top) && !set_user_top(target, user_top)) {
        return true;
    }
    __atomic_store_n(&target->initialised, false, __ATOMIC_SEQ_CST);
    set_mark(top, 0);
    return false;
}

static long take_context(struct vcpu *target, uint64_t arg)
{
    vcpu_guest_context_t *c = &target->context;
    long result;

    if (copy_from_guest(c, arg, sizeof(*c))) {
        return -XEN_EFAULT;
    }
    result = check_context(c);
    if (!result) {
        result = set_gdt(target, c->gdt_frames, c->gdt_ents);
    }
    if (!result &&
        !take_tables(target, xen_cr3_to_pfn(c->ctrlreg[3]),
                     c->ctrlreg[1] ? xen_cr3_to_pfn(c->ctrlreg[1]) : 0)) {
        result = -XEN_EINVAL;
    }
    return result;
}

/* Xen reads all of a context before it says that there is one already. */
static bool is_readable(uint64_t arg, size_t size)
{
    uint8_t bytes[64];
    size_t at, part;

    for (at = 0; at < size; at += part) {
        part = size - at < sizeof(bytes) ? size - at : sizeof(bytes);
        if (copy_from_guest(bytes, arg + at, part)) {
            return false;
        }
    }
    return true;
}

/*
 * Tell L0 where the vCPU begins in a processor that is new to it: see start(); or where
 * it goes on, as the one that it had was unplugged when it was down: see park().
 */
static long give_context(struct vcpu *target)
{
    uint64_t top = target->kernel_top;
    struct vcpu_hvm_context context = {
        .mode = VCPU_HVM_MODE_64B,
        .cpu_regs.x86_64 = {
            .rip = target->is_parked ? (uint64_t)go_on : MONITOR_VA,
            .rsp = target->is_parked ? target->parked.rsp :
                                       (uint64_t)target + VCPU_SIZE - STACK_SPARE,
            .cr0 = read_cr0() & ~CR0_TS,
            .cr3 = top << PAGE_SHIFT,
            .cr4 = read_cr4() & ~(CR4_TSD | CR4_DE | CR4_FSGSBASE |
                                  CR4_OSXSAVE),
            .efer = rdmsr(MSR_EFER),
        },
    };
    long result;

    if (mark_of(top) != 4) {
        /* The guest has its tables no more. */
        return -XEN_EINVAL;
    }
    result = l0_call(__HYPERVISOR_vcpu_op, VCPUOP_initialise, target->id,
                     (uint64_t)&context, 0, 0);
    /* It has the processor in which it was before. */
    return result == -XEN_EEXIST ? 0 : result;
}

/* A vCPU in VCPU_DOWN that is still up in L0 is about to call L0's VCPUOP_down: park.c. */
static bool is_up_in_l0(const struct vcpu *target)
{
    return has_started(target) &&
           l0_call(__HYPERVISOR_vcpu_op, VCPUOP_is_up, target->id, 0, 0, 0) > 0;
}

static long bring_up(struct vcpu *target)
{
    uint32_t state;
    long result;

    if (!target->initialised) {
        return -XEN_EINVAL;
    }
    for (;;) {
        state = state_of(target);
        if (state == VCPU_UP ||
            change_state(target, VCPU_TO_BE_DOWN, VCPU_UP)) {
            return 0;
        }
        if (state == VCPU_DOWN && !is_up_in_l0(target)) {
            break;
        }
        __builtin_ia32_pause();
    }
    do {
        result = give_context(target);
        if (result) {
            return result;
        }
        __atomic_store_n(&target->started, true, __ATOMIC_SEQ_CST);
        __atomic_store_n(&target->state, VCPU_UP, __ATOMIC_SEQ_CST);
        result = l0_call(__HYPERVISOR_vcpu_op, VCPUOP_up, target->id, 0, 0, 0);
        if (result) {
            __atomic_store_n(&target->state, VCPU_DOWN, __ATOMIC_SEQ_CST);
        }
        /* If another processor was plugged meanwhile, it has no context. */
    } while (result == -XEN_EINVAL);
    return result;
}

static long up(struct vcpu *target)
{
    long result;

    spin_lock(&vcpus_lock);
    result = bring_up(target);
    spin_unlock(&vcpus_lock);
    return result;
}

static long initialise(struct vcpu *target, uint64_t arg)
{
    long result;

    if (!target->info) {
        return -XEN_EINVAL;
    }
    spin_lock(&vcpus_lock);
    if (target->initialised) {
        result = is_readable(arg, sizeof(target->context)) ? -XEN_EEXIST :
                                                             -XEN_EFAULT;
    } else {
        result = take_context(target, arg);
        if (!result && target->context.flags & VGCF_online) {
            /* If that fails, VCPUOP_up says why. */
            bring_up(target);
        }
    }
    spin_unlock(&vcpus_lock);
    return result;
}

/*
 * L0 would stop another vCPU at any instruction, maybe with a lock of the monitor's.  So
 * the target parks itself, for which it is kicked out of the guest or its sleep.
 */
static long down(struct vcpu *target)
{
    if (target == this_vcpu()) {
        return park();
    }
    if (change_state(target, VCPU_UP, VCPU_TO_BE_DOWN)) {
        kick(target);
    }
    return 0;
}

static long send_nmi(struct vcpu *target)
{
    __atomic_store_n(&target->nmi_pending, true, __ATOMIC_SEQ_CST);
    /* Also if it sleeps. */
    if (has_started(target) && target != this_vcpu()) {
        kick(target);
    }
    return 0;
}

/* Hypercalls --------------------------------------------------------------------- */

/* Once only, as in Xen, whichever vCPU is first.  Events in the old vcpu_info are looked for. */
static long own_register_vcpu_info(struct vcpu *target, vcpu_info_t *info)
{
    if (__atomic_exchange_n(&target->has_info, true, __ATOMIC_SEQ_CST)) {
        return -XEN_EINVAL;
    }
    if (target->info) {
        *info = *target->info;
        info->evtchn_upcall_pending = 0;
        info->evtchn_pending_sel = 0;
    } else {
        __builtin_memset(info, 0, sizeof(*info));
        info->evtchn_upcall_mask = 1;
    }
    copy_time(target, info);
    evtchn_vcpu_set_info(guest_events, target->id, info, true);
    target->info = info;
    return 0;
}

static long register_vcpu_info(struct vcpu *target, uint64_t arg)
{
    struct vcpu_register_vcpu_info op;
    vcpu_info_t *info;
    long result;

    if (copy_from_guest(&op, arg, sizeof(op))) {
        return -XEN_EFAULT;
    }
    if (op.offset > PAGE_SIZE - sizeof(*info) || op.offset % 8) {
        return -XEN_ENXIO;
    }
    if (!is_writable_frame(op.mfn) ||
        (target != this_vcpu() && state_of(target) != VCPU_DOWN)) {
        return -XEN_EINVAL;
    }
    info = (vcpu_info_t *)((uint8_t *)frame(op.mfn) + op.offset);
    if (own_events()) {
        return own_register_vcpu_info(target, info);
    }
    /* What was checked, not what another vCPU has put there since. */
    result = l0_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info,
                     target->id, (uint64_t)&op, 0, 0);
    if (result) {
        return result;
    }
    target->info = info;
    /* What came to the old one meanwhile is looked for. */
    __atomic_store_n(&info->evtchn_pending_sel, ~0ul, __ATOMIC_SEQ_CST);
    __atomic_store_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
    return 0;
}

/*
 * L0 translates an area's address once, by the tables that are loaded, the monitor's
 * among them, and writes there from then on.  The structure has no more than the address,
 * which is 0 for no area.
 */
static long register_l0_area(unsigned int cmd, const struct vcpu *target,
                             uint64_t arg, size_t size)
{
    uint64_t address;

    if (copy_from_guest(&address, arg, sizeof(address)) ||
        (address && (!guest_range_ok(address, size) || !guest_byte(address) ||
                     !guest_byte(address + size - 1)))) {
        return -XEN_EFAULT;
    }
    return l0_call(__HYPERVISOR_vcpu_op, cmd, target->id, (uint64_t)&address,
                   0, 0);
}

long call_vcpu_op(unsigned int cmd, unsigned int id, uint64_t arg)
{
    struct vcpu *target;

    if (id >= boot->nr_vcpus) {
        return -XEN_ENOENT;
    }
    target = vcpu_by_id(id);
    switch (cmd) {
    case VCPUOP_register_vcpu_info:
        return register_vcpu_info(target, arg);
    case VCPUOP_initialise:
        return initialise(target, arg);
    case VCPUOP_up:
        return up(target);
    case VCPUOP_down:
        return down(target);
    case VCPUOP_is_up:
        return state_of(target) == VCPU_UP;
    case VCPUOP_send_nmi:
        return arg ? -XEN_EINVAL : send_nmi(target);
    case VCPUOP_set_periodic_timer:
    case VCPUOP_stop_periodic_timer:
    case VCPUOP_set_singleshot_timer:
    case VCPUOP_stop_singleshot_timer:
        if (own_events()) {
            return call_timer_op(cmd, target, arg);
        }
        break;
    case VCPUOP_register_runstate_memory_area:
        if (boot->own_runstates) {
            return call_runstate_op(cmd, target, arg);
        }
        return register_l0_area(cmd, target, arg,
                                sizeof(struct vcpu_runstate_info));
    case VCPUOP_get_runstate_info:
        if (boot->own_runstates) {
            return call_runstate_op(cmd, target, arg);
        }
        break;
    case VCPUOP_register_vcpu_time_memory_area:
        return register_l0_area(cmd, target, arg,
                                sizeof(struct vcpu_time_info));
    case VCPUOP_get_physid:
        return -XEN_EINVAL;
    default:
        return -XEN_ENOSYS;
    }
    return l0_call(__HYPERVISOR_vcpu_op, cmd, id, l0_pointer(arg), 0, 0);
}
