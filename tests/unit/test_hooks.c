/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The environment's optional hooks: another owner of 2-level delivery, the
 * change of owner, and what the world is told of bindings.
 */

#include "unit.h"

/* One owner: while somebody else delivers, the model sets no 2-level bit. */
static void test_deliver_2l(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .nr_vcpus = 2, .deliver_2l = true };
    struct guest *g = guest_new(w, &c);
    uint32_t port = unit_ipi(g, 1);
    char before[EVTCHN_FRAME_SIZE];

    memcpy(before, g->shared_info, sizeof(before));
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmpuint(g->delivered_2l, ==, 1);
    g_assert_cmpuint(g->last_2l_port, ==, port);
    g_assert_cmpuint(g->last_2l_vcpu, ==, 1);
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmpuint(g->delivered_2l, ==, 2);
    g_assert_cmpint(memcmp(before, g->shared_info, sizeof(before)), ==, 0);
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 0);

    /* Its answer decides, event by event. */
    g->owns_2l = false;
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 1, port);
    g->owns_2l = true;

    /* Unmask stays with the model. */
    guest_mask(g, port);
    consumer_2l_set_pending(g, port);
    assert_ok(evtchn_unmask(g->d, port));
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 2);
    unit_expect(g, 1, port);
    g_assert_cmpuint(g->delivered_2l, ==, 2);
    guest_free(g);
    world_free(w);
}

/* FIFO has one owner: us. */
static void test_deliver_2l_not_in_fifo(void)
{
    struct world *w = world_new();
    struct guest_config c = {
        .domid = 1, .deliver_2l = true, .abi_change = true,
    };
    struct guest *g = guest_new(w, &c);
    uint32_t port = unit_ipi(g, 0);

    /* What the other owner had set comes over. */
    consumer_2l_set_pending(g, port);
    assert_ok(guest_fifo_init(g, 1024));
    g_assert_cmpuint(g->abi_changes, ==, 1);
    g_assert_cmpint(g->last_abi, ==, EVTCHN_ABI_FIFO);
    guest_unmask(&g->vcpu[0], port);
    unit_expect(g, 0, port);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    g_assert_cmpuint(g->delivered_2l, ==, 0);

    assert_ok(guest_reset(g));
    g_assert_cmpuint(g->abi_changes, ==, 2);
    g_assert_cmpint(g->last_abi, ==, EVTCHN_ABI_2L);
    /* No change, no call. */
    assert_ok(guest_reset(g));
    g_assert_cmpuint(g->abi_changes, ==, 2);
    port = unit_ipi(g, 0);
    assert_ok(evtchn_send(g->d, port));
    g_assert_cmpuint(g->delivered_2l, ==, 1);
    guest_free(g);
    world_free(w);
}

/* An owner that can't stop: the guest stays as it was. */
static void test_abi_change_refused(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .abi_change = true };
    struct guest *g = guest_new(w, &c);
    uint32_t port = unit_ipi(g, 0);
    size_t before = g->heap.bytes;

    g->abi_change_rc = -XEN_EBUSY;
    assert_err(guest_init_control(g, 0, 0), XEN_EBUSY);
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
    g_assert_cmpuint(g->heap.bytes, ==, before);
    g_assert_cmpuint(g->mapped, ==, 0);
    assert_ok(evtchn_send(g->d, port));
    unit_expect(g, 0, port);
    g->abi_change_rc = 0;
    assert_ok(guest_init_control(g, 0, 0));
    /* The second block changes nothing. */
    g_assert_cmpuint(g->abi_changes, ==, 2);
    /* Going away is no change either, or one back to 2-level. */
    guest_free(g);
    world_free(w);
}

/* A bad frame is found before the old owner has to stop. */
static void test_abi_change_after_map(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .abi_change = true };
    struct guest *g = guest_new(w, &c);
    struct evtchn_init_control init = { .control_gfn = 1 };

    assert_err(guest_op(g, EVTCHNOP_init_control, &init), XEN_EINVAL);
    g_assert_true(g->abi_changes == 0 || g->last_abi == EVTCHN_ABI_2L);
    guest_free(g);
    world_free(w);
}

static void check_binding(struct guest *g, uint32_t port)
{
    struct evtchn_port_info info = unit_info(g, port);
    const struct evtchn_port_info *seen = &g->binding[port].info;

    g_assert_cmpint(seen->state, ==, info.state);
    /* What ABI a closed port would have is nobody's business. */
    if (info.state != EVTCHN_CLOSED) {
        g_assert_cmpint(seen->abi, ==, info.abi);
    }
    g_assert_cmpuint(seen->vcpu, ==, info.vcpu);
    g_assert_cmpuint(seen->remote_domid, ==, info.remote_domid);
    g_assert_cmpuint(seen->remote_port, ==, info.remote_port);
    /* One that is closed is told with what it had. */
    if (info.state != EVTCHN_CLOSED) {
        g_assert_cmpuint(seen->irq, ==, info.irq);
    }
}

/* The mirror that the hook keeps is always the truth. */
static void test_binding_changed(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = {
        .domid = 1, .nr_vcpus = 2, .nr_pirqs = 16, .binding_changed = true,
    };
    struct guest *a = unit_guest_config(w, c, unit_mode_of(data));
    struct guest *b;
    uint32_t virq, pirq, ipi, unbound, a_port, b_port;

    c.domid = 2;
    b = unit_guest_config(w, c, unit_mode_of(data));
    virq = unit_virq(a, VIRQ_TIMER, 1);
    pirq = unit_pirq(a, 3);
    ipi = unit_ipi(a, 1);
    unbound = unit_unbound(a, 9);
    unit_channel(a, &a_port, b, &b_port);
    unit_move(a, pirq, 1);
    unit_move(b, b_port, 1);
    check_binding(a, virq);
    check_binding(a, pirq);
    check_binding(a, ipi);
    check_binding(a, unbound);
    check_binding(a, a_port);
    check_binding(b, b_port);
    g_assert_cmpuint(b->binding[b_port].calls, ==, 3);
    /* Bound, bound to, moved. */
    g_assert_cmpint(a->binding[a_port].was, ==, EVTCHN_CLOSED);
    g_assert_cmpint(b->binding[b_port].was, ==, EVTCHN_INTERDOMAIN);
    g_assert_cmpint(a->binding[pirq].was, ==, EVTCHN_PIRQ);

    /* Sending is no change. */
    assert_ok(evtchn_send(a->d, a_port));
    g_assert_cmpuint(b->binding[b_port].calls, ==, 3);

    assert_ok(evtchn_close(a->d, a_port));
    check_binding(a, a_port);
    check_binding(b, b_port);
    g_assert_cmpint(a->binding[a_port].info.state, ==, EVTCHN_CLOSED);
    g_assert_cmpint(b->binding[b_port].info.state, ==, EVTCHN_UNBOUND);
    g_assert_cmpint(a->binding[a_port].was, ==, EVTCHN_INTERDOMAIN);
    g_assert_cmpint(b->binding[b_port].was, ==, EVTCHN_INTERDOMAIN);
    assert_ok(guest_reset(a));
    g_assert_cmpint(a->binding[pirq].was, ==, EVTCHN_PIRQ);
    g_assert_cmpuint(a->binding[pirq].info.irq, ==, 3);
    g_assert_cmpint(a->binding[virq].was, ==, EVTCHN_VIRQ);
    g_assert_cmpuint(a->binding[virq].info.irq, ==, VIRQ_TIMER);
    g_assert_cmpint(a->binding[ipi].was, ==, EVTCHN_IPI);
    g_assert_cmpuint(a->binding[ipi].info.irq, ==, 0);
    g_assert_cmpint(a->binding[unbound].was, ==, EVTCHN_UNBOUND);
    g_assert_cmpuint(a->binding[unbound].info.irq, ==, 0);
    check_binding(a, virq);
    check_binding(a, pirq);
    check_binding(a, ipi);
    check_binding(a, unbound);
    /* A closed port's says what it was bound to. */
    g_assert_cmpuint(a->binding[pirq].info.irq, ==, 3);
    g_assert_cmpuint(a->binding[0].calls, ==, 0);
    guest_free(a);
    guest_free(b);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hooks/deliver-2l", test_deliver_2l);
    g_test_add_func("/hooks/deliver-2l-not-in-fifo",
                    test_deliver_2l_not_in_fifo);
    g_test_add_func("/hooks/abi-change-refused", test_abi_change_refused);
    g_test_add_func("/hooks/abi-change-after-map", test_abi_change_after_map);
    unit_add_modes("/hooks/binding-changed", test_binding_changed);
    return g_test_run();
}
