/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU that goes down, by itself or as another one has asked for.  On Xen it is as it
 * was when it is up again.  Here QEMU may have unplugged its processor, and plugged
 * another one, which has nothing of what was in the first: the vCPU keeps that in its
 * block.
 */

#include "events.h"

/* Of what XCR0 may have (XCR0_GUEST), what this processor has room for. */
static uint64_t fpu_components(void)
{
    uint32_t a = 0xd, b, c = 0, d;

    cpuid(&a, &b, &c, &d);
    return b <= FPU_STATE_SIZE ? ~0ul :
                                 7 /* x87, SSE and AVX are at fixed places */;
}

static void save_fpu(struct parked *p)
{
    uint64_t components;

    if (!(p->cr4 & CR4_OSXSAVE)) {
        fxsave(p->fpu);
        return;
    }
    components = fpu_components();
    p->xcr0 = xgetbv(0);
    /* XSAVE leaves the header's bits of other states, which XRSTOR would not take. */
    __builtin_memset(p->fpu + XSAVE_HEADER, 0, XSAVE_HEADER_SIZE);
    xsave(p->fpu, components);
}

static void restore_fpu(const struct parked *p)
{
    uint64_t components;

    if (!(p->cr4 & CR4_OSXSAVE)) {
        fxrstor(p->fpu);
        return;
    }
    components = fpu_components();
    xsetbv_safe(0, p->xcr0);
    xrstor(p->fpu, components);
}

static void save(struct parked *p)
{
    p->cr4 = read_cr4();
    p->dr[0] = read_dr0();
    p->dr[1] = read_dr1();
    p->dr[2] = read_dr2();
    p->dr[3] = read_dr3();
    p->fs_base = rdmsr(MSR_FS_BASE);
    p->gs_base = rdmsr(MSR_GS_BASE);
    p->kernel_gs_base = rdmsr(MSR_KERNEL_GS_BASE);
    rdmsr_safe(MSR_TSC_AUX, &p->tsc_aux);
    rdmsr_safe(MSR_SPEC_CTRL, &p->spec_ctrl);
    p->ds = read_ds();
    p->es = read_es();
    p->fs = read_fs();
    p->gs = read_gs();
    save_fpu(p);
}

static void restore(struct vcpu *v)
{
    const struct parked *p = &v->parked;
    uint64_t dr6 = v->dr6, dr7 = v->dr7;
    uint64_t port_breakpoints = v->port_breakpoints;

    init_processor(v);
    load_cr3(v);
    write_cr4(p->cr4);
    restore_fpu(p);
    write_dr0(p->dr[0]);
    write_dr1(p->dr[1]);
    write_dr2(p->dr[2]);
    write_dr3(p->dr[3]);
    v->dr6 = dr6;
    v->dr7 = dr7;
    v->port_breakpoints = port_breakpoints;
    write_dr7(dr7);
    load_ds(p->ds);
    load_es(p->es);
    load_fs(p->fs);
    load_gs(p->gs);
    wrmsr(MSR_FS_BASE, p->fs_base);
    wrmsr(MSR_GS_BASE, p->gs_base);
    wrmsr(MSR_KERNEL_GS_BASE, p->kernel_gs_base);
    wrmsr_safe(MSR_TSC_AUX, p->tsc_aux);
    wrmsr_safe(MSR_SPEC_CTRL, p->spec_ctrl);
    if (own_events()) {
        init_timers(v);
        take_l0_events(v);
    }
}

static long leave(void)
{
    return l0_call(__HYPERVISOR_vcpu_op, VCPUOP_down, this_vcpu()->id, 0, 0, 0);
}

/* Its state is VCPU_DOWN already: a vCPU that brings it up waits until L0 has it down. */
static long go_down(struct vcpu *v)
{
    uint64_t cr0 = read_cr0();
    long result;

    clts();
    save(&v->parked);
    v->is_parked = true;
    set_runstate(v, RUNSTATE_offline);
    result = leave_processor(&v->parked.rsp, leave);
    v->is_parked = false;
    if (result == OTHER_PROCESSOR) {
        restore(v);
        result = 0;
    } else if (result) {
        __atomic_store_n(&v->state, VCPU_UP, __ATOMIC_SEQ_CST);
    }
    write_cr0(cr0);
    return result;
}

long park(void)
{
    struct vcpu *v = this_vcpu();

    __atomic_store_n(&v->state, VCPU_DOWN, __ATOMIC_SEQ_CST);
    return go_down(v);
}

void park_if_asked(void)
{
    struct vcpu *v = this_vcpu();

    /* On each trap: no locked instruction unless there is something to do. */
    while (state_of(v) == VCPU_TO_BE_DOWN &&
           change_state(v, VCPU_TO_BE_DOWN, VCPU_DOWN)) {
        go_down(v);
    }
}
