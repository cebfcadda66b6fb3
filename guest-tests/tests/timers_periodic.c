/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VIRQ_TIMER: periodic.  An event is due a period after the last one, even if
 * that was late, so there are never more events than periods.
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

/* Count the ticks of @period in about @milliseconds; none may be early. */
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
    /* The first tick may come at once. */
    check(!ticks || (ticks - 1) * period <= time + timer_tolerance());
    return ticks;
}

/*
 * The timer fires once a period.  On a busy machine ticks are lost, as a late
 * timer does not make up for them, but hardly half of them in each try.
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
        /* An emulated host is slow. */
        check(most >= (periods[i] == 1 ? 10 : expected / 2));
    }
}

/*
 * A period counts from the timer's last event, even if it was stopped
 * meanwhile: if that is longer ago than a period, the first tick comes at once.
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

/* A new period also counts from the last event: a short one fires at once. */
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

/* A vCPU may set another's periodic timer, which runs while that vCPU does. */
TEST(timer_periodic_of_another_vcpu, "vcpus=2")
{
    take_timer(1);
    vcpu_start(1, spin_until_three, NULL);
    check_equal(timer_periodic(1, 5 * MS), 0);
    check(vcpu_join(1, 30000));
    check_equal(timer_periodic(1, 0), 0);
    check_equal(received_on(timer), 1);
}

/* Both timers of a vCPU run at once, and neither stops the other. */
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

/* Ticks merge while the guest does not take the event. */
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
