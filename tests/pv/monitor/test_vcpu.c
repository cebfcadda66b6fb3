/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcpu.c: HYPERVISOR_vcpu_op, by one vCPU at a time; test_vcpu_threads.c has many. */

#include "machine.h"

#include <xen/hvm/hvm_vcpu.h>

#define NR_VCPUS 4

static const struct machine_config config = { .nr_vcpus = NR_VCPUS };
static const struct machine_config own_config = {
    .nr_vcpus = NR_VCPUS, .own_events = true,
};

static long vcpu_op(unsigned int cmd, unsigned int id, uint64_t arg)
{
    return machine_call(__HYPERVISOR_vcpu_op, cmd, id, arg, 0);
}

/* A top-level table that has the kernel's own entries. */
static uint64_t new_top(void)
{
    uint64_t mfn = machine_frame();

    memcpy(frame(mfn), frame(boot->top_mfn), PAGE_SIZE);
    return mfn;
}

static vcpu_guest_context_t good_context(void)
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

static long initialise(unsigned int id, const vcpu_guest_context_t *c)
{
    return vcpu_op(VCPUOP_initialise, id, machine_put(c, sizeof(*c)));
}

/* vCPU 1 as Linux brings it up. */
static void bring_up(unsigned int id)
{
    vcpu_guest_context_t c = good_context();

    g_assert_cmpint(initialise(id, &c), ==, 0);
    g_assert_cmpint(vcpu_op(VCPUOP_up, id, 0), ==, 0);
}

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

/* vcpu_info ------------------------------------------------------------------------ */

static long register_info(unsigned int id, uint64_t mfn, uint32_t offset)
{
    const struct vcpu_register_vcpu_info op = { .mfn = mfn, .offset = offset };

    return vcpu_op(VCPUOP_register_vcpu_info, id, machine_put(&op, sizeof(op)));
}

static void test_info_refused(void)
{
    const uint32_t last = PAGE_SIZE - sizeof(vcpu_info_t);
    uint64_t mfn;

    machine_start(&own_config);
    mfn = machine_frame();
    g_assert_cmpint(vcpu_op(VCPUOP_register_vcpu_info, 0, 0), ==, -XEN_EFAULT);
    g_assert_cmpint(register_info(0, mfn, last + 8), ==, -XEN_ENXIO);
    g_assert_cmpint(register_info(0, mfn, 4), ==, -XEN_ENXIO);
    g_assert_cmpint(register_info(0, mfn, UINT32_MAX - 7), ==, -XEN_ENXIO);
    g_assert_cmpint(register_info(0, MACHINE_HOLE_MFN, 0), ==, -XEN_EINVAL);
    g_assert_cmpint(register_info(0, MACHINE_LOW_MFN - 1, 0), ==, -XEN_EINVAL);
    g_assert_cmpint(register_info(0, ~0ul, 0), ==, -XEN_EINVAL);
    /* The monitor would write into its own entries. */
    g_assert_cmpint(register_info(0, boot->top_mfn, last), ==, -XEN_EINVAL);
    bring_up(1);
    g_assert_cmpint(register_info(1, mfn, 0), ==, -XEN_EINVAL);
    g_assert_cmpint(register_info(0, mfn, last), ==, 0);
    g_assert_cmpint(register_info(0, mfn, 0), ==, -XEN_EINVAL);
    g_assert_cmpint(register_info(2, MACHINE_MAX_MFN - 1, 0), ==, 0);
}

/* Its time, its mask, and what came to the old one. */
static void test_info_moves(void)
{
    vcpu_info_t *info;
    uint64_t mfn;

    machine_start(&own_config);
    mfn = machine_frame();
    info = (vcpu_info_t *)((uint8_t *)frame(mfn) + 64);
    vcpu_by_id(0)->info->evtchn_upcall_mask = 0;
    vcpu_by_id(0)->info->arch.cr2 = 0x1234;
    vcpu_by_id(0)->l0_info->time.system_time = 99;
    g_assert_cmpint(register_info(0, mfn, 64), ==, 0);
    g_assert_true(vcpu_by_id(0)->info == info);
    g_assert_cmpuint(info->evtchn_upcall_mask, ==, 0);
    g_assert_cmphex(info->arch.cr2, ==, 0x1234);
    g_assert_cmpuint(info->time.system_time, ==, 99);
    /* Words that it has not seen yet are looked at. */
    g_assert_cmpuint(info->evtchn_upcall_pending, ==, 1);
    g_assert_cmphex(info->evtchn_pending_sel, !=, 0);
}

/* One without a place in shared_info: events are masked. */
static void test_info_first(void)
{
    vcpu_info_t *info;
    uint64_t mfn;

    machine_start(&own_config);
    mfn = machine_frame();
    info = frame(mfn);
    memset(info, 0xff, sizeof(*info));
    vcpu_by_id(1)->info = NULL;
    g_assert_cmpint(register_info(1, mfn, 0), ==, 0);
    g_assert_cmpuint(info->evtchn_upcall_mask, ==, 1);
    g_assert_cmphex(info->arch.cr2, ==, 0);
}

static bool no_info(const struct pv_call *call, long *result)
{
    *result = -XEN_EINVAL;
    return call->number == __HYPERVISOR_vcpu_op &&
           call->args[0] == VCPUOP_register_vcpu_info;
}

static void test_info_of_l0(void)
{
    vcpu_info_t *old;
    uint64_t mfn;

    machine_start(&config);
    mfn = machine_frame();
    old = vcpu_by_id(0)->info;
    machine_hooks.l0 = no_info;
    g_assert_cmpint(register_info(0, mfn, 0), ==, -XEN_EINVAL);
    g_assert_true(vcpu_by_id(0)->info == old);
    machine_hooks.l0 = NULL;
    g_assert_cmpint(register_info(0, mfn, 0), ==, 0);
    g_assert_true(vcpu_by_id(0)->info == frame(mfn));
    g_assert_cmphex(vcpu_by_id(0)->info->evtchn_pending_sel, ==, ~0ul);
    g_assert_cmpuint(vcpu_by_id(0)->info->evtchn_upcall_pending, ==, 1);
}

/* Areas that L0 writes to ---------------------------------------------------------- */

static uint64_t area_in_l0;
static unsigned int nr_areas;

static bool take_area(const struct pv_call *call, long *result)
{
    if (call->number != __HYPERVISOR_vcpu_op ||
        (call->args[0] != VCPUOP_register_runstate_memory_area &&
         call->args[0] != VCPUOP_register_vcpu_time_memory_area)) {
        return false;
    }
    area_in_l0 = *(const uint64_t *)call->args[2];
    nr_areas++;
    *result = 0;
    return true;
}

static long register_area(unsigned int cmd, uint64_t address)
{
    return vcpu_op(cmd, 0, machine_put(&address, sizeof(address)));
}

/* By the monitor's rights: not where the guest must not write. */
static void test_areas(void)
{
    const unsigned int cmds[] = { VCPUOP_register_runstate_memory_area,
                                  VCPUOP_register_vcpu_time_memory_area };
    const uint64_t va = 0xffff900000000000ul;
    unsigned int i;

    machine_start(&config);
    machine_map(va, machine_frame(), PTE_PRESENT | PTE_WRITE);
    machine_map(va + PAGE_SIZE, boot->top_mfn, PTE_PRESENT);
    machine_hooks.l0 = take_area;
    for (i = 0; i < G_N_ELEMENTS(cmds); i++) {
        const uint64_t bad[] = {
            va + PAGE_SIZE, va + PAGE_SIZE - 8, va - 8, va + 2 * PAGE_SIZE,
            M2P_VA, MARKS_VA, DIRECTMAP_VA, HYPERVISOR_END - 8, ~0ul, 1ul << 60,
        };
        unsigned int k;

        nr_areas = 0;
        for (k = 0; k < G_N_ELEMENTS(bad); k++) {
            g_assert_cmpint(register_area(cmds[i], bad[k]), ==, -XEN_EFAULT);
        }
        g_assert_cmpint(vcpu_op(cmds[i], 0, 0), ==, -XEN_EFAULT);
        g_assert_cmpuint(nr_areas, ==, 0);
        g_assert_cmpint(register_area(cmds[i], va), ==, 0);
        g_assert_cmphex(area_in_l0, ==, va);
        /* None. */
        g_assert_cmpint(register_area(cmds[i], 0), ==, 0);
        g_assert_cmphex(area_in_l0, ==, 0);
        g_assert_cmpuint(nr_areas, ==, 2);
    }
}

/* What is neither the monitor's nor the guest's to say goes to L0, with no pointer into here. */
static void test_passed_on(void)
{
    static const unsigned int cmds[] = {
        VCPUOP_set_periodic_timer, VCPUOP_stop_periodic_timer,
        VCPUOP_set_singleshot_timer, VCPUOP_stop_singleshot_timer,
        VCPUOP_get_runstate_info,
    };
    unsigned int i;

    machine_start(&config);
    for (i = 0; i < G_N_ELEMENTS(cmds); i++) {
        vcpu_op(cmds[i], 2, MACHINE_KERNEL_VA);
        g_assert_cmpuint(machine_l0.last.number, ==, __HYPERVISOR_vcpu_op);
        g_assert_cmpuint(machine_l0.last.args[0], ==, cmds[i]);
        g_assert_cmpuint(machine_l0.last.args[1], ==, 2);
        g_assert_cmphex(machine_l0.last.args[2], ==, MACHINE_KERNEL_VA);
        vcpu_op(cmds[i], 2, DIRECTMAP_VA);
        g_assert_cmphex(machine_l0.last.args[2], ==, NOTHING_VA);
    }
}

/* With events and runstates of the monitor's own L0 does not hear of them. */
static void test_own(void)
{
    const struct machine_config all_own = {
        .nr_vcpus = NR_VCPUS, .own_events = true, .own_runstates = true,
    };
    const struct vcpu_set_singleshot_timer once = { .timeout_abs_ns = 1 };
    const struct vcpu_runstate_info none = { 0 };
    uint64_t at;
    unsigned int calls;

    machine_start(&all_own);
    calls = machine_l0.nr_calls;
    at = machine_put(&once, sizeof(once));
    g_assert_cmpint(vcpu_op(VCPUOP_set_singleshot_timer, 0, at), ==, 0);
    g_assert_cmpint(vcpu_op(VCPUOP_stop_singleshot_timer, 0, 0), ==, 0);
    g_assert_cmpint(vcpu_op(VCPUOP_set_periodic_timer, 0, at), ==, -XEN_EINVAL);
    g_assert_cmpint(vcpu_op(VCPUOP_stop_periodic_timer, 0, 0), ==, 0);
    at = machine_put(&none, sizeof(none));
    g_assert_cmpint(vcpu_op(VCPUOP_get_runstate_info, 0, at), ==, 0);
    g_assert_cmpint(register_area(VCPUOP_register_runstate_memory_area, at), ==,
                    0);
    g_assert_cmpuint(machine_l0.nr_calls, ==, calls);
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
    machine_test("/monitor/vcpu/info-refused", test_info_refused);
    machine_test("/monitor/vcpu/info-moves", test_info_moves);
    machine_test("/monitor/vcpu/info-first", test_info_first);
    machine_test("/monitor/vcpu/info-of-l0", test_info_of_l0);
    machine_test("/monitor/vcpu/areas", test_areas);
    machine_test("/monitor/vcpu/passed-on", test_passed_on);
    machine_test("/monitor/vcpu/own", test_own);
    return g_test_run();
}
