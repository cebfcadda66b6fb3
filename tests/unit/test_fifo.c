/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FIFO delivery: queues, their order, and ports that change queues.
 */

#include "unit.h"

/* Handle everything on @vcpu: exactly these ports, in this order. */
static void expect_order(struct guest *g, uint32_t vcpu, const uint32_t *port,
                         unsigned int nr)
{
    struct guest_log *log = g_new(struct guest_log, 1);
    unsigned int i;

    unit_handle(g, vcpu, log);
    g_assert_cmpuint(log->nr, ==, nr);
    for (i = 0; i < nr; i++) {
        g_assert_cmpuint(log->port[i], ==, port[i]);
    }
    g_assert_cmpuint(g->vcpu[vcpu].empty_heads, ==, 0);
    g_assert_cmpuint(g->vcpu[vcpu].wild_heads, ==, 0);
    g_free(log);
}

static struct guest *new_guest(struct world *w, uint32_t nr_vcpus,
                               gconstpointer data)
{
    return unit_guest(w, 1, nr_vcpus, unit_mode_of(data));
}

static void bind_ports(struct guest *g, uint32_t *port, unsigned int nr)
{
    unsigned int i;

    for (i = 0; i < nr; i++) {
        port[i] = unit_ipi(g, 0);
    }
}

/* What each send writes, and what it does not. */
static void test_words(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_guest(w, 1, data);
    struct evtchn_fifo_control_block *control = g->vcpu[0].control;
    uint32_t port[3], i;

    bind_ports(g, port, 3);
    for (i = 0; i < 3; i++) {
        g_assert_cmphex(*guest_event_word(g, port[i]), ==, 0);
        g_assert_cmpuint(unit_info(g, port[i]).priority, ==,
                         EVTCHN_FIFO_PRIORITY_DEFAULT);
    }
    assert_ok(evtchn_send(g->d, port[0]));
    g_assert_cmphex(*guest_event_word(g, port[0]), ==,
                    FIFO_PENDING | FIFO_LINKED);
    g_assert_cmphex(control->ready, ==, 1 << EVTCHN_FIFO_PRIORITY_DEFAULT);
    g_assert_cmpuint(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], ==, port[0]);

    /* Further ones are linked; HEAD stays, READY is not touched. */
    control->ready = 0;
    assert_ok(evtchn_send(g->d, port[1]));
    assert_ok(evtchn_send(g->d, port[2]));
    g_assert_cmphex(*guest_event_word(g, port[0]), ==,
                    FIFO_PENDING | FIFO_LINKED | port[1]);
    g_assert_cmphex(*guest_event_word(g, port[1]), ==,
                    FIFO_PENDING | FIFO_LINKED | port[2]);
    g_assert_cmphex(*guest_event_word(g, port[2]), ==,
                    FIFO_PENDING | FIFO_LINKED);
    g_assert_cmphex(control->ready, ==, 0);
    g_assert_cmpuint(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], ==, port[0]);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    g_assert_true(unit_info(g, port[0]).linked);
    g_assert_cmpuint(unit_info(g, port[0]).link, ==, port[1]);
    g_assert_cmpuint(unit_info(g, port[2]).link, ==, 0);

    control->ready = 1 << EVTCHN_FIFO_PRIORITY_DEFAULT;
    expect_order(g, 0, port, 3);
    for (i = 0; i < 3; i++) {
        g_assert_cmphex(*guest_event_word(g, port[i]), ==, 0);
    }
    /* shared_info has no part in it. */
    g_assert_cmphex(guest_pending_sel(&g->vcpu[0]), ==, 0);
    guest_free(g);
    world_free(w);
}

static void test_fifo_order(gconstpointer data)
{
    enum { N = 500 };
    struct world *w = world_new();
    struct guest *g = new_guest(w, 1, data);
    uint32_t port[N], sent[N], i;

    bind_ports(g, port, N);
    /* 7 and N have no common divisor: each once. */
    for (i = 0; i < N; i++) {
        sent[i] = port[i * 7 % (N - 1)];
        if (i == N - 1) {
            sent[i] = port[N - 1];
        }
        assert_ok(evtchn_send(g->d, sent[i]));
        /* Again, which must not move it. */
        assert_ok(evtchn_send(g->d, sent[i / 2]));
    }
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    expect_order(g, 0, sent, N);
    guest_free(g);
    world_free(w);
}

static void test_priority_order(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_guest(w, 1, data);
    uint32_t port[48], expected[48], i;

    bind_ports(g, port, 48);
    for (i = 0; i < 48; i++) {
        assert_ok(evtchn_set_priority(g->d, port[i], 15 - i % 16));
        g_assert_cmpuint(unit_info(g, port[i]).priority, ==, 15 - i % 16);
        /* Three a priority, in the order of sending. */
        expected[(15 - i % 16) * 3 + i / 16] = port[i];
    }
    for (i = 0; i < 48; i++) {
        assert_ok(evtchn_send(g->d, port[i]));
    }
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    g_assert_cmphex(g->vcpu[0].control->ready, ==, 0xffff);
    expect_order(g, 0, expected, 48);
    guest_free(g);
    world_free(w);
}

struct sends_while_handling {
    struct guest_log log;
    uint32_t when, port;
};

static void send_and_log(struct guest_vcpu *v, uint32_t port, void *opaque)
{
    struct sends_while_handling *s = opaque;

    guest_log_event(v, port, &s->log);
    if (port == s->when) {
        s->when = 0;
        assert_ok(evtchn_send(v->g->d, s->port));
    }
}

/* An event of higher priority overtakes what is already queued. */
static void test_overtake(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_guest(w, 1, data);
    struct sends_while_handling s = { 0 };
    uint32_t port[4];

    bind_ports(g, port, 4);
    assert_ok(evtchn_set_priority(g->d, port[3], 2));
    assert_ok(evtchn_send(g->d, port[0]));
    assert_ok(evtchn_send(g->d, port[1]));
    assert_ok(evtchn_send(g->d, port[2]));
    s.when = port[0];
    s.port = port[3];
    guest_upcall(&g->vcpu[0], send_and_log, &s);
    g_assert_cmpuint(s.log.nr, ==, 4);
    g_assert_cmpuint(s.log.port[0], ==, port[0]);
    g_assert_cmpuint(s.log.port[1], ==, port[3]);
    g_assert_cmpuint(s.log.port[2], ==, port[1]);
    g_assert_cmpuint(s.log.port[3], ==, port[2]);

    /* One that comes again while it is handled goes to the end. */
    s.log.nr = 0;
    s.when = s.port = port[0];
    assert_ok(evtchn_send(g->d, port[0]));
    assert_ok(evtchn_send(g->d, port[1]));
    guest_upcall(&g->vcpu[0], send_and_log, &s);
    g_assert_cmpuint(s.log.nr, ==, 3);
    g_assert_cmpuint(s.log.port[1], ==, port[1]);
    g_assert_cmpuint(s.log.port[2], ==, port[0]);
    guest_free(g);
    world_free(w);
}

static void test_set_priority_errors(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_guest(w, 1, data);
    uint32_t port = unit_ipi(g, 0), i;

    for (i = 0; i < 16; i++) {
        assert_ok(evtchn_set_priority(g->d, port, i));
    }
    assert_err(evtchn_set_priority(g->d, port, 16), XEN_EINVAL);
    assert_err(evtchn_set_priority(g->d, port, 256), XEN_EINVAL);
    assert_err(evtchn_set_priority(g->d, port, UINT32_MAX), XEN_EINVAL);
    g_assert_cmpuint(unit_info(g, port).priority, ==, 15);
    assert_err(evtchn_set_priority(g->d, 1 << 17, 1), XEN_EINVAL);
    assert_err(evtchn_set_priority(g->d, 0, 1), XEN_EACCES);
    assert_err(evtchn_set_priority(g->d, port + 1, 1), XEN_EACCES);
    /* A new binding starts with the default again. */
    assert_ok(evtchn_close(g->d, port));
    g_assert_cmpuint(unit_ipi(g, 0), ==, port);
    g_assert_cmpuint(unit_info(g, port).priority, ==,
                     EVTCHN_FIFO_PRIORITY_DEFAULT);
    guest_free(g);
    world_free(w);
}

/* A new priority is for events to come; what is linked stays. */
static void test_priority_while_linked(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_guest(w, 1, data);
    uint32_t port[3];

    bind_ports(g, port, 3);
    assert_ok(evtchn_send(g->d, port[0]));
    assert_ok(evtchn_send(g->d, port[1]));
    assert_ok(evtchn_set_priority(g->d, port[1], 0));
    assert_ok(evtchn_send(g->d, port[1]));
    assert_ok(evtchn_send(g->d, port[2]));
    g_assert_cmphex(g->vcpu[0].control->ready, ==,
                    1 << EVTCHN_FIFO_PRIORITY_DEFAULT);
    expect_order(g, 0, port, 3);

    assert_ok(evtchn_send(g->d, port[0]));
    assert_ok(evtchn_send(g->d, port[1]));
    expect_order(g, 0, (uint32_t[]) { port[1], port[0] }, 2);
    guest_free(g);
    world_free(w);
}

/*
 * The tail of a queue was consumed and is put on another queue: the old one is
 * empty, and must not append to it.
 */
static void test_tail_moves(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_guest(w, 1, data);
    uint32_t port[3];

    bind_ports(g, port, 3);
    assert_ok(evtchn_send(g->d, port[0]));
    unit_expect(g, 0, port[0]);
    assert_ok(evtchn_set_priority(g->d, port[0], 3));
    assert_ok(evtchn_send(g->d, port[0]));
    /* On the queue whose last tail was port[0]. */
    assert_ok(evtchn_send(g->d, port[1]));
    assert_ok(evtchn_send(g->d, port[2]));
    g_assert_cmphex(*guest_event_word(g, port[0]) & FIFO_LINK_MASK, ==, 0);
    expect_order(g, 0, port, 3);

    /* And back again, as a tail that comes second. */
    assert_ok(evtchn_send(g->d, port[0]));
    unit_expect(g, 0, port[0]);
    assert_ok(evtchn_set_priority(g->d, port[0], 7));
    assert_ok(evtchn_send(g->d, port[1]));
    assert_ok(evtchn_send(g->d, port[0]));
    assert_ok(evtchn_set_priority(g->d, port[2], 3));
    assert_ok(evtchn_send(g->d, port[2]));
    expect_order(g, 0, (uint32_t[]) { port[2], port[1], port[0] }, 3);
    guest_free(g);
    world_free(w);
}

/* A port that moves away while linked is delivered on its old vCPU. */
static void test_vcpu_while_linked(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *a = new_guest(w, 2, data);
    struct guest *b = unit_guest(w, 2, 1, unit_mode_of(data));
    uint32_t a_port, b_port, other[2];

    unit_channel(a, &a_port, b, &b_port);
    unit_drain(a);
    other[0] = unit_ipi(a, 0);
    other[1] = unit_ipi(a, 1);
    assert_ok(evtchn_send(b->d, b_port));
    unit_move(a, a_port, 1);
    assert_ok(evtchn_send(b->d, b_port));
    assert_ok(evtchn_send(a->d, other[0]));
    unit_expect(a, 1, 0);
    expect_order(a, 0, (uint32_t[]) { a_port, other[0] }, 2);

    /* From now on at the new one, with queues that do not mix. */
    assert_ok(evtchn_send(b->d, b_port));
    assert_ok(evtchn_send(a->d, other[0]));
    assert_ok(evtchn_send(a->d, other[1]));
    expect_order(a, 1, (uint32_t[]) { a_port, other[1] }, 2);
    expect_order(a, 0, &other[0], 1);
    guest_free(a);
    guest_free(b);
    world_free(w);
}

/* Random moves and sends: each event once, in order on its own queue. */
static void test_moves(gconstpointer data)
{
    enum { N = 40, ROUNDS = 3000 };
    struct world *w = world_new();
    struct guest *g = new_guest(w, 4, data);
    GRand *rand = g_rand_new_with_seed(20);
    uint32_t port[N], sent[N] = { 0 }, seen[N] = { 0 }, i, k, n;
    struct guest_log log;

    for (i = 0; i < N; i++) {
        port[i] = unit_pirq(g, i);
    }
    for (i = 0; i < ROUNDS; i++) {
        k = g_rand_int_range(rand, 0, N);
        switch (g_rand_int_range(rand, 0, 6)) {
        case 0:
            unit_move(g, port[k], g_rand_int_range(rand, 0, 4));
            break;
        case 1:
            assert_ok(evtchn_set_priority(g->d, port[k],
                                          g_rand_int_range(rand, 0, 16)));
            break;
        case 2:
            unit_handle(g, g_rand_int_range(rand, 0, 4), &log);
            for (n = 0; n < log.nr; n++) {
                g_assert_cmpuint(log.port[n], <=, N);
                seen[log.port[n] - port[0]]++;
            }
            break;
        default:
            if (!guest_is_pending(g, port[k])) {
                sent[k]++;
            }
            evtchn_raise_pirq(g->d, k);
            break;
        }
    }
    for (i = 0; i < 4; i++) {
        unit_handle(g, i, &log);
        for (n = 0; n < log.nr; n++) {
            seen[log.port[n] - port[0]]++;
        }
        g_assert_cmpuint(g->vcpu[i].empty_heads, ==, 0);
        g_assert_cmpuint(g->vcpu[i].wild_heads, ==, 0);
    }
    for (i = 0; i < N; i++) {
        g_assert_cmpuint(seen[i], ==, sent[i]);
    }
    g_rand_free(rand);
    guest_free(g);
    world_free(w);
}

/* Masked while linked: skipped when consumed, delivered when unmasked. */
static void test_mask_while_linked(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_guest(w, 1, data);
    uint32_t port[3];

    bind_ports(g, port, 3);
    assert_ok(evtchn_send(g->d, port[0]));
    assert_ok(evtchn_send(g->d, port[1]));
    assert_ok(evtchn_send(g->d, port[2]));
    guest_mask(g, port[1]);
    expect_order(g, 0, (uint32_t[]) { port[0], port[2] }, 2);
    g_assert_true(guest_is_pending(g, port[1]));
    g_assert_false(unit_info(g, port[1]).linked);
    g_assert_true(guest_unmask(&g->vcpu[0], port[1]));
    unit_expect(g, 0, port[1]);

    /* Unmasked before it is consumed: still linked, nothing twice. */
    assert_ok(evtchn_send(g->d, port[0]));
    guest_mask(g, port[0]);
    g_assert_true(guest_unmask(&g->vcpu[0], port[0]));
    unit_expect(g, 0, port[0]);
    unit_expect(g, 0, 0);
    guest_free(g);
    world_free(w);
}

/* As Xen: FIFO's unmask relinks what is pending, whatever MASKED was. */
static void test_unmask_relinks(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_guest(w, 1, data);
    uint32_t port = unit_ipi(g, 0);

    consumer_fifo_set_pending(g, port);
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    unit_expect(g, 0, port);

    /* Not for a closed port. */
    assert_ok(evtchn_close(g->d, port));
    guest_mask(g, port);
    consumer_fifo_set_pending(g, port);
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_true(guest_is_masked(g, port));
    unit_expect(g, 0, 0);
    guest_free(g);
    world_free(w);
}

/* Queues of different vCPUs are different. */
static void test_queues_of_vcpus(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_guest(w, 3, data);
    uint32_t port[3][4], i, k;

    for (k = 0; k < 4; k++) {
        for (i = 0; i < 3; i++) {
            port[i][k] = unit_ipi(g, i);
            assert_ok(evtchn_send(g->d, port[i][k]));
        }
    }
    for (i = 0; i < 3; i++) {
        g_assert_cmpuint(g->vcpu[i].upcalls, ==, 1);
        expect_order(g, i, port[i], 4);
    }
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_fifo("/fifo/words", test_words);
    unit_add_fifo("/fifo/order", test_fifo_order);
    unit_add_fifo("/fifo/priority-order", test_priority_order);
    unit_add_fifo("/fifo/overtake", test_overtake);
    unit_add_fifo("/fifo/set-priority-errors", test_set_priority_errors);
    unit_add_fifo("/fifo/priority-while-linked", test_priority_while_linked);
    unit_add_fifo("/fifo/tail-moves", test_tail_moves);
    unit_add_fifo("/fifo/vcpu-while-linked", test_vcpu_while_linked);
    unit_add_fifo("/fifo/moves", test_moves);
    unit_add_fifo("/fifo/mask-while-linked", test_mask_while_linked);
    unit_add_fifo("/fifo/unmask-relinks", test_unmask_relinks);
    unit_add_fifo("/fifo/queues-of-vcpus", test_queues_of_vcpus);
    return g_test_run();
}
