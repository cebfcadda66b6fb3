/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains: their guests, upcalls, and the kernel's operations on ports. */

#include "stress.h"

static void on_upcall(struct guest_vcpu *v)
{
    struct dom *dom = v->g->opaque;

    evtchn_exchange(&dom->vcpu[v->id].irq, 1);
}

static void on_wake(struct guest_vcpu *v)
{
    struct dom *dom = v->g->opaque;

    evtchn_exchange(&dom->vcpu[v->id].woken, 1);
}

static void on_notify(struct guest *g, uint32_t port)
{
    struct dom *dom = g->opaque;
    struct chan *c = evtchn_load(&dom->map[port]);

    if (c) {
        chan_handled(c, 0);
    } else {
        evtchn_fetch_add(&dom->early[port], 1);
    }
}

static void handle_event(struct guest_vcpu *v, uint32_t port, void *opaque)
{
    struct dom *dom = opaque;
    struct chan *c = evtchn_load(&dom->map[port]);

    if (c) {
        chan_handled(c, v->id);
    } else {
        stress_fault(FAULT_EXTRA, "%s vcpu %u: port %u is nothing", dom->name,
                     v->id, port);
    }
}

void dom_boot(struct dom *dom)
{
    struct guest_config config = {
        .domid = 1 + dom->id,
        .nr_vcpus = dom->id == DOM_H ? 1 :
                    dom->id == DOM_C ? MIN_VCPUS : dom->s->nr_vcpus,
        .nr_pirqs = NR_PIRQS,
        .host = dom->id == DOM_H,
        .word32 = dom->word32,
    };
    uint32_t port;

    dom->g = guest_new(dom->s->world, &config);
    dom->g->on_upcall = on_upcall;
    dom->g->on_wake = on_wake;
    dom->g->on_notify = on_notify;
    dom->g->opaque = dom;
    if (!config.host) {
        for (port = 0; port < guest_2l_ports(dom->g); port++) {
            guest_mask(dom->g, port);
        }
    }
}

void dom_new(struct stress *s, enum dom_id id, enum evtchn_abi abi,
             bool word32)
{
    static const char *const names[NR_DOMS] = { "A", "B", "C", "H" };
    struct dom *dom = &s->dom[id];
    unsigned int i;

    memset(dom, 0, sizeof(*dom));
    dom->id = id;
    dom->name = names[id];
    dom->s = s;
    dom->abi = abi;
    dom->word32 = word32;
    dom->map = g_new0(struct chan *, EVTCHN_MAX_PORTS);
    dom->early = id == DOM_H ? g_new0(uint32_t, EVTCHN_MAX_PORTS) : NULL;
    dom_boot(dom);
    if (abi == EVTCHN_ABI_FIFO) {
        /* The other vCPU registers its own while events come in already. */
        expect_ok(guest_init_control(dom->g, 0, 0), "init_control");
        for (i = 0; i < 4; i++) {
            dom_expand_array(dom, true);
        }
    } else if (abi == EVTCHN_ABI_3L) {
        expect_ok(guest_register_bitmaps(dom->g), "register bitmaps");
        expect_ok(guest_register_selector(dom->g, 0, 512), "L2 selector");
    }
}

void dom_register_vcpu(struct dom *dom, uint32_t vcpu, uint32_t offset)
{
    if (evtchn_domain_abi(dom->g->d) == EVTCHN_ABI_FIFO) {
        expect_ok(guest_init_control(dom->g, vcpu, offset), "init_control");
    } else {
        expect_ok(guest_register_selector(dom->g, vcpu, offset), "L2 selector");
    }
}

void dom_free(struct dom *dom)
{
    guest_free(dom->g);
    g_free(dom->map);
    g_free(dom->early);
}

/* Add a page; if its ports are not @masked, pending events come at once. */
void dom_expand_array(struct dom *dom, bool masked)
{
    struct guest *g = dom->g;
    uint64_t gfn;

    if (masked) {
        expect_ok(guest_expand_array(g), "expand_array");
        return;
    }
    gfn = guest_new_frame(g);
    evtchn_store(&g->array[g->nr_array], guest_frame(g, gfn));
    g->nr_array++;
    expect_ok(evtchn_expand_array(g->d, gfn), "expand_array");
}

bool dom_consume(struct dom *dom, uint32_t vcpu)
{
    struct vcpu *v = &dom->vcpu[vcpu];

    if (!evtchn_load(&v->irq) || !evtchn_exchange(&v->irq, 0)) {
        return false;
    }
    evtchn_fetch_add(&v->epoch, 1);
    guest_upcall(&dom->g->vcpu[vcpu], handle_event, dom);
    evtchn_fetch_add(&v->epoch, 1);
    self->counts.upcalls++;
    return true;
}

void dom_sync(struct dom *dom)
{
    unsigned int i;

    for (i = 0; i < dom->g->nr_vcpus; i++) {
        uint32_t epoch = evtchn_load(&dom->vcpu[i].epoch);

        while (epoch & 1 && evtchn_load(&dom->vcpu[i].epoch) == epoch) {
            sched_yield();
        }
    }
}

static void set_port_vcpu(struct dom *dom, uint32_t port, uint32_t vcpu)
{
    evtchn_store(&dom->g->port_vcpu[port], vcpu);
}

void dom_attach(struct dom *dom, struct chan *c, uint32_t port, uint32_t vcpu)
{
    c->port = port;
    c->vcpu = vcpu;
    evtchn_exchange(&dom->map[port], c);
    if (dom->id == DOM_H) {
        return;
    }
    set_port_vcpu(dom, port, vcpu);
    /*
     * A slow vCPU keeps closed ports linked, so that new ports get higher
     * numbers.  Only one thread at a time binds ports of A and B.
     */
    while (dom->abi == EVTCHN_ABI_FIFO && !guest_event_word(dom->g, port)) {
        dom_expand_array(dom, true);
    }
    /*
     * A port must not be allocated while an event of its last binding is
     * linked.
     */
    if (dom->abi == EVTCHN_ABI_FIFO &&
        *guest_event_word(dom->g, port) & FIFO_LINKED) {
        stress_fault(FAULT_OTHER, "%s port %u: linked when bound", c->name,
                     port);
    }
    if (!c->polled && (evtchn_domain_abi(dom->g->d) != EVTCHN_ABI_FIFO ||
                       guest_event_word(dom->g, port))) {
        guest_unmask(&dom->g->vcpu[vcpu], port);
    }
}

void dom_owe_binding(struct dom *dom, struct chan *c, uint32_t port)
{
    if (dom->id == DOM_H) {
        /* The event of the binding came before the port was in the map. */
        if (evtchn_exchange(&dom->early[port], 0) != 1) {
            stress_fault(FAULT_LOST, "%s port %u: not told of its binding",
                         c->name, port);
        }
    } else if (c->stream) {
        c->sent++;
    } else {
        c->owed = 1;
    }
}

void dom_detach(struct dom *dom, struct chan *c)
{
    struct guest *g = dom->g;
    bool pending;

    guest_mask(g, c->port);
    dom_sync(dom);
    evtchn_exchange(&dom->map[c->port], NULL);
    pending = guest_is_pending(g, c->port);
    if (c->owed && !pending) {
        stress_fault(FAULT_LOST, "%s port %u: owed when closed", c->name,
                     c->port);
    } else if (!c->owed && pending) {
        stress_fault(FAULT_EXTRA, "%s port %u: pending when closed", c->name,
                     c->port);
    }
    if (c->owed) {
        self->counts.voided++;
    }
    c->owed = 0;
    c->port = 0;
}

void dom_mask(struct dom *dom, struct chan *c)
{
    guest_mask(dom->g, c->port);
    dom_sync(dom);
    evtchn_exchange(&c->masked, 1);
}

void dom_unmask(struct dom *dom, struct chan *c)
{
    evtchn_exchange(&c->masked, 0);
    guest_unmask(&dom->g->vcpu[rnd(dom->g->nr_vcpus)], c->port);
}

/*
 * A 2-level or 3-level guest's scan ignores ports of other vCPUs, so the guest
 * must mask a port that it moves; with FIFO the hypercall is enough.
 */
void dom_bind_vcpu(struct dom *dom, struct chan *c, uint32_t vcpu)
{
    bool mask = evtchn_domain_abi(dom->g->d) != EVTCHN_ABI_FIFO || rnd(2);

    if (mask) {
        dom_mask(dom, c);
    }
    expect_ok(evtchn_bind_vcpu(dom->g->d, c->port, vcpu), "bind_vcpu");
    set_port_vcpu(dom, c->port, vcpu);
    if (mask) {
        dom_unmask(dom, c);
    }
    self->counts.moves++;
}
