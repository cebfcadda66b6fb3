/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_poll: sleep until one of some ports is pending, masked or not.  The
 * ports here are masked, so that no upcall ends the sleep in their place.
 *
 * KVM answers SCHEDOP_poll in the host's kernel.  In 2-level the kernel accepts
 * closed ports, checks the numbers of all ports first, wakes only the vCPU that
 * a port is bound to, and takes the deadline for a duration.  In the other ABIs
 * SCHEDOP_poll is a yield there.
 */

#include "poller.h"

#define MAX_PORTS 128

TEST(poll_pending_port, "")
{
    evtchn_port_t port = masked_ipi(0);
    uint64_t late = system_time() + POLL_LATE;

    check_equal(evtchn_send(port), 0);
    check_equal(sched_poll(&port, 1, late), 0);
    check(system_time() < late);
    check(port_is_pending(port));
    check_equal(received(port), 0);
}

/* The time-out is a point in system time; SCHEDOP_poll then returns 0. */
TEST(poll_timeout, "polls nokernel")
{
    evtchn_port_t port = masked_ipi(0);
    unsigned int i;

    for (i = 0; i < 5; i++) {
        uint64_t until = system_time() + 50000000;

        check_equal(sched_poll(&port, 1, until), 0);
        check(system_time() + POLL_TOLERANCE >= until);
    }
    check(!port_is_pending(port));
}

TEST(poll_timeout_in_the_past, "")
{
    evtchn_port_t port = masked_ipi(0);

    check_equal(sched_poll(&port, 1, 1), 0);
    check_equal(sched_poll(&port, 1, system_time()), 0);
    check(!port_is_pending(port));
}

/* Without ports it sleeps until any event, which may be the console's. */
TEST(poll_no_ports, "polls nokernel")
{
    bool slept = false;
    unsigned int i;

    for (i = 0; i < 5 && !slept; i++) {
        uint64_t until = system_time() + 50000000;

        check_equal(sched_poll(NULL, 0, until), 0);
        slept = system_time() + POLL_TOLERANCE >= until;
    }
    check(slept);
}

TEST(poll_number_of_ports, "polls")
{
    evtchn_port_t ports[MAX_PORTS + 1];
    unsigned int i;

    for (i = 0; i <= MAX_PORTS; i++) {
        ports[i] = masked_ipi(0);
    }
    check_equal(sched_poll(ports, MAX_PORTS, 1), 0);
    check_equal(sched_poll(ports, MAX_PORTS + 1, 1), -XEN_EINVAL);
    check_equal(sched_poll(ports, ~0u, 1), -XEN_EINVAL);
    /* Xen looks at the last port, too. */
    check_equal(evtchn_send(ports[MAX_PORTS - 1]), 0);
    check_equal(sched_poll(ports, MAX_PORTS, system_time() + POLL_LATE), 0);
    check(port_is_pending(ports[MAX_PORTS - 1]));
}

TEST(poll_bad_port, "polls nokernel")
{
    evtchn_port_t port = masked_ipi(0);

    check_equal(evtchn_close(port), 0);
    check_equal(sched_poll(&port, 1, 1), -XEN_EINVAL);
    port = 0;
    check_equal(sched_poll(&port, 1, 1), -XEN_EINVAL);
    port = abi_nr_ports();
    check_equal(sched_poll(&port, 1, 1), -XEN_EINVAL);
    port = ~0u;
    check_equal(sched_poll(&port, 1, 1), -XEN_EINVAL);
}

/* A vCPU can poll an unbound port, which may be bound meanwhile. */
TEST(poll_unbound_port, "")
{
    evtchn_port_t port = must_alloc_unbound();

    check_equal(sched_poll(&port, 1, 1), 0);
}

/* Xen checks one port after the other: the first pending or bad one decides. */
TEST(poll_order_of_ports, "polls nokernel")
{
    evtchn_port_t pending = masked_ipi(0), quiet = masked_ipi(0);
    evtchn_port_t pending_first[] = { quiet, pending, ~0u };
    evtchn_port_t bad_first[] = { quiet, ~0u, pending };

    check_equal(evtchn_send(pending), 0);
    check_equal(sched_poll(pending_first, 3, system_time() + POLL_LATE), 0);
    check_equal(sched_poll(bad_first, 3, system_time() + POLL_LATE),
                -XEN_EINVAL);
}

/* The port is bound to @vcpu. */
static void masked_port_wakes(unsigned int vcpu)
{
    unsigned int i;

    pollers[1] = (struct poller){ .port = { masked_ipi(vcpu) }, .nr = 1 };
    for (i = 0; i < 5; i++) {
        poller_start(1);
        check_equal(evtchn_send(pollers[1].port[0]), 0);
        check_woken(1);
        check(port_is_pending(pollers[1].port[0]));
        port_clear_pending(pollers[1].port[0]);
    }
}

TEST(poll_masked_port_wakes, "polls vcpus=2 seconds=60")
{
    masked_port_wakes(1);
}

TEST(poll_masked_port_of_another_vcpu_wakes,
     "polls nokernel vcpus=2 seconds=60")
{
    masked_port_wakes(0);
}

TEST(poll_each_of_several_ports_wakes, "polls nokernel vcpus=2 seconds=60")
{
    unsigned int i;

    pollers[1] = (struct poller){
        .port = { masked_ipi(0), masked_ipi(1), masked_ipi(0) },
        .nr = 3,
    };
    for (i = 0; i < 3; i++) {
        poller_start(1);
        check_equal(evtchn_send(pollers[1].port[i]), 0);
        check_woken(1);
        port_clear_pending(pollers[1].port[i]);
    }
}

/* An upcall ends the sleep, whatever ports the vCPU polls. */
TEST(poll_upcall_wakes, "polls vcpus=2 seconds=60")
{
    evtchn_port_t other = must_bind_ipi(1);

    pollers[1] = (struct poller){ .port = { masked_ipi(1) }, .nr = 1 };
    poller_start(1);
    check_equal(evtchn_send(other), 0);
    check_woken(1);
    check(wait_for(received(other) == 1, 10000));
    check(!port_is_pending(pollers[1].port[0]));
}

TEST(poll_several_vcpus_one_port, "polls nokernel vcpus=3 seconds=60")
{
    evtchn_port_t port = masked_ipi(0);
    unsigned int vcpu;

    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        pollers[vcpu] = (struct poller){ .port = { port }, .nr = 1 };
        poller_start(vcpu);
    }
    check_equal(evtchn_send(port), 0);
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        check_woken(vcpu);
    }
}

/* Each vCPU wakes for its own port only. */
TEST(poll_several_vcpus_own_ports, "polls nokernel vcpus=3 seconds=60")
{
    unsigned int vcpu, other;

    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        pollers[vcpu] = (struct poller){ .port = { masked_ipi(0) }, .nr = 1 };
        poller_start(vcpu);
    }
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        check_equal(evtchn_send(pollers[vcpu].port[0]), 0);
        check_woken(vcpu);
        spin_for(5);
        for (other = vcpu + 1; other < nr_vcpus; other++) {
            check(!pollers[other].ended);
        }
    }
}

#define ROUNDS 2000

static evtchn_port_t ball[2];
static volatile unsigned int lost;
static volatile bool over;

/* Wait for an event on this vCPU's port, and send one back. */
static void play(void *opaque)
{
    unsigned int side = *(unsigned int *)opaque, i;
    uint64_t end = system_time() + 15000000000ull;

    for (i = 0; !over && !lost; i++) {
        uint64_t late = system_time() + POLL_LATE;

        while (!port_is_pending(ball[side])) {
            check_equal(sched_poll(&ball[side], 1, late), 0);
            if (system_time() > late) {
                lost++;
                return;
            }
        }
        port_clear_pending(ball[side]);
        over |= side == 0 && (i == ROUNDS || system_time() > end);
        check_equal(evtchn_send(ball[!side]), 0);
    }
}

/* No wake-up is lost when the event comes just as the vCPU goes to sleep. */
TEST(poll_ping_pong, "vcpus=2 seconds=120")
{
    unsigned int sides[2] = { 0, 1 };

    ball[0] = masked_ipi(0);
    ball[1] = masked_ipi(1);
    lost = 0;
    over = false;
    vcpu_start(1, play, &sides[1]);
    check_equal(evtchn_send(ball[0]), 0);
    play(&sides[0]);
    check(vcpu_join(1, 2 * POLL_LATE / 1000000));
    check_equal(lost, 0);
}
