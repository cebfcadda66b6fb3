/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest in user space: memory, vCPUs and the model's environment, for tests,
 * fuzzers and benchmarks.
 *
 * The code that consumes events is in consumer_2l.c, consumer_3l.c and
 * consumer_fifo.c.  Every access to guest memory goes through core/atomic.h, so
 * that TSan and the interleaving explorer see it.
 */

#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#include <stdint.h>
#include <stdbool.h>
#include <stddef.h>

#include "xen_public.h"
#include <xen/foreign/x86_32.h>

#include "event_channel_3level.h"
#include "evtchn.h"

/* Not in Xen's headers for guests. */
#ifndef EVTCHNOP_reset_cont
#define EVTCHNOP_reset_cont 14
#endif

#define GUEST_WORDS_PER_FRAME   (EVTCHN_FRAME_SIZE / 4)
#define GUEST_FIRST_GFN         0x100
#define GUEST_MAX_FRAMES        512
/* A guest-virtual address is the physical one. */
#define GUEST_FRAME_SHIFT       12
/* 3-level */
#define GUEST_MAX_BITMAP_PAGES  EVTCHN_3L_NR_PAGES(64)
#define GUEST_PORTS_PER_BITMAP  (EVTCHN_FRAME_SIZE * 8)

#define FIFO_PENDING    (UINT32_C(1) << EVTCHN_FIFO_PENDING)
#define FIFO_MASKED     (UINT32_C(1) << EVTCHN_FIFO_MASKED)
#define FIFO_LINKED     (UINT32_C(1) << EVTCHN_FIFO_LINKED)
#define FIFO_BUSY       (UINT32_C(1) << EVTCHN_FIFO_BUSY)
#define FIFO_LINK_MASK  ((uint32_t)EVTCHN_FIFO_LINK_MASK)

/* Counts what the model has allocated and can make it fail. */
struct guest_heap {
    size_t bytes;           /* allocated at present */
    uint64_t blocks;        /* the same in blocks */
    uint64_t allocs;        /* all that succeeded, ever */
    int64_t fail_in;        /* n > 0: the n-th from now on and all later fail */
};

/* A hub and what it runs on. */
struct world {
    struct guest_heap heap; /* first: the hub's opaque is cast to it */
    struct evtchn_env env;  /* the default one, over pthread mutexes */
    struct evtchn_hub *hub;
};

struct guest;

struct guest_vcpu {
    struct guest *g;
    uint32_t id;

    void *info;             /* vcpu_info, or NULL while there is none */
    uint64_t upcalls;       /* calls of env->raise_upcall() */
    uint64_t wakes;         /* calls of env->wake_poller() */

    /* FIFO: the guest's half of the queues. */
    uint64_t control_gfn;
    struct evtchn_fifo_control_block *control;
    uint32_t head[EVTCHN_FIFO_MAX_QUEUES];

    uint32_t *l2_selector;  /* 3-level */
    uint64_t l2_gfn;

    /* Signs of a broken hypervisor; a test asserts that they stay 0. */
    uint64_t empty_heads;   /* READY was set, HEAD was 0 */
    uint64_t wild_heads;    /* HEAD or LINK names no port */
};

/* A port's last env->binding_changed(). */
struct guest_binding {
    enum evtchn_state was;
    struct evtchn_port_info info;
    uint32_t calls;
};

struct guest {
    struct guest_heap heap; /* first: the domain's opaque is cast to it */
    struct evtchn_env env;
    struct world *world;
    struct evtchn_domain *d;

    uint16_t domid;
    uint32_t nr_vcpus;
    uint32_t max_ports;
    bool long_mode;
    struct guest_vcpu *vcpu;

    /* Frames: gfn - GUEST_FIRST_GFN is the index; NULL: no such frame. */
    void *frame[GUEST_MAX_FRAMES];
    uint32_t frame_mapped[GUEST_MAX_FRAMES];    /* map_frame()s at present */
    uint32_t nr_frames;
    uint64_t refused_gfn;   /* this one can't be mapped */
    uint32_t mapped;        /* all frames that are mapped now */

    void *shared_info;
    uint32_t *array[EVTCHN_MAX_ARRAY_FRAMES];   /* FIFO event words */
    uint32_t nr_array;

    /* 3-level */
    uint32_t *pending_map[GUEST_MAX_BITMAP_PAGES];
    uint32_t *mask_map[GUEST_MAX_BITMAP_PAGES];
    uint32_t nr_maps;       /* pages of each */

    /* The vCPU that the guest's kernel thinks a port is bound to. */
    uint16_t *port_vcpu;

    /* Hooks for tests that want to see events as they come; may be NULL. */
    void (*on_upcall)(struct guest_vcpu *v);
    void (*on_wake)(struct guest_vcpu *v);
    void (*on_notify)(struct guest *g, uint32_t port);
    void *opaque;

    uint32_t *notified;     /* host: env->notify() a port */
    uint64_t nr_notified;
    bool owns_2l;           /* what env->deliver_2l() answers */
    uint64_t delivered_2l;  /* how often it returned true */
    uint32_t last_2l_port;
    uint32_t last_2l_vcpu;
    uint32_t abi_changes;
    enum evtchn_abi last_abi;
    int abi_change_rc;      /* env->abi_change()'s answer */
    struct guest_binding *binding;  /* a port, if config asked for it */
};

/* Zero means the usual: one vCPU, each ABI offered, 64-bit, all memory. */
struct guest_config {
    uint16_t domid;
    uint32_t nr_vcpus;
    uint32_t max_ports;         /* 0: EVTCHN_MAX_PORTS */
    uint32_t nr_pirqs;
    bool host;
    bool privileged;
    bool no_fifo;
    bool no_3l;
    bool word32;
    bool no_shared_info;
    bool no_vcpu_info;
    bool deliver_2l;            /* the optional hooks, each on its own */
    bool abi_change;
    bool binding_changed;
    /* Locks, relax and memory from here, not from pthread and malloc. */
    const struct evtchn_env *env;
};

struct world *world_new(void);
/* As world_new(), on other locks; @env's memory hooks are not used. */
struct world *world_new_env(const struct evtchn_env *env);
/* Free the world; checks that all memory was freed. */
void world_free(struct world *w);

/*
 * Around a call into the model that may look at a domain which another thread
 * destroys meanwhile; that thread must not be in one.  The default environment
 * waits for these.
 */
void world_enter(void);
void world_leave(void);
/* The default environment's. */
void world_synchronize(void *opaque);
void world_relax(unsigned int spins);

struct guest *guest_new(struct world *w, const struct guest_config *config);
/* The same, but returns the model's error; *@g is NULL then. */
int guest_try_new(struct world *w, const struct guest_config *config,
                  struct guest **g);
/* Destroy the domain; checks that memory is freed and frames are unmapped. */
void guest_free(struct guest *g);

/* Memory ---------------------------------------------------------------- */

/* A new zeroed frame of guest RAM. */
uint64_t guest_new_frame(struct guest *g);
/* The frame's memory, or NULL if there is no such frame. */
void *guest_frame(struct guest *g, uint64_t gfn);

/* The vcpu_info inside shared_info, or a page of its own for high vCPUs. */
void guest_set_vcpu_info(struct guest *g, uint32_t vcpu, bool mark_all);
uint8_t *guest_upcall_pending(struct guest_vcpu *v);
uint64_t guest_pending_sel(struct guest_vcpu *v);
uint64_t guest_take_pending_sel(struct guest_vcpu *v);

/* Word size in bits. */
static inline uint32_t guest_word_bits(const struct guest *g)
{
    return g->long_mode ? 64 : 32;
}

/* 2-level's limit: W * W. */
static inline uint32_t guest_2l_ports(const struct guest *g)
{
    return guest_word_bits(g) * guest_word_bits(g);
}

/* 3-level's: W * W * W, if there are pages for as many. */
static inline uint32_t guest_3l_ports(const struct guest *g)
{
    uint32_t ports = EVTCHN_3L_NR_CHANNELS(guest_word_bits(g));
    uint32_t room = g->nr_maps * GUEST_PORTS_PER_BITMAP;

    return ports < room ? ports : room;
}

/* Change the mode, in the model too; shared_info is zeroed. */
void guest_set_long_mode(struct guest *g, bool long_mode);

/* Hypercalls that need guest memory --------------------------------------- */

int guest_op(struct guest *g, unsigned int cmd, void *arg);

/* evtchn_send(), while another thread may destroy the peer's domain. */
int guest_send(struct guest *g, uint32_t port);

/* Hand over a zeroed control block, at @offset in a new frame. */
int guest_init_control(struct guest *g, uint32_t vcpu, uint32_t offset);
/* Hand over a new page of masked event words. */
int guest_expand_array(struct guest *g);
/* All vCPUs, and array pages for ports 0 to @ports - 1. */
int guest_fifo_init(struct guest *g, uint32_t ports);
/*
 * Register new bitmaps, in which all ports beyond 2-level's are masked; and
 * @vcpu's zeroed L2 selector, at @offset in a new frame.
 */
int guest_register_bitmaps(struct guest *g);
int guest_register_selector(struct guest *g, uint32_t vcpu, uint32_t offset);
/* Both, for all vCPUs. */
int guest_3l_init(struct guest *g);
/* The whole EVTCHNOP_reset; if it succeeds, forgets what was registered. */
int guest_reset(struct guest *g);

/* NULL: its page was not handed over. */
uint32_t *guest_event_word(struct guest *g, uint32_t port);

/* The ABI in use; both words sizes ---------------------------------------- */

bool guest_is_pending(struct guest *g, uint32_t port);
bool guest_is_masked(struct guest *g, uint32_t port);
void guest_set_pending(struct guest *g, uint32_t port);
void guest_clear_pending(struct guest *g, uint32_t port);
void guest_mask(struct guest *g, uint32_t port);
/*
 * Unmask as a guest kernel does on @v, with a hypercall only if it is needed.
 * Returns whether it was.
 */
bool guest_unmask(struct guest_vcpu *v, uint32_t port);

/* Called with PENDING already cleared. */
typedef void guest_handler(struct guest_vcpu *v, uint32_t port, void *opaque);

/*
 * The upcall: handle events until evtchn_upcall_pending stays clear.  Returns
 * how many were handled.
 */
unsigned int guest_upcall(struct guest_vcpu *v, guest_handler *handler,
                          void *opaque);

/* A handler that appends to a list. */
struct guest_log {
    uint32_t port[4096];
    uint16_t vcpu[4096];
    unsigned int nr;
};
void guest_log_event(struct guest_vcpu *v, uint32_t port, void *opaque);

#endif /* TESTS_GUEST_H */
