/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels: sending, handling, and comparing the two counts. */

#include "stress.h"

/* xorshift64*, with a state for each thread, so that a seed repeats. */
uint32_t rnd(uint32_t below)
{
    uint64_t x = self->rng;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    self->rng = x;
    return (x * UINT64_C(0x2545f4914f6cdd1d) >> 32) % below;
}

bool gate_enter(struct gate *gate)
{
    evtchn_fetch_add(&gate->users, 1);
    if (evtchn_load(&gate->open)) {
        return true;
    }
    evtchn_fetch_add(&gate->users, -1);
    return false;
}

void gate_leave(struct gate *gate)
{
    evtchn_fetch_add(&gate->users, -1);
}

void gate_open(struct gate *gate)
{
    evtchn_exchange(&gate->open, 1);
}

void gate_close(struct gate *gate)
{
    evtchn_exchange(&gate->open, 0);
    while (evtchn_load(&gate->users)) {
        sched_yield();
    }
}

struct chan *chan_new(struct stress *s, const char *kind, struct dom *dom)
{
    struct chan *c = aligned_alloc(64, sizeof(*c));

    memset(c, 0, sizeof(*c));
    snprintf(c->name, sizeof(c->name), "%s %s", dom->name, kind);
    c->dom = dom;
    g_ptr_array_add(s->chans, c);
    return c;
}

static int chan_raise(struct chan *c)
{
    switch (c->source) {
    case SOURCE_SEND:
        return guest_send(c->from->g, c->from_port);
    case SOURCE_RAISE:
        return evtchn_raise_port(c->dom->g->d, c->port);
    case SOURCE_VIRQ:
        evtchn_raise_virq(c->dom->g->d, c->vcpu, c->irq);
        return 0;
    case SOURCE_PIRQ:
        evtchn_raise_pirq(c->dom->g->d, c->irq);
        return 0;
    }
    return -1;
}

bool chan_send(struct chan *c)
{
    uint32_t settled = 0;
    bool sent = false;
    int rc;

    if (c->gate && !gate_enter(c->gate)) {
        return false;
    }
    if (c->stream) {
        evtchn_fetch_add(&c->sent, 1);
    } else if (evtchn_load(&c->owed) ||
               !evtchn_cmpxchg(&c->owed, &settled, 1)) {
        goto out;
    }
    if (c->order) {
        evtchn_store(&c->seq, ++c->order->sent);
    }
    rc = chan_raise(c);
    if (rc && !(rc == -XEN_EINVAL && c->dom->id == DOM_C &&
                evtchn_load(&c->dom->s->resetting))) {
        stress_fault(FAULT_OTHER, "%s port %u: send failed: %d", c->name,
                     c->port, rc);
    }
    sent = true;

 out:
    if (c->gate) {
        gate_leave(c->gate);
    }
    return sent;
}

void chan_send_some(unsigned int n)
{
    GPtrArray *sends = self->sends;

    while (n--) {
        struct chan *c = rnd(4) ? NULL : evtchn_load(&self->s->favourite);

        chan_send(c ? c : g_ptr_array_index(sends, rnd(sends->len)));
    }
}

static void count_events(uint64_t events)
{
    self->counts.events += events;
    self->unflushed += events;
    if (self->unflushed >= 64) {
        evtchn_fetch_add(&self->s->events, self->unflushed);
        self->unflushed = 0;
    }
}

static void stream_handled(struct chan *c)
{
    uint64_t calls = evtchn_fetch_add(&c->calls, 1) + 1;
    uint64_t sent = evtchn_load(&c->sent);
    uint64_t seen = evtchn_load(&c->seen);

    if (calls > sent) {
        stress_fault(FAULT_EXTRA, "%s port %u: call %" PRIu64 " after %" PRIu64
                     " sends", c->name, c->port, calls, sent);
    }
    /* If the port has just moved, two vCPUs may be here at once. */
    while (seen < sent) {
        if (evtchn_cmpxchg(&c->seen, &seen, sent)) {
            count_events(sent - seen);
            break;
        }
    }
}

static void check_order(struct chan *c)
{
    uint64_t seq = evtchn_load(&c->seq);

    self->counts.ordered++;
    if (seq != ++c->order->handled && c->dom->abi == EVTCHN_ABI_FIFO) {
        stress_fault(FAULT_ORDER, "%s port %u: event %" PRIu64
                     " of its sender came as number %" PRIu64, c->name,
                     c->port, seq, c->order->handled);
        c->order->handled = seq;
    }
}

static void check_batch(struct chan *c)
{
    struct thread *t = self;

    if (t->batch_next == t->batch_nr) {
        stress_fault(FAULT_EXTRA, "%s port %u: handled after its batch",
                     c->name, c->port);
    } else if (t->batch[t->batch_next] != c &&
               c->dom->abi == EVTCHN_ABI_FIFO) {
        stress_fault(FAULT_ORDER, "%s port %u priority %u before port %u "
                     "priority %u", c->name, c->port, c->priority,
                     t->batch[t->batch_next]->port,
                     t->batch[t->batch_next]->priority);
    }
    t->batch_next++;
}

void chan_handled(struct chan *c, uint32_t vcpu)
{
    if (evtchn_load(&c->masked)) {
        stress_fault(FAULT_MASKED, "%s port %u: handled while masked", c->name,
                     c->port);
    }
    if (c->stream) {
        stream_handled(c);
        return;
    }
    if (c->order) {
        check_order(c);
    }
    if (c->batch) {
        check_batch(c);
    }
    evtchn_fetch_add(&c->calls, 1);
    /* Last: from here on it may be sent again. */
    if (!evtchn_exchange(&c->owed, 0)) {
        stress_fault(FAULT_EXTRA, "%s port %u vcpu %u: handled, but not sent",
                     c->name, c->port, vcpu);
    }
    count_events(1);
}

void chan_check(struct chan *c)
{
    struct guest *g = c->dom->g;

    if (c->stream ? c->seen != c->sent : c->owed) {
        stress_fault(FAULT_LOST, "%s port %u: sent and never handled; "
                     "%" PRIu64 " of %" PRIu64 " seen", c->name, c->port,
                     c->seen, c->stream ? c->sent : 1);
    }
    if (!c->port || c->dom->id == DOM_H) {
        return;
    }
    if (guest_is_pending(g, c->port)) {
        stress_fault(FAULT_LOST, "%s port %u: pending when all is quiet",
                     c->name, c->port);
    }
    if (evtchn_domain_abi(g->d) == EVTCHN_ABI_FIFO && !c->polled &&
        *guest_event_word(g, c->port) & (FIFO_LINKED | FIFO_BUSY)) {
        stress_fault(FAULT_LOST, "%s port %u: word %#x when all is quiet",
                     c->name, c->port, *guest_event_word(g, c->port));
    }
}
