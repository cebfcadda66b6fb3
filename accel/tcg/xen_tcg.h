/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What target/i386/tcg calls when a Xen guest runs on TCG.
 *
 * xen_tcg_active is set before the first vCPU is realized, and then stays.
 */

#ifndef XEN_TCG_H
#define XEN_TCG_H

#include "cpu.h"

#if defined(CONFIG_USER_ONLY) || !defined(CONFIG_TCG)
#define xen_tcg_active false
#define xen_tcg_cpuid(env, index, count, eax, ebx, ecx, edx) false
#define xen_tcg_exec_enter(cs)
#define xen_tcg_exec_exit(cs)
#define xen_tcg_has_work(cs) false
#define xen_tcg_upcall_due(cs) false
#define xen_tcg_deassert_callback()
#define CPU_INTERRUPT_XEN 0
#else
extern bool xen_tcg_active;

/* A bit of interrupt_request: evtchn_upcall_pending was set. */
#define CPU_INTERRUPT_XEN CPU_INTERRUPT_TGT_EXT_0

/* Make @cs, being realized, a Xen vCPU. */
void xen_tcg_init_vcpu(CPUState *cs);

/* True: @index is one of Xen's leaves; @count is its sub-leaf. */
bool xen_tcg_cpuid(CPUX86State *env, uint32_t index, uint32_t count,
                   uint32_t *eax, uint32_t *ebx, uint32_t *ecx, uint32_t *edx);

/* True: @msr is Xen's. */
bool xen_tcg_wrmsr(CPUX86State *env, uint32_t msr, uint64_t value);

/* On its own thread: @cs is about to run. */
void xen_tcg_exec_enter(CPUState *cs);

/* It has just left its translated code, perhaps halted. */
void xen_tcg_exec_exit(CPUState *cs);

/* Has @cs, which is halted, something to do?  In a Xen guest only. */
bool xen_tcg_has_work(CPUState *cs);

/* CPU_INTERRUPT_XEN is set: whether the upcall is still due. */
bool xen_tcg_upcall_due(CPUState *cs);

/*
 * BQL held, before QEMU looks at interrupts.  The first drops an upcall whose
 * flag the guest has cleared, and returns what is left of interrupt_request.
 * The second returns the vector to inject while an upcall is due.
 */
int xen_tcg_update_interrupts(CPUState *cs);
int xen_tcg_upcall_vector(void);

/* BQL held, before an EOI takes effect: the callback's line may go low. */
void xen_tcg_deassert_callback(void);

#endif /* CONFIG_USER_ONLY || !CONFIG_TCG */
#endif /* XEN_TCG_H */
