/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is explored.  Each scenario is small, and between them they meet every
 * pair of operations that can touch the same words at the same time.
 */

#include "world.h"

const struct il_scenario il_scenarios[] = {
    /* FIFO: linking against unlinking ---------------------------------- */
    {
        .name = "fifo-two-ports",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "fifo-two-ports-more",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_SEND, 2 }, { IL_SEND, 1 } },
        },
    },
    {
        .name = "fifo-three-ports",
        .vcpus = 1, .ports = 3, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_SEND, 2 } },
            { { IL_SEND, 3 } },
        },
    },
    {
        .name = "fifo-order",
        .vcpus = 1, .ports = 4, .fifo = true, .consumers = 1,
        .in_order = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND, 3 }, { IL_SEND, 4 } },
        },
    },
    {
        .name = "fifo-same-port",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "fifo-same-port-more",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_RAISE, 1 }, { IL_RAISE, 1 } },
        },
    },
    {
        .name = "fifo-tail-is-consumed",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND, 1 }, { IL_SEND, 2 },
              { IL_SEND, 1 } },
        },
    },

    /* FIFO: masks ------------------------------------------------------ */
    {
        .name = "fifo-unmask",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .masked = 1 << 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_UNMASK, 1 } },
        },
    },
    {
        .name = "fifo-unmask-twice",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1, .masked = 1 << 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_UNMASK, 1 } },
            { { IL_UNMASK_OP, 1 } },
        },
    },
    {
        .name = "fifo-eoi",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .mask_in_handler = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_EOI, 1 }, { IL_EOI, 1 } },
        },
    },
    {
        .name = "fifo-eoi-more",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .mask_in_handler = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_EOI, 1 }, { IL_EOI, 1 } },
            { { IL_EOI, 2 } },
        },
    },
    {
        .name = "fifo-storm",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .mask_in_handler = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 }, { IL_SEND, 1 } },
        },
    },
    {
        .name = "fifo-mask-while-linked",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_MASK, 1 }, { IL_UNMASK, 1 } },
        },
    },
    {
        .name = "fifo-mask-while-linked-more",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND, 1 } },
            { { IL_MASK, 1 }, { IL_UNMASK, 1 } },
        },
    },

    /* FIFO: two queues ------------------------------------------------- */
    {
        .name = "fifo-priority",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_PRIORITY, 1, 3 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "fifo-priority-back",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 }, { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_PRIORITY, 1, 3 }, { IL_PRIORITY, 1, 7 } },
        },
    },
    {
        /* Port 3 leaves a queue as its tail, to which port 1 is appended. */
        .name = "fifo-priority-of-tail",
        .vcpus = 1, .ports = 3, .fifo = true, .warm = true,
        .script = {
            { { IL_PRIORITY, 2, 3 }, { IL_PRIORITY, 3, 3 }, { IL_SEND, 3 },
              { IL_SEND, 2 } },
            { { IL_SEND, 1 } },
        },
    },
    {
        .name = "fifo-bind-vcpu",
        .vcpus = 2, .ports = 2, .fifo = true, .consumers = 3,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_BIND_VCPU, 1, 1 }, { IL_SEND, 2 } },
        },
    },
    {
        .name = "fifo-move",
        .vcpus = 2, .ports = 1, .fifo = true, .warm = true, .consumers = 3,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_MOVE, 1, 1 } },
            { { IL_RAISE, 1 } },
        },
    },
    {
        .name = "fifo-move-more",
        .vcpus = 2, .ports = 1, .fifo = true, .warm = true, .consumers = 3,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_MOVE, 1, 1 } },
        },
    },
    {
        .name = "fifo-swap",
        .vcpus = 2, .ports = 2, .fifo = true, .warm = true, .consumers = 3,
        .vcpu = { [2] = 1 },
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_BIND_VCPU, 1, 1 }, { IL_BIND_VCPU, 2, 0 } },
            { { IL_SEND, 1 } },
        },
    },

    /* FIFO: ports that come and go ------------------------------------- */
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

    /* FIFO: memory that comes late ------------------------------------- */
    {
        .name = "fifo-late-array",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1,
        .late_array = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_EXPAND }, { IL_UNMASK, 1 } },
        },
    },
    {
        .name = "fifo-late-array-one-event",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1,
        .late_array = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_EXPAND }, { IL_UNMASK, 1 } },
        },
    },
    {
        .name = "fifo-late-control",
        .vcpus = 2, .ports = 2, .fifo = true, .consumers = 3,
        .late_control = 1 << 1, .after_script = 2, .vcpu = { [1] = 1 },
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CONTROL, 0, 1 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "fifo-late-control-move",
        .vcpus = 2, .ports = 1, .fifo = true, .consumers = 3,
        .late_control = 1 << 1, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CONTROL, 0, 1 } },
            { { IL_BIND_VCPU, 1, 1 } },
        },
    },
    {
        .name = "fifo-leave-no-control",
        .vcpus = 2, .ports = 1, .fifo = true, .consumers = 1,
        .late_control = 1 << 1, .vcpu = { [1] = 1 },
        .script = {
            { { IL_SEND, 1 } },
            { { IL_BIND_VCPU, 1, 0 } },
        },
    },
    {
        .name = "fifo-leave-no-control-move",
        .vcpus = 2, .ports = 1, .fifo = true, .consumers = 1,
        .late_control = 1 << 1, .vcpu = { [1] = 1 },
        .script = {
            { { IL_SEND, 1 } },
            { { IL_MOVE, 1, 0 } },
        },
    },
    {
        .name = "fifo-late-info",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1,
        .late_info = 1 << 0, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_INFO, 0, 0 } },
        },
    },

    /* From 2-level to FIFO --------------------------------------------- */
    {
        .name = "hand-over",
        .vcpus = 1, .ports = 1, .consumers = 1, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CONTROL, 0, 0 }, { IL_EXPAND }, { IL_UNMASK, 1 } },
        },
    },
    {
        .name = "hand-over-two-ports",
        .vcpus = 1, .ports = 2, .consumers = 1, .after_script = 2,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_CONTROL, 0, 0 }, { IL_EXPAND }, { IL_UNMASK, 1 },
              { IL_UNMASK, 2 } },
        },
    },
    {
        .name = "hand-over-two-ports-long",
        .vcpus = 1, .ports = 2, .consumers = 1, .after_script = 2,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_CONTROL, 0, 0 }, { IL_EXPAND }, { IL_UNMASK, 1 },
              { IL_UNMASK, 2 } },
            { { IL_SEND, 2 } },
        },
        .long_only = true,
    },

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

    /* 3-level: memory that comes late ----------------------------------- */
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
        .name = "3l-leave-no-selector",
        .vcpus = 2, .ports = 1, .three_level = true, .word32 = true,
        .consumers = 1, .late_control = 1 << 1, .vcpu = { [1] = 1 },
        .script = {
            { { IL_SEND, 1 } },
            { { IL_MOVE, 1, 0 } },
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

    /* From 2-level to 3-level ------------------------------------------- */
    {
        .name = "3l-hand-over",
        .vcpus = 1, .ports = 1, .word32 = true, .consumers = 1,
        .after_script = 2,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_BITMAPS }, { IL_SELECTOR } },
        },
    },
    {
        .name = "3l-hand-over-two-ports",
        .vcpus = 1, .ports = 2, .word32 = true, .consumers = 1,
        .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_BITMAPS }, { IL_SELECTOR } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "3l-hand-over-late-info",
        .vcpus = 1, .ports = 1, .word32 = true, .consumers = 1,
        .late_info = 1 << 0, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_BITMAPS }, { IL_INFO }, { IL_SELECTOR } },
        },
    },
    {
        .name = "3l-hand-over-unmask",
        .vcpus = 1, .ports = 1, .word32 = true, .consumers = 1,
        .masked = 1 << 1, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_BITMAPS }, { IL_SELECTOR } },
            { { IL_UNMASK_OP, 1 } },
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

    /* vcpu_info that is registered anew ------------------------------------ */
    {
        .name = "info-2l",
        .vcpus = 1, .ports = 2, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_INFO, 0, 0 } },
        },
    },
    {
        .name = "info-fifo",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_INFO, 0, 0 } },
        },
    },

    {
        .name = "info-3l",
        .vcpus = 1, .ports = 2, .three_level = true, .word32 = true,
        .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_INFO, 0, 0 } },
        },
    },

    /* Poll ------------------------------------------------------------- */
    {
        .name = "poll-2l",
        .vcpus = 2, .ports = 2, .masked = 1 << 1 | 1 << 2,
        .script = {
            { { IL_POLL, 1, 0 } },
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_POLL, 2, 1 } },
        },
    },
    {
        .name = "poll-fifo",
        .vcpus = 2, .ports = 2, .fifo = true, .masked = 1 << 1 | 1 << 2,
        .script = {
            { { IL_POLL, 1, 0 } },
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_POLL, 2, 1 } },
        },
    },
    {
        .name = "poll-3l",
        .vcpus = 2, .ports = 2, .three_level = true, .word32 = true,
        .masked = 1 << 1 | 1 << 2,
        .script = {
            { { IL_POLL, 1, 0 } },
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_POLL, 2, 1 } },
        },
    },
    {
        .name = "poll-two-senders",
        .vcpus = 1, .ports = 1, .fifo = true, .masked = 1 << 1,
        .script = {
            { { IL_POLL, 1, 0 } },
            { { IL_SEND, 1 } },
            { { IL_RAISE, 1 } },
        },
    },

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
