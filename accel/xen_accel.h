/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's Xen emulation asks of the accelerator that runs the guest.
 *
 * The emulation (hypercalls, event channels, grants, xenstore) is the same on
 * each accelerator.  An accelerator traps hypercalls, fills the hypercall page,
 * answers CPUID and latches the guest's mode, each in its own way, and has a
 * struct XenAccelOps.
 *
 * Functions return 0 or -errno.  gpa INVALID_GPA and gfn INVALID_GFN mean that
 * the guest has that area no more.
 */

#ifndef XEN_ACCEL_H
#define XEN_ACCEL_H

#include "hw/core/cpu.h"
#include "exec/hwaddr.h"
#include "hw/pci/msi.h"

struct vcpu_runstate_info;

/* gnttab_max_frames of Xen, and of KVM's property xen-gnttab-max-frames. */
#define XEN_GNTTAB_MAX_FRAMES_DEFAULT 64

/* A vCPU's state by Xen's two flags, is_initialised and VPF_down. */
typedef enum XenVCPUStatus {
    XEN_VCPU_WAITING,           /* for SIPI or VCPUOP_initialise */
    XEN_VCPU_DOWN,              /* initialised; VCPUOP_up lets it run */
    XEN_VCPU_UP,
} XenVCPUStatus;

typedef struct XenAccelOps {
    const char *name;

    /*
     * What the accelerator does without QEMU, as KVM_XEN_HVM_CONFIG_* bits.
     * With EVTCHN_SEND it delivers 2-level events and runs singleshot timers;
     * only then does QEMU call set_vcpu_timer, get_vcpu_timer and
     * set_vcpu_upcall_vector.  Any thread.
     */
    uint32_t (*get_caps)(void);

    /* The version of Xen that the guest sees: major << 16 | minor. */
    uint32_t (*get_xen_version)(void);
    /* Limits of the guest's grant frames and PIRQs. */
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
     * The guest's mode, which decides the layout of shared_info and the like.
     * The accelerator latches it when the guest sets up its hypercall page;
     * set_long_mode sets it afterwards.
     */
    int (*set_long_mode)(bool long_mode);
    int (*get_long_mode)(bool *long_mode);

    /* Where the accelerator updates these structures.  vCPU's thread. */
    int (*set_vcpu_info)(CPUState *cs, uint64_t gpa);
    int (*set_vcpu_time_info)(CPUState *cs, uint64_t gpa);
    int (*set_vcpu_runstate)(CPUState *cs, uint64_t gpa);

    /* Tell the accelerator of @cs and its Xen number, before @cs first runs. */
    int (*init_vcpu)(CPUState *cs);
    /*
     * @cs is being unplugged: its thread has ended, and no thread that raises
     * events or wakes vCPUs can find it any more.  BQL held.
     */
    void (*destroy_vcpu)(CPUState *cs);

    /*
     * HVM_PARAM_CALLBACK_IRQ's vector, 0 for none: injected into a vCPU, with
     * no EOI, whenever its evtchn_upcall_pending is set and it takes
     * interrupts.  BQL held.
     */
    int (*set_upcall_vector)(uint8_t vector);
    /*
     * evtchn_upcall_pending of @cs was just set.  Any thread, no BQL; must not
     * block.
     */
    void (*raise_upcall)(CPUState *cs);
    /* The same, but by the vCPU's own @vector, as a LAPIC interrupt. */
    void (*raise_vcpu_upcall)(CPUState *cs, uint8_t vector);

    /*
     * Optional: the machine woke from S3, and vCPU 0 is to run the firmware.  An
     * upcall that is raised from here on waits for the guest's kernel.  BQL held,
     * no vCPU runs.
     */
    void (*wake_up)(void);

    /* See get_caps.  vCPU's thread; @expires_ns is a system time, 0: stop it */
    int (*set_vcpu_upcall_vector)(CPUState *cs, uint8_t vector);
    int (*set_vcpu_timer)(CPUState *cs, uint32_t port, uint64_t expires_ns);
    int (*get_vcpu_timer)(CPUState *cs, uint64_t *expires_ns);

    /*
     * Have @cs, the caller's vCPU, execute hypercall @number again, with
     * @argument as its first argument, after interrupts that are due.
     */
    void (*continue_hypercall)(CPUState *cs, uint32_t number,
                               uint32_t argument);

    /*
     * Put @cs, the caller's vCPU, to sleep after this hypercall, as
     * SCHEDOP_block and SCHEDOP_poll do: until an interrupt, wake_vcpu(), or
     * system time @until_ns (0: no end).
     */
    void (*block_vcpu)(CPUState *cs, uint64_t until_ns);
    /* Any thread, no BQL; must not block. */
    void (*wake_vcpu)(CPUState *cs);

    /*
     * The status that reset, INIT, SIPI and set_vcpu_status have given @target.
     * On the thread of @cs, with the BQL held, which may be dropped meanwhile.
     */
    XenVCPUStatus (*get_vcpu_status)(CPUState *cs, CPUState *target);
    /*
     * Make @target XEN_VCPU_DOWN or XEN_VCPU_UP.  BQL held.  Work that is
     * queued for a vCPU that is down may set its registers.
     */
    void (*set_vcpu_status)(CPUState *target, XenVCPUStatus status);

    /*
     * Optional: if it is not there, a PV guest's monitor has to know runstates.
     * The runstate of @target; its times are those up to state_entry_time, to
     * which the caller adds that until @now, the system time before this call.
     * Thread and BQL as for get_vcpu_status.
     */
    int (*get_vcpu_runstate)(CPUState *cs, CPUState *target, uint64_t now,
                             struct vcpu_runstate_info *info);

    /*
     * Optional: flush the TLBs of all vCPUs, before @cs, the caller's vCPU,
     * runs again.
     */
    void (*flush_tlbs)(CPUState *cs);

    /*
     * Whether the accelerator sets XEN_RUNSTATE_UPDATE in guest memory while it
     * updates a runstate there.
     */
    int (*set_runstate_update_flag)(bool enable);

    /*
     * A stream's state of the guest is there, but perhaps for vCPUs that were
     * plugged later: set it up.  BQL held, no vCPU runs.
     */
    int (*guest_loaded)(void);
} XenAccelOps;

/* Of the machine type or the property xen-version; 0 if there is neither. */
uint32_t xen_machine_version(void);
/* The value of xen-evtchn-abi that the machine type implies, or NULL. */
const char *xen_machine_evtchn_abi(void);
/* The machine property xen-gnttab-max-frames, 0 if it was not given. */
uint16_t xen_machine_gnttab_max_frames(void);
void xen_accel_machine_class_init(ObjectClass *oc);

/*
 * Do the work that other threads have queued for @cs, the caller's vCPU, within
 * a hypercall that waits for these threads.  BQL held, which may be dropped
 * meanwhile.
 */
void xen_accel_do_queued_work(CPUState *cs);
/*
 * Wait until the thread of @cs, another vCPU or one that is stopped, has done the work
 * that was queued for it so far.  BQL held, which is dropped meanwhile.
 */
void xen_accel_await_queued_work(CPUState *cs);

/* The LAPIC interrupt that raises the vCPU's own upcall @vector. */
MSIMessage xen_accel_upcall_message(CPUState *cs, uint8_t vector);

/* Ends QEMU, with one line, when no accelerator can run a Xen guest. */
void xen_accel_require(void);

/*
 * The accelerator in use, set before the machine's devices are made, or NULL
 * when the guest is not a Xen guest.
 */
extern const XenAccelOps *xen_accel;

extern const XenAccelOps xen_accel_kvm;
/* A PV guest on its monitor, on a KVM that need not know Xen. */
extern const XenAccelOps xen_accel_kvm_pv;
extern const XenAccelOps xen_accel_tcg;

/* A PV guest on its monitor, whose hypercalls are writes to a port. */
extern const XenAccelOps xen_accel_tcg_pv;

/*
 * Whether @vcpu_info, which may be NULL, says that an upcall is pending: its
 * first byte.  No struct vcpu_info, as a 32-bit guest aligns it less than
 * QEMU's type.
 */
static inline bool xen_upcall_pending(const void *vcpu_info)
{
    const uint8_t *evtchn_upcall_pending = vcpu_info;

    return evtchn_upcall_pending && qatomic_read(evtchn_upcall_pending);
}

#endif /* XEN_ACCEL_H */
