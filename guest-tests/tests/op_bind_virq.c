/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_bind_virq. */

#include "ports.h"

static bool is_of_one_vcpu(unsigned int virq)
{
    return virq == VIRQ_TIMER || virq == VIRQ_DEBUG || virq == VIRQ_XENOPROF ||
           virq == VIRQ_XENPMU;
}

TEST(bind_virq_of_each_number, "")
{
    struct evtchn_status status;
    unsigned int virq;

    for (virq = 0; virq < NR_VIRQS; virq++) {
        evtchn_port_t port, second;
        unsigned int open;

        check_equal(evtchn_bind_virq(virq, 0, &port), 0);
        check_equal(evtchn_status(DOMID_SELF, port, &status), 0);
        check_equal(status.status, EVTCHNSTAT_virq);
        check_equal(status.u.virq, virq);
        check_equal(status.vcpu, 0);

        open = nr_open_ports();
        check_equal(evtchn_bind_virq(virq, 0, &second), -XEN_EEXIST);
        check_equal(nr_open_ports(), open);

        check_equal(evtchn_close(port), 0);
        check_equal(evtchn_bind_virq(virq, 0, &second), 0);
        check_equal(second, port);
    }
}

TEST(bind_virq_bad_numbers, "")
{
    static const uint32_t numbers[] = {
        NR_VIRQS, NR_VIRQS + 1, 32, 64, 0x7fffffff, 0x80000000, 0xffffffff,
    };
    unsigned int open = nr_open_ports(), i;
    evtchn_port_t port;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        check_equal(evtchn_bind_virq(numbers[i], 0, &port), -XEN_EINVAL);
        check_equal(evtchn_bind_virq(numbers[i], VCPU_NONE, &port),
                    -XEN_EINVAL);
    }
    check_equal(nr_open_ports(), open);
}

/* A global VIRQ is bound at vCPU 0 only, whether the other exists or not. */
TEST(bind_virq_at_other_vcpus, "vcpus=2")
{
    unsigned int virq;
    evtchn_port_t port;

    for (virq = 0; virq < NR_VIRQS; virq++) {
        bool one = is_of_one_vcpu(virq);

        check_equal(evtchn_bind_virq(virq, 1, &port), one ? 0 : -XEN_EINVAL);
        if (one) {
            check_equal(port_vcpu(port), 1);
            check_equal(evtchn_bind_virq(virq, 1, &port), -XEN_EEXIST);
            check_equal(evtchn_bind_virq(virq, 0, &port), 0);
            check_equal(port_vcpu(port), 0);
        }
    }
}

TEST(bind_virq_at_no_vcpu, "")
{
    const uint32_t vcpus[] = {
        VCPU_NONE, 0x2000, 0x7fffffff, 0x80000000, 0xffffffff,
    };
    unsigned int open = nr_open_ports(), virq, i;
    evtchn_port_t port;

    for (i = 0; i < sizeof(vcpus) / sizeof(vcpus[0]); i++) {
        for (virq = 0; virq < NR_VIRQS; virq++) {
            check_equal(evtchn_bind_virq(virq, vcpus[i], &port),
                        is_of_one_vcpu(virq) ? -XEN_ENOENT : -XEN_EINVAL);
        }
    }
    check_equal(nr_open_ports(), open);
}

/* It counts as vCPU 0's, also after bind_vcpu has moved its port. */
TEST(bind_virq_global_that_has_moved, "vcpus=2")
{
    evtchn_port_t port = must_bind_virq(VIRQ_CONSOLE, 0), second;

    check_equal(evtchn_bind_vcpu(port, 1), 0);
    check_equal(port_vcpu(port), 1);
    check_equal(evtchn_bind_virq(VIRQ_CONSOLE, 0, &second), -XEN_EEXIST);
    check_equal(evtchn_close(port), 0);
    check_equal(evtchn_bind_virq(VIRQ_CONSOLE, 0, &second), 0);
    check_equal(second, port);
    check_equal(port_vcpu(second), 0);
}
