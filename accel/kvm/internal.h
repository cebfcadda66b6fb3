/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of Xen on KVM: what its files share. */

#ifndef XEN_KVM_INTERNAL_H
#define XEN_KVM_INTERNAL_H

#include "../xen_accel.h"

/* xen_accel_kvm.c: what needs nothing of KVM_XEN */
uint32_t xen_kvm_get_xen_version(void);
uint16_t xen_kvm_get_gnttab_max_frames(void);
uint16_t xen_kvm_get_evtchn_max_pirq(void);
bool xen_kvm_gva_to_gpa(CPUState *cs, uint64_t gva, uint64_t *gpa,
                        bool is_write);
uint64_t xen_kvm_get_system_time(void);
void xen_kvm_raise_upcall(CPUState *cs);
void xen_kvm_raise_vcpu_upcall(CPUState *cs, uint8_t vector);

/* vcpu.c */
XenVCPUStatus xen_kvm_get_vcpu_status(CPUState *cs, CPUState *target);
void xen_kvm_set_vcpu_status(CPUState *target, XenVCPUStatus status);
int xen_kvm_get_vcpu_runstate(CPUState *cs, CPUState *target, uint64_t now,
                              struct vcpu_runstate_info *info);
/* @cs is new: forget the status of a former vCPU of its number.  BQL held. */
void xen_kvm_init_vcpu_status(CPUState *cs);
/* For a stream: whether @cs is down, and its state for when it is up again. */
void xen_kvm_save_vcpu_status(CPUState *cs, bool *down, uint32_t *mp_state);
void xen_kvm_load_vcpu_status(CPUState *cs, bool down, uint32_t mp_state);
/* Halt @cs as if it had executed HLT, and end that.  On its own thread. */
void xen_kvm_begin_halt(CPUState *cs);
void xen_kvm_end_halt(CPUState *cs);

/* continuation.c */
void xen_kvm_continue_hypercall(CPUState *cs, uint32_t number,
                                uint32_t argument);

/* block.c */
void xen_kvm_block_init_vcpu(CPUState *cs);
void xen_kvm_block_destroy_vcpu(CPUState *cs);
void xen_kvm_block_vcpu(CPUState *cs, uint64_t until_ns);
void xen_kvm_wake_vcpu(CPUState *cs);

/* migration.c; BQL held */
void xen_kvm_migration_init_vcpu(CPUState *cs);
void xen_kvm_migration_destroy_vcpu(CPUState *cs);
int xen_kvm_guest_loaded(void);

#endif /* XEN_KVM_INTERNAL_H */
