/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's memory, and a guest on it. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

struct pv_boot machine_boot;
uint8_t *machine_marks;
uint64_t *machine_m2p;
__thread struct vcpu *machine_vcpu;
__thread struct regs machine_regs;
__thread jmp_buf *machine_end;
struct machine_hooks machine_hooks;

static uint8_t *ram, *vcpus, *windows;
static uint64_t next_frame, next_put, put_end;

/* What the monitor is mapped to ---------------------------------------------------- */

struct vcpu *vcpu_by_id(unsigned int id)
{
    g_assert_cmpuint(id, <, boot->nr_vcpus);
    return (struct vcpu *)(vcpus + id * VCPU_SIZE);
}

uint64_t *windows_of(unsigned int id)
{
    g_assert_cmpuint(id, <, boot->nr_vcpus);
    return (uint64_t *)(windows + (size_t)id * WINDOW_SIZE);
}

void *directmap(uint64_t address)
{
    g_assert_cmphex(address, <=, (uint64_t)MACHINE_END_MFN << PAGE_SHIFT);
    return ram + address;
}

/* The guest's page tables ---------------------------------------------------------- */

uint64_t machine_frame(void)
{
    g_assert_cmpuint(next_frame, <, MACHINE_HOLE_MFN);
    return next_frame++;
}

static uint64_t *entry_at(uint64_t top, uint64_t va, bool make)
{
    uint64_t *table = frame(top);
    unsigned int shift;

    for (shift = 39; shift > 12; shift -= 9) {
        uint64_t *entry = &table[va >> shift & 511];

        if (!(*entry & PTE_PRESENT)) {
            if (!make) {
                return NULL;
            }
            *entry = machine_frame() << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE;
        }
        table = frame((*entry & PTE_FRAME) >> PAGE_SHIFT);
    }
    return &table[va >> 12 & 511];
}

void machine_map_in(uint64_t top, uint64_t va, uint64_t mfn, uint64_t flags)
{
    *entry_at(top, va, true) = mfn << PAGE_SHIFT | flags;
}

void machine_map(uint64_t va, uint64_t mfn, uint64_t flags)
{
    machine_map_in(vcpu_by_id(0)->kernel_top, va, mfn, flags);
}

void *machine_at(uint64_t va)
{
    uint64_t *entry = entry_at(vcpu_by_id(0)->kernel_top, va, false);

    g_assert_true(entry && *entry & PTE_PRESENT);
    return (uint8_t *)frame((*entry & PTE_FRAME) >> PAGE_SHIFT) +
           va % PAGE_SIZE;
}

uint64_t machine_put(const void *bytes, size_t size)
{
    uint64_t va = (next_put + 63) & -64ul;
    size_t i;

    if (size <= PAGE_SIZE && va % PAGE_SIZE + size > PAGE_SIZE) {
        va = (va + PAGE_SIZE - 1) & -PAGE_SIZE;
    }
    next_put = va + size;
    g_assert_cmphex(next_put, <=, put_end);
    for (i = 0; i < size; i++) {
        *(uint8_t *)machine_at(va + i) = ((const uint8_t *)bytes)[i];
    }
    return va;
}

/* entry.S: the way to guest memory ------------------------------------------------- */

/*
 * Addresses of the guest are above the hypervisor's, or below 16 TiB, where the host has
 * nothing of a program that can be anywhere.
 */
#define LOW_END (1ul << 44)

static bool is_guest_address(const void *p)
{
    return (uint64_t)p < LOW_END || (uint64_t)p >= HYPERVISOR_END;
}

/* The byte by the tables that are loaded, or NULL; ring 0 minds no USER. */
static uint8_t *translate(uint64_t va, bool write)
{
    const uint64_t *table =
        frame(machine_processors[machine_vcpu->id].cr3 >> PAGE_SHIFT);
    unsigned int shift;
    uint64_t entry;

    for (shift = 39; ; shift -= 9) {
        entry = __atomic_load_n(&table[va >> shift & 511], __ATOMIC_RELAXED);
        if (!(entry & PTE_PRESENT) || (write && !(entry & PTE_WRITE))) {
            return NULL;
        }
        table = frame((entry & PTE_FRAME) >> PAGE_SHIFT);
        if (shift == 12) {
            return (uint8_t *)table + va % PAGE_SIZE;
        }
    }
}

size_t copy_guest(void *to, const void *from, size_t size)
{
    uint8_t *target, *source;

    for (; size; size--) {
        target = is_guest_address(to) ? translate((uint64_t)to, true) : to;
        source = is_guest_address(from) ? translate((uint64_t)from, false) :
                                          (uint8_t *)from;
        if (!target || !source) {
            break;
        }
        *target = *source;
        to = (uint8_t *)to + 1;
        from = (const uint8_t *)from + 1;
    }
    return size;
}

/* entry.S: to the guest and back --------------------------------------------------- */

static __thread jmp_buf entered;

void run_guest(struct regs *regs)
{
    machine_regs = *regs;
    longjmp(entered, 1);
}

static void begin(void)
{
    if (!setjmp(entered)) {
        start();
    }
}

void machine_switch(unsigned int id)
{
    machine_vcpu = vcpu_by_id(id);
}

/* The machine ---------------------------------------------------------------------- */

static void make_boot(const struct machine_config *c)
{
    unsigned int i;

    machine_boot = (struct pv_boot) {
        .nr_vcpus = c->nr_vcpus ? c->nr_vcpus : 1,
        .xen_version = 0x40011,
        .nr_pages = MACHINE_HOLE_MFN - MACHINE_LOW_MFN + MACHINE_MAX_MFN -
                    MACHINE_HIGH_MFN,
        .max_mfn = MACHINE_MAX_MFN,
        .ranges = {
            { MACHINE_LOW_MFN, MACHINE_HOLE_MFN },
            { MACHINE_HIGH_MFN, MACHINE_MAX_MFN },
        },
        .xenstore_mfn = MACHINE_XENSTORE_MFN,
        .console_mfn = MACHINE_CONSOLE_MFN,
        .shared_info_mfn =
            c->own_events ? MACHINE_HEAP_MFN : MACHINE_SHARED_INFO_MFN,
        .own_events = c->own_events, .fifo = c->fifo,
        .three_level = c->three_level, .domid = 1, .max_ports = 131072,
        .l0_shared_info_mfn = c->own_events ? MACHINE_L0_SHARED_INFO_MFN :
                                              MACHINE_SHARED_INFO_MFN,
        .heap_mfn = MACHINE_HEAP_MFN, .nr_heap_mfns = MACHINE_NR_HEAP_MFNS,
        .own_runstates = c->own_runstates,
        .grant_mfn = MACHINE_GRANT_MFN, .status_mfn = MACHINE_STATUS_MFN,
        .nr_grant_mfns = MACHINE_NR_GRANT_MFNS,
        .stubs_mfn = MACHINE_STUBS_MFN, .vcpus_mfn = MACHINE_VCPUS_MFN,
        .isolation_mfn = c->isolated ? MACHINE_ISOLATION_MFN : 0,
    };
    for (i = 0; i < ARRAY_SIZE(machine_boot.slots); i++) {
        machine_boot.slots[i] =
            (uint64_t)(MACHINE_TABLES_MFN + i) << PAGE_SHIFT | PTE_PRESENT |
            PTE_WRITE;
    }
}

/* As isolation.c finds them: any block is at any place. */
static void make_monitor_tables(void)
{
    enum { LEVEL_3 = MACHINE_TABLES_MFN + 5, LEVEL_2, LEVEL_1 };
    uint64_t *const tables[] = { frame(LEVEL_3), frame(LEVEL_2),
                                 frame(LEVEL_1) };
    const uint64_t flags = PTE_PRESENT | PTE_WRITE;
    unsigned int i;

    tables[0][0] = (uint64_t)LEVEL_2 << PAGE_SHIFT | flags;
    for (i = 0; i < 512; i++) {
        tables[1][i] = (uint64_t)LEVEL_1 << PAGE_SHIFT | flags;
        tables[2][i] = (uint64_t)i << PAGE_SHIFT | flags;
    }
}

/* What QEMU's builder makes: tables, with the kernel's memory and start_info in them. */
static void make_guest(void)
{
    uint64_t i, mfn;

    next_frame = MACHINE_LOW_MFN;
    machine_boot.top_mfn = machine_frame();
    machine_boot.start_info_mfn = machine_frame();
    for (i = 0; i < MACHINE_KERNEL_PAGES; i++) {
        mfn = i ? machine_frame() : machine_boot.start_info_mfn;
        machine_map_in(machine_boot.top_mfn, MACHINE_KERNEL_VA + i * PAGE_SIZE,
                       mfn, PTE_PRESENT | PTE_WRITE);
    }
    machine_boot.start_info = MACHINE_KERNEL_VA;
    machine_boot.rip = MACHINE_KERNEL_VA + PAGE_SIZE;
    machine_boot.rsp = MACHINE_KERNEL_VA + 3 * PAGE_SIZE;
    for (i = 0; i < ARRAY_SIZE(machine_boot.slots); i++) {
        ((uint64_t *)frame(machine_boot.top_mfn))[FIRST_SLOT + i] =
            machine_boot.slots[i];
    }
    next_put = MACHINE_KERNEL_VA + 4 * PAGE_SIZE;
    put_end = MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE;
}

static void *zeros(size_t alignment, size_t size)
{
    void *p = aligned_alloc(alignment, size);

    g_assert_nonnull(p);
    return memset(p, 0, size);
}

void machine_make(const struct machine_config *config)
{
    unsigned int id;

    /* Else it must be compiled as one that can be anywhere. */
    g_assert_false(is_guest_address(&machine_boot));
    make_boot(config);
    g_assert_cmpuint(boot->nr_vcpus, <=, MACHINE_MAX_VCPUS);
    ram = mmap(NULL, (size_t)MACHINE_END_MFN << PAGE_SHIFT,
               PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(ram != MAP_FAILED);
    /* Of their true sizes, so that ASan knows where they end. */
    vcpus = zeros(VCPU_SIZE, boot->nr_vcpus * VCPU_SIZE);
    windows = zeros(PAGE_SIZE, (size_t)boot->nr_vcpus * WINDOW_SIZE);
    machine_marks = g_new0(uint8_t, boot->max_mfn);
    machine_m2p = g_new0(uint64_t, boot->max_mfn);
    machine_l0.console = g_string_new(NULL);
    machine_l0.vcpus[0].initialised = machine_l0.vcpus[0].up = true;
    machine_l0.ports[0].used = true;
    /* Back ends: XenStore's and the console's. */
    machine_l0.ports[1].used = machine_l0.ports[2].used = true;
    machine_tsc = 1000000000;
    make_monitor_tables();
    make_guest();
    for (id = 0; id < boot->nr_vcpus; id++) {
        vcpu_by_id(id)->id = id;
        machine_switch(id);
        machine_processors[id].cr3 = machine_boot.top_mfn << PAGE_SHIFT;
        machine_processors[id].cr0 = 0x80050033;
        machine_processors[id].cr4 = CR4_PAE | CR4_OSFXSR;
        *machine_msr(MSR_X2APIC_ID) = id;
    }
    machine_switch(0);
}

void machine_start(const struct machine_config *config)
{
    machine_make(config);
    begin();
}

bool machine_run_vcpu(unsigned int id)
{
    machine_switch(id);
    if (!machine_l0_wait(id)) {
        return false;
    }
    machine_processors[id].cr3 = machine_l0.vcpus[id].cr3;
    begin();
    return true;
}

/* The guest ------------------------------------------------------------------------ */

struct regs machine_trapped(unsigned int vector, uint64_t error)
{
    return (struct regs) {
        .vector = vector, .error = error, .cs = SEL_CS64, .ss = SEL_DS,
        .rip = MACHINE_KERNEL_VA + PAGE_SIZE,
        .rsp = MACHINE_KERNEL_VA + 3 * PAGE_SIZE, .rflags = FLAG_IF | 2,
    };
}

long machine_call(unsigned int number, uint64_t a, uint64_t b, uint64_t c,
                  uint64_t d)
{
    struct regs regs = machine_trapped(VECTOR_SYSCALL, 0);
    uint64_t rip = regs.rip;

    regs.rax = number;
    regs.rdi = a;
    regs.rsi = b;
    regs.rdx = c;
    regs.r10 = d;
    do {
        regs.rip = rip;
        hypercall_trap(&regs);
    } while (regs.rip == rip - 2);
    machine_regs = regs;
    return regs.rax;
}

struct regs machine_call_once(unsigned int number, uint64_t a, uint64_t b)
{
    struct regs regs = machine_trapped(VECTOR_SYSCALL, 0);

    regs.rax = number;
    regs.rdi = a;
    regs.rsi = b;
    hypercall_trap(&regs);
    return regs;
}

/* Tests ---------------------------------------------------------------------------- */

static void in_child(gconstpointer test)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (!child) {
        ((void (*)(void))test)();
        exit(0);
    }
    g_assert_cmpint(child, >, 0);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

void machine_test(const char *path, void (*test)(void))
{
    g_test_add_data_func(path, test, in_child);
}
