/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's side of the 2-level ABI, for both word sizes.
 *
 * The guest may clear PENDING, set and clear the mask, and take the selector
 * word.  Normally it never sets a pending bit.
 */

#include "consumer.h"
#include "atomic.h"

#include <glib.h>

/*
 * Access bits by 32-bit words, also of a 64-bit guest: x86 is little-endian, so
 * bit n of a 64-bit word is bit n % 32 of one of its halves.
 */
static uint32_t *pending_word(struct guest *g, uint32_t port)
{
    size_t offset = g->long_mode ?
        offsetof(struct shared_info, evtchn_pending) :
        offsetof(struct shared_info_x86_32, evtchn_pending);

    return (uint32_t *)((char *)g->shared_info + offset) + port / 32;
}

static uint32_t *mask_word(struct guest *g, uint32_t port)
{
    size_t offset = g->long_mode ?
        offsetof(struct shared_info, evtchn_mask) :
        offsetof(struct shared_info_x86_32, evtchn_mask);

    return (uint32_t *)((char *)g->shared_info + offset) + port / 32;
}

static bool reachable(struct guest *g, uint32_t port)
{
    return g->shared_info && port < guest_2l_ports(g);
}

bool consumer_2l_is_pending(struct guest *g, uint32_t port)
{
    return reachable(g, port) &&
           evtchn_test_bit(pending_word(g, port), port % 32);
}

bool consumer_2l_is_masked(struct guest *g, uint32_t port)
{
    return !reachable(g, port) ||
           evtchn_test_bit(mask_word(g, port), port % 32);
}

void consumer_2l_set_pending(struct guest *g, uint32_t port)
{
    g_assert(reachable(g, port));
    evtchn_test_and_set_bit(pending_word(g, port), port % 32);
}

void consumer_2l_clear_pending(struct guest *g, uint32_t port)
{
    g_assert(reachable(g, port));
    evtchn_clear_bit(pending_word(g, port), port % 32);
}

void consumer_2l_mask(struct guest *g, uint32_t port)
{
    g_assert(reachable(g, port));
    evtchn_test_and_set_bit(mask_word(g, port), port % 32);
}

/*
 * An HVM guest can't raise its own upcall, so a pending event needs
 * EVTCHNOP_unmask.  That acts only if the mask bit is set, so set it again
 * first.
 */
bool consumer_2l_unmask(struct guest_vcpu *v, uint32_t port)
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

unsigned int consumer_2l_scan(struct guest_vcpu *v, guest_handler *handler,
                              void *opaque)
{
    uint64_t words = guest_take_pending_sel(v);
    unsigned int handled = 0;

    for (; words; words &= words - 1) {
        handled += scan_word(v, __builtin_ctzll(words), handler, opaque);
    }
    return handled;
}
