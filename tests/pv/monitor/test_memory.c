/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.c: what the guest's memory is, and what Xen it is on. */

#include "frames.h"

#include <xen/features.h>
#include <xen/version.h>

#define UNMAPPED    FRAMES_UNMAPPED
#define READ_ONLY   (FRAMES_UNMAPPED + PAGE_SIZE)

/* Where nothing of the guest's is: each leads to -XEN_EFAULT. */
static const uint64_t nowhere[] = {
    0, UNMAPPED, 0x0000800000000000ul, M2P_VA, DIRECTMAP_VA,
    HYPERVISOR_END - 1, ~0ul,
};

static long memory_op(unsigned int command, uint64_t arg)
{
    return machine_call(__HYPERVISOR_memory_op, command, arg, 0, 0);
}

static long xen_version(unsigned int command, uint64_t arg)
{
    return machine_call(__HYPERVISOR_xen_version, command, arg, 0, 0);
}

/* A copy of @bytes that the guest may not write, at the page's end. */
static uint64_t put_read_only(const void *bytes, size_t size)
{
    uint64_t mfn = FRAMES_FIRST + 400;

    machine_map(READ_ONLY, mfn, PTE_PRESENT);
    memcpy((uint8_t *)frame(mfn) + PAGE_SIZE - size, bytes, size);
    return READ_ONLY + PAGE_SIZE - size;
}

static void test_memory_map(void)
{
    struct xen_memory_map map = { .nr_entries = 0 }, *seen;
    uint8_t before[24], expected[24];
    const uint64_t size = MACHINE_HOLE_MFN - MACHINE_LOW_MFN +
                          MACHINE_MAX_MFN - MACHINE_HIGH_MFN;
    static const unsigned int sizes[] = { 0, 1, 2, 5, ~0u };
    uint64_t va, buffer, bytes = size << PAGE_SHIFT;
    unsigned int i;

    frames_start();
    memset(before, 0xee, sizeof(before));
    memset(expected, 0xee, sizeof(expected));
    memset(expected, 0, 8);
    memcpy(expected + 8, &bytes, 8);
    memcpy(expected + 16, (uint32_t []) { 1 }, 4);
    va = machine_put(&map, sizeof(map));
    seen = machine_at(va);
    for (i = 0; i < ARRAY_SIZE(sizes); i++) {
        buffer = machine_put(before, sizeof(before));
        seen->nr_entries = sizes[i];
        seen->buffer.p = (void *)buffer;
        g_assert_cmpint(memory_op(XENMEM_memory_map, va), ==, 0);
        g_assert_cmpuint(seen->nr_entries, ==, !!sizes[i]);
        g_assert_cmphex((uint64_t)seen->buffer.p, ==, buffer);
        g_assert_cmpmem(machine_at(buffer), 24, sizes[i] ? expected : before,
                        24);
    }
    /* It has the size of its RAM, whatever it gives back. */
    frames_give(FRAMES_FIRST, 100);
    seen->nr_entries = 1;
    g_assert_cmpint(memory_op(XENMEM_memory_map, va), ==, 0);
    g_assert_cmpmem(machine_at(buffer), 24, expected, 24);
    for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
        g_assert_cmpint(memory_op(XENMEM_memory_map, nowhere[i]), ==,
                        -XEN_EFAULT);
        seen->nr_entries = 7;
        seen->buffer.p = (void *)nowhere[i];
        g_assert_cmpint(memory_op(XENMEM_memory_map, va), ==, -XEN_EFAULT);
        g_assert_cmpuint(seen->nr_entries, ==, 7);
        /* Nothing is written there. */
        seen->nr_entries = 0;
        g_assert_cmpint(memory_op(XENMEM_memory_map, va), ==, 0);
    }
    seen->buffer.p = (void *)buffer;
    g_assert_cmpint(memory_op(XENMEM_memory_map,
                              put_read_only(seen, sizeof(map))), ==,
                    -XEN_EFAULT);
}

static void test_machphys_mapping(void)
{
    static const struct {
        uint64_t max_mfn, frames;
    } cases[] = {
        { MACHINE_MAX_MFN, 0x100000 }, { 0x100000, 0x100000 },
        { 0x100001, 0x100001 }, { 0x240000, 0x240000 },
    };
    struct xen_machphys_mapping mapping = { 0 }, *seen;
    unsigned int i;
    uint64_t va;

    frames_start();
    va = machine_put(&mapping, sizeof(mapping));
    seen = machine_at(va);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        machine_boot.max_mfn = cases[i].max_mfn;
        g_assert_cmpint(memory_op(XENMEM_machphys_mapping, va), ==, 0);
        g_assert_cmphex(seen->v_start, ==, M2P_VA);
        g_assert_cmphex(seen->v_end, ==, M2P_VA + cases[i].frames * 8);
        g_assert_cmphex(seen->max_mfn, ==, cases[i].frames - 1);
    }
    for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
        g_assert_cmpint(memory_op(XENMEM_machphys_mapping, nowhere[i]), ==,
                        -XEN_EFAULT);
    }
    g_assert_cmpint(memory_op(XENMEM_machphys_mapping,
                              put_read_only(&mapping, sizeof(mapping))), ==,
                    -XEN_EFAULT);
}

static void test_reservation(void)
{
    domid_t domid = DOMID_SELF;
    uint64_t va, pages;
    unsigned int i;

    frames_start();
    pages = boot->nr_pages;
    va = machine_put(&domid, sizeof(domid));
    g_assert_cmpint(memory_op(XENMEM_current_reservation, va), ==, pages);
    g_assert_cmpint(memory_op(XENMEM_maximum_reservation, va), ==, pages);
    frames_give(FRAMES_FIRST, 10);
    g_assert_cmpint(memory_op(XENMEM_current_reservation, va), ==, pages - 10);
    g_assert_cmpint(memory_op(XENMEM_maximum_reservation, va), ==, pages);
    /* It is only read, and no more than its two bytes. */
    va = put_read_only(&domid, sizeof(domid));
    g_assert_cmpint(memory_op(XENMEM_current_reservation, va), ==, pages - 10);
    *(domid_t *)machine_at(va) = 2;
    g_assert_cmpint(memory_op(XENMEM_current_reservation, va), ==, -XEN_ESRCH);
    g_assert_cmpint(memory_op(XENMEM_maximum_reservation, va), ==, -XEN_ESRCH);
    for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
        g_assert_cmpint(memory_op(XENMEM_current_reservation, nowhere[i]), ==,
                        -XEN_EFAULT);
        g_assert_cmpint(memory_op(XENMEM_maximum_reservation, nowhere[i]), ==,
                        -XEN_EFAULT);
    }
}

static void test_commands(void)
{
    uint64_t va, before;
    unsigned int i;

    frames_start();
    va = machine_put(nowhere, sizeof(nowhere));
    before = machine_l0.nr_calls;
    g_assert_cmpint(memory_op(XENMEM_machine_memory_map, va), ==, -XEN_EPERM);
    g_assert_cmpint(memory_op(XENMEM_maximum_ram_page, 0), >=,
                    MACHINE_MAX_MFN - 1);
    g_assert_cmpint(memory_op(XENMEM_exchange | 1 << 6, va), ==, -XEN_EINVAL);
    for (i = 15; i < 64; i++) {
        g_assert_cmpint(memory_op(i, va), ==, -XEN_ENOSYS);
    }
    g_assert_cmpint(memory_op(XENMEM_machphys_mfn_list, va), ==, -XEN_ENOSYS);
    g_assert_cmpint(memory_op(XENMEM_add_to_physmap, va), ==, -XEN_ENOSYS);
    g_assert_cmpint(memory_op(XENMEM_set_memory_map, va), ==, -XEN_ENOSYS);
    g_assert_cmpint(memory_op(XENMEM_memory_map | 1 << 6, va), ==,
                    -XEN_ENOSYS);
    /* No reservation could be that large: it has been done up to there. */
    g_assert_cmpint(memory_op(XENMEM_increase_reservation | 5 << 6, 0), ==, 5);
    g_assert_cmpuint(machine_l0.nr_calls, ==, before);
}

static void test_features(void)
{
    const unsigned int has = 1u << XENFEAT_mmu_pt_update_preserve_ad |
                             1u << XENFEAT_highmem_assist |
                             1u << XENFEAT_gnttab_map_avail_bits |
                             1u << XENFEAT_memory_op_vnode_supported |
                             1u << XENFEAT_direct_mapped;
    struct xen_feature_info info = { .submap = ~0u }, *seen;
    unsigned int i;
    uint64_t va;

    machine_start(&(struct machine_config) { 0 });
    va = machine_put(&info, sizeof(info));
    seen = machine_at(va);
    g_assert_cmpint(xen_version(XENVER_get_features, va), ==, 0);
    /* A PV guest has its own frames, and page tables that are Xen's to change. */
    g_assert_cmphex(seen->submap, ==, has);
    g_assert_cmpuint(seen->submap_idx, ==, 0);
    for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
        g_assert_cmpint(xen_version(XENVER_get_features, nowhere[i]), ==,
                        -XEN_EFAULT);
    }
    g_assert_cmpint(xen_version(XENVER_get_features,
                                put_read_only(&info, sizeof(info))), ==,
                    -XEN_EFAULT);
    /* There are no others. */
    seen->submap_idx = 1;
    xen_version(XENVER_get_features, va);
    g_assert_true(seen->submap == 0 || seen->submap == has);
}

static void test_capabilities(void)
{
    xen_capabilities_info_t text, expected = "xen-3.0-x86_64 ";
    uint64_t va, start = 0;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    memset(text, 'x', sizeof(text));
    va = machine_put(text, sizeof(text));
    g_assert_cmpint(xen_version(XENVER_capabilities, va), ==, 0);
    g_assert_cmpmem(machine_at(va), sizeof(text), expected, sizeof(expected));
    va = machine_put(&start, sizeof(start));
    g_assert_cmpint(xen_version(XENVER_platform_parameters, va), ==, 0);
    g_assert_cmphex(*(uint64_t *)machine_at(va), ==, 0xffff800000000000ul);
    for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
        g_assert_cmpint(xen_version(XENVER_capabilities, nowhere[i]), ==,
                        -XEN_EFAULT);
        g_assert_cmpint(xen_version(XENVER_platform_parameters, nowhere[i]), ==,
                        -XEN_EFAULT);
    }
}

static struct pv_call version_asked;

static bool version_l0(const struct pv_call *call, long *result)
{
    version_asked = *call;
    *result = 0x40011;
    return true;
}

static void test_version_of_l0(void)
{
    static const unsigned int commands[] = {
        XENVER_version, XENVER_extraversion, XENVER_compile_info,
        XENVER_changeset, XENVER_pagesize, XENVER_guest_handle,
        XENVER_commandline, XENVER_build_id, 11, ~0u,
    };
    static const struct {
        uint64_t address, seen;
    } pointers[] = {
        { 0, 0 }, { MACHINE_KERNEL_VA, MACHINE_KERNEL_VA },
        { M2P_VA, NOTHING_VA }, { DIRECTMAP_VA, NOTHING_VA },
        { 1ul << 63, NOTHING_VA },
    };
    unsigned int i, k;

    machine_start(&(struct machine_config) { 0 });
    machine_hooks.l0 = version_l0;
    for (i = 0; i < ARRAY_SIZE(commands); i++) {
        for (k = 0; k < ARRAY_SIZE(pointers); k++) {
            g_assert_cmpint(xen_version(commands[i], pointers[k].address), ==,
                            0x40011);
            g_assert_cmpuint(version_asked.number, ==,
                             __HYPERVISOR_xen_version);
            g_assert_cmpuint(version_asked.args[0], ==, commands[i]);
            g_assert_cmphex(version_asked.args[1], ==, pointers[k].seen);
        }
    }
}

static void test_own_number(void)
{
    domid_t domid = 1;
    uint64_t va;

    machine_start(&(struct machine_config) { 0 });
    va = machine_put(&domid, sizeof(domid));
    g_assert_cmpint(memory_op(XENMEM_current_reservation, va), ==,
                    boot->nr_pages);
    g_assert_cmpint(memory_op(XENMEM_maximum_reservation, va), ==,
                    boot->nr_pages);
}

/* That domain is there, but is none of the guest's business. */
static void test_domain_0(void)
{
    domid_t domid = 0;
    uint64_t va;

    machine_start(&(struct machine_config) { 0 });
    va = machine_put(&domid, sizeof(domid));
    g_assert_cmpint(memory_op(XENMEM_current_reservation, va), ==, -XEN_EPERM);
    g_assert_cmpint(memory_op(XENMEM_maximum_reservation, va), ==, -XEN_EPERM);
}

static void test_continued_by_mistake(void)
{
    static const unsigned int commands[] = {
        XENMEM_maximum_ram_page, XENMEM_current_reservation,
        XENMEM_maximum_reservation,
    };
    domid_t domid = DOMID_SELF;
    unsigned int i;
    uint64_t va;

    machine_start(&(struct machine_config) { 0 });
    va = machine_put(&domid, sizeof(domid));
    for (i = 0; i < ARRAY_SIZE(commands); i++) {
        g_assert_cmpint(memory_op(commands[i] | 1 << 6, va), ==, -XEN_EINVAL);
    }
}

static void test_maximum_ram_page(void)
{
    machine_start(&(struct machine_config) { 0 });
    /* Above all frames that the guest has, rings and grant tables too. */
    g_assert_cmpint(memory_op(XENMEM_maximum_ram_page, 0), ==, 0x100000);
    machine_boot.max_mfn = 0x140000;
    g_assert_cmpint(memory_op(XENMEM_maximum_ram_page, 0), ==, 0x140000);
}

static void test_other_features(void)
{
    struct xen_feature_info info = { .submap_idx = 1, .submap = 5 };
    uint64_t va;

    machine_start(&(struct machine_config) { 0 });
    va = machine_put(&info, sizeof(info));
    g_assert_cmpint(xen_version(XENVER_get_features, va), ==, -XEN_EINVAL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/memory/memory-map", test_memory_map);
    machine_test("/monitor/memory/machphys-mapping", test_machphys_mapping);
    machine_test("/monitor/memory/reservation", test_reservation);
    machine_test("/monitor/memory/commands", test_commands);
    machine_test("/monitor/memory/features", test_features);
    machine_test("/monitor/memory/capabilities", test_capabilities);
    machine_test("/monitor/memory/version-of-l0", test_version_of_l0);
    machine_test("/monitor/memory/own-number", test_own_number);
    machine_test("/monitor/memory/domain-0", test_domain_0);
    machine_test("/monitor/memory/continued-by-mistake", test_continued_by_mistake);
    machine_test("/monitor/memory/maximum-ram-page", test_maximum_ram_page);
    machine_test("/monitor/memory/other-features", test_other_features);
    return g_test_run();
}
