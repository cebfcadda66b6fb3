/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVTCHNOP_init_control and EVTCHNOP_expand_array: how a guest comes to FIFO,
 * and that nothing is lost on the way.
 */

#include "unit.h"

static struct guest *new_2l(struct world *w, uint32_t nr_vcpus,
                            gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);

    return unit_guest(w, 1, nr_vcpus,
                      mode == MODE_FIFO_32 ? MODE_2L_32 : MODE_2L_64);
}

static void test_init_errors(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 2, data);
    uint64_t gfn = guest_new_frame(g);
    const struct {
        uint64_t gfn;
        uint32_t offset, vcpu;
        int err;
    } table[] = {
        { gfn, 0, 2, XEN_ENOENT },
        { gfn, 0, UINT32_MAX, XEN_ENOENT },
        { gfn, 4, 2, XEN_ENOENT },
        { gfn, 4, 0, XEN_EINVAL },              /* 8 bytes aligned */
        { gfn, 1, 0, XEN_EINVAL },
        { gfn, 4096 - 64, 0, XEN_EINVAL },      /* in one page */
        { gfn, 4096 - 71, 0, XEN_EINVAL },
        { gfn, 4096, 0, XEN_EINVAL },
        { gfn, UINT32_MAX - 7, 0, XEN_EINVAL },
        { 0, 0, 0, XEN_EINVAL },                /* no such frame */
        { gfn + 1, 0, 0, XEN_EINVAL },
        { UINT64_MAX, 0, 0, XEN_EINVAL },
        { gfn | UINT64_C(1) << 52, 0, 0, XEN_EINVAL },
    };
    size_t before = g->heap.bytes;
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        struct evtchn_init_control init = {
            .control_gfn = table[i].gfn,
            .offset = table[i].offset,
            .vcpu = table[i].vcpu,
        };

        g_test_message("%u", i);
        assert_err(guest_op(g, EVTCHNOP_init_control, &init), table[i].err);
        /* As in Xen it is told even then. */
        g_assert_cmpuint(init.link_bits, ==, EVTCHN_FIFO_LINK_BITS);
        g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
        g_assert_cmpuint(g->heap.bytes, ==, before);
        g_assert_cmpuint(g->mapped, ==, 0);
    }
    assert_err(guest_expand_array(g), XEN_EOPNOTSUPP);

    /* The last place that fits; the second block of a vCPU is refused. */
    assert_ok(guest_init_control(g, 0, 4096 - 72));
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_FIFO);
    assert_err(guest_init_control(g, 0, 0), XEN_EINVAL);
    g_assert_cmpuint(g->mapped, ==, 1);
    assert_ok(guest_init_control(g, 1, 0));
    assert_err(guest_init_control(g, 1, 0), XEN_EINVAL);
    g_assert_cmpuint(g->mapped, ==, 2);
    guest_free(g);
    world_free(w);
}

static void test_not_offered(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .no_fifo = true };
    struct guest *g;
    uint32_t port;

    c.word32 = unit_is_32(unit_mode_of(data));
    g = guest_new(w, &c);
    port = unit_ipi(g, 0);
    assert_err(guest_init_control(g, 0, 0), XEN_EOPNOTSUPP);
    assert_err(guest_expand_array(g), XEN_EOPNOTSUPP);
    assert_err(evtchn_set_priority(g->d, port, 1), XEN_ENOSYS);
    g_assert_cmpuint(g->mapped, ==, 0);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

static void test_expand_errors(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 1, data);
    struct evtchn_expand_array expand = { .array_gfn = UINT64_MAX };
    unsigned int i;

    assert_ok(guest_init_control(g, 0, 0));
    assert_err(guest_op(g, EVTCHNOP_expand_array, &expand), XEN_EINVAL);
    expand.array_gfn = 1;
    assert_err(guest_op(g, EVTCHNOP_expand_array, &expand), XEN_EINVAL);
    g->refused_gfn = guest_new_frame(g);
    expand.array_gfn = g->refused_gfn;
    assert_err(guest_op(g, EVTCHNOP_expand_array, &expand), XEN_EINVAL);
    g_assert_cmpuint(g->mapped, ==, 1);
    for (i = 0; i < EVTCHN_MAX_ARRAY_FRAMES; i++) {
        assert_ok(guest_expand_array(g));
    }
    assert_err(guest_expand_array(g), XEN_ENOSPC);
    g_assert_cmpuint(g->mapped, ==, 1 + EVTCHN_MAX_ARRAY_FRAMES);
    guest_free(g);
    world_free(w);
}

/* One frame may be control block, array page, all at once: the guest's fun. */
static void test_same_frame(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 2, data);
    uint64_t gfn = guest_new_frame(g);
    struct evtchn_init_control init = { .control_gfn = gfn };
    struct evtchn_expand_array expand = { .array_gfn = gfn };
    uint32_t port;

    assert_ok(guest_op(g, EVTCHNOP_init_control, &init));
    init.vcpu = 1;
    assert_ok(guest_op(g, EVTCHNOP_init_control, &init));
    assert_ok(guest_op(g, EVTCHNOP_expand_array, &expand));
    assert_ok(guest_op(g, EVTCHNOP_expand_array, &expand));
    for (port = 1; port < 200; port++) {
        assert_ok(evtchn_bind_ipi(g->d, port % 2, &(uint32_t) { 0 }));
        assert_ok(evtchn_send(g->d, port));
    }
    g_assert_cmpuint(g->mapped, ==, 4);
    assert_ok(guest_reset(g));
    g_assert_cmpuint(g->mapped, ==, 0);
    guest_free(g);
    world_free(w);
}

/* What is pending in 2-level, masked or not, comes after the change. */
static void test_carry_over(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 2, data);
    uint32_t limit = guest_2l_ports(g), port;
    struct guest_log log;

    for (port = 1; port < limit; port++) {
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

    assert_ok(guest_fifo_init(g, limit));
    for (port = 1; port < limit; port++) {
        g_assert_cmpint(guest_is_pending(g, port), ==,
                        port % 3 == 0 && port != 6);
        if (port != 6) {
            guest_unmask(&g->vcpu[port % 2], port);
        }
    }
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, (limit - 1) / 6 - 1);
    unit_handle(g, 1, &log);
    g_assert_cmpuint(log.nr, ==, (limit - 1) / 3 - (limit - 1) / 6);
    guest_free(g);
    world_free(w);
}

/* FIFO, but only vCPU 0 has a control block so far. */
static struct guest *new_late_control(struct world *w, uint32_t nr_vcpus,
                                      gconstpointer data)
{
    struct guest *g = new_2l(w, nr_vcpus, data);

    assert_ok(guest_init_control(g, 0, 0));
    assert_ok(guest_expand_array(g));
    return g;
}

/* XSA-107's case, and all orders of what a sender needs. */
static void test_late_control(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_late_control(w, 3, data);
    uint32_t port;

    port = unit_ipi(g, 2);
    assert_ok(evtchn_send(g->d, port));
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmpuint(g->vcpu[2].upcalls, ==, 0);
    assert_ok(guest_init_control(g, 1, 8));
    g_assert_cmpuint(g->vcpu[2].upcalls, ==, 0);
    assert_ok(guest_init_control(g, 2, 16));
    g_assert_cmpuint(g->vcpu[2].upcalls, ==, 1);
    unit_expect(g, 2, port);
    guest_free(g);
    world_free(w);
}

/* Closed, or moved to a vCPU that has a block, before the block came. */
static void test_late_control_closed(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_late_control(w, 3, data);
    uint32_t closed, moved;

    closed = unit_ipi(g, 2);
    moved = unit_pirq(g, 4);
    unit_move(g, moved, 2);
    assert_ok(evtchn_send(g->d, closed));
    evtchn_raise_pirq(g->d, 4);
    assert_ok(evtchn_close(g->d, closed));
    unit_move(g, moved, 0);
    unit_expect(g, 0, moved);
    assert_ok(guest_init_control(g, 2, 0));
    unit_expect(g, 2, 0);
    unit_expect(g, 0, 0);
    guest_free(g);
    world_free(w);
}

/* Masked, while the block is missing: unmask delivers it later. */
static void test_late_control_masked(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_late_control(w, 2, data);
    uint32_t port;

    port = unit_ipi_masked(g, 1);
    assert_ok(evtchn_send(g->d, port));
    g_assert_true(guest_is_pending(g, port));
    g_assert_true(guest_unmask(&g->vcpu[0], port));
    assert_ok(guest_init_control(g, 1, 0));
    unit_expect(g, 1, port);
    guest_free(g);
    world_free(w);
}

/* The array page comes after the event; it comes masked, as Linux's do. */
static void test_late_page(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 1, data);
    uint32_t port, i;

    assert_ok(guest_init_control(g, 0, 0));
    for (i = 1; i <= 1500; i++) {
        assert_ok(evtchn_bind_ipi(g->d, 0, &port));
    }
    assert_ok(evtchn_send(g->d, 1));
    assert_ok(evtchn_send(g->d, 1024));
    assert_ok(evtchn_send(g->d, 1025));
    assert_ok(evtchn_send(g->d, 1500));
    assert_ok(evtchn_unmask(g->d, 1500));
    /* Its number's next owner has no event. */
    assert_ok(evtchn_close(g->d, 1025));
    g_assert_cmpuint(unit_unbound(g, 2), ==, 1025);
    assert_ok(guest_expand_array(g));
    g_assert_true(guest_is_pending(g, 1));
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    g_assert_true(guest_unmask(&g->vcpu[0], 1));
    unit_expect(g, 0, 1);
    assert_ok(guest_expand_array(g));
    g_assert_true(guest_is_pending(g, 1024));
    g_assert_false(guest_is_pending(g, 1025));
    g_assert_true(guest_unmask(&g->vcpu[0], 1500));
    unit_expect(g, 0, 1500);
    g_assert_true(guest_unmask(&g->vcpu[0], 1024));
    unit_expect(g, 0, 1024);
    guest_free(g);
    world_free(w);
}

/* A page of unmasked words delivers at once. */
static void test_late_unmasked_page(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = new_2l(w, 2, data);
    struct evtchn_expand_array expand = { .array_gfn = guest_new_frame(g) };
    struct guest_log log;
    uint32_t a, b;

    assert_ok(guest_init_control(g, 0, 0));
    assert_ok(evtchn_bind_ipi(g->d, 0, &a));
    assert_ok(evtchn_bind_ipi(g->d, 1, &b));
    assert_ok(evtchn_send(g->d, b));
    assert_ok(evtchn_send(g->d, a));
    g->array[0] = guest_frame(g, expand.array_gfn);
    g->nr_array = 1;
    assert_ok(guest_op(g, EVTCHNOP_expand_array, &expand));
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, 1);
    g_assert_cmpuint(log.port[0], ==, a);
    /* vCPU 1 has a page now, but still no block. */
    assert_ok(guest_init_control(g, 1, 0));
    unit_expect(g, 1, b);
    guest_free(g);
    world_free(w);
}

/* No vcpu_info yet when the event is linked. */
static void test_late_vcpu_info(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .no_vcpu_info = true };
    struct guest *g;
    uint32_t port;

    c.word32 = unit_is_32(unit_mode_of(data));
    g = guest_new(w, &c);
    assert_ok(guest_fifo_init(g, 1024));
    port = unit_ipi(g, 0);
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    guest_set_vcpu_info(g, 0, false);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 1);
    unit_expect(g, 0, port);
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_fifo("/fifo-control/init-errors", test_init_errors);
    unit_add_fifo("/fifo-control/not-offered", test_not_offered);
    unit_add_fifo("/fifo-control/expand-errors", test_expand_errors);
    unit_add_fifo("/fifo-control/same-frame", test_same_frame);
    unit_add_fifo("/fifo-control/carry-over", test_carry_over);
    unit_add_fifo("/fifo-control/late-control", test_late_control);
    unit_add_fifo("/fifo-control/late-control-closed",
                  test_late_control_closed);
    unit_add_fifo("/fifo-control/late-control-masked",
                  test_late_control_masked);
    unit_add_fifo("/fifo-control/late-page", test_late_page);
    unit_add_fifo("/fifo-control/late-unmasked-page", test_late_unmasked_page);
    unit_add_fifo("/fifo-control/late-vcpu-info", test_late_vcpu_info);
    return g_test_run();
}
