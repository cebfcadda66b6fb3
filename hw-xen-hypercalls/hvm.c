/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_hvm_op: TLBs, time, types of memory, parameters. */

#include "hypercalls.h"
#include "exec/address-spaces.h"
#include "qemu/rcu.h"
#include "hw/xen/interface/hvm/hvm_op.h"
#include "hw/xen/interface/hvm/params.h"

static int flush_tlbs(CPUState *cs, uint64_t arg)
{
    if (arg) {
        return -EINVAL;
    }
    /* Then guests send IPIs and flush by themselves. */
    if (!xen_accel->flush_tlbs) {
        return -ENOSYS;
    }
    xen_accel->flush_tlbs(cs);
    return 0;
}

static int get_time(CPUState *cs, uint64_t arg)
{
    struct xen_hvm_get_time now = { .now = xen_accel->get_system_time() };

    return kvm_copy_to_gva(cs, arg, &now, sizeof(now));
}

static int page_type(uint64_t pfn)
{
    MemoryRegion *mr;
    hwaddr offset, len = 1;

    if (pfn >> (64 - TARGET_PAGE_BITS)) {
        return HVMMEM_mmio_dm;
    }
    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(&address_space_memory,
                                 pfn << TARGET_PAGE_BITS, &offset, &len, false,
                                 MEMTXATTRS_UNSPECIFIED);
    if (memory_region_is_romd(mr) || memory_region_is_rom(mr)) {
        return HVMMEM_ram_ro;
    }
    return memory_region_is_ram(mr) && !memory_region_is_ram_device(mr)
               ? HVMMEM_ram_rw : HVMMEM_mmio_dm;
}

/* Linux asks this of what it dumps after a crash. */
static int get_mem_type(CPUState *cs, uint64_t arg)
{
    struct xen_hvm_get_mem_type op;
    int ret;

    qemu_build_assert(sizeof(op) == 16);
    if (kvm_copy_from_gva(cs, arg, &op, sizeof(op))) {
        return -EFAULT;
    }
    ret = xen_hypercall_check_self(op.domid);
    if (ret) {
        return ret;
    }
    op.mem_type = page_type(op.pfn);
    return kvm_copy_to_gva(cs, arg, &op, sizeof(op));
}

/* For Xen's shadow page tables, and refused where it has none. */
static int pagetable_dying(CPUState *cs, uint64_t arg)
{
    struct xen_hvm_pagetable_dying op;
    int ret;

    if (kvm_copy_from_gva(cs, arg, &op, sizeof(op))) {
        return -EFAULT;
    }
    ret = xen_hypercall_check_self(op.domid);
    return ret == -EPERM ? -EOPNOTSUPP : ret ? ret : -EINVAL;
}

/* Parameters ---------------------------------------------------------------- */

/* What once meant something; Xen's headers have their names no more. */
static bool is_deprecated(uint32_t index)
{
    switch (index) {
    case 4:             /* PAE_ENABLED */
    case 13:            /* DM_DOMAIN */
    case 20 ... 23:     /* MEMORY_EVENT_CR0, _CR3, _CR4, _INT3 */
    case 24:            /* NESTEDHVM */
    case 25:            /* MEMORY_EVENT_SINGLE_STEP */
    case 26:            /* BUFIOREQ_EVTCHN */
    case 30:            /* MEMORY_EVENT_MSR */
        return true;
    default:
        return false;
    }
}

/* False: the guest may have it, and it is for QEMU's own. */
static bool get_param(CPUState *cs, struct xen_hvm_param *op, int *ret)
{
    switch (op->index) {
    case HVM_PARAM_STORE_PFN:
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_CONSOLE_PFN:
    case HVM_PARAM_CONSOLE_EVTCHN:
        return false;
    case HVM_PARAM_CALLBACK_IRQ:
    case HVM_PARAM_VM86_TSS:
    case HVM_PARAM_VM86_TSS_SIZED:
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
    case HVM_PARAM_X87_FIP_WIDTH:
        /* The firmware's, and nothing that we would know. */
        return false;
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_ALTP2M:
        /* There is none. */
        op->value = 0;
        *ret = 0;
        return true;
    default:
        *ret = is_deprecated(op->index) ? -EINVAL : -EPERM;
        return true;
    }
}

static bool set_param(struct xen_hvm_param *op, int *ret)
{
    switch (op->index) {
    case HVM_PARAM_CALLBACK_IRQ:
    case HVM_PARAM_VM86_TSS:
    case HVM_PARAM_VM86_TSS_SIZED:
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_CONSOLE_EVTCHN:
    case HVM_PARAM_X87_FIP_WIDTH:
        return false;
    case HVM_PARAM_ALTP2M:
        *ret = -EEXIST;
        return true;
    default:
        *ret = is_deprecated(op->index) ? -EINVAL : -EPERM;
        return true;
    }
}

static bool hvm_param(CPUState *cs, unsigned int cmd, uint64_t arg,
                      int64_t *result)
{
    struct xen_hvm_param op;
    int ret;

    if (kvm_copy_from_gva(cs, arg, &op, sizeof(op))) {
        ret = -EFAULT;
    } else if (op.index >= HVM_NR_PARAMS) {
        ret = -EINVAL;
    } else {
        ret = xen_hypercall_check_self(op.domid);
        if (ret) {
            /* nothing more to find out */
        } else if (cmd == HVMOP_set_param) {
            if (!set_param(&op, &ret)) {
                return false;
            }
        } else if (!get_param(cs, &op, &ret)) {
            return false;
        } else if (!ret) {
            ret = kvm_copy_to_gva(cs, arg, &op, sizeof(op));
        }
    }
    *result = ret;
    return true;
}

bool xen_hypercall_hvm_op(CPUState *cs, unsigned int cmd, uint64_t arg,
                          int64_t *result)
{
    switch (cmd) {
    case HVMOP_set_param:
    case HVMOP_get_param:
        return hvm_param(cs, cmd, arg, result);
    case HVMOP_flush_tlbs:
        *result = flush_tlbs(cs, arg);
        break;
    case HVMOP_get_time:
        *result = get_time(cs, arg);
        break;
    case HVMOP_get_mem_type:
        *result = get_mem_type(cs, arg);
        break;
    case HVMOP_pagetable_dying:
        *result = pagetable_dying(cs, arg);
        break;
    case HVMOP_altp2m:
        *result = -EOPNOTSUPP;
        break;
    default:
        return false;
    }
    return true;
}
