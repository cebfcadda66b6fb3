/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From each ABI by a reset to each other: no event is left, and all works. */

#include "fifo.h"
#include "ports.h"
#include "xenstore.h"

#define NR_ABIS (ABI_FIFO + 1)

/* Xen has no 3-level. */
static bool is_offered(enum evtchn_abi abi)
{
    return abi != ABI_3L || !host_is_xen();
}

static void come_back_as(enum evtchn_abi abi)
{
    require(guest_reset() == 0);
    require(abi_switch(abi) == 0);
}

/* Tell the ABI by the operations that it refuses, which needs no full table. */
static void check_abi_is(enum evtchn_abi abi)
{
    evtchn_port_t port = must_bind_ipi(0);

    /* ~0 is no frame, but only FIFO gets as far as to look at it. */
    check_equal(evtchn_expand_array(~0ull),
                abi == ABI_FIFO ? -XEN_EINVAL : -XEN_EOPNOTSUPP);
    check_equal(evtchn_set_priority(port, EVTCHN_FIFO_PRIORITY_DEFAULT),
                abi == ABI_FIFO ? 0 : -XEN_ENOSYS);
    evtchn_close(port);
}

/* An event to each vCPU, with its port unmasked and masked. */
static void check_delivery(void)
{
    unsigned int vcpu;

    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        evtchn_port_t port = must_bind_ipi(vcpu);

        received_clear(port);
        check_equal(evtchn_send(port), 0);
        check(wait_for(received(port) == 1, 5000));
        check_equal(received_on(port), vcpu);

        port_mask(port);
        check_equal(evtchn_send(port), 0);
        check(port_is_pending(port));
        spin_for(2);
        check_equal(received(port), 1);
        check_equal(evtchn_unmask(port), 0);
        check(wait_for(received(port) == 2, 5000));
        check_equal(received_on(port), vcpu);
        check_equal(evtchn_close(port), 0);
    }
}

TEST(abi_change_by_reset, "fresh vcpus=2 seconds=30")
{
    enum evtchn_abi from = guest_abi, to;

    for (to = ABI_2L; to < NR_ABIS; to++) {
        if (!is_offered(to)) {
            continue;
        }
        test_row(abi_name(to));
        check_abi_is(from);
        check_delivery();
        come_back_as(to);
        check_abi_is(to);
        check_delivery();
        come_back_as(from);
    }
}

/* A request and its answer, and the event that comes with it. */
static void check_xenstore(void)
{
    unsigned int events = 0;
    evtchn_port_t port;

    for (port = 1; port < 8; port++) {
        if (port_status(port) == EVTCHNSTAT_interdomain) {
            port_clear_pending(port);
            received_clear(port);
            port_unmask(port);
        }
    }
    check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
    check(wait_for(({
                       for (port = 1; port < 8; port++) {
                           events += received(port);
                       }
                       events > 0;
                   }),
                   5000));
    for (port = 1; port < 8; port++) {
        if (port_status(port) == EVTCHNSTAT_interdomain) {
            port_mask(port);
        }
    }
}

/* A reset leaves XenStore's end of the channel unbound, to be bound again. */
TEST(abi_change_keeps_xenstore, "fresh seconds=30")
{
    enum evtchn_abi from = guest_abi, to;

    for (to = ABI_2L; to < NR_ABIS; to++) {
        if (is_offered(to)) {
            test_row(abi_name(to));
            check_xenstore();
            come_back_as(to);
            check_xenstore();
            come_back_as(from);
        }
    }
}

#define NR_PENDING 4

/* New ports of the numbers @port have no event of the old ones. */
static void check_nothing_comes(const evtchn_port_t *port)
{
    unsigned int before, i;

    for (i = 0; i < NR_PENDING; i++) {
        require(port_status(port[i]) == EVTCHNSTAT_closed);
        check(!port_is_pending(port[i]));
    }
    before = received_in_all();
    do {
        i = must_bind_ipi(0);
    } while (i < port[NR_PENDING - 1]);
    spin_for(5);
    check_equal(received_in_all(), before);
    for (i = 0; i < NR_PENDING; i++) {
        received_clear(port[i]);
        check_equal(port_status(port[i]), EVTCHNSTAT_ipi);
        check_equal(evtchn_send(port[i]), 0);
        check(wait_for(received(port[i]) == 1, 5000));
    }
}

/* Events that are pending, masked or not, at the reset are dropped. */
TEST(abi_change_drops_events, "fresh seconds=30")
{
    enum evtchn_abi from = guest_abi, to;

    for (to = ABI_2L; to < NR_ABIS; to++) {
        evtchn_port_t port[NR_PENDING];
        unsigned int i;

        if (!is_offered(to)) {
            continue;
        }
        test_row(abi_name(to));
        upcalls_disable();
        for (i = 0; i < NR_PENDING; i++) {
            port[i] = must_bind_ipi(0);
            if (i % 2) {
                port_mask(port[i]);
            }
            check_equal(evtchn_send(port[i]), 0);
            check(port_is_pending(port[i]));
        }
        come_back_as(to);
        check_nothing_comes(port);
        come_back_as(from);
    }
}

/*
 * Words that the ABI in use does not read may hold anything.  guest_reset()
 * clears those of 2-level before the guest comes back to it.
 */
TEST(abi_change_from_stale_words, "fresh 3l fifo vcpus=2 seconds=30")
{
    enum evtchn_abi from = abi_asked_for(), to;
    unsigned int vcpu;

    for (to = ABI_2L; to < NR_ABIS; to++) {
        if (!is_offered(to)) {
            continue;
        }
        test_row(abi_name(to));
        require(abi_switch(from) == 0);
        memset(shared_info->evtchn_pending, 0xff,
               sizeof(shared_info->evtchn_pending));
        memset(shared_info->evtchn_mask, 0, sizeof(shared_info->evtchn_mask));
        for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
            /* 3-level uses evtchn_pending_sel, too, as its first level. */
            __atomic_store_n(&vcpu_info_of(vcpu)->evtchn_pending_sel,
                             ~(xen_ulong_t)0, __ATOMIC_SEQ_CST);
            __atomic_store_n(&vcpu_info_of(vcpu)->evtchn_upcall_pending, 0,
                             __ATOMIC_SEQ_CST);
        }
        if (from == ABI_FIFO) {
            check_delivery();
        }
        come_back_as(to);
        check_delivery();
        require(guest_reset() == 0);
    }
}

/* A guest reads a queue's HEAD only after Xen has set the queue's READY bit. */
TEST(abi_change_to_fifo_with_stale_heads, "fresh fifo")
{
    struct evtchn_fifo_control_block *block = page_alloc(1);
    event_word_t *words = page_alloc(1);
    unsigned int round, i;

    for (round = 0; round < 3; round++) {
        evtchn_port_t port[2];

        for (i = 0; i < FIFO_WORDS_PER_PAGE; i++) {
            words[i] = FIFO_MASKED;
        }
        for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
            block->head[i] = 0xdeadbeef + i;
        }
        block->ready = 0;
        upcalls_disable();
        require(evtchn_init_control(gfn_of(block), 0, 0) == 0);
        require(evtchn_expand_array(gfn_of(words)) == 0);
        for (i = 0; i < 2; i++) {
            require(evtchn_bind_ipi(0, &port[i]) == 0);
            words[port[i]] = 0;
            check_equal(evtchn_send(port[i]), 0);
        }
        check_equal(block->ready, 1 << EVTCHN_FIFO_PRIORITY_DEFAULT);
        check_equal(block->head[EVTCHN_FIFO_PRIORITY_DEFAULT], port[0]);
        check_equal(words[port[0]], FIFO_PENDING | FIFO_LINKED | port[1]);
        check_equal(words[port[1]], FIFO_PENDING | FIFO_LINKED);
        /* The next round begins with the heads that this one has left. */
        require(guest_reset() == 0);
    }
}

/* Bind ports until none is left; returns the last one. */
static evtchn_port_t bind_up_to(evtchn_port_t end, int *error)
{
    evtchn_port_t port, last = 0;

    while (last < end && (*error = evtchn_bind_ipi(0, &port)) == 0) {
        last = port;
    }
    return last;
}

/* After a reset the new ABI's limit counts, also with a full table before. */
TEST(abi_change_limits, "fresh 3l fifo seconds=120")
{
    evtchn_port_t nr_2l = WORD_BITS * WORD_BITS;
    int error = 0;

    check_equal(bind_up_to(~0u, &error), nr_2l - 1);
    check_equal(error, -XEN_ENOSPC);
    come_back_as(abi_asked_for());
    check_equal(bind_up_to(nr_2l + 100, &error), nr_2l + 100);
    check_equal(error, 0);
    come_back_as(ABI_2L);
    check_equal(bind_up_to(~0u, &error), nr_2l - 1);
    check_equal(error, -XEN_ENOSPC);
}
