/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks' back ends as sources of events: a flush request has one response, and
 * its response one event.
 */

#ifndef GUEST_TESTS_DISK_H
#define GUEST_TESTS_DISK_H

#include "guest.h"

struct disk;

/* Connect to disk @i of those that XenStore names.  Returns NULL if there are no more. */
struct disk *disk_connect(unsigned int i);
/* The disk's event channel; it is masked. */
evtchn_port_t disk_port(const struct disk *disk);
/* Request a flush.  The caller has taken the response to the one before. */
void disk_flush(struct disk *disk);
/* Take all responses that have come.  Returns how many. */
unsigned int disk_take_responses(struct disk *disk);

#endif /* GUEST_TESTS_DISK_H */
