/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Known numbers of events: between two vCPUs, of which each waits for the other's
 * last one, so that each event has to interrupt a vCPU; and with a disk's back end.
 * scripts/event-traffic compares them with what QEMU has counted.
 */

#include "blkif_ring.h"

#define EVENTS 300

static evtchn_port_t to_1, to_0;
static unsigned int events;

static void answer(void *opaque)
{
    unsigned int i;

    for (i = 1; i <= events; i++) {
        if (!check(wait_for(received(to_1) == i, 20000))) {
            return;
        }
        check_equal(evtchn_send(to_0), 0);
    }
}

TEST(traffic_of_vcpus, "vcpus=2 seconds=60")
{
    unsigned int i;

    events = command_line_number("events", EVENTS);
    to_1 = must_bind_ipi(1);
    to_0 = must_bind_ipi(0);
    vcpu_start(1, answer, NULL);
    for (i = 1; i <= events; i++) {
        check_equal(evtchn_send(to_1), 0);
        if (!check(wait_for(received(to_0) == i, 20000))) {
            break;
        }
    }
    check(vcpu_join(1, 30000));
    check_equal(received_on(to_1), 1);
    check_equal(received_on(to_0), 0);
}

/*
 * Requests, each of which is answered by an event, and as many events that say nothing
 * new.  With duration=MS it goes on for so long, with a sleep after each request.
 */
TEST(traffic_of_disk, "hvm pvh disks=1 tcg alone seconds=60")
{
    uint64_t start = system_time();
    uint64_t end = start + command_line_number("duration", 0) * 1000000;
    evtchn_port_t asleep = must_alloc_unbound();
    blkif_request_t request = { .operation = BLKIF_OP_FLUSH_DISKCACHE };
    struct blkif_ring ring;
    blkif_response_t response;
    struct front_end disk;
    unsigned int i, before;

    events = command_line_number("events", EVENTS);
    require(front_end_find(&disk, "vbd", 0));
    require(blkif_connect(&disk, &ring, 1, 0));
    port_unmask(ring.port);
    for (i = 0; i < events || system_time() < end; i++) {
        before = received(ring.port);
        __atomic_store_n(&ring.shared->rsp_event, ring.responses + 1,
                         __ATOMIC_SEQ_CST);
        blkif_put(&ring, &request);
        blkif_push(&ring);
        require(blkif_take(&ring, &response));
        check_equal(response.status, BLKIF_RSP_OKAY);
        require(wait_for(received(ring.port) != before, 10000));
        check_equal(evtchn_send(ring.port), 0);
        if (end != start) {
            sched_poll(&asleep, 1, system_time() + 3000000);
        }
    }
}
