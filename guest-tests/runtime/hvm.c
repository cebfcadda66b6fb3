/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HVM and PVH guests: finding Xen, interrupts, upcalls, starting vCPUs. */

#include "internal.h"
#include "interrupt.h"
#include "ioapic.h"
#include "lapic.h"
#include "port_io.h"
#include <xen/arch-x86/hvm/start_info.h>

#define MULTIBOOT_LOADER 0x2badb002
#define NR_EXCEPTIONS 32
#define VECTOR_VCPU_UPCALL 0xf2
#define VECTOR_UPCALL 0xf3
#define VECTOR_SPURIOUS 0xff
#define TRAMPOLINE 0x8000

struct gate {
    uint16_t offset_low, selector, flags, offset_middle;
#ifdef __x86_64__
    uint32_t offset_high, reserved;
#endif
};

struct __attribute__((packed)) idt_pointer {
    uint16_t limit;
    void *address;
};

extern char hypercall_page[PAGE_SIZE];
extern char interrupt_stubs[256][16];
extern const char trampoline[], trampoline_end[];
extern uint32_t loader_magic, loader_info;
extern uint32_t xen_cpuid_base;

void hvm_vcpu_main(unsigned int vcpu) __attribute__((noreturn));

uint32_t xen_cpuid_base;
uint64_t acpi_root;

static struct gate idt[256];
static char shared_info_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static uint32_t lapic_ids[MAX_VCPUS];
static enum upcall_method method_in_use;

static struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;

    asm volatile("cpuid"
                 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
                 : "a"(leaf), "c"(subleaf));
    return r;
}

struct cpuid xen_cpuid(uint32_t leaf, uint32_t subleaf)
{
    return cpuid(xen_cpuid_base + leaf, subleaf);
}

/* There is no console for a message. */
__attribute__((weak)) void without_xen(void)
{
    asm volatile("cli; hlt");
}

/* Xen's CPUID leaves are at the first multiple of 0x100 with its signature. */
static void find_xen(void)
{
    uint32_t base;

    for (base = 0x40000000; base < 0x40010000; base += 0x100) {
        struct cpuid r = cpuid(base, 0);

        if (r.b == XEN_CPUID_SIGNATURE_EBX && r.c == XEN_CPUID_SIGNATURE_ECX &&
            r.d == XEN_CPUID_SIGNATURE_EDX) {
            xen_cpuid_base = base;
            asm volatile("wrmsr"
                         :
                         : "c"(xen_cpuid(2, 0).b),
                           "a"((uint32_t)(uintptr_t)hypercall_page), "d"(0)
                         : "memory");
            return;
        }
    }
    without_xen();
}

/* Where a PVH guest finds ACPI's tables. */
static void find_acpi(void)
{
    const struct hvm_start_info *start = (void *)(uintptr_t)loader_info;

    if (loader_magic != MULTIBOOT_LOADER &&
        start->magic == XEN_HVM_START_MAGIC_VALUE) {
        acpi_root = start->rsdp_paddr;
    }
}

static const char *find_command_line(void)
{
    if (loader_magic == MULTIBOOT_LOADER) {
        const uint32_t *information = (void *)(uintptr_t)loader_info;

        /* Flags; bit 2 says that word 4 is the command line's address. */
        return information[0] & 4 ? (const char *)(uintptr_t)information[4] :
                                    "";
    } else {
        const struct hvm_start_info *start = (void *)(uintptr_t)loader_info;

        return start->magic == XEN_HVM_START_MAGIC_VALUE &&
                       start->cmdline_paddr ?
                   (const char *)(uintptr_t)start->cmdline_paddr :
                   "";
    }
}

static void load_idt(void)
{
    struct idt_pointer pointer = { sizeof(idt) - 1, idt };

    asm volatile("lidt %0" : : "m"(pointer));
}

static void init_idt(void)
{
    unsigned int vector;

    for (vector = 0; vector < 256; vector++) {
        uintptr_t stub = (uintptr_t)interrupt_stubs[vector];

        idt[vector] = (struct gate){
            .offset_low = stub,
#ifdef __x86_64__
            .selector = 0x18,
#else
            .selector = 0x08,
#endif
            .flags = 0x8e00, /* present, interrupt gate */
            .offset_middle = stub >> 16,
        };
    }
    load_idt();
}

static uint64_t get_param(uint32_t index)
{
    struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index };

    return HYPERVISOR_hvm_op(HVMOP_get_param, &param) ? 0 : param.value;
}

static int set_param(uint32_t index, uint64_t value)
{
    struct xen_hvm_param param = {
        .domid = DOMID_SELF,
        .index = index,
        .value = value,
    };

    return HYPERVISOR_hvm_op(HVMOP_set_param, &param);
}

/* The firmware leaves a timer running, and the two 8259s enabled. */
static void mask_pics(void)
{
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

void arch_init(void)
{
    static char text[1024];
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = gfn_of(shared_info_page),
    };
    const char *given = find_command_line();
    size_t length = strlen(given);

    memcpy(text, given, length < sizeof(text) ? length : sizeof(text) - 1);
    command_line = text;
    find_acpi();
    find_xen();
    mask_pics();
    init_idt();
    lapic_enable();
    lapic_ids[0] = lapic_id();
    if (HYPERVISOR_memory_op(XENMEM_add_to_physmap, &map)) {
        asm volatile("ud2");
    }
    shared_info = (struct shared_info *)shared_info_page;
    upcall_set_method(UPCALL_VECTOR);
}

struct xencons_interface *arch_console(evtchn_port_t *port)
{
    *port = get_param(HVM_PARAM_CONSOLE_EVTCHN);
    return (void *)(uintptr_t)(get_param(HVM_PARAM_CONSOLE_PFN) * PAGE_SIZE);
}

struct xenstore_domain_interface *arch_xenstore(evtchn_port_t *port)
{
    *port = get_param(HVM_PARAM_STORE_EVTCHN);
    return (void *)(uintptr_t)(get_param(HVM_PARAM_STORE_PFN) * PAGE_SIZE);
}

grant_entry_v1_t *arch_grant_table(void)
{
    grant_entry_v1_t *table = page_keep();

    if (map_page(XENMAPSPACE_grant_table, 0, gfn_of(table))) {
        crash("no grant table");
    }
    return table;
}

uint64_t gfn_of(const void *address)
{
    return (uintptr_t)address / PAGE_SIZE;
}

/* Interrupts ------------------------------------------------------------------- */

static void count_upcall(enum upcall_method method)
{
    __atomic_fetch_add(&upcall_counts[method], 1, __ATOMIC_SEQ_CST);
}

void interrupt(struct interrupt_frame *frame)
{
    switch (frame->vector) {
    case VECTOR_UPCALL:
        count_upcall(UPCALL_VECTOR);
        evtchn_upcall();
        break;
    case VECTOR_LINE:
        count_upcall(method_in_use);
        evtchn_upcall();
        /* EOI after the events are taken: the line is high until then. */
        lapic_eoi();
        break;
    case VECTOR_VCPU_UPCALL:
        count_upcall(UPCALL_VCPU_VECTOR);
        /* EOI before, or an event that comes meanwhile raises no vector. */
        lapic_eoi();
        evtchn_upcall();
        break;
    case VECTOR_KICK:
        lapic_eoi();
        break;
    case VECTOR_SPURIOUS:
        break;
    default:
        crash("vCPU %u: %s %u, error 0x%lx at 0x%lx", this_vcpu(),
              frame->vector < NR_EXCEPTIONS ? "exception" : "interrupt",
              (unsigned int)frame->vector, (unsigned long)frame->error,
              (unsigned long)frame->ip);
    }
}

void upcalls_disable(void)
{
    asm volatile("cli" : : : "memory");
}

void upcalls_enable(void)
{
    asm volatile("sti" : : : "memory");
}

bool upcalls_enabled(void)
{
    unsigned long flags;

    asm volatile("pushf; pop %0" : "=r"(flags) : : "memory");
    return flags & 0x200;
}

/* HVM_PARAM_CALLBACK_IRQ: the type in the top byte, and the type's value. */
static int set_callback(uint64_t type, uint64_t value)
{
    return set_param(HVM_PARAM_CALLBACK_IRQ, type << 56 | value);
}

static int set_vcpu_vectors(void)
{
    struct xen_hvm_evtchn_upcall_vector upcall = {
        .vector = VECTOR_VCPU_UPCALL,
    };
    int error = 0;

    for (; upcall.vcpu < nr_vcpus && !error; upcall.vcpu++) {
        error = HYPERVISOR_hvm_op(HVMOP_set_evtchn_upcall_vector, &upcall);
    }
    /* As Linux does when only vCPUs' own vectors are used: an unused GSI. */
    return error ? error : set_callback(HVM_PARAM_CALLBACK_TYPE_GSI, 1);
}

static int set_intx(void)
{
    struct platform_device device;

    if (!find_platform_device(&device)) {
        return -XEN_ENODEV;
    }
    ioapic_route(device.gsi, VECTOR_LINE, lapic_ids[0]);
    return set_callback(HVM_PARAM_CALLBACK_TYPE_PCI_INTX, device.callback);
}

int upcall_set_method(enum upcall_method method)
{
    method_in_use = method;
    switch (method) {
    case UPCALL_VECTOR:
        return set_callback(HVM_PARAM_CALLBACK_TYPE_VECTOR, VECTOR_UPCALL);
    case UPCALL_VCPU_VECTOR:
        return set_vcpu_vectors();
    case UPCALL_GSI:
        ioapic_route(IOAPIC_FREE_GSI, VECTOR_LINE, lapic_ids[0]);
        return set_callback(HVM_PARAM_CALLBACK_TYPE_GSI, IOAPIC_FREE_GSI);
    case UPCALL_PCI_INTX:
        return set_intx();
    case UPCALL_NONE:
        return set_callback(HVM_PARAM_CALLBACK_TYPE_GSI, 0);
    default:
        return -XEN_EINVAL;
    }
}

/* Other vCPUs -------------------------------------------------------------------- */

void hvm_vcpu_main(unsigned int vcpu)
{
    load_idt();
    lapic_enable();
    lapic_ids[vcpu] = lapic_id();
    vcpu_main(vcpu);
}

void arch_vcpus_start(void)
{
    memcpy((void *)TRAMPOLINE, trampoline, trampoline_end - trampoline);
    lapic_start_others(TRAMPOLINE);
}

void arch_vcpu_idle(unsigned int vcpu, void *const volatile *busy)
{
    /* After sti the processor takes no interrupt before the hlt. */
    asm volatile("cli" : : : "memory");
    if (*busy) {
        asm volatile("sti" : : : "memory");
    } else {
        asm volatile("sti; hlt" : : : "memory");
    }
}

void arch_vcpu_kick(unsigned int vcpu)
{
    lapic_send(lapic_ids[vcpu], VECTOR_KICK);
}
