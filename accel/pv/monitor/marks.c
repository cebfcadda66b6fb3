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

bool is_hypervisor_entry(const uint64_t *entry)
{
    uint64_t at = (const uint8_t *)entry - (const uint8_t *)directmap(0);
    uint64_t mfn = at >> PAGE_SHIFT;

    return mark_of(mfn) == 4 &&
           is_hypervisor_slot(at % PAGE_SIZE / sizeof(*entry));
}

bool top_is_in_use(uint64_t mfn)
{
    unsigned int id;

    for (id = 0; id < boot->nr_vcpus; id++) {
        const struct vcpu *v = vcpu_by_id(id);

        if (__atomic_load_n(&v->initialised, __ATOMIC_SEQ_CST) &&
            (__atomic_load_n(&v->kernel_top, __ATOMIC_SEQ_CST) == mfn ||
             __atomic_load_n(&v->user_top, __ATOMIC_SEQ_CST) == mfn ||
             __atomic_load_n(&v->other_top, __ATOMIC_SEQ_CST) == mfn)) {
            return true;
        }
    }
    return false;
}

/* The page may become anything: leave nothing of the hypervisor's. */
static void remove_slots(uint64_t mfn)
{
    uint64_t *top = frame(mfn);
    unsigned int i;

    for (i = 0; i < NR_SLOTS; i++) {
        top[FIRST_SLOT + i] = 0;
    }
}

/* Another vCPU may give the frame back meanwhile, or make it a top-level table. */
void set_mark(uint64_t mfn, uint8_t level)
{
    uint8_t old = mark_of(mfn);

    while (old < MARK_KEPT && !(old == 4 && top_is_in_use(mfn))) {
        if (__atomic_compare_exchange_n(&marks[mfn], &old, level, true,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
            if (old == 4 && level != 4) {
                remove_slots(mfn);
            }
            break;
        }
    }
}

int take_frame(uint64_t mfn, uint8_t most, uint8_t mark)
{
    uint8_t old;

    if (!is_guest_frame(mfn)) {
        return -1;
    }
    old = mark_of(mfn);
    while (old <= most) {
        if (__atomic_compare_exchange_n(&marks[mfn], &old, mark, true,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
            return old;
        }
    }
    return -1;
}

/*
 * A frame that has no mark yet gets one once, so all of them take at most as long
 * as the guest has memory.  A guest can make one that is a table of several levels
 * be marked again and again: so often only, and the rest comes by page faults.
 */
#define MAX_CHANGED_MARKS 4096

struct marking {
    uint64_t root;              /* where it has begun */
    bool root_is_writable;      /* through an entry of its own */
    unsigned int changed;
};

static void mark(uint64_t mfn, unsigned int level, struct marking *m)
{
    uint64_t *table;
    unsigned int i;
    uint8_t old;

    if (!is_guest_frame(mfn)) {
        return;
    }
    old = mark_of(mfn);
    if (old == level || (old == 4 && top_is_in_use(mfn))) {
        return;
    }
    set_mark(mfn, level);
    if (old && ++m->changed > MAX_CHANGED_MARKS) {
        return;
    }
    table = frame(mfn);
    for (i = 0; i < ENTRIES; i++) {
        uint64_t entry = __atomic_load_n(&table[i], __ATOMIC_RELAXED);
        uint64_t next = (entry & PTE_FRAME) >> PAGE_SHIFT;

        if ((level == 4 && is_hypervisor_slot(i)) || !(entry & PTE_PRESENT)) {
            continue;
        }
        add_user(&table[i]);
        /* A linear table: that the root leads to itself does not make it a lower one. */
        if (next == m->root) {
            m->root_is_writable |= !!(entry & PTE_WRITE);
        } else if (level > 1 && !(entry & PTE_LARGE)) {
            mark(next, level - 1, m);
        }
    }
}

bool mark_tables(uint64_t mfn, unsigned int level)
{
    struct marking m = { .root = mfn };

    mark(mfn, level, &m);
    return !m.root_is_writable;
}

void install_slots(uint64_t mfn)
{
    uint64_t *top = frame(mfn);
    unsigned int i;

    for (i = 0; i < NR_SLOTS; i++) {
        top[FIRST_SLOT + i] = boot->slots[i];
    }
}

bool make_top_table(uint64_t mfn)
{
    if (!is_guest_frame(mfn) || !mark_tables(mfn, 4) || mark_of(mfn) != 4) {
        return false;
    }
    install_slots(mfn);
    return true;
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
