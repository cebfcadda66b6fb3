/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each frame of the guest is, and the hypervisor's entries in top-level tables. */

#ifndef PV_MONITOR_MARKS_H
#define PV_MONITOR_MARKS_H

#include "monitor.h"

/* A frame's mark is the level of the page table in it, or 0; or one of these. */
#define MARK_FREE 0xff          /* the guest has given it back */
/* During an exchange: from the guest; of the free ones, or from the guest, for it. */
#define MARK_STOLEN 0xfe
#define MARK_TAKEN 0xfd
#define MARK_KEPT 0xfc          /* the lowest of these */

/* Other vCPUs read and set marks meanwhile. */
static inline uint8_t mark_of(uint64_t mfn)
{
    return __atomic_load_n(&marks[mfn], __ATOMIC_SEQ_CST);
}

/* Of a frame that is nobody else's to mark: see MARK_KEPT, and free_frames_lock. */
static inline void put_mark(uint64_t mfn, uint8_t mark)
{
    __atomic_store_n(&marks[mfn], mark, __ATOMIC_RELEASE);
}

/* The entries of a top-level table that are the hypervisor's. */
#define FIRST_SLOT 256
#define NR_SLOTS 16
bool is_hypervisor_slot(unsigned int entry);
/* Whether this entry of a table, in the directmap, is one of those. */
bool is_hypervisor_entry(const uint64_t *entry);
void install_slots(uint64_t mfn);
/* Before the table is loaded. */
void check_slots(uint64_t mfn);

/* Whether a vCPU has this top-level table for one of its modes. */
bool top_is_in_use(uint64_t mfn);
/* What is nobody's stays so, and so does a top-level table that is in use. */
void set_mark(uint64_t mfn, uint8_t level);
/* False if the table has an entry of its own by which the guest could write it. */
bool mark_tables(uint64_t mfn, unsigned int level);
/*
 * The frame is the guest's no more: it gets @mark, one from MARK_KEPT on.  Returns the
 * mark that it had, or -1 if that is above @most, as another vCPU may have made it
 * meanwhile, or if it is not the guest's.
 */
int take_frame(uint64_t mfn, uint8_t most, uint8_t mark);
/*
 * The frame is a top-level table, with the monitor's entries; false if it is not the
 * guest's, or another vCPU gives it back now, or it can be written through an entry of
 * its own.  It stays one if a vCPU has it already.  A caller that has failed sets its
 * mark to 0, once no vCPU has it.
 */
bool make_top_table(uint64_t mfn);

#endif /* PV_MONITOR_MARKS_H */
