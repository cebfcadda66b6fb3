/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages that Xen shares with a guest, at addresses that are refused or
 * dangerous.
 */

#include "xenstore.h"
#include <xen/grant_table.h>

/*
 * KVM has no memory slots there.  Xen 4.17 ignores the upper bits of some of
 * these frame numbers, and so moves shared_info away from its place.
 */
TEST(map_beyond_physical_addresses, "hvm pvh 64 tcg lab kvm")
{
    unsigned int bit;

    for (bit = 52 - 12; bit < 64; bit++) {
        check_equal(map_page(XENMAPSPACE_grant_table, 0, (uint64_t)1 << bit),
                    -XEN_EINVAL);
        check_equal(map_page(XENMAPSPACE_shared_info, 0, (uint64_t)1 << bit),
                    -XEN_EINVAL);
    }
    check_equal(map_page(XENMAPSPACE_grant_table, 0, ~(uint64_t)0),
                -XEN_EINVAL);
    check(system_time() > 0);
}

/* The grant frames are mapped over RAM, which must be there after the reset. */
TEST(soft_reset_unmaps_grant_frames, "hvm pvh tcg lab kvm alone")
{
    volatile uint64_t *page = page_alloc(1);

    *page = 0x1234567890abcdef;
    check_equal(map_page(XENMAPSPACE_grant_table, 1, gfn_of((void *)page)), 0);
    check(*page != 0x1234567890abcdef);
    soft_reset();
    check(*page == 0x1234567890abcdef);
}

/* A reset maps the back ends' own grants again, and must unmap the old. */
TEST(soft_reset_unmaps_back_ends_grants, "hvm pvh tcg lab kvm alone seconds=60")
{
    grant_entry_v1_t *table = page_alloc(1);
    unsigned int i;

    /* More often than one grant may be mapped. */
    for (i = 0; i < 260; i++) {
        soft_reset();
    }
    require(!map_page(XENMAPSPACE_grant_table, 0, gfn_of(table)));
    check(table[GNTTAB_RESERVED_XENSTORE].flags & GTF_reading);
}

/* XenStore's ring is in an invalid state. */
TEST(soft_reset_revives_xenstore, "hvm pvh tcg lab kvm alone seconds=30")
{
    struct xenstore_domain_interface *ring = xenstore_ring();

    check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
    ring->req_prod = ring->req_cons + 2 * sizeof(ring->req);
    xenstore_notify();
    spin_for(100);
    soft_reset();
    check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");

    /* Half a request, which the store must not take for part of the next. */
    check(xenstore_put("half", 4));
    spin_for(100);
    soft_reset();
    check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
}

/* A new port of VIRQ_TIMER does not get the old timer's ticks. */
TEST(soft_reset_stops_timers, "hvm pvh tcg lab kvm alone")
{
    evtchn_port_t port;

    port = must_bind_virq(VIRQ_TIMER, 0);
    check_equal(timer_periodic(0, 1000000), 0);
    check(wait_for(received(port) > 1, 1000));
    soft_reset();
    port = must_bind_virq(VIRQ_TIMER, 0);
    spin_for(20);
    received_clear(port);
    spin_for(100);
    check_equal(received(port), 0);
}

static void check_delivery(void)
{
    unsigned int vcpu;

    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        evtchn_port_t port = must_bind_ipi(vcpu);

        received_clear(port);
        check_equal(evtchn_send(port), 0);
        check(wait_for(received(port) == 1, 5000));
        check_equal(received_on(port), vcpu);
        check_equal(evtchn_close(port), 0);
    }
}

/* The next kernel is in 2-level, and the ports that it binds have no event. */
static void check_nothing_is_left(const evtchn_port_t *port, unsigned int nr)
{
    unsigned int i, before = received_in_all();

    check_equal(evtchn_expand_array(~0ull), -XEN_EOPNOTSUPP);
    for (i = 0; i < nr; i++) {
        check(!port_is_pending(port[i]));
    }
    do {
        i = must_bind_ipi(0);
        check_equal(evtchn_set_priority(i, 0), -XEN_ENOSYS);
    } while (i < port[nr - 1]);
    must_bind_virq(VIRQ_TIMER, 0);
    must_bind_virq(VIRQ_TIMER, 1);
    spin_for(150);
    check_equal(received_in_all(), before);
}

static volatile bool armed, go_on;

static void arm_timers(void)
{
    unsigned int vcpu = this_vcpu();

    check_equal(timer_singleshot(vcpu, system_time() + 100000000, 0), 0);
    check_equal(timer_periodic(vcpu, 10000000), 0);
}

/* At a kernel's end other vCPUs are stopped, and their events stay pending. */
static void have_events_over_the_end(void *opaque)
{
    upcalls_disable();
    arm_timers();
    armed = true;
    while (!go_on) {
        cpu_relax();
    }
    upcalls_enable();
}

/*
 * In each ABI, with pending and masked events and with timers.  Upcalls that
 * are due at the reset come in the next kernel, and find no event.
 */
TEST(soft_reset_leaves_2_level,
     "2l 3l fifo hvm pvh vcpus=2 tcg lab kvm alone seconds=30")
{
    evtchn_port_t port[4];
    unsigned int round, i;

    for (round = 0; round < 4; round++) {
        require(abi_switch(abi_asked_for()) == 0);
        check_delivery();
        upcalls_disable();
        for (i = 0; i < 4; i++) {
            port[i] = must_bind_ipi(i / 2);
            if (i % 2) {
                port_mask(port[i]);
            }
        }
        must_bind_virq(VIRQ_TIMER, 0);
        must_bind_virq(VIRQ_TIMER, 1);
        arm_timers();
        armed = go_on = false;
        vcpu_start(1, have_events_over_the_end, NULL);
        require(wait_for(armed, 5000));
        for (i = 0; i < 4; i++) {
            check_equal(evtchn_send(port[i]), 0);
        }
        soft_reset();
        abi_forget();
        go_on = true;
        require(vcpu_join(1, 5000));
        upcalls_enable();
        check_nothing_is_left(port, 4);
        check_delivery();
        require(guest_reset() == 0);
    }
}

#define PORTS_OF_A_LONG_RESET 3000

static volatile unsigned int filled, taken_over;

/* EVTCHNOP_reset of many ports is done in pieces, and others run between. */
static void reset_at_length(void *opaque)
{
    evtchn_port_t port;
    unsigned int i;
    int error;

    for (i = 0; i < PORTS_OF_A_LONG_RESET; i++) {
        check_equal(evtchn_bind_ipi(0, &port), 0);
    }
    filled++;
    error = evtchn_reset(DOMID_SELF);
    /* -EBUSY: the soft reset has done the rest. */
    check(error == 0 || error == -XEN_EBUSY);
    taken_over += error != 0;
}

/*
 * A soft reset while another vCPU is in the middle of EVTCHNOP_reset.  To meet
 * that takes many tries, and so many hypercalls that the lab is too slow for
 * it.
 */
TEST(soft_reset_amid_a_reset,
     "64 hvm pvh vcpus=2 tcg kvm alone seconds=120")
{
    unsigned int round, i;

    for (round = 0; round < 300 && taken_over < 3; round++) {
        filled = 0;
        vcpu_start(1, reset_at_length, NULL);
        require(wait_for(filled, 60000));
        for (i = 0; i < round % 16 * 100; i++) {
            cpu_relax();
        }
        soft_reset();
        require(vcpu_join(1, 10000));
    }
    soft_reset();
    test_note("%u of %u resets were taken over", taken_over, round);
}

/*
 * A timer that is stopped just as it expires stays stopped.  To meet that takes
 * many tries.  One late event is allowed; a timer that goes on raises more.
 */
TEST(periodic_timer_stays_stopped, "seconds=30")
{
    evtchn_port_t port = must_bind_virq(VIRQ_TIMER, 0);
    unsigned int i;

    for (i = 0; i < 500; i++) {
        uint64_t due = system_time() + 1000000 + i % 125 * 1200;

        check_equal(timer_periodic(0, 1000000), 0);
        while (system_time() < due) {
            cpu_relax();
        }
        check_equal(timer_periodic(0, 0), 0);
        received_clear(port);
        spin_for(1);
        check(received(port) <= 1);
    }
}

static volatile bool stop;

static void register_for_vcpu_0(void *opaque)
{
    struct vcpu_register_time_memory_area area = {
        .addr.p = (uintptr_t)opaque,
    };

    while (!stop) {
        HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area);
    }
}

/* Work that other vCPUs queue for a vCPU must not keep it from running. */
TEST(registrations_for_another_vcpu, "2l hvm pvh vcpus=3 seconds=60")
{
    uint64_t longest = 0, start = system_time(), last = start, now;
    void *area = page_alloc(1);

    stop = false;
    vcpu_start(1, register_for_vcpu_0, area);
    vcpu_start(2, register_for_vcpu_0, area);
    while ((now = system_time()) - start < 1000000000ull) {
        longest = now - last > longest ? now - last : longest;
        last = now;
    }
    stop = true;
    check(vcpu_join(1, 5000));
    check(vcpu_join(2, 5000));
    longest = now - last > longest ? now - last : longest;
    test_note("longest time without running: %u us", (uint32_t)longest / 1000);
}

/* An offset at which the vcpu_info's words are not aligned. */
TEST(vcpu_info_not_aligned, "vcpus=2 alone")
{
    struct vcpu_register_vcpu_info info = {
        .mfn = gfn_of(page_alloc(1)),
        .offset = sizeof(long) / 2,
    };

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &info),
                -XEN_ENXIO);
    info.offset = PAGE_SIZE - sizeof(struct vcpu_info) + sizeof(long);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &info),
                -XEN_ENXIO);
    info.offset = PAGE_SIZE - sizeof(struct vcpu_info);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, nr_vcpus, &info),
                -XEN_ENOENT);
}
