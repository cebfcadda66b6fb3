/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypercalls about the guest's memory, its grant table, and what Xen it is on. */

#include "monitor.h"

#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/version.h>

#define E820_RAM 1

static long memory_map(uint64_t arg)
{
    struct xen_memory_map map;
    struct {
        uint64_t address, size;
        uint32_t type;
    } __attribute__((packed)) entry = {
        0, boot->nr_pages << PAGE_SHIFT, E820_RAM
    };

    if (copy_from_guest(&map, arg, sizeof(map))) {
        return -XEN_EFAULT;
    }
    if (map.nr_entries) {
        map.nr_entries = 1;
        if (copy_to_guest((uint64_t)map.buffer.p, &entry, sizeof(entry))) {
            return -XEN_EFAULT;
        }
    }
    return copy_to_guest(arg, &map, sizeof(map)) ? -XEN_EFAULT : 0;
}

/* With what is no RAM: rings, shared_info, grant tables are below 4 GiB. */
static uint64_t nr_machine_frames(void)
{
    return boot->max_mfn > 0x100000 ? boot->max_mfn : 0x100000;
}

static long machphys_mapping(uint64_t arg)
{
    uint64_t frames = nr_machine_frames();
    struct xen_machphys_mapping mapping = {
        .v_start = M2P_VA,
        .v_end = M2P_VA + frames * sizeof(uint64_t),
        .max_mfn = frames - 1,
    };

    return copy_to_guest(arg, &mapping, sizeof(mapping)) ? -XEN_EFAULT : 0;
}

/* What the guest's kernel has said of its p2m in shared_info. */
static long maximum_gpfn(void)
{
    const volatile shared_info_t *shared = frame(boot->shared_info_mfn);
    unsigned long pages = shared->arch.max_pfn;

    return pages ? pages - 1 : 0;
}

static long size_of_domain(unsigned int cmd, uint64_t arg)
{
    domid_t domid;
    long result;

    if (copy_from_guest(&domid, arg, sizeof(domid))) {
        return -XEN_EFAULT;
    }
    result = check_self(domid);
    if (result) {
        return result;
    }
    switch (cmd) {
    case XENMEM_current_reservation:
        return nr_guest_frames();
    case XENMEM_maximum_reservation:
        return boot->nr_pages;
    default:
        return maximum_gpfn();
    }
}

long call_memory_op(uint64_t *args)
{
    unsigned int cmd = args[0] & MEMOP_CMD_MASK;
    bool is_continued = (unsigned int)args[0] >> MEMOP_EXTENT_SHIFT;
    uint64_t arg = args[1];

    switch (cmd) {
    case XENMEM_decrease_reservation:
    case XENMEM_increase_reservation:
    case XENMEM_populate_physmap:
        return change_reservation(args);
    case XENMEM_exchange:
        /* This one has it in its argument. */
        return is_continued ? -XEN_EINVAL : call_exchange(arg);
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
        return is_continued ? -XEN_EINVAL : size_of_domain(cmd, arg);
    case XENMEM_maximum_ram_page:
        return is_continued ? -XEN_EINVAL : (long)nr_machine_frames();
    }
    switch ((unsigned int)args[0]) {
    case XENMEM_memory_map:
        return memory_map(arg);
    case XENMEM_machphys_mapping:
        return machphys_mapping(arg);
    case XENMEM_machine_memory_map:
        return -XEN_EPERM;
    default:
        return -XEN_ENOSYS;
    }
}

/* Grant tables ------------------------------------------------------------------- */

static long map_frames(unsigned int nr, unsigned int flag, uint64_t first)
{
    unsigned int i;

    for (i = 0; i < nr; i++) {
        struct xen_add_to_physmap map = {
            .domid = DOMID_SELF,
            .space = XENMAPSPACE_grant_table,
            .idx = i | flag,
            .gpfn = first + i,
        };
        long result = l0_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
                              (uint64_t)&map, 0, 0, 0);

        if (result) {
            return result;
        }
    }
    return 0;
}

static long list_frames(uint64_t list, unsigned int nr, uint64_t first)
{
    unsigned int i;

    for (i = 0; i < nr; i++) {
        uint64_t mfn = first + i;

        if (copy_to_guest(list + i * sizeof(mfn), &mfn, sizeof(mfn))) {
            return -XEN_EFAULT;
        }
    }
    return 0;
}

/* GNTST_okay, or what another domain is. */
static int16_t status_of_domain(domid_t domid)
{
    return is_self(domid) ? GNTST_okay :
           domid ? GNTST_bad_domain : GNTST_permission_denied;
}

static long setup_table(uint64_t arg)
{
    struct gnttab_setup_table op;
    struct gnttab_query_size size = { .dom = DOMID_SELF };

    if (copy_from_guest(&op, arg, sizeof(op)) ||
        !guest_range_ok((uint64_t)op.frame_list.p, 1)) {
        return -XEN_EFAULT;
    }
    l0_call(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, (uint64_t)&size,
            1, 0, 0);
    op.status = status_of_domain(op.dom);
    if (op.status != GNTST_okay) {
        /* That is all. */
    } else if (op.nr_frames > size.max_nr_frames ||
               op.nr_frames > boot->nr_grant_mfns ||
               map_frames(op.nr_frames, 0, boot->grant_mfn)) {
        op.status = GNTST_general_error;
    } else if (list_frames((uint64_t)op.frame_list.p, op.nr_frames,
                           boot->grant_mfn)) {
        op.status = GNTST_bad_virt_addr;
    }
    return copy_to_guest(arg, &op, sizeof(op)) ? -XEN_EFAULT : 0;
}

static long get_status_frames(uint64_t arg)
{
    struct gnttab_get_status_frames op;

    if (copy_from_guest(&op, arg, sizeof(op)) ||
        !guest_range_ok((uint64_t)op.frame_list.p, 1)) {
        return -XEN_EFAULT;
    }
    op.status = status_of_domain(op.dom);
    if (op.status != GNTST_okay) {
        /* That is all. */
    } else if (op.nr_frames > boot->nr_grant_mfns ||
               map_frames(op.nr_frames, XENMAPIDX_grant_table_status,
                          boot->status_mfn)) {
        op.status = GNTST_general_error;
    } else if (list_frames((uint64_t)op.frame_list.p, op.nr_frames,
                           boot->status_mfn)) {
        op.status = GNTST_bad_virt_addr;
    }
    return copy_to_guest(arg, &op, sizeof(op)) ? -XEN_EFAULT : 0;
}

long call_grant_table_op(unsigned int cmd, uint64_t arg, unsigned int count)
{
    switch (cmd) {
    case GNTTABOP_setup_table:
        return count == 1 ? setup_table(arg) : -XEN_EINVAL;
    case GNTTABOP_get_status_frames:
        return count == 1 ? get_status_frames(arg) : -XEN_EINVAL;
    case GNTTABOP_query_size:
    case GNTTABOP_set_version:
    case GNTTABOP_get_version:
    case GNTTABOP_copy:
        /* Up to a page of arguments at once. */
        return l0_call(__HYPERVISOR_grant_table_op, cmd, l0_pointer(arg),
                       count > 32 ? 32 : count, 0, 0);
    default:
        return -XEN_ENOSYS;
    }
}

/* Xen ---------------------------------------------------------------------------- */

static long get_features(uint64_t arg)
{
    struct xen_feature_info info;

    if (copy_from_guest(&info, arg, sizeof(info))) {
        return -XEN_EFAULT;
    }
    if (info.submap_idx >= XENFEAT_NR_SUBMAPS) {
        return -XEN_EINVAL;
    }
    info.submap = 1u << XENFEAT_mmu_pt_update_preserve_ad |
                  1u << XENFEAT_highmem_assist |
                  1u << XENFEAT_gnttab_map_avail_bits |
                  1u << XENFEAT_memory_op_vnode_supported |
                  1u << XENFEAT_direct_mapped;
    return copy_to_guest(arg, &info, sizeof(info)) ? -XEN_EFAULT : 0;
}

long call_xen_version(unsigned int cmd, uint64_t arg)
{
    static const xen_capabilities_info_t capabilities = "xen-3.0-x86_64 ";
    uint64_t start = M2P_VA;

    switch (cmd) {
    case XENVER_get_features:
        return get_features(arg);
    case XENVER_capabilities:
        return copy_to_guest(arg, capabilities, sizeof(capabilities)) ?
               -XEN_EFAULT : 0;
    case XENVER_platform_parameters:
        return copy_to_guest(arg, &start, sizeof(start)) ? -XEN_EFAULT : 0;
    default:
        return l0_call(__HYPERVISOR_xen_version, cmd, l0_pointer(arg), 0, 0, 0);
    }
}
