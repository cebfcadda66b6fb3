/* SPDX-License-Identifier: GPL-2.0-or-later */
/* context.c: which context a vCPU may have, and what it begins with. */

#include "contexts.h"

#define NOT_CANONICAL   0x8000000000000000ul

/* Good and bad --------------------------------------------------------------------- */

#define FIELD(field) offsetof(vcpu_guest_context_t, field)

static void test_refused(void)
{
    static const struct {
        size_t field;
        uint64_t value;
        bool good;
    } rows[] = {
        { FIELD(user_regs.rip), NOT_CANONICAL, false },
        { FIELD(user_regs.rip), 1ul << 47, false },
        { FIELD(user_regs.rip), (1ul << 47) - 1, true },
        { FIELD(user_regs.rip), M2P_VA - 1, false },
        { FIELD(user_regs.rip), M2P_VA, true },
        { FIELD(user_regs.rsp), NOT_CANONICAL, false },
        { FIELD(kernel_sp), NOT_CANONICAL, false },
        { FIELD(fs_base), NOT_CANONICAL, false },
        { FIELD(gs_base_kernel), NOT_CANONICAL, false },
        { FIELD(gs_base_user), NOT_CANONICAL, false },
        { FIELD(event_callback_eip), NOT_CANONICAL, false },
        { FIELD(failsafe_callback_eip), NOT_CANONICAL, false },
        { FIELD(syscall_callback_eip), NOT_CANONICAL, false },
        { FIELD(trap_ctxt[0].address), NOT_CANONICAL, false },
        { FIELD(trap_ctxt[255].address), NOT_CANONICAL, false },
        { FIELD(trap_ctxt[255].address), -1ul, true },
        { FIELD(gdt_ents), GDT_ENTRIES, true },
        { FIELD(gdt_ents), GDT_ENTRIES + 1, false },
        { FIELD(gdt_ents), 1ul << 32, false },
        { FIELD(ldt_ents), LDT_ENTRIES, true },
        { FIELD(ldt_ents), LDT_ENTRIES + 1, false },
        { FIELD(ldt_ents), 1ul << 32, false },
        { FIELD(ldt_base), 0x1000, true },
        { FIELD(ldt_base), 0x1008, false },
        { FIELD(ldt_base), 0x1800, false },
        { FIELD(ldt_base), M2P_VA, false },
        { FIELD(ldt_base), HYPERVISOR_END - PAGE_SIZE, false },
        { FIELD(ldt_base), HYPERVISOR_END, true },
        { FIELD(ldt_base), 1ul << 47, false },
        { FIELD(ldt_base), NOT_CANONICAL, false },
        { FIELD(ctrlreg[3]), 0, false },
        { FIELD(ctrlreg[3]), MACHINE_LOW_MFN - 1, false },
        { FIELD(ctrlreg[3]), MACHINE_HOLE_MFN, false },
        { FIELD(ctrlreg[3]), MACHINE_HIGH_MFN, true },
        { FIELD(ctrlreg[3]), MACHINE_MAX_MFN - 1, true },
        { FIELD(ctrlreg[3]), MACHINE_MAX_MFN, false },
        { FIELD(ctrlreg[3]), MACHINE_VCPUS_MFN, false },
        { FIELD(ctrlreg[1]), MACHINE_HOLE_MFN, false },
        { FIELD(ctrlreg[1]), MACHINE_HIGH_MFN, true },
        { FIELD(ctrlreg[1]), 0, true },
        { FIELD(flags), 0, false },
        { FIELD(flags), ~(uint64_t)VGCF_in_kernel, false },
    };
    unsigned int i;

    start_with_context();
    g_assert_cmpint(check_context(&context), ==, 0);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        vcpu_guest_context_t c = context;
        bool is_frame = rows[i].field == FIELD(ctrlreg[3]) ||
                        rows[i].field == FIELD(ctrlreg[1]);
        uint64_t value = is_frame ? xen_pfn_to_cr3(rows[i].value) : rows[i].value;

        memcpy((uint8_t *)&c + rows[i].field, &value, sizeof(value));
        if (check_context(&c) != (rows[i].good ? 0 : -XEN_EINVAL)) {
            g_error("row %u", i);
        }
    }
    /* User mode, if it has tables. */
    context.ctrlreg[1] = xen_pfn_to_cr3(machine_frame());
    context.flags = 0;
    g_assert_cmpint(check_context(&context), ==, 0);
    /* A frame that was given back. */
    marks[boot->top_mfn] = MARK_FREE;
    g_assert_cmpint(check_context(&context), ==, -XEN_EINVAL);
}

/* Registers ------------------------------------------------------------------------ */

static void test_registers(void)
{
    struct cpu_user_regs *u = &context.user_regs;
    struct regs regs;

    start_with_context();
    *u = (struct cpu_user_regs) {
        .r15 = 1, .r14 = 2, .r13 = 3, .r12 = 4, .rbp = 5, .rbx = 6, .r11 = 7,
        .r10 = 8, .r9 = 9, .r8 = 10, .rax = 11, .rcx = 12, .rdx = 13, .rsi = 14,
        .rdi = 15, .rip = 16, .rsp = 18, .cs = 0x10, .ss = 0x28,
        .rflags = FLAG_CF | FLAG_TF | FLAG_VM | 0x2000,
    };
    regs = load();
    g_assert_cmpmem(&regs, 15 * 8, u, 15 * 8);
    g_assert_cmphex(regs.rip, ==, 16);
    g_assert_cmphex(regs.rsp, ==, 18);
    /* All of the guest is in ring 3. */
    g_assert_cmphex(regs.cs, ==, 0x13);
    g_assert_cmphex(regs.ss, ==, 0x2b);
    g_assert_cmphex(regs.rflags, ==, FLAG_CF | FLAG_TF | FLAG_IF | 2);
    g_assert_cmpuint(vcpu_by_id(1)->iopl, ==, 2);
    g_assert_true(vcpu_by_id(1)->kernel_mode);
}

static void test_handlers(void)
{
    static const uint8_t flags[] = {
        0, VGCF_failsafe_disables_events, VGCF_syscall_disables_events,
        VGCF_failsafe_disables_events | VGCF_syscall_disables_events,
    };
    const struct vcpu *v;
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(flags); i++) {
        if (!i) {
            start_with_context();
        }
        v = vcpu_by_id(1);
        context.flags = VGCF_in_kernel | flags[i];
        /* Its place is its vector, as on Xen. */
        context.trap_ctxt[0x41] = (trap_info_t) {
            .vector = 3, .flags = 7, .address = HANDLER(0x41),
        };
        context.kernel_sp = KERNEL_SP;
        context.kernel_ss = 0x28;
        context.event_callback_eip = MACHINE_KERNEL_VA + 1;
        context.failsafe_callback_eip = MACHINE_KERNEL_VA + 2;
        context.syscall_callback_eip = MACHINE_KERNEL_VA + 3;
        vcpu_by_id(1)->traps[3].address = 1;
        machine_switch(0);
        load();
        g_assert_cmphex(v->traps[0x41].address, ==, HANDLER(0x41));
        g_assert_cmphex(v->traps[0x41].flags, ==, 7);
        g_assert_cmphex(v->traps[3].address, ==, 0);
        g_assert_cmphex(v->kernel_sp, ==, KERNEL_SP);
        g_assert_cmphex(v->kernel_ss, ==, 0x2b);
        g_assert_cmphex(v->event_callback, ==, MACHINE_KERNEL_VA + 1);
        g_assert_cmphex(v->failsafe_callback, ==, MACHINE_KERNEL_VA + 2);
        g_assert_cmphex(v->syscall_callback, ==, MACHINE_KERNEL_VA + 3);
        g_assert_cmphex(v->syscall32_callback, ==, 0);
        g_assert_cmpint(v->failsafe_masks, ==, i & 1);
        g_assert_cmpint(v->syscall_masks, ==, i / 2);
    }
}

static void test_control_registers(void)
{
    start_with_context();
    context.ctrlreg[0] = ~0ul;
    context.ctrlreg[2] = 0x123456789;
    context.ctrlreg[4] = ~0ul;
    load();
    /* Of CR0 there is TS alone. */
    g_assert_cmphex(processor()->cr0, ==, 0x80050033 | CR0_TS);
    g_assert_true(vcpu_by_id(1)->guest_ts);
    g_assert_cmphex(vcpu_by_id(1)->info->arch.cr2, ==, 0x123456789);
    g_assert_cmphex(processor()->cr4, ==,
                    CR4_PAE | CR4_OSFXSR | CR4_OSXSAVE | CR4_TSD | CR4_DE |
                    CR4_FSGSBASE);
    g_assert_cmphex(vcpu_by_id(1)->cr4, ==,
                    CR4_OSXSAVE | CR4_TSD | CR4_DE | CR4_FSGSBASE);
}

static void test_control_registers_clear(void)
{
    start_with_context();
    context.ctrlreg[0] = ~CR0_TS;
    load();
    g_assert_cmphex(processor()->cr0, ==, 0x80050033);
    g_assert_false(vcpu_by_id(1)->guest_ts);
    /* The processor's OSXSAVE is the monitor's. */
    g_assert_cmphex(processor()->cr4, ==, CR4_PAE | CR4_OSFXSR | CR4_OSXSAVE);
    g_assert_cmphex(vcpu_by_id(1)->cr4, ==, 0);
}

static void test_debug_registers(void)
{
    start_with_context();
    context.debugreg[0] = 0x1000;
    context.debugreg[1] = MONITOR_VA;       /* is not the guest's to watch */
    context.debugreg[2] = 0x2000;
    context.debugreg[3] = 0x3000;
    context.debugreg[6] = 0xffff4ff0;
    /* A breakpoint on a port, for which CR4.DE has to be set before. */
    context.debugreg[7] = 0x20402;
    context.ctrlreg[4] = CR4_DE;
    processor()->dr[1] = 0x55;
    load();
    g_assert_cmphex(processor()->dr[0], ==, 0x1000);
    g_assert_cmphex(processor()->dr[1], ==, 0x55);
    g_assert_cmphex(processor()->dr[2], ==, 0x2000);
    g_assert_cmphex(processor()->dr[3], ==, 0x3000);
    g_assert_cmphex(vcpu_by_id(1)->dr6, ==, 0xffff4ff0);
    g_assert_cmphex(vcpu_by_id(1)->dr7, ==, 0x20400);
    g_assert_cmphex(vcpu_by_id(1)->port_breakpoints, ==, 2);
    g_assert_cmphex(processor()->dr[7], ==, 0x20400);
}

/* Bad ones are left as they are: nor are 4 and 5 other names of them here. */
static void test_bad_debug_registers(void)
{
    start_with_context();
    context.debugreg[4] = 0xf;
    context.debugreg[5] = 0x401;
    context.debugreg[6] = 1ul << 32;
    context.debugreg[7] = 1ul << 32;
    load();
    g_assert_cmphex(vcpu_by_id(1)->dr6, ==, 0xffff0ff0);
    g_assert_cmphex(vcpu_by_id(1)->dr7, ==, 0x400);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/context/refused", test_refused);
    machine_test("/monitor/context/registers", test_registers);
    machine_test("/monitor/context/handlers", test_handlers);
    machine_test("/monitor/context/control-registers", test_control_registers);
    machine_test("/monitor/context/control-registers-clear",
                 test_control_registers_clear);
    machine_test("/monitor/context/debug-registers", test_debug_registers);
    machine_test("/monitor/context/bad-debug-registers", test_bad_debug_registers);
    return g_test_run();
}
