/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traps.c: NMIs, upcalls, and in which order they come; and the LAPIC's interrupts. */

#include "bounces.h"

#include <xen/nmi.h>

#define CALLBACK    (MACHINE_KERNEL_VA + 0x500)
#define NMI_HANDLER (MACHINE_KERNEL_VA + 0x600)
#define XENSTORE_PORT 1

static void start_with_callbacks(void)
{
    start_guest(0);
    g_assert_cmpint(machine_call(__HYPERVISOR_set_callbacks, CALLBACK, 0, 0, 0),
                    ==, 0);
}

static void set_nmi_handler(uint64_t address)
{
    struct xennmi_callback op = { .handler_address = address };

    g_assert_cmpint(machine_call(__HYPERVISOR_nmi_op, XENNMI_register_callback,
                                 machine_put(&op, sizeof(op)), 0, 0), ==, 0);
}

/* NMIs and upcalls ----------------------------------------------------------------- */

static void test_upcall(void)
{
    struct regs regs, was;

    start_with_callbacks();
    g_assert_cmphex(look().rip, !=, CALLBACK);
    guest()->info->evtchn_upcall_pending = 1;
    guest()->info->evtchn_upcall_mask = 1;
    g_assert_false(delivery_due(guest()));
    g_assert_cmphex(look().rip, !=, CALLBACK);
    guest()->info->evtchn_upcall_mask = 0;
    g_assert_true(delivery_due(guest()));
    was = regs = user_trapped(VECTOR_SPURIOUS, 0);
    trap(&regs);
    assert_bounced(&regs, &was, CALLBACK, NO_ERROR, KERNEL_SP);
    g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, 1);
    /* It is masked now; the flag is the guest's to clear. */
    g_assert_cmpuint(guest()->info->evtchn_upcall_pending, ==, 1);
    g_assert_false(delivery_due(guest()));
    g_assert_cmphex(look().rip, !=, CALLBACK);
}

static void test_upcall_without_callback(void)
{
    start_guest(0);
    guest()->info->evtchn_upcall_pending = 1;
    machine_assert_ends(look());
    machine_assert_said("trap 240: no handler");
}

static void test_nmi(void)
{
    struct regs regs, was;

    start_guest(0);
    set_nmi_handler(NMI_HANDLER);
    g_assert_false(delivery_due(guest()));
    guest()->nmi_pending = true;
    g_assert_true(delivery_due(guest()));
    was = regs = user_trapped(EXC_NMI, 0);
    trap(&regs);
    assert_bounced(&regs, &was, NMI_HANDLER, NO_ERROR, KERNEL_SP);
    g_assert_cmpuint(guest()->info->evtchn_upcall_mask, ==, 1);
    /* Until the handler returns, the next one waits. */
    was = regs = trapped(EXC_NMI, 0);
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, was.rip);
    g_assert_true(guest()->nmi_pending);
    g_assert_false(delivery_due(guest()));
    regs.vector = VECTOR_SYSCALL;
    regs.rax = __HYPERVISOR_iret;
    regs.rsp = machine_put(&(struct iret_context) {
                               .rip = 0x1234, .cs = 0x30, .rsp = KERNEL_SP,
                               .ss = 0x28,
                           }, sizeof(struct iret_context));
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, NMI_HANDLER);
    g_assert_cmphex(found_by(&regs, false).rip, ==, 0x1234);
    g_assert_false(guest()->nmi_pending);
    g_assert_cmphex(look().rip, !=, NMI_HANDLER);
}

static void test_nmi_without_handler(void)
{
    struct regs regs, was;

    start_guest(0);
    set_handler(EXC_NMI, 0, 0);
    was = regs = trapped(EXC_NMI, 0);
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, was.rip);
    g_assert_false(delivery_due(guest()));
    /* It is lost: a handler that comes later does not get it, but the next one. */
    g_assert_false(guest()->nmi_pending);
    set_nmi_handler(NMI_HANDLER);
    g_assert_cmphex(look().rip, !=, NMI_HANDLER);
    regs = trapped(EXC_NMI, 0);
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, NMI_HANDLER);
}

/* An exception, above it an NMI, above it an upcall, unless a handler masks that. */
static void test_order(void)
{
    struct regs regs;
    struct found found;
    unsigned int masks;

    for (masks = 0; masks < 4; masks++) {
        if (!masks) {
            start_with_callbacks();
        }
        set_handler(EXC_NP, masks == 1 ? MASKS : 0, HANDLER(EXC_NP));
        set_handler(EXC_NMI, masks == 2 ? MASKS : 0, HANDLER(EXC_NMI));
        guest()->info->evtchn_upcall_mask = masks == 3;
        guest()->info->evtchn_upcall_pending = 1;
        guest()->nmi_masked = false;
        guest()->nmi_pending = true;
        regs = trapped(EXC_NP, 0x18);
        trap(&regs);
        if (!masks) {
            g_assert_cmphex(regs.rip, ==, CALLBACK);
            found = found_by(&regs, false);
            g_assert_cmphex(found.rip, ==, HANDLER(EXC_NMI));
            g_assert_cmphex(found.rsp, ==, regs.rsp + 64);
            regs.rsp = found.rsp;
        } else {
            g_assert_cmphex(regs.rip, ==, HANDLER(EXC_NMI));
        }
        found = found_by(&regs, false);
        g_assert_cmphex(found.rip, ==, HANDLER(EXC_NP));
        regs.rsp = found.rsp;
        g_assert_cmphex(found_by(&regs, true).error, ==, 0x18);
    }
}

/* The LAPIC's ---------------------------------------------------------------------- */

static uint64_t pending_word(void)
{
    return ((shared_info_t *)frame(boot->shared_info_mfn))->evtchn_pending[0];
}

/* The guest's events are L0's: nothing but the end of the interrupt is the monitor's. */
static void test_l0s_events(void)
{
    unsigned int vector;

    start_guest(0);
    for (vector = VECTOR_UPCALL; vector <= VECTOR_TIMER; vector++) {
        struct regs regs, was;

        *machine_msr(MSR_X2APIC_EOI) = 1;
        was = regs = trapped(vector, 0);
        trap(&regs);
        g_assert_cmpmem(&regs, sizeof(regs), &was, sizeof(was));
        g_assert_cmphex(*machine_msr(MSR_X2APIC_EOI), ==, 0);
        *machine_msr(MSR_X2APIC_EOI) = 1;
        was = regs = monitor_trapped(vector, 0x1000);
        trap(&regs);
        g_assert_cmpmem(&regs, sizeof(regs), &was, sizeof(was));
        g_assert_cmphex(*machine_msr(MSR_X2APIC_EOI), ==, 0);
    }
}

/* Wherever it comes, the guest's port is raised. */
static void test_back_ends_event(void)
{
    unsigned int in_monitor;

    for (in_monitor = 0; in_monitor < 2; in_monitor++) {
        struct regs regs;

        if (!in_monitor) {
            start_with_own_events();
        }
        ((shared_info_t *)frame(boot->shared_info_mfn))->evtchn_pending[0] = 0;
        machine_l0_raise(XENSTORE_PORT, 0);
        regs = in_monitor ? monitor_trapped(VECTOR_UPCALL, 0) :
                            trapped(VECTOR_UPCALL, 0);
        trap(&regs);
        g_assert_cmphex(pending_word(), ==, 1ul << XENSTORE_PORT);
        g_assert_cmphex(*machine_msr(MSR_X2APIC_EOI), ==, 0);
    }
}

static void test_timer(void)
{
    struct vcpu_set_singleshot_timer timer;
    struct regs regs;
    unsigned int vector;

    start_with_own_events();
    for (vector = VECTOR_UPCALL; vector <= VECTOR_TIMER; vector++) {
        timer.timeout_abs_ns = machine_tsc + 1000000;
        g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op,
                                     VCPUOP_set_singleshot_timer, 0,
                                     machine_put(&timer, sizeof(timer)), 0), ==, 0);
        machine_tsc += 2000000;
        regs = trapped(vector, 0);
        trap(&regs);
        /* Another interrupt does not look at it. */
        g_assert_cmphex(pending_word() != 0, ==, vector == VECTOR_TIMER);
    }
}

/* Another vCPU has set this one's timer, and kicked it. */
static void test_kick(void)
{
    struct regs regs;

    start_with_own_events();
    guest()->timers.singleshot = machine_tsc + 1000;
    machine_tsc += 2000;
    regs = trapped(VECTOR_KICK, 0);
    trap(&regs);
    g_assert_cmphex(pending_word(), ==, 0);
    guest()->timers.changed = true;
    trap(&regs);
    g_assert_cmphex(pending_word(), !=, 0);
    g_assert_false(guest()->timers.changed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/interrupts/upcall", test_upcall);
    machine_test("/monitor/interrupts/upcall-without-callback",
                 test_upcall_without_callback);
    machine_test("/monitor/interrupts/nmi", test_nmi);
    machine_test("/monitor/interrupts/nmi-without-handler", test_nmi_without_handler);
    machine_test("/monitor/interrupts/order", test_order);
    machine_test("/monitor/interrupts/l0s-events", test_l0s_events);
    machine_test("/monitor/interrupts/back-ends-event", test_back_ends_event);
    machine_test("/monitor/interrupts/timer", test_timer);
    machine_test("/monitor/interrupts/kick", test_kick);
    return g_test_run();
}
