/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's security advisories on event channels that are races.  They are meant
 * to run under TSan and ASan too; where a race can lose an event, each round
 * checks that it did not.
 */

#include "race.h"

/* 295: the guest flips bits of the tail's word while we link to it. */
static gpointer flip_bits(gpointer opaque)
{
    struct race *r = opaque;
    uint32_t *word = guest_event_word(r->g, r->port);

    while (!evtchn_load(&r->stop)) {
        evtchn_fetch_or(word, FIFO_MASKED | FIFO_LINKED);
        evtchn_fetch_and(word, ~(FIFO_PENDING | FIFO_MASKED));
        evtchn_fetch_and(word, ~(FIFO_LINKED | FIFO_LINK_MASK));
    }
    return NULL;
}

static void test_295(void)
{
    struct world *w = world_new();
    struct race r = { .g = unit_guest(w, 1, 1, MODE_FIFO_64) };
    gint64 begin = g_get_monotonic_time();
    GThread *thread[2];
    uint32_t other;

    r.port = unit_ipi(r.g, 0);
    other = unit_ipi(r.g, 0);
    thread[0] = start(flip_bits, &r);
    thread[1] = start(flip_bits, &r);
    while (time_left(begin)) {
        assert_ok(evtchn_send(r.g->d, r.port));
        assert_ok(evtchn_send(r.g->d, other));
        evtchn_fetch_and(guest_event_word(r.g, other),
                         ~(FIFO_LINKED | FIFO_LINK_MASK | FIFO_PENDING));
    }
    stop(&r, thread, 2);
    guest_free(r.g);
    world_free(w);
}

/* New bitmaps and a selector of @g, as often as it is to have them again. */
struct pages_3l {
    uint32_t nr_pages;
    uint64_t gfns[2 * GUEST_MAX_BITMAP_PAGES];
    uint64_t selector;
    uint64_t list;
};

static void new_pages_3l(struct guest *g, struct pages_3l *p)
{
    uint32_t i;

    p->nr_pages = EVTCHN_3L_NR_PAGES(guest_word_bits(g));
    for (i = 0; i < 2 * p->nr_pages; i++) {
        p->gfns[i] = guest_new_frame(g);
    }
    p->selector = guest_new_frame(g);
    p->list = guest_new_frame(g);
}

static int register_bitmaps(struct guest *g, const struct pages_3l *p)
{
    return unit_register_bitmaps(g, p->list, p->gfns, p->nr_pages);
}

/* 338: high ports are used while a reset lowers the limit. */
static gpointer use_high_ports(gpointer opaque)
{
    struct race *r = opaque;
    struct evtchn_port_info info;
    uint32_t port;

    while (!evtchn_load(&r->stop)) {
        for (port = 1010; port < 1100; port++) {
            evtchn_unmask(r->g->d, port);
            evtchn_send(r->g->d, port);
            evtchn_raise_port(r->g->d, port);
            evtchn_set_priority(r->g->d, port, 3);
            evtchn_port_info(r->g->d, port, &info);
            evtchn_poll(r->g->d, 0, &port, 1);
            evtchn_poll_cancel(r->g->d, 0);
        }
    }
    return NULL;
}

static void test_338(gconstpointer data)
{
    bool three_level = GPOINTER_TO_INT(data);
    struct world *w = world_new();
    struct race r = { .g = unit_guest(w, 1, 1, MODE_2L_32) };
    uint64_t control = guest_new_frame(r.g), page[2];
    struct pages_3l p;
    gint64 begin = g_get_monotonic_time();
    GThread *thread[2];
    uint32_t valid = 0, port, i;

    for (i = 0; i < 2; i++) {
        page[i] = guest_new_frame(r.g);
    }
    new_pages_3l(r.g, &p);
    thread[0] = start(use_high_ports, &r);
    thread[1] = start(use_high_ports, &r);
    while (time_left(begin)) {
        uint8_t bits;

        if (three_level) {
            assert_ok(register_bitmaps(r.g, &p));
            assert_ok(unit_register_selector(r.g, 0, p.selector, 0));
        } else {
            assert_ok(evtchn_init_control(r.g->d, control, 0, 0, &bits));
            for (i = 0; i < 2; i++) {
                assert_ok(evtchn_expand_array(r.g->d, page[i]));
            }
        }
        for (i = 0; i < 1100; i++) {
            assert_ok(evtchn_bind_ipi(r.g->d, 0, &port));
        }
        g_assert_cmpuint(evtchn_domain_valid_ports(r.g->d), >=, valid);
        valid = evtchn_domain_valid_ports(r.g->d);
        assert_ok(evtchn_reset(r.g->d));
        g_assert_cmpuint(evtchn_domain_valid_ports(r.g->d), ==, valid);
    }
    stop(&r, thread, 2);
    guest_free(r.g);
    world_free(w);
}

/* 340: a bucket is used the moment that its ports become valid. */
static gpointer use_last_ports(gpointer opaque)
{
    struct race *r = opaque;

    while (!evtchn_load(&r->stop)) {
        uint32_t valid = evtchn_domain_valid_ports(r->g->d), port;
        struct evtchn_port_info info;

        for (port = valid - 64; port < valid + 64; port++) {
            int rc = evtchn_send(r->g->d, port);

            g_assert_true(rc == 0 || rc == -XEN_EINVAL);
            rc = evtchn_port_info(r->g->d, port, &info);
            g_assert_true(port >= valid || rc == 0);
            evtchn_unmask(r->g->d, port);
        }
    }
    return NULL;
}

static void test_340(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1 };
    struct race r = { .g = guest_new(w, &c) };
    gint64 begin = g_get_monotonic_time();
    GThread *thread[2];
    uint32_t port, i;

    assert_ok(guest_fifo_init(r.g, 8192));
    thread[0] = start(use_last_ports, &r);
    thread[1] = start(use_last_ports, &r);
    for (i = 1; i < 8192 && (i < 640 || time_left(begin)); i++) {
        assert_ok(evtchn_bind_ipi(r.g->d, 0, &port));
        g_assert_cmpuint(port, ==, i);
    }
    stop(&r, thread, 2);
    guest_free(r.g);
    world_free(w);
}

/* 343: binding, closing and sending, from inside and outside, and resets. */
static gpointer bind_and_close(gpointer opaque)
{
    struct race *r = opaque;
    uint32_t a, b, c;

    while (!evtchn_load(&r->stop)) {
        if (!evtchn_alloc_unbound(r->g->d, DOMID_SELF, 1, &a) &&
            !evtchn_bind_interdomain(r->g->d, DOMID_SELF, a, &b)) {
            evtchn_send(r->g->d, b);
            evtchn_bind_vcpu(r->g->d, a, 1);
            evtchn_close(r->g->d, a);
        }
        if (!evtchn_bind_virq(r->g->d, VIRQ_TIMER, 0, &c)) {
            evtchn_raise_virq(r->g->d, 0, VIRQ_TIMER);
            evtchn_close(r->g->d, c);
        }
    }
    return NULL;
}

static gpointer peer_binds(gpointer opaque)
{
    struct race *r = opaque;
    uint32_t port, own;

    while (!evtchn_load(&r->stop)) {
        for (port = 1; port < 8; port++) {
            if (!evtchn_bind_interdomain(r->peer->d, 1, port, &own)) {
                evtchn_send(r->peer->d, own);
                evtchn_close(r->peer->d, own);
            }
        }
        if (!evtchn_alloc_unbound(r->g->d, DOMID_SELF, 2, &port)) {
            evtchn_send(r->g->d, port);
        }
    }
    return NULL;
}

static void test_343(gconstpointer data)
{
    bool three_level = GPOINTER_TO_INT(data);
    struct world *w = world_new();
    struct race r = {
        .g = unit_guest(w, 1, 2, MODE_2L_64),
        .peer = unit_guest(w, 2, 1, MODE_FIFO_64),
    };
    uint64_t control = guest_new_frame(r.g), page = guest_new_frame(r.g);
    struct pages_3l p;
    gint64 begin = g_get_monotonic_time();
    unsigned int done = 0, again = 0;
    GThread *thread[3];
    uint8_t bits;
    int rc;

    new_pages_3l(r.g, &p);
    thread[0] = start(bind_and_close, &r);
    thread[1] = start(bind_and_close, &r);
    thread[2] = start(peer_binds, &r);
    while (time_left(begin)) {
        if (three_level) {
            rc = register_bitmaps(r.g, &p);
            g_assert_true(rc == 0 || rc == -XEN_EINVAL);
            unit_register_selector(r.g, 0, p.selector, 0);
            unit_register_selector(r.g, 1, p.selector, 2048);
        } else {
            rc = evtchn_init_control(r.g->d, control, 0, 0, &bits);
            g_assert_true(rc == 0 || rc == -XEN_EINVAL);
            evtchn_expand_array(r.g->d, page);
            evtchn_init_control(r.g->d, control, 2048, 1, &bits);
        }
        rc = evtchn_reset(r.g->d);
        if (rc == 0) {
            /* No port was open, so nobody used the guest's pages. */
            done++;
        } else {
            assert_err(rc, XEN_EAGAIN);
            again++;
        }
    }
    stop(&r, thread, 3);
    g_test_message("%u resets done, %u refused", done, again);
    assert_ok(evtchn_reset(r.g->d));
    g_assert_cmpuint(r.g->mapped, ==, 0);
    g_assert_cmpuint(evtchn_virq_port(r.g->d, 0, VIRQ_TIMER), ==, 0);
    guest_free(r.g);
    guest_free(r.peer);
    world_free(w);
}

/* 344: a full domain goes away while its peers send and close. */
static gpointer send_and_close(gpointer opaque)
{
    struct race *r = opaque;
    uint32_t port;

    gate_pass(&r->gate, 2);
    for (port = 200; port; port--) {
        g_assert_true(guest_send(r->peer, port) <= 0);
        if (port % 3 == 0) {
            evtchn_close(r->peer->d, port);
        }
    }
    return NULL;
}

static void test_344(void)
{
    struct world *w = world_new();
    gint64 begin = g_get_monotonic_time();
    unsigned int round, i;

    for (round = 0; time_left(begin); round++) {
        struct race r = {
            .g = unit_guest(w, 1, 1, unit_round_mode(0, NR_MODES, round)),
            .peer = unit_guest(w, 2, 1,
                               unit_round_mode(0, NR_MODES, round / 2)),
        };
        GThread *thread;
        uint32_t a, b;

        for (i = 0; i < 200; i++) {
            b = unit_unbound(r.g, 2);
            assert_ok(evtchn_bind_interdomain(r.peer->d, 1, b, &a));
        }
        thread = start(send_and_close, &r);
        gate_pass(&r.gate, 2);
        guest_free(r.g);
        g_thread_join(thread);
        for (i = 1; i <= 200; i++) {
            int state = unit_info(r.peer, i).state;

            g_assert_cmpint(state, ==,
                            i % 3 ? EVTCHN_UNBOUND : EVTCHN_CLOSED);
        }
        guest_free(r.peer);
    }
    world_free(w);
}

/* 358: events come while the control block is being published. */
static void prepare_358(struct race *r)
{
    assert_ok(guest_init_control(r->g, 0, 0));
    assert_ok(guest_expand_array(r->g));
    race_channel(r);
    unit_move(r->g, r->port, 1);
}

static void act_358(struct race *r)
{
    assert_ok(guest_init_control(r->g, 1, 0));
}

static const struct race_case race_358 = {
    .nr_vcpus = 2, .first_mode = MODE_2L_64, .nr_modes = 1,
    .prepare = prepare_358, .act = act_358, .expect = race_expect_on_1,
};

/* 359: events come while the array page is being published. */
static void prepare_359(struct race *r)
{
    assert_ok(guest_init_control(r->g, 0, 0));
    /* Without its word it can't be unmasked. */
    r->port = unit_unbound(r->g, 2);
    assert_ok(evtchn_bind_interdomain(r->peer->d, 1, r->port, &r->peer_port));
}

static void act_359(struct race *r)
{
    assert_ok(guest_expand_array(r->g));
}

static const struct race_case race_359 = {
    .nr_vcpus = 1, .first_mode = MODE_2L_64, .nr_modes = 1,
    .prepare = prepare_359, .act = act_359, .expect = race_expect_on_0,
};

/* 505: pages are added while a reset takes the array away. */
static gpointer expand(gpointer opaque)
{
    struct race *r = opaque;

    while (!evtchn_load(&r->stop)) {
        int rc = evtchn_expand_array(r->g->d, r->gfn);

        g_assert_true(rc == 0 || rc == -XEN_EOPNOTSUPP || rc == -XEN_ENOSPC);
    }
    return NULL;
}

/* The same with a selector, which needs the bitmaps. */
static gpointer register_selector(gpointer opaque)
{
    struct race *r = opaque;

    while (!evtchn_load(&r->stop)) {
        int rc = unit_register_selector(r->g, 0, r->gfn, 0);

        g_assert_true(rc == 0 || rc == -XEN_EOPNOTSUPP || rc == -XEN_EINVAL);
    }
    return NULL;
}

static gpointer raise_pirq(gpointer opaque)
{
    struct race *r = opaque;
    uint32_t port;

    while (!evtchn_load(&r->stop)) {
        if (!evtchn_bind_pirq(r->g->d, 3, 0, &port)) {
            evtchn_raise_pirq(r->g->d, 3);
            evtchn_unmask(r->g->d, port);
            evtchn_close(r->g->d, port);
        }
    }
    return NULL;
}

static void test_505(gconstpointer data)
{
    bool three_level = GPOINTER_TO_INT(data);
    GThreadFunc grow = three_level ? register_selector : expand;
    struct world *w = world_new();
    struct race r = { .g = unit_guest(w, 1, 1, MODE_2L_64) };
    uint64_t control = guest_new_frame(r.g);
    gint64 begin = g_get_monotonic_time();
    struct pages_3l p;
    GThread *thread[3];
    uint8_t bits;

    new_pages_3l(r.g, &p);
    r.gfn = guest_new_frame(r.g);
    thread[0] = start(grow, &r);
    thread[1] = start(grow, &r);
    thread[2] = start(raise_pirq, &r);
    while (time_left(begin)) {
        int rc = three_level
                     ? register_bitmaps(r.g, &p)
                     : evtchn_init_control(r.g->d, control, 0, 0, &bits);

        g_assert_true(rc == 0 || rc == -XEN_EINVAL);
        rc = evtchn_reset(r.g->d);
        g_assert_true(rc == 0 || rc == -XEN_EAGAIN);
    }
    stop(&r, thread, 3);
    assert_ok(evtchn_reset(r.g->d));
    g_assert_cmpuint(r.g->mapped, ==, 0);
    g_assert_cmpuint(r.g->heap.bytes, ==, evtchn_domain_memory(r.g->d));
    guest_free(r.g);
    world_free(w);
}

/* For FIFO and for 3-level. */
static void add_both(const char *path, GTestDataFunc func)
{
    char *name = g_strdup_printf("%s/3l", path);

    g_test_add_data_func(path, GINT_TO_POINTER(false), func);
    if (UNIT_HAS_3L) {
        g_test_add_data_func(name, GINT_TO_POINTER(true), func);
    }
    g_free(name);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xsa/295/race", test_295);
    add_both("/xsa/338/race", test_338);
    g_test_add_func("/xsa/340/race", test_340);
    add_both("/xsa/343/race", test_343);
    g_test_add_func("/xsa/344/race", test_344);
    race_add("/xsa/358/race", &race_358);
    race_add("/xsa/359/race", &race_359);
    add_both("/xsa/505/race", test_505);
    return g_test_run();
}
