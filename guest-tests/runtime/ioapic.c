/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The I/O APIC, see Intel's 82093AA data sheet, and finding the Xen platform
 * device in PCI's configuration space.
 */

#include "internal.h"
#include "ioapic.h"
#include "port_io.h"

#define IOAPIC_BASE 0xfec00000
#define IOAPIC_REDIRECTION 0x10
#define REDIRECTION_LEVEL (1u << 15)

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_ID 0x00
#define PCI_INTERRUPT 0x3c
#define PCI_ID_XEN_PLATFORM 0x00015853

/* Without a device model there is no PCI, and Xen accepts any device number. */
#define UNMODELLED_DEVICE 3

static void write_register(uint8_t index, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)IOAPIC_BASE = index;
    *(volatile uint32_t *)(uintptr_t)(IOAPIC_BASE + 0x10) = value;
}

void ioapic_route(unsigned int gsi, uint8_t vector, uint32_t lapic_id)
{
    write_register(IOAPIC_REDIRECTION + 2 * gsi + 1, lapic_id << 24);
    write_register(IOAPIC_REDIRECTION + 2 * gsi, REDIRECTION_LEVEL | vector);
}

uint32_t pci_read(unsigned int device, unsigned int function, uint8_t offset)
{
    outl(PCI_ADDRESS, 0x80000000 | device << 11 | function << 8 | offset);
    return inl(PCI_DATA);
}

/* The GSI to which Xen's virtual PC wires a device's INTA. */
static unsigned int xen_intx_gsi(unsigned int device)
{
    return 16 + (((device << 2) + (device >> 3)) & 31);
}

bool find_platform_device(struct platform_device *device)
{
    unsigned int number;

    for (number = 0; number < 32; number++) {
        if (pci_read(number, 0, PCI_ID) == PCI_ID_XEN_PLATFORM) {
            device->callback = number << 11;
            device->gsi = host_is_xen() ?
                              xen_intx_gsi(number) :
                              pci_read(number, 0, PCI_INTERRUPT) & 0xff;
            return device->gsi && device->gsi != 0xff;
        }
    }
    device->callback = UNMODELLED_DEVICE << 11;
    device->gsi = xen_intx_gsi(UNMODELLED_DEVICE);
    return host_is_xen();
}
