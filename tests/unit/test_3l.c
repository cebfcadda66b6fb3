/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 3-level delivery: the bits it sets, in which order of dependence, limits, and
 * what a guest may do to it.
 */

#include "unit.h"

/* IPIs of vCPU 0 from the next free port to @last, unmasked if asked for. */
static void bind_up_to(struct guest *g, uint32_t last, bool unmask)
{
    uint32_t port = 0;

    while (port < last) {
        port = unmask ? unit_ipi(g, 0) : unit_ipi_masked(g, 0);
    }
}

static bool l2_bit(struct guest *g, uint32_t port)
{
    uint32_t word = port / guest_word_bits(g);

    return g->vcpu[0].l2_selector[word / 32] >> (word % 32) & 1;
}

static unsigned int l2_bits(struct guest *g)
{
    unsigned int n = 0, i;

    for (i = 0; i < EVTCHN_3L_L2_SELECTOR_SIZE(guest_word_bits(g)) / 4; i++) {
        n += __builtin_popcount(g->vcpu[0].l2_selector[i]);
    }
    return n;
}

/* Sends to ports near each kind of edge select just their words. */
static void test_bits(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t bits = guest_word_bits(g), limit = bits * bits * bits;
    const uint32_t edges[] = {
        1, 31, 32, bits - 1, bits, 2 * bits - 1, bits * bits - 1, bits * bits,
        bits * bits + bits, 5 * bits * bits + 7, 32767, 32768, limit / 2 - 1,
        limit / 2, limit - bits - 1, limit - 1,
    };
    unsigned int i;

    bind_up_to(g, limit - 1, false);
    for (i = 0; i < G_N_ELEMENTS(edges); i++) {
        uint32_t port = edges[i];

        if (port >= limit) {
            continue;
        }
        guest_unmask(&g->vcpu[0], port);
        assert_ok(evtchn_send(g->d, port));
        g_assert_true(consumer_3l_is_pending(g, port));
        g_assert_true(l2_bit(g, port));
        g_assert_cmpuint(l2_bits(g), ==, 1);
        g_assert_cmphex(guest_pending_sel(&g->vcpu[0]), ==,
                        UINT64_C(1) << (port / bits / bits));
        g_assert_cmpuint(*guest_upcall_pending(&g->vcpu[0]), ==, 1);
        unit_expect(g, 0, port);
        g_assert_cmpuint(l2_bits(g), ==, 0);
    }
    guest_free(g);
    world_free(w);
}

/* What is set already ends the chain: pending, mask, L2, L1, flag. */
static void test_chain(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest_vcpu *v = &g->vcpu[0];
    uint32_t bits = guest_word_bits(g), a = 1, b = 2, c = bits;

    bind_up_to(g, bits, true);
    /* Pending already. */
    guest_set_pending(g, a);
    assert_ok(evtchn_send(g->d, a));
    g_assert_cmpuint(l2_bits(g), ==, 0);
    g_assert_cmphex(guest_pending_sel(v), ==, 0);
    g_assert_cmpuint(v->upcalls, ==, 0);
    guest_clear_pending(g, a);

    /* Masked. */
    guest_mask(g, a);
    assert_ok(evtchn_send(g->d, a));
    g_assert_true(guest_is_pending(g, a));
    g_assert_cmpuint(l2_bits(g), ==, 0);
    g_assert_cmpuint(*guest_upcall_pending(v), ==, 0);
    g_assert_true(guest_unmask(v, a));
    g_assert_true(l2_bit(g, a));
    g_assert_cmphex(guest_pending_sel(v), ==, 1);
    g_assert_cmpuint(v->upcalls, ==, 1);

    /* The L2 bit is set: L1 and the flag stay as the guest left them. */
    guest_take_pending_sel(v);
    evtchn_store(guest_upcall_pending(v), (uint8_t)0);
    assert_ok(evtchn_send(g->d, b));
    g_assert_true(guest_is_pending(g, b));
    g_assert_cmphex(guest_pending_sel(v), ==, 0);
    g_assert_cmpuint(v->upcalls, ==, 1);

    /* Another L2 bit, of the same L1 bit. */
    assert_ok(evtchn_send(g->d, c));
    g_assert_cmphex(guest_pending_sel(v), ==, 1);
    g_assert_cmpuint(v->upcalls, ==, 2);
    evtchn_store(guest_upcall_pending(v), (uint8_t)0);
    v->l2_selector[0] = 0;
    guest_clear_pending(g, c);
    assert_ok(evtchn_send(g->d, c));
    g_assert_true(l2_bit(g, c));
    /* The L1 bit is set: the flag stays. */
    g_assert_cmpuint(*guest_upcall_pending(v), ==, 0);
    g_assert_cmpuint(v->upcalls, ==, 2);
    guest_free(g);
    world_free(w);
}

/* EVTCHNOP_unmask acts on a mask bit that is set, and on no other. */
static void test_unmask(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest_vcpu *v = &g->vcpu[0];
    uint32_t port = unit_ipi(g, 0);

    guest_set_pending(g, port);
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_cmpuint(l2_bits(g), ==, 0);
    g_assert_cmpuint(v->upcalls, ==, 0);

    guest_mask(g, port);
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_false(guest_is_masked(g, port));
    g_assert_cmpuint(v->upcalls, ==, 1);
    unit_expect(g, 0, port);

    /* A closed port's mask is left alone. */
    assert_ok(evtchn_close(g->d, port));
    guest_mask(g, port);
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_true(guest_is_masked(g, port));
    guest_free(g);
    world_free(w);
}

/* FIFO's operations of a 3-level guest. */
static void test_not_fifo(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t port = unit_ipi(g, 0);

    assert_err(evtchn_set_priority(g->d, port, 1), XEN_ENOSYS);
    assert_err(evtchn_set_priority(g->d, port, 16), XEN_ENOSYS);
    assert_err(evtchn_set_priority(g->d, 1 << 20, 1), XEN_EINVAL);
    assert_err(guest_expand_array(g), XEN_EOPNOTSUPP);
    assert_err(guest_init_control(g, 0, 0), XEN_EINVAL);
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_3L);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

/* Ports of all words at once come in the order of the scan. */
static void test_scan(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t limit = guest_3l_ports(g), step = limit / 4000, port, i;
    struct guest_log *log = g_new(struct guest_log, 1);

    bind_up_to(g, limit - 1, true);
    for (port = limit - 1; port > step; port -= step) {
        assert_ok(evtchn_send(g->d, port));
    }
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    unit_handle(g, 0, log);
    g_assert_cmpuint(log->nr, >=, 3900);
    for (i = 1; i < log->nr; i++) {
        g_assert_cmpuint(log->port[i], ==, log->port[i - 1] + step);
    }
    g_assert_cmpuint(log->port[i - 1], ==, limit - 1);
    g_free(log);
    guest_free(g);
    world_free(w);
}

/* 64-bit mode goes: high ports stay, but are mute (as XSA-342). */
static void test_mode_shrinks(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_3L_64);
    uint32_t last = 40000, free_port;

    bind_up_to(g, last, true);
    guest_set_long_mode(g, false);
    assert_ok(evtchn_send(g->d, last));
    assert_ok(evtchn_unmask(g->d, last));
    g_assert_false(unit_info(g, last).pending);
    g_assert_true(unit_info(g, last).masked);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    assert_err(evtchn_bind_ipi(g->d, 0, &free_port), XEN_ENOSPC);
    /* The last one that 32-bit can have is found by 32-bit words. */
    assert_ok(evtchn_send(g->d, 32767));
    g_assert_cmphex(guest_pending_sel(&g->vcpu[0]), ==, UINT32_C(1) << 31);
    unit_expect(g, 0, 32767);

    guest_set_long_mode(g, true);
    unit_expect(g, 0, last);
    assert_ok(evtchn_close(g->d, last));
    guest_free(g);
    world_free(w);
}

/* 32-bit mode goes: there are no more ports than the page has room for. */
static void test_mode_grows(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .word32 = true };
    struct guest *g = guest_new(w, &c);
    uint32_t port;

    assert_ok(guest_register_bitmaps(g));
    /* The selector ends where its page does. */
    assert_ok(guest_register_selector(g, 0, EVTCHN_FRAME_SIZE -
                                      EVTCHN_3L_L2_SELECTOR_SIZE(32)));
    guest_set_long_mode(g, true);
    bind_up_to(g, 32767, true);
    assert_err(evtchn_bind_ipi(g->d, 0, &port), XEN_ENOSPC);
    assert_ok(evtchn_send(g->d, 32767));
    unit_expect(g, 0, 32767);
    guest_free(g);
    world_free(w);
}

/* Both sizes of a selector, whatever the mode was when it came. */
static void test_mode_between(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1 };
    struct guest *g = guest_new(w, &c);
    uint32_t last = guest_word_bits(g) * 4096 - 1;

    assert_ok(guest_register_bitmaps(g));
    guest_set_long_mode(g, false);
    /* Enough for now, but not for when the word grows again. */
    assert_err(guest_register_selector(g, 0, EVTCHN_FRAME_SIZE -
                                       EVTCHN_3L_L2_SELECTOR_SIZE(32)),
               XEN_EINVAL);
    assert_ok(guest_register_selector(g, 0, EVTCHN_FRAME_SIZE -
                                      EVTCHN_3L_L2_SELECTOR_SIZE(64)));
    guest_set_long_mode(g, true);
    bind_up_to(g, last, true);
    assert_ok(evtchn_send(g->d, last));
    unit_expect(g, 0, last);
    guest_free(g);
    world_free(w);
}

/* vcpu_info goes while an event is selected and masked: nothing hides later. */
static void test_info_gone(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest_vcpu *v = &g->vcpu[0];
    uint32_t a = unit_ipi(g, 0), b = unit_ipi(g, 0);
    void *info = v->info;

    assert_ok(evtchn_send(g->d, a));
    assert_ok(evtchn_vcpu_set_info(g->d, 0, NULL, false));
    guest_mask(g, a);
    assert_ok(evtchn_send(g->d, b));
    guest_mask(g, b);
    v->upcalls = 0;
    memset(info, 0, sizeof(struct vcpu_info));
    assert_ok(evtchn_vcpu_set_info(g->d, 0, info, false));
    /* Nothing to handle, but the L2 bit must not block what comes. */
    unit_expect(g, 0, 0);
    assert_ok(evtchn_unmask(g->d, b));
    unit_expect(g, 0, b);
    assert_ok(evtchn_unmask(g->d, a));
    unit_expect(g, 0, a);
    guest_free(g);
    world_free(w);
}

/* The vCPU that a port leaves keeps its bits, as in 2-level. */
static void test_move(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t port = unit_pirq(g, 5);

    evtchn_raise_pirq(g->d, 5);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    /* As a kernel moves it. */
    guest_mask(g, port);
    unit_move(g, port, 1);
    g_assert_true(guest_unmask(&g->vcpu[1], port));
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 1);
    unit_expect(g, 1, port);
    unit_expect(g, 0, 0);
    evtchn_raise_pirq(g->d, 5);
    unit_expect(g, 0, 0);
    unit_expect(g, 1, port);
    guest_free(g);
    world_free(w);
}

/* Every frame is the same one, and full of anything. */
static void test_same_frame(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_is_32(mode) ? MODE_2L_32
                                                           : MODE_2L_64);
    uint32_t pages = EVTCHN_3L_NR_PAGES(guest_word_bits(g)), port, i;
    uint64_t gfns[2 * GUEST_MAX_BITMAP_PAGES];
    uint32_t *words;

    for (i = 0; i < 2 * pages; i++) {
        gfns[i] = i ? gfns[0] : guest_new_frame(g);
    }
    words = guest_frame(g, gfns[0]);
    for (i = 0; i < GUEST_WORDS_PER_FRAME; i++) {
        words[i] = i * 2654435761u;
    }
    assert_ok(evtchn_register_bitmaps(g->d, gfns, pages));
    assert_ok(evtchn_register_l2_selector(g->d, 0, gfns[0], 0));
    assert_ok(evtchn_register_l2_selector(g->d, 1, gfns[0], 8));
    assert_ok(evtchn_vcpu_set_info(g->d, 0, words, true));
    g_assert_cmpuint(g->mapped, ==, 2 * pages + 2);
    for (i = 0; i < 32767; i++) {
        assert_ok(evtchn_bind_ipi(g->d, i % 2, &port));
    }
    for (port = 1; port < 32768; port++) {
        words[port % GUEST_WORDS_PER_FRAME] ^= port * 2654435761u;
        assert_ok(evtchn_send(g->d, port));
        assert_ok(evtchn_unmask(g->d, port));
    }
    assert_ok(guest_reset(g));
    g_assert_cmpuint(g->mapped, ==, 0);
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_3l("/3l/bits", test_bits);
    unit_add_3l("/3l/chain", test_chain);
    unit_add_3l("/3l/unmask", test_unmask);
    unit_add_3l("/3l/not-fifo", test_not_fifo);
    unit_add_3l("/3l/scan", test_scan);
    g_test_add_func("/3l/mode-shrinks", test_mode_shrinks);
    g_test_add_func("/3l/mode-grows", test_mode_grows);
    g_test_add_func("/3l/mode-between", test_mode_between);
    unit_add_3l("/3l/info-gone", test_info_gone);
    unit_add_3l("/3l/move", test_move);
    unit_add_3l("/3l/same-frame", test_same_frame);
    return g_test_run();
}
