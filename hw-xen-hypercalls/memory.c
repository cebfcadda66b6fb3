/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_memory_op: how much memory there is, and where. */

#include "hypercalls.h"
#include "physmap.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"
#include "hw/i386/e820_memory_layout.h"
#include "hw/xen/interface/memory.h"
#include "system/kvm_xen.h"
#include "system/system.h"

/* QEMU's table has all of this as RAM, video memory and ROMs too. */
#define LOW_MEMORY (1 * MiB)

/* The firmware has its data area behind the one, ACPI's root table in the other. */
#define LOW_RAM_END 0x9f000
#define LOW_ROM     0xf0000

/* The firmware has ACPI's tables in this much of the RAM's end below 4 GiB. */
#define ACPI_SIZE (256 * KiB)

#define MAX_ENTRIES 128

/* An entry as a guest sees it, the same in both modes. */
typedef struct e820_entry Entry;
QEMU_BUILD_BUG_ON(sizeof(Entry) != 20);

static int compare(const void *a, const void *b)
{
    uint64_t x = le64_to_cpu(((const Entry *)a)->address);
    uint64_t y = le64_to_cpu(((const Entry *)b)->address);

    return x < y ? -1 : x > y;
}

/* QEMU has the firmware start the kernel at its PVH entry. */
static bool boots_by_pvh(void)
{
    int i;

    for (i = 0; i < nb_option_roms; i++) {
        if (!strcmp(option_rom[i].name, "pvh.bin")) {
            return true;
        }
    }
    return false;
}

static void set_entry(Entry *entry, uint64_t address, uint64_t end,
                      uint32_t type)
{
    entry->address = cpu_to_le64(address);
    entry->length = cpu_to_le64(end - address);
    entry->type = cpu_to_le32(type);
}

/*
 * As from libxl.  A guest with firmware asks that for what is below 1 MiB, and
 * where ACPI's tables are.  One that starts by PVH has nobody else to ask: GRUB
 * loads its kernel to the one, and an initramfs to the end of all RAM.
 */
static unsigned int get_entries(Entry *entries)
{
    struct e820_entry *table;
    unsigned int n = MIN(e820_get_table(&table), MAX_ENTRIES - 3);
    bool pvh = boots_by_pvh();
    unsigned int i, given = n;

    memcpy(entries, table, n * sizeof(*entries));
    for (i = 0; i < given; i++) {
        uint64_t end = le64_to_cpu(entries[i].length);

        if (!entries[i].address && end > LOW_MEMORY) {
            uint64_t acpi = pvh ? end - ACPI_SIZE : end;

            set_entry(&entries[i], LOW_MEMORY, acpi, E820_RAM);
            if (pvh) {
                set_entry(&entries[n++], acpi, end, E820_RESERVED);
            }
        }
    }
    if (pvh) {
        set_entry(&entries[n++], 0, LOW_RAM_END, E820_RAM);
        set_entry(&entries[n++], LOW_ROM, LOW_MEMORY, E820_RESERVED);
    }
    qsort(entries, n, sizeof(*entries), compare);
    return n;
}

static uint64_t end_of_ram(void)
{
    uint64_t address, length, end = 0;
    int i, n = e820_get_table(NULL);

    for (i = 0; i < n; i++) {
        if (e820_get_entry(i, E820_RAM, &address, &length)) {
            end = MAX(end, address + length);
        }
    }
    return end >> TARGET_PAGE_BITS;
}

static int memory_map(CPUState *cs, uint64_t arg, bool long_mode)
{
    struct QEMU_PACKED {
        uint32_t nr_entries;
        uint32_t pad;
        uint64_t buffer;
    } map64;
    struct QEMU_PACKED {
        uint32_t nr_entries;
        uint32_t buffer;
    } map32;
    Entry entries[MAX_ENTRIES];
    uint32_t room, n;
    uint64_t buffer;

    if (long_mode) {
        if (kvm_copy_from_gva(cs, arg, &map64, sizeof(map64))) {
            return -EFAULT;
        }
        room = map64.nr_entries;
        buffer = map64.buffer;
    } else {
        if (kvm_copy_from_gva(cs, arg, &map32, sizeof(map32))) {
            return -EFAULT;
        }
        room = map32.nr_entries;
        buffer = map32.buffer;
    }
    n = MIN(room, get_entries(entries));
    if (kvm_copy_to_gva(cs, buffer, entries, n * sizeof(*entries)) ||
        kvm_copy_to_gva(cs, arg, &n, sizeof(n))) {
        return -EFAULT;
    }
    return 0;
}

/* Check the domid with which struct xen_memory_domain and others begin. */
static int check_domid(CPUState *cs, uint64_t arg)
{
    domid_t domid;

    if (kvm_copy_from_gva(cs, arg, &domid, sizeof(domid))) {
        return -EFAULT;
    }
    return xen_hypercall_check_self(domid);
}

static int64_t domain_pages(CPUState *cs, unsigned int op, uint64_t arg)
{
    int ret = check_domid(cs, arg);

    if (ret) {
        return ret;
    }
    BQL_LOCK_GUARD();
    switch (op) {
    case XENMEM_current_reservation:
        return xen_physmap_pages();
    case XENMEM_maximum_reservation:
        return xen_physmap_max_pages();
    default: {
        /* With little RAM, the console's and xenstore's pages are above it. */
        uint64_t special = (XEN_SPECIAL_AREA_ADDR + XEN_SPECIAL_AREA_SIZE) >>
                           TARGET_PAGE_BITS;

        return MAX(end_of_ram(), special) - 1;
    }
    }
}

/* Xen knows no virtual NUMA nodes of this guest. */
static int get_vnumainfo(CPUState *cs, uint64_t arg)
{
    uint16_t domid_and_pad[2];
    int ret;

    if (kvm_copy_from_gva(cs, arg, domid_and_pad, sizeof(domid_and_pad))) {
        return -EFAULT;
    }
    if (domid_and_pad[1]) {
        return -EINVAL;
    }
    ret = xen_hypercall_check_self(domid_and_pad[0]);
    return ret ? ret : -EOPNOTSUPP;
}

bool xen_hypercall_memory_op(CPUState *cs, unsigned int cmd, uint64_t arg,
                             bool long_mode, int64_t *result)
{
    unsigned int op = cmd & XEN_MEMOP_CMD_MASK;

    switch (op) {
    case XENMEM_maximum_ram_page:
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
    case XENMEM_get_vnumainfo:
        if (cmd != op) {
            *result = -EINVAL;
            return true;
        }
        break;
    }
    switch (cmd) {
    case XENMEM_maximum_ram_page:
        *result = end_of_ram();
        break;
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
        *result = domain_pages(cs, op, arg);
        break;
    case XENMEM_memory_map:
        *result = memory_map(cs, arg, long_mode);
        break;
    case XENMEM_get_vnumainfo:
        *result = get_vnumainfo(cs, arg);
        break;
    case XENMEM_machine_memory_map:
        /* Only domain 0 may use this. */
        *result = -EPERM;
        break;
    default:
        return xen_hypercall_reservation(cs, cmd, arg, long_mode, result);
    }
    return true;
}
