/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_event_channel_op_compat, as PV guests of Xen 2 and 3.0 called it. */

#include "ports.h"

static int compat_op(struct evtchn_op *op)
{
    return hypercall(__HYPERVISOR_event_channel_op_compat, (unsigned long)op, 0,
                     0, 0, 0);
}

TEST(compat_of_an_hvm_guest, "hvm pvh")
{
    struct evtchn_op op = { .cmd = EVTCHNOP_bind_ipi };
    unsigned int open = nr_open_ports();

    check_equal(compat_op(&op), -XEN_ENOSYS);
    check_equal(nr_open_ports(), open);
}

/* Not with xen-shim, which handles these with port numbers of its own. */
TEST(compat_of_a_pv_guest, "pv noshim")
{
    struct evtchn_op op = { .cmd = EVTCHNOP_bind_ipi };
    evtchn_port_t port;

    require(compat_op(&op) == 0);
    port = op.u.bind_ipi.port;
    check_equal(port_status(port), EVTCHNSTAT_ipi);
    port_unmask(port);
    op = (struct evtchn_op){ .cmd = EVTCHNOP_send, .u.send.port = port };
    check_equal(compat_op(&op), 0);
    check(wait_for(received(port) == 1, 1000));
    op = (struct evtchn_op){ .cmd = EVTCHNOP_close, .u.close.port = port };
    check_equal(compat_op(&op), 0);
    check_equal(port_status(port), EVTCHNSTAT_closed);
    check_equal(compat_op(&op), -XEN_EINVAL);
}

/* This hypercall does not have the operations that Xen added later. */
TEST(compat_of_later_operations, "pv noshim")
{
    static const unsigned int later[] = {
        EVTCHNOP_reset,
        EVTCHNOP_init_control,
        EVTCHNOP_expand_array,
        EVTCHNOP_set_priority,
        14,
        0xffffffff,
    };
    unsigned int open = nr_open_ports(), i;

    for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        struct evtchn_op op = { .cmd = later[i] };

        check_equal(compat_op(&op), -XEN_ENOSYS);
    }
    check_equal(compat_op((void *)0x0000700000000000), -XEN_EFAULT);
    check_equal(nr_open_ports(), open);
}
