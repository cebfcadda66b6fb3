/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A second console, whose front end's directory the guest may write. */

#include "front_end.h"
#include <xen/io/console.h>

static struct front_end console;
static struct xencons_interface *ring;

/* @limit: for output that the other side has not read yet; NULL: none. */
static void connect(const char *limit)
{
    ring = page_alloc(1);
    if (!front_end_find(&console, "console", 0)) {
        test_skip("no second console");
    }
    require(!limit || front_end_write(&console, "/limit", limit));
    require(front_end_write_number(&console, "/ring-ref", grant_page(0, ring)));
    require(front_end_write_number(&console, "/port", console.port));
    require(front_end_write_number(&console, "/state", XenbusStateInitialised));
    require(back_end_reaches(&console, XenbusStateConnected));
}

static void print_rings(unsigned int nr)
{
    memset(ring->out, 0x41, sizeof(ring->out));
    while (nr--) {
        __atomic_store_n(&ring->out_prod, ring->out_prod + sizeof(ring->out),
                         __ATOMIC_SEQ_CST);
        evtchn_send(console.port);
        require(wait_for(__atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE) ==
                             ring->out_prod,
                         5000));
    }
}

TEST(console_limit_below_a_ring, "hvm pvh consoles=1 tcg lab kvm alone")
{
    connect("1");
    /* QEMU once moved output over the limit to before the buffer. */
    print_rings(200);
    check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
}

/* scripts/test runs this and measures how much memory QEMU needs for it. */
TEST(console_that_nobody_reads, "hvm pvh consoles=1 tcg lab kvm alone seconds=60")
{
    connect(NULL);
    print_rings(command_line_number("rings", 1));
    check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
}
