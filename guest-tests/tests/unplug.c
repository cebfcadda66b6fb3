/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unplug protocol: a guest that has drivers for Xen's disks and NICs asks for
 * the emulated ones to go, see Xen's docs/misc/hvm-emulated-unplug.
 */

#include "guest.h"
#include "ioapic.h"

#ifdef GUEST_HVM

#define UNPLUG_PORT     0x10
#define UNPLUG_MAGIC    0x49d2
#define UNPLUG_DISKS    1

#define IDE_SELECT      0x1f6
#define IDE_STATUS      0x1f7

static void unplug(uint16_t what)
{
    uint16_t magic;

    asm volatile("inw %w1, %0" : "=a"(magic) : "Nd"(UNPLUG_PORT));
    require(magic == UNPLUG_MAGIC);
    asm volatile("outw %0, %w1" : : "a"(what), "Nd"(UNPLUG_PORT));
}

/* The first channel's master. */
static bool has_ide_disk(void)
{
    uint8_t status;

    asm volatile("outb %0, %w1"
                 :
                 : "a"((uint8_t)0xa0), "Nd"(IDE_SELECT));
    asm volatile("inb %w1, %0" : "=a"(status) : "Nd"(IDE_STATUS));
    return status != 0;
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

#endif /* GUEST_HVM */
