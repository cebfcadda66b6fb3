/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ELF file of a guest's kernel: headers of both classes, each number checked. */

#include <elf.h>
#include <string.h>

#include "kernel_elf.h"
#include "payload.h"

#define FAIL(...) \
    do { \
        g_set_error(error, XEN_PV_ERROR, 0, __VA_ARGS__); \
        return false; \
    } while (0)

static bool is_inside(const XenKernelElf *elf, uint64_t offset, uint64_t size)
{
    return offset <= elf->size && size <= elf->size - offset;
}

/* What an Elf32_ and an Elf64_ structure have by the same name. */
#define READ_HEADER(elf, eh) \
    ((elf)->entry = (eh)->e_entry, (elf)->phoff = (eh)->e_phoff, \
     (elf)->phnum = (eh)->e_phnum, (elf)->shoff = (eh)->e_shoff, \
     (elf)->shnum = (eh)->e_shnum, (elf)->shstrndx = (eh)->e_shstrndx)

bool xen_kernel_elf_open(XenKernelElf *elf, GBytes *bytes, GError **error)
{
    const Elf32_Ehdr *eh32;
    const Elf64_Ehdr *eh64;
    size_t ph_size, sh_size;
    uint16_t phentsize, shentsize;

    memset(elf, 0, sizeof(*elf));
    elf->data = g_bytes_get_data(bytes, &elf->size);
    eh32 = (const void *)elf->data;
    eh64 = (const void *)elf->data;
    if (elf->size < sizeof(*eh32) || memcmp(eh32->e_ident, ELFMAG, SELFMAG) ||
        eh32->e_ident[EI_DATA] != ELFDATA2LSB) {
        FAIL("it is no ELF file for x86");
    }
    elf->is_64 = eh32->e_ident[EI_CLASS] == ELFCLASS64;
    if (eh32->e_machine != (elf->is_64 ? EM_X86_64 : EM_386) ||
        (elf->is_64 && elf->size < sizeof(*eh64))) {
        FAIL("it is no ELF file for x86");
    }
    if (elf->is_64) {
        READ_HEADER(elf, eh64);
        ph_size = sizeof(Elf64_Phdr);
        sh_size = sizeof(Elf64_Shdr);
        phentsize = eh64->e_phentsize;
        shentsize = eh64->e_shentsize;
    } else {
        READ_HEADER(elf, eh32);
        ph_size = sizeof(Elf32_Phdr);
        sh_size = sizeof(Elf32_Shdr);
        phentsize = eh32->e_phentsize;
        shentsize = eh32->e_shentsize;
    }
    if (phentsize != ph_size ||
        !is_inside(elf, elf->phoff, elf->phnum * (uint64_t)ph_size)) {
        FAIL("its ELF header is damaged");
    }
    /* A kernel loads without its sections. */
    if (shentsize != sh_size ||
        !is_inside(elf, elf->shoff, elf->shnum * (uint64_t)sh_size)) {
        elf->shnum = 0;
    }
    return true;
}

bool xen_kernel_elf_segment(const XenKernelElf *elf, unsigned int i,
                            XenKernelSegment *segment, GError **error)
{
    uint64_t offset;

    if (elf->is_64) {
        Elf64_Phdr ph;

        memcpy(&ph, elf->data + elf->phoff + i * sizeof(ph), sizeof(ph));
        *segment = (XenKernelSegment) {
            .type = ph.p_type, .filesz = ph.p_filesz, .memsz = ph.p_memsz,
            .paddr = ph.p_paddr,
        };
        offset = ph.p_offset;
    } else {
        Elf32_Phdr ph;

        memcpy(&ph, elf->data + elf->phoff + i * sizeof(ph), sizeof(ph));
        *segment = (XenKernelSegment) {
            .type = ph.p_type, .filesz = ph.p_filesz, .memsz = ph.p_memsz,
            .paddr = ph.p_paddr,
        };
        offset = ph.p_offset;
    }
    if (segment->type != PT_LOAD && segment->type != PT_NOTE) {
        return true;
    }
    if (!is_inside(elf, offset, segment->filesz) ||
        (segment->type == PT_LOAD &&
         (segment->filesz > segment->memsz ||
          segment->paddr + segment->memsz < segment->paddr))) {
        FAIL("its ELF segment %u is damaged, or the file is cut off", i);
    }
    segment->data = elf->data + offset;
    return true;
}

/* Where section @i is in the file; sets its type and the place of its name. */
static uint64_t read_section(const XenKernelElf *elf, unsigned int i,
                             XenKernelSection *section, uint32_t *name)
{
    if (elf->is_64) {
        Elf64_Shdr sh;

        memcpy(&sh, elf->data + elf->shoff + i * sizeof(sh), sizeof(sh));
        *section = (XenKernelSection) { .type = sh.sh_type, .size = sh.sh_size };
        *name = sh.sh_name;
        return sh.sh_offset;
    } else {
        Elf32_Shdr sh;

        memcpy(&sh, elf->data + elf->shoff + i * sizeof(sh), sizeof(sh));
        *section = (XenKernelSection) { .type = sh.sh_type, .size = sh.sh_size };
        *name = sh.sh_name;
        return sh.sh_offset;
    }
}

bool xen_kernel_elf_section(const XenKernelElf *elf, unsigned int i,
                            XenKernelSection *section)
{
    uint64_t offset, names;
    uint32_t name, none;
    XenKernelSection strings;

    offset = read_section(elf, i, section, &name);
    if (section->type == SHT_NOBITS || !is_inside(elf, offset, section->size)) {
        return false;
    }
    section->data = elf->data + offset;
    section->name = "";
    if (elf->shstrndx < elf->shnum) {
        names = read_section(elf, elf->shstrndx, &strings, &none);
        if (is_inside(elf, names, strings.size) && name < strings.size &&
            memchr(elf->data + names + name, 0, strings.size - name)) {
            section->name = (const char *)elf->data + names + name;
        }
    }
    return true;
}

void xen_kernel_elf_notes(const uint8_t *notes, size_t size,
                          XenKernelNote *found, void *opaque)
{
    size_t at = 0;

    while (size - at >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note; /* the same in both classes */
        uint64_t name = at + sizeof(note), desc, next;

        memcpy(&note, notes + at, sizeof(note));
        desc = name + ((note.n_namesz + 3ull) & ~3ull);
        next = desc + ((note.n_descsz + 3ull) & ~3ull);
        if (desc + note.n_descsz > size) {
            return;
        }
        if (note.n_namesz == 4 && !memcmp(notes + name, "Xen", 4)) {
            found(opaque, note.n_type, notes + desc, note.n_descsz);
        }
        at = MIN(next, size);
    }
}
