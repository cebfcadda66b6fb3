/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FIFO: ports beyond the event array, vCPUs without a control block. */

#include "fifo.h"

/* A port for which the array has no word yet; skips the test if all have. */
static evtchn_port_t beyond_array(unsigned int vcpu)
{
    evtchn_port_t port;

    do {
        int error = evtchn_bind_ipi(vcpu, &port);

        if (error == -XEN_ENOSPC) {
            test_skip("this host has no ports beyond the array");
        }
        require(error == 0);
    } while (port < abi_backed_ports());
    return port;
}

/* Xen notes an event without word, and sets PENDING when the page comes. */
TEST(fifo_array_late, "fifo")
{
    evtchn_port_t port = beyond_array(0), next = beyond_array(0);

    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_send(port), 0);
    spin_for(5);
    check_equal(received_in_all(), 0);
    /* The runtime masks all ports of a page before it registers the page. */
    require(abi_grow(port + 1) == 0);
    check(port_is_pending(port));
    check(!port_is_pending(next));
    check_equal(received_in_all(), 0);
    check_equal(evtchn_unmask(port), 0);
    check(wait_for(received(port) == 1, 10000));
    spin_for(5);
    check_equal(received(port), 1);
    check_equal(evtchn_unmask(next), 0);
    check_equal(evtchn_send(next), 0);
    check(wait_for(received(next) == 1, 10000));
}

/* A port without word counts as masked, and cannot be unmasked. */
TEST(fifo_array_missing_is_masked, "fifo")
{
    evtchn_port_t port = beyond_array(0);
    struct evtchn_status status;

    check_equal(evtchn_unmask(port), 0);
    check_equal(evtchn_set_priority(port, 3), 0);
    check_equal(evtchn_status(DOMID_SELF, port, &status), 0);
    check_equal(status.status, EVTCHNSTAT_ipi);
    /* Nor does SCHEDOP_poll find it pending. */
    check_equal(evtchn_send(port), 0);
    check_equal(sched_poll(&port, 1, 1), 0);
    require(abi_grow(port + 1) == 0);
    check(port_is_pending(port));
    check(port_is_masked(port));
    upcalls_disable();
    check_equal(evtchn_unmask(port), 0);
    check_equal(fifo_control_block(0)->ready, 1u << 3);
    upcalls_enable();
    check(wait_for(received(port) == 1, 10000));
}

/* Register one page after the other, with a pending port in each. */
TEST(fifo_array_page_by_page, "fifo seconds=60")
{
    unsigned int page;

    for (page = 0; page < 3; page++) {
        evtchn_port_t port = beyond_array(0);

        check_equal(port, abi_backed_ports());
        check_equal(evtchn_send(port), 0);
        require(abi_grow(port + 1) == 0);
        check_equal(evtchn_unmask(port), 0);
        check(wait_for(received(port) == 1, 10000));
    }
}

/* Every port that FIFO has, pending at once, in their order. */
TEST(fifo_array_all_ports, "fifo tcg lab kvm seconds=120")
{
    evtchn_port_t first, last, port;
    unsigned int nr, i;
    int error;

    require(evtchn_bind_ipi(0, &first) == 0);
    last = first;
    while ((error = evtchn_bind_ipi(0, &port)) == 0) {
        last = port;
    }
    check_equal(error, -XEN_ENOSPC);
    if (last != EVTCHN_FIFO_NR_CHANNELS - 1) {
        test_skip("this host has fewer ports");
    }
    require(abi_grow(EVTCHN_FIFO_NR_CHANNELS) == 0);
    nr = last - first + 1;
    for (port = first; port <= last; port++) {
        port_unmask(port);
    }
    upcalls_disable();
    for (port = first; port <= last; port++) {
        evtchn_send(port);
    }
    check_equal(*fifo_event_word(first),
                FIFO_PENDING | FIFO_LINKED | (first + 1));
    check_equal(*fifo_event_word(last), FIFO_PENDING | FIFO_LINKED);
    upcalls_enable();
    check(wait_for(received_in_all() == nr, 60000));
    check_equal(event_log_length, nr);
    for (i = nr - EVENT_LOG_SIZE; i < nr; i++) {
        if (!check_equal(event_log[i % EVENT_LOG_SIZE].port, first + i)) {
            break;
        }
    }
}

static struct evtchn_fifo_control_block *make_control_block(unsigned int vcpu)
{
    struct evtchn_fifo_control_block *block = page_alloc(1);

    require(evtchn_init_control(gfn_of(block), 0, vcpu) == 0);
    return block;
}

static event_word_t *make_array_page(void)
{
    event_word_t *words = page_alloc(1);

    require(evtchn_expand_array(gfn_of(words)) == 0);
    return words;
}

/* With a control block, but no array, an event waits for the first page. */
TEST(fifo_array_none_at_first, "fifo noshim alone")
{
    evtchn_port_t port, other;
    struct evtchn_fifo_control_block *block;
    event_word_t *words;

    require(evtchn_bind_ipi(0, &port) == 0);
    require(evtchn_bind_ipi(0, &other) == 0);
    upcalls_disable();
    block = make_control_block(0);
    check_equal(evtchn_send(port), 0);
    check_equal(block->ready, 0);
    words = make_array_page();
    check_equal(block->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    /* The console's port may be linked before or behind this one. */
    check_equal(words[port] & ~FIFO_LINK_MASK, FIFO_PENDING | FIFO_LINKED);
    check_equal(words[other], 0);
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 1);
}

/* What was pending in 2-level is raised again in FIFO. */
TEST(fifo_takes_2_level_events_along, "fifo noshim alone")
{
    evtchn_port_t masked, raised, quiet;
    event_word_t *words;

    raised = must_bind_ipi(0);
    masked = must_bind_ipi(0);
    quiet = must_bind_ipi(0);
    upcalls_disable();
    port_mask(masked);
    check_equal(evtchn_send(masked), 0);
    check_equal(evtchn_send(raised), 0);
    make_control_block(0);
    words = make_array_page();
    check(words[masked] & FIFO_PENDING);
    check(words[raised] & FIFO_PENDING);
    check(!(words[quiet] & FIFO_PENDING));
    check_equal(vcpu_info_of(0)->evtchn_upcall_pending, 1);
}

/*
 * XSA-107.  Xen drops an event for a vCPU without a control block, xenkvm keeps
 * it (docs/event-channel-model.md).  Both deliver events once there is a block.
 */
TEST(fifo_vcpu_without_control_block, "fifo noshim vcpus=2 alone")
{
    struct evtchn_fifo_control_block *block[2];
    evtchn_port_t port[2];
    event_word_t *words;
    unsigned int i;

    for (i = 0; i < 2; i++) {
        require(evtchn_bind_ipi(i, &port[i]) == 0);
    }
    upcalls_disable();
    block[0] = make_control_block(0);
    words = make_array_page();
    check_equal(evtchn_send(port[1]), 0);
    check_equal(evtchn_unmask(port[1]), 0);
    check(!(words[port[1]] & FIFO_LINKED));
    check_equal(evtchn_send(port[0]), 0);
    check(words[port[0]] & FIFO_LINKED);

    block[1] = make_control_block(1);
    check_equal(words[port[1]] & FIFO_LINKED, host_is_xen() ? 0 : FIFO_LINKED);
    check_equal(evtchn_send(port[1]), 0);
    check_equal(words[port[1]], FIFO_PENDING | FIFO_LINKED);
    check_equal(block[1]->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    check_equal(block[1]->head[EVTCHN_FIFO_PRIORITY_DEFAULT], port[1]);
}

/* The guest registers the same page for everything. */
TEST(fifo_one_page_for_all, "fifo noshim vcpus=2 alone silent")
{
    char *page = page_alloc(1);
    evtchn_port_t port[2];
    unsigned int i;

    for (i = 0; i < 2; i++) {
        require(evtchn_bind_ipi(i, &port[i]) == 0);
    }
    upcalls_disable();
    check_equal(evtchn_init_control(gfn_of(page), 0, 0), 0);
    check_equal(evtchn_init_control(gfn_of(page), 8, 1), 0);
    check_equal(evtchn_expand_array(gfn_of(page)), 0);
    check_equal(evtchn_expand_array(gfn_of(page)), 0);
    for (i = 0; i < 1000; i++) {
        check_equal(evtchn_send(port[i % 2]), 0);
        check_equal(evtchn_unmask(port[i % 2]), 0);
        if (i % 16 == 0) {
            memset(page, i % 32 ? 0xff : 0, PAGE_SIZE);
        }
    }
}
