/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls that QEMU's own dispatcher (target/i386/kvm/xen-emu.c) lacks, or
 * has only as a stub; the same on every accelerator.
 */

#ifndef XEN_HYPERCALLS_H
#define XEN_HYPERCALLS_H

#include "qemu/osdep.h"
#include "cpu.h"
#include "system/kvm.h"
#include "target/i386/kvm/xen-emu.h"
/* First: it sets the interface version; without it sched_op is the old one. */
#include "hw/xen/xen.h"
#include "hw/xen/interface/xen.h"
#include <linux/kvm.h>

#include "hw/xen-accel/xen_accel.h"

/* Once, while the machine is made. */
void xen_hypercalls_init(void);
void xen_hypercall_assist_init(void);
void xen_hypercall_control_init(void);
void xen_hypercall_param_init(void);
void xen_hypercall_shutdown_init(void);
void xen_hypercall_timer_init(void);
void xen_hypercall_watchdog_init(void);

/* Have @handler called at each reset after which another kernel starts. */
void xen_hypercall_register_reset(void (*handler)(void));

/*
 * Handle @exit, whose caller is at CPL 0, and set its result; false to leave
 * it to QEMU's own.  On the vCPU's thread, without the BQL.
 */
bool xen_hypercall(X86CPU *cpu, struct kvm_xen_exit *exit);

/* Each handles one hypercall, and returns what the guest gets. */

/* False: QEMU's own code handles this command. */
bool xen_hypercall_xen_version(CPUState *cs, unsigned int cmd, uint64_t arg,
                               bool long_mode, int64_t *result);
bool xen_hypercall_sched_op(CPUState *cs, unsigned int cmd, uint64_t arg,
                            bool long_mode, int64_t *result);
bool xen_hypercall_memory_op(CPUState *cs, unsigned int cmd, uint64_t arg,
                             bool long_mode, int64_t *result);
bool xen_hypercall_vcpu_op(CPUState *cs, unsigned int cmd, uint32_t vcpu,
                           uint64_t arg, bool long_mode, int64_t *result);
bool xen_hypercall_set_timer_op(CPUState *cs, uint64_t timeout,
                                int64_t *result);
bool xen_hypercall_hvm_op(CPUState *cs, unsigned int cmd, uint64_t arg,
                          int64_t *result);
int64_t xen_hypercall_vm_assist(unsigned int cmd, unsigned int type);
int64_t xen_hypercall_console_io(CPUState *cs, unsigned int cmd,
                                 unsigned int count, uint64_t buffer);

/* XENMEM_*: a memory op is its upper bits' extent and, below, the command. */
#define XEN_MEMOP_EXTENT_SHIFT 6
#define XEN_MEMOP_CMD_MASK ((1 << XEN_MEMOP_EXTENT_SHIFT) - 1)
/* False: it is no op that changes the guest's memory. */
bool xen_hypercall_reservation(CPUState *cs, unsigned int cmd, uint64_t arg,
                               bool long_mode, int64_t *result);

/* SCHEDOP_* */
int xen_hypercall_watchdog(CPUState *cs, uint64_t arg);
int xen_hypercall_sched_shutdown(CPUState *cs, uint64_t arg);
int xen_hypercall_sched_shutdown_code(CPUState *cs, uint64_t arg);
int xen_hypercall_sched_remote_shutdown(CPUState *cs, uint64_t arg);
/* End the guest, for SHUTDOWN_@reason.  BQL held. */
int xen_hypercall_shutdown(CPUState *cs, unsigned int reason);

/* VCPUOP_* */
int xen_hypercall_get_runstate(CPUState *cs, CPUState *target, uint64_t arg,
                               bool long_mode);
int xen_hypercall_register_runstate(CPUState *cs, CPUState *target,
                                    uint64_t arg, bool long_mode);
int xen_hypercall_set_periodic_timer(CPUState *cs, CPUState *target,
                                     uint64_t arg);
int xen_hypercall_stop_periodic_timer(CPUState *target);
bool xen_hypercall_set_singleshot_timer(CPUState *cs, CPUState *target,
                                        uint64_t arg, bool long_mode,
                                        int64_t *result);
/* False: the argument is valid, and QEMU's own code does the rest. */
bool xen_hypercall_register_vcpu_info(CPUState *cs, CPUState *target,
                                      uint64_t arg, int64_t *result);
struct vcpu_hvm_context;
/* Give @target these registers and leave it down, or -EINVAL.  BQL held. */
int xen_vcpu_load_context(CPUState *target,
                          const struct vcpu_hvm_context *context);
/*
 * The same at a machine's reset, for the vCPU that starts the guest: it is up, and has its
 * registers when this returns, as a snapshot's may be loaded over them at once.
 */
int xen_vcpu_boot(CPUState *target, const struct vcpu_hvm_context *context);

/*
 * @cs is unplugged, and its thread has ended: keep what the guest has set up for
 * the vCPU; and @cs, about to run, is that vCPU: have it again.  BQL held.
 */
void xen_vcpu_unplugged(CPUState *cs);
void xen_vcpu_plugged(CPUState *cs);
/*
 * Where the accelerator keeps the runstate of @vcpu from when it is unplugged until it is
 * plugged: as on Xen its times go on, with the vCPU offline meanwhile, and never go back.
 * It is offline; of one that was never there, the times are 0.  BQL held.
 */
struct vcpu_runstate_info *xen_absent_vcpu_runstate(uint32_t vcpu);
/* @vcpu, which is not there, has its vcpu_info in shared_info, at @gpa. */
void xen_absent_vcpu_set_default_info(uint32_t vcpu, uint64_t gpa);
/* Forget all vCPUs that are not there: another kernel starts.  BQL held. */
void xen_absent_vcpus_reset(void);
void xen_absent_vcpus_init(void);
/*
 * The event-channel device has been loaded: have events marked in the vcpu_info of vCPUs
 * that were not there when the guest was saved.  Returns 0 or -errno.
 */
int xen_absent_vcpus_loaded(void);

/* HVMOP_get_param, HVMOP_set_param; false: QEMU's own code handles it. */
bool xen_hypercall_hvm_param(CPUState *cs, unsigned int cmd, uint64_t arg,
                             int64_t *result);

/* 0 if @domid is the guest itself, else the error for naming another domain. */
int xen_hypercall_check_self(domid_t domid);

#endif /* XEN_HYPERCALLS_H */
