/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt lines: the I/O APIC, and the Xen platform device's line; and PCI's
 * configuration space.
 */

#ifndef GUEST_TESTS_IOAPIC_H
#define GUEST_TESTS_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

/* No device uses it here; QEMU's I/O APIC has 24 lines, Xen's 48. */
#define IOAPIC_FREE_GSI 22

/* Line @gsi, level-triggered, is @vector at the vCPU with this LAPIC ID. */
void ioapic_route(unsigned int gsi, uint8_t vector, uint32_t lapic_id);

/* Of a device of PCI's first bus; ~0 if there is none. */
uint32_t pci_read(unsigned int device, unsigned int function, uint8_t offset);

struct platform_device {
    uint64_t callback; /* as HVM_PARAM_CALLBACK_IRQ names its INTA */
    unsigned int gsi; /* that INTA is routed to */
};
bool find_platform_device(struct platform_device *device);

#endif /* GUEST_TESTS_IOAPIC_H */
