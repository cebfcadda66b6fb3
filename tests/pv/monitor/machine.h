/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for the monitor in a test on the host: memory, processors, and L0, of which
 * the test sets and sees everything.  The monitor is all of its C; the machine has
 * what is assembly (entry.S), and what machine/ has for the real one.
 *
 * The machine ends the test when the monitor does what would be its end on a real one: a
 * frame that is not mapped, an instruction that faults, a top-level table without the
 * monitor's own entries.
 */

#ifndef TESTS_PV_MACHINE_H
#define TESTS_PV_MACHINE_H

#include <glib.h>
#include <setjmp.h>

#include "events.h"
#include "free_frames.h"
#include "marks.h"

/* Frames --------------------------------------------------------------------------- */

/*
 * The guest's RAM is two ranges, with a hole between them.  Below the first and above the
 * second are the monitor's frames, rings and tables.
 */
enum {
    MACHINE_XENSTORE_MFN = 250,
    MACHINE_CONSOLE_MFN,
    MACHINE_LOW_MFN = 256,
    MACHINE_HOLE_MFN = 1024,
    MACHINE_HIGH_MFN = 2048,
    MACHINE_MAX_MFN = 3072,
    MACHINE_SHARED_INFO_MFN = 3100,
    MACHINE_L0_SHARED_INFO_MFN,
    MACHINE_GRANT_MFN = 3200,
    MACHINE_STATUS_MFN = 3300,
    MACHINE_NR_GRANT_MFNS = 32,
    MACHINE_HEAP_MFN = 3400,
    MACHINE_NR_HEAP_MFNS = 256,
    MACHINE_STUBS_MFN = 3700,
    MACHINE_VCPUS_MFN = 3710,
    MACHINE_ISOLATION_MFN = 3900,
    MACHINE_TABLES_MFN = 3980,      /* the monitor's own page tables */
    MACHINE_END_MFN = 4096,
};

#define MACHINE_MAX_VCPUS 8

struct machine_config {
    unsigned int nr_vcpus;          /* 0: one */
    bool own_events, fifo, three_level, own_runstates, isolated;
};

/*
 * A machine as QEMU makes it, and a guest on it that the monitor's start() has begun:
 * with page tables, and memory at MACHINE_KERNEL_VA that the kernel may write.  The
 * calling thread is vCPU 0.
 */
void machine_start(const struct machine_config *config);
/* The same without start(). */
void machine_make(const struct machine_config *config);

/* Where the guest's kernel has its memory, and how much that is. */
#define MACHINE_KERNEL_VA       0xffffffff80000000ul
#define MACHINE_KERNEL_PAGES    64

/* The guest's next frame that nothing has used, full of zeros. */
uint64_t machine_frame(void);
/*
 * Write the entry @va, of the lowest level, of the tables with the top-level one @top, as
 * the guest would; tables that lack are made, with entries without USER.
 */
void machine_map_in(uint64_t top, uint64_t va, uint64_t mfn, uint64_t flags);
/* In the tables of vCPU 0's kernel. */
void machine_map(uint64_t va, uint64_t mfn, uint64_t flags);
/*
 * An address of the kernel's with a copy of these bytes, aligned to 64, on as few pages
 * as it can.
 */
uint64_t machine_put(const void *bytes, size_t size);
/* Where the kernel has its byte @va, for the test to look at. */
void *machine_at(uint64_t va);

/* Processors ----------------------------------------------------------------------- */

struct machine_processor {
    uint64_t cr0, cr2, cr3, cr4, dr[8], xcr0;
    uint64_t cs;
    uint16_t ss, ds, es, fs, gs, ldtr, tr;
    struct {
        uint64_t base;
        uint16_t limit;
    } gdtr, idtr;
    struct {
        uint32_t number;
        uint64_t value;
    } msrs[64];
    unsigned int nr_msrs;
    uint8_t fpu[FPU_STATE_SIZE] __attribute__((aligned(64)));
    unsigned int nr_cr3_loads;      /* each flushes the TLB */
    unsigned int nr_invlpgs;
    uint64_t invlpg;                /* the last one's address */
    uint64_t vectors[4];            /* interrupts that have come; atomic */
    unsigned int nr_kicks;          /* sent by this one */
};

extern struct machine_processor machine_processors[MACHINE_MAX_VCPUS];
/* The calling thread's. */
struct machine_processor *machine_self(void);

/*
 * The MSR of the calling thread's processor; it begins with 0, the x2APIC ID with the
 * vCPU's.
 */
uint64_t *machine_msr(uint32_t number);
/* The processor of this vCPU gets an interrupt, which it takes when it looks for some. */
void machine_interrupt(unsigned int id, unsigned int vector);
/* The calling thread runs this vCPU from now on. */
void machine_switch(unsigned int id);

/* What tests may set: NULL or 0 is what each begins with. */
extern struct machine_hooks {
    /* Instead of waiting for machine_interrupt() where the vCPU sleeps. */
    void (*idle)(void);
    /* Whenever an interrupt comes for a vCPU: in the thread that has sent it. */
    void (*interrupt)(unsigned int id, unsigned int vector);
    /* When the processor has loaded CR3. */
    void (*cr3_load)(void);
    /* At each read_fence(): what others write while the monitor reads. */
    void (*fence)(void);
    /* The processor's CPUID, instead of one with FPU, XSAVE and FSGSBASE. */
    void (*cpuid)(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d);
    /* Of MSRs that rdmsr_safe() and wrmsr_safe() ask for; all others are there. */
    bool (*has_msr)(uint32_t number);
    /* A call to L0 that this answers, with *@result; false: L0 answers as below. */
    bool (*l0)(const struct pv_call *call, long *result);
    /* Before each call to L0, for other vCPUs to run there. */
    void (*before_l0)(void);
    /* When a vCPU is up in L0 again, its processor is another one. */
    bool other_processor;
} machine_hooks;

extern uint64_t machine_tsc;        /* nanoseconds, too; atomic */

/* L0 ------------------------------------------------------------------------------- */

extern struct machine_l0 {
    GString *console;               /* what was written there */
    struct machine_l0_vcpu {
        bool initialised, up;
        uint64_t rip, rsp, cr3;
    } vcpus[MACHINE_MAX_VCPUS];
    /* Event channels: the lowest that is free is next. */
    struct machine_l0_port {
        bool used;
        uint32_t vcpu;
        unsigned int nr_sends;
    } ports[4096];
    /* Frames that L0 has got back of the guest and given to it. */
    unsigned int nr_decreased, nr_populated;
    bool no_memory;                 /* populate_physmap fails */
    unsigned int nr_calls;
    struct pv_call last;            /* call, with its result */
} machine_l0;

/*
 * The calling thread is the processor of vCPU @id, from when L0 has it up; returns when
 * the monitor has entered the guest, with machine_regs.  False if machine_l0_stop() was
 * called before.
 */
bool machine_run_vcpu(unsigned int id);
/* L0 has the vCPU up; its part in machine_run_vcpu(). */
bool machine_l0_wait(unsigned int id);
/* No vCPU waits in L0 any more: those that are down come back at once. */
void machine_l0_stop(void);

/* In L0's own memory: VIRQs, back ends and the like raise @port for @vcpu. */
void machine_l0_raise(uint32_t port, unsigned int vcpu);

/* The guest ------------------------------------------------------------------------ */

/* The registers with which run_guest() was called last in this thread. */
extern __thread struct regs machine_regs;

/* The registers of a kernel that has just trapped with @vector. */
struct regs machine_trapped(unsigned int vector, uint64_t error);
/* What the guest gets for this hypercall, which may be continued as often as it takes. */
long machine_call(unsigned int number, uint64_t a, uint64_t b, uint64_t c,
                  uint64_t d);
/* The same once: the registers behind it, which say the call again if it is continued. */
struct regs machine_call_once(unsigned int number, uint64_t a, uint64_t b);
/* Run the code, which must end the guest; see machine_l0.console then. */
extern __thread jmp_buf *machine_end;
#define machine_assert_ends(code) \
    do { \
        jmp_buf end_; \
        machine_end = &end_; \
        if (!setjmp(end_)) { \
            code; \
            g_error("%s: the guest goes on", #code); \
        } \
        machine_end = NULL; \
    } while (0)
#define machine_assert_said(text) \
    g_assert_nonnull(strstr(machine_l0.console->str, text))

/*
 * A test in a process of its own, as the monitor has variables that are never as they
 * were at the start again.
 */
void machine_test(const char *path, void (*test)(void));

#endif /* TESTS_PV_MACHINE_H */
