/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Updates of a PV guest's page tables: what the hypervisor refuses, and what it does with
 * the lists and masks that come with them.
 */

#include "pv_domains.h"
#include "user_mode.h"

#ifdef GUEST_PV

#define ENTRIES 512

#define PRESENT 0x1ul
#define WRITABLE 0x2ul
#define USER 0x4ul
#define ACCESSED 0x20ul
#define DIRTY 0x40ul
#define GLOBAL 0x100ul /* Xen sets it in entries of user pages */
#define FRAME 0x000ffffffffff000ul
#define NO_RAM 0xffffff000ul /* a frame */

extern struct start_info *start_info;
extern const char image_start[];

static uint64_t top_frame(void)
{
    return gfn_of((void *)start_info->pt_base);
}

/* The entry of the level for an address; all tables are mapped where the M2P says. */
static uint64_t *entry_of(uintptr_t address, unsigned int level)
{
    uint64_t *table = (uint64_t *)start_info->pt_base;
    unsigned int at;

    for (at = 4; at > level; at--) {
        uint64_t entry = table[address >> (3 + 9 * at) & (ENTRIES - 1)];

        require(entry & PRESENT);
        table = (uint64_t *)(image_start +
                             ((uint64_t *)M2P_START)[(entry & FRAME) >> 12] *
                                 PAGE_SIZE);
    }
    return &table[address >> (3 + 9 * level) & (ENTRIES - 1)];
}

static uint64_t machine_address(const void *address)
{
    return gfn_of(address) * PAGE_SIZE + ((uintptr_t)address & (PAGE_SIZE - 1));
}

static long mmu_update(const void *entry, unsigned int type, uint64_t value,
                       void *done)
{
    struct mmu_update update = {
        .ptr = machine_address(entry) | type,
        .val = value,
    };

    return hypercall(__HYPERVISOR_mmu_update, (uintptr_t)&update, 1,
                     (uintptr_t)done, DOMID_SELF, 0);
}

TEST(mmu_update_types, "pv")
{
    uint64_t *page = page_alloc(1), *entry = entry_of((uintptr_t)page, 1);
    uint64_t first = gfn_of(page) * PAGE_SIZE | PRESENT | USER | WRITABLE;
    unsigned int type, done;

    page[0] = 0x55;
    test_row("no translation");
    check_equal(mmu_update(entry, MMU_PT_UPDATE_NO_TRANSLATE,
                           first | ACCESSED | DIRTY, NULL),
                0);
    check_equal(*entry & ~GLOBAL, first | ACCESSED | DIRTY);
    check_equal(mmu_update(entry, MMU_PT_UPDATE_NO_TRANSLATE,
                           top_frame() * PAGE_SIZE | 7, NULL),
                -XEN_EBUSY);
    check_equal(mmu_update(&page[1], MMU_PT_UPDATE_NO_TRANSLATE, 0x66, NULL),
                0);
    check_equal(page[1], 0x66);
    check_equal(page[0], 0x55);
    test_row("with a bit that is none");
    for (type = 4; type < 8; type++) {
        done = 0x55;
        check_equal(mmu_update(entry, type, first, &done), -XEN_ENOSYS);
        check_equal(done, 0);
    }
    check_equal(*entry & ~(ACCESSED | DIRTY | GLOBAL), first);
    check_equal(mmu_update(&page[1], 4, 0x77, NULL), -XEN_ENOSYS);
    check_equal(page[1], 0x66);
}

/* It is data: any value does. */
TEST(mmu_update_of_a_page_that_is_no_table, "pv")
{
    static const uint64_t values[] = {
        0x50, 0x51, 0x53, ~0ul, NO_RAM * PAGE_SIZE | 7, 0x1081,
    };
    uint64_t *page = page_alloc(1);
    unsigned int i;

    for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
        check_equal(mmu_update(&page[i], MMU_NORMAL_PT_UPDATE, values[i], NULL),
                    0);
        check_equal(page[i], values[i]);
    }
    page[7] = ACCESSED | DIRTY;
    check_equal(mmu_update(&page[7], MMU_PT_UPDATE_PRESERVE_AD, 1, NULL), 0);
    check_equal(page[7], 1);
}

/* An entry that is none of RAM's, and one that is nothing at all. */
TEST(entries_for_no_ram, "pv")
{
    static const struct {
        const char *name;
        uint64_t frame;
        int result;
    } rows[] = {
        { "beyond RAM", NO_RAM, -XEN_EPERM },
        { "a device's", 0xfee00, -XEN_EPERM },
        { "no frame", FRAME / PAGE_SIZE, -XEN_EINVAL },
    };
    uint64_t *page = page_alloc(1), *entry = entry_of((uintptr_t)page, 1);
    uint64_t before = *entry;
    unsigned int i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        check_equal(mmu_update(entry, MMU_NORMAL_PT_UPDATE,
                               rows[i].frame * PAGE_SIZE | PRESENT | USER,
                               NULL),
                    rows[i].result);
        check_equal(hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)page,
                              rows[i].frame * PAGE_SIZE | PRESENT | USER,
                              UVMF_INVLPG, 0, 0),
                    rows[i].result);
        check_equal(*entry, before);
    }
}

TEST(mmu_update_that_cannot_say_how_many, "pv")
{
    static const uint64_t places[] = { USER_CODE_AT, HYPERVISOR_START,
                                       M2P_START, NOT_CANONICAL };
    uint64_t *page = page_alloc(1);
    unsigned int i;

    for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
        check_equal(mmu_update(&page[i], MMU_NORMAL_PT_UPDATE, 2 * i + 2,
                               (void *)places[i]),
                    0);
        check_equal(page[i], 2 * i + 2);
        check_equal(mmu_update(&page[i], 4, 0, (void *)places[i]), -XEN_ENOSYS);
    }
}

TEST(flushes_with_a_bad_mask, "pv")
{
    static const uint64_t masks[] = { 0, USER_CODE_AT, HYPERVISOR_START,
                                      M2P_START, NOT_CANONICAL };
    uint64_t *all = page_alloc(1);
    uintptr_t page = (uintptr_t)page_alloc(1);
    unsigned int i;

    memset(all, 0xff, PAGE_SIZE);
    check_equal(mmuext_op(MMUEXT_TLB_FLUSH_MULTI, 0, (uintptr_t)all), 0);
    check_equal(mmuext_op(MMUEXT_INVLPG_MULTI, page, (uintptr_t)all), 0);
    for (i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
        check_equal(mmuext_op(MMUEXT_TLB_FLUSH_MULTI, 0, masks[i]),
                    -XEN_EINVAL);
        check_equal(mmuext_op(MMUEXT_INVLPG_MULTI, page, masks[i]),
                    -XEN_EINVAL);
    }
    test_row("at any address");
    for (i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
        check_equal(mmuext_op(MMUEXT_INVLPG_MULTI, masks[i], (uintptr_t)all),
                    0);
        check_equal(mmuext_op(MMUEXT_INVLPG_ALL, masks[i], 0), 0);
        check_equal(mmuext_op(MMUEXT_INVLPG_LOCAL, masks[i], 0), 0);
    }
    test_row("caches");
    check_equal(mmuext_op(MMUEXT_FLUSH_CACHE, 0, 0), -XEN_EACCES);
    check_equal(mmuext_op(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), -XEN_EINVAL);
}

/* The entry is written, all the same. */
TEST(update_va_mapping_with_a_bad_mask, "pv")
{
    static const uint64_t masks[] = { USER_CODE_AT, HYPERVISOR_START, M2P_START,
                                      NOT_CANONICAL };
    uint64_t *page = page_alloc(1), *entry = entry_of((uintptr_t)page, 1);
    uint64_t value = gfn_of(page) * PAGE_SIZE | PRESENT | USER | WRITABLE;
    unsigned int i, flush;

    for (i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
        for (flush = 0; flush < 4; flush++) {
            bool looks = flush == UVMF_TLB_FLUSH || flush == UVMF_INVLPG;
            uint64_t extra = i & 1 ? ACCESSED : DIRTY;

            check_equal(hypercall(__HYPERVISOR_update_va_mapping,
                                  (uintptr_t)page, value | extra,
                                  masks[i] | flush, 0, 0),
                        looks ? -XEN_EFAULT : 0);
            check_equal(*entry & extra, extra);
            check_equal(hypercall(__HYPERVISOR_update_va_mapping,
                                  (uintptr_t)page, value,
                                  UVMF_INVLPG | UVMF_ALL, 0, 0),
                        0);
        }
    }
    test_row("an entry that is refused");
    check_equal(hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)page,
                          top_frame() * PAGE_SIZE | 7,
                          HYPERVISOR_START | UVMF_INVLPG, 0, 0),
                -XEN_EBUSY);
}

/* Of an entry that is not in use. */
static uint64_t *free_entry(unsigned int level)
{
    uint64_t *entry = entry_of((uintptr_t)image_start, level);
    uint64_t *table = (uint64_t *)((uintptr_t)entry & -(uintptr_t)PAGE_SIZE);
    unsigned int i;

    for (i = 0; i < ENTRIES / 2 && table[i]; i++) {
    }
    require(i < ENTRIES / 2);
    return &table[i];
}

TEST(top_table_in_use_as_a_lower_one, "pv")
{
    uint64_t value = top_frame() * PAGE_SIZE | PRESENT | USER | ACCESSED;
    unsigned int level;

    for (level = 2; level < 4; level++) {
        uint64_t *entry = free_entry(level);

        check_equal(mmu_update(entry, MMU_NORMAL_PT_UPDATE, value, NULL),
                    -XEN_EINVAL);
        check_equal(
            mmu_update(entry, MMU_NORMAL_PT_UPDATE, value | WRITABLE, NULL),
            -XEN_EINVAL);
        check_equal(*entry, 0);
    }
}

/* A linear table: all tables can be read through an entry that leads to its own. */
TEST(top_table_with_an_entry_to_itself, "pv")
{
    uint64_t *table = page_alloc(1);
    uint64_t value = gfn_of(table) * PAGE_SIZE | PRESENT | USER | ACCESSED;

    table[5] = value;
    page_protect(table, false);
    check_equal(mmuext_op(MMUEXT_PIN_L4_TABLE, gfn_of(table), 0), 0);
    check_equal(table[5], value);
    check_equal(mmuext_op(MMUEXT_UNPIN_TABLE, gfn_of(table), 0), 0);
    page_protect(table, true);

    test_row("in use");
    value = top_frame() * PAGE_SIZE | PRESENT | USER | ACCESSED;
    check_equal(
        mmu_update(free_entry(4), MMU_NORMAL_PT_UPDATE, value | WRITABLE, NULL),
        -XEN_EINVAL);
    table = free_entry(4);
    check_equal(mmu_update(table, MMU_NORMAL_PT_UPDATE, value, NULL), 0);
    check_equal(*table & ~DIRTY, value);
    check_equal(mmu_update(table, MMU_NORMAL_PT_UPDATE, 0, NULL), 0);
}

/* Writable, it would let the guest write all entries of the table. */
TEST(top_table_with_a_writable_entry_to_itself, "pv")
{
    uint64_t *table = page_alloc(1);

    table[5] = gfn_of(table) * PAGE_SIZE | PRESENT | USER | ACCESSED | WRITABLE;
    page_protect(table, false);
    check_equal(mmuext_op(MMUEXT_PIN_L4_TABLE, gfn_of(table), 0), -XEN_EINVAL);
    page_protect(table, true);
}

/* By its own name, too, it is none; and DOMID_IO is who has no RAM, which may be anyone's. */
TEST(table_updates_for_other_domains, "pv noshim")
{
    static const struct {
        int update, flush;
    } results[NR_DOMAINS] = {
        { 0, 0 }, /* self */
        { -XEN_ESRCH, -XEN_ESRCH }, /* own */
        { -XEN_EPERM, -XEN_EPERM }, /* domain 0 */
        { -XEN_ESRCH, -XEN_ESRCH }, /* none */
        { 0, -XEN_EPERM }, /* DOMID_IO */
        { -XEN_EPERM, -XEN_EPERM }, /* DOMID_XEN */
        { -XEN_ESRCH, -XEN_ESRCH }, /* invalid */
    };
    uint64_t *page = page_alloc(1), *entry = entry_of((uintptr_t)page, 1);
    struct mmu_update update = {
        .ptr = machine_address(entry),
        .val = gfn_of(page) * PAGE_SIZE | PRESENT | USER | WRITABLE,
    };
    struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };
    unsigned int i;

    for (i = 0; i < NR_DOMAINS; i++) {
        test_row(domain_names[i]);
        check_equal(hypercall(__HYPERVISOR_mmu_update, (uintptr_t)&update, 1, 0,
                              domain(i), 0),
                    results[i].update);
        check_equal(hypercall(__HYPERVISOR_mmuext_op, (uintptr_t)&op, 1, 0,
                              domain(i), 0),
                    results[i].flush);
    }
}

#endif /* GUEST_PV */
