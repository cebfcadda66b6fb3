/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traps.c: from what traps in the guest to its handler, and the frame that this finds. */

#include "bounces.h"

#include <xen/physdev.h>

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
    return g_test_run();
}
