/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which segment descriptors a guest may have: those of ring 3. */

#include "check_descriptor.h"

#define DESC_P          (1ul << 47)
#define DESC_DPL        (3ul << 45)
#define DESC_S          (1ul << 44)
#define DESC_CODE       (1ul << 43)
#define DESC_L          (1ul << 53)
#define DESC_DB         (1ul << 54)
#define SYSTEM_TYPE(d)  ((d) >> 40 & 0xf)
#define TYPE_CALL_GATE  0xc

bool check_descriptor(uint64_t *descriptor)
{
    uint64_t d = *descriptor;

    if (!(d & DESC_P)) {
        return true;
    }
    if (!(d & DESC_S)) {
        /*
         * No gate is the guest's: a call gate gets DPL 0, so that its use faults,
         * and is not followed.
         */
        if (SYSTEM_TYPE(d) != TYPE_CALL_GATE) {
            return false;
        }
        *descriptor = d & ~(DESC_DPL | DESC_P);
        return true;
    }
    if (d & DESC_CODE && d & DESC_L && d & DESC_DB) {
        return false;
    }
    *descriptor = d | DESC_DPL;
    return true;
}
