/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded work: before every access that the core makes to shared memory the
 * guest changes its event words and control blocks, in the worst ways that it
 * has, and no operation takes more than so many accesses (XSA-295).
 */

#include "unit.h"
#include "step.h"

/* The longest path is a link with all its tries, by the general way: under 50. */
#define MOST_STEPS 60

static struct {
    struct guest *g;
    unsigned int steps;
    unsigned int most;
    void (*interfere)(unsigned int step);
} hostile;

void unit_step(int kind, const volatile void *ptr)
{
    (void)kind, (void)ptr;
    if (hostile.g) {
        hostile.steps++;
        g_assert_cmpuint(hostile.steps, <, MOST_STEPS);
        hostile.interfere(hostile.steps);
    }
}

enum { NR_PORTS = 4 };

/* Each compare-exchange on a linked word fails, for ever. */
static void toggle_masked(unsigned int step)
{
    uint32_t port;

    (void)step;
    for (port = 1; port <= NR_PORTS; port++) {
        *guest_event_word(hostile.g, port) ^= FIFO_MASKED;
        *guest_event_word(hostile.g, port) |= FIFO_LINKED;
    }
}

/* The same by a bit that nobody looks at. */
static void toggle_link(unsigned int step)
{
    uint32_t port;

    for (port = 1; port <= NR_PORTS; port++) {
        *guest_event_word(hostile.g, port) =
            FIFO_LINKED | FIFO_BUSY | (step & FIFO_LINK_MASK);
    }
}

static void toggle_linked(unsigned int step)
{
    uint32_t port;

    for (port = 1; port <= NR_PORTS; port++) {
        *guest_event_word(hostile.g, port) ^= FIFO_LINKED | (step & 7);
    }
}

static void anything(unsigned int step)
{
    static uint32_t x = 1;
    uint32_t port;

    (void)step;
    for (port = 1; port <= NR_PORTS; port++) {
        x = x * 1664525 + 1013904223;
        *guest_event_word(hostile.g, port) = x;
        hostile.g->vcpu[0].control->head[x >> 28] = x >> 4;
        hostile.g->vcpu[0].control->ready ^= x >> 8;
        *guest_upcall_pending(&hostile.g->vcpu[0]) ^= x >> 31;
        memset((char *)hostile.g->shared_info + 0x800, x >> 16, 1024);
    }
}

/* 3-level: all that was set is clear again, or the other way round. */
static void toggle_bits(unsigned int step)
{
    struct guest *g = hostile.g;

    g->pending_map[0][0] = step & 1 ? 0 : UINT32_MAX;
    g->mask_map[0][0] = step & 2 ? 0 : UINT32_MAX;
    g->vcpu[0].l2_selector[0] = step & 4 ? 0 : UINT32_MAX;
    memset(g->vcpu[0].info, step & 8 ? 0 : 0xff, 16);
}

/* One operation, with the guest let loose. */
#define UNDER_ATTACK(op)                                        \
    do {                                                        \
        hostile.steps = 0;                                      \
        hostile.g = g;                                          \
        op;                                                     \
        hostile.g = NULL;                                       \
        hostile.most = MAX(hostile.most, hostile.steps);        \
    } while (0)

static void attack(struct guest *g, void (*interfere)(unsigned int))
{
    uint32_t round, port, fresh;

    hostile.interfere = interfere;
    hostile.most = 0;
    for (round = 0; round < 5000; round++) {
        port = 1 + round % NR_PORTS;
        UNDER_ATTACK(evtchn_send(g->d, port));
        UNDER_ATTACK(evtchn_unmask(g->d, port));
        UNDER_ATTACK(evtchn_raise_port(g->d, 1 + round / 3 % NR_PORTS));
        UNDER_ATTACK(evtchn_set_priority(g->d, port, round % 16));
        UNDER_ATTACK(evtchn_poll(g->d, 0, &port, 1));
        UNDER_ATTACK(evtchn_send(g->d, port));
        UNDER_ATTACK(evtchn_bind_ipi(g->d, 0, &fresh));
        /*
         * An innocent moment: the port becomes the tail, and is attacked again
         * while another one is linked to it.
         */
        assert_ok(evtchn_set_priority(g->d, port,
                                      EVTCHN_FIFO_PRIORITY_DEFAULT));
        *guest_event_word(g, port) = 0;
        *guest_event_word(g, fresh) = 0;
        assert_ok(evtchn_send(g->d, port));
        *guest_event_word(g, port) |= FIFO_LINKED;
        UNDER_ATTACK(evtchn_send(g->d, fresh));
        *guest_event_word(g, fresh) = FIFO_MASKED;
        UNDER_ATTACK(evtchn_close(g->d, fresh));
    }
    g_test_message("at most %u accesses", hostile.most);
}

static void test_bounded(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, MODE_FIFO_64);
    uint32_t i;

    for (i = 0; i < NR_PORTS; i++) {
        unit_ipi(g, 0);
    }
    attack(g, *(void (*const *)(unsigned int))data);
    guest_free(g);
    world_free(w);
}

static void test_bounded_3l(gconstpointer data)
{
    struct world *w = world_new();
    struct guest *g = unit_guest(w, 1, 1, unit_mode_of(data));
    uint32_t round, port, fresh;

    for (port = 0; port < NR_PORTS; port++) {
        unit_ipi(g, 0);
    }
    hostile.interfere = toggle_bits;
    hostile.most = 0;
    for (round = 0; round < 5000; round++) {
        port = 1 + round % NR_PORTS;
        UNDER_ATTACK(evtchn_send(g->d, port));
        UNDER_ATTACK(evtchn_unmask(g->d, port));
        UNDER_ATTACK(evtchn_raise_port(g->d, port));
        UNDER_ATTACK(evtchn_poll(g->d, 0, &port, 1));
        UNDER_ATTACK(evtchn_send(g->d, port));
        UNDER_ATTACK(evtchn_bind_ipi(g->d, 0, &fresh));
        UNDER_ATTACK(evtchn_close(g->d, fresh));
    }
    g_test_message("at most %u accesses", hostile.most);
    guest_free(g);
    world_free(w);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*interfere)(unsigned int step);
    } table[] = {
        { "/bounded/toggle-masked", toggle_masked },
        { "/bounded/toggle-link", toggle_link },
        { "/bounded/toggle-linked", toggle_linked },
        { "/bounded/anything", anything },
    };
    unsigned int i;

    g_test_init(&argc, &argv, NULL);
    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        g_test_add_data_func(table[i].path, &table[i].interfere, test_bounded);
    }
    unit_add_3l("/bounded", test_bounded_3l);
    return g_test_run();
}
