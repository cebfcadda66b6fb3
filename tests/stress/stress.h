/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stress of the event-channel model: eight to sixteen threads use four domains
 * with all operations at once, and every event is accounted for.
 *
 * How an event is accounted for.  An exact channel has a credit: the sender
 * takes it (owed becomes 1) and the handler returns it, so each send must make
 * exactly one handler call.  A handler called with nothing owed means an event
 * delivered twice or one that was never sent; a credit that is still owed when
 * all threads are quiet means a lost event.  A stream channel sends without
 * waiting, so its events merge: there are never more calls than sends, and a
 * call must follow the last send.
 *
 * Where the ABI defines the order of events, it is checked as well: see struct
 * order and vcpu.c's batches.
 */

#ifndef TESTS_STRESS_H
#define TESTS_STRESS_H

#include "guest.h"
#include "atomic.h"

#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define MIN_VCPUS   2   /* C's, and the least that A and B have */
#define MAX_VCPUS   6
#define NR_PIRQS    16
#define WILD_FRAMES 4

enum dom_id {
    DOM_A,      /* guests whose vCPUs are threads */
    DOM_B,
    DOM_C,      /* a guest that resets, dies and comes back */
    DOM_H,      /* a host domain */
    NR_DOMS
};

enum thread_id {
    T_DEVICE,   /* VIRQs, PIRQs, and the host domain's sends */
    T_CONTROL,  /* bind_vcpu, set_priority, mask and unmask of live channels */
    T_CHURN,    /* bind, close, reuse */
    T_LIFE,     /* domain C */
    T_VCPUS,    /* the first of A's vCPUs; then the others, and B's */
    MAX_THREADS = T_VCPUS + 2 * MAX_VCPUS
};

enum fault {
    FAULT_LOST,
    FAULT_EXTRA,    /* delivered twice, or never sent */
    FAULT_ORDER,
    FAULT_MASKED,   /* delivered while masked */
    FAULT_OTHER,
    NR_FAULTS
};

/* Closing a gate stops further senders and waits for those that are sending. */
struct gate {
    uint32_t open;
    uint32_t users;
};

/*
 * One sender thread to one queue (vCPU and priority) over several ports: with
 * FIFO its events arrive in the order in which it sent them.
 */
struct order {
    uint64_t sent;
    uint64_t handled;
};

enum source {
    SOURCE_SEND,    /* evtchn_send(from, from_port) */
    SOURCE_RAISE,   /* evtchn_raise_port(dom, port) */
    SOURCE_VIRQ,
    SOURCE_PIRQ,
};

/* One direction of a channel. */
struct chan {
    char name[24];
    struct dom *dom;        /* where it is handled */
    uint32_t port;          /* 0: nowhere at present */
    enum source source;
    struct dom *from;
    uint32_t from_port;
    uint32_t irq;           /* VIRQ or PIRQ */
    uint32_t vcpu;          /* VIRQ: raised at; else bound to, to begin with */
    uint32_t priority;      /* batches: of the next event */
    bool stream;            /* merges events; else exact */
    bool batch;
    bool polled;            /* always masked; taken by polling */
    struct gate *gate;      /* or NULL: always open */
    struct order *order;

    uint32_t owed;          /* exact: sent and not handled */
    uint32_t masked;        /* no handler may run */
    uint64_t seq;           /* of order's last send on this port */
    uint64_t sent;          /* stream: sends begun */
    uint64_t seen;          /* stream: the sends that a handler knows of */
    uint64_t calls;
} __attribute__((aligned(64)));

struct vcpu {
    uint32_t irq;           /* raised, not yet taken */
    uint32_t woken;         /* from SCHEDOP_poll */
    uint32_t epoch;         /* odd: in the upcall */
    struct gate registered; /* order is defined on it: it takes its events */
} __attribute__((aligned(64)));

struct dom {
    enum dom_id id;
    const char *name;
    struct stress *s;
    struct guest *g;
    enum evtchn_abi abi;    /* A and B: for the whole round */
    bool word32;
    struct vcpu vcpu[MAX_VCPUS];
    struct chan **map;      /* by port */
    uint32_t *early;        /* host: notifications of unmapped ports */
};

struct counts {
    uint64_t events;        /* sends accounted for */
    uint64_t upcalls;
    uint64_t batches;
    uint64_t ordered;
    uint64_t polls;
    uint64_t moves;         /* bind_vcpu */
    uint64_t priorities;
    uint64_t masks;
    uint64_t binds;
    uint64_t closes;
    uint64_t resets;
    uint64_t switches;      /* to FIFO or 3-level */
    uint64_t destroyed;
    uint64_t wild;          /* operations that may return anything */
    uint64_t voided;        /* events that a reset has dropped */
};

#define MAX_BATCH 24

struct thread {
    struct stress *s;
    enum thread_id id;
    pthread_t pthread;
    uint64_t rng;
    struct dom *dom;        /* vCPU threads */
    uint32_t vcpu;
    GPtrArray *sends;       /* channels that this thread sends on */
    GPtrArray *batchable;
    GPtrArray *polled;
    struct chan *batch[MAX_BATCH];
    unsigned int batch_nr;
    unsigned int batch_next;
    uint64_t unflushed;     /* events not yet in the round's count */
    struct counts counts;
};

struct round {
    enum evtchn_abi abi[2];
    bool word32[2];
};

struct stress {
    uint64_t target;        /* events in this round */
    uint64_t events;
    uint32_t stop;          /* no more sends */
    uint32_t quiet;         /* threads that send no more */
    struct world *world;
    struct dom dom[NR_DOMS];
    uint32_t nr_vcpus;      /* of A and of B */
    uint32_t nr_threads;
    struct thread thread[MAX_THREADS];
    GPtrArray *chans;       /* all that live as long as the round */
    GPtrArray *controlled;  /* those that T_CONTROL changes */
    struct chan *favourite; /* that T_CONTROL changes and all threads send on */
    GPtrArray *orders;
    struct gate life_gate;      /* channels from A and B to C */
    struct gate direct_gate;    /* events that others raise in C itself */
    struct gate wild_gate;      /* see wild.c */
    uint32_t resetting;         /* C is being reset: its ports may be closed */
    uint64_t wild_gfn[WILD_FRAMES];
};

extern __thread struct thread *self;

/* stress.c */
void stress_fault(enum fault fault, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
bool stress_stopping(struct stress *s);
/* Seconds in which something must have happened. */
#ifndef PATIENCE
#define PATIENCE 30
#endif

/* chan.c */
uint32_t rnd(uint32_t below);
bool gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);
void gate_open(struct gate *gate);
/* When this returns no thread is inside. */
void gate_close(struct gate *gate);
struct chan *chan_new(struct stress *s, const char *kind, struct dom *dom);
/* Send if there is a credit and the gate is open; returns whether it did. */
bool chan_send(struct chan *c);
void chan_handled(struct chan *c, uint32_t vcpu);
void chan_send_some(unsigned int n);
/* Check, when all threads are quiet, that all events are accounted for. */
void chan_check(struct chan *c);

/* dom.c */
void dom_new(struct stress *s, enum dom_id id, enum evtchn_abi abi,
             bool word32);
void dom_free(struct dom *dom);
/* Boot a new guest in @dom, which no other thread uses. */
void dom_boot(struct dom *dom);
bool dom_consume(struct dom *dom, uint32_t vcpu);
/* Wait until no upcall that may have seen an older mask is under way. */
void dom_sync(struct dom *dom);
void dom_attach(struct dom *dom, struct chan *c, uint32_t port, uint32_t vcpu);
/* Mask, and wait until no handler runs; checks and forgets what is owed. */
void dom_detach(struct dom *dom, struct chan *c);
void dom_bind_vcpu(struct dom *dom, struct chan *c, uint32_t vcpu);
void dom_mask(struct dom *dom, struct chan *c);
void dom_unmask(struct dom *dom, struct chan *c);
/* Expect the event that bind_interdomain raises on a new port of @dom. */
void dom_owe_binding(struct dom *dom, struct chan *c, uint32_t port);
void dom_expand_array(struct dom *dom, bool masked);
/* What a vCPU needs for the ABI in use: control block or L2 selector. */
void dom_register_vcpu(struct dom *dom, uint32_t vcpu, uint32_t offset);

/* setup.c */
void setup_channels(struct stress *s);
void sent_by(struct chan *c, enum thread_id id);
void sent_by_vcpus(struct chan *c, const struct dom *dom);

/* The threads */
void *vcpu_thread(void *opaque);
void *device_thread(void *opaque);
void *control_thread(void *opaque);
void *churn_thread(void *opaque);
void *life_thread(void *opaque);
/* Before the threads start, and after they have ended. */
void life_setup(struct stress *s);
void churn_setup(struct stress *s);
void churn_close_all(void);
/* Send on a channel that T_CHURN may close any time. */
void churn_send(void);
/* Any operation on C, at times when its events are not counted. */
void wild_step(struct stress *s);

#define expect_ok(rc, what)                                         \
    do {                                                            \
        int rc_ = (rc);                                             \
        if (rc_) {                                                  \
            stress_fault(FAULT_OTHER, "%s: %s failed: %d", __func__, \
                         what, rc_);                                \
        }                                                           \
    } while (0)

#endif /* TESTS_STRESS_H */
