/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen event channels: domains, ports, vCPUs and the delivery ABIs.
 *
 * This is the model's whole public interface.  It is freestanding: no libc
 * beyond the four mem functions, no host header.  What the model needs from
 * outside comes through struct evtchn_env.
 *
 * Source of the semantics: xen.git, xen/common/event_channel.c, event_2l.c,
 * event_fifo.c, and xen/include/public/event_channel.h.
 *
 * Return values: 0 (or what a function says) on success, else a negative Xen
 * errno (public/errno.h); a guest sees exactly these.
 *
 * Threads: unless its comment says otherwise, a function may run on any thread
 * at any time, while it or any other function runs on another.  evtchn_send(),
 * evtchn_unmask() and the evtchn_raise functions take the lock of one queue, or
 * of two when a FIFO port moves between them; never a domain's.
 * Lock order: caller's locks, hub lock, event locks by domain address, an
 * unbound port's own, queue locks by address.  Each env hook says which of them
 * are held when the model calls it.
 *
 * Memory that is taken away: evtchn_send(), evtchn_unmask() and the
 * evtchn_raise functions may still read, but not write, an event word, a bitmap
 * or a vcpu_info just after another thread has unmapped it by
 * env->unmap_frame(), or replaced it.  So the environment must keep such memory
 * readable until every call into the model that had begun is over.  With RCU:
 * put a read-side section around each call, and free the memory after a grace
 * period.
 */

#ifndef XEN_EVTCHN_H
#define XEN_EVTCHN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVTCHN_FRAME_SIZE           4096
/* 3-level's limit; and FIFO's as in Xen, 128 array pages of 1,024 words. */
#define EVTCHN_MAX_PORTS            262144
#define EVTCHN_FIFO_MAX_PORTS       131072
#define EVTCHN_NR_VIRQS             24
#define EVTCHN_NR_PRIORITIES        16
#define EVTCHN_MAX_ARRAY_FRAMES     (EVTCHN_FIFO_MAX_PORTS / 1024)
/* The most frames that a guest registers for any ABI, without its vCPUs'. */
#define EVTCHN_MAX_FRAMES           EVTCHN_MAX_ARRAY_FRAMES
#define EVTCHN_INVALID_GFN          UINT64_MAX
/* A piece of a reset is done, more are left.  Xen's value, for no guest. */
#define EVTCHN_ERESTART             85

struct evtchn_hub;
struct evtchn_domain;

/* How a domain's events are delivered. */
enum evtchn_abi {
    EVTCHN_ABI_HOST,    /* no guest: env->notify() is called for each event */
    EVTCHN_ABI_2L,
    EVTCHN_ABI_FIFO,
    EVTCHN_ABI_3L,
};

/* State of a port; the values are EVTCHNSTAT_* of public/event_channel.h. */
enum evtchn_state {
    EVTCHN_CLOSED = 0,
    EVTCHN_UNBOUND = 1,
    EVTCHN_INTERDOMAIN = 2,
    EVTCHN_PIRQ = 3,
    EVTCHN_VIRQ = 4,
    EVTCHN_IPI = 5,
    EVTCHN_RESERVED = 6,    /* port 0; EVTCHNSTAT_closed to a guest */
};

/* What a port is, as evtchn_port_info() and env->binding_changed() tell it. */
struct evtchn_port_info {
    enum evtchn_state state;
    enum evtchn_abi abi;
    uint32_t vcpu;          /* the vCPU that its events go to */
    uint16_t remote_domid;  /* interdomain: the peer's; unbound: it may bind */
    uint32_t remote_port;   /* interdomain: the peer's port */
    uint32_t irq;           /* pirq or virq: its number */
    uint8_t priority;       /* FIFO: 0 (highest) to 15 */
    bool pending;           /* the guest-visible bits */
    bool masked;
    bool linked;            /* FIFO: on a queue */
    uint32_t link;          /* FIFO: the next port on that queue, or 0 */
};

/*
 * What the model calls in the program that uses it.  All hooks but the optional
 * ones must be set.  The model calls them on the threads that call into the
 * model.  @opaque is the one given to evtchn_domain_create() or
 * evtchn_hub_create().
 */
struct evtchn_env {
    /* Zeroed memory aligned to 64 bytes, or NULL. */
    void *(*alloc)(void *opaque, size_t size);
    void (*free)(void *opaque, void *ptr, size_t size);

    /* A sleeping or spinning lock of @lock_size bytes, not recursive. */
    size_t lock_size;
    void (*lock_init)(void *lock);
    void (*lock_destroy)(void *lock);
    void (*lock)(void *lock);
    void (*unlock)(void *lock);

    /*
     * Called in each round of a busy wait, @spins counting from 0: pause, and
     * when @spins grows yield the processor, which the holder may need.
     */
    void (*relax)(unsigned int spins);

    /*
     * Wait until every call into the model that had begun is over.  Optional if
     * one thread makes all calls.  Held: none of the model's locks.
     */
    void (*synchronize)(void *opaque);

    /*
     * Map the guest's 4 KiB frame @gfn, which must be writable RAM, or return
     * NULL.  Held: the event lock.  The pointer stays valid until
     * unmap_frame().  Guests write to it at any time.
     */
    void *(*map_frame)(void *opaque, uint64_t gfn);
    void (*unmap_frame)(void *opaque, uint64_t gfn, void *frame);

    /*
     * Optional, for EVTCHNOP_register_3level: copy @size bytes from @addr, an
     * address as the vCPU that makes this call sees it.  False if it can't be
     * read.  None of the model's locks is held.
     */
    bool (*read_guest)(void *opaque, uint64_t addr, void *buf, size_t size);

    /*
     * evtchn_upcall_pending of @vcpu was set: interrupt it.  Held: at most the
     * event lock.  Must not block nor call back into the model.
     */
    void (*raise_upcall)(void *opaque, uint32_t vcpu);

    /*
     * End the poll of @vcpu, which evtchn_poll() has registered: an event came.
     * Held: at most the event lock.  Must not block nor call back into the
     * model.
     */
    void (*wake_poller)(void *opaque, uint32_t vcpu);

    /*
     * EVTCHN_ABI_HOST: an event for @port.  Held: a queue lock, so no such call
     * for a port is under way once evtchn_close() of it has returned.  Must not
     * block nor call back into the model.  Needed by host domains only.
     */
    void (*notify)(void *opaque, uint32_t port);

    /*
     * Optional: raise @port at @vcpu by other means, such as KVM, and return
     * true; the model then leaves the 2-level bits alone.  False: the model
     * delivers.  Unmask stays with the model.  Held: a queue lock, so that
     * @port stays bound to @vcpu.
     */
    bool (*deliver_2l)(void *opaque, uint32_t vcpu, uint32_t port);

    /*
     * Optional: the domain is about to change to @abi.  If KVM, or anything
     * else but the model, also writes 2-level bits for this domain, it must
     * have stopped for good when this returns 0 for FIFO or 3-level, as only
     * one side may deliver.  An error refuses the guest's EVTCHNOP_init_control
     * or EVTCHNOP_register_3level.  At EVTCHN_ABI_2L (after a reset) KVM may
     * start again, and the return value is ignored.  Held: the event lock.
     */
    int (*abi_change)(void *opaque, enum evtchn_abi abi);

    /*
     * Optional: the binding of @port, whose state was @was, or its vCPU has
     * changed to @info (state, vcpu, remote, irq and abi are filled in).  A
     * closed port has state EVTCHN_CLOSED and still its old irq.  Held: the
     * event lock(s).  Must not call back into the model.
     */
    void (*binding_changed)(void *opaque, uint32_t port, enum evtchn_state was,
                            const struct evtchn_port_info *info);
};

/* Hub: the domains that can see each other ----------------------------- */

/* NULL when there is no memory.  @env must outlive the hub. */
struct evtchn_hub *evtchn_hub_create(const struct evtchn_env *env,
                                     void *opaque);
/* All domains must have been destroyed. */
void evtchn_hub_destroy(struct evtchn_hub *hub);

/* Domains -------------------------------------------------------------- */

struct evtchn_domain_config {
    uint16_t domid;         /* below DOMID_FIRST_RESERVED (0x7ff0) */
    /* 1 to 65535; a host has no vCPUs, but so many locks for its ports */
    uint32_t nr_vcpus;
    /* Ports 0 to max_ports - 1: the toolstack's max_event_channels + 1. */
    uint32_t max_ports;     /* 2 to EVTCHN_MAX_PORTS */
    uint32_t nr_pirqs;      /* 0: no PIRQs */
    bool host;              /* EVTCHN_ABI_HOST: a back end's domain */
    bool privileged;        /* may name other domains in operations */
    bool fifo;              /* offer FIFO; else -EOPNOTSUPP, as Xen without */
    bool three_level;       /* offer 3-level; else -EPERM */
};

/*
 * -EINVAL for a config out of range, -EEXIST for a domid in use, -ENOMEM.
 * @env and @opaque must outlive the domain.  A guest starts as 64-bit, 2-level.
 */
int evtchn_domain_create(struct evtchn_hub *hub,
                         const struct evtchn_domain_config *config,
                         const struct evtchn_env *env, void *opaque,
                         struct evtchn_domain **domain);

/*
 * Close every port, unmap every frame and free.  No thread may be in, or
 * start, an operation on this very domain; peers may go on.
 */
void evtchn_domain_destroy(struct evtchn_domain *d);

/*
 * The guest's mode, which Xen latches: it sets the word size, and so the limit
 * and layout of 2-level.  When the limit shrinks, ports above it stay bound,
 * and their events are kept until it grows again.
 */
void evtchn_domain_set_long_mode(struct evtchn_domain *d, bool long_mode);

/*
 * The shared_info page (host address, 4 KiB), where 2-level's bits are.  NULL
 * takes it away; the model then keeps events until there is one again.  When
 * this returns, the model no longer writes to the old page.
 */
void evtchn_domain_set_shared_info(struct evtchn_domain *d, void *shared_info);

/*
 * @vcpu's vcpu_info (host address) or NULL.  Xen marks everything in a newly
 * registered one as pending, whether there is an event or not, so that no event
 * is lost by the move.  With @mark_all the model does the same; without it only
 * if one of the vCPU's ports waits for an upcall.  The caller has copied the
 * old contents.  When this returns, the model no longer writes to the old one.
 * -ENOENT: no such vCPU.
 */
int evtchn_vcpu_set_info(struct evtchn_domain *d, uint32_t vcpu,
                         void *vcpu_info, bool mark_all);

enum evtchn_abi evtchn_domain_abi(const struct evtchn_domain *d);
uint16_t evtchn_domain_id(const struct evtchn_domain *d);
/* Ports that exist are below this, which only grows: a bound for loops. */
uint32_t evtchn_domain_valid_ports(const struct evtchn_domain *d);
/* Bytes allocated for this domain at present. */
size_t evtchn_domain_memory(const struct evtchn_domain *d);

/* Operations, EVTCHNOP_* ----------------------------------------------- */

/*
 * Size in bytes of @cmd's argument, 0 for a command that does not exist; and
 * whether it is copied back to the guest after success.
 */
size_t evtchn_op_size(unsigned int cmd, bool *copy_back);

/*
 * HYPERVISOR_event_channel_op for @d: @arg is a copy, evtchn_op_size() bytes,
 * of the guest's argument.  -ENOSYS for an unknown @cmd.  EVTCHNOP_reset is
 * done in pieces: at -EVTCHN_ERESTART the caller may drop its locks and must
 * then call again with EVTCHNOP_reset_cont (14) until something else comes.
 */
int evtchn_op(struct evtchn_domain *d, unsigned int cmd, void *arg);

/* Each operation by itself; @dom may be DOMID_SELF. */
int evtchn_alloc_unbound(struct evtchn_domain *d, uint16_t dom,
                         uint16_t remote_dom, uint32_t *port);
int evtchn_bind_interdomain(struct evtchn_domain *d, uint16_t remote_dom,
                            uint32_t remote_port, uint32_t *port);
int evtchn_bind_virq(struct evtchn_domain *d, uint32_t virq, uint32_t vcpu,
                     uint32_t *port);
int evtchn_bind_ipi(struct evtchn_domain *d, uint32_t vcpu, uint32_t *port);
int evtchn_bind_pirq(struct evtchn_domain *d, uint32_t pirq, uint32_t flags,
                     uint32_t *port);
int evtchn_bind_vcpu(struct evtchn_domain *d, uint32_t port, uint32_t vcpu);
int evtchn_close(struct evtchn_domain *d, uint32_t port);
int evtchn_send(struct evtchn_domain *d, uint32_t port);
int evtchn_unmask(struct evtchn_domain *d, uint32_t port);
int evtchn_set_priority(struct evtchn_domain *d, uint32_t port,
                        uint32_t priority);
/* *@link_bits is set even on failure, as Xen does. */
int evtchn_init_control(struct evtchn_domain *d, uint64_t control_gfn,
                        uint32_t offset, uint32_t vcpu, uint8_t *link_bits);
int evtchn_expand_array(struct evtchn_domain *d, uint64_t array_gfn);
/* EVTCHN_EXTENDED_ABI_* of public/event_channel_3level.h. */
uint64_t evtchn_extended_abis(const struct evtchn_domain *d);
/*
 * EVTCHNOP_register_3level: @gfns are @nr_pages frames of pending bits, and as
 * many of mask bits.
 */
int evtchn_register_bitmaps(struct evtchn_domain *d, const uint64_t *gfns,
                            uint32_t nr_pages);
int evtchn_register_l2_selector(struct evtchn_domain *d, uint32_t vcpu,
                                uint64_t gfn, uint32_t offset);
/* The whole reset, in as many pieces as it takes. */
int evtchn_reset(struct evtchn_domain *d);

/* Events from inside --------------------------------------------------- */

/*
 * Raise a bound port of @d as its source would: for a PIRQ or VIRQ whose port
 * the caller knows, and for injection by a monitor.  -EINVAL when not bound.
 */
int evtchn_raise_port(struct evtchn_domain *d, uint32_t port);
/*
 * Raise a VIRQ: a per-vCPU one at @vcpu, a global one at the vCPU to which its
 * port is bound.  Nothing happens when it is not bound.
 */
void evtchn_raise_virq(struct evtchn_domain *d, uint32_t vcpu, uint32_t virq);
/* Nothing happens when it is not bound. */
void evtchn_raise_pirq(struct evtchn_domain *d, uint32_t pirq);
/* The port that @pirq or @virq is bound to, or 0. */
uint32_t evtchn_pirq_port(struct evtchn_domain *d, uint32_t pirq);
uint32_t evtchn_virq_port(struct evtchn_domain *d, uint32_t vcpu,
                          uint32_t virq);

/*
 * SCHEDOP_poll: 1 when one of @ports is pending (masked or not), -EINVAL for
 * one that is not bound, else 0 with @vcpu registered: the model then calls
 * env->wake_poller() once, after an event on one of them.  The call may come
 * for another port too, for an event that the guest has just taken, and before
 * this returns.
 */
int evtchn_poll(struct evtchn_domain *d, uint32_t vcpu, const uint32_t *ports,
                uint32_t nr_ports);
/* Whether @vcpu is still registered by evtchn_poll(). */
bool evtchn_vcpu_polls(struct evtchn_domain *d, uint32_t vcpu);
/* End @vcpu's poll without an event, for instance after a time-out. */
void evtchn_poll_cancel(struct evtchn_domain *d, uint32_t vcpu);

/* Inspection ----------------------------------------------------------- */

/* -EINVAL for a port that does not exist; a closed one is a success. */
int evtchn_port_info(struct evtchn_domain *d, uint32_t port,
                     struct evtchn_port_info *info);

/* Save and load --------------------------------------------------------- */
/*
 * The guest must be stopped, and no operation under way, from the first save
 * call to the last, and during all of load.  Event words and control blocks are
 * saved with the guest's memory; these functions save the rest.
 */

struct evtchn_port_state {
    uint32_t port;
    uint8_t state;          /* enum evtchn_state */
    uint8_t priority;
    uint8_t last_priority;  /* the FIFO queue the port was last put on */
    uint8_t pending;        /* raise again when missing memory is registered */
    uint16_t vcpu;
    uint16_t last_vcpu;
    uint16_t remote_domid;
    uint32_t remote_port;   /* interdomain: the peer's port; else irq */
};

struct evtchn_vcpu_state {
    /* FIFO's control block or 3-level's L2 selector */
    uint64_t gfn;           /* EVTCHN_INVALID_GFN: has none */
    uint32_t offset;
    uint32_t tail[EVTCHN_NR_PRIORITIES];    /* FIFO */
};

/* -EINVAL: no such port.  -ENOENT: closed, and nothing worth saving. */
int evtchn_save_port(struct evtchn_domain *d, uint32_t port,
                     struct evtchn_port_state *state);
/*
 * Recreate a port.  An interdomain port whose peer is not there (yet) becomes
 * unbound; loading the peer joins the two again.  -EINVAL for anything that
 * evtchn_save_port() cannot have written, as the stream is not trusted.
 */
int evtchn_load_port(struct evtchn_domain *d,
                     const struct evtchn_port_state *state);
int evtchn_save_vcpu(struct evtchn_domain *d, uint32_t vcpu,
                     struct evtchn_vcpu_state *state);
/*
 * What a FIFO or 3-level guest has registered: the array's frames, or the
 * pending bitmap's and then the mask bitmap's.  *@nr_frames is set to their
 * number; @gfns may be NULL or have room for EVTCHN_MAX_FRAMES.
 */
void evtchn_save_frames(struct evtchn_domain *d, uint64_t *gfns,
                        uint32_t *nr_frames);
/*
 * Switch a new domain, before its ports are loaded, to @abi (FIFO or 3-level)
 * with these frames and @vcpus, nr_vcpus of them.  On failure the domain stays
 * as it was.
 */
int evtchn_load_abi(struct evtchn_domain *d, enum evtchn_abi abi,
                    const uint64_t *gfns, uint32_t nr_frames,
                    const struct evtchn_vcpu_state *vcpus);

#endif /* XEN_EVTCHN_H */
