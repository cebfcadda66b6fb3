/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain is destroyed in the middle of a send to it, at each of the send's
 * accesses to shared memory in turn: it does not go before the send is over.
 * What a sender uses too late only ASan sees.
 */

#include "race.h"
#include "step.h"

/* Longer than a send is. */
#define MOST_STEPS 60

static struct {
    struct guest *g;
    unsigned int steps_left;    /* of the sender, until the end begins */
    GThread *destroyer;
    uint32_t waiting;           /* for a lock that the sender has, or for it */
    uint32_t destroyed;
    unsigned int synchronized;
} test;

static _Thread_local bool is_sender;
static _Thread_local bool is_destroyer;

static void relax(unsigned int spins)
{
    if (is_destroyer) {
        evtchn_store(&test.waiting, 1U);
    }
    world_relax(spins);
}

static void synchronize(void *opaque)
{
    test.synchronized++;
    evtchn_store(&test.waiting, 1U);
    world_synchronize(opaque);
}

static gpointer destroy(gpointer opaque)
{
    is_destroyer = true;
    guest_free(opaque);
    evtchn_store(&test.destroyed, 1U);
    return NULL;
}

void unit_step(int kind, const volatile void *ptr)
{
    (void)kind, (void)ptr;
    if (is_sender && test.steps_left && !--test.steps_left) {
        is_sender = false;
        test.destroyer = g_thread_new("destroyer", destroy, test.g);
        while (!evtchn_load(&test.waiting) && !evtchn_load(&test.destroyed)) {
            g_thread_yield();
        }
        g_assert_false(evtchn_load(&test.destroyed));
    }
}

/* False when the send has fewer than @step steps. */
static bool destroy_at(struct guest *peer, uint32_t peer_port,
                       unsigned int step)
{
    test.steps_left = step;
    test.destroyer = NULL;
    test.waiting = test.destroyed = 0;
    test.synchronized = 0;
    is_sender = true;
    assert_ok(guest_send(peer, peer_port));
    is_sender = false;
    if (!test.destroyer) {
        return false;
    }
    g_thread_join(test.destroyer);
    g_assert_cmpuint(test.synchronized, ==, 1);
    return true;
}

/* A new event, and one of a storm. */
static void test_send(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    unsigned int sent_before, step;

    for (sent_before = 0; sent_before < 3; sent_before += 2) {
        struct world *w = world_new();
        struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
        struct evtchn_env env = w->env;
        struct guest_config c = { .domid = 1, .env = &env };
        bool destroyed = true;

        env.relax = relax;
        env.synchronize = synchronize;
        for (step = 1; destroyed && step < MOST_STEPS; step++) {
            uint32_t port, peer_port, i;

            test.g = unit_guest_config(w, c, mode);
            unit_channel(peer, &peer_port, test.g, &port);
            for (i = 0; i < sent_before; i++) {
                assert_ok(evtchn_send(peer->d, peer_port));
            }
            destroyed = destroy_at(peer, peer_port, step);
            if (destroyed) {
                g_assert_cmpint(unit_info(peer, peer_port).state, ==,
                                EVTCHN_UNBOUND);
            } else {
                guest_free(test.g);
            }
            assert_ok(evtchn_close(peer->d, peer_port));
        }
        g_assert_cmpuint(step, >, sent_before ? 8 : 12);
        g_assert_false(destroyed);
        guest_free(peer);
        world_free(w);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/destroy/send", test_send);
    return g_test_run();
}
