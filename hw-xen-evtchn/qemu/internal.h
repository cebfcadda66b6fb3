/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the device of type "xen-evtchn": what its files share.
 *
 * The guest is one domain of the event-channel model (../core), QEMU's back
 * ends together are another: domain 0.
 *
 * Locks: BQL, then the model's, then kvm_lock or frames_lock.  A send or an
 * unmask takes neither the BQL nor any lock of this device.
 *
 * A thread that enters the model, other than to set it up or to load its state,
 * is an RCU reader meanwhile: a sender may look at a frame of the guest's that
 * another vCPU has just had unmapped, and QEMU frees RAM after such readers.
 */

#ifndef HW_XEN_EVTCHN_INTERNAL_H
#define HW_XEN_EVTCHN_INTERNAL_H

#include "qemu/lockable.h"
#include "qemu/rcu.h"
#include "qemu/thread.h"
#include "qom/object.h"
#include "hw/sysbus.h"
#include "hw/irq.h"
#include "hw/intc/ioapic.h"
#include "hw/i386/kvm/xen_evtchn.h"

#include "../core/evtchn.h"
#include "hooks.h"
#include "migration.h"
#include "traffic.h"
#include "vcpu.h"

#define TYPE_XEN_EVTCHN "xen-evtchn"
OBJECT_DECLARE_SIMPLE_TYPE(XenEvtchnState, XEN_EVTCHN)

/* Ports that 2-level can have, and so all that KVM knows of. */
#define XEN_EVTCHN_2L_PORTS 4096

/* Handles that are made at once: see XenEvtchnState. */
#define HANDLES_PER_CHUNK 512

typedef struct XenEvtchnOptions {
    bool fifo;              /* the guest may switch to FIFO, */
    bool three_level;       /* and to 3-level */
    uint32_t max_ports;
    const char *traffic;    /* file for traffic.h's page, or NULL */
} XenEvtchnOptions;

/* A PIRQ that is no GSI's; the values are those of Xen's own streams. */
enum {
    XEN_PIRQ_UNBOUND = -1,
    XEN_PIRQ_MSI_EMU = -3,
};

typedef struct XenPirq {
    int gsi;                /* or one of the above */
    PCIDevice *dev;         /* MSI: whose vector it is */
    int vector;
    bool is_msix;
    bool is_masked;
    bool is_translated;     /* KVM has, or asked for, a route; atomic */
    bool was_bound;         /* since the guest was given it */
} XenPirq;

typedef struct XenEvtchnKvmPort XenEvtchnKvmPort;

typedef struct XenEvtchnCPU {
    void *vcpu_info;        /* BQL */
    bool taking_timer;      /* work for its thread is under way; BQL */
    int timer_error;        /* why KVM has kept its timer, or 0; BQL */
} XenEvtchnCPU;

struct XenEvtchnState {
    SysBusDevice parent_obj;

    XenEvtchnOptions options;
    struct evtchn_hub *hub;
    struct evtchn_domain *guest;
    struct evtchn_domain *host;
    uint32_t nr_cpus;
    XenEvtchnCPU *cpus;
    bool reset_under_way;       /* some of its pieces are done; BQL */

    /* Upcalls (callback.c); BQL, but for reading callback_param. */
    uint64_t callback_param;
    uint32_t callback_gsi;
    bool setting_callback_gsi;
    bool callback_is_loaded;    /* its GSI is looked for when the guest runs */
    QEMUBH *gsi_bh;
    unsigned int nr_callback_gsis;
    qemu_irq *callback_gsis;

    /* PIRQs (pirq.c, msi.c); BQL */
    uint32_t nr_pirqs;
    uint16_t nr_pirq_inuse_words;
    uint64_t *pirq_inuse;
    uint16_t gsi_pirq[IOAPIC_NUM_PINS];
    /* GSIs that their devices, not we, hold high: kept for all, always. */
    uint32_t gsi_levels;
    XenPirq *pirq;

    /*
     * Back ends (backend.c), by domain 0's port: in chunks, of which each is made
     * when the first of its ports is bound, and stays.
     */
    struct xenevtchn_handle **handles[EVTCHN_MAX_PORTS / HANDLES_PER_CHUNK];

    /* What the kernel does (kvm.c) */
    bool kvm_evtchn;            /* it can deliver 2-level */
    bool kvm_delivers;          /* deliver_2l goes to it; atomic */
    bool kvm_released;          /* it was told to leave 2-level alone; BQL */
    unsigned int kvm_switching; /* vCPUs that want it so; BQL */
    bool kvm_dropping_routes;   /* BQL */
    QemuMutex kvm_lock;
    XenEvtchnKvmPort *kvm_ports;    /* XEN_EVTCHN_2L_PORTS; kvm_lock */

    /* Guest frames that the model has mapped (env.c) */
    QemuMutex frames_lock;
    GHashTable *frames;

    XenEvtchnStream stream;
};

extern XenEvtchnState *xen_evtchn_singleton;

/* options.c */
bool xen_evtchn_get_options(bool kvm_has_2l, XenEvtchnOptions *options,
                            Error **errp);

/* env.c */
extern const struct evtchn_env xen_evtchn_guest_env;
extern const struct evtchn_env xen_evtchn_host_env;
void xen_evtchn_env_init(XenEvtchnState *s);

/* ops.c */
/* An EVTCHNOP_reset in one go, whatever the guest is doing; BQL held. */
int xen_evtchn_reset_now(XenEvtchnState *s);

/* callback.c */
void xen_evtchn_callback_init(XenEvtchnState *s, unsigned int nr_gsis,
                              qemu_irq *system_gsis);
void xen_evtchn_raise_upcall(XenEvtchnState *s, uint32_t vcpu);
bool xen_evtchn_callback_is_vector(XenEvtchnState *s);
/* As a stream has it: the device whose pin it is may be gone by now. */
int xen_evtchn_load_callback_param(uint64_t param);

/* pirq.c; BQL held, but to raise one */
void xen_evtchn_pirq_init(XenEvtchnState *s);
void xen_evtchn_pirq_raise(XenEvtchnState *s, uint32_t pirq);
bool xen_evtchn_pirq_inuse(XenEvtchnState *s, uint32_t pirq);
void xen_evtchn_pirq_bound(XenEvtchnState *s, uint32_t pirq);
/* After a reset of the guest, whose ports are closed. */
void xen_evtchn_pirq_reset(XenEvtchnState *s);
void xen_evtchn_pirq_rebuild(XenEvtchnState *s);
/* Does its device hold @gsi high? */
static inline bool xen_evtchn_gsi_is_high(const XenEvtchnState *s, int gsi)
{
    return gsi < IOAPIC_NUM_PINS && s->gsi_levels >> gsi & 1;
}

/* msi.c; BQL held */
void xen_evtchn_msi_bound(XenEvtchnState *s, uint32_t pirq);
/* Have KVM's route of a PIRQ, or of all, set up anew. */
void xen_evtchn_msi_refresh(XenEvtchnState *s, uint32_t pirq);
void xen_evtchn_msi_refresh_all(XenEvtchnState *s);
/*
 * The model's hook, which notes that KVM may have a route to a port that was a
 * PIRQ's; and, on the same thread without the model's locks or the BQL, what
 * is to follow.
 */
void xen_evtchn_msi_binding_changed(XenEvtchnState *s, enum evtchn_state was,
                                    const struct evtchn_port_info *info);
void xen_evtchn_msi_refresh_stale(void);

/* backend.c */
void xen_evtchn_backend_init(void);
/* All back ends' ports; their handles stay open for them to bind again. */
void xen_evtchn_backend_unbind_all(XenEvtchnState *s);
void xen_evtchn_backend_notify(void *opaque, uint32_t port);
/* The eventfd behind domain 0's @port, or -1. */
int xen_evtchn_backend_fd(XenEvtchnState *s, uint32_t port);

/* kvm.c */
/*
 * Take 2-level delivery, timers and polls from the kernel before the guest may
 * become FIFO or 3-level; and, once it has or has not, let the kernel have them
 * again if the guest is 2-level.  BQL held; begin may drop it for a while.
 */
int xen_evtchn_kvm_begin_switch(XenEvtchnState *s);
void xen_evtchn_kvm_end_switch(XenEvtchnState *s);
/* The latter after a reset, which may have made the guest 2-level again. */
void xen_evtchn_kvm_reclaim(XenEvtchnState *s);
/* Hook of the model. */
int xen_evtchn_kvm_abi_change(void *opaque, enum evtchn_abi abi);

/* kvm_ports.c */
void xen_evtchn_kvm_init(XenEvtchnState *s);
/* Whether KVM delivers, now that the callback has changed.  BQL held. */
void xen_evtchn_kvm_update(XenEvtchnState *s);
/* kvm_lock held.  An error: KVM goes on delivering sends on a port. */
int xen_evtchn_kvm_set_delivers(XenEvtchnState *s, bool delivers);
/* Around an EVTCHNOP_reset. */
void xen_evtchn_kvm_begin_reset(XenEvtchnState *s);
void xen_evtchn_kvm_end_reset(XenEvtchnState *s);
/* @cs is new: it has the bindings that the guest made for its number. */
void xen_evtchn_kvm_vcpu_plugged(XenEvtchnState *s, CPUState *cs);
/* A back end has bound its @port to @guest_port. */
void xen_evtchn_kvm_backend_bound(XenEvtchnState *s, uint32_t guest_port,
                                  uint32_t port);
/* Hooks of the model. */
bool xen_evtchn_kvm_deliver_2l(void *opaque, uint32_t vcpu, uint32_t port);
void xen_evtchn_kvm_binding_changed(void *opaque, uint32_t port,
                                    const struct evtchn_port_info *info);

/* kvm_timers.c */
/* Move the vCPU's singleshot timer from KVM to QEMU.  vCPU's thread. */
int xen_evtchn_kvm_take_timer(CPUState *cs);
/*
 * KVM runs it if the guest has bound VIRQ_TIMER, and QEMU if not: as in Xen it goes
 * on when the port is closed, while KVM would stop it.  vCPU's thread.
 */
void xen_evtchn_kvm_move_timer(CPUState *cs);
/*
 * @vcpu's @virq is bound to @port, or to none (0): noted in the vCPU's own state,
 * which is migrated with it, and for VIRQ_TIMER in KVM.
 */
void xen_evtchn_kvm_set_virq(XenEvtchnState *s, uint32_t vcpu, uint32_t virq,
                             uint32_t port);
/* After a soft reset: the guest's next kernel gets no timer of this one's. */
void xen_evtchn_kvm_stop_timers(XenEvtchnState *s);

#endif /* HW_XEN_EVTCHN_INTERNAL_H */
