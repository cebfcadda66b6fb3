/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port is looked at before each access that a bind or a close makes to shared
 * memory: what is told is what was, or what will be, and no mixture.
 */

#include "unit.h"
#include "lock.h"
#include "step.h"

static struct {
    struct guest *g[2];
    uint32_t port[2];   /* 0: not bound, or not known, yet */
    bool looking;
    unsigned int seen[EVTCHN_RESERVED + 1];
} test;

/* Would a look wait for the operation under way, whose thread this is? */
static bool is_locked(struct guest *g, uint32_t port)
{
    uint32_t binding = evtchn_of_port(g->d, port)->binding;

    switch (binding_state(binding)) {
    case EVTCHN_CLOSED:
        return false;
    case EVTCHN_UNBOUND:
        return binding & BINDING_HELD;
    default:
        return evtchn_queue(g->d, binding)->tail == QUEUE_LOCKED;
    }
}

static void look(unsigned int end)
{
    struct guest *g = test.g[end], *peer = test.g[!end];
    uint32_t port = test.port[end];
    struct evtchn_port_info info;

    if (!port || is_locked(g, port)) {
        return;
    }
    info = unit_info(g, port);
    test.seen[info.state]++;
    switch (info.state) {
    case EVTCHN_CLOSED:
        break;
    case EVTCHN_UNBOUND:
        g_assert_cmpuint(info.remote_domid, ==, peer->domid);
        break;
    case EVTCHN_INTERDOMAIN:
        g_assert_cmpuint(info.remote_domid, ==, peer->domid);
        g_assert_cmpuint(info.remote_port, ==, test.port[!end]);
        break;
    default:
        g_assert_not_reached();
    }
}

void unit_step(int kind, const volatile void *ptr)
{
    (void)kind, (void)ptr;
    if (test.looking) {
        test.looking = false;
        look(0);
        look(1);
        test.looking = true;
    }
}

#define WHILE_LOOKING(op)       \
    do {                        \
        test.looking = true;    \
        assert_ok(op);          \
        test.looking = false;   \
    } while (0)

static void test_interdomain(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *a = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest *b = unit_guest(w, 2, 1, unit_mode_of(data));
    uint32_t port, i;

    memset(&test, 0, sizeof(test));
    test.g[0] = a;
    test.g[1] = b;
    /* A number that is no domain's. */
    for (i = 0; i < 9; i++) {
        unit_ipi_masked(b, 0);
    }
    test.port[0] = unit_unbound(a, 2);
    test.port[1] = i + 1;
    for (i = 0; i < 2; i++) {
        WHILE_LOOKING(evtchn_bind_interdomain(b->d, 1, test.port[0], &port));
        g_assert_cmpuint(port, ==, test.port[1]);
        WHILE_LOOKING(evtchn_close(b->d, port));
    }
    WHILE_LOOKING(evtchn_bind_interdomain(b->d, 1, test.port[0], &port));
    WHILE_LOOKING(evtchn_close(a->d, test.port[0]));
    g_assert_cmpint(unit_info(b, port).state, ==, EVTCHN_UNBOUND);
    WHILE_LOOKING(evtchn_close(b->d, port));
    g_assert_cmpuint(test.seen[EVTCHN_CLOSED], >, 10);
    g_assert_cmpuint(test.seen[EVTCHN_UNBOUND], >, 10);
    g_assert_cmpuint(test.seen[EVTCHN_INTERDOMAIN], >, 10);
    guest_free(a);
    guest_free(b);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/inspect/interdomain", test_interdomain);
    return g_test_run();
}
