/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls of a PV guest: of which arguments all 64 bits count, and what those are
 * answered that the hypervisor does not take.
 */

#include "ports.h"
#include "user_mode.h"

#ifdef GUEST_PV

#define UPPER (1ul << 32)
#define CR0_TS 8ul

/* Numbers and lists -------------------------------------------------------------------- */

/* By all of the register; the hypercall page sets its lower half. */
static long call_number(uint64_t number, uint64_t a, uint64_t b)
{
    long result;

    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b)
                 : "rcx", "r11", "memory");
    return result;
}

TEST(hypercalls_of_no_number, "pv")
{
    check(call_number(__HYPERVISOR_xen_version, XENVER_version, 0) >= 0x40000);
    check_equal(
        call_number(UPPER | __HYPERVISOR_xen_version, XENVER_version, 0),
        -XEN_ENOSYS);
    check_equal(
        call_number(1ul << 63 | __HYPERVISOR_xen_version, XENVER_version, 0),
        -XEN_ENOSYS);
    check_equal(call_number(63, 0, 0), -XEN_ENOSYS);
    check_equal(call_number(~0ul, 0, 0), -XEN_ENOSYS);
}

static long multicall(const void *calls, uint64_t nr)
{
    return hypercall(__HYPERVISOR_multicall, (uintptr_t)calls, nr, 0, 0, 0);
}

TEST(multicalls_of_no_number, "pv")
{
    static const struct {
        const char *name;
        uint64_t number;
    } rows[] = {
        { "upper bits", UPPER | __HYPERVISOR_xen_version },
        { "the last bit", 1ul << 63 | __HYPERVISOR_xen_version },
        { "a multicall with upper bits", UPPER | __HYPERVISOR_multicall },
        { "63", 63 },
        { "all bits", ~0ul },
    };
    struct multicall_entry calls[2];
    unsigned int i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        memset(calls, 0, sizeof(calls));
        calls[0].op = rows[i].number;
        /* Of a list that names itself nothing would come back. */
        calls[0].args[0] = (uintptr_t)calls;
        calls[0].args[1] = 1;
        calls[1].op = __HYPERVISOR_xen_version;
        calls[1].args[0] = XENVER_version;
        check_equal(multicall(calls, 2), 0);
        check_equal(calls[0].result, -XEN_ENOSYS);
        check((long)calls[1].result >= 0x40000);
    }
    test_row("a multicall");
    calls[0].op = __HYPERVISOR_multicall;
    check_equal(multicall(calls, 1), 0);
    check_equal(calls[0].result, -XEN_EINVAL);
}

TEST(multicall_lists_that_are_none, "pv")
{
    struct multicall_entry call = { .op = 63 };

    check_equal(multicall((void *)HYPERVISOR_START, 0), -XEN_EFAULT);
    check_equal(multicall((void *)HYPERVISOR_START, 1), -XEN_EFAULT);
    check_equal(multicall((void *)M2P_START, 0), -XEN_EFAULT);
    check_equal(multicall((void *)NOT_CANONICAL, 0), -XEN_EFAULT);
    check_equal(multicall((void *)USER_CODE_AT, 0), 0);
    check_equal(multicall(NULL, 0), 0);
    check_equal(multicall((void *)USER_CODE_AT, 1), -XEN_EFAULT);
    test_row("the number has 32 bits");
    check_equal(multicall(&call, UPPER), 0);
    check_equal(call.result, 0);
    check_equal(multicall(&call, UPPER | 1), 0);
    check_equal(call.result, -XEN_ENOSYS);
}

/* Upper bits of arguments ---------------------------------------------------------------- */

static bool is_ts_set(void)
{
    uint64_t value;

    asm volatile("mov %%cr0, %0" : "=r"(value));
    return value & CR0_TS;
}

TEST(fpu_taskswitch_takes_32_bits, "pv")
{
    static const struct {
        uint64_t argument;
        bool sets;
    } rows[] = {
        { 1, true }, { UPPER, false },     { UPPER | 1, true }, { 0, false },
        { 2, true }, { 1ul << 63, false }, { 1ul << 31, true }, { 0, false },
    };
    unsigned int i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        check_equal(hypercall(__HYPERVISOR_fpu_taskswitch, rows[i].argument, 0,
                              0, 0, 0),
                    0);
        check_equal(is_ts_set(), rows[i].sets);
    }
}

static long vm_assist(uint64_t command, uint64_t type)
{
    return hypercall(__HYPERVISOR_vm_assist, command, type, 0, 0, 0);
}

TEST(vm_assist_takes_32_bits, "pv")
{
    check_equal(
        vm_assist(UPPER | VMASST_CMD_enable, VMASST_TYPE_writable_pagetables),
        0);
    check_equal(
        vm_assist(VMASST_CMD_disable, UPPER | VMASST_TYPE_writable_pagetables),
        0);
    check_equal(vm_assist(UPPER | VMASST_CMD_enable,
                          UPPER | VMASST_TYPE_runstate_update_flag),
                0);
    check_equal(vm_assist(VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag),
                0);
    check_equal(vm_assist(UPPER | VMASST_CMD_enable,
                          UPPER | VMASST_TYPE_architectural_iopl),
                0);
    check_equal(vm_assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl),
                0);
    test_row("none");
    check_equal(vm_assist(2, VMASST_TYPE_writable_pagetables), -XEN_ENOSYS);
    check_equal(vm_assist(2, VMASST_TYPE_architectural_iopl), -XEN_ENOSYS);
    check_equal(vm_assist(2, VMASST_TYPE_runstate_update_flag), -XEN_ENOSYS);
    check_equal(vm_assist(VMASST_CMD_enable, 40), -XEN_EINVAL);
    check_equal(vm_assist(VMASST_CMD_enable, 64), -XEN_EINVAL);
}

/* Of the scheduler -------------------------------------------------------------------------- */

TEST(shutdown_of_domains, "pv noshim")
{
    const struct {
        const char *name;
        domid_t domid;
        int result;
    } rows[] = {
        { "domain 0", 0, -XEN_EPERM },
        { "own", own_domid(), -XEN_EPERM },
        { "self", DOMID_SELF, -XEN_ESRCH },
        { "none", DOMID_IO, -XEN_ESRCH },
        { "invalid", DOMID_INVALID, -XEN_ESRCH },
    };
    unsigned int i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct sched_remote_shutdown op = {
            .domain_id = rows[i].domid,
            .reason = SHUTDOWN_crash,
        };

        test_row(rows[i].name);
        check_equal(HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, &op),
                    rows[i].result);
    }
    test_row("no argument");
    check_equal(
        HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, (void *)HYPERVISOR_START),
        -XEN_EFAULT);
}

TEST(pin_override_is_domain_0s, "pv noshim")
{
    struct sched_pin_override op = { .pcpu = 0 };

    check_equal(HYPERVISOR_sched_op(SCHEDOP_pin_override, &op), -XEN_EPERM);
    op.pcpu = -1;
    check_equal(HYPERVISOR_sched_op(SCHEDOP_pin_override, &op), -XEN_EPERM);
    check_equal(
        HYPERVISOR_sched_op(SCHEDOP_pin_override, (void *)HYPERVISOR_START),
        -XEN_EPERM);
}

/* The deadline is past: a list that is one would end the poll at once. */
TEST(poll_of_a_list_in_the_hypervisor, "pv")
{
    check_equal(sched_poll((void *)HYPERVISOR_START, 1, 1), -XEN_EFAULT);
    check_equal(sched_poll((void *)HYPERVISOR_START, 0, 1), -XEN_EFAULT);
    check_equal(sched_poll((void *)M2P_START, 0, 1), -XEN_EFAULT);
    check_equal(sched_poll((void *)NOT_CANONICAL, 0, 1), -XEN_EFAULT);
    check_equal(sched_poll((void *)USER_CODE_AT, 1, 1), -XEN_EFAULT);
    check_equal(sched_poll((void *)USER_CODE_AT, 0, 1), 0);
    check_equal(sched_poll(NULL, 0, 1), 0);
    check_equal(sched_poll((void *)HYPERVISOR_START, 129, 1), -XEN_EINVAL);
}

#endif /* GUEST_PV */
