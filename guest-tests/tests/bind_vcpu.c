/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_bind_vcpu while events are on their way. */

#include "guest.h"

/* Fewer if time runs out: on one thread each takes two switches of vCPU. */
#define ROUNDS 2000
#define TIME 10000000000ull

static evtchn_port_t port[2];
static volatile unsigned int sent;

TEST(bind_vcpu_next_event_goes_there, "vcpus=2")
{
    unsigned int vcpu;

    must_bind_loopback(port);
    for (vcpu = nr_vcpus; vcpu-- > 0;) {
        check_equal(evtchn_bind_vcpu(port[1], vcpu), 0);
        received_clear(port[1]);
        check_equal(evtchn_send(port[0]), 0);
        check(wait_for(received(port[1]) == 1, 10000));
        check_equal(received_on(port[1]), vcpu);
    }
}

/* An event that is masked goes to the port's vCPU at the time of unmasking. */
TEST(bind_vcpu_masked_pending, "vcpus=2")
{
    must_bind_loopback(port);
    port_mask(port[1]);
    check_equal(evtchn_send(port[0]), 0);
    check_equal(evtchn_bind_vcpu(port[1], 1), 0);
    check_equal(evtchn_unmask(port[1]), 0);
    check(wait_for(received(port[1]) == 1, 10000));
    check_equal(received_on(port[1]), 1);
}

/* An event raised before the port moves is taken once, on the old vCPU. */
TEST(bind_vcpu_raised, "vcpus=2")
{
    must_bind_loopback(port);
    upcalls_disable();
    check_equal(evtchn_send(port[0]), 0);
    check_equal(evtchn_bind_vcpu(port[1], 1), 0);
    check_equal(evtchn_send(port[0]), 0);
    spin_for(10);
    check_equal(received(port[1]), 0);
    upcalls_enable();
    check(wait_for(received(port[1]) == 1, 10000));
    check_equal(received_on(port[1]), 0);
    check_equal(evtchn_send(port[0]), 0);
    check(wait_for(received(port[1]) == 2, 10000));
    check_equal(received_on(port[1]), 1);
}

static void send_when_taken(void *opaque)
{
    uint64_t end = system_time() + TIME;

    while (sent < ROUNDS && system_time() < end) {
        sent++;
        if (!check_equal(evtchn_send(port[0]), 0) ||
            !check(wait_for(received(port[1]) == sent, 20000))) {
            return;
        }
    }
}

/* Every event comes once, while the port moves from vCPU to vCPU. */
TEST(bind_vcpu_while_events_fly, "vcpus=2 seconds=120")
{
    unsigned int moves = 0;

    must_bind_loopback(port);
    sent = 0;
    vcpu_start(1, send_when_taken, NULL);
    while (!vcpu_join(1, 0)) {
        check_equal(evtchn_bind_vcpu(port[1], moves++ % nr_vcpus), 0);
    }
    check_equal(received(port[1]), sent);
    check(!port_is_pending(port[1]));
}

static void move_around(void *opaque)
{
    unsigned int i;

    for (i = 0; i < ROUNDS; i++) {
        check_equal(evtchn_bind_vcpu(port[1], i % nr_vcpus), 0);
    }
    sent = 1;
}

/*
 * In a storm of events the last one is not lost, and there are no more than
 * sends.
 */
TEST(bind_vcpu_under_a_storm, "vcpus=2 seconds=120")
{
    unsigned int sends = 0, count;

    must_bind_loopback(port);
    sent = 0;
    vcpu_start(1, move_around, NULL);
    while (!sent) {
        check_equal(evtchn_send(port[0]), 0);
        sends++;
    }
    check(vcpu_join(1, 10000));
    check_equal(evtchn_send(port[0]), 0);
    sends++;
    check(wait_for(!port_is_pending(port[1]), 20000));
    spin_for(10);
    count = received(port[1]);
    check(count > 0 && count <= sends);
}
