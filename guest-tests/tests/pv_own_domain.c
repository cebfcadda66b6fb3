/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PV guest's memory and grant table: whom it may ask about, and with what lists. */

#include "pv_domains.h"
#include "user_mode.h"

#ifdef GUEST_PV

extern struct start_info *start_info;

/* Sizes -------------------------------------------------------------------------------- */

/* What an operation on one of the domains returns, if it is not @own. */
static long answer(unsigned int i, long own)
{
    return i < 2 ? own : i == 2 ? -XEN_EPERM : -XEN_ESRCH;
}

TEST(sizes_of_domains, "pv noshim")
{
    static const struct {
        const char *name;
        unsigned int command;
    } rows[] = {
        { "current", XENMEM_current_reservation },
        { "maximum", XENMEM_maximum_reservation },
        { "GPFN", XENMEM_maximum_gpfn },
    };
    unsigned int i, k;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        long own = size_of(rows[i].command, DOMID_SELF);

        test_row(rows[i].name);
        check(own >= 0);
        for (k = 0; k < NR_DOMAINS; k++) {
            if (!check_equal(size_of(rows[i].command, domain(k)),
                             answer(k, own))) {
                test_note("%s", domain_names[k]);
            }
        }
        check_equal(size_of(rows[i].command | ONE_DONE, DOMID_SELF),
                    -XEN_EINVAL);
        check_equal(size_of(rows[i].command | ONE_DONE, 0), -XEN_EINVAL);
        check_equal(hypercall(__HYPERVISOR_memory_op, rows[i].command,
                              HYPERVISOR_START, 0, 0, 0),
                    -XEN_EFAULT);
        check_equal(hypercall(__HYPERVISOR_memory_op,
                              rows[i].command | ONE_DONE, HYPERVISOR_START, 0,
                              0, 0),
                    -XEN_EINVAL);
    }
    check(size_of(XENMEM_current_reservation, DOMID_SELF) <=
          size_of(XENMEM_maximum_reservation, DOMID_SELF));
}

/* It is what the kernel has said of its list of frames. */
TEST(maximum_gpfn_by_shared_info, "pv noshim")
{
    unsigned long before = shared_info->arch.max_pfn;

    shared_info->arch.max_pfn = 0;
    check_equal(size_of(XENMEM_maximum_gpfn, DOMID_SELF), 0);
    shared_info->arch.max_pfn = 1;
    check_equal(size_of(XENMEM_maximum_gpfn, DOMID_SELF), 0);
    shared_info->arch.max_pfn = 1000;
    check_equal(size_of(XENMEM_maximum_gpfn, DOMID_SELF), 999);
    shared_info->arch.max_pfn = before;
}

TEST(maximum_ram_page_is_above_all_frames, "pv")
{
    const xen_pfn_t *p2m = (xen_pfn_t *)start_info->mfn_list;
    long end = HYPERVISOR_memory_op(XENMEM_maximum_ram_page, NULL);
    unsigned long pfn;

    for (pfn = 0; pfn < start_info->nr_pages; pfn++) {
        if (p2m[pfn] != ~0ul && !check(p2m[pfn] < (uint64_t)end)) {
            test_note("PFN %lu", pfn);
            break;
        }
    }
    check_equal(
        HYPERVISOR_memory_op(XENMEM_maximum_ram_page, (void *)HYPERVISOR_START),
        end);
    check_equal(hypercall(__HYPERVISOR_memory_op,
                          XENMEM_maximum_ram_page | ONE_DONE, 0, 0, 0, 0),
                -XEN_EINVAL);
}

/* Grant tables ------------------------------------------------------------------------ */

static int16_t grant_answer(unsigned int i, int16_t own)
{
    return i < 2 ? own : i == 2 ? GNTST_permission_denied : GNTST_bad_domain;
}

TEST(grant_tables_of_domains, "pv noshim")
{
    static const uint64_t lists[] = { HYPERVISOR_START, M2P_START,
                                      NOT_CANONICAL };
    struct gnttab_setup_table op;
    xen_pfn_t frame;
    unsigned int i;

    for (i = 0; i < NR_DOMAINS; i++) {
        test_row(domain_names[i]);
        op = (struct gnttab_setup_table){ .dom = domain(i), .nr_frames = 1 };
        set_xen_guest_handle(op.frame_list, &frame);
        frame = 0;
        check_equal(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &op, 1), 0);
        check_equal(op.status, grant_answer(i, GNTST_okay));
        check_equal(frame != 0, i < 2);
        op.nr_frames = ~0u;
        set_xen_guest_handle(op.frame_list, &frame);
        check_equal(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &op, 1), 0);
        check_equal(op.status, grant_answer(i, GNTST_general_error));
    }
    for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        test_row("a list in the hypervisor");
        op = (struct gnttab_setup_table){ .dom = DOMID_SELF, .nr_frames = 1 };
        op.status = 0x55;
        set_xen_guest_handle(op.frame_list, (void *)lists[i]);
        check_equal(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &op, 1),
                    -XEN_EFAULT);
        check_equal(op.status, 0x55);
        op.nr_frames = 0;
        check_equal(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &op, 1),
                    -XEN_EFAULT);
        op.dom = DOMID_NOBODY;
        check_equal(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &op, 1),
                    -XEN_EFAULT);
    }
    test_row("a list that is not mapped");
    op = (struct gnttab_setup_table){ .dom = DOMID_SELF, .nr_frames = 1 };
    set_xen_guest_handle(op.frame_list, (void *)USER_CODE_AT);
    check_equal(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &op, 1), 0);
    check_equal(op.status, GNTST_bad_virt_addr);
}

TEST(grant_status_frames_of_domains, "pv noshim")
{
    static const uint64_t lists[] = { HYPERVISOR_START, M2P_START,
                                      NOT_CANONICAL };
    struct gnttab_get_status_frames op;
    uint64_t frame;
    unsigned int i;

    for (i = 0; i < NR_DOMAINS; i++) {
        test_row(domain_names[i]);
        op = (struct gnttab_get_status_frames){ .dom = domain(i) };
        set_xen_guest_handle(op.frame_list, &frame);
        check_equal(
            HYPERVISOR_grant_table_op(GNTTABOP_get_status_frames, &op, 1), 0);
        check_equal(op.status, grant_answer(i, GNTST_okay));
        op.nr_frames = ~0u;
        set_xen_guest_handle(op.frame_list, &frame);
        check_equal(
            HYPERVISOR_grant_table_op(GNTTABOP_get_status_frames, &op, 1), 0);
        check_equal(op.status, grant_answer(i, GNTST_general_error));
    }
    for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        test_row("a list in the hypervisor");
        op = (struct gnttab_get_status_frames){ .dom = DOMID_SELF };
        set_xen_guest_handle(op.frame_list, (void *)lists[i]);
        check_equal(
            HYPERVISOR_grant_table_op(GNTTABOP_get_status_frames, &op, 1),
            -XEN_EFAULT);
    }
}

#endif /* GUEST_PV */
