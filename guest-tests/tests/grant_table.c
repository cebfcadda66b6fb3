/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The size of the grant table. */

#include "guest.h"

/* frames= on the command line is the limit that the host was given. */
TEST(grant_frames_up_to_the_limit, "hvm pvh alone")
{
    unsigned long expected = command_line_number("frames", 0);
    struct gnttab_query_size size = { .dom = DOMID_SELF };
    uint64_t gfn = gfn_of(page_alloc(1));

    require(!HYPERVISOR_grant_table_op(GNTTABOP_query_size, &size, 1));
    check_equal(size.status, GNTST_okay);
    test_note("%u of %u frames", size.nr_frames, size.max_nr_frames);
    if (expected) {
        check_equal(size.max_nr_frames, expected);
    }
    check_equal(map_page(XENMAPSPACE_grant_table, size.max_nr_frames - 1, gfn),
                0);
    check_equal(map_page(XENMAPSPACE_grant_table, size.max_nr_frames, gfn),
                -XEN_EINVAL);
}
