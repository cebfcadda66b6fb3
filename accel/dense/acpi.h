/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACPI tables of a machine that has vCPUs and no other hardware. */

#ifndef XEN_DENSE_ACPI_H
#define XEN_DENSE_ACPI_H

#include "hw/boards.h"

/* The I/O port of ACPI's sleep control register; behind it is the status. */
#define XEN_DENSE_SLEEP_CONTROL 0x600
/* The type that powers the machine off. */
#define XEN_DENSE_SLEEP_S5      5

/*
 * The tables for @ms, as they are at guest-physical address @address: at the
 * beginning is the RSDP.
 */
GByteArray *xen_dense_acpi(MachineState *ms, uint64_t address);

#endif /* XEN_DENSE_ACPI_H */
