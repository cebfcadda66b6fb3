/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcpu.c: where vcpu_info is, and areas of the guest's that L0 writes to. */

#include "vcpu_calls.h"

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

/* All other calls go to L0, with no pointer into the hypervisor. */
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
    machine_test("/monitor/vcpu_areas/info-refused", test_info_refused);
    machine_test("/monitor/vcpu_areas/info-moves", test_info_moves);
    machine_test("/monitor/vcpu_areas/info-first", test_info_first);
    machine_test("/monitor/vcpu_areas/info-of-l0", test_info_of_l0);
    machine_test("/monitor/vcpu_areas/areas", test_areas);
    machine_test("/monitor/vcpu_areas/passed-on", test_passed_on);
    machine_test("/monitor/vcpu_areas/own", test_own);
    return g_test_run();
}
