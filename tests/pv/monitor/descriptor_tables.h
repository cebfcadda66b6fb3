/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of descriptors.c: tables of descriptors, and the calls that set them. */

#ifndef TESTS_PV_DESCRIPTOR_TABLES_H
#define TESTS_PV_DESCRIPTOR_TABLES_H

#include "machine.h"

#define DATA        0x00cf93000000fffful       /* ring 0 */
#define CODE        0x00af9b000000fffful
#define RING_3      (3ul << 45)
#define TSS         (0x8900ul << 32 | 0x67)     /* nobody's to have */
#define ENTRIES     512u
#define NR_VCPUS    3

static const struct machine_config config = { .nr_vcpus = NR_VCPUS };

static inline uint64_t *gdt(unsigned int id)
{
    return windows_of(id);
}

static inline uint64_t *ldt(unsigned int id)
{
    return windows_of(id) + TABLE_WINDOW / 8;
}

static inline uint64_t *table(uint64_t mfn)
{
    return frame(mfn);
}

/* A frame full of data segments, each with its own number. */
static inline uint64_t new_table(uint16_t number)
{
    uint64_t mfn = machine_frame();
    unsigned int i;

    for (i = 0; i < ENTRIES; i++) {
        table(mfn)[i] = (DATA & ~0xfffful) | (uint16_t)(number + i);
    }
    return mfn;
}

static inline uint64_t entry_of(uint16_t number, unsigned int i)
{
    return (DATA & ~0xfffful) | (uint16_t)(number + i) | RING_3;
}

static inline long update(uint64_t mfn, unsigned int index, uint64_t descriptor)
{
    return machine_call(__HYPERVISOR_update_descriptor,
                        (mfn << PAGE_SHIFT) + index * 8, descriptor, 0, 0);
}

#define LDT_VA 0xffff900000000000ul

/* Pages of descriptors at LDT_VA. */
static inline void map_ldt(unsigned int pages)
{
    unsigned int i;

    for (i = 0; i < pages; i++) {
        machine_map(LDT_VA + i * PAGE_SIZE, new_table(i * ENTRIES), PTE_PRESENT);
    }
}

static inline uint64_t ldt_limit(unsigned int id)
{
    uint64_t low = gdt(id)[SEL_LDT / 8];

    return (low & 0xffff) | (low >> 32 & 0xf0000);
}

static inline long set_gdt_of(const uint64_t *frames, unsigned int entries)
{
    return machine_call(__HYPERVISOR_set_gdt,
                        machine_put(frames, 14 * sizeof(*frames)), entries, 0, 0);
}

static inline long set_ldt_of(uint64_t address, unsigned int entries)
{
    struct mmuext_op op = {
        .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = address,
        .arg2.nr_ents = entries,
    };

    return machine_call(__HYPERVISOR_mmuext_op, machine_put(&op, sizeof(op)), 1, 0,
                        DOMID_SELF);
}

#endif /* TESTS_PV_DESCRIPTOR_TABLES_H */
