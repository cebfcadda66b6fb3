/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PVH kernel's ELF file: its entry point and its segments. */

#include <elf.h>
#include <string.h>
#include <xen/elfnote.h>

#include "pvh_kernel.h"
#include "../pv/kernel_elf.h"
#include "../pv/payload.h"

#define FAIL(...) \
    do { \
        g_set_error(error, XEN_PV_ERROR, 0, __VA_ARGS__); \
        return false; \
    } while (0)

static void add_segment(XenPVHKernel *kernel, const XenKernelSegment *segment)
{
    XenPVHSegment to_load = {
        .data = segment->data,
        .size = segment->filesz,
        .address = segment->paddr,
        .end = segment->paddr + segment->memsz,
    };

    if (!segment->memsz) {
        return;
    }
    kernel->start = MIN(kernel->start, to_load.address);
    kernel->end = MAX(kernel->end, to_load.end);
    g_array_append_val(kernel->segments, to_load);
}

/* The entry's address has 4 bytes, or 8 in a 64-bit kernel. */
static void read_note(void *opaque, uint32_t type, const uint8_t *desc,
                      size_t size)
{
    XenPVHKernel *kernel = opaque;

    if (type == XEN_ELFNOTE_PHYS32_ENTRY && size >= sizeof(kernel->entry)) {
        memcpy(&kernel->entry, desc, sizeof(kernel->entry));
    }
}

static bool parse(XenPVHKernel *kernel, GError **error)
{
    XenKernelElf elf;
    XenKernelSegment segment;
    unsigned int i;

    if (!xen_kernel_elf_open(&elf, kernel->elf, error)) {
        return false;
    }
    for (i = 0; i < elf.phnum; i++) {
        if (!xen_kernel_elf_segment(&elf, i, &segment, error)) {
            return false;
        }
        if (segment.type == PT_NOTE) {
            xen_kernel_elf_notes(segment.data, segment.filesz, read_note,
                                 kernel);
        } else if (segment.type == PT_LOAD) {
            add_segment(kernel, &segment);
        }
    }
    if (!kernel->entry) {
        FAIL("it is no PVH kernel: it has no Xen note PHYS32_ENTRY; Linux needs "
             "CONFIG_PVH");
    }
    if (kernel->entry < kernel->start || kernel->entry >= kernel->end) {
        FAIL("its PHYS32_ENTRY 0x%x is outside of what it has loaded",
             kernel->entry);
    }
    return true;
}

bool xen_pvh_kernel_parse(GBytes *elf, XenPVHKernel *kernel, GError **error)
{
    *kernel = (XenPVHKernel) {
        .elf = g_bytes_ref(elf),
        .segments = g_array_new(false, false, sizeof(XenPVHSegment)),
        .start = UINT64_MAX,
    };
    if (!parse(kernel, error)) {
        xen_pvh_kernel_clear(kernel);
        return false;
    }
    return true;
}

void xen_pvh_kernel_clear(XenPVHKernel *kernel)
{
    g_clear_pointer(&kernel->elf, g_bytes_unref);
    g_clear_pointer(&kernel->segments, g_array_unref);
}
