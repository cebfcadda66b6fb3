/* SPDX-License-Identifier: GPL-2.0-or-later */
/* park.c: what a vCPU that was down finds in the same processor, and in another one. */

#include "machine.h"

#define MSR_TSC_AUX 0xc0000103

static const struct machine_config config = { .nr_vcpus = 2 };
static const struct machine_config own_config = {
    .nr_vcpus = 2, .own_events = true, .own_runstates = true,
};

static unsigned int cpuid_size = 832;
static bool has_xsave = true;

/* AVX, with room for all of XCR0 as cpuid_size says. */
static void processor_cpuid(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    uint32_t leaf = *a;

    *a = *b = *c = *d = 0;
    switch (leaf) {
    case 0:
        *a = 0xd;
        break;
    case 1:
        *c = has_xsave ? 1u << 26 : 0;
        break;
    case 7:
        *b = 1;
        break;
    case 0xd:
        *a = 7;
        *b = cpuid_size;
        break;
    }
}

/* All that a guest may have there, of vCPU 0. */
static struct machine_processor *fill(void)
{
    struct machine_processor *p = &machine_processors[0];
    unsigned int i;

    set_guest_cr4(vcpu_by_id(0), CR4_TSD | CR4_FSGSBASE | CR4_OSXSAVE);
    for (i = 0; i < 4; i++) {
        p->dr[i] = MACHINE_KERNEL_VA + i;
    }
    vcpu_by_id(0)->dr6 = 0xffff0ff1;
    vcpu_by_id(0)->dr7 = p->dr[7] = 0x403;
    vcpu_by_id(0)->port_breakpoints = 0x20000;
    p->ds = SEL_DS;
    p->es = SEL_DS | 3;
    p->fs = 0;
    p->gs = SEL_DS;
    *machine_msr(MSR_FS_BASE) = 0x1000;
    *machine_msr(MSR_GS_BASE) = 0x2000;
    *machine_msr(MSR_KERNEL_GS_BASE) = 0x3000;
    *machine_msr(MSR_TSC_AUX) = 7;
    if (has_xsave) {
        xsetbv_safe(0, 7);
    }
    for (i = 0; i < 832; i++) {
        /* Not in the header; and MXCSR has its reserved bits clear. */
        p->fpu[i] = (i >= 512 && i < 576) || (i >= 24 && i < 32) ? 0 : i * 7;
    }
    return p;
}

static struct machine_processor before;

/* QEMU unplugs the processor, and plugs another one, which begins as any does. */
static void replace_processor(void)
{
    struct machine_processor *p = &machine_processors[0];

    before = *p;
    *p = (struct machine_processor) {
        .cr0 = 0x80050033, .cr4 = CR4_PAE | CR4_OSFXSR,
        .cr3 = vcpu_by_id(0)->kernel_top << PAGE_SHIFT,
    };
    *machine_msr(MSR_X2APIC_ID) = 5;
    g_assert_true(vcpu_by_id(0)->is_parked);
    machine_l0.vcpus[0].up = true;
}

static void go_down_and_up(void)
{
    g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op, VCPUOP_down, 0, 0, 0),
                    ==, 0);
    g_assert_false(vcpu_by_id(0)->is_parked);
}

static void assert_as_before(void)
{
    const struct machine_processor *p = &machine_processors[0];

    g_assert_cmphex(p->cr4, ==, before.cr4);
    g_assert_cmphex(p->xcr0, ==, before.xcr0);
    g_assert_cmpmem(p->dr, 4 * sizeof(p->dr[0]), before.dr,
                    4 * sizeof(p->dr[0]));
    g_assert_cmphex(p->dr[7], ==, before.dr[7]);
    g_assert_cmphex(vcpu_by_id(0)->dr6, ==, 0xffff0ff1);
    g_assert_cmphex(vcpu_by_id(0)->dr7, ==, 0x403);
    g_assert_cmphex(vcpu_by_id(0)->port_breakpoints, ==, 0x20000);
    g_assert_cmphex(p->ds, ==, before.ds);
    g_assert_cmphex(p->es, ==, before.es);
    g_assert_cmphex(p->fs, ==, before.fs);
    g_assert_cmphex(p->gs, ==, before.gs);
    g_assert_cmphex(*machine_msr(MSR_FS_BASE), ==, 0x1000);
    g_assert_cmphex(*machine_msr(MSR_GS_BASE), ==, 0x2000);
    g_assert_cmphex(*machine_msr(MSR_KERNEL_GS_BASE), ==, 0x3000);
    g_assert_cmphex(*machine_msr(MSR_TSC_AUX), ==, 7);
    g_assert_cmphex(p->cr3, ==, vcpu_by_id(0)->kernel_top << PAGE_SHIFT);
    /* And what is the monitor's own there. */
    g_assert_cmphex(p->tr, ==, SEL_TSS);
    g_assert_cmphex(p->idtr.base, ==, before.idtr.base);
    g_assert_cmphex(*machine_msr(MSR_LSTAR), !=, 0);
    g_assert_cmpuint(vcpu_by_id(0)->apic_id, ==, 5);
}

/* vCPU 0 is to come up in another processor than the one that it goes down in. */
static void begin_other_processor(void)
{
    machine_hooks.cpuid = processor_cpuid;
    machine_start(&config);
    fill();
    machine_hooks.idle = replace_processor;
    machine_hooks.other_processor = true;
}

static void test_other_processor(void)
{
    begin_other_processor();
    go_down_and_up();
    assert_as_before();
    g_assert_cmpmem(machine_processors[0].fpu, 832, before.fpu, 832);
}

/* FXSAVE's part of it is all that there is. */
static void test_without_xsave(void)
{
    has_xsave = false;
    begin_other_processor();
    go_down_and_up();
    assert_as_before();
    g_assert_cmpmem(machine_processors[0].fpu + 32, 384, before.fpu + 32, 384);
}

/* States for which the block has no room stay out; the first three have fixed places. */
static void test_large_states(void)
{
    cpuid_size = FPU_STATE_SIZE + 8192;
    begin_other_processor();
    go_down_and_up();
    g_assert_cmpmem(machine_processors[0].fpu, 832, before.fpu, 832);
}

/* A header that an earlier save has left would be more than XRSTOR takes. */
static void test_again(void)
{
    begin_other_processor();
    go_down_and_up();
    xsetbv_safe(0, XCR0_X87 | XCR0_SSE);
    go_down_and_up();
    g_assert_cmphex(machine_processors[0].xcr0, ==, XCR0_X87 | XCR0_SSE);
}

static void up_again(void)
{
    before = machine_processors[0];
    machine_l0.vcpus[0].up = true;
}

/* In its own processor nothing is written anew. */
static void test_same_processor(void)
{
    machine_hooks.cpuid = processor_cpuid;
    machine_start(&config);
    fill();
    set_guest_ts(vcpu_by_id(0), true);
    machine_hooks.idle = up_again;
    go_down_and_up();
    g_assert_cmphex(machine_processors[0].cr0 & CR0_TS, ==, CR0_TS);
    g_assert_cmpuint(machine_processors[0].nr_cr3_loads, ==,
                     before.nr_cr3_loads);
    g_assert_cmphex(machine_processors[0].ds, ==, SEL_DS);
}

/* CR0.TS is the guest's, which the FPU's owner must not lose. */
static void test_ts(void)
{
    machine_hooks.cpuid = processor_cpuid;
    machine_start(&config);
    fill();
    set_guest_ts(vcpu_by_id(0), true);
    machine_hooks.idle = replace_processor;
    machine_hooks.other_processor = true;
    go_down_and_up();
    g_assert_cmphex(machine_processors[0].cr0 & CR0_TS, ==, CR0_TS);
    g_assert_cmpmem(machine_processors[0].fpu, 832, before.fpu, 832);
}

/* Another vCPU has taken it down while its user mode ran. */
static void test_user_mode(void)
{
    struct vcpu *v;
    uint64_t user;

    machine_start(&config);
    v = vcpu_by_id(0);
    user = machine_frame();
    g_assert_cmpint(set_user_top(v, user), ==, 0);
    toggle_mode(v);
    v->state = VCPU_TO_BE_DOWN;
    machine_hooks.idle = replace_processor;
    machine_hooks.other_processor = true;
    machine_l0.vcpus[0].up = true;
    park_if_asked();
    g_assert_cmphex(machine_processors[0].cr3, ==, user << PAGE_SHIFT);
}

/*
 * The new processor's LAPIC timer is set; events of L0 that have come to the old one are
 * not lost.
 */
static void lose_event(void)
{
    machine_l0_raise(1, 0);
    replace_processor();
}

static void test_events(void)
{
    struct vcpu *v;

    machine_start(&own_config);
    v = vcpu_by_id(0);
    v->timers.singleshot = machine_tsc + 5000;
    v->info->evtchn_upcall_mask = 1;
    machine_hooks.idle = lose_event;
    machine_hooks.other_processor = true;
    go_down_and_up();
    g_assert_cmpuint(*machine_msr(0x838), ==, 5000);
    g_assert_cmpuint(*machine_msr(0x832), ==, VECTOR_TIMER);
    g_assert_cmpuint(v->info->evtchn_upcall_pending, ==, 1);
    /* Steal time is counted where it is now. */
    g_assert_cmphex(*machine_msr(0x4b564d03) & 1, ==, 1);
}

static void stay_offline(void)
{
    g_assert_cmpint(vcpu_by_id(0)->runstate.info.state, ==, RUNSTATE_offline);
    machine_l0.vcpus[0].up = true;
}

static void test_runstate(void)
{
    machine_start(&own_config);
    machine_hooks.idle = stay_offline;
    go_down_and_up();
    g_assert_cmpint(vcpu_by_id(0)->runstate.info.state, ==, RUNSTATE_offline);
    refresh_runstate(vcpu_by_id(0));
    g_assert_cmpint(vcpu_by_id(0)->runstate.info.state, ==, RUNSTATE_running);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/park/other-processor", test_other_processor);
    machine_test("/monitor/park/without-xsave", test_without_xsave);
    machine_test("/monitor/park/large-states", test_large_states);
    machine_test("/monitor/park/again", test_again);
    machine_test("/monitor/park/same-processor", test_same_processor);
    machine_test("/monitor/park/ts", test_ts);
    machine_test("/monitor/park/user-mode", test_user_mode);
    machine_test("/monitor/park/events", test_events);
    machine_test("/monitor/park/runstate", test_runstate);
    return g_test_run();
}
