/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC, in xAPIC mode at its usual address. */

#ifndef GUEST_TESTS_LAPIC_H
#define GUEST_TESTS_LAPIC_H

#include <stdint.h>

/* Let this vCPU's LAPIC take interrupts. */
void lapic_enable(void);
uint32_t lapic_id(void);
void lapic_eoi(void);
/* Interrupt @vector at the vCPU with this ID. */
void lapic_send(uint32_t id, uint8_t vector);
/* Interrupt @vector at all vCPUs but this one. */
void lapic_send_others(uint8_t vector);
/* INIT and start-up for all vCPUs but this one, at @address below 1 MiB. */
void lapic_start_others(uint32_t address);

#endif /* GUEST_TESTS_LAPIC_H */
