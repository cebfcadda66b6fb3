/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port that waits for a peer: it has no senders, but a monitor may raise it,
 * and the guest may unmask, move and poll it as any other.
 */

#include "race.h"

static void test_raise(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t port = unit_unbound(g, 2), i;

    guest_unmask(&g->vcpu[0], port);
    for (i = 0; i < 3; i++) {
        assert_ok(evtchn_raise_port(g->d, port));
        assert_ok(evtchn_raise_port(g->d, port));
        unit_expect(g, 0, port);
        unit_expect(g, 0, 0);
    }
    /* Sending is no error, and no event. */
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, 0);

    guest_mask(g, port);
    assert_ok(evtchn_raise_port(g->d, port));
    unit_expect(g, 0, 0);
    g_assert_cmpint(evtchn_poll(g->d, 1, &port, 1), ==, 1);
    g_assert_true(guest_unmask(&g->vcpu[0], port));
    unit_expect(g, 0, port);

    unit_move(g, port, 1);
    g_assert_cmpint(evtchn_poll(g->d, 0, &port, 1), ==, 0);
    assert_ok(evtchn_raise_port(g->d, port));
    g_assert_cmpuint(g->vcpu[0].wakes, ==, 1);
    unit_expect(g, 0, 0);
    unit_expect(g, 1, port);

    assert_ok(evtchn_close(g->d, port));
    assert_err(evtchn_raise_port(g->d, port), XEN_EINVAL);
    guest_free(g);
    world_free(w);
}

/* What was raised before the peer came is one event, and stays one. */
static void test_raised_and_bound(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest *peer = unit_guest(w, 2, 1, unit_mode_of(data));
    uint32_t port = unit_unbound(g, 2), peer_port;

    guest_unmask(&g->vcpu[0], port);
    assert_ok(evtchn_raise_port(g->d, port));
    assert_ok(evtchn_bind_interdomain(peer->d, 1, port, &peer_port));
    assert_ok(evtchn_send(peer->d, peer_port));
    unit_expect(g, 0, port);
    unit_expect(g, 0, 0);

    /* And when the peer goes. */
    assert_ok(evtchn_send(peer->d, peer_port));
    assert_ok(evtchn_close(peer->d, peer_port));
    assert_ok(evtchn_unmask(g->d, port));
    unit_expect(g, 0, port);
    assert_ok(evtchn_raise_port(g->d, port));
    unit_expect(g, 0, port);
    guest_free(g);
    guest_free(peer);
    world_free(w);
}

/* Its priority and vCPU are those of the channel, and after that its own. */
static void test_priority(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
    uint32_t ipi = unit_ipi(g, 1), port = unit_unbound(g, 2), peer_port, i;
    struct guest_log *log = g_new(struct guest_log, 1);

    guest_unmask(&g->vcpu[0], port);
    assert_ok(evtchn_set_priority(g->d, port, 3));
    unit_move(g, port, 1);
    for (i = 0; i < 2; i++) {
        g_assert_cmpuint(unit_info(g, port).priority, ==, 3);
        assert_ok(evtchn_bind_interdomain(peer->d, 1, port, &peer_port));
        g_assert_cmpuint(unit_info(g, port).priority, ==, 3);
        g_assert_cmpuint(unit_info(g, port).vcpu, ==, 1);
        assert_ok(evtchn_send(g->d, ipi));
        assert_ok(evtchn_send(peer->d, peer_port));
        g_assert_cmpuint(unit_handle(g, 1, log), ==, 2);
        g_assert_cmpuint(log->port[0], ==, port);
        assert_ok(evtchn_close(peer->d, peer_port));
    }
    /* The end that binds starts with the default. */
    assert_ok(evtchn_alloc_unbound(peer->d, DOMID_SELF, 1, &peer_port));
    assert_ok(evtchn_bind_interdomain(g->d, 2, peer_port, &port));
    g_assert_cmpuint(unit_info(g, port).priority, ==,
                     EVTCHN_FIFO_PRIORITY_DEFAULT);
    g_free(log);
    guest_free(g);
    guest_free(peer);
    world_free(w);
}

/* Its page is not there yet. */
static void test_no_page(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = {
        .domid = 1, .word32 = unit_is_32(unit_mode_of(data)),
    };
    struct guest *g = guest_new(w, &c);
    uint32_t port;

    assert_ok(guest_init_control(g, 0, 0));
    port = unit_unbound(g, 2);
    assert_ok(evtchn_raise_port(g->d, port));
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    assert_ok(guest_expand_array(g));
    g_assert_true(guest_unmask(&g->vcpu[0], port));
    unit_expect(g, 0, port);
    unit_expect(g, 0, 0);
    guest_free(g);
    world_free(w);
}

/* It is closed, and bound, while others raise, unmask and change it. */
static gpointer use_port(gpointer opaque)
{
    struct race *r = opaque;
    unsigned int i;

    for (i = 0; !evtchn_load(&r->stop); i++) {
        uint32_t port = evtchn_load(&r->port);

        evtchn_raise_port(r->g->d, port);
        evtchn_unmask(r->g->d, port);
        evtchn_set_priority(r->g->d, port, i % 16);
        evtchn_bind_vcpu(r->g->d, port, i % 2);
        evtchn_raise_port(r->g->d, port);
        evtchn_send(r->g->d, port);
    }
    return NULL;
}

static void test_race(gconstpointer data)
{
    struct world *w = world_new();
    struct race r = {
        .g = unit_guest(w, 1, 2, unit_mode_of(data)),
        .peer = unit_guest(w, 2, 1, unit_mode_of(data)),
    };
    gint64 begin = g_get_monotonic_time();
    struct evtchn_port_state state;
    unsigned int round;
    GThread *thread[2];
    uint32_t port;

    thread[0] = start(use_port, &r);
    thread[1] = start(use_port, &r);
    for (round = 0; time_left(begin); round++) {
        assert_ok(evtchn_alloc_unbound(r.g->d, DOMID_SELF, 2, &port));
        evtchn_store(&r.port, port);
        evtchn_unmask(r.g->d, port);
        if (round % 4) {
            g_thread_yield();
        }
        if (round % 2) {
            assert_ok(evtchn_bind_interdomain(r.peer->d, 1, port,
                                              &r.peer_port));
            assert_ok(evtchn_close(r.peer->d, r.peer_port));
        }
        assert_ok(evtchn_close(r.g->d, port));
        /* Nobody raises, or holds, what is closed. */
        g_assert_false(guest_is_pending(r.g, port));
        if (evtchn_save_port(r.g->d, port, &state) == 0) {
            g_assert_cmpint(state.state, ==, EVTCHN_CLOSED);
            g_assert_cmpuint(state.pending, ==, 0);
        }
        unit_drain(r.g);
        unit_drain(r.peer);
    }
    stop(&r, thread, 2);
    guest_free(r.g);
    guest_free(r.peer);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/unbound/raise", test_raise);
    unit_add_modes("/unbound/raised-and-bound", test_raised_and_bound);
    unit_add_fifo("/unbound/priority", test_priority);
    unit_add_fifo("/unbound/no-page", test_no_page);
    unit_add_modes("/unbound/race", test_race);
    return g_test_run();
}
