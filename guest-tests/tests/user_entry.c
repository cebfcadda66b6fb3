/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What user mode of a PV guest brings with it when it enters the hypervisor:
 * flags, debug traps on the way, and addresses that are none.
 */

#include "debug_registers.h"
#include "user_mode.h"

#ifdef GUEST_PV

#define CODE(name) name, name##_end
#define RUN_FLAGS (FLAG_AC | FLAG_NT | FLAG_DF)

USER_CODE(code_system_call, "syscall; ud2");
USER_CODE(code_invalid, "ud2");
USER_CODE(code_breakpoint, "int3");
USER_CODE(code_fault, "mov 0, %al");

TEST(user_mode_and_back, "pv")
{
    struct trap trap;

    user_begin(CODE(code_system_call));
    user_load();
    user_run(&(struct user){ .ax = 0x1234, .di = 5, .si = 6 }, &trap);
    check_equal(trap.regs.vector, VECTOR_SYSTEM_CALL);
    check_equal(trap.regs.ip, USER_CODE_AT + 2);
    check_equal(trap.regs.cx, USER_CODE_AT + 2);
    check_equal(trap.regs.cs & 0xffff, FLAT_USER_CS);
    check_equal(trap.regs.ss & 0xffff, FLAT_USER_SS);
    check_equal(trap.regs.sp, USER_STACK_TOP);
    check_equal(trap.regs.ax, 0x1234);
    check_equal(trap.regs.di, 5);
    check_equal(trap.regs.si, 6);
    check_equal(trap.regs.r11, trap.regs.flags);
    /* Back to where it was, as by SYSRET. */
    user_run(&(struct user){ .ip = trap.regs.ip, .in_syscall = true }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    check_equal(trap.regs.ip, USER_CODE_AT + 2);
    check_equal(trap.regs.cs & 3, 3);
    user_end();
}

/* Flags with which the hypervisor itself must not run, nor the kernel. */
TEST(user_flags_at_entry, "pv")
{
    static const struct {
        const char *name, *code, *end;
        unsigned int vector;
    } entries[] = {
        { "syscall", CODE(code_system_call), VECTOR_SYSTEM_CALL },
        { "ud2", CODE(code_invalid), EXC_UD },
        { "int3", CODE(code_breakpoint), EXC_BP },
        { "page fault", CODE(code_fault), EXC_PF },
    };
    const uint64_t others = FLAG_AC | FLAG_NT | FLAG_TF | FLAG_IOPL;
    struct trap trap;
    unsigned int i;

    for (i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
        test_row(entries[i].name);
        user_begin(entries[i].code, entries[i].end);
        user_load();
        user_run(&(struct user){ .flags = RUN_FLAGS | FLAG_IOPL }, &trap);
        check_equal(trap.regs.vector, entries[i].vector);
        check_equal(trap.flags & others, 0);
        /* The frame has what user mode had, but for IOPL. */
        check_equal(trap.regs.flags & (RUN_FLAGS | FLAG_IOPL), RUN_FLAGS);
        user_end();
    }
}

/* Debug traps ------------------------------------------------------------------ */

USER_CODE(code_steps, "nop; syscall; ud2");

TEST(user_single_step_into_entry, "pv")
{
    struct trap trap;

    user_begin(CODE(code_steps));
    user_load();
    user_run(&(struct user){ .flags = FLAG_TF }, &trap);
    check_equal(trap.regs.vector, EXC_DB);
    check_equal(trap.regs.ip, USER_CODE_AT + 1);
    check(trap.regs.flags & FLAG_TF);
    check_equal(trap.flags & FLAG_TF, 0);
    /* The step of a syscall ends in the hypervisor, and is nobody's. */
    user_run(&(struct user){ .ip = trap.regs.ip, .flags = FLAG_TF }, &trap);
    check_equal(trap.regs.vector, VECTOR_SYSTEM_CALL);
    check_equal(trap.regs.ip, USER_CODE_AT + 3);
    check_equal(trap.flags & FLAG_TF, 0);
    /* An exception comes before the step. */
    user_run(&(struct user){ .ip = trap.regs.ip, .flags = FLAG_TF }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    check_equal(trap.regs.ip, USER_CODE_AT + 3);
    user_end();
}

/*
 * XSA-260: what a watchpoint on MOV SS's operand raises is put off until after
 * the next instruction, which is here the hypervisor's first.
 */
USER_CODE(code_ss_syscall, "mov (%rdi), %ss; syscall");
USER_CODE(code_ss_int3, "mov (%rdi), %ss; int3");
USER_CODE(code_ss_int80, "mov (%rdi), %ss; int $0x80");
USER_CODE(code_ss_ud2, "mov (%rdi), %ss; ud2");
USER_CODE(code_ss_icebp, "mov (%rdi), %ss; .byte 0xf1");

TEST(xsa_260_watchpoint_at_mov_ss, "pv")
{
    static const struct {
        const char *name, *code, *end;
        unsigned int vector;
    } entries[] = {
        { "syscall", CODE(code_ss_syscall), VECTOR_SYSTEM_CALL },
        { "int3", CODE(code_ss_int3), EXC_BP },
        { "int $0x80", CODE(code_ss_int80), EXC_GP },
        { "ud2", CODE(code_ss_ud2), EXC_UD },
        { "icebp", CODE(code_ss_icebp), EXC_DB },
    };
    struct trap trap;
    unsigned int i;

    for (i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
        uint16_t *selector = page_alloc(1);
        struct user user = { .di = 0x600000 };
        unsigned int steps = 0;

        test_row(entries[i].name);
        *selector = FLAT_USER_SS;
        user_begin(entries[i].code, entries[i].end);
        user_map(user.di, selector, true);
        user_load();
        check_equal(set_debugreg(0, user.di), 0);
        /* Reads and writes of two bytes. */
        check_equal(set_debugreg(7, 0x70701), 0);
        do {
            /* Some processors, and TCG, raise it at once: go on there. */
            user_run(&user, &trap);
            user.ip = trap.regs.ip;
        } while (trap.regs.vector == EXC_DB && ++steps < 3 &&
                 entries[i].vector != EXC_DB);
        check_equal(trap.regs.vector, entries[i].vector);
        check_equal(trap.regs.cs & 3, 3);
        check_equal(set_debugreg(7, 0), 0);
        user_end();
    }
}

/* Addresses that are none ------------------------------------------------------- */

/* XSA-7: SYSRET to such an address would fault in ring 0, on user mode's stack. */
TEST(xsa_7_sysret_to_no_address, "pv")
{
    char *last = page_alloc(1);
    struct trap trap;

    memcpy(last + PAGE_SIZE - 2, code_system_call, 2);
    user_begin(CODE(code_invalid));
    user_map(USER_LAST_PAGE, last, false);
    user_load();
    user_run(&(struct user){ .ip = NOT_CANONICAL - 2 }, &trap);
    check_equal(trap.regs.vector, VECTOR_SYSTEM_CALL);
    check_equal(trap.regs.ip, NOT_CANONICAL);

    test_row("as by SYSRET");
    user_run(&(struct user){ .ip = trap.regs.ip, .in_syscall = true }, &trap);
    check_equal(trap.regs.vector, EXC_GP);
    check_equal(trap.regs.ip, NOT_CANONICAL);
    check_equal(trap.regs.cs & 3, 3);
    check_equal(trap.regs.sp, USER_STACK_TOP);
    test_row("as by IRET");
    user_run(&(struct user){ .ip = NOT_CANONICAL }, &trap);
    check_equal(trap.regs.vector, EXC_GP);
    check_equal(trap.regs.ip, NOT_CANONICAL);
    check_equal(trap.regs.cs & 3, 3);
    test_row("after that");
    user_run(&(struct user){ .ip = USER_CODE_AT }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    user_end();
}

USER_CODE(code_no_stack, "syscall; push %rax");

TEST(user_stack_at_no_address, "pv")
{
    struct trap trap;

    user_begin(CODE(code_no_stack));
    user_load();
    user_run(&(struct user){ .sp = NOT_CANONICAL + 64 }, &trap);
    check_equal(trap.regs.vector, VECTOR_SYSTEM_CALL);
    check_equal(trap.regs.sp, NOT_CANONICAL + 64);
    user_run(&(struct user){ .ip = trap.regs.ip,
                             .in_syscall = true,
                             .sp = NOT_CANONICAL + 64 },
             &trap);
    /* TCG makes no difference between a stack and other memory. */
    check(trap.regs.vector == EXC_SS || trap.regs.vector == EXC_GP);
    check_equal(trap.regs.ip, USER_CODE_AT + 2);
    user_end();
}

/* Selectors by which the kernel lets its user mode start, and which are none. */
TEST(user_starts_by_bad_selectors, "pv")
{
    static const struct {
        const char *name;
        uint16_t cs, ss;
    } rows[] = {
        { "no descriptor", 0xdff8, 0 },
        { "no LDT", 0x7, 0 },
        { "data as code", FLAT_USER_SS, 0 },
        { "code as stack", 0, FLAT_USER_CS },
        { "TSS as stack", 0, 0xe040 },
        { "stack of no LDT", 0, 0x7 },
        { "hypervisor's code", 0xe008, 0 },
        { "hypervisor's data as code", 0xe010, 0 },
        { "TSS as code", 0xe040, 0 },
        { "hypervisor's stack", 0, 0xe010 },
    };
    struct trap trap;
    unsigned int i;

    user_begin(CODE(code_invalid));
    user_load();
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        user_run(&(struct user){ .cs = rows[i].cs ? rows[i].cs | 3 : 0,
                                 .ss = rows[i].ss ? rows[i].ss | 3 : 0 },
                 &trap);
        check_equal(trap.regs.vector, EXC_GP);
        check_equal(trap.regs.ip, USER_CODE_AT);
    }
    test_row("after that");
    user_run(&(struct user){ .ax = 0 }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    user_end();
}

#endif /* GUEST_PV */
