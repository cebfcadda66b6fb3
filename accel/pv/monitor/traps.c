/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a trap to the guest's handler (a bounce), and back by the iret hypercall.
 *
 * A bounce does what the processor would do with an interrupt gate: it switches from
 * user to kernel mode, and pushes a frame on the kernel's stack.
 */

#include "events.h"

_Static_assert(sizeof(struct regs) == 176 &&
               offsetof(struct regs, cs) == 144 &&
               offsetof(struct vcpu, full_cr3) == 64 &&
               offsetof(struct vcpu, exit_cr3) == 72,
               "entry.S has these numbers");

#define ERROR_PRESENT   1
#define ERROR_WRITE     2
#define ERROR_USER      4
#define ERROR_IDT       2

#define TRAP_DPL        3
#define TRAP_MASKS      4

#define DR6_DEFAULT     0xffff0ff0ul

void toggle_mode(struct vcpu *v)
{
    v->kernel_mode = !v->kernel_mode;
    swapgs();
    load_cr3(v);
}

/* What a frame may have below the processor's part: an error code, or selectors. */
#define MAX_MORE 4

/*
 * Have the guest go on at @handler, in kernel mode.  The frame has the first @nr_more
 * words of @more.
 */
static void bounce(struct regs *regs, uint64_t handler, const uint64_t *more,
                   unsigned int nr_more, bool masks)
{
    struct vcpu *v = this_vcpu();
    uint8_t mask = v->info->evtchn_upcall_mask;
    uint64_t frame[7 + MAX_MORE], *word = frame;
    uint64_t sp = regs->rsp, cs = regs->cs & 0xffff;

    if (!v->kernel_mode) {
        toggle_mode(v);
        sp = v->kernel_sp;
    } else {
        cs &= ~3ul;     /* so the guest knows */
    }
    *word++ = regs->rcx;
    *word++ = regs->r11;
    while (nr_more--) {
        *word++ = *more++;
    }
    *word++ = regs->rip;
    *word++ = cs | (uint64_t)mask << 32;
    *word++ = (regs->rflags & ~(FLAG_IF | FLAG_IOPL)) | iopl_in_frame(v) |
              (mask ? 0 : FLAG_IF);
    *word++ = regs->rsp;
    *word++ = regs->ss;
    sp &= ~15ul;
    sp -= (word - frame) * sizeof(*word);
    if (!handler || !is_canonical(handler) ||
        copy_to_guest(sp, frame, (word - frame) * sizeof(*word))) {
        crash_guest(regs, "trap %lu: no handler, or no stack at 0x%lx for it",
                    regs->vector, sp);
    }
    if (masks) {
        v->info->evtchn_upcall_mask = 1;
    }
    regs->rip = handler;
    regs->cs = SEL_CS64;
    regs->ss = SEL_DS;
    regs->rsp = sp;
    regs->rflags &= ~(FLAG_AC | FLAG_VM | FLAG_RF | FLAG_NT | FLAG_TF |
                      FLAG_IOPL);
    regs->rflags |= FLAG_IF;
}

static void to_handler(struct regs *regs, unsigned int vector,
                       const uint64_t *error, bool has_error)
{
    const struct trap_entry *entry = &this_vcpu()->traps[vector];

    regs->vector = vector;
    bounce(regs, entry->address, error, has_error, entry->flags & TRAP_MASKS);
}

void inject(struct regs *regs, unsigned int vector, uint64_t error)
{
    to_handler(regs, vector, &error,
               vector == 8 || (vector >= 10 && vector <= 14) ||
               vector == 17 || vector == 21);
}

void failsafe(struct regs *regs, const struct cpu_user_regs *selectors)
{
    struct vcpu *v = this_vcpu();
    uint64_t more[MAX_MORE] = {
        selectors->ds, selectors->es, selectors->fs, selectors->gs,
    };

    bounce(regs, v->failsafe_callback, more, MAX_MORE, v->failsafe_masks);
}

/* Returns ------------------------------------------------------------------- */

long hypercall_iret(struct regs *regs)
{
    struct vcpu *v = this_vcpu();
    struct iret_context frame;

    if (copy_from_guest(&frame, regs->rsp, sizeof(frame))) {
        crash_guest(regs, "the iret hypercall finds no frame at 0x%lx",
                    regs->rsp);
    }
    if ((frame.cs & 3) == 3 && v->kernel_mode) {
        if (!v->user_top) {
            crash_guest(regs, "an iret to user mode, for which there are no "
                        "page tables");
        }
        toggle_mode(v);
    }
    regs->rip = frame.rip;
    regs->cs = (frame.cs & 0xffff) | 3;
    regs->ss = (frame.ss & 0xffff) | 3;
    regs->rsp = frame.rsp;
    regs->rflags = guest_rflags(frame.rflags);
    take_iopl_of_frame(v, frame.rflags);
    if (frame.flags & VGCF_in_syscall) {
        /*
         * As SYSRET leaves them, which knows two kinds of code, and by which Xen does not
         * return to what is no address.
         */
        if (is_canonical(regs->rip)) {
            regs->cs = regs->cs == SEL_CS32 ? SEL_CS32 : SEL_CS64;
            regs->ss = SEL_DS;
        }
        regs->rcx = regs->rip;
        regs->r11 = regs->rflags;
    } else {
        regs->r11 = frame.r11;
        regs->rcx = frame.rcx;
    }
    regs->rax = frame.rax;
    v->nmi_masked = false;
    v->info->evtchn_upcall_mask = !(frame.rflags & FLAG_IF);
    return CALL_SETS_REGS;
}

static bool nmi_due(const struct vcpu *v)
{
    return nmi_pending(v) && !v->nmi_masked;
}

static bool upcall_due(const struct vcpu *v)
{
    return upcall_pending(v) && !v->info->evtchn_upcall_mask;
}

bool delivery_due(const struct vcpu *v)
{
    return nmi_due(v) || upcall_due(v);
}

void deliver(struct regs *regs)
{
    struct vcpu *v = this_vcpu();

    if (nmi_due(v)) {
        /* Without a handler it is lost, as on Xen. */
        __atomic_store_n(&v->nmi_pending, false, __ATOMIC_SEQ_CST);
        if (v->traps[EXC_NMI].address) {
            v->nmi_masked = true;
            inject(regs, EXC_NMI, 0);
        }
    }
    if (upcall_due(v)) {
        regs->vector = VECTOR_UPCALL;
        bounce(regs, v->event_callback, NULL, 0, true);
    }
}

/* Traps ---------------------------------------------------------------------- */

void guest_page_fault(struct regs *regs, uint64_t address, uint64_t error)
{
    struct vcpu *v = this_vcpu();

    if (isolation_is_behind(v, address) ||
        fix_page_fault(v, address, error, regs->rip)) {
        return;
    }
    v->info->arch.cr2 = address;
    inject(regs, EXC_PF, (error & ~(uint64_t)ERROR_USER) |
                         (v->kernel_mode ? 0 : ERROR_USER));
}

/* int $n, which has no gate for the guest: the error code names n. */
static bool software_interrupt(struct regs *regs)
{
    struct vcpu *v = this_vcpu();
    unsigned int vector = regs->error >> 3 & 0xff;
    const struct trap_entry *entry = &v->traps[vector];
    unsigned int dpl = entry->flags & TRAP_DPL;

    if ((regs->error & 7) != ERROR_IDT || !entry->address ||
        dpl < (v->kernel_mode ? 1 : 3)) {
        return false;
    }
    regs->rip += 2;
    to_handler(regs, vector, NULL, false);
    return true;
}

static void general_protection(struct regs *regs)
{
    struct vcpu *v = this_vcpu();

    if (software_interrupt(regs) ||
        (!regs->error && emulate_privileged(regs))) {
        return;
    }
    if (v->kernel_mode && !v->traps[EXC_GP].address) {
        crash_guest(regs, "a general protection fault before the kernel has "
                    "handlers");
    }
    inject(regs, EXC_GP, regs->error);
}

static void debug_trap(struct regs *regs)
{
    struct vcpu *v = this_vcpu();
    uint64_t dr6 = read_dr6();

    write_dr6(DR6_DEFAULT);
    /* The guest's bits stay until it clears them; some say what is by 0. */
    v->dr6 |= dr6 & ~DR6_DEFAULT;
    v->dr6 &= dr6 | ~DR6_DEFAULT;
    inject(regs, EXC_DB, 0);
}

static void guest_syscall(struct regs *regs, uint64_t callback, bool masks)
{
    if (!callback) {
        regs->rip -= 2;
        inject(regs, EXC_UD, 0);
        return;
    }
    bounce(regs, callback, NULL, 0, masks);
    regs->rflags &= ~FLAG_DF;
}

/* One of the monitor's own, wherever it came. */
static void take_interrupt(unsigned int vector)
{
    struct vcpu *v = this_vcpu();

    wrmsr(MSR_X2APIC_EOI, 0);
    if (!own_events()) {
        return;
    }
    switch (vector) {
    case VECTOR_UPCALL:
        take_l0_events(v);
        break;
    case VECTOR_TIMER:
        take_timer(v);
        break;
    case VECTOR_KICK:
        if (v->timers.changed) {
            run_timers(v);
        }
        break;
    }
}

void refresh_time(struct vcpu *v)
{
    uint32_t version = __atomic_load_n(&v->l0_info->time.version,
                                       __ATOMIC_RELAXED);

    if (version != v->time_version) {
        copy_time(v, v->info);
    }
    if (!v->id) {
        copy_wallclock();
    }
}

static void from_guest(struct regs *regs)
{
    struct vcpu *v = this_vcpu();

    switch (regs->vector) {
    case VECTOR_SYSCALL:
        if (v->kernel_mode) {
            hypercall_trap(regs);
        } else {
            guest_syscall(regs, v->syscall_callback, v->syscall_masks);
        }
        break;
    case VECTOR_SYSCALL32:
        guest_syscall(regs, v->syscall32_callback, v->syscall32_masks);
        break;
    case VECTOR_UPCALL:
    case VECTOR_KICK:
    case VECTOR_TIMER:
        take_interrupt(regs->vector);
        break;
    case VECTOR_SPURIOUS:
        break;
    case EXC_NMI:
        __atomic_store_n(&v->nmi_pending, true, __ATOMIC_SEQ_CST);
        break;
    case EXC_PF:
        guest_page_fault(regs, read_cr2(), regs->error);
        break;
    case EXC_GP:
        general_protection(regs);
        break;
    case EXC_UD:
        if (!emulate_forced(regs)) {
            inject(regs, EXC_UD, 0);
        }
        break;
    case EXC_NM:
        clts();
        if (v->guest_ts) {
            v->guest_ts = false;
            inject(regs, EXC_NM, 0);
        }
        break;
    case EXC_DB:
        debug_trap(regs);
        break;
    case EXC_DF:
    case EXC_MC:
        crash_guest(regs, "exception %lu", regs->vector);
    default:
        if (regs->vector == 0x80 && !v->traps[0x80].address) {
            /* As if there were no gate. */
            regs->rip -= 2;
            inject(regs, EXC_GP, 0x80 << 3 | ERROR_IDT);
            break;
        }
        if (regs->vector >= 32 && regs->vector != 0x80) {
            /* Of the machine's own devices, which the guest does not have. */
            break;
        }
        inject(regs, regs->vector, regs->error);
    }
}

/*
 * A fault in the monitor itself.  That of the iretq is the guest's: it has put
 * something into the frame that it returns by.  @regs has the guest's registers
 * then, but for those in that frame.
 */
static void from_monitor(struct regs *regs)
{
    const struct exception_fixup *f;

    switch (regs->vector) {
    case VECTOR_UPCALL:
    case VECTOR_KICK:
    case VECTOR_TIMER:
        take_interrupt(regs->vector);
        return;
    case VECTOR_SPURIOUS:
        return;
    case EXC_NMI:
        __atomic_store_n(&this_vcpu()->nmi_pending, true, __ATOMIC_SEQ_CST);
        /* The monitor may be past its last look: have it come back. */
        kick(this_vcpu());
        return;
    case EXC_DB:
        /* A watchpoint of the guest's, or a single step into the monitor. */
        write_dr6(DR6_DEFAULT);
        regs->rflags &= ~FLAG_TF;
        return;
    }
    for (f = fixups_begin; f < fixups_end; f++) {
        if (f->address == regs->rip) {
            regs->rip = f->fixup;
            return;
        }
    }
    if (regs->rip == (uint64_t)iret_to_guest && regs->vector < 32) {
        const uint64_t *frame = (const uint64_t *)regs->rsp;

        leave_guest(this_vcpu());
        regs->rip = frame[0];
        regs->cs = frame[1];
        regs->rflags = frame[2];
        regs->rsp = frame[3];
        regs->ss = frame[4];
        if (regs->vector != EXC_NP && regs->vector != EXC_SS) {
            regs->error = regs->vector == EXC_GP ? regs->error : 0;
            regs->vector = EXC_GP;
        }
        inject(regs, regs->vector, regs->error);
        deliver(regs);
        enter_guest(this_vcpu());
        return;
    }
    crash_guest(regs, "the monitor itself took exception %lu, error 0x%lx",
                regs->vector, regs->error);
}

void trap(struct regs *regs)
{
    if (!(regs->cs & 3)) {
        from_monitor(regs);
        return;
    }
    leave_guest(this_vcpu());
    from_guest(regs);
    park_if_asked();
    if (own_events()) {
        refresh_time(this_vcpu());
    }
    refresh_runstate(this_vcpu());
    deliver(regs);
    enter_guest(this_vcpu());
}
