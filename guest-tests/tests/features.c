/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XENVER_get_features: what Xen 4.17 tells a guest that it can do. */

#include "guest.h"

#include <xen/features.h>
#include <xen/version.h>

static void check_features(uint32_t submap)
{
    struct xen_feature_info info = { .submap_idx = 0 };

    check_equal(HYPERVISOR_xen_version(XENVER_get_features, &info), 0);
    check_equal(info.submap, submap);
    /* There are 32 features: no other word. */
    info.submap_idx = 1;
    info.submap = 0x55;
    check_equal(HYPERVISOR_xen_version(XENVER_get_features, &info),
                -XEN_EINVAL);
    check_equal(info.submap, 0x55);
    info.submap_idx = ~0u;
    check_equal(HYPERVISOR_xen_version(XENVER_get_features, &info),
                -XEN_EINVAL);
}

TEST(features_of_pv, "pv noshim")
{
    check_features(1u << XENFEAT_mmu_pt_update_preserve_ad |
                   1u << XENFEAT_highmem_assist |
                   1u << XENFEAT_gnttab_map_avail_bits |
                   1u << XENFEAT_memory_op_vnode_supported |
                   1u << XENFEAT_direct_mapped);
    check_equal(HYPERVISOR_xen_version(XENVER_get_features,
                                       (void *)HYPERVISOR_VIRT_START),
                -XEN_EFAULT);
}

/* Not for PVH, which has no PIRQs on Xen, but a PC's here. */
TEST(features_of_hvm, "hvm")
{
    check_features(1u << XENFEAT_writable_page_tables |
                   1u << XENFEAT_auto_translated_physmap |
                   1u << XENFEAT_hvm_callback_vector |
                   1u << XENFEAT_hvm_safe_pvclock |
                   1u << XENFEAT_hvm_pirqs |
                   1u << XENFEAT_memory_op_vnode_supported |
                   1u << XENFEAT_not_direct_mapped);
    check_equal(HYPERVISOR_xen_version(XENVER_get_features,
                                       (void *)0xe0000000),
                -XEN_EFAULT);
}
