/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vCPUs: starting them, putting them to sleep, interrupting them. */

#include "monitor.h"

#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define EFER_SCE    0x1ul
#define EFER_LME    0x100ul
#define EFER_NXE    0x800ul

#define APIC_ENABLE_X2APIC  0xc00ul
#define LVT_MASKED          0x10000ul
#define SYSCALL_MASK (FLAG_AC | FLAG_VM | FLAG_RF | FLAG_NT | FLAG_DF | \
                      FLAG_IF | FLAG_TF | FLAG_IOPL)

static struct {
    uint64_t low, high;
} idt[256];

/* IST 1: #DF and #MC, 2: NMI, 3: #DB.  Ring 3 may use int3, into and int $0x80. */
static void fill_idt(void)
{
    unsigned int vector;

    for (vector = 0; vector < 256; vector++) {
        uint64_t address = (uint64_t)trap_stubs[vector];
        bool ring3 = vector == 3 || vector == 4 || vector == 0x80;
        uint64_t ist = vector == EXC_DF || vector == EXC_MC ? 1 :
                       vector == EXC_NMI ? 2 : vector == EXC_DB ? 3 : 0;

        idt[vector].low = (address & 0xffff) | (uint64_t)SEL_MONITOR_CS << 16 |
                          ist << 32 | (ring3 ? 0xeeul : 0x8eul) << 40 |
                          (address >> 16 & 0xffff) << 48;
        idt[vector].high = address >> 32;
    }
}

/* Where the processor goes at a syscall: it finds the vCPU's stack. */
static void fill_stub(const struct vcpu *v, uint64_t offset, const char *entry)
{
    uint64_t at = STUBS_VA + v->id * STUB_SIZE + offset;
    uint8_t *code = (uint8_t *)frame(boot->stubs_mfn) + v->id * STUB_SIZE +
                    offset;
    uint64_t stack = (uint64_t)v + VCPU_SIZE - STACK_SPARE;
    /*
     * mov %rsp, stack + STACK_SPARE - 8: what entry.S takes for the guest's %rsp is
     * STACK_SPARE above the first word that it pushes.
     */
    int32_t save = (int32_t)(stack + STACK_SPARE - 8 - (at + 7));
    int32_t jump = (int32_t)((uint64_t)entry - (at + 22));

    code[0] = 0x48;
    code[1] = 0x89;
    code[2] = 0x25;
    __builtin_memcpy(code + 3, &save, 4);
    code[7] = 0x48;             /* movabs $stack, %rsp */
    code[8] = 0xbc;
    __builtin_memcpy(code + 9, &stack, 8);
    code[17] = 0xe9;            /* jmp entry */
    __builtin_memcpy(code + 18, &jump, 4);
}

/* Everything of a processor that is the monitor's, on the processor itself. */
void init_processor(struct vcpu *v)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = { sizeof(idt) - 1, (uint64_t)idt };
    struct xen_hvm_evtchn_upcall_vector upcall = {
        .vcpu = v->id, .vector = VECTOR_UPCALL,
    };
    uint64_t stub = STUBS_VA + v->id * STUB_SIZE;

    init_descriptors(v);
    asm volatile("lidt %0" : : "m"(idtr));
    fill_stub(v, 0, syscall_entry);
    fill_stub(v, STUB_SIZE / 2, syscall32_entry);
    wrmsr(MSR_STAR, (uint64_t)SEL_CS32 << 48 | (uint64_t)SEL_MONITOR_CS << 32);
    wrmsr(MSR_LSTAR, stub);
    wrmsr(MSR_CSTAR, stub + STUB_SIZE / 2);
    wrmsr(MSR_SYSCALL_MASK, SYSCALL_MASK);
    /* sysenter faults: the guest is told that there is none. */
    wrmsr_safe(MSR_SYSENTER_CS, 0);
    wrmsr_safe(MSR_PAT, 0x0000050100070406);
    wrmsr(MSR_FS_BASE, 0);
    wrmsr(MSR_GS_BASE, 0);
    wrmsr(MSR_KERNEL_GS_BASE, 0);

    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_ENABLE_X2APIC);
    v->apic_id = rdmsr(MSR_X2APIC_ID);
    wrmsr(MSR_X2APIC_SVR, 0x100 | VECTOR_SPURIOUS);
    /* The machine's timer and its like are not the guest's. */
    wrmsr(MSR_X2APIC_LVT_LINT0, LVT_MASKED);
    wrmsr(MSR_X2APIC_LVT_LINT1, LVT_MASKED);

    if (l0_call(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector,
                (uint64_t)&upcall, 0, 0, 0)) {
        crash_guest(NULL, "no upcalls to vCPU %u from L0", v->id);
    }
    v->dr6 = 0xffff0ff0;
    v->dr7 = 0x400;
}

/* vCPU 0 ------------------------------------------------------------------------- */

static uint64_t hvm_param(unsigned int index)
{
    struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index };

    if (l0_call(__HYPERVISOR_hvm_op, HVMOP_get_param, (uint64_t)&param, 0, 0,
                0)) {
        crash_guest(NULL, "L0 has no HVM parameter %u", index);
    }
    return param.value;
}

static void init_guest(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = boot->shared_info_mfn,
    };
    start_info_t *info = frame(boot->start_info_mfn);
    shared_info_t *shared = frame(boot->shared_info_mfn);
    unsigned int i;

    if (l0_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (uint64_t)&map,
                0, 0, 0)) {
        crash_guest(NULL, "L0 does not map shared_info");
    }
    for (i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
        shared->vcpu_info[i].evtchn_upcall_mask = 1;
    }
    for (i = 0; i < boot->nr_vcpus && i < XEN_LEGACY_MAX_VCPUS; i++) {
        vcpu_by_id(i)->info = &shared->vcpu_info[i];
    }
    info->store_evtchn = hvm_param(HVM_PARAM_STORE_EVTCHN);
    info->console.domU.evtchn = hvm_param(HVM_PARAM_CONSOLE_EVTCHN);
    mark_tables(boot->top_mfn, 4);
}

/* L0's calls are through a page that it fills. */
static void init_l0(void)
{
    uint64_t offset = (uint64_t)l0_hypercall_page - MONITOR_VA;
    uint32_t a = 0x40000002, b = 0, c = 0, d = 0;

    cpuid(&a, &b, &c, &d);
    wrmsr(b, (boot->image_mfn << PAGE_SHIFT) + offset);
}

void start_vcpu0(void)
{
    struct vcpu *v = vcpu_by_id(0);
    struct regs regs = {
        .rip = boot->rip, .rsp = boot->rsp, .rsi = boot->start_info,
        .cs = SEL_CS64, .ss = SEL_DS, .rflags = FLAG_IF | 2,
    };
    struct regs *frame =
        (struct regs *)((uint64_t)v + VCPU_SIZE - STACK_SPARE - sizeof(regs));
    unsigned int id;

    for (id = 0; id < boot->nr_vcpus; id++) {
        vcpu_by_id(id)->id = id;
    }
    fill_idt();
    init_l0();
    init_processor(v);
    init_guest();
    v->kernel_mode = true;
    v->initialised = v->started = v->up = true;
    v->kernel_top = boot->top_mfn;
    write_dr7(0x400);
    *frame = regs;
    enter_guest(v);
    run_guest(frame);
}

/* TLBs of other vCPUs -------------------------------------------------------------- */

/*
 * A vCPU in the guest is kicked, and waited for.  One in the monitor, asleep or not,
 * flushes before it enters the guest again: it sets in_guest and then looks at
 * flush_pending; the sender does both in the opposite order.  The sender itself is in
 * the monitor, so that two that flush each other do not wait for each other.
 */
void enter_guest(struct vcpu *v)
{
    for (;;) {
        __atomic_store_n(&v->in_guest, true, __ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&v->flush_pending, __ATOMIC_SEQ_CST)) {
            return;
        }
        __atomic_store_n(&v->in_guest, false, __ATOMIC_SEQ_CST);
        __atomic_store_n(&v->flush_pending, false, __ATOMIC_SEQ_CST);
        load_cr3(v);
    }
}

void leave_guest(struct vcpu *v)
{
    __atomic_store_n(&v->in_guest, false, __ATOMIC_SEQ_CST);
}

static void kick(const struct vcpu *target)
{
    /* ICR is no store to memory: what was stored before is to be seen before. */
    asm volatile("mfence; lfence" : : : "memory");
    wrmsr(MSR_X2APIC_ICR, (uint64_t)target->apic_id << 32 | VECTOR_KICK);
}

void flush_others(const uint64_t *mask)
{
    unsigned int id;

    for (id = 0; id < boot->nr_vcpus; id++) {
        struct vcpu *target = vcpu_by_id(id);

        if (target == this_vcpu() || !(mask[id / 64] >> id % 64 & 1) ||
            !target->started) {
            continue;
        }
        __atomic_store_n(&target->flush_pending, true, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&target->in_guest, __ATOMIC_SEQ_CST)) {
            kick(target);
        }
    }
    for (id = 0; id < boot->nr_vcpus; id++) {
        struct vcpu *target = vcpu_by_id(id);

        if (target == this_vcpu() || !(mask[id / 64] >> id % 64 & 1)) {
            continue;
        }
        while (__atomic_load_n(&target->flush_pending, __ATOMIC_SEQ_CST) &&
               __atomic_load_n(&target->in_guest, __ATOMIC_SEQ_CST)) {
            __builtin_ia32_pause();
        }
    }
}

/* Other vCPUs ---------------------------------------------------------------------- */

static long initialise(struct vcpu *target, uint64_t arg)
{
    vcpu_guest_context_t *c = &target->context;

    if (!target->info) {
        return -XEN_EINVAL;
    }
    if (target->initialised) {
        return -XEN_EEXIST;
    }
    if (copy_from_guest(c, arg, sizeof(*c))) {
        return -XEN_EFAULT;
    }
    if (!is_canonical(c->user_regs.rip) || !is_canonical(c->user_regs.rsp) ||
        !is_canonical(c->kernel_sp) || !is_canonical(c->fs_base) ||
        !is_canonical(c->gs_base_kernel) || !is_canonical(c->gs_base_user) ||
        c->gdt_ents > 0xe000 / 8 ||
        !is_guest_frame(xen_cr3_to_pfn(c->ctrlreg[3])) ||
        (c->ctrlreg[1] && !is_guest_frame(xen_cr3_to_pfn(c->ctrlreg[1])))) {
        return -XEN_EINVAL;
    }
    target->initialised = true;
    return 0;
}

/* Have L0 start the vCPU in the monitor: see start(). */
static long up(struct vcpu *target)
{
    struct vcpu_hvm_context context = {
        .mode = VCPU_HVM_MODE_64B,
        .cpu_regs.x86_64 = {
            .rip = MONITOR_VA,
            .rsp = (uint64_t)target + VCPU_SIZE - STACK_SPARE,
            .cr0 = read_cr0() & ~CR0_TS,
            .cr4 = read_cr4() & ~(CR4_TSD | CR4_DE | CR4_FSGSBASE |
                                  CR4_OSXSAVE),
            .efer = rdmsr(MSR_EFER),
        },
    };
    uint64_t top = xen_cr3_to_pfn(target->context.ctrlreg[3]);
    long result;

    if (!target->initialised) {
        return -XEN_EINVAL;
    }
    if (target->up) {
        return 0;
    }
    if (!target->started) {
        mark_tables(top, 4);
        install_slots(top);
        context.cpu_regs.x86_64.cr3 = top << PAGE_SHIFT;
        result = l0_call(__HYPERVISOR_vcpu_op, VCPUOP_initialise, target->id,
                         (uint64_t)&context, 0, 0);
        if (result) {
            return result;
        }
        target->started = true;
    }
    target->up = true;
    return l0_call(__HYPERVISOR_vcpu_op, VCPUOP_up, target->id, 0, 0, 0);
}

/* It goes on here when it is up again. */
static long down(struct vcpu *target)
{
    target->up = false;
    return l0_call(__HYPERVISOR_vcpu_op, VCPUOP_down, target->id, 0, 0, 0);
}

static void start_other(struct vcpu *v)
{
    const vcpu_guest_context_t *c = &v->context;
    struct regs *frame =
        (struct regs *)((uint64_t)v + VCPU_SIZE - STACK_SPARE - sizeof(*frame));
    struct regs regs = {
        .rip = c->user_regs.rip, .rsp = c->user_regs.rsp,
        .cs = c->user_regs.cs | 3, .ss = c->user_regs.ss | 3,
        .rflags = (c->user_regs.rflags & ~(FLAG_IOPL | FLAG_VM)) |
                  FLAG_IF | 2,
        .rax = c->user_regs.rax, .rbx = c->user_regs.rbx,
        .rcx = c->user_regs.rcx, .rdx = c->user_regs.rdx,
        .rsi = c->user_regs.rsi, .rdi = c->user_regs.rdi,
        .rbp = c->user_regs.rbp,
    };
    unsigned int i;

    init_processor(v);
    for (i = 0; i < 256; i++) {
        const trap_info_t *trap = &c->trap_ctxt[i];

        if (trap->address && is_canonical(trap->address)) {
            v->traps[trap->vector] = (struct trap_entry) {
                .address = trap->address, .flags = trap->flags,
            };
        }
    }
    v->kernel_mode = true;
    v->kernel_top = xen_cr3_to_pfn(c->ctrlreg[3]);
    v->user_top = xen_cr3_to_pfn(c->ctrlreg[1]);
    v->kernel_sp = c->kernel_sp;
    v->kernel_ss = c->kernel_ss | 3;
    v->event_callback = c->event_callback_eip;
    v->failsafe_callback = c->failsafe_callback_eip;
    v->syscall_callback = c->syscall_callback_eip;
    set_gdt(v, c->gdt_frames, c->gdt_ents);
    if (c->ldt_ents) {
        set_ldt(v, c->ldt_base, c->ldt_ents);
    }
    wrmsr(MSR_FS_BASE, c->fs_base);
    wrmsr(MSR_GS_BASE, c->gs_base_kernel);
    wrmsr(MSR_KERNEL_GS_BASE, c->gs_base_user);
    *frame = regs;
    enter_guest(v);
    run_guest(frame);
}

void start(void)
{
    struct vcpu *v = this_vcpu();

    if (v == vcpu_by_id(0)) {
        start_vcpu0();
    } else {
        start_other(v);
    }
    __builtin_unreachable();
}

static long send_nmi(struct vcpu *target)
{
    __atomic_store_n(&target->nmi_pending, true, __ATOMIC_SEQ_CST);
    /* Also if it sleeps. */
    if (target->started && target != this_vcpu()) {
        kick(target);
    }
    return 0;
}

/* Hypercalls --------------------------------------------------------------------- */

static long register_vcpu_info(struct vcpu *target, uint64_t arg)
{
    struct vcpu_register_vcpu_info op;
    vcpu_info_t *info;
    long result;

    if (copy_from_guest(&op, arg, sizeof(op))) {
        return -XEN_EFAULT;
    }
    if (op.offset > PAGE_SIZE - sizeof(*info) || op.offset % 8) {
        return -XEN_ENXIO;
    }
    if (!is_guest_frame(op.mfn) || (target != this_vcpu() && target->up)) {
        return -XEN_EINVAL;
    }
    result = l0_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info,
                     target->id, arg, 0, 0);
    if (result) {
        return result;
    }
    info = (vcpu_info_t *)((uint8_t *)frame(op.mfn) + op.offset);
    target->info = info;
    /* What came to the old one meanwhile is looked for. */
    __atomic_store_n(&info->evtchn_pending_sel, ~0ul, __ATOMIC_SEQ_CST);
    __atomic_store_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
    return 0;
}

long call_vcpu_op(unsigned int cmd, unsigned int id, uint64_t arg)
{
    struct vcpu *target;

    if (id >= boot->nr_vcpus) {
        return -XEN_ENOENT;
    }
    target = vcpu_by_id(id);
    switch (cmd) {
    case VCPUOP_register_vcpu_info:
        return register_vcpu_info(target, arg);
    case VCPUOP_initialise:
        return initialise(target, arg);
    case VCPUOP_up:
        return up(target);
    case VCPUOP_down:
        return down(target);
    case VCPUOP_is_up:
        return target->up;
    case VCPUOP_send_nmi:
        return arg ? -XEN_EINVAL : send_nmi(target);
    case VCPUOP_register_runstate_memory_area:
    case VCPUOP_register_vcpu_time_memory_area:
    case VCPUOP_get_runstate_info:
    case VCPUOP_set_periodic_timer:
    case VCPUOP_stop_periodic_timer:
    case VCPUOP_set_singleshot_timer:
    case VCPUOP_stop_singleshot_timer:
        return l0_call(__HYPERVISOR_vcpu_op, cmd, id, l0_pointer(arg), 0, 0);
    case VCPUOP_get_physid:
        return -XEN_EINVAL;
    default:
        return -XEN_ENOSYS;
    }
}

static void block(struct vcpu *v)
{
    v->info->evtchn_upcall_mask = 0;
    if (!__atomic_load_n(&v->info->evtchn_upcall_pending, __ATOMIC_SEQ_CST) &&
        !v->nmi_pending) {
        asm volatile("sti; hlt; cli" : : : "memory");
    }
}

/*
 * Only L0 knows of events on ports that are masked.  Where upcalls are not, any
 * event ends the poll: L0 sees by the interrupt flag that they can be delivered.
 */
static long poll(struct vcpu *v, uint64_t arg)
{
    struct sched_poll poll;
    long result;

    if (copy_from_guest(&poll, arg, sizeof(poll)) ||
        !guest_range_ok((uint64_t)poll.ports.p, PAGE_SIZE)) {
        return -XEN_EFAULT;
    }
    if (v->info->evtchn_upcall_mask) {
        return l0_call(__HYPERVISOR_sched_op, SCHEDOP_poll, arg, 0, 0, 0);
    }
    asm volatile("sti" : : : "memory");
    result = l0_call(__HYPERVISOR_sched_op, SCHEDOP_poll, arg, 0, 0, 0);
    asm volatile("cli" : : : "memory");
    return result;
}

long call_sched_op(struct regs *regs, unsigned int cmd, uint64_t arg)
{
    struct vcpu *v = this_vcpu();
    struct sched_shutdown shutdown;

    switch (cmd) {
    case SCHEDOP_block:
        block(v);
        return 0;
    case SCHEDOP_yield:
        return l0_call(__HYPERVISOR_sched_op, cmd, 0, 0, 0, 0);
    case SCHEDOP_poll:
        return poll(v, arg);
    case SCHEDOP_shutdown:
        if (copy_from_guest(&shutdown, arg, sizeof(shutdown))) {
            return -XEN_EFAULT;
        }
        if (shutdown.reason == SHUTDOWN_suspend) {
            return 1;           /* cancelled: nothing saves the guest */
        }
        if (shutdown.reason == SHUTDOWN_crash) {
            crash_guest(regs, "the guest says that it has crashed");
        }
        return l0_call(__HYPERVISOR_sched_op, cmd, arg, 0, 0, 0);
    case SCHEDOP_shutdown_code:
    case SCHEDOP_watchdog:
        return l0_call(__HYPERVISOR_sched_op, cmd, l0_pointer(arg), 0, 0, 0);
    default:
        return -XEN_ENOSYS;
    }
}
