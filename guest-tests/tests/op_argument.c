/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVENT_CHANNEL_OP itself: numbers that are no operation, no argument to read. */

#include "evtchn_3l.h"
#include "ports.h"

/* Xen's own operation, to continue a reset; guests can call it, too. */
#define EVTCHNOP_reset_cont 14

TEST(operation_that_does_not_exist, "noshim")
{
    static const unsigned int numbers[] = {
        15, 16, 31, 127, 130, 255, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
    };
    unsigned char argument[64] = { 0 };
    unsigned int i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        check_equal(HYPERVISOR_event_channel_op(numbers[i], argument),
                    -XEN_ENOSYS);
    }
}

/* Xen has no 3-level, and refuses its operations. */
TEST(operations_of_3_level_on_xen, "xen")
{
    struct evtchn_query_extended_abis query = { .abis = 0x5a5a5a5a };
    struct evtchn_register_3level reg = { .cmd = EVTCHN_3L_BITMAPS };
    evtchn_port_t port = must_bind_ipi(0);

    check_equal(
        HYPERVISOR_event_channel_op(EVTCHNOP_query_extended_abis, &query),
        -XEN_ENOSYS);
    check_equal(query.abis, 0x5a5a5a5a);
    for (reg.cmd = 0; reg.cmd <= EVTCHN_3L_L2_SELECTOR + 1; reg.cmd++) {
        check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_register_3level, &reg),
                    -XEN_ENOSYS);
    }
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 1000));
}

/* There is no reset to continue. */
TEST(operation_that_continues_a_reset, "noshim")
{
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    unsigned int open = nr_open_ports();

    check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_reset_cont, &reset),
                -XEN_EBUSY);
    check_equal(nr_open_ports(), open);
}

static void try_all_operations(uintptr_t address)
{
    unsigned int open = nr_open_ports(), operation;

    for (operation = 0; operation <= EVTCHNOP_reset_cont; operation++) {
        check_equal(HYPERVISOR_event_channel_op(operation, (void *)address),
                    -XEN_EFAULT);
    }
    check_equal(HYPERVISOR_event_channel_op(15, (void *)address), -XEN_ENOSYS);
    for (operation = EVTCHNOP_query_extended_abis;
         operation <= EVTCHNOP_register_3level; operation++) {
        check_equal(HYPERVISOR_event_channel_op(operation, (void *)address),
                    host_is_xen() ? -XEN_ENOSYS : -XEN_EFAULT);
    }
    check_equal(nr_open_ports(), open);
}

#ifdef __x86_64__
/* Real Xen looks at 48 bits of an address, canonical or not. */
TEST(argument_that_is_not_mapped, "fresh 64")
{
    try_all_operations(0x8000700000000000);
    try_all_operations(0x0000700000000000);
    try_all_operations(0xffffff0000000000);
}

/* An address with the low 48 bits of the argument's, but wrong upper bits. */
TEST(argument_at_no_canonical_address, "64 hvm pvh")
{
    static const uint64_t bits[] = { 1ull << 63, 1ull << 48, 0x7fffull << 48 };
    struct evtchn_status status;
    unsigned int i;

    for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        uintptr_t address = (uintptr_t)&status | bits[i];

        status = (struct evtchn_status){ .dom = DOMID_SELF };
        check_equal(
            HYPERVISOR_event_channel_op(EVTCHNOP_status, (void *)address),
            host_is_xen() ? 0 : -XEN_EFAULT);
    }
}
#endif

/* In the hole below 4 GiB, which the guest's page tables do map. */
TEST(argument_that_is_not_memory, "fresh hvm pvh")
{
    try_all_operations(0xe0000000);
    try_all_operations(0xfd000ffe);
}
