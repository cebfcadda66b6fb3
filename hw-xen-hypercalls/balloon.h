/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP's balloon and query-balloon for the guest's Xen balloon driver. */

#ifndef XEN_BALLOON_H
#define XEN_BALLOON_H

#include "hw/boards.h"

void xen_balloon_init(void);
/* Tell QMP of the guest's memory if it has changed.  BQL held. */
void xen_balloon_changed(void);

/*
 * Before the machine's RAM is made: with -m @size,maxmem= it is of the latter
 * size, and a guest starts with a target of @size.
 */
void xen_balloon_set_ram_size(MachineState *ms);

#endif /* XEN_BALLOON_H */
