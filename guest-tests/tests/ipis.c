/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPIs between all vCPUs, all at once. */

#include "guest.h"

#define ROUNDS 300

static evtchn_port_t from_to[MAX_VCPUS][MAX_VCPUS];
static volatile unsigned int ready, sends;

static void bind_all(void)
{
    unsigned int from, to;

    ready = 0;
    sends = 0;
    for (from = 0; from < nr_vcpus; from++) {
        for (to = 0; to < nr_vcpus; to++) {
            from_to[from][to] = must_bind_ipi(to);
        }
    }
}

static void meet_others(void)
{
    __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
    check(wait_for(ready == nr_vcpus, 20000));
}

static void run_on_all(void (*function)(void *opaque))
{
    unsigned int vcpu;

    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        vcpu_start(vcpu, function, NULL);
    }
    function(NULL);
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        check(vcpu_join(vcpu, 60000));
    }
}

/* Each vCPU waits until its last IPI has arrived before it sends the next. */
static void send_in_turn(void *opaque)
{
    unsigned int from = this_vcpu(), to, i;
    uint64_t end;

    meet_others();
    end = system_time() + 10000000000ull;
    for (i = 1; i <= ROUNDS && system_time() < end; i++) {
        for (to = 0; to < nr_vcpus; to++) {
            evtchn_port_t port = from_to[from][to];

            if (!check_equal(evtchn_send(port), 0) ||
                !check(wait_for(received(port) == i, 20000)) ||
                !check_equal(received_on(port), to)) {
                return;
            }
            __atomic_fetch_add(&sends, 1, __ATOMIC_SEQ_CST);
        }
    }
}

TEST(ipi_each_arrives, "vcpus=2 seconds=120")
{
    bind_all();
    run_on_all(send_in_turn);
    check_equal(received_in_all(), sends);
}

static void send_at_once(void *opaque)
{
    unsigned int from = this_vcpu(), to, i;

    meet_others();
    for (i = 0; i < ROUNDS; i++) {
        for (to = 0; to < nr_vcpus; to++) {
            check_equal(evtchn_send(from_to[from][to]), 0);
        }
    }
}

/* Events may merge, but each port's event after the last send is taken. */
TEST(ipi_storm, "vcpus=2 seconds=120")
{
    unsigned int from, to;

    bind_all();
    run_on_all(send_at_once);
    for (from = 0; from < nr_vcpus; from++) {
        for (to = 0; to < nr_vcpus; to++) {
            evtchn_port_t port = from_to[from][to];

            check(
                wait_for(!port_is_pending(port) && received(port) > 0, 20000));
            check(received(port) <= ROUNDS);
            check_equal(received_on(port), to);
        }
    }
}

static evtchn_port_t common;

static void send_common(void *opaque)
{
    unsigned int i;

    meet_others();
    for (i = 0; i < ROUNDS; i++) {
        __atomic_fetch_add(&sends, 1, __ATOMIC_SEQ_CST);
        check_equal(evtchn_send(common), 0);
    }
}

static void see_nothing_left(void *opaque)
{
    check(!port_is_pending(common));
}

/* All vCPUs raise one port: no more events than sends, none after the last. */
TEST(ipi_one_port_by_all, "vcpus=2 seconds=120")
{
    unsigned int count;

    ready = 0;
    sends = 0;
    common = must_bind_ipi(nr_vcpus - 1);
    run_on_all(send_common);
    check(wait_for(!port_is_pending(common), 20000));
    /* The vCPU that takes them is out of its upcall. */
    run_on_all(see_nothing_left);
    count = received(common);
    check(count > 0 && count <= sends);
    check_equal(evtchn_send(common), 0);
    check(wait_for(received(common) == count + 1, 10000));
}
