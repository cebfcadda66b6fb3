/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks' back ends as sources of events: a flush request has one response, and
 * its response one event.
 */

#ifndef GUEST_TESTS_DISK_H
#define GUEST_TESTS_DISK_H

#include "guest.h"

struct disk;

/* Connect to the disks that XenStore names, at most @nr.  Returns how many. */
unsigned int disks_connect(struct disk *disks[], unsigned int nr);
/* The disk's event channel; it is masked. */
evtchn_port_t disk_port(const struct disk *disk);
/* Ask for a flush; the one before has been answered. */
void disk_flush(struct disk *disk);
/* Take the responses there are.  Returns how many. */
unsigned int disk_take_responses(struct disk *disk);

#endif /* GUEST_TESTS_DISK_H */
