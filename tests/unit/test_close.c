/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_close: what stays behind on either side, and when a number is used
 * again.
 */

#include "unit.h"

static void test_errors(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t port = unit_ipi(g, 0);

    assert_ok(evtchn_close(g->d, port));
    assert_err(evtchn_close(g->d, port), XEN_EINVAL);
    assert_err(evtchn_close(g->d, port + 1), XEN_EINVAL);
    assert_err(evtchn_close(g->d, 0), XEN_EINVAL);
    assert_err(evtchn_close(g->d, 1 << 20), XEN_EINVAL);
    guest_free(g);
    world_free(w);
}

/* A closed port takes no operation, and says so. */
static void test_closed_port(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    struct evtchn_status status = { .dom = DOMID_SELF };
    struct evtchn_port_state state;
    uint32_t port, kind;

    for (kind = 0; kind < 4; kind++) {
        port = kind == 0 ? unit_ipi(g, 1) :
               kind == 1 ? unit_virq(g, VIRQ_TIMER, 1) :
               kind == 2 ? unit_pirq(g, 9) : unit_unbound(g, 1);
        g_assert_cmpuint(port, ==, 1);
        assert_ok(evtchn_close(g->d, port));
        assert_err(evtchn_send(g->d, port), XEN_EINVAL);
        assert_err(evtchn_raise_port(g->d, port), XEN_EINVAL);
        assert_err(evtchn_bind_vcpu(g->d, port, 1), XEN_EINVAL);
        assert_err(evtchn_poll(g->d, 0, &port, 1), XEN_EINVAL);
        assert_err(evtchn_save_port(g->d, port, &state), XEN_ENOENT);
        assert_ok(evtchn_unmask(g->d, port));
        status.port = port;
        assert_ok(guest_op(g, EVTCHNOP_status, &status));
        g_assert_cmpuint(status.status, ==, EVTCHNSTAT_closed);
        g_assert_cmpuint(status.vcpu, ==, 0);
        g_assert_cmpint(unit_info(g, port).state, ==, EVTCHN_CLOSED);
    }
    guest_free(g);
    world_free(w);
}

/* The far end goes back to unbound, keeps its vCPU and its event. */
static void test_interdomain(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *a = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest *b = unit_guest(w, 2, 2, unit_mode_of(data));
    uint32_t a_port, b_port;

    unit_channel(a, &a_port, b, &b_port);
    unit_move(b, b_port, 1);
    unit_drain(a);
    assert_ok(evtchn_send(a->d, a_port));
    assert_ok(evtchn_close(a->d, a_port));
    g_assert_cmpint(unit_info(b, b_port).state, ==, EVTCHN_UNBOUND);
    g_assert_cmpuint(unit_info(b, b_port).remote_domid, ==, 1);
    g_assert_cmpuint(unit_info(b, b_port).vcpu, ==, 1);
    unit_expect(b, 1, b_port);

    /* Sending to nobody is no error. */
    assert_ok(evtchn_send(b->d, b_port));
    /* The same peer may come again. */
    assert_ok(evtchn_bind_interdomain(a->d, 2, b_port, &a_port));
    unit_drain(a);
    assert_ok(evtchn_send(b->d, b_port));
    unit_expect(a, 0, a_port);
    /* Now from the other side. */
    assert_ok(evtchn_close(b->d, b_port));
    g_assert_cmpint(unit_info(a, a_port).state, ==, EVTCHN_UNBOUND);
    g_assert_cmpuint(unit_info(a, a_port).remote_domid, ==, 2);
    assert_ok(evtchn_close(a->d, a_port));
    guest_free(a);
    guest_free(b);
    world_free(w);
}

/* The next owner of the number does not inherit an event. */
static void test_pending_is_cleared(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, mode);
    uint32_t port = unit_ipi_masked(g, 0);

    if (!unit_is_fifo(mode)) {
        guest_mask(g, port);
    }
    assert_ok(evtchn_send(g->d, port));
    g_assert_true(guest_is_pending(g, port));
    assert_ok(evtchn_close(g->d, port));
    g_assert_false(guest_is_pending(g, port));
    /* The mask is the guest's own. */
    g_assert_true(guest_is_masked(g, port));
    g_assert_cmpuint(unit_ipi(g, 0), ==, port);
    unit_expect(g, 0, 0);
    guest_free(g);
    world_free(w);
}

/*
 * FIFO: a port that is still on a queue can't be used again, or its old place
 * would deliver the new binding's events.
 */
static void test_linked(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_FIFO_64);
    uint32_t a = unit_ipi(g, 0), b = unit_ipi(g, 0), c = unit_ipi(g, 0);
    struct guest_log log;

    assert_ok(evtchn_send(g->d, a));
    assert_ok(evtchn_send(g->d, b));
    assert_ok(evtchn_send(g->d, c));
    assert_ok(evtchn_close(g->d, b));
    assert_ok(evtchn_close(g->d, a));
    g_assert_true(*guest_event_word(g, a) & FIFO_LINKED);
    g_assert_true(*guest_event_word(g, b) & FIFO_LINKED);
    /* Next free ones instead. */
    g_assert_cmpuint(unit_ipi(g, 0), ==, c + 1);
    g_assert_cmpuint(unit_ipi(g, 0), ==, c + 2);

    /* The guest skips what is not pending, and the queue stays whole. */
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, 1);
    g_assert_cmpuint(log.port[0], ==, c);
    /* Now they are free. */
    g_assert_cmpuint(unit_ipi(g, 0), ==, a);
    g_assert_cmpuint(unit_ipi(g, 0), ==, b);
    g_assert_cmpuint(unit_ipi(g, 0), ==, c + 3);
    assert_ok(evtchn_send(g->d, b));
    assert_ok(evtchn_send(g->d, a));
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, 2);
    g_assert_cmpuint(log.port[0], ==, b);
    g_assert_cmpuint(log.port[1], ==, a);
    guest_free(g);
    world_free(w);
}

/* With every port linked and closed the table is full until one is taken. */
static void test_all_linked(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .max_ports = 300 };
    struct guest *g = unit_guest_config(w, c, MODE_FIFO_64);
    struct guest_log log;
    uint32_t port, i, order;

    for (i = 1; i < 300; i++) {
        unit_ipi(g, 0);
        assert_ok(evtchn_send(g->d, i));
    }
    for (i = 1; i < 300; i++) {
        assert_ok(evtchn_close(g->d, i));
    }
    for (i = 0; i < 3; i++) {
        assert_err(evtchn_bind_ipi(g->d, 0, &port), XEN_ENOSPC);
    }
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, 0);
    /* All come back, each once; which first is not promised. */
    for (i = 1, order = 0; i < 300; i++) {
        assert_ok(evtchn_bind_ipi(g->d, 0, &port));
        order += port;
    }
    g_assert_cmpuint(order, ==, 299 * 300 / 2);
    assert_err(evtchn_bind_ipi(g->d, 0, &port), XEN_ENOSPC);
    guest_free(g);
    world_free(w);
}

/* A closed port that was its queue's tail must not catch the next event. */
static void test_closed_tail(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_FIFO_64);
    uint32_t a = unit_ipi(g, 0), b = unit_ipi(g, 0);
    struct guest_log log;

    assert_ok(evtchn_send(g->d, a));
    assert_ok(evtchn_close(g->d, a));
    assert_ok(evtchn_send(g->d, b));
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, 1);
    g_assert_cmpuint(log.port[0], ==, b);
    g_assert_cmpuint(unit_ipi(g, 0), ==, a);
    assert_ok(evtchn_send(g->d, a));
    unit_expect(g, 0, a);
    guest_free(g);
    world_free(w);
}

/* Domains go in any order, with channels open both ways. */
static void test_destroy_with_channels(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g[3];
    uint32_t p, q, i, k;

    for (i = 0; i < 3; i++) {
        g[i] = unit_guest(w, i, 1, unit_mode_of(data));
    }
    for (i = 0; i < 3; i++) {
        for (k = 0; k < 3; k++) {
            unit_channel(g[i], &p, g[k], &q);
        }
    }
    guest_free(g[1]);
    for (i = 1; i < 13; i++) {
        g_assert_cmpint(unit_info(g[0], i).state, !=, EVTCHN_RESERVED);
        evtchn_send(g[0]->d, i);
        evtchn_send(g[2]->d, i);
    }
    guest_free(g[0]);
    guest_free(g[2]);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/close/errors", test_errors);
    unit_add_modes("/close/closed-port", test_closed_port);
    unit_add_modes("/close/interdomain", test_interdomain);
    unit_add_modes("/close/pending-is-cleared", test_pending_is_cleared);
    g_test_add_func("/close/linked", test_linked);
    g_test_add_func("/close/all-linked", test_all_linked);
    g_test_add_func("/close/closed-tail", test_closed_tail);
    unit_add_modes("/close/destroy-with-channels", test_destroy_with_channels);
    return g_test_run();
}
