/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PV guest's vCPU has in its processor while it is down.  On Xen that is the
 * vCPU's.  Here its processor may be unplugged, and another one plugged, meanwhile:
 * scripts/plug-and-sleep does that when it reads that the vCPU is away.
 */

#include "debug_registers.h"
#include "msr.h"
#include "user_mode.h"
#include "xsave.h"

#ifdef GUEST_PV

struct state {
    uint64_t xmm[2][2];
    uint64_t ymm15_high[2]; /* if the processor has AVX */
    uint64_t xcr0;
    uint64_t st0;
    uint32_t mxcsr;
    uint16_t fcw;
    uint16_t es;
    uint64_t fs_base, cr4;
    uint64_t dr[8]; /* not 4 and 5 */
};

static const struct state wanted = {
    .xmm = { { 0x0123456789abcdef, 0x1122334455667788 },
             { 0xfedcba9876543210, 0x8877665544332211 } },
    .ymm15_high = { 0x0f1e2d3c4b5a6978, 0x1020304050607080 },
    .xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX,
    .st0 = 0x123456789abcde,
    .mxcsr = 0x5f80,
    .fcw = 0x77f,
    .es = FLAT_USER_DS32,
    .fs_base = 0x123456789000,
    /* Two watchpoints, one of them of eight bytes, and a breakpoint on a port. */
    .dr = { 0x1000, 0x2008, 0x84, 0x4000, 0, 0, DR6_DEFAULT | 1 << 14,
            DR7_DEFAULT | 2 << 0 | 2 << 2 | 2 << 4 | 1 << 16 | 0xb << 20 |
                2 << 24 },
};

static struct state found;

static void load_state(const struct state *s)
{
    unsigned int i;

    hypercall(__HYPERVISOR_fpu_taskswitch, 0, 0, 0, 0, 0);
    write_cr4(read_cr4() | CR4_DE);
    for (i = 0; i < 8; i++) {
        if (i != 4 && i != 5) {
            check_equal(set_debugreg(i, s->dr[i]), 0);
        }
    }
    check_equal(hypercall(__HYPERVISOR_set_segment_base, SEGBASE_FS, s->fs_base,
                          0, 0, 0),
                0);
    asm volatile("mov %0, %%es" : : "r"((uint32_t)s->es));
    asm volatile("fninit; fldcw %0; fildll %1; ldmxcsr %2;"
                 "movups %3, %%xmm0; movups %4, %%xmm15"
                 :
                 : "m"(s->fcw), "m"(s->st0), "m"(s->mxcsr), "m"(s->xmm[0]),
                   "m"(s->xmm[1]));
    if (has_avx()) {
        write_cr4(read_cr4() | CR4_OSXSAVE);
        xsetbv(s->xcr0);
        asm volatile("vinsertf128 $1, %0, %%ymm15, %%ymm15"
                     :
                     : "m"(s->ymm15_high));
    }
}

static void store_state(struct state *s)
{
    unsigned int i;

    if (has_avx()) {
        s->xcr0 = xgetbv();
        asm volatile("vextractf128 $1, %%ymm15, %0" : "=m"(s->ymm15_high));
    }
    asm volatile("movups %%xmm0, %0; movups %%xmm15, %1; stmxcsr %2;"
                 "fnstcw %3; fistpll %4"
                 : "=m"(s->xmm[0]), "=m"(s->xmm[1]), "=m"(s->mxcsr),
                   "=m"(s->fcw), "=m"(s->st0));
    asm volatile("mov %%es, %0" : "=m"(s->es));
    s->fs_base = rdmsr(MSR_FS_BASE);
    s->cr4 = read_cr4();
    for (i = 0; i < 8; i++) {
        if (i != 4 && i != 5) {
            s->dr[i] = get_debugreg(i);
        }
    }
}

static void go_down(void *opaque)
{
    load_state(&wanted);
    check_equal(HYPERVISOR_vcpu_op(VCPUOP_down, 1, NULL), 0);
    store_state(&found);
    asm volatile("mov %0, %%es" : : "r"(0));
    set_debugreg(7, DR7_DEFAULT);
}

static int is_up(void)
{
    return HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL);
}

static int up(void)
{
    return HYPERVISOR_vcpu_op(VCPUOP_up, 1, NULL);
}

TEST(vcpu_state_while_down, "vcpus=2 alone pv")
{
    struct vcpu_runstate_info info = { .state = -1 };
    unsigned int i;

    vcpu_start(1, go_down, NULL);
    require(wait_for(is_up() != 1, 10000));
    check(wait_for(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 1, &info) ||
                       info.state == RUNSTATE_offline,
                   10000));
    spin_for(100);
    if (up()) {
        test_note("vCPU 1 is away");
    }
    require(wait_for(up() == 0, 60000));
    check(vcpu_join(1, 10000));
    for (i = 0; i < 2; i++) {
        check_equal(found.xmm[i][0], wanted.xmm[i][0]);
        check_equal(found.xmm[i][1], wanted.xmm[i][1]);
    }
    check_equal(found.st0, wanted.st0);
    check_equal(found.mxcsr, wanted.mxcsr);
    check_equal(found.fcw, wanted.fcw);
    check_equal(found.es, wanted.es);
    check_equal(found.fs_base, wanted.fs_base);
    check_equal(found.cr4 & CR4_DE, CR4_DE);
    if (has_avx()) {
        check_equal(found.cr4 & CR4_OSXSAVE, CR4_OSXSAVE);
        check_equal(found.xcr0, wanted.xcr0);
        check_equal(found.ymm15_high[0], wanted.ymm15_high[0]);
        check_equal(found.ymm15_high[1], wanted.ymm15_high[1]);
    }
    for (i = 0; i < 8; i++) {
        if (i != 4 && i != 5) {
            check_equal(found.dr[i], wanted.dr[i]);
        }
    }
}

#endif /* GUEST_PV */
