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
#define IL_PEERS    2
#define IL_SCRIPTS  4
#define IL_OPS      8

enum il_op {
    IL_END,
    IL_SEND,        /* the port's other end sends */
    IL_SEND_BACK,   /* the port sends to its other end */
    IL_RAISE,       /* as its source in the hypervisor would */
    IL_RAISE_VIRQ,
    IL_MASK,
    IL_UNMASK,      /* by vCPU arg, as Linux does */
    IL_UNMASK_OP,   /* the bare hypercall */
    IL_EOI,         /* vCPU arg unmasks after the handler had masked */
    IL_PRIORITY,    /* to arg */
    IL_BIND_VCPU,   /* to vCPU arg; the bare hypercall */
    IL_MOVE,        /* to vCPU arg, as Linux does */
    IL_CLOSE,
    IL_CLOSE_PEER,
    IL_BIND_PEER,   /* the first peer binds to the port, which is unbound */
    IL_BIND,        /* the port to one of the first peer's that waits for it */
    IL_REBIND,      /* bind vCPU arg's IPI to any port, and unmask it */
    IL_REBIND_PEER, /* the same, for a channel from peer arg */
    IL_SEND_NEW,    /* send to what these two got */
    IL_EXPAND,
    IL_CONTROL,     /* init_control of vCPU arg */
    IL_BITMAPS,     /* 3-level's */
    IL_SELECTOR,    /* 3-level's L2 selector of vCPU arg */
    IL_INFO,        /* vcpu_info of vCPU arg, where it is or was to be */
    IL_MOVE_INFO,   /* to another page, and mark everything pending */
    IL_MOVE_INFO_UNMARKED,
    IL_TAKE_SHARED_INFO,    /* away */
    IL_GIVE_SHARED_INFO,    /* another page with the same contents */
    IL_RESET,
    IL_DESTROY,     /* the guest */
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
    bool own_info;          /* vcpu_infos are in pages of their own */
    bool two_peers;
    uint8_t ipis;           /* bit n: port n is an IPI; else interdomain */
    uint8_t virqs;          /* or this */
    uint8_t unbound;        /* or this, for the first peer */
    uint8_t waiting;        /* not there yet: the first peer waits for it */
    uint8_t masked;         /* bit n: port n starts masked */
    uint8_t consumers;      /* bit n: vCPU n runs */
    uint8_t after_script;   /* n: consumers start after script n - 1 */
    uint8_t hostile;        /* writes of a hostile guest */
    uint8_t vcpu[IL_PORTS]; /* of each port */
    bool warm;              /* each port has had an event before */
    bool storm;             /* two of them, the second before it was handled */
    bool mask_in_handler;   /* until somebody's IL_EOI */
    bool in_order;          /* events must come in the order of their numbers */
    bool may_fail;          /* an operation may come too late */
    bool unbound_at_end;    /* after a reset */
    bool destroys;          /* there is an IL_DESTROY */
    bool long_only;         /* too big for every day */
    struct il_script_op script[IL_SCRIPTS][IL_OPS];
};

/*
 * Do not ask which events must have been handled: it depends on when an
 * operation takes note of what was handled before, and so on the steps' size.
 */
extern bool il_skip_awaited;

void il_world_setup(const void *scenario);
void il_world_end(void);

#endif /* IL_WORLD_H */
