/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests with threads share.
 */

#ifndef TESTS_RACE_H
#define TESTS_RACE_H

#include "unit.h"

/* Threads that leave the gate together. */
struct gate {
    unsigned int waiting;
};

static inline void gate_pass(struct gate *gate, unsigned int nr)
{
    evtchn_fetch_add(&gate->waiting, 1);
    while (evtchn_load(&gate->waiting) < nr) {
        g_thread_yield();
    }
}

struct race {
    struct gate gate;
    struct guest *g;
    struct guest *peer;
    uint32_t port;
    uint32_t peer_port;
    uint64_t gfn;
    unsigned int delay;
    unsigned int stop;
};

static inline GThread *start(GThreadFunc func, struct race *r)
{
    return g_thread_new("race", func, r);
}

static inline void stop(struct race *r, GThread **thread, unsigned int nr)
{
    unsigned int i;

    evtchn_store(&r->stop, 1U);
    for (i = 0; i < nr; i++) {
        g_thread_join(thread[i]);
    }
}

/* How long the open-ended ones run. */
static inline bool time_left(gint64 start_time)
{
    return g_get_monotonic_time() - start_time < 250 * G_TIME_SPAN_MILLISECOND;
}

static inline gpointer send_once(gpointer opaque)
{
    struct race *r = opaque;
    unsigned int i;

    gate_pass(&r->gate, 2);
    /* Once only, as a second event would hide that the first was lost. */
    for (i = 0; i < r->delay; i++) {
        __builtin_ia32_pause();
    }
    assert_ok(evtchn_send(r->peer->d, r->peer_port));
    return NULL;
}

/* The guest has the event exactly once, wherever the sends fell. */
static inline void expect_once(struct guest *g, uint32_t vcpu, uint32_t port)
{
    guest_unmask(&g->vcpu[vcpu], port);
    unit_expect(g, vcpu, port);
    assert_ok(evtchn_unmask(g->d, port));
    unit_expect(g, vcpu, 0);
}

#endif /* TESTS_RACE_H */
