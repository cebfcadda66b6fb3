/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all other tests take for granted. */

#include "guest.h"

TEST(boot_clock_runs, "")
{
    uint64_t start = system_time();

    check(wait_for(system_time() > start, 1000));
}

TEST(boot_ipi_to_self, "")
{
    evtchn_port_t port = must_bind_ipi(0);

    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 1000));
    check_equal(received_on(port), 0);
    check(!port_is_pending(port));
}

static void ask_vcpu(void *opaque)
{
    *(volatile unsigned int *)opaque = this_vcpu();
}

TEST(boot_every_vcpu_runs, "vcpus=2")
{
    unsigned int vcpu;

    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        unsigned int it_is = 0;

        vcpu_start(vcpu, ask_vcpu, &it_is);
        check(vcpu_join(vcpu, 5000));
        check_equal(it_is, vcpu);
    }
}
