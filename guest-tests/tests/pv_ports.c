/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O ports of a PV guest: there is nothing behind them, but its kernel says which of
 * its two modes may try.  And %gs of user mode, which is the hypervisor's to load.
 */

#include "user_mode.h"

#ifdef GUEST_PV

#define CODE(name) name, name##_end
#define DATA_AT 0x600000ul
#define ERROR_WRITE 2
#define ERROR_USER 4
#define PATTERN 0x5a
#define BITMAP_PAGES 2

static uint8_t *bitmap; /* of all ports, none of them allowed */

static void set_bitmap(const void *address, uint32_t nr_ports, int result)
{
    struct physdev_set_iobitmap op = { .nr_ports = nr_ports };

    op.bitmap.p = (uint8_t *)address;
    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &op), result);
}

static void set_iopl(unsigned int iopl, int result)
{
    struct physdev_set_iopl op = { .iopl = iopl };

    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &op), result);
}

static void allow(unsigned int port, unsigned int n)
{
    for (; n > 0; n--, port++) {
        bitmap[port / 8] &= ~(1 << port % 8);
    }
}

static void begin_ports(void)
{
    bitmap = page_alloc(BITMAP_PAGES);
    memset(bitmap, 0xff, BITMAP_PAGES * PAGE_SIZE);
    set_bitmap(bitmap, 65536, 0);
}

static void end_ports(void)
{
    set_bitmap(NULL, 0, 0);
    set_iopl(0, 0);
}

/* User mode ---------------------------------------------------------------------- */

#define AX 0x1122334455667788

USER_CODE(in_al_imm, "in $0x80, %al; ud2");
USER_CODE(in_al, "mov $0x80, %edx; in %dx, %al; ud2");
USER_CODE(in_ax, "mov $0x80, %edx; in %dx, %ax; ud2");
USER_CODE(in_eax, "mov $0x80, %edx; in %dx, %eax; ud2");
USER_CODE(in_rex, "mov $0x80, %edx; .byte 0x48, 0xed; ud2");
USER_CODE(out_al, "out %al, $0x80; ud2");
USER_CODE(out_eax, "mov $0x80, %edx; out %eax, %dx; ud2");
USER_CODE(in_al_below, "in $0x7f, %al; ud2");
USER_CODE(in_ax_across, "mov $0x83, %edx; in %dx, %ax; ud2");
USER_CODE(in_last, "mov $0xffff, %edx; in %dx, %al; ud2");
USER_CODE(code_cli, "cli; ud2");

static const struct {
    const char *name, *code, *end;
    uint64_t ax;
    bool by_bitmap, by_iopl;
} accesses[] = {
    { "inb of a number", CODE(in_al_imm), AX | 0xff, true, true },
    { "inb", CODE(in_al), AX | 0xff, true, true },
    { "inw", CODE(in_ax), AX | 0xffff, true, true },
    { "inl", CODE(in_eax), 0xffffffff, true, true },
    { "inl with REX.W", CODE(in_rex), 0xffffffff, true, true },
    { "outb", CODE(out_al), AX, true, true },
    { "outl", CODE(out_eax), AX, true, true },
    { "below", CODE(in_al_below), AX | 0xff, false, true },
    { "across the end", CODE(in_ax_across), AX | 0xffff, false, true },
    { "the last", CODE(in_last), AX | 0xff, false, true },
    { "cli", CODE(code_cli), AX, false, true },
};

static void try_all(bool by_bitmap, bool by_iopl)
{
    struct trap trap;
    unsigned int i;

    for (i = 0; i < sizeof(accesses) / sizeof(*accesses); i++) {
        bool allowed = (by_bitmap && accesses[i].by_bitmap) ||
                       (by_iopl && accesses[i].by_iopl);

        test_row(accesses[i].name);
        user_begin(accesses[i].code, accesses[i].end);
        user_load();
        user_run(&(struct user){ .ax = AX }, &trap);
        check_equal(trap.regs.vector, allowed ? EXC_UD : EXC_GP);
        check_equal(trap.regs.ax, allowed ? accesses[i].ax : AX);
        user_end();
    }
}

TEST(user_ports_by_bitmap, "pv")
{
    begin_ports();
    try_all(false, false);
    allow(0x80, 4);
    try_all(true, false);
    /* What is allowed must be below the number of ports. */
    set_bitmap(bitmap, 0x84, 0);
    try_all(true, false);
    set_bitmap(bitmap, 0x80, 0);
    try_all(false, false);
    /* Where no bitmap can be read there is no right. */
    set_bitmap((void *)USER_CODE_AT, 65536, 0);
    try_all(false, false);
    end_ports();
}

TEST(user_ports_by_iopl, "pv")
{
    unsigned int iopl;

    for (iopl = 0; iopl <= 3; iopl++) {
        set_iopl(iopl, 0);
        try_all(false, iopl == 3);
    }
    end_ports();
}

TEST(port_rights_arguments, "pv")
{
    set_iopl(4, -XEN_EINVAL);
    set_bitmap(NULL, 65537, -XEN_EINVAL);
    set_bitmap((void *)HYPERVISOR_START, 16, -XEN_EINVAL);
    set_bitmap((void *)(M2P_START - PAGE_SIZE), 16, -XEN_EINVAL);
}

/* Strings ------------------------------------------------------------------------ */

USER_CODE(code_insb, "mov $0x80, %edx; insb; ud2");
USER_CODE(code_rep_insb, "mov $0x80, %edx; rep insb; ud2");
USER_CODE(code_rep_insw_down, "mov $0x80, %edx; std; rep insw; ud2");
USER_CODE(code_rep_insl, "mov $0x80, %edx; rep insl; ud2");
USER_CODE(code_rep_outsb, "mov $0x80, %edx; rep outsb; ud2");
USER_CODE(code_rep_insb_32,
          ".code32; mov $0xe02b, %edx; mov %edx, %es; mov $0x80, %edx; "
          "rep insb; ud2; .code64");
USER_CODE(code_rep_outsw_16,
          ".code32; mov $0xe02b, %edx; mov %edx, %ds; mov $0x80, %edx; "
          "addr16 rep outsw; ud2; .code64");
USER_CODE(code_rep_insb_a32, "mov $0x80, %edx; addr32 rep insb; ud2");

TEST(user_port_strings, "pv")
{
    static const struct {
        const char *name, *code, *end;
        uint64_t cs, first, n, ends, left;
        unsigned int
            written; /* bytes, from @first on; down from there if it is odd */
        unsigned int vector;
        uint64_t error;
    } rows[] = {
        { "once", CODE(code_insb), 0, DATA_AT, 3, DATA_AT + 1, 3, 1, EXC_UD,
          0 },
        { "bytes", CODE(code_rep_insb), 0, DATA_AT, 10, DATA_AT + 10, 0, 10,
          EXC_UD, 0 },
        { "none", CODE(code_rep_insb), 0, DATA_AT, 0, DATA_AT, 0, 0, EXC_UD,
          0 },
        { "down", CODE(code_rep_insw_down), 0, DATA_AT, 1, DATA_AT - 2, 0, 2,
          EXC_UD, 0 },
        { "all", CODE(code_rep_insl), 0, DATA_AT, 1024, DATA_AT + PAGE_SIZE, 0,
          PAGE_SIZE, EXC_UD, 0 },
        { "across the end", CODE(code_rep_insb), 0, DATA_AT, PAGE_SIZE + 5,
          DATA_AT + PAGE_SIZE, 5, PAGE_SIZE, EXC_PF, ERROR_USER | ERROR_WRITE },
        { "nowhere", CODE(code_rep_insb), 0, NOT_CANONICAL, 2, NOT_CANONICAL, 2,
          0, EXC_GP, 0 },
        { "the hypervisor", CODE(code_rep_insb), 0, HYPERVISOR_START, 2,
          HYPERVISOR_START, 2, 0, EXC_GP, 0 },
        { "32-bit addresses", CODE(code_rep_insb_a32), 0, DATA_AT, 4,
          DATA_AT + 4, 0, 4, EXC_UD, 0 },
        { "32-bit code", CODE(code_rep_insb_32), FLAT_USER_CS32, DATA_AT, 4,
          DATA_AT + 4, 0, 4, EXC_UD, 0 },
    };
    uint8_t *data = page_alloc(1);
    struct trap trap;
    unsigned int i, n;

    begin_ports();
    allow(0x80, 4);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        memset(data, PATTERN, PAGE_SIZE);
        user_begin(rows[i].code, rows[i].end);
        user_map(DATA_AT, data, true);
        user_load();
        user_run(&(struct user){ .cs = rows[i].cs,
                                 .cx = rows[i].n,
                                 .di = rows[i].first },
                 &trap);
        check_equal(trap.regs.vector, rows[i].vector);
        check_equal(trap.regs.di, rows[i].ends);
        check_equal(trap.regs.cx, rows[i].left);
        if (trap.regs.vector == EXC_PF) {
            check_equal(trap.regs.error, rows[i].error);
            check_equal(trap.address, rows[i].ends);
        }
        for (n = 0; n < PAGE_SIZE && data[n] == 0xff; n++) {
        }
        check_equal(n, rows[i].written);
        for (; n < PAGE_SIZE && data[n] == PATTERN; n++) {
        }
        check_equal(n, PAGE_SIZE);
        user_end();
    }
    asm volatile("mov %0, %%es" : : "r"(0));
    test_row("outsb");
    user_begin(CODE(code_rep_outsb));
    user_map(DATA_AT, data, false);
    user_load();
    user_run(&(struct user){ .cx = PAGE_SIZE + 1, .si = DATA_AT }, &trap);
    check_equal(trap.regs.vector, EXC_PF);
    check_equal(trap.regs.error, ERROR_USER);
    check_equal(trap.address, DATA_AT + PAGE_SIZE);
    check_equal(trap.regs.si, DATA_AT + PAGE_SIZE);
    check_equal(trap.regs.cx, 1);
    user_end();
    test_row("16-bit addresses");
    user_begin(CODE(code_rep_outsw_16));
    user_map(0, data, false);
    user_load();
    user_run(
        &(struct user){ .cs = FLAT_USER_CS32, .cx = 0x30002, .si = 0x50010 },
        &trap);
    check_equal(trap.regs.vector, EXC_UD);
    check_equal(trap.regs.si, 0x50014);
    check_equal(trap.regs.cx, 0x30000);
    user_end();
    asm volatile("mov %0, %%ds" : : "r"(0));
    end_ports();
}

USER_CODE(code_step, "in $0x80, %al; nop; ud2");

TEST(user_single_step_of_in, "pv")
{
    struct trap trap;

    set_iopl(3, 0);
    user_begin(CODE(code_step));
    user_load();
    user_run(&(struct user){ .flags = FLAG_TF }, &trap);
    check_equal(trap.regs.vector, EXC_DB);
    check_equal(trap.regs.ip, USER_CODE_AT + 2);
    user_end();
    end_ports();
}

/* The kernel ---------------------------------------------------------------------- */

static uint64_t kernel_ax;

static void kernel_in(void *opaque)
{
    uint64_t ax = AX;

    asm volatile("in $0x80, %%al" : "+a"(ax));
    kernel_ax = ax;
}

static void kernel_cli(void *opaque)
{
    asm volatile("cli; sti");
}

static void try_kernel(bool ports, bool flag)
{
    struct trap trap;

    kernel_ax = 0;
    check_equal(trapped(&trap, kernel_in, NULL), !ports);
    check_equal(kernel_ax, ports ? AX | 0xff : 0);
    check_equal(trapped(&trap, kernel_cli, NULL), !flag);
}

TEST(kernel_ports, "pv")
{
    begin_ports();
    try_kernel(false, false);
    allow(0x80, 1);
    try_kernel(true, false);
    set_bitmap(NULL, 0, 0);
    set_iopl(1, 0);
    try_kernel(true, true);
    end_ports();
}

/* VMASST_TYPE_architectural_iopl: the kernel is ring 0, and IOPL is in its frames. */
TEST(kernel_ports_with_architectural_iopl, "pv")
{
    struct trap trap;

    check_equal(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                          VMASST_TYPE_architectural_iopl, 0, 0, 0),
                0);
    try_kernel(true, true);
    user_begin(CODE(in_al_imm));
    user_load();
    user_run(&(struct user){ .flags = FLAG_IOPL, .ax = AX }, &trap);
    check_equal(trap.regs.vector, EXC_UD);
    check_equal(trap.regs.ax, AX | 0xff);
    check_equal(trap.regs.flags & FLAG_IOPL, FLAG_IOPL);
    user_run(&(struct user){ .ax = AX }, &trap);
    check_equal(trap.regs.vector, EXC_GP);
    check_equal(trap.regs.flags & FLAG_IOPL, 0);
    user_end();
    check_equal(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_disable,
                          VMASST_TYPE_architectural_iopl, 0, 0, 0),
                0);
    try_kernel(false, false);
    end_ports();
}

/* A domain reads back what it wrote to these two. */
TEST(ports_with_a_memory, "pv")
{
    uint32_t value = 0x80001234;
    uint8_t byte = 0x5a;

    set_iopl(1, 0);
    asm volatile("out %0, %w1" : : "a"(value), "Nd"(0xcf8));
    asm volatile("out %0, %w1" : : "a"(byte), "Nd"(0x70));
    value = byte = 0;
    asm volatile("in %w1, %0" : "+a"(value) : "Nd"(0xcf8));
    check_equal(value, 0x80001234);
    value = 0;
    asm volatile("in %w1, %w0" : "+a"(value) : "Nd"(0xcf8));
    check_equal(value, 0xffff);
    asm volatile("in %w1, %0" : "+a"(byte) : "Nd"(0x70));
    check_equal(byte, 0x5a);
    value = 0;
    asm volatile("in %w1, %w0" : "+a"(value) : "Nd"(0x6f));
    check_equal(value, 0x5aff);
    end_ports();
}

/* %gs -------------------------------------------------------------------------------- */

USER_CODE(code_gs, "mov %gs, %eax; ud2");

TEST(user_gs_selector, "pv")
{
    static const struct {
        const char *name;
        uint64_t selector, becomes;
    } rows[] = {
        { "null", 0, 0 },
        { "null, RPL 1", 1, 1 },
        { "null, RPL 2", 2, 2 },
        { "null, RPL 3", 3, 3 },
        { "data", FLAT_USER_DS32, FLAT_USER_DS32 },
        { "data, RPL 0", FLAT_USER_DS32 & ~3, FLAT_USER_DS32 },
        { "beyond 16 bits", 0x10000 | 1, 1 },
        { "none", 0xd000, 0 },
        { "the hypervisor's", 0xe008, 0 },
    };
    struct trap trap;
    unsigned int i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        test_row(rows[i].name);
        check_equal(hypercall(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER,
                              0x123456, 0, 0, 0),
                    0);
        check_equal(hypercall(__HYPERVISOR_set_segment_base,
                              SEGBASE_GS_USER_SEL, rows[i].selector, 0, 0, 0),
                    0);
        user_begin(CODE(code_gs));
        user_load();
        user_run(&(struct user){ .ax = 0 }, &trap);
        check_equal(trap.regs.vector, EXC_UD);
        /* Intel's processors forget which null selector it was when they return. */
        if (rows[i].becomes > 3 || trap.regs.ax) {
            check_equal(trap.regs.ax, rows[i].becomes);
        }
        user_end();
    }
    check_equal(hypercall(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER_SEL, 0,
                          0, 0, 0),
                0);
}

#endif /* GUEST_PV */
