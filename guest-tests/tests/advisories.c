/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's security advisories on event channels, on one vCPU.
 *
 * A test that sends an event to a port without an event word is alone in its
 * guest: Xen raises that port anew each time that the guest goes to FIFO.
 */

#include "fifo.h"
#include "ports.h"

/* An event for a vCPU without control block: Xen drops it, xenkvm keeps it. */
TEST(xsa_107_no_control_block, "alone fifo vcpus=2")
{
    struct evtchn_fifo_control_block *block = page_alloc(2);
    event_word_t *words = page_alloc(1);
    evtchn_port_t early, port, pair[2];

    require(evtchn_bind_ipi(1, &early) == 0);
    check_equal(evtchn_init_control(gfn_of(block), 0, 0), 0);
    check_equal(evtchn_expand_array(gfn_of(words)), 0);
    check_equal(evtchn_send(early), 0);

    require(evtchn_bind_ipi(1, &port) == 0);
    check_equal(evtchn_send(port), 0);
    check_equal(evtchn_unmask(port), 0);
    check_equal(evtchn_set_priority(port, 0), 0);
    check_equal(evtchn_send(port), 0);

    /* Move ports from the vCPU with a block to the one without, and back. */
    require(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF, &pair[0]) == 0);
    check_equal(evtchn_bind_vcpu(pair[0], 1), 0);
    check_equal(evtchn_bind_interdomain(DOMID_SELF, pair[0], &pair[1]), 0);
    check_equal(evtchn_send(pair[1]), 0);
    check_equal(evtchn_bind_vcpu(pair[0], 0), 0);
    check_equal(evtchn_send(pair[1]), 0);
    check(words[pair[0]] & FIFO_LINKED);

    check_equal(evtchn_init_control(gfn_of((char *)block + PAGE_SIZE), 0, 1),
                0);
    check_equal(evtchn_send(port), 0);
    check_equal(words[port] & (FIFO_PENDING | FIFO_LINKED),
                FIFO_PENDING | FIFO_LINKED);
    require(guest_reset() == 0);
}

/* init_control fails, other operations follow, then init_control succeeds. */
TEST(xsa_188_init_control_that_fails, "fresh fifo")
{
    evtchn_port_t port[2];
    unsigned int i;

    must_bind_loopback(port);
    for (i = 0; i < 10; i++) {
        check_equal(evtchn_init_control(~0ull, 0, 0), -XEN_EINVAL);
        check_equal(evtchn_send(port[0]), 0);
        check_equal(evtchn_unmask(port[1]), 0);
        check(wait_for(received(port[1]) == i + 1, 1000));
    }
    require(abi_switch(ABI_FIFO) == 0);
    require(abi_grow(port[1] + 1) == 0);
    port_unmask(port[1]);
    received_clear(port[1]);
    check_equal(evtchn_send(port[0]), 0);
    check(wait_for(received(port[1]) == 1, 1000));
}

/* SCHEDOP_poll of numbers that are no port, and a port without event word. */
TEST(xsa_221_poll_of_bad_ports, "polls nokernel")
{
    evtchn_port_t good = must_bind_ipi(0), closed = open_port(PORT_CLOSED);
    unsigned int i;

    for (i = 0; i < NR_BAD_PORTS; i++) {
        evtchn_port_t both[2] = { good, bad_ports[i] };

        check_equal(sched_poll(&bad_ports[i], 1, system_time()), -XEN_EINVAL);
        check_equal(sched_poll(both, 2, system_time()), -XEN_EINVAL);
    }
    check_equal(sched_poll(&closed, 1, system_time()), -XEN_EINVAL);
    closed = 0;
    check_equal(sched_poll(&closed, 1, system_time()), -XEN_EINVAL);
}

TEST(xsa_221_poll_without_event_words, "polls alone fifo")
{
    evtchn_port_t port = must_bind_ipi(0);

    check_equal(evtchn_init_control(gfn_of(page_alloc(1)), 0, 0), 0);
    check_equal(evtchn_send(port), 0);
    check_equal(sched_poll(&port, 1, system_time()), 0);
    check_equal(evtchn_unmask(port), 0);
    check_equal(evtchn_set_priority(port, 2), 0);
    check_equal(evtchn_close(port), 0);
    check_equal(sched_poll(&port, 1, system_time()), -XEN_EINVAL);
    require(guest_reset() == 0);
}

/* A port number that was valid stays so when a reset lowers the limit. */
static void check_ports_stay_valid(enum evtchn_abi abi)
{
    evtchn_port_t end = WORD_BITS * WORD_BITS + 200, port = 0;

    require(abi_switch(abi) == 0);
    while (port < end) {
        require(evtchn_bind_ipi(0, &port) == 0);
    }
    require(guest_reset() == 0);
    for (; port > 0 && port > end - 400; port--) {
        check_equal(port_status(port), EVTCHNSTAT_closed);
        check_equal(evtchn_send(port), -XEN_EINVAL);
        check_equal(evtchn_unmask(port), 0);
        check_equal(evtchn_close(port), -XEN_EINVAL);
        check_equal(evtchn_bind_vcpu(port, 0), -XEN_EINVAL);
        check(polls_are_the_kernels() ||
              sched_poll(&port, 1, system_time()) == -XEN_EINVAL);
    }
}

TEST(xsa_338_valid_ports_stay_valid, "fresh fifo seconds=60")
{
    check_ports_stay_valid(ABI_FIFO);
}

TEST(xsa_338_valid_3_level_ports_stay_valid, "fresh 3l seconds=60")
{
    check_ports_stay_valid(ABI_3L);
}

/* Events set only the 1,024 bits of a 32-bit guest, and nothing behind them. */
TEST(xsa_342_ports_of_32_bit_guests, "32 2l seconds=60")
{
    size_t after = offsetof(struct shared_info, evtchn_mask) +
                   sizeof(shared_info->evtchn_mask);
    const char *page = (const char *)shared_info;
    evtchn_port_t port = 0;
    static char copy[PAGE_SIZE];
    int error;

    while (!(error = evtchn_bind_ipi(0, &port))) {
        check(port < 1024);
    }
    check_equal(error, -XEN_ENOSPC);
    for (port = 1024; port < 4096; port += 61) {
        check_equal(evtchn_send(port), -XEN_EINVAL);
        check_equal(evtchn_unmask(port), -XEN_EINVAL);
    }
    /* The wall clock follows the bits, and Xen may set that. */
    after = offsetof(struct shared_info, arch);
    memcpy(copy, page, PAGE_SIZE);
    for (port = 1; port < 1024; port++) {
        evtchn_send(port);
        evtchn_unmask(port);
    }
    check(!memcmp(page + after, copy + after, PAGE_SIZE - after));
}

/* A bind_virq that fails takes neither the VIRQ nor a port. */
TEST(xsa_496_bind_virq_that_fails, "2l seconds=60 noshim")
{
    unsigned int virq, open;
    evtchn_port_t port = 0, last = 0;

    while (!evtchn_bind_ipi(0, &port)) {
        last = port;
    }
    open = last;
    for (virq = 0; virq < NR_VIRQS; virq++) {
        check_equal(evtchn_bind_virq(virq, 0, &port), -XEN_ENOSPC);
        check_equal(evtchn_close(last), 0);
        check_equal(evtchn_bind_virq(virq, 0, &port), 0);
        check_equal(port, last);
        check_equal(evtchn_bind_virq((virq + 1) % NR_VIRQS, 0, &port),
                    -XEN_ENOSPC);
        check_equal(evtchn_bind_virq(virq, 0, &port), -XEN_EEXIST);
    }
    check(open > 0);
}
