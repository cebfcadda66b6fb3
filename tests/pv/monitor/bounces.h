/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the tests of traps: a guest with handlers, and the frames that these find. */

#ifndef TESTS_PV_BOUNCES_H
#define TESTS_PV_BOUNCES_H

#include "machine.h"

#define KERNEL_SP   (MACHINE_KERNEL_VA + 3 * PAGE_SIZE)
#define USER_SP     0x3ff008ul
#define USER_RIP    0x201000ul
#define HANDLER(vector) (MACHINE_KERNEL_VA + 0x8000 + (vector) * 16ul)

#define MASKS       4
#define ERROR_IDT   2
#define NO_ERROR    (~0ul)

/* A frame as the handler finds it, whose error code may lack. */
struct found {
    uint64_t rcx, r11, error, rip, cs, rflags, rsp, ss;
};

static inline struct vcpu *guest(void)
{
    return vcpu_by_id(0);
}

static inline void set_handler(unsigned int vector, uint8_t flags, uint64_t address)
{
    guest()->traps[vector] = (struct trap_entry) {
        .address = address, .flags = flags,
    };
}

static inline void set_handlers(uint8_t flags)
{
    unsigned int i;

    for (i = 0; i < 256; i++) {
        set_handler(i, flags, HANDLER(i));
    }
}

/* A guest with tables and handlers for user mode, with upcalls not masked. */
static inline void start_guest(uint8_t flags)
{
    machine_start(&(struct machine_config) { 0 });
    set_handlers(flags);
    guest()->info->evtchn_upcall_mask = 0;
    g_assert_cmpint(set_user_top(guest(), machine_frame()), ==, 0);
    g_assert_cmpint(machine_call(__HYPERVISOR_stack_switch, SEL_DS, KERNEL_SP, 0,
                                 0), ==, 0);
    *machine_msr(MSR_GS_BASE) = 0x1000;
    *machine_msr(MSR_KERNEL_GS_BASE) = 0x2000;
}

/* Registers that all differ. */
static inline struct regs trapped(unsigned int vector, uint64_t error)
{
    struct regs regs = machine_trapped(vector, error);

    regs.rax = 0xa1;
    regs.rbx = 0xa2;
    regs.rcx = 0xa3;
    regs.rdx = 0xa4;
    regs.rsi = 0xa5;
    regs.rdi = 0xa6;
    regs.rbp = 0xa7;
    regs.r8 = 0xa8;
    regs.r9 = 0xa9;
    regs.r10 = 0xaa;
    regs.r11 = 0xab;
    regs.r12 = 0xac;
    regs.r13 = 0xad;
    regs.r14 = 0xae;
    regs.r15 = 0xaf;
    return regs;
}

/* The same in user mode, which the vCPU is in from now on. */
static inline struct regs user_trapped(unsigned int vector, uint64_t error)
{
    struct regs regs = trapped(vector, error);

    if (guest()->kernel_mode) {
        toggle_mode(guest());
    }
    regs.rip = USER_RIP;
    regs.rsp = USER_SP;
    return regs;
}

static inline struct found found_by(const struct regs *regs, bool has_error)
{
    const uint64_t *words = machine_at(regs->rsp);
    struct found found = {
        .rcx = words[0], .r11 = words[1],
        .error = has_error ? words[2] : NO_ERROR,
    };

    memcpy(&found.rip, words + 2 + has_error, 5 * sizeof(*words));
    return found;
}

/*
 * The guest, which was at @was, is at @handler, with a frame of @error, or NO_ERROR,
 * below @sp.  Its upcalls were not masked.
 */
static inline void assert_bounced(const struct regs *regs, const struct regs *was,
                           uint64_t handler, uint64_t error, uint64_t sp)
{
    bool has_error = error != NO_ERROR;
    struct found found = found_by(regs, has_error);

    g_assert_cmphex(regs->rip, ==, handler);
    g_assert_cmphex(regs->cs, ==, SEL_CS64);
    g_assert_cmphex(regs->ss, ==, SEL_DS);
    g_assert_cmphex(regs->rsp, ==, (sp & ~15ul) - (has_error ? 64 : 56));
    g_assert_cmphex(regs->rflags & FLAG_IF, ==, FLAG_IF);
    /* All general registers are as they were. */
    g_assert_cmpmem(regs, offsetof(struct regs, vector), was,
                    offsetof(struct regs, vector));
    g_assert_true(guest()->kernel_mode);
    g_assert_cmphex(machine_processors[0].cr3, ==,
                    guest()->kernel_top << PAGE_SHIFT);
    g_assert_cmphex(found.rcx, ==, was->rcx);
    g_assert_cmphex(found.r11, ==, was->r11);
    g_assert_cmphex(found.error, ==, error);
    g_assert_cmphex(found.rip, ==, was->rip);
    g_assert_cmphex(found.rflags, ==, (was->rflags & ~FLAG_IOPL) | FLAG_IF);
    g_assert_cmphex(found.rsp, ==, was->rsp);
    g_assert_cmphex(found.ss, ==, was->ss);
}

/* The guest goes on as if nothing had been. */
static inline void assert_same(const struct regs *regs, const struct regs *was)
{
    g_assert_cmpmem(regs, sizeof(*regs), was, sizeof(*was));
}

/* A trap that is nothing by itself. */
static inline struct regs look(void)
{
    struct regs regs = trapped(VECTOR_SPURIOUS, 0);

    trap(&regs);
    return regs;
}

/* In the monitor itself. */
static inline struct regs monitor_trapped(unsigned int vector, uint64_t rip)
{
    struct regs regs = trapped(vector, 0);

    regs.cs = SEL_MONITOR_CS;
    regs.ss = SEL_MONITOR_SS;
    regs.rip = rip;
    return regs;
}

/* The same with events of the monitor's own, which are masked, and VIRQ_TIMER. */
static inline void start_with_own_events(void)
{
    struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER };

    machine_start(&(struct machine_config) {
        .nr_vcpus = 2, .own_events = true, .own_runstates = true,
    });
    set_handlers(0);
    g_assert_cmpint(machine_call(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq,
                                 machine_put(&virq, sizeof(virq)), 0, 0), ==, 0);
    guest()->info->evtchn_upcall_mask = 1;
    *machine_msr(MSR_X2APIC_EOI) = 1;
}

#endif /* TESTS_PV_BOUNCES_H */
