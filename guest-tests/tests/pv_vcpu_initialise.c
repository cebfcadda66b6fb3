/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VCPUOP_initialise of a PV guest: with what a vCPU begins. */

#include "debug_registers.h"
#include "msr.h"
#include "user_mode.h"
#include "xsave.h"

#ifdef GUEST_PV

#define CR0_TS 8ul
#define CR4_VMXE 0x2000ul
#define FLAG_CF 1ul
#define FLAG_ID 0x200000ul
#define FCW_DEFAULT 0x37f
#define MXCSR_DEFAULT 0x1f80
/* Entry 1 of the GDT, a data segment, and entry 2, which is none. */
#define SEL_OF_GDT 0xb
#define SEL_OF_NONE 0x13

/* What the vCPU had at its first instruction. */
/* clang-format off */
enum {
    AX, BX, CX, DX, SI, DI, BP, SP, R8, R9, R10, R11, R12, R13, R14, R15,
    FLAGS, CR0, DS, ES, FS, GS, FCW, MXCSR, XMM1, XMM1_HIGH,
    CR2, CR4, FS_BASE, GS_BASE, USER_GS_BASE, DR,
    NR_WORDS = DR + 8
};
/* clang-format on */
static uint64_t first[NR_WORDS] __attribute__((used, aligned(16)));
static volatile bool described;

extern const char first_instruction[];

asm(".pushsection .text\n"
    ".macro store register, word\n"
    "mov %\\register, first + 8 * \\word(%rip)\n"
    ".endm\n"
    "first_instruction:\n"
    "store rax 0; store rbx 1; store rcx 2; store rdx 3\n"
    "store rsi 4; store rdi 5; store rbp 6; store rsp 7\n"
    "store r8 8; store r9 9; store r10 10; store r11 11\n"
    "store r12 12; store r13 13; store r14 14; store r15 15\n"
    "pushf\n"
    "pop first + 8 * 16(%rip)\n"
    "cld\n"
    "mov %cr0, %rax; store rax 17\n"
    "mov %ds, %eax; store rax 18\n"
    "mov %es, %eax; store rax 19\n"
    "mov %fs, %eax; store rax 20\n"
    "mov %gs, %eax; store rax 21\n"
    "clts\n"
    "fnstcw first + 8 * 22(%rip)\n"
    "stmxcsr first + 8 * 23(%rip)\n"
    "movaps %xmm1, first + 8 * 24(%rip)\n"
    "jmp describe_the_rest\n"
    ".popsection\n");

void describe_the_rest(void) __attribute__((noreturn));

void describe_the_rest(void)
{
    unsigned int i;

    asm volatile("mov %%cr2, %0" : "=r"(first[CR2]));
    first[CR4] = read_cr4();
    first[FS_BASE] = rdmsr(MSR_FS_BASE);
    first[GS_BASE] = rdmsr(MSR_GS_BASE);
    first[USER_GS_BASE] = rdmsr(MSR_KERNEL_GS_BASE);
    for (i = 0; i < 8; i++) {
        if (i != 4 && i != 5) {
            first[DR + i] = get_debugreg(i);
        }
    }
    set_debugreg(7, DR7_DEFAULT);
    described = true;
    vcpu_main(this_vcpu());
}

static struct vcpu_guest_context context;

static void begin(unsigned int vcpu)
{
    vcpu_context(vcpu, &context);
    context.user_regs.rip = (unsigned long)first_instruction;
    timer_periodic(vcpu, 0);
    memset(first, 0, sizeof(first));
    described = false;
}

static int initialise(unsigned int vcpu)
{
    return HYPERVISOR_vcpu_op(VCPUOP_initialise, vcpu, &context);
}

static int up(unsigned int vcpu)
{
    return HYPERVISOR_vcpu_op(VCPUOP_up, vcpu, NULL);
}

static void start(unsigned int vcpu)
{
    require(initialise(vcpu) == 0);
    require(up(vcpu) == 0);
    require(wait_for(described, 10000));
}

/* Its descriptor has a base, in whose place the context's counts. */
static void give_gdt(void)
{
    uint64_t *gdt = page_alloc(1);

    gdt[SEL_OF_GDT / 8] = 0x12cff345000ffffful;
    page_protect(gdt, false);
    context.gdt_frames[0] = gfn_of(gdt);
    context.gdt_ents = 3;
}

static void illegal_instruction(void *opaque)
{
    asm volatile("ud2");
}

static void take_illegal_instruction(void *opaque)
{
    struct trap *trap = opaque;

    check(trapped(trap, illegal_instruction, NULL));
}

TEST(vcpu_initialise_registers, "vcpus=2 alone unstarted pv")
{
    uint64_t *regs = &context.user_regs.r15;
    static const unsigned int order[] = { R15, R14, R13, R12, BP, BX, R11, R10,
                                          R9,  R8,  AX,  CX,  DX, SI, DI };
    struct trap trap = { 0 };
    unsigned int i;

    begin(1);
    for (i = 0; i < 15; i++) {
        regs[i] = 0x0101010101010101ul * (i + 1);
    }
    context.user_regs.rflags = FLAG_IF | FLAG_CF | FLAG_AC | FLAG_ID | FLAG_DF;
    context.user_regs.ds = context.user_regs.es = FLAT_USER_DS32;
    context.user_regs.gs = SEL_OF_GDT;
    give_gdt();
    context.fs_base = 0x123456789000;
    context.gs_base_kernel = 0x3456789ab000;
    context.gs_base_user = 0x6789abcde000;
    /* An entry's place is its vector. */
    for (i = 0; i < 256; i++) {
        context.trap_ctxt[i].vector = 77;
    }
    start(1);
    for (i = 0; i < 15; i++) {
        check_equal(first[order[i]], 0x0101010101010101ul * (i + 1));
    }
    check_equal(first[SP], context.user_regs.rsp);
    check_equal(first[FLAGS] & (FLAG_CF | FLAG_AC | FLAG_ID | FLAG_DF),
                FLAG_CF | FLAG_AC | FLAG_ID | FLAG_DF);
    check_equal(first[DS], FLAT_USER_DS32);
    check_equal(first[ES], FLAT_USER_DS32);
    check_equal(first[FS], 0);
    check_equal(first[GS], SEL_OF_GDT);
    check_equal(first[FS_BASE], context.fs_base);
    check_equal(first[GS_BASE], context.gs_base_kernel);
    check_equal(first[USER_GS_BASE], context.gs_base_user);
    vcpu_start(1, take_illegal_instruction, &trap);
    check(vcpu_join(1, 10000));
    check_equal(trap.regs.vector, EXC_UD);
}

/* An image as FXSAVE writes it. */
struct fxsave_image {
    uint16_t fcw, fsw, ftw, fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint64_t st[8][2], xmm[16][2];
    uint64_t reserved[12];
};

TEST(vcpu_initialise_fpu_and_control, "vcpus=2 alone unstarted pv")
{
    struct fxsave_image *fpu = (struct fxsave_image *)&context.fpu_ctxt;
    static const uint64_t dr[8] = {
        0x1000,
        0x2008,
        0x84,
        0x4000,
        0,
        0,
        DR6_DEFAULT | 1 << 14,
        DR7_DEFAULT | 2 << 0 | 2 << 2 | 2 << 4 | 1 << 16 | 0xb << 20 | 2 << 24,
    };
    uint64_t before = read_cr4(), bits = CR4_DE;
    unsigned int i;

    begin(1);
    bits |= has_xsave() ? CR4_OSXSAVE : 0;
    context.flags |= VGCF_i387_valid;
    fpu->fcw = 0x77f;
    fpu->mxcsr = 0x5f80;
    fpu->xmm[1][0] = 0x0123456789abcdef;
    fpu->xmm[1][1] = 0x1122334455667788;
    context.ctrlreg[0] = CR0_TS;
    context.ctrlreg[2] = 0x123456789000;
    context.ctrlreg[4] = bits | CR4_VMXE;
    memcpy(context.debugreg, dr, sizeof(dr));
    start(1);
    check_equal(first[FCW], 0x77f);
    check_equal(first[MXCSR], 0x5f80);
    check_equal(first[XMM1], fpu->xmm[1][0]);
    check_equal(first[XMM1_HIGH], fpu->xmm[1][1]);
    check_equal(first[CR0] & CR0_TS, CR0_TS);
    check_equal(first[CR2], context.ctrlreg[2]);
    check_equal(first[CR4], before | bits);
    for (i = 0; i < 8; i++) {
        if (i != 4 && i != 5) {
            check_equal(first[DR + i], dr[i]);
        }
    }
}

/* Debug registers that the vCPU may not set itself stay as they are at first. */
static const struct {
    const char *name;
    unsigned int reg;
    uint64_t value;
} ignored[] = {
    { "general detect", 7, 1 << 13 | 1 },
    { "a port without CR4.DE", 7, 2 << 4 | 2 << 24 },
    { "more than 32 bits", 7, 1ul << 32 | 1 },
    { "more than 32 bits", 6, 1ul << 32 | 1 },
    { "the hypervisor's address", 3, HYPERVISOR_START },
};

TEST(vcpu_initialise_with_nothing, "vcpus=6 alone unstarted pv")
{
    uint64_t before = read_cr4();
    unsigned int vcpu, i;

    for (vcpu = 1; vcpu < 6; vcpu++) {
        test_row(ignored[vcpu - 1].name);
        begin(vcpu);
        context.debugreg[ignored[vcpu - 1].reg] = ignored[vcpu - 1].value;
        start(vcpu);
        check_equal(first[FCW], FCW_DEFAULT);
        check_equal(first[MXCSR], MXCSR_DEFAULT);
        check_equal(first[XMM1] | first[XMM1_HIGH], 0);
        check_equal(first[CR0] & CR0_TS, 0);
        check_equal(first[CR4], before);
        for (i = DS; i <= GS; i++) {
            check_equal(first[i], 0);
        }
        for (i = FS_BASE; i < DR + 4; i++) {
            check_equal(first[i], 0);
        }
        check_equal(first[DR + 6], DR6_DEFAULT);
        check_equal(first[DR + 7], DR7_DEFAULT);
    }
}

/* On Xen 4.17 the vCPU begins when something wakes it. */
TEST(vcpu_initialise_online, "vcpus=2 alone unstarted pv noshim")
{
    begin(1);
    context.flags |= VGCF_online;
    check_equal(initialise(1), 0);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL), 1);
    if (!host_is_xen()) {
        check(wait_for(described, 10000));
    }
}

extern const char stay_here[];
asm(".pushsection .text\n"
    "stay_here: pause\n"
    "jmp stay_here\n"
    ".popsection\n");

/* What came for the vCPU before is delivered before its first instruction. */
TEST(vcpu_initialise_and_nmi, "vcpus=2 alone unstarted pv")
{
    begin(1);
    context.user_regs.rip = (unsigned long)stay_here;
    context.trap_ctxt[EXC_NMI].address = (unsigned long)first_instruction;
    require(initialise(1) == 0);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 1, NULL), 0);
    require(up(1) == 0);
    check(wait_for(described, 10000));
}

static uint64_t failsafe_frame[11];
static volatile bool failed_safely, failed_with_upcalls;

void describe_failsafe(const uint64_t *frame) __attribute__((noreturn));

void describe_failsafe(const uint64_t *frame)
{
    memcpy(failsafe_frame, frame, sizeof(failsafe_frame));
    failed_with_upcalls = upcalls_enabled();
    failed_safely = true;
    vcpu_main(this_vcpu());
}

extern const char take_failsafe[];
asm(".pushsection .text\n"
    "take_failsafe:\n"
    "mov %rsp, %rdi\n"
    "sub $8, %rsp\n"
    "jmp describe_failsafe\n"
    ".popsection\n");

/* A selector that cannot be loaded: the kernel is told, with all of them. */
TEST(vcpu_initialise_bad_selector, "vcpus=3 alone unstarted pv")
{
    unsigned int vcpu;

    for (vcpu = 1; vcpu < 3; vcpu++) {
        const struct cpu_user_regs *regs = &context.user_regs;
        uint64_t wanted[] = {
            3,
            11,
            SEL_OF_GDT,
            0,
            SEL_OF_NONE,
            FLAT_USER_DS32,
            0,
            FLAT_KERNEL_CS & ~3ul,
            0,
            0,
            FLAT_KERNEL_SS,
        };
        unsigned int i;

        begin(vcpu);
        test_row(vcpu == 1 ? "failsafe masks events" : "it does not");
        give_gdt();
        context.flags |= vcpu == 1 ? VGCF_failsafe_disables_events : 0;
        context.failsafe_callback_eip = (unsigned long)take_failsafe;
        context.user_regs.rcx = 3;
        context.user_regs.r11 = 11;
        context.user_regs.ds = SEL_OF_GDT;
        context.user_regs.fs = SEL_OF_NONE;
        context.user_regs.gs = FLAT_USER_DS32;
        context.user_regs.rflags |= FLAG_CF;
        wanted[6] = regs->rip;
        wanted[8] = FLAG_IF | FLAG_CF;
        wanted[9] = regs->rsp;
        vcpu_info_of(vcpu)->evtchn_upcall_mask = 0;
        failed_safely = false;
        require(initialise(vcpu) == 0);
        require(up(vcpu) == 0);
        require(wait_for(failed_safely, 10000));
        failsafe_frame[8] &= ~2ul; /* always set in a processor */
        for (i = 0; i < 11; i++) {
            check_equal(failsafe_frame[i], wanted[i]);
        }
        check_equal(failed_with_upcalls, vcpu != 1);
    }
}

#define MARK 0x1020304050607080

USER_CODE(say_what_gs_has, "mov %gs:0, %rdi\n"
                           "syscall\n"
                           "hlt\n");

static struct interrupt_frame came;
static volatile bool has_come, came_with_upcalls;

static void take_system_call(struct interrupt_frame *frame)
{
    came = *frame;
    came_with_upcalls = upcalls_enabled();
    has_come = true;
    vcpu_main(this_vcpu());
}

TEST(vcpu_initialise_in_user_mode, "vcpus=3 alone unstarted pv")
{
    uint64_t *data = page_alloc(1);
    unsigned int vcpu;

    user_begin(say_what_gs_has, say_what_gs_has_end);
    user_map(USER_STACK_AT - PAGE_SIZE, data, true);
    user_load();
    *data = MARK;
    for (vcpu = 1; vcpu < 3; vcpu++) {
        test_row(vcpu == 1 ? "system calls mask events" : "they do not");
        begin(vcpu);
        context.flags = vcpu == 1 ? VGCF_syscall_disables_events : 0;
        context.ctrlreg[1] = xen_pfn_to_cr3(user_top());
        context.user_regs.rip = USER_CODE_AT;
        context.user_regs.rsp = USER_STACK_TOP;
        context.user_regs.cs = FLAT_USER_CS;
        context.user_regs.ss = FLAT_USER_SS;
        context.gs_base_user = USER_STACK_AT - PAGE_SIZE;
        context.syscall_callback_eip = (unsigned long)system_call_callback;
        vcpu_info_of(vcpu)->evtchn_upcall_mask = 0;
        has_come = false;
        exception_hook = take_system_call;
        require(initialise(vcpu) == 0);
        require(up(vcpu) == 0);
        require(wait_for(has_come, 10000));
        check_equal(came.vector, VECTOR_SYSTEM_CALL);
        check_equal(came.di, MARK);
        check_equal(came.sp, USER_STACK_TOP);
        check_equal(came_with_upcalls, vcpu != 1);
    }
    exception_hook = NULL;
}

#endif /* GUEST_PV */
