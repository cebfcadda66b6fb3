/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hypercalls.c: what of memory is the guest's, and copies from and to it. */

#include "hypercall_calls.h"

#include <xen/physdev.h>
#include <xen/sched.h>

static void test_range(void)
{
    static const struct {
        uint64_t address, size;
        bool ok;
    } rows[] = {
        { 0, 0, true }, { 0, 1, true }, { 0, 1ul << 47, true },
        { 0, (1ul << 47) + 1, false }, { (1ul << 47) - 1, 1, true },
        { (1ul << 47) - 1, 2, false }, { 1ul << 47, 0, false },
        { 1ul << 47, 1, false }, { NOT_CANONICAL, 8, false },
        { M2P_VA - 1, 1, false }, { M2P_VA, 1, false },
        { M2P_VA, 0, false }, { M2P_VA, HYPERVISOR_END - M2P_VA, false },
        { MONITOR_VA, 1, false }, { HYPERVISOR_END - 1, 1, false },
        { HYPERVISOR_END - 1, 2, false }, { HYPERVISOR_END, 1, true },
        { HYPERVISOR_END, -HYPERVISOR_END - 1, true },
        { HYPERVISOR_END, -HYPERVISOR_END, true },
        { HYPERVISOR_END, ~0ul, false }, { -8ul, 7, true }, { -8ul, 8, true },
        { -8ul, 9, false }, { -8ul, 16, false }, { ~0ul, 0, true }, { 0, ~0ul, false },
        /* Both ends are good, and all of the hypervisor is between them. */
        { 0x1000, HYPERVISOR_END, false },
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (guest_range_ok(rows[i].address, rows[i].size) != rows[i].ok) {
            g_error("0x%lx, 0x%lx", rows[i].address, rows[i].size);
        }
    }
}

static void test_copy(void)
{
    static const uint64_t nowhere[] = {
        M2P_VA, MONITOR_VA, DIRECTMAP_VA, HYPERVISOR_END - 8, HYPERVISOR_END - 4,
        1ul << 47, NOT_CANONICAL, -4ul, 0, MACHINE_KERNEL_VA - 8, END,
    };
    uint64_t word = 0x1122334455667788, there = HYPERVISOR_END;
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < G_N_ELEMENTS(nowhere); i++) {
        g_assert_cmpuint(copy_to_guest(nowhere[i], &word, 8), ==, 8);
        g_assert_cmpuint(copy_from_guest(&word, nowhere[i], 8), ==, 8);
        g_assert_cmphex(word, ==, 0x1122334455667788);
    }
    /* Up to the end of what there is. */
    g_assert_cmpuint(copy_to_guest(END - 5, &word, 8), ==, 3);
    g_assert_cmpmem(machine_at(END - 5), 5, &word, 5);
    word = 0;
    g_assert_cmpuint(copy_from_guest(&word, END - 5, 8), ==, 3);
    g_assert_cmphex(word, ==, 0x4455667788);
    /* The first that is the guest's behind the hypervisor. */
    machine_map(there, machine_frame(), PTE_PRESENT);
    g_assert_cmpuint(copy_from_guest(&word, there, 8), ==, 0);
    g_assert_cmphex(word, ==, 0);
    word = 5;
    /* It may only read it. */
    g_assert_cmpuint(copy_to_guest(there, &word, 8), ==, 8);
    machine_map(there, machine_frame(), PTE_PRESENT | PTE_WRITE);
    g_assert_cmpuint(copy_to_guest(there, &word, 8), ==, 0);
    g_assert_cmphex(*(uint64_t *)machine_at(there), ==, 5);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/guest_memory/range", test_range);
    machine_test("/monitor/guest_memory/copy", test_copy);
    return g_test_run();
}
