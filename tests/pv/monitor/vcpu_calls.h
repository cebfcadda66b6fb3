/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of vcpu.c: its hypercall, and a vCPU that it brings up. */

#ifndef TESTS_PV_VCPU_CALLS_H
#define TESTS_PV_VCPU_CALLS_H

#include "machine.h"

#include <xen/hvm/hvm_vcpu.h>

#define NR_VCPUS 4

static const struct machine_config config = { .nr_vcpus = NR_VCPUS };
static const struct machine_config own_config = {
    .nr_vcpus = NR_VCPUS, .own_events = true,
};

static inline long vcpu_op(unsigned int cmd, unsigned int id, uint64_t arg)
{
    return machine_call(__HYPERVISOR_vcpu_op, cmd, id, arg, 0);
}

/* A top-level table that has the kernel's own entries. */
static inline uint64_t new_top(void)
{
    uint64_t mfn = machine_frame();

    memcpy(frame(mfn), frame(boot->top_mfn), PAGE_SIZE);
    return mfn;
}

static inline vcpu_guest_context_t good_context(void)
{
    return (vcpu_guest_context_t) {
        .flags = VGCF_in_kernel,
        .user_regs = {
            .rip = MACHINE_KERNEL_VA, .rsp = MACHINE_KERNEL_VA + PAGE_SIZE,
            .cs = SEL_CS64, .ss = SEL_DS,
        },
        .ctrlreg[3] = xen_pfn_to_cr3(new_top()),
    };
}

static inline long initialise(unsigned int id, const vcpu_guest_context_t *c)
{
    return vcpu_op(VCPUOP_initialise, id, machine_put(c, sizeof(*c)));
}

/* vCPU 1 as Linux brings it up. */
static inline void bring_up(unsigned int id)
{
    vcpu_guest_context_t c = good_context();

    g_assert_cmpint(initialise(id, &c), ==, 0);
    g_assert_cmpint(vcpu_op(VCPUOP_up, id, 0), ==, 0);
}

#endif /* TESTS_PV_VCPU_CALLS_H */
