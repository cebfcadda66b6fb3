/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF files to try the builder with, made in memory. */

#ifndef ELF_FILE_H
#define ELF_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ElfFile {
    uint64_t paddr, memsz;      /* of its one segment, filled with 0x5a */
    uint64_t filesz;
    uint64_t entry;
    GByteArray *notes;
    const char *xen_guest;      /* the section __xen_guest, or NULL */
} ElfFile;

void add_note(ElfFile *file, uint32_t type, const void *desc, uint32_t size);
void add_note_string(ElfFile *file, uint32_t type, const char *string);
void add_note_number(ElfFile *file, uint32_t type, uint64_t number);

/* The bytes; frees the notes. */
GBytes *elf_file(ElfFile *file);

/* One like Linux: VIRT_BASE at -2 GiB, loaded at 16 MiB, with MOD_START_PFN. */
ElfFile linux_like(void);

#endif /* ELF_FILE_H */
