/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the unit tests share: guests in each delivery mode, and short ways to
 * bind ports and to look at them.
 */

#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include "consumer.h"
#include "atomic.h"

#include <glib.h>
#include <string.h>

/* An ABI and a word size. */
enum unit_mode {
    MODE_2L_64,
    MODE_2L_32,
    MODE_3L_64,
    MODE_3L_32,
    MODE_FIFO_64,
    MODE_FIFO_32,
    NR_MODES
};

static const char *const unit_mode_name[NR_MODES] = {
    "2l-64", "2l-32", "3l-64", "3l-32", "fifo-64", "fifo-32",
};

/* Whether the build has it. */
#ifdef EVTCHN_NO_3LEVEL
#define UNIT_HAS_3L false
#else
#define UNIT_HAS_3L true
#endif

#define assert_ok(call)         g_assert_cmpint(call, ==, 0)
#define assert_err(call, err)   g_assert_cmpint(call, ==, -(err))

static inline bool unit_is_fifo(enum unit_mode mode)
{
    return mode == MODE_FIFO_64 || mode == MODE_FIFO_32;
}

static inline bool unit_is_3l(enum unit_mode mode)
{
    return mode == MODE_3L_64 || mode == MODE_3L_32;
}

static inline bool unit_is_2l(enum unit_mode mode)
{
    return mode == MODE_2L_64 || mode == MODE_2L_32;
}

static inline bool unit_is_32(enum unit_mode mode)
{
    return mode == MODE_2L_32 || mode == MODE_3L_32 || mode == MODE_FIFO_32;
}

/* A test's @round in one of @nr modes; 2-level instead of one that is not there. */
static inline enum unit_mode unit_round_mode(enum unit_mode first,
                                             unsigned int nr,
                                             unsigned int round)
{
    enum unit_mode mode = first + round % nr;

    return UNIT_HAS_3L || !unit_is_3l(mode) ? mode : MODE_2L_64;
}

static inline enum evtchn_abi unit_abi(enum unit_mode mode)
{
    return unit_is_fifo(mode) ? EVTCHN_ABI_FIFO :
           unit_is_3l(mode) ? EVTCHN_ABI_3L : EVTCHN_ABI_2L;
}

/* Frames that unit_guest_config() has handed over. */
static inline uint32_t unit_frames(enum unit_mode mode, uint32_t nr_vcpus)
{
    return unit_is_fifo(mode) ? 4 + nr_vcpus :
           mode == MODE_3L_64 ? 16 + nr_vcpus :
           mode == MODE_3L_32 ? 2 + nr_vcpus : 0;
}

/* FIFO: with control blocks and array pages for 4,096 ports; 3-level: all. */
static inline struct guest *unit_guest_config(struct world *w,
                                              struct guest_config c,
                                              enum unit_mode mode)
{
    struct guest *g;

    c.word32 = unit_is_32(mode);
    g = guest_new(w, &c);
    if (unit_is_fifo(mode)) {
        assert_ok(guest_fifo_init(g, 4096));
    } else if (unit_is_3l(mode)) {
        assert_ok(guest_3l_init(g));
    }
    g_assert_cmpint(evtchn_domain_abi(g->d), ==, unit_abi(mode));
    g_assert_cmpuint(g->mapped, ==, unit_frames(mode, g->nr_vcpus));
    return g;
}

static inline struct guest *unit_guest(struct world *w, uint16_t domid,
                                       uint32_t nr_vcpus, enum unit_mode mode)
{
    struct guest_config c = {
        .domid = domid, .nr_vcpus = nr_vcpus, .nr_pirqs = 256,
    };

    return unit_guest_config(w, c, mode);
}

/* A new port; the guest's kernel then unmasks it, or not. */
static inline uint32_t unit_unbound(struct guest *g, uint16_t remote)
{
    uint32_t port = 0;

    assert_ok(evtchn_alloc_unbound(g->d, DOMID_SELF, remote, &port));
    return port;
}

static inline uint32_t unit_ipi_masked(struct guest *g, uint32_t vcpu)
{
    uint32_t port = 0;

    assert_ok(evtchn_bind_ipi(g->d, vcpu, &port));
    evtchn_store(&g->port_vcpu[port], (uint16_t)vcpu);
    return port;
}

static inline uint32_t unit_ipi(struct guest *g, uint32_t vcpu)
{
    uint32_t port = unit_ipi_masked(g, vcpu);

    guest_unmask(&g->vcpu[vcpu], port);
    return port;
}

static inline uint32_t unit_virq(struct guest *g, uint32_t virq, uint32_t vcpu)
{
    uint32_t port = 0;

    assert_ok(evtchn_bind_virq(g->d, virq, vcpu, &port));
    evtchn_store(&g->port_vcpu[port], (uint16_t)vcpu);
    guest_unmask(&g->vcpu[vcpu], port);
    return port;
}

static inline uint32_t unit_pirq(struct guest *g, uint32_t pirq)
{
    uint32_t port = 0;

    assert_ok(evtchn_bind_pirq(g->d, pirq, 0, &port));
    guest_unmask(&g->vcpu[0], port);
    return port;
}

/* A channel between two domains (or two ports of one); both ends unmasked. */
static inline void unit_channel(struct guest *a, uint32_t *a_port,
                                struct guest *b, uint32_t *b_port)
{
    *b_port = unit_unbound(b, a->domid);
    if (b->shared_info) {
        guest_unmask(&b->vcpu[0], *b_port);
    }
    assert_ok(evtchn_bind_interdomain(a->d, b->domid, *b_port, a_port));
    if (a->shared_info) {
        guest_unmask(&a->vcpu[0], *a_port);
    }
}

static inline void unit_move(struct guest *g, uint32_t port, uint32_t vcpu)
{
    assert_ok(evtchn_bind_vcpu(g->d, port, vcpu));
    evtchn_store(&g->port_vcpu[port], (uint16_t)vcpu);
}

static inline struct evtchn_port_info unit_info(struct guest *g, uint32_t port)
{
    struct evtchn_port_info info;

    assert_ok(evtchn_port_info(g->d, port, &info));
    return info;
}

/* Handle what @vcpu has; the log is emptied first. */
static inline unsigned int unit_handle(struct guest *g, uint32_t vcpu,
                                       struct guest_log *log)
{
    log->nr = 0;
    return guest_upcall(&g->vcpu[vcpu], guest_log_event, log);
}

/* Exactly @port came in, or nothing when it is 0. */
static inline void unit_expect(struct guest *g, uint32_t vcpu, uint32_t port)
{
    struct guest_log *log = g_new(struct guest_log, 1);

    unit_handle(g, vcpu, log);
    g_assert_cmpuint(log->nr, ==, port ? 1 : 0);
    if (port) {
        g_assert_cmpuint(log->port[0], ==, port);
    }
    g_assert_cmpuint(g->vcpu[vcpu].empty_heads, ==, 0);
    g_assert_cmpuint(g->vcpu[vcpu].wild_heads, ==, 0);
    g_free(log);
}

/*
 * EVTCHNOP_register_3level with frames that the test has; the bitmaps' are
 * listed in one more of them.
 */
static inline int unit_register_bitmaps(struct guest *g, uint64_t list,
                                        const uint64_t *gfns, uint32_t nr_pages)
{
    size_t size = nr_pages * sizeof(*gfns);
    struct evtchn_register_3level reg = {
        .cmd = EVTCHN_3L_BITMAPS,
        .u.bitmaps = {
            .nr_pages = nr_pages,
            .pending_gfns = list << GUEST_FRAME_SHIFT,
            .mask_gfns = (list << GUEST_FRAME_SHIFT) + size,
        },
    };

    memcpy(guest_frame(g, list), gfns, 2 * size);
    return guest_op(g, EVTCHNOP_register_3level, &reg);
}

static inline int unit_register_selector(struct guest *g, uint32_t vcpu,
                                         uint64_t gfn, uint32_t offset)
{
    struct evtchn_register_3level reg = {
        .cmd = EVTCHN_3L_L2_SELECTOR,
        .u.l2_selector = { .vcpu = vcpu, .gfn = gfn, .offset = offset },
    };

    return guest_op(g, EVTCHNOP_register_3level, &reg);
}

/* Forget upcalls and events so far. */
static inline void unit_drain(struct guest *g)
{
    struct guest_log *log = g_new(struct guest_log, 1);
    uint32_t i;

    for (i = 0; i < g->nr_vcpus; i++) {
        unit_handle(g, i, log);
        evtchn_store(&g->vcpu[i].upcalls, (uint64_t)0);
    }
    g_free(log);
}

/* Add "@path/<mode>" for these modes; the test gets the mode as its data. */
static inline void unit_add_range(const char *path, GTestDataFunc func,
                                  enum unit_mode first, enum unit_mode last)
{
    unsigned int mode;

    for (mode = first; mode <= last; mode++) {
        char *name = g_strdup_printf("%s/%s", path, unit_mode_name[mode]);

        if (UNIT_HAS_3L || !unit_is_3l(mode)) {
            g_test_add_data_func(name, GINT_TO_POINTER(mode), func);
        }
        g_free(name);
    }
}

static inline void unit_add_modes(const char *path, GTestDataFunc func)
{
    unit_add_range(path, func, 0, NR_MODES - 1);
}

static inline void unit_add_2l(const char *path, GTestDataFunc func)
{
    unit_add_range(path, func, MODE_2L_64, MODE_2L_32);
}

static inline void unit_add_3l(const char *path, GTestDataFunc func)
{
    unit_add_range(path, func, MODE_3L_64, MODE_3L_32);
}

static inline void unit_add_fifo(const char *path, GTestDataFunc func)
{
    unit_add_range(path, func, MODE_FIFO_64, MODE_FIFO_32);
}

#define unit_mode_of(data) ((enum unit_mode)GPOINTER_TO_INT(data))

#endif /* TESTS_UNIT_H */
