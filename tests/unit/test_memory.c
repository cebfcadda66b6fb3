/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of memory at every point where memory is asked for: -ENOMEM, nothing
 * leaked, nothing half done, and the next try works.
 */

#include "unit.h"

/* Arms the n-th allocation; what the guest allocates itself never fails. */
static void fail_in(struct guest_heap *heap, int64_t n)
{
    heap->fail_in = n;
}

static void test_create(gconstpointer data)
{
    bool host = GPOINTER_TO_INT(data);
    int64_t n;
    int rc = -1;

    for (n = 1; rc; n++) {
        struct world *w = world_new();
        struct guest *g = g_new0(struct guest, 1);
        struct evtchn_domain_config config = {
            .domid = 1, .nr_vcpus = 4, .max_ports = 1024, .nr_pirqs = 256,
            .host = host,
        };
        struct guest *template = unit_guest(w, 2, 1, MODE_2L_64);

        g->world = w;
        g->env = template->env;
        fail_in(&g->heap, n);
        rc = evtchn_domain_create(w->hub, &config, &g->env, g, &g->d);
        if (rc) {
            assert_err(rc, XEN_ENOMEM);
        } else {
            g_assert_cmpint(n, >, 3);
            fail_in(&g->heap, 0);
            g_assert_cmpuint(evtchn_domain_memory(g->d), ==, g->heap.bytes);
            evtchn_domain_destroy(g->d);
        }
        g_assert_cmpuint(g->heap.bytes, ==, 0);
        g_assert_cmpuint(g->heap.blocks, ==, 0);
        guest_free(template);
        g_free(g);
        world_free(w);
    }
}

static void test_hub(void)
{
    struct world *w = world_new();
    struct world other = { .env = w->env };
    int64_t n;

    for (n = 1; !other.hub; n++) {
        fail_in(&other.heap, n);
        other.hub = evtchn_hub_create(&other.env, &other);
        g_assert_true(other.hub || !other.heap.bytes);
    }
    g_assert_cmpint(n, >, 2);
    fail_in(&other.heap, 0);
    evtchn_hub_destroy(other.hub);
    g_assert_cmpuint(other.heap.bytes, ==, 0);
    world_free(w);
}

/* The hub's memory for a new range of domids. */
static void test_hub_grows(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 5000 };
    struct guest *g;

    fail_in(&w->heap, 1);
    assert_err(guest_try_new(w, &c, &g), XEN_ENOMEM);
    fail_in(&w->heap, 0);
    assert_ok(guest_try_new(w, &c, &g));
    guest_free(g);
    world_free(w);
}

typedef int bind_func(struct guest *g, struct guest *peer, uint32_t *port);

static int bind_unbound(struct guest *g, struct guest *peer, uint32_t *port)
{
    return evtchn_alloc_unbound(g->d, DOMID_SELF, peer->domid, port);
}

static int bind_interdomain(struct guest *g, struct guest *peer, uint32_t *port)
{
    return evtchn_bind_interdomain(g->d, peer->domid, 1, port);
}

static int bind_virq(struct guest *g, struct guest *peer, uint32_t *port)
{
    (void)peer;
    return evtchn_bind_virq(g->d, VIRQ_TIMER, 1, port);
}

static int bind_ipi(struct guest *g, struct guest *peer, uint32_t *port)
{
    (void)peer;
    return evtchn_bind_ipi(g->d, 1, port);
}

static int bind_pirq(struct guest *g, struct guest *peer, uint32_t *port)
{
    (void)peer;
    return evtchn_bind_pirq(g->d, 3, 0, port);
}

static bind_func *const binds[] = {
    bind_unbound, bind_interdomain, bind_virq, bind_ipi, bind_pirq,
};

/* Every bind, at a point where the table has to grow by all it can grow by. */
static void test_bind(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(binds); i++) {
        struct world *w = world_new();
        struct guest *g = unit_guest(w, 1, 2, mode);
        struct guest *peer = unit_guest(w, 2, 1, mode);
        /* One bucket is full; not for 2-level a whole group of buckets. */
        uint32_t open = unit_is_2l(mode) ? 63 : 4095, port, k;
        int64_t n;
        int rc;

        unit_unbound(peer, 1);
        for (k = 0; k < open; k++) {
            unit_ipi_masked(g, 0);
        }
        g_assert_cmpuint(g->heap.bytes, ==, evtchn_domain_memory(g->d));
        for (n = 1;; n++) {
            port = 12345;
            fail_in(&g->heap, n);
            rc = binds[i](g, peer, &port);
            fail_in(&g->heap, 0);
            if (!rc) {
                break;
            }
            assert_err(rc, XEN_ENOMEM);
            g_assert_cmpuint(port, ==, 12345);
            g_assert_cmpuint(g->heap.bytes, ==, evtchn_domain_memory(g->d));
            g_assert_cmpuint(evtchn_domain_valid_ports(g->d), ==, open + 1);
            g_assert_cmpint(unit_info(peer, 1).state, ==, EVTCHN_UNBOUND);
            g_assert_cmpuint(evtchn_virq_port(g->d, 1, VIRQ_TIMER), ==, 0);
            g_assert_cmpuint(evtchn_pirq_port(g->d, 3), ==, 0);
        }
        g_assert_cmpint(n, >=, unit_is_2l(mode) ? 2 : 3);
        g_assert_cmpuint(port, ==, open + 1);
        guest_free(g);
        guest_free(peer);
        world_free(w);
    }
}

static void test_fifo(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    struct guest *g;
    size_t before, once;
    uint32_t port, i;
    int64_t n;
    int rc;

    g = unit_guest(w, 1, 3, mode);
    port = unit_ipi(g, 2);
    assert_ok(evtchn_send(g->d, port));
    before = g->heap.bytes;
    for (n = 1;; n++) {
        fail_in(&g->heap, n);
        rc = guest_init_control(g, 0, 0);
        if (!rc) {
            break;
        }
        assert_err(rc, XEN_ENOMEM);
        g_assert_cmpuint(g->heap.bytes, ==, before);
        g_assert_cmpuint(g->mapped, ==, 0);
        g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
    }
    g_assert_cmpint(n, >=, 2);
    for (n = 1;; n++) {
        fail_in(&g->heap, n);
        rc = guest_init_control(g, 2, 0);
        if (!rc) {
            break;
        }
        assert_err(rc, XEN_ENOMEM);
        g_assert_cmpuint(g->heap.bytes, ==, evtchn_domain_memory(g->d));
    }
    for (n = 1;; n++) {
        fail_in(&g->heap, n);
        rc = guest_expand_array(g);
        if (!rc) {
            break;
        }
        assert_err(rc, XEN_ENOMEM);
        g_assert_cmpuint(g->heap.bytes, ==, evtchn_domain_memory(g->d));
    }
    fail_in(&g->heap, 0);
    /* After all that the old event is still there. */
    g_assert_true(guest_is_pending(g, port));
    guest_unmask(&g->vcpu[2], port);
    unit_expect(g, 2, port);
    assert_ok(guest_reset(g));
    /* The array's list of pages stays for senders to look at, but no more. */
    once = g->heap.bytes;
    g_assert_cmpuint(once - before, <=, 2112);
    for (i = 0; i < 3; i++) {
        assert_ok(guest_fifo_init(g, 4096));
        g_assert_cmpuint(g->heap.bytes, ==, once);
        assert_ok(guest_reset(g));
        g_assert_cmpuint(g->heap.bytes, ==, once);
    }
    g_assert_cmpuint(once, ==, evtchn_domain_memory(g->d));
    guest_free(g);
    world_free(w);
}

/* The path of an event asks for no memory, nor do close and reset. */
static void test_no_allocation(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *a = unit_guest(w, 1, 2, unit_mode_of(data));
    struct guest *b = unit_guest(w, 2, 2, unit_mode_of(data));
    uint32_t a_port, b_port, virq = unit_virq(a, VIRQ_TIMER, 1);
    uint32_t pirq = unit_pirq(a, 9), ipi = unit_ipi(a, 1);
    struct evtchn_port_info info;

    unit_channel(a, &a_port, b, &b_port);
    unit_drain(a);
    fail_in(&a->heap, 1);
    fail_in(&b->heap, 1);
    fail_in(&w->heap, 1);
    assert_ok(evtchn_send(a->d, a_port));
    assert_ok(evtchn_send(a->d, ipi));
    assert_ok(evtchn_unmask(a->d, a_port));
    assert_ok(evtchn_raise_port(a->d, pirq));
    evtchn_raise_virq(a->d, 1, VIRQ_TIMER);
    evtchn_raise_pirq(a->d, 9);
    unit_drain(a);
    unit_drain(b);
    g_assert_cmpint(evtchn_poll(a->d, 0, &a_port, 1), ==, 0);
    assert_ok(evtchn_send(b->d, b_port));
    assert_ok(evtchn_port_info(a->d, virq, &info));
    assert_ok(evtchn_bind_vcpu(a->d, a_port, 1));
    assert_ok(evtchn_close(a->d, a_port));
    assert_ok(guest_reset(a));
    assert_ok(guest_reset(b));
    fail_in(&a->heap, 0);
    fail_in(&b->heap, 0);
    fail_in(&w->heap, 0);
    guest_free(a);
    guest_free(b);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/memory/create/guest", GINT_TO_POINTER(0),
                         test_create);
    g_test_add_data_func("/memory/create/host", GINT_TO_POINTER(1),
                         test_create);
    g_test_add_func("/memory/hub", test_hub);
    g_test_add_func("/memory/hub-grows", test_hub_grows);
    unit_add_modes("/memory/bind", test_bind);
    unit_add_2l("/memory/fifo", test_fifo);
    unit_add_modes("/memory/no-allocation", test_no_allocation);
    return g_test_run();
}
