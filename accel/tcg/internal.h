/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of Xen on TCG: what its files share. */

#ifndef XEN_TCG_INTERNAL_H
#define XEN_TCG_INTERNAL_H

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "cpu.h"
#include "exec/memory.h"
#include "exec/address-spaces.h"
#include "hw/xen/xen.h"
#include "system/kvm_xen.h"
#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/vcpu.h"

#include "../xen_accel.h"
#include "xen_tcg.h"

/* An area in guest RAM that QEMU writes; ptr is NULL while there is none. */
typedef struct XenGuestArea {
    MemoryRegion *mr;
    void *ptr;
    size_t size;
} XenGuestArea;

typedef struct XenTCGVCPU {
    CPUState *cs;

    /* upcall.c: XEN_TCG_*, atomic */
    unsigned int flags;
    QEMUBH *bh;
    uint8_t vcpu_vector;        /* for XEN_TCG_VCPU_UPCALL; atomic */
    bool in_firmware;           /* since it woke from S3; own thread */

    /* hypercall.c; own thread */
    bool continues;             /* this hypercall is to be executed again */

    /* block.c; own thread */
    bool block;                 /* when this hypercall is done */
    bool blocked;               /* halted by SCHEDOP_block or poll */
    unsigned int block_seen;    /* interrupts that were pending then */
    QEMUTimer *block_timer;

    /* vcpu.c */
    bool down;                  /* BQL */
    bool init_pending;          /* BQL */
    bool held;                  /* halted because it is down; own thread */
    bool held_halted;           /* it was halted before that, too */

    /* time.c; BQL */
    XenGuestArea vcpu_info;
    XenGuestArea time_info;

    /* runstate.c */
    XenGuestArea runstate_area; /* own thread */
    QemuSpin runstate_lock;
    struct vcpu_runstate_info runstate; /* runstate_lock */
    uint64_t counted_ns;        /* a guest knows its state until then; runstate_lock */
    uint64_t woken_ns;          /* when QEMU woke it last; atomic */
    int schedstat;              /* its thread's file; own thread */
    uint64_t delay_ns;          /* what that says of waiting; own thread */
    uint64_t delay_read_ns;     /* when it was read; own thread */

    /* migration.c: of QEMU's own state of the vCPU, while in a stream */
    int64_t periodic_expires;   /* -1 if the periodic timer is stopped */
    bool callback_asserted;
} XenTCGVCPU;

#define XEN_TCG_UPCALL      (1 << 0)    /* by the vector of all vCPUs */
#define XEN_TCG_VCPU_UPCALL (1 << 1)    /* by the vCPU's own vector */
#define XEN_TCG_WAKE        (1 << 2)    /* from SCHEDOP_block or poll */

/* NULL for a CPU that is no Xen vCPU. */
XenTCGVCPU *xen_tcg_vcpu(CPUState *cs);

/* The guest's vCPU 0, or NULL. */
XenTCGVCPU *xen_tcg_vcpu0(void);

/* Point @area at guest memory, or at nothing for INVALID_GPA. */
int xen_guest_area_set(XenGuestArea *area, uint64_t gpa, size_t size);

/* hypercall.c */
bool xen_tcg_gva_to_gpa(CPUState *cs, uint64_t gva, uint64_t *gpa,
                        bool is_write);
int xen_tcg_set_long_mode(bool long_mode);
int xen_tcg_get_long_mode(bool *long_mode);
void xen_tcg_continue_hypercall(CPUState *cs, uint32_t number,
                                uint32_t argument);

/* upcall.c */
void xen_tcg_upcall_init_vcpu(XenTCGVCPU *v);
int xen_tcg_set_upcall_vector(uint8_t vector);
void xen_tcg_raise_upcall(CPUState *cs);
void xen_tcg_raise_vcpu_upcall(CPUState *cs, uint8_t vector);
/* At the end of a hypercall. */
void xen_tcg_check_upcall(XenTCGVCPU *v);
/* BQL held: drop an upcall whose flag the guest has cleared. */
void xen_tcg_drop_taken_upcall(CPUState *cs);
/* Set flags and have the vCPU notice.  Any thread. */
void xen_tcg_notify(XenTCGVCPU *v, unsigned int flags);
void xen_tcg_wake_up(void);
/* BQL held: forget what was due before a reset. */
void xen_tcg_upcall_reset(XenTCGVCPU *v);

/* block.c */
void xen_tcg_block_init_vcpu(XenTCGVCPU *v);
void xen_tcg_block_vcpu(CPUState *cs, uint64_t until_ns);
void xen_tcg_pv_block_vcpu(CPUState *cs, uint64_t until_ns);
void xen_tcg_wake_vcpu(CPUState *cs);
/* End of a hypercall: if it asked to block, halt the vCPU and do not return. */
void xen_tcg_maybe_block(XenTCGVCPU *v);
/* @v runs, or was reset: its sleep is over. */
void xen_tcg_end_block(XenTCGVCPU *v);
/* Whether the sleep of @v ends by something that does not end a hlt. */
bool xen_tcg_block_ends(XenTCGVCPU *v, unsigned int flags);

/* vcpu.c */
XenVCPUStatus xen_tcg_get_vcpu_status(CPUState *cs, CPUState *target);
void xen_tcg_set_vcpu_status(CPUState *target, XenVCPUStatus status);
/* BQL held: INIT or a reset has ended that @v is down. */
void xen_tcg_forget_down(XenTCGVCPU *v);
/* Does @v wait for SIPI? */
bool xen_tcg_waits_for_sipi(XenTCGVCPU *v);

/*
 * runstate.c; on the vCPU's own thread, except for the second, the third and the
 * last
 */
void xen_tcg_runstate_init_vcpu(XenTCGVCPU *v);
void xen_tcg_runstate_destroy_vcpu(XenTCGVCPU *v);
void xen_tcg_runstate_woken(XenTCGVCPU *v);
void xen_tcg_runstate_enter(XenTCGVCPU *v);
void xen_tcg_runstate_leave(XenTCGVCPU *v);
int xen_tcg_set_vcpu_runstate(CPUState *cs, uint64_t gpa);
int xen_tcg_set_runstate_update_flag(bool enable);
int xen_tcg_get_vcpu_runstate(CPUState *cs, CPUState *target, uint64_t now,
                              struct vcpu_runstate_info *info);

/* migration.c; BQL held */
void xen_tcg_migration_init(void);
void xen_tcg_migration_init_vcpu(XenTCGVCPU *v);
void xen_tcg_migration_destroy_vcpu(XenTCGVCPU *v);
int xen_tcg_guest_loaded(void);
void xen_tcg_forget_load(void);

/* time.c */
uint64_t xen_tcg_get_system_time(void);
/* The time leaf of CPUID; its output is 0 before. */
void xen_tcg_time_cpuid(CPUX86State *env, uint32_t count, uint32_t *eax,
                        uint32_t *ebx, uint32_t *ecx, uint32_t *edx);
int xen_tcg_set_shared_info(uint64_t gfn);
int xen_tcg_set_vcpu_info(CPUState *cs, uint64_t gpa);
int xen_tcg_set_vcpu_time_info(CPUState *cs, uint64_t gpa);

#endif /* XEN_TCG_INTERNAL_H */
