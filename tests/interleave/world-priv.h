/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world as it lies in the arena. */

#ifndef IL_WORLD_PRIV_H
#define IL_WORLD_PRIV_H

#include "guest.h"
#include "explore.h"
#include "world.h"

/* What a port of il_scenario.virqs is bound to: a global one. */
#define IL_VIRQ(port) (VIRQ_ARCH_0 + (port) % 8)

#define IL_DOMID  1 /* the guest's */
#define IL_WRITES 64
#define IL_OWED   (1u << (IL_SCRIPTS + 1))

struct il_write {
    void *to;
    uint32_t value;
};

struct il_world {
    const struct il_scenario *s;
    struct world *world;
    struct guest *g;            /* NULL: destroyed */
    struct guest *peer[IL_PEERS];   /* send; host domains */
    struct guest *other;        /* a bystander, or NULL */
    uint8_t peer_of[IL_PORTS];
    uint32_t peer_port[IL_PORTS];   /* 0: the port has no peer */
    bool virq[IL_PORTS];
    bool unbound[IL_PORTS];     /* ever since it is there */
    uint32_t closed_peers;      /* bit n: port n of the first peer was closed */
    uint32_t other_port, other_peer_port;
    uint32_t new_port;          /* what was bound last */
    uint32_t irq[IL_VCPUS];     /* an upcall was raised */
    uint32_t woken[IL_VCPUS];
    uint32_t running[IL_SCRIPTS];
    uint32_t calls[IL_SCRIPTS]; /* sends begun and ended; odd: in one */
    uint32_t destroyer;         /* the script that destroys the guest */
    uint32_t eoi_due[IL_PORTS];
    bool moved[IL_PORTS];       /* by IL_MOVE */
    bool unmasked[IL_PORTS];    /* by IL_UNMASK_OP, and to stay so */
    uint8_t sent[IL_PORTS];     /* sends begun */
    uint8_t handled[IL_PORTS];
    /*
     * Bit n: since script n's send began none was handled; with IL_OWED one
     * has to be after such a send, which is over.
     */
    uint8_t awaited[IL_PORTS];
    uint8_t binding_nr[IL_PORTS];   /* counts what a port was bound to */
    uint8_t other_sent;
    uint8_t other_handled;
    bool ended;
    uint32_t nr_writes;         /* what the hostile guest chooses from */
    struct il_write write[IL_WRITES];
};

static inline struct il_world *il_world(void)
{
    return *il_root;
}

/* @script: whose; IL_SCRIPTS for none's. */
void il_send(uint32_t script, uint32_t port, bool raise);
void il_handler(struct guest_vcpu *v, uint32_t port, void *opaque);

/* The threads (threads.c). */
void il_script(void *nr);
void il_consumer(void *vcpu);
void il_hostile(void *world);
/* NULL: vCPU @vcpu's consumer runs from the start; else when this is 0. */
const uint32_t *il_consumer_waits_for(struct il_world *w, uint32_t vcpu);

/* What a script does (ops.c). */
void il_run_op(struct il_world *w, uint32_t script,
               const struct il_script_op *op);

/* Each vcpu_info in a page of its own. */
void il_own_info(struct il_world *w, uint32_t vcpu);

static inline bool il_has_bit(uint8_t bits, uint32_t n)
{
    return bits >> n & 1;
}

#endif /* IL_WORLD_PRIV_H */
