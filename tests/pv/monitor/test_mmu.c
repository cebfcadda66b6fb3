/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmu.c: which entries a guest may have, by mmu_update and by update_va_mapping. */

#include "tables.h"

/* What Xen says of a frame that is no page of the guest's, and of one that is no RAM. */
static long refusal(uint64_t mfn)
{
    return mfn < MACHINE_MAX_MFN || mfn == PTE_FRAME >> PAGE_SHIFT ? -XEN_EINVAL :
                                                                     -XEN_EPERM;
}

/* VA's entry by each of the two calls. */
static void check_page(uint64_t mfn, uint64_t flags, long result)
{
    uint64_t value = mfn << PAGE_SHIFT | flags, *entry = entry_of(VA, 1);
    uint64_t before = *entry, after = result ? before : value | PTE_USER;

    g_assert_cmpint(update(place_of(VA, 1), value), ==, result);
    g_assert_cmphex(*entry, ==, after);
    *entry = before;
    g_assert_cmpint(update_va(VA, value, 0), ==, result);
    g_assert_cmphex(*entry, ==, after);
    *entry = before;
}

/* Pages ---------------------------------------------------------------------------- */

struct range {
    uint64_t first, end;
};

/* Each range's first and last frame may be mapped, and the ones beside them not. */
static void check_ranges(const struct range *ranges, unsigned int nr)
{
    unsigned int i;

    for (i = 0; i < nr; i++) {
        check_page(ranges[i].first - 1, PTE_PRESENT, refusal(ranges[i].first - 1));
        check_page(ranges[i].first, PTE_PRESENT, 0);
        check_page(ranges[i].end - 1, PTE_PRESENT, 0);
        check_page(ranges[i].end - 1, PTE_PRESENT | PTE_WRITE | NX, 0);
        check_page(ranges[i].end, PTE_PRESENT, refusal(ranges[i].end));
        check_page(ranges[i].end, PTE_PRESENT | PTE_WRITE, refusal(ranges[i].end));
    }
}

static void check_monitors_frames(void)
{
    static const uint64_t frames[] = {
        0, MACHINE_L0_SHARED_INFO_MFN, MACHINE_HEAP_MFN + 1, MACHINE_STUBS_MFN,
        MACHINE_VCPUS_MFN, MACHINE_ISOLATION_MFN, MACHINE_TABLES_MFN,
        MACHINE_END_MFN, NO_SUCH_FRAME,
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(frames); i++) {
        check_page(frames[i], PTE_PRESENT, refusal(frames[i]));
        check_page(frames[i], PTE_PRESENT | PTE_WRITE, refusal(frames[i]));
    }
}

static const struct range common[] = {
    { MACHINE_LOW_MFN, MACHINE_HOLE_MFN },
    { MACHINE_HIGH_MFN, MACHINE_MAX_MFN },
    { MACHINE_XENSTORE_MFN, MACHINE_CONSOLE_MFN + 1 },
    { MACHINE_GRANT_MFN, MACHINE_GRANT_MFN + MACHINE_NR_GRANT_MFNS },
    { MACHINE_STATUS_MFN, MACHINE_STATUS_MFN + MACHINE_NR_GRANT_MFNS },
};

static void test_frames(void)
{
    static const struct range shared_info = { MACHINE_SHARED_INFO_MFN,
                                              MACHINE_SHARED_INFO_MFN + 1 };

    machine_start(&(struct machine_config) { 0 });
    map_page();
    check_ranges(common, G_N_ELEMENTS(common));
    check_ranges(&shared_info, 1);
    check_monitors_frames();
    check_page(MACHINE_HEAP_MFN, PTE_PRESENT, refusal(MACHINE_HEAP_MFN));
}

/* Then L0's shared_info is the monitor's. */
static void test_frames_with_own_events(void)
{
    static const struct range shared_info = { MACHINE_HEAP_MFN,
                                              MACHINE_HEAP_MFN + 1 };

    machine_start(&(struct machine_config) { .own_events = true });
    map_page();
    check_ranges(common, G_N_ELEMENTS(common));
    check_ranges(&shared_info, 1);
    check_monitors_frames();
    check_page(MACHINE_SHARED_INFO_MFN, PTE_PRESENT, refusal(MACHINE_SHARED_INFO_MFN));
}

/* What is nobody's: as a page, as a table, and to be written. */
static void test_given_back(void)
{
    static const uint8_t kept[] = { MARK_FREE, MARK_STOLEN, MARK_TAKEN,
                                    MARK_KEPT };
    static const uint8_t unknown[] = { MARK_KEPT - 1, 5 };
    uint64_t mfn;
    unsigned int i, level;

    machine_start(&(struct machine_config) { 0 });
    map_page();
    mfn = machine_frame();
    for (i = 0; i < G_N_ELEMENTS(kept); i++) {
        marks[mfn] = kept[i];
        check_page(mfn, PTE_PRESENT, -XEN_EINVAL);
        check_page(mfn, PTE_PRESENT | PTE_WRITE, -XEN_EINVAL);
        for (level = 2; level <= 4; level++) {
            g_assert_cmpint(update(place_of(VA, level),
                                   mfn << PAGE_SHIFT | PTE_PRESENT),
                            ==, -XEN_EINVAL);
        }
        g_assert_cmpint(update(mfn << PAGE_SHIFT, 0), ==, -XEN_EINVAL);
        g_assert_cmpint(update(mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0), ==,
                        -XEN_EINVAL);
        g_assert_cmpuint(marks[mfn], ==, kept[i]);
    }
    /* Another vCPU gives it back just now: no level that there is. */
    for (i = 0; i < G_N_ELEMENTS(unknown); i++) {
        marks[mfn] = unknown[i];
        g_assert_cmpint(update(mfn << PAGE_SHIFT, 0), ==, -XEN_EINVAL);
    }
}

/* A table that is mapped writable is none any more, but for one that is loaded. */
static void test_tables_as_pages(void)
{
    uint64_t mfn, top;
    unsigned int level;

    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    map_page();
    mfn = machine_frame();
    for (level = 1; level <= 4; level++) {
        mark_tables(mfn, level);
        check_page(mfn, PTE_PRESENT, 0);
        g_assert_cmpuint(marks[mfn], ==, level);
        check_page(mfn, PTE_PRESENT | PTE_WRITE, 0);
        g_assert_cmpuint(marks[mfn], ==, 0);
    }
    top = kernel_top();
    check_page(top, PTE_PRESENT, 0);
    check_page(top, PTE_PRESENT | PTE_WRITE, -XEN_EBUSY);
    g_assert_cmpuint(marks[top], ==, 4);
    /* A mapping that is not present does not count. */
    g_assert_cmpint(update_va(VA, top << PAGE_SHIFT | PTE_WRITE, 0), ==, 0);
    g_assert_cmpuint(marks[top], ==, 4);
    /* One of another vCPU's, of either mode. */
    mark_tables(mfn, 4);
    vcpu_by_id(1)->initialised = true;
    vcpu_by_id(1)->user_top = mfn;
    check_page(mfn, PTE_PRESENT | PTE_WRITE, -XEN_EBUSY);
    vcpu_by_id(1)->kernel_top = mfn;
    vcpu_by_id(1)->user_top = 0;
    check_page(mfn, PTE_PRESENT | PTE_WRITE, -XEN_EBUSY);
    g_assert_cmpuint(marks[mfn], ==, 4);
}

static void test_writable(void)
{
    uint64_t mfn;
    unsigned int level;

    machine_start(&(struct machine_config) { 0 });
    mfn = machine_frame();
    for (level = 0; level <= 4; level++) {
        marks[mfn] = level;
        g_assert_true(is_guest_frame(mfn));
        g_assert_true(is_writable_frame(mfn) == (level != 4));
    }
    marks[mfn] = MARK_FREE;
    g_assert_false(is_writable_frame(mfn));
    g_assert_false(is_writable_frame(MACHINE_CONSOLE_MFN));
    g_assert_false(is_writable_frame(~0ul));
}

/* Bits ----------------------------------------------------------------------------- */

static void test_bits(void)
{
    const uint64_t ad = PTE_ACCESSED | PTE_DIRTY, more = NX | 0xe18;
    const uint64_t absent = ~(PTE_PRESENT | PTE_USER);
    uint64_t place, page, *entry;
    unsigned int level;

    machine_start(&(struct machine_config) { 0 });
    page = map_page() << PAGE_SHIFT;
    place = place_of(VA, 1);
    entry = entry_of(VA, 1);
    *entry = page | ad | PTE_PRESENT | PTE_WRITE;
    g_assert_cmpint(update(place | MMU_PT_UPDATE_PRESERVE_AD,
                           page | more | PTE_PRESENT),
                    ==, 0);
    g_assert_cmphex(*entry, ==, page | more | ad | PTE_PRESENT | PTE_USER);
    g_assert_cmpint(update(place | MMU_PT_UPDATE_PRESERVE_AD, 0), ==, 0);
    g_assert_cmphex(*entry, ==, ad);
    g_assert_cmpint(update(place | MMU_PT_UPDATE_PRESERVE_AD,
                           MACHINE_HOLE_MFN << PAGE_SHIFT | PTE_PRESENT),
                    ==, -XEN_EINVAL);
    g_assert_cmphex(*entry, ==, ad);
    g_assert_cmpint(update(place, page | more | PTE_PRESENT), ==, 0);
    g_assert_cmphex(*entry, ==, page | more | PTE_PRESENT | PTE_USER);
    /* In an entry for a page this is another bit. */
    check_page(page >> PAGE_SHIFT, PTE_LARGE | PTE_PRESENT, 0);
    /* What is not present may be anything, at any level. */
    for (level = 1; level <= 4; level++) {
        entry = entry_of(VA, level);
        g_assert_cmpint(update(place_of(VA, level), absent), ==, 0);
        g_assert_cmphex(*entry, ==, absent);
        *entry = page | PTE_PRESENT;
    }
}

/* Tables --------------------------------------------------------------------------- */

static void test_higher_levels(void)
{
    static const uint64_t bad[] = {
        0, MACHINE_XENSTORE_MFN, MACHINE_CONSOLE_MFN, MACHINE_SHARED_INFO_MFN,
        MACHINE_GRANT_MFN, MACHINE_STATUS_MFN, MACHINE_HOLE_MFN,
        MACHINE_TABLES_MFN, NO_SUCH_FRAME,
    };
    unsigned int level, i;

    machine_start(&(struct machine_config) { 0 });
    map_page();
    for (level = 2; level <= 4; level++) {
        uint64_t mfn = machine_frame(), page = machine_frame();
        /* Beside the one that VA needs. */
        uint64_t place = place_of(VA, level) + 8, *entry = directmap(place);
        uint64_t value = mfn << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE | NX;

        g_assert_cmpint(update(place, value | PTE_LARGE), ==, -XEN_EINVAL);
        for (i = 0; i < G_N_ELEMENTS(bad); i++) {
            g_assert_cmpint(update(place, bad[i] << PAGE_SHIFT | PTE_PRESENT),
                            ==, -XEN_EINVAL);
        }
        g_assert_cmphex(*entry, ==, 0);
        g_assert_cmpuint(marks[mfn], ==, 0);
        entries_of(mfn)[511] = page << PAGE_SHIFT | PTE_PRESENT;
        g_assert_cmpint(update(place, value), ==, 0);
        g_assert_cmphex(*entry, ==, value | PTE_USER);
        g_assert_cmpuint(marks[mfn], ==, level - 1);
        g_assert_cmphex(entries_of(mfn)[511], ==,
                        page << PAGE_SHIFT | PTE_PRESENT | PTE_USER);
    }
}

static void test_hypervisors_entries(void)
{
    static const unsigned int others[] = { 0, 255, 272, 510 };
    uint64_t top, table, mfn;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    top = kernel_top();
    table = machine_frame() << PAGE_SHIFT | PTE_PRESENT;
    for (i = 256; i < 272; i++) {
        uint64_t place = top << PAGE_SHIFT | i * 8;

        g_assert_cmpint(update(place, 0), ==, -XEN_EINVAL);
        g_assert_cmpint(update(place, table), ==, -XEN_EINVAL);
        g_assert_cmpint(update(place | MMU_PT_UPDATE_PRESERVE_AD, 0), ==,
                        -XEN_EINVAL);
        g_assert_cmphex(entries_of(top)[i], ==, boot->slots[i - 256]);
    }
    for (i = 0; i < G_N_ELEMENTS(others); i++) {
        g_assert_cmpint(update(top << PAGE_SHIFT | others[i] * 8, table), ==, 0);
        g_assert_cmphex(entries_of(top)[others[i]], ==, table | PTE_USER);
    }
    /* In a table of any other level they are the guest's, and in what is none. */
    mfn = machine_frame();
    for (i = 0; i < 4; i++) {
        marks[mfn] = i;
        g_assert_cmpint(update(mfn << PAGE_SHIFT | FIRST_SLOT * 8, table), ==, 0);
        g_assert_cmphex(entries_of(mfn)[FIRST_SLOT], ==, table | (i ? PTE_USER : 0));
        entries_of(mfn)[FIRST_SLOT] = 0;
    }
}

/*
 * Top-level tables in top-level tables: for reading only, as the guest could write
 * there.
 */
static void test_linear(void)
{
    uint64_t top, tables[2], place, *entry;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    top = kernel_top();
    tables[0] = top;
    tables[1] = machine_frame();
    entry = &entries_of(top)[300];
    place = top << PAGE_SHIFT | 300 * 8;
    marks[tables[1]] = 4;
    for (i = 0; i < 2; i++) {
        uint64_t value = tables[i] << PAGE_SHIFT | PTE_PRESENT;

        g_assert_cmpint(update(place, value | PTE_WRITE), ==, -XEN_EINVAL);
        g_assert_cmphex(*entry, ==, 0);
        g_assert_cmpuint(marks[tables[i]], ==, 4);
        g_assert_cmpint(update(place, value), ==, 0);
        g_assert_cmphex(*entry, ==, value | PTE_USER);
        *entry = 0;
    }
    g_assert_cmpuint(marks[top], ==, 4);
    /* Any other table may be writable, whatever it was. */
    for (i = 0; i < 4; i++) {
        marks[tables[1]] = i;
        g_assert_cmpint(update(place, tables[1] << PAGE_SHIFT | PTE_PRESENT |
                                      PTE_WRITE), ==, 0);
        g_assert_cmpuint(marks[tables[1]], ==, 3);
    }
}

/* What is in a frame that is no table, or none yet, is for the guest to say. */
static void test_unmarked(void)
{
    static const uint64_t values[] = {
        MACHINE_CONSOLE_MFN << PAGE_SHIFT | PTE_PRESENT,
        (uint64_t)MACHINE_HOLE_MFN << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE, ~0ul, 0,
    };
    uint64_t mfn, place;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    mfn = machine_frame();
    place = mfn << PAGE_SHIFT | 8;
    for (i = 0; i < G_N_ELEMENTS(values); i++) {
        g_assert_cmpint(update(place, values[i]), ==, 0);
        g_assert_cmphex(entries_of(mfn)[1], ==, values[i]);
    }
    g_assert_cmpuint(marks[mfn], ==, 0);
}

/* A top-level table that becomes something else maps nothing of the monitor's. */
static void test_former_top(void)
{
    uint64_t mfn;
    unsigned int level, i;

    machine_start(&(struct machine_config) { 0 });
    map_page();
    for (level = 0; level < 4; level++) {
        mfn = machine_frame();
        g_assert_cmpint(mmuext(MMUEXT_PIN_L4_TABLE, mfn, 0), ==, 0);
        if (level) {
            g_assert_cmpint(update(place_of(VA, level + 1) + 8,
                                   mfn << PAGE_SHIFT | PTE_PRESENT), ==, 0);
        } else {
            g_assert_cmpint(update_va(VA, mfn << PAGE_SHIFT | PTE_PRESENT |
                                          PTE_WRITE, 0), ==, 0);
        }
        g_assert_cmpuint(marks[mfn], ==, level);
        for (i = 0; i < NR_SLOTS; i++) {
            g_assert_cmphex(entries_of(mfn)[FIRST_SLOT + i], ==, 0);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/mmu/frames", test_frames);
    machine_test("/monitor/mmu/frames-with-own-events", test_frames_with_own_events);
    machine_test("/monitor/mmu/given-back", test_given_back);
    machine_test("/monitor/mmu/tables-as-pages", test_tables_as_pages);
    machine_test("/monitor/mmu/writable", test_writable);
    machine_test("/monitor/mmu/bits", test_bits);
    machine_test("/monitor/mmu/higher-levels", test_higher_levels);
    machine_test("/monitor/mmu/hypervisors-entries", test_hypervisors_entries);
    machine_test("/monitor/mmu/linear", test_linear);
    machine_test("/monitor/mmu/unmarked", test_unmarked);
    machine_test("/monitor/mmu/former-top", test_former_top);
    return g_test_run();
}
