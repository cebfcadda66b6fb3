/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hostile guest as a PV guest: random page tables, descriptors, traps, returns
 * and privileged instructions, for the hypervisor below it.  It may end the guest.
 */

#include "hostile.h"
#include "internal.h"
#include "user_mode.h"

#ifdef GUEST_PV

#include <xen/callback.h>

/* User mode is left by each of these. */
USER_CODE(in_user_mode, "syscall\n"
                        "int $0x80\n"
                        "ud2\n");

extern struct start_info *start_info;
extern char exception_stubs[][16];

static void (*restart_misbehaving)(void);

/* From an exception, on the stack's first bytes again. */
static void restart(struct interrupt_frame *frame)
{
    uintptr_t top = (uintptr_t)stacks[this_vcpu() + 1] - 64;

    asm volatile("mov %0, %%rsp; push $0; jmp *%1"
                 :
                 : "r"(top & -16ul), "r"(restart_misbehaving));
    __builtin_unreachable();
}

void hostile_pv_begin(void (*function)(void))
{
    restart_misbehaving = function;
    exception_hook = restart;
    if (!this_vcpu()) {
        user_begin(in_user_mode, in_user_mode_end);
        user_load();
    }
    hypercall(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS,
              (uintptr_t)stacks[this_vcpu() + 1] - 4096, 0, 0, 0);
}

static uint64_t scratch_frame(void)
{
    return gfn_of(scratch + below(NR_SCRATCH) * PAGE_SIZE);
}

static char *scratch_page(void)
{
    return scratch + below(NR_SCRATCH) * PAGE_SIZE;
}

static uint64_t random_frame(void)
{
    return below(8) ? scratch_frame() : random_value();
}

/* Of a page or a table, or of neither. */
static uint64_t random_pte(void)
{
    uint64_t flags = below(4) ? below(2) ? 7 : 5 : random_bits() & 0xfff;

    return below(16) ? random_frame() << 12 | flags | random_bits() << 63 :
                       random_value();
}

static domid_t random_domid(void)
{
    return below(16) ? DOMID_SELF : random_value();
}

static void update_tables(void)
{
    struct mmu_update updates[200];
    unsigned int nr = 1 + below(below(8) ? 4 : 200), i;

    for (i = 0; i < nr; i++) {
        updates[i].ptr =
            random_frame() << 12 | below(512) * 8 | (below(4) ? 0 : below(8));
        updates[i].val = random_pte();
    }
    hypercall(__HYPERVISOR_mmu_update, (uintptr_t)updates,
              below(64) ? nr : random_value(), below(2) ? (uintptr_t)&nr : 0,
              random_domid(), 0);
}

static void update_mapping(void)
{
    uint64_t va = below(8) ? (uintptr_t)scratch_page() : random_value();

    hypercall(__HYPERVISOR_update_va_mapping, va,
              below(4) ? scratch_frame() << 12 | 7 : random_pte(),
              below(4) ? below(4) : random_value(), 0, 0);
}

static void operate_on_tables(void)
{
    struct mmuext_op ops[80];
    unsigned int nr = 1 + below(below(8) ? 3 : 80), i;

    for (i = 0; i < nr; i++) {
        ops[i].cmd = below(16) ? below(22) : random_value();
        ops[i].arg1.mfn = random_frame();
        ops[i].arg2.src_mfn = random_frame();
        switch (ops[i].cmd) {
        case MMUEXT_NEW_BASEPTR:
            /* Mostly the one that has the guest's code. */
            if (nr_vcpus > 1 || below(256)) {
                ops[i].arg1.mfn = gfn_of((void *)start_info->pt_base);
            }
            break;
        case MMUEXT_NEW_USER_BASEPTR:
            /* What vCPUs write to while it is loaded ends by a triple fault. */
            if (nr_vcpus > 1 && !this_vcpu()) {
                ops[i].cmd = MMUEXT_TLB_FLUSH_LOCAL;
            }
            break;
        case MMUEXT_SET_LDT:
            ops[i].arg1.linear_addr =
                below(4) ? (uintptr_t)scratch_page() : random_value();
            ops[i].arg2.nr_ents = below(4) ? below(1200) : random_value();
            break;
        case MMUEXT_TLB_FLUSH_MULTI:
        case MMUEXT_INVLPG_MULTI:
            ops[i].arg2.src_mfn = (uintptr_t)random_argument();
            break;
        }
    }
    hypercall(__HYPERVISOR_mmuext_op, (uintptr_t)ops, nr, 0, random_domid(), 0);
}

static void descriptors(void)
{
    unsigned long frames[14];
    unsigned int i;

    if (below(2)) {
        hypercall(__HYPERVISOR_update_descriptor,
                  random_frame() << 12 | below(512) * 8, random_bits(), 0, 0,
                  0);
        return;
    }
    for (i = 0; i < 14; i++) {
        frames[i] = random_frame();
    }
    hypercall(__HYPERVISOR_set_gdt, (uintptr_t)frames,
              below(4) ? below(7169) : random_value(), 0, 0, 0);
}

/* Rarely one that the test takes, which is its end. */
static void handlers(void)
{
    struct trap_info traps[9] = {};
    struct callback_register callback = {
        .type = below(1024) ? 1 + below(8) : CALLBACKTYPE_event,
        .flags = below(2),
        .address = random_value(),
    };
    unsigned int i;

    switch (below(4)) {
    case 0:
        for (i = 0; i < 8; i++) {
            traps[i].vector = below(4096) ? 32 + below(224) : below(256);
            traps[i].flags = random_bits();
            traps[i].cs = random_bits();
            traps[i].address = random_value();
        }
        hypercall(__HYPERVISOR_set_trap_table, (uintptr_t)traps, 0, 0, 0, 0);
        break;
    case 1:
        hypercall(__HYPERVISOR_callback_op, below(3), (uintptr_t)&callback, 0,
                  0, 0);
        break;
    case 2:
        hypercall(__HYPERVISOR_set_segment_base, below(5), random_value(), 0, 0,
                  0);
        break;
    default:
        hypercall(below(2) ? __HYPERVISOR_set_debugreg :
                             __HYPERVISOR_get_debugreg,
                  below(9), random_value(), 0, 0, 0);
    }
}

/* To user mode, or to somewhere in the kernel, whose stack stays. */
static void return_anywhere(void)
{
    struct iret_context frame = {
        .rax = random_bits(),
        .rcx = random_bits(),
        .flags = below(2) ? 0 : random_value(),
        .rip = below(4) ? USER_CODE_AT + below(8) : random_value(),
        .cs = below(4) ? FLAT_USER_CS : random_value(),
        .rflags = (below(2) ? 0 : random_bits()) & ~FLAG_IF,
        .rsp = USER_STACK_TOP,
        .ss = below(4) ? FLAT_USER_SS : random_value(),
    };

    if ((frame.cs & 3) != 3) {
        frame.rsp = (uintptr_t)__builtin_frame_address(0) - 2048;
        frame.ss = below(4) ? FLAT_KERNEL_SS : random_value();
    } else if (this_vcpu()) {
        return; /* it has no user mode */
    }
    iret(&frame, random_bits(), random_bits());
}

/* The right to use them, whose bitmap may be anywhere, strings, and breakpoints. */
static void ports(void)
{
    struct physdev_set_iopl iopl = { .iopl =
                                         below(8) ? below(4) : random_value() };
    struct physdev_set_iobitmap bitmap = {
        .nr_ports = below(4) ? below(65537) : random_value(),
    };
    uint64_t port = below(4) ? random_bits() & 0xffff :
                    below(2) ? 0xcf8 :
                               0x6f + below(3);
    bool in_scratch = below(4);
    uint64_t at = in_scratch ? (uintptr_t)scratch_page() + below(PAGE_SIZE) :
                               random_value();
    uint64_t n = in_scratch ? below(16) : random_value();

    switch (below(10)) {
    case 0:
        HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl);
        break;
    case 1:
        bitmap.bitmap.p =
            below(4) ? (uint8_t *)scratch_page() : (uint8_t *)random_value();
        HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &bitmap);
        break;
    case 2:
        asm volatile("in %%dx, %%al" : : "d"(port) : "rax");
        break;
    case 3:
        asm volatile("in %%dx, %%ax; in %%dx, %%eax" : : "d"(port) : "rax");
        break;
    case 4:
        asm volatile("out %%al, %%dx; out %%eax, %%dx"
                     :
                     : "d"(port), "a"(random_bits()));
        break;
    case 5:
        asm volatile("rep insb" : "+D"(at), "+c"(n) : "d"(port) : "memory");
        break;
    case 6:
        asm volatile("rep insl" : "+D"(at), "+c"(n) : "d"(port) : "memory");
        break;
    case 7:
        asm volatile("rep outsw" : "+S"(at), "+c"(n) : "d"(port) : "memory");
        break;
    case 8:
        asm volatile("addr32 rep insw; fs outsb"
                     : "+D"(at), "+c"(n)
                     : "d"(port), "S"(at)
                     : "memory");
        break;
    default:
        /* A breakpoint on a port; DE may be set or not. */
        asm volatile("mov %0, %%db0" : : "r"(port));
        asm volatile("mov %0, %%db7"
                     :
                     : "r"(0x20003ul | (uint32_t)random_bits() << 18));
    }
}

static void privileged(void)
{
    static const uint32_t msrs[] = {
        0x10,       0x1b,       0x8b,       0x174,      0x176,
        0x1a0,      0x277,      0x40000000, 0x6e0,      0x830,
        0x48,       0x49,       0xc0000080, 0xc0000081, 0xc0000082,
        0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103,
    };
    uint64_t value = random_value();
    uint32_t msr =
        below(8) ? msrs[below(sizeof(msrs) / sizeof(*msrs))] : random_value();

    switch (below(14)) {
    case 0:
    case 1:
        /* The hypercall page may be anywhere but on the image. */
        if (msr != 0x40000000) {
            asm volatile("wrmsr"
                         :
                         : "c"(msr), "a"((uint32_t)value),
                           "d"((uint32_t)(value >> 32)));
        }
        break;
    case 2:
        asm volatile("rdmsr" : : "c"(msr) : "rax", "rdx");
        break;
    case 3:
        asm volatile("mov %0, %%cr0" : : "r"(value));
        break;
    case 4:
        asm volatile("mov %0, %%cr4" : : "r"(value));
        break;
    case 5:
        asm volatile("mov %0, %%cr2" : : "r"(value));
        break;
    case 6:
        asm volatile("mov %0, %%db7" : : "r"(value));
        break;
    case 7:
        asm volatile("out %%al, %%dx" : : "a"(0), "d"((uint16_t)value));
        break;
    case 8:
        asm volatile("in %%dx, %%eax" : : "d"((uint16_t)value) : "rax");
        break;
    case 9:
        asm volatile("xsetbv" : : "c"(below(2)), "a"((uint32_t)value), "d"(0));
        break;
    case 10:
        asm volatile("push %0; popf"
                     :
                     : "r"(value & ~FLAG_DF)
                     : "cc", "memory");
        break;
    case 11:
        asm volatile("mov %w0, %%gs" : : "r"((uint32_t)value));
        break;
    case 12:
        asm volatile("invlpg (%0); wbinvd; clts" : : "r"(value) : "memory");
        break;
    default:
        asm volatile("int $0x55; int $0x80; hlt");
    }
}

static void touch(void)
{
    volatile uint64_t *word =
        (uint64_t *)(below(4) ? (uintptr_t)scratch_page() + below(512) * 8 :
                                random_value());

    if (below(2)) {
        *word = random_pte();
    } else {
        (void)*word;
    }
}

/* The results, too, are written there: a list that is too long must not be the image's. */
static void many_at_once(void)
{
    struct multicall_entry *calls = (void *)scratch_page(), call;
    unsigned int nr = 1 + below(below(8) ? 4 : PAGE_SIZE / sizeof(*calls)), i;

    for (i = 0; i < nr; i++) {
        fill(call.args, sizeof(call.args));
        call.op = below(16) ? random_hypercall() : __HYPERVISOR_multicall;
        if (call.op == __HYPERVISOR_console_io) {
            call.op = __HYPERVISOR_xen_version;
        }
        calls[i] = call;
    }
    if (below(64)) {
        hypercall(__HYPERVISOR_multicall, (uintptr_t)calls, nr, 0, 0, 0);
    } else {
        hypercall(__HYPERVISOR_multicall, random_bits() | 1ul << 40,
                  random_value(), 0, 0, 0);
    }
}

static void exchange(void)
{
    xen_pfn_t in[16], out[16];
    struct xen_memory_exchange op = {
        .in = { .nr_extents = 1 << below(4),
                .extent_order = below(4),
                .domid = DOMID_SELF },
        .nr_exchanged = below(8) ? 0 : random_value(),
    };
    unsigned int i;

    op.out = op.in;
    if (below(2)) {
        op.out.nr_extents = op.in.nr_extents << op.in.extent_order;
        op.out.extent_order = 0;
    }
    if (op.out.nr_extents > 16) {
        return;
    }
    for (i = 0; i < 16; i++) {
        in[i] = random_frame();
        out[i] = random_value();
    }
    set_xen_guest_handle(op.in.extent_start,
                         below(64) ? in : random_argument());
    set_xen_guest_handle(op.out.extent_start, out);
    if (below(2)) {
        HYPERVISOR_memory_op(XENMEM_exchange, &op);
    } else {
        HYPERVISOR_memory_op(below(2) ? XENMEM_decrease_reservation :
                                        XENMEM_populate_physmap,
                             &op.in);
    }
}

/* If it has not begun yet ("unstarted"): with a context that is partly right. */
static void begin_vcpu(void)
{
    static struct vcpu_guest_context context;
    uint64_t *words = (uint64_t *)&context;
    unsigned int vcpu = below(nr_vcpus), i;

    vcpu_context(vcpu, &context);
    if (below(2)) {
        context.user_regs.rip = (uintptr_t)restart_misbehaving;
        context.syscall_callback_eip = (uintptr_t)system_call_callback;
    }
    if (below(2)) {
        context.flags = random_bits() & 0x3f;
    }
    if (below(2)) {
        context.ctrlreg[1] = xen_pfn_to_cr3(random_frame());
        context.ctrlreg[4] = random_value();
        context.debugreg[below(8)] = random_value();
    }
    if (below(2)) {
        context.user_regs.ds = random_value();
        context.user_regs.gs = random_value();
        fill(&context.fpu_ctxt, sizeof(context.fpu_ctxt));
    }
    if (below(2)) {
        context.gdt_ents = below(4) ? below(7169) : random_value();
        context.ldt_ents = below(4) ? below(1200) : random_value();
        context.ldt_base = (uintptr_t)scratch_page();
        for (i = 0; i < 14; i++) {
            context.gdt_frames[i] = random_frame();
        }
    }
    for (i = below(4); i; i--) {
        words[below(sizeof(context) / sizeof(*words))] = random_value();
    }
    HYPERVISOR_vcpu_op(VCPUOP_initialise, vcpu, &context);
    /* Two that take each other down stay so. */
    if (!this_vcpu() && vcpu && below(2)) {
        HYPERVISOR_vcpu_op(VCPUOP_down, vcpu, NULL);
    }
    HYPERVISOR_vcpu_op(VCPUOP_up, vcpu, NULL);
}

void hostile_pv(void)
{
    static void (*const ways[])(void) = {
        update_tables, update_tables, update_mapping,  operate_on_tables,
        descriptors,   handlers,      privileged,      ports,
        touch,         many_at_once,  return_anywhere, exchange,
        begin_vcpu,
    };

    /*
     * As they may be gone.  An event comes as an exception: what is pending for ever
     * must not keep the guest in its callback for ever.
     */
    traps_init();
    hypercall(__HYPERVISOR_set_callbacks, (uintptr_t)exception_stubs[EXC_BP], 0,
              (uintptr_t)system_call_callback, 0, 0);
    ways[below(sizeof(ways) / sizeof(*ways))]();
}

#endif /* GUEST_PV */
