/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A front end of a PV device, and what XenStore has of it. */

#ifndef GUEST_TESTS_FRONT_END_H
#define GUEST_TESTS_FRONT_END_H

#include "xenstore.h"
#include <xen/io/xenbus.h>

struct front_end {
    char front[128], back[128]; /* directories in XenStore */
    evtchn_port_t port; /* for the back end to bind to */
};

/*
 * Front end @index, from 0, of @kind ("vbd", "vif", "console"), with an open
 * port that has not been written to XenStore yet.  False if there are not so
 * many.
 */
bool front_end_find(struct front_end *device, const char *kind,
                    unsigned int index);
/* Write "/key" of the front end; false if XenStore refuses. */
bool front_end_write(const struct front_end *device, const char *key,
                     const char *value);
bool front_end_write_number(const struct front_end *device, const char *key,
                            unsigned int value);
/* enum xenbus_state */
unsigned int back_end_state(const struct front_end *device);
/* Wait some seconds for @state; false if the back end does not reach it. */
bool back_end_reaches(const struct front_end *device, unsigned int state);

#endif /* GUEST_TESTS_FRONT_END_H */
