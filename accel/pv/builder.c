/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PV guest's memory at its start, as tools/libs/guest of Xen makes it: kernel,
 * initrd, list of frames, start_info and rings, page tables, stack, in this order
 * from VIRT_BASE on, virtually and by pfn; padding to 512 KiB, and to 4 MiB.
 */

#include <stdint.h>
#include <string.h>
#include <xen/xen.h>

#include "builder.h"
#include "kernel.h"
#include "payload.h"
#include "tables.h"

#define PAGE XEN_PV_PAGE_SIZE
#define ROUND_UP(n, to) (((n) + (to) - 1) / (to) * (to))
#define PADDING (512u << 10)
#define PADDED_TO (4u << 20)

/* pfns of the parts. */
typedef struct Layout {
    uint64_t initrd, nr_initrd;
    uint64_t p2m, nr_p2m;
    uint64_t start_info, xenstore, console;
    uint64_t tables, nr_tables;
    uint64_t stack;
    uint64_t mapped;            /* this many pages from VIRT_BASE on */
    uint64_t end;
} Layout;

static void lay_out(const XenPVInput *input, const XenPVKernel *kernel,
                    uint64_t nr_tables, Layout *l)
{
    uint64_t pfn = ROUND_UP(kernel->end - kernel->virt_base, PAGE) / PAGE;
    bool initrd_by_pfn = kernel->initrd_by_pfn;
    bool own_p2m = kernel->init_p2m != XEN_PV_UNSET;

    memset(l, 0, sizeof(*l));
    l->nr_p2m = ROUND_UP(input->nr_pages * 8, PAGE) / PAGE;
    if (input->initrd) {
        l->nr_initrd =
            ROUND_UP(g_bytes_get_size(input->initrd), PAGE) / PAGE;
    }
    if (l->nr_initrd && !initrd_by_pfn) {
        l->initrd = pfn;
        pfn += l->nr_initrd;
    }
    if (!own_p2m) {
        l->p2m = pfn;
        pfn += l->nr_p2m;
    }
    l->start_info = pfn++;
    l->xenstore = pfn++;
    l->console = pfn++;
    l->tables = pfn;
    l->nr_tables = nr_tables;
    pfn += nr_tables;
    l->stack = pfn++;
    l->mapped = ROUND_UP(kernel->virt_base + pfn * PAGE + PADDING, PADDED_TO) -
                kernel->virt_base;
    l->mapped /= PAGE;
    pfn = l->mapped;
    if (own_p2m) {
        l->p2m = pfn;
        pfn += l->nr_p2m;
    }
    if (l->nr_initrd && initrd_by_pfn) {
        l->initrd = pfn;
        pfn += l->nr_initrd;
    }
    l->end = pfn;
}

/* Returns the number of tables needed, which may be more than the layout has. */
static uint64_t make_tables(const XenPVInput *input, const XenPVKernel *kernel,
                            const Layout *l, const uint64_t *p2m,
                            GBytes **data)
{
    XenPVTables *tables = xen_pv_tables_new(p2m + l->tables, l->nr_tables);
    uint64_t pfn, nr;

    xen_pv_tables_set_slots(tables, input->slots);
    for (pfn = 0; pfn < l->mapped; pfn++) {
        /* The guest changes page tables by hypercalls only. */
        bool is_table = pfn >= l->tables && pfn < l->tables + l->nr_tables;

        xen_pv_tables_map(tables, kernel->virt_base + pfn * PAGE, p2m[pfn],
                          !is_table);
    }
    if (kernel->init_p2m != XEN_PV_UNSET) {
        for (pfn = 0; pfn < l->nr_p2m; pfn++) {
            xen_pv_tables_map(tables, kernel->init_p2m + pfn * PAGE,
                              p2m[l->p2m + pfn], true);
        }
    }
    nr = xen_pv_tables_count(tables);
    *data = xen_pv_tables_free(tables);
    return nr;
}

static void add(XenPVImage *image, uint64_t pfn, GBytes *data)
{
    XenPVSegment segment = { .pfn = pfn, .data = data };

    g_array_append_val(image->segments, segment);
}

/*
 * The stubs of a hypercall page: push %rcx; push %r11; mov $number, %eax; syscall;
 * pop %r11; pop %rcx; ret.  Xen takes the iret hypercall's frame with %rax in it.
 */
static void fill_hypercall_page(uint8_t *page)
{
    static const uint8_t before[] = { 0x51, 0x41, 0x53, 0xb8 };
    static const uint8_t after[] = { 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3 };
    static const uint8_t iret[] = { 0x51, 0x41, 0x53, 0x50, 0xb8,
                                    __HYPERVISOR_iret, 0, 0, 0, 0x0f, 0x05 };
    uint32_t i;

    memset(page, 0xcc, PAGE);
    for (i = 0; i < PAGE / 32; i++) {
        uint8_t *stub = page + i * 32;

        if (i == __HYPERVISOR_iret) {
            memcpy(stub, iret, sizeof(iret));
            continue;
        }
        memcpy(stub, before, sizeof(before));
        stub[4] = i;
        memset(stub + 5, 0, 3);
        memcpy(stub + 8, after, sizeof(after));
    }
}

static GBytes *make_kernel(const XenPVKernel *kernel)
{
    uint64_t first = kernel->start / PAGE * PAGE;
    size_t size = ROUND_UP(kernel->end, PAGE) - first;
    uint8_t *data = g_malloc0(size);

    xen_pv_kernel_load(kernel, data + (kernel->start - first));
    if (kernel->hypercall_page != XEN_PV_UNSET) {
        fill_hypercall_page(data + (kernel->hypercall_page - first));
    }
    return g_bytes_new_take(data, size);
}

static GBytes *make_start_info(const XenPVInput *input,
                               const XenPVKernel *kernel, const Layout *l)
{
    start_info_t *info = g_malloc0(PAGE);

    strcpy(info->magic, "xen-3.0-x86_64");
    info->nr_pages = input->nr_pages;
    info->shared_info = input->shared_info_mfn * PAGE;
    info->store_mfn = input->xenstore_ring_mfn;
    info->console.domU.mfn = input->console_ring_mfn;
    info->pt_base = kernel->virt_base + l->tables * PAGE;
    info->nr_pt_frames = l->nr_tables;
    info->mfn_list = kernel->virt_base + l->p2m * PAGE;
    if (kernel->init_p2m != XEN_PV_UNSET) {
        info->mfn_list = kernel->init_p2m;
        info->first_p2m_pfn = l->p2m;
        info->nr_p2m_frames = l->nr_p2m;
    }
    if (l->nr_initrd) {
        info->mod_len = g_bytes_get_size(input->initrd);
        if (kernel->initrd_by_pfn) {
            info->flags = SIF_MOD_START_PFN;
            info->mod_start = l->initrd;
        } else {
            info->mod_start = kernel->virt_base + l->initrd * PAGE;
        }
    }
    g_strlcpy((char *)info->cmd_line, input->command_line,
              sizeof(info->cmd_line));
    return g_bytes_new_take(info, PAGE);
}

static bool build(const XenPVInput *input, const XenPVKernel *kernel,
                  XenPVImage *image, GError **error)
{
    Layout l = { .nr_tables = 4 };
    uint64_t needed = l.nr_tables;
    GBytes *tables = NULL;

    image->p2m = g_memdup2(input->mfns, input->nr_pages * 8);
    do {
        g_clear_pointer(&tables, g_bytes_unref);
        lay_out(input, kernel, needed, &l);
        if (l.end > input->nr_pages) {
            g_set_error(error, XEN_PV_ERROR, 0,
                        "it needs %" G_GUINT64_FORMAT " MiB to start, and the "
                        "guest has %" G_GUINT64_FORMAT ": give more by -m",
                        (l.end >> 8) + 1, input->nr_pages >> 8);
            return false;
        }
        needed = make_tables(input, kernel, &l, image->p2m, &tables);
    } while (needed > l.nr_tables);
    g_bytes_unref(tables);

    /* Only now: the tables map the rings by these. */
    image->p2m[l.xenstore] = input->xenstore_ring_mfn;
    image->p2m[l.console] = input->console_ring_mfn;
    make_tables(input, kernel, &l, image->p2m, &tables);

    add(image, (kernel->start - kernel->virt_base) / PAGE, make_kernel(kernel));
    if (l.nr_initrd) {
        add(image, l.initrd, g_bytes_ref(input->initrd));
    }
    add(image, l.p2m, g_bytes_new(image->p2m, input->nr_pages * 8));
    add(image, l.start_info, make_start_info(input, kernel, &l));
    add(image, l.tables, tables);

    image->rip = kernel->entry;
    image->rsp = kernel->virt_base + (l.stack + 1) * PAGE;
    image->start_info = kernel->virt_base + l.start_info * PAGE;
    image->start_info_pfn = l.start_info;
    image->top_mfn = image->p2m[l.tables];
    image->first_table_pfn = l.tables;
    image->nr_tables = l.nr_tables;
    return true;
}

static void clear_segment(gpointer segment)
{
    g_bytes_unref(((XenPVSegment *)segment)->data);
}

bool xen_pv_build(const XenPVInput *input, XenPVImage *image, GError **error)
{
    g_autoptr(GBytes) elf = xen_pv_payload(input->kernel, error);
    XenPVKernel kernel;
    bool ok;

    memset(image, 0, sizeof(*image));
    if (!elf || !xen_pv_kernel_parse(elf, &kernel, error)) {
        return false;
    }
    image->segments = g_array_new(false, false, sizeof(XenPVSegment));
    g_array_set_clear_func(image->segments, clear_segment);
    ok = build(input, &kernel, image, error);
    xen_pv_kernel_clear(&kernel);
    if (!ok) {
        xen_pv_image_clear(image);
    }
    return ok;
}

void xen_pv_image_clear(XenPVImage *image)
{
    g_clear_pointer(&image->segments, g_array_unref);
    g_clear_pointer(&image->p2m, g_free);
}
