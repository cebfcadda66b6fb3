/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The context that VCPUOP_initialise takes: which one is good, and how the vCPU begins
 * with it.  As in arch_set_info_guest() of Xen 4.17, which leaves a bad debug register
 * as it is.  Later ones refuse a context for some of these.
 */

#include "monitor.h"

/* In an image of FXSAVE */
#define FXSAVE_MXCSR        24
#define FXSAVE_MXCSR_MASK   28
#define MXCSR_MASK_DEFAULT  0xffbf

long check_context(const vcpu_guest_context_t *c)
{
    unsigned int i;

    if (!is_canonical(c->user_regs.rip) || !is_canonical(c->user_regs.rsp) ||
        !is_canonical(c->kernel_sp) || !is_canonical(c->fs_base) ||
        !is_canonical(c->gs_base_kernel) || !is_canonical(c->gs_base_user) ||
        !is_canonical(c->event_callback_eip) ||
        !is_canonical(c->failsafe_callback_eip) ||
        !is_canonical(c->syscall_callback_eip)) {
        return -XEN_EINVAL;
    }
    for (i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++) {
        if (!is_canonical(c->trap_ctxt[i].address)) {
            return -XEN_EINVAL;
        }
    }
    /* All 64 bits of them, of which set_gdt() and set_ldt() take 32. */
    if (c->gdt_ents > GDT_ENTRIES || c->ldt_ents > LDT_ENTRIES ||
        c->ldt_base & (PAGE_SIZE - 1) || !guest_range_ok(c->ldt_base, 1)) {
        return -XEN_EINVAL;
    }
    if (!is_guest_frame(xen_cr3_to_pfn(c->ctrlreg[3])) ||
        (c->ctrlreg[1] ? !is_guest_frame(xen_cr3_to_pfn(c->ctrlreg[1])) :
                         !(c->flags & VGCF_in_kernel))) {
        return -XEN_EINVAL;
    }
    return 0;
}

/* Bits of MXCSR that the processor lacks are left out, where FXRSTOR would fault. */
static void load_fpu(struct vcpu *v, const void *image)
{
    uint8_t *fpu = v->parked.fpu;       /* not in use, and aligned */
    uint32_t *mxcsr = (uint32_t *)(fpu + FXSAVE_MXCSR), mask;

    fxsave(fpu);
    mask = *(uint32_t *)(fpu + FXSAVE_MXCSR_MASK);
    __builtin_memcpy(fpu, image, sizeof(((vcpu_guest_context_t *)0)->fpu_ctxt));
    *mxcsr &= mask ? mask : MXCSR_MASK_DEFAULT;
    fxrstor(fpu);
}

/* What the guest may not set stays as it is. */
static void load_debug_registers(struct vcpu *v, const vcpu_guest_context_t *c)
{
    unsigned int reg;

    for (reg = 0; reg < ARRAY_SIZE(c->debugreg); reg++) {
        if (reg != 4 && reg != 5) {
            set_debugreg(v, reg, c->debugreg[reg]);
        }
    }
}

/* False if one of them is no segment of the guest's; it is null then. */
static bool load_segments(const struct cpu_user_regs *r)
{
    bool fs = load_fs(r->fs), gs = load_gs(r->gs);
    bool ds = load_ds(r->ds), es = load_es(r->es);

    return fs && gs && ds && es;
}

static void load_registers(struct regs *regs, const struct cpu_user_regs *r)
{
    *regs = (struct regs) {
        .rip = r->rip, .rsp = r->rsp, .cs = r->cs | 3, .ss = r->ss | 3,
        .rflags = guest_rflags(r->rflags),
        .rax = r->rax, .rbx = r->rbx, .rcx = r->rcx, .rdx = r->rdx,
        .rsi = r->rsi, .rdi = r->rdi, .rbp = r->rbp,
        .r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11,
        .r12 = r->r12, .r13 = r->r13, .r14 = r->r14, .r15 = r->r15,
    };
}

void load_context(struct vcpu *v, struct regs *regs)
{
    const vcpu_guest_context_t *c = &v->context;
    bool has_segments;
    unsigned int i;

    load_registers(regs, &c->user_regs);
    /* An entry's place is its vector, whatever it has in that field. */
    for (i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++) {
        v->traps[i] = (struct trap_entry) {
            .address = c->trap_ctxt[i].address, .flags = c->trap_ctxt[i].flags,
        };
    }
    v->kernel_mode = true;
    v->iopl = (c->user_regs.rflags & FLAG_IOPL) >> IOPL_SHIFT;
    v->kernel_sp = c->kernel_sp;
    v->kernel_ss = c->kernel_ss | 3;
    v->event_callback = c->event_callback_eip;
    v->failsafe_callback = c->failsafe_callback_eip;
    v->failsafe_masks = c->flags & VGCF_failsafe_disables_events;
    v->syscall_callback = c->syscall_callback_eip;
    v->syscall_masks = c->flags & VGCF_syscall_disables_events;
    /* The GDT is loaded already; a bad LDT is none, and a fault at its first use. */
    if (c->ldt_ents) {
        set_ldt(v, c->ldt_base, c->ldt_ents);
    }
    has_segments = load_segments(&c->user_regs);
    wrmsr(MSR_FS_BASE, c->fs_base);
    wrmsr(MSR_GS_BASE, c->gs_base_kernel);
    wrmsr(MSR_KERNEL_GS_BASE, c->gs_base_user);
    if (c->flags & VGCF_i387_valid) {
        load_fpu(v, &c->fpu_ctxt);
    }
    v->info->arch.cr2 = c->ctrlreg[2];
    set_guest_cr4(v, c->ctrlreg[4]);
    load_debug_registers(v, c);
    if (!(c->flags & VGCF_in_kernel)) {
        toggle_mode(v);
    }
    if (!has_segments) {
        failsafe(regs, &c->user_regs);
    }
    set_guest_ts(v, c->ctrlreg[0] & CR0_TS);
}
