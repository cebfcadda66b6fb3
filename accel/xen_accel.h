/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a Xen guest's environment asks of the accelerator that runs the guest.
 *
 * The environment (hypercalls, event channels, grants, xenstore) is the same
 * on all of them.  An accelerator brings the hypercall trap, the hypercall
 * page, CPUID and the latch of the guest's mode, each in its own way, and a
 * struct XenAccelOps.
 *
 * Functions return 0 or -errno.  gpa INVALID_GPA and gfn INVALID_GFN take
 * something away.
 */

#ifndef XEN_ACCEL_H
#define XEN_ACCEL_H

#include "hw/core/cpu.h"
#include "exec/hwaddr.h"
#include "hw/pci/msi.h"

struct vcpu_runstate_info;

/* Xen's two marks of a vCPU: is_initialised, and VPF_down. */
typedef enum XenVCPUStatus {
    XEN_VCPU_WAITING,           /* for SIPI or VCPUOP_initialise */
    XEN_VCPU_DOWN,              /* it has registers, VCPUOP_up lets it run */
    XEN_VCPU_UP,
} XenVCPUStatus;

typedef struct XenAccelOps {
    const char *name;

    /*
     * What the accelerator does by itself, as KVM_XEN_HVM_CONFIG_* bits.  Only
     * with EVTCHN_SEND does it deliver 2-level events and run singleshot
     * timers, and only then are set_vcpu_timer, get_vcpu_timer and
     * set_vcpu_upcall_vector called.  Any thread.
     */
    uint32_t (*get_caps)(void);

    /* The version of Xen that the guest sees: major << 16 | minor. */
    uint32_t (*get_xen_version)(void);
    /* What the guest may have of both. */
    uint16_t (*get_gnttab_max_frames)(void);
    uint16_t (*get_evtchn_max_pirq)(void);

    /*
     * Translate guest-virtual @gva of @cs, which is the caller's own vCPU.
     * False if there is no such page, or it can't be written as asked.
     */
    bool (*gva_to_gpa)(CPUState *cs, uint64_t gva, uint64_t *gpa,
                       bool is_write);

    /* Xen's system time in ns: what vcpu_time_info counts.  Any thread. */
    uint64_t (*get_system_time)(void);

    /* shared_info is at @gfn: the wallclock goes there.  BQL held. */
    int (*set_shared_info)(uint64_t gfn);

    /*
     * The guest's mode, which sets the layout of what it shares with us: as
     * latched when it set up its hypercall page, or set here since.
     */
    int (*set_long_mode)(bool long_mode);
    int (*get_long_mode)(bool *long_mode);

    /* Structures that the accelerator keeps up to date.  vCPU's thread. */
    int (*set_vcpu_info)(CPUState *cs, uint64_t gpa);
    int (*set_vcpu_time_info)(CPUState *cs, uint64_t gpa);
    int (*set_vcpu_runstate)(CPUState *cs, uint64_t gpa);

    /* The Xen vCPU number of @cs, if it is to know.  Before it first runs. */
    int (*init_vcpu)(CPUState *cs);
    /*
     * @cs is being unplugged: its thread has ended, and nobody who raises an
     * event or wakes vCPUs has it any more.  BQL held.
     */
    void (*destroy_vcpu)(CPUState *cs);

    /*
     * HVM_PARAM_CALLBACK_IRQ's vector, 0 for none: injected into a vCPU, with
     * no EOI, whenever its evtchn_upcall_pending is set and it takes
     * interrupts.  BQL held.
     */
    int (*set_upcall_vector)(uint8_t vector);
    /* That flag of @cs was just set.  Any thread, no BQL; must not block. */
    void (*raise_upcall)(CPUState *cs);
    /* The same by @vector of @cs's own, as a LAPIC interrupt. */
    void (*raise_vcpu_upcall)(CPUState *cs, uint8_t vector);

    /* See get_caps.  vCPU's thread; @expires_ns is a system time, 0: stopped */
    int (*set_vcpu_upcall_vector)(CPUState *cs, uint8_t vector);
    int (*set_vcpu_timer)(CPUState *cs, uint32_t port, uint64_t expires_ns);
    int (*get_vcpu_timer)(CPUState *cs, uint64_t *expires_ns);

    /*
     * Put @cs, the caller's vCPU, to sleep after this hypercall, as
     * SCHEDOP_block and SCHEDOP_poll do: until an interrupt, wake_vcpu(), or
     * system time @until_ns (0: no end).
     */
    void (*block_vcpu)(CPUState *cs, uint64_t until_ns);
    /* Any thread, no BQL; must not block. */
    void (*wake_vcpu)(CPUState *cs);

    /*
     * Where reset, INIT, SIPI and set_vcpu_status have left @target.  On the
     * thread of @cs with the BQL held, which is dropped perhaps.
     */
    XenVCPUStatus (*get_vcpu_status)(CPUState *cs, CPUState *target);
    /*
     * Make it XEN_VCPU_DOWN or XEN_VCPU_UP.  BQL held.  What is queued for a
     * vCPU that is down may set its registers.
     */
    void (*set_vcpu_status)(CPUState *target, XenVCPUStatus status);

    /*
     * The runstate of @target, with what has passed before its
     * state_entry_time.  As get_vcpu_status.
     */
    int (*get_vcpu_runstate)(CPUState *cs, CPUState *target,
                             struct vcpu_runstate_info *info);

    /*
     * Optional: when @cs, the caller's vCPU, runs again, no vCPU has anything
     * in its TLB that it had before.
     */
    void (*flush_tlbs)(CPUState *cs);

    /*
     * From now on who updates a runstate in guest memory says so there, with
     * XEN_RUNSTATE_UPDATE; or no more.
     */
    int (*set_runstate_update_flag)(bool enable);
} XenAccelOps;

/* The machine property xen-version, 0 if it was not given. */
uint32_t xen_machine_version(void);
void xen_accel_machine_class_init(ObjectClass *oc);

/*
 * What others have queued for @cs, the caller's vCPU, from within a hypercall that
 * has to wait for what they do.  BQL held, which is dropped perhaps.
 */
void xen_accel_do_queued_work(CPUState *cs);

/* The LAPIC interrupt that raises @vector of @cs's own. */
MSIMessage xen_accel_upcall_message(CPUState *cs, uint8_t vector);

/* Ends QEMU, with one line, when no accelerator can run a Xen guest. */
void xen_accel_require(void);

/*
 * The accelerator in use, set before the machine's devices are made, or NULL
 * when the guest is not a Xen guest.
 */
extern const XenAccelOps *xen_accel;

extern const XenAccelOps xen_accel_kvm;
extern const XenAccelOps xen_accel_tcg;

/*
 * Whether @vcpu_info, which may be NULL, says that an upcall is pending: its first
 * byte.  A 32-bit guest's has a smaller alignment than our type of it.
 */
static inline bool xen_upcall_pending(const void *vcpu_info)
{
    const uint8_t *evtchn_upcall_pending = vcpu_info;

    return evtchn_upcall_pending && qatomic_read(evtchn_upcall_pending);
}

#endif /* XEN_ACCEL_H */
