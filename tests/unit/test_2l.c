/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 2-level delivery: the bits it sets, in which order of dependence, and memory
 * that comes late or goes away.
 */

#include "unit.h"

/* Sends to each port near a word's edge select just that word. */
static void test_bits(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t bits = guest_word_bits(g), limit = guest_2l_ports(g), port;

    for (port = 1; port < limit; port++) {
        unit_ipi_masked(g, 0);
    }
    for (port = 1; port < limit; port += port % bits == 1 ? bits - 2 : 1) {
        assert_ok(evtchn_send(g->d, port));
        g_assert_true(consumer_2l_is_pending(g, port));
        g_assert_cmphex(guest_pending_sel(&g->vcpu[0]), ==,
                        UINT64_C(1) << (port / bits));
        g_assert_cmpuint(*guest_upcall_pending(&g->vcpu[0]), ==, 1);
        unit_expect(g, 0, port);
    }
    /* The last one, and nothing beside shared_info's arrays was written. */
    assert_ok(evtchn_send(g->d, limit - 1));
    unit_expect(g, 0, limit - 1);
    guest_free(g);
    world_free(w);
}

/* What is set already ends the chain: pending, mask, selector, flag. */
static void test_chain(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest_vcpu *v = &g->vcpu[0];
    uint32_t a = unit_ipi(g, 0), b = unit_ipi(g, 0);

    /* Pending already. */
    consumer_2l_set_pending(g, a);
    assert_ok(evtchn_send(g->d, a));
    g_assert_cmphex(guest_pending_sel(v), ==, 0);
    g_assert_cmpuint(v->upcalls, ==, 0);
    consumer_2l_clear_pending(g, a);

    /* Masked. */
    consumer_2l_mask(g, a);
    assert_ok(evtchn_send(g->d, a));
    g_assert_true(consumer_2l_is_pending(g, a));
    g_assert_cmphex(guest_pending_sel(v), ==, 0);
    g_assert_cmpuint(*guest_upcall_pending(v), ==, 0);
    g_assert_true(consumer_2l_unmask(v, a));
    g_assert_cmphex(guest_pending_sel(v), ==, 1);
    g_assert_cmpuint(v->upcalls, ==, 1);

    /* The word is selected: the flag stays as the guest left it. */
    evtchn_store(guest_upcall_pending(v), (uint8_t)0);
    assert_ok(evtchn_send(g->d, b));
    g_assert_true(consumer_2l_is_pending(g, b));
    g_assert_cmpuint(*guest_upcall_pending(v), ==, 0);
    g_assert_cmpuint(v->upcalls, ==, 1);
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

    consumer_2l_set_pending(g, port);
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_cmphex(guest_pending_sel(v), ==, 0);
    g_assert_cmpuint(v->upcalls, ==, 0);

    consumer_2l_mask(g, port);
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_false(consumer_2l_is_masked(g, port));
    g_assert_cmphex(guest_pending_sel(v), ==, 1);
    g_assert_cmpuint(v->upcalls, ==, 1);
    unit_expect(g, 0, port);

    /* A closed port's mask is left alone. */
    assert_ok(evtchn_close(g->d, port));
    consumer_2l_mask(g, port);
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_true(consumer_2l_is_masked(g, port));
    guest_free(g);
    world_free(w);
}

static void test_no_priority(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t port = unit_ipi(g, 0);

    assert_err(evtchn_set_priority(g->d, port, 1), XEN_ENOSYS);
    assert_err(evtchn_set_priority(g->d, port, 16), XEN_ENOSYS);
    assert_err(evtchn_set_priority(g->d, 4096, 1), XEN_EINVAL);
    assert_err(evtchn_expand_array(g->d, GUEST_FIRST_GFN), XEN_EOPNOTSUPP);
    guest_free(g);
    world_free(w);
}

/* A guest boots with channels before it has registered its vcpu_info. */
static void test_late_vcpu_info(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .nr_vcpus = 2, .no_vcpu_info = true };
    struct guest *g = unit_guest_config(w, c, unit_mode_of(data));
    uint32_t a = unit_ipi(g, 0), b = unit_ipi(g, 1);
    struct guest_log log;

    assert_ok(evtchn_send(g->d, a));
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    guest_set_vcpu_info(g, 0, false);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    g_assert_cmpuint(*guest_upcall_pending(&g->vcpu[0]), ==, 1);
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, 1);
    g_assert_cmpuint(log.port[0], ==, a);

    /* Nothing came for vCPU 1: no upcall, unless all is to be marked. */
    guest_set_vcpu_info(g, 1, false);
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 0);
    guest_set_vcpu_info(g, 1, true);
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 1);
    g_assert_cmphex(guest_pending_sel(&g->vcpu[1]), ==,
                    unit_is_32(unit_mode_of(data)) ? UINT32_MAX : UINT64_MAX);
    unit_expect(g, 1, 0);
    assert_ok(evtchn_send(g->d, b));
    unit_expect(g, 1, b);

    assert_err(evtchn_vcpu_set_info(g->d, 2, g->vcpu[0].info, false),
               XEN_ENOENT);
    guest_free(g);
    world_free(w);
}

/* vcpu_info moves while the vCPU has events. */
static void test_move_vcpu_info(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest_vcpu *v = &g->vcpu[0];
    uint32_t port = unit_ipi(g, 0), other = unit_ipi(g, 0);
    void *old = v->info;

    assert_ok(evtchn_send(g->d, port));
    v->info = (char *)guest_frame(g, guest_new_frame(g)) + 1024;
    assert_ok(evtchn_vcpu_set_info(g->d, 0, v->info, true));
    memset(old, 0x55, sizeof(struct vcpu_info));
    unit_expect(g, 0, port);
    assert_ok(evtchn_send(g->d, other));
    unit_expect(g, 0, other);

    /* Taken away, and given back later. */
    assert_ok(evtchn_vcpu_set_info(g->d, 0, NULL, false));
    assert_ok(evtchn_send(g->d, port));
    v->info = old;
    memset(old, 0, sizeof(struct vcpu_info));
    assert_ok(evtchn_vcpu_set_info(g->d, 0, old, false));
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

static void test_late_shared_info(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = {
        .domid = 1, .nr_vcpus = 2, .no_shared_info = true,
    };
    struct guest *g;
    struct guest_log log;
    uint32_t a, b;

    c.word32 = unit_is_32(unit_mode_of(data));
    g = guest_new(w, &c);
    assert_ok(evtchn_bind_ipi(g->d, 0, &a));
    assert_ok(evtchn_bind_ipi(g->d, 0, &b));
    assert_ok(evtchn_send(g->d, a));
    assert_ok(evtchn_send(g->d, a));
    assert_ok(evtchn_send(g->d, b));
    assert_ok(evtchn_unmask(g->d, a));
    /* Closed before anybody saw it. */
    assert_ok(evtchn_close(g->d, b));
    g->shared_info = guest_frame(g, guest_new_frame(g));
    evtchn_domain_set_shared_info(g->d, g->shared_info);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, 1);
    g_assert_cmpuint(log.port[0], ==, a);

    evtchn_domain_set_shared_info(g->d, NULL);
    assert_ok(evtchn_send(g->d, a));
    g_assert_false(consumer_2l_is_pending(g, a));
    evtchn_domain_set_shared_info(g->d, g->shared_info);
    unit_expect(g, 0, a);
    guest_free(g);
    world_free(w);
}

/*
 * A 32-bit guest's vcpu_info may be at 4 mod 8; when it has gone on in 64-bit
 * mode a migration gives it anew.  See step.h.
 */
static void test_unaligned_vcpu_info(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_2L_32);
    uint32_t *info = (uint32_t *)((char *)guest_frame(g, guest_new_frame(g)) +
                                  4);
    struct guest_vcpu *v = &g->vcpu[0];
    uint32_t port = unit_ipi(g, 0);

    v->info = info;
    assert_ok(evtchn_vcpu_set_info(g->d, 0, info, true));
    g_assert_cmphex(info[1], ==, UINT32_MAX);
    g_assert_cmphex(info[2], ==, 0);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);

    evtchn_domain_set_long_mode(g->d, true);
    memset(info, 0, sizeof(struct vcpu_info));
    assert_ok(evtchn_vcpu_set_info(g->d, 0, info, true));
    g_assert_cmphex(info[1], ==, 0);
    g_assert_cmphex(info[2], ==, UINT32_MAX);
    g_assert_cmphex(info[3], ==, UINT32_MAX);
    g_assert_cmphex(info[4], ==, 0);
    g_assert_cmpuint(*guest_upcall_pending(v), ==, 1);
    memset(info, 0, sizeof(struct vcpu_info));
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmphex(info[2], ==, 1);
    g_assert_cmphex(info[3], ==, 0);
    guest_free(g);
    world_free(w);
}

/* The guest goes from 64-bit to 32-bit mode: high ports stay, but are mute. */
static void test_mode_shrinks(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_2L_64);
    uint32_t port, i;
    char before[1024];

    for (i = 1; i <= 2000; i++) {
        port = unit_ipi_masked(g, 0);
    }
    guest_set_long_mode(g, false);
    memcpy(before, (char *)g->shared_info + 0x800, sizeof(before));
    assert_ok(evtchn_send(g->d, port));
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_cmpint(memcmp(before, (char *)g->shared_info + 0x800,
                           sizeof(before)), ==, 0);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    assert_err(evtchn_bind_ipi(g->d, 0, &i), XEN_ENOSPC);
    assert_ok(evtchn_send(g->d, 1023));
    unit_expect(g, 0, 1023);

    /* Back in 64-bit mode they can be heard again, with what came so far. */
    guest_set_long_mode(g, true);
    unit_expect(g, 0, port);
    assert_ok(evtchn_close(g->d, port));
    guest_free(g);
    world_free(w);
}

/* Ports of all words at once come in the order of the scan. */
static void test_scan(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t limit = guest_2l_ports(g), port, i;
    struct guest_log log;

    for (port = 1; port < limit; port++) {
        unit_ipi_masked(g, 0);
    }
    for (port = limit - 1; port; port--) {
        assert_ok(evtchn_send(g->d, port));
    }
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, limit - 1);
    for (i = 0; i < log.nr; i++) {
        g_assert_cmpuint(log.port[i], ==, i + 1);
    }
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_2l("/2l/bits", test_bits);
    unit_add_2l("/2l/chain", test_chain);
    unit_add_2l("/2l/unmask", test_unmask);
    unit_add_2l("/2l/no-priority", test_no_priority);
    unit_add_modes("/2l/late-vcpu-info", test_late_vcpu_info);
    unit_add_modes("/2l/move-vcpu-info", test_move_vcpu_info);
    unit_add_2l("/2l/late-shared-info", test_late_shared_info);
    g_test_add_func("/2l/unaligned-vcpu-info", test_unaligned_vcpu_info);
    g_test_add_func("/2l/mode-shrinks", test_mode_shrinks);
    unit_add_2l("/2l/scan", test_scan);
    return g_test_run();
}
