/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading a stream that is not to be trusted: what no save can have written is
 * refused and leaves nothing behind; what is taken is what a save would write.
 */

#include "unit.h"

/* Of a vCPU that has registered nothing. */
static const struct evtchn_vcpu_state no_frame = { .gfn = EVTCHN_INVALID_GFN };

static void test_bad_ports(gconstpointer data)
{
    const struct evtchn_port_state bad[] = {
        { .port = 0, .state = EVTCHN_IPI },
        { .port = 1, .state = EVTCHN_IPI },             /* in use */
        { .port = 1024, .state = EVTCHN_IPI },          /* max_ports */
        { .port = 1 << 17, .state = EVTCHN_IPI },
        { .port = UINT32_MAX, .state = EVTCHN_IPI },
        { .port = 9, .state = EVTCHN_RESERVED },
        { .port = 9, .state = 7 },
        { .port = 9, .state = 255 },
        { .port = 9, .state = EVTCHN_IPI, .vcpu = 2 },
        { .port = 9, .state = EVTCHN_IPI, .vcpu = 65535 },
        { .port = 9, .state = EVTCHN_IPI, .last_vcpu = 2 },
        { .port = 9, .state = EVTCHN_IPI, .priority = 16 },
        { .port = 9, .state = EVTCHN_IPI, .last_priority = 16 },
        { .port = 9, .state = EVTCHN_VIRQ, .remote_port = 24 },
        { .port = 9, .state = EVTCHN_VIRQ, .remote_port = UINT32_MAX },
        { .port = 9, .state = EVTCHN_VIRQ, .remote_port = VIRQ_TIMER },
        { .port = 9, .state = EVTCHN_PIRQ, .remote_port = 16 },
        { .port = 9, .state = EVTCHN_PIRQ, .remote_port = UINT32_MAX },
        { .port = 9, .state = EVTCHN_PIRQ, .remote_port = 3 },
    };
    struct guest_config c = {
        .domid = 1, .nr_vcpus = 2, .nr_pirqs = 16, .max_ports = 1024,
    };
    struct world *w = world_new();
    struct guest *g = unit_guest_config(w, c, unit_mode_of(data));
    unsigned int i;

    unit_virq(g, VIRQ_TIMER, 0);
    unit_pirq(g, 3);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("%u", i);
        assert_err(evtchn_load_port(g->d, &bad[i]), XEN_EINVAL);
        g_assert_cmpuint(g->heap.bytes, ==, evtchn_domain_memory(g->d));
    }
    g_assert_cmpuint(unit_ipi(g, 0), ==, 3);
    guest_free(g);
    world_free(w);
}

/* A peer that says it is bound to something else is left as it is. */
static void test_bad_peers(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *a = unit_guest(w, 1, 1, unit_mode_of(data));
    struct guest *b = unit_guest(w, 2, 1, unit_mode_of(data));
    uint32_t ipi = unit_ipi(b, 0), foreign = unit_unbound(b, 9), i;
    const uint32_t remote[] = { ipi, foreign, 0, 50, 4096, UINT32_MAX };

    for (i = 0; i < G_N_ELEMENTS(remote); i++) {
        struct evtchn_port_state state = {
            .port = 5 + i, .state = EVTCHN_INTERDOMAIN, .remote_domid = 2,
            .remote_port = remote[i],
        };
        int rc = evtchn_load_port(a->d, &state);

        if (!rc) {
            g_assert_cmpint(unit_info(a, 5 + i).state, ==, EVTCHN_UNBOUND);
        }
        g_assert_cmpint(unit_info(b, ipi).state, ==, EVTCHN_IPI);
        g_assert_cmpint(unit_info(b, foreign).state, ==, EVTCHN_UNBOUND);
        g_assert_cmpuint(unit_info(b, foreign).remote_domid, ==, 9);
    }
    /* A channel to itself, one port with two ends. */
    {
        struct evtchn_port_state state = {
            .port = 40, .state = EVTCHN_INTERDOMAIN, .remote_domid = 1,
            .remote_port = 40,
        };
        int rc = evtchn_load_port(a->d, &state);

        g_assert_true(rc || unit_info(a, 40).state == EVTCHN_UNBOUND);
    }
    guest_free(a);
    guest_free(b);
    world_free(w);
}

static void test_bad_fifo(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .nr_vcpus = 2, .abi_change = true };
    struct guest *g = guest_new(w, &c);
    uint64_t good = guest_new_frame(g), control = guest_new_frame(g);
    const struct evtchn_vcpu_state fine = {
        .gfn = control, .offset = 4096 - 72,
    };
    uint64_t *gfns = g_new(uint64_t, EVTCHN_MAX_ARRAY_FRAMES + 1);
    struct evtchn_vcpu_state vcpus[2];
    size_t before;
    uint32_t i;

    for (i = 0; i <= EVTCHN_MAX_ARRAY_FRAMES; i++) {
        gfns[i] = good;
    }
    /* What the ABI keeps for the domain's life is there from now on. */
    vcpus[0] = vcpus[1] = no_frame;
    assert_ok(evtchn_load_abi(g->d, EVTCHN_ABI_FIFO, gfns, 2, vcpus));
    assert_ok(evtchn_reset(g->d));
    before = g->heap.bytes;
    for (i = 0; i < 10; i++) {
        uint32_t nr_frames = 2;

        gfns[1] = good;
        vcpus[0] = vcpus[1] = fine;
        switch (i) {
        case 0:
            gfns[1] = 7;
            break;
        case 1:
            nr_frames = EVTCHN_MAX_ARRAY_FRAMES + 1;
            break;
        case 2:
            vcpus[1].gfn = 7;
            break;
        case 3:
            vcpus[1].offset = 4;
            break;
        case 4:
            vcpus[1].offset = 4096 - 64;
            break;
        case 5:
            vcpus[1].offset = UINT32_MAX - 7;
            break;
        case 6:
            vcpus[1].tail[15] = 2048;
            break;
        case 7:
            vcpus[0].tail[0] = UINT32_MAX;
            break;
        case 8:
            nr_frames = UINT32_MAX;
            break;
        case 9:
            vcpus[1].gfn = EVTCHN_INVALID_GFN;
            break;
        }
        g_test_message("%u", i);
        assert_err(evtchn_load_abi(g->d, EVTCHN_ABI_FIFO, gfns, nr_frames,
                                   vcpus), XEN_EINVAL);
        g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
        g_assert_cmpuint(g->heap.bytes, ==, before);
        g_assert_cmpuint(g->heap.bytes, ==, evtchn_domain_memory(g->d));
        g_assert_cmpuint(g->mapped, ==, 0);
        g_assert_true(!g->abi_changes || g->last_abi == EVTCHN_ABI_2L);
    }
    vcpus[0] = vcpus[1] = fine;
    vcpus[1] = no_frame;
    vcpus[0].tail[15] = 2047;
    assert_ok(evtchn_load_abi(g->d, EVTCHN_ABI_FIFO, gfns, 2, vcpus));
    g_assert_cmpint(g->last_abi, ==, EVTCHN_ABI_FIFO);
    /* Only once, only into a fresh domain. */
    assert_err(evtchn_load_abi(g->d, EVTCHN_ABI_FIFO, gfns, 2, vcpus),
               XEN_EINVAL);
    assert_err(evtchn_load_abi(g->d, EVTCHN_ABI_3L, gfns, 2, vcpus),
               XEN_EINVAL);
    guest_free(g);

    c.no_fifo = true;
    g = guest_new(w, &c);
    good = guest_new_frame(g);
    assert_err(evtchn_load_abi(g->d, EVTCHN_ABI_FIFO, &good, 1, vcpus),
               XEN_EINVAL);
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
    guest_free(g);
    g_free(gfns);
    world_free(w);
}

static void test_bad_3l(void)
{
    struct world *w = world_new();
    struct guest_config c = { .domid = 1, .nr_vcpus = 2, .abi_change = true };
    struct guest *g = guest_new(w, &c);
    uint64_t good = guest_new_frame(g), selector = guest_new_frame(g);
    const struct evtchn_vcpu_state fine = {
        .gfn = selector, .offset = 4096 - 512,
    };
    struct evtchn_vcpu_state vcpus[2];
    uint64_t gfns[EVTCHN_MAX_FRAMES + 2];
    size_t before;
    uint32_t i;

    for (i = 0; i < G_N_ELEMENTS(gfns); i++) {
        gfns[i] = good;
    }
    /* What the ABI keeps for the domain's life is there from now on. */
    vcpus[0] = vcpus[1] = no_frame;
    assert_ok(evtchn_load_abi(g->d, EVTCHN_ABI_3L, gfns, 16, vcpus));
    assert_ok(evtchn_reset(g->d));
    before = g->heap.bytes;
    for (i = 0; i < 14; i++) {
        enum evtchn_abi abi = EVTCHN_ABI_3L;
        uint32_t nr_frames = 16;

        gfns[15] = good;
        vcpus[0] = vcpus[1] = fine;
        switch (i) {
        case 0:
            gfns[15] = 7;
            break;
        case 1:
            nr_frames = 0;
            break;
        case 2:
            nr_frames = 4;
            break;
        case 3:
            nr_frames = 17;
            break;
        case 4:
            nr_frames = EVTCHN_MAX_FRAMES + 2;
            break;
        case 5:
            nr_frames = UINT32_MAX;
            break;
        case 6:
            vcpus[1].gfn = 7;
            break;
        case 7:
            vcpus[1].offset = 4;
            break;
        case 8:
            vcpus[1].offset = 4096 - 504;
            break;
        case 9:
            vcpus[1].offset = UINT32_MAX - 7;
            break;
        case 10:
            vcpus[1].tail[0] = 1;
            break;
        case 11:
            abi = EVTCHN_ABI_2L;
            break;
        case 12:
            abi = EVTCHN_ABI_HOST;
            break;
        case 13:
            vcpus[1].gfn = EVTCHN_INVALID_GFN;
            break;
        }
        g_test_message("%u", i);
        assert_err(evtchn_load_abi(g->d, abi, gfns, nr_frames, vcpus),
                   XEN_EINVAL);
        g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
        g_assert_cmpuint(g->heap.bytes, ==, before);
        g_assert_cmpuint(g->heap.bytes, ==, evtchn_domain_memory(g->d));
        g_assert_cmpuint(g->mapped, ==, 0);
        g_assert_true(!g->abi_changes || g->last_abi == EVTCHN_ABI_2L);
    }
    vcpus[0] = vcpus[1] = fine;
    vcpus[1] = no_frame;
    assert_ok(evtchn_load_abi(g->d, EVTCHN_ABI_3L, gfns, 16, vcpus));
    g_assert_cmpint(g->last_abi, ==, EVTCHN_ABI_3L);
    /* Only once, only into a fresh domain. */
    assert_err(evtchn_load_abi(g->d, EVTCHN_ABI_3L, gfns, 16, vcpus),
               XEN_EINVAL);
    guest_free(g);

    /* A 32-bit guest's; and of one that may not have it. */
    for (i = 0; i < 2; i++) {
        c.no_3l = i;
        g = guest_new(w, &c);
        gfns[0] = gfns[1] = guest_new_frame(g);
        vcpus[0] = vcpus[1] = no_frame;
        assert_err(evtchn_load_abi(g->d, EVTCHN_ABI_3L, gfns, 2, vcpus),
                   i ? XEN_EINVAL : 0);
        guest_free(g);
    }
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/load/bad-ports", test_bad_ports);
    unit_add_modes("/load/bad-peers", test_bad_peers);
    g_test_add_func("/load/bad-fifo", test_bad_fifo);
    if (UNIT_HAS_3L) {
        g_test_add_func("/load/bad-3l", test_bad_3l);
    }
    return g_test_run();
}
