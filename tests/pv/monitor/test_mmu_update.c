/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmu.c: where mmu_update writes, and how lists of operations are carried out. */

#include "tables.h"

#define CONTINUED 0x80000000u

/* Where an update is to be --------------------------------------------------------- */

static void test_places(void)
{
    static const struct {
        uint64_t place;
        long result;
    } cases[] = {
        { (MACHINE_LOW_MFN << PAGE_SHIFT) - 8, -XEN_EINVAL },
        { MACHINE_LOW_MFN << PAGE_SHIFT, 0 },
        { (MACHINE_HOLE_MFN << PAGE_SHIFT) - 8, 0 },
        { MACHINE_HOLE_MFN << PAGE_SHIFT, -XEN_EINVAL },
        { (MACHINE_HIGH_MFN << PAGE_SHIFT) - 8, -XEN_EINVAL },
        { MACHINE_HIGH_MFN << PAGE_SHIFT, 0 },
        { (MACHINE_MAX_MFN << PAGE_SHIFT) - 8, 0 },
        { MACHINE_MAX_MFN << PAGE_SHIFT, -XEN_EINVAL },
        /* These may be mapped, but are no tables. */
        { MACHINE_CONSOLE_MFN << PAGE_SHIFT, -XEN_EINVAL },
        { MACHINE_GRANT_MFN << PAGE_SHIFT, -XEN_EINVAL },
        { (uint64_t)MACHINE_TABLES_MFN << PAGE_SHIFT, -XEN_EINVAL },
        { 0, -XEN_EINVAL },
        { -8ul, -XEN_EINVAL },
    };
    uint64_t place, *entry;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    map_page();
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(update(cases[i].place, 0x5550), ==, cases[i].result);
        g_assert_cmpint(update(cases[i].place | MMU_PT_UPDATE_PRESERVE_AD, 0),
                        ==, cases[i].result);
    }
    /* Across two entries, by each of the commands that there are. */
    place = place_of(VA, 1);
    entry = entry_of(VA, 1);
    entry[0] = entry[1] = 0x5550;
    g_assert_cmpint(update(place | 4, 0), <, 0);
    g_assert_cmpint(update(place | 4 | MMU_PT_UPDATE_PRESERVE_AD, 0), <, 0);
    g_assert_cmphex(entry[0], ==, 0x5550);
    g_assert_cmphex(entry[1], ==, 0x5550);
}

static void test_m2p(void)
{
    static const struct {
        uint64_t mfn;
        bool known;
    } cases[] = {
        { MACHINE_LOW_MFN, true }, { MACHINE_LOW_MFN - 1, false },
        { MACHINE_MAX_MFN - 1, true }, { MACHINE_MAX_MFN, false },
        { MACHINE_HOLE_MFN, false }, { MACHINE_XENSTORE_MFN, true },
        { MACHINE_CONSOLE_MFN, true }, { MACHINE_SHARED_INFO_MFN, false },
        { MACHINE_GRANT_MFN, false }, { MACHINE_HEAP_MFN, false },
        { ~0ul >> PAGE_SHIFT, false },
    };
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        /* Any of the frame's bytes will do. */
        uint64_t address = cases[i].mfn << PAGE_SHIFT | 0xff8;

        g_assert_cmpint(update(address | MMU_MACHPHYS_UPDATE, ~0ul - i), ==,
                        cases[i].known ? 0 : -XEN_EINVAL);
        if (cases[i].known) {
            g_assert_cmphex(m2p[cases[i].mfn], ==, ~0ul - i);
        }
    }
}

/* Xen's answers in do_mmu_update(). */
static void test_commands(void)
{
    machine_start(&(struct machine_config) { 0 });
    map_page();
    g_assert_cmpint(update(place_of(VA, 1) | MMU_PT_UPDATE_NO_TRANSLATE, 0x5550),
                    ==, 0);
    g_assert_cmphex(*entry_of(VA, 1), ==, 0x5550);
    g_assert_cmpint(update(place_of(VA, 1) | 4, 0), ==, -XEN_ENOSYS);
    g_assert_cmpint(update(MACHINE_HIGH_MFN << PAGE_SHIFT | 4 |
                           MMU_MACHPHYS_UPDATE, 0), ==, -XEN_ENOSYS);
}

/* Lists ---------------------------------------------------------------------------- */

enum { MANY = 200 };

/*
 * Of updates of the M2P, of MANY frames from @mfn on, in which each one's number is the
 * pfn.
 */
static uint64_t put_list(uint64_t mfn)
{
    struct mmu_update list[MANY];
    unsigned int i;

    for (i = 0; i < MANY; i++) {
        list[i].ptr = (mfn + i) << PAGE_SHIFT | MMU_MACHPHYS_UPDATE;
        list[i].val = i + 1;
        m2p[mfn + i] = 0;
    }
    return machine_put(list, sizeof(list));
}

static struct mmu_update *in_list(uint64_t list, unsigned int i)
{
    return machine_at(list + i * sizeof(struct mmu_update));
}

static long call_list(uint64_t list, unsigned int count, uint64_t done_at)
{
    return machine_call(__HYPERVISOR_mmu_update, list, count, done_at,
                        DOMID_SELF);
}

static void test_list(void)
{
    const uint64_t mfn = MACHINE_HIGH_MFN;
    const unsigned int junk[2] = { 0x5555, 0x5555 };
    uint64_t list, done_at;
    unsigned int *done, i;

    machine_start(&(struct machine_config) { 0 });
    list = put_list(mfn);
    done_at = machine_put(junk, sizeof(junk));
    done = machine_at(done_at);
    g_assert_cmpint(call_list(list, 0, done_at), ==, 0);
    g_assert_cmpuint(*done, ==, 0);
    g_assert_cmphex(m2p[mfn], ==, 0);
    *done = 0x5555;
    g_assert_cmpint(call_list(list, 5, done_at), ==, 0);
    g_assert_cmpuint(*done, ==, 5);
    g_assert_cmpuint(done[1], ==, 0x5555);
    for (i = 0; i < 6; i++) {
        g_assert_cmpuint(m2p[mfn + i], ==, i < 5 ? i + 1 : 0);
    }
    /* Nobody wants to know. */
    *done = 0x5555;
    g_assert_cmpint(call_list(list, MANY, 0), ==, 0);
    g_assert_cmpuint(*done, ==, 0x5555);
    g_assert_cmpuint(m2p[mfn + MANY - 1], ==, MANY);
    /* The first that fails is the last. */
    in_list(list, 2)->ptr = MMU_MACHPHYS_UPDATE;
    memset(&m2p[mfn], 0, MANY * sizeof(*m2p));
    g_assert_cmpint(call_list(list, 5, done_at), ==, -XEN_EINVAL);
    g_assert_cmpuint(*done, ==, 2);
    g_assert_cmphex(m2p[mfn + 1], ==, 2);
    g_assert_cmphex(m2p[mfn + 3], ==, 0);
}

static void test_list_at_no_address(void)
{
    static const uint64_t wrong[] = { 0x0000800000000000, M2P_VA, MONITOR_VA,
                                      DIRECTMAP_VA + 0x1000, HYPERVISOR_END - 8,
                                      VA + PAGE_SIZE, ~0ul - 8 };
    const struct mmu_update op = {
        .ptr = MACHINE_HIGH_MFN << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, .val = 7,
    };
    const unsigned int junk = 9;
    uint64_t page, done_at;
    unsigned int i, *done;

    machine_start(&(struct machine_config) { 0 });
    page = map_page();
    done_at = machine_put(&junk, sizeof(junk));
    done = machine_at(done_at);
    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        *done = junk;
        g_assert_cmpint(call_list(wrong[i], 1, done_at), ==, -XEN_EFAULT);
        g_assert_cmpuint(*done, ==, 0);
    }
    /* The list ends where its page ends. */
    *(struct mmu_update *)((uint8_t *)frame(page) + PAGE_SIZE - sizeof(op)) = op;
    g_assert_cmpint(call_list(VA + PAGE_SIZE - sizeof(op), 2, done_at), ==,
                    -XEN_EFAULT);
    g_assert_cmpuint(*done, ==, 1);
    g_assert_cmphex(m2p[MACHINE_HIGH_MFN], ==, 7);
    g_assert_cmpint(call_list(VA + PAGE_SIZE - 8, 1, 0), ==, -XEN_EFAULT);
    /* The number goes to no address of the hypervisor's. */
    *in_list(VA, 0) = op;
    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        call_list(VA, 1, wrong[i]);
        call_list(VA, 1 | CONTINUED, wrong[i]);
    }
}

/* Its own number does not say "self", as in Xen; domain 0 and Xen itself are there. */
static void test_domains(void)
{
    static const struct {
        uint64_t domid;
        long result;
    } rows[] = {
        { 0, -XEN_EPERM }, { 1, -XEN_ESRCH }, { 2, -XEN_ESRCH },
        { DOMID_XEN, -XEN_EPERM }, { DOMID_COW, -XEN_ESRCH },
        { DOMID_INVALID, -XEN_ESRCH },
    };
    uint64_t list;
    unsigned int i;

    machine_start(&(struct machine_config) { 0 });
    list = put_list(MACHINE_HIGH_MFN);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(machine_call(__HYPERVISOR_mmu_update, list, 1, 0, rows[i].domid),
                        ==, rows[i].result);
        g_assert_cmpint(machine_call(__HYPERVISOR_mmuext_op, list, 1, 0, rows[i].domid),
                        ==, rows[i].result);
    }
    g_assert_cmphex(m2p[MACHINE_HIGH_MFN], ==, 0);
    /* A guest may be about I/O memory, of which it has none, and its own pages. */
    g_assert_cmpint(machine_call(__HYPERVISOR_mmuext_op, list, 1, 0, DOMID_IO), ==,
                    -XEN_EPERM);
    g_assert_cmpint(machine_call(__HYPERVISOR_mmu_update, list, 1, 0, DOMID_IO), ==, 0);
    g_assert_cmphex(m2p[MACHINE_HIGH_MFN], !=, 0);
}

/* One run of the guest's instruction; true if it is to be run again. */
static bool run_once(struct regs *regs)
{
    uint64_t rip = regs->rip;

    hypercall_trap(regs);
    if (regs->rip == rip - 2) {
        regs->rip = rip;
        return true;
    }
    g_assert_cmphex(regs->rip, ==, rip);
    return false;
}

static struct regs call_of_list(uint64_t list, unsigned int count,
                                uint64_t done_at)
{
    struct regs regs = machine_trapped(VECTOR_SYSCALL, 0);

    regs.rax = __HYPERVISOR_mmu_update;
    regs.rdi = list;
    regs.rsi = count;
    regs.rdx = done_at;
    regs.r10 = DOMID_SELF;
    return regs;
}

/* What is left is in the guest's registers, and is done when it comes back. */
static void test_upcall(void)
{
    const uint64_t mfn = MACHINE_HIGH_MFN;
    const unsigned int junk = 0x5555;
    uint64_t list, done_at;
    unsigned int i, *done;
    struct regs regs;

    machine_start(&(struct machine_config) { 0 });
    list = put_list(mfn);
    done_at = machine_put(&junk, sizeof(junk));
    done = machine_at(done_at);
    vcpu_by_id(0)->info->evtchn_upcall_pending = 1;
    vcpu_by_id(0)->info->evtchn_upcall_mask = 0;
    regs = call_of_list(list, MANY, done_at);
    for (i = 64; i < MANY; i += 64) {
        g_assert_true(run_once(&regs));
        g_assert_cmphex(regs.rax, ==, __HYPERVISOR_mmu_update);
        g_assert_cmphex(regs.rdi, ==, list + i * sizeof(struct mmu_update));
        g_assert_cmphex(regs.rsi, ==, CONTINUED | (MANY - i));
        g_assert_cmphex(regs.rdx, ==, done_at);
        g_assert_cmphex(regs.r10, ==, DOMID_SELF);
        g_assert_cmpuint(*done, ==, i);
        g_assert_cmphex(m2p[mfn + i - 1], ==, i);
        g_assert_cmphex(m2p[mfn + i], ==, 0);
    }
    g_assert_false(run_once(&regs));
    g_assert_cmphex(regs.rax, ==, 0);
    g_assert_cmpuint(*done, ==, MANY);
    g_assert_cmphex(m2p[mfn + MANY - 1], ==, MANY);
    /* With nothing left there is nothing to come back for. */
    regs = call_of_list(list, 64, done_at);
    g_assert_false(run_once(&regs));
    g_assert_cmpuint(*done, ==, 64);
    regs = call_of_list(list, 65, done_at);
    g_assert_true(run_once(&regs));
    /* It waits while it is masked. */
    vcpu_by_id(0)->info->evtchn_upcall_mask = 1;
    regs = call_of_list(list, MANY, done_at);
    g_assert_false(run_once(&regs));
    g_assert_cmpuint(*done, ==, MANY);
}

static void test_continued(void)
{
    const unsigned int junk = 0x5555;
    uint64_t list, done_at;
    unsigned int *done;

    machine_start(&(struct machine_config) { 0 });
    list = put_list(MACHINE_HIGH_MFN);
    done_at = machine_put(&junk, sizeof(junk));
    done = machine_at(done_at);
    vcpu_by_id(0)->info->evtchn_upcall_pending = 1;
    vcpu_by_id(0)->info->evtchn_upcall_mask = 0;
    /* An error in a later part counts from the list's beginning. */
    in_list(list, 70)->ptr = MMU_MACHPHYS_UPDATE;
    g_assert_cmpint(call_list(list, MANY, done_at), ==, -XEN_EINVAL);
    g_assert_cmpuint(*done, ==, 70);
    /* The guest may say so by itself. */
    *done = 1000;
    g_assert_cmpint(call_list(list, CONTINUED | 3, done_at), ==, 0);
    g_assert_cmpuint(*done, ==, 1003);
    *done = ~0u;
    g_assert_cmpint(call_list(list, CONTINUED | 3, done_at), ==, 0);
    g_assert_cmpuint(*done, ==, 2);
    g_assert_cmpint(call_list(list, CONTINUED | 3, 0), ==, 0);
    g_assert_cmpint(call_list(list, CONTINUED, done_at), ==, 0);
    g_assert_cmpuint(*done, ==, 2);
}

/* Where the number cannot be written, that is the guest's own problem: as in Xen. */
static void test_number_at_no_address(void)
{
    uint64_t list;

    machine_start(&(struct machine_config) { 0 });
    list = put_list(MACHINE_HIGH_MFN);
    g_assert_cmpint(call_list(list, 2, VA), ==, 0);
    g_assert_cmphex(m2p[MACHINE_HIGH_MFN + 1], ==, 2);
    g_assert_cmpint(call_list(list, CONTINUED | 4, VA), ==, 0);
    g_assert_cmphex(m2p[MACHINE_HIGH_MFN + 3], ==, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/mmu_update/places", test_places);
    machine_test("/monitor/mmu_update/m2p", test_m2p);
    machine_test("/monitor/mmu_update/commands", test_commands);
    machine_test("/monitor/mmu_update/list", test_list);
    machine_test("/monitor/mmu_update/list-at-no-address", test_list_at_no_address);
    machine_test("/monitor/mmu_update/domains", test_domains);
    machine_test("/monitor/mmu_update/upcall", test_upcall);
    machine_test("/monitor/mmu_update/continued", test_continued);
    machine_test("/monitor/mmu_update/number-at-no-address", test_number_at_no_address);
    return g_test_run();
}
