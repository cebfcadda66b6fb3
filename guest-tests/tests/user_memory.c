/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that a PV guest's user mode must not reach: its kernel's, and the
 * hypervisor's, which its kernel must not reach either.
 */

#include "user_mode.h"

#ifdef GUEST_PV

#define CODE(name) name, name##_end
#define ERROR_WRITE 2
#define ERROR_USER 4

USER_CODE(code_read, "mov (%rdi), %al; ud2");
USER_CODE(code_write, "mov %al, (%rdi); ud2");
USER_CODE(code_jump, "jmp *%rdi");

static const struct {
    const char *name;
    uint64_t address;
} forbidden[] = {
    { "M2P", M2P_START },
    { "M2P of page 0x1000", M2P_START + 0x1000 * 8 },
    { "hypervisor", HYPERVISOR_START },
    { "slot 260", 0xffff820000000000 },
    { "slot 261", 0xffff828000000000 },
    { "slot 262", 0xffff830000000000 },
    { "hypervisor's end", HYPERVISOR_LAST },
};

TEST(user_reaches_no_other_memory, "pv")
{
    static const struct {
        const char *code, *end;
        uint64_t error;
    } ways[] = {
        { CODE(code_read), 0 },
        { CODE(code_write), ERROR_WRITE },
        { CODE(code_jump), 0 },
    };
    struct trap trap;
    unsigned int way, i;

    for (way = 0; way < sizeof(ways) / sizeof(*ways); way++) {
        user_begin(ways[way].code, ways[way].end);
        user_load();
        for (i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++) {
            test_row(forbidden[i].name);
            user_run(&(struct user){ .di = forbidden[i].address }, &trap);
            check_equal(trap.regs.vector, EXC_PF);
            check_equal(trap.address, forbidden[i].address);
            check_equal(trap.regs.error & (ERROR_USER | ERROR_WRITE),
                        ERROR_USER | ways[way].error);
        }
        test_row("kernel");
        user_run(&(struct user){ .di = (uintptr_t)&guest_abi }, &trap);
        check_equal(trap.regs.vector, EXC_PF);
        check_equal(trap.address, (uintptr_t)&guest_abi);
        user_end();
    }
}

/* The kernel ------------------------------------------------------------------ */

static void read_byte(void *address)
{
    char byte;

    asm volatile("movb (%1), %0" : "=q"(byte) : "r"(address));
}

static void write_byte(void *address)
{
    asm volatile("movb $0, (%0)" : : "r"(address) : "memory");
}

TEST(kernel_reads_the_m2p_alone, "pv")
{
    uint64_t *m2p = (uint64_t *)M2P_START;
    struct trap trap;
    char *page = page_alloc(1);
    uint64_t pfn = m2p[gfn_of(page)];
    unsigned int i;

    check_equal(m2p[gfn_of(page + PAGE_SIZE)], pfn + 1);
    test_row("M2P");
    check(trapped(&trap, write_byte, &m2p[gfn_of(page)]));
    check_equal(trap.regs.vector, EXC_PF);
    check_equal(trap.regs.error & (ERROR_USER | ERROR_WRITE), ERROR_WRITE);
    check_equal(m2p[gfn_of(page)], pfn);
    for (i = 2; i < sizeof(forbidden) / sizeof(*forbidden); i++) {
        test_row(forbidden[i].name);
        check(trapped(&trap, read_byte, (void *)forbidden[i].address));
        check_equal(trap.regs.vector, EXC_PF);
        check_equal(trap.address, forbidden[i].address);
        check_equal(trap.regs.error & ERROR_USER, 0);
        check(trapped(&trap, write_byte, (void *)forbidden[i].address));
        check_equal(trap.regs.vector, EXC_PF);
    }
}

/* Page tables ------------------------------------------------------------------- */

static long mmu_update(uint64_t pointer, uint64_t value)
{
    struct mmu_update update = { .ptr = pointer, .val = value };

    return hypercall(__HYPERVISOR_mmu_update, (unsigned long)&update, 1, 0,
                     DOMID_SELF, 0);
}

extern struct start_info *start_info;

TEST(kernel_does_not_map_the_hypervisor, "pv")
{
    uint64_t top = gfn_of((void *)start_info->pt_base) * PAGE_SIZE;
    uint64_t *entries = (uint64_t *)start_info->pt_base;
    char *page = page_alloc(1);
    uint64_t pte = gfn_of(page) * PAGE_SIZE | 7;
    unsigned int slot;

    for (slot = 256; slot < 272; slot++) {
        uint64_t was = entries[slot];

        check_equal(mmu_update(top + slot * 8, 0), -XEN_EINVAL);
        check_equal(mmu_update(top + slot * 8, pte), -XEN_EINVAL);
        check_equal(entries[slot], was);
    }
    test_row("update_va_mapping");
    check_equal(
        hypercall(__HYPERVISOR_update_va_mapping, M2P_START, pte, 0, 0, 0),
        -XEN_EINVAL);
    check_equal(hypercall(__HYPERVISOR_update_va_mapping, 0xffff830000000000,
                          pte, 0, 0, 0),
                -XEN_EINVAL);
    check_equal(
        hypercall(__HYPERVISOR_update_va_mapping, NOT_CANONICAL, pte, 0, 0, 0),
        -XEN_EINVAL);
    test_row("a top-level table, writable, as its own entry");
    check_equal(mmu_update(top + 100 * 8, top | 7), -XEN_EINVAL);
    check_equal(entries[100], 0);
    test_row("large page");
    check_equal(mmu_update(entries[0] & -PAGE_SIZE, pte | 0x80), -XEN_EINVAL);
    test_row("frame that is nobody's");
    check(hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)page,
                    0xffffff000ul << 12 | 7, 0, 0, 0) < 0);
    check(mmu_update(0xffffff000ul << 12, 0) < 0);
    page_protect(page, true);
    *page = 1;
}

/* A list that takes long: upcalls come meanwhile, and all of it is done. */
TEST(mmu_update_of_a_long_list, "pv")
{
    enum {
        PAGES = 200,
        UPDATES = PAGES * PAGE_SIZE / sizeof(struct mmu_update)
    };
    struct mmu_update *list = page_alloc(PAGES);
    char *page = page_alloc(1);
    evtchn_port_t port = must_bind_virq(VIRQ_TIMER, 0);
    unsigned int i, done = 0, rounds = 0;
    uint64_t pfn = ((uint64_t *)M2P_START)[gfn_of(page)];
    uint64_t begin, end;

    for (i = 0; i < UPDATES; i++) {
        list[i].ptr = gfn_of(page) * PAGE_SIZE | MMU_MACHPHYS_UPDATE;
        list[i].val = pfn;
    }
    port_unmask(port);
    begin = system_time();
    timer_singleshot(0, begin + 1000000, 0);
    do {
        done = 0;
        check_equal(hypercall(__HYPERVISOR_mmu_update, (unsigned long)list,
                              UPDATES, (unsigned long)&done, DOMID_SELF, 0),
                    0);
        check_equal(done, UPDATES);
        end = system_time();
    } while (++rounds < 100 && end - begin < 2000000);
    check_equal(received(port), 1);

    test_row("the last one is wrong");
    list[UPDATES - 1].ptr = 3;
    done = 0;
    check_equal(hypercall(__HYPERVISOR_mmu_update, (unsigned long)list, UPDATES,
                          (unsigned long)&done, DOMID_SELF, 0),
                -XEN_EINVAL);
    check_equal(done, UPDATES - 1);
}

static uint64_t when_received;

static void note_time(evtchn_port_t port)
{
    when_received = system_time();
}

/* The same many times over, in one call: it must not keep upcalls away. */
TEST(multicall_of_long_lists, "pv seconds=30")
{
    enum {
        CALLS = 20,
        PAGES = 200,
        DELAY = 20000000, /* nanoseconds */
        UPDATES = PAGES * PAGE_SIZE / sizeof(struct mmu_update)
    };
    static struct multicall_entry calls[CALLS];
    static unsigned int done[CALLS];
    struct mmu_update *list = page_alloc(PAGES);
    char *page = page_alloc(1);
    evtchn_port_t port = must_bind_virq(VIRQ_TIMER, 0);
    uint64_t pfn = ((uint64_t *)M2P_START)[gfn_of(page)];
    unsigned int i;
    uint64_t begin, end;

    for (i = 0; i < UPDATES; i++) {
        list[i].ptr = gfn_of(page) * PAGE_SIZE | MMU_MACHPHYS_UPDATE;
        list[i].val = pfn;
    }
    for (i = 0; i < CALLS; i++) {
        calls[i] = (struct multicall_entry){
            .op = __HYPERVISOR_mmu_update,
            .result = 1,
            .args = { (unsigned long)list, UPDATES, (unsigned long)&done[i],
                      DOMID_SELF },
        };
        done[i] = 0;
    }
    port_unmask(port);
    event_hook = note_time;
    when_received = 0;
    begin = system_time();
    timer_singleshot(0, begin + DELAY, 0);
    check_equal(
        hypercall(__HYPERVISOR_multicall, (unsigned long)calls, CALLS, 0, 0, 0),
        0);
    end = system_time();
    for (i = 0; i < CALLS; i++) {
        check_equal(calls[i].result, 0);
        check_equal(done[i], UPDATES);
    }
    test_note("%u microseconds, the timer's event after %u",
              (unsigned int)((end - begin) / 1000),
              (unsigned int)((when_received - begin) / 1000));
    check_equal(received(port), 1);
    /* If there was time for it, it did not come only at the end. */
    check(end - begin < 4 * DELAY || when_received - begin < (end - begin) / 2);
}

USER_CODE(code_count, "1: dec %rdi; jnz 1b; ud2");

/* scripts/test has it count for long, and looks at the page tables meanwhile. */
TEST(user_counts, "pv alone")
{
    struct user user = { .di = command_line_number("count", 1000) };
    struct trap trap;

    user_begin(CODE(code_count));
    user_load();
    test_note("to user mode");
    user_run(&user, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    user_end();
}

#endif /* GUEST_PV */
