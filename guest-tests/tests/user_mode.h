/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User mode of a PV guest, with page tables of its own, and the traps that lead
 * out of it or that the guest's kernel takes.  64-bit PV only.
 */

#ifndef GUEST_TESTS_USER_MODE_H
#define GUEST_TESTS_USER_MODE_H

#include "../runtime/guest.h"
#include "../runtime/interrupt.h"

#ifdef GUEST_PV

#define FLAG_TF 0x100ul
#define FLAG_IF 0x200ul
#define FLAG_DF 0x400ul
#define FLAG_IOPL 0x3000ul
#define FLAG_NT 0x4000ul
#define FLAG_AC 0x40000ul

#define EXC_DB 1
#define EXC_NMI 2
#define EXC_BP 3
#define EXC_UD 6
#define EXC_SS 12
#define EXC_GP 13
#define EXC_PF 14

/* Where a hypervisor is, and the end of the addresses that there are. */
#define M2P_START 0xffff800000000000ul
#define HYPERVISOR_START 0xffff810000000000ul
#define HYPERVISOR_LAST 0xffff87fffffff000ul
#define NOT_CANONICAL 0x800000000000ul

/* How the kernel found what it was interrupted at. */
struct trap {
    struct interrupt_frame regs;
    uint64_t address; /* of a page fault */
    uint64_t flags; /* the handler's own */
};

/*
 * Run @function; true if it ended by an exception.  An exception that is not
 * its own is the guest's end.
 */
bool trapped(struct trap *trap, void (*function)(void *), void *opaque);

/* Pages of user mode; those of user_begin() are there already. */
#define USER_CODE_AT 0x400000ul
#define USER_STACK_AT 0x500000ul
#define USER_STACK_TOP (USER_STACK_AT + PAGE_SIZE)
#define USER_LAST_PAGE (NOT_CANONICAL - PAGE_SIZE)

/* Machine code for user mode, from assembly. */
#define USER_CODE(name, text)                                          \
    extern const char name[], name##_end[];                            \
    asm(".pushsection .rodata\n" #name ":\n" text "\n" #name "_end:\n" \
        ".popsection\n")

/* The registers that user mode starts with; 0: the usual one. */
struct user {
    uint64_t ax, cx, di, si, ip, cs, flags, sp, ss;
    bool in_syscall; /* VGCF_in_syscall: leave as by SYSRET */
};

/*
 * Make tables for user mode, with a page of code, all of it @code, and one of
 * stack.  Returns the page of code.  Then user_map() adds pages, and user_load()
 * tells Xen.  user_end() undoes it.
 */
char *user_begin(const char *code, const char *end);
void user_map(uint64_t address, const void *page, bool writable);
void user_load(void);
/* The frame of the top-level table. */
uint64_t user_top(void);
void user_end(void);

/* In user mode until the first trap, which is @trap. */
void user_run(const struct user *user, struct trap *trap);

/* The hypercall of this name, with upcalls disabled. */
void iret(const struct iret_context *frame, uint64_t di, uint64_t si)
    __attribute__((noreturn));

/* Map @page, one of the guest's own, read-only, or as it was. */
void page_protect(void *page, bool writable);

/* One MMUEXT_* operation. */
int mmuext_op(unsigned int command, uint64_t first, uint64_t second);

#endif /* GUEST_PV */
#endif /* GUEST_TESTS_USER_MODE_H */
