/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XEN_PV_MELTDOWN_H
#define XEN_PV_MELTDOWN_H

#include <stdbool.h>

/* What Linux says of this machine's processors. */
#define MELTDOWN_FILE "/sys/devices/system/cpu/vulnerabilities/meltdown"

/*
 * Whether a program can read what its page tables have for the kernel alone, by what
 * the host's kernel says in @file; yes, if it says nothing.
 */
bool processor_has_meltdown(const char *file);

#endif
