/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's vCPU: it sends, and handles its events between the sends.
 *
 * Batches: the vCPU sends itself some IPIs, of several priorities and in any
 * order, while it takes no upcall.  With FIFO they must then come by priority,
 * and within a priority in the order of sending, whatever other events come in
 * between.  Setting the priority of a port whose event is queued must not
 * affect that event.
 */

#include "stress.h"

/* Wait for @done while handling events; false when it takes too long. */
static bool wait_for_batch(struct thread *t)
{
    int64_t deadline = g_get_monotonic_time() + PATIENCE * G_USEC_PER_SEC;

    while (t->batch_next < t->batch_nr) {
        if (dom_consume(t->dom, t->vcpu)) {
            continue;
        }
        if (g_get_monotonic_time() > deadline) {
            return false;
        }
        sched_yield();
    }
    return true;
}

static uint32_t batch_priority(void)
{
    uint32_t n = rnd(9);

    return n < 8 ? n * 2 : 15;
}

static void set_priority(struct thread *t, struct chan *c)
{
    uint32_t priority = batch_priority();

    if (t->dom->abi != EVTCHN_ABI_FIFO) {
        return;
    }
    expect_ok(evtchn_set_priority(t->dom->g->d, c->port, priority),
              "set_priority");
    c->priority = priority;
    t->counts.priorities++;
}

static void run_batch(struct thread *t)
{
    struct chan *sent[MAX_BATCH];
    uint32_t priority[MAX_BATCH];
    unsigned int nr = 1 + rnd(MAX_BATCH);
    unsigned int i, p;

    /* Shuffle the first @nr ports. */
    for (i = 0; i < nr; i++) {
        unsigned int other = i + rnd(MAX_BATCH - i);
        gpointer *pdata = t->batchable->pdata;
        gpointer c = pdata[other];

        pdata[other] = pdata[i];
        pdata[i] = c;
        sent[i] = c;
    }
    t->batch_nr = 0;
    t->batch_next = 0;
    for (i = 0; i < nr; i++) {
        if (!rnd(16)) {
            set_priority(t, sent[i]);
        }
        priority[i] = sent[i]->priority;
        if (!chan_send(sent[i])) {
            stress_fault(FAULT_LOST, "%s port %u: still owed", sent[i]->name,
                         sent[i]->port);
        }
        if (!rnd(16)) {
            set_priority(t, sent[i]);
        }
    }
    for (p = 0; p < EVTCHN_NR_PRIORITIES; p++) {
        for (i = 0; i < nr; i++) {
            if (priority[i] == p) {
                t->batch[t->batch_nr++] = sent[i];
            }
        }
    }
    if (!wait_for_batch(t)) {
        stress_fault(FAULT_LOST, "%s vcpu %u: %u of a batch of %u handled",
                     t->dom->name, t->vcpu, t->batch_next, t->batch_nr);
    }
    t->batch_nr = 0;
    t->batch_next = 0;
    t->counts.batches++;
}

static bool take_polled(struct thread *t)
{
    bool taken = false;
    unsigned int i;

    for (i = 0; i < t->polled->len; i++) {
        struct chan *c = g_ptr_array_index(t->polled, i);

        if (guest_is_pending(t->dom->g, c->port)) {
            guest_clear_pending(t->dom->g, c->port);
            chan_handled(c, t->vcpu);
            taken = true;
        }
    }
    return taken;
}

/* An event that is seen after evtchn_poll() said "none" must bring a wake. */
static void poll_wait(struct thread *t)
{
    struct vcpu *v = &t->dom->vcpu[t->vcpu];
    int64_t deadline = g_get_monotonic_time() + PATIENCE * G_USEC_PER_SEC;
    unsigned int rounds = rnd(8);
    bool pending = false;
    unsigned int i;

    while (!evtchn_load(&v->woken)) {
        for (i = 0; i < t->polled->len; i++) {
            struct chan *c = g_ptr_array_index(t->polled, i);

            pending |= guest_is_pending(t->dom->g, c->port);
        }
        if (!pending && !rounds--) {
            evtchn_poll_cancel(t->dom->g->d, t->vcpu);
            return;
        }
        if (g_get_monotonic_time() > deadline) {
            stress_fault(FAULT_LOST, "%s vcpu %u: poller not woken",
                         t->dom->name, t->vcpu);
            return;
        }
        sched_yield();
    }
}

static void run_poll(struct thread *t)
{
    struct vcpu *v = &t->dom->vcpu[t->vcpu];
    uint32_t ports[8];
    unsigned int i;
    int rc;

    for (i = 0; i < t->polled->len; i++) {
        ports[i] = ((struct chan *)g_ptr_array_index(t->polled, i))->port;
    }
    evtchn_exchange(&v->woken, 0);
    rc = evtchn_poll(t->dom->g->d, t->vcpu, ports, i);
    if (rc < 0) {
        stress_fault(FAULT_OTHER, "%s vcpu %u: poll failed: %d", t->dom->name,
                     t->vcpu, rc);
    } else if (!rc) {
        poll_wait(t);
    }
    if (!take_polled(t) && rc == 1) {
        stress_fault(FAULT_EXTRA, "%s vcpu %u: poll found an event in vain",
                     t->dom->name, t->vcpu);
    }
    t->counts.polls++;
}

/* No thread sends any more: handle the events that are left. */
static void drain(struct thread *t)
{
    evtchn_fetch_add(&t->s->quiet, 1);
    while (evtchn_load(&t->s->quiet) < t->s->nr_threads) {
        if (!dom_consume(t->dom, t->vcpu)) {
            sched_yield();
        }
    }
    while (dom_consume(t->dom, t->vcpu)) {
        ;
    }
    take_polled(t);
}

void *vcpu_thread(void *opaque)
{
    struct thread *t = self = opaque;
    unsigned int i;

    if (t->dom->abi != EVTCHN_ABI_2L && t->vcpu) {
        /* Until then events wait in their ports, and come by port number. */
        for (i = 0; i < 200; i++) {
            chan_send_some(4);
            sched_yield();
        }
        dom_register_vcpu(t->dom, t->vcpu, 64);
        gate_open(&t->dom->vcpu[t->vcpu].registered);
    }
    while (!stress_stopping(t->s)) {
        chan_send_some(1 + rnd(8));
        if (!rnd(8)) {
            run_batch(t);
        }
        if (!rnd(64)) {
            run_poll(t);
        }
        if (!rnd(16)) {
            chan_send_some(1);
            sched_yield();
        }
        if (rnd(4)) {
            dom_consume(t->dom, t->vcpu);
        }
    }
    drain(t);
    return NULL;
}
