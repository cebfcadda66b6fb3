/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VCPUOP_register_vcpu_info: QEMU's own code moves a vCPU's vcpu_info.  This
 * file has Xen's checks before that, and sets the new one's contents.
 */

#include "hypercalls.h"
#include "exec/address-spaces.h"
#include "qemu/main-loop.h"
#include "system/kvm_xen.h"
#include "hw/xen/interface/vcpu.h"

/* @size bytes of RAM that the guest may write, or NULL; BQL held. */
static uint8_t *writable_ram(uint64_t gpa, size_t size)
{
    MemoryRegionSection section =
        memory_region_find(get_system_memory(), gpa, size);
    uint8_t *ram = NULL;

    if (!section.mr) {
        return NULL;
    }
    if (memory_region_is_ram(section.mr) && !section.readonly &&
        !memory_region_is_ram_device(section.mr) &&
        int128_ge(section.size, int128_make64(size))) {
        ram = memory_region_get_ram_ptr(section.mr) +
              section.offset_within_region;
    }
    memory_region_unref(section.mr);
    return ram;
}

/*
 * Copy the old vcpu_info, but for what is pending: QEMU's own code marks that
 * anew. A vCPU that had none, as it is beyond shared_info's, starts with
 * upcalls masked.
 */
static void fill(CPUState *target, uint64_t gpa, bool long_mode)
{
    const void *old = X86_CPU(target)->env.xen_vcpu_info_hva;
    uint8_t info[sizeof(struct vcpu_info)] = { 0 };
    uint8_t *ram = writable_ram(gpa, sizeof(info));

    if (ram == old) {
        return;
    }
    if (old) {
        memcpy(info, old, sizeof(info));
        info[offsetof(struct vcpu_info, evtchn_upcall_pending)] = 0;
        if (long_mode) {
            memset(&info[8], 0, 8);
        } else {
            memset(&info[4], 0, 4);
        }
    } else {
        info[offsetof(struct vcpu_info, evtchn_upcall_mask)] = 1;
    }
    address_space_write(&address_space_memory, gpa, MEMTXATTRS_UNSPECIFIED,
                        info, sizeof(info));
}

bool xen_hypercall_register_vcpu_info(CPUState *cs, CPUState *target,
                                      uint64_t arg, int64_t *result)
{
    struct vcpu_register_vcpu_info op;
    bool long_mode = true;
    uint64_t gpa;

    qemu_build_assert(sizeof(op) == 16);
    qemu_build_assert(sizeof(struct vcpu_info) == 64);
    if (kvm_copy_from_gva(cs, arg, &op, sizeof(op))) {
        *result = -EFAULT;
        return true;
    }
    xen_accel->get_long_mode(&long_mode);
    if (op.offset > TARGET_PAGE_SIZE - sizeof(struct vcpu_info) ||
        op.offset % (long_mode ? 8 : 4)) {
        *result = -ENXIO;
        return true;
    }
    BQL_LOCK_GUARD();
    gpa = (op.mfn << TARGET_PAGE_BITS) + op.offset;
    /*
     * Only once; newer Xen has -EBUSY.  Xen also refuses to move the vcpu_info
     * of another vCPU that is up.  QEMU must not, as a kernel moves them before
     * it starts the vCPUs: PC firmware leaves these up, where hvmloader sends
     * INIT.
     */
    if (X86_CPU(target)->env.xen_vcpu_info_gpa != INVALID_GPA ||
        op.mfn >> (64 - TARGET_PAGE_BITS) ||
        !writable_ram(gpa, sizeof(struct vcpu_info))) {
        *result = -EINVAL;
        return true;
    }
    fill(target, gpa, long_mode);
    return false;
}
