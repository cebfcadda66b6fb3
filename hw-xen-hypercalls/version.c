/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_xen_version: what a guest is told of its hypervisor. */

#include "hypercalls.h"
#include "qemu/cutils.h"
#include "system/system.h"
#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/features.h"
#include "hw/xen/interface/version.h"

/* The version that -accel kvm,xen-version or -machine xen-version sets. */
static uint32_t guest_xen_version(void)
{
    return xen_accel->get_xen_version();
}

static int copy_string(CPUState *cs, uint64_t arg, const char *string,
                       size_t size)
{
    g_autofree char *buf = g_malloc0(size);

    pstrcpy(buf, size, string);
    return kvm_copy_to_gva(cs, arg, buf, size);
}

static int capabilities(CPUState *cs, uint64_t arg)
{
    uint32_t version = guest_xen_version();
    g_autofree char *caps = g_strdup_printf(
        "hvm-%u.%u-x86_32 hvm-%u.%u-x86_32p hvm-%u.%u-x86_64 ",
        version >> 16, version & 0xffff, version >> 16, version & 0xffff,
        version >> 16, version & 0xffff);

    return copy_string(cs, arg, caps, sizeof(xen_capabilities_info_t));
}

/* There is no build of Xen to describe: all fields are empty. */
static int compile_info(CPUState *cs, uint64_t arg)
{
    struct xen_compile_info info = {
        .compiler = "",
        .compile_by = "",
        .compile_domain = "",
        .compile_date = "",
    };

    return kvm_copy_to_gva(cs, arg, &info, sizeof(info));
}

/*
 * What Xen 4.17 tells an HVM guest, in a word of features by number.  The monitor tells
 * PV guests of theirs (accel/pv/monitor/memory.c).
 */
static int features(CPUState *cs, uint64_t arg)
{
    struct xen_feature_info info;
    int err = kvm_copy_from_gva(cs, arg, &info, sizeof(info));

    if (err) {
        return err;
    }
    if (info.submap_idx) {
        return -EINVAL;
    }
    info.submap = 1u << XENFEAT_writable_page_tables |
                  1u << XENFEAT_auto_translated_physmap |
                  1u << XENFEAT_hvm_callback_vector |
                  1u << XENFEAT_hvm_safe_pvclock |
                  1u << XENFEAT_hvm_pirqs |
                  1u << XENFEAT_memory_op_vnode_supported |
                  1u << XENFEAT_not_direct_mapped;
    return kvm_copy_to_gva(cs, arg, &info, sizeof(info));
}

bool xen_hypercall_xen_version(CPUState *cs, unsigned int cmd, uint64_t arg,
                               bool long_mode, int64_t *result)
{
    switch (cmd) {
    case XENVER_version:
        *result = guest_xen_version();
        break;
    case XENVER_extraversion:
        *result = copy_string(cs, arg, "", sizeof(xen_extraversion_t));
        break;
    case XENVER_compile_info:
        *result = compile_info(cs, arg);
        break;
    case XENVER_capabilities:
        *result = capabilities(cs, arg);
        break;
    case XENVER_changeset:
        *result = copy_string(cs, arg, "", sizeof(xen_changeset_info_t));
        break;
    case XENVER_platform_parameters: {
        /* PV guests find the hypervisor there; 0 for HVM guests. */
        uint64_t virt_start = 0;

        *result = kvm_copy_to_gva(cs, arg, &virt_start, long_mode ? 8 : 4);
        break;
    }
    case XENVER_get_features:
        *result = features(cs, arg);
        break;
    case XENVER_pagesize:
        *result = arg ? -EINVAL : TARGET_PAGE_SIZE;
        break;
    case XENVER_guest_handle:
        *result = kvm_copy_to_gva(cs, arg, &qemu_uuid, sizeof(qemu_uuid));
        break;
    case XENVER_commandline: {
        static const char denied[] = "<denied>";

        /* Xen's answer to all domains but 0. */
        *result = kvm_copy_to_gva(cs, arg, (void *)denied, sizeof(denied));
        break;
    }
    case XENVER_build_id:
        *result = -EPERM;
        break;
    default:
        return false;
    }
    return true;
}
