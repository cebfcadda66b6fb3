/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's page tables as tests of the monitor look at them, and calls that change
 * them.
 */

#ifndef TESTS_PV_TABLES_H
#define TESTS_PV_TABLES_H

#include "machine.h"

#define VA              0xffff900000000000ul
#define TABLE_SIZE(level) (1ul << (3 + 9 * (level)))     /* what one entry maps */
#define NO_SUCH_FRAME   (PTE_FRAME >> PAGE_SHIFT)
#define NX              (1ul << 63)

/* Frames that no call may take for the guest's. */
static const uint64_t not_the_guests[] = {
    0, MACHINE_XENSTORE_MFN, MACHINE_LOW_MFN - 1, MACHINE_HOLE_MFN,
    MACHINE_HIGH_MFN - 1, MACHINE_MAX_MFN, MACHINE_SHARED_INFO_MFN,
    MACHINE_GRANT_MFN, MACHINE_VCPUS_MFN, MACHINE_TABLES_MFN, NO_SUCH_FRAME, ~0ul,
    /* The frame is in its lower bits. */
    MACHINE_LOW_MFN | 1ul << 52,
};

static inline uint64_t *entries_of(uint64_t mfn)
{
    return frame(mfn);
}

static inline uint64_t mfn_in(uint64_t entry)
{
    return (entry & PTE_FRAME) >> PAGE_SHIFT;
}

static inline uint64_t kernel_top(void)
{
    return vcpu_by_id(0)->kernel_top;
}

/* The machine's address of the entry for @va at this level, in vCPU 0's kernel. */
static inline uint64_t place_of(uint64_t va, unsigned int level)
{
    uint64_t mfn = kernel_top();
    unsigned int at;

    for (at = 4; ; at--) {
        uint64_t address = mfn << PAGE_SHIFT | (va >> (3 + 9 * at) & 511) * 8;

        if (at == level) {
            return address;
        }
        mfn = mfn_in(*(uint64_t *)directmap(address));
    }
}

static inline uint64_t *entry_of(uint64_t va, unsigned int level)
{
    return directmap(place_of(va, level));
}

/* Tables for VA, with a page there: its frame. */
static inline uint64_t map_page(void)
{
    uint64_t mfn = machine_frame();

    machine_map(VA, mfn, PTE_PRESENT | PTE_WRITE);
    mark_tables(mfn_in(*entry_of(VA, 4)), 3);
    return mfn;
}

static inline long update(uint64_t address, uint64_t value)
{
    static uint64_t list;
    struct mmu_update op = { .ptr = address, .val = value };

    if (!list) {
        list = machine_put(&op, sizeof(op));
    }
    *(struct mmu_update *)machine_at(list) = op;
    return machine_call(__HYPERVISOR_mmu_update, list, 1, 0, DOMID_SELF);
}

static inline long update_va(uint64_t va, uint64_t value, uint64_t flags)
{
    return machine_call(__HYPERVISOR_update_va_mapping, va, value, flags, 0);
}

static inline long mmuext(unsigned int cmd, uint64_t first, uint64_t second)
{
    static uint64_t list;
    struct mmuext_op op = { .cmd = cmd };

    op.arg1.linear_addr = first;
    op.arg2.src_mfn = second;
    if (!list) {
        list = machine_put(&op, sizeof(op));
    }
    *(struct mmuext_op *)machine_at(list) = op;
    return machine_call(__HYPERVISOR_mmuext_op, list, 1, 0, DOMID_SELF);
}

/* Each of these flushes the TLB of the vCPU's processor. */
static inline unsigned int loads(unsigned int id)
{
    return machine_processors[id].nr_cr3_loads;
}

#endif /* TESTS_PV_TABLES_H */
