/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which segment descriptors a guest may have: those of ring 3. */

#ifndef PV_MONITOR_CHECK_DESCRIPTOR_H
#define PV_MONITOR_CHECK_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

/* Make @descriptor one for ring 3; false if that is impossible. */
bool check_descriptor(uint64_t *descriptor);

#endif /* PV_MONITOR_CHECK_DESCRIPTOR_H */
