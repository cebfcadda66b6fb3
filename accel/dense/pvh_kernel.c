/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PVH kernel's ELF file: its entry point and its segments, each number checked. */

#include <elf.h>
#include <string.h>
#include <xen/elfnote.h>

#include "pvh_kernel.h"
#include "../pv/payload.h"

#define FAIL(...) \
    do { \
        g_set_error(error, XEN_PV_ERROR, 0, __VA_ARGS__); \
        return false; \
    } while (0)

/* A program header, of either class. */
typedef struct Header {
    uint32_t type;
    uint64_t offset, paddr, filesz, memsz;
} Header;

typedef struct File {
    const uint8_t *data;
    size_t size;
    bool is_64;
    uint64_t phoff;
    unsigned int phnum;
} File;

static bool check_header(File *file, GError **error)
{
    const Elf32_Ehdr *eh32 = (const void *)file->data;
    const Elf64_Ehdr *eh64 = (const void *)file->data;
    size_t entry;

    if (file->size < sizeof(*eh32) ||
        memcmp(eh32->e_ident, ELFMAG, SELFMAG) ||
        eh32->e_ident[EI_DATA] != ELFDATA2LSB) {
        FAIL("it is no ELF file for x86");
    }
    file->is_64 = eh32->e_ident[EI_CLASS] == ELFCLASS64;
    if (eh32->e_machine != (file->is_64 ? EM_X86_64 : EM_386) ||
        (file->is_64 && file->size < sizeof(*eh64))) {
        FAIL("it is no ELF file for x86");
    }
    file->phoff = file->is_64 ? eh64->e_phoff : eh32->e_phoff;
    file->phnum = file->is_64 ? eh64->e_phnum : eh32->e_phnum;
    entry = file->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    if ((file->is_64 ? eh64->e_phentsize : eh32->e_phentsize) != entry ||
        file->phoff > file->size ||
        file->phnum > (file->size - file->phoff) / entry) {
        FAIL("its ELF header is damaged");
    }
    return true;
}

static bool get_header(const File *file, unsigned int i, Header *header,
                       GError **error)
{
    if (file->is_64) {
        Elf64_Phdr ph;

        memcpy(&ph, file->data + file->phoff + i * sizeof(ph), sizeof(ph));
        *header = (Header) { ph.p_type, ph.p_offset, ph.p_paddr, ph.p_filesz,
                             ph.p_memsz };
    } else {
        Elf32_Phdr ph;

        memcpy(&ph, file->data + file->phoff + i * sizeof(ph), sizeof(ph));
        *header = (Header) { ph.p_type, ph.p_offset, ph.p_paddr, ph.p_filesz,
                             ph.p_memsz };
    }
    if ((header->type == PT_LOAD || header->type == PT_NOTE) &&
        (header->offset > file->size ||
         header->filesz > file->size - header->offset)) {
        FAIL("its ELF segment %u is damaged, or the file is cut off", i);
    }
    return true;
}

static bool add_segment(XenPVHKernel *kernel, const File *file,
                        const Header *header, unsigned int i, GError **error)
{
    XenPVHSegment segment = {
        .data = file->data + header->offset,
        .size = header->filesz,
        .address = header->paddr,
        .end = header->paddr + header->memsz,
    };

    if (!header->memsz) {
        return true;
    }
    if (header->filesz > header->memsz || segment.end < segment.address) {
        FAIL("its ELF segment %u is damaged", i);
    }
    kernel->start = MIN(kernel->start, segment.address);
    kernel->end = MAX(kernel->end, segment.end);
    g_array_append_val(kernel->segments, segment);
    return true;
}

/* The entry's address has 4 bytes, or 8 in a 64-bit kernel. */
static void read_notes(XenPVHKernel *kernel, const uint8_t *notes, size_t size)
{
    size_t at = 0;

    while (size - at >= sizeof(Elf32_Nhdr)) {
        Elf32_Nhdr note;
        uint64_t name = at + sizeof(note), desc, next;

        memcpy(&note, notes + at, sizeof(note));
        desc = name + ((note.n_namesz + 3ull) & ~3ull);
        next = desc + ((note.n_descsz + 3ull) & ~3ull);
        if (desc + note.n_descsz > size) {
            return;
        }
        if (note.n_namesz == 4 && !memcmp(notes + name, "Xen", 4) &&
            note.n_type == XEN_ELFNOTE_PHYS32_ENTRY && note.n_descsz >= 4) {
            memcpy(&kernel->entry, notes + desc, sizeof(kernel->entry));
        }
        at = MIN(next, size);
    }
}

static bool parse(XenPVHKernel *kernel, GError **error)
{
    File file = {};
    unsigned int i;

    file.data = g_bytes_get_data(kernel->elf, &file.size);
    if (!check_header(&file, error)) {
        return false;
    }
    for (i = 0; i < file.phnum; i++) {
        Header header;

        if (!get_header(&file, i, &header, error)) {
            return false;
        }
        if (header.type == PT_NOTE) {
            read_notes(kernel, file.data + header.offset, header.filesz);
        } else if (header.type == PT_LOAD &&
                   !add_segment(kernel, &file, &header, i, error)) {
            return false;
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
