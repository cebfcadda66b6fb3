/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PV guest's GDT or LDT stays as it is if another one is refused. */

#include "user_mode.h"

#ifdef GUEST_PV

#define DATA 0x00cff3000000ffff /* ring 3 */
#define ENTRIES 512
#define IN_LDT 4
#define NO_RAM 0xffffff000ul /* a frame */

static void load_ds(void *opaque)
{
    asm volatile("mov %0, %%ds; mov %1, %%ds"
                 :
                 : "r"((uint32_t)(uintptr_t)opaque), "r"(0));
}

static bool is_data(uint16_t selector)
{
    struct trap trap;

    return !trapped(&trap, load_ds, (void *)(uintptr_t)selector);
}

/* Its entry @data is one of data. */
static uint64_t *new_table(unsigned int data)
{
    uint64_t *table = page_alloc(1);

    table[data] = DATA;
    page_protect(table, false);
    return table;
}

static long set_gdt(const unsigned long *frames, uint64_t entries)
{
    return hypercall(__HYPERVISOR_set_gdt, (uintptr_t)frames, entries, 0, 0, 0);
}

TEST(gdt_stays_if_another_is_refused, "pv")
{
    uint64_t *table = new_table(3), *other = new_table(4), *bad = page_alloc(1);
    const struct {
        const char *name;
        unsigned long frames[3];
        unsigned int entries;
    } rows[] = {
        { "a frame that is none", { NO_RAM }, ENTRIES },
        { "the second is none", { gfn_of(other), NO_RAM }, ENTRIES + 1 },
        { "the third is none",
          { gfn_of(other), gfn_of(other), NO_RAM },
          3 * ENTRIES },
        { "the second is bad", { gfn_of(other), gfn_of(bad) }, 2 * ENTRIES },
        { "too many", { gfn_of(other) }, 14 * ENTRIES + 1 },
    };
    unsigned long frame = gfn_of(table);
    unsigned int i;

    bad[7] = 0x8900ul << 32 | 0x67; /* a TSS */
    page_protect(bad, false);
    require(set_gdt(&frame, ENTRIES) == 0);
    check(is_data(3 << 3 | 3));
    check(!is_data(4 << 3 | 3));
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        check_equal(set_gdt(rows[i].frames, rows[i].entries), -XEN_EINVAL);
        check(is_data(3 << 3 | 3));
        check(!is_data(4 << 3 | 3));
    }
    test_row("a list at no address");
    check_equal(set_gdt((void *)HYPERVISOR_START, ENTRIES), -XEN_EFAULT);
    check(is_data(3 << 3 | 3));
    test_row("another one");
    frame = gfn_of(other);
    check_equal(set_gdt(&frame, ENTRIES), 0);
    check(!is_data(3 << 3 | 3));
    check(is_data(4 << 3 | 3));
    check_equal(set_gdt(NULL, 0), 0);
    check(!is_data(4 << 3 | 3));
    page_protect(table, true);
    page_protect(other, true);
    page_protect(bad, true);
}

TEST(ldt_stays_if_another_is_refused, "pv")
{
    uint64_t *table = new_table(3), *other = new_table(4);
    const struct {
        const char *name;
        uint64_t address, entries;
    } rows[] = {
        { "not aligned", (uintptr_t)other + 8, ENTRIES },
        { "too many", (uintptr_t)other, 8193 },
        { "far too many", (uintptr_t)other, ~0u },
        { "the hypervisor's", HYPERVISOR_START, ENTRIES },
        { "the M2P", M2P_START, ENTRIES },
        { "no address", NOT_CANONICAL, ENTRIES },
    };
    unsigned int i;

    require(mmuext_op(MMUEXT_SET_LDT, (uintptr_t)table, ENTRIES) == 0);
    check(is_data(3 << 3 | IN_LDT | 3));
    check(!is_data(4 << 3 | IN_LDT | 3));
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        check_equal(mmuext_op(MMUEXT_SET_LDT, rows[i].address, rows[i].entries),
                    -XEN_EINVAL);
        check(is_data(3 << 3 | IN_LDT | 3));
        check(!is_data(4 << 3 | IN_LDT | 3));
    }
    test_row("another one");
    check_equal(mmuext_op(MMUEXT_SET_LDT, (uintptr_t)other, ENTRIES), 0);
    check(!is_data(3 << 3 | IN_LDT | 3));
    check(is_data(4 << 3 | IN_LDT | 3));
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row("none, at any address");
        check_equal(mmuext_op(MMUEXT_SET_LDT, (uintptr_t)other, ENTRIES), 0);
        check(is_data(4 << 3 | IN_LDT | 3));
        check_equal(mmuext_op(MMUEXT_SET_LDT, rows[i].address, 0), 0);
        check(!is_data(4 << 3 | IN_LDT | 3));
    }
    page_protect(table, true);
    page_protect(other, true);
}

#endif /* GUEST_PV */
