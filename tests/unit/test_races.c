/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event, once, against each change that its port or its guest may go
 * through at the same time.
 */

#include "race.h"

/* Events come while the domain changes from 2-level to FIFO. */
static void act_switch(struct race *r)
{
    assert_ok(guest_fifo_init(r->g, 1024));
}

static void expect_switch(struct race *r)
{
    g_assert_true(guest_is_pending(r->g, r->port));
    race_expect_on_0(r);
}

static const struct race_case race_switch = {
    .nr_vcpus = 1, .first_mode = MODE_2L_64, .nr_modes = 2,
    .prepare = race_channel, .act = act_switch, .expect = expect_switch,
};

/* The same, to 3-level, where what was not masked stays so. */
static void act_switch_3l(struct race *r)
{
    assert_ok(guest_3l_init(r->g));
}

static const struct race_case race_switch_3l = {
    .nr_vcpus = 1, .first_mode = MODE_2L_64, .nr_modes = 2,
    .prepare = race_channel, .act = act_switch_3l,
    .expect = race_expect_anywhere,
};

/* An event comes while its vCPU gets its L2 selector. */
static void prepare_selector(struct race *r)
{
    assert_ok(guest_register_bitmaps(r->g));
    assert_ok(guest_register_selector(r->g, 0, 0));
    race_channel(r);
    /* Only what comes after the move counts. */
    guest_clear_pending(r->g, r->port);
    unit_drain(r->g);
    unit_move(r->g, r->port, 1);
}

static void act_selector(struct race *r)
{
    assert_ok(guest_register_selector(r->g, 1, 0));
}

static const struct race_case race_selector = {
    .nr_vcpus = 2, .first_mode = MODE_2L_64, .nr_modes = 2,
    .prepare = prepare_selector, .act = act_selector,
    .expect = race_expect_anywhere,
};

/* The same while the port moves to, or from, a vCPU that has none. */
static void act_move_late(struct race *r)
{
    unit_move(r->g, r->port, 0);
    assert_ok(evtchn_unmask(r->g->d, r->port));
    unit_move(r->g, r->port, 1);
    guest_mask(r->g, r->port);
    unit_move(r->g, r->port, 0);
    guest_unmask(&r->g->vcpu[0], r->port);
}

static const struct race_case race_move_late = {
    .nr_vcpus = 2, .first_mode = MODE_2L_64, .nr_modes = 2,
    .prepare = prepare_selector, .act = act_move_late,
    .expect = race_expect_anywhere,
};

/* FIFO: its port leaves a vCPU that has no control block. */
static void prepare_leave(struct race *r)
{
    assert_ok(guest_init_control(r->g, 0, 0));
    assert_ok(guest_expand_array(r->g));
    race_channel(r);
    unit_move(r->g, r->port, 1);
}

static void act_leave(struct race *r)
{
    unit_move(r->g, r->port, 0);
}

/* Nothing but the move itself may bring it. */
static void expect_leave(struct race *r)
{
    unit_expect(r->g, 0, r->port);
    unit_expect(r->g, 0, 0);
}

static const struct race_case race_leave = {
    .nr_vcpus = 2, .first_mode = MODE_2L_64, .nr_modes = 2,
    .prepare = prepare_leave, .act = act_leave, .expect = expect_leave,
};

/* An event comes while vcpu_info moves, the old contents copied before. */
static void prepare_vcpu_info(struct race *r)
{
    r->gfn = guest_new_frame(r->g);
    race_channel(r);
}

static void act_vcpu_info(struct race *r)
{
    struct guest_vcpu *v = &r->g->vcpu[0];
    uint64_t *old_info = v->info, *new_info = guest_frame(r->g, r->gfn);

    /* Only what matters of it; the sender writes to it meanwhile. */
    evtchn_store(new_info, evtchn_load(old_info));
    evtchn_store(new_info + 1, evtchn_load(old_info + 1));
    v->info = new_info;
    assert_ok(evtchn_vcpu_set_info(r->g->d, 0, new_info, r->round / 4 % 2));
}

static const struct race_case race_vcpu_info = {
    .nr_vcpus = 1, .nr_modes = NR_MODES,
    .prepare = prepare_vcpu_info, .act = act_vcpu_info,
    .expect = race_expect_anywhere,
};

/* An event comes while its port moves, masked as a kernel does it. */
static void act_bind_vcpu(struct race *r)
{
    guest_mask(r->g, r->port);
    unit_move(r->g, r->port, 1);
    guest_unmask(&r->g->vcpu[1], r->port);
}

static const struct race_case race_bind_vcpu = {
    .nr_vcpus = 2, .nr_modes = NR_MODES,
    .prepare = race_channel, .act = act_bind_vcpu,
    .expect = race_expect_anywhere,
};

/* An event comes while its port's priority changes, and while it is masked. */
static void act_priority(struct race *r)
{
    assert_ok(evtchn_set_priority(r->g->d, r->port, r->round % 16));
    assert_ok(evtchn_unmask(r->g->d, r->port));
    guest_mask(r->g, r->port);
    guest_unmask(&r->g->vcpu[0], r->port);
    assert_ok(evtchn_set_priority(r->g->d, r->port, r->round / 16 % 16));
}

static const struct race_case race_priority = {
    .nr_vcpus = 1, .first_mode = MODE_FIFO_64, .nr_modes = 1,
    .prepare = race_channel, .act = act_priority,
    .expect = race_expect_anywhere,
};

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
    race_add("/race/switch", &race_switch);
    race_add("/race/leave", &race_leave);
    if (UNIT_HAS_3L) {
        race_add("/race/switch-3l", &race_switch_3l);
        race_add("/race/selector", &race_selector);
        race_add("/race/move-late", &race_move_late);
    }
    race_add("/race/vcpu-info", &race_vcpu_info);
    race_add("/race/bind-vcpu", &race_bind_vcpu);
    race_add("/race/priority", &race_priority);
    return g_test_run();
}
