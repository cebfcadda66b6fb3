/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor: what makes a PV guest's kernel believe that it is on Xen, in ring 0
 * of the guest's own machine.  See docs/pv-monitor.md.
 *
 * The guest's kernel and its user mode are both in ring 3.  What the monitor must
 * keep apart are these two, and itself from user mode.
 */

#ifndef PV_MONITOR_H
#define PV_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/errno.h>
#include <xen/vcpu.h>

#include "boot.h"

/* A test on the host has others of these. */
#include <machine/mappings.h>
#include <machine/processor.h>

#define PAGE_SIZE 4096ul
#define PAGE_SHIFT 12
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Registers of the guest, or of the monitor where it was interrupted. */
struct regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx,
             rsi, rdi;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Vectors of the monitor's own, and what entry.S counts as vectors. */
#define VECTOR_UPCALL       0xf0
#define VECTOR_KICK         0xf1
#define VECTOR_TIMER        0xf2
#define VECTOR_SPURIOUS     0xff
#define VECTOR_SYSCALL      0x100
#define VECTOR_SYSCALL32    0x101

#define EXC_DB 1
#define EXC_NMI 2
#define EXC_UD 6
#define EXC_NM 7
#define EXC_DF 8
#define EXC_NP 11
#define EXC_SS 12
#define EXC_GP 13
#define EXC_PF 14
#define EXC_MC 18

#define FLAG_CF     0x1ul
#define FLAG_TF     0x100ul
#define FLAG_IF     0x200ul
#define FLAG_DF     0x400ul
#define FLAG_IOPL   0x3000ul
#define IOPL_SHIFT  12
#define FLAG_NT     0x4000ul
#define FLAG_RF     0x10000ul
#define FLAG_VM     0x20000ul
#define FLAG_AC     0x40000ul

#define PTE_PRESENT 0x1ul
#define PTE_WRITE   0x2ul
#define PTE_USER    0x4ul
#define PTE_ACCESSED 0x20ul
#define PTE_DIRTY   0x40ul
#define PTE_LARGE   0x80ul
#define PTE_FRAME   0x000ffffffffff000ul

/* Entries that a guest may have: the reserved part of the GDT begins at 0xe000. */
#define GDT_ENTRIES     (0xe000 / 8)
#define LDT_ENTRIES     8192

/* Selectors in that part */
#define SEL_MONITOR_CS  0xe008
#define SEL_MONITOR_SS  0xe010
#define SEL_CS32        0xe023
#define SEL_DS          0xe02b
#define SEL_CS64        0xe033
#define SEL_TSS         0xe040
#define SEL_LDT         0xe050

#define CR0_TS 8ul
#define CR4_TSD 0x4ul
#define CR4_DE 0x8ul
#define CR4_PAE 0x20ul
#define CR4_MCE 0x40ul
#define CR4_OSFXSR 0x200ul
#define CR4_OSXMMEXCPT 0x400ul
#define CR4_FSGSBASE 0x10000ul
#define CR4_OSXSAVE 0x40000ul
#define CR4_SMEP 0x100000ul
#define CR4_SMAP 0x200000ul

#define XCR0_X87 1ul
#define XCR0_SSE 2ul
/* x87, SSE, AVX, AVX-512: no MPX, no PKRU, no AMX. */
#define XCR0_GUEST 0xe7ul

/* VCPUOP_is_up says 1 for VCPU_UP alone. */
enum vcpu_state {
    VCPU_DOWN,
    VCPU_UP,
    /* Another vCPU has called VCPUOP_down for it.  It makes VCPU_DOWN of that, and parks. */
    VCPU_TO_BE_DOWN,
};

struct trap_entry {
    uint64_t address;
    uint8_t flags;              /* bits 0 and 1: DPL; bit 2: masks events */
};

struct tss {
    uint32_t reserved;
    uint64_t rsp[3];
    uint64_t reserved2;
    uint64_t ist[7];
    uint64_t reserved3;
    uint16_t reserved4, io_bitmap;
} __attribute__((packed));

struct spinlock {
    uint8_t held;
};

/* Times in nanoseconds since the guest's machine began; 0: not set. */
struct timers {
    struct spinlock lock;       /* of the period, which other vCPUs set */
    bool changed;               /* by another vCPU */
    bool is_set;                /* the LAPIC's */
    uint64_t singleshot, poll;
    uint64_t period, last;      /* last: when it was due last */
};

/* What KVM writes to where its MSR for that says. */
struct steal_time {
    uint64_t steal;             /* nanoseconds */
    uint32_t version;           /* odd while it is written */
    uint32_t reserved[13];
} __attribute__((aligned(64)));

/* If runstates are the monitor's own; see runstate.c. */
struct runstate {
    struct spinlock lock;
    struct vcpu_runstate_info info;
    uint64_t steal;             /* what of KVM's count is in info; own vCPU */
    uint64_t told;              /* until when VCPUOP_get_runstate_info has told */
    /* The guest's copy, through the directmap, or NULL; the first part's bytes. */
    uint8_t *area[2];
    unsigned int first_part;
};

/* x87, SSE, AVX and AVX-512, in XSAVE's standard format. */
#define FPU_STATE_SIZE 2688
/* In it, the header's place, behind x87 and SSE. */
#define XSAVE_HEADER 512
#define XSAVE_HEADER_SIZE 64

/* What a vCPU that has taken itself down had in its processor; see park.c. */
struct parked {
    uint64_t rsp;
    uint64_t cr4, xcr0;
    uint64_t dr[4];
    uint64_t fs_base, gs_base, kernel_gs_base, tsc_aux, spec_ctrl;
    uint16_t ds, es, fs, gs;
    uint8_t fpu[FPU_STATE_SIZE] __attribute__((aligned(64)));
};

/* At the beginning of a vCPU's block. */
struct vcpu {
    struct pv_call call;        /* first, where QEMU finds it */
    /* See isolation.c and entry.S. */
    uint64_t full_cr3;          /* while the isolated tables are loaded; else 0 */
    uint64_t exit_cr3;          /* the isolated tables, if the guest is to have them */
    unsigned int id;
    uint32_t apic_id;
    bool kernel_mode;
    bool initialised, started;
    uint32_t state;             /* enum vcpu_state */
    bool is_parked;             /* its processor may be another one when it is up */
    /* Whether a flush of its TLB needs a kick; see flush_others(). */
    bool in_guest;
    bool guest_ts;              /* CR0.TS as the guest sees it */
    bool nmi_pending, nmi_masked;
    bool flush_pending;
    bool syscall_masks, syscall32_masks, failsafe_masks;
    /* See port_io.c.  The bitmap is in the kernel's memory, for ports below nr_ports. */
    uint8_t iopl;
    unsigned int nr_ports;
    uint64_t port_bitmap;
    uint64_t kernel_top, user_top;      /* mfns of top-level tables */
    uint64_t other_top;                 /* one more, while one of these changes, or 0 */
    uint64_t kernel_sp, kernel_ss;
    uint64_t event_callback, failsafe_callback, syscall_callback;
    uint64_t syscall32_callback;
    uint64_t cr4;               /* the guest's part */
    uint64_t cr4_bits;          /* that it may set: see guest_cr4_bits() */
    uint64_t dr6, dr7;
    uint64_t port_breakpoints;  /* bits of DR7 that the processor has not */
    unsigned int gdt_entries, ldt_entries;
    unsigned int gdt_end;       /* of the entries that are not zero, without the reserved */
    uint64_t gdt_frames[14];
    uint64_t ldt_base;
    vcpu_info_t *info;          /* through the directmap */
    /* If events are the monitor's own */
    bool has_info;              /* registered by the guest */
    vcpu_info_t *l0_info;
    uint32_t time_version;      /* of L0's time when it was copied last */
    struct timers timers;
    struct runstate runstate;
    struct steal_time steal_time;
    uint64_t fault_address, fault_rip;
    unsigned int fault_count;
    struct tss tss;
    struct trap_entry traps[256];
    /* The last hypercalls, for a dump. */
    uint16_t calls[32];
    unsigned int nr_calls;
    /* VCPUOP_initialise's, until the vCPU starts. */
    vcpu_guest_context_t context;
    struct parked parked;
};
_Static_assert(sizeof(struct vcpu) < 4 * PAGE_SIZE, "stacks are behind it");

static inline uint32_t state_of(const struct vcpu *v)
{
    return __atomic_load_n(&v->state, __ATOMIC_SEQ_CST);
}

/* Whether it was ever brought up: before, nothing can interrupt it. */
static inline bool has_started(const struct vcpu *v)
{
    return __atomic_load_n(&v->started, __ATOMIC_SEQ_CST);
}

/* False if it was not @from. */
static inline bool change_state(struct vcpu *v, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&v->state, &from, to, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static inline void *frame(uint64_t mfn)
{
    return directmap(mfn << PAGE_SHIFT);
}

static inline bool is_self(domid_t domid)
{
    return domid == DOMID_SELF || domid == boot->domid;
}

/* 0, or what a guest without rights gets for another domain, of which there is 0 alone. */
static inline long check_self(domid_t domid)
{
    return is_self(domid) ? 0 : domid ? -XEN_ESRCH : -XEN_EPERM;
}

/* Any mode of the guest is ring 3. */
static inline uint64_t with_user(uint64_t pte)
{
    return pte & PTE_PRESENT ? pte | PTE_USER : pte;
}

/* The same in a page table, where other vCPUs and the processor change bits, too. */
static inline void add_user(uint64_t *entry)
{
    uint64_t pte = __atomic_load_n(entry, __ATOMIC_RELAXED);

    while (with_user(pte) != pte &&
           !__atomic_compare_exchange_n(entry, &pte, with_user(pte), true,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
    }
}

/* Other vCPUs set these two. */
static inline bool nmi_pending(const struct vcpu *v)
{
    return __atomic_load_n(&v->nmi_pending, __ATOMIC_SEQ_CST);
}

static inline bool upcall_pending(const struct vcpu *v)
{
    return __atomic_load_n(&v->info->evtchn_upcall_pending, __ATOMIC_SEQ_CST);
}

static inline bool is_canonical(uint64_t address)
{
    return (int64_t)address >> 47 == (int64_t)address >> 63;
}

/* RFLAGS for the guest to run with: interrupts are on, IOPL is the monitor's to emulate. */
static inline uint64_t guest_rflags(uint64_t rflags)
{
    return (rflags & ~(FLAG_IOPL | FLAG_VM)) | FLAG_IF | 2;
}

/* Whether the @size bytes at @address are none of the hypervisor's. */
static inline bool guest_range_ok(uint64_t address, uint64_t size)
{
    uint64_t last = address + size - !!size;

    return last >= address && is_canonical(address) && is_canonical(last) &&
           (last < M2P_VA || address >= HYPERVISOR_END);
}

/* entry.S and start.c ------------------------------------------------------ */

extern char trap_stubs[256][16];
extern char syscall_entry[], syscall32_entry[], iret_to_guest[];

struct exception_fixup {
    uint64_t address, fixup;
};
extern const struct exception_fixup fixups_begin[], fixups_end[];

void start(void) __attribute__((noreturn));
/* Leave to the guest by @regs, which are on this vCPU's own stack. */
void run_guest(struct regs *regs) __attribute__((noreturn));
void trap(struct regs *regs);

/* Guest memory at its own addresses.  Each returns the bytes not copied. */
size_t copy_guest(void *to, const void *from, size_t size);
size_t copy_from_guest(void *to, uint64_t from, size_t size);
size_t copy_to_guest(uint64_t to, const void *from, size_t size);

/* False if the processor refuses the MSR. */
bool rdmsr_safe(uint32_t msr, uint64_t *value);
bool wrmsr_safe(uint32_t msr, uint64_t value);
bool xsetbv_safe(uint32_t index, uint64_t value);
/* Load %gs of the guest's user mode; the null selector if that faults. */
void load_user_gs(uint16_t selector);
/* The same of other registers, false if it faults; bases are then undefined. */
bool load_ds(uint16_t selector);
bool load_es(uint16_t selector);
bool load_fs(uint16_t selector);
bool load_gs(uint16_t selector);

/*
 * Call @leave, after which the vCPU may be down, and return what it returns; or
 * OTHER_PROCESSOR, if L0 has the vCPU go on in another processor at go_on, with
 * the stack that this stores in *@rsp.
 */
#define OTHER_PROCESSOR 1
long leave_processor(uint64_t *rsp, long (*leave)(void));
extern char go_on[];

/* park.c: the vCPU takes itself down; returns when it is up again, or an error. */
long park(void);
/* The same, if another vCPU has taken it down.  The vCPU must hold no lock. */
void park_if_asked(void);

/* l0.c: L0, which is QEMU ---------------------------------------------------- */

long l0_call(unsigned int number, uint64_t a, uint64_t b, uint64_t c,
             uint64_t d, uint64_t e);
/* A pointer of the guest's as L0 may have it: one of the hypervisor's leads nowhere. */
uint64_t l0_pointer(uint64_t address);

/* traps.c ------------------------------------------------------------------ */

void inject(struct regs *regs, unsigned int vector, uint64_t error);
/*
 * The guest's access to @address has faulted: repair what is of the monitor's making, or
 * tell the guest.
 */
void guest_page_fault(struct regs *regs, uint64_t address, uint64_t error);
/* Whether the guest is to be interrupted: an NMI or an upcall is due. */
bool delivery_due(const struct vcpu *v);
/* Before the guest looks at its time again, if events are the monitor's own. */
void refresh_time(struct vcpu *v);
void toggle_mode(struct vcpu *v);
/* Before the guest goes on: what has come for it meanwhile. */
void deliver(struct regs *regs);
/* Have the guest go on at its failsafe callback: one of @selectors could not be loaded. */
void failsafe(struct regs *regs, const struct cpu_user_regs *selectors);
long hypercall_iret(struct regs *regs);

/* emulate.c, cpuid.c, msr.c, debug.c ----------------------------------------- */

/* True if the guest goes on where @regs say; else the instruction is the guest's fault. */
bool emulate_privileged(struct regs *regs);
bool emulate_forced(struct regs *regs);
/* @forced: by the prefix that PV kernels know. */
void guest_cpuid(uint32_t *eax, uint32_t *ebx, uint32_t *ecx, uint32_t *edx,
                 bool forced);
/* The guest's part of CR0 and CR4, on the vCPU itself; what it may not have is left out. */
void set_guest_ts(struct vcpu *v, bool set);
void set_guest_cr4(struct vcpu *v, uint64_t value);
/* Of CR4, the bits that this processor has and a guest may set. */
uint64_t guest_cr4_bits(void);
bool guest_rdmsr(uint32_t msr, uint64_t *value);
bool guest_wrmsr(uint32_t msr, uint64_t value);
/* 0 or an error: -XEN_ENODEV if there is no such register. */
long set_debugreg(struct vcpu *v, unsigned int reg, uint64_t value);
long get_debugreg(struct vcpu *v, unsigned int reg, uint64_t *value);
/* The guest's breakpoints, as DR6 has them, that an access to @port hits. */
uint64_t port_breakpoints_at(const struct vcpu *v, unsigned int port,
                             unsigned int size);

/* hypercalls.c ------------------------------------------------------------- */

/* Returns the result, or the special one that says that regs are changed. */
#define CALL_SETS_REGS (-10000)
/* The guest has to make the call again, with the arguments as they are now. */
#define CALL_AGAIN (-10001)
long hypercall(struct regs *regs, uint64_t number, uint64_t *args);
void hypercall_trap(struct regs *regs);
/*
 * Whether a call that is at step @step of many should make way for what has come
 * for the guest.
 */
bool wants_out(unsigned int step);

/* As Xen has it: how far a continued memory_op has come is above its command. */
#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK ((1u << MEMOP_EXTENT_SHIFT) - 1)
/* @args as of the hypercall. */
long call_memory_op(uint64_t *args);
/* Its part that changes how much memory the guest has. */
long change_reservation(uint64_t *args);
long call_exchange(uint64_t arg);
uint64_t nr_guest_frames(void);
/* What the guest says of its frame or ring @mfn; false if it is neither. */
bool set_m2p(uint64_t mfn, uint64_t pfn);
long call_grant_table_op(unsigned int cmd, uint64_t arg, unsigned int count);
long call_xen_version(unsigned int cmd, uint64_t arg);
long call_vcpu_op(unsigned int cmd, unsigned int id, uint64_t arg);
long call_sched_op(struct regs *regs, unsigned int cmd, uint64_t arg);

/* events.c, events_env.c ------------------------------------------------------ */

/* Whether the guest's events are the monitor's own; else they are L0's. */
static inline bool own_events(void)
{
    return boot->own_events;
}

/* The heap is from frame @first to @end. */
void init_events(shared_info_t *shared, uint64_t first, uint64_t end);
/* @args as of the hypercall. */
long call_event_channel_op(uint64_t *args);
long call_event_channel_op_compat(uint64_t arg);

/* timers.c, with events of the monitor's own only ------------------------------- */

void init_timers(struct vcpu *v);
/* Do what is due; on the vCPU itself. */
void run_timers(struct vcpu *v);
/* The same, as the LAPIC's timer has come. */
void take_timer(struct vcpu *v);
void set_poll_timer(struct vcpu *v, uint64_t when);
long call_timer_op(unsigned int cmd, struct vcpu *target, uint64_t arg);
long call_set_timer_op(uint64_t when);
uint64_t system_time(const struct vcpu *v);
/* L0's time of @v into the guest's @info. */
void copy_time(struct vcpu *v, vcpu_info_t *info);
/* L0's wallclock, if it has changed, into the guest's shared_info. */
void copy_wallclock(void);

/* runstate.c: if runstates are not the monitor's own, all but guest_byte() do nothing --- */

/* The vCPU's runstate is @state from now on. */
void set_runstate(struct vcpu *v, int state);
/* Before the guest goes on: it runs, and may have waited. */
void refresh_runstate(struct vcpu *v);
/* The vCPU is in a processor that is new to it: have KVM count there. */
void init_runstate(struct vcpu *v);
void set_runstate_update_flag(bool enable);
/* VCPUOP_get_runstate_info, and VCPUOP_register_runstate_memory_area. */
long call_runstate_op(unsigned int cmd, struct vcpu *target, uint64_t arg);
/* Where the caller's kernel has @address, if that is RAM that may be written, or NULL. */
uint8_t *guest_byte(uint64_t address);

/* mmu.c -------------------------------------------------------------------- */

/* @args as of the hypercall; see in_turn(). */
long call_mmu_update(uint64_t *args);
long call_mmuext_op(uint64_t *args);
long call_update_va_mapping(uint64_t va, uint64_t pte, uint64_t flags);
/* The kernel's tables are those with the top-level one @mfn, from now on. */
long set_kernel_top(struct vcpu *v, uint64_t mfn);
/* The same for the tables of user mode, which are not loaded yet; @mfn 0: it has none. */
long set_user_top(struct vcpu *v, uint64_t mfn);
bool is_guest_frame(uint64_t mfn);
/*
 * Whether the monitor may write there for the guest.  Not to a top-level table, which has
 * the monitor's own entries; Xen writes to no table (PGT_writable_page).
 */
bool is_writable_frame(uint64_t mfn);
/* The entry for @va at this level, or NULL; of the kernel's tables. */
uint64_t *pte_of(struct vcpu *v, uint64_t va, unsigned int level);
/* The frame that the kernel has at @va; false if there is none of the guest's. */
bool guest_frame_at(struct vcpu *v, uint64_t va, uint64_t *mfn);

/* port_io.c ------------------------------------------------------------------ */

/* PHYSDEVOP_*, and the VM assist of this name. */
long call_set_iopl(uint64_t arg);
long call_set_iobitmap(uint64_t arg);
void set_architectural_iopl(bool set);
/* IOPL in the flags of a frame for the kernel, and of one by which it returns. */
uint64_t iopl_in_frame(const struct vcpu *v);
void take_iopl_of_frame(struct vcpu *v, uint64_t rflags);

/* descriptors.c ------------------------------------------------------------ */

struct segment {
    uint64_t base;
    uint32_t limit;
    uint8_t type;               /* bits 40 to 47 of the descriptor */
    bool is_32bit, is_64bit;
};

/* What the processor has at @selector; false if that is null, or beyond the table. */
bool read_segment(const struct vcpu *v, uint16_t selector,
                  struct segment *segment);

void init_descriptors(struct vcpu *v);
long call_set_gdt(uint64_t frames, unsigned int entries);
long set_gdt(struct vcpu *v, const uint64_t *frames, unsigned int entries);
long call_update_descriptor(uint64_t address, uint64_t descriptor);
long set_ldt(struct vcpu *v, uint64_t base, unsigned int entries);

/* context.c ------------------------------------------------------------------ */

/* 0 if a vCPU can begin with this, or -XEN_EINVAL. */
long check_context(const vcpu_guest_context_t *c);
/*
 * On the vCPU itself: load its context into the processor, into its block, and into
 * @regs, with which it enters the guest.
 */
void load_context(struct vcpu *v, struct regs *regs);

/* page_fault.c --------------------------------------------------------------- */

/* True if the guest can go on: the fault was of the monitor's making. */
bool fix_page_fault(struct vcpu *v, uint64_t address, uint64_t error,
                    uint64_t rip);
/* The VM assist of this name. */
void set_writable_pagetables(bool set);

/* processor.c, start.c ------------------------------------------------------- */

void fill_idt(void);
void init_processor(struct vcpu *v);

/* tlb.c ---------------------------------------------------------------------- */

/* Before the vCPU enters the guest, and when it has left it. */
void enter_guest(struct vcpu *v);
void leave_guest(struct vcpu *v);
/* Interrupt the vCPU, whatever it is at. */
void kick(const struct vcpu *target);
/* The tables of the mode that the vCPU is in. */
void load_cr3(struct vcpu *v);
void flush_local(struct vcpu *v);
void flush_all(struct vcpu *v);
/* @mask: address of a bitmap of vCPUs in the guest. */
long flush_many(struct vcpu *v, uint64_t mask);

/* isolation.c ---------------------------------------------------------------- */

/* The part of the vCPU's isolated tables that never changes. */
void init_isolation(struct vcpu *v);
/* Before the vCPU enters the guest: nothing changes its mode's tables any more. */
void isolate(struct vcpu *v);
/*
 * Whether the isolated tables differ from user mode's own at @address, as another vCPU has
 * changed these, so that the fault there goes away by itself.
 */
bool isolation_is_behind(const struct vcpu *v, uint64_t address);

/* print.c ------------------------------------------------------------------ */

void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* End the guest, with a dump of what it was at. */
void crash_guest(struct regs *regs, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

#endif /* PV_MONITOR_H */
