/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's processors: what each instruction of the monitor's does. */

#include <pthread.h>

#include "machine.h"

struct machine_processor machine_processors[MACHINE_MAX_VCPUS];
uint64_t machine_tsc;

/* As TSan does not see those of glib. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_interrupt = PTHREAD_COND_INITIALIZER;

struct machine_processor *machine_self(void)
{
    return &machine_processors[machine_vcpu->id];
}

/* MSRs ----------------------------------------------------------------------------- */

uint64_t *machine_msr(uint32_t number)
{
    struct machine_processor *p = machine_self();
    unsigned int i;

    for (i = 0; i < p->nr_msrs && p->msrs[i].number != number; i++) {
    }
    if (i == p->nr_msrs) {
        g_assert_cmpuint(i, <, ARRAY_SIZE(p->msrs));
        p->nr_msrs++;
        p->msrs[i].number = number;
        p->msrs[i].value = 0;
    }
    return &p->msrs[i].value;
}

uint64_t rdmsr(uint32_t msr)
{
    return *machine_msr(msr);
}

void wrmsr(uint32_t msr, uint64_t value)
{
    *machine_msr(msr) = value;
    if (msr == MSR_X2APIC_ICR) {
        machine_self()->nr_kicks++;
        machine_interrupt(value >> 32, value & 0xff);
    }
}

static bool has_msr(uint32_t msr)
{
    return !machine_hooks.has_msr || machine_hooks.has_msr(msr);
}

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
    *value = has_msr(msr) ? rdmsr(msr) : *value;
    return has_msr(msr);
}

bool wrmsr_safe(uint32_t msr, uint64_t value)
{
    if (has_msr(msr)) {
        wrmsr(msr, value);
    }
    return has_msr(msr);
}

void swapgs(void)
{
    uint64_t base = rdmsr(MSR_GS_BASE);

    wrmsr(MSR_GS_BASE, rdmsr(MSR_KERNEL_GS_BASE));
    wrmsr(MSR_KERNEL_GS_BASE, base);
}

/* Registers ------------------------------------------------------------------------ */

#define REGISTER(name, member) \
    uint64_t read_##name(void) \
    { \
        return machine_self()->member; \
    } \
    void write_##name(uint64_t value) \
    { \
        machine_self()->member = value; \
    }
REGISTER(cr0, cr0)
REGISTER(cr2, cr2)
REGISTER(cr4, cr4)
REGISTER(dr0, dr[0])
REGISTER(dr1, dr[1])
REGISTER(dr2, dr[2])
REGISTER(dr3, dr[3])
REGISTER(dr6, dr[6])
REGISTER(dr7, dr[7])

uint64_t read_cr3(void)
{
    return machine_self()->cr3;
}

/* What the monitor needs is in any table that is loaded: from the windows on. */
void write_cr3(uint64_t value)
{
    const uint64_t *top = directmap(value & PTE_FRAME);
    unsigned int i;

    for (i = 4; i < NR_SLOTS; i++) {
        g_assert_cmphex(top[FIRST_SLOT + i], ==, boot->slots[i]);
    }
    machine_self()->cr3 = value;
    machine_self()->nr_cr3_loads++;
    if (machine_hooks.cr3_load) {
        machine_hooks.cr3_load();
    }
}

void clts(void)
{
    machine_self()->cr0 &= ~CR0_TS;
}

void invlpg(uint64_t address)
{
    machine_self()->invlpg = address;
    machine_self()->nr_invlpgs++;
}

/* A processor with FPU, XSAVE of x87, SSE and AVX, and FSGSBASE. */
static void default_cpuid(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    uint32_t leaf = *a, subleaf = *c;

    *a = *b = *c = *d = 0;
    switch (leaf) {
    case 0:
        *a = 0xd;
        break;
    case 1:
        *c = 1u << 26 | 1u << 27;
        *d = 1u;
        break;
    case 7:
        *b = subleaf ? 0 : 1u;
        break;
    case 0xd:
        *a = subleaf == 0 ? 7 : subleaf == 2 ? 256 : 0;
        *b = subleaf == 0 ? 832 : subleaf == 2 ? 576 : 0;
        *c = subleaf == 0 ? 832 : 0;
        break;
    }
}

void cpuid(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    (machine_hooks.cpuid ? machine_hooks.cpuid : default_cpuid)(a, b, c, d);
}

void read_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (machine_hooks.fence) {
        machine_hooks.fence();
    }
}

uint64_t rdtsc(void)
{
    return __atomic_load_n(&machine_tsc, __ATOMIC_SEQ_CST);
}

/* Segments ------------------------------------------------------------------------- */

#define PRESENT_SEGMENT 0x90

static bool load_selector(uint16_t *to, uint16_t selector)
{
    struct segment segment;
    bool ok = selector <= 3 ||
              (read_segment(machine_vcpu, selector, &segment) &&
               (segment.type & PRESENT_SEGMENT) == PRESENT_SEGMENT);

    *to = ok ? selector : 0;
    return ok;
}

#define SELECTOR(name) \
    uint16_t read_##name(void) \
    { \
        return machine_self()->name; \
    } \
    bool load_##name(uint16_t selector) \
    { \
        return load_selector(&machine_self()->name, selector); \
    }
SELECTOR(ds)
SELECTOR(es)
SELECTOR(fs)
SELECTOR(gs)

/* The base that is not in use is the selector's: no base of 64 bits is. */
void load_user_gs(uint16_t selector)
{
    load_selector(&machine_self()->gs, selector);
    *machine_msr(MSR_KERNEL_GS_BASE) = 0;
}

void lgdt(uint64_t base, uint16_t limit)
{
    machine_self()->gdtr.base = base;
    machine_self()->gdtr.limit = limit;
}

void lidt(uint64_t base, uint16_t limit)
{
    machine_self()->idtr.base = base;
    machine_self()->idtr.limit = limit;
}

void lldt(uint16_t selector)
{
    machine_self()->ldtr = selector;
}

void ltr(uint16_t selector)
{
    machine_self()->tr = selector;
}

void load_monitor_segments(uint64_t cs, uint16_t ss)
{
    machine_self()->cs = cs;
    machine_self()->ss = ss;
    machine_self()->ds = machine_self()->es = machine_self()->fs = machine_self()->gs = 0;
}

/* Interrupts ----------------------------------------------------------------------- */

void machine_interrupt(unsigned int id, unsigned int vector)
{
    g_assert_cmpuint(id, <, boot->nr_vcpus);
    __atomic_fetch_or(&machine_processors[id].vectors[vector / 64],
                      1ul << vector % 64, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&mutex);
    pthread_cond_broadcast(&has_interrupt);
    pthread_mutex_unlock(&mutex);
    if (machine_hooks.interrupt) {
        machine_hooks.interrupt(id, vector);
    }
}

/* The highest, as on a LAPIC; false if there is none. */
static bool next_vector(unsigned int *vector)
{
    uint64_t *vectors = machine_self()->vectors;
    unsigned int i = ARRAY_SIZE(machine_self()->vectors);

    while (i--) {
        uint64_t word = __atomic_load_n(&vectors[i], __ATOMIC_SEQ_CST);

        if (word) {
            *vector = i * 64 + 63 - __builtin_clzl(word);
            return true;
        }
    }
    return false;
}

void take_interrupts(void)
{
    unsigned int vector;

    while (next_vector(&vector)) {
        struct regs regs = {
            .vector = vector, .cs = SEL_MONITOR_CS, .ss = SEL_MONITOR_SS,
        };

        __atomic_fetch_and(&machine_self()->vectors[vector / 64],
                           ~(1ul << vector % 64), __ATOMIC_SEQ_CST);
        trap(&regs);
    }
}

void wait_for_interrupt(void)
{
    unsigned int vector;

    if (!next_vector(&vector) && machine_hooks.idle) {
        machine_hooks.idle();
    } else {
        pthread_mutex_lock(&mutex);
        while (!next_vector(&vector)) {
            pthread_cond_wait(&has_interrupt, &mutex);
        }
        pthread_mutex_unlock(&mutex);
    }
    take_interrupts();
}

/* For a call to L0 that may sleep there: what comes is taken before and after it. */
void sti(void)
{
    take_interrupts();
}

void cli(void)
{
    take_interrupts();
}

/* entry.S -------------------------------------------------------------------------- */

char trap_stubs[256][16];
char syscall_entry[1], syscall32_entry[1], go_on[1];
/* A dump has as much of the code there. */
char iret_to_guest[16];
/* One, and where it ends. */
const struct exception_fixup fixups_begin[1] = { { 0x1000, 0x2000 } };
asm(".globl fixups_end\n"
    ".set fixups_end, fixups_begin + 16");

/* L0 calls are functions, so that the monitor goes on where it was. */
long leave_processor(uint64_t *rsp, long (*leave)(void))
{
    long result;

    *rsp = (uint64_t)&result;
    result = leave();
    return !result && machine_hooks.other_processor ? OTHER_PROCESSOR : result;
}
