/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unplug protocol: a guest that has drivers for Xen's disks and NICs asks for
 * the emulated ones to go, see Xen's docs/misc/hvm-emulated-unplug.
 */

#include "guest.h"
#include "ioapic.h"
#include "port_io.h"
#include "unplug.h"

#ifdef GUEST_HVM

#define UNPLUG_PORT     0x10
#define UNPLUG_MAGIC    0x49d2

#define IDE_SELECT      0x1f6
#define IDE_STATUS      0x1f7

void unplug(uint16_t what)
{
    require(inw(UNPLUG_PORT) == UNPLUG_MAGIC);
    outw(UNPLUG_PORT, what);
}

/* The first channel's master. */
static bool has_ide_disk(void)
{
    outb(IDE_SELECT, 0xa0);
    return inb(IDE_STATUS) != 0;
}

static bool has_device(uint32_t id)
{
    unsigned int device;

    for (device = 0; device < 32; device++) {
        if (pci_read(device, 0, 0) == id) {
            return true;
        }
    }
    return false;
}

TEST(unplug_ide_disk, "hvm emulated tcg lab kvm alone")
{
    require(has_ide_disk());
    unplug(UNPLUG_DISKS);
    check(!has_ide_disk());
    /* There is nothing left to do. */
    unplug(UNPLUG_DISKS);
    check(!has_ide_disk());
}

static const struct kind {
    const char *name;
    uint32_t id; /* of the PCI device, and below of its vendor */
    bool stays;
} kinds[] = {
    { "lsi53c895a", 0x00121000, false },
    { "e1000", 0x100e8086, false },
    { "virtio-blk", 0x10011af4, true },
    { "virtio-scsi", 0x10041af4, true },
    { "virtio-net", 0x10001af4, true },
};

/* No Xen device has virtio's disk and NIC: they are not emulated in its place. */
TEST(unplug_emulated_only, "hvm emulated tcg lab kvm alone")
{
    const struct kind *kind, *end = kinds + sizeof(kinds) / sizeof(kinds[0]);

    for (kind = kinds; kind < end; kind++) {
        test_row(kind->name);
        require(has_device(kind->id));
    }
    unplug(UNPLUG_DISKS | UNPLUG_NICS);
    for (kind = kinds; kind < end; kind++) {
        test_row(kind->name);
        check_equal(has_device(kind->id), kind->stays);
    }
}

#endif /* GUEST_HVM */
