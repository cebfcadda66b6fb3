/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * l0_events.c and l0.c: events of L0's, which gets no frame that the guest must not name;
 * calls to L0, and the addresses that it gets.
 */

#include "event_calls.h"

#include "../public/event_channel_3level.h"

static const struct machine_config without = { .nr_vcpus = 1 };

#define REFUSED ~0ul

/* What L0 was asked: a copy, as the monitor's is gone when it has answered. */
static struct {
    unsigned int nr;
    unsigned int cmd;
    uint64_t address;
    uint8_t arg[64];
    uint64_t pending[8], mask[8];
} asked;
static long answer;

static void copy_list(uint64_t *to, uint64_t from, unsigned int nr)
{
    if (from != NOTHING_VA) {
        memcpy(to, (const void *)from, nr * sizeof(*to));
    }
}

static bool record(const struct pv_call *call, long *result)
{
    struct evtchn_register_3level *reg = (void *)asked.arg;
    bool copy_back;

    if (call->number != __HYPERVISOR_event_channel_op) {
        return false;
    }
    asked.nr++;
    asked.cmd = call->args[0];
    asked.address = call->args[1];
    memcpy(asked.arg, (const void *)call->args[1],
           evtchn_op_size(asked.cmd, &copy_back));
    if (asked.cmd == EVTCHNOP_register_3level && reg->cmd == EVTCHN_3L_BITMAPS) {
        unsigned int nr = MIN(reg->u.bitmaps.nr_pages, 8);

        copy_list(asked.pending, reg->u.bitmaps.pending_gfns, nr);
        copy_list(asked.mask, reg->u.bitmaps.mask_gfns, nr);
    } else if (asked.cmd == EVTCHNOP_bind_ipi) {
        ((struct evtchn_bind_ipi *)call->args[1])->port = 77;
    } else if (asked.cmd == EVTCHNOP_init_control) {
        ((struct evtchn_init_control *)call->args[1])->link_bits = 17;
    }
    *result = answer;
    return true;
}

static void begin(void)
{
    machine_start(&without);
    machine_hooks.l0 = record;
    /* The table of a highest level that the guest has loaded. */
    g_assert_cmpuint(marks[boot->top_mfn], ==, 4);
}

/* Frames --------------------------------------------------------------------------- */

static const struct {
    uint64_t mfn;
    bool good;
} frames[] = {
    { 0, false }, { MACHINE_XENSTORE_MFN, false }, { MACHINE_LOW_MFN - 1, false },
    { MACHINE_LOW_MFN, false },            /* the top-level table */
    { MACHINE_LOW_MFN + 1, true }, { MACHINE_HOLE_MFN - 1, true },
    { MACHINE_HOLE_MFN, false }, { MACHINE_HIGH_MFN - 1, false },
    { MACHINE_HIGH_MFN, true }, { MACHINE_MAX_MFN - 1, true },
    { MACHINE_MAX_MFN, false }, { MACHINE_SHARED_INFO_MFN, false },
    { MACHINE_GRANT_MFN, false },
    { MACHINE_STATUS_MFN, false }, { MACHINE_STUBS_MFN, false },
    { MACHINE_VCPUS_MFN, false },
    { MACHINE_ISOLATION_MFN, false }, { MACHINE_TABLES_MFN, false },
    { 1ul << 52 | MACHINE_HIGH_MFN, false }, { 1ul << 32 | MACHINE_HIGH_MFN, false },
    { ~0ul, false },
};

static uint64_t seen_as(unsigned int i)
{
    return frames[i].good ? frames[i].mfn : REFUSED;
}

static void test_fifo(void)
{
    unsigned int i;

    begin();
    for (i = 0; i < G_N_ELEMENTS(frames); i++) {
        struct evtchn_init_control init = {
            .control_gfn = frames[i].mfn, .offset = 64, .vcpu = 3,
        };
        struct evtchn_expand_array expand = { .array_gfn = frames[i].mfn };
        const struct evtchn_init_control *seen = (const void *)asked.arg;

        g_assert_cmpint(EVENT_CALL(EVTCHNOP_init_control, &init), ==, 0);
        g_assert_cmphex(seen->control_gfn, ==, seen_as(i));
        g_assert_cmpuint(seen->offset, ==, 64);
        g_assert_cmpuint(seen->vcpu, ==, 3);
        g_assert_cmpuint(init.link_bits, ==, 17);
        g_assert_cmpint(EVENT_CALL(EVTCHNOP_expand_array, &expand), ==, 0);
        g_assert_cmphex(*(uint64_t *)asked.arg, ==, seen_as(i));
        /* What the guest has said is not copied back. */
        g_assert_cmphex(expand.array_gfn, ==, frames[i].mfn);
    }
    g_assert_cmpuint(asked.nr, ==, 2 * G_N_ELEMENTS(frames));
}

/* A frame that the guest has given back, and one that becomes a top-level table. */
static void test_marks(void)
{
    static const struct {
        uint8_t mark;
        bool good;
    } cases[] = {
        { 0, true }, { 1, true }, { 2, true }, { 3, true }, { 4, false },
        { MARK_KEPT, false }, { MARK_FREE, false }, { MARK_STOLEN, false },
        { MARK_TAKEN, false },
    };
    uint64_t mfn;
    unsigned int i;

    begin();
    mfn = machine_frame();
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct evtchn_expand_array expand = { .array_gfn = mfn };

        marks[mfn] = cases[i].mark;
        EVENT_CALL(EVTCHNOP_expand_array, &expand);
        g_assert_cmphex(*(uint64_t *)asked.arg, ==,
                        cases[i].good ? mfn : REFUSED);
    }
}

static void test_selector(void)
{
    unsigned int i;
    /* Of other commands than these two it is no matter what L0 gets. */
    static const uint32_t cmds[] = { EVTCHN_3L_L2_SELECTOR, 0, 3, ~0u };

    begin();
    for (i = 0; i < G_N_ELEMENTS(frames) * G_N_ELEMENTS(cmds); i++) {
        unsigned int at = i / G_N_ELEMENTS(cmds);
        struct evtchn_register_3level reg = {
            .cmd = cmds[i % G_N_ELEMENTS(cmds)],
            .u.l2_selector = {
                .vcpu = 2, .offset = 512, .gfn = frames[at].mfn,
            },
        };
        const struct evtchn_register_3level *seen = (const void *)asked.arg;

        g_assert_cmpint(EVENT_CALL(EVTCHNOP_register_3level, &reg), ==, 0);
        g_assert_cmphex(seen->u.l2_selector.gfn, ==, seen_as(at));
        g_assert_cmpuint(seen->u.l2_selector.vcpu, ==, 2);
        g_assert_cmpuint(seen->u.l2_selector.offset, ==, 512);
    }
}

static void test_bitmaps(void)
{
    struct evtchn_register_3level reg = {
        .cmd = EVTCHN_3L_BITMAPS, .u.bitmaps.nr_pages = 8,
    };
    uint64_t lists[2][8];
    unsigned int i, j;

    begin();
    for (i = 0; i + 8 <= G_N_ELEMENTS(frames); i++) {
        for (j = 0; j < 8; j++) {
            lists[0][j] = frames[i + j].mfn;
            lists[1][7 - j] = frames[i + j].mfn;
        }
        reg.u.bitmaps.pending_gfns = machine_put(lists[0], sizeof(lists[0]));
        reg.u.bitmaps.mask_gfns = machine_put(lists[1], sizeof(lists[1]));
        g_assert_cmpint(EVENT_CALL(EVTCHNOP_register_3level, &reg), ==, 0);
        for (j = 0; j < 8; j++) {
            g_assert_cmphex(asked.pending[j], ==, seen_as(i + j));
            g_assert_cmphex(asked.mask[7 - j], ==, seen_as(i + j));
        }
        /* The guest's own lists are as they were. */
        g_assert_cmpmem(machine_at(reg.u.bitmaps.pending_gfns), 64, lists[0],
                        64);
    }
}

/* Lists that cannot be read, and numbers of pages that are none. */
static void test_lists(void)
{
    static const uint64_t bad[] = {
        0, MONITOR_VA, DIRECTMAP_VA, 0x8000000000000000, ~7ul,
        MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE - 56,
    };
    static const uint32_t numbers[] = { 0, 1, 7, 8, 9, 0x20000000, ~0u };
    const struct evtchn_register_3level *seen = (const void *)asked.arg;
    struct evtchn_register_3level reg = { .cmd = EVTCHN_3L_BITMAPS };
    uint64_t list[8], good;
    unsigned int i;

    begin();
    for (i = 0; i < 8; i++) {
        list[i] = machine_frame();
    }
    good = machine_put(list, sizeof(list));
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        reg.u.bitmaps.nr_pages = 8;
        reg.u.bitmaps.pending_gfns = bad[i];
        reg.u.bitmaps.mask_gfns = good;
        EVENT_CALL(EVTCHNOP_register_3level, &reg);
        g_assert_cmphex(seen->u.bitmaps.pending_gfns, ==, NOTHING_VA);
        g_assert_cmpmem(asked.mask, 64, list, 64);
        reg.u.bitmaps.pending_gfns = good;
        reg.u.bitmaps.mask_gfns = bad[i];
        EVENT_CALL(EVTCHNOP_register_3level, &reg);
        g_assert_cmphex(seen->u.bitmaps.mask_gfns, ==, NOTHING_VA);
        g_assert_cmpmem(asked.pending, 64, list, 64);
    }
    /* L0 says what it thinks of the number. */
    for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
        memset(asked.pending, 0, sizeof(asked.pending));
        reg.u.bitmaps.nr_pages = numbers[i];
        reg.u.bitmaps.pending_gfns = reg.u.bitmaps.mask_gfns = good;
        EVENT_CALL(EVTCHNOP_register_3level, &reg);
        g_assert_cmpuint(seen->u.bitmaps.nr_pages, ==, numbers[i]);
        g_assert_cmpmem(asked.pending, 8 * MIN(numbers[i], 8), list,
                        8 * MIN(numbers[i], 8));
        g_assert_cmphex(asked.pending[7], ==, numbers[i] < 8 ? 0 : list[7]);
    }
}

/* All others ----------------------------------------------------------------------- */

static void test_pirq(void)
{
    static const struct {
        uint32_t pirq;
        bool is_l0s;
    } cases[] = {
        { 0, false }, { 0xffff, false }, { 0x10000, true }, { 0xffffffff, true },
    };
    unsigned int i;

    begin();
    answer = -XEN_EINVAL;
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct evtchn_bind_pirq bind = { .pirq = cases[i].pirq };

        asked.nr = 0;
        g_assert_cmpint(EVENT_CALL(EVTCHNOP_bind_pirq, &bind), ==,
                        cases[i].is_l0s ? -XEN_EINVAL : -XEN_EPERM);
        g_assert_cmpuint(asked.nr, ==, cases[i].is_l0s);
    }
}

/* What L0 answers comes to the guest, if it is no error. */
static void test_others(void)
{
    static const unsigned int cmds[] = {
        EVTCHNOP_bind_interdomain, EVTCHNOP_bind_virq, EVTCHNOP_close,
        EVTCHNOP_send, EVTCHNOP_status, EVTCHNOP_alloc_unbound,
        EVTCHNOP_bind_vcpu, EVTCHNOP_unmask, EVTCHNOP_reset,
        EVTCHNOP_set_priority, 14, EVTCHNOP_query_extended_abis,
    };
    uint32_t port, arg[16];
    unsigned int i;
    bool copy_back;

    begin();
    g_assert_cmpint(try_bind_ipi(0, &port), ==, 0);
    g_assert_cmpuint(port, ==, 77);
    answer = -XEN_ENOSPC;
    g_assert_cmpint(try_bind_ipi(0, &port), ==, -XEN_ENOSPC);
    g_assert_cmpuint(port, ==, 0);
    for (i = 0; i < G_N_ELEMENTS(cmds); i++) {
        answer = -100 - i;
        memset(arg, 0x11 + i, sizeof(arg));
        g_assert_cmpint(event_call(cmds[i], arg, sizeof(arg)), ==, answer);
        g_assert_cmpuint(asked.cmd, ==, cmds[i]);
        g_assert_cmpmem(asked.arg, evtchn_op_size(cmds[i], &copy_back), arg,
                        evtchn_op_size(cmds[i], &copy_back));
        /* L0 gets no address of the guest's. */
        g_assert_cmphex(asked.address & 1ul << 63, ==, 0);
    }
    /* What is no operation does not get there. */
    asked.nr = 0;
    g_assert_cmpint(event_call(15, arg, sizeof(arg)), ==, -XEN_ENOSYS);
    g_assert_cmpint(machine_call(__HYPERVISOR_event_channel_op,
                                 EVTCHNOP_send, MONITOR_VA, 0, 0), ==,
                    -XEN_EFAULT);
    g_assert_cmpuint(asked.nr, ==, 0);
}

/* l0.c ----------------------------------------------------------------------------- */

static unsigned int agains;
static struct pv_call first;

static bool again(const struct pv_call *call, long *result)
{
    struct pv_call *own = (struct pv_call *)call;

    if (call->number != 99) {
        return false;
    }
    if (!agains++) {
        first = *call;
    }
    /* As QEMU changes them for a call that goes on. */
    own->args[0]++;
    own->again = agains < 5;
    *result = own->again ? -1 : 4711;
    return true;
}

static void test_call(void)
{
    unsigned int i;

    machine_start(&without);
    machine_hooks.l0 = again;
    g_assert_cmpint(l0_call(99, 10, 11, 12, 13, 14), ==, 4711);
    g_assert_cmpuint(agains, ==, 5);
    for (i = 0; i < 5; i++) {
        g_assert_cmpuint(first.args[i], ==, 10 + i);
    }
    /* With the arguments as they are then. */
    g_assert_cmpuint(machine_l0.last.args[0], ==, 15);
    g_assert_cmpuint(machine_l0.last.args[4], ==, 14);
    /* A call that is not known, at once. */
    g_assert_cmpint(l0_call(98, 0, 0, 0, 0, 0), ==, -XEN_ENOSYS);
}

static void test_pointer(void)
{
    static const struct {
        uint64_t address;
        bool good;
    } cases[] = {
        { 0, true }, { 1, true }, { 0x1000, true },
        /* Not longer than a page, within the lower half. */
        { 0x7ffffffff000, true }, { 0x7ffffffff001, false }, { 0x7fffffffffff, false },
        { 0x800000000000, false }, { 0x8000000000000000, false },
        { 0xffff7fffffffffff, false },
        { M2P_VA, false }, { M2P_VA - 1, false }, { WINDOWS_VA, false },
        { MONITOR_VA, false }, { BOOT_VA, false },
        { VCPUS_VA, false }, { MARKS_VA, false }, { WRITABLE_M2P_VA, false },
        { DIRECTMAP_VA, false },
        { NOTHING_VA, false }, { HYPERVISOR_END - 1, false }, { HYPERVISOR_END, true },
        { MACHINE_KERNEL_VA, true }, { 0xffffffffffffefff, true },
        { 0xfffffffffffff001, false }, { ~0ul, false },
    };
    unsigned int i;

    machine_start(&without);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmphex(l0_pointer(cases[i].address), ==,
                        cases[i].good ? cases[i].address : NOTHING_VA);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/l0_events/fifo", test_fifo);
    machine_test("/monitor/l0_events/marks", test_marks);
    machine_test("/monitor/l0_events/selector", test_selector);
    machine_test("/monitor/l0_events/bitmaps", test_bitmaps);
    machine_test("/monitor/l0_events/lists", test_lists);
    machine_test("/monitor/l0_events/pirq", test_pirq);
    machine_test("/monitor/l0_events/others", test_others);
    machine_test("/monitor/l0_events/call", test_call);
    machine_test("/monitor/l0_events/pointer", test_pointer);
    return g_test_run();
}
