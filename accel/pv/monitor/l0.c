/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls to L0, QEMU's Xen emulation.  A write to an I/O port gets there whatever
 * accelerator runs the machine: KVM need not know Xen's hypercalls.
 */

#include "monitor.h"

uint64_t l0_pointer(uint64_t address)
{
    /* No argument of these calls is longer than a page. */
    return !address || guest_range_ok(address, PAGE_SIZE) ? address :
                                                            NOTHING_VA;
}

long l0_call(unsigned int number, uint64_t a, uint64_t b, uint64_t c,
             uint64_t d, uint64_t e)
{
    struct pv_call *call = &this_vcpu()->call;

    call->number = number;
    call->args[0] = a;
    call->args[1] = b;
    call->args[2] = c;
    call->args[3] = d;
    call->args[4] = e;
    do {
        write_l0_port();
    } while (call->again);
    return call->result;
}
