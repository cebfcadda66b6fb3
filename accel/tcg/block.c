/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCHEDOP_block and SCHEDOP_poll on TCG: a vCPU that sleeps in a hypercall. */

#include "internal.h"
#include "exec/exec-all.h"

static void block_timeout(void *opaque)
{
    XenTCGVCPU *v = opaque;

    xen_tcg_notify(v, XEN_TCG_WAKE);
}

void xen_tcg_block_init_vcpu(XenTCGVCPU *v)
{
    v->block_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, block_timeout, v);
}

void xen_tcg_block_vcpu(CPUState *cs, uint64_t until_ns)
{
    XenTCGVCPU *v = xen_tcg_vcpu(cs);

    v->block = true;
    if (until_ns) {
        timer_mod(v->block_timer, MIN(until_ns, INT64_MAX));
    }
}

void xen_tcg_wake_vcpu(CPUState *cs)
{
    xen_tcg_notify(xen_tcg_vcpu(cs), XEN_TCG_WAKE);
}

void xen_tcg_maybe_block(XenTCGVCPU *v)
{
    if (!v->block) {
        return;
    }
    v->block = false;
    /* Before halted: who wakes us looks at that and leaves the rest to us. */
    v->blocked = true;
    qatomic_set_mb(&v->cs->halted, 1);
    v->cs->exception_index = EXCP_HLT;
    cpu_loop_exit(v->cs);
}
