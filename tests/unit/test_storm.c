/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A storm: events for a port whose last one the guest has not handled yet.  The
 * first of them finds that out; those that follow write nothing, neither what
 * senders share nor what the guest does, and cost one fence.
 */

#include "unit.h"
#include "step.h"

static struct {
    bool counting;
    unsigned int loads;
    unsigned int writes;    /* stores and read-modify-writes */
    unsigned int fences;
} steps;

void unit_step(int kind, const volatile void *ptr)
{
    (void)ptr;
    if (!steps.counting) {
        return;
    }
    switch (kind) {
    case EVTCHN_STEP_LOAD:
        steps.loads++;
        break;
    case EVTCHN_STEP_FENCE:
        steps.fences++;
        break;
    default:
        steps.writes++;
        break;
    }
}

enum { STORM = 10 };

static void expect_no_writes(struct guest *g, uint32_t port)
{
    unsigned int i;

    /* This one notes that it came too early. */
    assert_ok(evtchn_send(g->d, port));
    for (i = 0; i < STORM; i++) {
        memset(&steps, 0, sizeof(steps));
        steps.counting = true;
        assert_ok(evtchn_send(g->d, port));
        steps.counting = false;
        g_assert_cmpuint(steps.writes, ==, 0);
        g_assert_cmpuint(steps.fences, ==, 1);
        g_assert_cmpuint(steps.loads, <=, 20);
    }
    g_test_message("%u loads", steps.loads);
}

/* Whichever way an event comes; and the storm is one event. */
static void test_ipi(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t port = unit_ipi(g, 1), round;

    for (round = 0; round < 3; round++) {
        assert_ok(evtchn_send(g->d, port));
        expect_no_writes(g, port);
        unit_expect(g, 1, port);
        unit_expect(g, 1, 0);
        /* Events that are handled as they come are not held up by it. */
        assert_ok(evtchn_send(g->d, port));
        unit_expect(g, 1, port);
    }
    guest_free(g);
    world_free(w);
}

static void test_interdomain(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, mode);
    struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
    uint32_t port, peer_port;

    unit_channel(peer, &peer_port, g, &port);
    unit_drain(g);
    assert_ok(evtchn_send(peer->d, peer_port));
    expect_no_writes(peer, peer_port);
    unit_expect(g, 0, port);
    unit_expect(g, 0, 0);
    guest_free(g);
    guest_free(peer);
    world_free(w);
}

/* A port that is masked for long, as Linux masks one while it is handled. */
static void test_masked(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t port = unit_ipi(g, 0);

    guest_mask(g, port);
    assert_ok(evtchn_send(g->d, port));
    expect_no_writes(g, port);
    unit_expect(g, 0, 0);
    g_assert_true(guest_unmask(&g->vcpu[0], port));
    unit_expect(g, 0, port);
    unit_expect(g, 0, 0);
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/storm/ipi", test_ipi);
    unit_add_modes("/storm/interdomain", test_interdomain);
    unit_add_modes("/storm/masked", test_masked);
    return g_test_run();
}
