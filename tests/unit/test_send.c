/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_send and events from inside: to whom they go, and which ports they
 * are refused on.
 */

#include "unit.h"

static void test_errors(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t virq = unit_virq(g, VIRQ_TIMER, 0);
    uint32_t pirq = unit_pirq(g, 1);
    uint32_t unbound = unit_unbound(g, 7);
    uint32_t ipi = unit_ipi(g, 0);

    /* Only what has a far end, or is its own, can be sent on. */
    assert_err(evtchn_send(g->d, virq), XEN_EINVAL);
    assert_err(evtchn_send(g->d, pirq), XEN_EINVAL);
    assert_err(evtchn_send(g->d, 0), XEN_EINVAL);
    assert_err(evtchn_send(g->d, ipi + 1), XEN_EINVAL);
    assert_err(evtchn_send(g->d, 4096), XEN_EINVAL);
    /* Without a peer the event is dropped silently. */
    assert_ok(evtchn_send(g->d, unbound));
    g_assert_false(guest_is_pending(g, unbound));
    unit_expect(g, 0, 0);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    guest_free(g);
    world_free(w);
}

static void test_interdomain(gconstpointer data)
{
    int peer_mode;

    for (peer_mode = 0; peer_mode < NR_MODES; peer_mode++) {
        struct world *w = world_new();
        struct guest *a = unit_guest(w, 1, 1, unit_mode_of(data));
        struct guest *b = unit_guest(w, 2, 1,
                                     unit_round_mode(0, NR_MODES, peer_mode));
        uint32_t a_port, b_port, b_ipi;

        /* Different numbers on the two sides. */
        b_ipi = unit_ipi(b, 0);
        unit_channel(a, &a_port, b, &b_port);
        g_assert_cmpuint(a_port, !=, b_port);
        unit_expect(a, 0, a_port);
        assert_ok(evtchn_send(a->d, a_port));
        g_assert_cmpuint(a->vcpu[0].upcalls, ==, 1);
        g_assert_cmpuint(b->vcpu[0].upcalls, ==, 1);
        unit_expect(a, 0, 0);
        unit_expect(b, 0, b_port);
        assert_ok(evtchn_send(b->d, b_port));
        unit_expect(a, 0, a_port);
        unit_expect(b, 0, 0);
        assert_ok(evtchn_send(b->d, b_ipi));
        unit_expect(b, 0, b_ipi);
        unit_expect(a, 0, 0);
        guest_free(a);
        guest_free(b);
        world_free(w);
    }
}

/* Events are bits: two sends before the guest looks are one. */
static void test_coalesce(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t port = unit_ipi(g, 0);

    assert_ok(evtchn_send(g->d, port));
    assert_ok(evtchn_send(g->d, port));
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    unit_expect(g, 0, port);
    unit_expect(g, 0, 0);
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 2);
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

/* env->raise_upcall() only when evtchn_upcall_pending goes from 0 to 1. */
static void test_upcall_once(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t port[8], i;
    struct guest_log log;

    for (i = 0; i < 8; i++) {
        port[i] = unit_ipi(g, 0);
    }
    for (i = 0; i < 4; i++) {
        assert_ok(evtchn_send(g->d, port[i]));
        g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
        g_assert_cmpuint(*guest_upcall_pending(&g->vcpu[0]), ==, 1);
    }
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, 4);
    g_assert_cmpuint(*guest_upcall_pending(&g->vcpu[0]), ==, 0);

    /* A guest that has not taken the flag is not told again. */
    evtchn_store(guest_upcall_pending(&g->vcpu[0]), (uint8_t)1);
    assert_ok(evtchn_send(g->d, port[5]));
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, 1);
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 0);
    guest_free(g);
    world_free(w);
}

static void test_masked(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t port = unit_ipi(g, 0);

    guest_mask(g, port);
    assert_ok(evtchn_send(g->d, port));
    g_assert_true(guest_is_pending(g, port));
    g_assert_true(unit_info(g, port).pending);
    g_assert_true(unit_info(g, port).masked);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    unit_expect(g, 0, 0);

    /* The event waits for unmask, which needs the hypercall now. */
    g_assert_true(guest_unmask(&g->vcpu[0], port));
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    g_assert_false(unit_info(g, port).masked);
    unit_expect(g, 0, port);
    /* Nothing pending: no hypercall, and one does no harm. */
    guest_mask(g, port);
    g_assert_false(guest_unmask(&g->vcpu[0], port));
    assert_ok(evtchn_unmask(g->d, port));
    unit_expect(g, 0, 0);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    guest_free(g);
    world_free(w);
}

/* Unmask goes to the port's vCPU, whoever asks for it. */
static void test_unmask_elsewhere(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t port = unit_ipi(g, 1);

    guest_mask(g, port);
    assert_ok(evtchn_send(g->d, port));
    g_assert_true(guest_unmask(&g->vcpu[0], port));
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 1);
    unit_expect(g, 0, 0);
    unit_expect(g, 1, port);
    guest_free(g);
    world_free(w);
}

/* Every kind of port can be raised from inside, once it is bound. */
static void test_raise_port(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *a = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest *b = unit_guest(w, 2, 1, unit_mode_of(data));
    uint32_t virq = unit_virq(a, VIRQ_TIMER, 0), pirq = unit_pirq(a, 1);
    uint32_t ipi = unit_ipi(a, 0), a_port, b_port;
    uint32_t port[4], i;

    unit_channel(a, &a_port, b, &b_port);
    unit_drain(a);
    port[0] = virq;
    port[1] = pirq;
    port[2] = ipi;
    port[3] = a_port;
    for (i = 0; i < 4; i++) {
        assert_ok(evtchn_raise_port(a->d, port[i]));
        unit_expect(a, 0, port[i]);
        unit_expect(b, 0, 0);
    }
    assert_err(evtchn_raise_port(a->d, a_port + 1), XEN_EINVAL);
    guest_free(a);
    guest_free(b);
    world_free(w);
}

/* The bound vCPU gets the event, and a move takes effect at once. */
static void test_vcpu(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *a = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest *b = unit_guest(w, 2, 4, unit_mode_of(data));
    uint32_t a_port, b_port, vcpu, i;

    unit_channel(a, &a_port, b, &b_port);
    for (i = 0; i < 8; i++) {
        vcpu = i * 3 % 4;
        unit_move(b, b_port, vcpu);
        assert_ok(evtchn_send(a->d, a_port));
        unit_expect(b, (vcpu + 1) % 4, 0);
        unit_expect(b, vcpu, b_port);
    }
    guest_free(a);
    guest_free(b);
    world_free(w);
}

/* Many vCPUs: those past shared_info's 32 have their vcpu_info elsewhere. */
static void test_many_vcpus(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 130, unit_mode_of(data));
    uint32_t port[130], i;

    for (i = 0; i < 130; i++) {
        port[i] = unit_ipi(g, i);
    }
    for (i = 0; i < 130; i++) {
        assert_ok(evtchn_send(g->d, port[i]));
        g_assert_cmpuint(g->vcpu[i].upcalls, ==, 1);
    }
    for (i = 0; i < 130; i++) {
        unit_expect(g, i, port[i]);
        g_assert_cmpuint(g->vcpu[i].upcalls, ==, 1);
    }
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/send/errors", test_errors);
    unit_add_modes("/send/interdomain", test_interdomain);
    unit_add_modes("/send/coalesce", test_coalesce);
    unit_add_modes("/send/upcall-once", test_upcall_once);
    unit_add_modes("/send/masked", test_masked);
    unit_add_modes("/send/unmask-elsewhere", test_unmask_elsewhere);
    unit_add_modes("/send/raise-port", test_raise_port);
    unit_add_modes("/send/vcpu", test_vcpu);
    unit_add_modes("/send/many-vcpus", test_many_vcpus);
    return g_test_run();
}
