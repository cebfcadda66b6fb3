/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which segment descriptors a guest may have: those of ring 3. */

#include "check_descriptor.h"

#define RESERVED_SELECTORS 0xe000
#define FLAT_CODE_SELECTOR 0xe033

#define DESC_P          (1ul << 47)
#define DESC_DPL        (3ul << 45)
#define DESC_S          (1ul << 44)
#define DESC_CODE       (1ul << 43)
#define DESC_L          (1ul << 53)
#define DESC_DB         (1ul << 54)
#define SYSTEM_TYPE(d)  ((d) >> 40 & 0xf)
#define TYPE_NONE       0
#define TYPE_CALL_GATE  0xc
#define GATE_SELECTOR(d) ((d) >> 16 & 0xffff)
#define GATE_RESERVED   (0xfful << 32)

/* Of the guest's own GDT or LDT, or the code segment of ring 3 that it is given. */
static bool is_guest_selector(unsigned int selector)
{
    return selector & 4 || selector < RESERVED_SELECTORS ||
           selector == FLAT_CODE_SELECTOR;
}

/*
 * A call gate stays, with DPL 0, so that its use faults; its RPL says which DPL it
 * had, as on Xen.  Type 0 is the second half of one: it faults, too.
 */
static bool check_system(uint64_t *descriptor)
{
    uint64_t d = *descriptor;

    if (SYSTEM_TYPE(d) == TYPE_NONE) {
        return true;
    }
    if (SYSTEM_TYPE(d) != TYPE_CALL_GATE ||
        !is_guest_selector(GATE_SELECTOR(d)) || d & GATE_RESERVED) {
        return false;
    }
    *descriptor = (d & ~(DESC_DPL | 3ul << 16)) | 3ul << 16;
    return true;
}

bool check_descriptor(uint64_t *descriptor)
{
    uint64_t d = *descriptor;

    if (!(d & DESC_P)) {
        return true;
    }
    if (!(d & DESC_S)) {
        return check_system(descriptor);
    }
    if (d & DESC_CODE && d & DESC_L && d & DESC_DB) {
        return false;
    }
    *descriptor = d | DESC_DPL;
    return true;
}
