/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which ELF files are PVH kernels, and what they have loaded where. */

#include <elf.h>
#include <string.h>
#include <xen/elfnote.h>

#include "elf_file.h"
#include "pvh_kernel.h"

/* Like Linux's: the same segment at its physical address, and one more note. */
static ElfFile pvh_file(uint32_t entry)
{
    ElfFile file = linux_like();

    add_note(&file, XEN_ELFNOTE_PHYS32_ENTRY, &entry, sizeof(entry));
    return file;
}

static void expect_error(GBytes *elf, const char *part)
{
    g_autoptr(GError) error = NULL;
    XenPVHKernel kernel;

    g_assert_false(xen_pvh_kernel_parse(elf, &kernel, &error));
    g_assert_nonnull(error);
    g_assert_null(strchr(error->message, '\n'));
    if (!strstr(error->message, part)) {
        g_error("'%s' does not have '%s'", error->message, part);
    }
}

static void test_64(void)
{
    ElfFile file = pvh_file(0x1000120);
    g_autoptr(GBytes) elf = elf_file(&file);
    XenPVHKernel kernel;
    XenPVHSegment *segment;

    g_assert_true(xen_pvh_kernel_parse(elf, &kernel, NULL));
    g_assert_cmphex(kernel.entry, ==, 0x1000120);
    g_assert_cmpuint(kernel.segments->len, ==, 1);
    segment = &g_array_index(kernel.segments, XenPVHSegment, 0);
    g_assert_cmphex(segment->address, ==, 0x1000000);
    g_assert_cmphex(segment->end, ==, 0x8654321);
    g_assert_cmphex(segment->size, ==, 0x12345);
    g_assert_cmphex(segment->data[0x12344], ==, 0x5a);
    g_assert_cmphex(kernel.start, ==, segment->address);
    g_assert_cmphex(kernel.end, ==, segment->end);
    xen_pvh_kernel_clear(&kernel);
}

/* As small guests have it: two segments, and the note in the first. */
static void test_32(void)
{
    struct {
        Elf32_Ehdr eh;
        Elf32_Phdr ph[3];
        Elf32_Nhdr note;
        char name[4];
        uint32_t entry;
    } file = {
        .eh = {
            .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB },
            .e_machine = EM_386, .e_phoff = sizeof(Elf32_Ehdr), .e_phnum = 3,
            .e_phentsize = sizeof(Elf32_Phdr),
        },
        .ph = {
            { .p_type = PT_LOAD, .p_paddr = 0x100000, .p_filesz = sizeof(file),
              .p_memsz = 0x1000 },
            { .p_type = PT_LOAD, .p_paddr = 0x200000, .p_memsz = 0x3000 },
            { .p_type = PT_NOTE, .p_offset = offsetof(typeof(file), note),
              .p_filesz = sizeof(file) - offsetof(typeof(file), note) },
        },
        .note = { 4, 4, XEN_ELFNOTE_PHYS32_ENTRY },
        .name = "Xen",
        .entry = 0x200010,
    };
    g_autoptr(GBytes) elf = g_bytes_new(&file, sizeof(file));
    XenPVHKernel kernel;

    g_assert_true(xen_pvh_kernel_parse(elf, &kernel, NULL));
    g_assert_cmphex(kernel.entry, ==, 0x200010);
    g_assert_cmpuint(kernel.segments->len, ==, 2);
    g_assert_cmphex(kernel.start, ==, 0x100000);
    g_assert_cmphex(kernel.end, ==, 0x203000);
    xen_pvh_kernel_clear(&kernel);
}

static void test_refused(void)
{
    /* Says that it is of 64 bits, and has room for a header of 32 only. */
    Elf32_Ehdr eh = {
        .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB },
        .e_phoff = 20, .e_phnum = 1, .e_phentsize = sizeof(Elf32_Phdr),
    };
    g_autoptr(GBytes) short_header = g_bytes_new(&eh, sizeof(eh));
    ElfFile file = linux_like();
    g_autoptr(GBytes) no_note = elf_file(&file);
    g_autoptr(GBytes) text = g_bytes_new("#!/bin/sh\n", 10);
    g_autoptr(GBytes) outside = NULL;
    g_autoptr(GBytes) cut_off = NULL;

    expect_error(no_note, "no Xen note PHYS32_ENTRY; Linux needs CONFIG_PVH");
    expect_error(text, "no ELF file for x86");
    file = pvh_file(0xfff000);
    outside = elf_file(&file);
    expect_error(outside, "PHYS32_ENTRY 0xfff000 is outside of");
    expect_error(short_header, "no ELF file for x86");
    cut_off = g_bytes_new_from_bytes(outside, 0, 0x1000);
    expect_error(cut_off, "segment 0 is damaged, or the file is cut off");
}

/* Every truncation and every damaged bit: refused or read, never beyond. */
static void test_damaged(void)
{
    ElfFile file = pvh_file(0x1000010);
    g_autoptr(GBytes) elf = NULL;
    const uint8_t *data;
    size_t size, i, j;

    file.filesz = file.memsz = 64;
    elf = elf_file(&file);
    data = g_bytes_get_data(elf, &size);
    for (i = 0; i < 8 * size; i++) {
        size_t length = i < size ? i : size;
        uint8_t *bad = g_memdup2(data, length);
        g_autoptr(GBytes) bytes = NULL;
        volatile unsigned int sum = 0; /* reads all, under ASan */
        XenPVHKernel kernel;

        if (i >= size) {
            bad[i / 8] ^= 1 << i % 8;
        }
        bytes = g_bytes_new_take(bad, length);
        if (xen_pvh_kernel_parse(bytes, &kernel, NULL)) {
            for (j = 0; j < kernel.segments->len; j++) {
                XenPVHSegment *s =
                    &g_array_index(kernel.segments, XenPVHSegment, j);
                size_t k;

                for (k = 0; k < s->size; k++) {
                    sum += s->data[k];
                }
            }
            xen_pvh_kernel_clear(&kernel);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pvh/kernel/64", test_64);
    g_test_add_func("/pvh/kernel/32", test_32);
    g_test_add_func("/pvh/kernel/refused", test_refused);
    g_test_add_func("/pvh/kernel/damaged", test_damaged);
    return g_test_run();
}
