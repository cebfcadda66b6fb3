/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's side of the FIFO ABI.
 *
 * Of a linked event the guest may set and clear MASKED, clear PENDING, and
 * clear LINKED together with LINK; it must not clear MASKED while BUSY is set.
 */

#include "consumer.h"
#include "atomic.h"

#include <glib.h>
#include <sched.h>

bool consumer_fifo_is_pending(struct guest *g, uint32_t port)
{
    uint32_t *word = guest_event_word(g, port);

    return word && evtchn_test_bit(word, EVTCHN_FIFO_PENDING);
}

bool consumer_fifo_is_masked(struct guest *g, uint32_t port)
{
    uint32_t *word = guest_event_word(g, port);

    return !word || evtchn_test_bit(word, EVTCHN_FIFO_MASKED);
}

void consumer_fifo_set_pending(struct guest *g, uint32_t port)
{
    evtchn_test_and_set_bit(guest_event_word(g, port), EVTCHN_FIFO_PENDING);
}

void consumer_fifo_clear_pending(struct guest *g, uint32_t port)
{
    evtchn_clear_bit(guest_event_word(g, port), EVTCHN_FIFO_PENDING);
}

void consumer_fifo_mask(struct guest *g, uint32_t port)
{
    evtchn_test_and_set_bit(guest_event_word(g, port), EVTCHN_FIFO_MASKED);
}

/*
 * The compare-exchange expects BUSY to be clear, so this waits while the
 * hypervisor links the word.
 */
static void clear_masked(uint32_t *word)
{
    uint32_t old = evtchn_load(word) & ~FIFO_BUSY;

    while (!evtchn_cmpxchg(word, &old, old & ~FIFO_MASKED)) {
        if (old & FIFO_BUSY) {
            old &= ~FIFO_BUSY;
            sched_yield();
        }
    }
}

bool consumer_fifo_unmask(struct guest_vcpu *v, uint32_t port)
{
    struct evtchn_unmask unmask = { .port = port };
    uint32_t *word = guest_event_word(v->g, port);
    int rc;

    clear_masked(word);
    if (!evtchn_test_bit(word, EVTCHN_FIFO_PENDING)) {
        return false;
    }
    rc = guest_op(v->g, EVTCHNOP_unmask, &unmask);
    g_assert_cmpint(rc, ==, 0);
    return true;
}

/* Returns LINK: the next event of the queue, 0 at its end. */
static uint32_t clear_linked(uint32_t *word)
{
    uint32_t old = evtchn_load(word);

    while (!evtchn_cmpxchg(word, &old, old & ~(FIFO_LINKED | FIFO_LINK_MASK))) {
        ;
    }
    return old & FIFO_LINK_MASK;
}

bool consumer_fifo_one(struct guest_vcpu *v, unsigned int priority,
                       uint32_t *ready, guest_handler *handler, void *opaque)
{
    struct guest *g = v->g;
    uint32_t port = v->head[priority];
    uint32_t *word;

    /* The control block's HEAD counts only at the start of a queue. */
    if (!port) {
        port = evtchn_load(&v->control->head[priority]);
    }
    if (!port) {
        v->empty_heads++;
        *ready &= ~(UINT32_C(1) << priority);
        return false;
    }
    word = guest_event_word(g, port);
    if (!word) {
        v->wild_heads++;
        v->head[priority] = 0;
        *ready &= ~(UINT32_C(1) << priority);
        return false;
    }

    v->head[priority] = clear_linked(word);
    if (!v->head[priority]) {
        *ready &= ~(UINT32_C(1) << priority);
    }

    if (!evtchn_test_bit(word, EVTCHN_FIFO_PENDING) ||
        evtchn_test_bit(word, EVTCHN_FIFO_MASKED)) {
        return false;
    }
    /* If the port has just moved, another vCPU may have taken the event. */
    if (!evtchn_test_and_clear_bit(word, EVTCHN_FIFO_PENDING)) {
        return false;
    }
    handler(v, port, opaque);
    return true;
}

static uint32_t take_ready(struct guest_vcpu *v)
{
    return evtchn_exchange(&v->control->ready, 0) &
           ((UINT32_C(1) << EVTCHN_FIFO_MAX_QUEUES) - 1);
}

unsigned int consumer_fifo_scan(struct guest_vcpu *v, guest_handler *handler,
                                void *opaque)
{
    uint32_t ready;
    unsigned int handled = 0;

    if (!v->control) {
        return 0;
    }
    ready = take_ready(v);
    while (ready) {
        handled += consumer_fifo_one(v, __builtin_ctz(ready), &ready, handler,
                                     opaque);
        /* A queue of higher priority may have become ready meanwhile. */
        ready |= take_ready(v);
    }
    return handled;
}
