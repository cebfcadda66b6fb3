/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's security advisories on event channels, as far as one thread shows
 * them.  Those that are races are in test_xsa_races.c.
 */

#include "unit.h"

/* 107: events, from every source, for a vCPU that has no control block. */
static void test_107(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, MODE_2L_64);
    struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
    uint32_t ipi, pirq, port, peer_port, high = 0, i;
    struct guest_log log;

    assert_ok(guest_init_control(g, 0, 0));
    assert_ok(guest_expand_array(g));
    ipi = unit_ipi(g, 1);
    unit_virq(g, VIRQ_TIMER, 1);
    pirq = unit_pirq(g, 1);
    unit_move(g, pirq, 1);
    unit_channel(peer, &peer_port, g, &port);
    unit_move(g, port, 1);
    assert_ok(evtchn_send(g->d, ipi));
    evtchn_raise_virq(g->d, 1, VIRQ_TIMER);
    evtchn_raise_pirq(g->d, 1);
    assert_ok(evtchn_send(peer->d, peer_port));
    for (i = 0; i < 4; i++) {
        assert_ok(evtchn_unmask(g->d, ipi));
    }
    /* A port whose page is missing too, when the page comes first. */
    for (i = 0; i < 1100; i++) {
        assert_ok(evtchn_bind_ipi(g->d, 1, &high));
    }
    assert_ok(evtchn_send(g->d, high));
    assert_ok(guest_expand_array(g));
    guest_unmask(&g->vcpu[1], high);
    assert_ok(guest_init_control(g, 1, 0));
    unit_handle(g, 1, &log);
    g_assert_cmpuint(log.nr, ==, 5);
    guest_free(g);
    guest_free(peer);
    world_free(w);
}

/* 188: init_control fails on its frame, and what it had set up is used. */
static void test_188(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, MODE_2L_64);
    struct evtchn_init_control init = { .control_gfn = 1 };
    uint32_t port = unit_ipi(g, 0);
    unsigned int i;

    for (i = 0; i < 3; i++) {
        assert_err(guest_op(g, EVTCHNOP_init_control, &init), XEN_EINVAL);
        assert_err(guest_expand_array(g), XEN_EOPNOTSUPP);
        assert_err(evtchn_set_priority(g->d, port, 0), XEN_ENOSYS);
        assert_ok(evtchn_send(g->d, port));
        unit_expect(g, 0, port);
    }
    assert_ok(guest_init_control(g, 0, 0));
    /* A bad one for the other vCPU must not take down the first. */
    init.vcpu = 1;
    assert_err(guest_op(g, EVTCHNOP_init_control, &init), XEN_EINVAL);
    init.vcpu = 0;
    assert_err(guest_op(g, EVTCHNOP_init_control, &init), XEN_EINVAL);
    assert_ok(guest_expand_array(g));
    assert_ok(guest_init_control(g, 1, 0));
    guest_unmask(&g->vcpu[0], port);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

/* The same of 3-level's two phases. */
static void test_188_3l(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_is_32(unit_mode_of(data))
                                              ? MODE_2L_32 : MODE_2L_64);
    uint32_t pages = EVTCHN_3L_NR_PAGES(guest_word_bits(g));
    uint64_t bad[2 * GUEST_MAX_BITMAP_PAGES] = { guest_new_frame(g) };
    uint64_t list = guest_new_frame(g);
    uint32_t port = unit_ipi(g, 0);
    unsigned int i;

    for (i = 0; i < 3; i++) {
        assert_err(unit_register_bitmaps(g, list, bad, pages), XEN_EINVAL);
        assert_err(guest_register_selector(g, 0, 0), XEN_EOPNOTSUPP);
        assert_ok(evtchn_send(g->d, port));
        unit_expect(g, 0, port);
    }
    assert_ok(guest_register_bitmaps(g));
    assert_ok(guest_register_selector(g, 0, 0));
    /* Bad ones must not take down what is there. */
    assert_err(unit_register_selector(g, 1, 1, 0), XEN_EINVAL);
    assert_err(unit_register_selector(g, 0, 1, 0), XEN_EINVAL);
    assert_err(unit_register_bitmaps(g, list, bad, pages), XEN_EINVAL);
    assert_ok(guest_register_selector(g, 1, 0));
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

/* 221: polling ports that never were, or whose peers are gone. */
static void test_221(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest *peer = unit_guest(w, 2, 1, unit_mode_of(data));
    uint32_t port, peer_port, i;
    uint64_t wide;

    unit_channel(g, &port, peer, &peer_port);
    guest_clear_pending(g, port);
    guest_free(peer);
    assert_ok(evtchn_poll(g->d, 0, &port, 1));
    assert_ok(evtchn_send(g->d, port));
    for (wide = 1; wide <= UINT32_MAX; wide = wide * 2 + 1) {
        uint32_t never[2] = { port, wide };

        if (wide != port) {
            assert_err(evtchn_poll(g->d, 0, never, 2), XEN_EINVAL);
        }
    }
    for (i = 0; i < 200; i++) {
        if (i != port) {
            assert_err(evtchn_poll(g->d, 0, &i, 1), XEN_EINVAL);
        }
    }
    guest_free(g);
    world_free(w);
}

/* 295: as many writes of the guest as it likes do not hold an operation up. */
static void test_295(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_FIFO_64);
    uint32_t a = unit_ipi(g, 0), b = unit_ipi(g, 0);
    uint32_t word;

    /* Every combination of the bits that both sides use, in both words. */
    for (word = 0; word < 256; word++) {
        *guest_event_word(g, a) = word << 28 | (word & 3);
        *guest_event_word(g, b) = word >> 4 << 28 | (word & 3);
        assert_ok(evtchn_send(g->d, a));
        assert_ok(evtchn_unmask(g->d, b));
        assert_ok(evtchn_send(g->d, b));
        assert_ok(evtchn_unmask(g->d, a));
    }
    guest_free(g);
    world_free(w);
}

/* 332: a storm costs the victim one upcall until it looks. */
static void test_332(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *victim = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest *evil = unit_guest(w, 2, 1, unit_mode_of(data));
    uint32_t port[8], evil_port[8], i;

    for (i = 0; i < 8; i++) {
        unit_channel(evil, &evil_port[i], victim, &port[i]);
    }
    for (i = 0; i < 100000; i++) {
        assert_ok(evtchn_send(evil->d, evil_port[i % 8]));
    }
    g_assert_cmpuint(victim->vcpu[0].upcalls, ==, 1);
    /* Masking stops it altogether. */
    unit_drain(victim);
    for (i = 0; i < 8; i++) {
        guest_mask(victim, port[i]);
    }
    for (i = 0; i < 100000; i++) {
        assert_ok(evtchn_send(evil->d, evil_port[i % 8]));
    }
    g_assert_cmpuint(victim->vcpu[0].upcalls, ==, 0);
    guest_free(victim);
    guest_free(evil);
    world_free(w);
}

/* 338: a valid port stays valid when a reset lowers the limit. */
static void test_338(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct evtchn_port_info info;
    uint32_t valid, port = 0, i;

    for (i = 0; i < 6000; i++) {
        assert_ok(evtchn_bind_ipi(g->d, 0, &port));
    }
    valid = evtchn_domain_valid_ports(g->d);
    assert_ok(guest_reset(g));
    g_assert_cmpuint(evtchn_domain_valid_ports(g->d), ==, valid);
    guest_set_long_mode(g, false);
    g_assert_cmpuint(evtchn_domain_valid_ports(g->d), ==, valid);
    for (port = 1; port < valid; port += 999) {
        assert_ok(evtchn_port_info(g->d, port, &info));
        g_assert_cmpint(info.state, ==, EVTCHN_CLOSED);
        assert_ok(evtchn_unmask(g->d, port));
        assert_err(evtchn_send(g->d, port), XEN_EINVAL);
        assert_err(evtchn_close(g->d, port), XEN_EINVAL);
    }
    guest_free(g);
    world_free(w);
}

/* 342: a 32-bit guest's ports end where its bitmaps do. */
static void test_342(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_2L_32);
    uint8_t *page = g->shared_info, before[EVTCHN_FRAME_SIZE];
    uint32_t port = 0, i;
    size_t end = offsetof(struct shared_info_x86_32, wc_version);

    for (i = 1; i < 1024; i++) {
        port = unit_ipi_masked(g, 0);
    }
    assert_err(evtchn_bind_ipi(g->d, 0, &i), XEN_ENOSPC);
    assert_err(evtchn_alloc_unbound(g->d, DOMID_SELF, 1, &i), XEN_ENOSPC);
    memset(page + end, 0x5a, EVTCHN_FRAME_SIZE - end);
    memcpy(before, page, sizeof(before));
    for (i = 1; i < 1024; i++) {
        assert_ok(evtchn_send(g->d, i));
        assert_ok(evtchn_unmask(g->d, i));
    }
    g_assert_true(guest_is_pending(g, port));
    g_assert_cmpint(memcmp(page + end, before + end, EVTCHN_FRAME_SIZE - end),
                    ==, 0);
    guest_free(g);
    world_free(w);
}

/* The same of 3-level; pages and selector end where ASan sees it. */
static void test_342_3l(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .word32 = true };
    struct guest *g = guest_new(w, &c);
    uint32_t port = 0, i;

    assert_ok(guest_register_bitmaps(g));
    assert_ok(guest_register_selector(g, 0, EVTCHN_FRAME_SIZE -
                                      EVTCHN_3L_L2_SELECTOR_SIZE(32)));
    for (i = 1; i < 32768; i++) {
        port = unit_ipi_masked(g, 0);
    }
    assert_err(evtchn_bind_ipi(g->d, 0, &i), XEN_ENOSPC);
    assert_err(evtchn_alloc_unbound(g->d, DOMID_SELF, 1, &i), XEN_ENOSPC);
    for (i = 1; i < 32768; i++) {
        assert_ok(evtchn_send(g->d, i));
        assert_ok(evtchn_unmask(g->d, i));
    }
    g_assert_true(guest_is_pending(g, port));
    g_assert_cmphex(guest_pending_sel(&g->vcpu[0]), ==, UINT32_MAX);
    guest_free(g);
    world_free(w);
}

/* 344: a full table is reset in pieces, with others' operations between. */
static void test_344(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .max_ports = 20000 };
    struct guest *g = guest_new(w, &c);
    struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
    struct evtchn_reset reset = { .dom = DOMID_SELF };
    uint32_t port, peer_port, pieces = 1, i;
    int rc;

    assert_ok(GPOINTER_TO_INT(data) ? guest_3l_init(g)
                                    : guest_fifo_init(g, 20000));
    for (i = 1; i < 19999; i++) {
        assert_ok(evtchn_bind_ipi(g->d, 0, &port));
    }
    port = unit_unbound(g, 2);
    assert_ok(evtchn_bind_interdomain(peer->d, 1, port, &peer_port));
    rc = guest_op(g, EVTCHNOP_reset, &reset);
    while (rc == -EVTCHN_ERESTART) {
        /* The last port is still bound. */
        assert_ok(evtchn_send(peer->d, peer_port));
        g_assert_cmpint(unit_info(peer, peer_port).state, ==,
                        EVTCHN_INTERDOMAIN);
        rc = guest_op(g, EVTCHNOP_reset_cont, &reset);
        pieces++;
    }
    assert_ok(rc);
    g_assert_cmpuint(pieces, >=, 20);
    g_assert_cmpint(unit_info(peer, peer_port).state, ==, EVTCHN_UNBOUND);
    guest_free(g);
    guest_free(peer);
    world_free(w);
}

/* 496: a bind_virq that fails leaves the VIRQ free and no port behind. */
static void test_496(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = {
        .domid = 0, .nr_vcpus = 2, .max_ports = 65, .privileged = true,
    };
    struct guest *g = unit_guest_config(w, c, unit_mode_of(data));
    uint32_t port = 0, virq, i;

    for (i = 1; i < 64; i++) {
        port = unit_ipi_masked(g, 0);
    }
    for (virq = 0; virq < NR_VIRQS; virq++) {
        /* No memory for a bucket, then no port. */
        g->heap.fail_in = 1;
        if (evtchn_domain_valid_ports(g->d) == 64) {
            assert_err(evtchn_bind_virq(g->d, virq, 0, &port), XEN_ENOMEM);
        }
        g->heap.fail_in = 0;
        g_assert_cmpuint(evtchn_virq_port(g->d, 0, virq), ==, 0);
        evtchn_raise_virq(g->d, 0, virq);
        port = unit_virq(g, virq, 0);
        g_assert_cmpuint(port, ==, 64);
        assert_err(evtchn_bind_virq(g->d, (virq + 1) % NR_VIRQS, 0, &i),
                   XEN_ENOSPC);
        g_assert_cmpuint(evtchn_virq_port(g->d, 0, (virq + 1) % NR_VIRQS), ==,
                         0);
        assert_err(evtchn_bind_virq(g->d, virq, 0, &i), XEN_EEXIST);
        evtchn_raise_virq(g->d, 0, virq);
        unit_expect(g, 0, port);
        assert_ok(evtchn_close(g->d, port));
    }
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xsa/107", test_107);
    g_test_add_func("/xsa/188", test_188);
    unit_add_3l("/xsa/188", test_188_3l);
    unit_add_modes("/xsa/221", test_221);
    g_test_add_func("/xsa/295", test_295);
    unit_add_modes("/xsa/332", test_332);
    g_test_add_data_func("/xsa/338/fifo", GINT_TO_POINTER(MODE_FIFO_64),
                         test_338);
    g_test_add_func("/xsa/342/2l", test_342);
    g_test_add_data_func("/xsa/344/fifo", GINT_TO_POINTER(0), test_344);
    unit_add_modes("/xsa/496", test_496);
    if (UNIT_HAS_3L) {
        g_test_add_data_func("/xsa/338/3l", GINT_TO_POINTER(MODE_3L_64),
                             test_338);
        g_test_add_func("/xsa/342/3l", test_342_3l);
        g_test_add_data_func("/xsa/344/3l", GINT_TO_POINTER(1), test_344);
    }
    return g_test_run();
}
