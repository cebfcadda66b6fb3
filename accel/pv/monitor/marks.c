/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which frames of the guest are page tables, and the monitor's own entries in those of
 * the highest level.
 */

#include "marks.h"

#define ENTRIES 512
#define WINDOWS_SLOT 4          /* what the monitor needs begins there */

bool is_hypervisor_slot(unsigned int entry)
{
    return entry >= FIRST_SLOT && entry < FIRST_SLOT + NR_SLOTS;
}

bool top_is_in_use(uint64_t mfn)
{
    unsigned int id;

    for (id = 0; id < boot->nr_vcpus; id++) {
        const struct vcpu *v = vcpu_by_id(id);

        if (v->initialised && (v->kernel_top == mfn || v->user_top == mfn)) {
            return true;
        }
    }
    return false;
}

/* Another vCPU may give the frame back meanwhile. */
void set_mark(uint64_t mfn, uint8_t level)
{
    uint8_t old = __atomic_load_n(&marks[mfn], __ATOMIC_RELAXED);

    if (old == 4 && top_is_in_use(mfn)) {
        return;
    }
    while (old < MARK_KEPT &&
           !__atomic_compare_exchange_n(&marks[mfn], &old, level, true,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
    }
}

/*
 * A frame that has no mark yet gets one once, so all of them take at most as long
 * as the guest has memory.  A guest can make one that is a table of several levels
 * be marked again and again: so often only, and the rest comes by page faults.
 */
#define MAX_CHANGED_MARKS 4096

static void mark(uint64_t mfn, unsigned int level, unsigned int *changed)
{
    uint64_t *table;
    unsigned int i;

    if (!is_guest_frame(mfn) || marks[mfn] == level ||
        (marks[mfn] == 4 && top_is_in_use(mfn))) {
        return;
    }
    if (marks[mfn] && ++*changed > MAX_CHANGED_MARKS) {
        set_mark(mfn, level);
        return;
    }
    set_mark(mfn, level);
    table = frame(mfn);
    for (i = 0; i < ENTRIES; i++) {
        if ((level == 4 && is_hypervisor_slot(i)) ||
            !(table[i] & PTE_PRESENT)) {
            continue;
        }
        add_user(&table[i]);
        if (level > 1 && !(table[i] & PTE_LARGE)) {
            mark((table[i] & PTE_FRAME) >> PAGE_SHIFT, level - 1, changed);
        }
    }
}

void mark_tables(uint64_t mfn, unsigned int level)
{
    unsigned int changed = 0;

    mark(mfn, level, &changed);
}

void install_slots(uint64_t mfn)
{
    uint64_t *top = frame(mfn);
    unsigned int i;

    for (i = 0; i < NR_SLOTS; i++) {
        top[FIRST_SLOT + i] = boot->slots[i];
    }
}

/*
 * Without these the monitor would be gone as soon as the table is loaded.  A guest
 * that has its top-level table mapped writable could do that to itself.
 */
void check_slots(uint64_t mfn)
{
    const uint64_t *top = frame(mfn);
    uint64_t differs = 0;
    unsigned int i;

    for (i = WINDOWS_SLOT; i < NR_SLOTS; i++) {
        differs |= top[FIRST_SLOT + i] ^ boot->slots[i];
    }
    if (differs & ~(PTE_ACCESSED | PTE_DIRTY)) {
        for (i = WINDOWS_SLOT; i < NR_SLOTS; i++) {
            ((uint64_t *)frame(mfn))[FIRST_SLOT + i] = boot->slots[i];
        }
    }
}

void unpin(uint64_t mfn)
{
    uint64_t *top = frame(mfn);
    unsigned int i;

    if (marks[mfn] == 4) {
        /* The page may become anything: leave nothing of the hypervisor's. */
        for (i = 0; i < NR_SLOTS; i++) {
            top[FIRST_SLOT + i] = 0;
        }
    }
    set_mark(mfn, 0);
}
