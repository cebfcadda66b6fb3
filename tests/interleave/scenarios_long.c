/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hostile guest; and what takes too long for every day. */

#include "scenarios.h"

const struct il_scenario il_scenarios_long[] = {
    /* A guest that writes what it likes -------------------------------- */
    {
        .name = "hostile-2l",
        .vcpus = 1, .ports = 1, .hostile = 3,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND_OTHER } },
            { { IL_UNMASK_OP, 1 } },
        },
    },
    {
        .name = "hostile-3l",
        .vcpus = 1, .ports = 1, .three_level = true, .word32 = true,
        .hostile = 3,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND_OTHER } },
            { { IL_UNMASK_OP, 1 } },
        },
    },
    {
        .name = "hostile-fifo",
        .vcpus = 1, .ports = 2, .fifo = true, .hostile = 2,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND_OTHER } },
        },
    },
    {
        .name = "hostile-fifo-unmask",
        .vcpus = 1, .ports = 2, .fifo = true, .hostile = 2, .masked = 1 << 1,
        .script = {
            { { IL_SEND, 2 }, { IL_SEND_OTHER } },
            { { IL_UNMASK_OP, 1 } },
        },
    },
    {
        .name = "hostile-fifo-move",
        .vcpus = 2, .ports = 2, .fifo = true, .hostile = 2,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 }, { IL_SEND_OTHER } },
            { { IL_PRIORITY, 1, 0 }, { IL_BIND_VCPU, 1, 1 } },
        },
    },
    {
        .name = "hostile-fifo-close",
        .vcpus = 1, .ports = 2, .fifo = true, .hostile = 2, .ipis = 1 << 1,
        .may_fail = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND_OTHER } },
            { { IL_CLOSE, 1 }, { IL_REBIND } },
        },
    },
    {
        .name = "hostile-fifo-three-writes",
        .vcpus = 1, .ports = 2, .fifo = true, .hostile = 3,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND, 1 } },
        },
    },

    /* Bigger ones ------------------------------------------------------ */
    {
        .name = "long-fifo-three-senders",
        .vcpus = 1, .ports = 3, .fifo = true, .warm = true, .consumers = 1,
        .long_only = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_SEND, 2 } },
            { { IL_SEND, 3 } },
        },
    },
    {
        .name = "long-fifo-priority",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .long_only = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND, 1 } },
            { { IL_PRIORITY, 1, 3 }, { IL_PRIORITY, 1, 7 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "long-fifo-move-unmask",
        .vcpus = 2, .ports = 2, .fifo = true, .warm = true, .consumers = 3,
        .long_only = true, .mask_in_handler = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND, 1 } },
            { { IL_BIND_VCPU, 1, 1 } },
            { { IL_EOI, 1, 1 }, { IL_EOI, 1 } },
        },
    },
    {
        .name = "long-2l",
        .vcpus = 2, .ports = 2, .consumers = 3, .long_only = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND, 1 } },
            { { IL_MOVE, 1, 1 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "long-3l",
        .vcpus = 2, .ports = 2, .three_level = true, .word32 = true,
        .consumers = 3, .long_only = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND, 1 } },
            { { IL_MOVE, 1, 1 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "long-hostile-fifo",
        .vcpus = 2, .ports = 2, .fifo = true, .hostile = 2, .long_only = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND_OTHER } },
            { { IL_UNMASK_OP, 1 }, { IL_PRIORITY, 1, 0 } },
            { { IL_BIND_VCPU, 2, 1 }, { IL_RAISE, 2 } },
        },
    },
    { .name = NULL }
};
