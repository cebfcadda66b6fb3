/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of what changes which frames the guest has: the calls, an L0 that watches
 * what the monitor asks for and can refuse it, and what is true of all frames between
 * calls.
 */

#ifndef TESTS_PV_FRAMES_H
#define TESTS_PV_FRAMES_H

#include "machine.h"

#define PAGES(order) (1ul << (order))
#define LIST_END ((1ul << 31) - 1)

/* Frames that the tests use are from here on: the kernel and its tables are below. */
#define FRAMES_FIRST 512
/* Where the guest has nothing, and its tables may have something. */
#define FRAMES_UNMAPPED 0x200000ul

struct frames_l0 {
    bool given[MACHINE_MAX_MFN];    /* L0 has them back */
    unsigned int nr_calls;
    unsigned int fails;             /* the call that it refuses, from 1 on; 0: none */
    bool fails_from_there;          /* and all others */
    bool decrease_has_failed;
};

static struct frames_l0 frames_l0;

static inline bool frames_watch(const struct pv_call *call, long *result)
{
    const struct xen_memory_reservation *op = (const void *)call->args[1];
    bool decrease = call->args[0] == XENMEM_decrease_reservation;
    unsigned long i, mfn;

    if (call->number != __HYPERVISOR_memory_op ||
        (!decrease && call->args[0] != XENMEM_populate_physmap)) {
        return false;
    }
    /* Nobody else sees the frame while it is neither's. */
    g_assert_cmpuint(free_frames_lock.held, ==, 1);
    g_assert_cmpuint(op->domid, ==, DOMID_SELF);
    g_assert_cmpuint(op->mem_flags, ==, 0);
    frames_l0.nr_calls++;
    if (frames_l0.nr_calls == frames_l0.fails ||
        (frames_l0.fails_from_there && frames_l0.nr_calls > frames_l0.fails) ||
        (!decrease && machine_l0.no_memory)) {
        frames_l0.decrease_has_failed |= decrease;
        *result = 0;
        return true;
    }
    mfn = *op->extent_start.p;
    for (i = 0; i < PAGES(op->extent_order); i++, mfn++) {
        g_assert_cmpuint(mfn, <, MACHINE_MAX_MFN);
        if (!frames_l0.decrease_has_failed) {
            g_assert_true(frames_l0.given[mfn] == !decrease);
        }
        frames_l0.given[mfn] = decrease;
    }
    return false;
}

static inline void frames_start(void)
{
    machine_start(&(struct machine_config) { 0 });
    machine_hooks.l0 = frames_watch;
}

static inline bool frames_in_range(uint64_t mfn)
{
    return (mfn >= MACHINE_LOW_MFN && mfn < MACHINE_HOLE_MFN) ||
           (mfn >= MACHINE_HIGH_MFN && mfn < MACHINE_MAX_MFN);
}

static inline bool frames_is_zero(uint64_t mfn)
{
    static const uint8_t zeros[PAGE_SIZE];

    return !memcmp(frame(mfn), zeros, PAGE_SIZE);
}

static inline void frames_write(uint64_t mfn)
{
    memset(frame(mfn), 0xa5, PAGE_SIZE);
}

static inline long frames_current(void)
{
    domid_t domid = DOMID_SELF;
    static uint64_t va;

    va = va ? va : machine_put(&domid, sizeof(domid));
    return machine_call(__HYPERVISOR_memory_op, XENMEM_current_reservation, va,
                        0, 0);
}

/*
 * Each frame is the guest's or free; the free ones are those that L0 has, and are in the
 * list once.
 */
static inline void frames_check(uint64_t nr_free)
{
    uint64_t mfn, nr = 0, head = LIST_END;

    g_assert_cmpuint(free_frames_lock.held, ==, 0);
    for (mfn = 0; mfn < MACHINE_MAX_MFN; mfn++) {
        if (marks[mfn] != MARK_FREE) {
            g_assert_cmpuint(marks[mfn], <=, 4);
            g_assert_false(frames_l0.given[mfn]);
            continue;
        }
        g_assert_true(frames_in_range(mfn));
        g_assert_true(frames_l0.given[mfn] || frames_l0.decrease_has_failed);
        nr++;
        if ((m2p[mfn] >> 31 & LIST_END) == LIST_END) {
            g_assert_cmpuint(head, ==, LIST_END);
            head = mfn;
        }
    }
    g_assert_cmpuint(nr, ==, nr_free);
    g_assert_cmpuint(nr_free_frames(), ==, nr_free);
    g_assert_cmpint(frames_current(), ==, boot->nr_pages - nr_free);
    /* As each of them leads back to the one before, none comes twice. */
    for (mfn = head; mfn != LIST_END; mfn = m2p[mfn] & LIST_END, nr--) {
        uint64_t next = m2p[mfn] & LIST_END;

        g_assert_cmpuint(nr, >, 0);
        g_assert_cmpuint(marks[mfn], ==, MARK_FREE);
        g_assert_cmphex(m2p[mfn] >> 63, ==, 1);
        g_assert_true(next == LIST_END || (m2p[next] >> 31 & LIST_END) == mfn);
    }
    g_assert_cmpuint(nr, ==, 0);
}

/* A place in the guest for lists of up to 1,024 entries. */
static inline uint64_t frames_list(const uint64_t *list, unsigned int nr)
{
    static const uint64_t zeros[1024];
    uint64_t va = machine_put(zeros, sizeof(zeros));

    g_assert_cmpuint(copy_to_guest(va, list, nr * sizeof(*list)), ==, 0);
    return va;
}

static inline uint64_t frames_entry(uint64_t list, uint64_t i)
{
    return *(uint64_t *)machine_at(list + i * sizeof(uint64_t));
}

static inline void frames_set_entry(uint64_t list, uint64_t i, uint64_t value)
{
    *(uint64_t *)machine_at(list + i * sizeof(uint64_t)) = value;
}

/* A list of @nr numbers from @first on. */
static inline uint64_t frames_list_from(uint64_t first, unsigned int nr)
{
    uint64_t list = frames_list(&first, 1), i;

    for (i = 0; i < nr; i++) {
        frames_set_entry(list, i, first + i);
    }
    return list;
}

/* At the end of what the kernel has mapped: the entry behind it is not there. */
static inline uint64_t frames_last_entry(void)
{
    return MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE -
           sizeof(uint64_t);
}

/* Where the guest has its reservation, which each call has anew. */
static inline uint64_t frames_reservation(uint64_t list, uint64_t nr,
                                          unsigned int order,
                                          unsigned int flags)
{
    struct xen_memory_reservation op = {
        .extent_start.p = (xen_pfn_t *)list, .nr_extents = nr,
        .extent_order = order, .mem_flags = flags, .domid = DOMID_SELF,
    };
    static uint64_t va;

    va = va ? va : machine_put(&op, sizeof(op));
    copy_to_guest(va, &op, sizeof(op));
    return va;
}

static inline long frames_change(unsigned int command, uint64_t list,
                                 uint64_t nr, unsigned int order,
                                 unsigned int flags)
{
    return machine_call(__HYPERVISOR_memory_op, command,
                        frames_reservation(list, nr, order, flags), 0, 0);
}

/* One list after the other at the same place. */
static inline long frames_change_one(unsigned int op, uint64_t entry,
                                     unsigned int order, unsigned int flags)
{
    static uint64_t list;

    list = list ? list : frames_list(&entry, 1);
    frames_set_entry(list, 0, entry);
    return frames_change(op, list, 1, order, flags);
}

/* The guest gives back @nr frames from @mfn on. */
static inline void frames_give(uint64_t mfn, unsigned int nr)
{
    static uint64_t list;
    uint64_t i;

    list = list ? list : frames_list(&mfn, 1);
    for (i = mfn; i < mfn + nr; i++) {
        frames_set_entry(list, 0, i);
        g_assert_cmpint(frames_change(XENMEM_decrease_reservation, list, 1, 0,
                                      0), ==, 1);
    }
}

/* One hypercall instruction: true if the guest is to make the call again, by *@regs. */
static inline bool frames_step(struct regs *regs)
{
    uint64_t rip = regs->rip;

    hypercall_trap(regs);
    if (regs->rip == rip) {
        return false;
    }
    g_assert_cmphex(regs->rip, ==, rip - 2);
    regs->rip = rip;
    return true;
}

static inline struct regs frames_call(uint64_t command, uint64_t arg)
{
    struct regs regs = machine_trapped(VECTOR_SYSCALL, 0);

    regs.rax = __HYPERVISOR_memory_op;
    regs.rdi = command;
    regs.rsi = arg;
    return regs;
}

/* An event is there that the guest wants to have, or not. */
static inline void frames_raise(bool pending)
{
    vcpu_info_t *info = this_vcpu()->info;

    info->evtchn_upcall_mask = 0;
    info->evtchn_upcall_pending = pending;
}

#endif /* TESTS_PV_FRAMES_H */
