/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FIFO: queues and their memory. */

#include "scenarios.h"

const struct il_scenario il_scenarios_fifo[] = {
    /* Linking against unlinking ---------------------------------------- */
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

    /* Events that are pending already ---------------------------------- */
    {
        .name = "fifo-storm",
        .vcpus = 1, .ports = 1, .fifo = true, .storm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_RAISE, 1 }, { IL_RAISE, 1 } },
        },
    },
    {
        .name = "fifo-storm-one-sender",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .mask_in_handler = true,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 }, { IL_SEND, 1 } },
        },
    },
    {
        .name = "fifo-storm-masked",
        .vcpus = 1, .ports = 1, .fifo = true, .storm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 1 } },
            { { IL_MASK, 1 }, { IL_UNMASK, 1 } },
        },
    },
    {
        .name = "fifo-storm-two-ports",
        .vcpus = 1, .ports = 2, .fifo = true, .storm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_RAISE, 2 }, { IL_RAISE, 1 } },
        },
    },

    /* Masks ------------------------------------------------------------ */
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

    /* Two queues ------------------------------------------------------- */
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
        /*
         * Port 1 goes to another queue and back between a sender's looks; it
         * must not be taken for that queue's tail any more.
         */
        .name = "fifo-priority-there-and-back",
        .vcpus = 1, .ports = 3, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_PRIORITY, 2, 3 }, { IL_PRIORITY, 1, 3 }, { IL_RAISE, 1 },
              { IL_PRIORITY, 1, 7 }, { IL_SEND, 2 }, { IL_SEND, 3 } },
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
    {
        .name = "fifo-priority-two-senders",
        .vcpus = 1, .ports = 1, .fifo = true, .warm = true, .consumers = 1,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_RAISE, 1 } },
            { { IL_PRIORITY, 1, 3 } },
        },
    },
    {
        .name = "fifo-priority-move",
        .vcpus = 2, .ports = 1, .fifo = true, .warm = true, .consumers = 3,
        .script = {
            { { IL_PRIORITY, 1, 3 } },
            { { IL_MOVE, 1, 1 } },
            { { IL_SEND, 1 } },
        },
    },
    {
        .name = "fifo-move-linked",
        .vcpus = 2, .ports = 2, .fifo = true, .storm = true, .consumers = 3,
        .script = {
            { { IL_SEND, 1 }, { IL_SEND, 2 } },
            { { IL_BIND_VCPU, 1, 1 }, { IL_SEND, 1 } },
        },
    },

    /* Memory that comes late ------------------------------------------- */
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
        .name = "fifo-late-array-close",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1,
        .late_array = true,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_CLOSE, 1 }, { IL_REBIND_PEER }, { IL_EXPAND },
              { IL_UNMASK, 1 } },
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
        .name = "fifo-late-info",
        .vcpus = 1, .ports = 1, .fifo = true, .consumers = 1,
        .late_info = 1 << 0, .after_script = 2,
        .script = {
            { { IL_SEND, 1 } },
            { { IL_INFO, 0, 0 } },
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
    { .name = NULL }
};
