/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables and privilege level in a hypercall: Xen writes an answer only to
 * pages that the caller could write, and only for ring 0.  For 64-bit HVM
 * guests only, as the others have no page tables of their own here.
 */

#include "ports.h"

#define PRESENT 1
#define WRITABLE 2
#define USER 4
#define WINDOW_SLOT 1 /* of the root: the identity map is in slot 0 */
#define WINDOW ((char *)(WINDOW_SLOT * 0x8000000000ull))

#ifdef __x86_64__

static uint64_t *page_root(void)
{
    uintptr_t root;

    asm volatile("mov %%cr3, %0" : "=r"(root));
    return (uint64_t *)(root & -PAGE_SIZE);
}

static void set_window(uint64_t entry)
{
    page_root()[WINDOW_SLOT] = entry;
    asm volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax", "memory");
}

/* Map @page at WINDOW, too, with these @rights. */
static void open_window(void *page, unsigned int rights)
{
    uint64_t *table = page, *below;
    unsigned int level;

    for (level = 0; level < 3; level++) {
        below = page_alloc(1);
        below[0] =
            (uintptr_t)table | PRESENT | (level ? WRITABLE | USER : rights);
        table = below;
    }
    set_window((uintptr_t)table | PRESENT | WRITABLE | USER);
}

static void close_window(void)
{
    set_window(0);
}

/* KVM_TRANSLATE calls any page writable: QEMU cannot know better on KVM. */
TEST(answer_to_a_page_that_is_read_only, "hvm pvh 64 tcg xen")
{
    unsigned int open = nr_open_ports();
    char *page = page_alloc(1);
    struct evtchn_alloc_unbound *alloc = (void *)page;
    struct evtchn_bind_ipi *ipi = (void *)page;
    struct evtchn_status *status = (void *)page;
    evtchn_port_t port = must_bind_ipi(0);

    open_window(page, 0);
    alloc->dom = alloc->remote_dom = DOMID_SELF;
    alloc->port = 0x1234;
    check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, WINDOW),
                -XEN_EFAULT);
    check_equal(alloc->port, 0x1234);
    ipi->vcpu = 0;
    ipi->port = 0x1234;
    check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, WINDOW),
                -XEN_EFAULT);
    check_equal(ipi->port, 0x1234);
    status->dom = DOMID_SELF;
    status->port = port;
    status->status = 0x1234;
    check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_status, WINDOW),
                -XEN_EFAULT);
    check_equal(status->status, 0x1234);
    /* An operation without an answer only reads its argument. */
    *(evtchn_port_t *)page = port;
    check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_send, WINDOW), 0);
    check(wait_for(received(port) == 1, 1000));
    close_window();
    /* Xen opens the port before it fails to write the answer. */
    check_equal(nr_open_ports(), open + 3);
}

TEST(answer_to_the_end_of_a_page, "hvm pvh 64")
{
    struct evtchn_bind_ipi *ipi;
    unsigned int open = nr_open_ports();
    char *page = page_alloc(1);

    open_window(page, WRITABLE);
    ipi = (void *)(WINDOW + PAGE_SIZE - sizeof(*ipi));
    ipi->vcpu = 0;
    check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, ipi), 0);
    /* The next page is not mapped. */
    ipi = (void *)(WINDOW + PAGE_SIZE - sizeof(ipi->vcpu));
    ipi->vcpu = 0;
    check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, ipi),
                -XEN_EFAULT);
    close_window();
    check_equal(nr_open_ports(), open + 1);
}

/* Ring 3 -------------------------------------------------------------------- */

#define CODE_USER (0x20 | 3)
#define DATA_USER (0x28 | 3)
#define TASK 0x30
#define VECTOR_BACK 0x81

extern char hypercall_page[PAGE_SIZE];
extern char back_from_ring_3[];

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t address;
};

struct __attribute__((packed)) task_state {
    uint32_t reserved;
    uint64_t stack[3];
    char rest[76];
};

static struct task_state task;
uintptr_t stack_of_ring_0;

/* The code at @start, at @top its stack, until it raises VECTOR_BACK; its RAX. */
static long __attribute__((noinline))
in_ring_3(const void *start, void *top, unsigned long rdi, void *rsi)
{
    long result;

    asm volatile("pushf\n"
                 "cli\n"
                 "push %%rbp\n"
                 "push %%rbx\n"
                 "mov %%rsp, stack_of_ring_0\n"
                 "pushq %[data]\n"
                 "push %[top]\n"
                 "pushf\n"
                 "pushq %[code]\n"
                 "push %[start]\n"
                 "iretq\n"
                 ".globl back_from_ring_3\n"
                 "back_from_ring_3:\n"
                 "mov stack_of_ring_0, %%rsp\n"
                 "mov $0x10, %%ecx\n"
                 "mov %%ecx, %%ss\n"
                 "pop %%rbx\n"
                 "pop %%rbp\n"
                 "popf\n"
                 : "=a"(result), "+D"(rdi), "+S"(rsi)
                 : [data] "i"(DATA_USER), [code] "i"(CODE_USER),
                   [start] "r"(start), [top] "r"(top)
                 : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
    return result;
}

TEST(caller_in_ring_3, "hvm pvh 64")
{
    static uint64_t gdt[8];
    static char stack[256] __attribute__((aligned(16)));
    unsigned int open = nr_open_ports();
    struct table_pointer old_gdt, new_gdt, idt;
    evtchn_port_t port = must_bind_ipi(0);
    uintptr_t back = (uintptr_t)back_from_ring_3, state = (uintptr_t)&task;
    char *page = page_alloc(1);
    uint64_t *gate, old_gate[2];

    /* The hypercall page's instructions, with an interrupt in place of ret. */
    memcpy(page, hypercall_page + __HYPERVISOR_event_channel_op * 32, 8);
    page[8] = 0xcd;
    page[9] = VECTOR_BACK;
    *(evtchn_port_t *)(page + 64) = port;
    open_window(page, WRITABLE | USER);

    asm volatile("sgdt %0" : "=m"(old_gdt));
    memcpy(gdt, (void *)old_gdt.address, 4 * sizeof(gdt[0]));
    gdt[CODE_USER / 8] = 0x00affb000000ffff;
    gdt[DATA_USER / 8] = 0x00cff3000000ffff;
    gdt[TASK / 8] = (sizeof(task) - 1) | (state & 0xffffff) << 16 |
                    0x89ull << 40 | (state >> 24 & 0xff) << 56;
    gdt[TASK / 8 + 1] = state >> 32;
    task.stack[0] = (uintptr_t)(stack + sizeof(stack));
    new_gdt = (struct table_pointer){ sizeof(gdt) - 1, (uintptr_t)gdt };
    asm volatile("lgdt %0; ltr %w1" : : "m"(new_gdt), "r"(TASK) : "memory");
    asm volatile("sidt %0" : "=m"(idt));
    gate = (uint64_t *)idt.address + 2 * VECTOR_BACK;
    memcpy(old_gate, gate, sizeof(old_gate));
    /* Present, an interrupt gate, for ring 3 too. */
    gate[0] = (back & 0xffff) | 0x18 << 16 | 0xee00ull << 32 |
              (back >> 16 & 0xffff) << 48;
    gate[1] = back >> 32;

    check_equal(
        in_ring_3(WINDOW, WINDOW + PAGE_SIZE, EVTCHNOP_send, WINDOW + 64),
        -XEN_EPERM);
    check_equal(
        in_ring_3(WINDOW, WINDOW + PAGE_SIZE, EVTCHNOP_close, WINDOW + 64),
        -XEN_EPERM);

    memcpy(gate, old_gate, sizeof(old_gate));
    asm volatile("lgdt %0" : : "m"(old_gdt));
    close_window();
    check_equal(nr_open_ports(), open + 1);
    check(!port_is_pending(port));
    check_equal(received(port), 0);
}

#endif
