/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.c: where the guest finds its grant table, and the calls about it. */

#include "frames.h"

#include <xen/grant_table.h>

#define UNMAPPED    FRAMES_UNMAPPED
#define READ_ONLY   (FRAMES_UNMAPPED + PAGE_SIZE)

/* Where nothing of the guest's is: each leads to -XEN_EFAULT. */
static const uint64_t nowhere[] = {
    0, UNMAPPED, 0x0000800000000000ul, M2P_VA, DIRECTMAP_VA,
    HYPERVISOR_END - 1, ~0ul,
};

static long grant_op(unsigned int command, uint64_t arg, unsigned int count)
{
    return machine_call(__HYPERVISOR_grant_table_op, command, arg, count, 0);
}

/* A copy of @bytes that the guest may not write, at the page's end. */
static uint64_t put_read_only(const void *bytes, size_t size)
{
    uint64_t mfn = FRAMES_FIRST + 400;

    machine_map(READ_ONLY, mfn, PTE_PRESENT);
    memcpy((uint8_t *)frame(mfn) + PAGE_SIZE - size, bytes, size);
    return READ_ONLY + PAGE_SIZE - size;
}

static struct {
    unsigned int nr_maps, fails;    /* the mapping that L0 refuses, from 1 on */
    uint64_t flag, first;
    int max;                        /* what L0's query says; -1: it fails */
    struct pv_call last;
} grants;

static bool grants_l0(const struct pv_call *call, long *result)
{
    const struct xen_add_to_physmap *map = (const void *)call->args[1];

    if (call->number == __HYPERVISOR_grant_table_op) {
        struct gnttab_query_size *size = (void *)call->args[1];

        grants.last = *call;
        if (call->args[1] < UNMAPPED || call->args[1] >= NOTHING_VA) {
            *result = 77;
            return true;
        }
        g_assert_cmpuint(call->args[0], ==, GNTTABOP_query_size);
        g_assert_cmpuint(call->args[2], ==, 1);
        g_assert_cmpuint(size->dom, ==, DOMID_SELF);
        if (grants.max >= 0) {
            size->max_nr_frames = grants.max;
        }
        *result = grants.max < 0 ? -XEN_EFAULT : 0;
        return true;
    }
    g_assert_cmpuint(call->number, ==, __HYPERVISOR_memory_op);
    g_assert_cmpuint(call->args[0], ==, XENMEM_add_to_physmap);
    g_assert_cmpuint(map->domid, ==, DOMID_SELF);
    g_assert_cmpuint(map->space, ==, XENMAPSPACE_grant_table);
    g_assert_cmpuint(map->idx, ==, grants.nr_maps | grants.flag);
    g_assert_cmpuint(map->gpfn, ==, grants.first + grants.nr_maps);
    *result = ++grants.nr_maps == grants.fails ? -XEN_ENOMEM : 0;
    return true;
}

enum { GOOD_LIST, NO_LIST, SHORT_LIST };

static const struct {
    unsigned int nr, list;
    int max;
    unsigned int fails;
    int status;                     /* of setup_table */
    int other_status;               /* of get_status_frames */
} frames_cases[] = {
    { 0, GOOD_LIST, 32, 0, GNTST_okay, GNTST_okay },
    { 0, NO_LIST, 32, 0, GNTST_okay, GNTST_okay },
    { 1, GOOD_LIST, 32, 0, GNTST_okay, GNTST_okay },
    { 31, GOOD_LIST, 32, 0, GNTST_okay, GNTST_okay },
    { 32, GOOD_LIST, 32, 0, GNTST_okay, GNTST_okay },
    /* Neither more than L0 has, nor than there is a place for. */
    { 33, GOOD_LIST, 64, 0, GNTST_general_error, GNTST_general_error },
    { ~0u, GOOD_LIST, -1, 0, GNTST_general_error, GNTST_general_error },
    { 9, GOOD_LIST, 8, 0, GNTST_general_error, GNTST_okay },
    { 8, GOOD_LIST, 8, 0, GNTST_okay, GNTST_okay },
    { 1, GOOD_LIST, -1, 0, GNTST_general_error, GNTST_okay },
    { 0, GOOD_LIST, -1, 0, GNTST_okay, GNTST_okay },
    { 4, GOOD_LIST, 32, 1, GNTST_general_error, GNTST_general_error },
    { 4, GOOD_LIST, 32, 4, GNTST_general_error, GNTST_general_error },
    { 4, GOOD_LIST, 32, 5, GNTST_okay, GNTST_okay },
    { 4, NO_LIST, 32, 0, GNTST_bad_virt_addr, GNTST_bad_virt_addr },
    { 4, SHORT_LIST, 32, 0, GNTST_bad_virt_addr, GNTST_bad_virt_addr },
    { 3, SHORT_LIST, 32, 0, GNTST_okay, GNTST_okay },
};

/* The list is where it fits, at no address, or has its end behind three entries. */
static uint64_t list_of(unsigned int list)
{
    static uint64_t good;
    uint64_t zeros[32] = { 0 };

    good = good ? good : machine_put(zeros, sizeof(zeros));
    if (list == GOOD_LIST) {
        memset(machine_at(good), 0, sizeof(zeros));
        return good;
    }
    return list == NO_LIST ? UNMAPPED :
           MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE - 24;
}

static void assert_listed(uint64_t list, unsigned int nr, bool okay)
{
    unsigned int i;

    for (i = 0; i < nr && okay; i++) {
        g_assert_cmpuint(frames_entry(list, i), ==, grants.first + i);
    }
    g_assert_true(!okay || grants.nr_maps == nr);
}

static void test_setup_table(void)
{
    struct gnttab_setup_table op = { .dom = DOMID_SELF }, *seen;
    unsigned int i;
    uint64_t va;

    machine_start(&(struct machine_config) { 0 });
    machine_hooks.l0 = grants_l0;
    va = machine_put(&op, sizeof(op));
    seen = machine_at(va);
    for (i = 0; i < ARRAY_SIZE(frames_cases); i++) {
        memset(&grants, 0, sizeof(grants));
        grants.first = MACHINE_GRANT_MFN;
        grants.max = frames_cases[i].max;
        grants.fails = frames_cases[i].fails;
        seen->nr_frames = frames_cases[i].nr;
        seen->frame_list.p = (void *)list_of(frames_cases[i].list);
        seen->status = 99;
        g_assert_cmpint(grant_op(GNTTABOP_setup_table, va, 1), ==, 0);
        g_assert_cmpint(seen->status, ==, frames_cases[i].status);
        assert_listed((uint64_t)seen->frame_list.p, seen->nr_frames,
                      !seen->status);
        g_assert_cmpuint(seen->nr_frames, ==, frames_cases[i].nr);
    }
    /* The place is smaller than L0's table. */
    machine_boot.nr_grant_mfns = 4;
    for (i = 4; i <= 5; i++) {
        memset(&grants, 0, sizeof(grants));
        grants.first = MACHINE_GRANT_MFN;
        grants.max = 32;
        seen->nr_frames = i;
        seen->frame_list.p = (void *)list_of(GOOD_LIST);
        g_assert_cmpint(grant_op(GNTTABOP_setup_table, va, 1), ==, 0);
        g_assert_cmpint(seen->status, ==, i == 4 ? GNTST_okay :
                                                   GNTST_general_error);
    }
    memset(&grants, 0, sizeof(grants));
    seen->dom = 0;
    seen->nr_frames = 1;
    g_assert_cmpint(grant_op(GNTTABOP_setup_table, va, 1), ==, 0);
    g_assert_cmpint(seen->status, ==, GNTST_permission_denied);
    g_assert_cmpuint(grants.nr_maps, ==, 0);
}

static void test_status_frames(void)
{
    struct gnttab_get_status_frames op = { .dom = DOMID_SELF }, *seen;
    unsigned int i;
    uint64_t va;

    machine_start(&(struct machine_config) { 0 });
    machine_hooks.l0 = grants_l0;
    va = machine_put(&op, sizeof(op));
    seen = machine_at(va);
    for (i = 0; i < ARRAY_SIZE(frames_cases); i++) {
        memset(&grants, 0, sizeof(grants));
        grants.first = MACHINE_STATUS_MFN;
        grants.flag = XENMAPIDX_grant_table_status;
        grants.fails = frames_cases[i].fails;
        seen->nr_frames = frames_cases[i].nr;
        seen->frame_list.p = (void *)list_of(frames_cases[i].list);
        seen->status = 99;
        g_assert_cmpint(grant_op(GNTTABOP_get_status_frames, va, 1), ==, 0);
        g_assert_cmpint(seen->status, ==, frames_cases[i].other_status);
        assert_listed((uint64_t)seen->frame_list.p, seen->nr_frames,
                      !seen->status);
    }
}

/* A table for one guest at once, from where the guest has its argument. */
static void test_frames_arguments(void)
{
    static const unsigned int commands[] = { GNTTABOP_setup_table,
                                             GNTTABOP_get_status_frames };
    static const unsigned int counts[] = { 0, 2, 32, ~0u };
    struct gnttab_setup_table setup = { .dom = DOMID_SELF };
    struct gnttab_get_status_frames status = { .dom = DOMID_SELF };
    unsigned int i, k;
    uint64_t va, read_only, cut_off;

    machine_start(&(struct machine_config) { 0 });
    machine_hooks.l0 = grants_l0;
    for (k = 0; k < 2; k++) {
        memset(&grants, 0, sizeof(grants));
        grants.max = 32;
        va = k ? machine_put(&status, sizeof(status)) :
                 machine_put(&setup, sizeof(setup));
        g_assert_cmpint(grant_op(commands[k], va, 1), ==, 0);
        for (i = 0; i < ARRAY_SIZE(counts); i++) {
            g_assert_cmpint(grant_op(commands[k], va, counts[i]), ==,
                            -XEN_EINVAL);
        }
        for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
            g_assert_cmpint(grant_op(commands[k], nowhere[i], 1), ==,
                            -XEN_EFAULT);
        }
        read_only = k ? put_read_only(&status, sizeof(status)) :
                        put_read_only(&setup, sizeof(setup));
        g_assert_cmpint(grant_op(commands[k], read_only, 1), ==, -XEN_EFAULT);
        /* All is there but its last byte. */
        setup.nr_frames = status.nr_frames = 2;
        cut_off = frames_last_entry() + sizeof(uint64_t) + 1 -
                  (k ? sizeof(status) : sizeof(setup));
        copy_to_guest(cut_off, k ? (void *)&status : (void *)&setup,
                      (k ? sizeof(status) : sizeof(setup)) - 1);
        g_assert_cmpint(grant_op(commands[k], cut_off, 1), ==, -XEN_EFAULT);
        setup.nr_frames = status.nr_frames = 0;
        g_assert_cmpuint(grants.nr_maps, ==, 0);
    }
}

/* L0 answers these, if the address is none of the hypervisor's. */
static void test_of_l0(void)
{
    static const unsigned int commands[] = {
        GNTTABOP_query_size, GNTTABOP_set_version, GNTTABOP_get_version,
        GNTTABOP_copy,
    };
    static const struct {
        unsigned int count, seen;
    } counts[] = { { 0, 0 }, { 1, 1 }, { 31, 31 }, { 32, 32 }, { 33, 32 },
                   { ~0u, 32 } };
    static const struct {
        uint64_t address, seen;
    } pointers[] = {
        { 0, 0 }, { MACHINE_KERNEL_VA, MACHINE_KERNEL_VA },
        { 0x1000, 0x1000 }, { M2P_VA, NOTHING_VA },
        { DIRECTMAP_VA + 0x1000, NOTHING_VA },
        { 0x00007ffffffff001ul, NOTHING_VA },
        { M2P_VA - 1, NOTHING_VA }, { HYPERVISOR_END - 1, NOTHING_VA },
        { HYPERVISOR_END, HYPERVISOR_END }, { -PAGE_SIZE + 1, NOTHING_VA },
    };
    unsigned int i, k;

    machine_start(&(struct machine_config) { 0 });
    machine_hooks.l0 = grants_l0;
    for (k = 0; k < ARRAY_SIZE(commands); k++) {
        for (i = 0; i < ARRAY_SIZE(counts); i++) {
            g_assert_cmpint(grant_op(commands[k], 0x1000, counts[i].count), ==,
                            77);
            g_assert_cmpuint(grants.last.args[0], ==, commands[k]);
            g_assert_cmpuint(grants.last.args[2], ==, counts[i].seen);
        }
        for (i = 0; i < ARRAY_SIZE(pointers); i++) {
            g_assert_cmpint(grant_op(commands[k], pointers[i].address, 1), ==,
                            77);
            g_assert_cmphex(grants.last.args[1], ==, pointers[i].seen);
        }
    }
}

static void test_unknown(void)
{
    static const unsigned int known[] = {
        GNTTABOP_setup_table, GNTTABOP_get_status_frames, GNTTABOP_query_size,
        GNTTABOP_set_version, GNTTABOP_get_version, GNTTABOP_copy,
    };
    unsigned int command, i, before;

    machine_start(&(struct machine_config) { 0 });
    before = machine_l0.nr_calls;
    for (command = 0; command < 32; command++) {
        for (i = 0; i < ARRAY_SIZE(known) && known[i] != command; i++) {
        }
        if (i == ARRAY_SIZE(known)) {
            g_assert_cmpint(grant_op(command, MACHINE_KERNEL_VA, 1), ==,
                            -XEN_ENOSYS);
        }
    }
    g_assert_cmpuint(machine_l0.nr_calls, ==, before);
}

static const struct {
    domid_t domid;
    int status;
} grant_domains[] = {
    { DOMID_SELF, GNTST_okay }, { 1, GNTST_okay },
    { 0, GNTST_permission_denied }, { 2, GNTST_bad_domain },
};

static void test_setup_table_domains(void)
{
    struct gnttab_setup_table op = { .nr_frames = 0 }, *seen;
    unsigned int i;
    uint64_t va;

    machine_start(&(struct machine_config) { 0 });
    va = machine_put(&op, sizeof(op));
    seen = machine_at(va);
    for (i = 0; i < ARRAY_SIZE(grant_domains); i++) {
        seen->dom = grant_domains[i].domid;
        g_assert_cmpint(grant_op(GNTTABOP_setup_table, va, 1), ==, 0);
        g_assert_cmpint(seen->status, ==, grant_domains[i].status);
    }
}

static void test_status_frames_domains(void)
{
    struct gnttab_get_status_frames op = { .nr_frames = 0 }, *seen;
    unsigned int i;
    uint64_t va;

    machine_start(&(struct machine_config) { 0 });
    va = machine_put(&op, sizeof(op));
    seen = machine_at(va);
    for (i = 0; i < ARRAY_SIZE(grant_domains); i++) {
        seen->dom = grant_domains[i].domid;
        g_assert_cmpint(grant_op(GNTTABOP_get_status_frames, va, 1), ==, 0);
        g_assert_cmpint(seen->status, ==, grant_domains[i].status);
    }
}

/* No address of the guest's at all is an error of the call. */
static void test_list_in_hypervisor(void)
{
    struct gnttab_setup_table op = {
        .dom = DOMID_SELF, .nr_frames = 1, .frame_list.p = (void *)M2P_VA,
    };
    uint64_t va;

    machine_start(&(struct machine_config) { 0 });
    va = machine_put(&op, sizeof(op));
    g_assert_cmpint(grant_op(GNTTABOP_setup_table, va, 1), ==, -XEN_EFAULT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/grant_tables/setup-table", test_setup_table);
    machine_test("/monitor/grant_tables/status-frames", test_status_frames);
    machine_test("/monitor/grant_tables/frames-arguments", test_frames_arguments);
    machine_test("/monitor/grant_tables/of-l0", test_of_l0);
    machine_test("/monitor/grant_tables/unknown", test_unknown);
    machine_test("/monitor/grant_tables/setup-table-domains", test_setup_table_domains);
    machine_test("/monitor/grant_tables/status-frames-domains",
                 test_status_frames_domains);
    machine_test("/monitor/grant_tables/list-in-hypervisor", test_list_in_hypervisor);
    return g_test_run();
}
