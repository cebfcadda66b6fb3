/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On KVM the instruction that called Xen is over once QEMU enters the vCPU
 * again.  A hypercall that is to be executed again gets its registers after
 * that, before the guest runs.
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "system/hw_accel.h"

#include "internal.h"

/* Of vmcall and vmmcall. */
#define INSTRUCTION_LENGTH 3

#define NUMBER_SHIFT 32

static void call_again(CPUState *cs, run_on_cpu_data data)
{
    CPUX86State *env = cpu_env(cs);

    cpu_synchronize_state(cs);
    env->eip -= INSTRUCTION_LENGTH;
    env->regs[R_EAX] = data.host_ulong >> NUMBER_SHIFT;
    env->regs[env->hflags & HF_CS64_MASK ? R_EDI : R_EBX] =
        (uint32_t)data.host_ulong;
}

void xen_kvm_continue_hypercall(CPUState *cs, uint32_t number,
                                uint32_t argument)
{
    async_run_on_cpu(cs, call_again, RUN_ON_CPU_HOST_ULONG(
                         (unsigned long)number << NUMBER_SHIFT | argument));
}
