/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of emulate.c: a guest that may use ports, and places for its code. */

#ifndef TESTS_PV_EMULATE_CALLS_H
#define TESTS_PV_EMULATE_CALLS_H

#include "instruction.h"

#define AL      0x11223344556677fful
#define AX16    0x112233445566fffful
#define EAX     0x00000000fffffffful
#define LOW     0x10000ul       /* that 16-bit code reaches, too */

static inline void begin(void)
{
    machine_start(&(struct machine_config) { 0 });
    instruction_begin();
    set_iopl(1);
}

#endif /* TESTS_PV_EMULATE_CALLS_H */
