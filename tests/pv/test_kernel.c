/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the builder takes a kernel's ELF file for, and which it refuses. */

#include <string.h>
#include <xen/elfnote.h>

#include "elf_file.h"
#include "kernel.h"
#include "payload.h"

static void expect_error(ElfFile *file, const char *part)
{
    g_autoptr(GBytes) elf = elf_file(file);
    g_autoptr(GError) error = NULL;
    XenPVKernel kernel;

    g_assert_false(xen_pv_kernel_parse(elf, &kernel, &error));
    g_assert_nonnull(error);
    g_assert_null(strchr(error->message, '\n'));
    if (!strstr(error->message, part)) {
        g_error("'%s' does not have '%s'", error->message, part);
    }
}

static void test_notes(void)
{
    ElfFile file = linux_like();
    g_autoptr(GBytes) elf = elf_file(&file);
    XenPVKernel kernel;

    g_assert_true(xen_pv_kernel_parse(elf, &kernel, NULL));
    g_assert_cmphex(kernel.virt_base, ==, 0xffffffff80000000);
    g_assert_cmphex(kernel.start, ==, 0xffffffff81000000);
    g_assert_cmphex(kernel.end, ==, 0xffffffff88654321);
    g_assert_cmphex(kernel.entry, ==, 0xffffffff81000123);
    g_assert_cmphex(kernel.hypercall_page, ==, XEN_PV_UNSET);
    g_assert_cmphex(kernel.init_p2m, ==, 0xffffff0000000000);
    g_assert_true(kernel.initrd_by_pfn);
    xen_pv_kernel_clear(&kernel);
}

/* As Mini-OS has it: physical addresses, and a hypercall page by number. */
static void test_section(void)
{
    ElfFile file = {
        .paddr = 0, .memsz = 0x9000, .filesz = 0x4000, .entry = 0,
        .xen_guest = "GUEST_OS=Mini-OS,XEN_VER=xen-3.0,VIRT_BASE=0x0,"
                     "ELF_PADDR_OFFSET=0x0,HYPERCALL_PAGE=0x2,LOADER=generic",
    };
    g_autoptr(GBytes) elf = elf_file(&file);
    XenPVKernel kernel;

    g_assert_true(xen_pv_kernel_parse(elf, &kernel, NULL));
    g_assert_cmphex(kernel.start, ==, 0);
    g_assert_cmphex(kernel.end, ==, 0x9000);
    g_assert_cmphex(kernel.hypercall_page, ==, 0x2000);
    g_assert_false(kernel.initrd_by_pfn);
    xen_pv_kernel_clear(&kernel);

    /* Without ELF_PADDR_OFFSET physical addresses are the virtual ones. */
    file.xen_guest = "XEN_VER=xen-3.0,VIRT_BASE=0x100000,LOADER=generic";
    file.paddr = 0x100000;
    file.entry = 0x100010;
    g_clear_pointer(&elf, g_bytes_unref);
    elf = elf_file(&file);
    g_assert_true(xen_pv_kernel_parse(elf, &kernel, NULL));
    g_assert_cmphex(kernel.start, ==, 0x100000);
    xen_pv_kernel_clear(&kernel);
}

static void test_refused(void)
{
    ElfFile file = linux_like();

    g_clear_pointer(&file.notes, g_byte_array_unref);
    expect_error(&file, "no Xen notes and no section __xen_guest");

    /* A PVH kernel has a note, but not those of PV. */
    add_note_number(&file, XEN_ELFNOTE_PHYS32_ENTRY, 0x1000000);
    expect_error(&file, "for no version of Xen");

    add_note_string(&file, XEN_ELFNOTE_XEN_VERSION, "xen-2.0");
    expect_error(&file, "for 'xen-2.0'");

    add_note_string(&file, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
    add_note_string(&file, XEN_ELFNOTE_LOADER, "special");
    expect_error(&file, "for the loader 'special'");

    add_note_string(&file, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
    add_note_string(&file, XEN_ELFNOTE_LOADER, "generic");
    add_note_number(&file, XEN_ELFNOTE_PADDR_OFFSET, 0);
    expect_error(&file, "no VIRT_BASE");

    file = linux_like();
    add_note_number(&file, XEN_ELFNOTE_ENTRY, 0x1000);
    expect_error(&file, "do not fit together");

    file = linux_like();
    add_note_number(&file, XEN_ELFNOTE_HYPERCALL_PAGE, 0xffffffff90000000);
    expect_error(&file, "no page of the kernel");

    file = linux_like();
    add_note_number(&file, XEN_ELFNOTE_INIT_P2M, 0xffff800000000000);
    expect_error(&file, "where the hypervisor is");

    file = linux_like();
    file.memsz = 1ull << 32;
    expect_error(&file, "more than 2 GiB");

    file = linux_like();
    file.memsz = 0;
    file.filesz = 0;
    expect_error(&file, "nothing to load");
}

/* Every truncation and many damaged headers: refused or read, never beyond. */
static void test_damaged(void)
{
    ElfFile file = linux_like();
    g_autoptr(GBytes) elf = NULL;
    g_autofree uint8_t *copy = NULL;
    const uint8_t *data;
    size_t size, i;

    file.filesz = file.memsz = 64;
    file.entry = 0x1000010;
    add_note_number(&file, XEN_ELFNOTE_ENTRY, 0xffffffff81000010);
    elf = elf_file(&file);
    data = g_bytes_get_data(elf, &size);
    for (i = 0; i < size; i++) {
        g_autoptr(GBytes) shorter = g_bytes_new(data, i);
        XenPVKernel kernel;

        if (xen_pv_kernel_parse(shorter, &kernel, NULL)) {
            xen_pv_kernel_clear(&kernel);
        }
    }
    for (i = 0; i < 8 * size; i++) {
        uint8_t *bad = g_memdup2(data, size);
        g_autoptr(GBytes) flipped = NULL;
        XenPVKernel kernel;

        bad[i / 8] ^= 1 << i % 8;
        flipped = g_bytes_new_take(bad, size);
        if (xen_pv_kernel_parse(flipped, &kernel, NULL)) {
            uint64_t length = kernel.end - kernel.start;
            g_autofree uint8_t *memory =
                length < 1 << 20 ? g_malloc0(length) : NULL;

            if (memory) {
                xen_pv_kernel_load(&kernel, memory);
            }
            xen_pv_kernel_clear(&kernel);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pv/kernel/notes", test_notes);
    g_test_add_func("/pv/kernel/section", test_section);
    g_test_add_func("/pv/kernel/refused", test_refused);
    g_test_add_func("/pv/kernel/damaged", test_damaged);
    return g_test_run();
}
