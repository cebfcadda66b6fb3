/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The unplug protocol, see Xen's docs/misc/hvm-emulated-unplug. */

#ifndef GUEST_TESTS_UNPLUG_H
#define GUEST_TESTS_UNPLUG_H

#include <stdint.h>

#define UNPLUG_DISKS    1
#define UNPLUG_NICS     2

/* Have these emulated devices go. */
void unplug(uint16_t what);

#endif /* GUEST_TESTS_UNPLUG_H */
