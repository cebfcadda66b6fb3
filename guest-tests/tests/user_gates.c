/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways into a kernel that user mode of a PV guest tries: gates, instructions. */

#include "user_mode.h"

#ifdef GUEST_PV

#define CODE(name) name, name##_end
#define ERROR_IDT 2
#define DPL(n) (n)
#define MASKS_EVENTS 4

extern char exception_stubs[32][16];

/* A stub whose exception no test raises: it says that the gate was used. */
#define GATE_STUB 5

USER_CODE(code_int, "int $0; ud2");

static void set_gate(uint8_t vector, uint8_t flags)
{
    struct trap_info table[2] = {
        {
            .vector = vector,
            .flags = flags | MASKS_EVENTS,
            .cs = FLAT_KERNEL_CS,
            .address = (unsigned long)exception_stubs[GATE_STUB],
        },
    };

    check_equal(hypercall(__HYPERVISOR_set_trap_table, (unsigned long)table, 0,
                          0, 0, 0),
                0);
}

/* XSA-259 is about that of 0x80, which the hypervisor takes by itself. */
TEST(user_int_of_any_number, "pv")
{
    char *code = user_begin(CODE(code_int));
    struct trap trap;
    unsigned int n;

    user_load();
    for (n = 0; n < 256; n++) {
        if (n == 3 || n == 4) { /* are for user mode */
            continue;
        }
        code[1] = n;
        user_run(&(struct user){ .ax = 0 }, &trap);
        if (!check_equal(trap.regs.vector, EXC_GP) ||
            !check_equal(trap.regs.error, n << 3 | ERROR_IDT) ||
            !check_equal(trap.regs.ip, USER_CODE_AT)) {
            test_note("int %u", n);
            break;
        }
    }
    user_end();
}

static void int_0x41(void *opaque)
{
    asm volatile("int $0x41");
}

TEST(user_int_by_a_gates_dpl, "pv")
{
    char *code = user_begin(CODE(code_int));
    struct trap trap;

    user_load();
    code[1] = 0x41;
    set_gate(0x41, DPL(3));
    user_run(&(struct user){ .ax = 0 }, &trap);
    check_equal(trap.regs.vector, GATE_STUB);
    check_equal(trap.regs.ip, USER_CODE_AT + 2);

    set_gate(0x41, DPL(1));
    user_run(&(struct user){ .ax = 0 }, &trap);
    check_equal(trap.regs.vector, EXC_GP);
    check_equal(trap.regs.ip, USER_CODE_AT);
    check(trapped(&trap, int_0x41, NULL));
    check_equal(trap.regs.vector, GATE_STUB);

    set_gate(0x41, DPL(0));
    user_run(&(struct user){ .ax = 0 }, &trap);
    check_equal(trap.regs.vector, EXC_GP);
    check(trapped(&trap, int_0x41, NULL));
    check_equal(trap.regs.vector, EXC_GP);
    check_equal(trap.regs.error, 0x41 << 3 | ERROR_IDT);
    user_end();
}

/* Instructions ------------------------------------------------------------------ */

USER_CODE(insn_hlt, "hlt");
USER_CODE(insn_cli, "cli");
USER_CODE(insn_sti, "sti");
USER_CODE(insn_in, "in $0x60, %al");
USER_CODE(insn_out, "out %al, $0xe9");
USER_CODE(insn_outsb, "outsb");
USER_CODE(insn_rdmsr, "rdmsr");
USER_CODE(insn_wrmsr, "wrmsr");
USER_CODE(insn_from_cr0, "mov %cr0, %rax");
USER_CODE(insn_to_cr3, "mov %rax, %cr3");
USER_CODE(insn_to_cr4, "mov %rax, %cr4");
USER_CODE(insn_to_dr7, "mov %rax, %db7");
USER_CODE(insn_clts, "clts");
USER_CODE(insn_lmsw, "lmsw %ax");
USER_CODE(insn_lgdt, "lgdt (%rsp)");
USER_CODE(insn_lidt, "lidt (%rsp)");
USER_CODE(insn_lldt, "lldt %ax");
USER_CODE(insn_ltr, "ltr %ax");
USER_CODE(insn_invlpg, "invlpg (%rsp)");
USER_CODE(insn_swapgs, "swapgs");
USER_CODE(insn_sysret, "sysretq");

TEST(user_privileged_instructions, "pv")
{
    static const struct {
        const char *name, *code, *end;
    } insns[] = {
        { "hlt", CODE(insn_hlt) },
        { "cli", CODE(insn_cli) },
        { "sti", CODE(insn_sti) },
        { "in", CODE(insn_in) },
        { "out", CODE(insn_out) },
        { "outsb", CODE(insn_outsb) },
        { "rdmsr", CODE(insn_rdmsr) },
        { "wrmsr", CODE(insn_wrmsr) },
        { "mov from cr0", CODE(insn_from_cr0) },
        { "mov to cr3", CODE(insn_to_cr3) },
        { "mov to cr4", CODE(insn_to_cr4) },
        { "mov to dr7", CODE(insn_to_dr7) },
        { "clts", CODE(insn_clts) },
        { "lmsw", CODE(insn_lmsw) },
        { "lgdt", CODE(insn_lgdt) },
        { "lidt", CODE(insn_lidt) },
        { "lldt", CODE(insn_lldt) },
        { "ltr", CODE(insn_ltr) },
        { "invlpg", CODE(insn_invlpg) },
        { "swapgs", CODE(insn_swapgs) },
        { "sysret", CODE(insn_sysret) },
    };
    struct physdev_set_iopl iopl = { .iopl = 1 };
    struct trap trap;
    unsigned int i;

    /* Ports may be the kernel's, but not user mode's. */
    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
    for (i = 0; i < sizeof(insns) / sizeof(*insns); i++) {
        test_row(insns[i].name);
        user_begin(insns[i].code, insns[i].end);
        user_load();
        /* ECX: the MSR of FS's base, which the kernel may write. */
        user_run(&(struct user){ .flags = FLAG_IOPL,
                                 .cx = 0xc0000100,
                                 .sp = USER_STACK_AT + 64 },
                 &trap);
        check_equal(trap.regs.vector, EXC_GP);
        check_equal(trap.regs.error, 0);
        check_equal(trap.regs.ip, USER_CODE_AT);
        user_end();
    }
    iopl.iopl = 0;
    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
}

/*
 * Calls to what is below the hypervisor, if it is a guest itself: they have no
 * effect, whether they return an error or are no instructions.
 */
USER_CODE(insn_vmcall, "vmcall; syscall");
USER_CODE(insn_vmmcall, "vmmcall; syscall");

TEST(user_calls_below_the_hypervisor, "pv")
{
    static const struct {
        const char *name, *code, *end;
    } insns[] = {
        { "vmcall", CODE(insn_vmcall) },
        { "vmmcall", CODE(insn_vmmcall) },
    };
    struct trap trap;
    unsigned int i;

    for (i = 0; i < sizeof(insns) / sizeof(*insns); i++) {
        test_row(insns[i].name);
        user_begin(insns[i].code, insns[i].end);
        user_load();
        user_run(
            &(struct user){ .ax = __HYPERVISOR_sched_op, .di = SCHEDOP_yield },
            &trap);
        if (trap.regs.vector == VECTOR_SYSTEM_CALL) {
            check_equal(trap.regs.ax, -XEN_EPERM);
        } else {
            check(trap.regs.vector == EXC_UD || trap.regs.vector == EXC_GP);
            check_equal(trap.regs.ip, USER_CODE_AT);
        }
        user_end();
    }
}

/* System calls that the kernel has not asked for --------------------------------- */

/*
 * XSA-339: SYSENTER, which leaves NT alone.  The processor, or Xen, makes it an
 * exception; Xen then does not know where it was.
 */
USER_CODE(code_sysenter, "sysenter");

TEST(xsa_339_sysenter_with_nt, "pv")
{
    struct trap trap;

    user_begin(CODE(code_sysenter));
    user_load();
    user_run(&(struct user){ .flags = FLAG_NT | FLAG_AC | FLAG_DF }, &trap);
    check(trap.regs.vector == EXC_GP || trap.regs.vector == EXC_UD);
    check_equal(trap.flags & (FLAG_NT | FLAG_AC), 0);
    test_row("single step");
    user_run(&(struct user){ .flags = FLAG_NT | FLAG_TF }, &trap);
    check(trap.regs.vector == EXC_GP || trap.regs.vector == EXC_UD ||
          trap.regs.vector == EXC_DB);
    check_equal(trap.flags & (FLAG_NT | FLAG_TF), 0);
    user_end();
}

USER_CODE(code_syscall_alone, "syscall");

TEST(system_call_without_callback, "pv")
{
    extern const char event_callback[], failsafe_callback[];
    struct trap trap;

    user_begin(CODE(code_syscall_alone));
    user_load();
    check_equal(hypercall(__HYPERVISOR_set_callbacks,
                          (unsigned long)event_callback,
                          (unsigned long)failsafe_callback, 0, 0, 0),
                0);
    user_run(&(struct user){ .flags = FLAG_DF }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    check_equal(trap.regs.ip, USER_CODE_AT);
    /* In 32-bit code it is an instruction of AMD's processors alone. */
    test_row("32-bit");
    user_run(&(struct user){ .cs = FLAT_USER_CS32 }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    check_equal(trap.regs.ip, USER_CODE_AT);
    check_equal(trap.regs.cs & 0xffff, FLAT_USER_CS32);
    user_end();
}

#endif /* GUEST_PV */
