/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports that come and go, most of them with FIFO. */

#include "scenarios.h"

const struct il_scenario il_scenarios_binding[] = {
    /* Closed, and bound again ------------------------------------------ */
    {
        .name = "fifo-close-reuse",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .ipis = 1 << 1, .may_fail = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_CLOSE, 1 }, { IL_REBIND } },
        },
    },
    {
        .name = "fifo-close-reuse-vcpu",
        .vcpus = 2, .ports = 1, .fifo = true, .warm = true, .consumers = 3,
        .ipis = 1 << 1, .may_fail = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND, 0, 1 }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "fifo-close-reuse-more",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .ipis = 1 << 1, .may_fail = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "fifo-close-interdomain",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .may_fail = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "fifo-close-interdomain-more",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .may_fail = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "fifo-close-both-ends",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .may_fail = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE, 1 } },
            { { IL_CLOSE_PEER, 1 } },
        },
    },
    {
        .name = "fifo-close-peer-reuse",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .may_fail = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE_PEER, 1 }, { IL_CLOSE, 1 }, { IL_REBIND },
              { IL_SEND_NEW } },
        },
    },
    {
        .name = "fifo-close-tail",
        .vcpus = 1, .ports = 3, .fifo = true, .warm = true, .consumers = 1,
        .ipis = 1 << 1 | 1 << 3, .may_fail = true,
        .script = {
            { { IL_SEND, 1 }, { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
            { { IL_SEND, 2 }, { IL_SEND, 3 } },
        },
    },
    {
        .name = "fifo-close-rebind-peer",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND_PEER }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "fifo-close-rebind-other-peer",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .two_peers = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND_PEER, 0, 1 }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "fifo-close-both-ends-reuse",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .may_fail = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
            { { IL_CLOSE_PEER, 1 } },
        },
    },
    {
        .name = "fifo-close-send-back",
        .vcpus = 1, .ports = 1, .fifo = true, .may_fail = true,
        .script = {
            { { IL_SEND_BACK, 1 } },
            { { IL_CLOSE_PEER, 1 } },
            { { IL_CLOSE, 1 } },
        },
    },
    {
        .name = "fifo-peer-binds-another",
        .vcpus = 1, .ports = 2, .fifo = true, .unbound = 1 << 2,
        .consumers = 1, .may_fail = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE_PEER, 1 }, { IL_BIND_PEER, 2 }, { IL_SEND, 2 } },
        },
    },
    {
        .name = "fifo-bind",
        .vcpus = 1, .fifo = true, .waiting = 1 << 1, .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_BIND, 1 } },
        },
    },
    {
        .name = "fifo-close-priority",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .may_fail = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND_PEER } },
            { { IL_PRIORITY, 1, 3 }, { IL_PRIORITY, 1, 7 } },
        },
    },
    {
        .name = "fifo-virq-close-reuse",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .virqs = 1 << 1,
        .consumers = 1, .may_fail = true,
        .script = {
            { { IL_RAISE_VIRQ, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "fifo-virq-move",
        .vcpus = 2, .ports = 1, .fifo = true, .warm = true, .virqs = 1 << 1,
        .consumers = 3,
        .script = {
            { { IL_RAISE_VIRQ, 1 }, { IL_RAISE_VIRQ, 1 } },
            { { IL_MOVE, 1, 1 } },
        },
    },

    /* Unbound ---------------------------------------------------------- */
    {
        .name = "fifo-unbound-unmask",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1,
        .unbound = 1 << 1, .masked = 1 << 1,
        .script = {
            { { IL_BIND_PEER, 1 }, { IL_SEND, 1 } },
            { { IL_UNMASK, 1 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "fifo-unbound-move",
        .vcpus = 2, .ports = 1, .fifo = true, .consumers = 3,
        .unbound = 1 << 1,
        .script = {
            { { IL_BIND_PEER, 1 }, { IL_SEND, 1 } },
            { { IL_BIND_VCPU, 1, 1 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "fifo-unbound-priority",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1,
        .unbound = 1 << 1,
        .script = {
            { { IL_BIND_PEER, 1 }, { IL_SEND, 1 } },
            { { IL_PRIORITY, 1, 3 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "fifo-unbound-close",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1,
        .unbound = 1 << 1, .may_fail = true,
        .script = {
            { { IL_BIND_PEER, 1 }, { IL_SEND, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "fifo-unbound-close-raise",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1,
        .unbound = 1 << 1, .may_fail = true,
        .script = {
            { { IL_RAISE, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "fifo-unbound-close-unmask",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1,
        .unbound = 1 << 1, .masked = 1 << 1, .may_fail = true,
        .script = {
            { { IL_UNMASK_OP, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
        },
    },

    /* A domain that is destroyed --------------------------------------- */
    {
        .name = "destroy-2l",
        .vcpus = 1, .ports = 1, .destroys = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_DESTROY } },
        },
    },
    {
        .name = "destroy-fifo",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .destroys = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_DESTROY } },
        },
    },
    {
        .name = "destroy-3l",
        .vcpus = 1, .ports = 1, .three_level = true, .word32 = true,
        .destroys = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_DESTROY } },
        },
    },
    {
        .name = "destroy-two-senders",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .destroys = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_DESTROY } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "destroy-closed-by-peer",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .destroys = true,
        .may_fail = true,
        .script = {
            { { IL_CLOSE_PEER, 1 } },
            { { IL_DESTROY } },
            { { IL_SEND, 1 } },
        },
    },
    {
        .name = "destroy-bound-by-peer",
        .vcpus = 1, .ports = 1, .fifo = true, .unbound = 1 << 1,
        .destroys = true, .may_fail = true,
        .script = {
            { { IL_BIND_PEER, 1 }, { IL_SEND, 1 } },
            { { IL_DESTROY } },
        },
    },

    /* Reset ------------------------------------------------------------ */
    {
        .name = "reset-2l",
        .vcpus = 1, .ports = 2, .ipis = 1 << 2, .may_fail = true,
        .unbound_at_end = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_RESET } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "reset-fifo",
        .vcpus = 1, .ports = 2, .fifo = true, .ipis = 1 << 2,
        .masked = 1 << 1, .may_fail = true, .unbound_at_end = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_RESET } },
            { { IL_UNMASK_OP, 1 }, { IL_PRIORITY, 2, 3 } },
        },
    },
    {
        .name = "reset-fifo-peer",
        .vcpus = 1, .ports = 1, .fifo = true, .may_fail = true,
        .unbound_at_end = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_RESET } },
            { { IL_CLOSE_PEER, 1 } },
        },
    },
    {
        .name = "reset-3l",
        .vcpus = 1, .ports = 2, .three_level = true, .word32 = true,
        .ipis = 1 << 2, .masked = 1 << 1, .may_fail = true,
        .unbound_at_end = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_RESET } },
            { { IL_UNMASK_OP, 1 } },
        },
    },
    {
        .name = "reset-3l-peer",
        .vcpus = 1, .ports = 1, .three_level = true, .word32 = true,
        .may_fail = true, .unbound_at_end = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_RESET } },
            { { IL_CLOSE_PEER, 1 } },
        },
    },
    {
        .name = "reset-move",
        .vcpus = 2, .ports = 1, .fifo = true, .may_fail = true,
        .unbound_at_end = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_RESET } },
            { { IL_BIND_VCPU, 1, 1 } },
        },
    },
    { .name = NULL }
};
