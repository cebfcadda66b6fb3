/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the tests of contexts: one that is good, and a vCPU that begins with it. */

#ifndef TESTS_PV_CONTEXTS_H
#define TESTS_PV_CONTEXTS_H

#include "bounces.h"

#define FAILSAFE        (MACHINE_KERNEL_VA + 0x700)
#define GDT_ENTRIES_OF_TEST 8u
#define SEL_TEST_DATA   0x0b
#define SEL_NOT_PRESENT 0x13
#define SEL_SYSTEM      0x1b
#define SEL_BEYOND      0x4003

static const struct machine_config config = { .nr_vcpus = 2 };
static vcpu_guest_context_t context;

/* The least that is good; the vCPU that this test makes of it is vCPU 1. */
static inline void start_with_context(void)
{
    uint64_t gdt;

    machine_start(&config);
    gdt = machine_frame();
    ((uint64_t *)frame(gdt))[SEL_TEST_DATA / 8] = 0x00cf93000000ffff;
    ((uint64_t *)frame(gdt))[SEL_NOT_PRESENT / 8] = 0x00cf13000000ffff;
    context = (vcpu_guest_context_t) {
        .flags = VGCF_in_kernel,
        .user_regs = {
            .rip = MACHINE_KERNEL_VA, .rsp = KERNEL_SP, .cs = SEL_CS64,
            .ss = SEL_DS,
        },
        .gdt_frames = { gdt },
        .gdt_ents = GDT_ENTRIES_OF_TEST,
        .ctrlreg[3] = xen_pfn_to_cr3(boot->top_mfn),
    };
}

/* The registers that vCPU 1 begins with. */
static inline struct regs load(void)
{
    struct vcpu *v = vcpu_by_id(1);
    struct regs regs;

    g_assert_cmpint(check_context(&context), ==, 0);
    g_assert_cmpint(set_gdt(v, context.gdt_frames, context.gdt_ents), ==, 0);
    v->kernel_top = xen_cr3_to_pfn(context.ctrlreg[3]);
    if (context.ctrlreg[1]) {
        g_assert_cmpint(set_user_top(v, xen_cr3_to_pfn(context.ctrlreg[1])), ==,
                        0);
    }
    v->initialised = true;
    v->context = context;
    machine_switch(1);
    init_processor(v);
    memset(&regs, 0xee, sizeof(regs));
    load_context(v, &regs);
    return regs;
}

static inline struct machine_processor *processor(void)
{
    return &machine_processors[1];
}

#endif /* TESTS_PV_CONTEXTS_H */
