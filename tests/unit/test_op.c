/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_event_channel_op: every command by its number and structure.
 */

#include "unit.h"

static void test_sizes(void)
{
    static const struct {
        unsigned int cmd;
        size_t size;
        bool copy_back;
    } table[] = {
        { EVTCHNOP_bind_interdomain,
          sizeof(struct evtchn_bind_interdomain), true },
        { EVTCHNOP_bind_virq, sizeof(struct evtchn_bind_virq), true },
        { EVTCHNOP_bind_pirq, sizeof(struct evtchn_bind_pirq), true },
        { EVTCHNOP_close, sizeof(struct evtchn_close), false },
        { EVTCHNOP_send, sizeof(struct evtchn_send), false },
        { EVTCHNOP_status, sizeof(struct evtchn_status), true },
        { EVTCHNOP_alloc_unbound, sizeof(struct evtchn_alloc_unbound), true },
        { EVTCHNOP_bind_ipi, sizeof(struct evtchn_bind_ipi), true },
        { EVTCHNOP_bind_vcpu, sizeof(struct evtchn_bind_vcpu), false },
        { EVTCHNOP_unmask, sizeof(struct evtchn_unmask), false },
        { EVTCHNOP_reset, sizeof(struct evtchn_reset), false },
        { EVTCHNOP_init_control, sizeof(struct evtchn_init_control), true },
        { EVTCHNOP_expand_array, sizeof(struct evtchn_expand_array), false },
        { EVTCHNOP_set_priority, sizeof(struct evtchn_set_priority), false },
        { EVTCHNOP_reset_cont, sizeof(struct evtchn_reset), false },
        { 15, 0, false },
        { 127, 0, false },
        { EVTCHNOP_query_extended_abis, 8, true },
        { EVTCHNOP_register_3level, UNIT_HAS_3L ? 32 : 0, false },
        { 130, 0, false },
        { UINT32_MAX, 0, false },
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        bool copy_back;

        g_assert_cmpuint(evtchn_op_size(table[i].cmd, &copy_back), ==,
                         table[i].size);
        g_assert_true(!table[i].size || copy_back == table[i].copy_back);
    }
}

static void test_unknown(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint64_t arg[8] = { 0 };

    assert_err(guest_op(g, 15, arg), XEN_ENOSYS);
    assert_err(guest_op(g, 127, arg), XEN_ENOSYS);
    assert_err(guest_op(g, 130, arg), XEN_ENOSYS);
    assert_err(guest_op(g, INT32_MAX, arg), XEN_ENOSYS);
    assert_err(guest_op(g, UINT32_MAX, arg), XEN_ENOSYS);
    guest_free(g);
    world_free(w);
}

/* A guest's life, hypercall by hypercall. */
static void test_all(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 2, mode);
    struct evtchn_alloc_unbound alloc = {
        .dom = DOMID_SELF, .remote_dom = DOMID_SELF,
    };
    struct evtchn_bind_interdomain inter = { .remote_dom = DOMID_SELF };
    struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER, .vcpu = 1 };
    struct evtchn_bind_pirq pirq = {
        .pirq = 5, .flags = BIND_PIRQ__WILL_SHARE,
    };
    struct evtchn_bind_ipi ipi = { .vcpu = 1 };
    struct evtchn_bind_vcpu vcpu = { .vcpu = 1 };
    struct evtchn_status status = { .dom = DOMID_SELF };
    struct evtchn_send send;
    struct evtchn_unmask unmask;
    struct evtchn_close close;
    struct evtchn_set_priority priority;
    struct evtchn_reset reset = { .dom = DOMID_SELF };

    assert_ok(guest_op(g, EVTCHNOP_alloc_unbound, &alloc));
    g_assert_cmpuint(alloc.port, ==, 1);
    inter.remote_port = alloc.port;
    assert_ok(guest_op(g, EVTCHNOP_bind_interdomain, &inter));
    g_assert_cmpuint(inter.local_port, ==, 2);
    assert_ok(guest_op(g, EVTCHNOP_bind_virq, &virq));
    g_assert_cmpuint(virq.port, ==, 3);
    assert_ok(guest_op(g, EVTCHNOP_bind_pirq, &pirq));
    g_assert_cmpuint(pirq.port, ==, 4);
    assert_ok(guest_op(g, EVTCHNOP_bind_ipi, &ipi));
    g_assert_cmpuint(ipi.port, ==, 5);
    vcpu.port = alloc.port;
    assert_ok(guest_op(g, EVTCHNOP_bind_vcpu, &vcpu));
    evtchn_store(&g->port_vcpu[1], (uint16_t)1);

    status.port = 1;
    assert_ok(guest_op(g, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.status, ==, EVTCHNSTAT_interdomain);
    g_assert_cmpuint(status.vcpu, ==, 1);
    g_assert_cmpuint(status.u.interdomain.port, ==, 2);

    priority.port = 1;
    priority.priority = 3;
    assert_err(guest_op(g, EVTCHNOP_set_priority, &priority),
               unit_is_fifo(mode) ? 0 : XEN_ENOSYS);
    if (!unit_is_fifo(mode)) {
        guest_mask(g, 1);
    }
    send.port = 2;
    assert_ok(guest_op(g, EVTCHNOP_send, &send));
    g_assert_true(guest_is_pending(g, 1));
    g_assert_cmpuint(g->vcpu[1].upcalls, ==, 0);
    unmask.port = 1;
    assert_ok(guest_op(g, EVTCHNOP_unmask, &unmask));
    unit_expect(g, 1, 1);
    close.port = 2;
    assert_ok(guest_op(g, EVTCHNOP_close, &close));
    assert_err(guest_op(g, EVTCHNOP_close, &close), XEN_EINVAL);
    assert_ok(guest_op(g, EVTCHNOP_reset, &reset));
    assert_ok(guest_op(g, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.status, ==, EVTCHNSTAT_closed);
    guest_free(g);
    world_free(w);
}

/* What an operation does not return it does not write. */
static void test_failure_writes_nothing(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    static const unsigned int cmds[] = {
        EVTCHNOP_bind_interdomain, EVTCHNOP_bind_virq, EVTCHNOP_bind_pirq,
        EVTCHNOP_status, EVTCHNOP_alloc_unbound, EVTCHNOP_bind_ipi,
    };
    unsigned int i;
    uint8_t arg[64], before[64];

    for (i = 0; i < G_N_ELEMENTS(cmds); i++) {
        /* Nothing in here is the number of anything. */
        memset(arg, 0xa5, sizeof(arg));
        memcpy(before, arg, sizeof(arg));
        g_assert_cmpint(guest_op(g, cmds[i], arg), <, 0);
        g_assert_cmpint(memcmp(arg, before, sizeof(arg)), ==, 0);
    }
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/op/sizes", test_sizes);
    unit_add_modes("/op/unknown", test_unknown);
    unit_add_modes("/op/all", test_all);
    unit_add_modes("/op/failure-writes-nothing", test_failure_writes_nothing);
    return g_test_run();
}
