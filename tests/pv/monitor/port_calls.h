/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of port_io.c: IN and OUT of the guest's. */

#ifndef TESTS_PV_PORT_CALLS_H
#define TESTS_PV_PORT_CALLS_H

#include "instruction.h"

#define PCI_CONFIG  0xcf8

static uint64_t in_code[5], out_code[5];    /* by the size */

static inline void begin(void)
{
    machine_start(&(struct machine_config) { 0 });
    instruction_begin();
    in_code[1] = machine_put(BYTES(0xec));
    in_code[2] = machine_put(BYTES(0x66, 0xed));
    in_code[4] = machine_put(BYTES(0xed));
    out_code[1] = machine_put(BYTES(0xee));
    out_code[2] = machine_put(BYTES(0x66, 0xef));
    out_code[4] = machine_put(BYTES(0xef));
}

/* What the guest's mode sees of an access. */
static inline int try_port(bool out, unsigned int port, unsigned int size, uint64_t *ax,
                           bool user)
{
    struct regs regs = machine_trapped(EXC_GP, 0);
    int seen;

    regs.rip = (out ? out_code : in_code)[size];
    regs.rax = *ax;
    regs.rdx = 0xabcd0000ul | port;
    if (user) {
        enter_user_mode();
    }
    seen = refused(&regs);
    enter_kernel_mode();
    *ax = regs.rax;
    return seen;
}

#endif /* TESTS_PV_PORT_CALLS_H */
