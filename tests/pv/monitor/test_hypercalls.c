/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hypercalls.c: segments, debug registers, numbers of hypercalls, and assists. */

#include "hypercall_calls.h"

#include <xen/physdev.h>
#include <xen/sched.h>

/* Segments ------------------------------------------------------------------------- */

static void test_segment_base(void)
{
    static const struct {
        unsigned int which;
        uint32_t kernels_msr, users_msr;
    } rows[] = {
        { SEGBASE_FS, MSR_FS_BASE, MSR_FS_BASE },
        { SEGBASE_GS_USER, MSR_KERNEL_GS_BASE, MSR_GS_BASE },
        { SEGBASE_GS_KERNEL, MSR_GS_BASE, MSR_KERNEL_GS_BASE },
    };
    static const uint64_t bad[] = { 1ul << 47, M2P_VA - 1, NOT_CANONICAL };
    unsigned int i, n;

    machine_start(&config);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(call(__HYPERVISOR_set_segment_base, rows[i].which,
                             0x1000 + i), ==, 0);
        g_assert_cmphex(rdmsr(rows[i].kernels_msr), ==, 0x1000 + i);
        for (n = 0; n < G_N_ELEMENTS(bad); n++) {
            g_assert_cmpint(call(__HYPERVISOR_set_segment_base, rows[i].which,
                                 bad[n]), ==, -XEN_EINVAL);
        }
        g_assert_cmphex(rdmsr(rows[i].kernels_msr), ==, 0x1000 + i);
        /* The monitor's addresses are some, too: they lead nowhere in ring 3. */
        g_assert_cmpint(call(__HYPERVISOR_set_segment_base, rows[i].which,
                             M2P_VA), ==, 0);
    }
    g_assert_cmphex(rdmsr(MSR_FS_BASE), ==, M2P_VA);
    g_assert_cmpint(call(__HYPERVISOR_set_segment_base, 4, 0), ==, -XEN_EINVAL);
    g_assert_cmpint(call(__HYPERVISOR_set_segment_base, UINT32_MAX, 0), ==,
                    -XEN_EINVAL);
    /* In user mode, where the guest cannot call, each would be the other one. */
    g_assert_cmpint(set_user_top(guest(), machine_frame()), ==, 0);
    toggle_mode(guest());
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(call(__HYPERVISOR_set_segment_base, rows[i].which,
                             0x2000 + i), ==, 0);
        g_assert_cmphex(rdmsr(rows[i].users_msr), ==, 0x2000 + i);
    }
}

static void test_user_gs_selector(void)
{
    static const struct {
        uint64_t base;
        uint16_t selector;
    } rows[] = {
        { 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 3 }, { 0x08, 0x0b }, { 0x0a, 0x0b },
        { 0x10, 0 }, { 0x7008, 0 }, { 4, 7 }, { 7, 7 }, { 0x0c, 0 },
        { NOT_CANONICAL | 0x08, 0x0b }, { 0x10003, 3 }, { 0xffff0000, 0 },
    };
    uint64_t frames[14] = { 0 };
    unsigned int i;

    machine_start(&config);
    frames[0] = machine_frame();
    ((uint64_t *)frame(frames[0]))[0] = 0x00cf93000000ffff;
    ((uint64_t *)frame(frames[0]))[1] = 0x00cf93000000ffff;
    g_assert_cmpint(set_gdt(guest(), frames, 512), ==, 0);
    machine_map(0xffff900000000000ul, frames[0], PTE_PRESENT);
    g_assert_cmpint(set_ldt(guest(), 0xffff900000000000ul, 1), ==, 0);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(call(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER_SEL,
                             rows[i].base), ==, 0);
        g_assert_cmphex(machine_processors[0].gs, ==, rows[i].selector);
    }
}

/* Others of a vCPU's --------------------------------------------------------------- */

static void test_taskswitch(void)
{
    machine_start(&config);
    g_assert_cmpint(call(__HYPERVISOR_fpu_taskswitch, 1, 0), ==, 0);
    g_assert_true(guest()->guest_ts);
    g_assert_cmphex(machine_processors[0].cr0 & CR0_TS, ==, CR0_TS);
    g_assert_cmpint(call(__HYPERVISOR_fpu_taskswitch, 0, 0), ==, 0);
    g_assert_false(guest()->guest_ts);
    g_assert_cmphex(machine_processors[0].cr0 & CR0_TS, ==, 0);
    g_assert_cmpint(call(__HYPERVISOR_fpu_taskswitch, 0x80000000, 0), ==, 0);
    g_assert_true(guest()->guest_ts);
}

static void test_debugreg(void)
{
    machine_start(&config);
    g_assert_cmpint(call(__HYPERVISOR_set_debugreg, 2, 0x1234), ==, 0);
    g_assert_cmphex(machine_processors[0].dr[2], ==, 0x1234);
    g_assert_cmpint(call(__HYPERVISOR_get_debugreg, 2, 0), ==, 0x1234);
    g_assert_cmpint(call(__HYPERVISOR_set_debugreg, 2, MONITOR_VA), ==,
                    -XEN_EPERM);
    g_assert_cmpint(call(__HYPERVISOR_set_debugreg, 8, 0), ==, -XEN_ENODEV);
    g_assert_cmpint(call(__HYPERVISOR_get_debugreg, 8, 0), ==, -XEN_ENODEV);
}

/* Numbers -------------------------------------------------------------------------- */

static void test_numbers(void)
{
    static const unsigned int none[] = {
        6, 11, 19, 22, 27, 34, 35, 36, 37, 38, 39, 40, 41, 42, 48, 49, 63, 64,
        255, 256, 1000, UINT32_MAX,
    };
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < G_N_ELEMENTS(none); i++) {
        g_assert_cmpint(machine_call(none[i], 1, 2, 3, 4), ==, -XEN_ENOSYS);
    }
    g_assert_cmpint(machine_call(__HYPERVISOR_platform_op, 0, 0, 0, 0), ==,
                    -XEN_EPERM);
}

/* Arguments are in the ABI's registers, and none of them is changed. */
static void test_registers(void)
{
    struct regs regs = machine_trapped(VECTOR_SYSCALL, 0), was;
    struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };
    unsigned int *done;

    machine_start(&config);
    regs.rax = __HYPERVISOR_mmuext_op;
    regs.rdi = machine_put(&op, sizeof(op));
    regs.rsi = 1;
    regs.rdx = machine_put(&(uint64_t) { 0 }, 8);
    regs.r10 = DOMID_SELF;
    regs.rcx = 0x1234;
    regs.r8 = 5;
    regs.r9 = 6;
    done = machine_at(regs.rdx);
    was = regs;
    hypercall_trap(&regs);
    was.rax = 0;
    g_assert_cmpmem(&regs, sizeof(regs), &was, sizeof(was));
    g_assert_cmpuint(*done, ==, 1);
    regs.rax = __HYPERVISOR_mmuext_op;
    regs.r10 = 5;
    hypercall_trap(&regs);
    g_assert_cmpint((long)regs.rax, ==, -XEN_ESRCH);
}

/* Each gets to the file that has it: with an error of that file's own. */
static void test_others(void)
{
    static const struct {
        unsigned int number;
        uint64_t args[4];
        long result;
    } rows[] = {
        { __HYPERVISOR_mmu_update, { 0, 1, 0, DOMID_SELF }, -XEN_EFAULT },
        { __HYPERVISOR_mmuext_op, { 0, 1, 0, DOMID_SELF }, -XEN_EFAULT },
        { __HYPERVISOR_set_gdt, { 0, 0xffff }, -XEN_EINVAL },
        { __HYPERVISOR_update_descriptor, { 4, 0 }, -XEN_EINVAL },
        { __HYPERVISOR_update_va_mapping, { MONITOR_VA, 0, 0 }, -XEN_EINVAL },
        { __HYPERVISOR_memory_op, { 9999, 0 }, -XEN_ENOSYS },
        { __HYPERVISOR_xen_version, { 9999, 0 }, -XEN_ENOSYS },
        { __HYPERVISOR_grant_table_op, { 9999, 0, 1 }, -XEN_ENOSYS },
        { __HYPERVISOR_vcpu_op, { VCPUOP_up, 9999, 0 }, -XEN_ENOENT },
        { __HYPERVISOR_sched_op, { 9999, 0 }, -XEN_ENOSYS },
        { __HYPERVISOR_event_channel_op, { 9999, 0 }, -XEN_ENOSYS },
        { __HYPERVISOR_event_channel_op_compat, { 0 }, -XEN_EFAULT },
        { __HYPERVISOR_physdev_op, { PHYSDEVOP_set_iopl, 0 }, -XEN_EFAULT },
        { __HYPERVISOR_physdev_op, { PHYSDEVOP_set_iobitmap, 0 }, -XEN_EFAULT },
        { __HYPERVISOR_physdev_op, { 0, 0 }, -XEN_ENOSYS },
        { __HYPERVISOR_physdev_op, { UINT32_MAX, 0 }, -XEN_ENOSYS },
    };
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        const uint64_t *args = rows[i].args;

        if (machine_call(rows[i].number, args[0], args[1], args[2], args[3]) !=
            rows[i].result) {
            g_error("row %u: %ld", i, (long)machine_regs.rax);
        }
    }
}

/* L0 reads and writes by the monitor's rights. */
static void test_console(void)
{
    machine_start(&config);
    g_assert_cmpint(machine_call(__HYPERVISOR_console_io, CONSOLEIO_write, 0,
                                 MACHINE_KERNEL_VA, 0), ==, 0);
    g_assert_cmphex(machine_l0.last.args[2], ==, MACHINE_KERNEL_VA);
    machine_call(__HYPERVISOR_console_io, CONSOLEIO_write, 0, MONITOR_VA, 0);
    g_assert_cmphex(machine_l0.last.args[2], ==, NOTHING_VA);
}

static void test_timer(void)
{
    machine_start(&config);
    machine_call(__HYPERVISOR_set_timer_op, 0x123456, 0, 0, 0);
    g_assert_cmpuint(machine_l0.last.number, ==, __HYPERVISOR_set_timer_op);
    g_assert_cmphex(machine_l0.last.args[0], ==, 0x123456);
}

static void test_own_timer(void)
{
    unsigned int calls;

    machine_start(&(struct machine_config) { .own_events = true });
    calls = machine_l0.nr_calls;
    g_assert_cmpint(machine_call(__HYPERVISOR_set_timer_op, machine_tsc + 5000, 0,
                                 0, 0), ==, 0);
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls);
    g_assert_cmphex(guest()->timers.singleshot, ==, machine_tsc + 5000);
}

/* Assists -------------------------------------------------------------------------- */

static long assist(uint64_t cmd, uint64_t type)
{
    return machine_call(__HYPERVISOR_vm_assist, cmd, type, 0, 0);
}

static void test_assists(void)
{
    static const uint8_t known[] = { 0, 1, 2, 3, 4, 32 };
    unsigned int type, i;

    machine_start(&config);
    for (type = 0; type < 70; type++) {
        bool is_known = memchr(known, type, sizeof(known));

        if (type == VMASST_TYPE_runstate_update_flag) {
            continue;
        }
        for (i = 0; i < 2; i++) {
            g_assert_cmpint(assist(i ? VMASST_CMD_disable : VMASST_CMD_enable,
                                   type), ==, is_known ? 0 : -XEN_EINVAL);
        }
        g_assert_cmpint(assist(2, type), ==,
                        is_known ? -XEN_ENOSYS : -XEN_EINVAL);
        g_assert_cmpint(assist(UINT32_MAX, type), ==,
                        is_known ? -XEN_ENOSYS : -XEN_EINVAL);
    }
    g_assert_cmpint(assist(VMASST_CMD_enable, UINT32_MAX), ==, -XEN_EINVAL);
}

/* What they set is seen where it is used; a command that is none sets nothing. */
static void test_assists_set(void)
{
    uint64_t table, va = 0xffff900000000000ul;

    machine_start(&config);
    guest()->iopl = 2;
    g_assert_cmpint(assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl), ==,
                    0);
    g_assert_cmphex(iopl_in_frame(guest()), ==, 0x2000);
    assist(2, VMASST_TYPE_architectural_iopl);
    g_assert_cmphex(iopl_in_frame(guest()), ==, 0x2000);
    g_assert_cmpint(assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl), ==,
                    0);
    g_assert_cmphex(iopl_in_frame(guest()), ==, 0);
    assist(2, VMASST_TYPE_architectural_iopl);
    g_assert_cmphex(iopl_in_frame(guest()), ==, 0);
    /* A read-only page table that the kernel writes to. */
    table = machine_frame();
    machine_map(va, table, PTE_PRESENT);
    mark_tables(table, 1);
    /* All the entries get USER. */
    g_assert_true(fix_page_fault(guest(), va, 5, 0));
    g_assert_false(fix_page_fault(guest(), va, 7, 0));
    assist(2, VMASST_TYPE_writable_pagetables);
    g_assert_false(fix_page_fault(guest(), va, 7, 0));
    g_assert_cmpint(assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), ==,
                    0);
    assist(2, VMASST_TYPE_writable_pagetables);
    g_assert_true(fix_page_fault(guest(), va, 7, 0));
    machine_map(va, table, PTE_PRESENT | PTE_USER);
    g_assert_cmpint(assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables),
                    ==, 0);
    g_assert_false(fix_page_fault(guest(), va, 7, 0));
}

static void test_runstate_assist(void)
{
    unsigned int calls;

    machine_start(&config);
    /* If runstates are L0's, so is this. */
    assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag);
    g_assert_cmpuint(machine_l0.last.number, ==, __HYPERVISOR_vm_assist);
    g_assert_cmpuint(machine_l0.last.args[1], ==, VMASST_TYPE_runstate_update_flag);
    machine_boot.own_runstates = true;
    calls = machine_l0.nr_calls;
    g_assert_cmpint(assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag),
                    ==, 0);
    g_assert_cmpint(assist(VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag),
                    ==, 0);
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls);
    /* A command that is none is L0's to refuse. */
    assist(2, VMASST_TYPE_runstate_update_flag);
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls + 1);
}

/* These arguments have 32 bits. */
static void test_short_arguments(void)
{
    machine_start(&config);
    g_assert_cmpint(machine_call(__HYPERVISOR_fpu_taskswitch, 1ul << 32, 0, 0, 0),
                    ==, 0);
    g_assert_false(guest()->guest_ts);
    g_assert_cmpint(assist(1ul << 32 | VMASST_CMD_enable,
                           1ul << 32 | VMASST_TYPE_architectural_iopl), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/hypercalls/segment-base", test_segment_base);
    machine_test("/monitor/hypercalls/user-gs-selector", test_user_gs_selector);
    machine_test("/monitor/hypercalls/taskswitch", test_taskswitch);
    machine_test("/monitor/hypercalls/debugreg", test_debugreg);
    machine_test("/monitor/hypercalls/numbers", test_numbers);
    machine_test("/monitor/hypercalls/registers", test_registers);
    machine_test("/monitor/hypercalls/others", test_others);
    machine_test("/monitor/hypercalls/console", test_console);
    machine_test("/monitor/hypercalls/timer", test_timer);
    machine_test("/monitor/hypercalls/own-timer", test_own_timer);
    machine_test("/monitor/hypercalls/assists", test_assists);
    machine_test("/monitor/hypercalls/assists-set", test_assists_set);
    machine_test("/monitor/hypercalls/runstate-assist", test_runstate_assist);
    machine_test("/monitor/hypercalls/short-arguments", test_short_arguments);
    return g_test_run();
}
