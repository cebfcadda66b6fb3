/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports are bound, closed from either end, bound again, and closed while events
 * are under way.  Two threads send on them.
 */

#include "stress.h"

#define NR_SLOTS    48
#define NR_VIRQ_SLOTS   4

enum slot_kind {
    SLOT_INTERDOMAIN,
    SLOT_IPI,
    SLOT_VIRQ,
};

struct slot {
    enum slot_kind kind;
    uint32_t virq;
    struct gate gate;
    struct chan *end[2];    /* the second for interdomain only */
};

static struct slot slots[NR_SLOTS];

static struct dom *random_dom(struct stress *s, bool host_too)
{
    static const enum dom_id ids[] = { DOM_A, DOM_B, DOM_H };

    return &s->dom[ids[rnd(host_too ? 3 : 2)]];
}

static struct evtchn_domain *domain(struct chan *c)
{
    return c->dom->g->d;
}

void churn_setup(struct stress *s)
{
    unsigned int i, k;

    memset(slots, 0, sizeof(slots));
    for (i = 0; i < NR_SLOTS; i++) {
        struct slot *slot = &slots[i];

        slot->kind = i % 3 ? SLOT_INTERDOMAIN : SLOT_IPI;
        if (i < NR_VIRQ_SLOTS) {
            slot->kind = SLOT_VIRQ;
            slot->virq = VIRQ_ARCH_0 + i;
        }
        for (k = 0; k < 2; k++) {
            slot->end[k] = chan_new(s, "churn", &s->dom[DOM_A]);
            slot->end[k]->gate = &slot->gate;
        }
    }
}

static void open_unbound(struct slot *slot)
{
    struct chan *c = slot->end[0];
    uint32_t port;

    c->dom = random_dom(self->s, true);
    slot->end[1]->dom = random_dom(self->s, true);
    expect_ok(evtchn_alloc_unbound(domain(c), DOMID_SELF,
                                   slot->end[1]->dom->g->domid, &port),
              "alloc_unbound");
    dom_attach(c->dom, c, port, 0);
}

static void open_local(struct slot *slot)
{
    struct chan *c = slot->end[0];
    uint32_t vcpu, port;

    c->dom = random_dom(self->s, false);
    vcpu = slot->kind == SLOT_IPI ? rnd(c->dom->g->nr_vcpus) : 0;
    c->from = c->dom;
    if (slot->kind == SLOT_IPI) {
        expect_ok(evtchn_bind_ipi(domain(c), vcpu, &port), "bind_ipi");
        c->source = SOURCE_SEND;
        c->from_port = port;
    } else {
        expect_ok(evtchn_bind_virq(domain(c), slot->virq, 0, &port),
                  "bind_virq");
        c->source = SOURCE_VIRQ;
        c->irq = slot->virq;
    }
    dom_attach(c->dom, c, port, vcpu);
    gate_open(&slot->gate);
}

/* End @k is unbound: bind the other end to it. */
static void connect_ends(struct slot *slot, unsigned int k)
{
    struct chan *c = slot->end[k];
    struct chan *b = slot->end[!k];
    uint32_t port;

    expect_ok(evtchn_bind_interdomain(domain(b), c->dom->g->domid, c->port,
                                      &port), "bind_interdomain");
    b->from = c->dom;
    b->from_port = c->port;
    c->from = b->dom;
    c->from_port = port;
    dom_owe_binding(b->dom, b, port);
    dom_attach(b->dom, b, port, 0);
    gate_open(&slot->gate);
}

static void close_end(struct slot *slot, unsigned int k)
{
    struct chan *c = slot->end[k];
    struct dom *dom = c->dom;
    uint32_t port = c->port;

    gate_close(&slot->gate);
    if (dom->id != DOM_H) {
        dom_detach(dom, c);
        expect_ok(evtchn_close(dom->g->d, port), "close");
    } else {
        expect_ok(evtchn_close(dom->g->d, port), "close");
        evtchn_exchange(&dom->map[port], NULL);
        if (c->owed || evtchn_load(&dom->early[port])) {
            stress_fault(FAULT_LOST, "%s port %u: owed by a host port",
                         c->name, port);
        }
        c->port = 0;
    }
    self->counts.closes++;
}

static void step_unbound(struct slot *slot, unsigned int k)
{
    struct chan *c = slot->end[k];

    switch (rnd(4)) {
    case 0:
        close_end(slot, k);
        break;
    case 1:
        /* A send to an unbound port succeeds and is lost. */
        expect_ok(evtchn_send(domain(c), c->port), "send to an unbound port");
        break;
    default:
        connect_ends(slot, k);
        self->counts.binds++;
        break;
    }
}

static void step_bound(struct slot *slot)
{
    unsigned int k = slot->end[1]->port ? rnd(2) : 0;
    struct chan *c = slot->end[k];

    switch (rnd(6)) {
    case 0:
    case 1:
        close_end(slot, k);
        break;
    case 2:
        if (c->dom->id != DOM_H && slot->kind != SLOT_IPI) {
            dom_bind_vcpu(c->dom, c, rnd(c->dom->g->nr_vcpus));
        }
        break;
    case 3:
        if (c->dom->id != DOM_H) {
            dom_mask(c->dom, c);
            chan_send(c);
            dom_unmask(c->dom, c);
        }
        break;
    default:
        chan_send(c);
        break;
    }
}

static void step(struct slot *slot)
{
    bool have0 = slot->end[0]->port;
    bool have1 = slot->end[1]->port;

    if (!have0 && !have1) {
        if (slot->kind == SLOT_INTERDOMAIN) {
            open_unbound(slot);
        } else {
            open_local(slot);
        }
        self->counts.binds++;
    } else if (slot->kind == SLOT_INTERDOMAIN && have0 != have1) {
        step_unbound(slot, have1);
    } else {
        step_bound(slot);
    }
}

void churn_send(void)
{
    unsigned int n = 8;

    while (n--) {
        struct slot *slot = &slots[rnd(NR_SLOTS)];

        chan_send(slot->end[slot->kind == SLOT_INTERDOMAIN ? rnd(2) : 0]);
    }
}

/* Close one end of each channel: the events are counted at the other. */
void churn_close_all(void)
{
    unsigned int i, k;

    for (i = 0; i < NR_SLOTS; i++) {
        for (k = 0; k < 2; k++) {
            if (slots[i].end[k]->port) {
                close_end(&slots[i], k);
            }
        }
    }
}

void *churn_thread(void *opaque)
{
    struct thread *t = self = opaque;

    while (!stress_stopping(t->s)) {
        step(&slots[rnd(NR_SLOTS)]);
        churn_send();
        wild_step(t->s);
        if (!rnd(4)) {
            sched_yield();
        }
    }
    evtchn_fetch_add(&t->s->quiet, 1);
    return NULL;
}
