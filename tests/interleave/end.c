/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold when no thread can run any more: nothing was lost, and all
 * still works.  Instead of looking into the queues, send again on every port,
 * close everything and give all memory back; a lock that is still held, a queue
 * with a cycle or a wrong tail shows up as an event that does not come.
 */

#include "guest.h"
#include "explore.h"
#include "world.h"
#include "world-priv.h"

static struct guest_vcpu *port_vcpu(struct il_world *w, uint32_t port)
{
    struct evtchn_port_info info;

    il_check(!evtchn_port_info(w->g->d, port, &info));
    return &w->g->vcpu[info.vcpu];
}

static bool is_bound(struct il_world *w, uint32_t port)
{
    struct evtchn_port_info info;

    return !evtchn_port_info(w->g->d, port, &info) &&
           (info.state == EVTCHN_INTERDOMAIN || info.state == EVTCHN_IPI ||
            info.state == EVTCHN_VIRQ);
}

/* As far as the interrupts raised go; without one the guest looks nowhere. */
static void drain(struct il_world *w)
{
    bool again = true;

    while (again) {
        again = false;
        for (uint32_t i = 0; i < w->s->vcpus; i++) {
            if (w->irq[i]) {
                w->irq[i] = 0;
                guest_upcall(&w->g->vcpu[i], il_handler, NULL);
                again = true;
            }
        }
    }
}

static void check_port(struct il_world *w, uint32_t port)
{
    if (!is_bound(w, port) && !w->unbound[port]) {
        return;
    }
    if (guest_is_masked(w->g, port)) {
        if (w->unmasked[port] && !w->binding_nr[port]) {
            il_fail("port %u is masked, and was unmasked", port);
        }
        return;
    }
    if (guest_is_pending(w->g, port)) {
        il_fail("port %u is pending, not masked, and nobody looks", port);
    }
    if (w->awaited[port]) {
        il_fail("port %u: an event was lost (%u sent, %u handled)", port,
                w->sent[port], w->handled[port]);
    }
}

static void probe_port(struct il_world *w, uint32_t port)
{
    struct evtchn_port_info info;
    uint8_t before;

    if (!is_bound(w, port)) {
        return;
    }
    il_check(!evtchn_port_info(w->g->d, port, &info));
    if (w->moved[port] && info.vcpu != w->g->port_vcpu[port]) {
        il_fail("port %u: a vCPU that it was not moved to", port);
    }
    guest_unmask(port_vcpu(w, port), port);
    drain(w);
    check_port(w, port);
    before = w->handled[port];
    il_send(IL_SCRIPTS, port, false);
    drain(w);
    if (w->handled[port] != before + 1) {
        il_fail("port %u: sent once more, handled %d times", port,
                w->handled[port] - before);
    }
}

static void check_guest(struct il_world *w)
{
    /* Without consumers of its own the guest looks now. */
    if (!w->s->consumers) {
        drain(w);
    }
    for (uint32_t i = 0; i < w->s->vcpus; i++) {
        il_check(!w->irq[i]);
        il_check(!w->g->vcpu[i].wild_heads);
        il_check(!w->g->vcpu[i].empty_heads);
    }
    for (uint32_t port = 1; port < IL_PORTS; port++) {
        check_port(w, port);
    }
    il_check(!w->new_port || is_bound(w, w->new_port));
    /* In the order that splits a queue wrongly joined from the right one. */
    for (uint32_t port = IL_PORTS - 1; port > 0; port--) {
        probe_port(w, port);
    }
    for (uint32_t port = 1; port < IL_PORTS; port++) {
        probe_port(w, port);
    }
}

static void count_other(struct guest_vcpu *v, uint32_t port, void *opaque)
{
    struct il_world *w = opaque;

    il_check(v->g == w->other && port == w->other_port);
    w->other_handled++;
}

static void check_bystander(struct il_world *w)
{
    struct guest_vcpu *v = &w->other->vcpu[0];

    guest_upcall(v, count_other, w);
    il_check(w->other_handled == !!w->other_sent);
    il_check(!evtchn_send(w->peer[0]->d, w->other_peer_port));
    guest_upcall(v, count_other, w);
    il_check(w->other_handled == !!w->other_sent + 1);
    il_check(!v->wild_heads && !v->empty_heads);
}

static void check_reset(struct il_world *w)
{
    uint32_t port = 0;

    for (port = 1; port < IL_PORTS; port++) {
        il_check(!is_bound(w, port));
    }
    il_check(evtchn_domain_abi(w->g->d) == EVTCHN_ABI_2L);
    il_check(!w->g->mapped);
    il_check(!evtchn_bind_ipi(w->g->d, 0, &port));
    il_check(port == 1);
}

/* The guest was destroyed: nothing of it is left at the other ends. */
static void check_peer(struct il_world *w)
{
    struct evtchn_port_info info;

    for (uint32_t port = 1; port < IL_PORTS; port++) {
        il_check(evtchn_port_info(w->peer[0]->d, port, &info) ||
                 info.state != EVTCHN_INTERDOMAIN);
    }
}

void il_world_end(void)
{
    struct il_world *w = il_world();

    w->ended = true;
    if (!w->g) {
        check_peer(w);
    } else if (w->s->unbound_at_end) {
        check_reset(w);
    } else if (!w->s->hostile) {
        check_guest(w);
    }
    if (w->other) {
        check_bystander(w);
        guest_free(w->other);
    }
    if (w->g) {
        for (uint32_t port = 1; port < IL_PORTS; port++) {
            if (is_bound(w, port)) {
                il_check(!evtchn_close(w->g->d, port));
            }
        }
        guest_free(w->g);
    }
    for (uint32_t i = 0; i < IL_PEERS; i++) {
        if (w->peer[i]) {
            guest_free(w->peer[i]);
        }
    }
    world_free(w->world);
    /* Only the world itself, and the guest's frames are its own business. */
    il_check(il_allocated() == sizeof(*w));
}
