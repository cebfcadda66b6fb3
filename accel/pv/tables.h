/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making 4-level page tables in memory that is the machine's only later. */

#ifndef XEN_PV_TABLES_H
#define XEN_PV_TABLES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define XEN_PV_PTE_PRESENT  0x01ull
#define XEN_PV_PTE_WRITE    0x02ull
#define XEN_PV_PTE_USER     0x04ull
#define XEN_PV_PTE_ACCESSED 0x20ull
#define XEN_PV_PTE_DIRTY    0x40ull
#define XEN_PV_PTE_LARGE    0x80ull
#define XEN_PV_PTE_NX       (1ull << 63)

typedef struct XenPVTables XenPVTables;

/*
 * Tables in the frames @mfns, of which there are @nr; the first one is the top
 * level.  Beyond @nr they are only counted.
 */
XenPVTables *xen_pv_tables_new(const uint64_t *mfns, uint64_t nr);
uint64_t xen_pv_tables_count(const XenPVTables *tables);
/* The tables' contents, in the order of their frames. */
GBytes *xen_pv_tables_free(XenPVTables *tables);

/* The hypervisor's entries of the top level. */
void xen_pv_tables_set_slots(XenPVTables *tables, const uint64_t *slots);
/* A page of the guest's, which its user mode reaches only by other tables. */
void xen_pv_tables_map(XenPVTables *tables, uint64_t va, uint64_t mfn,
                       bool write);
/* The entry @pte for @va, at level 1 (4 KiB) or 2 (2 MiB). */
void xen_pv_tables_set(XenPVTables *tables, uint64_t va, unsigned int level,
                       uint64_t pte, uint64_t upper_flags);
/* The top level's entry for @va. */
uint64_t xen_pv_tables_top(const XenPVTables *tables, uint64_t va);

#endif /* XEN_PV_TABLES_H */
