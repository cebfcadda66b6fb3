/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors of a PV guest, which must not lead out of ring 3. */

#include "user_mode.h"

#ifdef GUEST_PV

#define CODE(name) name, name##_end

#define CODE_64 0x00af9b000000ffff /* ring 0 */
#define CODE_32 0x00cf9b000000ffff
#define DATA 0x00cf93000000ffff
#define RING_3 (3ul << 45)
#define ENTRIES 512

/* To FLAT_KERNEL_CS, DPL 3; its upper half is 0. */
#define CALL_GATE (0xec00ul << 32 | (uint64_t)FLAT_KERNEL_CS << 16 | 0x1234)

static long update_descriptor(const uint64_t *entry, uint64_t descriptor)
{
    return hypercall(__HYPERVISOR_update_descriptor,
                     gfn_of(entry) * PAGE_SIZE |
                         ((uintptr_t)entry & (PAGE_SIZE - 1)),
                     descriptor, 0, 0, 0);
}

TEST(descriptors_become_ring_3s, "pv")
{
    static const struct {
        const char *name;
        uint64_t descriptor, becomes;
        int result;
    } rows[] = {
        { "code", CODE_64, CODE_64 | RING_3, 0 },
        { "32-bit code", CODE_32, CODE_32 | RING_3, 0 },
        { "data", DATA, DATA | RING_3, 0 },
        { "ring 1", DATA | 1ul << 45, DATA | RING_3, 0 },
        { "not present", DATA & ~(1ul << 47), DATA & ~(1ul << 47), 0 },
        { "type 0", 0x8000ul << 32, 0x8000ul << 32, 0 },
        { "call gate", CALL_GATE, (CALL_GATE & ~RING_3) | 3ul << 16, 0 },
        { "call gate to the hypervisor",
          0xec00ul << 32 | 0xe008ul << 16 | 0x1234, 0, -XEN_EINVAL },
        { "call gate with reserved bits", CALL_GATE | 1ul << 32, 0,
          -XEN_EINVAL },
        { "TSS", 0x8900ul << 32 | 0x67, 0, -XEN_EINVAL },
        { "busy TSS", 0x8b00ul << 32 | 0x67, 0, -XEN_EINVAL },
        { "LDT", 0x8200ul << 32 | 0xffff, 0, -XEN_EINVAL },
        { "interrupt gate", 0xee00ul << 32 | 0xe033ul << 16, 0, -XEN_EINVAL },
        { "trap gate", 0xef00ul << 32 | 0xe033ul << 16, 0, -XEN_EINVAL },
        { "task gate", 0xe500ul << 32 | 0xe040ul << 16, 0, -XEN_EINVAL },
    };
    uint64_t *table = page_alloc(1);
    unsigned int i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        table[i] = 0x5a;
        check_equal(update_descriptor(&table[i], rows[i].descriptor),
                    rows[i].result);
        check_equal(table[i], rows[i].result ? 0x5a : rows[i].becomes);
    }
    test_row("not aligned");
    check_equal(hypercall(__HYPERVISOR_update_descriptor,
                          gfn_of(table) * PAGE_SIZE + 4, DATA, 0, 0, 0),
                -XEN_EINVAL);
}

/* A page of descriptors that Xen gets to see; it must not be writable then. */
static uint64_t *new_table(void)
{
    uint64_t *table = page_alloc(1);

    table[1] = CODE_64;
    table[2] = CODE_32;
    table[3] = DATA;
    table[4] = CALL_GATE;
    table[6] = (DATA | RING_3) & ~(1ul << 47);
    return table;
}

USER_CODE(code_where, "mov %cs, %eax; ud2");
/* A far call to the 16-bit selector, by a pointer on the stack. */
USER_CODE(code_far_call, "push %rdi; push $0; lcall *(%rsp); ud2");
USER_CODE(code_far_return, "push %rdi; push %rsi; lretq");
USER_CODE(code_load, "mov %edi, %ds; ud2");
USER_CODE(code_load_ss, "mov %edi, %ss; ud2");

/* Try a table's selectors: @in_ldt is 4 for the LDT's, 0 for the GDT's. */
static void use_selectors(unsigned int in_ldt)
{
    struct trap trap;

    test_row("code");
    user_begin(CODE(code_where));
    user_load();
    user_run(&(struct user){ .cs = 0x08 | in_ldt | 3 }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    check_equal(trap.regs.ax, 0x08 | in_ldt | 3);
    check_equal(trap.regs.cs & 0xffff, 0x08 | in_ldt | 3);
    test_row("32-bit code");
    user_run(&(struct user){ .cs = 0x10 | in_ldt | 3 }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    check_equal(trap.regs.cs & 0xffff, 0x10 | in_ldt | 3);
    test_row("beyond the limit");
    user_run(&(struct user){ .cs = 0xd000 | in_ldt | 3 }, &trap);
    check_equal(trap.regs.vector, EXC_GP);
    user_end();

    test_row("far return as if to ring 0");
    user_begin(CODE(code_far_return));
    user_load();
    user_run(&(struct user){ .di = 0x08 | in_ldt, .si = USER_CODE_AT }, &trap);
    check_equal(trap.regs.vector, EXC_GP);
    user_end();

    /* AMD's processors, and TCG's, read a 32-bit offset: the selector follows. */
    test_row("call gate");
    user_begin(CODE(code_far_call));
    user_load();
    user_run(&(struct user){ .di = 0x20 | in_ldt | 3 }, &trap);
    check_equal(trap.regs.vector, EXC_GP);
    check(trap.regs.error == (0x20 | in_ldt) || trap.regs.error == 0);
    user_end();

    test_row("data");
    user_begin(CODE(code_load));
    user_load();
    user_run(&(struct user){ .di = 0x18 | in_ldt | 3 }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    asm volatile("mov %0, %%ds" : : "r"(0));
    test_row("hypervisor's data");
    user_run(&(struct user){ .di = 0xe010 }, &trap);
    check_equal(trap.regs.vector, EXC_GP);
    check_equal(trap.regs.error, 0xe010);
    user_end();

    test_row("stack");
    user_begin(CODE(code_load_ss));
    user_load();
    user_run(&(struct user){ .di = 0x18 | in_ldt | 3 }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    check_equal(trap.regs.ss & 0xffff, 0x18 | in_ldt | 3);
    test_row("stack of ring 0");
    user_run(&(struct user){ .di = 0x18 | in_ldt }, &trap);
    check_equal(trap.regs.vector, EXC_GP);
    test_row("stack that is not present");
    user_run(&(struct user){ .di = 0x30 | in_ldt | 3 }, &trap);
    check_equal(trap.regs.vector, EXC_SS);
    check_equal(trap.regs.error, 0x30 | in_ldt);
    user_end();
}

TEST(gdt_of_ring_0_descriptors, "pv")
{
    uint64_t *table = new_table(), frame = gfn_of(table);
    uint64_t none = gfn_of(page_alloc(1));

    page_protect(table, false);
    require(hypercall(__HYPERVISOR_set_gdt, (unsigned long)&frame, ENTRIES, 0,
                      0, 0) == 0);
    use_selectors(0);
    test_row("too many entries");
    check_equal(hypercall(__HYPERVISOR_set_gdt, (unsigned long)&frame,
                          14 * ENTRIES + 1, 0, 0, 0),
                -XEN_EINVAL);
    test_row("no frame");
    frame = 0xffffff000ul;
    check_equal(hypercall(__HYPERVISOR_set_gdt, (unsigned long)&frame, ENTRIES,
                          0, 0, 0),
                -XEN_EINVAL);
    test_row("no list");
    check_equal(
        hypercall(__HYPERVISOR_set_gdt, NOT_CANONICAL, ENTRIES, 0, 0, 0),
        -XEN_EFAULT);
    check_equal(
        hypercall(__HYPERVISOR_set_gdt, (unsigned long)&none, 0, 0, 0, 0), 0);
    page_protect(table, true);
}

TEST(ldt_of_ring_0_descriptors, "pv")
{
    uint64_t *table = new_table();

    page_protect(table, false);
    require(mmuext_op(MMUEXT_SET_LDT, (uintptr_t)table, ENTRIES) == 0);
    use_selectors(4);
    test_row("arguments");
    check_equal(mmuext_op(MMUEXT_SET_LDT, (uintptr_t)table + 8, ENTRIES),
                -XEN_EINVAL);
    check_equal(mmuext_op(MMUEXT_SET_LDT, (uintptr_t)table, 8193), -XEN_EINVAL);
    check_equal(mmuext_op(MMUEXT_SET_LDT, M2P_START, ENTRIES), -XEN_EINVAL);
    check_equal(mmuext_op(MMUEXT_SET_LDT, 0, 0), 0);
    page_protect(table, true);
}

/* Its page holds a descriptor that the processor must not get. */
TEST(tables_with_bad_descriptors, "pv")
{
    uint64_t *table = page_alloc(1), frame = gfn_of(table);
    struct trap trap;

    table[7] = 0x8900ul << 32 | 0x67;
    page_protect(table, false);
    check_equal(hypercall(__HYPERVISOR_set_gdt, (unsigned long)&frame, ENTRIES,
                          0, 0, 0),
                -XEN_EINVAL);
    /* Xen looks at a page of an LDT when it is used first. */
    if (mmuext_op(MMUEXT_SET_LDT, (uintptr_t)table, ENTRIES) == 0) {
        user_begin(CODE(code_load));
        user_load();
        user_run(&(struct user){ .di = 0x3f }, &trap);
        check(trap.regs.vector == EXC_PF || trap.regs.vector == EXC_GP);
        user_end();
        check_equal(mmuext_op(MMUEXT_SET_LDT, 0, 0), 0);
    }
    page_protect(table, true);
}

#endif /* GUEST_PV */
