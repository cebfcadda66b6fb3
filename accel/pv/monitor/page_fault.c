/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults of the guest that are of the monitor's making: its kernel's pages lack
 * USER, and a table of the lowest level is read-only to it.
 */

#include "marks.h"

#define ENTRIES 512

#define ERROR_PRESENT   1
#define ERROR_WRITE     2
#define ERROR_RESERVED  8
#define ERROR_FETCH     16

static bool writable_pagetables;

void set_writable_pagetables(bool set)
{
    writable_pagetables = set;
}

/* Whether the guest took this very fault too often for it to be repaired. */
static bool repeats(struct vcpu *v, uint64_t address, uint64_t rip)
{
    enum { MAX_REPEATS = 8 };

    if (v->fault_address != address || v->fault_rip != rip) {
        v->fault_address = address;
        v->fault_rip = rip;
        v->fault_count = 0;
    }
    return ++v->fault_count > MAX_REPEATS;
}

bool fix_page_fault(struct vcpu *v, uint64_t address, uint64_t error,
                    uint64_t rip)
{
    unsigned int level, i;
    bool lacks_user = false, is_linear;
    uint64_t *entry, value;

    /* User mode gets what its tables say: USER is for the kernel's pages. */
    if (!(error & ERROR_PRESENT) || !v->kernel_mode ||
        !guest_range_ok(address, 1)) {
        return false;
    }
    for (level = 4; level; level--) {
        entry = pte_of(v, address, level);
        if (!entry || !(*entry & PTE_PRESENT) || is_hypervisor_entry(entry)) {
            return false;
        }
        if (!(*entry & PTE_USER)) {
            lacks_user = true;
            add_user(entry);
        }
    }
    if (lacks_user) {
        entry = (uint64_t *)((uint64_t)entry & ~(PAGE_SIZE - 1));
        /* Its neighbours are of the same kind, but for the monitor's in a linear table. */
        is_linear = is_hypervisor_entry(&entry[FIRST_SLOT]);
        for (i = 0; !is_linear && i < ENTRIES; i++) {
            add_user(&entry[i]);
        }
        return !repeats(v, address, rip);
    }
    value = __atomic_load_n(entry, __ATOMIC_RELAXED);
    if (error & ERROR_WRITE && !(value & PTE_WRITE)) {
        uint64_t mfn = (value & PTE_FRAME) >> PAGE_SHIFT;

        /* As Xen, for the lowest tables alone. */
        if (!writable_pagetables || !is_guest_frame(mfn) || mark_of(mfn) != 1) {
            return false;
        }
        /* Of that frame only: another vCPU may have put another one there. */
        __atomic_compare_exchange_n(entry, &value, value | PTE_WRITE, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
        invlpg(address);
        return !repeats(v, address, rip);
    }
    /* Another vCPU has repaired it, or the TLB was behind. */
    return !(error & (ERROR_RESERVED | ERROR_FETCH)) &&
           !repeats(v, address, rip);
}
