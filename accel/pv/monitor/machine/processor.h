/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor: an instruction each, or as few as it takes. */

#ifndef PV_MONITOR_PROCESSOR_H
#define PV_MONITOR_PROCESSOR_H

#include "../boot.h"
#include "msrs.h"

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value),
                 "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void cpuid(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    asm volatile("cpuid" : "+a"(*a), "=b"(*b), "+c"(*c), "=d"(*d));
}

#define READ_REGISTER(name) \
    static inline uint64_t read_##name(void) \
    { \
        uint64_t value; \
        asm volatile("mov %%" #name ", %0" : "=r"(value)); \
        return value; \
    } \
    static inline void write_##name(uint64_t value) \
    { \
        asm volatile("mov %0, %%" #name : : "r"(value) : "memory"); \
    }
READ_REGISTER(cr0)
READ_REGISTER(cr2)
READ_REGISTER(cr3)
READ_REGISTER(cr4)
READ_REGISTER(dr0)
READ_REGISTER(dr1)
READ_REGISTER(dr2)
READ_REGISTER(dr3)
READ_REGISTER(dr6)
READ_REGISTER(dr7)

#define READ_SELECTOR(name) \
    static inline uint16_t read_##name(void) \
    { \
        uint16_t selector; \
        asm volatile("mov %%" #name ", %0" : "=rm"(selector)); \
        return selector; \
    }
READ_SELECTOR(ds)
READ_SELECTOR(es)
READ_SELECTOR(fs)
READ_SELECTOR(gs)

static inline void clts(void)
{
    asm volatile("clts");
}

static inline void swapgs(void)
{
    asm volatile("swapgs" : : : "memory");
}

static inline void invlpg(uint64_t address)
{
    asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* Memory is read behind it as it is then. */
static inline void read_fence(void)
{
    asm volatile("lfence" : : : "memory");
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Interrupts, which are off in the monitor ---------------------------------------- */

static inline void sti(void)
{
    asm volatile("sti" : : : "memory");
}

static inline void cli(void)
{
    asm volatile("cli" : : : "memory");
}

/* Those that have come already. */
static inline void take_interrupts(void)
{
    asm volatile("sti; nop; cli" : : : "memory");
}

static inline void wait_for_interrupt(void)
{
    asm volatile("sti; hlt; cli" : : : "memory");
}

/* Tables --------------------------------------------------------------------------- */

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static inline void lgdt(uint64_t base, uint16_t limit)
{
    struct table_register gdtr = { limit, base };

    asm volatile("lgdt %0" : : "m"(gdtr));
}

static inline void lidt(uint64_t base, uint16_t limit)
{
    struct table_register idtr = { limit, base };

    asm volatile("lidt %0" : : "m"(idtr));
}

static inline void lldt(uint16_t selector)
{
    asm volatile("lldt %w0" : : "r"(selector));
}

static inline void ltr(uint16_t selector)
{
    asm volatile("ltr %w0" : : "r"(selector));
}

/* All others are null. */
static inline void load_monitor_segments(uint64_t cs, uint16_t ss)
{
    asm volatile("push %0; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:"
                 : : "r"(cs) : "rax", "memory");
    asm volatile("mov %w0, %%ss; mov %w1, %%ds; mov %w1, %%es; mov %w1, %%fs; "
                 "mov %w1, %%gs" : : "r"(ss), "r"(0));
}

/* The FPU: @area is aligned to 64 bytes -------------------------------------------- */

static inline void fxsave(void *area)
{
    asm volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static inline void fxrstor(const void *area)
{
    asm volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

static inline uint64_t xgetbv(uint32_t index)
{
    uint32_t low, high;

    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

static inline void xsave(void *area, uint64_t components)
{
    asm volatile("xsave64 (%0)"
                 : : "r"(area), "a"((uint32_t)components),
                     "d"((uint32_t)(components >> 32)) : "memory");
}

static inline void xrstor(const void *area, uint64_t components)
{
    asm volatile("xrstor64 (%0)"
                 : : "r"(area), "a"((uint32_t)components),
                     "d"((uint32_t)(components >> 32)) : "memory");
}

/* L0 -------------------------------------------------------------------------------- */

/* On TCG L0 reads arguments by this vCPU's rights, which SMAP would limit. */
static inline void write_l0_port(void)
{
    asm volatile("stac; outb %%al, %%dx; clac" : : "a"(0), "d"(L0_PORT) :
                 "memory", "cc");
}

#endif /* PV_MONITOR_PROCESSOR_H */
