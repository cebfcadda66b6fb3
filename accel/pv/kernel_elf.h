/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ELF file of a guest's kernel, of which nothing is believed: what these
 * functions return lies inside the file.
 */

#ifndef XEN_KERNEL_ELF_H
#define XEN_KERNEL_ELF_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct XenKernelElf {
    const uint8_t *data;
    size_t size;
    bool is_64;
    uint64_t entry;
    uint64_t phoff, shoff;      /* of the program and the section headers */
    unsigned int phnum, shnum;
    unsigned int shstrndx;      /* the section that has the sections' names */
} XenKernelElf;

typedef struct XenKernelSegment {
    uint32_t type;              /* PT_LOAD and so on */
    const uint8_t *data;        /* PT_LOAD and PT_NOTE only */
    uint64_t filesz, memsz;     /* filesz is at most memsz in a PT_LOAD */
    uint64_t paddr;             /* paddr + memsz does not wrap around */
} XenKernelSegment;

typedef struct XenKernelSection {
    uint32_t type;              /* SHT_NOTE and so on */
    const char *name;           /* "" if the file has none */
    const uint8_t *data;
    uint64_t size;
} XenKernelSection;

/*
 * Read the header of @bytes, which must outlive @elf.  False, with one line in
 * @error, if it is no ELF file of 32 or 64 bits for x86 or its program headers
 * are not inside it.
 */
bool xen_kernel_elf_open(XenKernelElf *elf, GBytes *bytes, GError **error);

/*
 * Segment @i, below @elf->phnum.  False, with one line in @error, if it is to be
 * loaded or has notes, and its numbers do not fit the file.
 */
bool xen_kernel_elf_segment(const XenKernelElf *elf, unsigned int i,
                            XenKernelSegment *segment, GError **error);

/* Section @i, below @elf->shnum.  False if it has no data in the file. */
bool xen_kernel_elf_section(const XenKernelElf *elf, unsigned int i,
                            XenKernelSection *section);

/*
 * Call @found for each of Xen's notes, XEN_ELFNOTE_*, among those at @notes, up to the
 * first that is damaged.  @desc has no alignment.
 */
typedef void XenKernelNote(void *opaque, uint32_t type, const uint8_t *desc,
                           size_t size);
void xen_kernel_elf_notes(const uint8_t *notes, size_t size,
                          XenKernelNote *found, void *opaque);

#endif /* XEN_KERNEL_ELF_H */
