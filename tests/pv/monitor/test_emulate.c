/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emulate.c: how it reads an instruction: prefixes, code segments, and where it ends. */

#include "emulate_calls.h"

struct row {
    const char *name;
    uint8_t bytes[16];
    unsigned int size;
    uint64_t ax;                /* of IN; 0: it is refused */
};
#define ROW(ax, name, ...) \
    { name, { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }), ax }

static void check_row(const struct row *row, uint64_t cs, uint64_t rip,
                      const char *where)
{
    struct regs regs = machine_trapped(EXC_GP, 0);
    int seen;

    regs.cs = cs;
    regs.rip = rip;
    regs.rax = AX;
    regs.rdx = 0x80;
    seen = refused(&regs);
    g_test_message("%s: %s", where, row->name);
    if (!row->ax) {
        g_assert_cmpint(seen, ==, EXC_GP);
        g_assert_cmphex(frame_word(&regs, 2), ==, 0);
        g_assert_cmphex(frame_rip(&regs, seen), ==, rip);
        g_assert_cmphex(regs.rax, ==, AX);
        return;
    }
    g_assert_cmpint(seen, ==, SEEN_DONE);
    g_assert_cmphex(regs.rax, ==, row->ax);
    g_assert_cmphex(regs.rip, ==, rip + row->size);
    g_assert_cmphex(regs.cs, ==, cs);
}

static void check_rows(const struct row *rows, unsigned int n, uint64_t cs,
                       const char *where)
{
    unsigned int i;

    for (i = 0; i < n; i++) {
        check_row(&rows[i], cs, machine_put(rows[i].bytes, rows[i].size), where);
    }
}

/* Prefixes ------------------------------------------------------------------------- */

static void test_prefixes_64(void)
{
    static const struct row rows[] = {
        ROW(AL, "inb", 0xec),
        ROW(EAX, "inl", 0xed),
        ROW(AL, "inb of a number", 0xe4, 0x80),
        ROW(EAX, "inl of a number", 0xe5, 0x80),
        ROW(AX16, "inw", 0x66, 0xed),
        ROW(AX16, "inw of a number", 0x66, 0xe5, 0x80),
        ROW(AL, "inb, 66", 0x66, 0xec),
        ROW(AX16, "66 twice", 0x66, 0x66, 0xed),
        ROW(EAX, "67", 0x67, 0xed),
        ROW(EAX, "repeated", 0xf3, 0xed),
        ROW(EAX, "repeated, f2", 0xf2, 0xed),
        ROW(EAX, "es", 0x26, 0xed),
        ROW(EAX, "cs", 0x2e, 0xed),
        ROW(EAX, "ss", 0x36, 0xed),
        ROW(EAX, "ds", 0x3e, 0xed),
        ROW(EAX, "fs", 0x64, 0xed),
        ROW(EAX, "gs", 0x65, 0xed),
        ROW(AX16, "66 first", 0x66, 0x67, 0xf3, 0x65, 0xed),
        ROW(AX16, "66 last", 0x2e, 0xf2, 0x67, 0x66, 0xed),
        ROW(AX16, "66 in the middle", 0x64, 0x67, 0x66, 0x3e, 0xf3, 0x26, 0xed),
        ROW(AX16, "66, then REX", 0x66, 0x40, 0xed),
        ROW(EAX, "REX.W", 0x48, 0xed),
        ROW(AL, "REX.W of a byte", 0x48, 0xec),
        ROW(0, "lock", 0xf0, 0xed),
        ROW(0, "a prefix of VEX", 0xc5, 0xed),
        ROW(AX16, "fifteen bytes", 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
            0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0xed),
        ROW(AX16, "fifteen, with a number", 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
            0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0xe5, 0x80),
        ROW(0, "sixteen", 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
            0x66, 0x66, 0x66, 0x66, 0x66, 0xed),
        ROW(0, "sixteen, with REX", 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
            0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x40, 0xed),
    };
    struct row rex = ROW(EAX, "any REX", 0x40, 0xed);

    begin();
    check_rows(rows, G_N_ELEMENTS(rows), SEL_CS64, "64-bit code");
    for (; rex.bytes[0] < 0x50; rex.bytes[0]++) {
        check_rows(&rex, 1, SEL_CS64, "64-bit code");
    }
}

static void test_rex_and_66(void)
{
    static const struct row rows[] = {
        ROW(EAX, "66, then REX.W", 0x66, 0x48, 0xed),
        ROW(EAX, "66, then REX.W, a number", 0x66, 0x48, 0xe5, 0x80),
    };

    begin();
    check_rows(rows, G_N_ELEMENTS(rows), SEL_CS64, "64-bit code");
}

/* One that is not directly before the opcode has no effect. */
static void test_rex_elsewhere(void)
{
    static const struct row rows[] = {
        ROW(AX16, "REX.W, then 66", 0x48, 0x66, 0xed),
        ROW(EAX, "two of them", 0x41, 0x48, 0xed),
        ROW(AL, "REX, then a segment", 0x44, 0x3e, 0xec),
    };

    begin();
    check_rows(rows, G_N_ELEMENTS(rows), SEL_CS64, "64-bit code");
}

/* Code segments -------------------------------------------------------------------- */

/* Code of 16 and 32 bits, and of 64, with and without bases, of both tables. */
static void test_code_segments(void)
{
    static const struct row code16[] = {
        ROW(AL, "inb", 0xec),
        ROW(AX16, "inw", 0xed),
        ROW(EAX, "inl", 0x66, 0xed),
        ROW(EAX, "inl of a number", 0x67, 0x66, 0xe5, 0x80),
        ROW(0, "no REX", 0x48, 0xed),
    }, code32[] = {
        ROW(AL, "inb", 0xec),
        ROW(AX16, "inw", 0x66, 0xed),
        ROW(EAX, "inl", 0xed),
        ROW(EAX, "inl, with a segment", 0x26, 0xed),
        ROW(0, "no REX", 0x40, 0xed),
        ROW(0, "no REX.W", 0x4f, 0xed),
    }, code64[] = {
        ROW(AX16, "inw", 0x66, 0xed),
        ROW(EAX, "inl with REX.W", 0x48, 0xed),
    };
    enum { BASE_UP = LOW - 0x1000, BASE_AROUND = 0xfffff000 };
    const uint64_t entries[] = {
        0,
        descriptor(0, 0xfffff, TYPE_CODE, SIZE_16 | LIMIT_IN_PAGES),
        descriptor(BASE_UP, 0xfffff, TYPE_CODE, SIZE_16 | LIMIT_IN_PAGES),
        descriptor(0, 0xfffff, TYPE_CODE, SIZE_32 | LIMIT_IN_PAGES),
        descriptor(BASE_AROUND, 0xfffff, TYPE_CODE, SIZE_32 | LIMIT_IN_PAGES),
        descriptor(BASE_UP, 0xfffff, TYPE_CODE, SIZE_64 | LIMIT_IN_PAGES),
    };
    static const struct {
        const struct row *rows;
        unsigned int n;
        uint32_t base;
    } segments[] = {
        { 0 },
        { code16, G_N_ELEMENTS(code16), 0 },
        { code16, G_N_ELEMENTS(code16), BASE_UP },
        { code32, G_N_ELEMENTS(code32), 0 },
        { code32, G_N_ELEMENTS(code32), BASE_AROUND },
        { code64, G_N_ELEMENTS(code64), 0 },    /* which has no base */
    };
    unsigned int i, j, in_ldt;

    begin();
    set_gdt_entries(entries, G_N_ELEMENTS(entries));
    set_ldt_entries(entries, G_N_ELEMENTS(entries));
    map_pages(LOW, 1, 0);
    for (i = 1; i < G_N_ELEMENTS(segments); i++) {
        for (j = 0; j < segments[i].n; j++) {
            const struct row *row = &segments[i].rows[j];
            uint32_t offset = LOW + 0x100 - segments[i].base;

            memcpy(machine_at(LOW + 0x100), row->bytes, row->size);
            for (in_ldt = 0; in_ldt < 2; in_ldt++) {
                check_row(row, i * 8 | in_ldt << 2 | 3, offset,
                          in_ldt ? "LDT" : "GDT");
            }
        }
    }
}

/* No code segment: null, or beyond the LDT.  The processor has none of these either. */
static void test_no_code_segment(void)
{
    static const struct row row = ROW(0, "inb", 0xec);
    static const uint64_t selectors[] = { 3, 7, 0x17, 0xffff };
    unsigned int i;

    begin();
    set_ldt_entries(&(const uint64_t) { 0 }, 0);
    for (i = 0; i < G_N_ELEMENTS(selectors); i++) {
        check_row(&row, selectors[i], machine_put(row.bytes, row.size), "nowhere");
    }
}

/* Where it ends -------------------------------------------------------------------- */

/* The last bytes before a page that is not there. */
static void test_page_end(void)
{
    static const struct row rows[] = {
        ROW(AL, "one byte", 0xec),
        ROW(AX16, "two bytes", 0x66, 0xed),
        ROW(AX16, "fourteen bytes", 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
            0x66, 0x66, 0x66, 0x66, 0x66, 0xed),
        ROW(AX16, "fifteen bytes", 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
            0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0xed),
        ROW(0, "only prefixes", 0x66, 0xf3),
        ROW(0, "one prefix", 0x66),
        ROW(0, "only REX", 0x48),
        ROW(0, "half of an opcode", 0x0f),
    };
    unsigned int i;

    begin();
    map_pages(APART, 1, 0);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t rip = APART + PAGE_SIZE - rows[i].size;

        memcpy(machine_at(rip), rows[i].bytes, rows[i].size);
        check_row(&rows[i], SEL_CS64, rip, "end of a page");
    }
    /* The same instructions where there is nothing at all, or the hypervisor. */
    for (i = 0; i < 16; i++) {
        const struct row none = ROW(0, "none");

        check_row(&none, SEL_CS64, APART + PAGE_SIZE + i, "no page");
        check_row(&none, SEL_CS64, APART + 2 * PAGE_SIZE - i, "no page");
        check_row(&none, SEL_CS64, DIRECTMAP_VA + i, "the hypervisor");
        check_row(&none, SEL_CS64, HYPERVISOR_END - 1 - i, "the hypervisor");
    }
}

/* In the first page, and on into the second. */
static void test_across_pages(void)
{
    static const struct row row = ROW(AX16, "inw", 0x67, 0x66, 0x65, 0xe5, 0x80);
    unsigned int i;

    begin();
    map_pages(APART, 2, 0);
    for (i = 0; i <= row.size; i++) {
        memcpy(machine_at(APART + PAGE_SIZE - i), row.bytes, i);
        memcpy(machine_at(APART + PAGE_SIZE), row.bytes + i, row.size - i);
        check_row(&row, SEL_CS64, APART + PAGE_SIZE - i, "two pages");
    }
}

/* The processor refuses them for their length. */
static void test_too_long(void)
{
    static const struct row rows[] = {
        ROW(0, "a number", 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
            0x66, 0x66, 0x66, 0x66, 0xe5, 0x80),
        ROW(0, "mov from CR0", 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
            0x66, 0x66, 0x66, 0x66, 0x0f, 0x20, 0xc0),
    };

    begin();
    check_rows(rows, G_N_ELEMENTS(rows), SEL_CS64, "64-bit code");
}

static void test_cut_off(void)
{
    static const struct row rows[] = {
        ROW(0, "no number", 0xe4),
        ROW(0, "no ModRM byte", 0x0f, 0x20),
    };
    unsigned int i;

    begin();
    map_pages(APART, 1, 0);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t rip = APART + PAGE_SIZE - rows[i].size;
        struct regs regs = machine_trapped(EXC_GP, 0);

        memcpy(machine_at(rip), rows[i].bytes, rows[i].size);
        regs.rip = rip;
        regs.rax = AX;
        g_assert_cmpint(refused(&regs), !=, SEEN_DONE);
        g_assert_cmphex(regs.rax, ==, AX);
    }
}

/* Which opcodes -------------------------------------------------------------------- */

/* Every opcode with a ModRM byte of zero behind it: what is none of these is refused. */
static void test_opcodes(void)
{
    static const uint8_t one[] = {
        0x6c, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef, 0xfa,
        0xfb,
    }, two[] = {
        0x06, 0x09, 0x20, 0x21, 0x22, 0x23, 0x30, 0x31, 0x32, 0xa2,
    };
    unsigned int opcode, after_0f, user;

    begin();
    map_pages(LOW, 1, 0);
    set_iopl(3);
    for (user = 0; user < 2; user++) {
        for (after_0f = 0; after_0f < 2; after_0f++) {
            for (opcode = 0; opcode < 256; opcode++) {
                uint64_t rip = LOW + 0x800;
                struct regs regs = machine_trapped(EXC_GP, 0);
                bool expected = after_0f ? memchr(two, opcode, sizeof(two)) && !user :
                                           !!memchr(one, opcode, sizeof(one));

                memcpy(machine_at(rip), after_0f ? ((uint8_t[]) { 0x0f, opcode, 0 }) :
                                        ((uint8_t[]) { opcode, 0, 0 }), 3);
                regs.rip = rip;
                regs.rsi = regs.rdi = LOW;
                regs.rcx = MSR_FS_BASE;
                if (after_0f && opcode >= 0x20 && opcode < 0x24) {
                    regs.rax = 0x80050033;
                }
                if (user) {
                    enter_user_mode();
                }
                g_assert_cmpint(refused(&regs), ==, expected ? SEEN_DONE : EXC_GP);
                enter_kernel_mode();
            }
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/emulate/prefixes", test_prefixes_64);
    machine_test("/monitor/emulate/rex-and-66", test_rex_and_66);
    machine_test("/monitor/emulate/rex-elsewhere", test_rex_elsewhere);
    machine_test("/monitor/emulate/code-segments", test_code_segments);
    machine_test("/monitor/emulate/no-code-segment", test_no_code_segment);
    machine_test("/monitor/emulate/page-end", test_page_end);
    machine_test("/monitor/emulate/across-pages", test_across_pages);
    machine_test("/monitor/emulate/too-long", test_too_long);
    machine_test("/monitor/emulate/cut-off", test_cut_off);
    machine_test("/monitor/emulate/opcodes", test_opcodes);
    return g_test_run();
}
