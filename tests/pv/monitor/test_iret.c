/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traps.c: how the guest's kernel returns: the iret hypercall, and iretq's faults. */

#include "bounces.h"

#include <xen/physdev.h>

static const struct iret_context to_kernel = {
    .rax = 0xb1, .r11 = 0xb2, .rcx = 0xb3, .flags = 0,
    .rip = MACHINE_KERNEL_VA + 0x40, .cs = SEL_CS64 & ~3ul, .rflags = FLAG_IF | 2,
    .rsp = MACHINE_KERNEL_VA + 0x2f00, .ss = SEL_DS & ~3ul,
};

static struct iret_context to_user(void)
{
    struct iret_context frame = to_kernel;

    frame.cs = SEL_CS64;
    frame.ss = SEL_DS;
    frame.rip = USER_RIP;
    frame.rsp = USER_SP;
    return frame;
}

/* The guest's registers after an iret by this frame. */
static struct regs after_iret(const struct iret_context *frame)
{
    struct regs regs = trapped(VECTOR_SYSCALL, 0);

    regs.rax = __HYPERVISOR_iret;
    regs.rsp = machine_put(frame, sizeof(*frame));
    trap(&regs);
    return regs;
}

static void assert_iret_ends(uint64_t rsp, const char *said)
{
    struct regs regs = trapped(VECTOR_SYSCALL, 0);

    regs.rax = __HYPERVISOR_iret;
    regs.rsp = rsp;
    machine_assert_ends(trap(&regs));
    machine_assert_said(said);
    g_string_truncate(machine_l0.console, 0);
}

static void test_kernel(void)
{
    const size_t below_r11 = offsetof(struct regs, r11);
    struct regs regs, was = trapped(0, 0);
    unsigned int ring;

    start_guest(0);
    for (ring = 0; ring < 3; ring++) {
        struct iret_context frame = to_kernel;

        frame.cs |= ring;
        frame.ss |= ring;
        regs = after_iret(&frame);
        g_assert_cmphex(regs.rip, ==, frame.rip);
        g_assert_cmphex(regs.cs, ==, SEL_CS64);
        g_assert_cmphex(regs.ss, ==, SEL_DS);
        g_assert_cmphex(regs.rsp, ==, frame.rsp);
        g_assert_cmphex(regs.rflags, ==, FLAG_IF | 2);
        g_assert_cmphex(regs.rax, ==, 0xb1);
        g_assert_cmphex(regs.r11, ==, 0xb2);
        g_assert_cmphex(regs.rcx, ==, 0xb3);
        /* The others are those of the call. */
        g_assert_cmpmem(&regs, below_r11, &was, below_r11);
        g_assert_cmphex(regs.rdi, ==, was.rdi);
        g_assert_cmphex(regs.rsi, ==, was.rsi);
        g_assert_cmphex(regs.rdx, ==, was.rdx);
        g_assert_true(guest()->kernel_mode);
        g_assert_cmphex(*machine_msr(MSR_GS_BASE), ==, 0x1000);
    }
}

static void test_user(void)
{
    struct iret_context frame = to_user();
    struct regs regs;

    start_guest(0);
    regs = after_iret(&frame);
    g_assert_cmphex(regs.rip, ==, USER_RIP);
    g_assert_cmphex(regs.cs, ==, SEL_CS64);
    g_assert_cmphex(regs.rsp, ==, USER_SP);
    g_assert_cmphex(regs.rax, ==, 0xb1);
    g_assert_false(guest()->kernel_mode);
    g_assert_cmphex(machine_processors[0].cr3, ==,
                    guest()->user_top << PAGE_SHIFT);
    g_assert_cmphex(*machine_msr(MSR_GS_BASE), ==, 0x2000);
    g_assert_cmphex(*machine_msr(MSR_KERNEL_GS_BASE), ==, 0x1000);
    /* And back. */
    regs.vector = 3;
    trap(&regs);
    g_assert_true(guest()->kernel_mode);
    g_assert_cmphex(regs.rsp, ==, KERNEL_SP - 64 + 8);
}

/* Only 16 bits of a selector are one, and none of ring 0 is left. */
static void test_selectors(void)
{
    struct iret_context frame = to_user();
    struct regs regs;

    start_guest(0);
    frame.cs = 0x123456780000ul | SEL_CS32;
    frame.ss = 0xffffffffffff0000ul | 0x28;
    regs = after_iret(&frame);
    g_assert_cmphex(regs.cs, ==, SEL_CS32);
    g_assert_cmphex(regs.ss, ==, 0x2b);
    g_assert_false(guest()->kernel_mode);
    toggle_mode(guest());
    /* The monitor's own: the processor refuses them, as their DPL is 0. */
    frame.cs = SEL_MONITOR_CS;
    frame.ss = SEL_MONITOR_SS;
    regs = after_iret(&frame);
    g_assert_cmphex(regs.cs, ==, SEL_MONITOR_CS | 3);
    g_assert_cmphex(regs.ss, ==, SEL_MONITOR_SS | 3);
}

static void test_in_syscall(void)
{
    static const uint64_t others[] = { 0, ~(uint64_t)VGCF_in_syscall };
    struct iret_context frame = to_user();
    struct regs regs;
    unsigned int i;

    start_guest(0);
    frame.flags = VGCF_in_syscall;
    frame.rflags = FLAG_CF | FLAG_IOPL;
    regs = after_iret(&frame);
    g_assert_cmphex(regs.rcx, ==, USER_RIP);
    g_assert_cmphex(regs.r11, ==, FLAG_CF | FLAG_IF | 2);
    g_assert_cmphex(regs.rax, ==, 0xb1);
    for (i = 0; i < G_N_ELEMENTS(others); i++) {
        toggle_mode(guest());
        frame.flags = others[i];
        regs = after_iret(&frame);
        g_assert_cmphex(regs.rcx, ==, 0xb3);
        g_assert_cmphex(regs.r11, ==, 0xb2);
    }
}

static void test_flags(void)
{
    struct iret_context frame = to_kernel;
    struct regs regs;

    start_guest(0);
    frame.rflags = ~0ul;
    regs = after_iret(&frame);
    g_assert_cmphex(regs.rflags, ==, ~(FLAG_IOPL | FLAG_VM));
    g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, 0);
    g_assert_cmpuint(guest()->iopl, ==, 0);
    /* The flag is the mask; the processor's is always set. */
    frame.rflags = ~FLAG_IF;
    regs = after_iret(&frame);
    g_assert_cmphex(regs.rflags, ==, ~(FLAG_IOPL | FLAG_VM));
    g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, 1);
    frame.rflags = 0;
    regs = after_iret(&frame);
    g_assert_cmphex(regs.rflags, ==, FLAG_IF | 2);
}

static void test_iopl(void)
{
    struct iret_context frame = to_kernel;
    struct physdev_set_iopl iopl = { .iopl = 2 };

    start_guest(0);
    g_assert_cmpint(machine_call(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl,
                                 machine_put(&iopl, sizeof(iopl)), 0, 0), ==, 0);
    frame.rflags |= FLAG_IOPL;
    after_iret(&frame);
    g_assert_cmpuint(guest()->iopl, ==, 2);
    g_assert_cmpint(machine_call(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                                 VMASST_TYPE_architectural_iopl, 0, 0), ==, 0);
    after_iret(&frame);
    g_assert_cmpuint(guest()->iopl, ==, 3);
    frame.rflags = 0x1000;
    after_iret(&frame);
    g_assert_cmpuint(guest()->iopl, ==, 1);
}

static void test_no_frame(void)
{
    static const uint64_t places[] = {
        0, M2P_VA, HYPERVISOR_END - 8, 1ul << 63, (1ul << 47) - 8,
        MACHINE_KERNEL_VA - 8, DIRECTMAP_VA, WINDOWS_VA, -8ul,
    };
    /* The last word is on a page that is not mapped. */
    const uint64_t last = MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE -
                          sizeof(struct iret_context) + 8;
    unsigned int i;

    start_guest(0);
    for (i = 0; i < G_N_ELEMENTS(places); i++) {
        assert_iret_ends(places[i], "the iret hypercall finds no frame at 0x");
    }
    assert_iret_ends(last, "the iret hypercall finds no frame at 0x");
}

static void test_no_user_tables(void)
{
    struct iret_context frame = to_user();

    start_guest(0);
    g_assert_cmpint(set_user_top(guest(), 0), ==, 0);
    assert_iret_ends(machine_put(&frame, sizeof(frame)),
                     "an iret to user mode, for which there are no page tables");
    /* The kernel's own return needs none. */
    frame.cs &= ~1ul;
    g_assert_cmphex(after_iret(&frame).rip, ==, USER_RIP);
}

/* An iretq that faults: @frame is on the monitor's stack, as the processor had it. */
static struct regs faulted(unsigned int vector, uint64_t error,
                           const uint64_t frame[5])
{
    struct regs regs = trapped(vector, error);

    regs.cs = SEL_MONITOR_CS;
    regs.ss = SEL_MONITOR_SS;
    regs.rip = (uint64_t)iret_to_guest;
    regs.rsp = (uint64_t)frame;
    trap(&regs);
    return regs;
}

static void test_iretq_faults(void)
{
    static const struct {
        unsigned int vector, seen;
        uint64_t error, seen_error;
    } rows[] = {
        { EXC_GP, EXC_GP, 0x1230, 0x1230 },
        { EXC_GP, EXC_GP, 0, 0 },
        { EXC_NP, EXC_NP, 0x1238, 0x1238 },
        { EXC_SS, EXC_SS, 0x2b, 0x2b },
        /* Of the descriptor, which is in the window, or of nobody knows what. */
        { EXC_PF, EXC_GP, 2, 0 },
        { 17, EXC_GP, 0, 0 },
        { EXC_UD, EXC_GP, 0x55, 0 },
        { 31, EXC_GP, 0x55, 0 },
    };
    const uint64_t frame[5] = {
        1ul << 63, 0x2b, FLAG_IF | FLAG_CF | 2, USER_SP + 8, 0x33,
    };
    struct regs regs, was;
    unsigned int i, user;

    start_guest(MASKS);
    for (i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        user = i & 1;
        if (user == guest()->kernel_mode) {
            toggle_mode(guest());
        }
        guest()->info->evtchn_upcall_mask = 0;
        was = trapped(0, 0);
        was.rip = frame[0];
        was.rflags = frame[2];
        was.rsp = frame[3];
        was.ss = frame[4];
        if (user) {
            regs = faulted(rows[i / 2].vector, rows[i / 2].error, frame);
        } else {
            uint64_t kernels[5];

            memcpy(kernels, frame, sizeof(kernels));
            was.rsp = kernels[3] = KERNEL_SP - 4;
            regs = faulted(rows[i / 2].vector, rows[i / 2].error, kernels);
        }
        assert_bounced(&regs, &was, HANDLER(rows[i / 2].seen),
                       rows[i / 2].seen_error, user ? KERNEL_SP : was.rsp);
        g_assert_cmphex(found_by(&regs, true).cs, ==, user ? 0x2b : 0x28);
        g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, 1);
        g_assert_true(guest()->in_guest);
    }
}

/* What came meanwhile is delivered, too. */
static void test_iretq_fault_and_upcall(void)
{
    const uint64_t frame[5] = { 0, 0x2b, FLAG_IF | 2, KERNEL_SP, 0x33 };
    struct regs regs;

    start_guest(0);
    guest()->event_callback = MACHINE_KERNEL_VA + 0x500;
    guest()->info->evtchn_upcall_pending = 1;
    guest()->flush_pending = true;
    regs = faulted(EXC_GP, 0, frame);
    g_assert_cmphex(regs.rip, ==, MACHINE_KERNEL_VA + 0x500);
    g_assert_cmphex(found_by(&regs, false).rip, ==, HANDLER(EXC_GP));
    g_assert_false(guest()->flush_pending);
}

static bool in_guest_seen;

static bool look_at_in_guest(const struct pv_call *call, long *result)
{
    in_guest_seen |= guest()->in_guest;
    return false;
}

/* While the monitor is at work, no other vCPU waits for this one to flush its TLB. */
static void test_in_monitor(void)
{
    const uint64_t frame[5] = { 0, 0x2b, FLAG_IF | 2, 8, 0x33 };

    start_guest(0);
    g_assert_true(guest()->in_guest);
    machine_hooks.l0 = look_at_in_guest;
    machine_assert_ends(faulted(EXC_GP, 0, frame));
    g_assert_false(in_guest_seen);
}

/* "Discard R11, RCX, CS, SS": SYSRET has selectors of its own. */
static void test_in_syscall_selectors(void)
{
    struct iret_context frame = to_user();
    struct regs regs;

    start_guest(0);
    frame.flags = VGCF_in_syscall;
    frame.cs = 3;
    frame.ss = 0;
    regs = after_iret(&frame);
    g_assert_cmphex(regs.cs, ==, SEL_CS64);
    g_assert_cmphex(regs.ss, ==, SEL_DS);
    toggle_mode(guest());
    /* But for 32-bit code, which Xen knows by its selector. */
    frame.cs = SEL_CS32;
    regs = after_iret(&frame);
    g_assert_cmphex(regs.cs, ==, SEL_CS32);
    g_assert_cmphex(regs.ss, ==, SEL_DS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/iret/kernel", test_kernel);
    machine_test("/monitor/iret/user", test_user);
    machine_test("/monitor/iret/selectors", test_selectors);
    machine_test("/monitor/iret/in-syscall", test_in_syscall);
    machine_test("/monitor/iret/flags", test_flags);
    machine_test("/monitor/iret/iopl", test_iopl);
    machine_test("/monitor/iret/no-frame", test_no_frame);
    machine_test("/monitor/iret/no-user-tables", test_no_user_tables);
    machine_test("/monitor/iret/iretq-faults", test_iretq_faults);
    machine_test("/monitor/iret/iretq-fault-and-upcall", test_iretq_fault_and_upcall);
    machine_test("/monitor/iret/in-monitor", test_in_monitor);
    machine_test("/monitor/iret/in-syscall-selectors", test_in_syscall_selectors);
    return g_test_run();
}
