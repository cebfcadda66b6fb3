/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wait for a lock whose holder sleeps must not take a processor meanwhile. */

#include "qemu/osdep.h"
#include "qemu/timer.h"

#include "hw/xen-evtchn/qemu/relax.h"

static void test_long_wait(void)
{
    const int64_t wait_us = 300000;
    int64_t end = g_get_monotonic_time() + wait_us;
    unsigned int spins = 0;

    while (g_get_monotonic_time() < end) {
        xen_evtchn_relax(spins++);
    }
    g_assert_cmpuint(spins, >, SPINS_BEFORE_SLEEP);
    g_assert_cmpuint(spins, <=, SPINS_BEFORE_SLEEP + wait_us / SLEEP_US + 1);
}

/* One that has not got as far does not sleep: most locks are free by then. */
static void test_short_wait(void)
{
    int64_t shortest = INT64_MAX;
    unsigned int tries, spins;

    for (tries = 0; tries < 100; tries++) {
        int64_t start = get_clock();

        for (spins = 0; spins < SPINS_BEFORE_YIELD; spins++) {
            xen_evtchn_relax(spins);
        }
        shortest = MIN(shortest, get_clock() - start);
    }
    g_assert_cmpint(shortest, <, SLEEP_US * SCALE_US);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xen-evtchn/relax/long", test_long_wait);
    g_test_add_func("/xen-evtchn/relax/short", test_short_wait);
    return g_test_run();
}
