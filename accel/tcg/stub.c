/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A build of TCG without Xen emulation, which never calls any of these. */

#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/helper-proto.h"
#include "xen_tcg.h"

bool xen_tcg_active;

void xen_tcg_init_vcpu(CPUState *cs)
{
}

bool xen_tcg_cpuid(CPUX86State *env, uint32_t index, uint32_t count,
                   uint32_t *eax, uint32_t *ebx, uint32_t *ecx, uint32_t *edx)
{
    return false;
}

bool xen_tcg_wrmsr(CPUX86State *env, uint32_t msr, uint64_t value)
{
    return false;
}

void xen_tcg_exec_enter(CPUState *cs)
{
}

void xen_tcg_exec_exit(CPUState *cs)
{
}

bool xen_tcg_has_work(CPUState *cs)
{
    return false;
}

bool xen_tcg_upcall_due(CPUState *cs)
{
    return false;
}

int xen_tcg_update_interrupts(CPUState *cs)
{
    return -1;
}

void xen_tcg_deassert_callback(void)
{
}

int xen_tcg_upcall_vector(void)
{
    g_assert_not_reached();
}

void helper_xen_hypercall(CPUX86State *env, int next_eip_addend)
{
    g_assert_not_reached();
}
