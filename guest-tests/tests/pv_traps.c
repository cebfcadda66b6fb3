/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a PV guest's traps come and go: software interrupts, returns as by SYSRET, debug
 * registers, and what the tables of handlers take.
 */

#include "debug_registers.h"
#include "internal.h"
#include "user_mode.h"

#ifdef GUEST_PV

#include <xen/callback.h>
#include <xen/nmi.h>

#define CODE(name) name, name##_end
#define DPL(n) (n)
#define MASKS_EVENTS 4

#define DR6_B1 2ul
#define DR6_STEP 0x4000ul

extern char exception_stubs[32][16];

/* Stubs whose exceptions no test raises: they say which gate was used. */
#define GATE_STUB 5
#define OTHER_STUB 9

static struct trap_info gate(uint8_t vector, uint8_t dpl, const void *handler)
{
    return (struct trap_info){
        .vector = vector,
        .flags = DPL(dpl) | MASKS_EVENTS,
        .cs = FLAT_KERNEL_CS,
        .address = (uintptr_t)handler,
    };
}

static long set_trap_table(const struct trap_info *table)
{
    return hypercall(__HYPERVISOR_set_trap_table, (uintptr_t)table, 0, 0, 0, 0);
}

static void set_gate(uint8_t vector, uint8_t dpl, const void *handler)
{
    struct trap_info table[2] = { gate(vector, dpl, handler) };

    check_equal(set_trap_table(table), 0);
}

/* Software interrupts ---------------------------------------------------------------- */

USER_CODE(code_int, "int $0; ud2");

/* The stub takes no error code: if there were one all of the frame would be wrong. */
TEST(int_of_a_vector_with_an_error_code, "pv")
{
    static const uint8_t vectors[] = { 8, 10, 11, 12, 13, 14, 17, 21, 30 };
    char *code = user_begin(CODE(code_int));
    struct trap trap;
    unsigned int i;

    user_load();
    for (i = 0; i < sizeof(vectors); i++) {
        code[1] = vectors[i];
        set_gate(vectors[i], 3, exception_stubs[GATE_STUB]);
        user_run(&(struct user){ .ax = 0 }, &trap);
        traps_init();
        if (!check_equal(trap.regs.vector, GATE_STUB) ||
            !check_equal(trap.regs.ip, USER_CODE_AT + 2) ||
            !check_equal(trap.regs.cs & 0xffff, FLAT_USER_CS) ||
            !check_equal(trap.regs.sp, USER_STACK_TOP) ||
            !check_equal(trap.regs.ss & 0xffff, FLAT_USER_SS)) {
            test_note("int %u", vectors[i]);
        }
    }
    user_end();
}

static void int_11(void *opaque)
{
    asm volatile("int $11");
}

TEST(kernels_int_of_a_vector_with_an_error_code, "pv")
{
    struct trap trap;

    set_gate(11, 3, exception_stubs[GATE_STUB]);
    check(trapped(&trap, int_11, NULL));
    traps_init();
    check_equal(trap.regs.vector, GATE_STUB);
    check_equal(((const uint16_t *)trap.regs.ip)[-1], 0x0bcd);
    check_equal(trap.regs.ss & 0xffff, FLAT_KERNEL_SS);
}

/* Returns as by SYSRET ------------------------------------------------------------------ */

USER_CODE(code_ud2, "ud2");

TEST(returns_as_by_sysret, "pv")
{
    static const struct {
        const char *name;
        uint64_t cs, ss, becomes;
    } rows[] = {
        { "the usual ones", FLAT_USER_CS, FLAT_USER_SS, FLAT_USER_CS },
        { "32-bit code", FLAT_USER_CS32, FLAT_USER_SS, FLAT_USER_CS32 },
        { "no code", 0x1233, FLAT_USER_SS, FLAT_USER_CS },
        { "data for code", FLAT_USER_SS, FLAT_USER_SS, FLAT_USER_CS },
        { "no stack", FLAT_USER_CS, 0x1233, FLAT_USER_CS },
        { "code for stack", FLAT_USER_CS, FLAT_USER_CS, FLAT_USER_CS },
        { "32-bit code, no stack", FLAT_USER_CS32, 0x1230, FLAT_USER_CS32 },
        { "neither", 3, 0x1230, FLAT_USER_CS },
    };
    struct trap trap;
    unsigned int i;

    user_begin(CODE(code_ud2));
    user_load();
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        user_run(&(struct user){ .cs = rows[i].cs,
                                 .ss = rows[i].ss,
                                 .in_syscall = true },
                 &trap);
        check_equal(trap.regs.vector, EXC_UD);
        check_equal(trap.regs.ip, USER_CODE_AT);
        check_equal(trap.regs.cs & 0xffff, rows[i].becomes);
        check_equal(trap.regs.ss & 0xffff, FLAT_USER_SS);
        check_equal(trap.regs.cx, USER_CODE_AT);
        check_equal(trap.regs.sp, USER_STACK_TOP);
    }
    user_end();
}

USER_CODE(code_syscall, "syscall");

/*
 * The callback's stub keeps the flags that it is entered with, and suits this handler,
 * too.  DF is not looked at: whether Xen leaves it is an accident of the stack's address.
 */
TEST(flags_of_a_system_call_that_is_none, "pv")
{
    extern const char event_callback[], failsafe_callback[];
    struct trap trap;

    user_begin(CODE(code_syscall));
    user_load();
    check_equal(hypercall(__HYPERVISOR_set_callbacks, (uintptr_t)event_callback,
                          (uintptr_t)failsafe_callback, 0, 0, 0),
                0);
    set_gate(EXC_UD, 0, system_call_callback);
    user_run(&(struct user){ .flags = FLAG_DF | FLAG_NT | FLAG_AC }, &trap);
    traps_init();
    check_equal(trap.regs.vector, VECTOR_SYSTEM_CALL);
    check_equal(trap.regs.ip, USER_CODE_AT);
    check_equal(trap.regs.flags & FLAG_DF, FLAG_DF);
    check_equal(trap.flags & (FLAG_TF | FLAG_NT | FLAG_AC), 0);
    user_end();
}

/* Debug registers --------------------------------------------------------------------- */

TEST(bits_of_dr7, "pv")
{
    static const uint64_t never[] = { 1ul << 11, 1ul << 12, 1ul << 14,
                                      1ul << 15, 0xd800 };
    unsigned int i;

    for (i = 0; i < sizeof(never) / sizeof(*never); i++) {
        check_equal(set_debugreg(7, never[i]), 0);
        check_equal(get_debugreg(7), DR7_DEFAULT);
    }
    check_equal(set_debugreg(7, DR7_DEFAULT), 0);
}

static void step(void *opaque)
{
    asm volatile("pushf; orl %0, (%%rsp); popf; nop; nop"
                 :
                 : "i"(FLAG_TF)
                 : "memory", "cc");
}

TEST(bits_of_dr6_stay, "pv")
{
    struct trap trap;

    check_equal(set_debugreg(6, DR6_DEFAULT | DR6_B1), 0);
    check_equal(get_debugreg(6), DR6_DEFAULT | DR6_B1);
    check(trapped(&trap, step, NULL));
    check_equal(trap.regs.vector, EXC_DB);
    check_equal(get_debugreg(6), DR6_DEFAULT | DR6_B1 | DR6_STEP);
    test_row("until they are cleared");
    check_equal(set_debugreg(6, DR6_DEFAULT), 0);
    check(trapped(&trap, step, NULL));
    check_equal(get_debugreg(6), DR6_DEFAULT | DR6_STEP);
    check_equal(set_debugreg(6, DR6_DEFAULT), 0);
}

/* Tables of handlers ------------------------------------------------------------------ */

static void int_0x41(void *opaque)
{
    asm volatile("int $0x41");
}

TEST(trap_table_of_many_entries, "pv")
{
    enum { ENTRIES = 1000, PAGES = 4 };
    struct trap_info *table = page_alloc(PAGES);
    struct trap trap;
    unsigned int i;

    _Static_assert((ENTRIES + 1) * sizeof(*table) <= PAGES * PAGE_SIZE,
                   "the table has room");
    for (i = 0; i < ENTRIES; i++) {
        table[i] = gate(
            0x41, 3, exception_stubs[i < ENTRIES - 1 ? GATE_STUB : OTHER_STUB]);
    }
    check_equal(set_trap_table(table), 0);
    check(trapped(&trap, int_0x41, NULL));
    check_equal(trap.regs.vector, OTHER_STUB);

    test_row("an entry at no address");
    table[0] = gate(0x41, 3, exception_stubs[GATE_STUB]);
    table[1] = gate(0x41, 3, (void *)NOT_CANONICAL);
    check_equal(set_trap_table(table), -XEN_EINVAL);
    check(trapped(&trap, int_0x41, NULL));
    check_equal(trap.regs.vector, GATE_STUB);
    test_row("a table at no address");
    check_equal(set_trap_table((void *)HYPERVISOR_START), -XEN_EFAULT);

    test_row("no table");
    check_equal(set_trap_table(NULL), 0);
    traps_init();
    check(trapped(&trap, int_0x41, NULL));
    check_equal(trap.regs.vector, EXC_GP);
}

TEST(callbacks_that_stay, "pv")
{
    static const struct {
        const char *name;
        uint16_t type;
        int result;
    } rows[] = {
        { "event", CALLBACKTYPE_event, -XEN_EINVAL },
        { "failsafe", CALLBACKTYPE_failsafe, -XEN_EINVAL },
        { "syscall", CALLBACKTYPE_syscall, -XEN_EINVAL },
        { "syscall32", CALLBACKTYPE_syscall32, -XEN_EINVAL },
        { "sysenter", CALLBACKTYPE_sysenter, -XEN_EINVAL },
        { "deprecated sysenter", CALLBACKTYPE_sysenter_deprecated,
          -XEN_ENOSYS },
        { "6", 6, -XEN_ENOSYS },
        { "8", 8, -XEN_ENOSYS },
        { "the last", 0xffff, -XEN_ENOSYS },
    };
    unsigned int i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct callback_unregister op = { .type = rows[i].type };

        test_row(rows[i].name);
        check_equal(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_unregister,
                              (uintptr_t)&op, 0, 0, 0),
                    rows[i].result);
    }
    test_row("no argument");
    check_equal(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_unregister,
                          HYPERVISOR_START, 0, 0, 0),
                -XEN_EFAULT);
}

/* NMIs ---------------------------------------------------------------------------------- */

static void send_nmi(void *opaque)
{
    HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, NULL);
}

static void sleep_a_little(void *opaque)
{
    sched_poll(NULL, 0, system_time() + 1000000);
}

/* An NMI that no handler takes is lost, and the next one comes. */
TEST(nmi_without_a_handler, "alone pv")
{
    struct trap trap;

    check_equal(hypercall(__HYPERVISOR_nmi_op, XENNMI_unregister_callback, 0, 0,
                          0, 0),
                0);
    check(!trapped(&trap, send_nmi, NULL));
    set_gate(EXC_NMI, 0, exception_stubs[OTHER_STUB]);
    check(!trapped(&trap, sleep_a_little, NULL));
    check(trapped(&trap, send_nmi, NULL));
    check_equal(trap.regs.vector, OTHER_STUB);
}

#endif /* GUEST_PV */
