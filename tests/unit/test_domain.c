/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains: creation, names, privileges, host domains, many of them.
 */

#include "unit.h"

static void test_config(void)
{
    static const struct {
        const char *what;
        struct evtchn_domain_config config;
        int rc;
    } table[] = {
        { "no vCPU", { .domid = 2, .nr_vcpus = 0, .max_ports = 64 },
          -XEN_EINVAL },
        { "too many vCPUs",
          { .domid = 2, .nr_vcpus = 65536, .max_ports = 64 }, -XEN_EINVAL },
        { "only port 0", { .domid = 2, .nr_vcpus = 1, .max_ports = 1 },
          -XEN_EINVAL },
        { "no ports", { .domid = 2, .nr_vcpus = 1, .max_ports = 0 },
          -XEN_EINVAL },
        { "too many ports",
          { .domid = 2, .nr_vcpus = 1, .max_ports = EVTCHN_MAX_PORTS + 1 },
          -XEN_EINVAL },
        { "reserved domid",
          { .domid = DOMID_FIRST_RESERVED, .nr_vcpus = 1, .max_ports = 64 },
          -XEN_EINVAL },
        { "DOMID_SELF",
          { .domid = DOMID_SELF, .nr_vcpus = 1, .max_ports = 64 },
          -XEN_EINVAL },
        { "domid in use", { .domid = 1, .nr_vcpus = 1, .max_ports = 64 },
          -XEN_EEXIST },
        { "smallest", { .domid = 2, .nr_vcpus = 1, .max_ports = 2 }, 0 },
        { "largest", { .domid = DOMID_FIRST_RESERVED - 1, .nr_vcpus = 65535,
          .max_ports = EVTCHN_MAX_PORTS }, 0 },
    };
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_2L_64);
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        struct evtchn_domain *d = NULL;

        g_test_message("%s", table[i].what);
        g_assert_cmpint(evtchn_domain_create(w->hub, &table[i].config, &g->env,
                                             g, &d), ==, table[i].rc);
        if (!table[i].rc) {
            g_assert_cmpuint(evtchn_domain_id(d), ==, table[i].config.domid);
            evtchn_domain_destroy(d);
        }
    }
    guest_free(g);
    world_free(w);
}

static void test_domid_reuse(void)
{
    struct world *w = world_new();
    struct guest *a = unit_guest(w, 1, 1, MODE_2L_64);
    struct guest *b = unit_guest(w, 2, 1, MODE_2L_64);
    uint32_t a_port, b_port;

    unit_channel(a, &a_port, b, &b_port);
    guest_free(b);
    /* The peer is unbound again, and whoever is domain 2 next may bind it. */
    g_assert_cmpint(unit_info(a, a_port).state, ==, EVTCHN_UNBOUND);
    g_assert_cmpuint(unit_info(a, a_port).remote_domid, ==, 2);
    assert_ok(evtchn_send(a->d, a_port));
    b = unit_guest(w, 2, 1, MODE_2L_64);
    assert_ok(evtchn_bind_interdomain(b->d, 1, a_port, &b_port));
    unit_drain(a);
    assert_ok(evtchn_send(b->d, b_port));
    unit_expect(a, 0, a_port);
    guest_free(a);
    guest_free(b);
    world_free(w);
}

/* Every domain has a channel to every other. */
static void test_many(gconstpointer data)
{
    enum { N = 24 };
    struct world *w = world_new();
    struct guest *g[N];
    static uint32_t port[N][N];
    unsigned int i, k;

    for (i = 0; i < N; i++) {
        g[i] = unit_guest(w, i * 37, 1, unit_mode_of(data));
    }
    for (i = 0; i < N; i++) {
        for (k = i + 1; k < N; k++) {
            unit_channel(g[i], &port[i][k], g[k], &port[k][i]);
        }
        unit_drain(g[i]);
    }
    for (i = 0; i < N; i++) {
        for (k = 0; k < N; k++) {
            if (i != k) {
                assert_ok(evtchn_send(g[i]->d, port[i][k]));
                unit_expect(g[k], 0, port[k][i]);
            }
        }
    }
    for (i = 0; i < N; i++) {
        guest_free(g[i]);
    }
    world_free(w);
}

/* Ports of one hub are unknown in another. */
static void test_two_hubs(void)
{
    struct world *w1 = world_new(), *w2 = world_new();
    struct guest *a = unit_guest(w1, 1, 1, MODE_2L_64);
    struct guest *b = unit_guest(w2, 2, 1, MODE_2L_64);
    uint32_t port = unit_unbound(a, 2), other;

    assert_err(evtchn_bind_interdomain(b->d, 1, port, &other), XEN_ESRCH);
    guest_free(a);
    guest_free(b);
    world_free(w1);
    world_free(w2);
}

static void test_privileges(void)
{
    struct world *w = world_new();
    struct guest_config privileged = { .domid = 0, .privileged = true };
    struct guest *dom0 = guest_new(w, &privileged);
    struct guest *a = unit_guest(w, 1, 1, MODE_2L_64);
    struct guest *b = unit_guest(w, 2, 1, MODE_2L_64);
    struct evtchn_status status = { .dom = 1, .port = 1 };
    struct evtchn_reset reset = { .dom = 1 };
    uint32_t port = 99, a_port;

    /* A guest names itself by number as well. */
    assert_ok(evtchn_alloc_unbound(a->d, 1, 2, &a_port));
    g_assert_cmpuint(a_port, ==, 1);
    assert_ok(guest_op(a, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.status, ==, EVTCHNSTAT_unbound);
    g_assert_cmpuint(status.u.unbound.dom, ==, 2);

    /* But nobody else. */
    assert_err(evtchn_alloc_unbound(b->d, 1, 2, &port), XEN_EPERM);
    g_assert_cmpuint(port, ==, 99);
    assert_err(guest_op(b, EVTCHNOP_status, &status), XEN_EPERM);
    assert_err(guest_op(b, EVTCHNOP_reset, &reset), XEN_EPERM);
    g_assert_cmpint(unit_info(a, 1).state, ==, EVTCHN_UNBOUND);
    /* The refused allocation took no port of the target. */
    g_assert_cmpuint(unit_unbound(a, 2), ==, 2);

    /* Domain 0 may. */
    memset(&status, 0, sizeof(status));
    status.dom = 1;
    status.port = 1;
    assert_ok(guest_op(dom0, EVTCHNOP_status, &status));
    g_assert_cmpuint(status.status, ==, EVTCHNSTAT_unbound);
    assert_ok(evtchn_alloc_unbound(dom0->d, 1, 2, &port));
    g_assert_cmpuint(port, ==, 3);
    g_assert_cmpuint(unit_info(a, 3).remote_domid, ==, 2);
    /* DOMID_SELF as the remote is the caller, not the target. */
    assert_ok(evtchn_alloc_unbound(dom0->d, 1, DOMID_SELF, &port));
    g_assert_cmpuint(unit_info(a, port).remote_domid, ==, 0);

    guest_free(dom0);
    guest_free(a);
    guest_free(b);
    world_free(w);
}

static void test_no_such_domain(void)
{
    static const uint16_t domid[] = {
        3, DOMID_FIRST_RESERVED - 1, DOMID_IO, DOMID_XEN, DOMID_INVALID,
        0xffff,
    };
    struct world *w = world_new();
    struct guest_config privileged = { .domid = 0, .privileged = true };
    struct guest *g = guest_new(w, &privileged);
    unsigned int i;
    uint32_t port;

    for (i = 0; i < G_N_ELEMENTS(domid); i++) {
        struct evtchn_status status = { .dom = domid[i], .port = 1 };
        struct evtchn_reset reset = { .dom = domid[i] };

        assert_err(evtchn_alloc_unbound(g->d, domid[i], 0, &port), XEN_ESRCH);
        assert_err(evtchn_bind_interdomain(g->d, domid[i], 1, &port),
                   XEN_ESRCH);
        assert_err(guest_op(g, EVTCHNOP_status, &status), XEN_ESRCH);
        assert_err(guest_op(g, EVTCHNOP_reset, &reset), XEN_ESRCH);
    }
    /* The remote of an unbound port need not exist (yet). */
    assert_ok(evtchn_alloc_unbound(g->d, DOMID_SELF, 3, &port));
    guest_free(g);
    world_free(w);
}

/* A back end's domain: events are calls, nothing is masked. */
static void test_host(gconstpointer data)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 0, .host = true, .privileged = true };
    struct guest *host = guest_new(w, &c);
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t h_port, g_port, ipi;
    uint8_t link_bits = 0;

    g_assert_cmpint(evtchn_domain_abi(host->d), ==, EVTCHN_ABI_HOST);
    g_port = unit_unbound(g, 0);
    guest_unmask(&g->vcpu[0], g_port);
    assert_ok(evtchn_bind_interdomain(host->d, 1, g_port, &h_port));
    /* Binding marks the binder's end. */
    g_assert_cmpuint(host->notified[h_port], ==, 1);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);

    assert_ok(evtchn_send(g->d, g_port));
    assert_ok(evtchn_send(g->d, g_port));
    g_assert_cmpuint(host->notified[h_port], ==, 3);
    assert_ok(evtchn_send(host->d, h_port));
    unit_expect(g, 0, g_port);

    assert_ok(evtchn_unmask(host->d, h_port));
    g_assert_cmpuint(host->nr_notified, ==, 3);
    g_assert_false(unit_info(host, h_port).pending);
    g_assert_cmpint(unit_info(host, h_port).abi, ==, EVTCHN_ABI_HOST);

    assert_ok(evtchn_bind_ipi(host->d, 0, &ipi));
    assert_ok(evtchn_send(host->d, ipi));
    g_assert_cmpuint(host->notified[ipi], ==, 1);

    /* It has no ABI to change. */
    g_assert_cmpint(evtchn_init_control(host->d, 1, 0, 0, &link_bits), <, 0);
    g_assert_cmpint(evtchn_domain_abi(host->d), ==, EVTCHN_ABI_HOST);

    assert_ok(evtchn_close(host->d, h_port));
    assert_ok(evtchn_send(g->d, g_port));
    g_assert_cmpuint(host->notified[h_port], ==, 3);
    guest_free(g);
    guest_free(host);
    world_free(w);
}

/* A host domain reaches past 2-level's limit. */
static void test_host_ports(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 0, .host = true };
    struct guest *host = guest_new(w, &c);
    uint32_t port, i;

    for (i = 1; i < 10000; i++) {
        assert_ok(evtchn_bind_ipi(host->d, 0, &port));
        g_assert_cmpuint(port, ==, i);
    }
    assert_ok(evtchn_send(host->d, port));
    g_assert_cmpuint(host->notified[port], ==, 1);
    guest_free(host);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain/config", test_config);
    g_test_add_func("/domain/domid-reuse", test_domid_reuse);
    unit_add_modes("/domain/many", test_many);
    g_test_add_func("/domain/two-hubs", test_two_hubs);
    g_test_add_func("/domain/privileges", test_privileges);
    g_test_add_func("/domain/no-such-domain", test_no_such_domain);
    unit_add_modes("/domain/host", test_host);
    g_test_add_func("/domain/host-ports", test_host_ports);
    return g_test_run();
}
