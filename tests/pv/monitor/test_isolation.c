/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isolation.c: what a processor with Meltdown finds mapped in user mode. */

#include "tables.h"

#define IMAGE           (MONITOR_VA >> 21 & 511)
#define WINDOWS_ENTRY   260
#define MONITOR_ENTRY   261

static bool is_hypervisors(unsigned int i)
{
    return i >= 256 && i < 272;
}

static uint64_t *isolated(unsigned int id, unsigned int level)
{
    return frame(MACHINE_ISOLATION_MFN + 4 * id + level - 1);
}

static unsigned int index_of(uint64_t va, unsigned int level)
{
    return va >> (3 + 9 * level) & 511;
}

/*
 * The monitor's tables, with another frame in each entry of the lower two, so that one
 * vCPU's block can be told from another's.
 */
static void make_monitors_tables(uint64_t **level_2, uint64_t **level_1)
{
    uint64_t *level_3 = frame(mfn_in(boot->slots[MONITOR_ENTRY - 256]));
    uint64_t lowest = machine_frame();
    unsigned int i;

    *level_2 = frame(mfn_in(level_3[0]));
    *level_1 = frame(lowest);
    for (i = 0; i < 512; i++) {
        (*level_2)[i] = (uint64_t)(0x10000 + i) << PAGE_SHIFT | PTE_PRESENT;
        (*level_1)[i] = (uint64_t)(0x20000 + i) << PAGE_SHIFT | PTE_PRESENT;
    }
    for (i = 0; i < boot->nr_vcpus; i++) {
        (*level_2)[index_of((uint64_t)vcpu_by_id(i), 2)] =
            lowest << PAGE_SHIFT | PTE_PRESENT;
    }
}

/* What never changes: nothing but what it takes to leave user mode. */
static void test_monitors_part(void)
{
    uint64_t *level_2, *level_1;
    unsigned int id, i;

    machine_make(&(struct machine_config) { .nr_vcpus = 3, .isolated = true });
    make_monitors_tables(&level_2, &level_1);
    for (id = 0; id < 3; id++) {
        init_isolation(vcpu_by_id(id));
    }
    for (id = 0; id < 3; id++) {
        uint64_t block = (uint64_t)vcpu_by_id(id);
        const uint64_t *next = isolated(id, 4);

        for (i = 0; i < 512; i++) {
            if (i == WINDOWS_ENTRY) {
                g_assert_cmphex(next[i], ==, boot->slots[WINDOWS_ENTRY - 256]);
            } else if (i != MONITOR_ENTRY) {
                g_assert_cmphex(next[i], ==, 0);
            }
        }
        next = frame(mfn_in(next[MONITOR_ENTRY]));
        g_assert_true(next == isolated(id, 3));
        g_assert_cmphex(next[0] & (PTE_PRESENT | PTE_WRITE | PTE_USER), ==,
                        PTE_PRESENT | PTE_WRITE);
        for (i = 1; i < 512; i++) {
            g_assert_cmphex(next[i], ==, 0);
        }
        next = frame(mfn_in(next[0]));
        g_assert_true(next == isolated(id, 2));
        for (i = 0; i < 512; i++) {
            if (i == index_of(block, 2)) {
                g_assert_true(frame(mfn_in(next[i])) == isolated(id, 1));
                g_assert_cmphex(next[i] & (PTE_PRESENT | PTE_WRITE | PTE_USER),
                                ==, PTE_PRESENT | PTE_WRITE);
            } else {
                g_assert_cmphex(next[i], ==, i == IMAGE ? level_2[i] : 0);
            }
        }
        next = isolated(id, 1);
        for (i = 0; i < 512; i++) {
            bool own = i - index_of(block, 1) < VCPU_SIZE / PAGE_SIZE;

            g_assert_cmphex(next[i], ==, own ? level_1[i] : 0);
        }
    }
}

/* A vCPU's tables are its own: they are in no other's place. */
static void test_places(void)
{
    unsigned int id, level;

    machine_make(&(struct machine_config) { .nr_vcpus = 2, .isolated = true });
    memset(isolated(0, 1), 0x55, 12 * PAGE_SIZE);
    memset(isolated(1, 1), 0, 4 * PAGE_SIZE);
    init_isolation(vcpu_by_id(1));
    for (id = 0; id < 3; id++) {
        for (level = 1; level <= 4; level++) {
            g_assert_true((isolated(id, level)[511] == 0) == (id == 1));
        }
    }
}

/* User mode's tables, in which each entry is another one. */
static struct vcpu *begin(void)
{
    struct vcpu *v = vcpu_by_id(0);
    uint64_t mfn = machine_frame();
    unsigned int i;

    g_assert_cmpint(set_user_top(v, mfn), ==, 0);
    for (i = 0; i < 512; i++) {
        if (!is_hypervisors(i) && i != 511) {
            entries_of(mfn)[i] = (uint64_t)(0x30000 + i) << PAGE_SHIFT |
                                 PTE_PRESENT | PTE_USER;
        }
    }
    entries_of(mfn)[511] = entries_of(kernel_top())[511];
    return v;
}

static void test_users_part(void)
{
    uint64_t before[16], *own;
    unsigned int i;
    struct vcpu *v;

    machine_start(&(struct machine_config) { .isolated = true });
    v = begin();
    own = entries_of(v->user_top);
    memcpy(before, isolated(0, 4) + 256, sizeof(before));
    /* What the kernel adds there is no part of it. */
    own[256] = own[257] = own[262] = own[271] = ~0ul;
    toggle_mode(v);
    isolate(v);
    g_assert_cmphex(v->exit_cr3, ==,
                    (uint64_t)(MACHINE_ISOLATION_MFN + 3) << PAGE_SHIFT);
    for (i = 0; i < 512; i++) {
        g_assert_cmphex(isolated(0, 4)[i], ==,
                        is_hypervisors(i) ? before[i - 256] : own[i]);
    }
    /* At each entry, and from the tables of then. */
    own[0] = own[255] = own[272] = own[510] = 0;
    isolate(v);
    for (i = 0; i < 512; i++) {
        g_assert_cmphex(isolated(0, 4)[i], ==,
                        is_hypervisors(i) ? before[i - 256] : own[i]);
    }
    /* The kernel's mode has the full tables. */
    toggle_mode(v);
    isolate(v);
    g_assert_cmphex(v->exit_cr3, ==, 0);
}

/* From the kernel to user mode and back, as the guest does it. */
static void test_way(void)
{
    struct iret_context frame = {
        .rip = 0x5000, .cs = SEL_CS64, .rflags = FLAG_IF, .rsp = 0x6000,
        .ss = SEL_DS,
    };
    struct regs regs;
    struct vcpu *v;

    machine_start(&(struct machine_config) { .isolated = true });
    v = begin();
    g_assert_cmphex(v->exit_cr3, ==, 0);
    regs = machine_trapped(VECTOR_SYSCALL, 0);
    regs.rax = __HYPERVISOR_iret;
    regs.rsp = machine_put(&frame, sizeof(frame));
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, 0x5000);
    g_assert_cmphex(v->exit_cr3, ==,
                    (uint64_t)(MACHINE_ISOLATION_MFN + 3) << PAGE_SHIFT);
    v->syscall_callback = MACHINE_KERNEL_VA + PAGE_SIZE;
    v->kernel_sp = MACHINE_KERNEL_VA + 3 * PAGE_SIZE;
    regs.vector = VECTOR_SYSCALL;
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, MACHINE_KERNEL_VA + PAGE_SIZE);
    g_assert_cmphex(v->exit_cr3, ==, 0);
}

/* What another vCPU has added to the tables meanwhile comes with the next entry. */
static void test_behind(void)
{
    static const unsigned int entries[] = { 0, 1, 255, 272, 510 };
    uint64_t *own, before;
    unsigned int i;
    struct vcpu *v;

    machine_start(&(struct machine_config) { .isolated = true });
    v = begin();
    own = entries_of(v->user_top);
    own[0] |= 1;
    g_assert_false(isolation_is_behind(v, 0));
    toggle_mode(v);
    isolate(v);
    for (i = 0; i < G_N_ELEMENTS(entries); i++) {
        uint64_t *entry = &own[entries[i]];
        uint64_t va = (uint64_t)((int64_t)((uint64_t)entries[i] << 55) >> 16);

        g_assert_false(isolation_is_behind(v, va));
        before = *entry;
        /* The processor has looked there, by either table. */
        *entry ^= PTE_ACCESSED;
        g_assert_false(isolation_is_behind(v, va));
        isolated(0, 4)[entries[i]] ^= PTE_DIRTY;
        g_assert_false(isolation_is_behind(v, va));
        g_assert_false(isolation_is_behind(v, va + TABLE_SIZE(4) - 1));
        *entry = 0;
        g_assert_true(isolation_is_behind(v, va));
        g_assert_true(isolation_is_behind(v, va + TABLE_SIZE(4) - 1));
        g_assert_false(isolation_is_behind(v, va + TABLE_SIZE(4)));
        *entry = before ^ NX;
        g_assert_true(isolation_is_behind(v, va));
        *entry = before ^ PTE_PRESENT;
        g_assert_true(isolation_is_behind(v, va));
        *entry = before;
    }
    /* They always differ there. */
    for (i = 256; i < 272; i++) {
        own[i] = ~isolated(0, 4)[i];
        g_assert_false(isolation_is_behind(v, (0xffff800000000000ul +
                                               (i - 256) * TABLE_SIZE(4))));
    }
    /* The kernel does not use them. */
    own[1] = 0;
    g_assert_true(isolation_is_behind(v, TABLE_SIZE(4)));
    toggle_mode(v);
    isolate(v);
    g_assert_false(isolation_is_behind(v, TABLE_SIZE(4)));
}

/* The fault goes away by itself once, and is the guest's then. */
static void test_fault(void)
{
    struct regs regs;
    struct vcpu *v;

    machine_start(&(struct machine_config) { .isolated = true });
    v = begin();
    v->traps[EXC_PF].address = MACHINE_KERNEL_VA + PAGE_SIZE;
    v->kernel_sp = MACHINE_KERNEL_VA + 3 * PAGE_SIZE;
    toggle_mode(v);
    isolate(v);
    entries_of(v->user_top)[0] ^= NX;
    machine_processors[0].cr2 = 0x1234;
    regs = machine_trapped(EXC_PF, 4);
    regs.rip = 0x5000;
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, 0x5000);
    g_assert_false(v->kernel_mode);
    g_assert_cmphex(isolated(0, 4)[0], ==, entries_of(v->user_top)[0]);
    trap(&regs);
    g_assert_cmphex(regs.rip, ==, MACHINE_KERNEL_VA + PAGE_SIZE);
    g_assert_true(v->kernel_mode);
    g_assert_cmphex(v->info->arch.cr2, ==, 0x1234);
}

/* Without it nothing is written. */
static void test_off(void)
{
    struct vcpu *v;
    unsigned int level, i;

    machine_start(&(struct machine_config) { 0 });
    v = begin();
    v->exit_cr3 = 0x1000;
    toggle_mode(v);
    isolate(v);
    g_assert_cmphex(v->exit_cr3, ==, 0);
    entries_of(v->user_top)[0] = 0;
    g_assert_false(isolation_is_behind(v, 0));
    for (level = 1; level <= 4; level++) {
        for (i = 0; i < 512; i++) {
            g_assert_cmphex(isolated(0, level)[i], ==, 0);
            g_assert_cmphex(entries_of(level - 1)[i], ==, 0);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/isolation/monitors-part", test_monitors_part);
    machine_test("/monitor/isolation/places", test_places);
    machine_test("/monitor/isolation/users-part", test_users_part);
    machine_test("/monitor/isolation/way", test_way);
    machine_test("/monitor/isolation/behind", test_behind);
    machine_test("/monitor/isolation/fault", test_fault);
    machine_test("/monitor/isolation/off", test_off);
    return g_test_run();
}
