/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print.c: lines on L0's console, and what is told of a guest that crashes. */

#include "bounces.h"

#include <xen/sched.h>

#define LINE 160
#define PREFIX "pv-monitor: "

static void start_printing(void)
{
    start_guest(0);
    g_string_truncate(machine_l0.console, 0);
}

static void assert_printed(const char *text)
{
    g_assert_cmpstr(machine_l0.console->str, ==, text);
    g_string_truncate(machine_l0.console, 0);
}

/* Lines ---------------------------------------------------------------------------- */

static void test_formats(void)
{
    start_printing();
    print("nothing");
    assert_printed(PREFIX "nothing\n");
    print("%s and %s%s.", "one", "", "two");
    assert_printed(PREFIX "one and two.\n");
    print("%u %u %u", 0, 10, UINT32_MAX);
    assert_printed(PREFIX "0 10 4294967295\n");
    print("%x %x %x", 0, 0xabc, UINT32_MAX);
    assert_printed(PREFIX "0 abc ffffffff\n");
    print("%lu %lu", 0ul, UINT64_MAX);
    assert_printed(PREFIX "0 18446744073709551615\n");
    print("%lx %lx", 0x123456789abcdef0ul, UINT64_MAX);
    assert_printed(PREFIX "123456789abcdef0 ffffffffffffffff\n");
    /* Each argument is of its own size. */
    print("%u%lx%u%s%lx", 1, 0x2ul << 32, 3, "s", 4ul);
    assert_printed(PREFIX "12000000003s4\n");
}

static void test_widths(void)
{
    start_printing();
    print("%4u|%4u|%4u", 7, 1234, 12345);
    assert_printed(PREFIX "   7|1234|12345\n");
    print("%02x|%02x|%04lx|%016lx", 7, 0x123, 0xaul, 0xabcul);
    assert_printed(PREFIX "07|123|000a|0000000000000abc\n");
    print("%12u|%012u", 1, 1);
    assert_printed(PREFIX "           1|000000000001\n");
    /* More than any number has. */
    print("%099u|", 1);
    assert_printed(PREFIX "000000000000000000000001|\n");
}

/* One line is one call to L0, of a length that has an end. */
static void test_long_lines(void)
{
    char text[2 * LINE];
    unsigned int calls, length, most = LINE - 1 - strlen(PREFIX);

    start_printing();
    for (length = 0; length < sizeof(text); length++) {
        memset(text, 'a', length);
        text[length] = 0;
        calls = machine_l0.nr_calls;
        print("%s", text);
        g_assert_cmpuint(machine_l0.nr_calls, ==, calls + 1);
        if (length <= most) {
            g_assert_cmpuint(machine_l0.console->len, ==,
                             strlen(PREFIX) + length + 1);
            g_assert_true(g_str_has_suffix(machine_l0.console->str, "\n"));
        } else {
            g_assert_cmpuint(machine_l0.console->len, ==, LINE);
        }
        g_assert_true(g_str_has_prefix(machine_l0.console->str, PREFIX));
        g_string_truncate(machine_l0.console, 0);
    }
    /* Numbers end there, too. */
    print("%s%lx%s%u", text, 1ul, text, 2);
    g_assert_cmpuint(machine_l0.console->len, ==, LINE);
}

/* Crashes -------------------------------------------------------------------------- */

static unsigned int nr_shutdowns;

/* L0 does not end the guest at once. */
static bool count_shutdowns(const struct pv_call *call, long *result)
{
    if (call->number != __HYPERVISOR_sched_op) {
        return false;
    }
    g_assert_cmpuint(call->args[0], ==, SCHEDOP_shutdown);
    g_assert_cmpuint(((struct sched_shutdown *)call->args[1])->reason, ==,
                     SHUTDOWN_crash);
    *result = -XEN_EINVAL;
    return ++nr_shutdowns < 4;
}

static void test_no_dump(void)
{
    start_printing();
    machine_hooks.l0 = count_shutdowns;
    machine_assert_ends(crash_guest(NULL, "because of %s %u", "this", 5));
    g_assert_cmpuint(nr_shutdowns, ==, 4);
    assert_printed(PREFIX "because of this 5\n");
}

static struct regs crashed_at(uint64_t rip)
{
    struct regs regs = trapped(14, 0xabc);

    regs.rip = rip;
    regs.rflags = 0x202;
    return regs;
}

static void test_registers(void)
{
    static const uint8_t code[16] = {
        0, 1, 2, 0x80, 0xff, 5, 6, 7, 8, 9, 10, 11, 12,
    };
    static const uint64_t stack[8] = {
        1, 2, 3, 0x1234567890abcdef, 5, 6, 7, UINT64_MAX,
    };
    struct regs regs;
    g_autofree char *tables = NULL;

    start_printing();
    regs = crashed_at(machine_put(code, sizeof(code)));
    regs.rsp = machine_put(stack, sizeof(stack));
    machine_processors[0].cr2 = 0x123456;
    *machine_msr(MSR_FS_BASE) = 0x7777;
    machine_assert_ends(crash_guest(&regs, "why"));
    g_assert_true(g_str_has_prefix(machine_l0.console->str,
        PREFIX "why\n"
        PREFIX "vCPU 0 in kernel mode, vector 14, error abc\n"
        PREFIX "rip e033:ffffffff80004000 rsp e02b:ffffffff80004040 flags 202\n"
        PREFIX "rax 00000000000000a1 rbx 00000000000000a2 rcx 00000000000000a3 "
               "rdx 00000000000000a4\n"
        PREFIX "rsi 00000000000000a5 rdi 00000000000000a6 rbp 00000000000000a7 "
               "r8  00000000000000a8\n"
        PREFIX "r9  00000000000000a9 r10 00000000000000aa r11 00000000000000ab "
               "r12 00000000000000ac\n"
        PREFIX "r13 00000000000000ad r14 00000000000000ae r15 00000000000000af "
               "cr2 0000000000123456\n"));
    tables = g_strdup_printf(PREFIX "kernel's tables %lx, user's %lx, fs 7777, "
                             "gs 1000\n", guest()->kernel_top,
                             guest()->user_top);
    machine_assert_said(tables);
    machine_assert_said(PREFIX "code 00 01 02 80 ff 05 06 07 08 09 0a 0b\n");
    machine_assert_said(PREFIX "stack 0000000000000001 0000000000000002 "
                        "0000000000000003 1234567890abcdef\n"
                        PREFIX "      0000000000000005 0000000000000006 "
                        "0000000000000007 ffffffffffffffff\n");
    /* Of the address 0x123456, which has no tables. */
    machine_assert_said(PREFIX "cr2's entry at level 4: 0\n");
    g_assert_null(strstr(machine_l0.console->str, "level 3"));
}

static void test_modes(void)
{
    struct regs regs;

    start_printing();
    toggle_mode(guest());
    regs = crashed_at(0);
    machine_assert_ends(crash_guest(&regs, "why"));
    machine_assert_said("vCPU 0 in user mode,");
    g_string_truncate(machine_l0.console, 0);
    regs.cs = SEL_MONITOR_CS;
    machine_assert_ends(crash_guest(&regs, "why"));
    machine_assert_said("vCPU 0 in the monitor's mode,");
}

/* Addresses of the guest's that lead nowhere, or to the monitor. */
static void test_no_memory(void)
{
    const uint64_t end = MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE;
    const struct {
        uint64_t rip, rsp;
        bool code, stack;
    } rows[] = {
        { 0, 0, false, false },
        { DIRECTMAP_VA, WINDOWS_VA, false, false },
        { 1ul << 63, -8ul, false, false },
        { end - 16, end - 64, true, true },
        { end - 15, end - 64, false, true },
        { end - 16, end - 63, true, false },
        { HYPERVISOR_END - 1, HYPERVISOR_END - 8, false, false },
    };
    struct regs regs;
    unsigned int i;

    start_printing();
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        regs = crashed_at(rows[i].rip);
        regs.rsp = rows[i].rsp;
        machine_assert_ends(crash_guest(&regs, "why"));
        g_assert_cmpint(!!strstr(machine_l0.console->str, "code"), ==,
                        rows[i].code);
        g_assert_cmpint(!!strstr(machine_l0.console->str, "stack"), ==,
                        rows[i].stack);
        g_string_truncate(machine_l0.console, 0);
    }
}

/* The kernel's tables for the address that has faulted. */
static void test_walk(void)
{
    const uint64_t va = MACHINE_KERNEL_VA + 6 * PAGE_SIZE;
    g_autofree char *level_1 = NULL;
    struct regs regs = crashed_at(0);
    uint64_t mfn;

    start_printing();
    mfn = machine_frame();
    machine_map(va, mfn, PTE_PRESENT | PTE_WRITE | PTE_DIRTY);
    machine_processors[0].cr2 = va;
    toggle_mode(guest());
    machine_assert_ends(crash_guest(&regs, "why"));
    level_1 = g_strdup_printf("cr2's entry at level 1: %lx\n",
                              mfn << PAGE_SHIFT | 0x43);
    machine_assert_said(level_1);
    machine_assert_said("cr2's entry at level 4: ");
    machine_assert_said("cr2's entry at level 2: ");
    g_string_truncate(machine_l0.console, 0);
    /* The monitor's addresses are in no table of the guest's. */
    machine_processors[0].cr2 = MONITOR_VA;
    machine_assert_ends(crash_guest(&regs, "why"));
    g_assert_null(strstr(machine_l0.console->str, "cr2's entry"));
}

/* Of a guest that crashes, and has made @nr hypercalls, with numbers from 1000 on. */
static void assert_calls_told(unsigned int nr)
{
    g_autoptr(GString) expected = g_string_new(NULL);
    struct regs regs = crashed_at(0);
    const char *calls;
    unsigned int i;

    while (guest()->nr_calls < nr) {
        machine_call(1000 + guest()->nr_calls, 0, 0, 0, 0);
    }
    for (i = nr < 16 ? 0 : nr - 16; i < nr; i++) {
        g_string_append_printf(expected, PREFIX "hypercall %u\n", 1000 + i);
    }
    machine_assert_ends(crash_guest(&regs, "why"));
    calls = strstr(machine_l0.console->str, PREFIX "hypercall");
    g_assert_cmpstr(calls ? calls : "", ==, expected->str);
    g_string_truncate(machine_l0.console, 0);
}

static void test_hypercalls(void)
{
    static const unsigned int numbers[] = { 0, 1, 15, 16, 17, 32, 100 };
    unsigned int i;

    start_printing();
    guest()->nr_calls = 0;
    for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
        assert_calls_told(numbers[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/print/formats", test_formats);
    machine_test("/monitor/print/widths", test_widths);
    machine_test("/monitor/print/long-lines", test_long_lines);
    machine_test("/monitor/print/no-dump", test_no_dump);
    machine_test("/monitor/print/registers", test_registers);
    machine_test("/monitor/print/modes", test_modes);
    machine_test("/monitor/print/no-memory", test_no_memory);
    machine_test("/monitor/print/walk", test_walk);
    machine_test("/monitor/print/hypercalls", test_hypercalls);
    return g_test_run();
}
