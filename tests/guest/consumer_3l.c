/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's side of the 3-level ABI, for both word sizes, as the public
 * header asks for.
 *
 * As in 2-level the guest may clear PENDING, set and clear the mask, and take
 * the selectors' words.
 */

#include "consumer.h"
#include "atomic.h"

#include <glib.h>

/* Access bits by 32-bit words, see consumer_2l.c. */
static uint32_t *bit_word(uint32_t *const *pages, uint32_t port)
{
    return pages[port / GUEST_PORTS_PER_BITMAP] +
           port % GUEST_PORTS_PER_BITMAP / 32;
}

static uint32_t *pending_word(struct guest *g, uint32_t port)
{
    return bit_word(g->pending_map, port);
}

static uint32_t *mask_word(struct guest *g, uint32_t port)
{
    return bit_word(g->mask_map, port);
}

static bool reachable(struct guest *g, uint32_t port)
{
    return port < guest_3l_ports(g);
}

bool consumer_3l_is_pending(struct guest *g, uint32_t port)
{
    return reachable(g, port) &&
           evtchn_test_bit(pending_word(g, port), port % 32);
}

bool consumer_3l_is_masked(struct guest *g, uint32_t port)
{
    return !reachable(g, port) ||
           evtchn_test_bit(mask_word(g, port), port % 32);
}

void consumer_3l_set_pending(struct guest *g, uint32_t port)
{
    g_assert(reachable(g, port));
    evtchn_test_and_set_bit(pending_word(g, port), port % 32);
}

void consumer_3l_clear_pending(struct guest *g, uint32_t port)
{
    g_assert(reachable(g, port));
    evtchn_clear_bit(pending_word(g, port), port % 32);
}

void consumer_3l_mask(struct guest *g, uint32_t port)
{
    g_assert(reachable(g, port));
    evtchn_test_and_set_bit(mask_word(g, port), port % 32);
}

/* As in 2-level EVTCHNOP_unmask acts only if the mask bit is set. */
bool consumer_3l_unmask(struct guest_vcpu *v, uint32_t port)
{
    struct guest *g = v->g;
    struct evtchn_unmask unmask = { .port = port };
    int rc;

    g_assert(reachable(g, port));
    if (evtchn_load(&g->port_vcpu[port]) == v->id) {
        evtchn_clear_bit(mask_word(g, port), port % 32);
        if (!evtchn_test_bit(pending_word(g, port), port % 32)) {
            return false;
        }
        evtchn_test_and_set_bit(mask_word(g, port), port % 32);
    }
    rc = guest_op(g, EVTCHNOP_unmask, &unmask);
    g_assert_cmpint(rc, ==, 0);
    return true;
}

/* Take word @i of the L2 selector. */
static uint64_t take_l2(struct guest_vcpu *v, unsigned int i)
{
    if (v->g->long_mode) {
        return evtchn_exchange((uint64_t *)v->l2_selector + i, 0);
    }
    return evtchn_exchange(&v->l2_selector[i], 0);
}

static unsigned int scan_word(struct guest_vcpu *v, uint32_t word,
                              guest_handler *handler, void *opaque)
{
    struct guest *g = v->g;
    uint32_t bits = guest_word_bits(g);
    uint32_t port, bit, active;
    unsigned int handled = 0;

    for (port = word * bits; port < (word + 1) * bits; port += 32) {
        active = evtchn_load(pending_word(g, port)) &
                 ~evtchn_load(mask_word(g, port));
        for (; active; active &= active - 1) {
            bit = __builtin_ctz(active);
            if (port + bit >= g->max_ports) {
                return handled;
            }
            if (evtchn_load(&g->port_vcpu[port + bit]) != v->id) {
                continue;
            }
            /* If the port has just moved, another vCPU may have taken it. */
            if (evtchn_test_and_clear_bit(pending_word(g, port), bit)) {
                handler(v, port + bit, opaque);
                handled++;
            }
        }
    }
    return handled;
}

unsigned int consumer_3l_scan(struct guest_vcpu *v, guest_handler *handler,
                              void *opaque)
{
    uint32_t bits = guest_word_bits(v->g);
    uint64_t l1 = guest_take_pending_sel(v), l2;
    unsigned int handled = 0;
    uint32_t i;

    if (!v->l2_selector) {
        /* Bits of 2-level: Xen raises their events when there is a selector. */
        return 0;
    }
    for (; l1; l1 &= l1 - 1) {
        i = __builtin_ctzll(l1);
        /* A guest that has changed its word size has fewer ports than bits. */
        if (i * bits * bits >= guest_3l_ports(v->g)) {
            break;
        }
        for (l2 = take_l2(v, i); l2; l2 &= l2 - 1) {
            uint32_t word = i * bits + __builtin_ctzll(l2);

            if (word * bits < guest_3l_ports(v->g)) {
                handled += scan_word(v, word, handler, opaque);
            }
        }
    }
    return handled;
}
