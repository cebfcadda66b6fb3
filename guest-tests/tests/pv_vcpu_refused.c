/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contexts with which VCPUOP_initialise of a PV guest makes no vCPU. */

#include "user_mode.h"

#ifdef GUEST_PV

#define FIELD(field) #field, offsetof(struct vcpu_guest_context, field)
#define NO_FRAME (1ul << 40)

static const struct {
    const char *name;
    size_t offset;
    uint64_t value;
} refusals[] = {
    { FIELD(user_regs.rip), NOT_CANONICAL },
    { FIELD(user_regs.rsp), NOT_CANONICAL },
    { FIELD(kernel_sp), NOT_CANONICAL },
    { FIELD(fs_base), NOT_CANONICAL },
    { FIELD(gs_base_kernel), NOT_CANONICAL },
    { FIELD(gs_base_user), NOT_CANONICAL },
    { FIELD(event_callback_eip), NOT_CANONICAL },
    { FIELD(failsafe_callback_eip), NOT_CANONICAL },
    { FIELD(syscall_callback_eip), NOT_CANONICAL },
    { FIELD(trap_ctxt[200].address), NOT_CANONICAL },
    { FIELD(ldt_base), 0x1008 },
    { FIELD(ldt_base), HYPERVISOR_START },
    { FIELD(ldt_ents), 8193 },
    { FIELD(gdt_ents), 0xe000 / 8 + 1 },
    { FIELD(ctrlreg[3]), NO_FRAME },
    { FIELD(ctrlreg[1]), NO_FRAME },
    { FIELD(flags), 0 }, /* in user mode, of which there is none */
};

static struct vcpu_guest_context context;

static int initialise(void)
{
    return HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, &context);
}

static int up(void)
{
    return HYPERVISOR_vcpu_op(VCPUOP_up, 1, NULL);
}

TEST(vcpu_initialise_refusals, "vcpus=2 alone unstarted pv")
{
    unsigned int i;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        test_row(refusals[i].name);
        vcpu_context(1, &context);
        memcpy((char *)&context + refusals[i].offset, &refusals[i].value, 8);
        check_equal(initialise(), -XEN_EINVAL);
        check_equal(up(), -XEN_EINVAL);
    }
    test_row("no such frame of the GDT");
    vcpu_context(1, &context);
    context.gdt_ents = 1;
    context.gdt_frames[0] = NO_FRAME;
    check_equal(initialise(), -XEN_EINVAL);
    test_row("the hypervisor's address");
    check_equal(
        HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, (void *)HYPERVISOR_START),
        -XEN_EFAULT);
    test_row(NULL);
    vcpu_context(1, &context);
    check_equal(initialise(), 0);
    check_equal(
        HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, (void *)HYPERVISOR_START),
        -XEN_EFAULT);
    context.user_regs.rip = NOT_CANONICAL;
    check_equal(initialise(), -XEN_EEXIST);
}

#endif /* GUEST_PV */
