/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_fault.c: the faults that the monitor repairs, and those of which the guest is
 * told, with what it is told (guest_page_fault() in traps.c).
 */

#include "tables.h"

#define PRESENT     1ul
#define WRITE       2ul
#define USER        4ul
#define RESERVED    8ul
#define FETCH       16ul
#define HANDLER     (MACHINE_KERNEL_VA + 0x1800)
#define WRITABLE    (PTE_PRESENT | PTE_WRITE | PTE_USER)

/* Whether the guest goes on where it was. */
static bool fault_at(uint64_t address, uint64_t error, uint64_t rip)
{
    struct regs regs = machine_trapped(EXC_PF, error);

    regs.rip = rip;
    machine_processors[0].cr2 = address;
    trap(&regs);
    if (regs.rip == rip) {
        return true;
    }
    g_assert_cmphex(regs.rip, ==, HANDLER);
    g_assert_cmphex(vcpu_by_id(0)->info->arch.cr2, ==, address);
    return false;
}

/* Each one is at another instruction, as if there were none before. */
static bool repaired(uint64_t address, uint64_t error)
{
    static uint64_t rip = 0x1000;

    return fault_at(address, error, rip++);
}

/* A page at VA, of which all entries have USER. */
static uint64_t begin(void)
{
    uint64_t mfn = map_page();
    unsigned int level;

    vcpu_by_id(0)->traps[EXC_PF].address = HANDLER;
    vcpu_by_id(0)->kernel_sp = MACHINE_KERNEL_VA + 3 * PAGE_SIZE;
    for (level = 4; level; level--) {
        *entry_of(VA, level) |= PTE_USER;
    }
    return mfn;
}

/* USER ----------------------------------------------------------------------------- */

static void test_lacks_user(void)
{
    static const uint64_t errors[] = { PRESENT, PRESENT | WRITE, PRESENT | FETCH,
                                       PRESENT | USER | WRITE,
                                       PRESENT | RESERVED };
    unsigned int level, i, k;

    machine_start(&(struct machine_config) { 0 });
    begin();
    for (i = 0; i < G_N_ELEMENTS(errors); i++) {
        for (level = 4; level; level--) {
            *entry_of(VA, level) &= ~PTE_USER;
            g_assert_true(repaired(VA + 0xfff, errors[i]));
            for (k = 4; k; k--) {
                g_assert_cmphex(*entry_of(VA, k) & WRITABLE, ==, WRITABLE);
            }
        }
    }
}

/* The rest of the lowest table comes with it, of which only entries that are present. */
static void test_neighbours(void)
{
    uint64_t *entries, *higher;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    begin();
    entries = entry_of(VA, 1);
    higher = entry_of(VA, 2);
    for (i = 1; i < 512; i++) {
        entries[i] = (uint64_t)i << PAGE_SHIFT | (i & 1);
    }
    higher[1] = higher[0] & ~PTE_USER;
    g_assert_true(repaired(VA, PRESENT));
    g_assert_cmphex(entries[1] & PTE_USER, ==, 0);
    g_assert_true(repaired(VA + 5 * PAGE_SIZE, PRESENT));
    for (i = 1; i < 512; i++) {
        g_assert_cmphex(entries[i], ==, (uint64_t)i << PAGE_SHIFT | (i & 1) |
                                        (i & 1 ? PTE_USER : 0));
    }
    g_assert_cmphex(higher[1] & PTE_USER, ==, 0);
}

/* Told ----------------------------------------------------------------------------- */

static void test_not_present(void)
{
    unsigned int level, i;

    machine_start(&(struct machine_config) { 0 });
    begin();
    /* By the error code. */
    *entry_of(VA, 1) &= ~PTE_USER;
    g_assert_false(repaired(VA, 0));
    g_assert_false(repaired(VA, WRITE | USER));
    g_assert_cmphex(*entry_of(VA, 1) & PTE_USER, ==, 0);
    *entry_of(VA, 1) |= PTE_USER;
    /* By the tables, which another vCPU has changed. */
    for (level = 4; level; level--) {
        uint64_t *entry = entry_of(VA, level), good = *entry;
        const uint64_t bad[] = {
            good & ~PTE_PRESENT, good | PTE_LARGE,
            MACHINE_HOLE_MFN << PAGE_SHIFT | WRITABLE,
        };

        for (i = 0; i < (level > 1 ? G_N_ELEMENTS(bad) : 1); i++) {
            *entry = bad[i];
            g_assert_false(repaired(VA, PRESENT));
            g_assert_cmphex(*entry, ==, bad[i]);
        }
        *entry = good;
    }
    g_assert_true(repaired(VA, PRESENT));
}

static void test_addresses(void)
{
    static const struct {
        uint64_t address;
        bool ok;
    } cases[] = {
        { M2P_VA, false }, { WINDOWS_VA, false }, { MONITOR_VA, false },
        { DIRECTMAP_VA, false }, { HYPERVISOR_END - 1, false },
        { HYPERVISOR_END, true }, { 0, true }, { 0x00007fffffffffff, true },
    };
    uint64_t mfn;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    mfn = begin();
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (cases[i].ok) {
            machine_map(cases[i].address, mfn, PTE_PRESENT);
        }
        g_assert_true(repaired(cases[i].address, PRESENT) == cases[i].ok);
    }
    for (i = 0; i < NR_SLOTS; i++) {
        g_assert_cmphex(entries_of(kernel_top())[FIRST_SLOT + i], ==,
                        boot->slots[i]);
    }
}

/* What its tables forbid user mode is forbidden. */
static void test_user_mode(void)
{
    struct vcpu *v;

    machine_start(&(struct machine_config) { 0 });
    begin();
    v = vcpu_by_id(0);
    v->user_top = v->kernel_top;
    set_writable_pagetables(true);
    *entry_of(VA, 1) &= ~PTE_USER;
    toggle_mode(v);
    g_assert_false(repaired(VA, PRESENT | USER));
    g_assert_true(v->kernel_mode);
    g_assert_cmphex(*entry_of(VA, 1) & PTE_USER, ==, 0);
    g_assert_true(repaired(VA, PRESENT | USER));
}

/* The frame: who it was, and what the processor said. */
static void test_told(void)
{
    static const uint64_t errors[] = { 0, PRESENT, WRITE, FETCH,
                                       PRESENT | WRITE | RESERVED | FETCH };
    const uint64_t *frame;
    struct vcpu *v;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    begin();
    v = vcpu_by_id(0);
    v->user_top = v->kernel_top;
    *entry_of(VA, 1) = 0;
    for (i = 0; i < 2 * G_N_ELEMENTS(errors); i++) {
        bool user = i & 1;
        struct regs regs = machine_trapped(EXC_PF, errors[i / 2] | USER);
        uint64_t rip = regs.rip;

        machine_processors[0].cr2 = VA + i;
        if (user) {
            toggle_mode(v);
        }
        trap(&regs);
        g_assert_true(v->kernel_mode);
        g_assert_cmphex(regs.rip, ==, HANDLER);
        g_assert_cmphex(v->info->arch.cr2, ==, VA + i);
        frame = machine_at(regs.rsp);
        /* Its kernel is told as if it were in ring 0. */
        g_assert_cmphex(frame[2], ==, errors[i / 2] | (user ? USER : 0));
        g_assert_cmphex(frame[3], ==, rip);
        g_assert_cmphex(frame[4] & 3, ==, user ? 3 : 0);
    }
}

/* Tables that are read-only -------------------------------------------------------- */

static void test_writable_tables(void)
{
    static const struct {
        uint8_t mark;
        bool enabled;
        uint64_t error;
        bool repaired;
    } cases[] = {
        { 1, true, PRESENT | WRITE, true },
        { 1, true, PRESENT | WRITE | USER, true },
        { 1, false, PRESENT | WRITE, false },
        { 0, true, PRESENT | WRITE, false },
        { 2, true, PRESENT | WRITE, false },
        { 3, true, PRESENT | WRITE, false },
        { 4, true, PRESENT | WRITE, false },
        { MARK_FREE, true, PRESENT | WRITE, false },
        { MARK_KEPT, true, PRESENT | WRITE, false },
    };
    struct machine_processor *p = &machine_processors[0];
    uint64_t mfn, value, *entry;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    mfn = begin();
    entry = entry_of(VA, 1);
    value = mfn << PAGE_SHIFT | PTE_PRESENT | PTE_USER | PTE_ACCESSED | NX;
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        marks[mfn] = cases[i].mark;
        p->invlpg = 0;
        g_assert_cmpint(machine_call(__HYPERVISOR_vm_assist,
                                     cases[i].enabled ? VMASST_CMD_enable :
                                                        VMASST_CMD_disable,
                                     VMASST_TYPE_writable_pagetables, 0, 0),
                        ==, 0);
        *entry = value;
        g_assert_true(repaired(VA + 8, cases[i].error) == cases[i].repaired);
        g_assert_cmphex(*entry, ==,
                        value | (cases[i].repaired ? PTE_WRITE : 0));
        g_assert_cmphex(p->invlpg, ==, cases[i].repaired ? VA + 8 : 0);
        g_assert_cmpuint(marks[mfn], ==, cases[i].mark);
    }
    /* Not the guest's, but with a mark. */
    machine_marks[MACHINE_CONSOLE_MFN] = 1;
    set_writable_pagetables(true);
    *entry = MACHINE_CONSOLE_MFN << PAGE_SHIFT | PTE_PRESENT | PTE_USER;
    g_assert_false(repaired(VA, PRESENT | WRITE));
    g_assert_cmphex(*entry & PTE_WRITE, ==, 0);
    *entry = NO_SUCH_FRAME << PAGE_SHIFT | PTE_PRESENT | PTE_USER;
    g_assert_false(repaired(VA, PRESENT | WRITE));
    /* A read needs nothing. */
    marks[mfn] = 1;
    *entry = value;
    g_assert_true(repaired(VA, PRESENT));
    g_assert_cmphex(*entry, ==, value);
}

/* Both at once: the fault comes again, and is repaired then. */
static void test_both(void)
{
    uint64_t mfn, *entry;

    machine_start(&(struct machine_config) { 0 });
    mfn = begin();
    entry = entry_of(VA, 1);
    marks[mfn] = 1;
    set_writable_pagetables(true);
    *entry = mfn << PAGE_SHIFT | PTE_PRESENT;
    g_assert_true(fault_at(VA, PRESENT | WRITE, 0x2000));
    g_assert_cmphex(*entry & WRITABLE, ==, PTE_PRESENT | PTE_USER);
    g_assert_true(fault_at(VA, PRESENT | WRITE, 0x2000));
    g_assert_cmphex(*entry & WRITABLE, ==, WRITABLE);
}

/*
 * Through a top-level table in itself, which is read-only and so allowed, the guest does
 * not come to the monitor's tables, and the monitor's entries stay as they are.
 */
static void test_monitors_tables(void)
{
    const unsigned int own = 300;
    const uint64_t linear = 0xffffull << 48 | (uint64_t)own << 39 |
                            (uint64_t)own << 30 | (uint64_t)own << 21;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    begin();
    g_assert_cmpint(update((kernel_top() << PAGE_SHIFT) + own * 8,
                           kernel_top() << PAGE_SHIFT | PTE_PRESENT), ==, 0);
    g_assert_false(repaired(linear | (FIRST_SLOT + 5) << PAGE_SHIFT, PRESENT));
    /* Nor as neighbours of an entry of its own. */
    entries_of(kernel_top())[own + 1] = kernel_top() << PAGE_SHIFT | PTE_PRESENT;
    g_assert_true(repaired(linear | (own + 1) << PAGE_SHIFT, PRESENT));
    g_assert_cmphex(entries_of(kernel_top())[own + 1] & PTE_USER, !=, 0);
    for (i = 0; i < NR_SLOTS; i++) {
        g_assert_cmphex(entries_of(kernel_top())[FIRST_SLOT + i], ==,
                        boot->slots[i]);
    }
}

/* Again and again ------------------------------------------------------------------ */

/* Nothing is wrong: another vCPU has repaired it, but not so often. */
static void test_spurious(void)
{
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    begin();
    g_assert_true(repaired(VA, PRESENT));
    g_assert_true(repaired(VA, PRESENT | WRITE));
    g_assert_true(repaired(VA, PRESENT | WRITE | USER));
    /* That no table is to blame for. */
    g_assert_false(repaired(VA, PRESENT | RESERVED));
    g_assert_false(repaired(VA, PRESENT | FETCH));
    /* A higher table is read-only. */
    *entry_of(VA, 3) &= ~PTE_WRITE;
    for (i = 0; i < 8; i++) {
        g_assert_true(fault_at(VA, PRESENT | WRITE, 0x3000));
    }
    g_assert_false(fault_at(VA, PRESENT | WRITE, 0x3000));
    g_assert_false(fault_at(VA, PRESENT | WRITE, 0x3000));
    /* Another instruction, or another address, is another fault. */
    g_assert_true(fault_at(VA, PRESENT | WRITE, 0x3001));
    for (i = 0; i < 8; i++) {
        g_assert_true(fault_at(VA, PRESENT | WRITE, 0x3000));
    }
    g_assert_true(fault_at(VA + 1, PRESENT | WRITE, 0x3000));
    g_assert_true(fault_at(VA, PRESENT | WRITE, 0x3000));
}

/* Also where it could be repaired each time: the guest takes the bit away again. */
static void test_repeated(void)
{
    uint64_t mfn, *entry;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    mfn = begin();
    entry = entry_of(VA, 1);
    for (i = 0; i < 9; i++) {
        *entry &= ~PTE_USER;
        g_assert_true(fault_at(VA, PRESENT, 0x4000) == (i < 8));
    }
    set_writable_pagetables(true);
    marks[mfn] = 1;
    for (i = 0; i < 9; i++) {
        *entry = mfn << PAGE_SHIFT | PTE_PRESENT | PTE_USER;
        g_assert_true(fault_at(VA, PRESENT | WRITE, 0x5000) == (i < 8));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/page_fault/lacks-user", test_lacks_user);
    machine_test("/monitor/page_fault/neighbours", test_neighbours);
    machine_test("/monitor/page_fault/not-present", test_not_present);
    machine_test("/monitor/page_fault/addresses", test_addresses);
    machine_test("/monitor/page_fault/user-mode", test_user_mode);
    machine_test("/monitor/page_fault/told", test_told);
    machine_test("/monitor/page_fault/writable-tables", test_writable_tables);
    machine_test("/monitor/page_fault/both", test_both);
    machine_test("/monitor/page_fault/monitors-tables", test_monitors_tables);
    machine_test("/monitor/page_fault/spurious", test_spurious);
    machine_test("/monitor/page_fault/repeated", test_repeated);
    return g_test_run();
}
