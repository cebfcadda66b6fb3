/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An instruction that the monitor carries out for the guest. */

#ifndef PV_MONITOR_EMULATE_H
#define PV_MONITOR_EMULATE_H

#include "monitor.h"

#define MAX_INSN_LENGTH 15
#define DR6_STEP 0x4000ul

/* Numbers of segment registers, as instructions have them. */
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };

struct insn {
    uint8_t bytes[MAX_INSN_LENGTH];
    unsigned int have, at;
    uint8_t rex;                /* 0: none that counts */
    bool code64;
    bool repeats;
    unsigned int operand_size, address_size; /* in bytes */
    unsigned int segment; /* of an operand in memory, but for one in ES */
    uint64_t breakpoints; /* of those in DR6, that its ports have hit, or a step */
};

enum emulation {
    /* It is the guest's fault: a general protection fault. */
    EMULATION_REFUSED,
    EMULATION_DONE,
    /* The guest goes on where @regs say: in a handler, or with the same instruction. */
    EMULATION_SETS_REGS,
};

/* port_io.c ------------------------------------------------------------------ */

/* Whether the mode that the vCPU is in may use all ports, and CLI and STI. */
bool iopl_ok(const struct vcpu *v);
/* IN and OUT of @port. */
enum emulation emulate_in(struct regs *regs, struct insn *insn,
                          unsigned int port, unsigned int size);
enum emulation emulate_out(struct regs *regs, struct insn *insn,
                           unsigned int port, unsigned int size);
/* INS and OUTS, once or with a REP prefix. */
enum emulation emulate_ins(struct regs *regs, struct insn *insn,
                           unsigned int size);
enum emulation emulate_outs(struct regs *regs, struct insn *insn,
                            unsigned int size);

#endif /* PV_MONITOR_EMULATE_H */
