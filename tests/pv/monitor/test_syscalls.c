/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traps.c: system calls, software interrupts, and interrupts that are nobody's. */

#include "bounces.h"

#include <xen/callback.h>

#define CALLBACK    (MACHINE_KERNEL_VA + 0x200)
#define CALLBACK32  (MACHINE_KERNEL_VA + 0x300)

/* Of the machine's own devices, and the gate for programs -------------------------- */

static void test_interrupts_of_nobody(void)
{
    struct regs regs, was;
    unsigned int vector;

    start_guest(0);
    *machine_msr(MSR_X2APIC_EOI) = 1;
    for (vector = 32; vector < 256; vector++) {
        if (vector == 0x80 || (vector >= VECTOR_UPCALL && vector <= VECTOR_TIMER)) {
            continue;
        }
        was = regs = trapped(vector, 0);
        trap(&regs);
        assert_same(&regs, &was);
        was = regs = user_trapped(vector, 0);
        trap(&regs);
        assert_same(&regs, &was);
        g_assert_false(guest()->kernel_mode);
        toggle_mode(guest());
    }
    /* Nothing of it is the LAPIC's. */
    g_assert_cmphex(*machine_msr(MSR_X2APIC_EOI), ==, 1);
}

/* int $0x80 has a gate.  The DPL of the guest's handler is not looked at, as on Xen. */
static void test_int_0x80(void)
{
    struct regs regs, was;

    start_guest(0);
    was = regs = user_trapped(0x80, 0);
    trap(&regs);
    assert_bounced(&regs, &was, HANDLER(0x80), NO_ERROR, KERNEL_SP);
    was = regs = trapped(0x80, 0);
    trap(&regs);
    assert_bounced(&regs, &was, HANDLER(0x80), NO_ERROR, was.rsp);
    /* Without a handler it is as without a gate. */
    set_handler(0x80, 0, 0);
    was = regs = user_trapped(0x80, 0);
    trap(&regs);
    was.rip -= 2;
    assert_bounced(&regs, &was, HANDLER(EXC_GP), 0x80 << 3 | ERROR_IDT, KERNEL_SP);
    /* That is so for this vector alone. */
    was = regs = user_trapped(3, 0);
    trap(&regs);
    assert_bounced(&regs, &was, HANDLER(3), NO_ERROR, KERNEL_SP);
    /* Whose handler may lack, too. */
    set_handler(EXC_GP, 0, 0);
    regs = user_trapped(0x80, 0);
    machine_assert_ends(trap(&regs));
    machine_assert_said("trap 13: no handler");
}

/* int $n, for which there is no gate. */
static void test_software_interrupt(void)
{
    static const struct {
        bool user;
        uint8_t dpl, vector;
        bool taken;
    } rows[] = {
        { true, 3, 0x41, true }, { true, 2, 0x41, false },
        { true, 1, 0x41, false }, { true, 0, 0x41, false },
        { false, 3, 0x41, true }, { false, 2, 0x41, true },
        { false, 1, 0x41, true }, { false, 0, 0x41, false },
        { true, 3, 0, true }, { true, 3, 255, true },
    };
    struct regs regs, was;
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t error = rows[i].vector << 3 | ERROR_IDT;

        if (!i) {
            start_guest(0);
        }
        set_handlers(0);
        set_handler(rows[i].vector, rows[i].dpl | MASKS, HANDLER(rows[i].vector));
        guest()->info->evtchn_upcall_mask = 0;
        if (!guest()->kernel_mode) {
            toggle_mode(guest());
        }
        was = regs = rows[i].user ? user_trapped(EXC_GP, error) :
                                    trapped(EXC_GP, error);
        trap(&regs);
        if (rows[i].taken) {
            was.rip += 2;
            assert_bounced(&regs, &was, HANDLER(rows[i].vector), NO_ERROR,
                           rows[i].user ? KERNEL_SP : was.rsp);
        } else {
            assert_bounced(&regs, &was, HANDLER(EXC_GP), error,
                           rows[i].user ? KERNEL_SP : was.rsp);
        }
        g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, rows[i].taken);
    }
    /* Other errors only look like one. */
    for (i = 0; i < 8; i++) {
        if (i != ERROR_IDT) {
            set_handler(0x41, 3, HANDLER(0x41));
            was = regs = trapped(EXC_GP, 0x41 << 3 | i);
            guest()->info->evtchn_upcall_mask = 0;
            trap(&regs);
            assert_bounced(&regs, &was, HANDLER(EXC_GP), 0x41 << 3 | i, was.rsp);
        }
    }
    /* A handler that lacks. */
    set_handler(0x41, 3, 0);
    was = regs = trapped(EXC_GP, 0x41 << 3 | ERROR_IDT);
    trap(&regs);
    assert_bounced(&regs, &was, HANDLER(EXC_GP), 0x41 << 3 | ERROR_IDT, was.rsp);
}

/* A software interrupt has no error code, whatever exception has its number. */
static void test_software_interrupt_error(void)
{
    struct regs regs, was;

    start_guest(3);
    was = regs = user_trapped(EXC_GP, EXC_NP << 3 | ERROR_IDT);
    trap(&regs);
    was.rip += 2;
    assert_bounced(&regs, &was, HANDLER(EXC_NP), NO_ERROR, KERNEL_SP);
}

/* System calls --------------------------------------------------------------------- */

static void set_callback(unsigned int type, bool masks, uint64_t address)
{
    struct callback_register op = {
        .type = type, .flags = masks ? CALLBACKF_mask_events : 0,
        .address = address,
    };

    g_assert_cmpint(machine_call(__HYPERVISOR_callback_op, CALLBACKOP_register,
                                 machine_put(&op, sizeof(op)), 0, 0), ==, 0);
}

static void test_syscall(void)
{
    struct regs regs, was;
    unsigned int i;

    start_guest(0);
    for (i = 0; i < 2; i++) {
        set_callback(CALLBACKTYPE_syscall, i, CALLBACK);
        set_callback(CALLBACKTYPE_syscall32, !i, CALLBACK32);
        guest()->info->evtchn_upcall_mask = 0;
        was = regs = user_trapped(VECTOR_SYSCALL, 0);
        was.rflags = regs.rflags |= FLAG_DF | FLAG_TF | FLAG_AC | FLAG_NT;
        trap(&regs);
        assert_bounced(&regs, &was, CALLBACK, NO_ERROR, KERNEL_SP);
        g_assert_cmphex(regs.rflags, ==, FLAG_IF | 2);
        g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, i);

        guest()->info->evtchn_upcall_mask = 0;
        was = regs = user_trapped(VECTOR_SYSCALL32, 0);
        was.cs = regs.cs = SEL_CS32;
        was.rflags = regs.rflags |= FLAG_DF;
        trap(&regs);
        assert_bounced(&regs, &was, CALLBACK32, NO_ERROR, KERNEL_SP);
        g_assert_cmphex(found_by(&regs, false).cs, ==, SEL_CS32);
        g_assert_cmphex(regs.rflags, ==, FLAG_IF | 2);
        g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, !i);
    }
    /* The kernel's 32-bit code makes no hypercalls. */
    guest()->info->evtchn_upcall_mask = 0;
    was = regs = trapped(VECTOR_SYSCALL32, 0);
    trap(&regs);
    assert_bounced(&regs, &was, CALLBACK32, NO_ERROR, was.rsp);
}

static void test_syscall_without_callback(void)
{
    struct regs regs, was;

    start_guest(0);
    was = regs = user_trapped(VECTOR_SYSCALL, 0);
    trap(&regs);
    was.rip -= 2;
    assert_bounced(&regs, &was, HANDLER(EXC_UD), NO_ERROR, KERNEL_SP);
    was = regs = user_trapped(VECTOR_SYSCALL32, 0);
    trap(&regs);
    was.rip -= 2;
    assert_bounced(&regs, &was, HANDLER(EXC_UD), NO_ERROR, KERNEL_SP);
}

/* From the kernel it is a hypercall. */
static void test_hypercall(void)
{
    struct regs regs, was;

    start_guest(0);
    set_callback(CALLBACKTYPE_syscall, false, CALLBACK);
    was = regs = trapped(VECTOR_SYSCALL, 0);
    regs.rax = __HYPERVISOR_stack_switch;
    regs.rdi = SEL_DS;
    regs.rsi = 0x123456;
    trap(&regs);
    g_assert_cmphex(regs.rax, ==, 0);
    g_assert_cmphex(regs.rip, ==, was.rip);
    g_assert_cmphex(regs.rsp, ==, was.rsp);
    g_assert_cmphex(guest()->kernel_sp, ==, 0x123456);
}

/* Xen clears DF for the handler of a system call alone. */
static void test_syscall_without_callback_flags(void)
{
    struct regs regs;

    start_guest(0);
    regs = user_trapped(VECTOR_SYSCALL, 0);
    regs.rflags |= FLAG_DF;
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, HANDLER(EXC_UD));
    g_assert_cmphex(regs.rflags & FLAG_DF, ==, FLAG_DF);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/syscalls/interrupts-of-nobody", test_interrupts_of_nobody);
    machine_test("/monitor/syscalls/int-0x80", test_int_0x80);
    machine_test("/monitor/syscalls/software-interrupt", test_software_interrupt);
    machine_test("/monitor/syscalls/software-interrupt-error",
                 test_software_interrupt_error);
    machine_test("/monitor/syscalls/syscall", test_syscall);
    machine_test("/monitor/syscalls/syscall-without-callback",
                 test_syscall_without_callback);
    machine_test("/monitor/syscalls/hypercall", test_hypercall);
    machine_test("/monitor/syscalls/syscall-without-callback-flags",
                 test_syscall_without_callback_flags);
    return g_test_run();
}
