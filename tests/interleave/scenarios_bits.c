/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 2-level and 3-level. */

#include "scenarios.h"

const struct il_scenario il_scenarios_bits[] = {
    /* 2-level ---------------------------------------------------------- */
    {
        .name = "2l-two-senders",
        .vcpus = 1, .ports = 2, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_SEND, 2 }, { IL_SEND, 1 } },
        },
    },
    {
        .name = "2l-same-port",
        .vcpus = 1, .ports = 1, .consumers = 1, .word32 = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_RAISE, 1 }, { IL_RAISE, 1 } },
        },
    },
    {
        .name = "2l-unmask",
        .vcpus = 1, .ports = 2, .consumers = 1, .masked = 1 << 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_UNMASK, 1 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "2l-unmask-op",
        .vcpus = 2, .ports = 1, .consumers = 1, .masked = 1 << 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_UNMASK, 1, 1 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "2l-eoi",
        .vcpus = 1, .ports = 1, .consumers = 1, .mask_in_handler = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_EOI, 1 }, { IL_EOI, 1 } },
        },
    },
    {
        .name = "2l-move",
        .vcpus = 2, .ports = 1, .consumers = 3,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_MOVE, 1, 1 } },
        },
    },
    {
        .name = "2l-late-info",
        .vcpus = 1, .ports = 2, .consumers = 1, .late_info = 1 << 0,
        .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_INFO, 0, 0 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "2l-close",
        .vcpus = 1, .ports = 2, .consumers = 1, .may_fail = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "2l-storm",
        .vcpus = 1, .ports = 1, .word32 = true, .storm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_RAISE, 1 }, { IL_RAISE, 1 } },
        },
    },
    {
        .name = "2l-close-rebind-peer",
        .vcpus = 1, .ports = 1, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND_PEER }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "2l-close-rebind-other-peer",
        .vcpus = 1, .ports = 1, .warm = true, .consumers = 1,
        .two_peers = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND_PEER, 0, 1 }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "2l-bind-vcpu",
        .vcpus = 2, .ports = 2, .consumers = 3,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_MOVE, 1, 1 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "2l-unbound-close-raise",
        .vcpus = 1, .ports = 1, .consumers = 1, .unbound = 1 << 1,
        .may_fail = true,
        .script = {
            { { IL_RAISE, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "2l-unbound-unmask",
        .vcpus = 1, .ports = 1, .consumers = 1, .unbound = 1 << 1,
        .masked = 1 << 1,
        .script = {
            { { IL_BIND_PEER, 1 }, { IL_SEND, 1 } },
            { { IL_UNMASK, 1 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "2l-unbound-move",
        .vcpus = 2, .ports = 1, .consumers = 3, .unbound = 1 << 1,
        .script = {
            { { IL_RAISE, 1 } },
            { { IL_MOVE, 1, 1 } },
        },
    },
    {
        .name = "2l-bind",
        .vcpus = 1, .waiting = 1 << 1, .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_BIND, 1 } },
        },
    },

    /* 3-level ---------------------------------------------------------- */
    {
        .name = "3l-two-senders",
        .vcpus = 1, .ports = 2, .three_level = true, .word32 = true,
        .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_SEND, 2 }, { IL_SEND, 1 } },
        },
    },
    {
        .name = "3l-two-senders-64",
        .vcpus = 1, .ports = 2, .three_level = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "3l-three-senders",
        .vcpus = 1, .ports = 3, .three_level = true, .word32 = true,
        .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_SEND, 2 } },
            { { IL_SEND, 3 } },
        },
    },
    {
        .name = "3l-same-port",
        .vcpus = 1, .ports = 1, .three_level = true, .word32 = true,
        .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_RAISE, 1 }, { IL_RAISE, 1 } },
        },
    },
    {
        .name = "3l-unmask",
        .vcpus = 1, .ports = 2, .three_level = true, .word32 = true,
        .consumers = 1, .masked = 1 << 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_UNMASK, 1 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "3l-unmask-op",
        .vcpus = 2, .ports = 1, .three_level = true, .word32 = true,
        .consumers = 1, .masked = 1 << 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_UNMASK, 1, 1 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "3l-eoi",
        .vcpus = 1, .ports = 1, .three_level = true, .word32 = true,
        .consumers = 1, .mask_in_handler = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_EOI, 1 }, { IL_EOI, 1 } },
        },
    },
    {
        .name = "3l-move",
        .vcpus = 2, .ports = 1, .three_level = true, .word32 = true,
        .consumers = 3,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_MOVE, 1, 1 } },
        },
    },
    {
        .name = "3l-close",
        .vcpus = 1, .ports = 2, .three_level = true, .word32 = true,
        .consumers = 1, .may_fail = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_CLOSE, 1 }, { IL_REBIND }, { IL_SEND_NEW } },
        },
    },
    {
        .name = "3l-storm",
        .vcpus = 1, .ports = 1, .three_level = true, .word32 = true,
        .storm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_RAISE, 1 }, { IL_RAISE, 1 } },
        },
    },

    /* 3-level: memory that comes late ---------------------------------- */
    {
        .name = "3l-late-selector",
        .vcpus = 2, .ports = 2, .three_level = true, .word32 = true,
        .consumers = 3, .late_control = 1 << 1, .after_script = 2,
        .vcpu = { [1] = 1 },
        .script = {
            { { IL_SEND, 1 } },
            { { IL_SELECTOR, 0, 1 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "3l-late-selector-unmask",
        .vcpus = 2, .ports = 1, .three_level = true, .word32 = true,
        .consumers = 3, .late_control = 1 << 1, .after_script = 2,
        .vcpu = { [1] = 1 }, .masked = 1 << 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_SELECTOR, 0, 1 } },
            { { IL_UNMASK, 1, 1 } },
        },
    },
    {
        .name = "3l-late-selector-move",
        .vcpus = 2, .ports = 1, .three_level = true, .word32 = true,
        .consumers = 3, .late_control = 1 << 1, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_SELECTOR, 0, 1 } },
            { { IL_MOVE, 1, 1 } },
        },
    },
    {
        .name = "3l-late-info",
        .vcpus = 1, .ports = 2, .three_level = true, .word32 = true,
        .consumers = 1, .late_info = 1 << 0, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_INFO, 0, 0 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "3l-leave-no-selector",
        .vcpus = 2, .ports = 1, .three_level = true, .word32 = true,
        .consumers = 1, .late_control = 1 << 1, .vcpu = { [1] = 1 },
        .script = {
            { { IL_SEND, 1 } },
            { { IL_MOVE, 1, 0 } },
        },
    },
    { .name = NULL }
};
