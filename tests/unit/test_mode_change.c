/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's word size changes in the middle of a delivery, at each of the
 * delivery's accesses to shared memory in turn: what is written is inside the
 * guest's bits and selectors, of whichever size, and the event is not lost.
 */

#include "unit.h"
#include "model.h"
#include "step.h"

/* Longer than a delivery is. */
#define MOST_STEPS 40

static struct {
    struct guest *g;
    bool to_64;
    unsigned int steps_left;    /* of the sender, until the mode changes */
    GThread *changer;
    uint32_t changed;
} test;

static _Thread_local bool is_sender;
static _Thread_local bool is_changer;

static gpointer change_mode(gpointer opaque)
{
    (void)opaque;
    is_changer = true;
    /* The whole change waits for the delivery. */
    evtchn_domain_set_long_mode(test.g->d, test.to_64);
    return NULL;
}

void unit_step(int kind, const volatile void *ptr)
{
    static _Thread_local bool stored;

    if (is_changer) {
        /* The step after the store. */
        if (stored) {
            __atomic_store_n(&test.changed, 1, __ATOMIC_RELEASE);
        }
        stored = kind == EVTCHN_STEP_STORE && ptr == &test.g->d->word_bits;
    } else if (is_sender && test.steps_left && !--test.steps_left) {
        test.changer = g_thread_new("changer", change_mode, NULL);
        while (!__atomic_load_n(&test.changed, __ATOMIC_ACQUIRE)) {
            g_thread_yield();
        }
    }
}

static bool is_zero(const char *from, const char *to)
{
    while (from < to && !*from) {
        from++;
    }
    return from == to;
}

/* False when the delivery has fewer than @step steps. */
static bool change_at(struct guest *g, uint32_t port, unsigned int step)
{
    test.g = g;
    test.to_64 = !g->long_mode;
    test.changer = NULL;
    test.changed = 0;
    test.steps_left = step;
    is_sender = true;
    assert_ok(evtchn_send(g->d, port));
    is_sender = false;
    if (!test.changer) {
        return false;
    }
    g_thread_join(test.changer);
    g->long_mode = test.to_64;
    return true;
}

static struct guest *new_guest(struct world *w, enum unit_mode mode,
                               uint32_t port)
{
    struct evtchn_port_state state = { .port = port, .state = EVTCHN_IPI };
    struct guest_config c = { .domid = 1 };
    struct guest *g = guest_new(w, &c);

    if (unit_is_3l(mode)) {
        assert_ok(guest_register_bitmaps(g));
        assert_ok(guest_register_selector(g, 0, 1024));
    }
    assert_ok(evtchn_load_port(g->d, &state));
    return g;
}

/* As it was before the event, in 64-bit mode. */
static void forget_event(struct guest *g, uint32_t port)
{
    guest_set_long_mode(g, true);
    guest_clear_pending(g, port);
    memset(g->vcpu[0].info, 0, sizeof(struct vcpu_info));
    if (g->vcpu[0].l2_selector) {
        memset(guest_frame(g, g->vcpu[0].l2_gfn), 0, EVTCHN_FRAME_SIZE);
    }
}

/* Nothing but the flag and the selector, of either size. */
static void check_selectors(struct guest *g)
{
    const char *info = g->vcpu[0].info;

    g_assert_true(is_zero(info + 16, info + sizeof(struct vcpu_info)));
    if (g->vcpu[0].l2_selector) {
        const char *frame = guest_frame(g, g->vcpu[0].l2_gfn);

        g_assert_true(is_zero(frame, frame + 1024));
        g_assert_true(is_zero(frame + 1024 + EVTCHN_3L_L2_SELECTOR_SIZE(64),
                              frame + EVTCHN_FRAME_SIZE));
    }
}

static void test_shrinks(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    uint32_t port = unit_is_3l(mode) ? 262143 : 4095;
    struct world *w = world_new();
    struct guest *g = new_guest(w, mode, port);
    unsigned int step;
    bool changed = true;

    guest_unmask(&g->vcpu[0], port);
    for (step = 1; changed && step < MOST_STEPS; step++) {
        changed = change_at(g, port, step);
        if (changed) {
            check_selectors(g);
        }
        /* It waits, or was pending before; by its bits, in the long mode. */
        guest_set_long_mode(g, true);
        if (unit_is_3l(mode)) {
            g_assert_true(guest_is_pending(g, port));
        }
        forget_event(g, port);
    }
    g_assert_cmpuint(step, >, 10);
    g_assert_false(changed);
    guest_free(g);
    world_free(w);
}

/* A port that both sizes have. */
static void test_low_port(gconstpointer data)
{
    enum unit_mode mode = unit_mode_of(data);
    struct world *w = world_new();
    unsigned int step, to_64;

    for (to_64 = 0; to_64 < 2; to_64++) {
        bool changed = true;

        for (step = 1; changed && step < MOST_STEPS; step++) {
            struct guest *g = new_guest(w, mode, 1000);

            guest_set_long_mode(g, !to_64);
            guest_unmask(&g->vcpu[0], 1000);
            changed = change_at(g, 1000, step);
            if (unit_is_3l(mode)) {
                g_assert_true(guest_is_pending(g, 1000));
            }
            guest_free(g);
        }
        g_assert_cmpuint(step, >, 10);
        g_assert_false(changed);
    }
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/mode-change/shrinks/2l",
                         GINT_TO_POINTER(MODE_2L_64), test_shrinks);
    g_test_add_data_func("/mode-change/low-port/2l",
                         GINT_TO_POINTER(MODE_2L_64), test_low_port);
    if (UNIT_HAS_3L) {
        g_test_add_data_func("/mode-change/shrinks/3l",
                             GINT_TO_POINTER(MODE_3L_64), test_shrinks);
        g_test_add_data_func("/mode-change/low-port/3l",
                             GINT_TO_POINTER(MODE_3L_64), test_low_port);
    }
    return g_test_run();
}
