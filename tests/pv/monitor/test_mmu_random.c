/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmu.c, marks.c and page_fault.c: random changes of a guest's tables, each frame of
 * which is of any level at any time.  What must hold after each is in check() and
 * check_changes().
 */

#include "tables.h"

enum { NR_TABLES = 8, NR_STEPS = 15000 };

/*
 * Where all of it takes place.  The last entry of each table leads to the kernel's
 * memory.
 */
static const unsigned int places[] = { 0, 1, 255, 256, 261, 271, 272, 300 };

static uint64_t tables[NR_TABLES], given_back;
static uint64_t before[NR_TABLES][512];
static uint8_t marks_before[NR_TABLES];

static unsigned int up_to(unsigned int nr)
{
    return g_test_rand_int_range(0, nr);
}

static uint64_t any_table(void)
{
    return tables[up_to(NR_TABLES)];
}

static unsigned int any_place(void)
{
    return places[up_to(G_N_ELEMENTS(places))];
}

static uint64_t any_address(void)
{
    uint64_t va = 0;
    unsigned int level;

    for (level = 4; level; level--) {
        va = va << 9 | any_place();
    }
    return (uint64_t)((int64_t)(va << 28) >> 16);
}

static uint64_t any_entry(void)
{
    static const uint64_t others[] = {
        0, MACHINE_CONSOLE_MFN, MACHINE_GRANT_MFN, MACHINE_HOLE_MFN,
        MACHINE_VCPUS_MFN, MACHINE_TABLES_MFN, NO_SUCH_FRAME,
    };
    static const uint64_t flags[] = {
        0, PTE_PRESENT, PTE_PRESENT | PTE_WRITE, PTE_PRESENT | PTE_WRITE | NX,
        PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY, PTE_PRESENT | PTE_LARGE,
    };
    unsigned int i = up_to(16);
    uint64_t mfn = i < G_N_ELEMENTS(others) ? others[i] :
                   i == 7 ? given_back : any_table();

    return mfn << PAGE_SHIFT | flags[up_to(G_N_ELEMENTS(flags))];
}

/* What must hold ------------------------------------------------------------------- */

static bool is_in_use(uint64_t mfn)
{
    unsigned int id;

    for (id = 0; id < 2; id++) {
        if (vcpu_by_id(id)->kernel_top == mfn || vcpu_by_id(id)->user_top == mfn) {
            return true;
        }
    }
    return false;
}

static bool is_guests(uint64_t mfn)
{
    return mfn != given_back &&
           ((mfn >= MACHINE_LOW_MFN && mfn < MACHINE_HOLE_MFN) ||
            (mfn >= MACHINE_HIGH_MFN && mfn < MACHINE_MAX_MFN));
}

static bool may_be_mapped(uint64_t mfn)
{
    return is_guests(mfn) || mfn == MACHINE_CONSOLE_MFN ||
           mfn == MACHINE_GRANT_MFN;
}

static void check_top(uint64_t mfn)
{
    const uint64_t bits = ~(PTE_ACCESSED | PTE_DIRTY);
    unsigned int i;

    g_assert_cmpuint(marks[mfn], ==, 4);
    for (i = 1; i < NR_SLOTS; i++) {
        g_assert_cmphex(entries_of(mfn)[FIRST_SLOT + i] & bits, ==,
                        boot->slots[i] & bits);
    }
}

/* A table that is no top-level one any more has none of the monitor's entries. */
static bool is_former_top(unsigned int i)
{
    return marks_before[i] == 4 && marks[tables[i]] != 4;
}

static void check(void)
{
    unsigned int id, i, k;

    for (id = 0; id < 2; id++) {
        struct vcpu *v = vcpu_by_id(id);

        check_top(v->kernel_top);
        if (v->user_top) {
            check_top(v->user_top);
        }
        g_assert_cmphex(machine_processors[id].cr3, ==,
                        v->kernel_top << PAGE_SHIFT);
    }
    for (i = 0; i < NR_TABLES; i++) {
        for (k = 0; k < NR_SLOTS && is_former_top(i); k++) {
            g_assert_cmphex(entries_of(tables[i])[FIRST_SLOT + k], ==, 0);
        }
    }
    g_assert_cmpuint(marks[given_back], ==, MARK_FREE);
}

static void remember(void)
{
    unsigned int i;

    for (i = 0; i < NR_TABLES; i++) {
        memcpy(before[i], frame(tables[i]), PAGE_SIZE);
        marks_before[i] = marks[tables[i]];
    }
}

/*
 * A call has written one entry at most, of a page that the guest may map so, or of a
 * table.
 */
static void check_changes(long result, unsigned int level)
{
    unsigned int i, k, nr = 0;

    for (i = 0; i < NR_TABLES; i++) {
        if (!memcmp(before[i], frame(tables[i]), PAGE_SIZE)) {
            continue;
        }
        for (k = 0; k < 512; k++) {
            uint64_t value = entries_of(tables[i])[k], mfn = mfn_in(value);

            if (!((value ^ before[i][k]) & ~PTE_USER) ||
                (is_former_top(i) && is_hypervisor_slot(k))) {
                continue;
            }
            nr++;
            if (level && value & PTE_PRESENT) {
                g_assert_true(value & PTE_USER);
                g_assert_true(level > 1 ? is_guests(mfn) : may_be_mapped(mfn));
                g_assert_false(level == 1 && value & PTE_WRITE && is_in_use(mfn));
            }
        }
    }
    g_assert_cmpuint(nr, <=, result ? 0 : 1);
}

/* What a call should say that writes @value to a table as one of this level. */
static long expected(uint64_t mfn, unsigned int place, unsigned int level,
                     uint64_t value)
{
    uint64_t target = mfn_in(value);

    /* No table: what is in it is the guest's to say. */
    if (!level) {
        return 0;
    }
    if (marks[mfn] == 4 && is_hypervisor_slot(place)) {
        return -XEN_EINVAL;
    }
    if (!(value & PTE_PRESENT)) {
        return 0;
    }
    if (level == 1) {
        return !may_be_mapped(target) ?
               (target < MACHINE_MAX_MFN || target == PTE_FRAME >> PAGE_SHIFT ?
                -XEN_EINVAL : -XEN_EPERM) :
               value & PTE_WRITE && is_in_use(target) ? -XEN_EBUSY : 0;
    }
    if (value & PTE_LARGE || !is_guests(target)) {
        return -XEN_EINVAL;
    }
    return (level == 4 ? value & PTE_WRITE && marks[target] == 4 : is_in_use(target)) ?
           -XEN_EINVAL : 0;
}

/* Steps ---------------------------------------------------------------------------- */

static void do_update(void)
{
    uint64_t mfn = any_table(), value = any_entry(), old, new;
    unsigned int place = any_place();
    bool keep = up_to(2);
    unsigned int level = marks[mfn];
    long result = expected(mfn, place, level, value), got;

    old = entries_of(mfn)[place];
    got = update(mfn << PAGE_SHIFT | place * 8 |
                 (keep ? MMU_PT_UPDATE_PRESERVE_AD : MMU_NORMAL_PT_UPDATE), value);
    g_assert_cmpint(got, ==, result);
    check_changes(got, level);
    if (!got) {
        new = !level ? value :
              with_user(value) | (keep ? old & (PTE_ACCESSED | PTE_DIRTY) : 0);
        g_assert_cmphex(entries_of(mfn)[place], ==, new);
    }
}

static void do_update_va(void)
{
    uint64_t va = any_address(), value = any_entry();
    const uint64_t *entry = pte_of(vcpu_by_id(0), va, 1);
    long result = -XEN_EINVAL;
    unsigned int i;

    for (i = 0; i < NR_TABLES && entry; i++) {
        const uint64_t *table = entries_of(tables[i]);

        if (entry >= table && entry < table + 512) {
            result = expected(tables[i], entry - table, 1, value);
        }
    }
    g_assert_cmpint(update_va(va, value, up_to(4) | UVMF_ALL), ==, result);
    check_changes(result, 1);
}

/* A table that is refused as a top-level one: an entry leads to it, and may be written. */
static bool may_write_itself(uint64_t mfn)
{
    unsigned int i, k;

    for (i = 0; i < NR_TABLES; i++) {
        for (k = 0; k < 512; k++) {
            uint64_t value = entries_of(tables[i])[k];

            if (mfn_in(value) == mfn && value & PTE_PRESENT && value & PTE_WRITE) {
                return true;
            }
        }
    }
    return false;
}

static void do_mmuext(void)
{
    static const unsigned int commands[] = {
        MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,
        MMUEXT_PIN_L4_TABLE, MMUEXT_UNPIN_TABLE, MMUEXT_NEW_BASEPTR,
        MMUEXT_NEW_USER_BASEPTR, MMUEXT_CLEAR_PAGE, MMUEXT_COPY_PAGE,
    };
    unsigned int command = commands[up_to(G_N_ELEMENTS(commands))];
    uint64_t mfn = up_to(8) ? any_table() : mfn_in(any_entry());
    bool user = command == MMUEXT_NEW_USER_BASEPTR;
    bool writes = command == MMUEXT_CLEAR_PAGE || command == MMUEXT_COPY_PAGE;
    bool ok = is_guests(mfn) || (user && !mfn);
    long result;

    if (command == MMUEXT_NEW_BASEPTR && is_guests(mfn)) {
        entries_of(mfn)[511] = entries_of(kernel_top())[511];
    }
    if (writes && ok && marks[mfn] == 4) {
        ok = false;
    }
    result = mmuext(command, mfn, any_table());
    if (result == -XEN_EINVAL && ok) {
        g_assert_true(may_write_itself(mfn));
        return;
    }
    g_assert_cmpint(result, ==, ok ? 0 : -XEN_EINVAL);
    if (ok && command == MMUEXT_NEW_BASEPTR) {
        g_assert_cmphex(kernel_top(), ==, mfn);
    }
    if (ok && user) {
        g_assert_cmphex(vcpu_by_id(0)->user_top, ==, mfn);
    }
}

/*
 * A store of the guest's, by a page that it has mapped.  The monitor's entries would end
 * it.
 */
static void do_store(void)
{
    uint64_t mfn = any_table();
    unsigned int place = any_place();

    if (!is_in_use(mfn) || !is_hypervisor_slot(place)) {
        entries_of(mfn)[place] = any_entry();
    }
}

static void do_fault(void)
{
    fix_page_fault(vcpu_by_id(0), any_address(), up_to(32), up_to(4));
}

/* The same calls from another vCPU. */
static void do_other_vcpu(void)
{
    uint64_t mfn = up_to(8) ? any_table() : mfn_in(any_entry());
    bool user = up_to(2);
    long result;

    machine_switch(1);
    result = user ? set_user_top(this_vcpu(), mfn) : set_kernel_top(this_vcpu(), mfn);
    if (result != -XEN_EINVAL || !may_write_itself(mfn)) {
        g_assert_cmpint(result, ==,
                        is_guests(mfn) || (user && !mfn) ? 0 : -XEN_EINVAL);
    }
    machine_switch(0);
}

/* To user mode and back: each table is loaded as it is now. */
static void do_modes(void)
{
    struct vcpu *v = vcpu_by_id(0);

    if (v->user_top) {
        toggle_mode(v);
        g_assert_cmphex(machine_processors[0].cr3, ==, v->user_top << PAGE_SHIFT);
        toggle_mode(v);
    }
}

static void begin(void)
{
    struct vcpu *v = vcpu_by_id(1);
    unsigned int i;

    tables[0] = kernel_top();
    for (i = 1; i < NR_TABLES; i++) {
        tables[i] = machine_frame();
    }
    given_back = machine_frame();
    marks[given_back] = MARK_FREE;
    v->kernel_mode = v->initialised = true;
    v->kernel_top = kernel_top();
}

static void test_random(void)
{
    static void (*const steps[])(void) = {
        do_update, do_update, do_update_va, do_update_va, do_mmuext, do_mmuext,
        do_store, do_store, do_fault, do_other_vcpu, do_modes,
    };
    unsigned int i;

    machine_start(&(struct machine_config) { .nr_vcpus = 2 });
    begin();
    for (i = 0; i < NR_STEPS; i++) {
        uint64_t last = entries_of(kernel_top())[511];

        set_writable_pagetables(i & 64);
        remember();
        steps[up_to(G_N_ELEMENTS(steps))]();
        entries_of(kernel_top())[511] = last;
        check();
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/mmu_random/random", test_random);
    return g_test_run();
}
