/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event, once, against a change that happens at the same time.
 */

#include "race.h"
#include "cpu_relax.h"

static gpointer send_once(gpointer opaque)
{
    struct race *r = opaque;
    unsigned int i;

    gate_pass(&r->gate, 2);
    /* Once only, as a second event would hide that the first was lost. */
    for (i = 0; i < r->delay; i++) {
        cpu_relax();
    }
    assert_ok(evtchn_send(r->peer->d, r->peer_port));
    return NULL;
}

static void race_with_one_send(gconstpointer data)
{
    const struct race_case *c = data;
    struct world *w = world_new();
    struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
    gint64 begin = g_get_monotonic_time();
    unsigned int round;

    for (round = 0; time_left(begin); round++) {
        struct race r = {
            .g = unit_guest(w, 1, c->nr_vcpus,
                            unit_round_mode(c->first_mode, c->nr_modes, round)),
            .peer = peer, .round = round, .delay = round * 7 % 256,
        };
        GThread *thread;

        c->prepare(&r);
        thread = start(send_once, &r);
        gate_pass(&r.gate, 2);
        c->act(&r);
        g_thread_join(thread);
        c->expect(&r);
        guest_free(r.g);
        assert_ok(evtchn_close(peer->d, r.peer_port));
    }
    guest_free(peer);
    world_free(w);
}

void race_add(const char *path, const struct race_case *c)
{
    g_test_add_data_func(path, c, race_with_one_send);
}

void race_channel(struct race *r)
{
    unit_channel(r->peer, &r->peer_port, r->g, &r->port);
}

static void expect_once(struct race *r, uint32_t vcpu)
{
    guest_unmask(&r->g->vcpu[vcpu], r->port);
    unit_expect(r->g, vcpu, r->port);
    assert_ok(evtchn_unmask(r->g->d, r->port));
    unit_expect(r->g, vcpu, 0);
}

void race_expect_on_0(struct race *r)
{
    expect_once(r, 0);
}

void race_expect_on_1(struct race *r)
{
    expect_once(r, 1);
}

void race_expect_anywhere(struct race *r)
{
    struct guest_log *log = g_new(struct guest_log, 1);
    unsigned int nr = 0, i;

    for (i = 0; i < r->g->nr_vcpus; i++) {
        nr += unit_handle(r->g, i, log);
        g_assert_true(!log->nr || log->port[0] == r->port);
    }
    g_assert_cmpuint(nr, ==, 1);
    g_free(log);
}
