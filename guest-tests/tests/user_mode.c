/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User mode of a PV guest: its page tables, the way there and back. */

#include "user_mode.h"

#ifdef GUEST_PV

#include <xen/callback.h>

#define PRESENT 0x1ul
#define WRITABLE 0x2ul
#define USER 0x4ul
#define ACCESSED 0x20ul
#define FRAME 0x000ffffffffff000ul

#define MAX_TABLES 16
#define ENTRIES 512

/* Below the stack's part in use, for the frames of traps from user mode. */
#define STACK_DISTANCE 2048

/* Traps ------------------------------------------------------------------------ */

static struct trap *seen;
static void *back[5];

static void take(struct interrupt_frame *frame)
{
    uint64_t flags;

    asm volatile("pushf; pop %0" : "=r"(flags));
    exception_hook = NULL;
    seen->regs = *frame;
    seen->flags =
        frame->vector == VECTOR_SYSTEM_CALL ? system_call_flags : flags;
    seen->address = vcpu_info_of(0)->arch.cr2;
    __builtin_longjmp(back, 1);
}

bool trapped(struct trap *trap, void (*function)(void *), void *opaque)
{
    seen = trap;
    if (__builtin_setjmp(back)) {
        /* Traps come with upcalls disabled. */
        upcalls_enable();
        return true;
    }
    exception_hook = take;
    function(opaque);
    exception_hook = NULL;
    return false;
}

/* Page tables ---------------------------------------------------------------- */

static uint64_t *tables[MAX_TABLES]; /* the first is the top-level one */
static unsigned int nr_tables;
static char *code_page;

int mmuext_op(unsigned int command, uint64_t first, uint64_t second)
{
    struct mmuext_op op = { .cmd = command };

    op.arg1.linear_addr = first;
    op.arg2.src_mfn = second;
    return hypercall(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0,
                     DOMID_SELF, 0);
}

void page_protect(void *page, bool writable)
{
    uint64_t pte = gfn_of(page) * PAGE_SIZE | PRESENT | USER | ACCESSED |
                   (writable ? WRITABLE : 0);

    if (hypercall(__HYPERVISOR_update_va_mapping, (unsigned long)page, pte,
                  UVMF_INVLPG, 0, 0)) {
        test_note("cannot change the rights of a page");
    }
}

static uint64_t *new_table(void)
{
    require(nr_tables < MAX_TABLES);
    return tables[nr_tables++] = page_alloc(1);
}

static uint64_t *table_of(uint64_t entry)
{
    unsigned int i = 0;

    while (gfn_of(tables[i]) != (entry & FRAME) / PAGE_SIZE) {
        i++;
    }
    return tables[i];
}

void user_map(uint64_t address, const void *page, bool writable)
{
    uint64_t *table = tables[0];
    unsigned int level;

    for (level = 4; level > 1; level--) {
        uint64_t *entry = &table[address >> (3 + 9 * level) & (ENTRIES - 1)];

        if (!*entry) {
            *entry = gfn_of(new_table()) * PAGE_SIZE | PRESENT | WRITABLE |
                     USER | ACCESSED;
        }
        table = table_of(*entry);
    }
    table[address / PAGE_SIZE & (ENTRIES - 1)] =
        gfn_of(page) * PAGE_SIZE | PRESENT | USER | (writable ? WRITABLE : 0);
}

char *user_begin(const char *code, const char *end)
{
    struct callback_register callback = {
        .type = CALLBACKTYPE_syscall,
        .flags = CALLBACKF_mask_events,
        .address = (unsigned long)system_call_callback,
    };

    require(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register,
                      (unsigned long)&callback, 0, 0, 0) == 0);
    nr_tables = 0;
    new_table();
    code_page = page_alloc(1);
    memcpy(code_page, code, end - code);
    user_map(USER_CODE_AT, code_page, false);
    user_map(USER_STACK_AT, page_alloc(1), true);
    return code_page;
}

void user_load(void)
{
    unsigned int i;

    for (i = 0; i < nr_tables; i++) {
        page_protect(tables[i], false);
    }
    check_equal(mmuext_op(MMUEXT_PIN_L4_TABLE, gfn_of(tables[0]), 0), 0);
    check_equal(mmuext_op(MMUEXT_NEW_USER_BASEPTR, gfn_of(tables[0]), 0), 0);
}

uint64_t user_top(void)
{
    return gfn_of(tables[0]);
}

void user_end(void)
{
    unsigned int i;

    check_equal(mmuext_op(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
    check_equal(mmuext_op(MMUEXT_UNPIN_TABLE, gfn_of(tables[0]), 0), 0);
    for (i = 0; i < nr_tables; i++) {
        page_protect(tables[i], true);
    }
}

/* There and back --------------------------------------------------------------- */

void iret(const struct iret_context *frame, uint64_t di, uint64_t si)
{
    upcalls_disable();
    /* The hypercall page pushes the three registers again. */
    asm volatile("mov %0, %%rsp\n"
                 "pop %%rax\n"
                 "pop %%r11\n"
                 "pop %%rcx\n"
                 "jmp hypercall_page + %c[iret]\n"
                 :
                 : "r"(frame), "D"(di), "S"(si), "m"(*frame),
                   [iret] "i"(__HYPERVISOR_iret * 32));
    __builtin_unreachable();
}

static void enter(void *opaque)
{
    const struct user *user = opaque;
    struct iret_context frame = {
        .rax = user->ax,
        .rcx = user->cx,
        .flags = user->in_syscall ? VGCF_in_syscall : 0,
        .rip = user->ip ? user->ip : USER_CODE_AT,
        .cs = user->cs ? user->cs : FLAT_USER_CS,
        .rflags = user->flags | FLAG_IF,
        .rsp = user->sp ? user->sp : USER_STACK_TOP,
        .ss = user->ss ? user->ss : FLAT_USER_SS,
    };
    uintptr_t top = (uintptr_t)__builtin_frame_address(0) - STACK_DISTANCE;

    hypercall(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, top & -16ul, 0, 0, 0);
    iret(&frame, user->di, user->si);
}

void user_run(const struct user *user, struct trap *trap)
{
    trapped(trap, enter, (void *)user);
}

#endif /* GUEST_PV */
