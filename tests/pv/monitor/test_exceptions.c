/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traps.c: what the monitor does about #GP, #UD, #NM, #DB and #PF. */

#include "bounces.h"

#include <xen/physdev.h>

static void test_general_protection(void)
{
    static const uint8_t clts_code[] = { 0x0f, 0x06, 0x90 };
    struct regs regs, was;

    start_guest(0);
    set_guest_ts(guest(), true);
    was = regs = trapped(EXC_GP, 0);
    was.rip = regs.rip = machine_put(clts_code, sizeof(clts_code));
    trap(&regs);
    was.rip += 2;
    assert_same(&regs, &was);
    g_assert_false(guest()->guest_ts);
    /* The same instruction, but it is not that what has faulted. */
    was.rip = regs.rip = was.rip - 2;
    was.error = regs.error = 0x18;
    trap(&regs);
    assert_bounced(&regs, &was, HANDLER(EXC_GP), 0x18, was.rsp);
    /* Not an instruction of the monitor's to emulate. */
    was = regs = trapped(EXC_GP, 0);
    was.rip = regs.rip = machine_put("\xf4", 1);
    trap(&regs);
    assert_bounced(&regs, &was, HANDLER(EXC_GP), 0, was.rsp);
}

static void test_general_protection_early(void)
{
    struct regs regs;

    start_guest(0);
    set_handler(EXC_GP, 0, 0);
    regs = trapped(EXC_GP, 0x18);
    machine_assert_ends(trap(&regs));
    machine_assert_said("general protection fault before the kernel has handlers");
    g_string_truncate(machine_l0.console, 0);
    /* The kernel had time enough, if it is in user mode already. */
    regs = user_trapped(EXC_GP, 0x18);
    machine_assert_ends(trap(&regs));
    machine_assert_said("trap 13: no handler");
}

static void test_undefined(void)
{
    static const uint8_t forced[] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };
    struct regs regs, was;

    start_guest(0);
    was = regs = trapped(EXC_UD, 0);
    was.rip = regs.rip = machine_put(forced, sizeof(forced));
    regs.rax = 0x40000000;
    regs.rcx = 0;
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, was.rip + sizeof(forced));
    g_assert_cmphex(regs.rsp, ==, was.rsp);
    g_assert_cmphex(regs.rbx, ==, 0x566e6558);      /* "XenV" */
    /* It is for the kernel's data of any kind, but not for half of it. */
    regs = was;
    was.rip = ++regs.rip;
    trap(&regs);
    assert_bounced(&regs, &was, HANDLER(EXC_UD), NO_ERROR, was.rsp);
}

static void test_no_device(void)
{
    struct regs regs, was;

    start_guest(0);
    set_guest_ts(guest(), true);
    g_assert_cmphex(machine_processors[0].cr0 & CR0_TS, ==, CR0_TS);
    was = regs = user_trapped(EXC_NM, 0);
    trap(&regs);
    assert_bounced(&regs, &was, HANDLER(EXC_NM), NO_ERROR, KERNEL_SP);
    /* Both are clear when the handler begins, as on Xen. */
    g_assert_cmphex(machine_processors[0].cr0 & CR0_TS, ==, 0);
    g_assert_false(guest()->guest_ts);
    /* The guest has not asked for it. */
    machine_processors[0].cr0 |= CR0_TS;
    was = regs = trapped(EXC_NM, 0);
    trap(&regs);
    assert_same(&regs, &was);
    g_assert_cmphex(machine_processors[0].cr0 & CR0_TS, ==, 0);
}

static void test_debug(void)
{
    struct regs regs, was;

    start_guest(0);
    machine_processors[0].dr[6] = 0xffff4ff1;
    was = regs = trapped(EXC_DB, 0);
    was.rflags = regs.rflags |= FLAG_TF;
    trap(&regs);
    assert_bounced(&regs, &was, HANDLER(EXC_DB), NO_ERROR, was.rsp);
    g_assert_cmpint(machine_call(__HYPERVISOR_get_debugreg, 6, 0, 0, 0), ==,
                    0xffff4ff1);
    g_assert_cmphex(machine_processors[0].dr[6], ==, 0xffff0ff0);
    g_assert_cmphex(regs.rflags & FLAG_TF, ==, 0);
}

static void test_page_fault(void)
{
    static const struct {
        bool user;
        uint64_t error, seen;
    } rows[] = {
        { false, 4, 0 }, { false, 6, 2 }, { false, 2, 2 }, { false, 0x14, 0x10 },
        { true, 4, 4 }, { true, 6, 6 }, { true, 5, 5 }, { true, 3, 7 },
    };
    struct regs regs, was;
    unsigned int i;

    start_guest(0);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t address = 0x123456789000 + i;

        if (!guest()->kernel_mode) {
            toggle_mode(guest());
        }
        guest()->info->arch.cr2 = 0;
        machine_processors[0].cr2 = address;
        was = regs = rows[i].user ? user_trapped(EXC_PF, rows[i].error) :
                                    trapped(EXC_PF, rows[i].error);
        trap(&regs);
        assert_bounced(&regs, &was, HANDLER(EXC_PF), rows[i].seen,
                       rows[i].user ? KERNEL_SP : was.rsp);
        g_assert_cmphex(guest()->info->arch.cr2, ==, address);
    }
    /* The monitor's own doing: the page has lacked USER. */
    machine_processors[0].cr2 = MACHINE_KERNEL_VA + 5 * PAGE_SIZE;
    machine_map(machine_processors[0].cr2, machine_frame(),
                PTE_PRESENT | PTE_WRITE);
    toggle_mode(guest());
    toggle_mode(guest());
    was = regs = trapped(EXC_PF, 7);
    guest()->info->arch.cr2 = 0;
    trap(&regs);
    assert_same(&regs, &was);
    g_assert_cmphex(guest()->info->arch.cr2, ==, 0);
}

/* Another vCPU has changed user mode's tables: the copy is made anew, and that is all. */
static void test_isolated_page_fault(void)
{
    struct regs regs, was;
    uint64_t *top;

    machine_start(&(struct machine_config) { .isolated = true });
    set_handlers(0);
    g_assert_cmpint(set_user_top(guest(), machine_frame()), ==, 0);
    guest()->kernel_sp = KERNEL_SP;
    top = frame(guest()->user_top);
    was = regs = user_trapped(3 + 29, 0);
    trap(&regs);
    g_assert_cmphex(guest()->exit_cr3, !=, 0);
    machine_processors[0].cr2 = USER_RIP;
    top[0] = machine_frame() << PAGE_SHIFT | PTE_PRESENT | PTE_USER;
    was = regs = user_trapped(EXC_PF, 4);
    trap(&regs);
    assert_same(&regs, &was);
    g_assert_cmphex(((uint64_t *)frame(guest()->exit_cr3 >> PAGE_SHIFT))[0], ==,
                    top[0]);
    was = regs = user_trapped(EXC_PF, 4);
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, HANDLER(EXC_PF));
    g_assert_cmphex(guest()->exit_cr3, ==, 0);
}

/* Bits of DR6 stay until the guest clears them, as in a processor. */
static void test_debug_bits_stay(void)
{
    struct regs regs;

    start_guest(0);
    g_assert_cmpint(machine_call(__HYPERVISOR_set_debugreg, 6, 0xffff0ff2, 0, 0),
                    ==, 0);
    machine_processors[0].dr[6] = 0xffff4ff0;
    regs = trapped(EXC_DB, 0);
    trap(&regs);
    g_assert_cmpint(machine_call(__HYPERVISOR_get_debugreg, 6, 0, 0, 0), ==,
                    0xffff4ff2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/exceptions/general-protection", test_general_protection);
    machine_test("/monitor/exceptions/general-protection-early",
                 test_general_protection_early);
    machine_test("/monitor/exceptions/undefined", test_undefined);
    machine_test("/monitor/exceptions/no-device", test_no_device);
    machine_test("/monitor/exceptions/debug", test_debug);
    machine_test("/monitor/exceptions/page-fault", test_page_fault);
    machine_test("/monitor/exceptions/isolated-page-fault", test_isolated_page_fault);
    machine_test("/monitor/exceptions/debug-bits-stay", test_debug_bits_stay);
    return g_test_run();
}
