/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-table isolation, for processors on which a program reads what its page tables map for
 * ring 0 alone (Meltdown).  The guest's kernel may read all of the machine's memory; user mode may
 * not.  So a vCPU enters user mode with a top-level table of its own: a copy of the guest's,
 * in which of the monitor there is only what it takes to leave user mode: code, IDT,
 * the vCPU's own block with TSS and stacks, its stub, and the GDTs.  There is neither
 * the directmap nor another vCPU's block.
 *
 * The copy is made at each entry.  The guest's kernel changes the original meanwhile on another
 * vCPU: what it adds is seen after a fault (isolation_is_behind()), and what it takes
 * away once it has flushed this vCPU's TLB, which makes the vCPU enter again.
 */

#include "marks.h"

#define ENTRIES         512
#define WINDOWS_ENTRY   260
#define MONITOR_ENTRY   261
#define LEVEL_2_ENTRY(va) ((va) >> 21 & (ENTRIES - 1))
#define LEVEL_1_ENTRY(va) ((va) >> 12 & (ENTRIES - 1))
/* The monitor's image, what QEMU has told it, and the stubs. */
#define IMAGE_ENTRY     LEVEL_2_ENTRY(MONITOR_VA)
_Static_assert(LEVEL_2_ENTRY(STUBS_VA) == IMAGE_ENTRY, "it leaves user mode by its stub");
_Static_assert(LEVEL_2_ENTRY(VCPUS_VA) > IMAGE_ENTRY, "other vCPUs' blocks are hidden");

static uint64_t table_mfn(const struct vcpu *v, unsigned int level)
{
    return boot->isolation_mfn + v->id * ISOLATION_PAGES + level - 1;
}

static uint64_t *table(const struct vcpu *v, unsigned int level)
{
    return frame(table_mfn(v, level));
}

static uint64_t *next_table(uint64_t entry)
{
    return frame((entry & PTE_FRAME) >> PAGE_SHIFT);
}

static uint64_t entry_of(const struct vcpu *v, unsigned int level)
{
    return table_mfn(v, level) << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE |
           PTE_ACCESSED | PTE_DIRTY;
}

void init_isolation(struct vcpu *v)
{
    uint64_t block = (uint64_t)v;
    const uint64_t *level_2, *level_1;
    unsigned int i;

    if (!boot->isolation_mfn) {
        return;
    }
    level_2 = next_table(next_table(boot->slots[MONITOR_ENTRY - FIRST_SLOT])[0]);
    level_1 = next_table(level_2[LEVEL_2_ENTRY(block)]);
    for (i = 0; i < VCPU_SIZE / PAGE_SIZE; i++) {
        table(v, 1)[LEVEL_1_ENTRY(block) + i] = level_1[LEVEL_1_ENTRY(block) + i];
    }
    for (i = 0; i < ENTRIES; i++) {
        table(v, 2)[i] = i == LEVEL_2_ENTRY(block) ? entry_of(v, 1) :
                         i == IMAGE_ENTRY ? level_2[i] : 0;
    }
    table(v, 3)[0] = entry_of(v, 2);
    table(v, 4)[WINDOWS_ENTRY] = boot->slots[WINDOWS_ENTRY - FIRST_SLOT];
    table(v, 4)[MONITOR_ENTRY] = entry_of(v, 3);
}

void isolate(struct vcpu *v)
{
    const uint64_t *from;
    uint64_t *to;

    if (!boot->isolation_mfn || v->kernel_mode) {
        v->exit_cr3 = 0;
        return;
    }
    from = frame(v->user_top);
    to = table(v, 4);
    __builtin_memcpy(to, from, FIRST_SLOT * sizeof(*to));
    __builtin_memcpy(to + FIRST_SLOT + NR_SLOTS, from + FIRST_SLOT + NR_SLOTS,
                     (ENTRIES - FIRST_SLOT - NR_SLOTS) * sizeof(*to));
    v->exit_cr3 = table_mfn(v, 4) << PAGE_SHIFT;
}

bool isolation_is_behind(const struct vcpu *v, uint64_t address)
{
    unsigned int i = address >> 39 & (ENTRIES - 1);
    const uint64_t *own;

    if (!v->exit_cr3 || is_hypervisor_slot(i)) {
        return false;
    }
    own = frame(v->user_top);
    return (own[i] ^ table(v, 4)[i]) & ~(PTE_ACCESSED | PTE_DIRTY);
}
