/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hypercalls.c: handlers of traps, callbacks, and the kernel's stack. */

#include "hypercall_calls.h"

#include <xen/callback.h>
#include <xen/nmi.h>

#define HANDLER         (MACHINE_KERNEL_VA + 0x123)

/* Traps ---------------------------------------------------------------------------- */

static void test_trap_table(void)
{
    struct trap_info table[4] = {
        { .vector = 3, .flags = 7, .address = HANDLER },
        { .vector = 255, .flags = 4, .address = ~0ul },
        { .vector = 0, .address = (1ul << 47) - 1 },
    };
    unsigned int i;

    machine_start(&config);
    guest()->traps[9].address = 1;
    g_assert_cmpint(call(__HYPERVISOR_set_trap_table,
                         machine_put(table, sizeof(table)), 0), ==, 0);
    g_assert_cmphex(guest()->traps[3].address, ==, HANDLER);
    g_assert_cmphex(guest()->traps[3].flags, ==, 7);
    g_assert_cmphex(guest()->traps[255].address, ==, ~0ul);
    g_assert_cmphex(guest()->traps[255].flags, ==, 4);
    g_assert_cmphex(guest()->traps[0].address, ==, (1ul << 47) - 1);
    /* The others are as they were. */
    g_assert_cmphex(guest()->traps[9].address, ==, 1);
    /* A bad one: those before it are taken, as on Xen. */
    table[0].address++;
    table[1].address = NOT_CANONICAL;
    table[2].address = 0x5000;
    g_assert_cmpint(call(__HYPERVISOR_set_trap_table,
                         machine_put(table, sizeof(table)), 0), ==, -XEN_EINVAL);
    g_assert_cmphex(guest()->traps[3].address, ==, HANDLER + 1);
    g_assert_cmphex(guest()->traps[255].address, ==, ~0ul);
    g_assert_cmphex(guest()->traps[0].address, ==, (1ul << 47) - 1);
    /* No table: none at all. */
    g_assert_cmpint(call(__HYPERVISOR_set_trap_table, 0, 0), ==, 0);
    for (i = 0; i < 256; i++) {
        g_assert_cmphex(guest()->traps[i].address, ==, 0);
        g_assert_cmphex(guest()->traps[i].flags, ==, 0);
    }
}

static void test_trap_table_at_the_end(void)
{
    struct trap_info info = { .vector = 3, .address = HANDLER };

    machine_start(&config);
    memcpy(machine_at(END - sizeof(info)), &info, sizeof(info));
    g_assert_cmpint(call(__HYPERVISOR_set_trap_table, END - sizeof(info), 0), ==,
                    -XEN_EFAULT);
    g_assert_cmphex(guest()->traps[3].address, ==, HANDLER);
    memset(machine_at(END - sizeof(info)), 0, sizeof(info));
    g_assert_cmpint(call(__HYPERVISOR_set_trap_table, END - sizeof(info), 0), ==,
                    0);
    g_assert_cmpint(call(__HYPERVISOR_set_trap_table, END - sizeof(info) + 1, 0),
                    ==, -XEN_EFAULT);
    g_assert_cmpint(call(__HYPERVISOR_set_trap_table, DIRECTMAP_VA, 0), ==,
                    -XEN_EFAULT);
}

/* All of 256 vectors, and the end. */
static void test_whole_trap_table(void)
{
    struct trap_info table[257] = { { 0 } };
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < 256; i++) {
        table[i].vector = 255 - i;
        table[i].address = HANDLER + i;
    }
    g_assert_cmpint(call(__HYPERVISOR_set_trap_table,
                         machine_put(table, sizeof(table)), 0), ==, 0);
    for (i = 0; i < 256; i++) {
        g_assert_cmphex(guest()->traps[i].address, ==, HANDLER + 255 - i);
    }
    /* The end has to be there, too. */
    memcpy(machine_at(END - PAGE_SIZE), table, PAGE_SIZE);
    g_assert_cmpint(call(__HYPERVISOR_set_trap_table, END - PAGE_SIZE, 0), ==,
                    -XEN_EFAULT);
}

/* A table of traps ends where it says so. */
static void test_long_trap_table(void)
{
    struct trap_info table[301] = { { 0 } };
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < 300; i++) {
        table[i].address = MACHINE_KERNEL_VA + i;
    }
    g_assert_cmpint(machine_call(__HYPERVISOR_set_trap_table,
                                 machine_put(table, sizeof(table)), 0, 0, 0), ==,
                    0);
    g_assert_cmphex(guest()->traps[0].address, ==, MACHINE_KERNEL_VA + 299);
}

/* Callbacks ------------------------------------------------------------------------ */

static long register_callback(unsigned int type, unsigned int flags,
                              uint64_t address)
{
    struct callback_register op = {
        .type = type, .flags = flags, .address = address,
    };

    return call(__HYPERVISOR_callback_op, CALLBACKOP_register,
                machine_put(&op, sizeof(op)));
}

static long unregister_callback(unsigned int type)
{
    struct callback_unregister op = { .type = type };

    return call(__HYPERVISOR_callback_op, CALLBACKOP_unregister,
                machine_put(&op, sizeof(op)));
}

static void test_register(void)
{
    struct vcpu *v;
    unsigned int i;

    machine_start(&config);
    v = guest();
    for (i = 0; i < 4; i++) {
        /* Of the flags there is one. */
        unsigned int flags = i & 1 ? 0xffff : 0xffff & ~CALLBACKF_mask_events;
        uint64_t at = HANDLER + i;

        g_assert_cmpint(register_callback(CALLBACKTYPE_event, flags, at), ==, 0);
        g_assert_cmphex(v->event_callback, ==, at);
        g_assert_cmpint(register_callback(CALLBACKTYPE_failsafe, flags, at), ==,
                        0);
        g_assert_cmphex(v->failsafe_callback, ==, at);
        g_assert_cmpint(v->failsafe_masks, ==, i & 1);
        g_assert_cmpint(register_callback(CALLBACKTYPE_syscall, flags, at), ==, 0);
        g_assert_cmphex(v->syscall_callback, ==, at);
        g_assert_cmpint(v->syscall_masks, ==, i & 1);
        g_assert_cmpint(register_callback(CALLBACKTYPE_syscall32, flags, at), ==,
                        0);
        g_assert_cmphex(v->syscall32_callback, ==, at);
        g_assert_cmpint(v->syscall32_masks, ==, i & 1);
        g_assert_cmpint(register_callback(CALLBACKTYPE_nmi, flags, at), ==, 0);
        g_assert_cmphex(v->traps[EXC_NMI].address, ==, at);
        /* An NMI's handler masks events always. */
        g_assert_cmphex(v->traps[EXC_NMI].flags, ==, 4);
    }
}

static void test_register_refused(void)
{
    static const uint8_t types[] = {
        CALLBACKTYPE_event, CALLBACKTYPE_failsafe, CALLBACKTYPE_syscall,
        CALLBACKTYPE_syscall32, CALLBACKTYPE_nmi,
    };
    struct vcpu was;
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < G_N_ELEMENTS(types); i++) {
        g_assert_cmpint(register_callback(types[i], 0, HANDLER), ==, 0);
    }
    was = *guest();
    for (i = 0; i < G_N_ELEMENTS(types); i++) {
        g_assert_cmpint(register_callback(types[i], 1, NOT_CANONICAL), ==,
                        -XEN_EINVAL);
        g_assert_cmpint(register_callback(types[i], 1, 1ul << 47), ==,
                        -XEN_EINVAL);
    }
    /* SYSENTER is no way in here. */
    g_assert_cmpint(register_callback(CALLBACKTYPE_sysenter, 0, HANDLER), ==,
                    -XEN_ENOSYS);
    g_assert_cmpint(register_callback(6, 0, HANDLER), ==, -XEN_ENOSYS);
    g_assert_cmpint(register_callback(8, 0, HANDLER), ==, -XEN_ENOSYS);
    g_assert_cmpint(register_callback(0xffff, 0, HANDLER), ==, -XEN_ENOSYS);
    g_assert_cmpint(call(__HYPERVISOR_callback_op, 2, 0), ==, -XEN_ENOSYS);
    g_assert_cmpint(call(__HYPERVISOR_callback_op, UINT32_MAX, 0), ==,
                    -XEN_ENOSYS);
    g_assert_cmpint(call(__HYPERVISOR_callback_op, CALLBACKOP_register,
                         END - sizeof(struct callback_register) + 1), ==,
                    -XEN_EFAULT);
    g_assert_cmpint(call(__HYPERVISOR_callback_op, CALLBACKOP_register,
                         MONITOR_VA), ==, -XEN_EFAULT);
    g_assert_cmphex(guest()->event_callback, ==, was.event_callback);
    g_assert_cmphex(guest()->failsafe_callback, ==, was.failsafe_callback);
    g_assert_cmphex(guest()->syscall_callback, ==, was.syscall_callback);
    g_assert_cmphex(guest()->syscall32_callback, ==, was.syscall32_callback);
    g_assert_cmphex(guest()->traps[EXC_NMI].address, ==, HANDLER);
    g_assert_false(guest()->failsafe_masks || guest()->syscall_masks ||
                   guest()->syscall32_masks);
}

static void test_unregister(void)
{
    static const uint8_t kept[] = {
        CALLBACKTYPE_event, CALLBACKTYPE_failsafe, CALLBACKTYPE_syscall,
    };
    const uint16_t nmi = CALLBACKTYPE_nmi;
    unsigned int i;

    machine_start(&config);
    register_callback(CALLBACKTYPE_nmi, 0, HANDLER);
    for (i = 0; i < G_N_ELEMENTS(kept); i++) {
        register_callback(kept[i], 0, HANDLER);
        g_assert_cmpint(unregister_callback(kept[i]), ==, -XEN_EINVAL);
    }
    g_assert_cmphex(guest()->event_callback, ==, HANDLER);
    g_assert_cmphex(guest()->failsafe_callback, ==, HANDLER);
    g_assert_cmphex(guest()->syscall_callback, ==, HANDLER);
    g_assert_cmpint(unregister_callback(6), ==, -XEN_ENOSYS);
    g_assert_cmpint(unregister_callback(0xffff), ==, -XEN_ENOSYS);
    g_assert_cmphex(guest()->traps[EXC_NMI].address, ==, HANDLER);
    g_assert_cmpint(unregister_callback(CALLBACKTYPE_nmi), ==, 0);
    g_assert_cmphex(guest()->traps[EXC_NMI].address, ==, 0);
    g_assert_cmpint(call(__HYPERVISOR_callback_op, CALLBACKOP_unregister,
                         MONITOR_VA), ==, -XEN_EFAULT);
    g_assert_cmpint(call(__HYPERVISOR_callback_op, CALLBACKOP_unregister,
                         END - 3), ==, -XEN_EFAULT);
    /* It is 4 bytes, and no more are read. */
    memcpy(machine_at(END - 4), &nmi, sizeof(nmi));
    g_assert_cmpint(call(__HYPERVISOR_callback_op, CALLBACKOP_unregister,
                         END - 4), ==, 0);
}

static void test_set_callbacks(void)
{
    struct vcpu *v;

    machine_start(&config);
    v = guest();
    v->failsafe_masks = v->syscall_masks = true;
    g_assert_cmpint(machine_call(__HYPERVISOR_set_callbacks, 1, 2, 3, 4), ==, 0);
    g_assert_cmphex(v->event_callback, ==, 1);
    g_assert_cmphex(v->failsafe_callback, ==, 2);
    g_assert_cmphex(v->syscall_callback, ==, 3);
    g_assert_false(v->failsafe_masks || v->syscall_masks);
    /* Xen passes over those that are not good. */
    g_assert_cmpint(machine_call(__HYPERVISOR_set_callbacks, 5, NOT_CANONICAL, 7,
                                 0), ==, 0);
    g_assert_cmphex(v->event_callback, ==, 5);
    g_assert_cmphex(v->failsafe_callback, ==, 2);
    g_assert_cmphex(v->syscall_callback, ==, 7);
}

static void test_nmi_op(void)
{
    struct xennmi_callback op = { .handler_address = HANDLER };
    uint64_t good, bad;

    machine_start(&config);
    good = machine_put(&op, sizeof(op));
    op.handler_address = NOT_CANONICAL;
    bad = machine_put(&op, sizeof(op));
    g_assert_cmpint(call(__HYPERVISOR_nmi_op, XENNMI_register_callback, good), ==,
                    0);
    g_assert_cmphex(guest()->traps[EXC_NMI].address, ==, HANDLER);
    g_assert_cmphex(guest()->traps[EXC_NMI].flags, ==, 4);
    g_assert_cmpint(call(__HYPERVISOR_nmi_op, XENNMI_register_callback, bad), ==,
                    -XEN_EINVAL);
    g_assert_cmpint(call(__HYPERVISOR_nmi_op, XENNMI_register_callback, END - 8),
                    ==, -XEN_EFAULT);
    g_assert_cmpint(call(__HYPERVISOR_nmi_op, 2, good), ==, -XEN_ENOSYS);
    g_assert_cmphex(guest()->traps[EXC_NMI].address, ==, HANDLER);
    g_assert_cmpint(call(__HYPERVISOR_nmi_op, XENNMI_unregister_callback, 0), ==,
                    0);
    g_assert_cmphex(guest()->traps[EXC_NMI].address, ==, 0);
}

static void test_stack_switch(void)
{
    machine_start(&config);
    g_assert_cmpint(call(__HYPERVISOR_stack_switch, 0x28, 0x123456789abc), ==, 0);
    g_assert_cmphex(guest()->kernel_ss, ==, 0x2b);
    g_assert_cmphex(guest()->kernel_sp, ==, 0x123456789abc);
}

/* No callback of a system call can be taken away. */
static void test_unregister_syscall32(void)
{
    struct callback_register op = {
        .type = CALLBACKTYPE_syscall32, .address = MACHINE_KERNEL_VA,
    };

    machine_start(&config);
    machine_call(__HYPERVISOR_callback_op, CALLBACKOP_register,
                 machine_put(&op, sizeof(op)), 0, 0);
    g_assert_cmpint(machine_call(__HYPERVISOR_callback_op, CALLBACKOP_unregister,
                                 machine_put(&op, sizeof(op)), 0, 0), ==,
                    -XEN_EINVAL);
    g_assert_cmphex(guest()->syscall32_callback, ==, MACHINE_KERNEL_VA);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/callbacks/trap-table", test_trap_table);
    machine_test("/monitor/callbacks/trap-table-at-the-end", test_trap_table_at_the_end);
    machine_test("/monitor/callbacks/whole-trap-table", test_whole_trap_table);
    machine_test("/monitor/callbacks/long-trap-table", test_long_trap_table);
    machine_test("/monitor/callbacks/register", test_register);
    machine_test("/monitor/callbacks/register-refused", test_register_refused);
    machine_test("/monitor/callbacks/unregister", test_unregister);
    machine_test("/monitor/callbacks/set-callbacks", test_set_callbacks);
    machine_test("/monitor/callbacks/nmi-op", test_nmi_op);
    machine_test("/monitor/callbacks/stack-switch", test_stack_switch);
    machine_test("/monitor/callbacks/unregister-syscall32", test_unregister_syscall32);
    return g_test_run();
}
