/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that the builder makes, looked at as the guest will: through its page
 * tables, its start_info and its list of frames.
 */

#include <stdint.h>
#include <string.h>
#include <xen/elfnote.h>
#include <xen/xen.h>

#include "builder.h"
#include "elf_file.h"
#include "payload.h"
#include "tables.h"

#define PAGE XEN_PV_PAGE_SIZE
#define NR_PAGES 65536
/* No frame has its pfn for a number. */
#define FIRST_MFN 0x100
#define SHARED_INFO_MFN 0xf0000
#define XENSTORE_MFN 0xfefff
#define CONSOLE_MFN 0xfeffe
#define SLOT 0x123063

typedef struct Guest {
    XenPVInput input;
    XenPVImage image;
    uint8_t *memory;            /* by pfn */
    uint64_t mfns[NR_PAGES];
} Guest;

static Guest *guest_new(ElfFile *file, size_t initrd_size)
{
    Guest *guest = g_new0(Guest, 1);
    g_autoptr(GError) error = NULL;
    unsigned int i;

    for (i = 0; i < NR_PAGES; i++) {
        guest->mfns[i] = FIRST_MFN + i;
    }
    guest->input = (XenPVInput) {
        .kernel = elf_file(file),
        .command_line = "console=hvc0",
        .nr_pages = NR_PAGES,
        .mfns = guest->mfns,
        .shared_info_mfn = SHARED_INFO_MFN,
        .xenstore_ring_mfn = XENSTORE_MFN,
        .console_ring_mfn = CONSOLE_MFN,
    };
    for (i = 0; i < XEN_PV_NR_SLOTS; i++) {
        guest->input.slots[i] = SLOT + i * PAGE;
    }
    if (initrd_size) {
        uint8_t *initrd = g_malloc(initrd_size);

        memset(initrd, 0x11, initrd_size);
        guest->input.initrd = g_bytes_new_take(initrd, initrd_size);
    }
    xen_pv_build(&guest->input, &guest->image, &error);
    g_assert_no_error(error);
    guest->memory = g_malloc0((size_t)NR_PAGES * PAGE);
    for (i = 0; i < guest->image.segments->len; i++) {
        XenPVSegment *s =
            &g_array_index(guest->image.segments, XenPVSegment, i);
        size_t size;
        const uint8_t *data = g_bytes_get_data(s->data, &size);

        g_assert_cmpuint(s->pfn + size / PAGE, <, NR_PAGES);
        memcpy(guest->memory + s->pfn * PAGE, data, size);
    }
    return guest;
}

static void guest_free(Guest *guest)
{
    xen_pv_image_clear(&guest->image);
    g_bytes_unref(guest->input.kernel);
    g_clear_pointer(&guest->input.initrd, g_bytes_unref);
    g_free(guest->memory);
    g_free(guest);
}

static uint8_t *frame(Guest *guest, uint64_t mfn)
{
    g_assert_cmpuint(mfn, >=, FIRST_MFN);
    g_assert_cmpuint(mfn, <, FIRST_MFN + NR_PAGES);
    return guest->memory + (mfn - FIRST_MFN) * PAGE;
}

/* The last entry of the walk for @va; 0 if there is none. */
static uint64_t walk(Guest *guest, uint64_t va)
{
    uint64_t entry = guest->image.top_mfn << 12;
    int level;

    for (level = 4; level; level--) {
        uint64_t *table = (void *)frame(guest, (entry & ~XEN_PV_PTE_NX) >> 12);

        entry = table[va >> (12 + 9 * (level - 1)) & 511];
        if (!(entry & XEN_PV_PTE_PRESENT)) {
            return 0;
        }
        g_assert_true(entry & XEN_PV_PTE_USER);
        g_assert_false(entry & XEN_PV_PTE_LARGE);
    }
    return entry;
}

static void *at(Guest *guest, uint64_t va)
{
    return frame(guest, walk(guest, va) >> 12) + va % PAGE;
}

static start_info_t *start_info(Guest *guest)
{
    return at(guest, guest->image.start_info);
}

static void check_tables(Guest *guest)
{
    start_info_t *info = start_info(guest);
    uint64_t *top = at(guest, info->pt_base);
    uint64_t i;

    g_assert_cmphex(info->pt_base >> 12, ==,
                    (guest->image.start_info >> 12) + 3);
    g_assert_cmpuint(info->nr_pt_frames, ==, guest->image.nr_tables);
    for (i = 0; i < info->nr_pt_frames; i++) {
        uint64_t pte = walk(guest, info->pt_base + i * PAGE);

        g_assert_false(pte & XEN_PV_PTE_WRITE);
        g_assert_cmphex(pte >> 12, ==, FIRST_MFN +
                        guest->image.first_table_pfn + i);
    }
    for (i = 0; i < XEN_PV_NR_SLOTS; i++) {
        g_assert_cmphex(top[XEN_PV_FIRST_SLOT + i], ==, SLOT + i * PAGE);
    }
    /* Stack: writable, at its top; then at least 512 KiB to 4 MiB. */
    g_assert_true(walk(guest, guest->image.rsp - 8) & XEN_PV_PTE_WRITE);
    g_assert_cmphex(guest->image.rsp, ==,
                    info->pt_base + (info->nr_pt_frames + 1) * PAGE);
    g_assert_true(walk(guest, guest->image.rsp + (512 << 10) - 1));
    i = (guest->image.rsp + (512 << 10) + (4 << 20) - 1) & ~((4ull << 20) - 1);
    g_assert_true(walk(guest, i - 1));
    g_assert_cmphex(walk(guest, i), ==, 0);
}

static void check_start_info(Guest *guest)
{
    start_info_t *info = start_info(guest);
    uint64_t *list = at(guest, info->mfn_list);
    uint64_t page = (guest->image.start_info >> 12) + 1;

    g_assert_cmpstr(info->magic, ==, "xen-3.0-x86_64");
    g_assert_cmpuint(info->nr_pages, ==, NR_PAGES);
    g_assert_cmphex(info->shared_info, ==, SHARED_INFO_MFN * (uint64_t)PAGE);
    g_assert_cmphex(info->store_mfn, ==, XENSTORE_MFN);
    g_assert_cmphex(info->console.domU.mfn, ==, CONSOLE_MFN);
    g_assert_cmpstr((char *)info->cmd_line, ==, "console=hvc0");
    /* Guests look the rings up in the list, and find them mapped. */
    g_assert_cmphex(walk(guest, page * PAGE) >> 12, ==, XENSTORE_MFN);
    g_assert_cmphex(walk(guest, (page + 1) * PAGE) >> 12, ==, CONSOLE_MFN);
    page = guest->image.start_info_pfn + 1;
    g_assert_cmphex(list[page], ==, XENSTORE_MFN);
    g_assert_cmphex(list[page + 1], ==, CONSOLE_MFN);
    g_assert_cmphex(list[0], ==, FIRST_MFN);
    list = at(guest, info->mfn_list + (NR_PAGES - 1) * 8 / PAGE * PAGE);
    g_assert_cmphex(list[511], ==, FIRST_MFN + NR_PAGES - 1);
}

static void test_linux(void)
{
    ElfFile file = linux_like();
    Guest *guest = guest_new(&file, 3 * PAGE + 5);
    start_info_t *info = start_info(guest);

    check_tables(guest);
    check_start_info(guest);
    g_assert_cmphex(guest->image.rip, ==, 0xffffffff81000123);
    g_assert_cmphex(*(uint8_t *)at(guest, 0xffffffff81000000), ==, 0x5a);
    g_assert_cmphex(*(uint8_t *)at(guest, 0xffffffff81012344), ==, 0x5a);
    g_assert_cmphex(*(uint8_t *)at(guest, 0xffffffff81012345), ==, 0);
    g_assert_cmphex(walk(guest, 0xffffffff80000000) >> 12, ==, FIRST_MFN);
    g_assert_cmphex(info->mfn_list, ==, 0xffffff0000000000);
    g_assert_cmpuint(info->nr_p2m_frames, ==, NR_PAGES * 8 / PAGE);
    g_assert_cmphex(walk(guest, info->mfn_list) >> 12, ==,
                    FIRST_MFN + info->first_p2m_pfn);
    /* The initrd is not mapped, and its place is a pfn. */
    g_assert_cmphex(info->flags, ==, SIF_MOD_START_PFN);
    g_assert_cmpuint(info->mod_len, ==, 3 * PAGE + 5);
    g_assert_cmphex(guest->memory[info->mod_start * PAGE], ==, 0x11);
    g_assert_cmphex(guest->memory[info->mod_start * PAGE + 3 * PAGE + 4], ==,
                    0x11);
    guest_free(guest);
}

static void test_old_kernel(void)
{
    ElfFile file = {
        .memsz = 0x9000, .filesz = 0x1000,
        .xen_guest = "XEN_VER=xen-3.0,VIRT_BASE=0x0,ELF_PADDR_OFFSET=0x0,"
                     "HYPERCALL_PAGE=0x2,LOADER=generic",
    };
    Guest *guest = guest_new(&file, PAGE);
    start_info_t *info = start_info(guest);
    static const uint8_t send[] = { 0x51, 0x41, 0x53, 0xb8, 32, 0, 0, 0,
                                    0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3 };

    check_tables(guest);
    check_start_info(guest);
    /* Behind the kernel: the initrd, then the list, both mapped. */
    g_assert_cmphex(info->flags, ==, 0);
    g_assert_cmphex(info->mod_start, ==, 0x9000);
    g_assert_cmphex(*(uint8_t *)at(guest, info->mod_start), ==, 0x11);
    g_assert_cmphex(info->mfn_list, ==, 0xa000);
    g_assert_cmpmem(at(guest, 0x2000 + 32 * 32), sizeof(send), send,
                    sizeof(send));
    guest_free(guest);
}

static void test_too_small(void)
{
    static const uint64_t mfns[100];
    ElfFile file = linux_like();
    g_autoptr(GBytes) kernel = elf_file(&file);
    g_autoptr(GError) error = NULL;
    XenPVInput input = {
        .kernel = kernel, .command_line = "", .nr_pages = 100, .mfns = mfns,
    };
    XenPVImage image;

    g_assert_false(xen_pv_build(&input, &image, &error));
    g_assert_nonnull(strstr(error->message, "give more by -m"));
    g_assert_null(image.segments);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pv/builder/linux", test_linux);
    g_test_add_func("/pv/builder/old-kernel", test_old_kernel);
    g_test_add_func("/pv/builder/too-small", test_too_small);
    return g_test_run();
}
