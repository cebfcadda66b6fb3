/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_console_io: a guest writes to Xen's own console.
 *
 * On Xen I/O port 0xe9 writes to that console as well.  Here both go to
 * -debugcon, if there is one.
 */

#include "hypercalls.h"
#include "qemu/units.h"
#include "exec/address-spaces.h"

#define DEBUG_PORT 0xe9

/* Xen can interrupt a longer write and continue it later; QEMU can't. */
#define MAX_COUNT (64 * KiB)

static bool is_printable(unsigned char c)
{
    return c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f);
}

static int console_write(CPUState *cs, unsigned int count, uint64_t buffer)
{
    uint8_t text[128];

    if (count > MAX_COUNT) {
        return -E2BIG;
    }
    while (count) {
        unsigned int len = MIN(count, sizeof(text));
        unsigned int i;

        if (kvm_copy_from_gva(cs, buffer, text, len)) {
            return -EFAULT;
        }
        for (i = 0; i < len; i++) {
            if (is_printable(text[i])) {
                address_space_write(&address_space_io, DEBUG_PORT,
                                    MEMTXATTRS_UNSPECIFIED, text + i, 1);
            }
        }
        buffer += len;
        count -= len;
    }
    return 0;
}

int64_t xen_hypercall_console_io(CPUState *cs, unsigned int cmd,
                                 unsigned int count, uint64_t buffer)
{
    switch (cmd) {
    case CONSOLEIO_write:
        return console_write(cs, count, buffer);
    default:
        /* Only domain 0 may read from it; Xen gives others -EPERM. */
        return -EPERM;
    }
}
