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

static long machphys_mapping(uint64_t arg)
{
    uint64_t frames = boot->max_mfn > 0x100000 ? boot->max_mfn : 0x100000;
    struct xen_machphys_mapping mapping = {
        .v_start = M2P_VA,
        .v_end = M2P_VA + frames * sizeof(uint64_t),
        .max_mfn = frames - 1,
    };

    return copy_to_guest(arg, &mapping, sizeof(mapping)) ? -XEN_EFAULT : 0;
}

static long reservation(uint64_t arg, bool is_current)
{
    domid_t domid;

    if (copy_from_guest(&domid, arg, sizeof(domid))) {
        return -XEN_EFAULT;
    }
    if (domid != DOMID_SELF) {
        return -XEN_ESRCH;
    }
    return is_current ? nr_guest_frames() : boot->nr_pages;
}

long call_memory_op(uint64_t *args)
{
    unsigned int cmd = args[0];
    uint64_t arg = args[1];

    /* These have in their upper bits how far a continued one has come. */
    switch (cmd & 63) {
    case XENMEM_decrease_reservation:
    case XENMEM_increase_reservation:
    case XENMEM_populate_physmap:
        return change_reservation(args);
    case XENMEM_exchange:
        /* This one has it in its argument. */
        return cmd == XENMEM_exchange ? call_exchange(arg) : -XEN_EINVAL;
    }
    switch (cmd) {
    case XENMEM_memory_map:
        return memory_map(arg);
    case XENMEM_machphys_mapping:
        return machphys_mapping(arg);
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
        return reservation(arg, cmd == XENMEM_current_reservation);
    case XENMEM_maximum_ram_page:
        return boot->max_mfn - 1;
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

static long setup_table(uint64_t arg)
{
    struct gnttab_setup_table op;
    struct gnttab_query_size size = { .dom = DOMID_SELF };

    if (copy_from_guest(&op, arg, sizeof(op))) {
        return -XEN_EFAULT;
    }
    l0_call(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, (uint64_t)&size,
            1, 0, 0);
    if (op.dom != DOMID_SELF) {
        op.status = GNTST_permission_denied;
    } else if (op.nr_frames > size.max_nr_frames ||
               op.nr_frames > boot->nr_grant_mfns ||
               map_frames(op.nr_frames, 0, boot->grant_mfn)) {
        op.status = GNTST_general_error;
    } else if (list_frames((uint64_t)op.frame_list.p, op.nr_frames,
                           boot->grant_mfn)) {
        op.status = GNTST_bad_virt_addr;
    } else {
        op.status = GNTST_okay;
    }
    return copy_to_guest(arg, &op, sizeof(op)) ? -XEN_EFAULT : 0;
}

static long get_status_frames(uint64_t arg)
{
    struct gnttab_get_status_frames op;

    if (copy_from_guest(&op, arg, sizeof(op))) {
        return -XEN_EFAULT;
    }
    if (op.nr_frames > boot->nr_grant_mfns ||
        map_frames(op.nr_frames, XENMAPIDX_grant_table_status,
                   boot->status_mfn)) {
        op.status = GNTST_general_error;
    } else if (list_frames((uint64_t)op.frame_list.p, op.nr_frames,
                           boot->status_mfn)) {
        op.status = GNTST_bad_virt_addr;
    } else {
        op.status = GNTST_okay;
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
    info.submap = info.submap_idx ? 0 :
                  1u << XENFEAT_mmu_pt_update_preserve_ad |
                  1u << XENFEAT_gnttab_map_avail_bits |
                  1u << XENFEAT_pae_pgdir_above_4gb;
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
