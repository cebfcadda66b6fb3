/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second console, whose front end is the guest's to write.  There is one with
 * -chardev null,id=second -device xen-console,chardev=second.
 */

#include "xenstore.h"
#include <xen/io/console.h>
#include <xen/io/xenbus.h>

TEST(console_limit_below_a_ring, "hvm pvh tcg lab kvm alone")
{
    struct xencons_interface *ring = page_alloc(1);
    char front[128], back[128], path[128];
    evtchn_port_t port;
    unsigned int i;

    if (!same_text(xenstore_ask_path(XS_DIRECTORY, 0, "device/console"),
                   "OK")) {
        test_skip("no second console");
    }
    path_join(front, "device/console/", xenstore_answer.data);
    path_join(path, front, "/backend");
    require(xenstore_read(path, back, sizeof(back)) > 0);
    require(!evtchn_alloc_unbound(DOMID_SELF, 0, &port));
    check_answer(xenstore_write(path_join(path, front, "/limit"), "1"), "OK");
    require(xenstore_write_number(path_join(path, front, "/ring-ref"),
                                  grant_page(0, ring)));
    require(xenstore_write_number(path_join(path, front, "/port"), port));
    require(xenstore_write_number(path_join(path, front, "/state"),
                                  XenbusStateInitialised));
    path_join(path, back, "/state");
    require(
        wait_for(xenstore_read_number(path, 0) == XenbusStateConnected, 5000));

    /* What is over the limit was once moved to before the buffer. */
    memset(ring->out, 0x41, sizeof(ring->out));
    for (i = 0; i < 200; i++) {
        __atomic_store_n(&ring->out_prod, ring->out_prod + sizeof(ring->out),
                         __ATOMIC_SEQ_CST);
        evtchn_send(port);
        require(wait_for(__atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE) ==
                             ring->out_prod,
                         5000));
    }
    check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
}
