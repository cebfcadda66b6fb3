/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions of a PV guest's kernel that the hypervisor carries out: their prefixes
 * and their length, RDTSCP, MSRs that take some values alone, and CPUID.
 */

#include "debug_registers.h"
#include "msr.h"
#include "user_mode.h"

#ifdef GUEST_PV

#define CR4_TSD 4ul

#define MSR_EFER 0xc0000080
#define MSR_TSC_AUX 0xc0000103

/* What the hypervisor says, whether or not the processor says so, too. */
static struct cpuid forced_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid regs;

    asm volatile("ud2; .ascii \"xen\"; cpuid"
                 : "=a"(regs.a), "=b"(regs.b), "=c"(regs.c), "=d"(regs.d)
                 : "a"(leaf), "c"(subleaf));
    return regs;
}

static bool has_rdtscp(void)
{
    return forced_cpuid(0x80000001, 0).d >> 27 & 1;
}

/* Machine code ------------------------------------------------------------------- */

#define MAX_BYTES 32
#define PORT 0x80
#define AX 0x1122334455667788
#define R8 0x5a5a5a5a5a5a5a5a

struct machine_code {
    uint8_t bytes[MAX_BYTES];
    uint64_t ax, r8; /* before it, and behind it */
};

static void run(void *opaque)
{
    struct machine_code *code = opaque;
    register uint64_t r8 asm("r8") = code->r8;

    asm volatile("call *%2"
                 : "+a"(code->ax), "+r"(r8)
                 : "r"(code->bytes), "d"(PORT)
                 : "memory", "cc");
    code->r8 = r8;
}

/* The bytes, behind @nr_prefixes of CS's, and a return. */
static bool run_bytes(struct machine_code *code, struct trap *trap,
                      unsigned int nr_prefixes, const char *bytes,
                      unsigned int length)
{
    memset(code->bytes, 0x2e, nr_prefixes);
    memcpy(code->bytes + nr_prefixes, bytes, length);
    code->bytes[nr_prefixes + length] = 0xc3;
    code->ax = AX;
    code->r8 = R8;
    return !trapped(trap, run, code);
}

static void set_iopl(unsigned int iopl)
{
    struct physdev_set_iopl op = { .iopl = iopl };

    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &op), 0);
}

TEST(instructions_of_16_bytes, "pv")
{
    static const struct {
        const char *name, *bytes;
        unsigned int length;
    } rows[] = {
        { "in", "\xec", 1 },
        { "in of a number", "\xe4\x80", 2 },
        { "out of a number", "\xe6\x80", 2 },
        { "mov from CR0", "\x0f\x20\xc0", 3 },
    };
    struct machine_code *code = page_alloc(1);
    struct trap trap;
    unsigned int i;

    set_iopl(1);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        unsigned int length = rows[i].length;

        test_row(rows[i].name);
        check(run_bytes(code, &trap, 15 - length, rows[i].bytes, length));
        check(!run_bytes(code, &trap, 16 - length, rows[i].bytes, length));
        check_equal(trap.regs.vector, EXC_GP);
        check_equal(trap.regs.error, 0);
        check_equal(trap.regs.ip, (uintptr_t)code->bytes);
    }
    set_iopl(0);
}

TEST(prefixes_of_instructions, "pv")
{
    static const struct {
        const char *name, *bytes;
        unsigned int length;
        uint64_t ax;
    } rows[] = {
        { "REX.W behind 66", "\x66\x48\xed", 3, 0xffffffff },
        { "66 behind REX.W", "\x48\x66\xed", 3, AX | 0xffff },
        { "REX.W and 66 twice", "\x66\x48\x66\xed", 4, AX | 0xffff },
        { "REX.W behind 66 and REX", "\x66\x40\x48\xed", 4, 0xffffffff },
        { "REX behind REX.W and 66", "\x66\x48\x40\xed", 4, AX | 0xffff },
        { "REX.W, a byte", "\x48\xec", 2, AX | 0xff },
        { "66, a byte", "\x66\xec", 2, AX | 0xff },
    };
    struct machine_code *code = page_alloc(1);
    struct trap trap;
    uint64_t cr0;
    unsigned int i;

    set_iopl(1);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        check(run_bytes(code, &trap, 0, rows[i].bytes, rows[i].length));
        check_equal(code->ax, rows[i].ax);
    }
    set_iopl(0);

    asm volatile("mov %%cr0, %0" : "=r"(cr0));
    test_row("REX.B");
    check(run_bytes(code, &trap, 0, "\x41\x0f\x20\xc0", 4));
    check_equal(code->ax, AX);
    check_equal(code->r8, cr0);
    test_row("REX.B that is not before the opcode");
    check(run_bytes(code, &trap, 0, "\x41\x2e\x0f\x20\xc0", 5));
    check_equal(code->ax, cr0);
    check_equal(code->r8, R8);
}

/* An instruction that repeats no more ends like others: registers of 32 bits are that. */
TEST(string_of_no_ports_and_32_bits, "pv")
{
    uint64_t count = 0xffffffff00000000, to = 0x1234567812345678;
    uint64_t from = 0x8765432187654321;

    set_iopl(1);
    asm volatile("addr32 rep insb"
                 : "+c"(count), "+D"(to)
                 : "d"(PORT)
                 : "memory");
    check_equal(count, 0);
    check_equal(to, 0x12345678);
    count = 0xffffffff00000000;
    asm volatile("addr32 rep outsb" : "+c"(count), "+S"(from) : "d"(PORT));
    check_equal(count, 0);
    check_equal(from, 0x87654321);
    test_row("64 bits");
    count = 0;
    to = 0x1234567812345678;
    asm volatile("rep insb" : "+c"(count), "+D"(to) : "d"(PORT) : "memory");
    check_equal(count, 0);
    check_equal(to, 0x1234567812345678);
    set_iopl(0);
}

/* Single steps -------------------------------------------------------------------- */

#define STEP(name, text)                                              \
    void name(void *opaque);                                          \
    extern const char name##_end[];                                   \
    asm(".pushsection .text\n" #name ":\n"                            \
        "push %rbx\n"                                                 \
        "pushf; orl $0x100, (%rsp); popf\n" text "\n" #name "_end:\n" \
        "nop\n"                                                       \
        "pop %rbx\n"                                                  \
        "ret\n"                                                       \
        ".popsection\n")

STEP(step_forced_cpuid, "ud2; .ascii \"xen\"; cpuid");
STEP(step_from_cr0, "mov %cr0, %rax");
STEP(step_nop, "nop");

TEST(single_steps_of_the_kernel, "pv")
{
    static const struct {
        const char *name;
        void (*function)(void *);
        const char *end;
    } rows[] = {
        { "CPUID by its prefix", step_forced_cpuid, step_forced_cpuid_end },
        { "mov from CR0", step_from_cr0, step_from_cr0_end },
        { "nop", step_nop, step_nop_end },
    };
    struct trap trap;
    unsigned int i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        check_equal(set_debugreg(6, DR6_DEFAULT), 0);
        require(trapped(&trap, rows[i].function, NULL));
        check_equal(trap.regs.vector, EXC_DB);
        check_equal(trap.regs.ip, (uintptr_t)rows[i].end);
        check_equal(get_debugreg(6), DR6_DEFAULT | 0x4000);
    }
    check_equal(set_debugreg(6, DR6_DEFAULT), 0);
}

/* RDTSCP and MSRs ------------------------------------------------------------------ */

static bool takes(uint32_t index, uint64_t value)
{
    struct msr msr = { index, value };
    struct trap trap;

    if (!trapped(&trap, write_msr, &msr)) {
        return true;
    }
    check_equal(trap.regs.vector, EXC_GP);
    check_equal(trap.regs.error, 0);
    return false;
}

struct stamp {
    uint64_t time, aux;
};

static void do_rdtscp(void *opaque)
{
    struct stamp *stamp = opaque;
    uint64_t low = ~0ul, high = ~0ul, aux = ~0ul;

    asm volatile("rdtscp" : "+a"(low), "+d"(high), "+c"(aux));
    /* The upper halves of all three are cleared. */
    stamp->time = high << 32 | low;
    stamp->aux = aux;
}

TEST(rdtscp_while_tsd_is_set, "pv")
{
    struct stamp before, within = { 0 }, behind;
    struct trap trap;

    if (!has_rdtscp()) {
        check(!takes(MSR_TSC_AUX, 0x12345678));
        test_skip("there is no RDTSCP");
    }
    require(takes(MSR_TSC_AUX, 0x89abcdef));
    check_equal(rdmsr(MSR_TSC_AUX), 0x89abcdef);
    do_rdtscp(&before);
    check_equal(before.aux, 0x89abcdef);
    write_cr4(read_cr4() | CR4_TSD);
    check_equal(read_cr4() & CR4_TSD, CR4_TSD);
    if (check(!trapped(&trap, do_rdtscp, &within))) {
        check_equal(within.aux, 0x89abcdef);
        check(within.time >= before.time);
    }
    write_cr4(read_cr4() & ~CR4_TSD);
    do_rdtscp(&behind);
    check(behind.time >= within.time);
    check(takes(MSR_TSC_AUX, 0));
}

TEST(tsc_aux_has_32_bits, "pv")
{
    if (!has_rdtscp()) {
        test_skip("there is no RDTSCP");
    }
    require(takes(MSR_TSC_AUX, 0x55));
    check(!takes(MSR_TSC_AUX, 1ul << 32));
    check(!takes(MSR_TSC_AUX, ~0ul));
    check_equal(rdmsr(MSR_TSC_AUX), 0x55);
    check(takes(MSR_TSC_AUX, 0));
}

TEST(efer_takes_its_value_alone, "pv")
{
    uint64_t value = rdmsr(MSR_EFER);
    unsigned int bit;

    check(takes(MSR_EFER, value));
    for (bit = 0; bit < 64; bit++) {
        if (!check(!takes(MSR_EFER, value ^ 1ul << bit))) {
            test_note("EFER's bit %u", bit);
        }
    }
    check(!takes(MSR_EFER, 0));
    check_equal(rdmsr(MSR_EFER), value);
}

/* CPUID ----------------------------------------------------------------------------- */

/* AVX_VNNI, AVX512_BF16, and the three of fast strings. */
#define MAY_BE_IN_7_1_A (1u << 4 | 1u << 5 | 7u << 10)

TEST(cpuid_of_features_behind_the_first, "pv")
{
    struct cpuid first = forced_cpuid(7, 0), next;
    unsigned int subleaf;

    check(first.a <= 2);
    for (subleaf = 1; subleaf < 5; subleaf++) {
        next = forced_cpuid(7, subleaf);
        check_equal(next.a & (subleaf == 1 ? ~MAY_BE_IN_7_1_A : ~0u), 0);
        if (subleaf > first.a) {
            check_equal(next.a, 0);
            check_equal(next.b, 0);
            check_equal(next.c, 0);
            check_equal(next.d, 0);
        }
    }
}

TEST(cpuid_of_machine_addresses, "pv")
{
    struct cpuid base = forced_cpuid(0x40000000, 0), leaf;
    unsigned int subleaf;

    require(base.a >= 0x40000005);
    leaf = forced_cpuid(0x40000005, 0);
    check(leaf.b >= 12 && leaf.b <= 52);
    for (subleaf = 0; subleaf < 3; subleaf++) {
        leaf = forced_cpuid(0x40000005, subleaf);
        check_equal(leaf.a, 0);
        check_equal(subleaf ? leaf.b : 0, 0);
        check_equal(leaf.c, 0);
        check_equal(leaf.d, 0);
    }
}

#endif /* GUEST_PV */
