/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world as it lies in the arena. */

#ifndef IL_WORLD_PRIV_H
#define IL_WORLD_PRIV_H

#include "guest.h"
#include "explore.h"
#include "world.h"

#define IL_WRITES 64
#define IL_OWED   (1u << (IL_SCRIPTS + 1))

struct il_write {
    void *to;
    uint32_t value;
};

struct il_world {
    const struct il_scenario *s;
    struct world *world;
    struct guest *g;
    struct guest *peer;         /* sends; a host domain */
    struct guest *other;        /* a bystander, or NULL */
    uint32_t peer_port[IL_PORTS];   /* 0: the port is an IPI */
    uint32_t other_port, other_peer_port;
    uint32_t new_port;          /* IL_REBIND's */
    uint32_t irq[IL_VCPUS];     /* an upcall was raised */
    uint32_t woken[IL_VCPUS];
    uint32_t running[IL_SCRIPTS];
    uint32_t eoi_due[IL_PORTS];
    bool unmasked[IL_PORTS];    /* by IL_UNMASK_OP, and to stay so */
    uint8_t sent[IL_PORTS];     /* sends begun */
    uint8_t handled[IL_PORTS];
    /*
     * Bit n: since script n's send began none was handled; with IL_OWED one
     * has to be after such a send, which is over.
     */
    uint8_t awaited[IL_PORTS];
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

#endif /* IL_WORLD_PRIV_H */
