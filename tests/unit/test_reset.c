/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_reset: everything closed, and back to 2-level.
 */

#include "unit.h"

static void bind_all_kinds(struct guest *g, struct guest *peer,
                           uint32_t *peer_port)
{
    uint32_t port;

    unit_unbound(g, peer->domid);
    unit_channel(g, &port, peer, peer_port);
    unit_channel(g, &port, g, &port);
    unit_virq(g, VIRQ_TIMER, 1);
    unit_ipi(g, 1);
    unit_pirq(g, 7);
}

static void test_closes_all(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    struct guest *peer = unit_guest(w, 2, 1, unit_mode_of(data));
    uint32_t port, peer_port;

    bind_all_kinds(g, peer, &peer_port);
    assert_ok(guest_reset(g));
    for (port = 1; port < evtchn_domain_valid_ports(g->d); port++) {
        g_assert_cmpint(unit_info(g, port).state, ==, EVTCHN_CLOSED);
    }
    g_assert_cmpint(unit_info(peer, peer_port).state, ==, EVTCHN_UNBOUND);
    g_assert_cmpuint(evtchn_virq_port(g->d, 1, VIRQ_TIMER), ==, 0);
    g_assert_cmpuint(evtchn_pirq_port(g->d, 7), ==, 0);
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
    g_assert_cmpuint(g->mapped, ==, 0);
    assert_ok(evtchn_send(peer->d, peer_port));

    /* Again, with nothing to do. */
    assert_ok(guest_reset(g));
    assert_ok(evtchn_reset(g->d));
    guest_free(g);
    guest_free(peer);
    world_free(w);
}

/* What comes after: 2-level works, then FIFO, and round again. */
static void test_abi_round_trip(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t a, b;
    unsigned int i;

    for (i = 0; i < 4; i++) {
        if (i % 2) {
            assert_ok(guest_fifo_init(g, 2048));
            g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_FIFO);
        } else if (i) {
            memset((char *)g->shared_info + 0x800, 0, 1024);
        }
        a = unit_ipi(g, 0);
        b = unit_ipi(g, 1);
        g_assert_cmpuint(a, ==, 1);
        g_assert_cmpuint(b, ==, 2);
        g_assert_cmpint(unit_info(g, a).abi, ==, evtchn_domain_abi(g->d));
        assert_ok(evtchn_send(g->d, a));
        assert_ok(evtchn_send(g->d, b));
        unit_expect(g, 0, a);
        unit_expect(g, 1, b);
        /* One is left on its queue, which the reset forgets. */
        assert_ok(evtchn_send(g->d, a));
        assert_ok(guest_reset(g));
        g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
        g_assert_cmpuint(g->heap.bytes, ==, evtchn_domain_memory(g->d));
        unit_drain(g);
    }
    guest_free(g);
    world_free(w);
}

/* The limits go back as well. */
static void test_limit_shrinks(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_FIFO_32);
    uint32_t port, i;

    for (i = 0; i < 5000; i++) {
        unit_ipi_masked(g, 0);
    }
    assert_ok(guest_reset(g));
    for (i = 1; i < 1024; i++) {
        g_assert_cmpuint(unit_ipi_masked(g, 0), ==, i);
    }
    assert_err(evtchn_bind_ipi(g->d, 0, &port), XEN_ENOSPC);
    guest_free(g);
    world_free(w);
}

/* A kernel that comes after a kexec does not know the old one's pages. */
static void test_old_pages_untouched(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_FIFO_64);
    uint32_t *words = guest_event_word(g, 0), before[1024], i;
    struct evtchn_fifo_control_block *control = g->vcpu[0].control, old;

    for (i = 0; i < 100; i++) {
        unit_ipi(g, 0);
        assert_ok(evtchn_send(g->d, i + 1));
    }
    assert_ok(guest_reset(g));
    memcpy(before, words, sizeof(before));
    old = *control;
    for (i = 0; i < 100; i++) {
        unit_ipi(g, 0);
        assert_ok(evtchn_send(g->d, i + 1));
    }
    assert_ok(guest_fifo_init(g, 1024));
    for (i = 0; i < 100; i++) {
        guest_unmask(&g->vcpu[0], i + 1);
    }
    g_assert_cmpint(memcmp(before, words, sizeof(before)), ==, 0);
    g_assert_cmpint(memcmp(&old, control, sizeof(old)), ==, 0);
    guest_free(g);
    world_free(w);
}

/* In pieces: at most so many ports at a time, and nothing else in between. */
static void test_pieces(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, mode);
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    uint32_t ports = unit_is_2l(mode) ? guest_2l_ports(g) - 1 : 4000;
    unsigned int pieces = 1;
    uint32_t i;
    int rc;

    for (i = 0; i < ports; i++) {
        unit_ipi_masked(g, 0);
    }
    assert_err(guest_op(g, EVTCHNOP_reset_cont, &reset), XEN_EBUSY);
    rc = guest_op(g, EVTCHNOP_reset, &reset);
    g_assert_cmpint(rc, ==, -EVTCHN_ERESTART);
    /* Somebody else's reset has to wait. */
    assert_err(guest_op(g, EVTCHNOP_reset, &reset), XEN_EBUSY);
    assert_err(evtchn_reset(g->d), XEN_EBUSY);
    while (rc == -EVTCHN_ERESTART) {
        uint32_t open = 0, now = 0;

        for (i = 1; i <= ports; i++) {
            open += unit_info(g, i).state != EVTCHN_CLOSED;
        }
        rc = guest_op(g, EVTCHNOP_reset_cont, &reset);
        for (i = 1; i <= ports; i++) {
            now += unit_info(g, i).state != EVTCHN_CLOSED;
        }
        g_assert_cmpuint(open - now, >, 0);
        g_assert_cmpuint(open - now, <=, 1024);
        pieces++;
    }
    assert_ok(rc);
    g_assert_cmpuint(pieces, >=, ports / 1024);
    assert_err(guest_op(g, EVTCHNOP_reset_cont, &reset), XEN_EBUSY);
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
    guest_free(g);
    world_free(w);
}

/* XSA-343: a port bound behind the reset's back makes it fail, not succeed. */
static void test_again(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, mode);
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    uint32_t port, i;
    int rc;

    for (i = 0; i < 1023; i++) {
        unit_ipi_masked(g, 0);
    }
    rc = guest_op(g, EVTCHNOP_reset, &reset);
    g_assert_cmpint(rc, ==, -EVTCHN_ERESTART);
    port = unit_ipi_masked(g, 0);
    g_assert_cmpuint(port, ==, 1);
    while (rc == -EVTCHN_ERESTART) {
        rc = guest_op(g, EVTCHNOP_reset_cont, &reset);
    }
    assert_err(rc, XEN_EAGAIN);
    /* That one works on, in the ABI that it was bound in. */
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, unit_abi(mode));
    guest_unmask(&g->vcpu[0], port);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    assert_ok(guest_reset(g));
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
    guest_free(g);
    world_free(w);
}

/* Domain 0 resets another domain, as a toolstack does for a soft reset. */
static void test_of_another(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 0, .privileged = true, .host = true };
    struct guest *dom0 = guest_new(w, &c);
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct evtchn_reset reset = { .dom = 1 };
    uint32_t h, p;

    p = unit_unbound(g, 0);
    assert_ok(evtchn_bind_interdomain(dom0->d, 1, p, &h));
    assert_ok(guest_op(dom0, EVTCHNOP_reset, &reset));
    g_assert_cmpint(unit_info(g, p).state, ==, EVTCHN_CLOSED);
    g_assert_cmpint(unit_info(dom0, h).state, ==, EVTCHN_UNBOUND);
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
    g_assert_cmpuint(g->mapped, ==, 0);
    /* A host domain's own reset leaves it what it is. */
    assert_ok(evtchn_reset(dom0->d));
    g_assert_cmpint(evtchn_domain_abi(dom0->d), ==, EVTCHN_ABI_HOST);
    guest_free(g);
    guest_free(dom0);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/reset/closes-all", test_closes_all);
    unit_add_modes("/reset/abi-round-trip", test_abi_round_trip);
    g_test_add_func("/reset/limit-shrinks", test_limit_shrinks);
    g_test_add_func("/reset/old-pages-untouched", test_old_pages_untouched);
    unit_add_modes("/reset/pieces", test_pieces);
    unit_add_modes("/reset/again", test_again);
    unit_add_modes("/reset/of-another", test_of_another);
    return g_test_run();
}
