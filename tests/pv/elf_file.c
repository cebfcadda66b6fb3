/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF files to try the builder with, made in memory. */

#include <elf.h>
#include <string.h>
#include <xen/elfnote.h>

#include "elf_file.h"

void add_note(ElfFile *file, uint32_t type, const void *desc, uint32_t size)
{
    static const uint8_t padding[4];
    Elf64_Nhdr note = { .n_namesz = 4, .n_descsz = size, .n_type = type };

    if (!file->notes) {
        file->notes = g_byte_array_new();
    }
    g_byte_array_append(file->notes, (void *)&note, sizeof(note));
    g_byte_array_append(file->notes, (const uint8_t *)"Xen", 4);
    g_byte_array_append(file->notes, desc, size);
    g_byte_array_append(file->notes, padding, -size & 3);
}

void add_note_string(ElfFile *file, uint32_t type, const char *string)
{
    add_note(file, type, string, strlen(string) + 1);
}

void add_note_number(ElfFile *file, uint32_t type, uint64_t number)
{
    add_note(file, type, &number, sizeof(number));
}

static uint64_t append(GByteArray *to, const void *data, size_t size)
{
    static const uint8_t padding[8];
    uint64_t at;

    g_byte_array_append(to, padding, -to->len & 7);
    at = to->len;
    g_byte_array_append(to, data, size);
    return at;
}

GBytes *elf_file(ElfFile *file)
{
    static const char names[] = "\0__xen_guest\0.names";
    GByteArray *out = g_byte_array_new();
    g_autofree uint8_t *contents = g_malloc(file->filesz + 1);
    unsigned int notes = file->notes ? file->notes->len : 0;
    Elf64_Ehdr eh = {
        .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
        .e_entry = file->entry, .e_phoff = sizeof(eh), .e_phnum = 2,
        .e_ehsize = sizeof(eh), .e_phentsize = sizeof(Elf64_Phdr),
        .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 3, .e_shstrndx = 2,
    };
    Elf64_Phdr ph[2] = {
        { .p_type = PT_LOAD, .p_paddr = file->paddr, .p_memsz = file->memsz,
          .p_filesz = file->filesz },
        { .p_type = PT_NOTE, .p_filesz = notes, .p_memsz = notes },
    };
    Elf64_Shdr sh[3] = {
        { 0 },
        { .sh_name = 1, .sh_type = SHT_PROGBITS },
        { .sh_name = 13, .sh_type = SHT_STRTAB, .sh_size = sizeof(names) },
    };

    memset(contents, 0x5a, file->filesz);
    append(out, &eh, sizeof(eh));
    append(out, ph, sizeof(ph));
    ph[0].p_offset = append(out, contents, file->filesz);
    if (file->notes) {
        ph[1].p_offset = append(out, file->notes->data, notes);
    }
    if (file->xen_guest) {
        sh[1].sh_size = strlen(file->xen_guest) + 1;
        sh[1].sh_offset = append(out, file->xen_guest, sh[1].sh_size);
        sh[2].sh_offset = append(out, names, sizeof(names));
        eh.e_shoff = append(out, sh, sizeof(sh));
    } else {
        eh.e_shnum = eh.e_shstrndx = 0;
    }
    memcpy(out->data, &eh, sizeof(eh));
    memcpy(out->data + sizeof(eh), ph, sizeof(ph));
    g_clear_pointer(&file->notes, g_byte_array_unref);
    return g_byte_array_free_to_bytes(out);
}

ElfFile linux_like(void)
{
    ElfFile file = {
        .paddr = 0x1000000, .memsz = 0x7654321, .filesz = 0x12345,
        .entry = 0x1000123,
    };

    add_note_string(&file, XEN_ELFNOTE_GUEST_OS, "linux");
    add_note_string(&file, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
    add_note_string(&file, XEN_ELFNOTE_LOADER, "generic");
    add_note_number(&file, XEN_ELFNOTE_VIRT_BASE, 0xffffffff80000000);
    add_note_number(&file, XEN_ELFNOTE_INIT_P2M, 0xffffff0000000000);
    add_note_number(&file, XEN_ELFNOTE_ENTRY, 0xffffffff81000123);
    add_note_number(&file, XEN_ELFNOTE_MOD_START_PFN, 1);
    return file;
}
