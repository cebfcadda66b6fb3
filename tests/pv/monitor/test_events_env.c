/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events_env.c: frames and interrupts that the event-channel model gets. */

#include "event_env.h"

#include <pthread.h>
#include <sched.h>

static long init_control(unsigned int vcpu, uint64_t gfn)
{
    struct evtchn_init_control init = { .vcpu = vcpu, .control_gfn = gfn };

    return EVENT_CALL(EVTCHNOP_init_control, &init);
}

/* What the model writes to is RAM of the guest's, and no top-level table. */
static void test_frames(void)
{
    const uint64_t bad[] = {
        0, MACHINE_LOW_MFN - 1, MACHINE_HOLE_MFN, MACHINE_HIGH_MFN - 1,
        MACHINE_MAX_MFN, MACHINE_SHARED_INFO_MFN, MACHINE_HEAP_MFN,
        MACHINE_VCPUS_MFN, MACHINE_TABLES_MFN, MACHINE_LOW_MFN, ~0ul,
        1ul << 52 | MACHINE_LOW_MFN,
    };
    uint64_t given_back;
    unsigned int i;

    machine_start(&own_fifo);
    g_assert_cmpuint(boot->top_mfn, ==, MACHINE_LOW_MFN);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(init_control(0, bad[i]), ==, -XEN_EINVAL);
    }
    given_back = machine_frame();
    marks[given_back] = MARK_FREE;
    g_assert_cmpint(init_control(0, given_back), ==, -XEN_EINVAL);
    g_assert_cmpint(init_control(0, MACHINE_HOLE_MFN - 1), ==, 0);
    g_assert_cmpint(init_control(1, MACHINE_HIGH_MFN), ==, 0);
    g_assert_cmpint(init_control(2, MACHINE_MAX_MFN - 1), ==, 0);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct evtchn_expand_array expand = { .array_gfn = bad[i] };

        g_assert_cmpint(EVENT_CALL(EVTCHNOP_expand_array, &expand), ==,
                        -XEN_EINVAL);
    }
}

/* Lists of frames are read at the guest's addresses, by its rights. */
static void test_lists(void)
{
    struct evtchn_register_3level reg = {
        .cmd = EVTCHN_3L_BITMAPS, .u.bitmaps.nr_pages = 8,
    };
    uint64_t gfns[16], good;
    unsigned int i;

    machine_start(&own_fifo);
    for (i = 0; i < 16; i++) {
        gfns[i] = machine_frame();
    }
    good = machine_put(gfns, sizeof(gfns));
    reg.u.bitmaps.pending_gfns = good;
    reg.u.bitmaps.mask_gfns = MONITOR_VA;
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_register_3level, &reg), ==,
                    -XEN_EFAULT);
    reg.u.bitmaps.pending_gfns = 0x1000;
    reg.u.bitmaps.mask_gfns = good;
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_register_3level, &reg), ==,
                    -XEN_EFAULT);
    reg.u.bitmaps.pending_gfns = good;
    reg.u.bitmaps.mask_gfns = good + 64;
    g_assert_cmpint(EVENT_CALL(EVTCHNOP_register_3level, &reg), ==, 0);
    /* Its bit is in the first page. */
    g_assert_cmpuint(bind_ipi(0), ==, 3);
    g_assert_cmpint(send_to(3), ==, 0);
    g_assert_cmphex(*(uint64_t *)frame(gfns[0]), ==, 1ul << 3);
}

/* Another vCPU that has started is kicked for its upcall; the own one is not. */
static void test_interrupts(void)
{
    uint32_t port[3];
    unsigned int i;

    machine_start(&own_fifo);
    start_other_vcpu(1);
    for (i = 0; i < 3; i++) {
        port[i] = bind_ipi(i);
        g_assert_cmpint(send_to(port[i]), ==, 0);
        g_assert_cmpuint(shared_info()->vcpu_info[i].evtchn_upcall_pending, ==,
                         1);
        g_assert_cmpuint(shared_info()->vcpu_info[i].evtchn_pending_sel, ==, 1);
    }
    g_assert_cmpuint(machine_processors[0].nr_kicks, ==, 1);
    g_assert_false(has_interrupt(0, VECTOR_KICK));
    g_assert_true(has_interrupt(1, VECTOR_KICK));
    g_assert_false(has_interrupt(2, VECTOR_KICK));
}

/* The end of another vCPU's poll is an interrupt, too. */
static void test_pollers(void)
{
    uint32_t port;

    machine_start(&own_fifo);
    start_other_vcpu(1);
    port = bind_ipi(0);
    set_masked(port, true);
    g_assert_cmpint(evtchn_poll(guest_events, 1, &port, 1), ==, 0);
    g_assert_cmpint(send_to(port), ==, 0);
    g_assert_false(evtchn_vcpu_polls(guest_events, 1));
    g_assert_true(has_interrupt(1, VECTOR_KICK));
}

/* The model knows as many vCPUs as the machine has. */
static void test_vcpus(void)
{
    uint32_t port;

    machine_start(&own_fifo);
    g_assert_cmpint(try_bind_ipi(2, &port), ==, 0);
    g_assert_cmpint(try_bind_ipi(3, &port), ==, -XEN_ENOENT);
    g_assert_cmpint(try_bind_ipi(~0u, &port), ==, -XEN_ENOENT);
    g_assert_cmpuint(evtchn_domain_id(guest_events), ==, boot->domid);
}

/* And no ABI but those that the machine has. */
static void test_abis(void)
{
    machine_start(&own);
    g_assert_cmphex(evtchn_extended_abis(guest_events), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/events_env/frames", test_frames);
    machine_test("/monitor/events_env/lists", test_lists);
    machine_test("/monitor/events_env/interrupts", test_interrupts);
    machine_test("/monitor/events_env/pollers", test_pollers);
    machine_test("/monitor/events_env/vcpus", test_vcpus);
    machine_test("/monitor/events_env/abis", test_abis);
    return g_test_run();
}
