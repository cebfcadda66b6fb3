/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that writes what it likes into its event words and control blocks:
 * it loses its own events, and that is all.  Work stays bounded, which a test
 * that hangs would tell, and no access leaves the guest's frames, which ASan
 * would.
 */

#include "unit.h"

static struct guest *new_guest(struct world *w, uint32_t *port, unsigned int nr)
{
    struct guest_config c = { .domid = 1, .nr_vcpus = 2, .nr_pirqs = 256 };
    struct guest *g = guest_new(w, &c);
    unsigned int i;

    assert_ok(guest_fifo_init(g, 1024));
    for (i = 0; i < nr; i++) {
        port[i] = unit_ipi(g, 0);
    }
    return g;
}

/* BUSY is the hypervisor's: a guest that sets it can't stop a queue. */
static void test_busy(void)
{
    struct world *w = world_new();
    uint32_t port[4], i;
    struct guest *g = new_guest(w, port, 4);
    struct guest_log log;

    for (i = 0; i < 4; i++) {
        *guest_event_word(g, port[i]) |= FIFO_BUSY;
    }
    for (i = 0; i < 4; i++) {
        assert_ok(evtchn_send(g->d, port[i]));
        *guest_event_word(g, port[i]) |= FIFO_BUSY;
    }
    unit_handle(g, 0, &log);
    g_assert_cmpuint(log.nr, ==, 4);
    for (i = 0; i < 4; i++) {
        g_assert_cmpuint(log.port[i], ==, port[i]);
        assert_ok(evtchn_unmask(g->d, port[i]));
        assert_ok(evtchn_close(g->d, port[i]));
    }
    guest_free(g);
    world_free(w);
}

/* The hypervisor follows no link: one out of range is only ever overwritten. */
static void test_link_out_of_range(void)
{
    static const uint32_t links[] = { 1, 1023, 1024, 131071, 5 };
    struct world *w = world_new();
    uint32_t port[2];
    struct guest *g = new_guest(w, port, 2);
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(links); i++) {
        assert_ok(evtchn_send(g->d, port[0]));
        *guest_event_word(g, port[0]) |= links[i];
        assert_ok(evtchn_send(g->d, port[1]));
        g_assert_cmpuint(*guest_event_word(g, port[0]) & FIFO_LINK_MASK, ==,
                         port[1]);
        unit_drain(g);
    }
    g_assert_cmpuint(g->vcpu[0].wild_heads, ==, 0);
    guest_free(g);
    world_free(w);
}

/* LINKED set by the guest: its event is never queued, others are. */
static void test_linked_by_guest(void)
{
    struct world *w = world_new();
    uint32_t port[3];
    struct guest *g = new_guest(w, port, 3);

    *guest_event_word(g, port[1]) |= FIFO_LINKED;
    assert_ok(evtchn_send(g->d, port[1]));
    g_assert_true(guest_is_pending(g, port[1]));
    unit_expect(g, 0, 0);
    assert_ok(evtchn_send(g->d, port[0]));
    unit_expect(g, 0, port[0]);
    /* It can be closed, and is not handed out while it says LINKED. */
    assert_ok(evtchn_close(g->d, port[1]));
    g_assert_cmpuint(unit_ipi(g, 0), ==, port[2] + 1);
    *guest_event_word(g, port[1]) = FIFO_MASKED;
    g_assert_cmpuint(unit_ipi(g, 0), ==, port[1]);
    assert_ok(evtchn_send(g->d, port[1]));
    unit_expect(g, 0, port[1]);
    guest_free(g);
    world_free(w);
}

/* Every port's LINKED set while all are closed: no port is left, no harm. */
static void test_all_linked_by_guest(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .max_ports = 1024 };
    struct guest *g = guest_new(w, &c);
    uint32_t port, i;

    assert_ok(guest_fifo_init(g, 1024));
    for (i = 1; i < 1024; i++) {
        *guest_event_word(g, i) = UINT32_MAX;
    }
    assert_err(evtchn_bind_ipi(g->d, 0, &port), XEN_ENOSPC);
    assert_err(evtchn_bind_ipi(g->d, 0, &port), XEN_ENOSPC);
    *guest_event_word(g, 1000) = FIFO_MASKED;
    assert_ok(evtchn_bind_ipi(g->d, 0, &port));
    g_assert_cmpuint(port, ==, 1000);
    assert_err(evtchn_bind_ipi(g->d, 0, &port), XEN_ENOSPC);
    /* A reset forgets it all. */
    assert_ok(guest_reset(g));
    g_assert_cmpuint(unit_ipi(g, 0), ==, 1);
    guest_free(g);
    world_free(w);
}

/* HEAD and READY are written, never read. */
static void test_control_garbage(void)
{
    struct world *w = world_new();
    uint32_t port[2], i;
    struct guest *g = new_guest(w, port, 2);
    struct evtchn_fifo_control_block *control = g->vcpu[0].control;

    memset(control, 0xff, sizeof(*control));
    assert_ok(evtchn_send(g->d, port[0]));
    assert_ok(evtchn_send(g->d, port[1]));
    g_assert_cmpuint(control->head[7], ==, port[0]);
    g_assert_cmpuint(g->vcpu[0].upcalls, ==, 0);
    for (i = 0; i < 16; i++) {
        if (i != 7) {
            g_assert_cmphex(control->head[i], ==, UINT32_MAX);
        }
    }
    g_assert_cmphex(control->_rsvd, ==, UINT32_MAX);
    guest_free(g);
    world_free(w);
}

/* Words of ports that are not bound, port 0 among them, stay as they are. */
static void test_unbound_words(void)
{
    struct world *w = world_new();
    uint32_t port[1], i;
    struct guest *g = new_guest(w, port, 1);

    for (i = 0; i < 1024; i++) {
        if (i != port[0]) {
            *guest_event_word(g, i) = UINT32_MAX;
        }
    }
    assert_ok(evtchn_send(g->d, port[0]));
    assert_ok(evtchn_unmask(g->d, 0));
    assert_ok(evtchn_unmask(g->d, 17));
    unit_expect(g, 0, port[0]);
    for (i = 0; i < 1024; i++) {
        if (i != port[0]) {
            g_assert_cmphex(*guest_event_word(g, i), ==, UINT32_MAX);
        }
    }
    guest_free(g);
    world_free(w);
}

/* The queue is consumed behind the hypervisor's back, and forged. */
static void test_forged_tail(void)
{
    struct world *w = world_new();
    uint32_t port[4];
    struct guest *g = new_guest(w, port, 4);

    /* The tail says LINKED though the guest took it: the event is lost. */
    assert_ok(evtchn_send(g->d, port[0]));
    unit_expect(g, 0, port[0]);
    *guest_event_word(g, port[0]) |= FIFO_LINKED;
    assert_ok(evtchn_send(g->d, port[1]));
    unit_expect(g, 0, 0);
    /* Once it plays by the rules again, so do we. */
    *guest_event_word(g, port[0]) = 0;
    *guest_event_word(g, port[1]) = 0;
    assert_ok(evtchn_send(g->d, port[2]));
    unit_expect(g, 0, port[2]);
    assert_ok(evtchn_send(g->d, port[1]));
    unit_expect(g, 0, port[1]);
    guest_free(g);
    world_free(w);
}

struct storm {
    struct guest *g;
    uint32_t *port;
    bool stop;
};

/* Rewrites all words as fast as it can. */
static gpointer write_words(gpointer opaque)
{
    struct storm *s = opaque;
    uint32_t x = 12345, i;

    while (!evtchn_load(&s->stop)) {
        for (i = 0; i < 16; i++) {
            x = x * 1664525 + 1013904223;
            evtchn_store(guest_event_word(s->g, s->port[x >> 28]), x);
            evtchn_store(&s->g->vcpu[0].control->head[i], x >> 3);
        }
        evtchn_fetch_and(&s->g->vcpu[0].control->ready, x);
        evtchn_store(guest_upcall_pending(&s->g->vcpu[0]), (uint8_t)0);
    }
    return NULL;
}

/* XSA-295's lesson: an atomic loop on guest memory must end. */
static void test_storm(void)
{
    struct world *w = world_new();
    uint32_t port[16], i, n;
    struct guest *g = new_guest(w, port, 16);
    struct storm s = { .g = g, .port = port };
    GThread *thread = g_thread_new("guest", write_words, &s);

    for (n = 0; n < 30000; n++) {
        i = n * 7 % 16;
        assert_ok(evtchn_send(g->d, port[i]));
        assert_ok(evtchn_unmask(g->d, port[i]));
        assert_ok(evtchn_set_priority(g->d, port[i], n % 16));
        if (n % 64 == 0) {
            uint32_t fresh;

            assert_ok(evtchn_bind_ipi(g->d, n % 2, &fresh));
            assert_ok(evtchn_close(g->d, fresh));
        }
    }
    evtchn_store(&s.stop, true);
    g_thread_join(thread);
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fifo-hostile/busy", test_busy);
    g_test_add_func("/fifo-hostile/link-out-of-range", test_link_out_of_range);
    g_test_add_func("/fifo-hostile/linked-by-guest", test_linked_by_guest);
    g_test_add_func("/fifo-hostile/all-linked-by-guest",
                    test_all_linked_by_guest);
    g_test_add_func("/fifo-hostile/control-garbage", test_control_garbage);
    g_test_add_func("/fifo-hostile/unbound-words", test_unbound_words);
    g_test_add_func("/fifo-hostile/forged-tail", test_forged_tail);
    g_test_add_func("/fifo-hostile/storm", test_storm);
    return g_test_run();
}
