/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_poll's half of event channels.
 */

#include "unit.h"

static void test_errors(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t good = unit_ipi(g, 0), unbound = unit_unbound(g, 1);
    uint32_t bad[] = { 0, unbound + 1, 4096, 1 << 17, UINT32_MAX };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        uint32_t both[2] = { good, bad[i] };

        assert_err(evtchn_poll(g->d, 0, &bad[i], 1), XEN_EINVAL);
        assert_err(evtchn_poll(g->d, 0, both, 2), XEN_EINVAL);
    }
    /* A failure leaves nobody asleep. */
    assert_ok(evtchn_send(g->d, good));
    g_assert_cmpuint(g->vcpu[0].wakes, ==, 0);
    /* An unbound port may be waited for. */
    assert_ok(evtchn_poll(g->d, 0, &unbound, 1));
    evtchn_poll_cancel(g->d, 0);
    evtchn_poll_cancel(g->d, 99);
    guest_free(g);
    world_free(w);
}

static void test_pending(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t port[3] = { unit_ipi(g, 0), unit_ipi(g, 0), unit_ipi(g, 0) };

    /* Masked or not, and whose vCPU it is, does not matter. */
    guest_mask(g, port[1]);
    assert_ok(evtchn_send(g->d, port[1]));
    g_assert_cmpint(evtchn_poll(g->d, 1, port, 3), ==, 1);
    g_assert_cmpint(evtchn_poll(g->d, 0, &port[1], 1), ==, 1);
    assert_ok(evtchn_send(g->d, port[0]));
    g_assert_cmpuint(g->vcpu[0].wakes, ==, 0);
    g_assert_cmpuint(g->vcpu[1].wakes, ==, 0);
    guest_free(g);
    world_free(w);
}

static void test_wake_once(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t port[3] = { unit_ipi(g, 0), unit_ipi(g, 0), unit_ipi(g, 0) };

    guest_mask(g, port[2]);
    g_assert_cmpint(evtchn_poll(g->d, 1, &port[2], 1), ==, 0);
    assert_ok(evtchn_send(g->d, port[2]));
    g_assert_cmpuint(g->vcpu[1].wakes, ==, 1);
    guest_clear_pending(g, port[2]);
    assert_ok(evtchn_send(g->d, port[2]));
    g_assert_cmpuint(g->vcpu[1].wakes, ==, 1);
    guest_clear_pending(g, port[2]);

    /* Several ports: any of them. */
    g_assert_cmpint(evtchn_poll(g->d, 1, port, 3), ==, 0);
    assert_ok(evtchn_send(g->d, port[0]));
    g_assert_cmpuint(g->vcpu[1].wakes, ==, 2);
    assert_ok(evtchn_send(g->d, port[1]));
    g_assert_cmpuint(g->vcpu[1].wakes, ==, 2);
    g_assert_cmpuint(g->vcpu[0].wakes, ==, 0);
    guest_free(g);
    world_free(w);
}

static void test_cancel(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t port = unit_ipi(g, 0);

    g_assert_cmpint(evtchn_poll(g->d, 0, &port, 1), ==, 0);
    evtchn_poll_cancel(g->d, 0);
    evtchn_poll_cancel(g->d, 0);
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmpuint(g->vcpu[0].wakes, ==, 0);
    unit_expect(g, 0, port);

    /* Polling anew replaces the old one. */
    g_assert_cmpint(evtchn_poll(g->d, 0, &port, 1), ==, 0);
    g_assert_cmpint(evtchn_poll(g->d, 0, &port, 1), ==, 0);
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmpuint(g->vcpu[0].wakes, ==, 1);
    guest_free(g);
    world_free(w);
}

/* No port at all is a sleep that any event of the guest may end. */
static void test_no_ports(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t port = unit_ipi(g, 0);

    g_assert_cmpint(evtchn_poll(g->d, 0, NULL, 0), ==, 0);
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmpuint(g->vcpu[0].wakes, <=, 1);
    evtchn_poll_cancel(g->d, 0);
    guest_free(g);
    world_free(w);
}

/* Several vCPUs asleep, woken by a peer's events. */
static void test_many_pollers(gconstpointer data)
{
    enum { N = 40 };
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, N, unit_mode_of(data));
    struct guest *peer = unit_guest(w, 2, 1, unit_mode_of(data));
    uint32_t port[N], peer_port[N], i;

    for (i = 0; i < N; i++) {
        unit_channel(peer, &peer_port[i], g, &port[i]);
        g_assert_cmpint(evtchn_poll(g->d, i, &port[i], 1), ==, 0);
    }
    for (i = 0; i < N; i++) {
        assert_ok(evtchn_send(peer->d, peer_port[i]));
        g_assert_cmpuint(g->vcpu[i].wakes, ==, 1);
        if (i + 1 < N) {
            g_assert_cmpuint(g->vcpu[i + 1].wakes, ==, 0);
        }
    }
    guest_free(g);
    guest_free(peer);
    world_free(w);
}

struct sleeper {
    struct guest *g;
    uint32_t port;
    uint64_t rounds;
};

enum { ROUNDS = 20000 };

static gpointer send_rounds(gpointer opaque)
{
    struct sleeper *s = opaque;
    uint32_t i;

    for (i = 0; i < ROUNDS; i++) {
        /* One event a round, when the poller has taken the last one. */
        while (evtchn_load(&s->rounds) < i) {
            g_thread_yield();
        }
        assert_ok(evtchn_send(s->g->d, s->port));
    }
    return NULL;
}

/* False when there was nothing yet, and nothing came. */
static bool poll_once(struct guest_vcpu *v, uint32_t port)
{
    gint64 end = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;
    uint64_t wakes = evtchn_load(&v->wakes);
    int rc = evtchn_poll(v->g->d, v->id, &port, 1);

    g_assert_true(rc == 0 || rc == 1);
    while (rc == 0 && evtchn_load(&v->wakes) == wakes) {
        g_thread_yield();
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
    return guest_is_pending(v->g, port);
}

/* The lost-wakeup race: register and look against set and look. */
static void test_race(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct sleeper s = { .g = g, .port = unit_ipi(g, 0) };
    struct guest_vcpu *v = &g->vcpu[0];
    uint64_t i, in_vain = 0;
    GThread *thread;

    guest_mask(g, s.port);
    thread = g_thread_new("sender", send_rounds, &s);
    for (i = 0; i < ROUNDS; i++) {
        /* The last event's wake may come only now: one in vain for each. */
        while (!poll_once(v, s.port)) {
            in_vain++;
        }
        guest_clear_pending(g, s.port);
        evtchn_store(&s.rounds, i + 1);
    }
    g_thread_join(thread);
    g_assert_cmpuint(in_vain, <=, ROUNDS);
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/poll/errors", test_errors);
    unit_add_modes("/poll/pending", test_pending);
    unit_add_modes("/poll/wake-once", test_wake_once);
    unit_add_modes("/poll/cancel", test_cancel);
    unit_add_modes("/poll/no-ports", test_no_ports);
    unit_add_modes("/poll/many-pollers", test_many_pollers);
    unit_add_modes("/poll/race", test_race);
    return g_test_run();
}
