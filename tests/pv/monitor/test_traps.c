/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traps.c: from what traps in the guest to its handler, and the frame that this finds. */

#include "bounces.h"

#include <xen/physdev.h>

/* Exceptions ----------------------------------------------------------------------- */

static const struct {
    uint8_t vector;
    bool has_error;
} exceptions[] = {
    { 0, false }, { EXC_DB, false }, { 3, false }, { 4, false }, { 5, false },
    { EXC_UD, false }, { 9, false }, { 10, true }, { EXC_NP, true },
    { EXC_SS, true }, { EXC_GP, true }, { EXC_PF, true }, { 15, false },
    { 16, false }, { 17, true }, { 18 + 1, false }, { 20, false },
    { 21, true }, { 22, false }, { 31, false },
};

static void test_kernel(void)
{
    struct regs regs, was;
    unsigned int i, n;

    start_guest(0);
    for (i = 0; i < G_N_ELEMENTS(exceptions); i++) {
        for (n = 0; n < 4; n++) {
            uint8_t flags = n & 1 ? MASKS : 0, masked = n / 2;
            uint64_t error = exceptions[i].has_error ? 0x1238 : NO_ERROR;
            struct found found;

            set_handlers(flags);
            guest()->info->evtchn_upcall_mask = masked;
            was = regs = trapped(exceptions[i].vector, 0x1238);
            regs.rsp = was.rsp -= 3;
            trap(&regs);
            found = found_by(&regs, exceptions[i].has_error);
            /* Ring 0 is the kernel's name; and the mask as it was. */
            g_assert_cmphex(found.cs, ==,
                            (SEL_CS64 & ~3ul) | (uint64_t)masked << 32);
            g_assert_cmphex(found.rflags & FLAG_IF, ==, masked ? 0 : FLAG_IF);
            g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==,
                             flags || masked);
            if (!masked) {
                assert_bounced(&regs, &was, HANDLER(exceptions[i].vector), error,
                               was.rsp);
            }
            g_assert_cmphex(*machine_msr(MSR_GS_BASE), ==, 0x1000);
        }
    }
}

static void test_user(void)
{
    struct regs regs, was;
    unsigned int i;

    start_guest(MASKS);
    for (i = 0; i < G_N_ELEMENTS(exceptions); i++) {
        uint64_t error = exceptions[i].vector == EXC_PF ? 4 : 0;

        error = exceptions[i].has_error ? error | 0x1238 : NO_ERROR;
        guest()->info->evtchn_upcall_mask = 0;
        was = regs = user_trapped(exceptions[i].vector, 0x1238);
        g_assert_cmphex(*machine_msr(MSR_GS_BASE), ==, 0x2000);
        g_assert_cmphex(machine_processors[0].cr3, ==,
                        guest()->user_top << PAGE_SHIFT);
        trap(&regs);
        assert_bounced(&regs, &was, HANDLER(exceptions[i].vector), error,
                       KERNEL_SP);
        g_assert_cmphex(found_by(&regs, error != NO_ERROR).cs, ==, SEL_CS64);
        /* The kernel's base is the live one. */
        g_assert_cmphex(*machine_msr(MSR_GS_BASE), ==, 0x1000);
        g_assert_cmphex(*machine_msr(MSR_KERNEL_GS_BASE), ==, 0x2000);
        g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, 1);
    }
}

/* What of CS and of the mask are in one word keep apart. */
static void test_selectors(void)
{
    struct regs regs;

    start_guest(0);
    regs = user_trapped(3, 0);
    regs.cs = 0xffff0000ul << 16 | SEL_CS32;
    regs.ss = 0x2b;
    guest()->info->evtchn_upcall_mask = 0xff;
    trap(&regs);
    g_assert_cmphex(found_by(&regs, false).cs, ==, 0xfful << 32 | SEL_CS32);
    g_assert_cmphex(found_by(&regs, false).ss, ==, 0x2b);
    g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, 0xff);
}

static void test_flags(void)
{
    const uint64_t cleared = FLAG_AC | FLAG_VM | FLAG_RF | FLAG_NT | FLAG_TF |
                             FLAG_IOPL;
    const uint64_t kept = FLAG_CF | FLAG_DF | 0x8d4;
    struct physdev_set_iopl iopl = { .iopl = 2 };
    struct regs regs;

    start_guest(0);
    regs = trapped(3, 0);
    regs.rflags = cleared | kept | FLAG_IF | 2;
    trap(&regs);
    g_assert_cmphex(regs.rflags, ==, kept | FLAG_IF | 2);
    g_assert_cmphex(found_by(&regs, false).rflags, ==,
                    (cleared & ~FLAG_IOPL) | kept | FLAG_IF | 2);
    /* An IF that lacks is set for the handler: it is the monitor's. */
    regs.rflags = 2;
    trap(&regs);
    g_assert_cmphex(regs.rflags, ==, FLAG_IF | 2);
    /* The guest's IOPL is in its frames only if it asks for that. */
    g_assert_cmpint(machine_call(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl,
                                 machine_put(&iopl, sizeof(iopl)), 0, 0), ==, 0);
    trap(&regs);
    g_assert_cmphex(found_by(&regs, false).rflags & FLAG_IOPL, ==, 0);
    g_assert_cmpint(machine_call(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                                 VMASST_TYPE_architectural_iopl, 0, 0), ==, 0);
    trap(&regs);
    g_assert_cmphex(found_by(&regs, false).rflags & FLAG_IOPL, ==, 0x2000);
    g_assert_cmphex(regs.rflags & FLAG_IOPL, ==, 0);
}

/* Frames at the edge of what is the guest's. */
static void test_stack(void)
{
    static const struct {
        uint64_t sp;
        bool ends;
    } rows[] = {
        { HYPERVISOR_END + 64, false },
        { HYPERVISOR_END + 48, true },
        { HYPERVISOR_END, true },
        { M2P_VA + 64, true },
        { DIRECTMAP_VA + 64, true },
        { (1ul << 47) + 16, true },
        { 1ul << 63, true },
        { 0, true },
        /* Its first word would be on a page that is not mapped; or read-only. */
        { MACHINE_KERNEL_VA + 32, true },
        { MACHINE_KERNEL_VA - PAGE_SIZE, true },
        { MACHINE_KERNEL_VA - PAGE_SIZE + 16, true },
    };
    struct regs regs;
    unsigned int i;

    start_guest(0);
    machine_map(HYPERVISOR_END, machine_frame(), PTE_PRESENT | PTE_WRITE);
    machine_map(MACHINE_KERNEL_VA - 2 * PAGE_SIZE, machine_frame(), PTE_PRESENT);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        regs = trapped(10, 0);
        regs.rsp = rows[i].sp;
        if (rows[i].ends) {
            machine_assert_ends(trap(&regs));
            machine_assert_said("trap 10: no handler, or no stack at ");
            g_string_truncate(machine_l0.console, 0);
        } else {
            trap(&regs);
            g_assert_cmphex(regs.rsp, ==, rows[i].sp - 64);
            g_assert_cmphex(found_by(&regs, true).rsp, ==, rows[i].sp);
        }
    }
    /* The kernel's own stack, which user mode does not choose. */
    g_assert_cmpint(machine_call(__HYPERVISOR_stack_switch, SEL_DS, M2P_VA + 64,
                                 0, 0), ==, 0);
    regs = user_trapped(10, 0);
    machine_assert_ends(trap(&regs));
    machine_assert_said("trap 10: no handler, or no stack at 0xffff800000000000");
}

static void test_no_handler(void)
{
    static const uint64_t addresses[] = { 0, 1ul << 47, 1ul << 63 };
    struct regs regs;
    unsigned int i;

    start_guest(0);
    for (i = 0; i < G_N_ELEMENTS(addresses); i++) {
        set_handler(17, MASKS, addresses[i]);
        regs = trapped(17, 0);
        machine_assert_ends(trap(&regs));
        machine_assert_said("trap 17: no handler");
        g_string_truncate(machine_l0.console, 0);
        g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, 0);
    }
}

/* Exceptions that end the guest, whatever handlers it has. */
static void test_fatal(void)
{
    static const uint8_t vectors[] = { EXC_DF, EXC_MC };
    struct regs regs;
    unsigned int i;

    start_guest(0);
    for (i = 0; i < G_N_ELEMENTS(vectors); i++) {
        regs = trapped(vectors[i], 0);
        machine_assert_ends(trap(&regs));
    }
    machine_assert_said("exception 8\n");
    machine_assert_said("exception 18\n");
}

/* #GP, #UD, #NM, #DB, #PF ---------------------------------------------------------- */

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

/* What fails at present ------------------------------------------------------------ */

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
    machine_test("/monitor/traps/kernel", test_kernel);
    machine_test("/monitor/traps/user", test_user);
    machine_test("/monitor/traps/selectors", test_selectors);
    machine_test("/monitor/traps/flags", test_flags);
    machine_test("/monitor/traps/stack", test_stack);
    machine_test("/monitor/traps/no-handler", test_no_handler);
    machine_test("/monitor/traps/fatal", test_fatal);
    machine_test("/monitor/traps/general-protection", test_general_protection);
    machine_test("/monitor/traps/general-protection-early",
                 test_general_protection_early);
    machine_test("/monitor/traps/undefined", test_undefined);
    machine_test("/monitor/traps/no-device", test_no_device);
    machine_test("/monitor/traps/debug", test_debug);
    machine_test("/monitor/traps/page-fault", test_page_fault);
    machine_test("/monitor/traps/isolated-page-fault", test_isolated_page_fault);
    machine_test("/monitor/traps/debug-bits-stay", test_debug_bits_stay);
    return g_test_run();
}
