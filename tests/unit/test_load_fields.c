/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each field of what a save writes, changed to each value that may matter, one
 * at a time.  A load refuses that, and leaves nothing behind, or takes it, and
 * then a save writes just that again.
 */

#include "unit.h"
#include "model.h"

#include <inttypes.h>

#define NR_VCPUS    3
#define MAX_PORTS   512
#define PORT        9   /* what is loaded; those below it are bound */
#define PEER        4   /* and this one waits for a channel */

struct field {
    const char *name;
    size_t offset;
    size_t size;
};

#define FIELD(type, name) \
    { #name, offsetof(type, name), sizeof(((type *)0)->name) }

static const struct field port_fields[] = {
    FIELD(struct evtchn_port_state, port),
    FIELD(struct evtchn_port_state, state),
    FIELD(struct evtchn_port_state, priority),
    FIELD(struct evtchn_port_state, last_priority),
    FIELD(struct evtchn_port_state, pending),
    FIELD(struct evtchn_port_state, vcpu),
    FIELD(struct evtchn_port_state, last_vcpu),
    FIELD(struct evtchn_port_state, remote_domid),
    FIELD(struct evtchn_port_state, remote_port),
};

static const struct field vcpu_fields[] = {
    FIELD(struct evtchn_vcpu_state, gfn),
    FIELD(struct evtchn_vcpu_state, offset),
    FIELD(struct evtchn_vcpu_state, tail[0]),
    FIELD(struct evtchn_vcpu_state, tail[7]),
    FIELD(struct evtchn_vcpu_state, tail[15]),
};

/* Those that the field has room for, and the last as its highest. */
static const uint64_t values[] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 23, 24, 31, 32, 63, 64, 72,
    127, 128, 129, 255, 256, 257, 511, 512, 1023, 1024, 2047, 2048, 3584, 3585,
    4024, 4032, 4095, 4096, 8191, 8192, 0x7fef, 0x7ff0, 0x7ff4, 0x7fff, 0x8000,
    0xffff, 0x10000, 0x1ffff, 0x20000, 0x3ffff, 0x40000, 0x7fffffff, 0x80000000,
    0xfffffff8, 0xffffffff, 0x100000000, 0x8000000000000000, UINT64_MAX,
};

static bool has_room(const struct field *field, uint64_t value)
{
    return value == UINT64_MAX || field->size == sizeof(value) ||
           !(value >> 8 * field->size);
}

/* False when it has that value. */
static bool set_field(void *state, const struct field *field, uint64_t value)
{
    uint64_t before = 0;

    memcpy(&before, (char *)state + field->offset, field->size);
    memcpy((char *)state + field->offset, &value, field->size);
    value = 0;
    memcpy(&value, (char *)state + field->offset, field->size);
    return value != before;
}

/* Ports ------------------------------------------------------------------ */

static const struct evtchn_port_state base_states[] = {
    { .port = PORT, .state = EVTCHN_UNBOUND, .remote_domid = 77 },
    { .port = PORT, .state = EVTCHN_IPI, .vcpu = 1 },
    { .port = PORT, .state = EVTCHN_VIRQ, .vcpu = 1, .remote_port = VIRQ_TIMER },
    { .port = PORT, .state = EVTCHN_VIRQ, .vcpu = 2,
      .remote_port = VIRQ_DOM_EXC },
    { .port = PORT, .state = EVTCHN_PIRQ, .vcpu = 1, .remote_port = 3 },
    { .port = PORT, .state = EVTCHN_INTERDOMAIN, .remote_domid = 1,
      .remote_port = PEER },
    { .port = PORT, .state = EVTCHN_CLOSED },
};

static struct guest *new_guest(struct world *w, enum unit_mode mode)
{
    struct guest_config c = {
        .domid = 1, .nr_vcpus = NR_VCPUS, .nr_pirqs = 8,
        .max_ports = MAX_PORTS,
    };
    struct guest *g = unit_guest_config(w, c, mode);

    unit_virq(g, VIRQ_DEBUG, 1);
    unit_virq(g, VIRQ_ARGO, 0);
    unit_pirq(g, 5);
    g_assert_cmpuint(unit_unbound(g, DOMID_SELF), ==, PEER);
    return g;
}

/* What a save can write of this port; FIFO: it was on vCPU 2's queue 4. */
static struct evtchn_port_state base_state(enum unit_mode mode, unsigned int i)
{
    struct evtchn_port_state state = base_states[i];

    if (unit_is_fifo(mode)) {
        state.priority = state.state == EVTCHN_CLOSED
                             ? EVTCHN_FIFO_PRIORITY_DEFAULT : 5;
        state.last_priority = 4;
        state.last_vcpu = 2;
    }
    return state;
}

static bool same_port(const struct evtchn_port_state *a,
                      const struct evtchn_port_state *b)
{
    return a->port == b->port && a->state == b->state &&
           a->priority == b->priority &&
           a->last_priority == b->last_priority && a->pending == b->pending &&
           a->vcpu == b->vcpu && a->last_vcpu == b->last_vcpu &&
           a->remote_domid == b->remote_domid &&
           a->remote_port == b->remote_port;
}

/* @in was taken: is what is there now what it says? */
static bool is_as_loaded(struct guest *g, struct evtchn_port_state in)
{
    struct evtchn_port_state out;
    int rc = evtchn_save_port(g->d, in.port, &out);

    if (rc) {
        return false;
    }
    /* An interdomain port whose peer is not there waits for it. */
    if (in.state == EVTCHN_INTERDOMAIN && out.state == EVTCHN_UNBOUND) {
        in.state = EVTCHN_UNBOUND;
        in.remote_port = 0;
    }
    /* Earlier versions wrote the priority that a closed port had had. */
    if (in.state == EVTCHN_CLOSED) {
        in.priority = out.priority;
    }
    /* What an event was waiting for is there already. */
    if (in.pending && !out.pending) {
        if (in.pending & EVTCHN_RETRY_RAISE &&
            !unit_info(g, in.port).pending) {
            return false;
        }
        in.pending = 0;
        in.last_priority = out.last_priority;
        in.last_vcpu = out.last_vcpu;
    }
    return same_port(&in, &out);
}

/* The same number, bound anew, has nothing of what was loaded. */
static bool starts_anew(struct guest *g, uint32_t port)
{
    struct evtchn_port_state state;
    struct evtchn_port_info info;

    unit_drain(g);
    if (evtchn_port_info(g->d, port, &info) == 0 &&
        info.state != EVTCHN_CLOSED) {
        assert_ok(evtchn_close(g->d, port));
    }
    while (unit_ipi_masked(g, 0) < port) {
        ;
    }
    assert_ok(evtchn_save_port(g->d, port, &state));
    return !unit_info(g, port).pending && !state.pending && !state.vcpu &&
           state.priority == (evtchn_domain_abi(g->d) == EVTCHN_ABI_FIFO
                                  ? EVTCHN_FIFO_PRIORITY_DEFAULT : 0);
}

static void test_ports(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    struct guest *g = new_guest(w, mode);
    unsigned int taken = 0, refused = 0, i, f, v;
    size_t before = g->heap.bytes;

    for (i = 0; i < G_N_ELEMENTS(base_states); i++) {
        for (f = 0; f < G_N_ELEMENTS(port_fields); f++) {
            for (v = 0; v < G_N_ELEMENTS(values); v++) {
                struct evtchn_port_state state = base_state(mode, i), peer;
                bool changed = set_field(&state, &port_fields[f], values[v]);
                int rc;

                if (!has_room(&port_fields[f], values[v])) {
                    continue;
                }
                /* Only FIFO saves closed ones. */
                if (!changed && state.state == EVTCHN_CLOSED &&
                    !unit_is_fifo(mode)) {
                    continue;
                }
                rc = evtchn_load_port(g->d, &state);
                if ((rc && !changed) || (!rc && !is_as_loaded(g, state))) {
                    g_test_message("state %u, %s = %#" PRIx64 ": %d",
                                   base_states[i].state, port_fields[f].name,
                                   values[v], rc);
                    g_test_fail();
                }
                /* The peer is joined, or is as it was. */
                assert_ok(evtchn_save_port(g->d, PEER, &peer));
                g_assert_true(peer.state == EVTCHN_UNBOUND ||
                              (peer.state == EVTCHN_INTERDOMAIN && !rc &&
                               peer.remote_port == state.port));
                if (rc) {
                    assert_err(rc, XEN_EINVAL);
                    g_assert_cmpuint(g->heap.bytes, ==, before);
                    refused++;
                    continue;
                }
                taken++;
                if (!starts_anew(g, state.port)) {
                    g_test_message("state %u, %s = %#" PRIx64 ": left behind",
                                   base_states[i].state, port_fields[f].name,
                                   values[v]);
                    g_test_fail();
                }
                guest_free(g);
                g = new_guest(w, mode);
            }
        }
    }
    g_test_message("%u taken, %u refused", taken, refused);
    g_assert_cmpuint(taken, >, 100);
    g_assert_cmpuint(refused, >, 500);
    /* The last was refused, as all that were. */
    g_assert_true(starts_anew(g, PORT));
    guest_free(g);
    world_free(w);
}

/* vCPUs ------------------------------------------------------------------ */

static bool same_vcpu(const struct evtchn_vcpu_state *a,
                      const struct evtchn_vcpu_state *b)
{
    return a->gfn == b->gfn && a->offset == b->offset &&
           !memcmp(a->tail, b->tail, sizeof(a->tail));
}

static void test_vcpus(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    const struct evtchn_vcpu_state none = { .gfn = EVTCHN_INVALID_GFN };
    struct world *w = world_new();
    struct guest_config c = {
        .domid = 1, .nr_vcpus = NR_VCPUS, .word32 = unit_is_32(mode),
    };
    struct guest *g = guest_new(w, &c);
    uint32_t nr_frames = unit_is_fifo(mode) ? 3 : mode == MODE_3L_32 ? 2 : 16;
    struct evtchn_vcpu_state vcpus[NR_VCPUS], out, base = { .offset = 64 };
    unsigned int taken = 0, refused = 0, f, v, i;
    uint64_t gfns[16];

    for (i = 0; i < nr_frames; i++) {
        gfns[i] = guest_new_frame(g);
    }
    base.gfn = guest_new_frame(g);
    if (unit_is_fifo(mode)) {
        base.tail[0] = 100;
        base.tail[7] = 1;
        base.tail[15] = 3 * 1024 - 1;
    }
    for (f = 0; f < G_N_ELEMENTS(vcpu_fields); f++) {
        for (v = 0; v < G_N_ELEMENTS(values); v++) {
            bool changed;
            int rc;

            vcpus[0] = vcpus[1] = base;
            vcpus[2] = none;
            changed = set_field(&vcpus[1], &vcpu_fields[f], values[v]);
            rc = evtchn_load_abi(g->d, unit_abi(mode), gfns, nr_frames, vcpus);
            if (rc) {
                assert_err(rc, XEN_EINVAL);
                g_assert_true(changed);
                g_assert_cmpint(evtchn_domain_abi(g->d), ==, EVTCHN_ABI_2L);
                refused++;
            } else {
                g_assert_cmpint(evtchn_domain_abi(g->d), ==, unit_abi(mode));
                taken++;
            }
            for (i = 0; i < NR_VCPUS; i++) {
                assert_ok(evtchn_save_vcpu(g->d, i, &out));
                if (!same_vcpu(&out, rc ? &none : &vcpus[i])) {
                    g_test_message("vCPU %u, %s = %#" PRIx64 ": %d", i,
                                   vcpu_fields[f].name, values[v], rc);
                    g_test_fail();
                }
            }
            /* A reset leaves nothing of it to the next. */
            assert_ok(evtchn_reset(g->d));
            g_assert_cmpuint(g->mapped, ==, 0);
            assert_ok(evtchn_save_vcpu(g->d, 1, &out));
            g_assert_true(same_vcpu(&out, &none));
        }
    }
    g_test_message("%u taken, %u refused", taken, refused);
    g_assert_cmpuint(taken, >, 5);
    g_assert_cmpuint(refused, >, 50);
    guest_free(g);
    world_free(w);
}

/* How many frames, of which ABI, whether it exists or not. */
static void test_frames(void)
{
    const struct evtchn_vcpu_state none = { .gfn = EVTCHN_INVALID_GFN };
    struct world *w = world_new();
    struct guest_config c = { .domid = 1 };
    struct guest *g = guest_new(w, &c);
    uint64_t gfns[EVTCHN_MAX_FRAMES], out[EVTCHN_MAX_FRAMES], first;
    uint32_t nr, nr_out, i;
    int abi;

    first = guest_new_frame(g);
    for (i = 0; i < G_N_ELEMENTS(gfns); i++) {
        gfns[i] = i < 16 ? first + i : first;
        if (i && i < 16) {
            guest_new_frame(g);
        }
    }
    for (abi = -1; abi < 6; abi++) {
        for (nr = 0; nr <= EVTCHN_MAX_FRAMES + 1; nr++) {
            bool good = abi == EVTCHN_ABI_FIFO ? nr <= EVTCHN_MAX_FRAMES :
                        abi == EVTCHN_ABI_3L ? UNIT_HAS_3L && (nr == 2 || nr == 16)
                                            : false;

            assert_err(evtchn_load_abi(g->d, abi, gfns, nr, &none),
                       good ? 0 : XEN_EINVAL);
            evtchn_save_frames(g->d, NULL, &nr_out);
            g_assert_cmpuint(nr_out, ==, good ? nr : 0);
            g_assert_cmpuint(g->mapped, ==, good ? nr : 0);
            evtchn_save_frames(g->d, out, &nr_out);
            g_assert_true(!nr_out ||
                          !memcmp(out, gfns, nr_out * sizeof(*out)));
            assert_ok(evtchn_reset(g->d));
            g_assert_cmpuint(g->mapped, ==, 0);
        }
    }
    guest_free(g);
    world_free(w);
}

/* Ports beyond what the ABI has; 2-level: beyond what any guest can have. */
static void test_limit(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    const uint32_t limit = unit_is_2l(mode) ? 4096 :
                           unit_is_fifo(mode) ? EVTCHN_FIFO_MAX_PORTS :
                           mode == MODE_3L_32 ? 32768 : 262144;
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, mode);
    struct evtchn_port_state state = { .port = limit, .state = EVTCHN_IPI };
    size_t before = g->heap.bytes;

    assert_err(evtchn_load_port(g->d, &state), XEN_EINVAL);
    state.state = EVTCHN_CLOSED;
    assert_err(evtchn_load_port(g->d, &state), XEN_EINVAL);
    g_assert_cmpuint(g->heap.bytes, ==, before);
    state.state = EVTCHN_IPI;
    state.port = limit - 1;
    assert_ok(evtchn_load_port(g->d, &state));
    g_assert_true(is_as_loaded(g, state));
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    unit_add_modes("/load-fields/ports", test_ports);
    unit_add_fifo("/load-fields/vcpus", test_vcpus);
    unit_add_3l("/load-fields/vcpus", test_vcpus);
    g_test_add_func("/load-fields/frames", test_frames);
    unit_add_modes("/load-fields/limit", test_limit);
    return g_test_run();
}
