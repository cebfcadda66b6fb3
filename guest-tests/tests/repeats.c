/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thing again and again, as often as the word times=N says: none is lost, and
 * scripts/measure-pv --exits divides by N what it costs the host.
 */

#include "timer.h"

static unsigned int times(void)
{
    return command_line_number("times", 20);
}

TEST(repeats_of_hypercall, "")
{
    unsigned int i, failed = 0;
    long version = HYPERVISOR_xen_version(XENVER_version, NULL);

    check(version > 0);
    for (i = times(); i > 0; i--) {
        failed += HYPERVISOR_xen_version(XENVER_version, NULL) != version;
    }
    check_equal(failed, 0);
}

TEST(repeats_of_ipi_to_self, "seconds=60")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int i;

    for (i = 1; i <= times(); i++) {
        require(evtchn_send(port) == 0);
        require(wait_for(received(port) == i, 1000));
    }
}

static void stay_busy(void *opaque)
{
    volatile bool *stop = opaque;

    while (!*stop) {
        cpu_relax();
    }
}

TEST(repeats_of_ipi, "vcpus=2 seconds=60")
{
    evtchn_port_t port = must_bind_ipi(1);
    volatile bool stop = false;
    unsigned int i;

    vcpu_start(1, stay_busy, (void *)&stop);
    for (i = 1; i <= times(); i++) {
        require(evtchn_send(port) == 0);
        require(wait_for(received(port) == i, 1000));
    }
    check_equal(received_on(port), 1);
    stop = true;
    check(vcpu_join(1, 5000));
}

/* Each has the hypervisor raise an event that came while the port was masked. */
TEST(repeats_of_unmask, "seconds=60")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int i;

    for (i = 1; i <= times(); i++) {
        port_mask(port);
        require(evtchn_send(port) == 0);
        require(evtchn_unmask(port) == 0);
        require(wait_for(received(port) == i, 1000));
    }
}

/* A timer that is set, and that fires while the vCPU runs. */
TEST(repeats_of_timer, "seconds=60")
{
    unsigned int i;

    take_timer(0);
    for (i = 1; i <= times(); i++) {
        require(timer_singleshot(0, system_time() + MS / 4, 0) == 0);
        require(wait_for(received(timer) == i, 1000));
    }
}
