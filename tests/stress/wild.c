/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between two lives of domain C: several threads call any operation on it while
 * it is being reset.  These must end, without a finding of the sanitizers, and
 * the next reset must leave nothing behind (XSA-343, XSA-505).
 */

#include "stress.h"

#define WILD_PORTS  64

static void wild_bind(struct evtchn_domain *d, uint16_t domid)
{
    uint32_t port;

    switch (rnd(5)) {
    case 0:
        evtchn_alloc_unbound(d, DOMID_SELF, domid, &port);
        break;
    case 1:
        evtchn_bind_interdomain(d, domid, rnd(WILD_PORTS), &port);
        break;
    case 2:
        evtchn_bind_ipi(d, rnd(MIN_VCPUS + 1), &port);
        break;
    case 3:
        evtchn_bind_virq(d, rnd(EVTCHN_NR_VIRQS + 1), rnd(MIN_VCPUS), &port);
        break;
    case 4:
        evtchn_bind_pirq(d, rnd(NR_PIRQS), 0, &port);
        break;
    }
}

static void wild_register(struct stress *s, struct evtchn_domain *d)
{
    uint64_t gfn = s->wild_gfn[rnd(WILD_FRAMES)];
    uint64_t gfns[2 * GUEST_MAX_BITMAP_PAGES];
    uint8_t link_bits;
    unsigned int i;

    switch (rnd(4)) {
    case 0:
        evtchn_expand_array(d, gfn);
        break;
    case 1:
        evtchn_init_control(d, gfn, rnd(32) * 128, rnd(MIN_VCPUS), &link_bits);
        break;
    case 2:
        for (i = 0; i < G_N_ELEMENTS(gfns); i++) {
            gfns[i] = s->wild_gfn[rnd(WILD_FRAMES)];
        }
        evtchn_register_bitmaps(d, gfns, rnd(2) ? 1 : GUEST_MAX_BITMAP_PAGES);
        break;
    case 3:
        evtchn_register_l2_selector(d, rnd(MIN_VCPUS), gfn, rnd(32) * 128);
        break;
    }
}

/* A peer binds to C, sends and closes; its end stays masked. */
static void wild_peer(struct stress *s, struct evtchn_domain *d, uint16_t domid)
{
    struct guest *peer = s->dom[rnd(2) ? DOM_A : DOM_B].g;
    uint32_t port, peer_port;

    if (evtchn_alloc_unbound(d, DOMID_SELF, peer->domid, &port) ||
        evtchn_bind_interdomain(peer->d, domid, port, &peer_port)) {
        return;
    }
    expect_ok(evtchn_send(peer->d, peer_port), "send");
    expect_ok(evtchn_close(peer->d, peer_port), "close");
}

static void wild_event(struct evtchn_domain *d)
{
    uint32_t port = rnd(WILD_PORTS);

    switch (rnd(6)) {
    case 0:
        evtchn_send(d, port);
        break;
    case 1:
        evtchn_unmask(d, port);
        break;
    case 2:
        evtchn_raise_port(d, port);
        break;
    case 3:
        evtchn_raise_virq(d, rnd(MIN_VCPUS), rnd(EVTCHN_NR_VIRQS));
        break;
    case 4:
        evtchn_raise_pirq(d, rnd(NR_PIRQS));
        break;
    case 5:
        evtchn_poll(d, rnd(MIN_VCPUS), &port, 1);
        break;
    }
}

static void wild_op(struct stress *s)
{
    struct guest *g = s->dom[DOM_C].g;
    struct evtchn_port_info info;

    switch (rnd(8)) {
    case 0:
    case 1:
        wild_bind(g->d, g->domid);
        break;
    case 2:
        evtchn_bind_vcpu(g->d, rnd(WILD_PORTS), rnd(MIN_VCPUS));
        break;
    case 3:
        evtchn_close(g->d, rnd(WILD_PORTS));
        break;
    case 4:
        wild_register(s, g->d);
        break;
    case 5:
        wild_peer(s, g->d, g->domid);
        break;
    case 6:
        evtchn_set_priority(g->d, rnd(WILD_PORTS), rnd(17));
        evtchn_port_info(g->d, rnd(WILD_PORTS), &info);
        break;
    case 7:
        wild_event(g->d);
        break;
    }
}

void wild_step(struct stress *s)
{
    unsigned int n = 32;

    if (!evtchn_load(&s->wild_gate.open) || !gate_enter(&s->wild_gate)) {
        return;
    }
    while (n--) {
        wild_op(s);
        self->counts.wild++;
    }
    gate_leave(&s->wild_gate);
}
