/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making 4-level page tables in memory that is the machine's only later. */

#include <string.h>

#include "builder.h"
#include "tables.h"

#define ENTRIES 512
#define GUEST_FLAGS (XEN_PV_PTE_PRESENT | XEN_PV_PTE_USER | \
                     XEN_PV_PTE_ACCESSED)

struct XenPVTables {
    const uint64_t *mfns;
    uint64_t nr;
    GArray *entries;            /* ENTRIES for each table */
    GArray *next;               /* of each entry: its table's number, or 0 */
};

static void add_table(XenPVTables *tables)
{
    g_array_set_size(tables->entries, tables->entries->len + ENTRIES);
    g_array_set_size(tables->next, tables->next->len + ENTRIES);
}

XenPVTables *xen_pv_tables_new(const uint64_t *mfns, uint64_t nr)
{
    XenPVTables *tables = g_new0(XenPVTables, 1);

    tables->mfns = mfns;
    tables->nr = nr;
    tables->entries = g_array_new(false, true, sizeof(uint64_t));
    tables->next = g_array_new(false, true, sizeof(uint32_t));
    add_table(tables);
    return tables;
}

uint64_t xen_pv_tables_count(const XenPVTables *tables)
{
    return tables->entries->len / ENTRIES;
}

GBytes *xen_pv_tables_free(XenPVTables *tables)
{
    GBytes *data;

    g_array_set_size(tables->entries,
                     MIN(tables->entries->len, tables->nr * ENTRIES));
    data = g_bytes_new(tables->entries->data,
                       tables->entries->len * sizeof(uint64_t));
    g_array_unref(tables->entries);
    g_array_unref(tables->next);
    g_free(tables);
    return data;
}

void xen_pv_tables_set_slots(XenPVTables *tables, const uint64_t *slots)
{
    memcpy(&g_array_index(tables->entries, uint64_t, XEN_PV_FIRST_SLOT), slots,
           XEN_PV_NR_SLOTS * sizeof(uint64_t));
}

static uint64_t frame(const XenPVTables *tables, uint32_t number)
{
    return number < tables->nr ? tables->mfns[number] : 0;
}

void xen_pv_tables_set(XenPVTables *tables, uint64_t va, unsigned int level,
                       uint64_t pte, uint64_t upper_flags)
{
    uint32_t table = 0;
    unsigned int at, entry;

    for (at = 4; at > level; at--) {
        uint32_t next;

        entry = table * ENTRIES + (va >> (12 + 9 * (at - 1)) & 511);
        next = g_array_index(tables->next, uint32_t, entry);
        if (!next) {
            next = xen_pv_tables_count(tables);
            add_table(tables);
            g_array_index(tables->next, uint32_t, entry) = next;
            g_array_index(tables->entries, uint64_t, entry) =
                frame(tables, next) << 12 | upper_flags;
        }
        table = next;
    }
    entry = table * ENTRIES + (va >> (12 + 9 * (level - 1)) & 511);
    g_array_index(tables->entries, uint64_t, entry) = pte;
}

void xen_pv_tables_map(XenPVTables *tables, uint64_t va, uint64_t mfn,
                       bool write)
{
    xen_pv_tables_set(tables, va, 1,
                      mfn << 12 | GUEST_FLAGS | (write ? XEN_PV_PTE_WRITE : 0),
                      GUEST_FLAGS | XEN_PV_PTE_WRITE | XEN_PV_PTE_DIRTY);
}

uint64_t xen_pv_tables_top(const XenPVTables *tables, uint64_t va)
{
    return g_array_index(tables->entries, uint64_t, va >> 39 & 511);
}
