/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reservation.c: what a guest hands in, and calls that make way for events. */

#include "frames.h"

#define FIRST       FRAMES_FIRST
#define DECREASE    XENMEM_decrease_reservation
#define POPULATE    XENMEM_populate_physmap
#define INCREASE    XENMEM_increase_reservation
#define STEP(op, start) ((op) | (uint64_t)(start) << 6)
#define MAX_NR      (UINT32_MAX >> 6)
#define UNMAPPED    FRAMES_UNMAPPED
#define SIZE_OF_FIELDS \
    (offsetof(struct xen_memory_reservation, domid) + sizeof(domid_t))

static const unsigned int all_ops[] = { DECREASE, POPULATE, INCREASE };

static uint64_t read_only(uint64_t *mfn)
{
    *mfn = FIRST + 200;
    machine_map(UNMAPPED + PAGE_SIZE, *mfn, PTE_PRESENT);
    return UNMAPPED + PAGE_SIZE;
}

/* 16 frames are free, and there are 16 entries for each of the three. */
static void test_refused(void)
{
    static const struct {
        uint64_t nr, start;
        unsigned int order;
        domid_t domid;
        long done;
    } cases[] = {
        { 0, 0, 0, DOMID_SELF, 0 },
        { 0, 3, 0, DOMID_SELF, 3 },
        { 2, 2, 0, DOMID_SELF, 2 },
        { 2, 7, 0, DOMID_SELF, 7 },
        { 2, MAX_NR, 0, DOMID_SELF, MAX_NR },
        { MAX_NR + 1ul, 0, 0, DOMID_SELF, 0 },
        { MAX_NR + 1ul, 5, 0, DOMID_SELF, 5 },
        { 1ul << 32, 0, 0, DOMID_SELF, 0 },
        { ~0ul, 0, 0, DOMID_SELF, 0 },
        { 1, 0, MAX_ORDER + 1, DOMID_SELF, 0 },
        { 2, 1, MAX_ORDER + 1, DOMID_SELF, 1 },
        { 1, 0, 32, DOMID_SELF, 0 },
        { 1, 0, 64, DOMID_SELF, 0 },
        { 1, 0, 0, 0, 0 },
        { 1, 0, 0, 2, 0 },
        { 2, 1, 0, 2, 1 },
        { 1, 0, 0, DOMID_IO, 0 },
        { 1, 0, 0, DOMID_XEN, 0 },
    };
    uint64_t give, get, va;
    unsigned int i, k;

    frames_start();
    frames_give(FIRST, 16);
    give = frames_list_from(MACHINE_HIGH_MFN, 16);
    get = frames_list_from(0, 16);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        for (k = 0; k < ARRAY_SIZE(all_ops); k++) {
            va = frames_reservation(all_ops[k] == DECREASE ? give : get,
                                    cases[i].nr, cases[i].order, 0);
            ((struct xen_memory_reservation *)machine_at(va))->domid =
                cases[i].domid;
            g_assert_cmpint(machine_call(__HYPERVISOR_memory_op,
                                         STEP(all_ops[k], cases[i].start), va,
                                         0, 0), ==, cases[i].done);
            frames_check(16);
        }
    }
}

/* Just short of what is refused; and the guest's own number. */
static void test_not_refused(void)
{
    uint64_t give, va;

    frames_start();
    give = frames_list_from(MACHINE_HIGH_MFN, 16);
    /* After the 16 comes frame 0. */
    g_assert_cmpint(frames_change(DECREASE, give, MAX_NR, 0, 0), ==, 16);
    frames_check(16);
    g_assert_cmpint(frames_change(INCREASE, 0, MAX_NR, 0, 0), ==, 16);
    frames_check(0);
    va = frames_reservation(give, 2, 0, 0);
    ((struct xen_memory_reservation *)machine_at(va))->domid = boot->domid;
    /* The first is done already, as it seems. */
    g_assert_cmpint(machine_call(__HYPERVISOR_memory_op, STEP(DECREASE, 1), va,
                                 0, 0), ==, 2);
    frames_check(1);
    g_assert_cmpuint(marks[MACHINE_HIGH_MFN + 1], ==, MARK_FREE);
    g_assert_cmpint(frames_change_one(DECREASE, FIRST, MAX_ORDER, 0), ==, 1);
    frames_check(513);
    g_assert_cmpint(frames_change_one(INCREASE, 0, MAX_ORDER, 0), ==, 1);
    g_assert_cmpint(frames_change_one(DECREASE, FIRST, MAX_ORDER, 0), ==, 1);
    g_assert_cmpint(frames_change_one(POPULATE, 0, MAX_ORDER, 0), ==, 1);
    frames_check(1);
}

/* The argument or its list is nowhere, in the hypervisor, or partly so. */
static void test_addresses(void)
{
    static const uint64_t nowhere[] = {
        UNMAPPED, 0x0000800000000000ul, M2P_VA, DIRECTMAP_VA,
        HYPERVISOR_END - 8, ~0ul, ~0ul - 7,
    };
    const uint64_t cut_off = frames_last_entry() + sizeof(uint64_t) - SIZE_OF_FIELDS;
    uint64_t mfn, va;
    unsigned int i, k;

    frames_start();
    frames_give(FIRST, 16);
    for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
        for (k = 0; k < ARRAY_SIZE(all_ops); k++) {
            g_assert_cmpint(machine_call(__HYPERVISOR_memory_op,
                                         STEP(all_ops[k], 9), nowhere[i], 0,
                                         0), ==, 9);
            frames_check(16);
        }
        for (k = 0; k < 2; k++) {
            g_assert_cmpint(frames_change(all_ops[k], nowhere[i], 2, 0, 0), ==,
                            0);
            frames_check(16);
        }
    }
    /* Of the argument there is all but what is behind its last field. */
    va = frames_reservation(0, 1, 0, 0);
    copy_to_guest(cut_off, machine_at(va), SIZE_OF_FIELDS);
    g_assert_cmpint(machine_call(__HYPERVISOR_memory_op, INCREASE, cut_off, 0,
                                 0), ==, 0);
    frames_check(16);
    *(uint64_t *)machine_at(frames_last_entry()) = MACHINE_HIGH_MFN;
    g_assert_cmpint(frames_change(DECREASE, frames_last_entry(), 2, 0, 0), ==, 1);
    frames_check(17);
    g_assert_cmpint(frames_change(POPULATE, frames_last_entry(), 2, 0, 0), ==, 1);
    frames_check(16);
    va = read_only(&mfn);
    /* The frame is the guest's, if it is not told which it is. */
    for (i = 1; i < ARRAY_SIZE(all_ops); i++) {
        ((uint64_t *)frame(mfn))[0] = 44;
        g_assert_cmpint(frames_change(all_ops[i], va, 2, 0, 0), ==, 0);
        g_assert_cmpuint(((uint64_t *)frame(mfn))[0], ==, 44);
        frames_check(16 - i);
    }
    /* What is only read may be there. */
    ((uint64_t *)frame(mfn))[0] = MACHINE_HIGH_MFN + 1;
    g_assert_cmpint(frames_change(DECREASE, va, 1, 0, 0), ==, 1);
}

/* How often a call of @nr extents makes way when @pending, and that it does it all. */
static void continued(unsigned int op, uint64_t list, unsigned int nr,
                      unsigned int order, bool pending, unsigned int at_once)
{
    uint64_t va = frames_reservation(list, nr, order, 0), done;
    struct regs regs = frames_call(op, va);

    frames_raise(pending);
    for (done = at_once; done < nr && pending; done += at_once) {
        g_assert_true(frames_step(&regs));
        g_assert_cmphex(regs.rdi, ==, STEP(op, done));
        g_assert_cmphex(regs.rsi, ==, va);
        g_assert_cmpuint(regs.rax, ==, __HYPERVISOR_memory_op);
    }
    g_assert_false(frames_step(&regs));
    g_assert_cmpint(regs.rax, ==, nr);
    frames_raise(false);
}

static void test_continued(void)
{
    static const struct {
        unsigned int nr, order, at_once;
    } cases[] = {
        { 1, 0, 64 }, { 63, 0, 64 }, { 64, 0, 64 }, { 65, 0, 64 },
        { 128, 0, 64 }, { 200, 0, 64 }, { 1, 1, 1 }, { 2, 1, 1 }, { 5, 3, 1 },
    };
    uint64_t give, get, i;
    unsigned int row, pending;

    frames_start();
    give = frames_list_from(FIRST, 0);
    get = frames_list_from(0, 0);
    for (row = 0; row < ARRAY_SIZE(cases); row++) {
        unsigned int nr = cases[row].nr, order = cases[row].order;

        for (pending = 0; pending < 2; pending++) {
            for (i = 0; i < nr; i++) {
                frames_set_entry(give, i, FIRST + (i << order));
                frames_set_entry(get, i, 100 + (i << order));
            }
            continued(DECREASE, give, nr, order, pending, cases[row].at_once);
            frames_check(nr << order);
            continued(POPULATE, get, nr, order, pending, cases[row].at_once);
            frames_check(0);
            /* Each entry once: each has a frame of its own, for its page. */
            for (i = 0; i < nr; i++) {
                g_assert_cmpuint(m2p[frames_entry(get, i)], ==,
                                 100 + (i << order));
            }
            continued(DECREASE, give, nr, order, pending, cases[row].at_once);
            continued(INCREASE, 0, nr, order, pending, cases[row].at_once);
            frames_check(0);
        }
    }
}

/* Events that the guest has masked do not make it wait for the rest. */
static void test_masked(void)
{
    struct regs regs;

    frames_start();
    frames_raise(true);
    this_vcpu()->info->evtchn_upcall_mask = 1;
    regs = frames_call(DECREASE,
                       frames_reservation(frames_list_from(FIRST, 200), 200, 0, 0));
    g_assert_false(frames_step(&regs));
    g_assert_cmpint(regs.rax, ==, 200);
    frames_check(200);
}

/* The guest changes its argument before it goes on, or where it goes on. */
static void test_changed_meanwhile(void)
{
    uint64_t list, va;
    struct regs regs;

    frames_start();
    list = frames_list_from(FIRST, 200);
    va = frames_reservation(list, 200, 0, 0);
    frames_raise(true);
    regs = frames_call(DECREASE, va);
    g_assert_true(frames_step(&regs));
    frames_reservation(list, 64, 0, 0);
    g_assert_false(frames_step(&regs));
    g_assert_cmpint(regs.rax, ==, 64);
    frames_check(64);
    /* These are done already, which is the first that is not done. */
    frames_reservation(list, 200, 0, 0);
    regs = frames_call(STEP(DECREASE, 10), va);
    g_assert_false(frames_step(&regs));
    g_assert_cmpint(regs.rax, ==, 10);
    regs = frames_call(STEP(DECREASE, 190), va);
    g_assert_true(frames_step(&regs));
    g_assert_cmphex(regs.rdi, ==, STEP(DECREASE, 192));
    g_assert_false(frames_step(&regs));
    g_assert_cmpint(regs.rax, ==, 200);
    frames_check(74);
}

static void test_in_a_multicall(void)
{
    struct multicall_entry calls[2] = {
        { .op = __HYPERVISOR_memory_op, .args = { DECREASE } },
        { .op = __HYPERVISOR_memory_op, .args = { INCREASE } },
    }, *seen;
    uint64_t list, va;
    struct regs regs;

    frames_start();
    list = frames_list_from(FIRST, 100);
    calls[0].args[1] = calls[1].args[1] = frames_reservation(list, 100, 0, 0);
    va = machine_put(calls, sizeof(calls));
    seen = machine_at(va);
    frames_raise(true);
    regs = frames_call(va, 2);
    regs.rax = __HYPERVISOR_multicall;
    g_assert_true(frames_step(&regs));
    g_assert_cmphex(seen->args[0], ==, STEP(DECREASE, 64));
    g_assert_cmphex(regs.rdi, ==, va);
    g_assert_cmpuint(regs.rsi, ==, 2);
    g_assert_true(frames_step(&regs));
    g_assert_cmpint(seen[0].result, ==, 100);
    g_assert_cmphex(seen[1].args[0], ==, STEP(INCREASE, 64));
    g_assert_false(frames_step(&regs));
    g_assert_cmpint(regs.rax, ==, 0);
    g_assert_cmpint(seen[1].result, ==, 100);
    frames_check(0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/reservation_arguments/refused", test_refused);
    machine_test("/monitor/reservation_arguments/not-refused", test_not_refused);
    machine_test("/monitor/reservation_arguments/addresses", test_addresses);
    machine_test("/monitor/reservation_arguments/continued", test_continued);
    machine_test("/monitor/reservation_arguments/masked", test_masked);
    machine_test("/monitor/reservation_arguments/changed-meanwhile",
                 test_changed_meanwhile);
    machine_test("/monitor/reservation_arguments/in-a-multicall", test_in_a_multicall);
    return g_test_run();
}
