/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lives of domain C: it boots with either word size, binds its channels,
 * changes its ABI early, late or never, registers its memory step by step while
 * events come in, and ends by a reset, with all events handled or not, or is
 * destroyed.  Then it boots again as another guest.
 *
 * One thread runs both vCPUs, as a guest that changes its ABI stops its own
 * vCPUs for that; meanwhile only peers and devices raise events.
 */

#include "stress.h"

#define NR_LINKS    8   /* to A and to B by turns */
#define NR_IPIS     4
#define NR_OWN_VIRQS    4
#define NR_OWN_PIRQS    4
#define NR_OWN      (NR_IPIS + NR_OWN_VIRQS + NR_OWN_PIRQS)

static const struct {
    uint32_t virq, vcpu;
} own_virqs[NR_OWN_VIRQS] = {
    { VIRQ_TIMER, 0 }, { VIRQ_TIMER, 1 }, { VIRQ_DEBUG, 1 },
    { VIRQ_DOM_EXC, 0 },
};

/* The peer's port lives as long as the round. */
static struct link {
    struct chan *in;        /* handled here */
    struct chan *out;       /* handled by the peer */
} links[NR_LINKS];

static struct chan *own[NR_OWN];

static void new_guest(struct dom *dom)
{
    unsigned int i;

    for (i = 0; i < WILD_FRAMES; i++) {
        dom->s->wild_gfn[i] = guest_new_frame(dom->g);
    }
}

void life_setup(struct stress *s)
{
    struct dom *dom = &s->dom[DOM_C];
    unsigned int i;
    uint32_t port;

    memset(&s->life_gate, 0, sizeof(s->life_gate));
    memset(&s->direct_gate, 0, sizeof(s->direct_gate));
    memset(&s->wild_gate, 0, sizeof(s->wild_gate));
    for (i = 0; i < NR_LINKS; i++) {
        struct dom *peer = &s->dom[i % 2 ? DOM_B : DOM_A];
        struct link *link = &links[i];

        expect_ok(evtchn_alloc_unbound(peer->g->d, DOMID_SELF, dom->g->domid,
                                       &port), "alloc_unbound");
        link->in = chan_new(s, "link", dom);
        link->in->from = peer;
        link->in->from_port = port;
        link->in->gate = &s->life_gate;
        sent_by_vcpus(link->in, peer);
        link->out = chan_new(s, "link", peer);
        link->out->from = dom;
        dom_attach(peer, link->out, port, 0);
    }
    for (i = 0; i < NR_OWN; i++) {
        own[i] = chan_new(s, "own", dom);
        own[i]->from = dom;
        own[i]->gate = &s->direct_gate;
        sent_by(own[i], T_DEVICE);
    }
    new_guest(dom);
}

static bool is_fifo(struct dom *dom)
{
    return evtchn_domain_abi(dom->g->d) == EVTCHN_ABI_FIFO;
}

static bool is_3l(struct dom *dom)
{
    return evtchn_domain_abi(dom->g->d) == EVTCHN_ABI_3L;
}

/* Ports in array pages that do not exist yet. */
static void allocate_pages_full(struct dom *dom)
{
    unsigned int i;
    uint32_t port;

    for (i = 0; i < GUEST_WORDS_PER_FRAME; i++) {
        expect_ok(evtchn_alloc_unbound(dom->g->d, DOMID_SELF, DOMID_SELF,
                                       &port), "alloc_unbound");
    }
}

static void bind_own(struct dom *dom, unsigned int i)
{
    struct evtchn_domain *d = dom->g->d;
    struct chan *c = own[i];
    uint32_t vcpu = 0;
    uint32_t port = 0;

    if (i < NR_IPIS) {
        vcpu = i % MIN_VCPUS;
        c->source = SOURCE_SEND;
        expect_ok(evtchn_bind_ipi(d, vcpu, &port), "bind_ipi");
        c->from_port = port;
    } else if (i < NR_IPIS + NR_OWN_VIRQS) {
        i -= NR_IPIS;
        vcpu = own_virqs[i].vcpu;
        c->source = SOURCE_VIRQ;
        c->irq = own_virqs[i].virq;
        expect_ok(evtchn_bind_virq(d, c->irq, vcpu, &port), "bind_virq");
    } else {
        c->source = SOURCE_PIRQ;
        c->irq = i - NR_IPIS - NR_OWN_VIRQS;
        expect_ok(evtchn_bind_pirq(d, c->irq, 0, &port), "bind_pirq");
    }
    dom_attach(dom, c, port, vcpu);
}

static void bind_all(struct dom *dom)
{
    unsigned int i;
    uint32_t port;

    for (i = 0; i < NR_LINKS; i++) {
        struct link *link = &links[i];

        expect_ok(evtchn_bind_interdomain(dom->g->d,
                                          link->out->dom->g->domid,
                                          link->out->port, &port),
                  "bind_interdomain");
        dom_owe_binding(dom, link->in, port);
        dom_attach(dom, link->in, port, 0);
        link->out->from_port = port;
    }
    gate_open(&dom->s->life_gate);
    for (i = 0; i < NR_OWN; i++) {
        bind_own(dom, i);
    }
    gate_open(&dom->s->direct_gate);
}

static void move(struct dom *dom, struct chan *c)
{
    uint32_t vcpu = rnd(MIN_VCPUS);

    if (!is_fifo(dom) || guest_event_word(dom->g, c->port)) {
        dom_bind_vcpu(dom, c, vcpu);
    } else {
        expect_ok(evtchn_bind_vcpu(dom->g->d, c->port, vcpu), "bind_vcpu");
    }
}

static void run(struct dom *dom, unsigned int n)
{
    struct chan *c;

    while (n-- && !stress_stopping(dom->s)) {
        chan_send(links[rnd(NR_LINKS)].out);
        chan_send(own[rnd(NR_IPIS)]);
        c = links[rnd(NR_LINKS)].in;
        if (!rnd(16)) {
            move(dom, c);
        }
        if (is_fifo(dom) && !rnd(16)) {
            expect_ok(evtchn_set_priority(dom->g->d, c->port, rnd(16)),
                      "set_priority");
        }
        if (rnd(2)) {
            dom_consume(dom, rnd(MIN_VCPUS));
        }
        if (!rnd(8)) {
            sched_yield();
        }
    }
}

static void unmask_page(struct dom *dom, uint32_t page)
{
    unsigned int i;

    for (i = 0; i < NR_LINKS + NR_OWN; i++) {
        struct chan *c = i < NR_LINKS ? links[i].in : own[i - NR_LINKS];

        if (c->port / GUEST_WORDS_PER_FRAME == page) {
            guest_unmask(&dom->g->vcpu[0], c->port);
        }
    }
}

/* Register pages up to the highest port, with events that wait for each. */
static void expand_late(struct dom *dom)
{
    uint32_t pages = own[NR_OWN - 1]->port / GUEST_WORDS_PER_FRAME + 1;
    uint32_t page;
    bool masked;

    for (page = 0; page < pages; page++) {
        run(dom, rnd(100));
        masked = rnd(2);
        dom_expand_array(dom, masked);
        if (masked) {
            unmask_page(dom, page);
        }
    }
}

static void control_late(struct dom *dom)
{
    run(dom, rnd(100));
    dom_register_vcpu(dom, 1, 0);
}

static void live(struct dom *dom)
{
    unsigned int way = rnd(6);
    bool early = way == 0 || way == 1;

    dom->word32 = rnd(2);
    guest_set_long_mode(dom->g, !dom->word32);
    for (uint32_t port = 0; port < guest_2l_ports(dom->g); port++) {
        guest_mask(dom->g, port);
    }
    if (early) {
        expect_ok(guest_init_control(dom->g, 0, 0), "init_control");
        if (way == 1) {
            allocate_pages_full(dom);
        }
    }
    if (way == 4) {
        expect_ok(guest_register_bitmaps(dom->g), "register bitmaps");
    }
    bind_all(dom);
    run(dom, rnd(300));
    if (way == 5) {
        expect_ok(guest_register_bitmaps(dom->g), "register bitmaps");
    }
    if (is_3l(dom)) {
        self->counts.switches++;
        dom_register_vcpu(dom, 0, 128);
        control_late(dom);
        run(dom, rnd(300));
    }
    if (way == 2) {
        expect_ok(guest_init_control(dom->g, 0, 128), "init_control");
    }
    if (is_fifo(dom)) {
        self->counts.switches++;
        if (rnd(2)) {
            control_late(dom);
            expand_late(dom);
        } else {
            expand_late(dom);
            control_late(dom);
        }
        run(dom, rnd(300));
    }
}

/* Discard the counts of events under way; check the state after the reset. */
static void after_reset(struct dom *dom)
{
    struct evtchn_port_info info;
    uint32_t port;
    unsigned int i;

    for (i = 0; i < NR_LINKS + NR_OWN; i++) {
        struct chan *c = i < NR_LINKS ? links[i].in : own[i - NR_LINKS];

        self->counts.voided += c->owed;
        c->owed = 0;
        if (c->port) {
            dom->map[c->port] = NULL;
        }
        c->port = 0;
    }
    for (i = 0; i < NR_LINKS; i++) {
        struct chan *out = links[i].out;

        expect_ok(evtchn_port_info(out->dom->g->d, out->port, &info),
                  "port_info");
        if (info.state != EVTCHN_UNBOUND ||
            info.remote_domid != dom->g->domid) {
            stress_fault(FAULT_OTHER, "%s port %u: state %d after a reset of "
                         "its peer", out->name, out->port, info.state);
        }
    }
    for (port = 1; port < evtchn_domain_valid_ports(dom->g->d); port++) {
        expect_ok(evtchn_port_info(dom->g->d, port, &info), "port_info");
        if (info.state != EVTCHN_CLOSED) {
            stress_fault(FAULT_OTHER, "C port %u: state %d after a reset",
                         port, info.state);
        }
        if (guest_is_pending(dom->g, port)) {
            stress_fault(FAULT_EXTRA, "C port %u: pending after a reset",
                         port);
        }
    }
    if (evtchn_domain_abi(dom->g->d) != EVTCHN_ABI_2L) {
        stress_fault(FAULT_OTHER, "C: not 2-level after a reset");
    }
    for (i = 0; i < MIN_VCPUS; i++) {
        evtchn_store(&dom->vcpu[i].irq, 0);
    }
}

static void close_gates(struct dom *dom)
{
    gate_close(&dom->s->life_gate);
    gate_close(&dom->s->direct_gate);
}

/* Wait until all events are handled, check, and reset. */
static void end_in_order(struct dom *dom)
{
    unsigned int i;

    close_gates(dom);
    while (dom_consume(dom, 0) || dom_consume(dom, 1)) {
        ;
    }
    for (i = 0; i < NR_LINKS; i++) {
        chan_check(links[i].in);
    }
    for (i = 0; i < NR_OWN; i++) {
        chan_check(own[i]);
    }
    expect_ok(guest_reset(dom->g), "reset");
    after_reset(dom);
    self->counts.resets++;
}

/* Reset while all threads send. */
static void end_in_the_middle(struct dom *dom)
{
    evtchn_exchange(&dom->s->resetting, 1);
    expect_ok(guest_reset(dom->g), "reset");
    if (rnd(2)) {
        sched_yield();
    }
    close_gates(dom);
    evtchn_exchange(&dom->s->resetting, 0);
    after_reset(dom);
    self->counts.resets++;
}

/* Destroy C while peers send; no thread is in an operation on C itself. */
static void end_for_good(struct dom *dom)
{
    gate_close(&dom->s->direct_gate);
    guest_free(dom->g);
    close_gates(dom);
    dom_boot(dom);
    new_guest(dom);
    after_reset(dom);
    self->counts.destroyed++;
}

static void wild_interlude(struct dom *dom)
{
    unsigned int n = 1 + rnd(4);

    gate_open(&dom->s->wild_gate);
    while (n--) {
        unsigned int yields = rnd(16);

        while (yields--) {
            sched_yield();
        }
        evtchn_reset(dom->g->d);
        self->counts.resets++;
    }
    gate_close(&dom->s->wild_gate);
    expect_ok(guest_reset(dom->g), "reset");
    after_reset(dom);
}

void *life_thread(void *opaque)
{
    struct thread *t = self = opaque;
    struct dom *dom = &t->s->dom[DOM_C];

    do {
        live(dom);
        if (stress_stopping(t->s)) {
            /* Events that were sent before the end must still be counted. */
            end_in_order(dom);
        } else if (!rnd(4) || dom->g->nr_frames > GUEST_MAX_FRAMES - 32) {
            end_for_good(dom);
        } else if (rnd(2)) {
            end_in_order(dom);
        } else {
            end_in_the_middle(dom);
        }
        if (!stress_stopping(t->s) && !rnd(4)) {
            wild_interlude(dom);
        }
    } while (!stress_stopping(t->s));
    evtchn_fetch_add(&t->s->quiet, 1);
    return NULL;
}
