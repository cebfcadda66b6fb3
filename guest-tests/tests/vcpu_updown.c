/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VCPUOP_initialise, up, down, is_up, beside INIT and SIPI. */

#include "guest.h"
#include "internal.h"
#include "lapic.h"
#include <xen/hvm/hvm_vcpu.h>

static int is_up(unsigned int vcpu)
{
    return HYPERVISOR_vcpu_op(VCPUOP_is_up, vcpu, NULL);
}

static int up(unsigned int vcpu)
{
    return HYPERVISOR_vcpu_op(VCPUOP_up, vcpu, NULL);
}

static int down(unsigned int vcpu)
{
    return HYPERVISOR_vcpu_op(VCPUOP_down, vcpu, NULL);
}

TEST(vcpu_is_up, "vcpus=2")
{
    check_equal(is_up(0), 1);
    check_equal(is_up(1), 1);
    check_equal(up(0), 0);
    check_equal(up(1), 0);
    check_equal(is_up(nr_vcpus), -XEN_ENOENT);
    check_equal(up(~0u), -XEN_ENOENT);
    check_equal(down(1000), -XEN_ENOENT);
}

static volatile unsigned int counter;

static void count(void *opaque)
{
    for (;;) {
        ++counter;
    }
}

static int runstate_of(unsigned int vcpu)
{
    struct vcpu_runstate_info info = { .state = -1 };

    check_equal(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, vcpu, &info), 0);
    return info.state;
}

/* A vCPU that was taken down continues where it was; no interrupt wakes it. */
TEST(vcpu_down_and_up, "vcpus=2 alone")
{
    evtchn_port_t port = must_bind_ipi(1);
    unsigned int i, before;

    vcpu_start(1, count, NULL);
    require(wait_for(counter > 0, 10000));
    for (i = 1; i <= 10; i++) {
        check_equal(down(1), 0);
        check_equal(is_up(1), 0);
        check_equal(down(1), 0);
        /* VCPUOP_down does not wait until the vCPU has stopped. */
        check(wait_for(runstate_of(1) == RUNSTATE_offline, 10000));
        before = counter;
        check_equal(evtchn_send(port), 0);
        spin_for(20);
        check_equal(counter, before);
        check_equal(received(port), i - 1);
        check_equal(runstate_of(1), RUNSTATE_offline);

        check_equal(up(1), 0);
        check_equal(is_up(1), 1);
        check(wait_for(counter != before && received(port) == i, 10000));
    }
    test_note("counted to %u", counter);
}

/* A vCPU that slept when it was taken down still sleeps when it is up. */
TEST(vcpu_down_asleep, "vcpus=2 alone")
{
    evtchn_port_t port = must_bind_ipi(1);

    spin_for(20);
    check_equal(down(1), 0);
    check_equal(is_up(1), 0);
    check_equal(evtchn_send(port), 0);
    spin_for(20);
    check_equal(received(port), 0);
    check_equal(up(1), 0);
    check(wait_for(received(port) == 1, 10000));
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 2, 10000));
}

static volatile bool enough;

static void bind_and_close(void *opaque)
{
    evtchn_port_t port;

    while (!enough) {
        if (evtchn_bind_ipi(1, &port) == 0) {
            evtchn_close(port);
        }
        ++counter;
    }
}

/* Wherever a vCPU is when it is taken down, others need not wait for it. */
TEST(vcpu_down_in_hypercalls, "vcpus=2 alone seconds=30")
{
    evtchn_port_t port;
    unsigned int i, before;

    vcpu_start(1, bind_and_close, NULL);
    require(wait_for(counter > 0, 10000));
    for (i = 0; i < 200; i++) {
        check_equal(down(1), 0);
        check(wait_for(runstate_of(1) == RUNSTATE_offline, 10000));
        before = counter;
        port = must_bind_ipi(0);
        check_equal(evtchn_close(port), 0);
        check_equal(counter, before);
        check_equal(up(1), 0);
        /* At once, and after some time. */
        if (i % 2) {
            check(wait_for(counter != before, 10000));
        }
    }
    enough = true;
    check(vcpu_join(1, 10000));
}

static void down_itself(void *opaque)
{
    volatile unsigned int *step = opaque;

    *step = 1;
    check_equal(down(1), 0);
    *step = 2;
}

TEST(vcpu_down_itself, "vcpus=2 alone")
{
    static volatile unsigned int step;

    vcpu_start(1, down_itself, (void *)&step);
    require(wait_for(step == 1 && is_up(1) == 0, 10000));
    spin_for(20);
    check_equal(step, 1);
    check_equal(up(1), 0);
    check(vcpu_join(1, 10000));
    check_equal(step, 2);
}

#ifdef GUEST_HVM

#define SOME_VECTOR 0x40
#define ICR 0xfee00300
#define INIT_OTHERS 0xc4500

#define CR0_PE (1u << 0)
#define CR0_PG (1u << 31)
#define CR4_PSE (1u << 4)
#define CR4_PAE (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_NXE (1u << 11)

static int initialise(unsigned int vcpu, struct vcpu_hvm_context *context)
{
    return HYPERVISOR_vcpu_op(VCPUOP_initialise, vcpu, context);
}

/* INIT for the other vCPUs: they are not initialised after it. */
static void init_others(void)
{
    *(volatile uint32_t *)(uintptr_t)ICR = INIT_OTHERS;
    require(wait_for(is_up(1) == 0, 10000));
}

static void ask_vcpu(void *opaque)
{
    *(volatile unsigned int *)opaque = this_vcpu();
}

static volatile const struct vcpu_runstate_info *registered_runstate;
static volatile const struct vcpu_time_info *registered_time;

static void boot_others(void)
{
    static volatile unsigned int it_is;

    arch_vcpus_start();
    check(wait_for(is_up(1) == 1, 10000));
    it_is = 0;
    vcpu_start(1, ask_vcpu, (void *)&it_is);
    check(vcpu_join(1, 10000));
    check_equal(it_is, 1);
}

TEST(vcpu_init_and_sipi, "vcpus=2 hvm pvh alone")
{
    unsigned int i;

    for (i = 0; i < 5; i++) {
        init_others();
        check_equal(up(1), -XEN_EINVAL);
        check_equal(down(1), 0);
        check_equal(runstate_of(1), RUNSTATE_offline);
        boot_others();
    }
}

/* An event that comes before its vCPU has enabled its LAPIC is not lost. */
static void check_event_while_down(void)
{
    evtchn_port_t port = must_bind_ipi(1);

    init_others();
    check_equal(evtchn_send(port), 0);
    spin_for(5);
    check_equal(received(port), 0);
    boot_others();
    check(wait_for(received(port) == 1, 10000));
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 2, 10000));
}

TEST(vcpu_event_before_sipi, "vcpus=2 hvm pvh alone")
{
    check_event_while_down();
}

TEST(vcpu_event_before_lapic, "vcpus=2 hvm pvh alone")
{
    require(upcall_set_method(UPCALL_VCPU_VECTOR) == 0);
    check_event_while_down();
}

/*
 * A vCPU that waits for SIPI takes no interrupt, and none wakes it: it would begin
 * at the reset vector, and its firmware would start the machine once more.
 */
TEST(vcpu_interrupts_before_sipi, "vcpus=2 hvm pvh alone")
{
    uint64_t end;

    init_others();
    end = system_time() + 1000 * 1000000ull;
    do {
        lapic_send_others(SOME_VECTOR);
    } while (system_time() < end);
    check_equal(runstate_of(1), RUNSTATE_offline);
    boot_others();
}

/*
 * A vCPU that starts writes its number, and its CR3 and EFER unless EBP is
 * MARK_NOT_LOOKING, and then counts.
 */
struct mark {
    uint32_t number, counter, cr3, efer;
};

#define MARK_NOT_LOOKING 1 /* EBP */

extern const char mark_32[];
asm(".pushsection .text\n"
    ".code32\n"
    "mark_32:\n"
    "    mov %ebx, (%edi)\n"
    "    test %ebp, %ebp\n"
    "    jnz 1f\n"
    "    mov %cr3, %eax\n"
    "    mov %eax, 8(%edi)\n"
    "    mov $0xc0000080, %ecx\n"
    "    rdmsr\n"
    "    mov %eax, 12(%edi)\n"
    "    push %ebx\n"
    "    pop %ebx\n"
    "1:  incl 4(%edi)\n"
    "    pause\n"
    "    jmp 1b\n"
#ifdef __x86_64__
    ".code64\n"
    "mark_64:\n"
    "    mov %ebx, (%rdi)\n"
    "    mov %cr3, %rax\n"
    "    mov %eax, 8(%rdi)\n"
    "    mov $0xc0000080, %ecx\n"
    "    rdmsr\n"
    "    mov %eax, 12(%rdi)\n"
    "    push %r8\n"
    "    pop %r8\n"
    "1:  incl 4(%rdi)\n"
    "    pause\n"
    "    jmp 1b\n"
#endif
    ".popsection");

static volatile struct mark mark;

static struct vcpu_hvm_context context_32(uint32_t cr0, uint32_t cr3,
                                          uint32_t cr4, uint64_t efer)
{
    struct vcpu_hvm_context context;
    struct vcpu_hvm_x86_32 *regs = &context.cpu_regs.x86_32;

    memset(&context, 0, sizeof(context));
    context.mode = VCPU_HVM_MODE_32B;
    regs->ebx = 0x12345678;
    regs->edi = (uintptr_t)&mark;
    regs->esp = (uintptr_t)page_alloc(1) + PAGE_SIZE;
    regs->eip = (uintptr_t)mark_32;
    regs->cr0 = cr0 | CR0_PE;
    regs->cr3 = cr3;
    regs->cr4 = cr4;
    regs->efer = efer;
    regs->cs_limit = regs->ds_limit = regs->ss_limit = regs->es_limit = ~0u;
    regs->tr_limit = 0x67;
    regs->cs_ar = 0xc9a;
    regs->ds_ar = regs->ss_ar = regs->es_ar = 0xc92;
    regs->tr_ar = 0x89;
    return context;
}

static void check_starts(struct vcpu_hvm_context *context, uint32_t cr3,
                         uint32_t efer)
{
    uint32_t counter;

    init_others();
    memset((void *)&mark, 0, sizeof(mark));
    check_equal(initialise(1, context), 0);
    check_equal(is_up(1), 0);
    check_equal(initialise(1, context), -XEN_EEXIST);
    spin_for(10);
    check_equal(mark.number, 0);
    check_equal(up(1), 0);
    check_equal(is_up(1), 1);
    check_equal(initialise(1, context), -XEN_EEXIST);
    check(wait_for(mark.counter > 0, 10000));
    check_equal(mark.number, 0x12345678);
    if (!(context->mode == VCPU_HVM_MODE_32B &&
          context->cpu_regs.x86_32.ebp == MARK_NOT_LOOKING)) {
        check_equal(mark.cr3, cr3);
        check_equal(mark.efer, efer);
    }
    /* A vCPU that does not wait for SIPI ignores it. */
    counter = mark.counter;
    *(volatile uint32_t *)(uintptr_t)ICR = 0xc4608;
    check(wait_for(mark.counter > counter + 1000, 10000));
    init_others();
}

/* Map 4 GiB one to one. */
static uint32_t page_tables_32(void)
{
    uint32_t *directory = page_alloc(1);
    uint32_t i;

    for (i = 0; i < 1024; i++) {
        directory[i] = i << 22 | 0x83;
    }
    return (uintptr_t)directory;
}

static uint32_t page_tables_pae(void)
{
    uint64_t *pointers = page_alloc(1), *directories = page_alloc(4);
    uint32_t i;

    for (i = 0; i < 2048; i++) {
        directories[i] = (uint64_t)i << 21 | 0x83;
    }
    for (i = 0; i < 4; i++) {
        pointers[i] = ((uintptr_t)directories + i * PAGE_SIZE) | 1;
    }
    return (uintptr_t)pointers;
}

TEST(vcpu_initialise_flat, "vcpus=2 hvm pvh alone")
{
    struct vcpu_hvm_context context = context_32(0, 0, 0, 0);

    check_starts(&context, 0, 0);
    boot_others();
}

TEST(vcpu_initialise_paging, "vcpus=2 hvm pvh alone")
{
    uint32_t cr3 = page_tables_32();
    struct vcpu_hvm_context context = context_32(CR0_PG, cr3, CR4_PSE, 0);

    check_starts(&context, cr3, 0);
    boot_others();
}

TEST(vcpu_initialise_pae, "vcpus=2 hvm pvh alone")
{
    uint32_t cr3 = page_tables_pae();
    struct vcpu_hvm_context context =
        context_32(CR0_PG, cr3, CR4_PAE, EFER_NXE);

    /*
     * The QEMU that emulates real Xen's host intercepts reads of CR3 together
     * with those of CR0, and sets an accessed bit in the four page-directory
     * pointers, as no processor does.  Xen takes that for a reserved bit, and
     * cannot read the instruction.
     */
    if (host_is_xen()) {
        context.cpu_regs.x86_32.ebp = MARK_NOT_LOOKING;
    }
    check_starts(&context, cr3, EFER_NXE);
    boot_others();
}

#ifdef __x86_64__
extern const char mark_64[];

TEST(vcpu_initialise_64, "vcpus=2 hvm pvh alone 64")
{
    struct vcpu_hvm_context context;
    struct vcpu_hvm_x86_64 *regs = &context.cpu_regs.x86_64;
    uint64_t cr3;

    asm("mov %%cr3, %0" : "=r"(cr3));
    memset(&context, 0, sizeof(context));
    context.mode = VCPU_HVM_MODE_64B;
    regs->rbx = 0x12345678;
    regs->rdi = (uintptr_t)&mark;
    regs->rsp = (uintptr_t)page_alloc(1) + PAGE_SIZE;
    regs->rip = (uintptr_t)mark_64;
    regs->cr0 = CR0_PE | CR0_PG;
    regs->cr3 = cr3;
    regs->cr4 = CR4_PAE;
    regs->efer = EFER_LME;
    check_starts(&context, cr3, EFER_LME | 1 << 10);
    boot_others();
}
#endif

static void check_refused(struct vcpu_hvm_context context)
{
    check_equal(initialise(1, &context), -XEN_EINVAL);
}

#define REFUSED(change)                                           \
    do {                                                          \
        struct vcpu_hvm_context context = context_32(0, 0, 0, 0); \
        struct vcpu_hvm_x86_32 *regs = &context.cpu_regs.x86_32;  \
                                                                  \
        (void)regs;                                               \
        change;                                                   \
        check_refused(context);                                   \
    } while (0)

TEST(vcpu_initialise_refused, "vcpus=2 hvm pvh alone")
{
    struct vcpu_hvm_context context = context_32(0, 0, 0, 0);

    check_equal(initialise(1, &context), -XEN_EEXIST);
    check_equal(initialise(0, &context), -XEN_EEXIST);
    init_others();
    REFUSED(context.mode = 2);
    REFUSED(context.pad = 1);
    REFUSED(regs->pad1 = 1);
    REFUSED(regs->pad2[2] = 1);
    REFUSED(regs->cs_ar = 0);
    REFUSED(regs->ss_ar = 0);
    REFUSED(regs->tr_ar = 0);
    REFUSED(regs->cs_ar |= 0x1000);
    REFUSED(regs->cs_ar = 0xc92);
    REFUSED(regs->cs_ar = 0xc1a);
    REFUSED(regs->cs_ar = 0xc8a);
    REFUSED(regs->ss_ar = 0xc90);
    REFUSED(regs->ss_ar = 0xcf2);
    REFUSED(regs->ds_ar = 0xcf2);
    REFUSED(regs->es_ar = 0xc98);
    REFUSED(regs->tr_ar = 0x81);
    REFUSED(regs->tr_ar = 0x99);
    REFUSED(regs->cs_ar = 0x49a; regs->cs_limit = 0xfff);
    REFUSED(regs->efer = 1 << 10);
    REFUSED(regs->efer = 1 << 1);
    REFUSED(regs->cr4 = 1u << 31);
    REFUSED(context.mode = VCPU_HVM_MODE_64B);
    check_equal(up(1), -XEN_EINVAL);
    /* Xen accepts null data segments. */
    context.cpu_regs.x86_32.es_ar = 0;
    check_equal(initialise(1, &context), 0);
    init_others();
    boot_others();
}

/* After VCPUOP_initialise a SIPI does not start the vCPU. */
TEST(vcpu_sipi_after_initialise, "vcpus=2 hvm pvh alone")
{
    struct vcpu_hvm_context context = context_32(0, 0, 0, 0);

    init_others();
    memset((void *)&mark, 0, sizeof(mark));
    check_equal(initialise(1, &context), 0);
    *(volatile uint32_t *)(uintptr_t)ICR = 0xc4608;
    spin_for(20);
    check_equal(is_up(1), 0);
    check_equal(mark.number, 0);
    check_equal(up(1), 0);
    check(wait_for(mark.counter > 0, 10000));
    init_others();
    boot_others();
}

/* On vCPU 1 itself: Xen lets no other vCPU register for one that is up. */
static void register_all(void *opaque)
{
    static struct vcpu_runstate_info runstate;
    static struct vcpu_time_info time;
    struct vcpu_info *info = opaque;
    struct vcpu_register_vcpu_info where = {
        .mfn = gfn_of(info),
        .offset = (uintptr_t)info % PAGE_SIZE,
    };
    struct vcpu_register_runstate_memory_area runstate_at = {
        .addr.v = &runstate,
    };
    struct vcpu_register_time_memory_area time_at = { .addr.v = &time };

    /* Xen marks all as pending there, which the upcall must find. */
    upcalls_disable();
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 1, &where), 0);
    vcpu_info_is_at(1, info);
    upcalls_enable();
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 1,
                                   &runstate_at), 0);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 1,
                                   &time_at), 0);
    registered_runstate = &runstate;
    registered_time = &time;
}

/* What is registered for a vCPU is so for the domain's life. */
static void check_registrations_stay(const struct vcpu_info *info,
                                     evtchn_port_t port, evtchn_port_t timer)
{
    struct vcpu_register_vcpu_info where = { .mfn = gfn_of(info) };
    unsigned int before = received(timer);
    uint64_t since = registered_runstate->state_entry_time;
    uint64_t told = registered_time->system_time;

    check_equal(evtchn_send(port), 0);
    spin_for(20);
    boot_others();
    check(wait_for(received(port) == 1, 10000));
    received_clear(port);
    /* The timer's next event may be there by now, and be taken. */
    check(wait_for(info->evtchn_pending_sel == 0, 10000));
    check(wait_for(received(timer) > before, 10000));
    check(wait_for(registered_runstate->state_entry_time > since, 10000));
    check(registered_time->system_time >= told && told > 0);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 1, &where),
                -XEN_EINVAL);
}

TEST(vcpu_keeps_registrations, "vcpus=2 alone hvm pvh")
{
    static struct vcpu_info info __attribute__((aligned(64)));
    evtchn_port_t port = must_bind_ipi(1);
    evtchn_port_t timer = must_bind_virq(VIRQ_TIMER, 1);
    unsigned int i;

    vcpu_start(1, register_all, &info);
    require(vcpu_join(1, 10000));
    check_equal(timer_periodic(1, 10000000), 0);
    for (i = 0; i < 3; i++) {
        init_others();
        check_registrations_stay(&info, port, timer);
        check_equal(down(1), 0);
        spin_for(5);
        check_equal(up(1), 0);
        check_equal(evtchn_send(port), 0);
        check(wait_for(received(port) == 1, 10000));
        received_clear(port);
    }
    check_equal(timer_periodic(1, 0), 0);
}

#endif /* GUEST_HVM */
