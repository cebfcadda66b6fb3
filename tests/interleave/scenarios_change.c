/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the ABI and of memory, and polls. */

#include "scenarios.h"

const struct il_scenario il_scenarios_change[] = {
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

    /* From 2-level to 3-level ------------------------------------------ */
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

    /* vcpu_info and shared_info ---------------------------------------- */
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
    {
        .name = "info-moved-2l",
        .vcpus = 1, .ports = 2, .consumers = 1, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_MOVE_INFO, 0, 0 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "info-moved-2l-unmarked",
        .vcpus = 1, .ports = 2, .consumers = 1, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_MOVE_INFO_UNMARKED, 0, 0 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "info-moved-fifo",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_MOVE_INFO, 0, 0 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "info-moved-fifo-unmarked",
        .vcpus = 1, .ports = 2, .fifo = true, .warm = true, .consumers = 1,
        .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_MOVE_INFO_UNMARKED, 0, 0 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "info-moved-3l",
        .vcpus = 1, .ports = 2, .three_level = true, .word32 = true,
        .consumers = 1, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_MOVE_INFO, 0, 0 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "info-moved-3l-unmarked",
        .vcpus = 1, .ports = 2, .three_level = true, .word32 = true,
        .consumers = 1, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_MOVE_INFO_UNMARKED, 0, 0 } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "shared-info-moved",
        .vcpus = 1, .ports = 2, .own_info = true, .consumers = 1,
        .after_script = 2,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_TAKE_SHARED_INFO }, { IL_GIVE_SHARED_INFO } },
            { { IL_SEND, 2 } },
        },
    },
    {
        .name = "shared-info-unmask",
        .vcpus = 1, .ports = 1, .own_info = true, .consumers = 1,
        .after_script = 2, .masked = 1 << 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_TAKE_SHARED_INFO }, { IL_GIVE_SHARED_INFO },
              { IL_UNMASK, 1 } },
            { { IL_RAISE, 1 } },
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
    {
        .name = "poll-fifo-linked",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true,
        .script = {
            { { IL_POLL, 1, 0 } },
            { { IL_SEND, 1 } },
        },
    },
    { .name = NULL }
};
