/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCHEDOP_poll: an argument, or ports, that Xen cannot read. */

#include "poller.h"

/* Not mapped; or, where all of 4 GiB is mapped, no memory. */
#ifdef __x86_64__
#define NOWHERE 0x700000000000
#else
#define NOWHERE 0xe0000000
#endif

TEST(poll_unreadable_ports, "polls")
{
    void *nowhere = (void *)NOWHERE;

    check_equal(sched_poll(nowhere, 1, 1), -XEN_EFAULT);
    check_equal(HYPERVISOR_sched_op(SCHEDOP_poll, nowhere), -XEN_EFAULT);
}

/* Xen does not read the ports if there are too many, or none. */
TEST(poll_unreadable_ports_that_are_not_read, "polls nokernel")
{
    check_equal(sched_poll((void *)NOWHERE, 129, 1), -XEN_EINVAL);
    check_equal(sched_poll((void *)NOWHERE, 0, 1), 0);
}

/* The number of the last page that Xen can read. */
static uintptr_t last_readable_page(void)
{
    static evtchn_port_t here;
    uintptr_t low = (uintptr_t)&here / PAGE_SIZE, high = NOWHERE / PAGE_SIZE;

    while (high - low > 1) {
        uintptr_t middle = low + (high - low) / 2;
        void *ports = (void *)(middle * PAGE_SIZE);

        if (sched_poll(ports, 1, 1) == -XEN_EFAULT) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

/* Xen reads ports one by one: it does not read those after a pending one. */
TEST(poll_second_port_unreadable, "polls nokernel")
{
    evtchn_port_t *ports =
        (evtchn_port_t *)((last_readable_page() + 1) * PAGE_SIZE);
    evtchn_port_t port = masked_ipi(0), before = *--ports;

    *ports = port;
    check_equal(sched_poll(ports, 1, 1), 0);
    check_equal(sched_poll(ports, 2, 1), -XEN_EFAULT);
    *ports = ~0u;
    check_equal(sched_poll(ports, 2, 1), -XEN_EINVAL);
    *ports = port;
    check_equal(evtchn_send(port), 0);
    check_equal(sched_poll(ports, 2, system_time() + POLL_LATE), 0);
    *ports = before;
}
