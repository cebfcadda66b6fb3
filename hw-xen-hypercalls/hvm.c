/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_hvm_op: TLBs, time, types of memory. */

#include "hypercalls.h"
#include "physmap.h"
#include "exec/address-spaces.h"
#include "qemu/rcu.h"
#include "hw/xen/interface/hvm/hvm_op.h"

static int flush_tlbs(CPUState *cs, uint64_t arg)
{
    if (arg) {
        return -EINVAL;
    }
    /* At -ENOSYS guests flush by IPIs of their own. */
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

    if (pfn >> (64 - TARGET_PAGE_BITS) || xen_physmap_is_hole(pfn)) {
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

/* Linux asks for the type of each page that it dumps after a crash. */
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

/* Xen's shadow page tables use this; Xen refuses it where there are none. */
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

/* Only errors are found here; QEMU's own code sets a valid vector. */
static bool set_evtchn_upcall_vector(CPUState *cs, uint64_t arg,
                                     int64_t *result)
{
    struct xen_hvm_evtchn_upcall_vector op;

    if (kvm_copy_from_gva(cs, arg, &op, sizeof(op))) {
        *result = -EFAULT;
    } else if (op.vector < 0x10) {
        *result = -EINVAL;
    } else if (!qemu_get_cpu(op.vcpu)) {
        *result = -ENOENT;
    } else {
        return false;
    }
    return true;
}

bool xen_hypercall_hvm_op(CPUState *cs, unsigned int cmd, uint64_t arg,
                          int64_t *result)
{
    switch (cmd) {
    case HVMOP_set_param:
    case HVMOP_get_param:
        return xen_hypercall_hvm_param(cs, cmd, arg, result);
    case HVMOP_set_evtchn_upcall_vector:
        return set_evtchn_upcall_vector(cs, arg, result);
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
