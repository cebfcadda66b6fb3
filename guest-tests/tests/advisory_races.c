/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's security advisories on event channels that are races: vCPU 1 does one
 * thing over and over while vCPU 0 does the other.
 */

#include "fifo.h"
#include "ports.h"

static volatile bool stop;
static volatile unsigned int rounds;

static void start(void (*function)(void *), void *opaque)
{
    stop = false;
    rounds = 0;
    vcpu_start(1, function, opaque);
    require(wait_for(rounds > 0, 5000));
}

static void finish(void)
{
    stop = true;
    require(vcpu_join(1, 10000));
}

static void check_delivery(void)
{
    evtchn_port_t port = must_bind_ipi(0);

    received_clear(port);
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 1000));
}

/* 295: no operation of Xen's waits for the guest's writes ------------------- */

static void flip_bits(void *opaque)
{
    event_word_t *words = opaque;
    unsigned int bits = 0;

    for (; !stop; rounds = rounds + 1) {
        bits += 0x10000001;
        __atomic_store_n(&words[bits % 8], bits, __ATOMIC_SEQ_CST);
        __atomic_fetch_xor(&words[rounds % 8], FIFO_MASKED | FIFO_LINKED,
                           __ATOMIC_SEQ_CST);
    }
}

TEST(xsa_295_hostile_event_words, "fresh fifo vcpus=2 seconds=60")
{
    event_word_t *words = page_alloc(1);
    evtchn_port_t port[8];
    unsigned int i, failed = 0;

    check_equal(evtchn_init_control(gfn_of(page_alloc(1)), 0, 0), 0);
    check_equal(evtchn_expand_array(gfn_of(words)), 0);
    for (i = 0; i < 8; i++) {
        require(evtchn_bind_ipi(0, &port[i]) == 0);
    }
    start(flip_bits, &words[port[0]]);
    for (i = 0; i < 20000; i++) {
        failed += evtchn_send(port[i % 8]) != 0;
        failed += evtchn_unmask(port[i / 8 % 8]) != 0;
    }
    finish();
    check_equal(failed, 0);
    require(guest_reset() == 0);
    check_delivery();
}

/* 340, 359: a port or a page is seen only when it is whole -------------------- */

static void try_ports(void *opaque)
{
    struct evtchn_status status;
    evtchn_port_t port;

    for (port = 1; !stop; port = port % 2000 + 1) {
        evtchn_send(port);
        evtchn_unmask(port);
        evtchn_status(DOMID_SELF, port, &status);
        sched_poll(&port, 1, 1);
        rounds = rounds + 1;
    }
}

TEST(xsa_340_ports_that_come_to_be, "fresh vcpus=2 seconds=60")
{
    unsigned int i;
    evtchn_port_t port;

    start(try_ports, NULL);
    for (i = 0; i < 900; i++) {
        require(evtchn_bind_ipi(i % 2, &port) == 0);
    }
    finish();
    check_delivery();
    require(guest_reset() == 0);
}

TEST(xsa_359_pages_that_come_to_be, "alone fifo vcpus=2 seconds=60")
{
    unsigned int i;
    evtchn_port_t port = 0;

    require(abi_switch(ABI_FIFO) == 0);
    while (port < 2000) {
        require(evtchn_bind_ipi(0, &port) == 0);
    }
    start(try_ports, NULL);
    for (i = 1; i <= 32; i++) {
        check_equal(abi_grow(i * FIFO_WORDS_PER_PAGE), 0);
    }
    finish();
    check_delivery();
    require(guest_reset() == 0);
}

/* 343: a reset while ports are bound, used and closed ------------------------- */

static void use_ports(void *opaque)
{
    evtchn_port_t port, pair[2];

    upcalls_disable();
    for (; !stop; rounds = rounds + 1) {
        if (!evtchn_bind_ipi(rounds % 2, &port)) {
            evtchn_send(port);
            evtchn_unmask(port);
            evtchn_close(port);
        }
        if (!evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF, &pair[0]) &&
            !evtchn_bind_interdomain(DOMID_SELF, pair[0], &pair[1])) {
            evtchn_send(pair[0]);
            evtchn_bind_vcpu(pair[1], rounds % 2);
            evtchn_close(pair[1]);
        }
        if (!evtchn_bind_virq(VIRQ_DEBUG, 1, &port)) {
            evtchn_close(port);
        }
    }
    upcalls_enable();
}

static void reset_while(void (*other)(void *), bool other_resets)
{
    unsigned int open = nr_open_ports(), i, done = 0;
    enum evtchn_abi abi = guest_abi;

    start(other, NULL);
    for (i = 0; i < 60; i++) {
        int error = guest_reset();

        /* All are valid; -EBUSY if another vCPU resets, -EAGAIN if it binds. */
        check(error == 0 || error == -XEN_EAGAIN || error == -XEN_EBUSY);
        done += error == 0;
        if (guest_abi != abi) {
            error = abi_switch(abi);
            /* The other vCPU's reset may come in the middle of the switch. */
            check(error == 0 || (other_resets && (error == -XEN_EOPNOTSUPP ||
                                                  error == -XEN_EINVAL)));
        }
    }
    finish();
    require(guest_reset() == 0);
    require(abi_switch(abi) == 0);
    test_note("%u of %u resets done, %u rounds meanwhile", done, i, rounds);
    check_equal(nr_open_ports(), open);
    check_delivery();
}

TEST(xsa_343_reset_while_ports_are_used, "fresh vcpus=2 seconds=60")
{
    reset_while(use_ports, false);
}

static void reset_over_and_over(void *opaque)
{
    for (; !stop; rounds = rounds + 1) {
        int error = evtchn_reset(DOMID_SELF);

        check(error == 0 || error == -XEN_EAGAIN || error == -XEN_EBUSY);
    }
}

TEST(xsa_343_two_resets_at_once, "fresh vcpus=2 seconds=60")
{
    reset_while(reset_over_and_over, true);
}

/* 344: others go on while a full table is reset -------------------------------- */

static void ask_status(void *opaque)
{
    for (; !stop; rounds = rounds + 1) {
        port_status(1);
    }
}

/* How many answers another vCPU got during the reset. */
static unsigned int rounds_in_reset(void)
{
    unsigned int open = nr_open_ports(), before;
    evtchn_port_t port;

    while (!evtchn_bind_ipi(1, &port)) {
    }
    start(ask_status, NULL);
    before = rounds;
    check_equal(guest_reset(), 0);
    before = rounds - before;
    finish();
    check_equal(nr_open_ports(), open);
    return before;
}

TEST(xsa_344_reset_of_a_full_table, "fresh 2l vcpus=2 seconds=60")
{
    uint64_t end = system_time() + 40000000000ull;
    unsigned int in_reset;

    /* On a busy machine the other vCPU may happen not to run: try again. */
    do {
        in_reset = rounds_in_reset();
    } while (in_reset < 5 && system_time() < end);
    check(in_reset >= 5);
    test_note("%u operations of another vCPU during a reset", in_reset);
}

/* 358: a control block that comes while events are sent to its vCPU ------------ */

static void send_to_port(void *opaque)
{
    evtchn_port_t port = *(evtchn_port_t *)opaque;

    upcalls_disable();
    for (; !stop; rounds = rounds + 1) {
        check(evtchn_send(port) == 0);
    }
    upcalls_enable();
}

TEST(xsa_358_control_block_that_comes_to_be, "fresh fifo vcpus=2 seconds=60")
{
    unsigned int i;

    for (i = 0; i < 20; i++) {
        struct evtchn_fifo_control_block *block = page_alloc(2);
        event_word_t *words = page_alloc(1);
        evtchn_port_t port;

        check_equal(evtchn_init_control(gfn_of(block), 0, 0), 0);
        check_equal(evtchn_expand_array(gfn_of(words)), 0);
        require(evtchn_bind_ipi(1, &port) == 0);
        start(send_to_port, &port);
        block = (void *)((char *)block + PAGE_SIZE);
        check_equal(evtchn_init_control(gfn_of(block), 0, 1), 0);
        check(wait_for(*(volatile event_word_t *)&words[port] & FIFO_LINKED,
                       1000));
        finish();
        check_equal(words[port], FIFO_PENDING | FIFO_LINKED);
        check_equal(block->head[EVTCHN_FIFO_PRIORITY_DEFAULT], port);
        check_equal(block->ready, 1 << EVTCHN_FIFO_PRIORITY_DEFAULT);
        require(guest_reset() == 0);
    }
}

/* 505: an array that grows while a reset takes it away ------------------------- */

static void expand_over_and_over(void *opaque)
{
    uint64_t gfn = gfn_of(opaque);

    upcalls_disable();
    for (; !stop; rounds = rounds + 1) {
        int error = evtchn_expand_array(gfn);

        check(error == 0 || error == -XEN_EOPNOTSUPP || error == -XEN_ENOSPC);
    }
    upcalls_enable();
}

TEST(xsa_505_array_that_grows_in_a_reset, "alone fifo vcpus=2 seconds=60")
{
    void *block = page_alloc(1);
    unsigned int i;

    start(expand_over_and_over, page_alloc(1));
    for (i = 0; i < 100; i++) {
        evtchn_port_t port;

        check_equal(evtchn_init_control(gfn_of(block), 0, 0), 0);
        require(evtchn_bind_ipi(0, &port) == 0);
        check_equal(evtchn_send(port), 0);
        check_equal(evtchn_reset(DOMID_SELF), 0);
    }
    finish();
    require(guest_reset() == 0);
    check_delivery();
}
