/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving and loading: a guest goes on, in a new domain, as if nothing had
 * happened.
 */

#include "unit.h"

struct saved {
    enum evtchn_abi abi;
    uint32_t nr_vcpus;
    struct evtchn_vcpu_state *vcpus;
    uint64_t gfns[EVTCHN_MAX_FRAMES];
    uint32_t nr_frames;
    GArray *ports;
};

static struct saved *save(struct guest *g)
{
    struct saved *s = g_new0(struct saved, 1);
    uint32_t port, again;

    s->abi = evtchn_domain_abi(g->d);
    s->nr_vcpus = g->nr_vcpus;
    s->vcpus = g_new(struct evtchn_vcpu_state, g->nr_vcpus);
    for (port = 0; port < g->nr_vcpus; port++) {
        assert_ok(evtchn_save_vcpu(g->d, port, &s->vcpus[port]));
    }
    evtchn_save_frames(g->d, NULL, &again);
    evtchn_save_frames(g->d, s->gfns, &s->nr_frames);
    g_assert_cmpuint(again, ==, s->nr_frames);
    s->ports = g_array_new(false, false, sizeof(struct evtchn_port_state));
    for (port = 1; port < evtchn_domain_valid_ports(g->d); port++) {
        struct evtchn_port_state state;
        int rc = evtchn_save_port(g->d, port, &state);

        if (rc == 0) {
            g_assert_cmpuint(state.port, ==, port);
            g_array_append_val(s->ports, state);
        } else {
            assert_err(rc, XEN_ENOENT);
        }
    }
    return s;
}

static void saved_free(struct saved *s)
{
    g_array_free(s->ports, true);
    g_free(s->vcpus);
    g_free(s);
}

/* What is in @to at the place of @p in @from. */
static void *same_place(struct guest *to, struct guest *from, void *p)
{
    uintptr_t offset = (uintptr_t)p % EVTCHN_FRAME_SIZE;
    uint32_t i;

    for (i = 0; (char *)from->frame[i] + offset != (char *)p; i++) {
        ;
    }
    return (char *)to->frame[i] + offset;
}

/* @to gets @from's memory, and what its kernel knows. */
static void copy_guest(struct guest *to, struct guest *from)
{
    uint32_t i;

    while (to->nr_frames < from->nr_frames) {
        guest_new_frame(to);
    }
    for (i = 0; i < from->nr_frames; i++) {
        memcpy(to->frame[i], from->frame[i], EVTCHN_FRAME_SIZE);
    }
    for (i = 0; i < from->nr_vcpus; i++) {
        struct guest_vcpu *t = &to->vcpu[i], *f = &from->vcpu[i];

        memcpy(t->head, f->head, sizeof(t->head));
        t->control_gfn = f->control_gfn;
        t->l2_gfn = f->l2_gfn;
        if (f->control) {
            t->control = same_place(to, from, f->control);
        }
        if (f->l2_selector) {
            t->l2_selector = same_place(to, from, f->l2_selector);
        }
    }
    for (i = 0; i < from->nr_array; i++) {
        to->array[i] = same_place(to, from, from->array[i]);
    }
    to->nr_array = from->nr_array;
    for (i = 0; i < from->nr_maps; i++) {
        to->pending_map[i] = same_place(to, from, from->pending_map[i]);
        to->mask_map[i] = same_place(to, from, from->mask_map[i]);
    }
    to->nr_maps = from->nr_maps;
    memcpy(to->port_vcpu, from->port_vcpu,
           from->max_ports * sizeof(*to->port_vcpu));
}

static void load(struct guest *g, const struct saved *s)
{
    unsigned int i;

    if (s->abi != EVTCHN_ABI_2L) {
        assert_ok(evtchn_load_abi(g->d, s->abi, s->gfns, s->nr_frames,
                                  s->vcpus));
    }
    for (i = 0; i < s->ports->len; i++) {
        assert_ok(evtchn_load_port(g->d, &g_array_index(s->ports,
                                            struct evtchn_port_state, i)));
    }
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, s->abi);
}

/* A new domain in @w that goes on where @g stopped. */
static struct guest *restore(struct world *w, struct guest *g,
                             struct guest_config c, enum unit_mode mode)
{
    struct saved *s = save(g);
    struct guest *n;

    c.word32 = unit_is_32(mode);
    n = guest_new(w, &c);
    copy_guest(n, g);
    load(n, s);
    saved_free(s);
    return n;
}

static void check_same(struct guest *a, struct guest *b)
{
    uint32_t port;

    for (port = 1; port < evtchn_domain_valid_ports(a->d); port++) {
        struct evtchn_port_info x = unit_info(a, port), y;

        if (evtchn_port_info(b->d, port, &y)) {
            g_assert_cmpint(x.state, ==, EVTCHN_CLOSED);
            continue;
        }
        g_assert_cmpint(x.state, ==, y.state);
        if (x.state == EVTCHN_CLOSED) {
            continue;
        }
        g_assert_cmpint(x.abi, ==, y.abi);
        g_assert_cmpuint(x.vcpu, ==, y.vcpu);
        g_assert_cmpuint(x.remote_domid, ==, y.remote_domid);
        g_assert_cmpuint(x.remote_port, ==, y.remote_port);
        g_assert_cmpuint(x.irq, ==, y.irq);
        g_assert_cmpuint(x.priority, ==, y.priority);
        g_assert_cmpint(x.pending, ==, y.pending);
        g_assert_cmpint(x.masked, ==, y.masked);
        g_assert_cmpint(x.linked, ==, y.linked);
        g_assert_cmpuint(x.link, ==, y.link);
    }
}

/* Queues half full, in all states; what was queued comes in its order. */
static void test_round_trip(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct guest_config c = { .domid = 1, .nr_vcpus = 2, .nr_pirqs = 64 };
    struct world *w = world_new(), *w2 = world_new();
    struct guest *g = unit_guest_config(w, c, mode), *n;
    uint32_t port[12], virq, con, pirq, unbound, closed, i;
    struct guest_log log, log2;

    for (i = 0; i < 12; i++) {
        port[i] = unit_ipi(g, i % 2);
    }
    virq = unit_virq(g, VIRQ_TIMER, 1);
    con = unit_virq(g, VIRQ_CONSOLE, 0);
    unit_move(g, con, 1);
    pirq = unit_pirq(g, 33);
    unit_move(g, pirq, 1);
    unbound = unit_unbound(g, 77);
    closed = unit_ipi(g, 0);
    for (i = 0; i < 12; i++) {
        if (unit_is_fifo(mode)) {
            assert_ok(evtchn_set_priority(g->d, port[i], 6 + i % 4));
        }
        if (i % 3) {
            assert_ok(evtchn_send(g->d, port[i]));
        }
    }
    /* A tail that was consumed, a masked event, a closed one still linked. */
    evtchn_raise_pirq(g->d, 33);
    unit_handle(g, 1, &log);
    guest_mask(g, port[3]);
    assert_ok(evtchn_send(g->d, port[3]));
    evtchn_raise_virq(g->d, 1, VIRQ_TIMER);
    assert_ok(evtchn_send(g->d, closed));
    assert_ok(evtchn_close(g->d, closed));

    n = restore(w2, g, c, mode);
    check_same(g, n);
    g_assert_cmpuint(evtchn_virq_port(n->d, 1, VIRQ_TIMER), ==, virq);
    g_assert_cmpuint(evtchn_virq_port(n->d, 0, VIRQ_CONSOLE), ==, con);
    g_assert_cmpuint(evtchn_pirq_port(n->d, 33), ==, pirq);
    g_assert_cmpint(unit_info(n, unbound).state, ==, EVTCHN_UNBOUND);

    /* Both go on alike. */
    for (i = 0; i < 12; i += 5) {
        assert_ok(evtchn_send(g->d, port[i]));
        assert_ok(evtchn_send(n->d, port[i]));
    }
    for (i = 0; i < 2; i++) {
        unit_handle(g, i, &log);
        unit_handle(n, i, &log2);
        g_assert_cmpuint(log.nr, ==, log2.nr);
        g_assert_cmpint(memcmp(log.port, log2.port, log.nr * 4), ==, 0);
        g_assert_cmpuint(n->vcpu[i].empty_heads, ==, 0);
        g_assert_cmpuint(n->vcpu[i].wild_heads, ==, 0);
    }
    g_assert_true(guest_unmask(&n->vcpu[1], port[3]));
    unit_expect(n, 1, port[3]);
    g_assert_cmpuint(unit_ipi(n, 0), ==, closed);
    guest_free(g);
    guest_free(n);
    world_free(w);
    world_free(w2);
}

/* A queue that was consumed has a tail; the port it names has moved on. */
static void test_stale_tail(void)
{
    struct guest_config c = { .domid = 1 };
    struct world *w = world_new(), *w2 = world_new();
    struct guest *g = unit_guest_config(w, c, MODE_FIFO_64), *n;
    uint32_t a = unit_ipi(g, 0), b = unit_ipi(g, 0);

    assert_ok(evtchn_send(g->d, a));
    unit_expect(g, 0, a);
    assert_ok(evtchn_set_priority(g->d, a, 2));
    n = restore(w2, g, c, MODE_FIFO_64);
    assert_ok(evtchn_send(n->d, a));
    /* The old queue's tail is a; it must not become part of the new one. */
    assert_ok(evtchn_send(n->d, b));
    g_assert_cmpuint(*guest_event_word(n, a) & FIFO_LINK_MASK, ==, 0);
    unit_drain(n);
    g_assert_false(guest_is_pending(n, b));
    guest_free(g);
    guest_free(n);
    world_free(w);
    world_free(w2);
}

/* The same of a closed port: still linked, and the tail. */
static void test_closed_tail(void)
{
    struct guest_config c = { .domid = 1 };
    struct world *w = world_new(), *w2 = world_new();
    struct guest *g = unit_guest_config(w, c, MODE_FIFO_64), *n;
    uint32_t a = unit_ipi(g, 0), b = unit_ipi(g, 0);

    assert_ok(evtchn_send(g->d, a));
    assert_ok(evtchn_close(g->d, a));
    n = restore(w2, g, c, MODE_FIFO_64);
    g_assert_cmpuint(unit_ipi(n, 0), ==, b + 1);
    assert_ok(evtchn_send(n->d, b));
    unit_expect(n, 0, b);
    g_assert_cmpuint(unit_ipi(n, 0), ==, a);
    assert_ok(evtchn_send(n->d, a));
    unit_expect(n, 0, a);
    guest_free(g);
    guest_free(n);
    world_free(w);
    world_free(w2);
}

/* Events that wait for a page, or a control block, wait on. */
static void test_waiting(void)
{
    struct guest_config c = { .domid = 1, .nr_vcpus = 2 };
    struct world *w = world_new(), *w2 = world_new();
    struct guest *g = guest_new(w, &c), *n;
    uint32_t a, high = 0, i;

    assert_ok(guest_init_control(g, 0, 64));
    assert_ok(guest_expand_array(g));
    a = unit_ipi(g, 1);
    for (i = 0; i < 1200; i++) {
        assert_ok(evtchn_bind_ipi(g->d, 0, &high));
    }
    assert_ok(evtchn_send(g->d, a));
    assert_ok(evtchn_send(g->d, high));
    n = restore(w2, g, c, MODE_FIFO_64);
    assert_ok(guest_init_control(n, 1, 0));
    unit_expect(n, 1, a);
    assert_ok(guest_expand_array(n));
    g_assert_true(guest_unmask(&n->vcpu[0], high));
    unit_expect(n, 0, high);
    assert_err(guest_init_control(n, 0, 0), XEN_EINVAL);
    guest_free(g);
    guest_free(n);
    world_free(w);
    world_free(w2);
}

/* The same of 3-level: vCPU 1 has no selector yet. */
static void test_waiting_3l(gconstpointer data)
{
    struct guest_config c = {
        .domid = 1, .nr_vcpus = 2, .word32 = GPOINTER_TO_INT(data),
    };
    struct world *w = world_new(), *w2 = world_new();
    struct guest *g = guest_new(w, &c), *n;
    uint32_t port;

    assert_ok(guest_register_bitmaps(g));
    assert_ok(guest_register_selector(g, 0, 64));
    port = unit_ipi(g, 1);
    assert_ok(evtchn_send(g->d, port));
    n = restore(w2, g, c, c.word32 ? MODE_3L_32 : MODE_3L_64);
    g_assert_true(unit_info(n, port).pending);
    unit_expect(n, 1, 0);
    assert_ok(guest_register_selector(n, 1, 0));
    unit_expect(n, 1, port);
    assert_err(guest_register_selector(n, 0, 0), XEN_EINVAL);
    assert_err(guest_register_bitmaps(n), XEN_EINVAL);
    guest_free(g);
    guest_free(n);
    world_free(w);
    world_free(w2);
}

/* What is masked and pending is the guest's memory, which a load leaves be. */
static void test_load_3l_memory(gconstpointer data)
{
    struct guest_config c = { .domid = 1, .word32 = GPOINTER_TO_INT(data) };
    struct world *w = world_new(), *w2 = world_new();
    struct guest *g = guest_new(w, &c), *n;
    uint32_t i;

    assert_ok(guest_3l_init(g));
    for (i = 0; i < 200; i++) {
        guest_unmask(&g->vcpu[0], unit_ipi(g, 0));
    }
    for (i = 1; i < 200; i += 2) {
        guest_mask(g, i);
        consumer_2l_mask(g, i + 1);
        assert_ok(evtchn_send(g->d, i));
    }
    n = restore(w2, g, c, c.word32 ? MODE_3L_32 : MODE_3L_64);
    for (i = 0; i < g->nr_maps; i++) {
        g_assert_cmpint(memcmp(g->pending_map[i], n->pending_map[i],
                               EVTCHN_FRAME_SIZE), ==, 0);
        g_assert_cmpint(memcmp(g->mask_map[i], n->mask_map[i],
                               EVTCHN_FRAME_SIZE), ==, 0);
    }
    guest_free(g);
    guest_free(n);
    world_free(w);
    world_free(w2);
}

/* An event that waited for shared_info does not wait for ever. */
static void test_waiting_2l(gconstpointer data)
{
    struct guest_config c = {
        .domid = 1, .no_shared_info = true, .word32 = GPOINTER_TO_INT(data),
    };
    struct world *w = world_new(), *w2 = world_new();
    struct guest *g = guest_new(w, &c), *n;
    struct saved *s;
    uint32_t port;

    assert_ok(evtchn_bind_ipi(g->d, 0, &port));
    assert_ok(evtchn_send(g->d, port));
    s = save(g);
    /* Where the guest is loaded shared_info may be there already. */
    c.no_shared_info = false;
    n = guest_new(w2, &c);
    load(n, s);
    unit_expect(n, 0, port);
    saved_free(s);
    guest_free(g);
    guest_free(n);
    world_free(w);
    world_free(w2);
}

/* And one for a port that is mute, until the word grows again. */
static void test_mute(void)
{
    const struct evtchn_port_state high = {
        .port = 2000, .state = EVTCHN_IPI, .vcpu = 1,
    };
    struct guest_config c = { .domid = 1, .nr_vcpus = 2 };
    struct world *w = world_new(), *w2 = world_new();
    struct guest *g = guest_new(w, &c), *n;
    struct evtchn_port_state state;
    unsigned int i;

    assert_ok(evtchn_load_port(g->d, &high));
    g->port_vcpu[high.port] = 1;
    guest_set_long_mode(g, false);
    for (i = 0; i < 3; i++) {
        assert_ok(evtchn_send(g->d, high.port));
    }
    assert_ok(evtchn_save_port(g->d, high.port, &state));
    g_assert_cmpuint(state.pending, !=, 0);
    n = restore(w2, g, c, MODE_2L_32);
    check_same(g, n);
    unit_expect(n, 1, 0);
    g_assert_false(unit_info(n, high.port).pending);
    guest_set_long_mode(n, true);
    unit_expect(n, 1, high.port);
    unit_expect(n, 1, 0);
    assert_ok(evtchn_save_port(n->d, high.port, &state));
    g_assert_cmpuint(state.pending, ==, 0);
    guest_free(g);
    guest_free(n);
    world_free(w);
    world_free(w2);
}

/* Both ends are loaded, in either order; alone, an end is unbound. */
static void test_interdomain(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct guest_config ca = { .domid = 1 }, cb = { .domid = 2 };
    int order;

    for (order = 0; order < 2; order++) {
        struct world *w = world_new(), *w2 = world_new();
        struct guest *a = unit_guest_config(w, ca, mode);
        struct guest *b = unit_guest_config(w, cb, mode), *na, *nb;
        uint32_t a_port, b_port, x, y;

        unit_ipi(a, 0);
        unit_channel(a, &a_port, b, &b_port);
        unit_channel(a, &x, a, &y);
        unit_drain(a);
        if (order) {
            na = restore(w2, a, ca, mode);
            g_assert_cmpint(unit_info(na, a_port).state, ==, EVTCHN_UNBOUND);
            g_assert_cmpuint(unit_info(na, a_port).remote_domid, ==, 2);
            nb = restore(w2, b, cb, mode);
        } else {
            nb = restore(w2, b, cb, mode);
            g_assert_cmpint(unit_info(nb, b_port).state, ==, EVTCHN_UNBOUND);
            g_assert_cmpuint(unit_info(nb, b_port).remote_domid, ==, 1);
            na = restore(w2, a, ca, mode);
        }
        check_same(a, na);
        check_same(b, nb);
        assert_ok(evtchn_send(na->d, a_port));
        unit_expect(nb, 0, b_port);
        assert_ok(evtchn_send(nb->d, b_port));
        unit_expect(na, 0, a_port);
        assert_ok(evtchn_send(na->d, x));
        unit_expect(na, 0, y);
        assert_ok(evtchn_close(na->d, a_port));
        g_assert_cmpint(unit_info(nb, b_port).state, ==, EVTCHN_UNBOUND);
        guest_free(a);
        guest_free(b);
        guest_free(na);
        guest_free(nb);
        world_free(w);
        world_free(w2);
    }
}

static void test_save_errors(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, mode);
    struct evtchn_vcpu_state vcpu;
    struct evtchn_port_state port;
    uint32_t nr;

    assert_err(evtchn_save_vcpu(g->d, 2, &vcpu), XEN_ENOENT);
    assert_err(evtchn_save_port(g->d, 1, &port), XEN_ENOENT);
    assert_err(evtchn_save_port(g->d, 1 << 20, &port), XEN_EINVAL);
    assert_ok(evtchn_save_vcpu(g->d, 1, &vcpu));
    evtchn_save_frames(g->d, NULL, &nr);
    g_assert_cmpuint(vcpu.gfn, ==,
                     unit_is_fifo(mode) ? g->vcpu[1].control_gfn :
                     unit_is_3l(mode) ? g->vcpu[1].l2_gfn : EVTCHN_INVALID_GFN);
    g_assert_cmpuint(nr + 2, ==, unit_is_2l(mode) ? 2 : unit_frames(mode, 2));
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/state/round-trip", test_round_trip);
    g_test_add_func("/state/stale-tail", test_stale_tail);
    g_test_add_func("/state/closed-tail", test_closed_tail);
    g_test_add_func("/state/waiting", test_waiting);
    g_test_add_data_func("/state/waiting-2l/64", GINT_TO_POINTER(0),
                         test_waiting_2l);
    g_test_add_data_func("/state/waiting-2l/32", GINT_TO_POINTER(1),
                         test_waiting_2l);
    g_test_add_func("/state/mute", test_mute);
    unit_add_modes("/state/interdomain", test_interdomain);
    unit_add_modes("/state/save-errors", test_save_errors);
    if (UNIT_HAS_3L) {
        g_test_add_data_func("/state/waiting-3l/64", GINT_TO_POINTER(0),
                             test_waiting_3l);
        g_test_add_data_func("/state/waiting-3l/32", GINT_TO_POINTER(1),
                             test_waiting_3l);
        g_test_add_data_func("/state/load-3l-memory/64", GINT_TO_POINTER(0),
                             test_load_3l_memory);
        g_test_add_data_func("/state/load-3l-memory/32", GINT_TO_POINTER(1),
                             test_load_3l_memory);
    }
    return g_test_run();
}
