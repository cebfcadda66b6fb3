/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The channels that live as long as a round, and their sending threads. */

#include "stress.h"

#define NR_FILLERS  600

void sent_by(struct chan *c, enum thread_id id)
{
    g_ptr_array_add(c->dom->s->thread[id].sends, c);
}

static enum thread_id vcpu_thread_id(const struct dom *dom, uint32_t vcpu)
{
    return T_VCPUS + dom->id * dom->s->nr_vcpus + vcpu;
}

void sent_by_vcpus(struct chan *c, const struct dom *dom)
{
    uint32_t vcpu;

    for (vcpu = 0; vcpu < dom->s->nr_vcpus; vcpu++) {
        sent_by(c, vcpu_thread_id(dom, vcpu));
    }
}

/* Open ports that are closed again later, to set the channels' apart. */
static void make_gap(struct dom *dom, GArray *fillers)
{
    uint32_t n = rnd(6);
    uint32_t port;

    while (n-- && fillers->len < NR_FILLERS) {
        expect_ok(evtchn_alloc_unbound(dom->g->d, DOMID_SELF, DOMID_SELF,
                                       &port), "alloc_unbound");
        g_array_append_val(fillers, port);
    }
}

static void close_gaps(struct dom *dom, GArray *fillers)
{
    unsigned int i;

    for (i = 0; i < fillers->len; i++) {
        expect_ok(evtchn_close(dom->g->d, g_array_index(fillers, uint32_t, i)),
                  "close");
    }
    g_array_free(fillers, true);
}

static struct chan *ipi(struct dom *dom, const char *kind, uint32_t vcpu,
                        bool polled)
{
    struct chan *c = chan_new(dom->s, kind, dom);
    uint32_t port;

    expect_ok(evtchn_bind_ipi(dom->g->d, vcpu, &port), "bind_ipi");
    c->source = SOURCE_SEND;
    c->from = dom;
    c->from_port = port;
    c->polled = polled;
    dom_attach(dom, c, port, vcpu);
    return c;
}

/* Join two domains; returns the channel to @dom, *@back gets the other. */
static struct chan *join(struct dom *dom, struct dom *peer, const char *kind,
                         bool stream, struct chan **back)
{
    struct chan *c = chan_new(dom->s, kind, dom);
    struct chan *b = chan_new(dom->s, kind, peer);
    uint32_t port, peer_port;

    expect_ok(evtchn_alloc_unbound(dom->g->d, DOMID_SELF, peer->g->domid,
                                   &port), "alloc_unbound");
    expect_ok(evtchn_bind_interdomain(peer->g->d, dom->g->domid, port,
                                      &peer_port), "bind_interdomain");
    c->stream = stream;
    c->from = peer;
    c->from_port = peer_port;
    b->stream = stream && peer->id != DOM_H;
    b->from = dom;
    b->from_port = port;
    dom_attach(dom, c, port, 0);
    dom_owe_binding(peer, b, peer_port);
    dom_attach(peer, b, peer_port, 0);
    *back = b;
    return c;
}

static void control(struct chan *c)
{
    g_ptr_array_add(c->dom->s->controlled, c);
}

static void set_priority(struct chan *c, uint32_t priority)
{
    c->priority = priority;
    if (c->dom->abi == EVTCHN_ABI_FIFO) {
        expect_ok(evtchn_set_priority(c->dom->g->d, c->port, priority),
                  "set_priority");
    }
}

/*
 * Batches have queues of their own: a sender that is stopped between writing
 * HEAD and setting READY holds up the whole queue, as with Xen.  So even
 * priorities and 15 are for batches, and the other odd ones, with 7, the
 * default, for the rest.
 */
static void setup_batches(struct dom *dom, uint32_t vcpu)
{
    struct thread *t = &dom->s->thread[vcpu_thread_id(dom, vcpu)];
    unsigned int i;

    for (i = 0; i < MAX_BATCH; i++) {
        struct chan *c = ipi(dom, "batch", vcpu, false);

        c->batch = true;
        set_priority(c, i % 8 * 2);
        g_ptr_array_add(t->batchable, c);
    }
}

static void setup_ordered(struct dom *dom, struct dom *peer, uint32_t vcpu,
                          enum thread_id sender)
{
    static const uint32_t priorities[] = { 3, 3, 5, 11 };
    struct order *order = g_new0(struct order, 1);
    uint32_t priority = priorities[rnd(G_N_ELEMENTS(priorities))];
    struct chan *c, *back;
    unsigned int i;

    g_ptr_array_add(dom->s->orders, order);
    for (i = 0; i < 5; i++) {
        c = join(dom, peer, "ordered", false, &back);
        c->order = order;
        c->gate = vcpu ? &dom->vcpu[vcpu].registered : NULL;
        dom_bind_vcpu(dom, c, vcpu);
        c->vcpu = vcpu;
        set_priority(c, priority);
        sent_by(c, sender);
        sent_by_vcpus(back, dom);
    }
}

static void setup_irqs(struct dom *dom, GArray *fillers)
{
    static const uint32_t virqs[] = {
        VIRQ_TIMER, VIRQ_DEBUG, VIRQ_XENPMU, VIRQ_DOM_EXC, VIRQ_ARGO
    };
    struct chan *c;
    uint32_t port;
    unsigned int i, vcpu;

    for (i = 0; i < G_N_ELEMENTS(virqs); i++) {
        for (vcpu = 0; vcpu < (i < 3 ? dom->s->nr_vcpus : 1); vcpu++) {
            make_gap(dom, fillers);
            c = chan_new(dom->s, "VIRQ", dom);
            expect_ok(evtchn_bind_virq(dom->g->d, virqs[i], vcpu, &port),
                      "bind_virq");
            c->source = SOURCE_VIRQ;
            c->irq = virqs[i];
            dom_attach(dom, c, port, vcpu);
            sent_by(c, T_DEVICE);
            if (i >= 3) {
                control(c);
            }
        }
    }
    for (i = 0; i < 6; i++) {
        make_gap(dom, fillers);
        c = chan_new(dom->s, "PIRQ", dom);
        expect_ok(evtchn_bind_pirq(dom->g->d, i, 0, &port), "bind_pirq");
        c->source = i % 2 ? SOURCE_RAISE : SOURCE_PIRQ;
        c->irq = i;
        dom_attach(dom, c, port, 0);
        sent_by(c, T_DEVICE);
        control(c);
    }
}

static void setup_dom(struct dom *dom, struct dom *peer, struct dom *host)
{
    struct stress *s = dom->s;
    GArray *fillers = g_array_new(false, false, sizeof(uint32_t));
    struct chan *c, *back;
    unsigned int i, vcpu;

    for (vcpu = 0; vcpu < s->nr_vcpus; vcpu++) {
        setup_batches(dom, vcpu);
        for (i = 0; i < 4; i++) {
            make_gap(dom, fillers);
            c = ipi(dom, "IPI", vcpu, false);
            sent_by_vcpus(c, dom);
            sent_by(c, T_DEVICE);
        }
        for (i = 0; i < 2; i++) {
            c = ipi(dom, "polled", vcpu, true);
            sent_by(c, vcpu_thread_id(dom, (vcpu + 1) % s->nr_vcpus));
            sent_by(c, T_DEVICE);
            g_ptr_array_add(s->thread[vcpu_thread_id(dom, vcpu)].polled, c);
        }
        setup_ordered(dom, peer, vcpu, vcpu_thread_id(peer, 0));
        setup_ordered(dom, peer, vcpu, vcpu_thread_id(peer, 1));
        setup_ordered(dom, host, vcpu, T_DEVICE);
        make_gap(dom, fillers);
    }
    for (vcpu = 0; dom->abi == EVTCHN_ABI_2L && vcpu < s->nr_vcpus; vcpu++) {
        gate_open(&dom->vcpu[vcpu].registered);
    }
    for (i = 0; i < 8; i++) {
        make_gap(dom, fillers);
        c = join(dom, peer, i < 5 ? "exact" : "stream", i >= 5, &back);
        sent_by_vcpus(c, peer);
        sent_by_vcpus(back, dom);
        control(c);
        control(back);
    }
    for (i = 0; i < 4; i++) {
        make_gap(dom, fillers);
        c = join(dom, host, i < 3 ? "host" : "host stream", i >= 3, &back);
        sent_by(c, T_DEVICE);
        sent_by_vcpus(back, dom);
        control(c);
    }
    setup_irqs(dom, fillers);
    close_gaps(dom, fillers);
}

void setup_channels(struct stress *s)
{
    setup_dom(&s->dom[DOM_A], &s->dom[DOM_B], &s->dom[DOM_H]);
    setup_dom(&s->dom[DOM_B], &s->dom[DOM_A], &s->dom[DOM_H]);
}
