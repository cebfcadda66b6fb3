/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port_io.c: who may use which ports: IOPL, and the bitmap. */

#include "port_calls.h"

static bool may_read(unsigned int port, unsigned int size, bool user)
{
    uint64_t ax = AX;
    int seen = try_port(false, port, size, &ax, user);

    g_assert_true(seen == SEEN_DONE || (seen == EXC_GP && ax == AX));
    return seen == SEEN_DONE;
}

static long set_bitmap(uint64_t at, uint32_t nr_ports)
{
    struct physdev_set_iobitmap op = { .nr_ports = nr_ports };

    op.bitmap.p = (uint8_t *)at;
    return machine_call(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap,
                        machine_put(&op, sizeof(op)), 0, 0);
}

static long call_set(unsigned int cmd, uint64_t arg)
{
    return machine_call(__HYPERVISOR_physdev_op, cmd, arg, 0, 0);
}

static void test_arguments(void)
{
    static const struct {
        uint64_t bitmap;
        uint32_t nr_ports;
        long result;
    } rows[] = {
        { 0, 0, 0 },
        { APART, 65536, 0 },
        { APART, 65537, -XEN_EINVAL },
        { APART, 0xffffffff, -XEN_EINVAL },
        { 0x7fffffffe000, 16, 0 },
        { 0x7fffffffe001, 16, -XEN_EINVAL },
        { 0x800000000000, 16, -XEN_EINVAL },
        { M2P_VA - 0x2000, 16, -XEN_EINVAL },
        { M2P_VA, 0, -XEN_EINVAL },
        { DIRECTMAP_VA, 16, -XEN_EINVAL },
        { HYPERVISOR_END - 1, 16, -XEN_EINVAL },
        { HYPERVISOR_END, 16, 0 },
        { -0x2001ul, 16, 0 },
        { -0x1ffful, 16, -XEN_EINVAL },
    };
    static const uint32_t bad[] = { 4, 5, 7, 0x103, 0x80000000, 0xffffffff };
    const uint64_t nowhere[] = { 0, APART, DIRECTMAP_VA, ~0ul, M2P_VA - 1 };
    unsigned int i;

    begin();
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(set_bitmap(rows[i].bitmap, rows[i].nr_ports), ==,
                        rows[i].result);
    }
    set_iopl(2);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(call_set(PHYSDEVOP_set_iopl,
                                 machine_put(&bad[i], sizeof(bad[i]))), ==,
                        -XEN_EINVAL);
    }
    for (i = 0; i < G_N_ELEMENTS(nowhere); i++) {
        g_assert_cmpint(call_set(PHYSDEVOP_set_iopl, nowhere[i]), ==, -XEN_EFAULT);
        g_assert_cmpint(call_set(PHYSDEVOP_set_iobitmap, nowhere[i]), ==, -XEN_EFAULT);
    }
    /* What was refused has no effect: the kernel may still, user mode may not. */
    g_assert_true(may_read(0x80, 1, false));
    g_assert_false(may_read(0x80, 1, true));
}

static void vm_assist(unsigned int cmd)
{
    g_assert_cmpint(machine_call(__HYPERVISOR_vm_assist, cmd,
                                 VMASST_TYPE_architectural_iopl, 0, 0), ==, 0);
}

/* The kernel is in ring 1, or in ring 0 if it has asked for that. */
static void test_iopl(void)
{
    unsigned int iopl, architectural;

    begin();
    for (architectural = 0; architectural < 2; architectural++) {
        vm_assist(architectural ? VMASST_CMD_enable : VMASST_CMD_disable);
        for (iopl = 0; iopl <= 3; iopl++) {
            set_iopl(iopl);
            g_assert_cmpint(may_read(0xffff, 4, false), ==,
                            architectural || iopl >= 1);
            g_assert_cmpint(may_read(0, 1, true), ==, iopl == 3);
        }
    }
}

/* IOPL that the kernel returns with, and that it finds in its frames. */
static void test_iopl_in_frames(void)
{
    unsigned int iopl, architectural;

    begin();
    for (architectural = 0; architectural < 2; architectural++) {
        vm_assist(architectural ? VMASST_CMD_enable : VMASST_CMD_disable);
        for (iopl = 0; iopl <= 3; iopl++) {
            struct iret_context context = {
                .rip = in_code[1], .cs = SEL_CS64, .ss = SEL_DS,
                .rflags = iopl << IOPL_SHIFT | FLAG_IF | 2,
            };
            struct regs regs;
            uint64_t flags;

            set_iopl(2);
            memcpy(machine_at(MACHINE_KERNEL_VA + 3 * PAGE_SIZE), &context,
                   sizeof(context));
            machine_call(__HYPERVISOR_iret, 0, 0, 0, 0);
            regs = machine_regs;
            g_assert_false(machine_vcpu->kernel_mode);
            g_assert_cmphex(regs.rip, ==, in_code[1]);
            g_assert_cmphex(regs.rflags & FLAG_IOPL, ==, 0);
            regs.vector = EXC_UD;
            trap(&regs);
            flags = frame_word(&regs, 4);
            g_assert_cmphex(flags & FLAG_IOPL, ==,
                            architectural ? iopl << IOPL_SHIFT : 0);
            g_assert_cmphex(regs.rflags & FLAG_IOPL, ==, 0);
            g_assert_cmpint(may_read(0, 1, true), ==, architectural && iopl == 3);
        }
    }
}

/* The last byte of each port's two is only looked at if the port's bits are there. */
static void test_bitmap_of_two_pages(void)
{
    uint64_t at = APART + PAGE_SIZE - 2;
    uint8_t *bits;
    unsigned int user;

    begin();
    map_pages(APART, 1, 0xff);
    bits = machine_at(at);
    bits[0] = bits[1] = 0;
    g_assert_cmpint(set_bitmap(at, 65536), ==, 0);
    for (user = 0; user < 2; user++) {
        g_assert_true(may_read(0, 1, user));
        g_assert_true(may_read(0, 4, user));
        g_assert_true(may_read(12, 4, user));
        g_assert_true(may_read(15, 1, user));
        g_assert_false(may_read(15, 2, user));
        g_assert_false(may_read(13, 4, user));
        g_assert_false(may_read(16, 1, user));
        g_assert_false(may_read(0xffff, 1, user));
    }
    map_pages(APART + PAGE_SIZE, 1, 0);
    g_assert_true(may_read(15, 2, true));
    g_assert_true(may_read(13, 4, true));
    g_assert_true(may_read(16, 1, true));
}

/* Where there is no memory of the guest's there is no right. */
static void test_bitmap_nowhere(void)
{
    static const uint64_t frames[] = {
        MACHINE_XENSTORE_MFN, MACHINE_HOLE_MFN, MACHINE_MAX_MFN, MACHINE_TABLES_MFN,
    };
    unsigned int i;
    uint64_t mfn;

    begin();
    g_assert_false(may_read(0, 1, false));
    g_assert_cmpint(set_bitmap(APART, 65536), ==, 0);
    g_assert_false(may_read(0, 1, false));
    mfn = map_pages(APART, 1, 0);
    g_assert_true(may_read(0, 1, false));
    machine_map(APART, mfn, PTE_WRITE | PTE_USER);
    g_assert_false(may_read(0, 1, false));
    for (i = 0; i < G_N_ELEMENTS(frames); i++) {
        machine_map(APART, frames[i], PTE_PRESENT);
        g_assert_false(may_read(0, 1, false));
        g_assert_false(may_read(0, 1, true));
    }
    /* The last byte of all ports: the one behind it is not needed. */
    map_pages(APART, 2, 0);
    g_assert_true(may_read(0xffff, 1, false));
    g_assert_false(may_read(0xffff, 2, false));
    g_assert_false(may_read(0xfffe, 4, false));
    g_assert_true(may_read(0xfffc, 4, false));
    /* No ports at all. */
    g_assert_cmpint(set_bitmap(APART, 0), ==, 0);
    g_assert_false(may_read(0, 1, false));
}

/* It is in the kernel's tables, which are not loaded in user mode. */
static void test_bitmap_of_the_kernel(void)
{
    uint64_t top;

    begin();
    top = machine_frame();
    memcpy(frame(top), frame(boot->top_mfn), PAGE_SIZE);
    map_pages(APART, 2, 0);
    g_assert_cmpint(set_user_top(machine_vcpu, top), ==, 0);
    g_assert_cmpint(set_bitmap(APART, 65536), ==, 0);
    g_assert_true(may_read(0x80, 4, true));
    /* User mode's own at the same address is not looked at. */
    machine_map_in(top, APART, machine_frame(), PTE_PRESENT);
    memset(machine_at(APART), 0xff, PAGE_SIZE);
    g_assert_false(may_read(0x80, 4, true));
}

static void test_random_bitmaps(void)
{
    uint8_t *bitmap;
    unsigned int i, n, port, size, nr_ports = 0;

    begin();
    map_pages(APART, 3, 0xff);
    bitmap = g_malloc0(8193);
    for (i = 0; i < 20000; i++) {
        bool allowed = true;

        if (i % 1000 == 0) {
            for (n = 0; n < 8193; n++) {
                bitmap[n] = g_test_rand_int() & g_test_rand_int() & g_test_rand_int();
                *(uint8_t *)machine_at(APART + 77 + n) = bitmap[n];
            }
            nr_ports = i % 2000 ? g_test_rand_int_range(0, 65537) : 65536;
            g_assert_cmpint(set_bitmap(APART + 77, nr_ports), ==, 0);
        }
        size = 1 << g_test_rand_int_range(0, 3);
        port = (i % 3 ? (unsigned int)g_test_rand_int_range(0, 65536) :
                        nr_ports + g_test_rand_int_range(-6, 3)) & 0xffff;
        for (n = 0; n < size; n++) {
            allowed &= port + n < nr_ports &&
                       !(bitmap[(port + n) / 8] >> (port + n) % 8 & 1);
        }
        g_assert_cmpint(may_read(port, size, g_test_rand_bit()), ==, allowed);
    }
    g_free(bitmap);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/port_io_rights/arguments", test_arguments);
    machine_test("/monitor/port_io_rights/iopl", test_iopl);
    machine_test("/monitor/port_io_rights/iopl-in-frames", test_iopl_in_frames);
    machine_test("/monitor/port_io_rights/bitmap-of-two-pages", test_bitmap_of_two_pages);
    machine_test("/monitor/port_io_rights/bitmap-nowhere", test_bitmap_nowhere);
    machine_test("/monitor/port_io_rights/bitmap-of-the-kernel",
                 test_bitmap_of_the_kernel);
    machine_test("/monitor/port_io_rights/random-bitmaps", test_random_bitmaps);
    return g_test_run();
}
