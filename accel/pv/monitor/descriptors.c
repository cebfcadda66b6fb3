/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's GDT and LDT.  The processor uses copies, in windows of the vCPU's own,
 * so that the guest cannot change a descriptor that is in use: with one of DPL 0 its
 * user mode would be in the monitor's ring.
 */

#include "check_descriptor.h"
#include "monitor.h"

#define ENTRIES_PER_PAGE 512

static uint64_t *gdt_window(const struct vcpu *v)
{
    return windows_of(v->id);
}

static uint64_t *ldt_window(const struct vcpu *v)
{
    return gdt_window(v) + TABLE_WINDOW / 8;
}

bool read_segment(const struct vcpu *v, uint16_t selector,
                  struct segment *segment)
{
    bool in_ldt = selector & 4;
    unsigned int index = selector / 8;
    uint64_t d;

    if (selector <= 3 || (in_ldt && index >= v->ldt_entries)) {
        return false;
    }
    d = (in_ldt ? ldt_window(v) : gdt_window(v))[index];
    *segment = (struct segment) {
        .base = (d >> 16 & 0xffffff) | (d >> 56) << 24,
        .limit = (d & 0xffff) | (d >> 32 & 0xf0000),
        .type = d >> 40,
        .is_64bit = d >> 53 & 1,
        .is_32bit = d >> 54 & 1,
    };
    if (d >> 55 & 1) {
        segment->limit = segment->limit << PAGE_SHIFT | (PAGE_SIZE - 1);
    }
    return true;
}

static bool check_page(const uint64_t *from, unsigned int entries)
{
    unsigned int i;

    for (i = 0; i < entries; i++) {
        uint64_t d = from[i];

        if (!check_descriptor(&d)) {
            return false;
        }
    }
    return true;
}

/*
 * Copy a page of descriptors; false if one of them is bad.  They may have changed since
 * check_page().
 */
static bool copy_page(uint64_t *to, const uint64_t *from, unsigned int entries)
{
    uint64_t page[ENTRIES_PER_PAGE];
    unsigned int i;

    for (i = 0; i < entries; i++) {
        page[i] = from[i];
        if (!check_descriptor(&page[i])) {
            return false;
        }
    }
    for (i = 0; i < entries; i++) {
        to[i] = page[i];
    }
    for (; i < ENTRIES_PER_PAGE; i++) {
        to[i] = 0;
    }
    return true;
}

/* How many of @entries are in the table's page @page. */
static unsigned int entries_of_page(unsigned int entries, unsigned int page)
{
    unsigned int left = entries - page * ENTRIES_PER_PAGE;

    return left < ENTRIES_PER_PAGE ? left : ENTRIES_PER_PAGE;
}

long set_gdt(struct vcpu *v, const uint64_t *frames, unsigned int entries)
{
    unsigned int pages = (entries + ENTRIES_PER_PAGE - 1) / ENTRIES_PER_PAGE;
    unsigned int i, end = pages * ENTRIES_PER_PAGE;

    if (entries > GDT_ENTRIES) {
        return -XEN_EINVAL;
    }
    /* One that is refused leaves the old table as it was. */
    for (i = 0; i < pages; i++) {
        if (!is_guest_frame(frames[i]) ||
            !check_page(frame(frames[i]), entries_of_page(entries, i))) {
            return -XEN_EINVAL;
        }
    }
    for (i = 0; i < pages; i++) {
        if (!copy_page(gdt_window(v) + i * ENTRIES_PER_PAGE, frame(frames[i]),
                       entries_of_page(entries, i))) {
            return -XEN_EINVAL;
        }
        v->gdt_frames[i] = frames[i];
        if (v->gdt_end < (i + 1) * ENTRIES_PER_PAGE) {
            v->gdt_end = (i + 1) * ENTRIES_PER_PAGE;
        }
    }
    /* The host gives memory only for pages of the window that were in use. */
    for (i = end; i < v->gdt_end; i++) {
        gdt_window(v)[i] = 0;
    }
    v->gdt_end = end;
    v->gdt_entries = entries;
    return 0;
}

long call_set_gdt(uint64_t list, unsigned int entries)
{
    uint64_t frames[14];
    unsigned int pages = (entries + ENTRIES_PER_PAGE - 1) / ENTRIES_PER_PAGE;

    if (entries > GDT_ENTRIES) {
        return -XEN_EINVAL;
    }
    if (copy_from_guest(frames, list, pages * sizeof(*frames))) {
        return -XEN_EFAULT;
    }
    return set_gdt(this_vcpu(), frames, entries);
}

static void load_ldt(const struct vcpu *v)
{
    uint64_t *entry = gdt_window(v) + SEL_LDT / 8;
    uint64_t base = (uint64_t)ldt_window(v);
    uint64_t limit = v->ldt_entries * 8ul - 1;

    if (!v->ldt_entries) {
        lldt(0);
        return;
    }
    entry[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | 0x82ul << 40 |
               (limit & 0xf0000) << 32 | (base >> 24 & 0xff) << 56;
    entry[1] = base >> 32;
    lldt(SEL_LDT);
}

long set_ldt(struct vcpu *v, uint64_t base, unsigned int entries)
{
    uint64_t frames[LDT_ENTRIES / ENTRIES_PER_PAGE];
    unsigned int pages = (entries + ENTRIES_PER_PAGE - 1) / ENTRIES_PER_PAGE, i;

    /* None has no address. */
    base = entries ? base : 0;
    if (entries > LDT_ENTRIES || base & (PAGE_SIZE - 1) ||
        !guest_range_ok(base, entries * 8ul)) {
        return -XEN_EINVAL;
    }
    for (i = 0; i < pages; i++) {
        if (!guest_frame_at(v, base + i * PAGE_SIZE, &frames[i]) ||
            !check_page(frame(frames[i]), entries_of_page(entries, i))) {
            return -XEN_EINVAL;
        }
    }
    for (i = 0; i < pages; i++) {
        if (!copy_page(ldt_window(v) + i * ENTRIES_PER_PAGE, frame(frames[i]),
                       entries_of_page(entries, i))) {
            return -XEN_EINVAL;
        }
    }
    v->ldt_base = base;
    v->ldt_entries = entries;
    load_ldt(v);
    return 0;
}

long call_update_descriptor(uint64_t address, uint64_t descriptor)
{
    uint64_t mfn = address >> PAGE_SHIFT;
    unsigned int index = (address & (PAGE_SIZE - 1)) / 8;
    unsigned int id, i;

    if (address & 7 || !is_writable_frame(mfn) ||
        !check_descriptor(&descriptor)) {
        return -XEN_EINVAL;
    }
    *(uint64_t *)directmap(address) = descriptor;
    for (id = 0; id < boot->nr_vcpus; id++) {
        struct vcpu *v = vcpu_by_id(id);

        for (i = 0; i * ENTRIES_PER_PAGE < v->gdt_entries; i++) {
            unsigned int entry = i * ENTRIES_PER_PAGE + index;

            if (v->gdt_frames[i] == mfn && entry < v->gdt_entries) {
                gdt_window(v)[entry] = descriptor;
            }
        }
        for (i = 0; i < v->ldt_entries; i += ENTRIES_PER_PAGE) {
            uint64_t at;

            if (i + index < v->ldt_entries &&
                guest_frame_at(v, v->ldt_base + i * 8, &at) && at == mfn) {
                ldt_window(v)[i + index] = descriptor;
            }
        }
    }
    return 0;
}

/* The reserved part of the vCPU's GDT, its TSS, and its LDT, if it had one before. */
void init_descriptors(struct vcpu *v)
{
    uint64_t *gdt = gdt_window(v);
    uint64_t tss = (uint64_t)&v->tss, block = (uint64_t)v;

    gdt[SEL_MONITOR_CS / 8] = 0x00af9b000000fffful;
    gdt[SEL_MONITOR_SS / 8] = 0x00cf93000000fffful;
    gdt[SEL_CS32 / 8] = 0x00cffb000000fffful;
    gdt[SEL_DS / 8] = 0x00cff3000000fffful;
    gdt[SEL_CS64 / 8] = 0x00affb000000fffful;
    gdt[SEL_TSS / 8] = (sizeof(v->tss) - 1) | (tss & 0xffffff) << 16 |
                       0x89ul << 40 | (tss >> 24 & 0xff) << 56;
    gdt[SEL_TSS / 8 + 1] = tss >> 32;

    /* No port is open to the guest: no bitmap within the limit. */
    v->tss.io_bitmap = sizeof(v->tss);
    v->tss.rsp[0] = block + VCPU_SIZE - STACK_SPARE;
    v->tss.ist[0] = block + 4 * PAGE_SIZE + PAGE_SIZE / 2;      /* #MC, #DF */
    v->tss.ist[1] = block + 5 * PAGE_SIZE;      /* NMI */
    v->tss.ist[2] = block + 5 * PAGE_SIZE + PAGE_SIZE / 2;      /* #DB */

    lgdt((uint64_t)gdt, 0xe000 + PAGE_SIZE - 1);
    load_monitor_segments(SEL_MONITOR_CS, SEL_MONITOR_SS);
    ltr(SEL_TSS);
    load_ldt(v);
}
