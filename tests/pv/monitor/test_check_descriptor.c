/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No descriptor that the guest may use is one of the monitor's ring. */

#include <glib.h>

#include "check_descriptor.h"

#define CODE64_RING0 0x00af9b000000ffffull
#define CODE64_RING3 0x00affb000000ffffull
#define DATA_RING0   0x00cf93000000ffffull
#define DATA_RING3   0x00cff3000000ffffull
#define PRESENT      (1ull << 47)
#define DPL          (3ull << 45)
#define SEGMENT      (1ull << 44)

static void test_segments(void)
{
    static const struct {
        uint64_t given, taken;
    } segments[] = {
        { 0, 0 },
        { CODE64_RING0, CODE64_RING3 },
        { CODE64_RING3, CODE64_RING3 },
        { DATA_RING0, DATA_RING3 },
        /* Ring 1 and 2 are supervisor's, too. */
        { DATA_RING0 | 1ull << 45, DATA_RING3 },
        { DATA_RING0 | 2ull << 45, DATA_RING3 },
        /* A conforming code segment would keep the caller's ring. */
        { CODE64_RING0 | 1ull << 42, CODE64_RING3 | 1ull << 42 },
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(segments); i++) {
        uint64_t d = segments[i].given;

        g_assert_true(check_descriptor(&d));
        g_assert_cmphex(d, ==, segments[i].taken);
    }
}

/*
 * Each type and DPL of a system descriptor: what is left is a call gate that ring 3
 * cannot use, and the second half of one.
 */
static void test_system(void)
{
    const uint64_t target = 0xe033ull << 16 | 0x1234;
    unsigned int type, dpl;

    for (type = 0; type < 16; type++) {
        for (dpl = 0; dpl < 4; dpl++) {
            uint64_t d = target | PRESENT | (uint64_t)type << 40 |
                         (uint64_t)dpl << 45;

            if (check_descriptor(&d)) {
                g_assert_true(type == 0 || type == 0xc);
                g_assert_true(type == 0 || !(d & DPL));
            } else {
                g_assert_true(type != 0 && type != 0xc);
            }
            d = (uint64_t)type << 40 | (uint64_t)dpl << 45;
            g_assert_true(check_descriptor(&d));
        }
    }
}

static void test_gate_targets(void)
{
    static const struct {
        uint64_t selector;
        bool ok;
    } targets[] = {
        { 0, true }, { 0x10, true }, { 0xdff8, true }, { 0xe033, true },
        /* The LDT's */
        { 0xe00c, true },
        /* The monitor's */
        { 0xe008, false }, { 0xe010, false }, { 0xe040, false },
        { 0xfff8, false },
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(targets); i++) {
        uint64_t d = PRESENT | 0xcull << 40 | targets[i].selector << 16;

        g_assert_true(check_descriptor(&d) == targets[i].ok);
    }
}

/* Of all combinations of the access byte and the flags: none of ring 0 to 2. */
static void test_all(void)
{
    uint64_t access, flags;

    for (access = 0; access < 256; access++) {
        for (flags = 0; flags < 16; flags++) {
            uint64_t d = 0xffff | access << 40 | 0xfull << 48 | flags << 52;

            if (check_descriptor(&d) && d & PRESENT && d & SEGMENT) {
                g_assert_cmphex(d & DPL, ==, DPL);
            }
        }
    }
}

/* L and D together are reserved: the processor refuses them at each use. */
static void test_reserved(void)
{
    uint64_t d = CODE64_RING3 | 1ull << 54;

    g_assert_false(check_descriptor(&d));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pv/descriptor/segments", test_segments);
    g_test_add_func("/pv/descriptor/system", test_system);
    g_test_add_func("/pv/descriptor/gate-targets", test_gate_targets);
    g_test_add_func("/pv/descriptor/all", test_all);
    g_test_add_func("/pv/descriptor/reserved", test_reserved);
    return g_test_run();
}
