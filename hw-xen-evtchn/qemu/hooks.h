/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's own files call in the event-channel device, beyond
 * hw/i386/kvm/xen_evtchn.h.
 */

#ifndef HW_XEN_EVTCHN_HOOKS_H
#define HW_XEN_EVTCHN_HOOKS_H

#include "qom/object.h"
#include "hw/core/cpu.h"

/* Big enough for the argument of any EVTCHNOP_* there is. */
#define XEN_EVTCHN_OP_MAX_SIZE 64

/* -machine xen-evtchn-abi=, xen-evtchn-max-ports= */
void xen_evtchn_machine_class_init(ObjectClass *oc);

/*
 * Size of @cmd's argument, 0 if there is no such command; and whether it is
 * copied back to the guest after success.
 */
size_t xen_evtchn_op_size(unsigned int cmd, bool *copy_back);
/* EVTCHNOP_@cmd of the guest, @arg being a copy of its argument. */
int xen_evtchn_op(unsigned int cmd, void *arg);

/* SCHEDOP_poll, as evtchn_poll(), evtchn_vcpu_polls(), evtchn_poll_cancel(). */
int xen_evtchn_poll(uint32_t vcpu, const uint32_t *ports, uint32_t nr_ports);
bool xen_evtchn_vcpu_polls(uint32_t vcpu);
void xen_evtchn_poll_cancel(uint32_t vcpu);

/* What the guest is offered, once the device is there. */
typedef struct XenEvtchnOffer {
    bool fifo, three_level;
    uint32_t max_ports;
} XenEvtchnOffer;
XenEvtchnOffer xen_evtchn_offer(void);

/* A VIRQ's source fires; no locks needed. */
void xen_evtchn_set_virq(uint32_t vcpu, uint32_t virq);

/*
 * @cs is complete, and about to run; it is to go, but still has its thread; and
 * that has ended.  BQL held.
 */
void xen_evtchn_vcpu_realized(CPUState *cs);
void xen_evtchn_vcpu_unrealize(CPUState *cs);
void xen_evtchn_vcpu_ended(CPUState *cs);

/* @vcpu_info (host address, or NULL) is about to replace what @cs has. */
void xen_evtchn_set_vcpu_info(CPUState *cs, void *vcpu_info);
/* @vcpu is not there, but had this vcpu_info before the guest was saved. */
void xen_evtchn_set_absent_vcpu_info(uint32_t vcpu, void *vcpu_info);
/* @vcpu is not there, and what it had until it was unplugged is gone. */
void xen_evtchn_forget_vcpu_info(uint32_t vcpu);
/* The machine woke from S3: its vCPUs and their LAPICs were reset, no more. */
void xen_evtchn_wakeup(void);
/* HVM_PARAM_CALLBACK_IRQ as the guest has set it. */
uint64_t xen_evtchn_get_callback_param(void);
/* The guest set @cs's own upcall vector. */
void xen_evtchn_upcall_vector_set(CPUState *cs);
/* The guest's mode was latched anew. */
void xen_evtchn_set_long_mode(bool long_mode);

/*
 * The guest stops: QEMU has @cs's singleshot timer, which KVM has no more.  And it goes
 * on, perhaps elsewhere, with a system time that need not be QEMU_CLOCK_VIRTUAL's:
 * the timer is set anew, in KVM where that runs timers.  vCPU's thread, BQL held.
 */
void xen_evtchn_take_timer(CPUState *cs);
void xen_evtchn_resume_timer(CPUState *cs);

/*
 * Implemented in target/i386/kvm/xen-emu.c: from now on the kernel does, or
 * does not, deliver 2-level events and their timers and polls.
 */
int kvm_xen_set_evtchn_send(bool enable);

#endif /* HW_XEN_EVTCHN_HOOKS_H */
