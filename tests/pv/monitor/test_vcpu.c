/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcpu.c: HYPERVISOR_vcpu_op, by one vCPU at a time; test_vcpu_threads.c has many. */

#include "vcpu_calls.h"

/* Numbers -------------------------------------------------------------------------- */

static void test_numbers(void)
{
    machine_start(&config);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 0, 0), ==, 1);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, NR_VCPUS - 1, 0), ==, 0);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, NR_VCPUS, 0), ==, -XEN_ENOENT);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, UINT32_MAX, 0), ==, -XEN_ENOENT);
    g_assert_cmpint(vcpu_op(1000, 0, 0), ==, -XEN_ENOSYS);
    g_assert_cmpint(vcpu_op(VCPUOP_get_physid, 0, 0), ==, -XEN_EINVAL);
}

/* VCPUOP_initialise ---------------------------------------------------------------- */

static void test_initialise(void)
{
    vcpu_guest_context_t c;
    uint64_t top, user;

    machine_start(&config);
    c = good_context();
    c.ctrlreg[1] = xen_pfn_to_cr3(new_top());
    top = xen_cr3_to_pfn(c.ctrlreg[3]);
    user = xen_cr3_to_pfn(c.ctrlreg[1]);
    g_assert_cmpint(initialise(1, &c), ==, 0);
    /* Its tables are so from now on, though it is not up. */
    g_assert_cmpuint(marks[top], ==, 4);
    g_assert_cmpuint(marks[user], ==, 4);
    g_assert_true(top_is_in_use(top) && top_is_in_use(user));
    g_assert_cmphex(((uint64_t *)frame(top))[FIRST_SLOT], ==, boot->slots[0]);
    /* User mode has no M2P. */
    g_assert_cmphex(((uint64_t *)frame(user))[FIRST_SLOT], ==, 0);
    g_assert_cmphex(((uint64_t *)frame(user))[FIRST_SLOT + 5], ==,
                    boot->slots[5]);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 0);
    g_assert_false(machine_l0.vcpus[1].up);
}

static void test_initialise_refused(void)
{
    vcpu_guest_context_t c;
    uint64_t at;

    machine_start(&config);
    c = good_context();
    g_assert_cmpint(vcpu_op(VCPUOP_initialise, 1, 0), ==, -XEN_EFAULT);
    g_assert_cmpint(vcpu_op(VCPUOP_initialise, 1, M2P_VA), ==, -XEN_EFAULT);
    c.kernel_sp = 1ul << 63;
    g_assert_cmpint(initialise(1, &c), ==, -XEN_EINVAL);
    c = good_context();
    c.gdt_ents = 1;
    c.gdt_frames[0] = MACHINE_HOLE_MFN;
    g_assert_cmpint(initialise(1, &c), ==, -XEN_EINVAL);
    c = good_context();
    c.ctrlreg[3] = xen_pfn_to_cr3(MACHINE_HOLE_MFN);
    g_assert_cmpint(initialise(1, &c), ==, -XEN_EINVAL);
    c = good_context();
    c.ctrlreg[1] = xen_pfn_to_cr3(MACHINE_HOLE_MFN);
    g_assert_cmpint(initialise(1, &c), ==, -XEN_EINVAL);
    /* Nothing of all that is left. */
    g_assert_cmpint(vcpu_op(VCPUOP_up, 1, 0), ==, -XEN_EINVAL);
    c = good_context();
    g_assert_cmpint(initialise(1, &c), ==, 0);
    /* Once only.  Xen reads the context before it says so. */
    g_assert_cmpint(initialise(1, &c), ==, -XEN_EEXIST);
    g_assert_cmpint(initialise(0, &c), ==, -XEN_EEXIST);
    g_assert_cmpint(vcpu_op(VCPUOP_initialise, 1, 0), ==, -XEN_EFAULT);
    /* Its last byte is missing. */
    at = MACHINE_KERNEL_VA + MACHINE_KERNEL_PAGES * PAGE_SIZE - sizeof(c) + 1;
    g_assert_cmpint(vcpu_op(VCPUOP_initialise, 1, at), ==, -XEN_EFAULT);
    /* One without vcpu_info. */
    vcpu_by_id(2)->info = NULL;
    g_assert_cmpint(initialise(2, &c), ==, -XEN_EINVAL);
}

static void test_online(void)
{
    vcpu_guest_context_t c;

    machine_start(&config);
    c = good_context();
    c.flags |= VGCF_online;
    g_assert_cmpint(initialise(1, &c), ==, 0);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 1);
    g_assert_true(machine_l0.vcpus[1].up);
}

/* VCPUOP_up and VCPUOP_down -------------------------------------------------------- */

static void test_up(void)
{
    struct vcpu *target;

    machine_start(&config);
    target = vcpu_by_id(1);
    g_assert_cmpint(vcpu_op(VCPUOP_up, 1, 0), ==, -XEN_EINVAL);
    bring_up(1);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 1);
    /* It begins in the monitor, on its own stack and tables. */
    g_assert_cmphex(machine_l0.vcpus[1].rip, ==, MONITOR_VA);
    g_assert_cmphex(machine_l0.vcpus[1].rsp, ==,
                    (uint64_t)target + VCPU_SIZE - STACK_SPARE);
    g_assert_cmphex(machine_l0.vcpus[1].cr3, ==,
                    target->kernel_top << PAGE_SHIFT);
    g_assert_cmpint(vcpu_op(VCPUOP_up, 1, 0), ==, 0);
}

/* As the call says, with a processor whose FPU is nobody's. */
static uint64_t cr0_in_l0;

static bool take_cr0(const struct pv_call *call, long *result)
{
    if (call->number == __HYPERVISOR_vcpu_op &&
        call->args[0] == VCPUOP_initialise) {
        cr0_in_l0 = ((const struct vcpu_hvm_context *)call->args[2])
                    ->cpu_regs.x86_64.cr0;
    }
    return false;
}

static void test_up_without_ts(void)
{
    machine_start(&config);
    machine_hooks.l0 = take_cr0;
    set_guest_ts(vcpu_by_id(0), true);
    bring_up(1);
    g_assert_cmphex(cr0_in_l0, ==, read_cr0() & ~CR0_TS);
}

/* The target has said that it is down, and has not come to L0 yet. */
static unsigned int nr_looks;

static bool down_at_third_look(const struct pv_call *call, long *result)
{
    if (call->number != __HYPERVISOR_vcpu_op) {
        return false;
    }
    switch (call->args[0]) {
    case VCPUOP_is_up:
        *result = ++nr_looks < 3;
        return true;
    case VCPUOP_up:
        g_assert_cmpuint(nr_looks, ==, 3);
    }
    return false;
}

static void test_up_waits(void)
{
    machine_start(&config);
    bring_up(1);
    vcpu_by_id(1)->state = VCPU_DOWN;
    machine_hooks.l0 = down_at_third_look;
    g_assert_cmpint(vcpu_op(VCPUOP_up, 1, 0), ==, 0);
    g_assert_cmpuint(nr_looks, ==, 3);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 1);
}

/* A table that was given back, or is no top-level table any more. */
static void test_up_without_tables(void)
{
    vcpu_guest_context_t c;

    machine_start(&config);
    c = good_context();
    g_assert_cmpint(initialise(1, &c), ==, 0);
    marks[vcpu_by_id(1)->kernel_top] = 0;
    g_assert_cmpint(vcpu_op(VCPUOP_up, 1, 0), ==, -XEN_EINVAL);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 0);
}

static unsigned int nr_ups;
static long up_results[4];

static bool scripted_ups(const struct pv_call *call, long *result)
{
    if (call->number != __HYPERVISOR_vcpu_op || call->args[0] != VCPUOP_up) {
        return false;
    }
    *result = up_results[nr_ups++];
    return *result;
}

/* QEMU has plugged another processor between the two calls: that one has no context. */
static void test_up_again(void)
{
    vcpu_guest_context_t c;

    machine_start(&config);
    c = good_context();
    g_assert_cmpint(initialise(1, &c), ==, 0);
    machine_hooks.l0 = scripted_ups;
    up_results[0] = up_results[1] = -XEN_EINVAL;
    g_assert_cmpint(vcpu_op(VCPUOP_up, 1, 0), ==, 0);
    g_assert_cmpuint(nr_ups, ==, 3);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 1);
}

static void test_up_fails(void)
{
    vcpu_guest_context_t c;

    machine_start(&config);
    c = good_context();
    g_assert_cmpint(initialise(1, &c), ==, 0);
    machine_hooks.l0 = scripted_ups;
    up_results[0] = -XEN_ENOENT;
    g_assert_cmpint(vcpu_op(VCPUOP_up, 1, 0), ==, -XEN_ENOENT);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 0);
    g_assert_cmpint(vcpu_op(VCPUOP_up, 1, 0), ==, 0);
}

/* It parks itself, when it comes to it; until then the order can be taken back. */
static void test_down_other(void)
{
    unsigned int kicks;

    machine_start(&config);
    bring_up(1);
    kicks = machine_processors[0].nr_kicks;
    g_assert_cmpint(vcpu_op(VCPUOP_down, 1, 0), ==, 0);
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, kicks + 1);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 0);
    g_assert_true(machine_l0.vcpus[1].up);
    g_assert_cmpint(vcpu_op(VCPUOP_down, 1, 0), ==, 0);
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, kicks + 1);
    g_assert_cmpint(vcpu_op(VCPUOP_up, 1, 0), ==, 0);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 1);
    machine_switch(1);
    park_if_asked();
    g_assert_true(machine_l0.vcpus[1].up);
    /* One that never was up. */
    machine_switch(0);
    g_assert_cmpint(vcpu_op(VCPUOP_down, 2, 0), ==, 0);
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, kicks + 1);
}

/* What another vCPU sees while vCPU 1 is down, and that it brings it up again. */
static unsigned int nr_idles;

static void bring_up_vcpu1(void)
{
    nr_idles++;
    machine_switch(0);
    g_assert_false(machine_l0.vcpus[1].up);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 0);
    g_assert_cmpint(vcpu_op(VCPUOP_up, 1, 0), ==, 0);
    machine_switch(1);
}

static void test_down_itself(void)
{
    machine_start(&config);
    bring_up(1);
    machine_switch(1);
    machine_hooks.idle = bring_up_vcpu1;
    g_assert_cmpint(vcpu_op(VCPUOP_down, 1, 0), ==, 0);
    g_assert_cmpuint(nr_idles, ==, 1);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 1, 0), ==, 1);
    /* The same as another one has asked for it, at a trap. */
    machine_switch(0);
    g_assert_cmpint(vcpu_op(VCPUOP_down, 1, 0), ==, 0);
    machine_switch(1);
    park_if_asked();
    g_assert_cmpuint(nr_idles, ==, 2);
    park_if_asked();
    g_assert_cmpuint(nr_idles, ==, 2);
}

static bool no_down(const struct pv_call *call, long *result)
{
    *result = -XEN_EBUSY;
    return call->number == __HYPERVISOR_vcpu_op &&
           call->args[0] == VCPUOP_down;
}

static void test_down_fails(void)
{
    machine_start(&config);
    machine_hooks.l0 = no_down;
    g_assert_cmpint(vcpu_op(VCPUOP_down, 0, 0), ==, -XEN_EBUSY);
    g_assert_cmpint(vcpu_op(VCPUOP_is_up, 0, 0), ==, 1);
    g_assert_false(vcpu_by_id(0)->is_parked);
}

/* NMIs ----------------------------------------------------------------------------- */

static void test_nmi(void)
{
    unsigned int kicks;

    machine_start(&config);
    kicks = machine_processors[0].nr_kicks;
    g_assert_cmpint(vcpu_op(VCPUOP_send_nmi, 1, MACHINE_KERNEL_VA), ==,
                    -XEN_EINVAL);
    g_assert_false(vcpu_by_id(1)->nmi_pending);
    /* One that has not begun has it then. */
    g_assert_cmpint(vcpu_op(VCPUOP_send_nmi, 1, 0), ==, 0);
    g_assert_true(vcpu_by_id(1)->nmi_pending);
    g_assert_cmpint(vcpu_op(VCPUOP_send_nmi, 0, 0), ==, 0);
    g_assert_true(vcpu_by_id(0)->nmi_pending);
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, kicks);
    bring_up(1);
    g_assert_cmpint(vcpu_op(VCPUOP_send_nmi, 1, 0), ==, 0);
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, kicks + 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/vcpu/numbers", test_numbers);
    machine_test("/monitor/vcpu/initialise", test_initialise);
    machine_test("/monitor/vcpu/initialise-refused", test_initialise_refused);
    machine_test("/monitor/vcpu/online", test_online);
    machine_test("/monitor/vcpu/up", test_up);
    machine_test("/monitor/vcpu/up-without-ts", test_up_without_ts);
    machine_test("/monitor/vcpu/up-waits", test_up_waits);
    machine_test("/monitor/vcpu/up-without-tables", test_up_without_tables);
    machine_test("/monitor/vcpu/up-again", test_up_again);
    machine_test("/monitor/vcpu/up-fails", test_up_fails);
    machine_test("/monitor/vcpu/down-other", test_down_other);
    machine_test("/monitor/vcpu/down-itself", test_down_itself);
    machine_test("/monitor/vcpu/down-fails", test_down_fails);
    machine_test("/monitor/vcpu/nmi", test_nmi);
    return g_test_run();
}
