/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Privileged instructions of a PV guest's kernel, and breakpoints on ports, which the
 * hypervisor has to find, as it carries out the accesses.
 */

#include "debug_registers.h"
#include "user_mode.h"

#ifdef GUEST_PV

#define CR0_MP 2ul

static void do_invd(void *opaque)
{
    asm volatile("invd" : : : "memory");
}

static void do_wbinvd(void *opaque)
{
    asm volatile("wbinvd" : : : "memory");
}

static void do_hlt(void *opaque)
{
    asm volatile("hlt");
}

static void change_cr0(void *opaque)
{
    uint64_t value;

    asm volatile("mov %%cr0, %0" : "=r"(value));
    asm volatile("mov %0, %%cr0" : : "r"(value ^ (uint64_t)opaque));
}

static void keep_cr3(void *opaque)
{
    uint64_t value;

    asm volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(value) : : "memory");
}

static void load_no_cr3(void *opaque)
{
    asm volatile("mov %0, %%cr3" : : "r"(1ul << 51) : "memory");
}

TEST(privileged_instructions, "pv")
{
    static const struct {
        const char *name;
        void (*function)(void *);
        uint64_t argument;
        bool faults;
    } rows[] = {
        { "wbinvd", do_wbinvd, 0, false },
        { "hlt", do_hlt, 0, true },
        { "CR0 as it was", change_cr0, 0, false },
        { "CR0.MP", change_cr0, CR0_MP, true },
        { "CR3 as it was", keep_cr3, 0, false },
        { "CR3 that is no memory", load_no_cr3, 0, true },
    };
    struct trap trap;
    unsigned int i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        check_equal(trapped(&trap, rows[i].function, (void *)rows[i].argument),
                    rows[i].faults);
        if (rows[i].faults) {
            check_equal(trap.regs.vector, EXC_GP);
            check_equal(trap.regs.error, 0);
        }
    }
}

static void read_dr4(void *opaque)
{
    uint64_t value;

    asm volatile("mov %%dr4, %0" : "=r"(value));
}

static void write_dr5(void *opaque)
{
    asm volatile("mov %0, %%dr5" : : "r"(DR7_DEFAULT + 0ul));
}

static void read_dr8(void *opaque)
{
    asm volatile(".byte 0x44, 0x0f, 0x21, 0xc0" : : : "rax");
}

/* 4 and 5 are other names of 6 and 7, until the kernel sets CR4.DE. */
TEST(debug_registers_that_are_none, "pv")
{
    static const struct {
        const char *name;
        void (*function)(void *);
        uint64_t cr4;
        bool faults;
    } rows[] = {
        { "DR4", read_dr4, 0, false },
        { "DR4 with DE", read_dr4, CR4_DE, true },
        { "DR5", write_dr5, 0, false },
        { "DR5 with DE", write_dr5, CR4_DE, true },
        { "DR8", read_dr8, 0, true },
    };
    struct trap trap;
    unsigned int i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        write_cr4((read_cr4() & ~CR4_DE) | rows[i].cr4);
        check_equal(trapped(&trap, rows[i].function, NULL), rows[i].faults);
        if (rows[i].faults) {
            check_equal(trap.regs.vector, EXC_UD);
        }
    }
    write_cr4(read_cr4() & ~CR4_DE);
}

/* Not under a QEMU that has ring 3 pass INVD; Debian's, on which Xen runs here, is one. */
TEST(kernel_invd, "pv tcg kvm")
{
    struct trap trap;

    check(trapped(&trap, do_invd, NULL));
    check_equal(trap.regs.vector, EXC_GP);
}

/* Breakpoints on ports ------------------------------------------------------------- */

#define PORT_BREAKPOINT(reg, length)              \
    (2ul << 2 * (reg) | 2ul << (16 + 4 * (reg)) | \
     (uint64_t)((length)-1) << (18 + 4 * (reg)))

static void set_iopl(unsigned int iopl)
{
    struct physdev_set_iopl op = { .iopl = iopl };

    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &op), 0);
}

static void end_breakpoints(void)
{
    check_equal(set_debugreg(7, DR7_DEFAULT), 0);
    check_equal(set_debugreg(6, DR6_DEFAULT), 0);
    write_cr4(read_cr4() & ~CR4_DE);
    set_iopl(0);
}

static void in_byte(void *port)
{
    asm volatile("in %%dx, %%al" : : "d"((uint16_t)(uintptr_t)port) : "rax");
}

static void in_word(void *port)
{
    asm volatile("in %%dx, %%ax" : : "d"((uint16_t)(uintptr_t)port) : "rax");
}

static void out_byte(void *port)
{
    asm volatile("out %%al, %%dx" : : "d"((uint16_t)(uintptr_t)port), "a"(0));
}

TEST(breakpoints_on_ports, "pv")
{
    static const struct {
        const char *name;
        void (*function)(void *);
        uint64_t port;
        uint64_t hits;
    } rows[] = {
        { "read", in_byte, 0x84, 1 },
        { "write", out_byte, 0x84, 1 },
        { "below", in_byte, 0x83, 0 },
        { "into it", in_word, 0x83, 1 },
        { "its end", in_byte, 0x85, 1 },
        { "beyond", in_word, 0x86, 0 },
        { "another one", in_byte, 0x90, 8 },
        { "beyond that", in_byte, 0x91, 0 },
    };
    uint64_t dr7 = DR7_DEFAULT | PORT_BREAKPOINT(0, 2) | PORT_BREAKPOINT(3, 1);
    struct trap trap;
    unsigned int i;

    set_iopl(1);
    write_cr4(read_cr4() | CR4_DE);
    check_equal(set_debugreg(0, 0x84), 0);
    check_equal(set_debugreg(3, 0x90), 0);
    check_equal(set_debugreg(7, dr7), 0);
    check_equal(get_debugreg(7), dr7);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        check_equal(set_debugreg(6, DR6_DEFAULT), 0);
        check_equal(trapped(&trap, rows[i].function, (void *)rows[i].port),
                    rows[i].hits != 0);
        check_equal(get_debugreg(6), DR6_DEFAULT | rows[i].hits);
        if (rows[i].hits) {
            check_equal(trap.regs.vector, EXC_DB);
        }
    }
    test_row("not enabled");
    check_equal(set_debugreg(7, dr7 & ~0xfful), 0);
    check(!trapped(&trap, in_byte, (void *)0x84));
    test_row("without DE");
    check_equal(set_debugreg(7, dr7), 0);
    write_cr4(read_cr4() & ~CR4_DE);
    check(!trapped(&trap, in_byte, (void *)0x84));
    end_breakpoints();
}

static uint8_t read_into[4];

static void in_string(void *port)
{
    uint8_t *to = read_into;
    uint64_t n = sizeof(read_into);

    asm volatile("cld; rep insb"
                 : "+D"(to), "+c"(n)
                 : "d"((uint16_t)(uintptr_t)port)
                 : "memory");
}

TEST(breakpoint_on_a_string_of_a_port, "pv")
{
    struct trap trap;

    set_iopl(1);
    write_cr4(read_cr4() | CR4_DE);
    check_equal(set_debugreg(0, 0x84), 0);
    check_equal(set_debugreg(7, DR7_DEFAULT | PORT_BREAKPOINT(0, 1)), 0);
    memset(read_into, 0, sizeof(read_into));
    check(trapped(&trap, in_string, (void *)0x84));
    check_equal(trap.regs.vector, EXC_DB);
    /* After the first of them; the instruction has the others before it. */
    check_equal(trap.regs.cx, sizeof(read_into) - 1);
    check_equal(*(const uint16_t *)trap.regs.ip, 0x6cf3);
    check_equal(read_into[0], 0xff);
    check_equal(read_into[1], 0);
    end_breakpoints();
}

static void step_in_string(void *port)
{
    uint8_t *to = read_into;
    uint64_t n = sizeof(read_into);

    asm volatile("cld; pushf; orl %3, (%%rsp); popf; rep insb"
                 : "+D"(to), "+c"(n)
                 : "d"((uint16_t)(uintptr_t)port), "i"(FLAG_TF)
                 : "memory");
}

/* As a processor does it: a step is one repetition. */
TEST(single_step_of_a_string_of_a_port, "pv")
{
    struct trap trap;

    set_iopl(1);
    memset(read_into, 0, sizeof(read_into));
    check(trapped(&trap, step_in_string, (void *)0x84));
    check_equal(trap.regs.vector, EXC_DB);
    check_equal(trap.regs.cx, sizeof(read_into) - 1);
    check_equal(*(const uint16_t *)trap.regs.ip, 0x6cf3);
    check_equal(read_into[0], 0xff);
    check_equal(read_into[1], 0);
    end_breakpoints();
}

#endif /* GUEST_PV */
