/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image "dense" on a machine without Xen, which scripts/dense compares with: it
 * says on the first serial port that it is up, and sleeps.
 */

#include "internal.h"
#include "port_io.h"

#define COM1    0x3f8

void without_xen(void)
{
    const char *text;

    for (text = "# up\n"; *text; text++) {
        outb(COM1, *text);
    }
    asm volatile("cli; hlt");
}
