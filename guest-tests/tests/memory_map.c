/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XENMEM_memory_map: where a guest has memory. */

#include "guest.h"

#define MIB (1ull << 20)
#define LOW_RAM 0x9f000 /* what a PC has at least, for real mode */
#define E820_RAM 1
#define MAX_ENTRIES 128

static struct __attribute__((packed)) {
    uint64_t address, length;
    uint32_t type;
} map[MAX_ENTRIES];
static unsigned int nr_entries;

static void get_map(void)
{
    struct xen_memory_map get = { .nr_entries = MAX_ENTRIES };
    unsigned int i;

    set_xen_guest_handle(get.buffer, (void *)map);
    require(!HYPERVISOR_memory_op(XENMEM_memory_map, &get));
    nr_entries = get.nr_entries;
    require(nr_entries && nr_entries < MAX_ENTRIES);
    /* libxl's is in any order. */
    for (i = 1; i < nr_entries && !host_is_xen(); i++) {
        check(map[i - 1].address + map[i - 1].length <= map[i].address);
    }
}

/* A PVH kernel starts with no firmware that it could ask. */
TEST(memory_map_of_pvh, "pvh")
{
    unsigned int i;

    get_map();
    check_equal(map[0].address, 0);
    check_equal(map[0].type, E820_RAM);
    check(map[0].length >= LOW_RAM);
    for (i = 0; i < nr_entries && !host_is_xen(); i++) {
        /* There is a ROM, with the firmware that started us. */
        check(map[i].type != E820_RAM || map[i].address >= MIB ||
              map[i].address + map[i].length <= 0xa0000);
    }
}

TEST(memory_map_of_hvm, "hvm tcg lab kvm")
{
    get_map();
    check_equal(map[0].address, MIB);
    check_equal(map[0].type, E820_RAM);
}
