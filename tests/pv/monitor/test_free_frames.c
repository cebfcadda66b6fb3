/* SPDX-License-Identifier: GPL-2.0-or-later */
/* free_frames.c: the list of free frames, what is found in it, and entries of the M2P. */

#include "frames.h"

#define FIRST FRAMES_FIRST

/* L0 gets the frame, too, so that all is as after a call of the guest's. */
static void put(uint64_t mfn)
{
    spin_lock(&free_frames_lock);
    g_assert_true(l0_change(XENMEM_decrease_reservation, mfn, 0));
    put_free(mfn);
    spin_unlock(&free_frames_lock);
}

static void remove_one(uint64_t mfn)
{
    spin_lock(&free_frames_lock);
    remove_free(mfn);
    g_assert_true(l0_change(XENMEM_populate_physmap, mfn, 0));
    marks[mfn] = 0;
    spin_unlock(&free_frames_lock);
}

static void put_many(uint64_t mfn, unsigned int nr)
{
    uint64_t end = mfn + nr;

    for (; mfn < end; mfn++) {
        put(mfn);
    }
}

static void test_list(void)
{
    static const uint64_t frames[] = {
        FIRST, MACHINE_HOLE_MFN - 1, MACHINE_HIGH_MFN, MACHINE_MAX_MFN - 1,
    };
    /* The order in which they go: each place of a list of each length. */
    static const uint8_t orders[][4] = {
        { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 2, 0, 3 }, { 2, 1, 3, 0 },
        { 1, 0, 3, 2 }, { 2, 3, 0, 1 },
    };
    unsigned int row, i;

    frames_start();
    frames_check(0);
    g_assert_cmpuint(nr_guest_frames(), ==, boot->nr_pages);
    for (row = 0; row < ARRAY_SIZE(orders); row++) {
        for (i = 0; i < 4; i++) {
            put(frames[i]);
            frames_check(i + 1);
            g_assert_cmpuint(nr_guest_frames(), ==, boot->nr_pages - i - 1);
        }
        for (i = 0; i < 4; i++) {
            remove_one(frames[orders[row][i]]);
            frames_check(3 - i);
        }
    }
}

/* L0 says how many of the extents it has done: of one, one. */
static long l0_result;
static struct pv_call l0_asked;
static struct xen_memory_reservation l0_reservation;
static xen_pfn_t l0_frame;

static bool answer(const struct pv_call *call, long *result)
{
    l0_asked = *call;
    l0_reservation =
        *(const struct xen_memory_reservation *)call->args[1];
    l0_frame = *l0_reservation.extent_start.p;
    *result = l0_result;
    return true;
}

static void test_l0(void)
{
    static const struct {
        long result;
        bool done;
    } answers[] = {
        { 1, true }, { 0, false }, { 2, false }, { -XEN_ENOSYS, false },
        { -1, false }, { 0x100000001, false },
    };
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    machine_hooks.l0 = answer;
    for (i = 0; i < ARRAY_SIZE(answers); i++) {
        l0_result = answers[i].result;
        g_assert_true(l0_change(XENMEM_populate_physmap, FIRST + i, i) ==
                      answers[i].done);
        g_assert_cmpuint(l0_asked.number, ==, __HYPERVISOR_memory_op);
        g_assert_cmpuint(l0_asked.args[0], ==, XENMEM_populate_physmap);
        g_assert_cmpuint(l0_reservation.nr_extents, ==, 1);
        g_assert_cmpuint(l0_reservation.extent_order, ==, i);
        g_assert_cmpuint(l0_reservation.mem_flags, ==, 0);
        g_assert_cmpuint(l0_reservation.domid, ==, DOMID_SELF);
        g_assert_cmpuint(l0_frame, ==, FIRST + i);
    }
    l0_change(XENMEM_decrease_reservation, FIRST, 0);
    g_assert_cmpuint(l0_asked.args[0], ==, XENMEM_decrease_reservation);
}

static void test_limit(void)
{
    static const struct {
        unsigned int flags;
        uint64_t limit;
    } cases[] = {
        { 0, MACHINE_MAX_MFN },
        { XENMEMF_address_bits(1), 0 },
        { XENMEMF_address_bits(11), 0 },
        { XENMEMF_address_bits(12), 0 },
        { XENMEMF_address_bits(13), 2 },
        { XENMEMF_address_bits(21), 512 },
        { XENMEMF_address_bits(23), 2048 },
        { XENMEMF_address_bits(32), MACHINE_MAX_MFN },
        { XENMEMF_address_bits(63), MACHINE_MAX_MFN },
        { XENMEMF_address_bits(64), MACHINE_MAX_MFN },
        { XENMEMF_address_bits(65), MACHINE_MAX_MFN },
        { XENMEMF_address_bits(255), MACHINE_MAX_MFN },
        /* What else is in the flags is of no interest here. */
        { XENMEMF_address_bits(21) | XENMEMF_node(3), 512 },
        { XENMEMF_exact_node(0) | XENMEMF_vnode, MACHINE_MAX_MFN },
    };
    unsigned int i;

    frames_start();
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        g_assert_cmpuint(frames_limit(cases[i].flags), ==, cases[i].limit);
    }
}

static void test_find_one(void)
{
    frames_start();
    g_assert_cmphex(find_frames(0, MACHINE_MAX_MFN), ==, NO_FRAME);
    put(MACHINE_HIGH_MFN);
    g_assert_cmpuint(find_frames(0, MACHINE_MAX_MFN), ==, MACHINE_HIGH_MFN);
    g_assert_cmpuint(find_frames(0, MACHINE_HIGH_MFN + 1), ==,
                     MACHINE_HIGH_MFN);
    g_assert_cmphex(find_frames(0, MACHINE_HIGH_MFN), ==, NO_FRAME);
    g_assert_cmphex(find_frames(0, 0), ==, NO_FRAME);
    /* Below the limit is one that is not the first in the list. */
    remove_one(MACHINE_HIGH_MFN);
    put(FIRST + 7);
    put(MACHINE_HIGH_MFN);
    g_assert_cmpuint(find_frames(0, MACHINE_HOLE_MFN), ==, FIRST + 7);
    g_assert_cmpuint(find_frames(0, FIRST + 8), ==, FIRST + 7);
    g_assert_cmphex(find_frames(0, FIRST + 7), ==, NO_FRAME);
    frames_check(2);
}

/* Free from @first on are @nr; what there is of @order below @limit. */
static void test_find_many(void)
{
    static const struct {
        uint64_t first;
        unsigned int nr, order;
        uint64_t limit, found;
    } cases[] = {
        { FIRST, 2, 1, MACHINE_MAX_MFN, FIRST },
        { FIRST, 1, 1, MACHINE_MAX_MFN, NO_FRAME },
        { FIRST + 1, 2, 1, MACHINE_MAX_MFN, NO_FRAME },
        { FIRST + 1, 3, 1, MACHINE_MAX_MFN, FIRST + 2 },
        { FIRST + 1, 14, 3, MACHINE_MAX_MFN, NO_FRAME },
        { FIRST + 1, 15, 3, MACHINE_MAX_MFN, FIRST + 8 },
        { FIRST, 512, 9, MACHINE_MAX_MFN, FIRST },
        { FIRST, 512, 9, MACHINE_HOLE_MFN, FIRST },
        { FIRST, 512, 9, MACHINE_HOLE_MFN - 1, NO_FRAME },
        { FIRST, 511, 9, MACHINE_MAX_MFN, NO_FRAME },
        { FIRST + 1, 511, 9, MACHINE_MAX_MFN, NO_FRAME },
        { FIRST, 512, 9, 0, NO_FRAME },
        { MACHINE_HIGH_MFN, 8, 3, MACHINE_HIGH_MFN + 8, MACHINE_HIGH_MFN },
        { MACHINE_HIGH_MFN, 8, 3, MACHINE_HIGH_MFN + 7, NO_FRAME },
        { MACHINE_HIGH_MFN, 8, 3, MACHINE_HOLE_MFN, NO_FRAME },
        { MACHINE_MAX_MFN - 8, 8, 3, MACHINE_MAX_MFN, MACHINE_MAX_MFN - 8 },
        { MACHINE_MAX_MFN - 7, 7, 3, MACHINE_MAX_MFN, NO_FRAME },
        { MACHINE_MAX_MFN - 8, 8, 3, 1ul << 51, MACHINE_MAX_MFN - 8 },
        { MACHINE_MAX_MFN - 8, 8, 3, MACHINE_MAX_MFN - 1, NO_FRAME },
    };
    unsigned int i;
    uint64_t mfn;

    frames_start();
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        put_many(cases[i].first, cases[i].nr);
        g_assert_cmphex(find_frames(cases[i].order, cases[i].limit), ==,
                        cases[i].found);
        for (mfn = cases[i].first; mfn < cases[i].first + cases[i].nr; mfn++) {
            remove_one(mfn);
        }
        frames_check(0);
    }
}

/* Aligned to the machine, not to where the guest's RAM begins. */
static void test_alignment(void)
{
    frames_start();
    machine_boot.ranges[0].first = FIRST + 4;
    machine_boot.ranges[0].end = FIRST + 28;
    put_many(FIRST + 4, 24);
    g_assert_cmpuint(find_frames(3, MACHINE_MAX_MFN), ==, FIRST + 8);
    g_assert_cmpuint(find_frames(3, MACHINE_MAX_MFN), ==, FIRST + 16);
    /* The last four are no extent. */
    g_assert_cmpuint(find_frames(3, MACHINE_MAX_MFN), ==, FIRST + 8);
}

/* The guest's part in an exchange is there to be found; what else is marked is not. */
static void test_marks(void)
{
    static const struct {
        uint8_t mark;
        bool found;
    } cases[] = {
        { MARK_FREE, true }, { MARK_STOLEN, true }, { MARK_TAKEN, false },
        { MARK_KEPT, false }, { 0, false }, { 1, false }, { 4, false },
    };
    unsigned int i, k;

    frames_start();
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        for (k = 0; k < 4; k++) {
            memset(marks + FIRST, MARK_STOLEN, 4);
            marks[FIRST + k] = cases[i].mark;
            g_assert_cmphex(find_frames(2, MACHINE_MAX_MFN), ==,
                            cases[i].found ? FIRST : NO_FRAME);
        }
        memset(marks + FIRST, 0, 4);
        marks[FIRST] = cases[i].mark;
        g_assert_cmphex(find_frames(0, MACHINE_MAX_MFN), ==,
                        cases[i].found ? FIRST : NO_FRAME);
    }
}

/* The next search goes on behind what the last one has found, and begins again. */
static void test_search_goes_on(void)
{
    static const uint64_t extents[] = { FIRST + 16, FIRST + 64,
                                        MACHINE_HIGH_MFN + 32 };
    unsigned int i;

    frames_start();
    for (i = 0; i < ARRAY_SIZE(extents); i++) {
        put_many(extents[i], 4);
    }
    for (i = 0; i < 7; i++) {
        g_assert_cmpuint(find_frames(2, MACHINE_MAX_MFN), ==, extents[i % 3]);
    }
    /* It is behind the limit now, but there is one below. */
    g_assert_cmpuint(find_frames(2, MACHINE_MAX_MFN), ==, extents[1]);
    g_assert_cmpuint(find_frames(2, MACHINE_MAX_MFN), ==, extents[2]);
    g_assert_cmpuint(find_frames(2, FIRST + 20), ==, extents[0]);
    /* Other sizes are found wherever the last one was. */
    g_assert_cmpuint(find_frames(2, MACHINE_MAX_MFN), ==, extents[1]);
    put(FIRST + 68);
    put_many(FIRST + 69, 3);
    g_assert_cmpuint(find_frames(3, MACHINE_MAX_MFN), ==, FIRST + 64);
}

static void test_m2p(void)
{
    static const struct {
        uint64_t mfn;
        bool done;
    } cases[] = {
        { FIRST, true }, { MACHINE_HOLE_MFN - 1, true },
        { MACHINE_HIGH_MFN, true }, { MACHINE_MAX_MFN - 1, true },
        { MACHINE_LOW_MFN, true },              /* a table */
        { MACHINE_XENSTORE_MFN, true }, { MACHINE_CONSOLE_MFN, true },
        { MACHINE_LOW_MFN - 1, false }, { MACHINE_HOLE_MFN, false },
        { MACHINE_HIGH_MFN - 1, false }, { MACHINE_MAX_MFN, false },
        { MACHINE_SHARED_INFO_MFN, false }, { MACHINE_GRANT_MFN, false },
        { MACHINE_END_MFN, false }, { 0, false }, { NO_FRAME, false },
        { 1ul << 52 | FIRST, false },
        { FIRST + 1, false },                   /* it is free */
    };
    uint64_t update[2], va;
    unsigned int i;

    frames_start();
    put_many(FIRST + 1, 3);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        g_assert_true(set_m2p(cases[i].mfn, 0x1234 + i) == cases[i].done);
        if (cases[i].done) {
            g_assert_cmphex(m2p[cases[i].mfn], ==, 0x1234 + i);
        }
        frames_check(3);
    }
    /* As the guest does it. */
    for (i = 0; i < 2; i++) {
        update[0] = (FIRST + i) << PAGE_SHIFT | MMU_MACHPHYS_UPDATE;
        update[1] = 77;
        va = machine_put(update, sizeof(update));
        g_assert_cmpint(machine_call(__HYPERVISOR_mmu_update, va, 1, 0,
                                     DOMID_SELF), ==, i ? -XEN_EINVAL : 0);
    }
    g_assert_cmphex(m2p[FIRST], ==, 77);
    frames_check(3);
}

static bool has_begun, thread_result;

static void *write_m2p(void *mfn)
{
    machine_switch(1);
    __atomic_store_n(&has_begun, true, __ATOMIC_SEQ_CST);
    thread_result = set_m2p((uint64_t)mfn, 5);
    return NULL;
}

/* One vCPU writes the entry while another gives the frame back. */
static void test_m2p_waits(void)
{
    unsigned int i, k;
    GThread *thread;

    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    machine_hooks.l0 = frames_watch;
    for (i = 0; i < 20; i++) {
        has_begun = false;
        spin_lock(&free_frames_lock);
        thread = g_thread_new("m2p", write_m2p, (void *)(FIRST + (uint64_t)i));
        while (!__atomic_load_n(&has_begun, __ATOMIC_SEQ_CST)) {
            g_thread_yield();
        }
        for (k = 0; k < 100; k++) {
            g_thread_yield();
        }
        g_assert_true(l0_change(XENMEM_decrease_reservation, FIRST + i, 0));
        put_free(FIRST + i);
        spin_unlock(&free_frames_lock);
        g_thread_join(thread);
        g_assert_false(thread_result);
        frames_check(i + 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/free_frames/list", test_list);
    machine_test("/monitor/free_frames/l0", test_l0);
    machine_test("/monitor/free_frames/limit", test_limit);
    machine_test("/monitor/free_frames/find-one", test_find_one);
    machine_test("/monitor/free_frames/find-many", test_find_many);
    machine_test("/monitor/free_frames/alignment", test_alignment);
    machine_test("/monitor/free_frames/marks", test_marks);
    machine_test("/monitor/free_frames/search-goes-on", test_search_goes_on);
    machine_test("/monitor/free_frames/m2p", test_m2p);
    machine_test("/monitor/free_frames/m2p-waits", test_m2p_waits);
    return g_test_run();
}
