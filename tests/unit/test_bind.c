/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding: alloc_unbound, bind_interdomain, bind_virq, bind_ipi, bind_pirq,
 * bind_vcpu: their errors and the state they leave.
 */

#include "unit.h"

static void assert_state(struct guest *g, uint32_t port, int state,
                         uint32_t vcpu)
{
    struct evtchn_status status = { .dom = DOMID_SELF, .port = port };
    struct evtchn_port_info info = unit_info(g, port);

    assert_ok(guest_op(g, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.status, ==, state);
    g_assert_cmpuint(status.vcpu, ==, vcpu);
    g_assert_cmpint(info.state, ==, state);
    g_assert_cmpuint(info.vcpu, ==, vcpu);
    g_assert_cmpint(info.abi, ==, evtchn_domain_abi(g->d));
}

static void test_alloc_unbound(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 5, 2, unit_mode_of(data));
    struct evtchn_status status = { .dom = DOMID_SELF };
    uint32_t port;

    port = unit_unbound(g, 9);
    assert_state(g, port, EVTCHNSTAT_unbound, 0);
    status.port = port;
    assert_ok(guest_op(g, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.u.unbound.dom, ==, 9);

    port = unit_unbound(g, DOMID_SELF);
    status.port = port;
    assert_ok(guest_op(g, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.u.unbound.dom, ==, 5);
    g_assert_false(guest_is_pending(g, port));
    guest_free(g);
    world_free(w);
}

static void test_bind_interdomain(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *a = unit_guest(w, 1, 2, unit_mode_of(data));
    struct guest *b = unit_guest(w, 2, 2, unit_mode_of(data));
    struct evtchn_status status = { .dom = DOMID_SELF };
    uint32_t a_port = 0, b_port = unit_unbound(b, 1);

    assert_ok(evtchn_bind_vcpu(b->d, b_port, 1));
    assert_ok(evtchn_bind_interdomain(a->d, 2, b_port, &a_port));
    assert_state(a, a_port, EVTCHNSTAT_interdomain, 0);
    /* The far end keeps its vCPU. */
    assert_state(b, b_port, EVTCHNSTAT_interdomain, 1);
    status.port = a_port;
    assert_ok(guest_op(a, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.u.interdomain.dom, ==, 2);
    g_assert_cmpuint(status.u.interdomain.port, ==, b_port);
    status.port = b_port;
    assert_ok(guest_op(b, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.u.interdomain.dom, ==, 1);
    g_assert_cmpuint(status.u.interdomain.port, ==, a_port);

    /* Sends to the unbound end may have been dropped: the binder looks. */
    g_assert_true(guest_is_pending(a, a_port));
    g_assert_false(guest_is_pending(b, b_port));
    guest_free(a);
    guest_free(b);
    world_free(w);
}

static void test_bind_interdomain_errors(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *a = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest *b = unit_guest(w, 2, 1, unit_mode_of(data));
    uint32_t port = 99, a_port, b_port, for_c, ipi;

    unit_channel(a, &a_port, b, &b_port);
    for_c = unit_unbound(b, 3);
    ipi = unit_ipi(b, 0);
    /* Bound, meant for somebody else, no interdomain port, closed, 0. */
    assert_err(evtchn_bind_interdomain(a->d, 2, b_port, &port), XEN_EINVAL);
    assert_err(evtchn_bind_interdomain(a->d, 2, for_c, &port), XEN_EINVAL);
    assert_err(evtchn_bind_interdomain(a->d, 2, ipi, &port), XEN_EINVAL);
    assert_err(evtchn_bind_interdomain(a->d, 2, ipi + 1, &port), XEN_EINVAL);
    assert_err(evtchn_bind_interdomain(a->d, 2, 0, &port), XEN_EINVAL);
    assert_err(evtchn_bind_interdomain(a->d, 3, 1, &port), XEN_ESRCH);
    g_assert_cmpuint(port, ==, 99);
    /* No local port was used up. */
    g_assert_cmpuint(unit_ipi(a, 0), ==, a_port + 1);
    guest_free(a);
    guest_free(b);
    world_free(w);
}

static void test_loopback(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t x = unit_unbound(g, DOMID_SELF), y;

    guest_unmask(&g->vcpu[0], x);
    assert_ok(evtchn_bind_interdomain(g->d, DOMID_SELF, x, &y));
    g_assert_cmpuint(x, !=, y);
    guest_unmask(&g->vcpu[0], y);
    unit_expect(g, 0, y);
    unit_move(g, x, 1);
    assert_ok(evtchn_send(g->d, y));
    unit_expect(g, 0, 0);
    unit_expect(g, 1, x);
    assert_ok(evtchn_send(g->d, x));
    unit_expect(g, 0, y);
    assert_ok(evtchn_close(g->d, x));
    assert_state(g, y, EVTCHNSTAT_unbound, 0);
    g_assert_cmpuint(unit_info(g, y).remote_domid, ==, 1);
    guest_free(g);
    world_free(w);
}

static const uint32_t per_vcpu_virq[] = {
    VIRQ_TIMER, VIRQ_DEBUG, VIRQ_XENOPROF, VIRQ_XENPMU,
};

static bool is_per_vcpu(uint32_t virq)
{
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(per_vcpu_virq); i++) {
        if (per_vcpu_virq[i] == virq) {
            return true;
        }
    }
    return false;
}

static void test_bind_virq(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 0, .nr_vcpus = 3, .privileged = true };
    struct guest *g = unit_guest_config(w, c, unit_mode_of(data));
    struct evtchn_status status = { .dom = DOMID_SELF };
    uint32_t virq, vcpu, port, again = 99;

    for (virq = 0; virq < NR_VIRQS; virq++) {
        for (vcpu = 0; vcpu < 3; vcpu++) {
            if (vcpu && !is_per_vcpu(virq)) {
                assert_err(evtchn_bind_virq(g->d, virq, vcpu, &port),
                           XEN_EINVAL);
                continue;
            }
            g_assert_cmpuint(evtchn_virq_port(g->d, vcpu, virq), ==, 0);
            port = unit_virq(g, virq, vcpu);
            assert_state(g, port, EVTCHNSTAT_virq, vcpu);
            g_assert_cmpuint(evtchn_virq_port(g->d, vcpu, virq), ==, port);
            g_assert_cmpuint(unit_info(g, port).irq, ==, virq);
            status.port = port;
            assert_ok(guest_op(g, EVTCHNOP_status, &status));
            g_assert_cmpuint(status.u.virq, ==, virq);
            /* One port a VIRQ and vCPU. */
            assert_err(evtchn_bind_virq(g->d, virq, vcpu, &again), XEN_EEXIST);
            g_assert_cmpuint(again, ==, 99);

            evtchn_raise_virq(g->d, vcpu, virq);
            unit_expect(g, vcpu, port);
        }
    }
    assert_err(evtchn_bind_virq(g->d, NR_VIRQS, 0, &port), XEN_EINVAL);
    assert_err(evtchn_bind_virq(g->d, UINT32_MAX, 0, &port), XEN_EINVAL);
    assert_err(evtchn_bind_virq(g->d, VIRQ_TIMER, 3, &port), XEN_ENOENT);
    assert_err(evtchn_bind_virq(g->d, VIRQ_TIMER, UINT32_MAX, &port),
               XEN_ENOENT);
    guest_free(g);
    world_free(w);
}

static void test_virq_close_and_move(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 0, .nr_vcpus = 2, .privileged = true };
    struct guest *g = unit_guest_config(w, c, unit_mode_of(data));
    uint32_t timer0 = unit_virq(g, VIRQ_TIMER, 0);
    uint32_t timer1 = unit_virq(g, VIRQ_TIMER, 1);
    uint32_t con = unit_virq(g, VIRQ_CONSOLE, 0);

    /* A per-vCPU VIRQ stays, a global one moves. */
    assert_err(evtchn_bind_vcpu(g->d, timer1, 0), XEN_EINVAL);
    assert_err(evtchn_bind_vcpu(g->d, timer1, 1), XEN_EINVAL);
    unit_move(g, con, 1);
    assert_state(g, con, EVTCHNSTAT_virq, 1);
    evtchn_raise_virq(g->d, 0, VIRQ_CONSOLE);
    unit_expect(g, 0, 0);
    unit_expect(g, 1, con);
    g_assert_cmpuint(evtchn_virq_port(g->d, 0, VIRQ_CONSOLE), ==, con);

    /* A moved one closes all the same, and its VIRQ is free again. */
    assert_ok(evtchn_close(g->d, con));
    evtchn_raise_virq(g->d, 0, VIRQ_CONSOLE);
    unit_expect(g, 1, 0);
    g_assert_cmpuint(evtchn_virq_port(g->d, 0, VIRQ_CONSOLE), ==, 0);
    g_assert_cmpuint(unit_virq(g, VIRQ_CONSOLE, 0), ==, con);

    assert_ok(evtchn_close(g->d, timer1));
    evtchn_raise_virq(g->d, 1, VIRQ_TIMER);
    unit_expect(g, 1, 0);
    evtchn_raise_virq(g->d, 0, VIRQ_TIMER);
    unit_expect(g, 0, timer0);
    /* Nobody there, and no such thing. */
    evtchn_raise_virq(g->d, 7, VIRQ_TIMER);
    evtchn_raise_virq(g->d, 0, NR_VIRQS);
    evtchn_raise_virq(g->d, 0, UINT32_MAX);
    g_assert_cmpuint(evtchn_virq_port(g->d, 7, VIRQ_TIMER), ==, 0);
    g_assert_cmpuint(evtchn_virq_port(g->d, 0, NR_VIRQS), ==, 0);
    guest_free(g);
    world_free(w);
}

static void test_bind_ipi(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 3, unit_mode_of(data));
    uint32_t vcpu, port;

    for (vcpu = 0; vcpu < 3; vcpu++) {
        port = unit_ipi(g, vcpu);
        assert_state(g, port, EVTCHNSTAT_ipi, vcpu);
        assert_ok(evtchn_send(g->d, port));
        unit_expect(g, vcpu, port);
        /* It stays where it is. */
        assert_err(evtchn_bind_vcpu(g->d, port, 0), XEN_EINVAL);
    }
    assert_err(evtchn_bind_ipi(g->d, 3, &port), XEN_ENOENT);
    assert_err(evtchn_bind_ipi(g->d, UINT32_MAX, &port), XEN_ENOENT);
    g_assert_cmpuint(unit_ipi(g, 0), ==, 4);
    guest_free(g);
    world_free(w);
}

static void test_bind_pirq(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    struct evtchn_status status = { .dom = DOMID_SELF };
    uint32_t port, again;

    g_assert_cmpuint(evtchn_pirq_port(g->d, 255), ==, 0);
    port = unit_pirq(g, 255);
    assert_state(g, port, EVTCHNSTAT_pirq, 0);
    status.port = port;
    assert_ok(guest_op(g, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.u.pirq, ==, 255);
    g_assert_cmpuint(unit_info(g, port).irq, ==, 255);
    g_assert_cmpuint(evtchn_pirq_port(g->d, 255), ==, port);

    assert_err(evtchn_bind_pirq(g->d, 255, 0, &again), XEN_EEXIST);
    assert_err(evtchn_bind_pirq(g->d, 256, 0, &again), XEN_EINVAL);
    assert_err(evtchn_bind_pirq(g->d, UINT32_MAX, 0, &again), XEN_EINVAL);
    g_assert_cmpuint(evtchn_pirq_port(g->d, 256), ==, 0);
    g_assert_cmpuint(evtchn_pirq_port(g->d, UINT32_MAX), ==, 0);

    evtchn_raise_pirq(g->d, 255);
    unit_expect(g, 0, port);
    unit_move(g, port, 1);
    evtchn_raise_pirq(g->d, 255);
    unit_expect(g, 1, port);
    assert_ok(evtchn_close(g->d, port));
    evtchn_raise_pirq(g->d, 255);
    evtchn_raise_pirq(g->d, 256);
    evtchn_raise_pirq(g->d, UINT32_MAX);
    unit_expect(g, 1, 0);
    g_assert_cmpuint(unit_pirq(g, 255), ==, port);
    /* A reused port is back at vCPU 0. */
    assert_state(g, port, EVTCHNSTAT_pirq, 0);
    guest_free(g);

    g = guest_new(w, &(struct guest_config) { .domid = 1 });
    assert_err(evtchn_bind_pirq(g->d, 0, 0, &port), XEN_EINVAL);
    guest_free(g);
    world_free(w);
}

static void test_bind_vcpu(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t port = unit_unbound(g, 1);

    /* The vCPU is looked at before the port. */
    assert_err(evtchn_bind_vcpu(g->d, port, 2), XEN_ENOENT);
    assert_err(evtchn_bind_vcpu(g->d, UINT32_MAX, 2), XEN_ENOENT);
    assert_err(evtchn_bind_vcpu(g->d, port + 1, 0), XEN_EINVAL);
    assert_ok(evtchn_bind_vcpu(g->d, port, 1));
    assert_state(g, port, EVTCHNSTAT_unbound, 1);
    /* Closing takes it back to vCPU 0. */
    assert_ok(evtchn_close(g->d, port));
    g_assert_cmpuint(unit_unbound(g, 1), ==, port);
    assert_state(g, port, EVTCHNSTAT_unbound, 0);
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/bind/alloc-unbound", test_alloc_unbound);
    unit_add_modes("/bind/interdomain", test_bind_interdomain);
    unit_add_modes("/bind/interdomain-errors", test_bind_interdomain_errors);
    unit_add_modes("/bind/loopback", test_loopback);
    unit_add_modes("/bind/virq", test_bind_virq);
    unit_add_modes("/bind/virq-close-and-move", test_virq_close_and_move);
    unit_add_modes("/bind/ipi", test_bind_ipi);
    unit_add_modes("/bind/pirq", test_bind_pirq);
    unit_add_modes("/bind/vcpu", test_bind_vcpu);
    return g_test_run();
}
