/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An instruction of the guest's that the processor refuses, so that the monitor gets it;
 * and what tests of several files need for that: handlers, segments, ports.
 */

#ifndef TESTS_PV_INSTRUCTION_H
#define TESTS_PV_INSTRUCTION_H

#include "machine.h"

#include <xen/physdev.h>

#define HANDLERS    (MACHINE_KERNEL_VA + PAGE_SIZE)
#define UPCALL      (HANDLERS + 32 * 16)

#define APART       0xffff900000000000ul    /* pages with none behind them */
#define CMOS        0x70                    /* the port of its index */
#define DR6_DEFAULT 0xffff0ff0ul
#define DR6_STEP    0x4000ul
#define AX          0x1122334455667788ul

/* What the guest sees: the vector of the handler that it goes on in, or one of these. */
enum { SEEN_DONE = -1, SEEN_UPCALL = -2, SEEN_AGAIN = -3 };

#define BYTES(...) (const uint8_t[]) { __VA_ARGS__ }, \
                   sizeof((const uint8_t[]) { __VA_ARGS__ })

/* Handlers for all exceptions and for events, and a user mode in the kernel's tables. */
static inline void instruction_begin(void)
{
    struct trap_info table[33] = { 0 };
    struct mmuext_op op = {
        .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = boot->top_mfn,
    };
    unsigned int i;

    for (i = 0; i < 32; i++) {
        table[i].vector = i;
        table[i].address = HANDLERS + i * 16;
    }
    g_assert_cmpint(machine_call(__HYPERVISOR_set_trap_table,
                                 machine_put(table, sizeof(table)), 0, 0, 0), ==, 0);
    g_assert_cmpint(machine_call(__HYPERVISOR_set_callbacks, UPCALL, 0, 0, 0), ==, 0);
    g_assert_cmpint(machine_call(__HYPERVISOR_stack_switch, SEL_DS,
                                 MACHINE_KERNEL_VA + 3 * PAGE_SIZE, 0, 0), ==, 0);
    g_assert_cmpint(machine_call(__HYPERVISOR_mmuext_op, machine_put(&op, sizeof(op)), 1,
                                 0, DOMID_SELF), ==, 0);
}

static inline void enter_user_mode(void)
{
    g_assert_true(machine_vcpu->kernel_mode);
    toggle_mode(machine_vcpu);
}

/* Whatever the mode was. */
static inline void enter_kernel_mode(void)
{
    if (!machine_vcpu->kernel_mode) {
        toggle_mode(machine_vcpu);
    }
}

/* The registers of a guest that is to run these bytes. */
static inline struct regs regs_for(const uint8_t *bytes, size_t size)
{
    struct regs regs = machine_trapped(EXC_GP, 0);

    regs.rip = machine_put(bytes, size);
    return regs;
}

/* Where the guest is, which was at @rip. */
static inline int seen_at(const struct regs *regs, uint64_t rip)
{
    if (regs->rip == UPCALL) {
        return SEEN_UPCALL;
    }
    if (regs->rip >= HANDLERS && regs->rip < UPCALL) {
        g_assert_true(machine_vcpu->kernel_mode);
        g_assert_cmphex(regs->cs, ==, SEL_CS64);
        return (regs->rip - HANDLERS) / 16;
    }
    return regs->rip == rip ? SEEN_AGAIN : SEEN_DONE;
}

/* The processor refuses what is at RIP. */
static inline int refused(struct regs *regs)
{
    uint64_t rip = regs->rip;

    regs->vector = EXC_GP;
    regs->error = 0;
    trap(regs);
    return seen_at(regs, rip);
}

/* A word of a handler's frame: RCX, R11, an error code if there is one, RIP, ... */
static inline uint64_t frame_word(const struct regs *regs, unsigned int n)
{
    return *(uint64_t *)machine_at(regs->rsp + n * 8);
}

static inline uint64_t frame_rip(const struct regs *regs, int vector)
{
    return frame_word(regs, vector == EXC_DB || vector == EXC_UD ||
                            vector == SEEN_UPCALL ? 2 : 3);
}

/* Segments */
#define TYPE_DATA       0xf3    /* present, writable */
#define TYPE_CODE       0xfb    /* present, readable */
#define SIZE_16         0
#define SIZE_32         4
#define SIZE_64         2
#define LIMIT_IN_PAGES  8

static inline uint64_t descriptor(uint32_t base, uint32_t limit, uint8_t type,
                                  uint8_t flags)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 |
           (uint64_t)type << 40 | (uint64_t)(limit >> 16 & 0xf) << 48 |
           (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

static inline void set_gdt_entries(const uint64_t *entries, unsigned int n)
{
    uint64_t mfn = machine_frame();

    memcpy(frame(mfn), entries, n * sizeof(*entries));
    g_assert_cmpint(machine_call(__HYPERVISOR_set_gdt, machine_put(&mfn, sizeof(mfn)), n,
                                 0, 0), ==, 0);
}

static inline void set_ldt_entries(const uint64_t *entries, unsigned int n)
{
    uint64_t page[PAGE_SIZE / 8] = { 0 };
    struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg2.nr_ents = n };

    memcpy(page, entries, n * sizeof(*entries));
    op.arg1.linear_addr = machine_put(page, sizeof(page));
    g_assert_cmpint(machine_call(__HYPERVISOR_mmuext_op, machine_put(&op, sizeof(op)), 1,
                                 0, DOMID_SELF), ==, 0);
}

/* Frames of the guest's from @va on, full of @byte; returns the first one. */
static inline uint64_t map_pages(uint64_t va, unsigned int n, uint8_t byte)
{
    uint64_t first = 0, mfn;
    unsigned int i;

    for (i = 0; i < n; i++) {
        mfn = machine_frame();
        first = i ? first : mfn;
        memset(frame(mfn), byte, PAGE_SIZE);
        machine_map(va + i * PAGE_SIZE, mfn, PTE_PRESENT | PTE_WRITE | PTE_USER);
    }
    return first;
}

#define PATTERN 0x5a

/* How many bytes from @va on are ones instead of PATTERN, and where they begin. */
static inline unsigned int changed(uint64_t va, unsigned int size, uint64_t *first)
{
    unsigned int i, n = 0;

    *first = 0;
    for (i = 0; i < size; i++) {
        if (*(uint8_t *)machine_at(va + i) != PATTERN) {
            *first = n++ ? *first : va + i;
            g_assert_cmphex(va + i, ==, *first + n - 1);
            g_assert_cmphex(*(uint8_t *)machine_at(va + i), ==, 0xff);
        }
    }
    return n;
}

/* Ports */
static inline void set_iopl(unsigned int iopl)
{
    struct physdev_set_iopl op = { .iopl = iopl };

    g_assert_cmpint(machine_call(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl,
                                 machine_put(&op, sizeof(op)), 0, 0), ==, 0);
}

/* By IN, of 1, 2 or 4 bytes, which must succeed. */
static inline uint32_t port_value(unsigned int port, unsigned int size)
{
    struct regs regs = size == 2 ? regs_for(BYTES(0x66, 0xed)) :
                       size == 4 ? regs_for(BYTES(0xed)) : regs_for(BYTES(0xec));

    regs.rdx = 0xffff0000ul | port;
    g_assert_cmpint(refused(&regs), ==, SEEN_DONE);
    return regs.rax;
}

#endif /* TESTS_PV_INSTRUCTION_H */
