/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port numbers: which one comes next, how many there are, what they cost.
 */

#include "unit.h"
#include "model.h"

/* Bind IPIs until it fails; returns the error, *@last is the last port. */
static int fill(struct guest *g, uint32_t *last)
{
    uint32_t port, expected = 1;
    int rc;

    for (;;) {
        rc = evtchn_bind_ipi(g->d, 0, &port);
        if (rc) {
            return rc;
        }
        g_assert_cmpuint(port, ==, expected);
        expected++;
        *last = port;
    }
}

static void test_lowest_first(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t i;

    /* Port 0 is never handed out. */
    for (i = 1; i <= 200; i++) {
        g_assert_cmpuint(unit_ipi_masked(g, 0), ==, i);
    }
    for (i = 2; i <= 200; i += 66) {
        assert_ok(evtchn_close(g->d, i));
    }
    assert_ok(evtchn_close(g->d, 64));
    assert_ok(evtchn_close(g->d, 63));
    g_assert_cmpuint(unit_ipi_masked(g, 0), ==, 2);
    g_assert_cmpuint(unit_ipi_masked(g, 0), ==, 63);
    g_assert_cmpuint(unit_ipi_masked(g, 0), ==, 64);
    g_assert_cmpuint(unit_ipi_masked(g, 0), ==, 68);
    g_assert_cmpuint(unit_ipi_masked(g, 0), ==, 134);
    g_assert_cmpuint(unit_ipi_masked(g, 0), ==, 200);
    g_assert_cmpuint(unit_ipi_masked(g, 0), ==, 201);
    guest_free(g);
    world_free(w);
}

static void test_port_0(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct evtchn_status status = { .dom = DOMID_SELF, .port = 0 };
    uint32_t port;

    assert_err(evtchn_close(g->d, 0), XEN_EINVAL);
    assert_err(evtchn_send(g->d, 0), XEN_EINVAL);
    assert_err(evtchn_raise_port(g->d, 0), XEN_EINVAL);
    assert_err(evtchn_bind_vcpu(g->d, 0, 0), XEN_EINVAL);
    assert_err(evtchn_bind_interdomain(g->d, 1, 0, &port), XEN_EINVAL);
    assert_ok(evtchn_unmask(g->d, 0));
    assert_ok(guest_op(g, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.status, ==, EVTCHNSTAT_closed);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    guest_free(g);
    world_free(w);
}

/* The word size limits 2-level and 3-level, 2^17 FIFO. */
static void test_abi_limit(gconstpointer data)
{
    static const uint32_t limit[NR_MODES] = {
        4096, 1024, 262144, 32768, 131072, 131072,
    };
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, mode);
    uint32_t last = 0, remote, port;

    assert_err(fill(g, &last), XEN_ENOSPC);
    g_assert_cmpuint(last, ==, limit[mode] - 1);
    g_assert_cmpuint(evtchn_domain_valid_ports(g->d), ==, limit[mode]);

    /* Every operation that takes a port says the same. */
    assert_err(evtchn_alloc_unbound(g->d, DOMID_SELF, 1, &port), XEN_ENOSPC);
    assert_err(evtchn_bind_virq(g->d, VIRQ_TIMER, 0, &port), XEN_ENOSPC);
    assert_err(evtchn_bind_pirq(g->d, 1, 0, &port), XEN_ENOSPC);
    assert_ok(evtchn_close(g->d, 77));
    remote = unit_unbound(g, 1);
    g_assert_cmpuint(remote, ==, 77);
    assert_err(evtchn_bind_interdomain(g->d, 1, remote, &port), XEN_ENOSPC);
    /* The failures took nothing. */
    assert_ok(evtchn_close(g->d, last));
    assert_ok(evtchn_bind_pirq(g->d, 1, 0, &port));
    g_assert_cmpuint(port, ==, last);
    assert_ok(evtchn_close(g->d, last));
    assert_ok(evtchn_bind_virq(g->d, VIRQ_TIMER, 0, &port));
    g_assert_cmpuint(port, ==, last);
    guest_free(g);
    world_free(w);
}

/* The toolstack's limit, around a bucket's and a page's size and the ABI's. */
static void test_max_ports(gconstpointer data)
{
    static const uint32_t limits[] = {
        2, 3, 63, 64, 65, 128, 129, 1023, 1024, 1025, 4095, 4096, 4097,
    };
    static const uint32_t abi_limit[NR_MODES] = {
        4096, 1024, 262144, 32768, 131072, 131072,
    };
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(limits); i++) {
        struct guest_config c = { .domid = 1, .max_ports = limits[i] };
        struct guest *g = unit_guest_config(w, c, mode);
        uint32_t last = 0;

        assert_err(fill(g, &last), XEN_ENOSPC);
        g_assert_cmpuint(last, ==, MIN(limits[i], abi_limit[mode]) - 1);
        guest_free(g);
    }
    world_free(w);
}

/* A 2-level guest's limit goes away when it changes its ABI. */
static void test_limit_grows(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_2L_32);
    uint32_t last = 0, port;

    assert_err(fill(g, &last), XEN_ENOSPC);
    g_assert_cmpuint(last, ==, 1023);
    assert_ok(GPOINTER_TO_INT(data) ? guest_fifo_init(g, 2048)
                                    : guest_3l_init(g));
    assert_ok(evtchn_bind_ipi(g->d, 0, &port));
    g_assert_cmpuint(port, ==, 1024);
    guest_free(g);
    world_free(w);
}

static void test_invalid_ports(gconstpointer data)
{
    static const uint32_t wild[] = {
        64, 4096, 131071, 131072, INT32_MAX, 0x80000001, UINT32_MAX,
    };
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    struct evtchn_port_info info;
    struct evtchn_port_state state;
    unsigned int i;
    uint32_t port;

    unit_ipi(g, 0);
    g_assert_cmpuint(evtchn_domain_valid_ports(g->d), <=, 64);
    for (i = 0; i < G_N_ELEMENTS(wild); i++) {
        struct evtchn_status status = { .dom = DOMID_SELF, .port = wild[i] };

        assert_err(evtchn_close(g->d, wild[i]), XEN_EINVAL);
        assert_err(evtchn_send(g->d, wild[i]), XEN_EINVAL);
        assert_err(evtchn_unmask(g->d, wild[i]), XEN_EINVAL);
        assert_err(evtchn_raise_port(g->d, wild[i]), XEN_EINVAL);
        assert_err(evtchn_bind_vcpu(g->d, wild[i], 0), XEN_EINVAL);
        assert_err(evtchn_set_priority(g->d, wild[i], 1), XEN_EINVAL);
        assert_err(evtchn_bind_interdomain(g->d, 1, wild[i], &port),
                   XEN_EINVAL);
        assert_err(guest_op(g, EVTCHNOP_status, &status), XEN_EINVAL);
        assert_err(evtchn_port_info(g->d, wild[i], &info), XEN_EINVAL);
        assert_err(evtchn_save_port(g->d, wild[i], &state), XEN_EINVAL);
        assert_err(evtchn_poll(g->d, 0, &wild[i], 1), XEN_EINVAL);
    }
    /* Nothing of that took a port. */
    g_assert_cmpuint(unit_ipi(g, 0), ==, 2);
    guest_free(g);
    world_free(w);
}

static void test_100000(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .nr_vcpus = 2, .max_ports = 100001 };
    struct guest *g = guest_new(w, &c);
    size_t before, per_port;
    uint32_t last = 0, port;

    assert_ok(guest_fifo_init(g, 100001));
    before = evtchn_domain_memory(g->d);
    assert_err(fill(g, &last), XEN_ENOSPC);
    g_assert_cmpuint(last, ==, 100000);
    per_port = (evtchn_domain_memory(g->d) - before) / 100000;
    g_test_message("%zu bytes a port", per_port);
    g_assert_cmpuint(evtchn_domain_memory(g->d) - before, <=, 32 * 100352);
    g_assert_cmpuint(evtchn_domain_memory(g->d), ==, g->heap.bytes);

    /* Events reach the ends of the range. */
    for (port = 1; port <= last; port += 33333) {
        guest_unmask(&g->vcpu[0], port);
        assert_ok(evtchn_send(g->d, port));
        unit_expect(g, 0, port);
    }
    for (port = last; port; port--) {
        assert_ok(evtchn_close(g->d, port));
    }
    g_assert_cmpuint(unit_ipi(g, 0), ==, 1);
    guest_free(g);
    world_free(w);
}

static void test_small_domain(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .nr_vcpus = 1, .nr_pirqs = 256 };
    struct guest *g = unit_guest_config(w, c, unit_mode_of(data));
    unsigned int i;

    G_STATIC_ASSERT(sizeof(struct evtchn) <= 32);
    for (i = 0; i < 10; i++) {
        unit_ipi(g, 0);
    }
    g_test_message("%zu bytes", evtchn_domain_memory(g->d));
    g_assert_cmpuint(evtchn_domain_memory(g->d), <=, 16 * 1024);
    g_assert_cmpuint(evtchn_domain_memory(g->d), ==, g->heap.bytes);
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/ports/lowest-first", test_lowest_first);
    unit_add_modes("/ports/port-0", test_port_0);
    unit_add_modes("/ports/abi-limit", test_abi_limit);
    unit_add_modes("/ports/max-ports", test_max_ports);
    g_test_add_data_func("/ports/limit-grows/fifo", GINT_TO_POINTER(1),
                         test_limit_grows);
    if (UNIT_HAS_3L) {
        g_test_add_data_func("/ports/limit-grows/3l", GINT_TO_POINTER(0),
                             test_limit_grows);
    }
    unit_add_modes("/ports/invalid", test_invalid_ports);
    g_test_add_func("/ports/100000", test_100000);
    unit_add_modes("/ports/small-domain", test_small_domain);
    return g_test_run();
}
