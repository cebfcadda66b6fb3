/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What 3-level has beyond 2-level: selectors of selectors, more ports, phases. */

#include "evtchn_3l.h"

#define NR_PORTS EVTCHN_3L_NR_CHANNELS(WORD_BITS)
#define NR_PAGES EVTCHN_3L_NR_PAGES(WORD_BITS)
#define L1_BIT(port) ((xen_ulong_t)1 << (port) / WORD_BITS / WORD_BITS)
#define L2_BIT(port) ((xen_ulong_t)1 << (port) / WORD_BITS % WORD_BITS)

TEST(three_level_bits_in_memory, "3l")
{
    evtchn_port_t port = must_bind_ipi(0);

    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    check_equal(vcpu_info_of(0)->evtchn_pending_sel, L1_BIT(port));
    check_equal(l2_selector_of(0)[0], L2_BIT(port));
    upcalls_enable();
    check(wait_for(received(port) == 1, 5000));
    check_equal(vcpu_info_of(0)->evtchn_pending_sel, 0);
    check_equal(l2_selector_of(0)[0], 0);
}

/* If the guest leaves an L2 bit set, Xen raises no upcall for its word. */
TEST(three_level_l2_bit_set_by_hand, "3l")
{
    evtchn_port_t port = must_bind_ipi(0);

    upcalls_disable();
    l2_selector_of(0)[0] = L2_BIT(port);
    check_equal(evtchn_send(port), 0);
    check(port_is_pending(port));
    check_equal(vcpu_info_of(0)->evtchn_pending_sel, 0);
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 0);
    l2_selector_of(0)[0] = 0;
    port_mask(port);
    check_equal(evtchn_unmask(port), 0);
    upcalls_enable();
    check(wait_for(received(port) == 1, 5000));
}

/* Ports beyond 2-level's limit, under several bits of L1. */
TEST(three_level_ports_beyond_2_level, "3l seconds=60")
{
    unsigned int nr = 3 * WORD_BITS * WORD_BITS, before = 0, i;
    evtchn_port_t port = 0;

    for (i = 0; i < nr; i++) {
        port = must_bind_ipi(0);
        if (i % 997 == 0) {
            check_equal(evtchn_send(port), 0);
            check(wait_for(received(port) == 1, 5000));
            before++;
        }
    }
    check(port >= nr);
    check_equal(received_in_all(), before);
    upcalls_disable();
    for (i = 0; i < 100; i++) {
        check_equal(evtchn_send(port - i * (nr / 100)), 0);
    }
    upcalls_enable();
    check(wait_for(received_in_all() == before + 100, 5000));
}

TEST(three_level_all_ports, "3l seconds=240")
{
    evtchn_port_t first, last, port;
    int error;

    require(evtchn_bind_ipi(0, &first) == 0);
    last = first;
    while ((error = evtchn_bind_ipi(0, &port)) == 0) {
        last = port;
    }
    check_equal(error, -XEN_ENOSPC);
    check_equal(last, NR_PORTS - 1);
    upcalls_disable();
    for (port = first; port <= last; port++) {
        port_unmask(port);
        evtchn_send(port);
    }
    upcalls_enable();
    check(wait_for(received_in_all() == last - first + 1, 60000));
    for (port = first; port <= last; port++) {
        if (!check_equal(received(port), 1)) {
            break;
        }
    }
}

/* Bitmaps of the test's own, with every port masked. */
static xen_ulong_t *pending, *masks;

static int register_bitmaps(void)
{
    pending = page_alloc(NR_PAGES);
    masks = memset(page_alloc(NR_PAGES), 0xff, NR_PAGES * PAGE_SIZE);
    return evtchn_register_bitmaps(pending, masks, NR_PAGES);
}

static bool is_offered(void)
{
    return evtchn_query_extended_abis() & EVTCHN_EXTENDED_ABI_3LEVEL;
}

/* XSA-107's case: a vCPU keeps its events until it has a selector. */
TEST(three_level_selector_late, "3l vcpus=2 alone tcg lab kvm")
{
    xen_ulong_t *selector = page_alloc(1);
    evtchn_port_t port[2];

    if (!is_offered()) {
        test_skip("3-level is not offered");
    }
    port[0] = must_bind_ipi(0);
    port[1] = must_bind_ipi(1);
    upcalls_disable();
    require(register_bitmaps() == 0);
    require(evtchn_register_l2_selector(0, gfn_of(selector), 0) == 0);
    check_equal(evtchn_send(port[1]), 0);
    check_equal(pending[port[1] / WORD_BITS] >> port[1] % WORD_BITS & 1, 1);
    check_equal(vcpu_info_of(1)->evtchn_pending_sel, 0);
    check_equal(vcpu_info_of(1)->evtchn_upcall_pending, 0);
    check_equal(evtchn_send(port[0]), 0);
    check_equal(selector[0] & L2_BIT(port[0]), L2_BIT(port[0]));

    require(evtchn_register_l2_selector(1, gfn_of(selector), 2048) == 0);
    check_equal(selector[2048 / sizeof(*selector)], L2_BIT(port[1]));
}

/* The switch copies the pending and mask bits of 2-level's ports. */
TEST(three_level_takes_2_level_along, "3l alone tcg lab kvm")
{
    evtchn_port_t raised, masked, quiet;
    xen_ulong_t *selector = page_alloc(1);

    if (!is_offered()) {
        test_skip("3-level is not offered");
    }
    raised = must_bind_ipi(0);
    masked = must_bind_ipi(0);
    quiet = must_bind_ipi(0);
    upcalls_disable();
    port_mask(masked);
    check_equal(evtchn_send(raised), 0);
    check_equal(evtchn_send(masked), 0);
    require(register_bitmaps() == 0);
    require(evtchn_register_l2_selector(0, gfn_of(selector), 0) == 0);
    check_equal(pending[0] >> raised & 1, 1);
    check_equal(pending[0] >> masked & 1, 1);
    check_equal(pending[0] >> quiet & 1, 0);
    check_equal(masks[0] >> raised & 1, 0);
    check_equal(masks[0] >> masked & 1, 1);
    check_equal(masks[0] >> quiet & 1, 0);
    check_equal(selector[0] & 1, 1);
    check_equal(vcpu_info_of(0)->evtchn_pending_sel & 1, 1);
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 1);
}

/* As XSA-221: SCHEDOP_poll of a pending port whose vCPU has no selector. */
TEST(xsa_221_poll_without_selector, "polls fresh 3l")
{
    evtchn_port_t port = must_bind_ipi(0), quiet = must_bind_ipi(0);

    upcalls_disable();
    require(register_bitmaps() == 0);
    check_equal(evtchn_send(port), 0);
    check_equal(sched_poll(&port, 1, system_time()), 0);
    check_equal(evtchn_unmask(port), 0);
    check_equal(sched_poll(&quiet, 1, system_time()), 0);
    check_equal(evtchn_close(port), 0);
    check_equal(sched_poll(&port, 1, system_time()), -XEN_EINVAL);
    require(guest_reset() == 0);
}
