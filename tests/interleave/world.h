/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is interleaved: a guest, a back end's domain that sends to it, threads
 * that follow short scripts, and the guest's consumers.
 */

#ifndef IL_WORLD_H
#define IL_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#define IL_PORTS    8       /* ports 1 to IL_PORTS - 1 are tracked */
#define IL_VCPUS    2
#define IL_SCRIPTS  4
#define IL_OPS      8

enum il_op {
    IL_END,
    IL_SEND,        /* the port's other end sends */
    IL_RAISE,       /* as its source in the hypervisor would */
    IL_MASK,
    IL_UNMASK,      /* by vCPU arg, as Linux does */
    IL_UNMASK_OP,   /* the bare hypercall */
    IL_EOI,         /* vCPU arg unmasks after the handler had masked */
    IL_PRIORITY,    /* to arg */
    IL_BIND_VCPU,   /* to vCPU arg; the bare hypercall */
    IL_MOVE,        /* to vCPU arg, as Linux does */
    IL_CLOSE,
    IL_CLOSE_PEER,
    IL_REBIND,      /* bind vCPU arg's IPI to any port, and unmask it */
    IL_SEND_NEW,    /* send to what IL_REBIND got */
    IL_EXPAND,
    IL_CONTROL,     /* init_control of vCPU arg */
    IL_BITMAPS,     /* 3-level's */
    IL_SELECTOR,    /* 3-level's L2 selector of vCPU arg */
    IL_INFO,        /* vcpu_info of vCPU arg */
    IL_RESET,
    IL_POLL,        /* by vCPU arg; sleep until it is pending */
    IL_SEND_OTHER,  /* to the bystander's port */
};

struct il_script_op {
    uint8_t op, port, arg;
};

struct il_scenario {
    const char *name;
    uint8_t vcpus;
    uint8_t ports;          /* bound before it starts: 1 to @ports */
    bool fifo;
    bool three_level;       /* neither: 2-level */
    bool word32;
    bool late_array;        /* FIFO: no event array yet */
    uint8_t late_control;   /* vCPUs without control block, L2 selector yet */
    uint8_t late_info;      /* vCPUs without a vcpu_info yet */
    uint8_t ipis;           /* bit n: port n is an IPI; else interdomain */
    uint8_t masked;         /* bit n: port n starts masked */
    uint8_t consumers;      /* bit n: vCPU n runs */
    uint8_t after_script;   /* n: consumers start after script n - 1 */
    uint8_t hostile;        /* writes of a hostile guest */
    uint8_t vcpu[IL_PORTS]; /* of each port */
    bool warm;              /* each port has had an event before */
    bool mask_in_handler;   /* until somebody's IL_EOI */
    bool in_order;          /* events must come in the order of their numbers */
    bool may_fail;          /* an operation may come too late */
    bool unbound_at_end;    /* after a reset */
    bool long_only;         /* too big for every day */
    struct il_script_op script[IL_SCRIPTS][IL_OPS];
};

extern const struct il_scenario il_scenarios[];

/*
 * Do not ask which events must have been handled: it depends on when an
 * operation takes note of what was handled before, and so on the steps' size.
 */
extern bool il_skip_awaited;

void il_world_setup(const void *scenario);
void il_world_end(void);

#endif /* IL_WORLD_H */
