/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PV kernel's ELF file: its notes, or in old ones the string in the section
 * __xen_guest, and its segments.  All that the file says is checked.
 */

#include <elf.h>
#include <inttypes.h>
#include <string.h>
#include <xen/elfnote.h>

#include "kernel.h"
#include "kernel_elf.h"
#include "payload.h"

/* What the notes or __xen_guest say; the strings have at most 15 characters. */
typedef struct Features {
    char xen_version[16], loader[16], guest_os[16];
    uint64_t virt_base, paddr_offset, entry, hypercall_page, init_p2m;
    bool hypercall_page_is_number;
    bool initrd_by_pfn;
    bool by_notes, by_section;
} Features;

static void copy_string(char *to, const uint8_t *from, size_t size)
{
    size = MIN(size, 15);
    memcpy(to, from, size);
    to[size] = 0;
}

static uint64_t number_of(const uint8_t *desc, size_t size)
{
    uint64_t number = 0;

    memcpy(&number, desc, size == 4 || size == 8 ? size : 0);
    return GUINT64_FROM_LE(number);
}

static void parse_note(void *opaque, uint32_t type, const uint8_t *desc,
                       size_t size)
{
    Features *f = opaque;

    f->by_notes = true;
    switch (type) {
    case XEN_ELFNOTE_XEN_VERSION:
        copy_string(f->xen_version, desc, size);
        break;
    case XEN_ELFNOTE_LOADER:
        copy_string(f->loader, desc, size);
        break;
    case XEN_ELFNOTE_GUEST_OS:
        copy_string(f->guest_os, desc, size);
        break;
    case XEN_ELFNOTE_VIRT_BASE:
        f->virt_base = number_of(desc, size);
        break;
    case XEN_ELFNOTE_PADDR_OFFSET:
        f->paddr_offset = number_of(desc, size);
        break;
    case XEN_ELFNOTE_ENTRY:
        f->entry = number_of(desc, size);
        break;
    case XEN_ELFNOTE_HYPERCALL_PAGE:
        f->hypercall_page = number_of(desc, size);
        break;
    case XEN_ELFNOTE_INIT_P2M:
        f->init_p2m = number_of(desc, size);
        break;
    case XEN_ELFNOTE_MOD_START_PFN:
        f->initrd_by_pfn = number_of(desc, size);
        break;
    default:
        return;
    }
}

/* KEY=value,KEY=value and so on. */
static void parse_section(Features *f, const char *text, size_t size)
{
    g_autofree char *copy = g_strndup(text, size);
    g_auto(GStrv) words = g_strsplit(copy, ",", 64);
    char **word;

    f->by_section = true;
    for (word = words; *word; word++) {
        char *value = strchr(*word, '=');
        uint64_t number;

        if (!value) {
            continue;
        }
        *value++ = 0;
        number = g_ascii_strtoull(value, NULL, 0);
        if (!strcmp(*word, "XEN_VER")) {
            copy_string(f->xen_version, (uint8_t *)value, strlen(value));
        } else if (!strcmp(*word, "LOADER")) {
            copy_string(f->loader, (uint8_t *)value, strlen(value));
        } else if (!strcmp(*word, "GUEST_OS")) {
            copy_string(f->guest_os, (uint8_t *)value, strlen(value));
        } else if (!strcmp(*word, "VIRT_BASE")) {
            f->virt_base = number;
        } else if (!strcmp(*word, "ELF_PADDR_OFFSET")) {
            f->paddr_offset = number;
        } else if (!strcmp(*word, "VIRT_ENTRY")) {
            f->entry = number;
        } else if (!strcmp(*word, "HYPERCALL_PAGE")) {
            f->hypercall_page = number << 12;
            f->hypercall_page_is_number = true;
        }
    }
}

#define FAIL(...) \
    do { \
        g_set_error(error, XEN_PV_ERROR, 0, __VA_ARGS__); \
        return false; \
    } while (0)

/* Notes in segments, or in sections, or __xen_guest: the first that there is. */
static bool read_features(const XenKernelElf *elf, Features *f, GError **error)
{
    XenKernelSegment segment;
    XenKernelSection section;
    unsigned int i;

    *f = (Features) {
        .virt_base = XEN_PV_UNSET, .paddr_offset = XEN_PV_UNSET,
        .entry = XEN_PV_UNSET, .hypercall_page = XEN_PV_UNSET,
        .init_p2m = XEN_PV_UNSET,
    };
    for (i = 0; i < elf->phnum; i++) {
        if (!xen_kernel_elf_segment(elf, i, &segment, error)) {
            return false;
        }
        if (segment.type == PT_NOTE) {
            xen_kernel_elf_notes(segment.data, segment.filesz, parse_note, f);
        }
    }
    if (f->by_notes) {
        return true;
    }
    for (i = 0; i < elf->shnum; i++) {
        if (!xen_kernel_elf_section(elf, i, &section)) {
            continue;
        }
        if (section.type == SHT_NOTE) {
            xen_kernel_elf_notes(section.data, section.size, parse_note, f);
        } else if (!f->by_notes && !strcmp(section.name, "__xen_guest")) {
            parse_section(f, (const char *)section.data, section.size);
        }
    }
    return true;
}

/* The range of physical addresses that it wants to have loaded. */
static bool read_range(const XenKernelElf *elf, uint64_t *first, uint64_t *last,
                       GError **error)
{
    XenKernelSegment segment;
    unsigned int i;

    *first = UINT64_MAX;
    *last = 0;
    for (i = 0; i < elf->phnum; i++) {
        if (!xen_kernel_elf_segment(elf, i, &segment, error)) {
            return false;
        }
        if (segment.type == PT_LOAD && segment.memsz) {
            *first = MIN(*first, segment.paddr);
            *last = MAX(*last, segment.paddr + segment.memsz);
        }
    }
    if (*first >= *last) {
        FAIL("its ELF file has nothing to load");
    }
    if (*last - *first > 1ull << 31) {
        FAIL("it wants to have more than 2 GiB loaded");
    }
    return true;
}

bool xen_pv_kernel_parse(GBytes *file, XenPVKernel *kernel, GError **error)
{
    XenKernelElf elf;
    uint64_t first, last;
    Features f;

    memset(kernel, 0, sizeof(*kernel));
    if (!xen_kernel_elf_open(&elf, file, error)) {
        return false;
    }
    if (!elf.is_64) {
        FAIL("it is an ELF file, but none for 64-bit x86; 32-bit PV guests need "
             "xen-pv-layer=shim");
    }
    if (!read_range(&elf, &first, &last, error) ||
        !read_features(&elf, &f, error)) {
        return false;
    }
    if (!f.by_notes && !f.by_section) {
        FAIL("it is no PV kernel: it has no Xen notes and no section "
             "__xen_guest; Linux needs CONFIG_XEN_PV");
    }
    if (strncmp(f.xen_version, "xen-3.0", 7)) {
        FAIL("it is no PV kernel: it is for %s%s%s, not for xen-3.0; Linux needs "
             "CONFIG_XEN_PV", f.xen_version[0] ? "'" : "no version of Xen",
             f.xen_version, f.xen_version[0] ? "'" : "");
    }
    if (strncmp(f.loader, "generic", 7) && strncmp(f.guest_os, "linux", 5)) {
        FAIL("it is a PV kernel for the loader '%s', not for 'generic'",
             f.loader);
    }
    if (f.virt_base == XEN_PV_UNSET && f.paddr_offset != XEN_PV_UNSET) {
        FAIL("it has a PADDR_OFFSET but no VIRT_BASE");
    }
    /* Old kernels have virtual addresses for physical ones. */
    f.virt_base = f.virt_base == XEN_PV_UNSET ? 0 : f.virt_base;
    if (f.paddr_offset == XEN_PV_UNSET) {
        f.paddr_offset = f.by_notes ? 0 : f.virt_base;
    }
    kernel->virt_base = f.virt_base;
    kernel->load_offset = f.virt_base - f.paddr_offset;
    kernel->start = first + kernel->load_offset;
    kernel->end = last + kernel->load_offset;
    kernel->entry = f.entry == XEN_PV_UNSET ? elf.entry : f.entry;
    kernel->hypercall_page = f.hypercall_page;
    if (f.hypercall_page_is_number) {
        kernel->hypercall_page += f.virt_base;
    }
    kernel->init_p2m = f.init_p2m;
    kernel->initrd_by_pfn = f.initrd_by_pfn;
    if (kernel->virt_base & 0xfff || kernel->start < kernel->virt_base ||
        kernel->end < kernel->start || kernel->entry < kernel->start ||
        kernel->entry >= kernel->end) {
        FAIL("its addresses do not fit together: VIRT_BASE 0x%" PRIx64 ", loaded "
             "from 0x%" PRIx64 " to 0x%" PRIx64 ", ENTRY 0x%" PRIx64,
             kernel->virt_base, kernel->start, kernel->end, kernel->entry);
    }
    if (kernel->hypercall_page != XEN_PV_UNSET &&
        (kernel->hypercall_page & 0xfff ||
         kernel->hypercall_page < kernel->start ||
         kernel->hypercall_page >= kernel->end)) {
        FAIL("its HYPERCALL_PAGE 0x%" PRIx64 " is no page of the kernel",
             kernel->hypercall_page);
    }
    if (kernel->init_p2m != XEN_PV_UNSET &&
        (kernel->init_p2m & 0x1fffff ||
         (kernel->init_p2m >= 0xffff800000000000 &&
          kernel->init_p2m < 0xffff880000000000))) {
        FAIL("its INIT_P2M 0x%" PRIx64 " is not aligned to 2 MiB, or where the "
             "hypervisor is", kernel->init_p2m);
    }
    kernel->file = g_bytes_ref(file);
    return true;
}

void xen_pv_kernel_clear(XenPVKernel *kernel)
{
    g_clear_pointer(&kernel->file, g_bytes_unref);
}

void xen_pv_kernel_load(const XenPVKernel *kernel, uint8_t *to)
{
    XenKernelElf elf;
    XenKernelSegment segment;
    unsigned int i;

    xen_kernel_elf_open(&elf, kernel->file, NULL);
    for (i = 0; i < elf.phnum; i++) {
        xen_kernel_elf_segment(&elf, i, &segment, NULL);
        if (segment.type == PT_LOAD) {
            memcpy(to + (segment.paddr + kernel->load_offset - kernel->start),
                   segment.data, segment.filesz);
        }
    }
}
