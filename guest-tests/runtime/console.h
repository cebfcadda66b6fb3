/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's input, for a test that is led by it. */

#ifndef GUEST_TESTS_CONSOLE_H
#define GUEST_TESTS_CONSOLE_H

#include "guest.h"

/* Takes at most @size bytes, without waiting; returns how many. */
size_t console_read(char *text, size_t size);
/* Whose events say that there is input; masked until the test unmasks it. */
evtchn_port_t console_port(void);

#endif /* GUEST_TESTS_CONSOLE_H */
