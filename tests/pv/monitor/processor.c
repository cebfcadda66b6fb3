/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's processors: what each instruction of the monitor's does. */

#include <pthread.h>

#include "machine.h"

struct machine_processor machine_processors[MACHINE_MAX_VCPUS];
uint64_t machine_tsc;

/* As TSan does not see those of glib. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_interrupt = PTHREAD_COND_INITIALIZER;

static struct machine_processor *self(void)
{
    return &machine_processors[machine_vcpu->id];
}

/* MSRs ----------------------------------------------------------------------------- */

uint64_t *machine_msr(uint32_t number)
{
    struct machine_processor *p = self();
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
        self()->nr_kicks++;
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
        return self()->member; \
    } \
    void write_##name(uint64_t value) \
    { \
        self()->member = value; \
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
    return self()->cr3;
}

/* What the monitor needs is in any table that is loaded: from the windows on. */
void write_cr3(uint64_t value)
{
    const uint64_t *top = directmap(value & PTE_FRAME);
    unsigned int i;

    for (i = 4; i < NR_SLOTS; i++) {
        g_assert_cmphex(top[FIRST_SLOT + i], ==, boot->slots[i]);
    }
    self()->cr3 = value;
    self()->nr_cr3_loads++;
    if (machine_hooks.cr3_load) {
        machine_hooks.cr3_load();
    }
}

void clts(void)
{
    self()->cr0 &= ~CR0_TS;
}

void invlpg(uint64_t address)
{
    self()->invlpg = address;
    self()->nr_invlpgs++;
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
        return self()->name; \
    } \
    bool load_##name(uint16_t selector) \
    { \
        return load_selector(&self()->name, selector); \
    }
SELECTOR(ds)
SELECTOR(es)
SELECTOR(fs)
SELECTOR(gs)

/* The base that is not in use is that of the selector, which bases of 64 bits have none of. */
void load_user_gs(uint16_t selector)
{
    load_selector(&self()->gs, selector);
    *machine_msr(MSR_KERNEL_GS_BASE) = 0;
}

void lgdt(uint64_t base, uint16_t limit)
{
    self()->gdtr.base = base;
    self()->gdtr.limit = limit;
}

void lidt(uint64_t base, uint16_t limit)
{
    self()->idtr.base = base;
    self()->idtr.limit = limit;
}

void lldt(uint16_t selector)
{
    self()->ldtr = selector;
}

void ltr(uint16_t selector)
{
    self()->tr = selector;
}

void load_monitor_segments(uint64_t cs, uint16_t ss)
{
    self()->cs = cs;
    self()->ss = ss;
    self()->ds = self()->es = self()->fs = self()->gs = 0;
}

/* The FPU -------------------------------------------------------------------------- */

#define FXSAVE_SIZE         512
#define FXSAVE_MXCSR        24
#define FXSAVE_MXCSR_MASK   28
#define MXCSR_MASK          0xffff

void fxsave(void *area)
{
    const uint32_t mask = MXCSR_MASK;

    g_assert_cmphex((uint64_t)area & 15, ==, 0);
    g_assert_cmphex(self()->cr0 & CR0_TS, ==, 0);
    memcpy(area, self()->fpu, FXSAVE_SIZE);
    memcpy((uint8_t *)area + FXSAVE_MXCSR_MASK, &mask, sizeof(mask));
}

/* A reserved bit of MXCSR is a fault, for which the monitor has no fixup. */
void fxrstor(const void *area)
{
    uint32_t mxcsr;

    g_assert_cmphex(self()->cr0 & CR0_TS, ==, 0);
    memcpy(&mxcsr, (const uint8_t *)area + FXSAVE_MXCSR, sizeof(mxcsr));
    g_assert_cmphex(mxcsr & ~MXCSR_MASK, ==, 0);
    memcpy(self()->fpu, area, FXSAVE_SIZE);
}

uint64_t xgetbv(uint32_t index)
{
    g_assert_cmpuint(index, ==, 0);
    return self()->xcr0;
}

bool xsetbv_safe(uint32_t index, uint64_t value)
{
    uint32_t a = 0xd, b, c = 0, d;

    cpuid(&a, &b, &c, &d);
    if (index || !(value & XCR0_X87) || value & ~(uint64_t)a ||
        (value & 4 && !(value & XCR0_SSE))) {
        return false;
    }
    self()->xcr0 = value;
    return true;
}

/* In the standard format: x87 and SSE, the header, AVX. */
#define AVX_PLACE   576
#define AVX_SIZE    256

/* What of the FPU is in an area: the first three states, or as much as CPUID says. */
static void assert_fits(uint64_t components)
{
    uint32_t a = 0xd, b, c = 0, d;

    cpuid(&a, &b, &c, &d);
    g_assert_true(!(components & ~7ul) || b <= FPU_STATE_SIZE);
    g_assert_cmphex(self()->cr0 & CR0_TS, ==, 0);
}

void xsave(void *area, uint64_t components)
{
    uint64_t states = components & self()->xcr0, present;
    uint8_t *header = (uint8_t *)area + XSAVE_HEADER;

    assert_fits(components);
    g_assert_cmphex((uint64_t)area & 63, ==, 0);
    g_assert_cmphex(self()->cr4 & CR4_OSXSAVE, !=, 0);
    memcpy(&present, header, sizeof(present));
    present = (present & ~states) | states;
    memcpy(header, &present, sizeof(present));
    memcpy(area, self()->fpu, FXSAVE_SIZE);
    if (states & 4) {
        memcpy((uint8_t *)area + AVX_PLACE, self()->fpu + AVX_PLACE, AVX_SIZE);
    }
}

void xrstor(const void *area, uint64_t components)
{
    uint64_t states = components & self()->xcr0, header[8];

    assert_fits(components);
    g_assert_cmphex(self()->cr4 & CR4_OSXSAVE, !=, 0);
    memcpy(header, (const uint8_t *)area + XSAVE_HEADER, sizeof(header));
    /* Else it is a fault. */
    g_assert_cmphex(header[0] & ~self()->xcr0, ==, 0);
    g_assert_cmphex(header[1] | header[2], ==, 0);
    memcpy(self()->fpu, area, FXSAVE_SIZE);
    if (states & 4) {
        memcpy(self()->fpu + AVX_PLACE, (const uint8_t *)area + AVX_PLACE,
               AVX_SIZE);
    }
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
    uint64_t *vectors = self()->vectors;
    unsigned int i = ARRAY_SIZE(self()->vectors);

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

        __atomic_fetch_and(&self()->vectors[vector / 64],
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
