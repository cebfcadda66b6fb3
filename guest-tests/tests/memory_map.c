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

#ifdef GUEST_HVM
struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum, oem[6], revision;
    uint32_t rsdt, length;
    uint64_t xsdt;
};

struct __attribute__((packed)) table {
    char signature[4];
    uint32_t length;
};

#define TABLE_HEADER_SIZE 36

/* The guest may use what is RAM there for its own purposes. */
static void check_kept(uint64_t address, uint32_t length)
{
    unsigned int i;

    for (i = 0; i < nr_entries; i++) {
        check(map[i].type != E820_RAM || address + length <= map[i].address ||
              address >= map[i].address + map[i].length);
    }
}

static const void *check_table(uint64_t address, const char *signature)
{
    const struct table *table = (void *)(uintptr_t)address;

    check(!signature || !memcmp(table->signature, signature, 4));
    check_kept(address, table->length);
    return table;
}

TEST(memory_map_keeps_acpi_tables, "pvh")
{
    const struct rsdp *root = (void *)(uintptr_t)acpi_root;
    const struct table *list;
    const char *entry, *end;
    unsigned int size;

    require(acpi_root);
    require(!memcmp(root->signature, "RSD PTR ", 8));
    get_map();
    check_kept(acpi_root, sizeof(*root));
    /* As Linux does it: the newer list, if there is one. */
    size = root->revision >= 2 && root->xsdt ? 8 : 4;
    list = size == 8 ? check_table(root->xsdt, "XSDT") :
                       check_table(root->rsdt, "RSDT");
    end = (const char *)list + list->length;
    for (entry = (const char *)list + TABLE_HEADER_SIZE; entry < end;
         entry += size) {
        uint64_t address = 0;

        memcpy(&address, entry, size);
        check_table(address, NULL);
    }
}
#endif /* GUEST_HVM */
