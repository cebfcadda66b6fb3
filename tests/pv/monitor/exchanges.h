/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of exchange.c: a guest with two lists and an argument. */

#ifndef TESTS_PV_EXCHANGES_H
#define TESTS_PV_EXCHANGES_H

#include "frames.h"

#define FIRST       FRAMES_FIRST
#define HIGH        MACHINE_HIGH_MFN
#define UNMAPPED    FRAMES_UNMAPPED
#define SELF(nr, order) \
    { .nr_extents = (nr), .extent_order = (order), .domid = DOMID_SELF }

static uint64_t in_list, out_list, argument;

/* The guest gives frames from FIRST on for pages from 1000 on. */
static inline void start_with_lists(void)
{
    const struct xen_memory_exchange none = { .nr_exchanged = 0 };
    uint64_t i;

    frames_start();
    in_list = frames_list(&in_list, 0);
    out_list = frames_list(&in_list, 0);
    argument = machine_put(&none, sizeof(none));
    for (i = 0; i < 1024; i++) {
        frames_set_entry(in_list, i, FIRST + i);
        frames_set_entry(out_list, i, 1000 + i);
    }
    for (i = 0; i < 512; i++) {
        frames_write(FIRST + i);
    }
}

static inline struct xen_memory_exchange *seen(void)
{
    return machine_at(argument);
}

/* Hand in @op, with these lists where it has none. */
static inline void put(const struct xen_memory_exchange *op)
{
    *seen() = *op;
    if (!op->in.extent_start.p) {
        seen()->in.extent_start.p = (xen_pfn_t *)in_list;
    }
    if (!op->out.extent_start.p) {
        seen()->out.extent_start.p = (xen_pfn_t *)out_list;
    }
}

static inline long call(void)
{
    return machine_call(__HYPERVISOR_memory_op, XENMEM_exchange, argument, 0,
                        0);
}

static inline long exchange(uint64_t nr_in, unsigned int in_order, uint64_t nr_out,
                     unsigned int out_order)
{
    const struct xen_memory_exchange op = {
        .in = SELF(nr_in, in_order), .out = SELF(nr_out, out_order),
    };

    put(&op);
    return call();
}

/* The frames from FIRST on are the guest's, as they were. */
static inline void assert_untouched(unsigned int nr)
{
    unsigned int i;

    for (i = 0; i < nr; i++) {
        g_assert_cmpuint(marks[FIRST + i], ==, 0);
        g_assert_cmphex(*(uint64_t *)frame(FIRST + i), ==, 0xa5a5a5a5a5a5a5a5);
    }
}

#endif /* TESTS_PV_EXCHANGES_H */
