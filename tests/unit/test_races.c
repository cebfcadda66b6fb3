/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event, once, against each change that its port or its guest may go
 * through at the same time.
 */

#include "race.h"

/* Events come while the domain changes from 2-level to FIFO. */
static void test_switch(void)
{
    struct world *w = world_new();
    struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
    gint64 begin = g_get_monotonic_time();
    unsigned int round;

    for (round = 0; time_left(begin); round++) {
        struct race r = {
            .g = unit_guest(w, 1, 1, round % 2 ? MODE_2L_32 : MODE_2L_64),
            .peer = peer, .delay = round * 7 % 256,
        };
        GThread *thread;

        unit_channel(peer, &r.peer_port, r.g, &r.port);
        thread = start(send_once, &r);
        gate_pass(&r.gate, 2);
        assert_ok(guest_fifo_init(r.g, 1024));
        g_thread_join(thread);
        g_assert_true(guest_is_pending(r.g, r.port));
        expect_once(r.g, 0, r.port);
        guest_free(r.g);
        assert_ok(evtchn_close(peer->d, r.peer_port));
    }
    guest_free(peer);
    world_free(w);
}

/* All events of both vCPUs together. */
static unsigned int handle_all(struct guest *g, uint32_t port)
{
    struct guest_log *log = g_new(struct guest_log, 1);
    unsigned int nr = 0, i;

    for (i = 0; i < g->nr_vcpus; i++) {
        nr += unit_handle(g, i, log);
        g_assert_true(!log->nr || log->port[0] == port);
    }
    g_free(log);
    return nr;
}

/* An event comes while vcpu_info moves, the old contents copied before. */
static void test_vcpu_info(void)
{
    struct world *w = world_new();
    struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
    gint64 begin = g_get_monotonic_time();
    unsigned int round;

    for (round = 0; time_left(begin); round++) {
        struct race r = {
            .g = unit_guest(w, 1, 1, round % NR_MODES), .peer = peer,
            .delay = round * 7 % 256,
        };
        struct guest_vcpu *v = &r.g->vcpu[0];
        void *new_info = guest_frame(r.g, guest_new_frame(r.g));
        GThread *thread;

        unit_channel(peer, &r.peer_port, r.g, &r.port);
        thread = start(send_once, &r);
        gate_pass(&r.gate, 2);
        /* Only what matters of it; the sender writes to it meanwhile. */
        evtchn_store((uint64_t *)new_info, evtchn_load((uint64_t *)v->info));
        evtchn_store((uint64_t *)new_info + 1,
                     evtchn_load((uint64_t *)v->info + 1));
        v->info = new_info;
        assert_ok(evtchn_vcpu_set_info(r.g->d, 0, new_info, round / 4 % 2));
        g_thread_join(thread);
        g_assert_cmpuint(handle_all(r.g, r.port), ==, 1);
        guest_free(r.g);
        assert_ok(evtchn_close(peer->d, r.peer_port));
    }
    guest_free(peer);
    world_free(w);
}

/* An event comes while its port moves, masked as a kernel does it. */
static void test_bind_vcpu(void)
{
    struct world *w = world_new();
    struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
    gint64 begin = g_get_monotonic_time();
    unsigned int round;

    for (round = 0; time_left(begin); round++) {
        struct race r = {
            .g = unit_guest(w, 1, 2, round % NR_MODES), .peer = peer,
            .delay = round * 7 % 256,
        };
        GThread *thread;

        unit_channel(peer, &r.peer_port, r.g, &r.port);
        thread = start(send_once, &r);
        gate_pass(&r.gate, 2);
        guest_mask(r.g, r.port);
        unit_move(r.g, r.port, 1);
        guest_unmask(&r.g->vcpu[1], r.port);
        g_thread_join(thread);
        g_assert_cmpuint(handle_all(r.g, r.port), ==, 1);
        guest_free(r.g);
        assert_ok(evtchn_close(peer->d, r.peer_port));
    }
    guest_free(peer);
    world_free(w);
}

/* An event comes while its port's priority changes, and while it is masked. */
static void test_priority(void)
{
    struct world *w = world_new();
    struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
    gint64 begin = g_get_monotonic_time();
    unsigned int round;

    for (round = 0; time_left(begin); round++) {
        struct race r = {
            .g = unit_guest(w, 1, 1, MODE_FIFO_64), .peer = peer,
            .delay = round * 7 % 256,
        };
        GThread *thread;

        unit_channel(peer, &r.peer_port, r.g, &r.port);
        thread = start(send_once, &r);
        gate_pass(&r.gate, 2);
        assert_ok(evtchn_set_priority(r.g->d, r.port, round % 16));
        assert_ok(evtchn_unmask(r.g->d, r.port));
        guest_mask(r.g, r.port);
        guest_unmask(&r.g->vcpu[0], r.port);
        assert_ok(evtchn_set_priority(r.g->d, r.port, round / 16 % 16));
        g_thread_join(thread);
        g_assert_cmpuint(handle_all(r.g, r.port), ==, 1);
        guest_free(r.g);
        assert_ok(evtchn_close(peer->d, r.peer_port));
    }
    guest_free(peer);
    world_free(w);
}

/* A VIRQ that is raised while its port becomes something else. */
static gpointer raise_virq(gpointer opaque)
{
    struct race *r = opaque;

    while (!evtchn_load(&r->stop)) {
        evtchn_raise_virq(r->g->d, 0, VIRQ_TIMER);
        evtchn_raise_pirq(r->g->d, 3);
    }
    return NULL;
}

static void test_reuse(void)
{
    struct world *w = world_new();
    struct race r = { .g = unit_guest(w, 1, 1, MODE_2L_64) };
    gint64 begin = g_get_monotonic_time();
    GThread *thread[2];
    uint32_t port;

    thread[0] = start(raise_virq, &r);
    thread[1] = start(raise_virq, &r);
    while (time_left(begin)) {
        assert_ok(evtchn_bind_virq(r.g->d, VIRQ_TIMER, 0, &port));
        assert_ok(evtchn_close(r.g->d, port));
        g_assert_false(guest_is_pending(r.g, port));
        assert_ok(evtchn_bind_pirq(r.g->d, 3, 0, &port));
        assert_ok(evtchn_close(r.g->d, port));
        /* Nobody raises this one. */
        assert_ok(evtchn_bind_ipi(r.g->d, 0, &port));
        g_assert_cmpuint(port, ==, 1);
        g_assert_false(guest_is_pending(r.g, port));
        assert_ok(evtchn_close(r.g->d, port));
    }
    stop(&r, thread, 2);
    guest_free(r.g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/race/reuse", test_reuse);
    g_test_add_func("/race/switch", test_switch);
    g_test_add_func("/race/vcpu-info", test_vcpu_info);
    g_test_add_func("/race/bind-vcpu", test_bind_vcpu);
    g_test_add_func("/race/priority", test_priority);
    return g_test_run();
}
