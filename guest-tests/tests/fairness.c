/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port that other vCPUs raise as fast as they can must not keep the vCPU from
 * other ports' events.  The tests fail only if a port starves; they also print
 * how late the timer's event is.
 */

#include "guest.h"

#define ROUNDS 30 /* fewer if time runs out */
#define TIME 5000000000ull
#define STARVED 20000 /* ms */
#define MS 1000000ull

static evtchn_port_t storm;
static volatile bool stop;

static void raise_storm(void *opaque)
{
    while (!stop) {
        evtchn_send(storm);
    }
}

static void start_storm(void)
{
    unsigned int vcpu;

    stop = false;
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        vcpu_start(vcpu, raise_storm, NULL);
    }
    check(wait_for(received(storm) > 1, STARVED));
}

static void stop_storm(void)
{
    unsigned int vcpu;

    stop = true;
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        check(vcpu_join(vcpu, STARVED));
    }
}

/* The port gets its events, and the storm goes on between two of them. */
static void check_not_starved(evtchn_port_t port)
{
    uint64_t end = system_time() + TIME;
    unsigned int i;

    for (i = 1; i <= ROUNDS && (i <= 2 || system_time() < end); i++) {
        unsigned int before = received(storm);

        check_equal(evtchn_send(port), 0);
        if (!check(wait_for(received(port) == i, STARVED)) ||
            !check(wait_for(received(storm) > before, STARVED))) {
            break;
        }
    }
}

/* Ports before and after the storm's port, in its word and in others. */
TEST(fairness_of_ports, "vcpus=2 seconds=120")
{
    evtchn_port_t before = must_bind_ipi(0), next, far = 0;
    unsigned int i;

    storm = must_bind_ipi(0);
    next = must_bind_ipi(0);
    for (i = 0; i < 2 * WORD_BITS; i++) {
        far = must_bind_ipi(0);
    }
    start_storm();
    check_not_starved(before);
    check_not_starved(next);
    check_not_starved(far);
    stop_storm();
}

/* Ports under other bits of L1, before the storm's bit and after it. */
TEST(fairness_of_l1_bits, "3l vcpus=2 seconds=120")
{
    evtchn_port_t first = must_bind_ipi(0), last, port;

    do {
        require(evtchn_bind_ipi(0, &port) == 0);
    } while (port < first + WORD_BITS * WORD_BITS);
    storm = must_bind_ipi(0);
    do {
        require(evtchn_bind_ipi(0, &port) == 0);
    } while (port < storm + WORD_BITS * WORD_BITS);
    last = must_bind_ipi(0);
    start_storm();
    check_not_starved(first);
    check_not_starved(last);
    stop_storm();
}

static evtchn_port_t timer;
static uint64_t deadline;
static volatile uint32_t latency; /* ns */

static void note_latency(evtchn_port_t port)
{
    uint64_t now = system_time();

    if (port == timer) {
        latency = now <= deadline             ? 0 :
                  now - deadline > UINT32_MAX ? UINT32_MAX :
                                                now - deadline;
    }
}

static void time_timer(const char *priority)
{
    uint64_t end = system_time() + TIME;
    uint32_t times[ROUNDS];
    unsigned int i, k;

    event_hook = note_latency;
    for (i = 0; i < ROUNDS && (i < 3 || system_time() < end); i++) {
        uint32_t time;

        received_clear(timer);
        deadline = system_time() + 2 * MS;
        check_equal(timer_singleshot(0, deadline, 0), 0);
        check(wait_for(received(timer) == 1, STARVED));
        time = latency;
        for (k = i; k > 0 && times[k - 1] > time; k--) {
            times[k] = times[k - 1];
        }
        times[k] = time;
    }
    event_hook = NULL;
    test_note("timer latency under a storm: abi %s, priority %s, "
              "median %u us, most %u us",
              guest_abi == ABI_FIFO ? "fifo" :
              guest_abi == ABI_3L   ? "3l" :
                                      "2l",
              priority, times[i / 2] / 1000, times[i - 1] / 1000);
}

TEST(fairness_timer_under_a_storm, "vcpus=2 seconds=120")
{
    timer = must_bind_virq(VIRQ_TIMER, 0);
    storm = must_bind_ipi(0);
    timer_periodic(0, 0);
    start_storm();
    time_timer(guest_abi == ABI_FIFO ? "default" : "none");
    if (guest_abi == ABI_FIFO) {
        check_equal(evtchn_set_priority(timer, EVTCHN_FIFO_PRIORITY_MAX), 0);
        time_timer("highest");
    }
    stop_storm();
}

/* A storm of higher priority is taken first, but must not starve the rest. */
TEST(fairness_of_priorities, "fifo vcpus=2 seconds=120")
{
    evtchn_port_t port = must_bind_ipi(0);

    storm = must_bind_ipi(0);
    check_equal(evtchn_set_priority(port, EVTCHN_FIFO_PRIORITY_MAX), 0);
    check_equal(evtchn_set_priority(storm, EVTCHN_FIFO_PRIORITY_MIN), 0);
    start_storm();
    check_not_starved(port);
    stop_storm();
    /* The vCPU takes the storm's own event in the end, too. */
    check(wait_for(!port_is_pending(storm), STARVED));
}
