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
    unsigned int round;
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

/*
 * What differs between races of one event with one change.  @prepare must
 * leave port and peer_port bound to each other; @act runs while the peer sends
 * and @expect after both are done.
 */
struct race_case {
    uint32_t nr_vcpus;
    enum unit_mode first_mode;      /* each round the next mode of so many */
    unsigned int nr_modes;
    void (*prepare)(struct race *r);
    void (*act)(struct race *r);
    void (*expect)(struct race *r);
};

/* Add a test: rounds of it while time is left, each with a new guest. */
void race_add(const char *path, const struct race_case *c);

/* The usual @prepare. */
void race_channel(struct race *r);

/* @expect: exactly one event, wherever the send fell, on this vCPU. */
void race_expect_on_0(struct race *r);
void race_expect_on_1(struct race *r);
/* All vCPUs together have it exactly once. */
void race_expect_anywhere(struct race *r);

#endif /* TESTS_RACE_H */
