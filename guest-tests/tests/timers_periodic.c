/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VIRQ_TIMER: periodic.  An event is due a period after the last one, when that came
 * late, too; so there are never more than there were periods.
 */

#include "timer.h"

TEST(timer_periodic_limits, "")
{
    take_timer(0);
    check_equal(timer_periodic(0, 1), -XEN_EINVAL);
    check_equal(timer_periodic(0, MS - 1), -XEN_EINVAL);
    check_equal(timer_periodic(0, 1ull << 62), -XEN_EINVAL);
    check_equal(timer_periodic(0, ~0ull), -XEN_EINVAL);
    check_equal(timer_periodic(0, (1ull << 62) - 1), 0);
    check_equal(timer_periodic(0, MS), 0);
    check_equal(timer_periodic(0, 0), 0);
    check_equal(timer_periodic(0, 0), 0);
}

/* Ticks of @period in about @milliseconds, never more than there is time for. */
static unsigned int ticks_in(uint64_t period, unsigned int milliseconds)
{
    uint64_t start = system_time(), time;
    unsigned int ticks;

    received_clear(timer);
    check_equal(timer_periodic(0, period), 0);
    spin_for(milliseconds);
    check_equal(timer_periodic(0, 0), 0);
    time = system_time() - start;
    spin_for(5);
    ticks = received(timer);
    /* The first may come at once. */
    check(!ticks || (ticks - 1) * period <= time + timer_tolerance());
    return ticks;
}

/*
 * As often as its period says.  A busy machine loses ticks, for who is late makes up
 * for none; but hardly half of them each time.
 */
TEST(timer_periodic_fires, "seconds=60")
{
    static const unsigned int periods[] = { 1, 10, 33 }; /* ms */
    unsigned int i, tries, most;

    take_timer(0);
    for (i = 0; i < 3; i++) {
        unsigned int expected = 330 / periods[i];

        for (tries = most = 0; tries < 20 && most < expected / 2; tries++) {
            unsigned int ticks = ticks_in(periods[i] * MS, 330);

            most = ticks > most ? ticks : most;
        }
        /* An emulated host's interrupts take their time. */
        check(most >= (periods[i] == 1 ? 10 : expected / 2));
    }
}

/*
 * A period counts from the last event, whatever became of the timer meanwhile: when
 * that was longer ago, the first comes at once.
 */
TEST(timer_periodic_first_tick, "seconds=60")
{
    const unsigned int milliseconds = 200;
    const uint64_t period = milliseconds * MS;
    bool was_soon = false;
    unsigned int i;

    take_timer(0);
    for (i = 0; i < 10 && !was_soon; i++) {
        uint64_t last, second;

        spin_for(milliseconds + 1);
        upcalls_disable();
        last = system_time();
        check_equal(timer_periodic(0, period), 0);
        check(port_is_pending(timer));
        upcalls_enable();
        check(wait_for(received(timer) > 0, 5000));
        received_clear(timer);

        upcalls_disable();
        check_equal(timer_periodic(0, 0), 0);
        check_equal(timer_periodic(0, period), 0);
        was_soon = !port_is_pending(timer);
        second = system_time();
        upcalls_enable();
        check(was_soon || second >= last + period);
        if (was_soon) {
            check_fires_at(last + period);
        }
        check_equal(timer_periodic(0, 0), 0);
        received_clear(timer);
    }
    check(was_soon);
}

/* Shorter than the time since then, at once; longer, later. */
TEST(timer_periodic_period_changed, "")
{
    take_timer(0);
    upcalls_disable();
    check_equal(timer_periodic(0, MS), 0);
    check(wait_for(port_is_pending(timer), 5000));
    port_clear_pending(timer);
    check_equal(timer_periodic(0, (1ull << 62) - 1), 0);
    port_clear_pending(timer);
    spin_for(20);
    check(!port_is_pending(timer));
    check_equal(timer_periodic(0, MS), 0);
    check(port_is_pending(timer));
    check_equal(timer_periodic(0, 0), 0);
    upcalls_enable();
}

/* A timer that is stopped just as it fires stays stopped. */
TEST(timer_periodic_stopped, "seconds=60")
{
    unsigned int i, count;

    take_timer(0);
    for (i = 0; i < 300; i++) {
        uint64_t until = system_time() + 900000 + i * 1000;

        check_equal(timer_periodic(0, MS), 0);
        while (system_time() < until) {
            cpu_relax();
        }
        check_equal(timer_periodic(0, 0), 0);
    }
    spin_for(20);
    count = received(timer);
    spin_for(50);
    check_equal(received(timer), count);
}

static void spin_until_three(void *opaque)
{
    check(wait_for(received(timer) >= 3, 20000));
}

/* Another vCPU's periodic timer may be set; it goes while that vCPU does. */
TEST(timer_periodic_of_another_vcpu, "vcpus=2")
{
    take_timer(1);
    vcpu_start(1, spin_until_three, NULL);
    check_equal(timer_periodic(1, 5 * MS), 0);
    check(vcpu_join(1, 30000));
    check_equal(timer_periodic(1, 0), 0);
    check_equal(received_on(timer), 1);
}

/* Both at once, and neither ends the other. */
TEST(timer_periodic_and_singleshot, "")
{
    uint64_t when;

    take_timer(0);
    check_equal(timer_periodic(0, 10 * MS), 0);
    check_equal(timer_singleshot(0, system_time() + MS, 0), 0);
    check(wait_for(received(timer) >= 4, 10000));
    check_equal(timer_stop_singleshot(0), 0);
    check_equal(timer_periodic(0, 0), 0);
    spin_for(20);
    received_clear(timer);
    when = system_time() + 40 * MS;
    check_equal(timer_singleshot(0, when, 0), 0);
    check_fires_at(when);
}

/* An event that nobody has taken yet stays one. */
TEST(timer_events_merge, "")
{
    take_timer(0);
    upcalls_disable();
    check_equal(timer_periodic(0, MS), 0);
    check(wait_for(port_is_pending(timer), 10000));
    spin_for(20);
    check_equal(timer_periodic(0, 0), 0);
    upcalls_enable();
    check(wait_for(received(timer) == 1, 5000));
    spin_for(5);
    check(received(timer) <= 2);
}
