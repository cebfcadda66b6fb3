/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon knows, in lines for people and in JSON for programs. */

#ifndef HOST_STATUS_H
#define HOST_STATUS_H

#include "guest.h"

void status_text(const Guests *g, GString *out);
void status_json(const Guests *g, GString *out);

#endif /* HOST_STATUS_H */
