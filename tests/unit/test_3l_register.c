/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_query_extended_abis and EVTCHNOP_register_3level: how a guest comes
 * to 3-level, that nothing is lost on the way, and back.
 */

#include "unit.h"

static struct guest *new_2l(struct world *w, uint32_t nr_vcpus,
                            gconstpointer data)
{
    return unit_guest(w, 1, nr_vcpus, unit_is_32(unit_mode_of(data))
                                          ? MODE_2L_32 : MODE_2L_64);
}

/* A frame with lists of new frames: its address, pending's first. */
static uint64_t new_lists(struct guest *g, uint32_t pages)
{
    uint64_t lists = guest_new_frame(g), *gfns = guest_frame(g, lists);
    uint32_t i;

    for (i = 0; i < 2 * pages; i++) {
        gfns[i] = guest_new_frame(g);
    }
    return lists << GUEST_FRAME_SHIFT;
}

static void test_layout(void)
{
    g_assert_cmpuint(sizeof(struct evtchn_query_extended_abis), ==, 8);
    g_assert_cmpuint(sizeof(struct evtchn_register_3level), ==, 32);
    g_assert_cmpuint(offsetof(struct evtchn_register_3level,
                              u.bitmaps.nr_pages), ==, 8);
    g_assert_cmpuint(offsetof(struct evtchn_register_3level,
                              u.bitmaps.pending_gfns), ==, 16);
    g_assert_cmpuint(offsetof(struct evtchn_register_3level,
                              u.bitmaps.mask_gfns), ==, 24);
    g_assert_cmpuint(offsetof(struct evtchn_register_3level,
                              u.l2_selector.vcpu), ==, 8);
    g_assert_cmpuint(offsetof(struct evtchn_register_3level,
                              u.l2_selector.offset), ==, 12);
    g_assert_cmpuint(offsetof(struct evtchn_register_3level,
                              u.l2_selector.gfn), ==, 16);
    g_assert_cmpuint(EVTCHN_3L_NR_CHANNELS(64), ==, EVTCHN_MAX_PORTS);
    g_assert_cmpuint(EVTCHN_3L_NR_PAGES(64), ==, 8);
    g_assert_cmpuint(EVTCHN_3L_NR_PAGES(32), ==, 1);
    g_assert_cmpuint(EVTCHN_3L_L2_SELECTOR_SIZE(64), ==, 512);
    g_assert_cmpuint(EVTCHN_3L_L2_SELECTOR_SIZE(32), ==, 128);
}

/* What is offered, and what a guest gets that asks for what is not. */
static void test_offer(gconstpointer data)
{
    bool word32 = unit_is_32(unit_mode_of(data));
    unsigned int offer;

    for (offer = 0; offer < 4; offer++) {
        struct world *w = world_new();
        struct guest_config c = {
            .domid = 1, .no_3l = !(offer & EVTCHN_EXTENDED_ABI_3LEVEL),
            .no_fifo = !(offer & EVTCHN_EXTENDED_ABI_FIFO), .word32 = word32,
        };
        struct guest *g = guest_new(w, &c);
        struct evtchn_query_extended_abis query = { .abis = UINT64_MAX };
        struct evtchn_register_3level reg = { .cmd = 3 };
        uint32_t port = unit_ipi(g, 0);

        assert_ok(guest_op(g, EVTCHNOP_query_extended_abis, &query));
        g_assert_cmpuint(query.abis, ==, offer);
        if (c.no_3l) {
            assert_err(guest_register_bitmaps(g), XEN_EPERM);
            assert_err(guest_register_selector(g, 0, 0), XEN_EPERM);
            assert_err(guest_register_selector(g, 7, 3), XEN_EPERM);
            assert_err(guest_op(g, EVTCHNOP_register_3level, &reg), XEN_EPERM);
            assert_err(evtchn_register_bitmaps(g->d, NULL, 0), XEN_EPERM);
        }
        if (c.no_fifo) {
            assert_err(guest_init_control(g, 0, 0), XEN_EOPNOTSUPP);
        }
        g_assert_cmpuint(g->mapped, ==, 0);
        assert_ok(evtchn_send(g->d, port));
        unit_expect(g, 0, port);
        if (!c.no_3l) {
            assert_ok(guest_3l_init(g));
            /* The answer stays what it was. */
            assert_ok(guest_op(g, EVTCHNOP_query_extended_abis, &query));
            g_assert_cmpuint(query.abis, ==, offer);
        }
        guest_free(g);
        world_free(w);
    }
}

static void test_bitmap_errors(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 1, data);
    uint32_t pages = EVTCHN_3L_NR_PAGES(guest_word_bits(g)), i;
    uint64_t lists = new_lists(g, pages), masks = lists + pages * 8;
    uint64_t *gfns = guest_frame(g, lists >> GUEST_FRAME_SHIFT);
    uint64_t last = (uint64_t)(GUEST_FIRST_GFN + g->nr_frames)
                    << GUEST_FRAME_SHIFT;
    const struct {
        uint32_t cmd, nr_pages;
        uint64_t pending, mask;
        int err;
    } table[] = {
        { 0, pages, lists, masks, XEN_EINVAL },         /* cmd */
        { 3, pages, lists, masks, XEN_EINVAL },
        { UINT32_MAX, pages, lists, masks, XEN_EINVAL },
        { 1, 0, lists, masks, XEN_EINVAL },             /* nr_pages */
        { 1, pages == 8 ? 1 : 8, lists, masks, XEN_EINVAL },
        { 1, pages + 1, lists, masks, XEN_EINVAL },
        { 1, 16, 0, 0, XEN_EINVAL },
        { 1, UINT32_MAX, lists, masks, XEN_EINVAL },
        { 1, 1u << 29, lists, masks, XEN_EINVAL },
        { 1, pages, 0, masks, XEN_EFAULT },             /* arrays */
        { 1, pages, lists, 0, XEN_EFAULT },
        { 1, pages, UINT64_MAX - 7, masks, XEN_EFAULT },
        { 1, pages, lists, UINT64_MAX - 3, XEN_EFAULT },
        { 1, pages, last, masks, XEN_EFAULT },
        { 1, pages, lists, last - 4, XEN_EFAULT },      /* begins well */
    };
    size_t before = g->heap.bytes;

    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        struct evtchn_register_3level reg = {
            .cmd = table[i].cmd,
            .u.bitmaps = {
                .nr_pages = table[i].nr_pages,
                .pending_gfns = table[i].pending,
                .mask_gfns = table[i].mask,
            },
        };

        g_test_message("%u", i);
        assert_err(guest_op(g, EVTCHNOP_register_3level, &reg), table[i].err);
        g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
        g_assert_cmpuint(g->heap.bytes, ==, before);
        g_assert_cmpuint(g->mapped, ==, 0);
    }
    /* Each of the frames in its turn is none. */
    for (i = 0; i < 2 * pages; i++) {
        static const uint64_t none[] = {
            0, GUEST_FIRST_GFN - 1, UINT64_MAX, UINT64_C(1) << 52,
        };
        struct evtchn_register_3level reg = {
            .cmd = EVTCHN_3L_BITMAPS,
            .u.bitmaps = { pages, 0, lists, masks },
        };
        uint64_t good = gfns[i];

        gfns[i] = none[i % G_N_ELEMENTS(none)];
        assert_err(guest_op(g, EVTCHNOP_register_3level, &reg), XEN_EINVAL);
        gfns[i] = good;
        g->refused_gfn = good;
        assert_err(guest_op(g, EVTCHNOP_register_3level, &reg), XEN_EINVAL);
        g->refused_gfn = 0;
        g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
        g_assert_cmpuint(g->heap.bytes, ==, before);
        g_assert_cmpuint(g->mapped, ==, 0);
    }
    /* Once only. */
    assert_ok(guest_register_bitmaps(g));
    g_assert_cmpuint(g->mapped, ==, 2 * pages);
    assert_err(guest_register_bitmaps(g), XEN_EINVAL);
    g_assert_cmpuint(g->mapped, ==, 2 * pages);
    assert_err(guest_init_control(g, 0, 0), XEN_EINVAL);
    guest_free(g);
    world_free(w);
}

static void test_selector_errors(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 2, data);
    uint32_t size = EVTCHN_3L_L2_SELECTOR_SIZE(guest_word_bits(g));
    uint32_t pages = EVTCHN_3L_NR_PAGES(guest_word_bits(g));
    uint64_t gfn = guest_new_frame(g);
    const struct {
        uint64_t gfn;
        uint32_t offset, vcpu;
        int err;
    } table[] = {
        { gfn, 0, 2, XEN_ENOENT },
        { gfn, 4, UINT32_MAX, XEN_ENOENT },
        { gfn, 4, 0, XEN_EINVAL },                  /* 8 bytes aligned */
        { gfn, 1, 0, XEN_EINVAL },
        { gfn, 4096 - size + 8, 0, XEN_EINVAL },    /* in one page */
        { gfn, 4096, 0, XEN_EINVAL },
        { gfn, UINT32_MAX - 7, 0, XEN_EINVAL },
        { 0, 0, 0, XEN_EINVAL },                    /* no such frame */
        { UINT64_MAX, 0, 0, XEN_EINVAL },
        { gfn | UINT64_C(1) << 52, 0, 0, XEN_EINVAL },
    };
    uint32_t i;

    /* The bitmaps come first; there is no such vCPU even before. */
    assert_err(guest_register_selector(g, 0, 0), XEN_EOPNOTSUPP);
    assert_err(guest_register_selector(g, 0, 3), XEN_EOPNOTSUPP);
    assert_err(guest_register_selector(g, 2, 0), XEN_ENOENT);
    assert_ok(guest_register_bitmaps(g));
    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        struct evtchn_register_3level reg = {
            .cmd = EVTCHN_3L_L2_SELECTOR,
            .u.l2_selector = {
                .vcpu = table[i].vcpu,
                .offset = table[i].offset,
                .gfn = table[i].gfn,
            },
        };

        g_test_message("%u", i);
        assert_err(guest_op(g, EVTCHNOP_register_3level, &reg), table[i].err);
        g_assert_cmpuint(g->mapped, ==, 2 * pages);
    }
    /* The last place that fits; the second one of a vCPU is refused. */
    assert_ok(guest_register_selector(g, 0, 4096 - size));
    assert_err(guest_register_selector(g, 0, 0), XEN_EINVAL);
    assert_ok(guest_register_selector(g, 1, 0));
    g_assert_cmpuint(g->mapped, ==, 2 * pages + 2);
    guest_free(g);
    world_free(w);
}

/* A guest takes one of the two. */
static void test_after_fifo(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 1, data);
    uint32_t port;

    assert_ok(guest_init_control(g, 0, 0));
    assert_err(guest_register_bitmaps(g), XEN_EINVAL);
    assert_err(guest_register_selector(g, 0, 0), XEN_EOPNOTSUPP);
    assert_ok(guest_expand_array(g));
    port = unit_ipi(g, 0);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    assert_ok(guest_reset(g));
    assert_ok(guest_3l_init(g));
    port = unit_ipi(g, 0);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    assert_ok(guest_reset(g));
    assert_ok(guest_fifo_init(g, 1024));
    guest_free(g);
    world_free(w);
}

/* Nothing is allocated before, one block then, and that once. */
static void test_memory(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 3, data);
    size_t before = g->heap.bytes;
    uint64_t blocks = g->heap.blocks;
    uint32_t i;

    g->heap.fail_in = 1;
    assert_err(guest_register_bitmaps(g), XEN_ENOMEM);
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
    g_assert_cmpuint(g->heap.bytes, ==, before);
    g_assert_cmpuint(g->mapped, ==, 0);
    g->heap.fail_in = 0;
    assert_ok(guest_register_bitmaps(g));
    g_assert_cmpuint(g->heap.blocks, ==, blocks + 1);
    g_assert_cmpuint(g->heap.bytes - before, <=, 512);
    before = g->heap.bytes;
    /* A selector is the guest's memory alone. */
    g->heap.fail_in = 1;
    assert_ok(guest_register_selector(g, 0, 0));
    assert_ok(guest_register_selector(g, 2, 0));
    assert_ok(guest_reset(g));
    g_assert_cmpuint(g->mapped, ==, 0);
    /* Senders may still look at the block. */
    for (i = 0; i < 3; i++) {
        assert_ok(guest_3l_init(g));
        assert_ok(guest_reset(g));
        g_assert_cmpuint(g->heap.bytes, ==, before);
        g_assert_cmpuint(g->mapped, ==, 0);
    }
    g->heap.fail_in = 0;
    g_assert_cmpuint(before, ==, evtchn_domain_memory(g->d));
    guest_free(g);
    world_free(w);
}

/* What is pending in 2-level, masked or not, comes after the change. */
static void test_carry_over(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 2, data);
    uint32_t limit = guest_2l_ports(g), port;
    struct guest_log *log = g_new(struct guest_log, 1);

    for (port = 1; port < limit - 100; port++) {
        unit_ipi_masked(g, port % 2);
        if (port % 5 == 0) {
            guest_mask(g, port);
        }
        if (port % 3 == 0) {
            assert_ok(evtchn_send(g->d, port));
        }
    }
    /* A closed port's stale bit is nobody's event. */
    assert_ok(evtchn_close(g->d, 6));
    consumer_2l_set_pending(g, 6);
    /* What is masked before it is bound stays so. */
    guest_mask(g, limit - 2);

    assert_ok(guest_register_bitmaps(g));
    g_assert_true(guest_is_masked(g, limit - 2));
    g_assert_false(guest_is_masked(g, limit - 3));
    /* Beyond 2-level it is as the guest has set the page up. */
    g_assert_true(guest_is_masked(g, limit));
    for (port = 1; port < limit - 100; port++) {
        g_assert_cmpint(guest_is_pending(g, port), ==,
                        port % 3 == 0 && port != 6);
        g_assert_cmpint(guest_is_masked(g, port), ==, port % 5 == 0);
        /* 2-level's is gone: a kernel after a kexec must not see it. */
        g_assert_true(port == 6 || !consumer_2l_is_pending(g, port));
    }
    /* A vCPU gets its events with its selector, not before. */
    g->vcpu[1].upcalls = 0;
    *guest_upcall_pending(&g->vcpu[1]) = 0;
    assert_ok(guest_register_selector(g, 0, 0));
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 0);
    assert_ok(guest_register_selector(g, 1, 0));
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 1);
    for (port = 5; port < limit - 100; port += 5) {
        guest_unmask(&g->vcpu[port % 2], port);
    }
    unit_handle(g, 0, log);
    g_assert_cmpuint(log->nr, ==, (limit - 101) / 6 - 1);
    unit_handle(g, 1, log);
    g_assert_cmpuint(log->nr, ==, (limit - 101) / 3 - (limit - 101) / 6);
    g_free(log);
    guest_free(g);
    world_free(w);
}

/* evtchn_pending_sel had 2-level's meaning: it becomes word 0 of L2. */
static void test_old_selector(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 1, data);
    struct guest_vcpu *v = &g->vcpu[0];
    uint32_t bits = guest_word_bits(g), port, i;

    for (i = 0; i < 5 * bits; i++) {
        port = unit_ipi(g, 0);
    }
    assert_ok(evtchn_send(g->d, 3 * bits + 1));
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmphex(guest_pending_sel(v), ==, 1 << 3 | 1 << 5);
    assert_ok(guest_register_bitmaps(g));
    assert_ok(guest_register_selector(g, 0, 8));
    g_assert_cmphex(v->l2_selector[0], ==, 1 << 3 | 1 << 5);
    g_assert_cmphex(guest_pending_sel(v), ==, 1);
    g_assert_cmpuint(*guest_upcall_pending(v), ==, 1);
    assert_ok(evtchn_close(g->d, port));
    unit_expect(g, 0, 3 * bits + 1);

    /* The guest was in the middle of it: the flag was clear already. */
    assert_ok(guest_reset(g));
    *guest_upcall_pending(v) = 0;
    for (i = 0; i < bits; i++) {
        port = unit_ipi(g, 0);
    }
    assert_ok(evtchn_send(g->d, port));
    evtchn_store(guest_upcall_pending(v), (uint8_t)0);
    v->upcalls = 0;
    assert_ok(guest_register_bitmaps(g));
    assert_ok(guest_register_selector(g, 0, 0));
    g_assert_cmpuint(v->upcalls, ==, 1);
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

/* A selector that is not zero is taken as it is: nothing hides behind it. */
static void test_full_selector(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 1, data);
    uint32_t bits = guest_word_bits(g), port = 0;
    uint64_t gfn = guest_new_frame(g);

    while (port < bits * bits + 5) {
        if (port == 1) {
            assert_ok(guest_register_bitmaps(g));
        }
        port = unit_ipi(g, 0);
    }
    memset(guest_frame(g, gfn), 0xff, EVTCHN_FRAME_SIZE);
    g->vcpu[0].l2_selector = guest_frame(g, gfn);
    assert_ok(evtchn_send(g->d, port));
    assert_ok(evtchn_register_l2_selector(g->d, 0, gfn, 0));
    unit_expect(g, 0, port);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

/* As XSA-107: all sources, for a vCPU that has no selector yet. */
static void test_late_selector(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 3, data);
    struct guest *peer = unit_guest(w, 2, 1, MODE_2L_64);
    uint32_t ipi, virq, pirq, port, peer_port, masked;
    struct guest_log *log = g_new(struct guest_log, 1);

    assert_ok(guest_register_bitmaps(g));
    assert_ok(guest_register_selector(g, 0, 0));
    ipi = unit_ipi(g, 1);
    masked = unit_ipi_masked(g, 1);
    guest_mask(g, masked);
    virq = unit_virq(g, VIRQ_TIMER, 1);
    pirq = unit_pirq(g, 1);
    unit_move(g, pirq, 1);
    unit_channel(peer, &peer_port, g, &port);
    unit_move(g, port, 1);
    assert_ok(evtchn_send(g->d, ipi));
    assert_ok(evtchn_send(g->d, ipi));
    assert_ok(evtchn_send(g->d, masked));
    evtchn_raise_virq(g->d, 1, VIRQ_TIMER);
    evtchn_raise_pirq(g->d, 1);
    assert_ok(evtchn_send(peer->d, peer_port));
    /* They can be polled for meanwhile. */
    g_assert_cmpint(evtchn_poll(g->d, 1, &virq, 1), ==, 1);
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 0);
    assert_ok(guest_register_selector(g, 2, 0));
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 0);
    assert_ok(guest_register_selector(g, 1, 64));
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 1);
    unit_handle(g, 1, log);
    g_assert_cmpuint(log->nr, ==, 4);
    g_assert_true(guest_unmask(&g->vcpu[1], masked));
    unit_expect(g, 1, masked);
    unit_expect(g, 0, 0);
    unit_expect(g, 2, 0);
    g_free(log);
    guest_free(g);
    guest_free(peer);
    world_free(w);
}

/* Closed, moved, masked or unmasked before the selector came. */
static void test_late_selector_changed(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 3, data);
    uint32_t closed, moved, masked, unmasked;

    assert_ok(guest_register_bitmaps(g));
    assert_ok(guest_register_selector(g, 0, 0));
    closed = unit_ipi(g, 2);
    masked = unit_ipi(g, 2);
    unmasked = unit_ipi_masked(g, 2);
    guest_mask(g, unmasked);
    moved = unit_pirq(g, 4);
    unit_move(g, moved, 2);
    assert_ok(evtchn_send(g->d, closed));
    assert_ok(evtchn_send(g->d, masked));
    assert_ok(evtchn_send(g->d, unmasked));
    evtchn_raise_pirq(g->d, 4);
    assert_ok(evtchn_close(g->d, closed));
    guest_mask(g, masked);
    g_assert_true(guest_unmask(&g->vcpu[0], unmasked));
    /* The vCPU that it moves to has what the old one lacks. */
    unit_move(g, moved, 0);
    unit_expect(g, 0, moved);
    assert_ok(guest_register_selector(g, 2, 0));
    unit_expect(g, 2, unmasked);
    g_assert_true(guest_unmask(&g->vcpu[2], masked));
    unit_expect(g, 2, masked);
    unit_expect(g, 0, 0);
    guest_free(g);
    world_free(w);
}

/* Neither selector nor vcpu_info: they may come in either order. */
static void test_late_both(gconstpointer data)
{
    unsigned int info_first;

    for (info_first = 0; info_first < 2; info_first++) {
        struct world *w = world_new();
        struct guest_config c = {
            .domid = 1, .nr_vcpus = 2, .no_vcpu_info = true,
            .word32 = unit_is_32(unit_mode_of(data)),
        };
        struct guest *g = guest_new(w, &c);
        uint32_t port, other;

        assert_ok(guest_register_bitmaps(g));
        port = unit_ipi(g, 1);
        other = unit_ipi(g, 1);
        assert_ok(evtchn_send(g->d, port));
        if (info_first) {
            guest_set_vcpu_info(g, 1, false);
            g_assert_cmpuint(g->vcpu[1].upcalls, ==, 0);
            assert_ok(guest_register_selector(g, 1, 0));
        } else {
            assert_ok(guest_register_selector(g, 1, 0));
            assert_ok(evtchn_send(g->d, other));
            guest_mask(g, other);
            g_assert_cmpuint(g->vcpu[1].upcalls, ==, 0);
            guest_set_vcpu_info(g, 1, false);
        }
        g_assert_cmpuint(g->vcpu[1].upcalls, ==, 1);
        unit_expect(g, 1, port);
        guest_free(g);
        world_free(w);
    }
}

/* In 2-level no selector has it: there was no vcpu_info. */
static void test_carry_over_late_info(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = {
        .domid = 1, .no_vcpu_info = true,
        .word32 = unit_is_32(unit_mode_of(data)),
    };
    struct guest *g = guest_new(w, &c);
    uint32_t port = unit_ipi(g, 0);

    assert_ok(evtchn_send(g->d, port));
    assert_ok(guest_register_bitmaps(g));
    guest_set_vcpu_info(g, 0, false);
    assert_ok(guest_register_selector(g, 0, 0));
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

/* Ports that 2-level had no place for are raised when 3-level has. */
static void test_high_ports(void)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_2L_64);
    uint32_t port = 0;

    while (port < 3000) {
        port = unit_ipi(g, 0);
    }
    guest_set_long_mode(g, false);
    assert_ok(evtchn_send(g->d, port));
    g_assert_false(unit_info(g, port).pending);
    assert_ok(guest_3l_init(g));
    g_assert_true(guest_is_pending(g, port));
    g_assert_true(guest_unmask(&g->vcpu[0], port));
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

/* Another owner of 2-level delivery stops before, or the guest stays. */
static void test_abi_change(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = {
        .domid = 1, .deliver_2l = true, .abi_change = true,
        .word32 = unit_is_32(unit_mode_of(data)),
    };
    struct guest *g = guest_new(w, &c);
    uint32_t port = unit_ipi(g, 0);
    size_t before = g->heap.bytes;

    g->abi_change_rc = -XEN_EBUSY;
    assert_err(guest_register_bitmaps(g), XEN_EBUSY);
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
    g_assert_cmpuint(g->heap.bytes, ==, before);
    g_assert_cmpuint(g->mapped, ==, 0);
    g->abi_change_rc = 0;
    /* What the other owner had set comes over. */
    consumer_2l_set_pending(g, port);
    assert_ok(guest_3l_init(g));
    g_assert_cmpuint(g->abi_changes, ==, 2);
    g_assert_cmpint(g->last_abi, ==, EVTCHN_ABI_3L);
    unit_expect(g, 0, port);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    g_assert_cmpuint(g->delivered_2l, ==, 0);
    assert_ok(guest_reset(g));
    g_assert_cmpuint(g->abi_changes, ==, 3);
    g_assert_cmpint(g->last_abi, ==, EVTCHN_ABI_2L);
    guest_free(g);
    world_free(w);
}

/* A kernel that comes after a kexec does not know the old one's pages. */
static void test_reset(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, unit_mode_of(data));
    uint32_t *words = g->pending_map[0], *masks = g->mask_map[0];
    uint32_t *selector = g->vcpu[0].l2_selector, before, mask_before, port, i;

    for (i = 0; i < 20; i++) {
        port = unit_ipi(g, 0);
        assert_ok(evtchn_send(g->d, port));
    }
    assert_ok(guest_reset(g));
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
    before = words[0];
    mask_before = masks[0];
    selector[0] = 0;
    /* A new kernel has a new vcpu_info, or looks at the old one's. */
    memset(g->shared_info, 0, EVTCHN_FRAME_SIZE);
    for (i = 0; i < 20; i++) {
        port = unit_ipi(g, 0);
        assert_ok(evtchn_send(g->d, port));
        unit_expect(g, 0, port);
    }
    assert_err(guest_register_selector(g, 0, 0), XEN_EOPNOTSUPP);
    assert_ok(guest_3l_init(g));
    for (i = 0; i < 20; i++) {
        assert_ok(evtchn_send(g->d, i + 1));
        unit_expect(g, 0, i + 1);
    }
    g_assert_cmphex(words[0], ==, before);
    g_assert_cmphex(masks[0], ==, mask_before);
    g_assert_cmphex(selector[0], ==, 0);
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/3l-register/layout", test_layout);
    unit_add_3l("/3l-register/offer", test_offer);
    unit_add_3l("/3l-register/bitmap-errors", test_bitmap_errors);
    unit_add_3l("/3l-register/selector-errors", test_selector_errors);
    unit_add_3l("/3l-register/after-fifo", test_after_fifo);
    unit_add_3l("/3l-register/memory", test_memory);
    unit_add_3l("/3l-register/carry-over", test_carry_over);
    unit_add_3l("/3l-register/carry-over-late-info",
                test_carry_over_late_info);
    unit_add_3l("/3l-register/old-selector", test_old_selector);
    unit_add_3l("/3l-register/full-selector", test_full_selector);
    unit_add_3l("/3l-register/late-selector", test_late_selector);
    unit_add_3l("/3l-register/late-selector-changed",
                test_late_selector_changed);
    unit_add_3l("/3l-register/late-both", test_late_both);
    g_test_add_func("/3l-register/high-ports", test_high_ports);
    unit_add_3l("/3l-register/abi-change", test_abi_change);
    unit_add_3l("/3l-register/reset", test_reset);
    return g_test_run();
}
