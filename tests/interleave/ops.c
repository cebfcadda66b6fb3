/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a script can do, and what is noted of it for the checks. */

#include <string.h>

#include "guest.h"
#include "atomic.h"
#include "explore.h"
#include "world.h"
#include "world-priv.h"

/*
 * For env->synchronize(), which waits for senders alone: all else that looks at
 * another domain has a reference.
 */
static void count_call(struct il_world *w, uint32_t script)
{
    if (w->s->destroys && script < IL_SCRIPTS) {
        evtchn_store(&w->calls[script], w->calls[script] + 1);
    }
}

static int send_event(struct il_world *w, uint32_t port, bool raise)
{
    uint32_t peer_port = w->peer_port[port];

    if (raise) {
        return evtchn_raise_port(w->g->d, port);
    }
    if (w->virq[port]) {
        evtchn_raise_virq(w->g->d, 0, IL_VIRQ(port));
        return 0;
    }
    if (peer_port) {
        return evtchn_send(w->peer[w->peer_of[port]]->d, peer_port);
    }
    return evtchn_send(w->g->d, port);
}

void il_send(uint32_t script, uint32_t port, bool raise)
{
    struct il_world *w = il_world();
    /* Whoever sends by the port's own number may meet a new binding of it. */
    bool by_number = raise || (!w->virq[port] && !w->peer_port[port]);
    uint8_t binding_nr = w->binding_nr[port];
    uint8_t begun = 1u << script;
    int rc;

    if (w->unbound[port] && !raise) {
        return; /* it has no other end yet */
    }
    w->sent[port]++;
    w->awaited[port] |= begun;
    /* The peer's port may have been closed and bound to another, or will be. */
    for (uint32_t p = 1; p < IL_PORTS; p++) {
        if (p != port && !by_number &&
            (w->unbound[p] || w->peer_port[p] == w->peer_port[port])) {
            w->sent[p]++;
        }
    }
    count_call(w, script);
    rc = send_event(w, port, raise);
    count_call(w, script);
    if (rc) {
        /* An event that was not sent must not come. */
        if (by_number || binding_nr == w->binding_nr[port]) {
            w->sent[port]--;
        }
        if (!w->s->may_fail || rc != -XEN_EINVAL) {
            il_fail("send to port %u: %d", port, rc);
        }
    } else if (!il_skip_awaited && w->awaited[port] & begun &&
               (by_number || binding_nr == w->binding_nr[port])) {
        w->awaited[port] |= IL_OWED;
    }
    w->awaited[port] &= ~begun;
}

static void check_rc(struct il_world *w, int rc)
{
    if (rc && !w->s->may_fail && !w->s->hostile) {
        il_fail("an operation failed: %d", rc);
    }
}

static void poll_port(struct il_world *w, uint32_t port, uint32_t vcpu)
{
    int rc = evtchn_poll(w->g->d, vcpu, &port, 1);

    if (!rc) {
        il_wait(&w->woken[vcpu], 0, false);
    } else {
        il_check(rc == 1);
    }
    if (!w->s->hostile) {
        il_check(guest_is_pending(w->g, port));
    }
    evtchn_poll_cancel(w->g->d, vcpu);
}

static void move(struct il_world *w, uint32_t port, uint32_t vcpu)
{
    guest_mask(w->g, port);
    check_rc(w, evtchn_bind_vcpu(w->g->d, port, vcpu));
    evtchn_store(&w->g->port_vcpu[port], (uint16_t)vcpu);
    w->moved[port] = true;
    guest_unmask(&w->g->vcpu[vcpu], port);
}

/* Bindings ----------------------------------------------------------------- */

/* @port was bound anew; what was sent to its number may still come. */
static void note_binding(struct il_world *w, uint32_t port)
{
    w->awaited[port] &= ~IL_OWED;
    w->binding_nr[port]++;
    if (w->peer_port[port] || w->virq[port]) {
        /* But nothing by a channel, or from a source, that is its no more. */
        w->sent[port] = w->handled[port];
        w->awaited[port] = 0;
    }
    w->peer_port[port] = 0;
    w->virq[port] = false;
    w->unbound[port] = false;
    w->moved[port] = false;
    w->new_port = port;
}

static void check_not_linked(struct il_world *w, uint32_t port)
{
    if (!w->s->late_array && w->peer_port[port] && w->s->fifo &&
        !w->s->hostile && *guest_event_word(w->g, port) & FIFO_LINKED) {
        il_fail("port %u was bound again while on a queue", port);
    }
}

static void rebind(struct il_world *w, uint32_t vcpu)
{
    uint32_t port = 0;

    check_rc(w, evtchn_bind_ipi(w->g->d, vcpu, &port));
    il_check(port > 0 && port < IL_PORTS);
    check_not_linked(w, port);
    evtchn_store(&w->g->port_vcpu[port], (uint16_t)vcpu);
    note_binding(w, port);
    if (!w->s->hostile) {
        guest_unmask(&w->g->vcpu[vcpu], port);
    }
}

static void bind_peer(struct il_world *w, uint32_t port, uint32_t peer)
{
    struct guest *p = w->peer[peer];
    int rc;

    /* The number of a port that was closed may come back. */
    w->closed_peers = 0;
    rc = evtchn_bind_interdomain(p->d, IL_DOMID, port, &w->peer_port[port]);
    check_rc(w, rc);
    if (!rc) {
        w->peer_of[port] = peer;
        w->unbound[port] = false;
    }
}

static void bind(struct il_world *w, uint32_t want)
{
    uint32_t port = 0;

    /* An event comes with it. */
    w->sent[want]++;
    check_rc(w, evtchn_bind_interdomain(w->g->d, 0, w->peer_port[want], &port));
    il_check(port == want);
    guest_unmask(&w->g->vcpu[0], port);
}

static void rebind_peer(struct il_world *w, uint32_t peer)
{
    uint32_t port = 0;

    il_check(!evtchn_alloc_unbound(w->g->d, DOMID_SELF, w->peer[peer]->domid,
                                   &port));
    il_check(port > 0 && port < IL_PORTS);
    check_not_linked(w, port);
    note_binding(w, port);
    w->unbound[port] = true;
    bind_peer(w, port, peer);
    if (!w->s->late_array) {
        guest_unmask(&w->g->vcpu[0], port);
    }
}

static void close_peer(struct il_world *w, uint32_t port)
{
    uint32_t peer_port = w->peer_port[port];
    int rc = evtchn_close(w->peer[w->peer_of[port]]->d, peer_port);

    check_rc(w, rc);
    if (!rc && !w->peer_of[port]) {
        w->closed_peers |= 1u << peer_port;
    }
}

/* Memory that is replaced -------------------------------------------------- */

void il_own_info(struct il_world *w, uint32_t vcpu)
{
    struct guest_vcpu *v = &w->g->vcpu[vcpu];

    v->info = guest_frame(w->g, guest_new_frame(w->g));
    il_check(!evtchn_vcpu_set_info(w->g->d, vcpu, v->info, false));
}

static void move_info(struct il_world *w, uint32_t vcpu, bool mark_all)
{
    struct guest_vcpu *v = &w->g->vcpu[vcpu];
    uint32_t *new = guest_frame(w->g, guest_new_frame(w->g)), *old = v->info;

    for (uint32_t i = 0; i < sizeof(struct vcpu_info) / sizeof(*old); i++) {
        new[i] = evtchn_load(&old[i]);
    }
    v->info = new;
    il_check(!evtchn_vcpu_set_info(w->g->d, vcpu, new, mark_all));
    il_read_only(old, sizeof(struct vcpu_info), true);
}

static void take_shared_info(struct il_world *w)
{
    evtchn_domain_set_shared_info(w->g->d, NULL);
    il_read_only(w->g->shared_info, EVTCHN_FRAME_SIZE, true);
}

static void give_shared_info(struct il_world *w)
{
    void *new = guest_frame(w->g, guest_new_frame(w->g));

    memcpy(new, w->g->shared_info, EVTCHN_FRAME_SIZE);
    w->g->shared_info = new;
    evtchn_domain_set_shared_info(w->g->d, new);
}

static void destroy(struct il_world *w, uint32_t script)
{
    struct guest *g = w->g;

    w->destroyer = script;
    w->g = NULL;
    guest_free(g);
}

/* Scripts ------------------------------------------------------------------ */

static void run_memory_op(struct il_world *w, uint32_t script,
                          const struct il_script_op *o)
{
    switch (o->op) {
    case IL_EXPAND:
        il_check(!guest_expand_array(w->g));
        break;
    case IL_CONTROL:
        il_check(!guest_init_control(w->g, o->arg, 0));
        break;
    case IL_BITMAPS:
        il_check(!guest_register_bitmaps(w->g));
        break;
    case IL_SELECTOR:
        il_check(!guest_register_selector(w->g, o->arg, 0));
        break;
    case IL_INFO:
        guest_set_vcpu_info(w->g, o->arg, true);
        break;
    case IL_MOVE_INFO:
    case IL_MOVE_INFO_UNMARKED:
        move_info(w, o->arg, o->op == IL_MOVE_INFO);
        break;
    case IL_TAKE_SHARED_INFO:
        take_shared_info(w);
        break;
    case IL_GIVE_SHARED_INFO:
        give_shared_info(w);
        break;
    case IL_RESET:
        il_check(!guest_reset(w->g));
        break;
    case IL_DESTROY:
        destroy(w, script);
        break;
    default:
        il_fail("unknown operation %u", o->op);
    }
}

static void run_binding_op(struct il_world *w, uint32_t script,
                           const struct il_script_op *o)
{
    switch (o->op) {
    case IL_PRIORITY:
        check_rc(w, evtchn_set_priority(w->g->d, o->port, o->arg));
        break;
    case IL_BIND_VCPU:
        check_rc(w, evtchn_bind_vcpu(w->g->d, o->port, o->arg));
        break;
    case IL_MOVE:
        move(w, o->port, o->arg);
        break;
    case IL_CLOSE:
        check_rc(w, evtchn_close(w->g->d, o->port));
        w->unbound[o->port] = false;
        break;
    case IL_CLOSE_PEER:
        close_peer(w, o->port);
        break;
    case IL_BIND_PEER:
        bind_peer(w, o->port, 0);
        break;
    case IL_BIND:
        bind(w, o->port);
        break;
    case IL_REBIND:
        rebind(w, o->arg);
        break;
    case IL_REBIND_PEER:
        rebind_peer(w, o->arg);
        break;
    default:
        run_memory_op(w, script, o);
    }
}

void il_run_op(struct il_world *w, uint32_t script,
               const struct il_script_op *o)
{
    switch (o->op) {
    case IL_SEND:
    case IL_RAISE:
    case IL_RAISE_VIRQ:
        il_send(script, o->port, o->op == IL_RAISE);
        break;
    case IL_SEND_NEW:
        il_send(script, w->new_port, false);
        break;
    case IL_SEND_BACK:
        check_rc(w, evtchn_send(w->g->d, o->port));
        break;
    case IL_SEND_OTHER:
        w->other_sent++;
        il_check(!evtchn_send(w->peer[0]->d, w->other_peer_port));
        break;
    case IL_MASK:
        guest_mask(w->g, o->port);
        break;
    case IL_EOI:
        il_take(&w->eoi_due[o->port]);
        /* fall through */
    case IL_UNMASK:
        guest_unmask(&w->g->vcpu[o->arg], o->port);
        break;
    case IL_UNMASK_OP:
        check_rc(w, evtchn_unmask(w->g->d, o->port));
        w->unmasked[o->port] = true;
        break;
    case IL_POLL:
        poll_port(w, o->port, o->arg);
        break;
    default:
        run_binding_op(w, script, o);
    }
}
