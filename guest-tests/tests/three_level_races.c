/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 3-level: the races of Xen's advisories: other vCPUs send events while the
 * guest switches to the ABI or leaves it.  Every event is accounted for.
 */

#include "evtchn_3l.h"
#include "ports.h"

#define NR_PAGES EVTCHN_3L_NR_PAGES(WORD_BITS)
#define L1_BIT(port) ((xen_ulong_t)1 << (port) / WORD_BITS / WORD_BITS)
#define L2_BIT(port) ((xen_ulong_t)1 << (port) / WORD_BITS % WORD_BITS)
#define L2_WORD(port) ((port) / WORD_BITS / WORD_BITS)

#define ROUNDS 16
#define NR_SENDERS 2
/* So many that the senders' ports are in more than one word. */
#define PORTS_EACH 48
#define PATIENCE 20000 /* ms */

/* vCPU 1 and vCPU 2 send, with upcalls off; only vCPU 0 consumes. */
static struct sender {
    evtchn_port_t port[PORTS_EACH];
    volatile unsigned int sent; /* events that Xen has taken */
    volatile unsigned int tries;
    volatile bool ready, done;
} senders[NR_SENDERS];
static volatile bool stop;

/* A sender's function begins and ends with these. */
static void begin(struct sender *s)
{
    upcalls_disable();
    s->ready = true;
}

static void end(struct sender *s)
{
    s->done = true;
    while (!stop) {
        cpu_relax();
    }
    upcalls_enable();
}

static void start_senders(void (*function)(void *))
{
    unsigned int i;

    stop = false;
    for (i = 0; i < NR_SENDERS; i++) {
        senders[i].sent = senders[i].tries = 0;
        senders[i].ready = senders[i].done = false;
        vcpu_start(1 + i, function, &senders[i]);
    }
    check(wait_for(senders[0].ready && senders[1].ready, PATIENCE));
}

static void join_senders(void)
{
    unsigned int i;

    stop = true;
    for (i = 0; i < NR_SENDERS; i++) {
        require(vcpu_join(1 + i, PATIENCE));
    }
}

/* Bind ports to vCPU 0 and, with @nr_targets 2, vCPU 1 in turn. */
static void bind_ports(unsigned int nr_targets)
{
    unsigned int i, k;

    for (i = 0; i < NR_SENDERS; i++) {
        for (k = 0; k < PORTS_EACH; k++) {
            evtchn_port_t port = must_bind_ipi(k % nr_targets);

            senders[i].port[k] = port;
            received_clear(port);
        }
    }
}

/* Wait until each sender has tried @tries more times. */
static bool wait_for_tries(unsigned int tries)
{
    unsigned int first = senders[0].tries, second = senders[1].tries;

    return wait_for(senders[0].tries - first >= tries &&
                        senders[1].tries - second >= tries,
                    PATIENCE);
}

static void check_delivery(void)
{
    evtchn_port_t port = must_bind_ipi(0);

    received_clear(port);
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, PATIENCE));
}

/* Bitmaps and selectors of a test's own ------------------------------------ */

static char *pages;
static xen_ulong_t *pending, *masks, *selector[2];

static void make_memory(void)
{
    pages = page_alloc(2 * NR_PAGES + 1);
    pending = (void *)pages;
    masks = (void *)(pages + NR_PAGES * PAGE_SIZE);
    selector[0] = (void *)(pages + 2 * NR_PAGES * PAGE_SIZE);
    selector[1] = selector[0] + PAGE_SIZE / 2 / sizeof(xen_ulong_t);
}

static int register_bitmaps(void)
{
    memset(pages, 0, (2 * NR_PAGES + 1) * PAGE_SIZE);
    memset(masks, 0xff, NR_PAGES * PAGE_SIZE);
    return evtchn_register_bitmaps(pending, masks, NR_PAGES);
}

static int register_selector(unsigned int vcpu)
{
    return evtchn_register_l2_selector(vcpu, gfn_of(selector[vcpu]),
                                       (uintptr_t)selector[vcpu] % PAGE_SIZE);
}

/* 359: bitmaps that come to be --------------------------------------------- */

/* Send each port's event once: it must come once, in whichever ABI. */
static void send_each_once(void *opaque)
{
    struct sender *s = opaque;

    begin(s);
    while (s->sent < PORTS_EACH) {
        check_equal(evtchn_send(s->port[s->sent]), 0);
        s->sent++;
        s->tries++;
    }
    end(s);
}

TEST(xsa_359_bitmaps_that_come_to_be, "fresh 3l vcpus=3 seconds=120")
{
    unsigned int round, i, k;

    for (round = 0; round < ROUNDS; round++) {
        unsigned int before = received_in_all();
        int error;

        bind_ports(1);
        start_senders(send_each_once);
        check(
            wait_for(senders[0].sent >= round * PORTS_EACH / ROUNDS, PATIENCE));
        error = abi_switch(ABI_3L);
        check(wait_for(senders[0].done && senders[1].done, PATIENCE));
        join_senders();
        require(error == 0);
        require(wait_for(received_in_all() - before == NR_SENDERS * PORTS_EACH,
                         PATIENCE));
        for (i = 0; i < NR_SENDERS; i++) {
            for (k = 0; k < PORTS_EACH; k++) {
                check_equal(received(senders[i].port[k]), 1);
            }
        }
        require(guest_reset() == 0);
    }
}

/* Send the next event when the last one has been taken: no two merge. */
static void send_one_at_a_time(void *opaque)
{
    struct sender *s = opaque;

    begin(s);
    while (!stop) {
        evtchn_port_t port = s->port[0];
        int error = evtchn_send(port);

        if (error) {
            /* A reset has closed the port. */
            check_equal(error, -XEN_EINVAL);
            break;
        }
        s->sent++;
        if (!wait_for(received(port) >= s->sent || stop, PATIENCE)) {
            check(false);
            break;
        }
        s->tries++;
    }
    end(s);
}

TEST(xsa_359_bitmaps_between_two_events, "fresh 3l vcpus=3 seconds=120")
{
    unsigned int round, i;

    for (round = 0; round < ROUNDS; round++) {
        int error;

        bind_ports(1);
        start_senders(send_one_at_a_time);
        check(wait_for_tries(2));
        error = abi_switch(ABI_3L);
        check(wait_for_tries(2));
        join_senders();
        require(error == 0);
        for (i = 0; i < NR_SENDERS; i++) {
            evtchn_port_t port = senders[i].port[0];

            require(wait_for(received(port) == senders[i].sent, PATIENCE));
        }
        spin_for(1);
        for (i = 0; i < NR_SENDERS; i++) {
            check_equal(received(senders[i].port[0]), senders[i].sent);
        }
        require(guest_reset() == 0);
    }
}

/* 358: a selector that comes to be ----------------------------------------- */

/* @vcpu's L1 and L2 have exactly the bits of its pending ports. */
static void check_selected(unsigned int vcpu)
{
    xen_ulong_t l1 = 0, l2[WORD_BITS] = { 0 };
    unsigned int i, k;

    for (i = 0; i < NR_SENDERS; i++) {
        for (k = vcpu; k < PORTS_EACH; k += 2) {
            evtchn_port_t port = senders[i].port[k];

            check_equal(pending[port / WORD_BITS] >> port % WORD_BITS & 1, 1);
            l2[L2_WORD(port)] |= L2_BIT(port);
            l1 |= L1_BIT(port);
        }
    }
    for (i = 0; i < WORD_BITS; i++) {
        check_equal(selector[vcpu][i], l2[i]);
    }
    check_equal(vcpu_info_of(vcpu)->evtchn_pending_sel, l1);
    check_equal(vcpu_info_of(vcpu)->evtchn_upcall_pending, 1);
}

TEST(xsa_358_selectors_that_come_to_be, "fresh 3l vcpus=3 seconds=120")
{
    unsigned int round;

    make_memory();
    for (round = 0; round < ROUNDS; round++) {
        int error[2];

        bind_ports(2);
        upcalls_disable();
        require(register_bitmaps() == 0);
        start_senders(send_each_once);
        check(
            wait_for(senders[0].sent >= round * PORTS_EACH / ROUNDS, PATIENCE));
        error[0] = register_selector(round % 2);
        error[1] = register_selector(1 - round % 2);
        check(wait_for(senders[0].done && senders[1].done, PATIENCE));
        check_equal(error[0], 0);
        check_equal(error[1], 0);
        /* Before upcalls are enabled again, as an upcall clears L1. */
        check_selected(0);
        check_selected(1);
        join_senders();
        require(guest_reset() == 0);
    }
}

/* 343: a reset under senders ----------------------------------------------- */

TEST(xsa_343_reset_between_two_3_level_events, "fresh 3l vcpus=3 seconds=120")
{
    unsigned int round, i, before;

    for (round = 0; round < ROUNDS; round++) {
        require(abi_switch(ABI_3L) == 0);
        bind_ports(1);
        start_senders(send_one_at_a_time);
        check(wait_for_tries(3));
        check_equal(guest_reset(), 0);
        join_senders();
        for (i = 0; i < NR_SENDERS; i++) {
            unsigned int taken = received(senders[i].port[0]);

            /* The reset may have dropped the last one. */
            check(taken == senders[i].sent || taken + 1 == senders[i].sent);
        }
        /* The new ports of these numbers must not have a dropped event. */
        before = received_in_all();
        require(abi_switch(ABI_3L) == 0);
        bind_ports(1);
        spin_for(1);
        check_equal(received_in_all(), before);
        require(guest_reset() == 0);
    }
}

static void send_without_a_pause(void *opaque)
{
    struct sender *s = opaque;

    begin(s);
    for (; !stop; s->tries++) {
        int error = evtchn_send(s->port[s->tries % PORTS_EACH]);

        check(error == 0 || error == -XEN_EINVAL);
    }
    end(s);
}

/* The guest may use them for anything as soon as the reset has returned. */
TEST(xsa_343_bitmaps_are_let_go_of_by_a_reset, "fresh 3l vcpus=3 seconds=120")
{
    unsigned int round;
    size_t i;

    make_memory();
    for (round = 0; round < ROUNDS; round++) {
        unsigned int changed = 0;
        int error;

        bind_ports(2);
        upcalls_disable();
        require(register_bitmaps() == 0);
        require(register_selector(0) == 0);
        require(register_selector(1) == 0);
        start_senders(send_without_a_pause);
        check(wait_for_tries(10));
        error = guest_reset();
        memset(pages, 0x5a, (2 * NR_PAGES + 1) * PAGE_SIZE);
        /* Ports of the same numbers, in 2-level: the senders go on. */
        bind_ports(2);
        check(wait_for_tries(PORTS_EACH));
        for (i = 0; i < (2 * NR_PAGES + 1) * PAGE_SIZE; i++) {
            changed += pages[i] != 0x5a;
        }
        join_senders();
        check_equal(error, 0);
        check_equal(changed, 0);
        require(guest_reset() == 0);
    }
    check_delivery();
}

/* 505: a selector that comes while a reset takes the bitmaps away ---------- */

static void register_over_and_over(void *opaque)
{
    struct sender *s = opaque;

    begin(s);
    for (; !stop; s->tries++) {
        int error = register_selector(0);

        /* Before the bitmaps, or when the vCPU has a selector already. */
        check(error == 0 || error == -XEN_EOPNOTSUPP || error == -XEN_EINVAL);
    }
    end(s);
}

TEST(xsa_505_selector_that_comes_in_a_reset, "fresh 3l vcpus=3 seconds=120")
{
    unsigned int round;
    bool taken = true;

    make_memory();
    memset(pages, 0, (2 * NR_PAGES + 1) * PAGE_SIZE);
    start_senders(register_over_and_over);
    upcalls_disable();
    for (round = 0; taken && round < 4 * ROUNDS; round++) {
        evtchn_port_t port = must_bind_ipi(0);
        volatile xen_ulong_t *word = &selector[0][L2_WORD(port)];

        check_equal(register_bitmaps(), 0);
        check_equal(evtchn_send(port), 0);
        /* A selector is registered before the reset, and gets the event. */
        taken = wait_for(*word & L2_BIT(port), PATIENCE);
        check_equal(evtchn_reset(DOMID_SELF), 0);
    }
    join_senders();
    check(taken);
    require(guest_reset() == 0);
    check_delivery();
    require(guest_reset() == 0);
    require(abi_switch(ABI_3L) == 0);
    check_delivery();
}

/* Two switches at once: the guest gets one ABI, the other is refused --- */

static volatile unsigned int turn;
static int results[NR_SENDERS];
static void *control_block;

static void switch_when_told(void *opaque)
{
    struct sender *s = opaque;
    unsigned int me = s - senders, last = 0;

    begin(s);
    while (!stop) {
        if (turn == last) {
            cpu_relax();
            continue;
        }
        last = turn;
        /* Every other time vCPU 1 switches to FIFO. */
        results[me] = me == 1 && last % 2 ?
                          evtchn_init_control(gfn_of(control_block), 0, 0) :
                          evtchn_register_bitmaps(pending, masks, NR_PAGES);
        s->tries++;
    }
    end(s);
}

TEST(three_level_two_switches_at_once, "fresh 3l vcpus=3 seconds=120")
{
    unsigned int round;

    make_memory();
    control_block = page_alloc(1);
    turn = 0;
    start_senders(switch_when_told);
    upcalls_disable();
    for (round = 1; round <= 4 * ROUNDS; round++) {
        turn = round;
        if (!check(
                wait_for(senders[0].tries == round && senders[1].tries == round,
                         PATIENCE))) {
            break;
        }
        check_equal(results[0] ? results[0] : results[1], -XEN_EINVAL);
        check_equal(results[0] ? results[1] : results[0], 0);
        check_equal(evtchn_reset(DOMID_SELF), 0);
    }
    join_senders();
    require(guest_reset() == 0);
    check_delivery();
    require(guest_reset() == 0);
    require(abi_switch(ABI_3L) == 0);
    check_delivery();
}
